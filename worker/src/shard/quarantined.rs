//! The quarantine's table: an entry a row, each one JSON object. Bounded in number and in time; what is given up is counted
//! by who asks for it, in the transaction that gives it up.

use super::frames::{Frame, Frames, Page};
use crate::sql;
use selvedge_core::id::VisitorId;
use selvedge_edge::metrics::{DRIFT_MAX, Drift};
use selvedge_edge::quarantine::{Group, Selection, groups::GROUPS_MAX};
use serde::{Deserialize, Serialize};
use worker::{SqlStorage, SqlStorageValue};

/// Rows of one page.
const PAGE_ROWS: u64 = 256;
/// Rows that it holds; the oldest are given up.
const ROWS_MAX: u64 = 10_000;
/// It is brought down to its bound by so many rows at once.
const SLACK_ROWS: u64 = 256;
/// The oldest rows that are looked at for whether their time is over.
const EXPIRE_ROWS: u64 = 256;

/// Which entries of a shard are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Meant {
    /// The site.
    pub site: String,
    /// Its publish, as the worker knows it.
    pub publish: u64,
    /// How long entries are kept.
    pub keep_ms: u64,
    /// Those behind this row.
    pub after: u64,
    /// At most so many; a page of its own size where it is 0.
    pub limit: u64,
    /// These rows alone.
    pub rows: Option<Vec<u64>>,
    /// What they have in common.
    pub selection: Selection,
}

/// Adds an entry.
pub fn insert(sql: &SqlStorage, visitor: VisitorId, line: &str) -> worker::Result<()> {
    let statement = "INSERT INTO quarantine(visitor, body) VALUES (?, ?)";
    sql::run(sql, statement, vec![sql::of_bytes(visitor.0), line.into()])
}

/// Whether there is an entry of the visitor with this fingerprint.
pub fn holds(sql: &SqlStorage, visitor: VisitorId, fingerprint: u64) -> worker::Result<bool> {
    let statement =
        "SELECT 1 FROM quarantine WHERE visitor = ? AND json_extract(body, '$.fingerprint') = ? LIMIT 1";
    Ok(sql::first(sql, statement, vec![sql::of_bytes(visitor.0), sql::of_number(fingerprint)])?.is_some())
}

/// Puts another line in the place of an entry's.
pub fn replace(sql: &SqlStorage, row: u64, line: &str) -> worker::Result<()> {
    sql::run(sql, "UPDATE quarantine SET body = ? WHERE seq = ?", vec![line.into(), sql::of_number(row)])
}

/// Removes an entry.
pub fn remove(sql: &SqlStorage, row: u64) -> worker::Result<()> {
    sql::run(sql, "DELETE FROM quarantine WHERE seq = ?", vec![sql::of_number(row)])
}

/// An entry's visitor and line.
pub fn entry(sql: &SqlStorage, row: u64) -> worker::Result<Option<(VisitorId, String)>> {
    let statement = "SELECT visitor, body FROM quarantine WHERE seq = ?";
    let row = crate::host::row(sql, &statement.into(), vec![sql::of_number(row)])?;
    Ok(row.map(|row| {
        let mut values = row.into_iter();
        let visitor = VisitorId(sql::blob(values.next()).try_into().unwrap_or_default());
        (visitor, sql::text(values.next()))
    }))
}

/// The entries that are meant, with their lines.
pub fn list(sql: &SqlStorage, meant: &Meant) -> worker::Result<Frames> {
    let (condition, mut values) = condition(meant);
    let limit = if meant.limit == 0 { PAGE_ROWS } else { meant.limit.min(PAGE_ROWS) };
    values.push(sql::of_number(limit));
    let statement = format!("SELECT seq, body FROM quarantine WHERE {condition} ORDER BY seq LIMIT ?");
    let mut page = Page::default();
    for row in sql.exec(&statement, values)?.raw() {
        let mut values = row?.into_iter();
        let (row, body) = (sql::number(values.next()), sql::text(values.next()).into_bytes());
        if page.push(Frame { row, body, consent: None }) {
            break;
        }
    }
    let newest = sql::number(sql::first(sql, "SELECT max(seq) FROM quarantine", Vec::new())?);
    Ok(Frames { frames: page.frames, newest, oldest: 0 })
}

/// The rows of the entries that are meant.
pub fn rows(sql: &SqlStorage, meant: &Meant) -> worker::Result<Vec<u64>> {
    let (condition, mut values) = condition(meant);
    values.push(sql::of_number(meant.limit));
    let statement = format!("SELECT seq FROM quarantine WHERE {condition} ORDER BY seq LIMIT ?");
    let rows = sql::rows(sql, &statement, values)?;
    Ok(rows.into_iter().map(|row| sql::number(row.into_iter().next())).collect())
}

/// The entries that are meant, by what they have in common. Of each group the newest stands for all.
pub fn groups(sql: &SqlStorage, meant: &Meant) -> worker::Result<Vec<Group>> {
    let (condition, mut values) = condition(meant);
    values.push(sql::of_number(u64::try_from(GROUPS_MAX).unwrap_or(0)));
    let statement = format!(
        "SELECT stage, destination, code, path, event, held, first, last, newest, quarantine.body FROM (
            SELECT json_extract(body, '$.stage') AS stage, coalesce(json_extract(body, '$.destination'), '') AS destination,
                json_extract(body, '$.code') AS code, json_extract(body, '$.faults[0].path') AS path,
                coalesce(json_extract(body, '$.event.name'), '') AS event, count(*) AS held, max(seq) AS newest,
                min(json_extract(body, '$.received_at_ms')) AS first, max(json_extract(body, '$.received_at_ms')) AS last
            FROM quarantine WHERE {condition} GROUP BY 1, 2, 3, 4, 5 ORDER BY held DESC LIMIT ?
        ) JOIN quarantine ON quarantine.seq = newest"
    );
    let group = |row: Vec<SqlStorageValue>| {
        let mut values = row.into_iter();
        let mut text = || sql::text(values.next());
        let (stage, destination, reason, path, event) = (text(), text(), text(), text(), text());
        let mut number = || sql::number(values.next());
        let (count, first_ms, last_ms, row) = (number(), number(), number(), number());
        let line = sql::text(values.next());
        Group { stage, destination, reason, path, event, count, first_ms, last_ms, row, line }
    };
    Ok(sql::rows(sql, &statement, values)?.into_iter().map(group).collect())
}

/// Events that the plan does not know all of, by code and name, the most frequent first: what a drift of the senders looks
/// like. Bounded, for names come from outside.
pub fn drift(sql: &SqlStorage) -> worker::Result<Vec<Drift>> {
    let statement =
        "SELECT json_extract(body, '$.code') AS code, json_extract(body, '$.event.name') AS event, count(*)
        FROM quarantine WHERE code IN ('unknown_event', 'additional_property') AND event IS NOT NULL
        GROUP BY 1, 2 ORDER BY 3 DESC LIMIT ?";
    let limit = sql::of_number(u64::try_from(DRIFT_MAX).unwrap_or(0));
    let drift = |row: Vec<SqlStorageValue>| {
        let mut values = row.into_iter();
        let (code, event) = (sql::text(values.next()), sql::text(values.next()));
        Drift { code, event, count: sql::number(values.next()) }
    };
    Ok(sql::rows(sql, statement, vec![limit])?.into_iter().map(drift).collect())
}

/// How many entries there are.
pub fn count(sql: &SqlStorage) -> worker::Result<u64> {
    Ok(sql::number(sql::first(sql, "SELECT count(*) FROM quarantine", Vec::new())?))
}

/// Destroys what is held of a visitor; gives how many.
pub fn purge(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<u64> {
    give_up(sql, "visitor = ?", vec![sql::of_bytes(visitor.0)])
}

/// Gives up the oldest entries above the bound; gives how many.
pub fn bound(sql: &SqlStorage) -> worker::Result<u64> {
    let held = count(sql)?;
    if held <= ROWS_MAX.saturating_add(SLACK_ROWS) {
        return Ok(0);
    }
    let above = sql::of_number(held.saturating_sub(ROWS_MAX));
    give_up(sql, "seq IN (SELECT seq FROM quarantine ORDER BY seq LIMIT ?)", vec![above])
}

/// Gives up those of the oldest entries that came before `until_ms`; gives how many.
pub fn expire(sql: &SqlStorage, until_ms: u64) -> worker::Result<u64> {
    let oldest = "seq IN (SELECT seq FROM quarantine ORDER BY seq LIMIT ?) AND json_extract(body, '$.received_at_ms') < ?";
    give_up(sql, oldest, vec![sql::of_number(EXPIRE_ROWS), sql::of_number(until_ms)])
}

/// When the oldest entry came.
pub fn oldest_ms(sql: &SqlStorage) -> worker::Result<Option<u64>> {
    let statement = "SELECT json_extract(body, '$.received_at_ms') FROM quarantine ORDER BY seq LIMIT 1";
    Ok(sql::first(sql, statement, Vec::new())?.map(|oldest| sql::number(Some(oldest))))
}

fn give_up(sql: &SqlStorage, condition: &str, values: Vec<SqlStorageValue>) -> worker::Result<u64> {
    let held =
        sql::first(sql, &format!("SELECT count(*) FROM quarantine WHERE {condition}"), values.clone())?;
    let held = sql::number(held);
    if held > 0 {
        sql::run(sql, &format!("DELETE FROM quarantine WHERE {condition}"), values)?;
    }
    Ok(held)
}

/// What a row must be to be meant.
fn condition(meant: &Meant) -> (String, Vec<SqlStorageValue>) {
    let (mut condition, mut values) = (String::from("seq > ?"), vec![sql::of_number(meant.after)]);
    for (path, text) in meant.selection.texts() {
        condition.push_str(" AND json_extract(body, ?) = ?");
        values.extend([path.into(), text.into()]);
    }
    for (bound, operator) in [(meant.selection.since, ">="), (meant.selection.until, "<")] {
        if let Some(time_ms) = bound {
            condition.push_str(&format!(" AND json_extract(body, '$.received_at_ms') {operator} ?"));
            values.push(sql::of_number(time_ms));
        }
    }
    if let Some(rows) = &meant.rows {
        // Numbers stand in the statement itself: values are bounded to a hundred.
        let rows: Vec<String> = rows.iter().map(u64::to_string).collect();
        condition.push_str(&format!(" AND seq IN ({})", rows.join(",")));
    }
    (condition, values)
}
