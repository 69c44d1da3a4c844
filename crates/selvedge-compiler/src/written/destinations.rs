//! `destinations` of site.yaml: where rules send messages, and what they may be used for there.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Later, NameKind, Spanned};
use crate::written::entries::{name_of, named};
use crate::written::plan::purpose;
use crate::yaml::{Entry, Node};
use selvedge_core::consent::Purposes;

/// A destination as written.
#[derive(Debug)]
pub(crate) struct Destination {
    pub name: Spanned<String>,
    pub purposes: Purposes,
}

const WAYS: [(&str, ()); 4] = [("http", ()), ("kafka", ()), ("queue", ()), ("log", ())];

const IN_LOG: &str = "read the log: each message is a line of kind `emit` that names its destination";

const LATER: [Later; 4] = [("url", IN_LOG), ("topic", IN_LOG), ("queue", IN_LOG), ("secret", IN_LOG)];

/// Reads the destinations.
pub(super) fn read_destinations(node: Option<&Node>, report: &mut Report) -> Vec<Destination> {
    named(node, read_destination, report)
}

fn read_destination(entry: &Entry, report: &mut Report) -> Option<Destination> {
    let name = name_of(entry, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let way = fields.required("type", report).and_then(|node| fields::word(node, &WAYS, &[], report));
    let purposes = fields.required("purposes", report);
    fields.finish(&LATER, report);
    let purposes = purposes.map(|node| read_purposes(node, report));
    way.and(purposes).map(|purposes| Destination { name, purposes })
}

fn read_purposes(node: &Node, report: &mut Report) -> Purposes {
    let items = fields::items(node);
    if items.is_empty() {
        report.add(Code::E0006, node.span, "a destination without a purpose could never be told anything");
    }
    let named = items.iter().filter_map(|item| purpose(item, report));
    named.fold(Purposes::NONE, Purposes::or)
}
