//! Where each byte of a scalar's text stands in the file. For most scalars the two run in step; folded lines and
//! escapes make them differ.

use crate::source::{FileId, Span};

/// Maps bytes of a scalar's text to bytes of the file.
#[derive(Debug, Clone)]
pub(crate) struct Anchor {
    file: FileId,
    steps: Steps,
}

#[derive(Debug, Clone)]
enum Steps {
    /// The text begins here, byte for byte.
    Even(u32),
    /// The file's byte for each byte of the text, and one for its end.
    Uneven(Vec<u32>),
}

impl Anchor {
    /// Lines `text` up with `raw`, the scalar as the file has it, which begins at byte `start`.
    pub fn new(file: FileId, start: u32, raw: &str, text: &str) -> Self {
        let quote = raw.starts_with(['"', '\'']);
        let inner = if quote { raw.get(1..).unwrap_or_default() } else { raw };
        let inner_start = start + u32::from(quote);
        let steps = if inner.starts_with(text) {
            Steps::Even(inner_start)
        } else {
            Steps::Uneven(line_up(inner, text).into_iter().map(|at| inner_start + at).collect())
        };
        Self { file, steps }
    }

    /// The place in the file of a range of the text.
    pub fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.file, start: self.at(start), end: self.at(end) }
    }

    fn at(&self, byte: usize) -> u32 {
        match &self.steps {
            Steps::Even(start) => start + u32::try_from(byte).unwrap_or(0),
            Steps::Uneven(places) => places.get(byte).or(places.last()).copied().unwrap_or(0),
        }
    }
}

/// For each byte of `text`, and its end, the byte of `raw` it came from.
fn line_up(raw: &str, text: &str) -> Vec<u32> {
    let mut places = Vec::with_capacity(text.len() + 1);
    let mut at = 0;
    for character in text.chars() {
        at += skipped(&raw[at..], character);
        let place = u32::try_from(at).unwrap_or(u32::MAX);
        places.resize(places.len() + character.len_utf8(), place);
        at += taken(&raw[at..], character);
    }
    places.push(u32::try_from(at).unwrap_or(u32::MAX));
    places
}

/// How many bytes of `raw` stand before what gave `character`: indentation and line breaks before a printed one.
fn skipped(raw: &str, character: char) -> usize {
    if character.is_whitespace() {
        return 0;
    }
    raw.len() - raw.trim_start().len()
}

/// How many bytes the first letters of `raw` have: what looks like an escape may hold any letter.
fn of_letters(raw: &str, count: usize) -> usize {
    raw.char_indices().nth(count).map_or(raw.len(), |(at, _)| at)
}

/// How many bytes of `raw` gave `character`.
fn taken(raw: &str, character: char) -> usize {
    let mut found = raw.chars();
    match (found.next(), found.next()) {
        (Some('\\'), Some('x')) => of_letters(raw, 4),
        (Some('\\'), Some('u')) => of_letters(raw, 6),
        (Some('\\'), Some('U')) => of_letters(raw, 10),
        (Some('\\'), Some(escaped)) => 1 + escaped.len_utf8(),
        (Some('\''), Some('\'')) if character == '\'' => 2,
        (Some(same), _) if same == character || same.is_whitespace() == character.is_whitespace() => {
            same.len_utf8()
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str, text: &str, needle: &str) -> u32 {
        let anchor = Anchor::new(FileId(0), 100, raw, text);
        anchor.span(text.find(needle).unwrap(), text.len()).start - 100
    }

    #[test]
    fn what_looks_like_an_escape_may_hold_any_letter() {
        assert_eq!(line_up("\\x\\Ό b", "aΌ b").len(), "aΌ b".len() + 1);
    }

    #[test]
    fn text_and_file_run_in_step_where_nothing_is_escaped_or_folded() {
        assert_eq!(at("a >= 2 and b", "a >= 2 and b", "b"), 11);
        assert_eq!(at("\"a >= 2 and b\"", "a >= 2 and b", "b"), 12);
    }

    #[test]
    fn escapes_and_folded_lines_are_followed() {
        assert_eq!(at(r#""x = \"é\" and b""#, "x = \"é\" and b", "b"), 16);
        assert_eq!(at("'it''s and b'", "it's and b", "b"), 11);
        assert_eq!(at("a\n    and b", "a and b", "and"), 6);
        assert_eq!(at("a\n    and b", "a and b", "b"), 10);
        assert_eq!(at(r#""\u00e9 and b""#, "é and b", "and"), 8);
    }
}
