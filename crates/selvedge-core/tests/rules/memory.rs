//! No cell of any metric ever takes more bytes than were proven for it.

use crate::build::Build;
use crate::world::{START, World, event, int, map, text};
use proptest::prelude::*;
use selvedge_core::event::EventType;
use selvedge_core::id::WriterId;
use selvedge_core::limits::{COUNT_THRESHOLD_MAX, STATE_TEXT_BYTES_MAX};
use selvedge_core::rules::Program;
use selvedge_core::value::Value;
use selvedge_core::wire::program::{Metric, MetricKind, Points, Scope, Score, Window};
use selvedge_core::wire::state::VisitorState;

const WINDOWS: [Window; 8] = [
    Window::Page,
    Window::Session,
    Window::Sliding(1_000),
    Window::Sliding(600_000),
    Window::Sliding(31_622_400_000),
    Window::Today,
    Window::Month,
    Window::Ever,
];

/// Every kind in every window, twice: with and without a number of its own.
fn program() -> Program {
    let mut build = Build::new();
    build.berlin();
    let points = vec![Points { event: "buy".into(), filter: None, micro: 999_999_999_999 }];
    build.parts.scores = vec![Score { half_life_ms: 1_000, min: 0, max: 1_000_000_000_000, points }];
    for kind in MetricKind::ALL.iter().copied() {
        for window in WINDOWS {
            for detail in [0, 1, 2, 16].into_iter().filter(|detail| kind != MetricKind::Score || *detail == 0)
            {
                let is_short = matches!(window, Window::Page | Window::Session);
                let scope = if is_short { Scope::Session } else { Scope::Visitor };
                let threshold = u16::try_from(COUNT_THRESHOLD_MAX).unwrap();
                let (event, property) = ("buy".into(), Some("value".into()));
                let metric =
                    Metric { kind, event, property, window, scope, threshold, detail, ..Metric::default() };
                build.metric(metric);
            }
        }
    }
    build.program()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u32>().prop_map(|number| text(&format!("{number}{}", "x".repeat(2 * STATE_TEXT_BYTES_MAX)))),
        Just(int(i64::MIN / 1_000_000)),
        Just(int(i64::MAX / 1_000_000)),
        any::<i32>().prop_map(|number| int(number.into())),
        any::<bool>().prop_map(Value::Bool),
    ]
}

fn within_bounds(world: &World) -> Result<(), TestCaseError> {
    let none = VisitorState { cells: Vec::new(), pages: Vec::new(), ..world.state.clone() };
    let page = world.state.pages.first().cloned();
    for metric in &world.program.parts().metrics {
        let hash = metric.meaning;
        let cells = world.state.cells.iter().filter(|cell| cell.hash == hash).cloned().collect();
        let of_cell = VisitorState { cells, ..none.clone() }.encode().len() - none.encode().len();
        let of_page = page.clone().map_or(0, |mut page| {
            let whole = VisitorState { pages: vec![page.clone()], ..none.clone() }.encode().len();
            page.kept.retain(|(known, _)| *known != hash);
            whole - VisitorState { pages: vec![page], ..none.clone() }.encode().len()
        });
        // The proof is for four page views.
        let max = Program::metric_bytes_max(metric);
        let (kind, window, detail) = (metric.kind, metric.window, metric.detail);
        prop_assert!(
            of_cell + 4 * of_page <= max,
            "{kind:?} {window:?} {detail}: {of_cell} + {of_page} of {max}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_a_metric_keeps_is_within_its_proof(
        steps in prop::collection::vec((prop_oneof![0i64..100, 0i64..200_000, 0i64..3_000_000_000], value()), 1..70),
        is_page in any::<bool>(),
    ) {
        let mut world = World::new(program());
        world.leases = false;
        world.writer = WriterId::from_bits(1);
        // Far from birth, times take the most bytes.
        let mut at_ms = 60_000_000_000;
        if is_page {
            world.page(at_ms, "/");
        }
        for (after_ms, value) in steps {
            at_ms += after_ms;
            let bought = event(EventType::Track, "buy", START + at_ms, map([("value", value)]));
            world.step(at_ms, &bought);
        }
        within_bounds(&world)?;
        prop_assert_eq!(VisitorState::decode(&world.state.encode()).is_ok(), world.state.encode().len() <= 20_480);
    }
}
