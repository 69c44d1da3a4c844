//! Thin access to an object's SQLite: statements in, plain values out.

use crate::host;
use std::cell::Cell;
use std::thread::LocalKey;
use wasm_bindgen::JsValue;
use worker::{SqlStorage, SqlStorageValue};

/// The rows of a statement.
pub type Rows = Vec<Vec<SqlStorageValue>>;

/// Runs a statement and gives all of its rows.
pub fn rows(sql: &SqlStorage, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<Rows> {
    sql.exec(statement, values)?.raw().collect()
}

/// A statement of every request: its text goes to the host once.
pub type Known = LocalKey<JsValue>;

/// Runs a statement for what it does.
pub fn run(sql: &SqlStorage, statement: &str, values: Vec<SqlStorageValue>) -> worker::Result<()> {
    run_text(sql, &statement.into(), values)
}

/// As [`run`].
pub fn run_known(
    sql: &SqlStorage,
    statement: &'static Known,
    values: Vec<SqlStorageValue>,
) -> worker::Result<()> {
    statement.with(|statement| run_text(sql, statement, values))
}

fn run_text(sql: &SqlStorage, statement: &JsValue, values: Vec<SqlStorageValue>) -> worker::Result<()> {
    WRITTEN.set(WRITTEN.get().saturating_add(host::run(sql, statement, values)?));
    Ok(())
}

thread_local! {
    static WRITTEN: Cell<u32> = const { Cell::new(0) };
}

/// Rows that this isolate has written, rows of indexes included: what the platform bills.
pub fn rows_written() -> u32 {
    WRITTEN.get()
}

/// The first value of the first row.
pub fn first(
    sql: &SqlStorage,
    statement: &str,
    values: Vec<SqlStorageValue>,
) -> worker::Result<Option<SqlStorageValue>> {
    Ok(host::row(sql, &statement.into(), values)?.and_then(|row| row.into_iter().next()))
}

/// The bytes of a value; empty for anything else.
pub fn blob(value: Option<SqlStorageValue>) -> Vec<u8> {
    match value {
        Some(SqlStorageValue::Blob(bytes)) => bytes,
        _ => Vec::new(),
    }
}

/// The text of a value; empty for anything else.
pub fn text(value: Option<SqlStorageValue>) -> String {
    match value {
        Some(SqlStorageValue::String(text)) => text,
        _ => String::new(),
    }
}

/// The whole number of a value; 0 for anything else.
pub fn number(value: Option<SqlStorageValue>) -> u64 {
    match value {
        Some(SqlStorageValue::Integer(number)) => u64::try_from(number).unwrap_or(0),
        _ => 0,
    }
}

/// A whole number as a value. Numbers of this worker stay far below 2^53.
pub fn of_number(number: u64) -> SqlStorageValue {
    SqlStorageValue::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Bytes as a value.
pub fn of_bytes(bytes: impl Into<Vec<u8>>) -> SqlStorageValue {
    SqlStorageValue::Blob(bytes.into())
}
