//! The log in files: columns of its lines, Parquet by day, and NDJSON that goes on where it was cut.

pub mod columns;
pub mod days;
pub mod ndjson;
