//! The pushed tables as the registry keeps them: each push is a version of its own, the newest is in force, and some before
//! it stay, so that what they decided can be looked up.

use crate::sql;
use selvedge_edge::fault::Fault;
use selvedge_edge::lookups::{Push, Table};
use serde::{Deserialize, Serialize};
use worker::SqlStorage;

/// Statements that make the registry's tables for them.
pub const TABLES: &str = "
CREATE TABLE IF NOT EXISTS lookup(
    site TEXT, name TEXT, version INTEGER, time_ms INTEGER, rows INTEGER, PRIMARY KEY(site, name, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lookup_part(
    site TEXT, name TEXT, version INTEGER, part INTEGER, bytes BLOB, PRIMARY KEY(site, name, version, part)
) WITHOUT ROWID;
";
/// Versions of a table that are kept.
const VERSIONS_MAX: u64 = 16;
/// Bytes of a stored part: a value has at most 2 MB.
const PART_BYTES_MAX: usize = 1_000_000;
/// Bytes of a table.
const TABLE_BYTES_MAX: usize = selvedge_core::limits::PUSH_BYTES_MAX;

/// A version of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The table's name.
    pub name: String,
    /// Counted from 1.
    pub version: u64,
    /// When it was pushed: Unix milliseconds.
    pub time_ms: u64,
    /// Its rows.
    pub rows: u64,
}

/// The newest version of each table of a site.
pub fn newest(sql: &SqlStorage, site: &str) -> worker::Result<Vec<Version>> {
    let statement = "SELECT name, max(version), time_ms, rows FROM lookup WHERE site = ? GROUP BY name";
    let version = |row: Vec<worker::SqlStorageValue>| {
        let mut values = row.into_iter();
        Version {
            name: sql::text(values.next()),
            version: sql::number(values.next()),
            time_ms: sql::number(values.next()),
            rows: sql::number(values.next()),
        }
    };
    Ok(sql::rows(sql, statement, vec![site.into()])?.into_iter().map(version).collect())
}

/// The bytes of a version; empty where there is none.
pub fn bytes(sql: &SqlStorage, site: &str, name: &str, version: u64) -> worker::Result<Vec<u8>> {
    let statement = "SELECT bytes FROM lookup_part WHERE site = ? AND name = ? AND version = ? ORDER BY part";
    let rows = sql::rows(sql, statement, vec![site.into(), name.into(), sql::of_number(version)])?;
    Ok(rows.into_iter().flat_map(|row| sql::blob(row.into_iter().next())).collect())
}

/// What a push does, as the registry keeps it. To be called in a transaction.
pub fn push(
    sql: &SqlStorage,
    site: &str,
    name: &str,
    push: Push,
    now_ms: u64,
) -> worker::Result<Result<Version, Fault>> {
    let known = newest(sql, site)?.into_iter().find(|known| known.name == name);
    let before = known.as_ref().map_or(0, |known| known.version);
    let table = Table::decode(&bytes(sql, site, name, before)?).unwrap_or_default();
    let table = match table.after(push, now_ms) {
        Ok(table) => table,
        Err(fault) => return Ok(Err(fault)),
    };
    let encoded = table.encode();
    if encoded.len() > TABLE_BYTES_MAX {
        let message = format!("the table would have {} bytes; at most {TABLE_BYTES_MAX}", encoded.len());
        return Ok(Err(Fault::lookup_too_large(message)));
    }
    let rows = u64::try_from(table.rows.len()).unwrap_or(u64::MAX);
    let version = Version { name: name.to_owned(), version: before.saturating_add(1), time_ms: now_ms, rows };
    write(sql, site, &version, &encoded)?;
    Ok(Ok(version))
}

fn write(sql: &SqlStorage, site: &str, version: &Version, bytes: &[u8]) -> worker::Result<()> {
    let key = || vec![site.into(), version.name.as_str().into(), sql::of_number(version.version)];
    let of_version = [key(), vec![sql::of_number(version.time_ms), sql::of_number(version.rows)]].concat();
    sql::run(sql, "INSERT INTO lookup VALUES (?, ?, ?, ?, ?)", of_version)?;
    for (part, chunk) in (0u64..).zip(bytes.chunks(PART_BYTES_MAX)) {
        let values = [key(), vec![sql::of_number(part), sql::of_bytes(chunk)]].concat();
        sql::run(sql, "INSERT INTO lookup_part VALUES (?, ?, ?, ?, ?)", values)?;
    }
    let oldest = sql::of_number(version.version.saturating_sub(VERSIONS_MAX));
    for table in ["lookup", "lookup_part"] {
        let statement = format!("DELETE FROM {table} WHERE site = ? AND name = ? AND version <= ?");
        let values = vec![site.into(), version.name.as_str().into(), oldest.clone()];
        sql::run(sql, &statement, values)?;
    }
    Ok(())
}
