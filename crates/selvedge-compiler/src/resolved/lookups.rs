//! `catalog[page.sku].stock`: the table, its column, and the fact that it is looked up by.

use super::fact::{Fact, FactType, LookedUp};
use super::names::Meaning;
use super::typed::{Checker, Scope};
use crate::codes::Code;
use crate::condition::Lookup;
use crate::diagnostic::Report;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::written::lookups::{ColumnKind, Lookup as Table};

impl<'a> Checker<'a, '_> {
    /// What a lookup means.
    pub(super) fn lookup(&mut self, lookup: &Lookup, span: Span, scope: Scope<'a>) -> Option<Meaning> {
        if !matches!(scope, Scope::Visitor) {
            return self.fact_in_where("a lookup", span);
        }
        let key = match self.meaning(&lookup.key, scope)? {
            Meaning::Fact(fact, FactType::Text { .. }) => fact,
            _ => {
                let message = format!("`{}` is looked up by a text", lookup.table);
                let help = format!("write for example `{}[page.sku].{}`", lookup.table, lookup.column);
                self.report.add_help(Code::E0301, lookup.key.span, message, help);
                return None;
            }
        };
        let (found, kind) = cell(self.lookups, (&lookup.table, &lookup.column), key, span, self.report)?;
        let fact_type = match kind {
            ColumnKind::Text => FactType::Text { one_of: Vec::new(), kept: false },
            ColumnKind::Number => FactType::Number,
            ColumnKind::Money => FactType::Money,
            ColumnKind::Bool => FactType::Bool,
            ColumnKind::Time => FactType::Time,
        };
        Some(Meaning::Fact(Fact::Lookup(Box::new(found)), fact_type))
    }
}

/// The cell of a table in this column, by this fact, and what it holds; what there is not is reported.
pub(super) fn cell(
    tables: &[Table],
    (table, column): (&str, &str),
    key: Fact,
    span: Span,
    report: &mut Report,
) -> Option<(LookedUp, ColumnKind)> {
    let Some(at) = tables.iter().position(|known| known.name == table) else {
        let known = tables.iter().map(|known| known.name.as_str());
        let help = did_you_mean(table, known)
            .unwrap_or_else(|| "declare it under `lookups` in site.yaml".to_owned());
        report.add_help(Code::E0234, span, format!("there is no lookup `{table}`"), help);
        return None;
    };
    let columns = &tables.get(at)?.columns;
    let Some(place) = columns.iter().position(|known| known.name == column) else {
        let message = format!("`{table}` has no column `{column}`");
        let help = did_you_mean(column, columns.iter().map(|known| known.name.as_str()));
        report.add_help(Code::E0234, span, message, help);
        return None;
    };
    if key.is_made_of_others() {
        let help = format!("write for example `{table}[page.sku].{column}`");
        report.add_help(Code::E0301, span, format!("`{table}` is looked up by a plain text"), help);
        return None;
    }
    Some((LookedUp { table: at, column: place, key }, columns.get(place)?.kind))
}
