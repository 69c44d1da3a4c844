//! Whatever client sends it: no shape of personal data in what page views say of the page, nor where the plan wants it masked.

use crate::world::*;
use selvedge_core::event::EventType;
use selvedge_core::value::Value;
use selvedge_edge::ingest::{Trouble, step};
use selvedge_edge::publish::hash_of;
use selvedge_edge::site::Site;

const PERSONAL: &str = "https://shop.test/u/jane@shop.test/0171-1234567?c=4111111111111111";
const MASKED: &str = "https://shop.test/u/[email]/[phone]?c=[card]";

#[test]
fn other_clients_events_are_masked_before_they_are_kept() {
    let mut parts = parts();
    let report = parts.plan.events.iter_mut().find(|event| event.name == "report").unwrap();
    let mut note = report.properties[0].clone();
    (note.name, note.masked, note.one_of) = ("note".into(), true, Vec::new());
    report.properties.push(note);
    let bytes = parts.encode();
    let site = Site::load(&bytes, hash_of(&bytes), 1).unwrap();

    let mut page = event(1, "page");
    page.event_type = EventType::Page;
    let mut report = event(2, "report");
    for name in ["url", "note", "meant"] {
        page.properties.set(name, Value::Text(PERSONAL.into()));
        report.properties.set(name, Value::Text(PERSONAL.into()));
    }
    page.context.set("utm.term", Value::Text(PERSONAL.into()));
    let batch = batch(granted(), vec![Ok(page), Ok(report)]);
    let outcome = step(&site, None, batch, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap();
    let row = outcome.row.unwrap();
    let said = |at: usize, name: &str| row.events[at].event.properties.text(name).unwrap().to_owned();
    assert_eq!([said(0, "url"), said(0, "note"), said(0, "meant")], [MASKED, PERSONAL, PERSONAL]);
    assert_eq!([said(1, "url"), said(1, "note"), said(1, "meant")], [PERSONAL, MASKED, PERSONAL]);
    assert_eq!(row.events[0].event.context.text("utm.term"), Some(MASKED));
}
