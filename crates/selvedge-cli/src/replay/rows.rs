//! Rows of a recorded log, one after another: CSV with a header line, or NDJSON; gzip or not, told by the first bytes.

use super::value;
use anyhow::{Context, Result, bail};
use flate2::read::MultiGzDecoder;
use selvedge_core::value::Value;
use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};

/// Bytes of one line of NDJSON that are read; a longer one ends the replay.
const LINE_BYTES_MAX: u64 = 1024 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// One data row of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its number among the data rows, from 0. Ids and formulas depend on it alone.
    pub number: u64,
    /// The line it stands on, from 1, for people.
    pub line: u64,
    /// What it holds.
    pub cells: Cells,
}

/// The cells of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Column names and texts of a CSV row.
    Csv(Vec<(String, String)>),
    /// The object of an NDJSON line.
    Json(serde_json::Value),
    /// A row that could not be read, and why.
    Unreadable(String),
}

impl Row {
    /// The cell of `column` as text; `None` where it is absent, empty or null. In NDJSON `a.b` also means `b` in `a`.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<Cow<'_, str>> {
        match &self.cells {
            Cells::Csv(_) => self.csv_cell(column).map(Cow::Borrowed),
            Cells::Json(json) => json_cell(json, column).and_then(json_text),
            Cells::Unreadable(_) => None,
        }
    }

    /// The cell of `column` as recorded; `None` where it is absent or, in CSV, empty.
    ///
    /// # Errors
    /// A sentence, for a value that no event may carry.
    pub fn value(&self, column: &str) -> Result<Option<Value>, String> {
        match &self.cells {
            Cells::Csv(_) => Ok(self.csv_cell(column).map(|cell| Value::Text(cell.to_owned()))),
            Cells::Json(json) => json_cell(json, column).map(value::from_json).transpose(),
            Cells::Unreadable(_) => Ok(None),
        }
    }

    fn csv_cell(&self, column: &str) -> Option<&str> {
        let Cells::Csv(cells) = &self.cells else { return None };
        let cell = cells.iter().find(|(name, _)| name == column).map(|(_, cell)| cell.as_str());
        cell.filter(|cell| !cell.is_empty())
    }
}

fn json_cell<'a>(json: &'a serde_json::Value, column: &str) -> Option<&'a serde_json::Value> {
    json.get(column).or_else(|| column.split('.').try_fold(json, |inner, name| inner.get(name)))
}

fn json_text(value: &serde_json::Value) -> Option<Cow<'_, str>> {
    match value {
        serde_json::Value::String(text) if text.is_empty() => None,
        serde_json::Value::String(text) => Some(Cow::Borrowed(text)),
        serde_json::Value::Number(number) => Some(Cow::Owned(number.to_string())),
        serde_json::Value::Bool(yes) => Some(Cow::Owned(yes.to_string())),
        _ => None,
    }
}

/// The rows of a log.
pub struct Rows {
    source: Source,
    number: u64,
}

enum Source {
    Csv { reader: csv::Reader<Box<dyn BufRead + Send>>, header: Vec<String> },
    Json { reader: Box<dyn BufRead + Send>, line: u64 },
}

impl Rows {
    /// The rows of `input`, whose kind and compression are told from its first bytes.
    ///
    /// # Errors
    /// Where the input cannot be read, is empty, or has no header line.
    pub fn open(input: impl Read + Send + 'static) -> Result<Self> {
        let mut reader = inflated(BufReader::with_capacity(64 * 1024, input))?;
        let first = reader
            .fill_buf()
            .context("the log cannot be read")?
            .iter()
            .find(|byte| !byte.is_ascii_whitespace());
        let source = match first {
            None => bail!("the log is empty; it needs a CSV header line or lines of JSON"),
            Some(b'{') => Source::Json { reader, line: 0 },
            Some(_) => csv_source(reader)?,
        };
        Ok(Self { source, number: 0 })
    }

    /// Checks that the columns exist, as far as that can be known: in CSV.
    ///
    /// # Errors
    /// The first column that the header lacks, with the columns it has.
    pub fn require(&self, columns: &[&str]) -> Result<()> {
        let Source::Csv { header, .. } = &self.source else { return Ok(()) };
        match columns.iter().find(|column| !header.iter().any(|known| known == *column)) {
            None => Ok(()),
            Some(missing) => {
                bail!("the log has no column `{missing}`; its columns are {}", header.join(", "))
            }
        }
    }
}

fn inflated(mut reader: BufReader<impl Read + Send + 'static>) -> Result<Box<dyn BufRead + Send>> {
    let head = reader.fill_buf().context("the log cannot be read")?;
    if head.starts_with(&GZIP_MAGIC) {
        return Ok(Box::new(BufReader::with_capacity(64 * 1024, MultiGzDecoder::new(reader))));
    }
    Ok(Box::new(reader))
}

fn csv_source(reader: Box<dyn BufRead + Send>) -> Result<Source> {
    let mut reader = csv::Reader::from_reader(reader);
    let header = reader.headers().context("the log's header line cannot be read")?;
    let header = header.iter().map(str::to_owned).collect();
    Ok(Source::Csv { reader, header })
}

impl Iterator for Rows {
    type Item = Result<Row>;

    /// The next row. A row whose content is wrong is [`Cells::Unreadable`]; an error means the file cannot be read on.
    fn next(&mut self) -> Option<Result<Row>> {
        let (line, cells) = match &mut self.source {
            Source::Csv { reader, header } => next_csv(reader, header)?,
            Source::Json { reader, line } => next_json(reader, line)?,
        };
        let number = self.number;
        self.number = number.saturating_add(1);
        Some(cells.map(|cells| Row { number, line, cells }))
    }
}

fn next_csv(
    reader: &mut csv::Reader<Box<dyn BufRead + Send>>,
    header: &[String],
) -> Option<(u64, Result<Cells>)> {
    let mut record = csv::StringRecord::new();
    let line = reader.position().line();
    match reader.read_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            let line = record.position().map_or(line, csv::Position::line);
            let cells = header.iter().cloned().zip(record.iter().map(str::to_owned)).collect();
            Some((line, Ok(Cells::Csv(cells))))
        }
        Err(fault) if fault.is_io_error() => Some((line, Err(fault).context("the log cannot be read on"))),
        Err(fault) => Some((line, Ok(Cells::Unreadable(fault.to_string())))),
    }
}

fn next_json(reader: &mut Box<dyn BufRead + Send>, line: &mut u64) -> Option<(u64, Result<Cells>)> {
    loop {
        let mut text = Vec::new();
        *line = line.saturating_add(1);
        match reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text) {
            Err(fault) => return Some((*line, Err(fault).context("the log cannot be read on"))),
            Ok(0) => return None,
            Ok(read) if read as u64 == LINE_BYTES_MAX => {
                let fault = anyhow::anyhow!("line {line} is longer than {LINE_BYTES_MAX} bytes");
                return Some((*line, Err(fault)));
            }
            Ok(_) if text.trim_ascii().is_empty() => {}
            Ok(_) => return Some((*line, Ok(json_cells(&text)))),
        }
    }
}

fn json_cells(text: &[u8]) -> Cells {
    match serde_json::from_slice(text) {
        Ok(object @ serde_json::Value::Object(_)) => Cells::Json(object),
        Ok(_) => Cells::Unreadable("the line is not a JSON object".to_owned()),
        Err(fault) => Cells::Unreadable(format!("the line is not JSON: {fault}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

    fn rows(input: &[u8]) -> Vec<Row> {
        Rows::open(Cursor::new(input.to_vec())).unwrap().map(Result::unwrap).collect()
    }

    fn gzip(input: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(input).unwrap();
        encoder.finish().unwrap()
    }

    const CSV: &[u8] = b"user,event\nann,home\n\"b,o\",\"a \"\"b\"\"\"\n";

    #[test]
    fn csv_rows_are_numbered_from_zero_and_quotes_are_read() {
        let rows = rows(CSV);
        assert_eq!(rows.iter().map(|row| (row.number, row.line)).collect::<Vec<_>>(), [(0, 2), (1, 3)]);
        assert_eq!(rows[1].text("user").as_deref(), Some("b,o"));
        assert_eq!(rows[1].text("event").as_deref(), Some("a \"b\""));
        assert_eq!(rows[1].text("absent"), None);
    }

    #[test]
    fn a_gzipped_log_reads_the_same_also_in_two_members() {
        assert_eq!(rows(&gzip(CSV)), rows(CSV));
        let two = [gzip(b"user,event\nann,home\n"), gzip(b"bo,home\n")].concat();
        assert_eq!(rows(&two).len(), 2);
    }

    #[test]
    fn ndjson_is_told_by_its_first_byte_and_reaches_into_objects() {
        let rows = rows(b"\n{\"user\":{\"id\":7},\"a.b\":\"dotted\"}\nnonsense\n[1]\n{\"user\":{}}");
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[0].line, 2);
        assert_eq!(rows[0].text("user.id").as_deref(), Some("7"));
        assert_eq!(rows[0].text("a.b").as_deref(), Some("dotted"));
        assert!(matches!(rows[1].cells, Cells::Unreadable(_)));
        assert!(matches!(rows[2].cells, Cells::Unreadable(_)));
        assert_eq!(rows[3].number, 3);
        assert_eq!(rows[3].text("user.id"), None);
    }

    #[test]
    fn a_row_with_too_few_cells_is_unreadable_and_keeps_its_number() {
        let rows = rows(b"user,event\nann\nbo,home\n");
        assert!(matches!(rows[0].cells, Cells::Unreadable(_)));
        assert_eq!((rows[1].number, rows[1].text("user").as_deref()), (1, Some("bo")));
    }

    #[test]
    fn an_empty_log_and_a_missing_column_are_refused() {
        assert!(Rows::open(Cursor::new(Vec::new())).is_err());
        let rows = Rows::open(Cursor::new(CSV.to_vec())).unwrap();
        assert!(rows.require(&["user"]).is_ok());
        let message = rows.require(&["user", "time"]).unwrap_err().to_string();
        assert_eq!(message, "the log has no column `time`; its columns are user, event");
    }

    #[test]
    fn a_line_above_the_bound_ends_the_replay() {
        let long = format!("{{\"user\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
        let mut rows = Rows::open(Cursor::new(long.into_bytes())).unwrap();
        assert!(rows.next().unwrap().is_err());
    }
}
