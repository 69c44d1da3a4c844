//! Any bytes, read as each form of the wire that comes from outside or from storage: nothing panics, both readers of an
//! event agree, and what was read can be written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_core::consent::Snapshot;
use selvedge_core::event::{BatchHeader, Clock};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::tracking_plan::Plan;
use selvedge_core::value::Map;
use selvedge_core::wire::answer::read_answer;
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::names::Names;
use selvedge_fuzz::{batch_comes_back, plan, readers_agree};
use std::sync::LazyLock;

static PLAN: LazyLock<Plan> = LazyLock::new(plan);
static NAMES: LazyLock<Names> = LazyLock::new(|| PLAN.names());
static HEADER: LazyLock<BatchHeader> = LazyLock::new(|| BatchHeader {
    write_key: "wk".into(),
    visitor: VisitorId([0; 16]),
    writer: WriterId::from_bits(1),
    sent_at_ms: 1_795_345_200_123,
    skew_ms: 0,
    floor: 1,
    clock: Clock::Received,
    program: None,
    dictionary: Some(NAMES.number()),
    consent: vec![Snapshot::default()],
    context: Map::new(),
    leases: vec![],
    holder: 0,
});

fuzz_target!(|bytes: &[u8]| {
    readers_agree(bytes, &HEADER, &NAMES);
    if let Ok(container) = open(bytes) {
        if let Ok(batch) = decode_batch(container.sections, Some(&NAMES)) {
            batch_comes_back(&batch, &PLAN, &NAMES);
        }
    }
    if let Ok(answer) = read_answer(bytes) {
        let written = answer.encode().expect("an answer can be written");
        assert_eq!(read_answer(&written), Ok(answer));
    }
    if let Ok(row) = LogRow::decode(bytes) {
        let written = row.encode().expect("a row can be written");
        assert_eq!(LogRow::decode(&written), Ok(row));
    }
});
