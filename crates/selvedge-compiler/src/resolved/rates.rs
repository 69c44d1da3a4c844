//! Rates between currencies: which lookup of site.yaml holds them, and what is an amount at all.

use super::fact::{Amount, Domain, Fact, FactType, Leaf, LeafTest, Typed};
use crate::codes::Code;
use crate::condition::{Ask, Literal, LiteralValue, Source};
use crate::diagnostic::Report;
use crate::fields::Spanned;
use crate::literal::micro_text;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::written::lookups::{ColumnKind, Lookup};
use crate::written::site::Site;
use selvedge_core::number::Micro;
use selvedge_core::tracking_plan::PlanEvent;
use selvedge_core::wire::program::LookupCell;

/// The column that holds the rates.
const COLUMN: &str = "rate";

/// Where the rates of a site stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rates {
    /// The lookup, by its place in site.yaml.
    pub table: usize,
    pub column: usize,
}

/// The rates that `rates` in site.yaml names; what is wrong with them is reported.
pub(super) fn rates_of(site: &Site, report: &mut Report) -> Option<Rates> {
    let name = site.rates.as_ref()?;
    let Some(table) = site.lookups.iter().position(|lookup| lookup.name == name.value) else {
        let known = site.lookups.iter().map(|lookup| lookup.name.as_str());
        let help = did_you_mean(&name.value, known).unwrap_or_else(|| {
            "declare it under `lookups`: `fx: {key: currency, from: csv rates.csv}`".to_owned()
        });
        report.add_help(Code::E0760, name.span, format!("there is no lookup `{}`", name.value), help);
        return None;
    };
    let lookup = site.lookups.get(table)?;
    let column = lookup.columns.iter().position(|column| column.name == COLUMN);
    let is_number = |at: &usize| {
        lookup
            .columns
            .get(*at)
            .is_some_and(|found| matches!(found.kind, ColumnKind::Number | ColumnKind::Money))
    };
    let Some(column) = column.filter(is_number) else {
        let message = match column {
            None => format!("`{}` has no column `{COLUMN}`", lookup.name),
            Some(_) => format!("the column `{COLUMN}` of `{}` holds no numbers", lookup.name),
        };
        let help = format!(
            "write `columns: {{{COLUMN}: number}}`: what one of each currency is worth in {}",
            site.currency
        );
        report.add_help(Code::E0760, name.span, message, help);
        return None;
    };
    check_rows(lookup, column, name, report)?;
    Some(Rates { table, column })
}

/// Rates of a file are there, and above 0, and their keys are currencies.
fn check_rows(lookup: &Lookup, column: usize, name: &Spanned<String>, report: &mut Report) -> Option<()> {
    for row in &lookup.rows {
        let is_rate = matches!(row.cells.get(column), Some(LookupCell::Number(1..)));
        let is_currency = row.key.len() == 3 && row.key.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_rate || !is_currency {
            let message = match is_currency {
                false => {
                    format!("`{}` in `{}` is not a currency: three capital letters", row.key, lookup.name)
                }
                true => format!("the rate of {} in `{}` is no number above 0", row.key, lookup.name),
            };
            let help = "write rows as `USD,0.92`: the currency, and what one of it is worth".to_owned();
            report.add_help(Code::E0760, name.span, message, help);
            return None;
        }
    }
    Some(())
}

/// What amounts of other currencies are worth is asked of.
#[derive(Clone, Copy)]
pub(super) struct Exchange<'a> {
    /// The site's currency.
    pub currency: &'a str,
    pub lookups: &'a [Lookup],
    pub rates: Option<Rates>,
}

/// What an amount of another currency is worth.
pub(super) struct Worth {
    /// In the site's currency, where the rates are those of a file.
    pub settled: Option<i64>,
    /// As it is at any moment.
    pub fact: Amount,
}

impl Exchange<'_> {
    /// What an amount of another currency is worth; where nothing says so, that is reported.
    pub fn worth(self, micro: i64, currency: &str, span: Span, report: &mut Report) -> Option<Worth> {
        let own = format!("write `{} {}`", micro_text(micro), self.currency);
        let Some(Rates { table, column }) = self.rates else {
            let message =
                format!("the site's currency is {}, and there are no rates to {currency}", self.currency);
            report.add_help(Code::E0304, span, message, own);
            return None;
        };
        let lookup = self.lookups.get(table)?;
        let fact = Amount { micro, currency: currency.to_owned(), table, column };
        if lookup.push.is_some() {
            return Some(Worth { settled: None, fact });
        }
        let row = lookup.rows.iter().find(|row| row.key == currency);
        let rate = row.and_then(|row| match row.cells.get(column) {
            Some(LookupCell::Number(rate)) => Some(*rate),
            _ => None,
        });
        let worth = rate.and_then(|rate| Micro(micro).at_rate(rate));
        let Some(Micro(worth)) = worth else {
            let message = match rate {
                None => format!("`{}` has no rate of {currency}", lookup.name),
                Some(_) => format!("so many {currency} are more {} than can be counted", self.currency),
            };
            report.add_help(Code::E0304, span, message, format!("{own}, or add a row to the file"));
            return None;
        };
        Some(Worth { settled: Some(worth), fact })
    }
}

/// Whether this is an amount of money, by its type or by what it is compared with.
pub(super) fn is_money(fact_type: &FactType, ask: &Ask) -> bool {
    let is_untyped = *fact_type == FactType::Untyped;
    let has_money = || literals(ask).iter().any(|literal| matches!(literal.value, LiteralValue::Money(..)));
    *fact_type == FactType::Money || is_untyped && has_money()
}

pub(super) fn literals(ask: &Ask) -> Vec<&Literal> {
    match ask {
        Ask::Compare(_, literal) => vec![literal],
        Ask::Between(low, high) => vec![low, high],
        Ask::In(literals, _) => literals.iter().collect(),
        _ => Vec::new(),
    }
}

pub(super) fn literals_mut(ask: &mut Ask) -> Vec<&mut Literal> {
    match ask {
        Ask::Compare(_, literal) => vec![literal],
        Ask::Between(low, high) => vec![low, high],
        Ask::In(literals, _) => literals.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// Whether the amounts of an event are in the site's currency.
pub(super) fn in_own_currency(is_converted: bool, source: &Source) -> Typed {
    Typed::Leaf(Leaf {
        fact: Fact::OwnCurrency(is_converted),
        default: None,
        domain: Domain::Numbers(0, 1),
        test: LeafTest::Ranges(vec![(1, 1)]),
        source: source.clone(),
    })
}

/// Whether an event may bring amounts of another currency: it may say which.
pub(crate) fn may_be_foreign(event: &PlanEvent) -> bool {
    event.additional_properties || event.properties.iter().any(|property| property.name == "currency")
}
