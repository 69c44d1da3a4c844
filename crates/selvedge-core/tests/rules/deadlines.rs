//! Deadlines: what time alone changes, delays, triggers, the end of a session.

use crate::build::{Build, HOUR, MINUTE, SECOND, at_least, exactly};
use crate::world::{START, World};
use proptest::prelude::*;
use selvedge_core::rules::{Moment, decide, next_deadline, wake};
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::SequenceKind::{Absence, Then, ThenNo};
use selvedge_core::wire::program::{Hold, Timing, Trigger, Window};

fn triggered(events: &[&str], session_end: bool, after_ms: i64) -> Timing {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    let after_ms = u64::try_from(after_ms).unwrap();
    Timing { trigger: Some(Trigger { events, session_end }), after_ms }
}

impl World {
    /// Decides at every deadline up to `at_ms` at its own time, then gives the rule in a slot.
    fn decide_on_time(&mut self, at_ms: i64, slot: &str) -> Option<String> {
        self.wake_until(at_ms);
        self.decide(at_ms, slot).0
    }

    fn wake_until(&mut self, at_ms: i64) {
        let context = self.context.clone();
        loop {
            let moment =
                Moment { context: &context, account: None, orders: self.orders, ..self.moment(at_ms) };
            let Some(due_ms) = wake(&self.program, &mut self.state, &moment) else { return };
            decide(&self.program, &mut self.state, &Moment { now_ms: due_ms, ..moment });
        }
    }

    /// As one is stepped at the edge and in the page.
    fn happen(&mut self, at_ms: i64, name: &str) {
        self.wake_until(at_ms);
        self.track(at_ms, name);
        self.decide(at_ms, "hero");
    }

    fn deadline(&self, from_ms: i64) -> Option<i64> {
        next_deadline(&self.program, &self.state, START + from_ms).map(|at_ms| at_ms - START)
    }
}

#[test]
fn an_abandoned_cart_is_a_deadline() {
    let mut build = Build::new();
    let fact = build.sequence(ThenNo, &["add"], [Some("buy"), None], 8 * MINUTE);
    build.rule("remind", "hero", Some(exactly(fact, 1)));
    let mut world = World::new(build.program());
    assert_eq!(world.deadline(0), None);
    world.page(0, "/");
    world.happen(MINUTE, "add");
    assert_eq!(world.deadline(MINUTE), Some(9 * MINUTE));
    assert_eq!(world.decide_on_time(9 * MINUTE - 1, "hero"), None);
    assert_eq!(world.decide_on_time(9 * MINUTE, "hero").as_deref(), Some("remind"));
    assert_eq!(world.deadline(9 * MINUTE), None);
}

#[test]
fn a_program_that_time_does_not_change_has_no_deadlines() {
    let mut build = Build::new();
    let fact = build.count("view", Window::Sliding(60_000), 1);
    build.rule("seen", "hero", Some(at_least(fact, 1)));
    let mut world = World::new(build.program());
    world.track(0, "view");
    world.decide(0, "hero");
    assert_eq!(world.deadline(0), None);
}

#[test]
fn a_triggered_rule_is_considered_at_its_event_only_and_what_wins_is_held() {
    let mut build = Build::new();
    let fact = build.count("view", Window::Session, 2);
    let rule = build.rule("thanks", "hero", Some(at_least(fact, 2)));
    rule.timing = triggered(&["resolved"], false, 0);
    rule.hold = Hold::Time(60_000);
    let mut world = World::new(build.program());
    world.track(0, "view");
    world.track(1, "resolved");
    assert_eq!(world.decide(1, "hero").0, None, "the condition was not true at the trigger");
    world.track(2, "view");
    assert_eq!(world.decide(2, "hero").0, None, "it is true now, but this is no trigger");
    assert_eq!(world.why(2, "thanks"), Reason::NotTriggered);
    world.track(3, "resolved");
    assert_eq!(world.decide(3, "hero").0.as_deref(), Some("thanks"));
    world.track(4, "view");
    assert_eq!(world.decide(4, "hero"), (Some("thanks".into()), Reason::Held));
    assert_eq!(world.decide(60_003, "hero").0, None);
}

#[test]
fn a_delay_asks_the_condition_again_when_it_is_over() {
    let mut build = Build::new();
    let fact = build.count("view", Window::Session, 1);
    let rule = build.rule("later", "hero", Some(at_least(fact, 1)));
    rule.timing.after_ms = 15 * 60_000;
    rule.hold = Hold::Time(0);
    let mut world = World::new(build.program());
    world.happen(0, "view");
    assert_eq!(world.why(0, "later"), Reason::Waits);
    assert_eq!(world.deadline(0), Some(15 * MINUTE));
    assert_eq!(world.decide_on_time(15 * MINUTE - 1, "hero"), None);
    assert_eq!(world.decide_on_time(15 * MINUTE, "hero").as_deref(), Some("later"));
    assert_eq!(world.decide_on_time(16 * MINUTE, "hero").as_deref(), Some("later"), "as long as it is true");
}

#[test]
fn a_delayed_rule_that_is_not_true_any_more_waits_anew() {
    let mut build = Build::new();
    let fact = build.sequence(Then, &["view", "add"], [None; 2], 2 * MINUTE);
    let rule = build.rule("later", "hero", Some(exactly(fact, 1)));
    rule.timing.after_ms = 3 * 60_000;
    let mut world = World::new(build.program());
    world.happen(0, "view");
    world.happen(0, "add");
    assert_eq!(world.decide_on_time(3 * MINUTE, "hero"), None, "the sequence is two minutes old at most");
    world.happen(4 * MINUTE, "view");
    world.happen(4 * MINUTE, "add");
    assert_eq!(world.deadline(4 * MINUTE), Some(6 * MINUTE));
    assert_eq!(world.decide_on_time(5 * MINUTE, "hero"), None, "the delay began anew");
}

#[test]
fn a_trigger_with_a_delay_is_considered_once_when_it_is_over() {
    let mut build = Build::new();
    let rule = build.rule("how was it", "hero", None);
    rule.timing = triggered(&["resolved"], false, 15 * MINUTE);
    rule.hold = Hold::Session;
    let mut world = World::new(build.program());
    world.happen(0, "resolved");
    world.happen(5 * MINUTE, "resolved");
    assert_eq!(world.decide_on_time(15 * MINUTE, "hero"), None, "the newest trigger counts");
    assert_eq!(world.decide_on_time(20 * MINUTE, "hero").as_deref(), Some("how was it"));
}

#[test]
fn a_trigger_that_arrives_late_does_not_shorten_the_delay_of_a_newer_one() {
    let mut build = Build::new();
    let rule = build.rule("how was it", "hero", None);
    rule.timing = triggered(&["resolved"], false, 15 * MINUTE);
    let mut world = World::new(build.program());
    world.page(0, "/");
    world.happen(MINUTE, "resolved");
    world.track(MINUTE - SECOND, "resolved");
    assert_eq!(world.decide_on_time(16 * MINUTE - 1, "hero"), None, "the newest trigger counts");
    assert_eq!(world.decide_on_time(16 * MINUTE, "hero").as_deref(), Some("how was it"));
}

/// A slot that an offer holds from the tenth minute to the twentieth, and a rule for it that is due at the fifteenth.
fn held_slot() -> World {
    let mut build = Build::new();
    let (fact, fine) = (build.count("view", Window::Ever, 2), build.count("bad", Window::Ever, 1));
    let rule = build.rule("offer", "hero", Some(exactly(fact, 1)));
    (rule.priority, rule.hold) = (1, Hold::Time(10 * 60_000));
    let rule = build.rule("how was it", "hero", Some(exactly(fine, 0)));
    rule.timing = triggered(&["resolved"], false, 15 * MINUTE);
    rule.hold = Hold::Time(60_000);
    let mut world = World::new(build.program());
    world.happen(0, "resolved");
    world.happen(10 * MINUTE, "view");
    world.happen(11 * MINUTE, "view");
    world
}

#[test]
fn what_is_due_while_its_slot_is_held_shows_when_the_hold_ends() {
    let mut world = held_slot();
    assert_eq!(world.decide_on_time(15 * MINUTE, "hero").as_deref(), Some("offer"));
    assert_eq!(world.why(16 * MINUTE, "how was it"), Reason::LowerPriority);
    assert_eq!(world.deadline(16 * MINUTE), Some(20 * MINUTE));
    assert_eq!(world.decide_on_time(20 * MINUTE, "hero").as_deref(), Some("how was it"));
    assert_eq!(world.decide_on_time(22 * MINUTE, "hero"), None, "once");
    assert_eq!(world.why(22 * MINUTE, "how was it"), Reason::NotTriggered);
}

#[test]
fn what_is_not_true_any_more_does_not_wait_for_its_slot() {
    let mut world = held_slot();
    world.happen(16 * MINUTE, "bad");
    assert_eq!(world.why(16 * MINUTE, "how was it"), Reason::NotTriggered);
    assert_eq!(world.decide_on_time(20 * MINUTE, "hero"), None);
}

#[test]
fn the_end_of_a_session_is_a_trigger_with_the_session_as_it_was() {
    let mut build = Build::new();
    let fact = build.count("add", Window::Session, 1);
    let rule = build.rule("come back", "hero", Some(at_least(fact, 1)));
    rule.timing = triggered(&[], true, 0);
    rule.hold = Hold::Time(60_000);
    let mut world = World::new(build.program());
    world.happen(0, "add");
    world.happen(MINUTE, "view");
    let end_ms = 31 * MINUTE + 1;
    assert_eq!(world.deadline(MINUTE), Some(end_ms));
    assert_eq!(world.decide_on_time(end_ms - 1, "hero"), None);
    assert_eq!(world.decide_on_time(end_ms, "hero").as_deref(), Some("come back"));
    assert_eq!(world.decide_on_time(3 * HOUR, "hero"), None, "once");
}

#[test]
fn nobody_woke_up_and_the_next_event_makes_up_for_it() {
    let mut build = Build::new();
    let fact = build.count("add", Window::Session, 1);
    let rule = build.rule("come back", "hero", Some(at_least(fact, 1)));
    rule.timing = triggered(&[], true, 0);
    rule.hold = Hold::Time(24 * 3_600_000);
    let mut world = World::new(build.program());
    world.happen(0, "add");
    world.happen(5 * HOUR, "view");
    assert_eq!(world.decide(5 * HOUR, "hero").0.as_deref(), Some("come back"), "by the session that ended");
}

/// Everything that time changes, held for no longer than it is true.
fn program() -> Build {
    let mut build = Build::new();
    let facts = [
        build.sequence(Then, &["a", "b"], [None; 2], 10 * SECOND),
        build.sequence(ThenNo, &["a"], [Some("b"), None], 7 * SECOND),
        build.sequence(Absence, &["a"], [None; 2], 20 * SECOND),
    ];
    for (at, (fact, value)) in [(0, 1), (0, 0), (1, 1), (2, 1), (2, 0)].into_iter().enumerate() {
        let slot = ["hero", "banner", "hero", "modal"][at % 4];
        let rule = build.rule(&format!("{at}"), slot, Some(exactly(facts[fact], value)));
        rule.priority = i32::try_from(at).unwrap();
        rule.hold = if at == 4 { Hold::Time(3_000) } else { Hold::Time(0) };
        match at {
            1 => rule.timing.after_ms = 4_000,
            2 => rule.timing = triggered(&["c"], true, 2_000),
            _ => {}
        }
    }
    build
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// One visitor is asked at every tenth of a second; the other at events and at deadlines only.
    #[test]
    fn deciding_at_events_and_deadlines_is_deciding_all_the_time(
        events in prop::collection::vec((0i64..90, 0..3usize), 1..14)
    ) {
        let program = program().program();
        let (mut always, mut on_time) = (World::new(program.clone()), World::new(program));
        let mut at_ms = 0;
        let all = |world: &mut World, at_ms| {
            let context = world.context.clone();
            let moment = Moment { context: &context, account: None, orders: world.orders, ..world.moment(at_ms) };
            decide(&world.program, &mut world.state, &moment)
        };
        for world in [&mut always, &mut on_time] {
            world.track(0, "c");
        }
        let mut standing = all(&mut on_time, 0);
        all(&mut always, 0);
        let mut due_ms = on_time.deadline(0);
        for (tenths, name) in events {
            for _ in 0..tenths {
                at_ms += 100;
                always.wake_until(at_ms);
                let now = all(&mut always, at_ms);
                if due_ms.is_some_and(|due_ms| due_ms <= at_ms) {
                    on_time.wake_until(at_ms);
                    standing = all(&mut on_time, at_ms);
                    due_ms = on_time.deadline(at_ms);
                }
                let shown = |decisions: &[selvedge_core::rules::Decision]| {
                    decisions.iter().map(|decision| decision.rule).collect::<Vec<_>>()
                };
                prop_assert_eq!(shown(&standing), shown(&now), "at {}", at_ms);
            }
            for world in [&mut always, &mut on_time] {
                world.wake_until(at_ms);
                world.track(at_ms, ["a", "b", "c"][name]);
                standing = all(world, at_ms);
            }
            due_ms = on_time.deadline(at_ms);
        }
    }
}
