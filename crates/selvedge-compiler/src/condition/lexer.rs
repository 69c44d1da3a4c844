//! Text in, tokens out.

use super::hints::instead_of;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::literal;
use crate::yaml::Anchor;
use std::ops::Range;

/// A token and its place in the condition's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    pub at: Range<usize>,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A name or a keyword: which, the parser knows.
    Word(&'a str),
    Text(String),
    /// Millionths.
    Number(i64),
    /// Milliseconds.
    Duration(u64),
    /// `= != < <= > >= ( ) [ ] ,`, and `. : - +`, which nothing takes yet.
    Sign(&'static str),
    End,
}

/// Signs, longest first.
const SIGNS: [&str; 15] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", "[", "]", ",", ".", ":", "-", "+"];

/// Bytes of a token, and what is between two, at the least in most conditions.
const TOKEN_BYTES: usize = 4;

/// Operators of other languages, and what is written here.
const FOREIGN: [(&str, &str); 8] = [
    ("==", "="),
    ("=>", ">="),
    ("=<", "<="),
    ("&&", "and"),
    ("||", "or"),
    ("<>", "!="),
    ("=~", "matches_glob"),
    ("!", "not"),
];

/// The tokens of a condition, with [`Kind::End`] behind them; `None` where it has an error, which is reported.
pub(super) fn tokens<'a>(text: &'a str, anchor: &Anchor, report: &mut Report) -> Option<Vec<Token<'a>>> {
    let mut lexer = Lexer { text, at: 0, anchor, report, failed: false };
    let mut tokens = Vec::with_capacity(text.len() / TOKEN_BYTES + 1);
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    let failed = lexer.failed;
    tokens.push(Token { kind: Kind::End, at: text.len()..text.len() });
    (!failed).then_some(tokens)
}

struct Lexer<'a, 'r> {
    text: &'a str,
    at: usize,
    anchor: &'r Anchor,
    report: &'r mut Report,
    failed: bool,
}

impl<'a> Lexer<'a, '_> {
    /// The next token; `None` at the end. Every turn moves on by at least one character.
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            let start = self.at;
            let first = self.rest().chars().next()?;
            if let Some(kind) = self.token(first) {
                return Some(Token { kind, at: start..self.at });
            }
            self.failed = true;
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The token that begins with `first`; `None` where it is an error.
    fn token(&mut self, first: char) -> Option<Kind<'a>> {
        match first {
            '"' | '\'' => self.quoted(first),
            '“' | '”' | '„' | '‘' | '’' => self.curly_quote(first),
            _ if first.is_ascii_digit() || self.is_negative_number() => self.number(),
            _ if first.is_ascii_alphabetic() || first == '_' => Some(self.word()),
            _ => self.sign(first),
        }
    }

    fn quoted(&mut self, quote: char) -> Option<Kind<'a>> {
        let start = self.at;
        let mut value = String::new();
        let mut characters = self.rest().char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.push(characters.next().map_or('\\', |(_, escaped)| escaped)),
                _ if character == quote => {
                    self.at += at + 1;
                    return Some(Kind::Text(value));
                }
                _ => value.push(character),
            }
        }
        self.at = self.text.len();
        let help = format!("close it with {quote}");
        self.fault(Code::E0102, start..start + 1, "the text has no closing quote".to_owned(), Some(help))
    }

    fn curly_quote(&mut self, found: char) -> Option<Kind<'a>> {
        let start = self.at;
        self.at += found.len_utf8();
        let message = format!("`{found}` does not begin a text");
        self.fault(Code::E0101, start..self.at, message, Some("use straight quotes: \"...\"".to_owned()))
    }

    fn is_negative_number(&self) -> bool {
        let mut characters = self.rest().chars();
        characters.next() == Some('-') && characters.next().is_some_and(|digit| digit.is_ascii_digit())
    }

    /// A number, or a duration where a unit follows at once.
    fn number(&mut self) -> Option<Kind<'a>> {
        let start = self.at;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        let signed = usize::from(self.rest().starts_with('-'));
        let length = self.rest()[signed..].find(|c| !is_part(c)).map_or(self.rest().len(), |at| at + signed);
        self.at += length;
        let written = &self.text[start..self.at];
        if let Some(number) = literal::micro(written) {
            return Some(Kind::Number(number));
        }
        if let Some(duration) = literal::duration_ms(written) {
            return Some(Kind::Duration(duration));
        }
        let (code, message, help) = bad_number(written);
        self.fault(code, start..self.at, message, help)
    }

    fn word(&mut self) -> Kind<'a> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let length = self.rest().find(|c| !is_part(c)).unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        self.at += length;
        Kind::Word(word)
    }

    fn sign(&mut self, first: char) -> Option<Kind<'a>> {
        let start = self.at;
        let known = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
        let foreign = FOREIGN.iter().find(|(sign, _)| self.rest().starts_with(sign));
        match (foreign, known) {
            (Some((sign, here)), known) if known.is_none_or(|known| known.len() < sign.len()) => {
                self.at += sign.len();
                let message = format!("`{sign}` is not an operator here");
                self.fault(Code::E0104, start..self.at, message, Some(format!("write `{here}`")))
            }
            (_, Some(sign)) => {
                self.at += sign.len();
                Some(Kind::Sign(sign))
            }
            _ => {
                self.at += first.len_utf8();
                let message = format!("`{first}` begins nothing that a condition can hold");
                self.fault(Code::E0101, start..self.at, message, instead_of(first).map(str::to_owned))
            }
        }
    }

    fn fault(
        &mut self,
        code: Code,
        at: Range<usize>,
        message: String,
        help: Option<String>,
    ) -> Option<Kind<'a>> {
        self.report.add_help(code, self.anchor.span(at.start, at.end), message, help);
        None
    }
}

fn bad_number(written: &str) -> (Code, String, Option<String>) {
    let digits = written.trim_start_matches('-');
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number && digits.matches('.').count() <= 1 && !digits.ends_with('.') {
        let message = format!("`{written}` does not fit: at most six decimals, below 9,223,372,036,854");
        return (Code::E0309, message, None);
    }
    if let (Some(number), true) = (literal::micro(&written.replace('_', "")), written.contains('_')) {
        let help = format!("write `{}`", literal::micro_text(number));
        return (Code::E0101, format!("`{written}` is neither a number nor a duration"), Some(help));
    }
    let is_duration = digits.trim_end_matches(['s', 'm', 'h', 'd']).len() + 1 == digits.len();
    if is_duration && digits.starts_with(|first: char| first.is_ascii_digit()) {
        let message = format!("`{written}` is not a duration from 1s to 366d");
        return (Code::E0018, message, Some("write `30d`, or the window `ever`".to_owned()));
    }
    if let Some(help) = day_meant(digits) {
        return (Code::E0101, format!("`{written}` is neither a number nor a duration"), Some(help));
    }
    let help = "numbers: `2`, `12.50`; durations: `30s`, `10m`, `24h`, `7d`; money: `50 EUR`".to_owned();
    (Code::E0101, format!("`{written}` is neither a number nor a duration"), Some(help))
}

/// `24.12.2026`, as a day is written here.
fn day_meant(digits: &str) -> Option<String> {
    let parts: Vec<u16> = digits.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [day @ 1..=31, month @ 1..=12, year @ 1_000..=9_999] = *parts.as_slice() else { return None };
    Some(format!("a day is written `\"{year}-{month:02}-{day:02}\"`"))
}
