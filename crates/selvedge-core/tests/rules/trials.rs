//! Experiments and holdouts.

use crate::build::{Build, SECOND, at_least};
use crate::world::{START, World, event, map, text};
use selvedge_core::event::EventType;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::VisitorId;
use selvedge_core::limits::BUCKETS;
use selvedge_core::rules::{Moment, bucket, decide};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{
    Cap, Content, ContentType, Experiment, Hold, Trial, Trigger, Unit, Variant, Window,
};
use selvedge_core::wire::state::CellBody;

const CONTROL: u64 = fnv1a_64(b"discount/control");

/// As printed in docs/rules.md.
const VECTORS: [(&str, &str, u16); 4] = [
    ("global-2026", "00000000000000000000000000000001", 755),
    ("global-2026", "user-17", 7945),
    ("cart-discount", "00000000000000000000000000000001", 9013),
    ("cart-discount", "Zoë", 3492),
];

#[test]
fn buckets_match_the_published_vectors() {
    for (salt, unit, expected) in VECTORS {
        assert_eq!(bucket(salt, unit), expected, "{salt} {unit}");
    }
}

fn experiment(name: &str, unit: Unit, ends: &[(&str, u16)]) -> Experiment {
    let variant = |(name, end): &(&str, u16)| Variant { name: (*name).into(), end: *end };
    Experiment {
        name: name.into(),
        salt: name.into(),
        unit,
        traffic_salt: "layer".into(),
        traffic: (0, BUCKETS),
        variants: ends.iter().map(variant).collect(),
    }
}

/// Two rules for the hero slot; the upper is in an experiment of a control and two variants, or held out.
fn build(unit: Unit) -> Build {
    let mut build = Build::new();
    for id in ["ten", "twenty"] {
        build.parts.contents.push(Content {
            id: id.into(),
            content_type: ContentType::Text,
            fields: vec![("text".into(), id.into())],
        });
    }
    let ends = [("control", 2_000), ("ten", 6_000), ("twenty", BUCKETS)];
    build.parts.deciding.experiments = vec![
        experiment("discount", unit, &ends),
        experiment("holdout", unit, &[("held-out", 500), ("active", BUCKETS)]),
    ];
    build.rule("lower", "hero", None).priority = -1;
    let rule = build.rule("offer", "hero", None);
    rule.terms.trial = Some(Trial { experiment: 0, contents: vec![None, Some(1), Some(2)] });
    build
}

fn visitor(number: u16) -> VisitorId {
    let mut bytes = [1; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    VisitorId(bytes)
}

/// The first visitor whose bucket under `salt` lies in the stretch.
fn visitor_in(salt: &str, start: u16, end: u16) -> VisitorId {
    (1..).map(visitor).find(|id| (start..end).contains(&bucket(salt, &id.to_string()))).unwrap()
}

/// Rule, content, reason and variant of the hero slot.
fn hero(world: &mut World, at_ms: i64) -> (Option<String>, Option<u16>, Reason, Option<String>) {
    let context = world.context.clone();
    let moment = Moment { context: &context, account: None, orders: world.orders, ..world.moment(at_ms) };
    let decisions = decide(&world.program, &mut world.state, &moment);
    let decision = decisions[1];
    let rule = decision.rule.map(|rule| world.program.rule_id(rule).to_owned());
    (rule, decision.content, decision.reason, decision.variant.map(|at| world.program.variant_name(at)))
}

fn held_out(world: &World, at_ms: i64) -> Option<String> {
    let decisions = decide(&world.program, &mut world.state.clone(), &world.moment(at_ms));
    decisions[1].held_out.map(|rule| world.program.rule_id(rule).to_owned())
}

#[test]
fn each_variant_shows_its_own_content_and_the_shares_are_kept() {
    let mut world = World::new(build(Unit::Visitor).program());
    let mut counts = [0u32; 3];
    for number in 1..5_000 {
        world.visitor = visitor(number);
        let (rule, content, reason, variant) = hero(&mut world, 0);
        assert_eq!(rule.as_deref(), Some("offer"));
        let (at, expected) = match variant.as_deref() {
            Some("discount/control") => (0, (Some(0), Reason::Control)),
            Some("discount/ten") => (1, (Some(1), Reason::Won)),
            _ => (2, (Some(2), Reason::Won)),
        };
        assert_eq!((content, reason), expected);
        counts[at] += 1;
    }
    let expected = [1_000, 2_000, 2_000];
    assert!(
        counts.iter().zip(expected).all(|(found, expected): (&u32, u32)| found.abs_diff(expected) < 150),
        "{counts:?}"
    );
}

#[test]
fn a_control_holds_the_slot_shows_its_fallback_and_blocks_lower_rules() {
    let mut world = World::new(build(Unit::Visitor).program());
    world.visitor = visitor_in("discount", 0, 2_000);
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero"), (Some("offer".into()), Reason::Control));
    assert_eq!(world.decide(SECOND, "hero"), (Some("offer".into()), Reason::Control), "it is held");
    assert_eq!(world.why(SECOND, "lower"), Reason::LowerPriority);
}

#[test]
fn outside_of_the_traffic_the_rule_shows_its_own_content() {
    let mut build = build(Unit::Visitor);
    build.parts.deciding.experiments[0].traffic = (3_000, 4_000);
    let mut world = World::new(build.program());
    world.visitor = visitor_in("layer", 4_000, BUCKETS);
    assert_eq!(hero(&mut world, 0), (Some("offer".into()), Some(0), Reason::Won, None));
    world.visitor = visitor_in("layer", 3_000, 4_000);
    assert!(hero(&mut world, 0).3.is_some());
    world.visitor = VisitorId::NOBODY;
    assert_eq!(hero(&mut world, 0).3, None, "nobody takes part");
}

#[test]
fn a_ramp_that_grows_keeps_everybody_where_they_are_and_one_that_shrinks_those_who_saw_it() {
    let mut small = build(Unit::Visitor);
    small.parts.deciding.experiments[0].traffic = (0, 3_000);
    let mut world = World::new(small.program());
    world.visitor = visitor_in("layer", 0, 3_000);
    let before = hero(&mut world, 0).3;
    assert!(before.is_some());
    small.parts.deciding.experiments[0].traffic = (0, BUCKETS);
    world.program = small.program();
    assert_eq!(hero(&mut world, SECOND).3, before);
    world.expose(2 * SECOND, "offer");
    small.parts.deciding.experiments[0].traffic = (0, 0);
    world.program = small.program();
    assert_eq!(hero(&mut world, 3 * SECOND).3, before);
}

#[test]
fn layers_exclude_each_other() {
    let mut build = build(Unit::Visitor);
    build.parts.deciding.experiments[0].traffic = (0, 5_000);
    let mut other = experiment("other", Unit::Visitor, &[("only", BUCKETS)]);
    other.traffic = (5_000, BUCKETS);
    build.parts.deciding.experiments.push(other);
    build.rule("second", "banner", None).terms.trial = Some(Trial { experiment: 2, contents: vec![Some(1)] });
    let mut world = World::new(build.program());
    for number in 1..500 {
        world.visitor = visitor(number);
        let decisions = decide(&world.program, &mut world.state.clone(), &world.moment(0));
        let variants = [decisions[0].variant, decisions[1].variant];
        assert_eq!(variants.iter().flatten().count(), 1, "{variants:?}");
    }
    assert!(hero(&mut world, 0).0.is_some());
}

#[test]
fn the_variant_that_was_seen_first_stays_through_a_login() {
    let mut world = World::new(build(Unit::UserOrVisitor).program());
    world.visitor = visitor_in("discount", 2_000, 6_000);
    let user = (0..).map(|n| format!("user-{n}")).find(|user| bucket("discount", user) >= 6_000).unwrap();
    world.page(0, "/");
    assert_eq!(hero(&mut world, 0).3.as_deref(), Some("discount/ten"));
    let mut unseen = world.aside();
    unseen.identify(SECOND, map([("user_id", text(&user))]));
    assert_eq!(hero(&mut unseen, SECOND).3.as_deref(), Some("discount/twenty"), "the user's own bucket");
    world.expose(SECOND, "offer");
    world.identify(2 * SECOND, map([("user_id", text(&user))]));
    assert_eq!(hero(&mut world, 2 * SECOND).3.as_deref(), Some("discount/ten"));
    world.visitor = visitor_in("discount", 0, 2_000);
    assert_eq!(hero(&mut world, 3 * SECOND).3.as_deref(), Some("discount/ten"), "kept in the state");
}

#[test]
fn an_exposure_keeps_the_variant_that_it_names() {
    let mut world = World::new(build(Unit::Visitor).program());
    world.visitor = visitor_in("discount", 2_000, 6_000);
    let seen = map([("rule", text("offer")), ("variant", text("twenty")), ("slot", text("hero"))]);
    world.step(0, &event(EventType::Exposure, "exposure", START, seen));
    assert_eq!(hero(&mut world, 0).3.as_deref(), Some("discount/twenty"));
}

#[test]
fn a_forced_variant_is_shown_whatever_was_drawn() {
    let mut world = World::new(build(Unit::Visitor).program());
    world.visitor = visitor_in("discount", 2_000, 6_000);
    world.orders.forced = &[CONTROL];
    assert_eq!(hero(&mut world, 0).2, Reason::Control);
}

fn with_holdout() -> World {
    let mut build = build(Unit::Visitor);
    let offer = build.parts.rules.iter_mut().find(|rule| rule.id == "offer").unwrap();
    offer.terms.trial = None;
    offer.terms.holdout = Some(1);
    offer.caps = vec![Cap { limit: 1, window: Window::Session }];
    offer.hold = Hold::Time(0);
    let mut world = World::new(build.program());
    world.visitor = visitor_in("holdout", 0, 500);
    world
}

#[test]
fn who_is_held_out_sees_what_stands_below_and_what_would_have_won_is_known() {
    let mut world = with_holdout();
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero"), (Some("lower".into()), Reason::Won));
    assert_eq!(held_out(&world, SECOND).as_deref(), Some("offer"), "also while another is held");
    assert_eq!(world.why(SECOND, "offer"), Reason::Holdout);
    world.visitor = visitor_in("holdout", 500, BUCKETS);
    assert_eq!(held_out(&world, SECOND), None);
    assert_eq!(world.why(SECOND, "offer"), Reason::LowerPriority);
}

#[test]
fn a_triggered_rule_that_is_held_out_is_noted_once_for_each_trigger() {
    let mut build = build(Unit::Visitor);
    let offer = build.parts.rules.iter_mut().find(|rule| rule.id == "offer").unwrap();
    offer.terms.trial = None;
    offer.terms.holdout = Some(1);
    offer.timing.trigger = Some(Trigger { events: vec!["resolved".into()], session_end: false });
    let mut world = World::new(build.program());
    world.visitor = visitor_in("holdout", 0, 500);
    world.page(0, "/");
    let mut noted = Vec::new();
    for (at, name) in ["view", "resolved", "view", "resolved", "resolved", "view"].into_iter().enumerate() {
        let at_ms = i64::try_from(at).unwrap() * SECOND;
        world.track(at_ms, name);
        noted.push(held_out(&world, at_ms).is_some());
        world.decide(at_ms, "hero");
    }
    assert_eq!(noted, [false, true, false, true, true, false]);
}

#[test]
fn an_exposure_of_a_holdout_or_a_control_uses_up_no_cap_and_keeps_where_the_visitor_is() {
    let mut world = with_holdout();
    world.track(0, "a");
    let seen = map([("rule", text("offer")), ("slot", text("hero")), ("reason", text("holdout"))]);
    world.step(SECOND, &event(EventType::Exposure, "exposure", START + SECOND, seen));
    let used = world.state.cells.iter().filter_map(|cell| match &cell.body {
        CellBody::Cap(cap) => Some(cap.used_ms.len()),
        _ => None,
    });
    assert_eq!(used.sum::<usize>(), 0);
    world.visitor = visitor_in("holdout", 500, BUCKETS);
    assert_eq!(world.why(2 * SECOND, "offer"), Reason::Holdout);
}

#[test]
fn a_rule_whose_condition_is_false_is_not_missed_by_a_holdout() {
    let mut build = build(Unit::Visitor);
    let views = build.count("view", Window::Session, 1);
    let when = build.code(&at_least(views, 1));
    let offer = build.parts.rules.iter_mut().find(|rule| rule.id == "offer").unwrap();
    offer.terms.holdout = Some(1);
    offer.when = Some(when);
    let mut world = World::new(build.program());
    world.visitor = visitor_in("holdout", 0, 500);
    world.track(0, "other");
    assert_eq!(held_out(&world, 0), None);
    world.track(SECOND, "view");
    assert_eq!(held_out(&world, SECOND).as_deref(), Some("offer"));
}
