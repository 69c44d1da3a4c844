//! Where things stand: files of a site, byte ranges in them, and lines and columns for people.

use std::collections::BTreeMap;

/// A file of the site, by its place in the sorted list of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(pub u16);

/// A range of bytes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// From the start of this one to the end of the other.
    pub fn to(self, other: Self) -> Self {
        Self { file: self.file, start: self.start, end: other.end.max(self.start) }
    }

    /// The first byte of a file.
    pub const fn top(file: FileId) -> Self {
        Self { file, start: 0, end: 0 }
    }
}

/// A line and a column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

/// The files of a site, in the order of their names.
pub(crate) struct Files<'a> {
    files: Vec<File<'a>>,
}

struct File<'a> {
    name: &'a str,
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl<'a> Files<'a> {
    pub fn new(files: &'a BTreeMap<String, String>) -> Self {
        let file = |(name, text): (&'a String, &'a String)| {
            let ends = text.match_indices('\n').map(|(newline, _)| newline + 1);
            File { name, text, lines: std::iter::once(0).chain(ends).collect() }
        };
        Self { files: files.iter().map(file).collect() }
    }

    pub fn find(&self, name: &str) -> Option<FileId> {
        let at = self.files.iter().position(|file| file.name == name)?;
        u16::try_from(at).ok().map(FileId)
    }

    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.files.iter().map(|file| file.name)
    }

    /// A file's name; that of the file every site has, where there is none at all.
    pub fn name(&self, file: FileId) -> &'a str {
        self.files.get(usize::from(file.0)).map_or("site.yaml", |file| file.name)
    }

    pub fn text(&self, file: FileId) -> &'a str {
        self.files.get(usize::from(file.0)).map_or("", |file| file.text)
    }

    /// The line and column of a byte.
    pub fn position(&self, file: FileId, byte: u32) -> Position {
        let Some(File { text, lines, .. }) = self.files.get(usize::from(file.0)) else {
            return Position { line: 1, column: 1 };
        };
        let byte = floor_char(text, byte as usize);
        let line = lines.partition_point(|start| *start <= byte).max(1);
        Position { line: count(line), column: count(text[lines[line - 1]..byte].chars().count()) + 1 }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn floor_char(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The byte at which a line and column begin; the end of the line or text where they lie beyond it.
pub(crate) fn byte_at(text: &str, position: Position) -> usize {
    let skipped = position.line.saturating_sub(1) as usize;
    let line_start = text.split_inclusive('\n').take(skipped).map(str::len).sum::<usize>();
    let line = text[line_start..].lines().next().unwrap_or_default();
    let columns = position.column.saturating_sub(1) as usize;
    line_start + line.char_indices().nth(columns).map_or(line.len(), |(at, _)| at)
}
