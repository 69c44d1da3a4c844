//! Bytes of an event on the wire, in batches of 20 of a recorded shop log: wire v1 with the dictionary of the shop's
//! tracking plan, before and after deflate, and the same batches as JSON, before and after gzip.
//!
//! The log is the data set `ecom`, mapped as `selvedge replay` maps it. A whole batch counts, header and all, divided by
//! its events.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use selvedge_benches::measure::print_figure;
use selvedge_cli::replay::batches::{BatchPolicy, Batches, Outgoing};
use selvedge_cli::replay::dataset::{Dataset, cache_dir};
use selvedge_cli::replay::map::Map;
use selvedge_cli::replay::recording::Recording;
use selvedge_cli::replay::rows::Rows;
use selvedge_cli::site_files;
use selvedge_core::consent::{Purposes, Signals, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event};
use selvedge_core::id::ProgramHash;
use selvedge_core::number::Number;
use selvedge_core::value;
use selvedge_core::wire::batch::encode_batch;
use selvedge_core::wire::names::Names;
use selvedge_edge::json::{JsonMap, JsonSnapshot};
use serde_json::{Value, json};

const EVENTS: usize = 20;
/// Version and flags, which stay as they are when the rest is deflated.
const PREAMBLE_BYTES: usize = 2;

fn main() -> Result<()> {
    let names = shop_names()?;
    let mut sizes: [Vec<usize>; 4] = Default::default();
    for batch in recorded_batches()? {
        for (sizes, bytes) in sizes.iter_mut().zip(weigh(&batch, &names)?) {
            sizes.push(bytes);
        }
    }
    println!("{} batches of {EVENTS} events of the recorded shop log", sizes[0].len());
    let figures = ["wire", "wire deflated", "JSON", "JSON gzipped"];
    for (name, sizes) in figures.into_iter().zip(sizes) {
        print_figure(&format!("bytes per event, recorded log: {name}"), median_per_event(sizes));
    }
    Ok(())
}

/// Bytes of a batch in the four forms.
fn weigh(batch: &Outgoing, names: &Names) -> Result<[usize; 4]> {
    let header = header(batch, names);
    let wire = encode_batch(&header, &batch.events.iter().collect::<Vec<_>>(), Some(names));
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
    deflate.write_all(wire.get(PREAMBLE_BYTES..).context("a batch has a preamble")?)?;
    let json = serde_json::to_vec(&as_json(&header, &batch.events))?;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&json)?;
    Ok([wire.len(), PREAMBLE_BYTES + deflate.finish()?.len(), json.len(), gzip.finish()?.len()])
}

#[expect(clippy::cast_precision_loss, reason = "some thousand bytes")]
fn median_per_event(mut sizes: Vec<usize>) -> f64 {
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).map_or(f64::NAN, |bytes| *bytes as f64 / EVENTS as f64)
}

/// The names that the shop's tracking plan lets a batch abbreviate.
fn shop_names() -> Result<Names> {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    let compiled = selvedge_compiler::compile(&site_files::read(&shop)?).program;
    Ok(compiled.context("the shop does not compile")?.full.plan.names())
}

/// Every batch of exactly [`EVENTS`] events: what one visitor did without a pause of half an hour.
fn recorded_batches() -> Result<Vec<Outgoing>> {
    let dataset = Dataset::named("ecom").context("the data set is known")?;
    let map = Map::parse(dataset.map)?;
    let mut recording = Recording::new(&map, map.time_format()?);
    let mut batches = Batches::new(BatchPolicy::fast(EVENTS));
    let mut leaving = Vec::new();
    for row in Rows::open(File::open(dataset.fetch(&cache_dir())?)?)? {
        if let Ok(recorded) = recording.event(&row?) {
            leaving.extend(batches.push(recorded));
        }
    }
    leaving.retain(|batch| batch.events.len() == EVENTS);
    Ok(leaving)
}

/// The header as the page writes it.
fn header(batch: &Outgoing, names: &Names) -> BatchHeader {
    let sent_at_ms = batch.events.last().map_or(0, |event| event.time_ms);
    let mut context = value::Map::new();
    context.set("device.class", value::Value::Text("desktop".into()));
    context.set("language", value::Value::Text("en-GB".into()));
    context.set("viewport.width", value::Value::Number(Number::Int(1_280)));
    BatchHeader {
        write_key: "wk_shop_browser".into(),
        visitor: batch.visitor,
        writer: batch.writer,
        sent_at_ms,
        skew_ms: -113,
        floor: batch.events.first().map_or(1, |event| event.sequence.get()),
        clock: Clock::Received,
        program: Some(ProgramHash([0x5e; 16])),
        dictionary: Some(names.number()),
        consent: vec![Snapshot {
            granted: Purposes(0xf),
            signal: Signals::API,
            policy_version: 1,
            time_ms: sent_at_ms,
            text_hash: 0,
            ..Snapshot::default()
        }],
        context,
        leases: Vec::new(),
        holder: 0,
    }
}

/// The same batch in the JSON form, without what is empty.
fn as_json(header: &BatchHeader, events: &[Event]) -> Value {
    json!({
        "write_key": header.write_key,
        "visitor": header.visitor.to_string(),
        "writer": header.writer.bits().to_string(),
        "sent_at": header.sent_at_ms,
        "skew_ms": header.skew_ms,
        "floor": header.floor,
        "program": header.program.map(|program| program.to_string()),
        "consent": header.consent.first().map(JsonSnapshot::from),
        "context": JsonMap(&header.context),
        "events": events.iter().map(event_as_json).collect::<Vec<_>>(),
    })
}

fn event_as_json(event: &Event) -> Value {
    let mut fields = json!({
        "sequence": event.sequence.get(),
        "type": event.event_type.as_str(),
        "name": event.name,
        "time": event.time_ms,
    });
    for (name, map) in [("properties", &event.properties), ("context", &event.context)] {
        if !map.is_empty() {
            fields[name] = json!(JsonMap(map));
        }
    }
    fields
}
