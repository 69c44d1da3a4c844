//! What a rule was told of a fact, in words.

use super::behind::Behind;
use super::stage::Stage;
use selvedge_compiler::cases::{Relation, Why};
use selvedge_core::number::MICRO;
use selvedge_core::rules::Known;
use selvedge_core::wire::program::{AttributeType, Builtin, Fact, FactSource, Metric, MetricKind, Shape};
use selvedge_core::wire::state::{CellBody, Kept, MetricCell, Stored};
use std::fmt;

/// What a rule was told of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// There is none, and that is known.
    Missing,
    /// Nothing is known of it.
    Unknown,
    /// A text.
    Text(String),
    /// A text that none of the rules ask for, and that is not kept.
    OtherText,
    /// Yes or no.
    Flag(bool),
    /// A number in millionths; `None` is no upper bound.
    Number {
        /// At least.
        low: i64,
        /// At most.
        high: Option<i64>,
        /// What it is a number of.
        unit: Unit,
        /// It is an estimate: more values were seen than are kept.
        is_about: bool,
    },
}

/// What a number is a number of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Millionths of anything.
    Plain,
    /// Milliseconds.
    Duration,
    /// Unix milliseconds.
    Moment,
    /// Minutes of a day.
    Clock,
}

/// What is told of the fact at this place, where `known` is what the rules know of it.
#[must_use]
pub fn told(stage: &Stage, behind: &Behind, fact: u16, known: Known) -> Told {
    let Some(fact) = stage.parts.facts.get(usize::from(fact)) else { return Told::Unknown };
    if known.high == i64::MIN {
        return Told::Missing;
    }
    if known.low == i64::MIN {
        return Told::Unknown;
    }
    match &fact.shape {
        Shape::OneOf(texts) => one_of(stage, behind, fact, texts, known),
        Shape::Text(..) => kept_text(stage, behind, fact).map_or(Told::OtherText, Told::Text),
        Shape::Number if is_flag(stage, fact) && known.low == known.high => Told::Flag(known.low == 1),
        Shape::Number if is_flag(stage, fact) => Told::Unknown,
        Shape::Number | Shape::Time => number(stage, behind, fact, known),
    }
}

/// The name of the fact at this place, as conditions write it; where it has none, `text`.
#[must_use]
pub fn fact_name<'a>(stage: &'a Stage, fact: u16, text: &'a str) -> &'a str {
    let parts = &stage.parts;
    match parts.facts.get(usize::from(fact)).map(|fact| &fact.source) {
        Some(FactSource::Builtin(builtin)) => builtin.name(),
        Some(FactSource::Attribute(at)) => {
            parts.attributes.get(usize::from(*at)).map_or(text, |known| &known.name)
        }
        Some(FactSource::Metric(at)) => parts.metrics.get(usize::from(*at)).map_or(text, |known| &known.name),
        Some(FactSource::Sequence(at)) => {
            parts.sequences.get(usize::from(*at)).map_or(text, |known| &known.name)
        }
        Some(FactSource::Property(name) | FactSource::Item(name)) => name,
        Some(FactSource::Trust) => "event.trust",
        // What is made of other facts has no name of its own.
        _ => text,
    }
}

fn one_of(stage: &Stage, behind: &Behind, fact: &Fact, texts: &[String], known: Known) -> Told {
    if known.low != known.high {
        return Told::Unknown;
    }
    let listed = usize::try_from(known.low - 2).ok().and_then(|at| texts.get(at));
    let text = listed.cloned().or_else(|| kept_text(stage, behind, fact));
    text.map_or(Told::OtherText, Told::Text)
}

fn is_flag(stage: &Stage, fact: &Fact) -> bool {
    matches!(fact.source, FactSource::Sequence(_)) || kind_of(stage, fact) == Some(AttributeType::Bool)
}

/// The type of a built-in fact or an attribute.
fn kind_of(stage: &Stage, fact: &Fact) -> Option<AttributeType> {
    match fact.source {
        FactSource::Builtin(builtin) => Some(builtin.kind()),
        FactSource::Attribute(at) => {
            stage.parts.attributes.get(usize::from(at)).map(|attribute| attribute.attribute_type)
        }
        _ => None,
    }
}

/// Counts are of whole things, some only known as far as rules ask; times are in milliseconds; everything else is in
/// millionths.
fn number(stage: &Stage, behind: &Behind, fact: &Fact, known: Known) -> Told {
    let metric = match fact.source {
        FactSource::Metric(at) | FactSource::SameCount(at, _) => stage.parts.metrics.get(usize::from(at)),
        _ => None,
    };
    let kind = metric.map(|metric| metric.kind);
    let top = match kind {
        Some(MetricKind::Count) => metric.map_or(i64::MAX, |metric| metric.threshold.into()),
        _ => i64::MAX,
    };
    let (scale, unit) = match kind {
        Some(
            MetricKind::Count | MetricKind::Tally | MetricKind::Distinct | MetricKind::Top | MetricKind::Same,
        ) => (MICRO, Unit::Plain),
        Some(MetricKind::Since) => (1, Unit::Duration),
        _ if kind_of(stage, fact) == Some(AttributeType::Time) => (1, Unit::Moment),
        _ if is_clock(&fact.source) => (1, Unit::Clock),
        _ => (1, Unit::Plain),
    };
    let high = (known.high < top).then_some(known.high.saturating_mul(scale));
    let is_about = metric.is_some_and(|metric| is_estimate(behind, metric, known));
    Told::Number { low: known.low.saturating_mul(scale), high, unit, is_about }
}

/// Whether a number of different values is that of a sample: something that was in the window was left out. In it are the
/// newest of the values that are kept, as many as are counted where nothing was.
fn is_estimate(behind: &Behind, metric: &Metric, known: Known) -> bool {
    let cells = behind.state.iter().flat_map(|state| &state.cells);
    let mut kept = cells.filter(|cell| cell.hash == metric.meaning).filter_map(|cell| match &cell.body {
        CellBody::Metric(MetricCell { kept: Kept::Distinct(distinct), .. }) => Some(distinct),
        _ => None,
    });
    let Some(distinct) = kept.next().filter(|distinct| distinct.zeros > 0 && known.low > 0) else {
        return false;
    };
    let mut times_ms: Vec<i64> = distinct.values.iter().map(|value| value.time_ms).collect();
    times_ms.sort_unstable_by(|one, other| other.cmp(one));
    let oldest_ms = usize::try_from(known.low - 1).ok().and_then(|at| times_ms.get(at));
    oldest_ms.is_none_or(|oldest_ms| distinct.left_out_ms >= *oldest_ms)
}

fn is_clock(source: &FactSource) -> bool {
    matches!(source, FactSource::Builtin(Builtin::TimeOfDay | Builtin::VisitorTimeOfDay))
}

/// The text itself, where the state keeps it.
fn kept_text(stage: &Stage, behind: &Behind, fact: &Fact) -> Option<String> {
    let state = behind.state.as_ref()?;
    let stored = match fact.source {
        FactSource::Builtin(builtin) => {
            let page = state.pages.iter().find(|page| page.writer == behind.writer);
            let of_page = page.map_or(&[][..], |page| page.facts.as_slice());
            let mut facts = of_page.iter().chain(&state.session.facts);
            facts.find(|(known, _)| *known == builtin).map(|(_, value)| value)
        }
        FactSource::Attribute(at) => {
            let attribute = stage.parts.attributes.get(usize::from(at))?;
            let hash = selvedge_core::wire::program::attribute_hash(attribute);
            state.cells.iter().find(|cell| cell.hash == hash).and_then(|cell| match &cell.body {
                CellBody::Attribute(cell) => Some(&cell.value),
                _ => None,
            })
        }
        _ => None,
    };
    match stored {
        Some(Stored::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

impl Told {
    /// Whether a test's `why` is right about it.
    #[must_use]
    pub fn agrees(&self, why: &Why) -> bool {
        if why.relation == Relation::Is {
            return match why.value.as_str() {
                "missing" => *self == Self::Missing,
                "unknown" => self.is_unknown(),
                "known" => *self != Self::Missing && !self.is_unknown(),
                word => *self == Self::Flag(word == "true"),
            };
        }
        match (self, why.relation) {
            (Self::Text(text), Relation::Equal) => *text == why.value,
            (Self::Text(text), Relation::NotEqual) => *text != why.value,
            (Self::Flag(flag), Relation::Equal) => why.value == flag.to_string(),
            (Self::Number { low, high, unit, .. }, relation) => {
                unit.read(&why.value).is_some_and(|value| compare(*low, *high, relation, value))
            }
            _ => false,
        }
    }

    /// Whether what is known of it is nothing, or only a bound.
    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

fn compare(low: i64, high: Option<i64>, relation: Relation, value: i64) -> bool {
    let high = high.unwrap_or(i64::MAX);
    match relation {
        Relation::Equal => low == value && high == value,
        Relation::NotEqual => value < low || value > high,
        Relation::Less => high < value,
        Relation::LessOrEqual => high <= value,
        Relation::Greater => low > value,
        Relation::GreaterOrEqual => low >= value,
        Relation::Is => false,
    }
}

impl Unit {
    /// A number as people read it.
    fn text(self, number: i64) -> String {
        match self {
            Self::Plain => decimal(number),
            Self::Duration => duration_text(number),
            Self::Moment => time_text(u64::try_from(number).unwrap_or(0)),
            Self::Clock => format!("{:02}:{:02}", number / 60, number % 60),
        }
    }

    /// A number as people write it.
    fn read(self, text: &str) -> Option<i64> {
        match self {
            Self::Plain => micro(text),
            Self::Duration => duration_ms(text),
            Self::Moment => text.parse::<jiff::Timestamp>().ok().map(|stamp| stamp.as_millisecond()),
            Self::Clock => {
                let (hour, minute) = text.split_once(':')?;
                Some(hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?)
            }
        }
    }
}

const UNITS: [(&str, i64); 4] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];

/// `7d`, `90m`: in the largest unit that holds it whole.
pub(super) fn duration_text(ms: i64) -> String {
    let unit = UNITS.iter().find(|(_, unit_ms)| ms % unit_ms == 0);
    unit.map_or_else(|| format!("{ms} ms"), |(unit, unit_ms)| format!("{}{unit}", ms / unit_ms))
}

fn duration_ms(text: &str) -> Option<i64> {
    let (unit, unit_ms) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.trim().parse::<i64>().ok()?.checked_mul(*unit_ms)
}

/// A number as written in millionths; an amount may have its currency behind it.
fn micro(text: &str) -> Option<i64> {
    let digits = text.split_whitespace().next()?;
    let (sign, digits) = digits.strip_prefix('-').map_or((1, digits), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole = whole.parse::<i64>().ok()?.checked_mul(MICRO)?;
    Some(sign * whole.checked_add(format!("{fraction:0<6}").parse::<i64>().ok()?)?)
}

/// Unix milliseconds as people read them: `2024-03-13T10:21:14Z`.
#[must_use]
pub fn time_text(time_ms: u64) -> String {
    let stamp = i64::try_from(time_ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp.map_or_else(|| time_ms.to_string(), |stamp| stamp.to_string())
}

/// Millionths without needless zeros.
#[must_use]
pub fn decimal(micro: i64) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    let magnitude = micro.unsigned_abs();
    let text = format!("{sign}{}.{:06}", magnitude / 1_000_000, magnitude % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Told {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("missing"),
            Self::Unknown => out.write_str("unknown"),
            Self::Text(text) => write!(out, "{text:?}"),
            Self::OtherText => out.write_str("another text"),
            Self::Flag(flag) => write!(out, "{flag}"),
            Self::Number { low, high: None, .. } if *low == i64::MIN => out.write_str("unknown"),
            Self::Number { low, high: None, unit, .. } => write!(out, "{} or more", unit.text(*low)),
            Self::Number { low, unit, is_about: true, .. } => write!(out, "about {}", unit.text(*low)),
            Self::Number { low, high: Some(high), unit, .. } if low == high => {
                out.write_str(&unit.text(*low))
            }
            Self::Number { low, high: Some(high), unit, .. } => {
                write!(out, "{} to {}", unit.text(*low), unit.text(*high))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let number = |low, high, unit| Told::Number { low, high, unit, is_about: false }.to_string();
        assert_eq!(number(2_000_000, Some(2_000_000), Unit::Plain), "2");
        assert_eq!(number(2_500_000, None, Unit::Plain), "2.5 or more");
        assert_eq!(number(5_400_000, Some(86_400_000), Unit::Duration), "90m to 1d");
        assert_eq!(number(0, Some(0), Unit::Moment), "1970-01-01T00:00:00Z");
        assert_eq!(number(65, Some(65), Unit::Clock), "01:05");
        assert_eq!(Unit::Clock.read("22:30"), Some(1_350));
        assert_eq!(Unit::Duration.read("90m"), Some(5_400_000));
        assert_eq!(micro("50 EUR"), Some(50_000_000));
        assert_eq!(micro("-0.25"), Some(-250_000));
        assert_eq!(micro("x"), None);
    }

    #[test]
    fn a_lower_bound_is_never_an_equal() {
        assert!(compare(2, None, Relation::GreaterOrEqual, 2));
        assert!(!compare(2, None, Relation::Equal, 2));
        assert!(!compare(2, None, Relation::Less, 9));
        assert!(compare(2, Some(4), Relation::NotEqual, 5));
    }
}
