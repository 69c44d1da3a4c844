//! Metrics that tell values apart, against a naive reading of the whole history.

use crate::build::{Build, HOUR, PERSONAL, SECOND};
use crate::world::{START, World, all, map, text};
use proptest::prelude::*;
use selvedge_core::rules::{Known, Program, known_facts};
use selvedge_core::value::Map;
use selvedge_core::wire::program::{
    AttributeType, Builtin, FactSource, Metric, MetricKind, Scope, Shape, Window,
};
use selvedge_core::wire::state::VisitorState;

const WORDS: [&str; 5] = ["ant", "bee", "cat", "dog", "eel"];
const KINDS: [MetricKind; 8] = [
    MetricKind::Distinct,
    MetricKind::First,
    MetricKind::Last,
    MetricKind::Previous,
    MetricKind::Since,
    MetricKind::MostFrequent,
    MetricKind::Top,
    MetricKind::Same,
];
const WINDOW_MS: i64 = HOUR;

/// One metric of a kind, the fact that reads it first of all; the page's path is what [`MetricKind::Same`] asks for.
fn program(kind: MetricKind, window: Window, kept: u16) -> Program {
    let mut build = Build::new();
    let detail = match kind {
        MetricKind::First | MetricKind::Last | MetricKind::Previous => AttributeType::Text as u16,
        MetricKind::Since => 0,
        _ => kept,
    };
    build.parts.metrics.push(Metric {
        name: "it".into(),
        meaning: 7,
        kind,
        event: "look".into(),
        property: (kind != MetricKind::Since).then(|| "word".into()),
        window,
        scope: if window == Window::Session { Scope::Session } else { Scope::Visitor },
        detail,
        purpose: PERSONAL,
        ..Metric::default()
    });
    let path = build.fact(FactSource::Builtin(Builtin::PagePath), Shape::Number);
    let is_number =
        matches!(kind, MetricKind::Distinct | MetricKind::Since | MetricKind::Top | MetricKind::Same);
    let shape = if is_number { Shape::Number } else { Shape::OneOf(WORDS.map(Into::into).into()) };
    match kind {
        MetricKind::Same => build.fact(FactSource::SameCount(0, path), shape),
        _ => build.fact(FactSource::Metric(0), shape),
    };
    build.program()
}

fn known(world: &World, at_ms: i64) -> Known {
    known_facts(&world.program, &world.state, &world.moment(at_ms))[1]
}

/// What is so, read off all events that count: their times from the start, and their words.
fn naive(kind: MetricKind, events: &[(i64, usize)], window: Window, now_ms: i64) -> Option<i64> {
    let mut events: Vec<(i64, usize)> = match window {
        Window::Sliding(_) => events.iter().copied().filter(|(at, _)| *at > now_ms - WINDOW_MS).collect(),
        _ => events.to_vec(),
    };
    events.sort_by_key(|(at_ms, _)| *at_ms);
    let count =
        |word: usize| i64::try_from(events.iter().filter(|(_, other)| *other == word).count()).unwrap();
    let place = |event: &(i64, usize)| i64::try_from(event.1).unwrap() + 2;
    match kind {
        MetricKind::Distinct => Some((0..WORDS.len()).map(|word| i64::from(count(word) > 0)).sum()),
        MetricKind::First => events.first().map(place),
        MetricKind::Last => events.last().map(place),
        MetricKind::Previous => events.iter().rev().nth(1).map(place),
        MetricKind::Since => events.last().map(|(at_ms, _)| now_ms - at_ms),
        MetricKind::Top => (0..WORDS.len()).map(count).max(),
        MetricKind::MostFrequent => {
            let most = (0..WORDS.len()).map(count).max()?;
            events.iter().rfind(|(_, word)| count(*word) == most).map(place)
        }
        _ => Some(count(0)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_known_is_what_the_whole_history_says(
        kind in prop::sample::select(KINDS.to_vec()),
        window in prop::sample::select(vec![Window::Sliding(3_600_000), Window::Ever]),
        steps in prop::collection::vec((0..20 * 60 * SECOND, 0..25 * SECOND, 0..6usize), 1..40),
    ) {
        // The first of a window that slides is not kept.
        let window = if kind == MetricKind::First { Window::Ever } else { window };
        let mut world = World::new(program(kind, window, 64));
        world.page(0, WORDS[0]);
        let (mut now_ms, mut events) = (0, Vec::new());
        for (gap_ms, back_ms, word) in steps {
            now_ms += gap_ms;
            let at_ms = (now_ms - back_ms).max(0);
            // Out of order, but never late; a sixth word is no property at all.
            let properties = WORDS.get(word).map_or(Map::new(), |word| map([("word", text(word))]));
            let stepped = world.track_with(at_ms, "look", properties);
            prop_assert!(!stepped.late);
            now_ms = now_ms.max(world.state.last_time_ms.unwrap() - START);
            if word < WORDS.len() || kind == MetricKind::Since {
                events.push((at_ms, word));
            }
            world.page(now_ms, WORDS[0]);
            let expected = naive(kind, &events, window, now_ms).map_or(Known { low: i64::MIN, high: i64::MIN }, Known::exact);
            prop_assert_eq!(known(&world, now_ms), expected, "{:?} {:?} at {}", kind, events, now_ms);
            let bytes = world.state.encode();
            prop_assert!(bytes.len() <= world.program.state_bytes_max());
            prop_assert_eq!(&VisitorState::decode(&bytes).unwrap(), &world.state);
        }
    }

    #[test]
    fn where_more_happened_than_is_kept_what_is_known_is_still_true(
        kind in prop::sample::select(vec![MetricKind::Top, MetricKind::Same]),
        words in prop::collection::vec(0..5usize, 1..40),
    ) {
        let mut world = World::new(program(kind, Window::Ever, 4));
        world.page(0, WORDS[0]);
        let mut events = Vec::new();
        for (at_ms, word) in (0..).step_by(1_000).zip(words) {
            world.track_with(at_ms, "look", map([("word", text(WORDS[word]))]));
            events.push((at_ms, word));
            let truth = naive(kind, &events, Window::Ever, at_ms).unwrap();
            let known = known(&world, at_ms);
            prop_assert!(known.low <= truth && truth <= known.high, "{:?}: {} is not in {:?}", kind, truth, known);
        }
    }
}

#[test]
fn an_estimate_of_many_values_is_near() {
    for kept in [16, 64, 256] {
        let mut world = World::new(program(MetricKind::Distinct, Window::Ever, kept));
        for at in 0..2_000 {
            world.track_with(at, "look", map([("word", text(&format!("word-{at}")))]));
            if at < i64::from(kept) {
                assert_eq!(known(&world, at), Known::exact(at + 1));
            }
        }
        let found = known(&world, 2_000);
        assert_eq!(found.low, found.high);
        // Two and a half standard errors.
        let error = 2_000 * 3 / i64::from(kept).isqrt();
        assert!((found.low - 2_000).abs() <= error, "{kept}: {}", found.low);
    }
}

#[test]
fn a_sample_is_exact_again_once_what_was_left_out_is_older_than_the_window() {
    let mut world = World::new(program(MetricKind::Distinct, Window::Sliding(3_600_000), 8));
    for at in 0..40 {
        world.track_with(at, "look", map([("word", text(&format!("word-{at}")))]));
    }
    assert_ne!(known(&world, 40), Known::exact(40));
    let later = 2 * HOUR;
    world.track_with(later, "look", map([("word", text("other"))]));
    assert_eq!(known(&world, later).high, 1);
}

#[test]
fn without_its_purpose_a_value_is_unknown_until_the_next() {
    for (kind, bound) in [(MetricKind::Last, None), (MetricKind::Since, Some(3 * SECOND))] {
        let mut world = World::new(program(kind, Window::Ever, 8));
        world.track_with(0, "look", map([("word", text("ant"))]));
        world.in_force = all().without(PERSONAL);
        world.track(SECOND, "other");
        world.in_force = all();
        world.track(2 * SECOND, "other");
        let expected = match bound {
            None => Known { low: i64::MIN, high: i64::MAX },
            Some(high) => Known { low: 0, high },
        };
        assert_eq!(known(&world, 3 * SECOND), expected, "{kind:?}");
        world.track_with(4 * SECOND, "look", map([("word", text("bee"))]));
        assert_eq!(known(&world, 4 * SECOND).low, if bound.is_some() { 0 } else { 3 }, "{kind:?}");
        assert_eq!(known(&world, 4 * SECOND).high, if bound.is_some() { 0 } else { 3 }, "{kind:?}");
    }
}
