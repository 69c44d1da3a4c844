//! Caps, and the grants that are leased of them.

use crate::build::{Build, DAY, HOUR, MINUTE, PERSONAL, SECOND};
use crate::world::{START, World, all, event, map, text};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{EventType, LeaseReport};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::WriterId;
use selvedge_core::limits::{CLOCKS_APART_MS, LEASE_MS};
use selvedge_core::rules::{CapOf, claimed, decide, is_lasting};
use selvedge_core::value::Value;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{
    AttributeScope, AttributeType, Cap, FactSource, Group, Hold, Shape, ValueCap, Window,
};
use selvedge_core::wire::state::{CapCell, CellBody, VisitorState};

const DAY_WINDOW: Window = Window::Sliding(86_400_000);

/// A rule without condition in the hero slot that is not held beyond the moment.
fn world(caps: &[(u16, Window)]) -> World {
    let mut build = Build::new();
    let rule = build.rule("r", "hero", None);
    rule.caps = caps.iter().map(|(limit, window)| Cap { limit: *limit, window: *window }).collect();
    rule.hold = Hold::Time(0);
    World::new(build.program())
}

fn cell(world: &World) -> &CapCell {
    let hash = fnv1a_64(b"r");
    match &world.state.cells.iter().find(|cell| cell.hash == hash).expect("a cap cell").body {
        CellBody::Cap(cap) => cap,
        body => panic!("{body:?}"),
    }
}

fn report(world: &World, used: u32) -> LeaseReport {
    LeaseReport { rule: fnv1a_64(b"r"), lease: cell(world).lease.id, used }
}

#[test]
fn the_third_impression_of_two_per_session_is_capped_and_the_next_session_begins_anew() {
    let mut world = world(&[(2, Window::Session)]);
    world.track(0, "a");
    assert_eq!(world.why(0, "r"), Reason::Won);
    world.expose(SECOND, "r");
    assert_eq!(world.why(SECOND, "r"), Reason::Won);
    world.expose(2 * SECOND, "r");
    assert_eq!(world.why(2 * SECOND, "r"), Reason::Capped);
    world.track(HOUR, "a");
    assert_eq!(world.why(HOUR, "r"), Reason::Won);
}

#[test]
fn without_a_grant_a_capped_rule_does_not_act() {
    let mut world = world(&[(2, Window::Session)]);
    world.leases = false;
    world.track(0, "a");
    assert_eq!(world.why(0, "r"), Reason::NoGrant);
    assert_eq!(world.decide(0, "hero"), (None, Reason::Fallback));
}

#[test]
fn an_exposure_consumes_a_grant_and_none_is_left_after_the_last() {
    let mut world = world(&[(2, DAY_WINDOW)]);
    world.track(0, "a");
    assert_eq!((cell(&world).lease.granted, cell(&world).lease.left), (2, 2));
    world.leases = false;
    world.expose(SECOND, "r");
    assert_eq!(cell(&world).lease.left, 1);
    world.expose(2 * SECOND, "r");
    assert_eq!(cell(&world).lease.left, 0);
    assert_eq!(world.why(2 * SECOND, "r"), Reason::Capped);
    assert_eq!(
        world.why(2 * SECOND + DAY, "r"),
        Reason::NoGrant,
        "the cap has room again, but nothing is leased"
    );
}

/// As after a withdrawal, or an erasure: devices still know the numbers of before.
#[test]
fn a_cap_that_is_forgotten_and_known_anew_leases_under_higher_numbers() {
    let mut world = world(&[(1, DAY_WINDOW)]);
    for at_ms in [0, DAY] {
        world.track(at_ms, "a");
        world.expose(at_ms + SECOND, "r");
    }
    world.track(2 * DAY, "a");
    let before = cell(&world).lease.id;
    let hash = fnv1a_64(b"r");
    world.state.cells.retain(|cell| cell.hash != hash);
    world.lease(2 * DAY + MINUTE, &[]);
    assert!(cell(&world).lease.id > before, "{before}");
}

#[test]
fn an_exposure_counts_however_late_it_comes() {
    let mut world = world(&[(1, DAY_WINDOW)]);
    world.track(0, "a");
    world.track(2 * MINUTE, "a");
    assert!(world.expose(MINUTE, "r").late);
    assert_eq!(cell(&world).used_ms, [START + MINUTE]);
    assert_eq!(cell(&world).lease.left, 0);
    assert_eq!(world.why(2 * MINUTE, "r"), Reason::Capped);
}

#[test]
fn a_sliding_cap_frees_an_impression_exactly_when_it_leaves_the_window() {
    let mut world = world(&[(1, DAY_WINDOW)]);
    world.expose(0, "r");
    world.lease(DAY - 1, &[]);
    assert_eq!(world.why(DAY - 1, "r"), Reason::Capped);
    world.lease(DAY, &[]);
    assert_eq!(world.why(DAY, "r"), Reason::Won);
}

#[test]
fn of_several_caps_the_most_restrictive_wins() {
    let mut world = world(&[(1, Window::Session), (2, Window::Sliding(14 * 86_400_000))]);
    world.track(0, "a");
    assert_eq!(cell(&world).lease.left, 1);
    world.expose(SECOND, "r");
    assert_eq!(world.why(SECOND, "r"), Reason::Capped);
    assert_eq!(world.cap(SECOND, "r"), Some((CapOf::Rule, 0)));
    world.track(HOUR, "a");
    assert_eq!(world.cap(HOUR, "r"), None, "another session");
    world.expose(HOUR + SECOND, "r");
    world.track(3 * HOUR, "a");
    assert_eq!(world.why(3 * HOUR, "r"), Reason::Capped, "two in fourteen days");
    assert_eq!(world.cap(3 * HOUR, "r"), Some((CapOf::Rule, 1)));
    world.track(14 * DAY + HOUR, "a");
    assert_eq!(world.why(14 * DAY + HOUR, "r"), Reason::Won);
}

#[test]
fn a_cap_per_page_is_local_and_needs_no_grant() {
    let mut world = world(&[(1, Window::Page)]);
    world.leases = false;
    world.page(0, "/");
    assert_eq!(world.why(0, "r"), Reason::Won);
    world.expose(SECOND, "r");
    assert_eq!(world.why(SECOND, "r"), Reason::Capped);
    assert_eq!(world.cap(SECOND, "r"), Some((CapOf::Rule, 0)));
    world.page(2 * SECOND, "/next");
    assert_eq!(world.why(2 * SECOND, "r"), Reason::Won);
    assert!(world.state.cells.is_empty());
}

#[test]
fn a_cap_per_page_holds_before_the_page_event_too() {
    let mut world = world(&[(1, Window::Page)]);
    world.track(0, "a");
    world.expose(SECOND, "r");
    assert_eq!(world.why(SECOND, "r"), Reason::Capped);
    world.writer = WriterId::from_bits(99);
    assert_eq!(world.why(SECOND, "r"), Reason::Won, "another tab is another page");
}

#[test]
fn a_grant_may_not_be_used_after_it_expired() {
    let mut world = world(&[(2, Window::Session)]);
    world.track(0, "a");
    assert_eq!(world.why(LEASE_MS - 1, "r"), Reason::Won);
    assert_eq!(world.why(LEASE_MS, "r"), Reason::NoGrant);
}

#[test]
fn an_expired_lease_without_proof_is_burnt_and_ages_out_like_used() {
    let mut world = world(&[(2, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    world.lease(LEASE_MS + HOUR, &[]);
    assert_eq!(cell(&world).used_ms, [START + LEASE_MS; 2]);
    assert_eq!(world.why(LEASE_MS + HOUR, "r"), Reason::Capped);
    world.lease(LEASE_MS + 7 * DAY - 1, &[]);
    assert_eq!(world.why(LEASE_MS + 7 * DAY - 1, "r"), Reason::Capped);
    world.lease(LEASE_MS + 7 * DAY, &[]);
    assert_eq!(world.why(LEASE_MS + 7 * DAY, "r"), Reason::Won);
}

#[test]
fn an_expired_lease_returns_when_a_later_report_proves_that_it_was_not_used() {
    let mut world = world(&[(2, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    let unused = report(&world, 0);
    world.lease(LEASE_MS + HOUR, &[unused]);
    assert_eq!(world.why(LEASE_MS + HOUR, "r"), Reason::Won);
    let second = u32::try_from((START + LEASE_MS + HOUR) / SECOND).unwrap();
    assert_eq!(
        (cell(&world).lease.id, cell(&world).lease.left),
        (second, 2),
        "its number says when it began"
    );
}

#[test]
fn a_late_event_makes_no_lease_end_earlier() {
    let mut world = world(&[(2, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    world.lease(DAY / 2, &[]);
    let until_ms = cell(&world).lease.expires_ms;
    world.lease(HOUR, &[]);
    assert_eq!(cell(&world).lease.expires_ms, until_ms);
}

#[test]
fn a_burnt_lease_returns_too_when_the_proof_comes_later_still() {
    let mut world = world(&[(3, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    let one_used = report(&world, 1);
    world.lease(LEASE_MS, &[]);
    assert_eq!(cell(&world).used_ms.len(), 3);
    world.lease(LEASE_MS + HOUR, &[one_used]);
    assert_eq!(cell(&world).used_ms.len(), 1, "two are proven unused, one is still to come");
    world.expose(LEASE_MS - HOUR, "r");
    let expected = [START + LEASE_MS - HOUR];
    assert_eq!(cell(&world).used_ms, expected, "the exposure takes the place of its burnt grant");
}

#[test]
fn a_report_from_before_the_expiry_proves_nothing() {
    let mut world = world(&[(2, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    let (early, id) = (report(&world, 0), cell(&world).lease.id);
    world.lease(LEASE_MS - 1, &[early]);
    let lease = cell(&world).lease;
    assert_eq!((lease.id, lease.left, lease.expires_ms), (id, 2, START + 2 * LEASE_MS - 1));
}

#[test]
fn a_report_of_another_lease_proves_nothing() {
    let mut world = world(&[(2, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    let other = LeaseReport { lease: 9, ..report(&world, 0) };
    world.lease(LEASE_MS, &[other]);
    assert_eq!(world.why(LEASE_MS, "r"), Reason::Capped);
}

#[test]
fn what_the_report_says_was_used_stays_used() {
    let mut world = world(&[(2, Window::Sliding(7 * 86_400_000))]);
    world.track(0, "a");
    let one_used = report(&world, 1);
    world.lease(LEASE_MS, &[one_used]);
    assert_eq!(cell(&world).lease.left, 0, "for another tab the lease may last a minute longer");
    world.lease(LEASE_MS + CLOCKS_APART_MS, &[one_used]);
    assert_eq!(cell(&world).lease.left, 1);
    assert_eq!(cell(&world).used_ms.len(), 1);
}

#[test]
fn what_was_seen_without_a_grant_counts_and_leaves_the_lease_alone() {
    let mut world = world(&[(2, Window::Sliding(3_600_000))]);
    world.lease(0, &[]);
    let seen = map([("slot", text("hero")), ("rule", text("r")), ("granted", Value::Bool(false))]);
    world.step(SECOND, &event(EventType::Exposure, "exposure", START + SECOND, seen));
    world.lease(2 * HOUR, &[]);
    let lease = cell(&world).lease;
    assert_eq!(cell(&world).used_ms.len(), 1);
    assert_eq!((lease.granted, lease.left), (2, 2), "no grant came back that the device still holds");
}

#[test]
fn what_lasts_beyond_its_page_view_needs_a_grant_until_it_was_seen() {
    let mut build = Build::new();
    let rule = build.rule("r", "hero", None);
    rule.caps = vec![Cap { limit: 2, window: DAY_WINDOW }];
    rule.hold = Hold::Session;
    let mut world = World::new(build.program());
    world.track(0, "a");
    let needs = |world: &mut World, at_ms: i64| {
        let moment = world.moment(at_ms);
        let (program, mut state) = (&world.program, world.state.clone());
        let decided = decide(program, &mut state, &moment);
        let hero = *decided.iter().find(|decision| decision.rule.is_some()).unwrap();
        let (reason, lasts) = (hero.reason, is_lasting(program, &state, &hero));
        let needs = claimed(program, &state, &hero).len();
        world.state = state;
        (reason, needs, lasts)
    };
    assert_eq!(needs(&mut world, 0), (Reason::Won, 1, false));
    assert_eq!(needs(&mut world, SECOND), (Reason::Held, 1, false), "it stands, and nobody has seen it");
    let stored = VisitorState::decode(&world.state.encode()).unwrap();
    assert_eq!(stored.held, world.state.held);
    world.expose(2 * SECOND, "r");
    assert_eq!(needs(&mut world, 3 * SECOND), (Reason::Held, 0, true));
    let stored = VisitorState::decode(&world.state.encode()).unwrap();
    assert!(stored.held.iter().any(|held| held.is_seen));
}

#[test]
fn exposures_never_exceed_the_cap_in_any_window_however_leases_come_and_go() {
    let mut world = world(&[(2, DAY_WINDOW)]);
    let mut shown = Vec::new();
    for at in (0..20 * DAY).step_by(usize::try_from(5 * HOUR + 7 * MINUTE).unwrap()) {
        let reports = if at % 2 == 0 { vec![] } else { vec![report(&world, 0)] };
        world.lease(at, &reports);
        if world.why(at, "r") == Reason::Won {
            world.expose(at, "r");
            shown.push(at);
        }
    }
    assert!(shown.len() > 10);
    assert!(shown.windows(3).all(|three| three[2] - three[0] >= DAY), "{shown:?}");
}

fn group_world(group: Group) -> World {
    let mut build = Build::new();
    build.parts.groups.push(group);
    for (id, slot) in [("first", "hero"), ("second", "banner")] {
        let rule = build.rule(id, slot, None);
        rule.group = Some(0);
        rule.hold = Hold::Time(0);
    }
    World::new(build.program())
}

#[test]
fn a_group_cap_counts_the_exposures_of_all_of_its_rules() {
    let caps = vec![Cap { limit: 2, window: Window::Session }];
    let mut world = group_world(Group { name: "promotions".into(), max_per_page: None, caps });
    world.expose(0, "first");
    assert_eq!(world.why(0, "second"), Reason::Won);
    world.expose(SECOND, "second");
    assert_eq!(world.why(SECOND, "first"), Reason::Capped);
    assert_eq!(world.cap(SECOND, "first"), Some((CapOf::Group, 0)));
    assert_eq!(world.why(SECOND, "second"), Reason::Capped);
}

#[test]
fn a_cap_is_kept_under_the_rules_id_so_that_an_edit_does_not_reset_it() {
    let mut world = world(&[(1, DAY_WINDOW)]);
    world.expose(0, "r");
    let mut build = Build::new();
    let rule = build.rule("r", "hero", None);
    rule.caps = vec![Cap { limit: 1, window: Window::Session }, Cap { limit: 1, window: DAY_WINDOW }];
    rule.priority = 5;
    world.program = build.program();
    world.track(HOUR, "a");
    assert_eq!(world.why(HOUR, "r"), Reason::Capped);
}

#[test]
fn what_was_shown_stays_when_its_own_exposure_uses_up_the_cap() {
    let mut build = Build::new();
    let rule = build.rule("r", "hero", None);
    rule.caps = vec![Cap { limit: 1, window: Window::Session }];
    let mut world = World::new(build.program());
    world.page(0, "/");
    assert_eq!(world.decide(0, "hero").1, Reason::Won);
    world.expose(SECOND, "r");
    assert_eq!(world.decide(SECOND, "hero").1, Reason::Held);
    world.page(2 * SECOND, "/next");
    assert_eq!(world.decide(2 * SECOND, "hero"), (None, Reason::Fallback));
}

#[test]
fn a_session_whose_beginning_was_not_seen_does_not_free_a_cap() {
    let mut world = world(&[(1, Window::Session)]);
    world.track(0, "a");
    world.expose(SECOND, "r");
    world.in_force = PERSONAL.or(Purposes::NECESSARY);
    world.track(20 * MINUTE, "a");
    world.in_force = all();
    assert!(world.track(40 * MINUTE, "a").new_session);
    assert_eq!(world.why(40 * MINUTE, "r"), Reason::Capped, "the session may have gone on all the time");
    world.track(2 * HOUR, "a");
    assert_eq!(world.why(2 * HOUR, "r"), Reason::Won);
}

#[test]
fn without_analytics_a_cap_per_session_begins_anew_after_idle_time() {
    let mut world = world(&[(1, Window::Session)]);
    world.in_force = PERSONAL.or(Purposes::NECESSARY);
    world.track(0, "a");
    world.expose(SECOND, "r");
    world.track(30 * MINUTE, "a");
    assert_eq!(world.why(30 * MINUTE, "r"), Reason::Capped);
    world.track(60 * MINUTE, "a");
    assert_eq!(world.why(60 * MINUTE, "r"), Reason::Capped, "idle for exactly as long as a session lasts");
    world.track(90 * MINUTE + 1, "a");
    assert_eq!(world.why(90 * MINUTE + 1, "r"), Reason::Won);
    assert_eq!(world.state.session.number, 0, "no session is kept");
}

#[test]
fn events_that_analytics_may_not_use_let_a_cap_per_session_begin_anew_after_idle_time() {
    let mut world = world(&[(1, Window::Session)]);
    world.expose(0, "r");
    world.step_for(PERSONAL, 30 * MINUTE, "a");
    assert_eq!(world.why(30 * MINUTE, "r"), Reason::Capped, "idle for exactly as long as a session lasts");
    world.step_for(PERSONAL, 60 * MINUTE + 1, "a");
    assert_eq!(world.why(60 * MINUTE + 1, "r"), Reason::Won);
}

#[test]
fn the_caps_of_a_slot_count_whatever_is_seen_there_and_those_of_the_site_everything() {
    let mut build = Build::new();
    for (id, slot) in [("first", "hero"), ("second", "hero"), ("third", "banner")] {
        build.rule(id, slot, None).hold = Hold::Time(0);
    }
    build.parts.slots[1].caps = vec![Cap { limit: 1, window: Window::Session }];
    build.parts.deciding.caps = vec![Cap { limit: 2, window: Window::Session }];
    let mut world = World::new(build.program());
    world.track(0, "a");
    world.expose(SECOND, "first");
    assert_eq!(world.why(SECOND, "second"), Reason::Capped);
    assert_eq!(world.cap(SECOND, "second"), Some((CapOf::Slot, 0)));
    assert_eq!((world.why(SECOND, "third"), world.cap(SECOND, "third")), (Reason::Won, None));
    world.expose(2 * SECOND, "third");
    assert_eq!(world.why(2 * SECOND, "third"), Reason::Capped);
    assert_eq!(world.cap(2 * SECOND, "third"), Some((CapOf::Site, 0)));
}

#[test]
fn in_a_page_an_exposure_of_a_rule_that_only_the_edge_knows_counts_for_slot_and_site() {
    let mut build = Build::new();
    build.rule("known", "hero", None).hold = Hold::Time(0);
    build.parts.slots[1].caps = vec![Cap { limit: 1, window: Window::Session }];
    let mut world = World::new(build.program());
    world.track(0, "a");
    world.expose(SECOND, "of-the-edge");
    assert_eq!(world.why(SECOND, "known"), Reason::Capped);
}

#[test]
fn a_cap_of_dismissals_counts_those_and_needs_no_grant() {
    let mut build = Build::new();
    let rule = build.rule("r", "hero", None);
    rule.terms.dismissals = vec![Cap { limit: 1, window: DAY_WINDOW }];
    rule.hold = Hold::Time(0);
    let mut world = World::new(build.program());
    world.leases = false;
    world.expose(0, "r");
    assert_eq!(world.why(0, "r"), Reason::Won);
    world.track_with(SECOND, "exposure_dismiss", map([("rule", text("r"))]));
    assert_eq!(world.why(SECOND, "r"), Reason::Capped);
    assert_eq!(world.cap(SECOND, "r"), Some((CapOf::Dismissals, 0)));
    assert_eq!(world.why(DAY + SECOND, "r"), Reason::Won);
}

fn world_per_value(values_max: u16) -> World {
    let mut build = Build::new();
    let at = build.attribute("ticket", AttributeScope::Visitor, AttributeType::Text);
    let fact = build.fact(FactSource::Attribute(at), Shape::Number);
    let rule = build.rule("r", "hero", None);
    rule.terms.per_value = Some(ValueCap { limit: 1, fact, values_max });
    rule.hold = Hold::Time(0);
    World::new(build.program())
}

#[test]
fn a_cap_for_each_value_counts_each_by_itself_and_remembers_the_newest() {
    let mut world = world_per_value(2);
    assert_eq!(world.why(0, "r"), Reason::Capped, "of a value that is not known nothing is left");
    assert_eq!(world.cap(0, "r"), Some((CapOf::Value, 0)));
    for (at, ticket) in [(1, "a"), (2, "b"), (3, "c")] {
        world.identify(at * MINUTE, map([("ticket", text(ticket))]));
        assert_eq!(world.why(at * MINUTE, "r"), Reason::Won, "{ticket}");
        world.expose(at * MINUTE, "r");
        assert_eq!(world.why(at * MINUTE, "r"), Reason::Capped, "{ticket}");
    }
    world.identify(4 * MINUTE, map([("ticket", text("b"))]));
    assert_eq!(world.why(4 * MINUTE, "r"), Reason::Capped, "the newest two are remembered");
    world.identify(5 * MINUTE, map([("ticket", text("a"))]));
    assert_eq!(world.why(5 * MINUTE, "r"), Reason::Won);
}
