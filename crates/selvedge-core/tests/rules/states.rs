//! A state's bytes: back and forth, bounded, and refused where they are none.

use crate::build::{Build, PERSONAL};
use crate::happenings::happenings;
use crate::world::{START, World, map, text};
use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::hash::SHORT_NAME_REST;
use selvedge_core::id::WriterId;
use selvedge_core::limits::{CAP_BYTES_MAX, PANES_MAX, STATE_BYTES_MAX, STATE_TEXT_BYTES_MAX, VALUES_MAX};
use selvedge_core::wire::program::{AttributeScope, AttributeType, Builtin, Cap, Hold, SequenceKind, Window};
use selvedge_core::wire::state::{
    AttributeCell, CapCell, CartCell, CartLine, Cell, CellBody, Distinct, Faded, Fixed, Held, Kept, Lease,
    Marks, MemberCell, MetricCell, PageView, Pane, Run, SequenceCell, Session, StateFault, Stored, ValueAt,
    VisitorState,
};
use std::collections::BTreeMap;

fn stored() -> impl Strategy<Value = Stored> {
    prop_oneof![
        Just(Stored::Missing),
        Just(Stored::Unobserved),
        "[a-zé]{0,20}".prop_map(Stored::Text),
        any::<i64>().prop_map(Stored::Number),
        any::<bool>().prop_map(Stored::Bool),
        prop::collection::vec("[a-zé]{0,8}", 0..9).prop_map(Stored::List),
    ]
}

fn facts() -> impl Strategy<Value = Vec<(Builtin, Stored)>> {
    let entry = (prop::sample::select(Builtin::ALL), stored());
    prop::collection::vec(entry, 0..5)
        .prop_map(|facts| facts.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
}

fn held() -> impl Strategy<Value = Held> {
    let fixed = (any::<u64>(), prop::collection::vec(stored(), 0..4))
        .prop_map(|(meaning, values)| Fixed { meaning, values });
    (any::<u64>(), any::<u64>(), any::<Option<i64>>(), prop::option::of(fixed), any::<bool>())
        .prop_map(|(slot, rule, until_ms, fixed, is_seen)| Held { slot, rule, until_ms, fixed, is_seen })
}

fn session() -> impl Strategy<Value = Session> {
    let numbers =
        (any::<u32>(), any::<i64>(), any::<i64>(), any::<[Option<i64>; 2]>(), any::<i64>(), any::<u32>());
    (numbers, any::<[bool; 3]>(), facts()).prop_map(|(numbers, flags, facts)| {
        let (number, start_ms, last_ms, [previous_start_ms, previous_end_ms], caps_since_ms, pages) = numbers;
        let [is_gapped, was_gapped, is_gap_open] = flags;
        Session {
            number,
            start_ms,
            last_ms,
            previous_start_ms,
            previous_end_ms,
            caps_since_ms,
            pages,
            is_gapped,
            was_gapped,
            is_gap_open,
            facts,
        }
    })
}

fn page() -> impl Strategy<Value = PageView> {
    let counts = prop::collection::btree_map(any::<u64>(), any::<u16>(), 0..4);
    let lists = (
        facts(),
        prop::collection::vec(held(), 0..4),
        counts,
        prop::collection::vec((any::<u64>(), kept()), 0..3),
    );
    (any::<u64>(), any::<[i64; 2]>(), any::<bool>(), lists).prop_map(
        |(writer, [start_ms, last_ms], is_begun, (facts, held, counts, kept))| PageView {
            writer: WriterId::from_bits(writer),
            start_ms,
            last_ms,
            is_begun,
            facts,
            held,
            counts: counts.into_iter().collect(),
            kept,
        },
    )
}

fn times() -> impl Strategy<Value = Vec<i64>> {
    prop::collection::vec(any::<i64>(), 0..6).prop_map(|mut times| {
        times.sort_unstable();
        times
    })
}

fn lease() -> impl Strategy<Value = Lease> {
    let some = (1..u32::MAX, any::<u16>(), any::<u16>(), any::<i64>());
    prop_oneof![
        Just(Lease::default()),
        some.prop_map(|(id, granted, left, expires_ms)| Lease { id, granted, left, expires_ms }),
    ]
}

fn kept() -> impl Strategy<Value = Kept> {
    let pane = (any::<u32>(), any::<i64>());
    let panes = prop::collection::btree_map(any::<i64>(), pane, 0..=PANES_MAX).prop_map(|panes| {
        let pane = |(start_ms, (count, value))| Pane { start_ms, count, value };
        Kept::Panes(panes.into_iter().map(pane).collect())
    });
    let score = any::<(i64, i64)>().prop_map(|(time_ms, value)| Kept::Score(Faded { time_ms, value }));
    let latest = prop::collection::vec((any::<i64>(), stored()), 0..=2).prop_map(Kept::Latest);
    let value = any::<(i64, u64)>().prop_map(|(time_ms, hash)| ValueAt { time_ms, hash });
    let values = || prop::collection::vec(value.clone(), 0..=VALUES_MAX);
    let recent = values().prop_map(|mut values| {
        values.sort_by_key(|value| value.time_ms);
        Kept::Values(values)
    });
    let distinct = (0..=48u8, any::<i64>(), values()).prop_map(|(zeros, left_out_ms, mut values)| {
        values.sort_by_key(|value| value.hash);
        let left_out_ms = if zeros > 0 { left_out_ms } else { i64::MIN };
        Kept::Distinct(Distinct { zeros, left_out_ms, values })
    });
    let counts = prop_oneof![any::<u16>().prop_map(Kept::Count), times().prop_map(Kept::Times), panes, score];
    prop_oneof![counts, latest, recent, distinct]
}

fn sequence() -> impl Strategy<Value = SequenceCell> {
    let run = (any::<i64>(), 0u8..=4, any::<bool>(), any::<Option<i64>>())
        .prop_map(|(start_ms, steps, is_unsure, done_ms)| Run { start_ms, steps, is_unsure, done_ms });
    (any::<i64>(), run, times(), any::<[u8; 6]>()).prop_map(|(since_ms, run, times_ms, parts)| SequenceCell {
        since_ms,
        run,
        pending: times_ms.into_iter().zip(parts).collect(),
    })
}

fn cart() -> impl Strategy<Value = CartCell> {
    let line =
        any::<(u64, u32, Option<i64>)>().prop_map(|(sku, quantity, price)| CartLine { sku, quantity, price });
    let lines = prop::collection::vec(line, 0..=16);
    (any::<bool>(), any::<Option<i64>>(), lines, stored()).prop_map(
        |(is_known, emptied_ms, lines, last_sku)| CartCell { is_known, emptied_ms, lines, last_sku },
    )
}

fn body() -> impl Strategy<Value = CellBody> {
    prop_oneof![
        (any::<i64>(), kept()).prop_map(|(since_ms, kept)| CellBody::Metric(MetricCell { since_ms, kept })),
        (any::<i64>(), stored())
            .prop_map(|(time_ms, value)| CellBody::Attribute(AttributeCell { time_ms, value })),
        (times(), lease(), lease()).prop_map(|(used_ms, lease, burnt)| CellBody::Cap(CapCell {
            used_ms,
            lease,
            burnt
        })),
        sequence().prop_map(CellBody::Sequence),
        cart().prop_map(CellBody::Cart),
        any::<Option<i64>>().prop_map(CellBody::Timer),
        any::<(bool, Option<i64>)>()
            .prop_map(|(is_member, entered_ms)| { CellBody::Member(MemberCell { is_member, entered_ms }) }),
    ]
}

fn state() -> impl Strategy<Value = VisitorState> {
    let numbers = (any::<u64>(), any::<u64>(), any::<i64>(), any::<Option<i64>>(), any::<u16>());
    let cells = prop::collection::btree_map(any::<u64>(), (any::<bool>(), body()), 0..8);
    let lists = (prop::collection::vec(page(), 0..4), prop::collection::vec(held(), 0..4), cells);
    (numbers, session(), lists).prop_map(|(numbers, session, (pages, held, cells))| {
        let (publish, layout, born_ms, last_time_ms, in_force) = numbers;
        let cell = |(hash, (is_old, body))| Cell { hash, is_old, body };
        let cells = cells.into_iter().map(cell).collect();
        VisitorState {
            publish,
            layout,
            born_ms,
            last_time_ms,
            in_force: Purposes(in_force),
            session,
            pages,
            held,
            cells,
            marks: Marks::default(),
        }
    })
}

/// The same with short names, every attribute set at one time, every metric watched since birth.
fn alike(mut state: VisitorState) -> VisitorState {
    for cell in &mut state.cells {
        cell.hash &= !SHORT_NAME_REST;
        match &mut cell.body {
            CellBody::Metric(metric) => metric.since_ms = state.born_ms,
            CellBody::Attribute(attribute) => attribute.time_ms = state.born_ms,
            _ => {}
        }
    }
    for page in &mut state.pages {
        page.counts.iter_mut().for_each(|(hash, _)| *hash &= !SHORT_NAME_REST);
        page.kept.iter_mut().for_each(|(hash, _)| *hash &= !SHORT_NAME_REST);
    }
    state
}

#[test]
fn a_cell_takes_no_more_than_what_tells_it_from_others() {
    let mut state = VisitorState::new(1_000);
    let empty = state.encode().len();
    let attribute = |hash: u64, time_ms: i64| Cell {
        hash: hash << 24,
        is_old: false,
        body: CellBody::Attribute(AttributeCell { time_ms, value: Stored::Text("pro".into()) }),
    };
    // Kind and name, time and tag, length and text; then without time and tag.
    state.cells = vec![attribute(1, 70_000), attribute(2, 70_000)];
    assert_eq!(state.encode().len() - empty, (1 + 5) + (3 + 1) + 4 + (1 + 5) + 4);
    let metric = CellBody::Metric(MetricCell { since_ms: 1_000, kept: Kept::Count(3) });
    state.cells = vec![Cell { hash: 3 << 24, is_old: false, body: metric }];
    assert_eq!(state.encode().len() - empty, (1 + 5) + 1);
}

proptest! {
    #[test]
    fn a_state_comes_back_from_its_bytes(state in state()) {
        prop_assert_eq!(VisitorState::decode(&state.encode()), Ok(state));
    }

    #[test]
    fn what_cells_share_is_written_once_and_read_back(state in state()) {
        let alike = alike(state.clone());
        prop_assert!(alike.encode().len() <= state.encode().len());
        prop_assert_eq!(VisitorState::decode(&alike.encode()), Ok(alike));
    }

    #[test]
    fn truncated_and_changed_bytes_are_refused_or_read_but_never_panic(state in state(), at: prop::sample::Index, byte: u8) {
        let mut bytes = state.encode();
        let at = at.index(bytes.len());
        prop_assert!(VisitorState::decode(&bytes[..at]).is_err());
        bytes[at] = byte;
        if let Ok(read) = VisitorState::decode(&bytes) {
            prop_assert_eq!(VisitorState::decode(&read.encode()), Ok(read));
        }
    }

    #[test]
    fn random_bytes_never_panic(mut bytes: Vec<u8>) {
        let _ = VisitorState::decode(&bytes);
        bytes.insert(0, 1);
        let _ = VisitorState::decode(&bytes);
    }
}

#[test]
fn another_version_and_too_many_bytes_are_refused() {
    assert_eq!(VisitorState::decode(&[2, 0]), Err(StateFault::Version));
    let huge = vec![1; STATE_BYTES_MAX + CAP_BYTES_MAX + 1];
    assert_eq!(VisitorState::decode(&huge), Err(StateFault::TooLarge));
}

/// A program that fills every part of a state.
fn heavy() -> Build {
    let mut build = Build::new();
    for (at, name) in ["view", "add", "page"].into_iter().enumerate() {
        for window in [Window::Page, Window::Session, Window::Sliding(60_000), Window::Sliding(2_592_000_000)]
        {
            build.count(name, window, 3 + u16::try_from(at).unwrap() * 2);
        }
    }
    build.sequence(SequenceKind::Then, &["view", "add"], [None; 2], 60_000);
    build.sequence(SequenceKind::ThenNo, &["page"], [Some("page"), Some("add")], 600_000);
    for name in ["plan", "one", "two"] {
        build.attribute(name, AttributeScope::Visitor, AttributeType::Text);
    }
    for (at, (slot, hold)) in
        [("hero", Hold::Page), ("banner", Hold::Session), ("modal", Hold::Time(3_600_000))]
            .into_iter()
            .enumerate()
    {
        let rule = build.rule(&format!("r{at}"), slot, None);
        rule.hold = hold;
        rule.timing.after_ms = 60_000;
        rule.caps = vec![
            Cap { limit: 5, window: Window::Session },
            Cap { limit: 9, window: Window::Sliding(86_400_000) },
            Cap { limit: 60, window: Window::Page },
        ];
    }
    build
}

/// The event with everything that is kept of it as long as it may be.
fn with_long_texts(mut event: Event) -> Event {
    let long = || text(&"x".repeat(2 * STATE_TEXT_BYTES_MAX));
    match event.event_type {
        EventType::Page => {
            event.properties =
                map([("path", long()), ("title", long()), ("category", long()), ("sku", long())]);
        }
        EventType::Identify => event.properties = map([("plan", long()), ("one", long()), ("two", long())]),
        _ => {}
    }
    for builtin in Builtin::ALL {
        event.context.set(builtin.name(), long());
    }
    event
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_history_outgrows_what_the_program_promises(happenings in happenings(120)) {
        let mut world = World::new(heavy().program());
        let state_max = world.program.state_bytes_max();
        let max = state_max + world.program.cap_bytes_max();
        prop_assert!(state_max <= STATE_BYTES_MAX, "{}", state_max);
        let mut at_ms = 0;
        for happening in &happenings {
            at_ms += happening.after_ms;
            world.writer = happening.writer();
            world.step(at_ms, &with_long_texts(happening.event(at_ms)));
            world.decide(at_ms, "hero");
        }
        let bytes = world.state.encode();
        prop_assert!(bytes.len() <= max, "{} of {}", bytes.len(), max);
        prop_assert_eq!(VisitorState::decode(&bytes), Ok(world.state.clone()));
    }
}

#[test]
fn removed_cells_are_kept_one_generation_and_come_back_as_a_lower_bound() {
    let mut with = Build::new();
    with.count("view", Window::Sliding(600_000), 3);
    let without = Build::new();
    let mut other = Build::new();
    other.count("add", Window::Session, 1);
    let mut world = World::new(with.program());
    world.track(0, "view");
    let before = world.state.cells.clone();
    world.program = without.program();
    world.track(1, "other");
    assert!(world.state.cells.iter().all(|cell| cell.is_old));
    let kept = world.state.clone();
    world.program = with.program();
    world.track(2, "other");
    let kept_of = |cells: &[Cell]| -> Vec<_> {
        let of_cell = |cell: &Cell| match &cell.body {
            CellBody::Metric(metric) => (cell.hash, metric.kept.clone()),
            other => panic!("{other:?} is no metric"),
        };
        cells.iter().map(of_cell).collect()
    };
    assert_eq!(kept_of(&world.state.cells), kept_of(&before), "a rollback loses nothing");
    let since_ms = |cells: &[Cell]| match &cells[0].body {
        CellBody::Metric(metric) => metric.since_ms,
        other => panic!("{other:?} is no metric"),
    };
    assert_eq!(since_ms(&world.state.cells), START + 2, "what happened meanwhile was not seen");
    world.state = kept;
    world.program = other.program();
    world.track(3, "other");
    assert_eq!(world.state.cells.len(), 1, "two publishes later it is gone");
}

#[test]
fn the_public_part_holds_neither_private_cells_nor_other_pages() {
    let mut build = Build::new();
    let seen = build.count("view", Window::Session, 1);
    let hidden = build.count("add", Window::Session, 1);
    build.parts.metrics[1].private = true;
    let edge_only = build.count("buy", Window::Session, 1);
    let public_hash = build.parts.metrics[0].meaning;
    build.rule("page", "hero", Some(crate::build::at_least(seen, 1)));
    build.rule("private", "banner", Some(crate::build::at_least(hidden, 1))).in_page = false;
    let rule = build.rule("edge", "modal", Some(crate::build::at_least(edge_only, 1)));
    rule.in_page = false;
    rule.purpose = PERSONAL;
    rule.caps = vec![Cap { limit: 1, window: Window::Session }];
    let mut world = World::new(build.program());
    world.page(0, "/");
    world.writer = WriterId::from_bits(5);
    world.page(0, "/other");
    let public = world.state.public(&world.program, world.writer);
    assert_eq!(public.cells.iter().map(|cell| cell.hash).collect::<Vec<_>>(), [public_hash]);
    assert_eq!(public.pages.iter().map(|page| page.writer).collect::<Vec<_>>(), [world.writer]);
}
