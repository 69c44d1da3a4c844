//! The log as one file of JSON lines. A file that is there already goes on behind its last whole line.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// A file of JSON lines that is written.
pub struct Lines {
    out: BufWriter<File>,
    /// Lines written in this run.
    rows: u64,
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Cursor {
    cursor: String,
}

impl Lines {
    /// The file, made where it is missing. What stands behind the last whole line is cut off: a run that was killed left it.
    ///
    /// # Errors
    /// Where it cannot be opened, or holds anything but lines of a log.
    pub fn open(path: &Path) -> Result<Self> {
        let unusable = || format!("{} cannot be written", path.display());
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.with_context(unusable)?;
        let (end, cursor) = last_line(&file).with_context(unusable)?;
        file.set_len(end).with_context(unusable)?;
        file.seek(SeekFrom::End(0)).with_context(unusable)?;
        Ok(Self { out: BufWriter::new(file), rows: 0, cursor })
    }

    /// Behind which line it goes on.
    #[must_use]
    pub fn cursor(&self) -> Option<String> {
        self.cursor.clone()
    }

    /// Adds a line.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn push(&mut self, line: &str) -> Result<()> {
        self.rows += 1;
        writeln!(self.out, "{line}").context("the file cannot be written")
    }

    /// Writes what is held, so that others see it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().context("the file cannot be written")
    }

    /// Ends the file, and gives how many lines this run wrote.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(mut self) -> Result<u64> {
        self.flush()?;
        self.out.get_ref().sync_all().context("the file cannot be written")?;
        Ok(self.rows)
    }
}

/// Where the last whole line ends, and its cursor.
fn last_line(file: &File) -> Result<(u64, Option<String>)> {
    let (mut end, mut cursor) = (0u64, None);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok((end, cursor));
        }
        end += u64::try_from(read)?;
        let read: Cursor = serde_json::from_slice(&line).context("it holds something else than a log")?;
        cursor = Some(read.cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_behind_its_last_whole_line() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("log.ndjson");
        let mut lines = Lines::open(&path)?;
        assert_eq!(lines.cursor(), None);
        lines.push(r#"{"cursor":"0.1"}"#)?;
        lines.push(r#"{"cursor":"0.2"}"#)?;
        assert_eq!(lines.finish()?, 2);
        OpenOptions::new().append(true).open(&path)?.write_all(br#"{"cursor":"0.3","na"#)?;
        let mut lines = Lines::open(&path)?;
        assert_eq!(lines.cursor().as_deref(), Some("0.2"));
        lines.push(r#"{"cursor":"0.3"}"#)?;
        lines.finish()?;
        let text = std::fs::read_to_string(&path)?;
        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [r#"{"cursor":"0.1"}"#, r#"{"cursor":"0.2"}"#, r#"{"cursor":"0.3"}"#]
        );
        std::fs::write(&path, "a,b\n1,2\n")?;
        assert!(Lines::open(&path).is_err(), "another file is left alone");
        assert_eq!(std::fs::read_to_string(&path)?, "a,b\n1,2\n");
        Ok(())
    }
}
