//! Text of a placeholder in, tokens out.

use crate::literal;
use std::ops::Range;

/// A token and its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub kind: Kind,
    pub at: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Word(String),
    Text(String),
    /// Millionths, and how many decimals were written.
    Number(i64, u8),
    /// Milliseconds.
    Duration(i64),
    /// `+ - * / ( ) [ ]`, and `.` behind `]`.
    Sign(char),
    /// Nothing of these.
    Other,
    End,
}

/// Where the placeholder ends that begins here: at the first `}}` outside of quotes.
pub(super) fn end(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '}') if text[at..].starts_with("}}") => return Some(at),
            (None, _) => {}
        }
    }
    None
}

/// The tokens of `text` at `range`, with [`Kind::End`] behind them.
pub(super) fn tokens(text: &str, range: Range<usize>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = range.start;
    while let Some(first) = text[at..range.end].chars().next() {
        let rest = &text[at..range.end];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, length) = token(rest, first);
        tokens.push(Token { kind, at: at..at + length });
        at += length;
    }
    tokens.push(Token { kind: Kind::End, at: range.end..range.end });
    tokens
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    let length_of = |is_part: fn(char) -> bool| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    match first {
        '"' | '\'' => match rest[1..].find(first) {
            Some(length) => (Kind::Text(rest[1..=length].to_owned()), length + 2),
            None => (Kind::Other, rest.len()),
        },
        '+' | '-' | '*' | '/' | '(' | ')' | '[' | ']' | '.' => (Kind::Sign(first), 1),
        _ if first.is_ascii_digit() => {
            let length = length_of(|c| c.is_ascii_alphanumeric() || c == '.');
            (number(&rest[..length]), length)
        }
        _ if first.is_ascii_alphabetic() || first == '_' => {
            let length = length_of(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
            (Kind::Word(rest[..length].to_owned()), length)
        }
        _ => (Kind::Other, first.len_utf8()),
    }
}

fn number(written: &str) -> Kind {
    let decimals = written.split_once('.').map_or(0, |(_, part)| part.len());
    let duration = || Some(Kind::Duration(i64::try_from(literal::duration_ms(written)?).ok()?));
    let number = literal::micro(written).zip(u8::try_from(decimals).ok());
    number.map(|(micro, decimals)| Kind::Number(micro, decimals)).or_else(duration).unwrap_or(Kind::Other)
}
