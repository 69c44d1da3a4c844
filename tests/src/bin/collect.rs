//! The benchmark of the edge: collect with 1 and with 20 events, decide, and the floor of each, a bare Rust Durable
//! Object that writes or reads one row of SQLite, all in one run on one machine.
//!
//! Figures are medians over rounds that take turns, because machines are shared and noisy. Each is one line of JSON for
//! `cargo xtask bench`.

use std::collections::BTreeMap;

use anyhow::Result;
use selvedge_core::event::Event;
use selvedge_core::number::Number;
use selvedge_core::value::Value as Property;
use selvedge_core::wire::batch::encode_batch;
use selvedge_tests::load::{Lane, Load, drive};
use selvedge_tests::{Visitor, World};
use serde_json::json;
use xtask::repo::Repo;
use xtask::workerd::{self, Program, Settings, Workerd};
use xtask::{setup, wasm};

const CONNECTIONS: u64 = 16;
const REQUESTS_A_CONNECTION: usize = 200;
const ROUNDS: usize = 5;
/// What a collect body of one event weighs, roughly: the floor reads as much.
const FLOOR_BODY_BYTES: usize = 200;

fn main() -> Result<()> {
    let repo = Repo::find()?;
    setup::for_build(&repo)?;
    wasm::floor(&repo)?;
    let folder = tempfile::tempdir()?;
    let settings = Settings {
        program: Program::floor(&repo),
        port: 0,
        data: folder.path().to_path_buf(),
        bindings: BTreeMap::new(),
        kv: None,
    };
    workerd::install(&repo, &settings)?;
    let floor = Workerd::start(&repo, &settings)?;
    let world = World::start()?;
    let mut measured: BTreeMap<&str, Vec<Load>> = BTreeMap::new();
    for round in 0..=ROUNDS {
        let mut record = |name, load: Load| {
            // The first round warms both workers up.
            if round > 0 {
                measured.entry(name).or_default().push(load);
            }
        };
        record("floor write", drive(&floor, &floor_lanes("POST /write"))?);
        record("collect 1 event", drive(world.workerd(), &collect_lanes(round, 1))?);
        record("collect 20 events", drive(world.workerd(), &collect_lanes(round, 20))?);
    }
    report(&measured);
    Ok(())
}

fn floor_lanes(route: &str) -> Vec<Lane> {
    let bodies = vec![vec![7; FLOOR_BODY_BYTES]; REQUESTS_A_CONNECTION];
    (0..CONNECTIONS).map(|_| Lane { route: route.to_string(), bodies: bodies.clone() }).collect()
}

fn collect_lanes(round: usize, events: usize) -> Vec<Lane> {
    let seed = |connection| (round as u64) << 32 | (events as u64) << 16 | connection;
    (0..CONNECTIONS).map(|connection| collect_lane(Visitor::new(seed(connection)), events)).collect()
}

/// One visitor who looks at shoes.
fn collect_lane(mut visitor: Visitor, events: usize) -> Lane {
    let mut body = || {
        let batch: Vec<Event> = (0..events).map(|at| product_view(&mut visitor, at)).collect();
        encode_batch(&visitor.header(), &batch.iter().collect::<Vec<_>>(), None)
    };
    let bodies = (0..REQUESTS_A_CONNECTION).map(|_| body()).collect();
    Lane { route: "POST /v1/collect".to_string(), bodies }
}

fn product_view(visitor: &mut Visitor, at: usize) -> Event {
    let text = |text: &str| Property::Text(text.into());
    let properties = [
        ("sku", text(&format!("sku-{:03}", at % 40))),
        ("category", text("shoes")),
        ("value", Property::Number(Number::Double(129.95_f64.to_bits()))),
        ("currency", text("EUR")),
    ];
    visitor.event("product_view", &properties)
}

fn report(measured: &BTreeMap<&str, Vec<Load>>) {
    let median = |name: &str, figure: &dyn Fn(&Load) -> f64| {
        let mut values: Vec<f64> = measured.get(name).into_iter().flatten().map(figure).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let rate = |name: &str| median(name, &Load::per_second);
    let processor = |name: &str| median(name, &Load::processor_us);
    for name in measured.keys() {
        print(&format!("{name}: requests/s"), rate(name));
        print(&format!("{name}: CPU per request"), processor(name));
        print(&format!("{name}: p99"), median(name, &|load| load.latency_ms(0.99)));
    }
    for name in ["collect 1 event", "collect 20 events"] {
        print(&format!("{name}: requests/s against the floor"), rate(name) / rate("floor write"));
        print(&format!("{name}: CPU against the floor"), processor(name) / processor("floor write"));
    }
}

fn print(figure: &str, value: f64) {
    println!("{}", json!({"figure": figure, "value": value}));
}
