//! Tables that are pushed: what a push may say, and what it leaves.

use crate::world::*;
use proptest::prelude::*;
use selvedge_core::wire::program::{ColumnKind, LookupCell, PushedTable};
use selvedge_edge::lookups::{Push, Table};

fn declared() -> PushedTable {
    let column = |name: &str, kind| (name.to_owned(), kind);
    let columns = vec![
        column("stock", ColumnKind::Number),
        column("name", ColumnKind::Text),
        column("sale", ColumnKind::Bool),
        column("since", ColumnKind::Time),
    ];
    PushedTable { name: "catalog".into(), table: Some(0), key: "sku".into(), columns, ttl_ms: Some(1_000) }
}

const WHOLE: &str =
    "name,sku,stock,colour,sale,since\nBoot,b,5,red,true,2026-11-20\n\"Cap, wide\",a,0.5,,,\n";

fn pushed(table: &Table, text: &str, is_whole: bool, now_ms: u64) -> Table {
    let push = Push::read(text.as_bytes(), &declared(), is_whole).unwrap();
    assert_eq!(Push::decode(&push.encode()).unwrap(), push);
    let next = table.after(push, now_ms).unwrap();
    assert_eq!(Table::decode(&next.encode()).unwrap(), next);
    next
}

#[test]
fn a_whole_table_is_read_from_csv_and_given_as_json_lines() {
    let table = pushed(&Table::default(), WHOLE, true, 7);
    let lines = "{\"sku\":\"a\",\"stock\":0.5,\"name\":\"Cap, wide\",\"sale\":null,\"since\":null}\n\
        {\"sku\":\"b\",\"stock\":5,\"name\":\"Boot\",\"sale\":true,\"since\":\"2026-11-20T00:00:00.000Z\"}\n";
    assert_eq!(table.lines("sku"), lines);
    assert_eq!(pushed(&Table::default(), lines, true, 7), table, "what is given can be pushed again");
}

#[test]
fn single_rows_leave_the_others_and_what_they_do_not_say() {
    let table = pushed(&Table::default(), WHOLE, true, 7);
    let table = pushed(&table, "{\"sku\":\"b\",\"stock\":0}\n{\"sku\":\"c\",\"name\":\"Sock\"}", false, 9);
    let rows: Vec<(&str, u64, &LookupCell, &LookupCell)> =
        table.rows.iter().map(|row| (&*row.key, row.time_ms, &row.cells[0], &row.cells[1])).collect();
    let text = |text: &str| LookupCell::Text(text.into());
    assert_eq!(
        rows,
        [
            ("a", 7, &LookupCell::Number(500_000), &text("Cap, wide")),
            ("b", 9, &LookupCell::Number(0), &text("Boot")),
            ("c", 9, &LookupCell::Missing, &text("Sock")),
        ]
    );
    let csv = pushed(&table, "sku,stock\na,1\n", false, 11);
    assert_eq!((csv.rows.len(), &csv.rows[0].cells[1]), (3, &text("Cap, wide")));
    let without = csv.after(Push::without("a", &declared()), 12).unwrap();
    assert_eq!(without.rows.iter().map(|row| &*row.key).collect::<Vec<_>>(), ["b", "c"]);
}

#[test]
fn a_program_gets_the_columns_that_it_knows_and_until_when_rows_are() {
    let table = pushed(&Table::default(), WHOLE, true, 7);
    let mut other = declared();
    other.columns.swap(0, 1);
    other.columns.push(("stock".into(), ColumnKind::Text));
    let rows = table.rows_of(&other);
    assert_eq!(rows[1].cells[0], LookupCell::Text("Boot".into()));
    assert_eq!(rows[1].cells[1], LookupCell::Number(5_000_000));
    assert_eq!(rows[1].cells[4], LookupCell::Missing, "a column of another type is another one");
    assert_eq!(rows[1].cells[5], LookupCell::Number(1_007));
    let kept = PushedTable { ttl_ms: None, ..declared() };
    assert_eq!(table.rows_of(&kept)[0].cells.len(), 4);
}

#[test]
fn a_push_that_is_wrong_anywhere_is_refused_as_a_whole() {
    for (text, whole, told) in [
        ("", true, "the body is empty"),
        ("sku,stock\na,1\n", true, "the header line has no column `name`"),
        ("stock\n1\n", false, "the header line has no column `sku`"),
        ("sku,stock\na,many\n", false, "row 2: `many` in `stock` is not a number"),
        ("sku,stock\na\n", false, "row 2 has 1 cells; the header line 2"),
        ("sku,stock\n,1\n", false, "row 2: the key `sku` has 0 bytes"),
        ("sku,stock\na,1\na,2\n", false, "the key `a` stands in two rows"),
        ("sku,sale\na,maybe\n", false, "row 2: `maybe` in `sale` is not `true` or `false`"),
        ("{\"sku\":\"a\"}\n{sku}", false, "line 2 is no JSON object"),
        ("{\"sku\":\"a\",\"stock\":[1]}", false, "row 1: `the value` in `stock` is not a number"),
        ("{\"sku\":\"a\",\"name\":1}", false, "row 1: `the value` in `name` is not a text"),
        ("{\"stock\":1}", false, "row 1: the key `sku` has 0 bytes"),
        ("sku,stock\n\"a", false, "row 2: a quote that is never closed"),
    ] {
        let fault = Push::read(text.as_bytes(), &declared(), whole).unwrap_err();
        assert_eq!((fault.status, fault.code), (422, "bad_lookup"), "{text}");
        assert!(fault.message.starts_with(told), "{text}: {}", fault.message);
    }
    let fault = Push::read(&[0xff], &declared(), true).unwrap_err();
    assert_eq!(fault.code, "bad_lookup");
}

#[test]
fn a_table_has_no_more_rows_than_it_may() {
    let rows = |from: u32, count: u32| -> String {
        (from..from + count).map(|at| format!("{{\"sku\":\"{at}\"}}\n")).collect()
    };
    let full = pushed(&Table::default(), &rows(0, 20_000), false, 1);
    let push = Push::read(rows(20_000, 1).as_bytes(), &declared(), false).unwrap();
    assert_eq!(full.after(push, 2).unwrap_err().code, "lookup_too_large");
    assert_eq!(Push::read(rows(0, 20_001).as_bytes(), &declared(), true).unwrap_err().status, 413);
    assert_eq!(pushed(&full, &rows(5, 3), false, 2).rows.len(), 20_000);
}

proptest! {
    #[test]
    fn any_text_is_a_push_or_refused(text in "(\\{|sku,stock\n)?.{0,80}(\n.{0,80}){0,3}", whole: bool) {
        let _ = Push::read(text.as_bytes(), &declared(), whole);
    }

    #[test]
    fn any_bytes_are_a_table_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Table::decode(&bytes);
        let _ = Push::decode(&bytes);
    }
}

#[test]
fn the_log_names_the_versions_that_decided() {
    let mut site = site();
    site.lookups = vec![("catalog".into(), 7)];
    let batch = batch(granted(), vec![Ok(event(1, "product_view"))]);
    let trouble = selvedge_edge::ingest::Trouble::default();
    let outcome =
        selvedge_edge::ingest::step(&site, None, batch, &arrival(), &trouble, &mut Heard::default()).unwrap();
    let row = outcome.row.unwrap();
    assert_eq!(row.lookups, [("catalog".to_owned(), 7)]);
    let line = selvedge_edge::log_line::render(&row, &row.events[0], "c");
    assert!(line.contains("\"publish\":1,\"lookups\":{\"catalog\":7},"), "{line}");
}
