//! CSV as RFC 4180 has it: a header line, then rows. Cells in quotes may hold commas, line ends and doubled quotes. Blanks
//! around cells are left out, blank lines too.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::iter::Peekable;
use core::str::Chars;

/// The records of `text`, one after the other; `Err` says what cannot be read.
pub(super) fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut input = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut records = Vec::new();
    while input.peek().is_some() {
        let line = records.len().saturating_add(1);
        let record = record(&mut input).map_err(|fault| format!("row {line}: {fault}"))?;
        if record.iter().any(|cell| !cell.is_empty()) || record.len() > 1 {
            records.push(record);
        }
    }
    Ok(records)
}

fn record(input: &mut Peekable<Chars<'_>>) -> Result<Vec<String>, &'static str> {
    let mut cells = Vec::new();
    loop {
        let (cell, is_last) = cell(input)?;
        cells.push(cell);
        if is_last {
            return Ok(cells);
        }
    }
}

/// A cell, and whether it ends the record.
fn cell(input: &mut Peekable<Chars<'_>>) -> Result<(String, bool), &'static str> {
    while input.next_if(|next| *next == ' ' || *next == '\t').is_some() {}
    if input.next_if_eq(&'"').is_some() {
        return quoted(input);
    }
    let mut text = String::new();
    let is_last = loop {
        match input.next() {
            None | Some('\n') => break true,
            Some(',') => break false,
            Some('"') => return Err("a quote inside a cell that does not begin with one"),
            Some(other) => text.push(other),
        }
    };
    Ok((text.trim().to_string(), is_last))
}

fn quoted(input: &mut Peekable<Chars<'_>>) -> Result<(String, bool), &'static str> {
    let mut text = String::new();
    loop {
        match input.next() {
            None => return Err("a quote that is never closed"),
            Some('"') if input.next_if_eq(&'"').is_some() => text.push('"'),
            Some('"') => break,
            Some(other) => text.push(other),
        }
    }
    loop {
        match input.next() {
            None | Some('\n') => return Ok((text, true)),
            Some(',') => return Ok((text, false)),
            Some(' ' | '\t' | '\r') => {}
            Some(_) => return Err("text behind a closed quote"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn cells_are_read_as_rfc_4180_has_them() {
        let text = "\u{feff}sku, name\r\nNG-1,\"a \"\"b\"\", c\"\r\n\r\nNG-2 ,\"two\nlines\"";
        let expected = vec![vec!["sku", "name"], vec!["NG-1", "a \"b\", c"], vec!["NG-2", "two\nlines"]];
        assert_eq!(records(text).unwrap(), expected);
        assert_eq!(records("").unwrap(), Vec::<Vec<String>>::new());
        assert_eq!(records("a,\n,b").unwrap(), vec![vec!["a", ""], vec!["", "b"]]);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_row() {
        for (text, fault) in [
            ("a\n\"open", "row 2: a quote that is never closed"),
            ("a\"b", "row 1: a quote inside a cell that does not begin with one"),
            ("\"a\"b", "row 1: text behind a closed quote"),
        ] {
            assert_eq!(records(text).unwrap_err(), fault);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = records(&text);
        }
    }
}
