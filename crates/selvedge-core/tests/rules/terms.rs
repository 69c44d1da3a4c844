//! The terms that rules act under: suppressions, pauses, `until`, service notices.

use crate::build::{Build, Condition, MINUTE, SECOND, at_least, exactly};
use crate::world::{START, World};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::rules::Orders;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{
    AttributeScope, AttributeType, Builtin, Cap, FactSource, Group, Hold, Shape, Suppression, Test, Window,
};

const R: u64 = fnv1a_64(b"r");

/// A rule in the hero slot that yields to a suppression of `condition`, over an attribute `ticket` of 0 or 1.
fn suppressed(condition: impl Fn(u16) -> Condition) -> Build {
    let mut build = Build::new();
    let at = build.attribute("ticket", AttributeScope::Visitor, AttributeType::Bool);
    let ticket = build.fact(FactSource::Attribute(at), Shape::Number);
    let when = build.code(&condition(ticket));
    build.parts.deciding.suppressions.push(Suppression { name: "open-ticket".into(), when });
    let rule = build.rule("r", "hero", None);
    rule.terms.suppressed_by = vec![0];
    rule.hold = Hold::Session;
    build
}

fn ticket(world: &mut World, at_ms: i64, is_open: bool) {
    let open = crate::world::map([("ticket", selvedge_core::value::Value::Bool(is_open))]);
    world.identify(at_ms, open);
}

#[test]
fn a_suppression_keeps_a_rule_off_and_ends_what_stands_while_it_is_true() {
    let mut world = World::new(suppressed(|ticket| exactly(ticket, 1)).program());
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero").1, Reason::Won);
    ticket(&mut world, SECOND, true);
    assert_eq!(world.decide(SECOND, "hero"), (None, Reason::Fallback));
    let [candidate] = world.explain(SECOND)[..] else { panic!() };
    assert_eq!((candidate.reason, candidate.suppression), (Reason::SuppressedBy, Some(0)));
    assert_eq!(world.program.suppression_name(0), "open-ticket");
    ticket(&mut world, 2 * SECOND, false);
    assert_eq!(world.decide(2 * SECOND, "hero").1, Reason::Held);
}

#[test]
fn what_unknown_means_for_a_suppression_is_compiled_into_it() {
    let allows = World::new(suppressed(|ticket| exactly(ticket, 1)).program());
    assert_eq!(allows.why(0, "r"), Reason::Won, "unknown is not true");
    // Suppressed unless it is definitely 0: code that accepts where `ticket = 0` rejects.
    let mut build = suppressed(|ticket| exactly(ticket, 0));
    let op = &mut build.parts.code[0];
    (op.on_true, op.on_false) = (op.on_false, op.on_true);
    let mut suppresses = World::new(build.program());
    assert_eq!(suppresses.why(0, "r"), Reason::SuppressedBy);
    ticket(&mut suppresses, 0, false);
    assert_eq!(suppresses.why(0, "r"), Reason::Won);
}

#[test]
fn a_rule_ends_for_good_and_does_not_begin_while_its_until_is_true() {
    let mut build = Build::new();
    let adds = build.count("add", Window::Sliding(60_000), 1);
    let until = build.code(&at_least(adds, 1));
    let rule = build.rule("r", "hero", None);
    rule.terms.until = Some(until);
    rule.hold = Hold::Session;
    let mut world = World::new(build.program());
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero").1, Reason::Won);
    world.track(SECOND, "add");
    assert_eq!(world.decide(SECOND, "hero"), (None, Reason::Fallback));
    assert!(world.state.held.is_empty());
    let [candidate] = world.explain(SECOND)[..] else { panic!() };
    assert_eq!((candidate.reason, candidate.leaf), (Reason::False, Some(until)));
    world.track(2 * MINUTE, "other");
    assert_eq!(world.decide(2 * MINUTE, "hero").1, Reason::Won, "it may begin anew");
}

#[test]
fn outside_of_its_schedule_a_rule_does_not_act_and_what_it_holds_waits() {
    let mut build = Build::new();
    let now = build.builtin(Builtin::Now);
    let schedule = build.code(&Condition::Leaf(now, Test::Range(START + MINUTE, START + 2 * MINUTE)));
    let rule = build.rule("r", "hero", None);
    rule.terms.schedule = Some(schedule);
    rule.hold = Hold::Session;
    let mut world = World::new(build.program());
    world.page(0, "/");
    assert_eq!(world.why(0, "r"), Reason::OutsideSchedule);
    assert_eq!(world.decide(0, "hero"), (None, Reason::Fallback));
    assert_eq!(world.decide(MINUTE, "hero").1, Reason::Won);
    assert_eq!(world.decide(3 * MINUTE, "hero"), (None, Reason::Fallback));
    assert_eq!(world.why(3 * MINUTE, "r"), Reason::OutsideSchedule);
}

#[test]
fn a_paused_rule_does_not_act_and_what_it_holds_ends_without_another_program() {
    let mut build = Build::new();
    build.rule("r", "hero", None).hold = Hold::Session;
    build.rule("lower", "hero", None).priority = -1;
    let mut world = World::new(build.program());
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero").0.as_deref(), Some("r"));
    world.orders.paused = &[R];
    assert_eq!(world.decide(SECOND, "hero").0.as_deref(), Some("lower"));
    assert_eq!(world.why(SECOND, "r"), Reason::Paused);
    world.orders.paused = &[Orders::ALL];
    assert_eq!(world.decide(2 * SECOND, "hero"), (None, Reason::Fallback));
    assert_eq!(world.why(2 * SECOND, "lower"), Reason::Paused);
}

#[test]
fn a_service_notice_is_exempt_from_the_caps_of_group_slot_and_site() {
    let once = || vec![Cap { limit: 1, window: Window::Session }];
    let mut build = Build::new();
    build.parts.groups.push(Group { name: "all".into(), max_per_page: None, caps: once() });
    build.parts.slots[1].caps = once();
    build.parts.deciding.caps = once();
    for id in ["notice", "offer"] {
        let rule = build.rule(id, "hero", None);
        rule.group = Some(0);
        rule.terms.service = id == "notice";
        rule.hold = Hold::Time(0);
    }
    let mut world = World::new(build.program());
    world.track(0, "a");
    world.expose(SECOND, "notice");
    assert_eq!(world.why(SECOND, "offer"), Reason::LowerPriority, "a notice uses up nothing of theirs");
    world.expose(2 * SECOND, "offer");
    assert_eq!(world.why(2 * SECOND, "offer"), Reason::Capped);
    assert_eq!(world.decide(2 * SECOND, "hero").0.as_deref(), Some("notice"));
}

#[test]
fn the_nearest_miss_has_the_fewest_tests_that_would_have_to_come_out_otherwise() {
    let mut build = Build::new();
    let [views, adds, buys] = ["view", "add", "buy"].map(|event| build.count(event, Window::Session, 3));
    let all = Condition::And(vec![at_least(views, 1), at_least(adds, 1), at_least(buys, 1)]);
    build.rule("all", "hero", Some(all));
    let any = Condition::Or(vec![
        Condition::And(vec![at_least(views, 2), at_least(adds, 2)]),
        Condition::And(vec![at_least(views, 1), at_least(buys, 1)]),
    ]);
    build.rule("any", "banner", Some(any));
    let mut world = World::new(build.program());
    world.track(0, "view");
    let misses: Vec<u16> = world.explain(0).iter().map(|candidate| candidate.misses).collect();
    assert_eq!(misses, [2, 1]);
}
