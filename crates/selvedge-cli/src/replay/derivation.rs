//! How a property or a fact of the moment comes out of a row: from a column, or from the row's number by a formula.
//!
//! There is no expression language: the derivations are a fixed set, each a YAML object with one key. Row numbers count
//! the data rows of the file from 0, whether or not a row can be used.

use super::rows::Row;
use super::value;
use selvedge_core::number::Number;
use selvedge_core::value::Value;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a value comes out of a row.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Derivation {
    /// The same value in every row.
    Constant(serde_json::Value),
    /// The column's cell as recorded: text in CSV, what it is in NDJSON. An empty CSV cell gives nothing.
    Column(String),
    /// The column's cell read as a number. An empty cell gives nothing.
    Number(String),
    /// The column's cell, translated.
    Table(Table),
    /// Entry number `row mod length` of the list.
    Choose(Vec<serde_json::Value>),
    /// `(row mod by) * times + plus`, as a number or set into a text.
    Modulo(Modulo),
}

/// A translation of a column's cells.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The column.
    pub column: String,
    /// What each cell becomes.
    pub values: BTreeMap<String, serde_json::Value>,
    /// What a cell that is not listed becomes; left out, it gives nothing.
    #[serde(default)]
    pub otherwise: Option<serde_json::Value>,
}

/// `(row mod by) * times + plus`, as a number or set into a text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modulo {
    /// The divisor, at least 1.
    pub by: u64,
    /// The factor; 1 where it is left out.
    #[serde(default = "one")]
    pub times: i64,
    /// What is added at the end; 0 where it is left out.
    #[serde(default)]
    pub plus: i64,
    /// A text with `{}`, or `{:03}` for three digits with leading zeros, where the number goes.
    #[serde(default)]
    pub format: Option<String>,
}

const fn one() -> i64 {
    1
}

/// Digits that a number set into a text may be filled up to.
const WIDTH_MAX: usize = 20;

impl Derivation {
    /// Checks what can be known without a row.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Choose(list) if list.is_empty() => Err("chooses from an empty list".to_owned()),
            Self::Modulo(modulo) => modulo.check(),
            Self::Constant(_) | Self::Column(_) | Self::Number(_) | Self::Table(_) | Self::Choose(_) => {
                Ok(())
            }
        }
    }

    /// The value for `row`; `None` where the row has none.
    ///
    /// # Errors
    /// What is wrong with the row's cell, as a sentence.
    pub fn apply(&self, row: &Row) -> Result<Option<Value>, String> {
        match self {
            Self::Constant(constant) => value::from_json(constant).map(Some),
            Self::Column(column) => row.value(column),
            Self::Number(column) => row.text(column).map(|cell| number(column, &cell)).transpose(),
            Self::Table(table) => table.apply(row),
            Self::Choose(list) => choose(list, row.number),
            Self::Modulo(modulo) => modulo.apply(row.number).map(Some),
        }
    }
}

fn number(column: &str, cell: &str) -> Result<Value, String> {
    value::number(cell)
        .map(Value::Number)
        .ok_or_else(|| format!("column `{column}` holds {cell:?}, which is not a number"))
}

fn choose(list: &[serde_json::Value], row: u64) -> Result<Option<Value>, String> {
    let length = u64::try_from(list.len()).unwrap_or(u64::MAX);
    let place = row.checked_rem(length).and_then(|place| usize::try_from(place).ok());
    place.and_then(|place| list.get(place)).map(value::from_json).transpose()
}

impl Table {
    fn apply(&self, row: &Row) -> Result<Option<Value>, String> {
        let translated = row.text(&self.column).and_then(|cell| self.values.get(cell.as_ref()));
        translated.or(self.otherwise.as_ref()).map(value::from_json).transpose()
    }
}

impl Modulo {
    fn check(&self) -> Result<(), String> {
        if self.by == 0 {
            return Err("divides by 0; `by` must be at least 1".to_owned());
        }
        self.format.as_deref().map_or(Ok(()), |format| Template::parse(format).map(|_| ()))
    }

    fn apply(&self, row: u64) -> Result<Value, String> {
        let number = row
            .checked_rem(self.by)
            .and_then(|rest| i64::try_from(rest).ok())
            .and_then(|rest| rest.checked_mul(self.times))
            .and_then(|product| product.checked_add(self.plus))
            .ok_or("a `modulo` does not fit 64 bits")?;
        match &self.format {
            None => Ok(Value::Number(Number::Int(number))),
            Some(format) => Ok(Value::Text(Template::parse(format)?.fill(number))),
        }
    }
}

/// A text with one place for a number.
struct Template<'a> {
    before: &'a str,
    after: &'a str,
    width: usize,
}

impl<'a> Template<'a> {
    fn parse(format: &'a str) -> Result<Self, String> {
        let problem = || format!("has the format {format:?}; it needs exactly one {{}} or {{:03}}");
        let (before, rest) = format.split_once('{').ok_or_else(problem)?;
        let (place, after) = rest.split_once('}').ok_or_else(problem)?;
        if after.contains(['{', '}']) || before.contains('}') {
            return Err(problem());
        }
        let width = match place.strip_prefix(":0") {
            None if place.is_empty() => 0,
            None => return Err(problem()),
            Some(digits) => digits.parse().ok().filter(|width| *width <= WIDTH_MAX).ok_or_else(problem)?,
        };
        Ok(Self { before, after, width })
    }

    fn fill(&self, number: i64) -> String {
        let Self { before, after, width } = self;
        format!("{before}{number:0width$}{after}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::rows::Cells;

    fn row(number: u64, cells: &[(&str, &str)]) -> Row {
        let cells = cells.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())).collect();
        Row { number, line: number, cells: Cells::Csv(cells) }
    }

    fn parse(yaml: &str) -> Derivation {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    fn int(int: i64) -> Option<Value> {
        Some(Value::Number(Number::Int(int)))
    }

    #[test]
    fn choose_goes_round_the_list_with_the_row_number() {
        let choose = parse("choose: [shoes, jackets, 3]");
        let seen: Vec<_> = (0..4).map(|number| choose.apply(&row(number, &[])).unwrap()).collect();
        assert_eq!(seen, [text("shoes"), text("jackets"), int(3), text("shoes")]);
    }

    #[test]
    fn modulo_gives_a_number_or_sets_it_into_a_text() {
        let plain = parse("modulo:\n  by: 40\n  times: 3\n  plus: 19");
        assert_eq!(plain.apply(&row(41, &[])).unwrap(), int(22));
        let sku = parse("modulo:\n  by: 40\n  format: 'sku-{:03}'");
        assert_eq!(sku.apply(&row(45, &[])).unwrap(), text("sku-005"));
        let bare = parse("modulo:\n  by: 7\n  format: '{} left'");
        assert_eq!(bare.apply(&row(13, &[])).unwrap(), text("6 left"));
    }

    #[test]
    fn a_table_translates_and_may_have_a_default() {
        let table = parse("table:\n  column: channel\n  values: {paid_search: cpc}");
        assert_eq!(table.apply(&row(0, &[("channel", "paid_search")])).unwrap(), text("cpc"));
        assert_eq!(table.apply(&row(0, &[("channel", "direct")])).unwrap(), None);
        let table = parse("table:\n  column: channel\n  values: {paid_search: cpc}\n  otherwise: none");
        assert_eq!(table.apply(&row(0, &[("channel", "direct")])).unwrap(), text("none"));
        assert_eq!(table.apply(&row(0, &[])).unwrap(), text("none"));
    }

    #[test]
    fn columns_are_read_as_text_or_as_numbers() {
        let cells = [("price", "19.5"), ("order", "9007199254740993"), ("empty", "")];
        assert_eq!(parse("column: price").apply(&row(0, &cells)).unwrap(), text("19.5"));
        assert_eq!(parse("number: order").apply(&row(0, &cells)).unwrap(), int(9_007_199_254_740_993));
        assert_eq!(
            parse("number: price").apply(&row(0, &cells)).unwrap(),
            Some(Value::Number(Number::Double(19.5f64.to_bits())))
        );
        assert_eq!(parse("number: empty").apply(&row(0, &cells)).unwrap(), None);
        assert_eq!(parse("column: absent").apply(&row(0, &cells)).unwrap(), None);
        assert_eq!(parse("constant: false").apply(&row(0, &cells)).unwrap(), Some(Value::Bool(false)));
        assert!(parse("number: word").apply(&row(0, &[("word", "many")])).is_err());
    }

    #[test]
    fn a_formula_that_cannot_be_computed_is_refused_before_any_row() {
        for yaml in [
            "modulo:\n  by: 0",
            "modulo:\n  by: 4\n  format: 'sku'",
            "modulo:\n  by: 4\n  format: '{}{}'",
            "modulo:\n  by: 4\n  format: '{:3}'",
            "modulo:\n  by: 4\n  format: '{:0999}'",
            "choose: []",
        ] {
            assert!(parse(yaml).check().is_err(), "{yaml}");
        }
        let huge = parse("modulo:\n  by: 4\n  times: 9223372036854775807");
        assert!(huge.apply(&row(3, &[])).is_err());
    }
}
