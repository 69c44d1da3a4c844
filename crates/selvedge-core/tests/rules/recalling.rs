//! What was decided before saves asking, and changes nothing.

use crate::build::{Build, Condition};
use crate::consent_law::{condition, leaves};
use crate::happenings::{Happening, happenings};
use crate::world::World;
use proptest::prelude::*;
use selvedge_core::rules::{Decision, Recall, decide, decide_again};
use selvedge_core::wire::program::{Hold, Slot};
use selvedge_core::wire::state::VisitorState;

/// Enough rules that those which are touched are looked for; each has a slot of its own, so that every condition shows.
const RULES: usize = 80;

fn world(build: &Build, conditions: &[Condition]) -> World {
    let mut build = build.clone();
    let name = |at: usize| format!("slot-{at:02}");
    build.parts.slots =
        (0..RULES).map(|at| Slot { name: name(at), fallback: None, caps: Vec::new() }).collect();
    for at in 0..RULES {
        let when = conditions[at % conditions.len()].clone();
        build.rule(&format!("rule-{at:02}"), &name(at), Some(when)).hold = Hold::Time(0);
    }
    World::new(build.program())
}

/// What is decided after each of what happens.
fn run(
    mut world: World,
    happenings: &[Happening],
    mut decide: impl FnMut(&World, &mut VisitorState, i64) -> Vec<Decision>,
) -> Vec<Vec<Decision>> {
    let mut at_ms = 0;
    let each = happenings.iter().map(|happening| {
        at_ms += happening.after_ms;
        world.in_force = happening.in_force;
        world.writer = happening.writer();
        world.step(at_ms, &happening.event(at_ms));
        let mut state = world.state.clone();
        let decisions = decide(&world, &mut state, at_ms);
        world.state = state;
        decisions
    });
    each.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_memory_of_what_was_true_changes_no_decision(
        conditions in prop::collection::vec(condition(leaves().1), 8..40),
        happenings in happenings(24),
    ) {
        let build = leaves().0;
        let anew = run(world(&build, &conditions), &happenings, |world, state, at_ms| {
            decide(&world.program, state, &world.moment(at_ms))
        });
        let mut recall = Recall::default();
        let again = run(world(&build, &conditions), &happenings, |world, state, at_ms| {
            decide_again(&world.program, state, &world.moment(at_ms), &mut recall)
        });
        prop_assert_eq!(anew, again);
    }
}

#[test]
fn a_memory_serves_another_visitor_of_the_same_program() {
    let (build, leaves) = leaves();
    let mut recall = Recall::default();
    let mut first = world(&build, &leaves);
    first.landing(0, &[("utm.medium", "cpc")]);
    first.track(1_000, "add");
    let mut second = world(&build, &leaves);
    second.page(0, "/1");
    for _ in 0..3 {
        for world in [&mut first, &mut second] {
            let again = decide_again(
                &world.program.clone(),
                &mut world.state.clone(),
                &world.moment(2_000),
                &mut recall,
            );
            assert_eq!(again, decide(&world.program.clone(), &mut world.state.clone(), &world.moment(2_000)));
        }
    }
}
