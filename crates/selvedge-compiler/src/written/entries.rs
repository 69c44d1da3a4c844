//! A map of named things: each entry read, its name checked.

use crate::diagnostic::Report;
use crate::fields::{self, NameKind, Spanned};
use crate::yaml::{Entry, Node};

pub(super) fn named<T>(
    node: Option<&Node>,
    mut read: impl FnMut(&Entry, &mut Report) -> Option<T>,
    report: &mut Report,
) -> Vec<T> {
    let entries =
        node.and_then(|node| fields::map(node, report)).map(|map| map.entries.as_slice()).unwrap_or_default();
    entries.iter().filter_map(|entry| read(entry, report)).collect()
}

pub(super) fn name_of(entry: &Entry, kind: NameKind, report: &mut Report) -> Spanned<String> {
    fields::name(&entry.key, entry.key_span, kind, report);
    Spanned { value: entry.key.clone(), span: entry.key_span }
}
