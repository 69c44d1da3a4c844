//! What the compiler says to people: data, rendered elsewhere.

use crate::codes::{Code, Severity};
use crate::fixes::fix;
use crate::follow_on::follow_on;
use crate::source::{Files, Position, Span};
use std::collections::BTreeSet;

/// One thing found in a site's files.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// Its code; [`Code::doc`] explains it.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What was found and what is allowed, in one line.
    pub message: String,
    /// The file, as named in the site's folder.
    pub file: String,
    /// Line of the first character, from 1.
    pub line: u32,
    /// Column of the first character, from 1, in characters.
    pub column: u32,
    /// Just behind the last character.
    pub end: Position,
    /// What to write instead, ready to be pasted where that is possible.
    pub help: Option<String>,
}

struct Found {
    code: Code,
    span: Span,
    message: String,
    help: Option<String>,
}

/// Collects what is found, from all stages and files.
#[derive(Default)]
pub(crate) struct Report {
    found: Vec<Found>,
    /// The keys that were asked for, mapping by mapping; `None` where nobody wants to know.
    pub keys: Option<BTreeSet<Vec<&'static str>>>,
}

impl Report {
    /// Notes something at `span`.
    pub fn add(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.found.push(Found { code, span, message: message.into(), help: None });
    }

    /// Notes something at `span` with what to do about it.
    pub fn add_help(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<Option<String>>,
    ) {
        self.found.push(Found { code, span, message: message.into(), help: help.into() });
    }

    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// An empty one for work that is done beside, to be [`append`](Self::append)ed.
    pub fn beside(&self) -> Self {
        Self { found: Vec::new(), keys: self.keys.as_ref().map(|_| BTreeSet::new()) }
    }

    /// Takes over what another collected.
    pub fn append(&mut self, other: Self) {
        self.found.extend(other.found);
        if let Some(keys) = &mut self.keys {
            keys.extend(other.keys.into_iter().flatten());
        }
    }

    /// Whether any of it forbids a program.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.code.severity() == Severity::Error)
    }

    /// Takes out the errors that follow from others; gives back how many they were.
    pub fn hold_back(&mut self, files: &Files<'_>) -> usize {
        let is_error = |found: &&Found| found.code.severity() == Severity::Error;
        let errors: Vec<(Code, Span)> =
            self.found.iter().filter(is_error).map(|found| (found.code, found.span)).collect();
        let mut follows = follow_on(&errors, files).into_iter();
        let before = self.found.len();
        self.found.retain(|found| !is_error(&found) || !follows.next().unwrap_or(false));
        before - self.found.len()
    }

    /// Everything found, sorted by file, place and code; each once.
    pub fn finish(mut self, files: &Files<'_>) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| (a.span, a.code, &a.message).cmp(&(b.span, b.code, &b.message)));
        self.found.dedup_by(|a, b| (a.span, a.code, &a.message) == (b.span, b.code, &b.message));
        self.found.into_iter().map(|found| diagnostic(found, files)).collect()
    }
}

fn diagnostic(found: Found, files: &Files<'_>) -> Diagnostic {
    let start = files.position(found.span.file, found.span.start);
    Diagnostic {
        code: found.code,
        severity: found.code.severity(),
        message: found.message,
        file: files.name(found.span.file).to_owned(),
        line: start.line,
        column: start.column,
        end: files.position(found.span.file, found.span.end),
        help: found.help.or_else(|| fix(found.code).map(str::to_owned)),
    }
}
