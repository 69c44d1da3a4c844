//! Lists of texts that conditions look things up in: written out, or a column of a CSV file of the site.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind};
use crate::source::{Files, Span};
use crate::suggest::did_you_mean;
use crate::written::csv::{Table, read_table};
use crate::written::entries::named;
use crate::yaml::{Entry, Node, Value};
use selvedge_core::limits::TEXTS_MAX;

/// A list, read.
#[derive(Debug)]
pub(crate) struct List {
    pub name: String,
    pub texts: Vec<String>,
}

/// Reads `lists`.
pub(super) fn read_lists(node: Option<&Node>, files: &Files<'_>, report: &mut Report) -> Vec<List> {
    named(node, |entry, report| read_list(entry, files, report), report)
}

fn read_list(entry: &Entry, files: &Files<'_>, report: &mut Report) -> Option<List> {
    fields::name(&entry.key, entry.key_span, NameKind::Dotted, report);
    let texts = match &entry.value.value {
        Value::Map(_) => read_file(&entry.value, files, report)?,
        _ => {
            let items = fields::list(&entry.value, report)?;
            items.iter().filter_map(|item| Some(fields::text(item, report)?.value)).collect()
        }
    };
    check_size(texts.len(), entry.key_span, report);
    Some(List { name: entry.key.clone(), texts })
}

fn check_size(count: usize, span: Span, report: &mut Report) {
    if count == 0 {
        report.add(Code::E0006, span, "the list is empty, so that nothing is ever in it");
    } else if count > TEXTS_MAX {
        let message = format!("the list has {count} texts; at most {TEXTS_MAX}");
        report.add(Code::E0016, span, message);
    }
}

/// `{csv: file, column: name}`: the column, or the first.
fn read_file(node: &Node, files: &Files<'_>, report: &mut Report) -> Option<Vec<String>> {
    let mut fields = Fields::of(node, report)?;
    let file = fields.required("csv").and_then(|node| fields::text(node, report));
    let column = fields.optional("column").and_then(|node| fields::text(node, report));
    fields.finish(&[], report);
    let file = file?;
    let Table { columns, rows } = read_table(&file, files, report)?;
    let at = match &column {
        None => 0,
        Some(column) => match columns.iter().position(|known| *known == column.value) {
            Some(at) => at,
            None => {
                let message = format!("`{}` has no column `{}`", file.value, column.value);
                let help = did_you_mean(&column.value, columns.iter().map(String::as_str));
                report.add_help(Code::E0430, column.span, message, help);
                return None;
            }
        },
    };
    let mut texts: Vec<String> =
        rows.into_iter().filter_map(|mut row| Some(std::mem::take(row.get_mut(at)?))).collect();
    texts.retain(|text| !text.is_empty());
    Some(texts)
}
