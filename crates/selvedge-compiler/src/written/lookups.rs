//! Lookups: tables of CSV files of the site, or whose rows are pushed to the edge, by a key. The types of the columns are
//! written, or read off the cells of a file.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::literal;
use crate::source::Files;
use crate::suggest::did_you_mean;
use crate::written::csv::{Table, read_table};
use crate::written::entries::named;
use crate::written::stretch::duration;
use crate::yaml::{Entry, Node};
use selvedge_core::limits::{LOOKUP_COLUMNS_MAX, PUSHED_TABLES_MAX, STATE_TEXT_BYTES_MAX};
pub(crate) use selvedge_core::wire::program::ColumnKind;
use selvedge_core::wire::program::{LookupCell, LookupRow};

/// A table, read: its rows sorted by key.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub name: String,
    /// The column that rows are found by.
    pub key: String,
    pub columns: Vec<Column>,
    /// The rows; none, where they are pushed.
    pub rows: Vec<LookupRow>,
    /// How they are pushed, where they are.
    pub push: Option<Push>,
}

/// How the rows of a table are pushed.
#[derive(Debug)]
pub(crate) struct Push {
    /// How long a row is known, where it is not kept.
    pub ttl_ms: Option<u64>,
}

impl Lookup {
    /// Whether each row says until when it is known.
    pub fn is_dated(&self) -> bool {
        self.push.as_ref().is_some_and(|push| push.ttl_ms.is_some())
    }
}

/// A column and what its cells are.
#[derive(Debug)]
pub(crate) struct Column {
    pub name: String,
    pub kind: ColumnKind,
}

const KINDS: [(&str, ColumnKind); 5] = [
    ("text", ColumnKind::Text),
    ("number", ColumnKind::Number),
    ("money", ColumnKind::Money),
    ("bool", ColumnKind::Bool),
    ("time", ColumnKind::Time),
];

/// Reads `lookups`.
pub(super) fn read_lookups(node: Option<&Node>, files: &Files<'_>, report: &mut Report) -> Vec<Lookup> {
    let lookups = named(node, |entry, report| read_lookup(entry, files, report), report);
    let pushed = lookups.iter().filter(|lookup| lookup.push.is_some()).count();
    if let Some(node) = node.filter(|_| pushed > PUSHED_TABLES_MAX) {
        report.add(Code::E0016, node.span, format!("{pushed} pushed tables; at most {PUSHED_TABLES_MAX}"));
    }
    lookups
}

fn read_lookup(entry: &Entry, files: &Files<'_>, report: &mut Report) -> Option<Lookup> {
    fields::name(&entry.key, entry.key_span, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let key = fields.required("key").and_then(|node| fields::text(node, report));
    let from = fields.required("from").and_then(|node| fields::text(node, report));
    let ttl = fields.optional("ttl");
    let if_stale = fields.optional("if_stale");
    let columns = fields.optional("columns");
    let kinds = named(
        columns,
        |entry, report| {
            let kind = fields::word(&entry.value, &KINDS, &[], report)?;
            Some((Spanned { value: entry.key.clone(), span: entry.key_span }, kind))
        },
        report,
    );
    fields.finish(&[], report);
    let (key, from) = (key?, from?);
    if from.value == "push" {
        let ttl_ms = read_ttl(ttl, if_stale, report);
        return pushed(&entry.key, key, kinds, ttl_ms, report);
    }
    let Some(file) = from.value.strip_prefix("csv ") else {
        let message = format!("a lookup cannot come from `{}`", from.value);
        let help = "write `from: csv catalog.csv`, the name of a file beside site.yaml, or `from: push`";
        report.add_help(Code::E0720, from.span, message, help.to_owned());
        return None;
    };
    if let Some(node) = ttl.or(if_stale) {
        let message = "a CSV file is as old as the publish that it came with".to_owned();
        let help = "leave it out, or push the rows: `from: push`".to_owned();
        report.add_help(Code::E0720, node.span, message, help);
    }
    let file = Spanned { value: file.trim().to_owned(), span: from.span };
    let table = read_table(&file, files, report)?;
    typed(&entry.key, table, &key, &kinds, report)
}

/// How long a row is known: `ttl`, unless `if_stale: keep`.
fn read_ttl(ttl: Option<&Node>, if_stale: Option<&Node>, report: &mut Report) -> Option<u64> {
    const IF_STALE: [(&str, bool); 2] = [("unknown", false), ("keep", true)];
    let keeps = if_stale.and_then(|node| fields::word(node, &IF_STALE, &[], report)).unwrap_or(false);
    let ttl_ms = ttl.and_then(|node| duration(node, literal::DURATION_MS_MAX, report));
    ttl_ms.filter(|_| !keeps)
}

/// A table whose rows are pushed: its columns are those that are written.
fn pushed(
    name: &str,
    key: Spanned<String>,
    kinds: Vec<(Spanned<String>, ColumnKind)>,
    ttl_ms: Option<u64>,
    report: &mut Report,
) -> Option<Lookup> {
    /// One is left for what says until when a row is known.
    const COLUMNS_MAX: usize = LOOKUP_COLUMNS_MAX - 1;
    let kinds: Vec<_> = kinds.into_iter().filter(|(column, _)| column.value != key.value).collect();
    let message = match kinds.len() {
        0 => format!("`{name}` does not say which columns are pushed"),
        count if count > COLUMNS_MAX => format!("{count} columns; at most {COLUMNS_MAX}"),
        _ => {
            let columns = kinds.into_iter().map(|(column, kind)| Column { name: column.value, kind });
            let (columns, push) = (columns.collect(), Some(Push { ttl_ms }));
            let (name, key) = (name.to_owned(), key.value);
            return Some(Lookup { name, key, columns, rows: Vec::new(), push });
        }
    };
    let help = "write for example `columns: {stock: number, price: money}`".to_owned();
    report.add_help(Code::E0720, key.span, message, help);
    None
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
            let value = LookupCell::read(text, column.kind);
            if value.is_none() {
                let message =
                    format!("row {line}: `{text}` in `{}` is not {}", column.name, column.kind.form());
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
    Some(Lookup { name: name.to_owned(), key: key.value.clone(), columns, rows, push: None })
}

/// What all of the cells are that hold anything.
fn kind_of<'a>(cells: impl Iterator<Item = &'a str>) -> ColumnKind {
    let cells: Vec<&str> = cells.filter(|cell| !cell.is_empty()).collect();
    let are = |kind| cells.iter().all(|text| LookupCell::read(text, kind).is_some());
    let kinds = [ColumnKind::Bool, ColumnKind::Number];
    kinds.into_iter().find(|kind| !cells.is_empty() && are(*kind)).unwrap_or(ColumnKind::Text)
}
