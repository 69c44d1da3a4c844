//! One reason for every rule, and the leaf that decided.

use crate::build::{Build, Condition, SECOND, at_least, exactly};
use crate::world::World;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{AttributeScope, AttributeType, FactSource, Shape, Test, Window};

#[test]
fn every_rule_has_exactly_one_reason_and_the_winner_of_each_slot_is_the_one_decided() {
    let mut build = Build::new();
    let views = build.count("view", Window::Session, 3);
    build.rule("won", "hero", Some(at_least(views, 1))).priority = 1;
    build.rule("lost", "hero", None);
    build.rule("false", "banner", Some(at_least(views, 3)));
    let mut world = World::new(build.program());
    world.page(0, "/");
    world.track(0, "view");
    let reasons: Vec<_> =
        world.explain(0).iter().map(|candidate| (candidate.rule, candidate.reason)).collect();
    assert_eq!(reasons, [(0, Reason::Won), (1, Reason::False), (2, Reason::LowerPriority)]);
    world.decide(0, "hero");
    assert_eq!(world.why(SECOND, "won"), Reason::Held);
}

#[test]
fn the_deciding_leaf_is_the_false_one_or_the_first_unknown_one() {
    let mut build = Build::new();
    let views = build.count("view", Window::Session, 3);
    let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::Number);
    let plan = build.fact(FactSource::Attribute(at), Shape::Number);
    // (plan = 1 and views >= 1) or views >= 2
    build.rule(
        "or",
        "hero",
        Some(Condition::Or(vec![
            Condition::And(vec![exactly(plan, 1), at_least(views, 1)]),
            at_least(views, 2),
        ])),
    );
    let mut world = World::new(build.program());
    world.track(0, "other");
    let [candidate] = world.explain(0)[..] else { panic!() };
    assert_eq!((candidate.reason, candidate.leaf), (Reason::False, Some(2)));
    world.track(0, "view");
    let [candidate] = world.explain(0)[..] else { panic!() };
    assert_eq!((candidate.reason, candidate.leaf), (Reason::Unknown, Some(0)), "unknown plan, one view");
    world.track(0, "view");
    let [candidate] = world.explain(0)[..] else { panic!() };
    assert_eq!((candidate.reason, candidate.leaf), (Reason::Won, None));
}

#[test]
fn asking_whether_something_is_known_is_false_where_it_is_missing() {
    let mut build = Build::new();
    let at = build.attribute("plan", AttributeScope::Visitor, AttributeType::Number);
    let plan = build.fact(FactSource::Attribute(at), Shape::Number);
    build.rule("known", "hero", Some(Condition::Leaf(plan, Test::Range(i64::MIN, i64::MAX))));
    build.rule("equal", "banner", Some(exactly(plan, 1)));
    let world = World::new(build.program());
    assert_eq!(world.why(0, "known"), Reason::False);
    assert_eq!(world.why(0, "equal"), Reason::Unknown);
}
