//! What follows from another mistake: a name is not unknown where its declaration stands there with an error of its own, and
//! what the rules call by a wrong name the tests call so too. Such errors are counted and not told, so that the cause is not
//! lost among them.

use crate::codes::Code;
use crate::source::{FileId, Files, Span};
use std::collections::BTreeMap;

/// Errors that say that a name is not there.
const OF_NAMES: [Code; 13] = [
    Code::E0201,
    Code::E0202,
    Code::E0203,
    Code::E0204,
    Code::E0205,
    Code::E0206,
    Code::E0231,
    Code::E0234,
    Code::E0321,
    Code::E0342,
    Code::E0344,
    Code::E0501,
    Code::E0503,
];
/// Errors of tests that depend on every rule and content being there.
const OF_EXPECTATIONS: [Code; 2] = [Code::E0504, Code::E0506];
/// Where tests stand.
const TESTS: &str = "tests/";
/// Errors above which nothing is held back: then no cause is easily found anyway.
const ERRORS_MAX: usize = 1_000;
/// Keys above an entry that are looked at.
const ABOVE_MAX: usize = 8;

/// Of each error (its code and place) whether it follows from another.
pub(crate) fn follow_on(errors: &[(Code, Span)], files: &Files<'_>) -> Vec<bool> {
    let mut follows = vec![false; errors.len()];
    if errors.len() < 2 || errors.len() > ERRORS_MAX {
        return follows;
    }
    let mut found = Found { errors, files, entries: entries(files), causes: Vec::new() };
    found.causes = found.spans(|code, span| {
        let is_told = !is_of_names(code) && !OF_EXPECTATIONS.contains(&code);
        is_told || (is_of_names(code) && !found.is_test(span) && !found.is_declared(span))
    });
    found.spread(&mut follows, true);
    // What is left is told, and tests that call things by these names say the same again.
    let left = errors.iter().zip(&follows).filter(|((_, span), follows)| !**follows && !found.is_test(*span));
    found.causes = left.map(|((_, span), _)| *span).chain(found.causes.iter().copied()).collect();
    found.spread(&mut follows, false);
    follows
}

fn is_of_names(code: Code) -> bool {
    OF_NAMES.contains(&code)
}

struct Found<'a> {
    errors: &'a [(Code, Span)],
    files: &'a Files<'a>,
    entries: BTreeMap<&'a str, Vec<Entry>>,
    causes: Vec<Span>,
}

impl Found<'_> {
    fn spans(&self, wanted: impl Fn(Code, Span) -> bool) -> Vec<Span> {
        self.errors.iter().filter(|(code, span)| wanted(*code, *span)).map(|(_, span)| *span).collect()
    }

    /// Each round finds what follows from what was found before: a count, the rule that uses it, the test of the rule.
    fn spread(&mut self, follows: &mut [bool], in_rules_too: bool) {
        for _ in 0..self.errors.len() {
            let mut found = Vec::new();
            for ((code, span), follows) in self.errors.iter().zip(&mut *follows) {
                let is_open = !*follows && (in_rules_too || self.is_test(*span));
                if is_open && self.is_caused(*code, *span) {
                    *follows = true;
                    found.push(*span);
                }
            }
            if found.is_empty() {
                return;
            }
            self.causes.extend(found);
        }
    }

    fn is_caused(&self, code: Code, span: Span) -> bool {
        let mut causes = self.causes.iter().copied().filter(|cause| *cause != span);
        if OF_EXPECTATIONS.contains(&code) {
            return causes.any(|cause| !self.is_test(cause));
        }
        is_of_names(code)
            && causes.any(|cause| {
                self.declarations(span).any(|entry| entry.holds(cause)) || self.repeats(span, cause)
            })
    }

    /// Whether a test calls something by a name that is wrong outside of it too.
    fn repeats(&self, span: Span, cause: Span) -> bool {
        let named = self.text(cause);
        self.is_test(span) && !self.is_test(cause) && self.words(span).any(|word| word == named)
    }

    fn is_declared(&self, span: Span) -> bool {
        self.declarations(span).next().is_some()
    }

    fn declarations(&self, span: Span) -> impl Iterator<Item = &Entry> {
        self.words(span).filter_map(|word| self.entries.get(word)).flatten()
    }

    fn is_test(&self, span: Span) -> bool {
        self.files.name(span.file).starts_with(TESTS)
    }

    fn text(&self, span: Span) -> &str {
        let text = self.files.text(span.file).get(span.start as usize..span.end as usize);
        text.unwrap_or_default().trim_matches(['"', '\''])
    }

    /// What stands at a place may be the name itself, a line of a test (`10s product_view {...}`), or a reason
    /// (`shoe_views = 2`).
    fn words(&self, span: Span) -> impl Iterator<Item = &str> {
        let text = self.text(span);
        std::iter::once(text).chain(text.split_whitespace().take(2))
    }
}

/// Something that is declared: `NAME:`, or `id: NAME` in an item of a list, with all that is indented below it.
struct Entry {
    span: Span,
    /// Where the keys stand that it is below of.
    above: Vec<u32>,
}

impl Entry {
    /// Whether the error is within it, or one of the keys that it is below of.
    fn holds(&self, cause: Span) -> bool {
        let is_within = (self.span.start..self.span.end).contains(&cause.start);
        cause.file == self.span.file && (is_within || self.above.contains(&cause.start))
    }
}

fn entries<'a>(files: &Files<'a>) -> BTreeMap<&'a str, Vec<Entry>> {
    let own = files.names().filter(|name| name.ends_with(".yaml") && !name.starts_with(TESTS));
    let mut named: BTreeMap<&str, Vec<Entry>> = BTreeMap::new();
    for file in own.filter_map(|name| files.find(name)) {
        for (name, entry) in entries_of(file, files.text(file)) {
            named.entry(name).or_default().push(entry);
        }
    }
    named
}

fn entries_of(file: FileId, text: &str) -> Vec<(&str, Entry)> {
    let mut entries: Vec<(&str, Entry)> = Vec::new();
    // Entries that are still open: how far they are indented, and which they are.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut start: u32 = 0;
    for line in text.split_inclusive('\n') {
        let (from, trimmed) = (start, line.trim());
        start = start.saturating_add(length(line));
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        while open.last().is_some_and(|(before, _)| *before >= indent) {
            let closed = open.pop().and_then(|(_, at)| entries.get_mut(at));
            closed.into_iter().for_each(|(_, entry)| entry.span.end = from);
        }
        let Some((key, value)) = trimmed.trim_start_matches("- ").split_once(':') else { continue };
        let name = if matches!(key, "id" | "name") { value } else { key };
        let above = open.last().and_then(|(_, at)| entries.get(*at)).map(|(_, entry)| entry.above.as_slice());
        let key_at = length(line) - length(line.trim_start_matches([' ', '-']));
        let above = above.into_iter().flatten().copied().chain([from.saturating_add(key_at)]);
        let entry = Entry {
            span: Span { file, start: from, end: length(text) },
            above: above.take(ABOVE_MAX).collect(),
        };
        open.push((indent, entries.len()));
        entries.push((name.trim().trim_matches(['"', '\'']), entry));
    }
    entries
}

fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}
