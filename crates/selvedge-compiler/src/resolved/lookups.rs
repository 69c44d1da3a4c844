//! `catalog[page.sku].stock`: the table, its column, and the fact that it is looked up by.

use super::fact::{Fact, FactType, LookedUp};
use super::names::Meaning;
use super::typed::{Checker, Scope};
use crate::codes::Code;
use crate::condition::Lookup;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::written::lookups::ColumnKind;

impl<'a> Checker<'a, '_> {
    /// What a lookup means.
    pub(super) fn lookup(&mut self, lookup: &Lookup, span: Span, scope: Scope<'a>) -> Option<Meaning> {
        if !matches!(scope, Scope::Visitor) {
            return self.fact_in_where("a lookup", span);
        }
        let tables = self.lookups;
        let Some(table) = tables.iter().position(|table| table.name == lookup.table) else {
            let known = tables.iter().map(|table| table.name.as_str());
            let help = did_you_mean(&lookup.table, known)
                .unwrap_or_else(|| "declare it under `lookups` in site.yaml".to_owned());
            self.report.add_help(Code::E0234, span, format!("there is no lookup `{}`", lookup.table), help);
            return None;
        };
        let columns = &tables.get(table)?.columns;
        let Some(column) = columns.iter().position(|column| column.name == lookup.column) else {
            let message = format!("`{}` has no column `{}`", lookup.table, lookup.column);
            let help = did_you_mean(&lookup.column, columns.iter().map(|column| column.name.as_str()));
            self.report.add_help(Code::E0234, span, message, help);
            return None;
        };
        let key = match self.meaning(&lookup.key, scope)? {
            Meaning::Fact(fact, FactType::Text { .. }) if !fact.is_made_of_others() => fact,
            _ => {
                let message = format!("`{}` is looked up by a text", lookup.table);
                let help = format!("write for example `{}[page.sku].{}`", lookup.table, lookup.column);
                self.report.add_help(Code::E0301, lookup.key.span, message, help);
                return None;
            }
        };
        let fact_type = match columns[column].kind {
            ColumnKind::Text => FactType::Text { one_of: Vec::new(), kept: false },
            ColumnKind::Number => FactType::Number,
            ColumnKind::Money => FactType::Money,
            ColumnKind::Bool => FactType::Bool,
            ColumnKind::Time => FactType::Time,
        };
        Some(Meaning::Fact(Fact::Lookup(Box::new(LookedUp { table, column, key })), fact_type))
    }
}
