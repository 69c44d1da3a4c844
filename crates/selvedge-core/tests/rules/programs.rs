//! A program's bytes: back and forth, verified, and refused where they are none.

use crate::build::{Build, Condition, at_least};
use crate::happenings::{Happening, happenings};
use crate::world::World;
use proptest::prelude::*;
use selvedge_core::consent::{Mode, Purposes};
use selvedge_core::limits::{COUNT_THRESHOLD_MAX, PROGRAM_BYTES_MAX, WINDOW_MS_MAX};
use selvedge_core::rules::{Program, ProgramFault};
use selvedge_core::tracking_plan::{Nature, PlanEvent, PlanProperty, PropertyType, Trust};
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeSet, AttributeType, Builtin, Cap, Content, ContentType, EdgeConfig,
    Fact, FactSource, Group, Hold, Instruction, Jump, Leaf, Metric, Parts, Rule, SetTo, Shape, Slot, Source,
    SourceKind, Status, Test, TextTest, Window, edge_config,
};

fn name() -> impl Strategy<Value = String> {
    "[a-z._é]{0,8}"
}

fn window() -> impl Strategy<Value = Window> {
    prop_oneof![Just(Window::Page), Just(Window::Session), any::<u64>().prop_map(Window::Sliding)]
}

fn purposes() -> impl Strategy<Value = Purposes> {
    any::<u16>().prop_map(Purposes)
}

fn list<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, 0..4)
}

fn caps() -> impl Strategy<Value = Vec<Cap>> {
    list((any::<u16>(), window()).prop_map(|(limit, window)| Cap { limit, window }))
}

fn plan_event() -> impl Strategy<Value = PlanEvent> {
    let types = [PropertyType::Text, PropertyType::Money, PropertyType::Object];
    let property = (name(), prop::sample::select(types.to_vec()), any::<[bool; 2]>(), list(name())).prop_map(
        |(name, property_type, [required, pii], one_of)| PlanProperty {
            name,
            property_type,
            required,
            pii,
            one_of,
        },
    );
    (name(), any::<u16>(), any::<[bool; 4]>(), purposes(), list(property)).prop_map(
        |(
            name,
            version,
            [is_operational, is_server, additional_properties, urgent],
            purposes,
            properties,
        )| PlanEvent {
            name,
            version,
            nature: if is_operational { Nature::Operational } else { Nature::Behavioural },
            trust: if is_server { Trust::Server } else { Trust::Client },
            purposes,
            additional_properties,
            urgent,
            properties,
        },
    )
}

fn attribute() -> impl Strategy<Value = Attribute> {
    let to = prop_oneof![
        name().prop_map(SetTo::Text),
        any::<i64>().prop_map(SetTo::Number),
        any::<bool>().prop_map(SetTo::Bool),
        name().prop_map(SetTo::Property),
    ];
    let scopes = [AttributeScope::Session, AttributeScope::Visitor, AttributeScope::Context];
    let types = [AttributeType::Text, AttributeType::Number, AttributeType::Bool];
    let set = list((name(), to).prop_map(|(event, to)| AttributeSet { event, to }));
    (
        name(),
        prop::sample::select(scopes.to_vec()),
        prop::sample::select(types.to_vec()),
        set,
        purposes(),
        any::<bool>(),
    )
        .prop_map(|(name, scope, attribute_type, set, purpose, private)| Attribute {
            name,
            scope,
            attribute_type,
            set,
            purpose,
            private,
        })
}

fn fact() -> impl Strategy<Value = Fact> {
    let source = prop_oneof![
        prop::sample::select(Builtin::ALL).prop_map(FactSource::Builtin),
        any::<u16>().prop_map(FactSource::Attribute),
        any::<u16>().prop_map(FactSource::Metric),
        name().prop_map(FactSource::Property),
    ];
    let tests = [TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith, TextTest::MatchesGlob];
    let shape = prop_oneof![
        Just(Shape::Number),
        list(name()).prop_map(Shape::OneOf),
        (prop::sample::select(tests.to_vec()), name()).prop_map(|(test, pattern)| Shape::Text(test, pattern)),
    ];
    (source, shape, any::<Option<i64>>()).prop_map(|(source, shape, default)| Fact { source, shape, default })
}

fn metric() -> impl Strategy<Value = Metric> {
    (
        name(),
        any::<u64>(),
        name(),
        prop::option::of(0..u16::MAX),
        window(),
        any::<u16>(),
        purposes(),
        any::<bool>(),
    )
        .prop_map(|(name, meaning, event, filter, window, threshold, purpose, private)| Metric {
            name,
            meaning,
            event,
            filter,
            window,
            threshold,
            purpose,
            private,
        })
}

fn instruction() -> impl Strategy<Value = Instruction> {
    let test = prop_oneof![
        any::<(i64, i64)>().prop_map(|(low, high)| Test::Range(low, high)),
        any::<u64>().prop_map(Test::Mask),
        any::<u16>().prop_map(Test::MaskWide),
        Just(Test::Missing),
    ];
    let jump = || prop_oneof![(0..60_000u16).prop_map(Jump::To), Just(Jump::Accept), Just(Jump::Reject)];
    (any::<u16>(), test, jump(), jump()).prop_map(|(fact, test, on_true, on_false)| Instruction {
        fact,
        test,
        on_true,
        on_false,
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let hold = prop_oneof![Just(Hold::Page), Just(Hold::Session), any::<u64>().prop_map(Hold::Time)];
    let status = prop::sample::select(&[Status::Live, Status::Draft, Status::Paused][..]);
    let places = (prop::option::of(0..u16::MAX), any::<u16>(), any::<u16>(), prop::option::of(0..u16::MAX));
    (name(), any::<i32>(), status, purposes(), places, caps(), hold, any::<bool>()).prop_map(
        |(id, priority, status, purpose, (when, slot, content, group), caps, hold, in_page)| Rule {
            id,
            priority,
            status,
            purpose,
            when,
            slot,
            content,
            group,
            caps,
            hold,
            in_page,
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    let types = [ContentType::Text, ContentType::Url, ContentType::Image, ContentType::Attributes];
    (name(), prop::sample::select(types.to_vec()), list((name(), name())))
        .prop_map(|(id, content_type, fields)| Content { id, content_type, fields })
}

fn edge() -> impl Strategy<Value = EdgeConfig> {
    let kinds = [SourceKind::Browser, SourceKind::Server, SourceKind::Webhook];
    let source = (name(), prop::sample::select(kinds.to_vec()), name())
        .prop_map(|(name, kind, key)| Source { name, kind, key });
    let mode = || prop::sample::select(&[Mode::OptIn, Mode::OptOut][..]);
    let leaf = (name(), any::<u32>(), any::<u32>(), name()).prop_map(|(file, line, column, text)| Leaf {
        file,
        line,
        column,
        text,
    });
    (list(source), list(name()), mode(), list((name(), mode())), any::<u16>(), list(leaf)).prop_map(
        |(sources, origins, consent_mode, consent_regions, policy_version, leaves)| EdgeConfig {
            sources,
            origins,
            consent_mode,
            consent_regions,
            policy_version,
            leaves,
        },
    )
}

fn parts() -> impl Strategy<Value = Parts> {
    let site = (name(), name(), any::<u32>(), prop::option::of(edge()), list(plan_event()));
    let tested =
        (list(attribute()), list(fact()), list(metric()), list(instruction()), list(list(any::<u64>())));
    let slot = (name(), prop::option::of(0..u16::MAX)).prop_map(|(name, fallback)| Slot { name, fallback });
    let group = (name(), prop::option::of(0..u16::MAX), caps())
        .prop_map(|(name, max_per_page, caps)| Group { name, max_per_page, caps });
    (site, tested, (list(rule()), list(slot), list(group), list(content()))).prop_map(
        |(site, tested, shown)| {
            let (site, currency, late_ms, edge, events) = site;
            let (attributes, facts, metrics, code, masks) = tested;
            let (rules, slots, groups, contents) = shown;
            let mut parts = Parts { site, currency, late_ms, edge, ..Parts::default() };
            parts.plan.events = events;
            Parts { attributes, facts, metrics, code, masks, rules, slots, groups, contents, ..parts }
        },
    )
}

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
        let _ = Program::load(&bytes);
        prop_assert_eq!(Parts::decode(&bytes), Ok(parts));
    }

    #[test]
    fn truncated_bytes_are_refused(parts in parts(), at: prop::sample::Index) {
        let mut bytes = parts.encode();
        bytes.truncate(at.index(bytes.len()));
        match Parts::decode(&bytes) {
            Err(_) => {}
            // Cut between two sections: what is left is a smaller program.
            Ok(read) => prop_assert!(read.encode().starts_with(&bytes) || read.edge.is_none()),
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
    assert_eq!(moment_free.len(), world.program.parts().rules.len());
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
