//! The tables of what rules tell destinations.

use super::{NONE, Tables, emit_hash, kind, size, tag};
use crate::wire::program::{OncePer, Rule};
use alloc::vec::Vec;

impl Tables {
    pub(super) fn emit(&mut self, at: u16, rule: &Rule) {
        let Some(emit) = &rule.emit else { return };
        let (to, enter) = (self.text(&emit.to), self.text(&emit.enter));
        let fields: Vec<(u32, u16)> =
            emit.fields.iter().map(|(name, fact)| (self.text(name), *fact)).collect();
        let table = self.table(tag::EMIT_FIELDS);
        let first = u16::try_from(table.next(size::NARROW)).unwrap_or(u16::MAX);
        for (name, fact) in &fields {
            table.fixed(*name).fixed(*fact).end(size::NARROW);
        }
        let (once, once_ms) = match emit.once_per {
            None => (0, 0),
            Some(OncePer::Session) => (kind::ONCE_PER_SESSION, 0),
            Some(OncePer::Time(ms)) => (kind::ONCE_PER_TIME, ms),
            Some(OncePer::Visitor) => (kind::ONCE_PER_VISITOR, 0),
        };
        let row = self.table(tag::EMITS).fixed(emit_hash(rule)).fixed(once_ms).fixed(to).fixed(enter);
        row.fixed(emit.exit_when.unwrap_or(NONE)).fixed(at).fixed(first);
        let count = u8::try_from(fields.len()).unwrap_or(u8::MAX);
        row.raw(&[count, once, emit.exit_when.is_some().into()]).end(size::WIDE);
    }
}
