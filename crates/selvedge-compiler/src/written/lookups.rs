//! Lookups: tables of CSV files of the site, by a key. The types of the columns are written, or read off the cells.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, Later, NameKind, Spanned};
use crate::literal::micro;
use crate::source::Files;
use crate::suggest::did_you_mean;
use crate::written::csv::{Table, read_table};
use crate::written::entries::named;
use crate::yaml::Entry;
use selvedge_core::date::time_ms;
use selvedge_core::limits::{LOOKUP_COLUMNS_MAX, STATE_TEXT_BYTES_MAX};
use selvedge_core::wire::program::{LookupCell, LookupRow};

/// A table, read: its rows sorted by key.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub name: String,
    pub columns: Vec<Column>,
    pub rows: Vec<LookupRow>,
}

/// A column and what its cells are.
#[derive(Debug)]
pub(crate) struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnKind {
    Text,
    Number,
    Money,
    Bool,
    Time,
}

const KINDS: [(&str, ColumnKind); 5] = [
    ("text", ColumnKind::Text),
    ("number", ColumnKind::Number),
    ("money", ColumnKind::Money),
    ("bool", ColumnKind::Bool),
    ("time", ColumnKind::Time),
];

/// Reads `lookups`.
pub(super) fn read_lookups(
    node: Option<&crate::yaml::Node>,
    files: &Files<'_>,
    report: &mut Report,
) -> Vec<Lookup> {
    named(node, |entry, report| read_lookup(entry, files, report), report)
}

fn read_lookup(entry: &Entry, files: &Files<'_>, report: &mut Report) -> Option<Lookup> {
    const LATER: [Later; 2] = [
        ("ttl", "a CSV file is as old as the publish that it came with: publish it anew"),
        ("if_stale", "a CSV file is as old as the publish that it came with: publish it anew"),
    ];
    fields::name(&entry.key, entry.key_span, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let key = fields.required("key", report).and_then(|node| fields::text(node, report));
    let from = fields.required("from", report).and_then(|node| fields::text(node, report));
    let columns = fields.optional("columns");
    let kinds = named(
        columns,
        |entry, report| {
            let kind = fields::word(&entry.value, &KINDS, &[], report)?;
            Some((Spanned { value: entry.key.clone(), span: entry.key_span }, kind))
        },
        report,
    );
    fields.finish(&LATER, report);
    let (key, from) = (key?, from?);
    let Some(file) = from.value.strip_prefix("csv ") else {
        let what = format!("`from: {}`", from.value);
        let help = "write `from: csv catalog.csv`, the name of a file beside site.yaml";
        fields::not_supported(&what, help, from.span, report);
        return None;
    };
    let file = Spanned { value: file.trim().to_owned(), span: from.span };
    let table = read_table(&file, files, report)?;
    typed(&entry.key, table, &key, &kinds, report)
}

fn typed(
    name: &str,
    table: Table,
    key: &Spanned<String>,
    kinds: &[(Spanned<String>, ColumnKind)],
    report: &mut Report,
) -> Option<Lookup> {
    for column in std::iter::once(key).chain(kinds.iter().map(|(name, _)| name)) {
        if !table.columns.contains(&column.value) {
            let message = format!("the file has no column `{}`", column.value);
            let help = did_you_mean(&column.value, table.columns.iter().map(String::as_str));
            report.add_help(Code::E0430, column.span, message, help);
            return None;
        }
    }
    let key_at = table.columns.iter().position(|column| *column == key.value)?;
    let others: Vec<usize> = (0..table.columns.len()).filter(|at| *at != key_at).collect();
    if others.len() > LOOKUP_COLUMNS_MAX {
        let message = format!("the file has {} columns; at most {LOOKUP_COLUMNS_MAX}", others.len());
        report.add(Code::E0430, key.span, message);
        return None;
    }
    let columns: Vec<Column> = others
        .iter()
        .map(|at| {
            let name = table.columns[*at].clone();
            let written = kinds.iter().find(|(known, _)| known.value == name).map(|(_, kind)| *kind);
            let kind = written.unwrap_or_else(|| kind_of(table.rows.iter().map(|row| row[*at].as_str())));
            Column { name, kind }
        })
        .collect();
    let mut rows = Vec::new();
    for (line, row) in (2..).zip(&table.rows) {
        let key_text = row[key_at].clone();
        if key_text.is_empty() || key_text.len() > STATE_TEXT_BYTES_MAX {
            let message =
                format!("row {line}: the key has {} bytes; 1 to {STATE_TEXT_BYTES_MAX}", key_text.len());
            report.add(Code::E0430, key.span, message);
            return None;
        }
        let cells = others.iter().zip(&columns).map(|(at, column)| {
            let text = row[*at].as_str();
            let value = cell(text, column.kind);
            if value.is_none() {
                let message =
                    format!("row {line}: `{text}` in `{}` is not {}", column.name, form(column.kind));
                report.add(Code::E0430, key.span, message);
            }
            value
        });
        rows.push(LookupRow { cells: cells.collect::<Option<_>>()?, key: key_text });
    }
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    if let Some(twice) = rows.windows(2).find(|pair| pair[0].key == pair[1].key) {
        report.add(Code::E0430, key.span, format!("the key `{}` stands in two rows", twice[0].key));
        return None;
    }
    Some(Lookup { name: name.to_owned(), columns, rows })
}

/// What all of the cells are that hold anything.
fn kind_of<'a>(cells: impl Iterator<Item = &'a str>) -> ColumnKind {
    let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    let are = |kind| cells.iter().all(|text| cell(text, kind).is_some());
    let kinds = [ColumnKind::Bool, ColumnKind::Number];
    kinds.into_iter().find(|kind| !cells.is_empty() && are(*kind)).unwrap_or(ColumnKind::Text)
}

fn cell(text: &str, kind: ColumnKind) -> Option<LookupCell> {
    if text.is_empty() {
        return Some(LookupCell::Missing);
    }
    Some(match kind {
        ColumnKind::Text => LookupCell::Text(text.to_owned()),
        ColumnKind::Number | ColumnKind::Money => LookupCell::Number(micro(text)?),
        ColumnKind::Time => LookupCell::Number(time_ms(text)?),
        ColumnKind::Bool => match text {
            "true" | "yes" => LookupCell::Number(1),
            "false" | "no" => LookupCell::Number(0),
            _ => return None,
        },
    })
}

const fn form(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Text => "a text",
        ColumnKind::Number | ColumnKind::Money => "a number with at most six decimals",
        ColumnKind::Bool => "`true` or `false`",
        ColumnKind::Time => "a day or a moment",
    }
}
