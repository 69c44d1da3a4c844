//! Less consent never makes a rule act that would not have acted with more (competition for the slot, caps and holds aside).

use crate::build::{Build, Condition};
use crate::happenings::{Happening, NAMES, happenings, purposes};
use crate::world::World;
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::number::MICRO;
use selvedge_core::rules::{decide, step};
use selvedge_core::tracking_plan::{Nature, PlanEvent, Trust, purposes_of};
use selvedge_core::wire::program::{
    AttributeScope, AttributeSet, AttributeType, Builtin, FactSource, Hold, SetTo, Shape, Test, Window,
};

/// Facts of every kind, and the tests that make sense of each.
fn facts(build: &mut Build) -> Vec<(u16, Vec<Test>)> {
    let counts = [
        Test::Range(0, 0),
        Test::Range(i64::MIN, 0),
        Test::Range(1, i64::MAX),
        Test::Range(1, 1),
        Test::Range(2, i64::MAX),
    ];
    let numbers = [
        Test::Range(MICRO, MICRO),
        Test::Range(2 * MICRO, i64::MAX),
        Test::Range(i64::MIN, MICRO),
        Test::Range(0, 0),
        Test::Missing,
        Test::Range(i64::MIN, i64::MAX),
    ];
    let texts = [Test::Mask(1 << 1), Test::Mask(1 << 2), Test::Missing, Test::Range(i64::MIN, i64::MAX)];
    let bools = [Test::Range(0, 0), Test::Range(1, 1), Test::Missing];
    let mut facts = Vec::new();
    for (at, window) in [Window::Page, Window::Session, Window::Sliding(60_000), Window::Sliding(86_400_000)]
        .into_iter()
        .enumerate()
    {
        facts.push((build.count(NAMES[at % NAMES.len()], window, 3), counts.to_vec()));
        facts.push((build.count("page", window, 3), counts.to_vec()));
    }
    for builtin in [Builtin::SessionNumber, Builtin::SessionPages, Builtin::DaysSinceLastVisit] {
        facts.push((build.builtin(builtin), numbers.to_vec()));
    }
    facts.push((build.builtin(Builtin::VisitorIsNew), bools.to_vec()));
    for (builtin, text) in [
        (Builtin::UtmMedium, "cpc"),
        (Builtin::PagePath, "/0"),
        (Builtin::SessionEntryPage, "/1"),
        (Builtin::PageSku, "x"),
    ] {
        facts.push((build.text(builtin, text), texts.to_vec()));
    }
    let plan = build.attribute("plan", AttributeScope::Visitor, AttributeType::Number);
    facts.push((build.fact(FactSource::Attribute(plan), Shape::Number), numbers.to_vec()));
    let cart = build.attribute("cart", AttributeScope::Session, AttributeType::Bool);
    let set = |event: &str, to| AttributeSet { event: event.into(), to: SetTo::Bool(to) };
    build.parts.attributes[usize::from(cart)].set = vec![set("add", true), set("buy", false)];
    facts.push((build.fact(FactSource::Attribute(cart), Shape::Number), bools.to_vec()));
    let with_default = build.fact(FactSource::Attribute(plan), Shape::Number);
    build.parts.facts[usize::from(with_default)].default = Some(0);
    facts.push((with_default, numbers.to_vec()));
    facts
}

/// A leaf for every fact and test, under a plan that lets every event be used for all.
pub fn leaves() -> (Build, Vec<Condition>) {
    worlds([Purposes(u16::MAX); 4])
}

/// A leaf for every fact and test, each its own rule in a program of its own slot order: all are asked one by one.
fn worlds(plan: [Purposes; 4]) -> (Build, Vec<Condition>) {
    let mut build = Build::new();
    let names = ["add", "buy", "page", "view"];
    build.parts.plan.events = names
        .iter()
        .zip(plan)
        .map(|(name, purposes)| PlanEvent {
            name: (*name).into(),
            version: 1,
            nature: Nature::Behavioural,
            trust: Trust::Client,
            purposes,
            additional_properties: true,
            urgent: false,
            properties: Vec::new(),
        })
        .collect();
    let facts = facts(&mut build);
    let leaves = facts
        .into_iter()
        .flat_map(|(fact, tests)| tests.into_iter().map(move |test| Condition::Leaf(fact, test)));
    let leaves = leaves.collect();
    (build, leaves)
}

pub fn condition(leaves: Vec<Condition>) -> impl Strategy<Value = Condition> {
    let leaf = prop::sample::select(leaves);
    prop_oneof![
        3 => leaf.clone(),
        1 => prop::collection::vec(leaf.clone(), 2..4).prop_map(Condition::And),
        1 => prop::collection::vec(leaf, 2..4).prop_map(Condition::Or),
    ]
}

/// Runs what happens under `consent` of each; for each, whether the rule acts.
fn acts(build: &Build, happenings: &[Happening], consent: impl Fn(&Happening) -> Purposes) -> Vec<bool> {
    let mut world = World::new(build.program());
    let mut at_ms = 0;
    let run = |happening: &Happening| {
        at_ms += happening.after_ms;
        world.in_force = consent(happening);
        world.writer = happening.writer();
        let event = happening.event(at_ms);
        let usable = purposes_of(&world.program.parts().plan, &event).and(world.in_force);
        let context = world.context.clone();
        let moment = selvedge_core::rules::Moment {
            context: &context,
            account: None,
            orders: world.orders,
            ..world.moment(at_ms)
        };
        let program = world.program.clone();
        step(&program, &mut world.state, &event, usable, &moment);
        let moment =
            selvedge_core::rules::Moment { context: &context, account: None, orders: world.orders, ..moment };
        let decisions = decide(&program, &mut world.state, &moment);
        decisions.iter().any(|decision| decision.rule.is_some())
    };
    happenings.iter().map(run).collect()
}

fn case() -> impl Strategy<Value = (Build, Vec<Happening>, Vec<Purposes>)> {
    let plan = prop::array::uniform4((1u16..16).prop_map(Purposes));
    plan.prop_flat_map(|plan| {
        let (build, leaves) = worlds(plan);
        let build = condition(leaves).prop_map(move |condition| {
            let mut build = build.clone();
            build.rule("r", "hero", Some(condition)).hold = Hold::Time(0);
            build
        });
        (build, happenings(25), prop::collection::vec(purposes(), 25))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]
    #[test]
    fn less_consent_never_makes_a_rule_act((build, happenings, granted) in case()) {
        let more = acts(&build, &happenings, |happening| happening.in_force);
        let mut less_granted = granted.iter().cycle();
        let less: Vec<Happening> = happenings
            .iter()
            .map(|happening| Happening { in_force: happening.in_force.and(*less_granted.next().unwrap()), ..happening.clone() })
            .collect();
        let less = acts(&build, &less, |happening| happening.in_force);
        for (at, (less, more)) in less.into_iter().zip(more).enumerate() {
            prop_assert!(!less || more, "at {at}: {:?} {:?}", build.parts.code, build.parts.facts);
        }
    }
}
