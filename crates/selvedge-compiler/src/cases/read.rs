//! Every file under tests/: its cases, checked against the site that they are about.

use super::Case;
use super::events::{read_events, read_given};
use super::expects::read_expects;
use super::moment::is_civil;
use super::reading::Reading;
use super::tables::{self, read_tables};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Spanned};
use crate::resolved::Site;
use crate::source::Files;
use crate::written::plan::purpose;
use crate::yaml::{self, Node};
use selvedge_core::consent::Purposes;

/// Where the tests of a site are.
const FOLDER: &str = "tests/";

/// Reads the cases of all files under tests/, in the order of their names.
pub(crate) fn read(files: &Files<'_>, site: &Site, report: &mut Report) -> Vec<Case> {
    let reading = Reading::new(files, site);
    let mut cases = Vec::new();
    for name in files.names().filter(|name| name.starts_with(FOLDER)) {
        let Some(file) = files.find(name) else { continue };
        let root = yaml::parse_whole(file, files.text(file), report);
        let items = root.as_ref().and_then(|root| fields::list(root, report)).unwrap_or_default();
        cases.extend(items.iter().filter_map(|item| case(item, &reading, report)));
    }
    cases
}

fn case(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Option<Case> {
    let mut fields = Fields::of(node, report)?;
    let name = fields.required("name").and_then(|node| fields::text(node, report));
    let now = fields.optional("now").and_then(|node| now(node, report));
    let consent = fields.optional("consent").map(|node| consent(node, report));
    let given = fields.optional("given");
    let tables = given.and_then(tables_of).map(|node| read_tables(node, reading, report));
    let given = given.map(|node| read_given(node, reading, report));
    let events = fields.optional("events").map(|node| read_events(node, reading, report));
    let expects = fields.required("expect").map(|node| read_expects(node, reading, report));
    fields.finish(&[], report);
    let Spanned { value: name, span } = name?;
    Some(Case {
        name,
        place: reading.place(span),
        now,
        consent,
        given: given.unwrap_or_default(),
        tables: tables.unwrap_or_default(),
        events: events.unwrap_or_default(),
        expects: expects.unwrap_or_default(),
    })
}

/// `lookups` under `given`.
fn tables_of(given: &Node) -> Option<&Node> {
    let yaml::Value::Map(map) = &given.value else { return None };
    map.entries.iter().find(|entry| entry.key == tables::KEY).map(|entry| &entry.value)
}

fn now(node: &Node, report: &mut Report) -> Option<String> {
    let text = fields::text(node, report)?;
    if !is_civil(&text.value) {
        let message = format!("`{}` is not a day and a time", text.value);
        report.add_help(Code::E0505, text.span, message, "write for example `2026-03-29T01:30`".to_owned());
        return None;
    }
    Some(text.value)
}

/// A list of purposes, or `none`.
fn consent(node: &Node, report: &mut Report) -> Purposes {
    let items = fields::items(node);
    let is_none = |node: &Node| matches!(&node.value, yaml::Value::Scalar(scalar) if scalar.text == "none");
    if items.len() == 1 && is_none(&items[0]) {
        return Purposes::NONE;
    }
    let named: Vec<Purposes> = items.iter().filter_map(|item| purpose(item, report)).collect();
    named.into_iter().fold(Purposes::NONE, Purposes::or)
}
