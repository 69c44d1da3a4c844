//! The shard's tables, and every statement over them.
//!
//! `visitor` and `counter` are WITHOUT ROWID (one write per row). The newest row of the log always stays, so that a number is
//! never given twice; AUTOINCREMENT would write a second row to say so. The ledger is one packed value: it stands in the newest log row, which is written anyway, or, where
//! a request logs nothing, in `counter`. The one that counted more batches and failures is the newer.

use super::frames::{Frame, Frames, Page, Stats};
use super::quarantined;
use crate::{host, sql};
use selvedge_core::consent::Snapshot;
use selvedge_core::id::VisitorId;
use selvedge_core::wire::log_row::{LogRow, RowPiece};
use selvedge_core::wire::stored::{CONSENT_PREFIX_BYTES, VisitorRecord, consent_of};
use selvedge_edge::erasure::Tombstone;
use selvedge_edge::ingest::Outcome;
use selvedge_edge::ledger::{Counter, Ledger};
use selvedge_edge::warm_up;
use wasm_bindgen::JsValue;
use worker::{SqlStorage, SqlStorageValue};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS visitor(id BLOB PRIMARY KEY, record BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS log(seq INTEGER PRIMARY KEY, visitor BLOB, body BLOB, ledger BLOB);
CREATE TABLE IF NOT EXISTS quarantine(seq INTEGER PRIMARY KEY AUTOINCREMENT, visitor BLOB, body TEXT);
CREATE INDEX IF NOT EXISTS unplaced ON quarantine(visitor, json_extract(body, '$.fingerprint'))
    WHERE json_extract(body, '$.fingerprint') IS NOT NULL;
CREATE TABLE IF NOT EXISTS counter(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempt(
    visitor BLOB, writer INTEGER, sequence INTEGER, count INTEGER, PRIMARY KEY(visitor, writer, sequence)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deadline(visitor BLOB PRIMARY KEY, due_ms INTEGER, site TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS put_off(visitor BLOB PRIMARY KEY, failures INTEGER) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deadline_by_time ON deadline(due_ms);
CREATE TABLE IF NOT EXISTS erased(hash BLOB PRIMARY KEY, time_ms INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unit(name TEXT PRIMARY KEY, count INTEGER) WITHOUT ROWID;
";

thread_local! {
    static BEFORE: JsValue = "SELECT (SELECT record FROM visitor WHERE id = ?),
        (SELECT ledger FROM log ORDER BY seq DESC LIMIT 1), (SELECT value FROM counter WHERE name = ?),
        (SELECT count(*) FROM (SELECT 1 FROM attempt LIMIT 1)),
        (SELECT due_ms FROM deadline WHERE visitor = ?), (SELECT count(*) FROM erased WHERE hash = ?)"
        .into();
    static WRITE_RECORD: JsValue = "INSERT OR REPLACE INTO visitor VALUES (?, ?)".into();
    static WRITE_ROW: JsValue = "INSERT INTO log(visitor, body, ledger) VALUES (?, ?, ?)".into();
}

/// Rows of one page of the log.
const LOG_PAGE_ROWS: u64 = 128;
/// The name of the packed ledger.
const LEDGER: &str = "ledger";

/// Makes the tables where they are missing.
pub fn create(sql: &SqlStorage) -> worker::Result<()> {
    sql::run(sql, TABLES, Vec::new())
}

/// What is stored of a visitor, as bytes.
pub fn record_bytes(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<Option<Vec<u8>>> {
    let record = sql::first(sql, "SELECT record FROM visitor WHERE id = ?", vec![id(visitor)])?;
    Ok(record.map(|record| sql::blob(Some(record))))
}

/// What is stored of a visitor.
pub fn visitor(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<Option<VisitorRecord>> {
    record_bytes(sql, visitor)?.map(|bytes| VisitorRecord::decode(&bytes)).transpose().map_err(broken)
}

/// Writes the visitor's record.
pub fn write_record(sql: &SqlStorage, visitor: VisitorId, record: &VisitorRecord) -> worker::Result<()> {
    let values = vec![id(visitor), sql::of_bytes(record.encode())];
    sql::run_known(sql, &WRITE_RECORD, values)
}

/// What a step needs of what is stored.
#[derive(Debug)]
pub struct Before {
    /// The visitor's record.
    pub record: Option<VisitorRecord>,
    /// The shard's ledger.
    pub ledger: Ledger,
    /// Whether the shard holds marks of failed attempts.
    pub has_attempts: bool,
    /// When the shard is to wake up for the visitor.
    pub due_ms: Option<u64>,
    /// The visitor was erased.
    pub is_erased: bool,
}

/// Whether a visitor was erased.
pub fn is_erased(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<bool> {
    let statement = "SELECT count(*) FROM erased WHERE hash = ?";
    let stones = sql::first(sql, statement, vec![sql::of_bytes(Tombstone::of(visitor).0)])?;
    Ok(sql::number(stones) > 0)
}

/// Reads what a step needs, in one statement.
pub fn before(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<Before> {
    let stone = sql::of_bytes(Tombstone::of(visitor).0);
    let values = vec![id(visitor), LEDGER.into(), id(visitor), stone];
    let row = BEFORE.with(|statement| host::row(sql, statement, values))?;
    let mut values = row.into_iter().flatten();
    let record = sql::blob(values.next());
    Ok(Before {
        record: if record.is_empty() { None } else { Some(VisitorRecord::decode(&record).map_err(broken)?) },
        ledger: newer(&sql::blob(values.next()), &sql::blob(values.next()))?,
        has_attempts: sql::number(values.next()) > 0,
        due_ms: Some(sql::number(values.next())).filter(|due_ms| *due_ms > 0),
        is_erased: sql::number(values.next()) > 0,
    })
}

/// Writes everything else that an outcome says: quarantine, log row (taken out of the outcome; several, where one would be
/// too large), and the ledger in it (or apart, where there is none).
pub fn write_rows(
    sql: &SqlStorage,
    visitor: VisitorId,
    outcome: &mut Outcome,
    mut ledger: Ledger,
) -> worker::Result<()> {
    ledger.merge(&outcome.ledger);
    if outcome.purge_quarantine {
        ledger.add(Counter::QuarantinePurged, quarantined::purge(sql, visitor)?);
    }
    for line in &outcome.quarantine {
        quarantined::insert(sql, visitor, line)?;
    }
    if !outcome.quarantine.is_empty() {
        ledger.add(Counter::QuarantineEvicted, quarantined::bound(sql)?);
    }
    for name in &outcome.units {
        let statement = "INSERT INTO unit VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET count = count + 1";
        sql::run(sql, statement, vec![name.as_str().into()])?;
    }
    let Some(row) = outcome.row.take() else {
        return write_ledger(sql, &ledger);
    };
    write_row(sql, visitor, row, &ledger)
}

/// Writes a row of the log, in as many rows as it takes, with the ledger as it is after it.
pub fn write_row(sql: &SqlStorage, visitor: VisitorId, row: LogRow, ledger: &Ledger) -> worker::Result<()> {
    let mut ledger = ledger.clone();
    for RowPiece { items, notes, bytes } in row.encode_bounded().map_err(broken)? {
        ledger.add(Counter::LogItems, u64::try_from(items).unwrap_or(u64::MAX));
        ledger.add(Counter::LogNotes, u64::try_from(notes).unwrap_or(u64::MAX));
        ledger.add(Counter::LogBytes, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let values = vec![id(visitor), sql::of_bytes(bytes), sql::of_bytes(ledger.encode())];
        sql::run_known(sql, &WRITE_ROW, values)?;
    }
    Ok(())
}

/// Counts a step that failed.
pub fn count_failure(sql: &SqlStorage) -> worker::Result<()> {
    let mut ledger = ledger(sql)?;
    ledger.add(Counter::StepFailures, 1);
    write_ledger(sql, &ledger)
}

/// Counts a change that no batch made; nothing where there was none.
pub fn count_change(sql: &SqlStorage, counter: Counter, count: u64) -> worker::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let mut ledger = ledger(sql)?;
    ledger.add(counter, count);
    ledger.add(Counter::QuarantineChanges, 1);
    write_ledger(sql, &ledger)
}

/// Puts an entry into the quarantine that no batch brought, and counts it.
pub fn keep_in_quarantine(sql: &SqlStorage, visitor: VisitorId, line: &str) -> worker::Result<()> {
    quarantined::insert(sql, visitor, line)?;
    let evicted = quarantined::bound(sql)?;
    count_change(sql, Counter::Quarantined, 1)?;
    count_change(sql, Counter::QuarantineEvicted, evicted)
}

fn write_ledger(sql: &SqlStorage, ledger: &Ledger) -> worker::Result<()> {
    let values = vec![LEDGER.into(), sql::of_bytes(ledger.encode())];
    sql::run(sql, "INSERT OR REPLACE INTO counter VALUES (?, ?)", values)
}

/// Rows of the log after `row`.
pub fn log_after(sql: &SqlStorage, row: u64) -> worker::Result<Frames> {
    let statement = "SELECT log.seq, log.body, substr(visitor.record, 1, ?) FROM log
        LEFT JOIN visitor ON visitor.id = log.visitor WHERE log.seq > ? ORDER BY log.seq LIMIT ?";
    let prefix = sql::of_number(u64::try_from(CONSENT_PREFIX_BYTES).unwrap_or(0));
    let values = vec![prefix, sql::of_number(row), sql::of_number(LOG_PAGE_ROWS)];
    let mut page = Page::default();
    for row in sql.exec(statement, values)?.raw() {
        let mut values = row?.into_iter();
        let (row, body) = (sql::number(values.next()), sql::blob(values.next()));
        if page.push(Frame { row, body, consent: consent_of(&sql::blob(values.next())).ok() }) {
            break;
        }
    }
    let newest = newest(sql, "SELECT max(seq) FROM log")?;
    let oldest = sql::number(sql::first(sql, "SELECT min(seq) FROM log", Vec::new())?);
    Ok(Frames { frames: page.frames, newest, oldest })
}

/// A visitor's newest rows of the log, the oldest first; one that cannot be read leaves those before it out.
pub fn rows_of(sql: &SqlStorage, visitor: VisitorId) -> worker::Result<Vec<LogRow>> {
    let statement = "SELECT body FROM log WHERE visitor = ? AND seq > (SELECT max(seq) - ? FROM log)
        ORDER BY seq DESC LIMIT ?";
    let (scanned, read) =
        (sql::of_number(warm_up::SHARD_ROWS_MAX), sql::of_number(warm_up::VISITOR_ROWS_MAX));
    let rows = sql::rows(sql, statement, vec![id(visitor), scanned, read])?;
    let decode = |row: Vec<SqlStorageValue>| LogRow::decode(&sql::blob(row.into_iter().next())).ok();
    let mut rows: Vec<LogRow> = rows.into_iter().map_while(decode).collect();
    rows.reverse();
    Ok(rows)
}

/// Hands each row of the log behind `row` to `look`, with the consent that its visitor has now (none of whom nothing is
/// kept), as long as that wants more.
pub fn each_behind(
    sql: &SqlStorage,
    row: u64,
    mut look: impl FnMut(u64, &[u8], Snapshot) -> bool,
) -> worker::Result<()> {
    let statement = "SELECT log.seq, log.body, substr(visitor.record, 1, ?) FROM log
        LEFT JOIN visitor ON visitor.id = log.visitor WHERE log.seq > ? ORDER BY log.seq LIMIT ?";
    let prefix = sql::of_number(u64::try_from(CONSENT_PREFIX_BYTES).unwrap_or(0));
    let values = vec![prefix, sql::of_number(row), sql::of_number(LOG_PAGE_ROWS)];
    for row in sql.exec(statement, values)?.raw() {
        let mut values = row?.into_iter();
        let (row, body) = (sql::number(values.next()), sql::blob(values.next()));
        if !look(row, &body, consent_of(&sql::blob(values.next())).unwrap_or_default()) {
            break;
        }
    }
    Ok(())
}

/// The shard's figures.
pub fn stats(sql: &SqlStorage) -> worker::Result<Stats> {
    Ok(Stats {
        ledger: ledger(sql)?,
        quarantine_rows: quarantined::count(sql)?,
        visitors: newest(sql, "SELECT count(*) FROM visitor")?,
        storage_bytes: u64::try_from(sql.database_size()).unwrap_or(0),
        units: units(sql)?,
        destinations: Vec::new(),
        drift: quarantined::drift(sql)?,
    })
}

/// Units of experiments.
fn units(sql: &SqlStorage) -> worker::Result<Vec<(String, u64)>> {
    let rows = sql::rows(sql, "SELECT name, count FROM unit", Vec::new())?;
    let unit = |row: Vec<SqlStorageValue>| {
        let mut values = row.into_iter();
        (sql::text(values.next()), sql::number(values.next()))
    };
    Ok(rows.into_iter().map(unit).collect())
}

/// A visitor's id as a value.
pub fn id(visitor: VisitorId) -> SqlStorageValue {
    sql::of_bytes(visitor.0)
}

/// The ledger as it is now.
pub fn ledger(sql: &SqlStorage) -> worker::Result<Ledger> {
    let statement = "SELECT (SELECT ledger FROM log ORDER BY seq DESC LIMIT 1),
        (SELECT value FROM counter WHERE name = ?)";
    let mut values = host::row(sql, &statement.into(), vec![LEDGER.into()])?.into_iter().flatten();
    newer(&sql::blob(values.next()), &sql::blob(values.next()))
}

/// The ledger of its packed form.
pub fn read_ledger(bytes: &[u8]) -> worker::Result<Ledger> {
    Ledger::decode(bytes).map_err(broken)
}

/// The newer of two packed ledgers.
fn newer(one: &[u8], other: &[u8]) -> worker::Result<Ledger> {
    let one = Ledger::decode(one).map_err(broken)?;
    let other = Ledger::decode(other).map_err(broken)?;
    Ok(if other.age() > one.age() { other } else { one })
}

fn broken(fault: impl core::fmt::Display) -> worker::Error {
    worker::Error::RustError(fault.to_string())
}

fn newest(sql: &SqlStorage, statement: &str) -> worker::Result<u64> {
    Ok(sql::number(sql::first(sql, statement, Vec::new())?))
}
