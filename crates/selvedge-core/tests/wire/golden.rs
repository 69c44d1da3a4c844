//! Golden files in tests/fixtures/wire: bytes of version 1 that may never change once it is released. They are written
//! anew only with `SELVEDGE_WRITE_GOLDEN=1`.

use crate::{oracle, sample};
use selvedge_core::event::BatchHeader;
use selvedge_core::wire::answer::read_answer;
use selvedge_core::wire::batch::{encode_batch, encode_event, read_event};
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::names::Names;
use std::fmt::Write;
use std::path::PathBuf;

/// The bytes of the golden file `name`, after it was compared with `bytes`.
fn golden(name: &str, bytes: &[u8]) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/wire");
    let file = folder.join(name).with_extension("hex");
    if std::env::var_os("SELVEDGE_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&file, to_hex(bytes)).unwrap();
    }
    let kept = from_hex(&std::fs::read_to_string(&file).unwrap());
    assert_eq!(kept, bytes, "{} is no longer what is written", file.display());
    kept
}

fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.chunks(32) {
        line.iter().for_each(|byte| write!(text, "{byte:02x}").unwrap());
        text.push('\n');
    }
    text
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn batch_is_golden(name: &str, names: Option<&Names>) {
    let (header, events) = (sample::header(), sample::events());
    let borrowed: Vec<_> = events.iter().collect();
    let by_hand = golden(name, &encode_batch(&header, &borrowed, names));
    assert_eq!(by_hand, oracle::batch(&header, &borrowed, names), "by hand = by postcard");

    let container = open(&by_hand).unwrap();
    assert!(!container.deflated);
    let batch = decode_batch(container.sections, names).unwrap();
    assert_eq!(batch.header, BatchHeader { dictionary: names.map(Names::number), ..header });
    assert_eq!(batch.events, events.into_iter().map(Ok).collect::<Vec<_>>());
}

#[test]
fn a_batch_with_names_spelled_out() {
    batch_is_golden("batch_spelled", None);
}

#[test]
fn a_batch_with_names_abbreviated() {
    batch_is_golden("batch_abbreviated", Some(&sample::plan().names()));
}

#[test]
fn an_event_as_a_queue_stores_it() {
    let event = sample::events().remove(0);
    let bytes = golden("event_stored", &encode_event(&event, 0, None));
    assert_eq!(read_event(&bytes, 0, None), Ok(event));
}

#[test]
fn an_answer() {
    let answer = sample::answer();
    let by_postcard = golden("answer", &answer.encode().unwrap());
    assert_eq!(read_answer(&by_postcard), Ok(answer));
}

#[test]
fn a_log_row() {
    let row = sample::log_row();
    let bytes = golden("log_row", &row.encode().unwrap());
    assert_eq!(LogRow::decode(&bytes), Ok(row));
}

#[test]
fn a_dictionary() {
    let names = sample::plan().names();
    let mut text: String = names.iter().flat_map(|name| [name, "\n"]).collect();
    writeln!(text, "{:016x}", names.number()).unwrap();
    golden("dictionary", text.as_bytes());
    assert_eq!(names.number(), sample::plan().dictionary());
}

#[test]
fn a_name_of_the_dictionary_takes_one_byte() {
    let event = sample::events().remove(0);
    let spelled = encode_event(&event, sample::SENT_AT_MS, None);
    let abbreviated = encode_event(&event, sample::SENT_AT_MS, Some(&sample::plan().names()));
    let known = ["product_view", "sku", "price", "order_id", "place", "category"];
    let saved: usize = known.iter().map(|name| name.len() + 1).sum();
    assert_eq!(spelled.len() - abbreviated.len(), saved);
}
