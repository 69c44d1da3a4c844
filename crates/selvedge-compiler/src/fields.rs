//! Reading mappings key by key: each key that was not asked for is reported, with what may have been meant.

use crate::codes::Code;
use crate::diagnostic::Report;
use crate::source::Span;
use crate::suggest::{did_you_mean, nearest};
use crate::yaml::{Entry, Map, Node, Scalar, Value, traps};

/// A value read, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spanned<T> {
    pub value: T,
    pub span: Span,
}

/// A key or a word that means something elsewhere: what it is called, or how the same is reached, here; and what to write.
pub(crate) type Elsewhere = (&'static str, &'static str, &'static str);

/// As many keys as a rule has.
const ASKED: usize = 24;

/// A mapping being read.
pub(crate) struct Fields<'a> {
    map: &'a Map,
    span: Span,
    asked: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// The mapping in `node`; reports where it is something else.
    pub fn of(node: &'a Node, report: &mut Report) -> Option<Self> {
        let map = map(node, report)?;
        Some(Self { map, span: node.span, asked: Vec::with_capacity(ASKED), missing: Vec::new() })
    }

    /// The key's value, where the key is there and not empty.
    pub fn optional(&mut self, key: &'static str) -> Option<&'a Node> {
        self.asked.push(key);
        let entry = self.map.entries.iter().find(|entry| entry.key == key)?;
        (!is_null(&entry.value)).then_some(&entry.value)
    }

    /// The key's value, where the key is there; reports an empty one, which would else mean nothing at all.
    pub fn filled(&mut self, key: &'static str, report: &mut Report) -> Option<&'a Node> {
        let entry = self.map.entries.iter().find(|entry| entry.key == key);
        if let Some(entry) = entry.filter(|entry| is_null(&entry.value)) {
            let help = format!("remove `{key}`, or write its value behind it");
            report.add_help(Code::E0006, entry.key_span, format!("`{key}` is empty"), help);
        }
        self.optional(key)
    }

    /// The key's value; that it is missing is reported at the end, unless a key stands there that is like it.
    pub fn required(&mut self, key: &'static str) -> Option<&'a Node> {
        let value = self.optional(key);
        if value.is_none() {
            self.missing.push(key);
        }
        value
    }

    /// Reports every key that nobody asked for, and every one that is missing.
    pub fn finish(mut self, elsewhere: &[Elsewhere], report: &mut Report) {
        if let Some(keys) = &mut report.keys {
            keys.insert(self.asked.clone());
        }
        for entry in &self.map.entries {
            if !self.asked.contains(&entry.key.as_str()) {
                let meant = self.unknown_key(entry, elsewhere, report);
                self.missing.retain(|key| Some(*key) != meant);
            }
        }
        self.report_missing(report);
    }

    /// Reports what is missing, of a mapping of which nothing else can be read without it; always `None`.
    pub fn give_up<T>(mut self, report: &mut Report) -> Option<T> {
        for entry in &self.map.entries {
            let meant = nearest(&entry.key, self.missing.iter().copied());
            if let Some(meant) = meant.and_then(|meant| self.missing.iter().position(|key| *key == meant)) {
                self.missing.remove(meant);
                self.unknown_key(entry, &[], report);
            }
        }
        self.report_missing(report);
        None
    }

    fn report_missing(&self, report: &mut Report) {
        let first = self.map.entries.first().map_or(self.span, |entry| entry.key_span);
        for key in &self.missing {
            let help = format!("add `{key}: ...`");
            report.add_help(Code::E0006, first, format!("the key `{key}` is missing"), help);
        }
    }

    /// Reports a key that nobody asked for; gives back the key that was meant.
    fn unknown_key(
        &self,
        entry: &Entry,
        elsewhere: &[Elsewhere],
        report: &mut Report,
    ) -> Option<&'static str> {
        let key = &entry.key;
        if let Some((_, message, help)) = elsewhere.iter().find(|(name, ..)| name == key) {
            said_otherwise(key, message, help, entry.key_span, report);
            // The key that it is called here is not missing besides.
            return self.asked.iter().copied().find(|asked| help.contains(&format!("`{asked}`")));
        }
        if self.holds_flow_condition() {
            report.add_help(Code::E0011, entry.key_span, traps::flow_message(), traps::flow_help());
            return None;
        }
        let help = did_you_mean(key, self.asked.iter().copied());
        report.add_help(Code::E0005, entry.key_span, format!("unknown key `{key}`"), help);
        let meant = nearest(key, self.asked.iter().copied())?;
        self.asked.iter().copied().find(|asked| *asked == meant)
    }

    fn holds_flow_condition(&self) -> bool {
        self.map.entries.iter().any(|entry| {
            entry.key == "when"
                && matches!(&entry.value.value, Value::Scalar(scalar) if scalar.in_flow && !scalar.quoted)
        })
    }
}

/// Reports a key or a word that is called otherwise here.
fn said_otherwise(word: &str, message: &str, help: &str, span: Span, report: &mut Report) {
    report.add_help(Code::E0008, span, format!("`{word}` means nothing here: {message}"), help.to_owned());
}

/// The mapping in `node`; an empty value is an empty mapping.
pub(crate) fn map<'a>(node: &'a Node, report: &mut Report) -> Option<&'a Map> {
    const EMPTY: &Map = &Map { entries: Vec::new() };
    match &node.value {
        Value::Map(map) => Some(map),
        Value::Scalar(scalar) if scalar.is_null() => Some(EMPTY),
        _ => wrong_form(node, "a mapping (`key: value` lines)", report),
    }
}

/// The items in `node`; a single value is a list of one.
pub(crate) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// The list in `node`.
pub(crate) fn list<'a>(node: &'a Node, report: &mut Report) -> Option<&'a [Node]> {
    match &node.value {
        Value::List(items) => Some(items),
        _ => wrong_form(node, "a list (`- item` lines)", report),
    }
}

/// The scalar in `node`, whatever it may mean.
pub(crate) fn scalar<'a>(node: &'a Node, expected: &str, report: &mut Report) -> Option<&'a Scalar> {
    match &node.value {
        Value::Scalar(scalar) if !scalar.is_null() => Some(scalar),
        _ => wrong_form(node, expected, report),
    }
}

/// The text in `node`; an unquoted number counts as its digits.
pub(crate) fn text(node: &Node, report: &mut Report) -> Option<Spanned<String>> {
    let scalar = scalar(node, "a text", report)?;
    Some(Spanned { value: scalar.text.clone(), span: node.span })
}

/// Yes or no.
pub(crate) fn flag(node: &Node, report: &mut Report) -> Option<bool> {
    match scalar(node, "`true` or `false`", report)?.as_bool() {
        Some(flag) => Some(flag),
        None => wrong_form(node, "`true` or `false`", report),
    }
}

/// A whole number between the bounds, both included.
pub(crate) fn whole(node: &Node, low: i64, high: i64, report: &mut Report) -> Option<i64> {
    let scalar = scalar(node, "a whole number", report)?;
    match scalar.text.parse::<i64>() {
        Ok(number) if (low..=high).contains(&number) => Some(number),
        Ok(number) => {
            let message = format!("{number} is out of bounds: {low} to {high}");
            report.add(Code::E0016, node.span, message);
            None
        }
        Err(_) => wrong_form(node, "a whole number", report),
    }
}

/// One of the words that a key takes.
pub(crate) fn word<T: Copy>(
    node: &Node,
    words: &[(&'static str, T)],
    elsewhere: &[Elsewhere],
    report: &mut Report,
) -> Option<T> {
    let text = text(node, report)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.value) {
        return Some(*value);
    }
    if let Some((word, message, help)) = elsewhere.iter().find(|(word, ..)| *word == text.value) {
        said_otherwise(word, message, help, text.span, report);
        return None;
    }
    let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let message = format!("`{}` is not one of: {}", text.value, known.join(", "));
    report.add_help(Code::E0015, text.span, message, did_you_mean(&text.value, known));
    None
}

/// What a name may be made of, besides letters, digits and `_`.
#[derive(Clone, Copy)]
pub(crate) enum NameKind {
    /// Letters, digits, `_` and `.`: what a condition can write.
    Dotted,
    /// Letters, digits, `_` and `-`: ids of rules, slots, contents, groups.
    Dashed,
    /// Any printed characters: events and properties keep the names their senders gave them.
    Free,
}

/// Longest name.
const NAME_BYTES_MAX: usize = 64;

/// Checks a name; reports where it is none.
pub(crate) fn name(name: &str, span: Span, kind: NameKind, report: &mut Report) -> bool {
    let (extra, allowed) = match kind {
        NameKind::Dotted => (".", "letters, digits, `_` and `.`, beginning with a letter"),
        NameKind::Dashed => ("-", "letters, digits, `_` and `-`, beginning with a letter or digit"),
        NameKind::Free => return free_name(name, span, report),
    };
    let is_inner =
        |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || extra.as_bytes().contains(&byte);
    let begins = name.bytes().next().is_some_and(|byte| match kind {
        NameKind::Dotted => byte.is_ascii_alphabetic(),
        _ => byte.is_ascii_alphanumeric(),
    });
    let parts_filled = !name.ends_with('.') && !name.contains("..");
    let good = begins && parts_filled && name.bytes().all(is_inner) && name.len() <= NAME_BYTES_MAX;
    if !good {
        let message = format!("`{name}` is not a name: {allowed}, at most {NAME_BYTES_MAX} bytes");
        report.add_help(Code::E0014, span, message, as_name(name, extra));
    }
    good
}

fn free_name(name: &str, span: Span, report: &mut Report) -> bool {
    let good = !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control);
    if !good {
        let message = format!("`{name}` is not a name: printed characters, at most {NAME_BYTES_MAX} bytes");
        report.add(Code::E0014, span, message);
    }
    good
}

fn as_name(name: &str, extra: &str) -> Option<String> {
    let kept = |c: char| if c.is_ascii_alphanumeric() || extra.contains(c) { c } else { '_' };
    let made: String = name.trim().chars().map(kept).take(NAME_BYTES_MAX).collect();
    let made = made.trim_start_matches(['_', '.', '-']).to_owned();
    made.chars().any(|c| c.is_ascii_alphanumeric()).then(|| format!("write `{made}`"))
}

/// Reports a value of the wrong form; always `None`.
pub(crate) fn wrong_form<T>(node: &Node, expected: &str, report: &mut Report) -> Option<T> {
    let message = format!("expected {expected}, found {}", node.form());
    report.add_help(Code::E0007, first_line(node), message, format!("write {expected}"));
    None
}

fn first_line(node: &Node) -> Span {
    match &node.value {
        Value::Map(Map { entries }) => entries.first().map_or(node.span, |entry| entry.key_span),
        Value::List(items) => items.first().map_or(node.span, first_line),
        Value::Scalar(_) => node.span,
    }
}

fn is_null(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if scalar.is_null())
}
