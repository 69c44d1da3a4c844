//! Any bytes, read as the JSON form of a batch: nothing panics, and what was read can be written as wire v1 and is read
//! again as it was, so that both forms hold the same bounds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_core::event::Batch;
use selvedge_core::tracking_plan::Plan;
use selvedge_core::wire::names::Names;
use selvedge_edge::ingest::json;
use selvedge_fuzz::{batch_comes_back, plan};
use std::sync::LazyLock;

static PLAN: LazyLock<Plan> = LazyLock::new(plan);
static NAMES: LazyLock<Names> = LazyLock::new(|| PLAN.names());

fuzz_target!(|bytes: &[u8]| {
    let _ = json::address(bytes);
    if let Ok(read) = json::read(bytes, "shop") {
        let events = read.events.into_iter().map(|sent| sent.read).collect();
        let batch = Batch { header: read.header, events };
        batch_comes_back(&batch, &PLAN, &NAMES);
    }
});
