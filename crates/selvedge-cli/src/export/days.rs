//! The log as Parquet files, one or more for each day of receipt (UTC): `2026-11-22.0001.parquet`. A file appears whole, or
//! not at all; none is written twice. Where the last run ended stands beside them, so that the next goes on.

use super::columns::{Cells, Column, Line, schema};
use anyhow::{Context, Result};
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are written at once.
const GROUP_ROWS: usize = 20_000;
/// Bytes of values that are held before they are written.
const GROUP_BYTES: usize = 16 * 1024 * 1024;
/// Days whose files are open; of the log's shards none is far behind the others.
const OPEN_DAYS_MAX: usize = 4;
/// Where the last run ended.
const CURSOR_FILE: &str = "_cursor";

/// A folder of Parquet files.
pub struct Days {
    folder: PathBuf,
    columns: Vec<Column>,
    schema: TypePtr,
    /// The oldest first.
    open: Vec<Day>,
    /// Rows written, and files.
    rows: u64,
    files: u64,
}

struct Day {
    name: String,
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    cells: Vec<Cells>,
    rows: usize,
    bytes: usize,
}

impl Days {
    /// The folder, made where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made, or two columns have one name.
    pub fn open(folder: &Path, columns: Vec<Column>) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let schema = schema(&columns)?;
        Ok(Self { folder: folder.to_owned(), columns, schema, open: Vec::new(), rows: 0, files: 0 })
    }

    /// Behind which line the last run ended.
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        let text = fs::read_to_string(self.folder.join(CURSOR_FILE)).ok()?;
        Some(text.trim().to_owned()).filter(|cursor| !cursor.is_empty())
    }

    /// Adds a line of the log.
    ///
    /// # Errors
    /// Where it is no line of the log, or cannot be written.
    pub fn push(&mut self, text: &str) -> Result<()> {
        let line: Line<'_> = serde_json::from_str(text).context("a line of the log is no JSON object")?;
        let received: &str = line.get("received_at").map_or("", |raw| raw.get()).trim_matches('"');
        let name = received.get(..10).context("a line of the log has no `received_at`")?.to_owned();
        let properties = line.get("properties").map(|raw| serde_json::from_str(raw.get())).transpose();
        let properties: Line<'_> =
            properties.context("the properties of a line are no object")?.unwrap_or_default();
        let day = self.day(&name)?;
        let Some(day) = self.open.get_mut(day) else { return Ok(()) };
        for (cells, column) in day.cells.iter_mut().zip(&self.columns) {
            day.bytes += cells.push(column, &line, &properties);
        }
        day.rows += 1;
        self.rows += 1;
        if day.rows >= GROUP_ROWS || day.bytes >= GROUP_BYTES { day.flush() } else { Ok(()) }
    }

    /// Ends all files, and notes the cursor behind their last line. Gives how many rows and files there are.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn finish(mut self, cursor: Option<&str>) -> Result<(u64, u64)> {
        for day in std::mem::take(&mut self.open) {
            self.close(day)?;
        }
        if let Some(cursor) = cursor {
            let (part, path) = (self.folder.join("_cursor.part"), self.folder.join(CURSOR_FILE));
            fs::write(&part, cursor)
                .and_then(|()| fs::rename(&part, &path))
                .context("the cursor cannot be kept")?;
        }
        Ok((self.rows, self.files))
    }

    /// The place of a day's open file.
    fn day(&mut self, name: &str) -> Result<usize> {
        if let Some(at) = self.open.iter().position(|day| day.name == name) {
            return Ok(at);
        }
        if self.open.len() >= OPEN_DAYS_MAX {
            let oldest = self.open.remove(0);
            self.close(oldest)?;
        }
        let path = self.free_path(name)?;
        let part = path.with_extension("part");
        let file = File::create(&part).with_context(|| format!("{} cannot be made", part.display()))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("selvedge ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let writer = SerializedFileWriter::new(file, Arc::clone(&self.schema), Arc::new(properties))?;
        let cells = self.columns.iter().map(|column| Cells::new(column.kind)).collect();
        self.open.push(Day { name: name.to_owned(), path, writer, cells, rows: 0, bytes: 0 });
        Ok(self.open.len() - 1)
    }

    /// The first name of a day that no file has.
    fn free_path(&self, name: &str) -> Result<PathBuf> {
        let path = |number: u32| self.folder.join(format!("{name}.{number:04}.parquet"));
        (1..=9_999).map(path).find(|path| !path.exists()).context("a day has 9,999 files already")
    }

    fn close(&mut self, mut day: Day) -> Result<()> {
        day.flush()?;
        day.writer.close()?;
        fs::rename(day.path.with_extension("part"), &day.path)
            .with_context(|| format!("{} cannot be made", day.path.display()))?;
        self.files += 1;
        Ok(())
    }
}

impl Day {
    /// Writes what is held as one row group.
    fn flush(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for cells in &mut self.cells {
            let Some(mut column) = group.next_column()? else { break };
            cells.write(&mut column)?;
            column.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}
