//! A program's bytes: back and forth, verified, and refused where they are none.

use crate::any_parts::parts;
use crate::build::{Build, Condition, at_least};
use crate::happenings::{Happening, happenings};
use crate::world::World;
use proptest::prelude::*;
use selvedge_core::limits::{COUNT_THRESHOLD_MAX, PROGRAM_BYTES_MAX, WINDOW_MS_MAX};
use selvedge_core::rules::{Image, Program, ProgramFault};
use selvedge_core::wire::codec::WireFault;
use selvedge_core::wire::program::{
    AttributeScope, AttributeType, Builtin, Cap, FactSource, Group, Hold, Jump, Parts, Shape, Test, TextTest,
    Window, edge_config,
};

/// A program with something of everything.
fn full() -> Build {
    let mut build = Build::new();
    let views = build.count("view", Window::Sliding(600_000), 3);
    let property =
        build.fact(FactSource::Property("a.b".into()), Shape::Text(TextTest::Contains, "x".into()));
    build.count_where("add", &at_least(property, 1), Window::Session, 2);
    build.parts.masks.push(vec![1, 2, 3]);
    let wide = build.text(Builtin::UtmMedium, "cpc");
    let plan = build.attribute("plan", AttributeScope::Visitor, AttributeType::Text);
    let plan = build.fact(FactSource::Attribute(plan), Shape::OneOf(vec!["a".into(), "b".into()]));
    build.parts.groups.push(Group {
        name: "g".into(),
        max_per_page: Some(1),
        caps: vec![Cap { limit: 3, window: Window::Session }],
    });
    let when = Condition::Or(vec![
        Condition::And(vec![at_least(views, 2), Condition::Leaf(wide, Test::MaskWide(0))]),
        Condition::Leaf(plan, Test::Mask(4)),
    ]);
    let rule = build.rule("r0", "hero", Some(when));
    rule.group = Some(0);
    rule.caps = vec![Cap { limit: 2, window: Window::Sliding(1_000) }];
    build.rule("r1", "banner", None).hold = Hold::Session;
    build
}

proptest! {
    #[test]
    fn parts_come_back_from_their_bytes(parts in parts()) {
        let bytes = parts.encode();
        let edge = edge_config(&bytes);
        prop_assert_eq!(edge, Ok(parts.edge.clone()));
        if let Ok(program) = Program::load(&bytes) {
            prop_assert_eq!(program.rules(), &parts.rules);
        }
        prop_assert_eq!(Parts::decode(&bytes), Ok(parts));
    }

    #[test]
    fn truncated_bytes_are_refused(parts in parts(), at: prop::sample::Index) {
        let mut bytes = parts.encode();
        bytes.truncate(at.index(bytes.len()));
        match Parts::decode(&bytes) {
            Err(_) => {}
            // Cut between two sections: what is left is a smaller program.
            Ok(read) => prop_assert_eq!(Parts::decode(&read.encode()), Ok(read)),
        }
    }

    #[test]
    fn random_bytes_never_panic(tail: Vec<u8>) {
        let _ = Program::load(&tail);
        let mut bytes = b"SVP\x01".to_vec();
        bytes.extend(tail);
        let _ = Program::load(&bytes);
        let _ = edge_config(&bytes);
    }

    #[test]
    fn a_program_with_a_changed_byte_is_refused_or_runs_without_panic(
        at: prop::sample::Index,
        byte: u8,
        happenings in happenings(8),
    ) {
        let mut bytes = full().parts().encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let Ok(program) = Program::load(&bytes) else { return Ok(()) };
        // What was verified where it stands can be spelled out.
        prop_assert_eq!(program.rules().len(), usize::from(Image::rules(&program)));
        let _ = (program.state_bytes_max(), program.cap_bytes_max());
        let mut world = World::new(program);
        let mut at_ms = 0;
        for happening in &happenings {
            at_ms += happening.after_ms;
            run(&mut world, at_ms, happening);
        }
    }
}

fn run(world: &mut World, at_ms: i64, happening: &Happening) {
    world.writer = happening.writer();
    world.step(at_ms, &happening.event(at_ms));
    let moment_free = world.explain(at_ms);
    assert_eq!(moment_free.len(), world.program.rules().len());
    let _ = world.state.public(&world.program, world.writer);
    let slots: Vec<String> = world.program.parts().slots.iter().map(|slot| slot.name.clone()).collect();
    if let Some(slot) = slots.first() {
        world.decide(at_ms, slot);
    }
}

/// Why the loader refuses a program that was changed so.
fn refusal(change: impl FnOnce(&mut Parts)) -> ProgramFault {
    let mut parts = full().parts();
    change(&mut parts);
    Program::load(&parts.encode()).expect_err("a refusal")
}

#[test]
fn the_program_itself_loads_and_the_same_parts_give_the_same_bytes() {
    let parts = full().parts();
    assert!(Program::load(&parts.encode()).is_ok());
    assert_eq!(parts.encode(), full().parts().encode());
}

#[test]
fn every_index_is_verified() {
    for fault in [
        refusal(|parts| parts.rules[0].slot = 4),
        refusal(|parts| parts.rules[0].content = 1),
        refusal(|parts| parts.rules[0].group = Some(1)),
        refusal(|parts| parts.rules[0].when = Some(99)),
        refusal(|parts| parts.slots[0].fallback = Some(1)),
        refusal(|parts| parts.metrics[0].filter = Some(99)),
        refusal(|parts| parts.facts[0].source = FactSource::Metric(9)),
        refusal(|parts| parts.facts[0].source = FactSource::Attribute(9)),
        refusal(|parts| parts.code[0].fact = 99),
        refusal(|parts| parts.code[0].test = Test::MaskWide(1)),
    ] {
        assert_eq!(fault, ProgramFault::Index);
    }
}

#[test]
fn jumps_lead_forward_only() {
    assert_eq!(refusal(|parts| parts.code[1].on_true = Jump::To(1)), ProgramFault::Jump);
    assert_eq!(refusal(|parts| parts.code[2].on_false = Jump::To(0)), ProgramFault::Jump);
    assert_eq!(refusal(|parts| parts.code[1].on_true = Jump::To(40)), ProgramFault::Jump);
}

#[test]
fn what_must_be_sorted_is_verified() {
    for fault in [
        refusal(|parts| parts.rules.reverse()),
        refusal(|parts| parts.slots.swap(0, 1)),
        refusal(|parts| parts.contents.push(parts.contents[0].clone())),
        refusal(|parts| parts.facts[0].shape = Shape::OneOf(vec!["b".into(), "a".into()])),
        refusal(|parts| parts.metrics[0].meaning = parts.metrics[1].meaning),
        refusal(|parts| parts.attributes.push(parts.attributes[0].clone())),
    ] {
        assert_eq!(fault, ProgramFault::Unsorted);
    }
}

#[test]
fn texts_that_no_part_is_made_of_are_verified_too() {
    let changed = |text: &[u8], into: &[u8]| {
        let mut bytes = full().parts().encode();
        let at = bytes
            .windows(text.len())
            .position(|known| known == text)
            .expect("the text stands in the program");
        bytes[at..at + into.len()].copy_from_slice(into);
        Program::load(&bytes).expect_err("a refusal")
    };
    let bad_text = ProgramFault::Wire(WireFault::BadText);
    assert_eq!(changed(b"\x02\0r0", b"\x02\0\xff0"), bad_text, "the id of a rule");
    assert_eq!(changed(b"\x03\0cpc", b"\x03\0cp\xff"), bad_text, "a text of a fact");
    assert_eq!(
        changed(b"\x02\0r1", b"\x02\0r2"),
        ProgramFault::Index,
        "a rule is known by the hash of its id"
    );
}

#[test]
fn bounds_are_verified() {
    let too_far = u16::try_from(COUNT_THRESHOLD_MAX).unwrap() + 1;
    for fault in [
        refusal(|parts| parts.metrics[0].threshold = too_far),
        refusal(|parts| parts.rules[0].caps[0].limit = too_far),
        refusal(|parts| parts.rules[0].caps[0].limit = 0),
        refusal(|parts| parts.groups[0].caps[0].window = Window::Sliding(0)),
        refusal(|parts| parts.metrics[0].window = Window::Sliding(WINDOW_MS_MAX + 1)),
        refusal(|parts| parts.rules[0].caps = vec![Cap { limit: 1, window: Window::Session }; 5]),
    ] {
        assert_eq!(fault, ProgramFault::TooLarge);
    }
    assert_eq!(Program::load(&vec![0; PROGRAM_BYTES_MAX + 1]).unwrap_err(), ProgramFault::TooLarge);
    assert_eq!(Program::load(b"SVP\x02").unwrap_err(), ProgramFault::Version);
}

#[test]
fn unknown_sections_are_skipped_and_known_ones_come_once_and_in_order() {
    let mut bytes = full().parts().encode();
    let plain = Parts::decode(&bytes).unwrap();
    bytes.extend([99, 2, 7, 7]);
    assert_eq!(Parts::decode(&bytes), Ok(plain));
    bytes.extend([11, 1, 0]);
    assert_eq!(Parts::decode(&bytes), Err(ProgramFault::Unsorted));
}
