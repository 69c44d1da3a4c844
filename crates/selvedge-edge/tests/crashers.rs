//! Inputs that once broke a law: each file stays, and the law holds.

use selvedge_core::wire::batch::encode_batch;
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_edge::ingest::json;
use std::path::PathBuf;

/// What is read from JSON can be written as wire v1: both forms hold the same bounds.
#[test]
fn what_json_takes_the_wire_takes() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/crashers/json_batch");
    let mut files = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        files += 1;
        let Ok(batch) = json::read(&std::fs::read(&file).unwrap(), "shop") else {
            continue;
        };
        let events: Vec<_> = batch.events.iter().filter_map(|event| event.read.as_ref().ok()).collect();
        let bytes = encode_batch(&batch.header, &events, None);
        let again = decode_batch(open(&bytes).unwrap().sections, None);
        assert_eq!(again.map(|again| again.header), Ok(batch.header), "{}", file.display());
    }
    assert!(files > 0, "the folder holds the files");
}
