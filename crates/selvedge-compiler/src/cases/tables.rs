//! `lookups` under `given`: the rows that tables have in a case.

use super::GivenTable;
use super::reading::Reading;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields;
use crate::suggest::did_you_mean;
use crate::written::lookups::{Column, Lookup};
use crate::yaml::{Entry, Node, Value as Yaml};
use selvedge_core::wire::program::{LookupCell, LookupRow};

/// The key under `given`.
pub(super) const KEY: &str = "lookups";

/// Reads the tables: by name, their rows.
pub(super) fn read_tables(node: &Node, reading: &Reading<'_>, report: &mut Report) -> Vec<GivenTable> {
    let entries = fields::map(node, report).map(|map| map.entries.as_slice()).unwrap_or_default();
    entries.iter().filter_map(|entry| table(entry, reading, report)).collect()
}

fn table(entry: &Entry, reading: &Reading<'_>, report: &mut Report) -> Option<GivenTable> {
    let Some(lookup) = reading.lookups().iter().find(|lookup| lookup.name == entry.key) else {
        let known = reading.lookups().iter().map(|lookup| lookup.name.as_str());
        let help = did_you_mean(&entry.key, known);
        report.add_help(Code::E0234, entry.key_span, format!("there is no lookup `{}`", entry.key), help);
        return None;
    };
    let items = fields::list(&entry.value, report)?;
    let mut rows: Vec<LookupRow> = items.iter().filter_map(|item| row(item, lookup, report)).collect();
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    if let Some(twice) = rows.windows(2).find(|pair| pair[0].key == pair[1].key) {
        let message = format!("the key `{}` stands in two rows", twice[0].key);
        report.add(Code::E0501, entry.key_span, message);
        return None;
    }
    Some(GivenTable { name: lookup.name.clone(), rows })
}

fn row(node: &Node, lookup: &Lookup, report: &mut Report) -> Option<LookupRow> {
    let map = fields::map(node, report)?;
    let mut key = String::new();
    let mut cells = vec![LookupCell::Missing; lookup.columns.len()];
    for entry in &map.entries {
        let Yaml::Scalar(scalar) = &entry.value.value else {
            report.add(Code::E0501, entry.value.span, format!("`{}` is no value of a cell", entry.key));
            continue;
        };
        if entry.key == lookup.key {
            key.clone_from(&scalar.text);
            continue;
        }
        let Some(at) = lookup.columns.iter().position(|column| column.name == entry.key) else {
            let message = format!("`{}` has no column `{}`", lookup.name, entry.key);
            let known = lookup.columns.iter().map(|column| column.name.as_str()).chain([lookup.key.as_str()]);
            report.add_help(Code::E0234, entry.key_span, message, did_you_mean(&entry.key, known));
            continue;
        };
        let Column { name, kind } = &lookup.columns[at];
        match LookupCell::read(&scalar.text, *kind) {
            Some(cell) => cells[at] = cell,
            None => {
                let message = format!("`{}` in `{name}` is not {}", scalar.text, kind.form());
                report.add(Code::E0501, entry.value.span, message);
            }
        }
    }
    if key.is_empty() {
        report.add(Code::E0501, node.span, format!("a row of `{}` has a key `{}`", lookup.name, lookup.key));
        return None;
    }
    Some(LookupRow { key, cells })
}
