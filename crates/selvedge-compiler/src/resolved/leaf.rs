//! One test checked against the type of its fact, and turned into a set of values.

use super::fact::{Default, Domain, Fact, FactType, Leaf, LeafTest, Range, Term, complement, joined};
use crate::codes::Code;
use crate::condition::{Ask, Compare, Literal, LiteralValue, State, Test, Within};
use crate::diagnostic::Report;
use crate::literal::micro_text;
use crate::source::Span;
use crate::suggest::did_you_mean;
use selvedge_core::date::time_ms;
use selvedge_core::limits::STATE_TEXT_BYTES_MAX;
use selvedge_core::number::MICRO;
use selvedge_core::wire::program::{Builtin, TextTest};
use std::collections::BTreeSet;

/// Checks `test` of a fact of this type; `None` where it has an error, which is reported.
pub(crate) fn check(
    test: &Test,
    fact: Fact,
    fact_type: &FactType,
    (currency, timezone): (&str, &str),
    report: &mut Report,
) -> Option<Leaf> {
    let inferred = inferred(fact_type, &test.ask);
    let fact_type = inferred.as_ref().unwrap_or(fact_type);
    let mut check =
        Check { timezone, fact_type, currency, span: test.source.span, subject: test.subject.span, report };
    let default = match &test.subject.default {
        None => None,
        Some(literal) => Some(check.default(literal)?),
    };
    if default.is_some() && matches!(test.ask, Ask::State(State::Known | State::Missing)) {
        check.report.add(Code::E0308, check.span, "with `else` it is always known, never missing");
        return None;
    }
    let test_of = check.ask(&test.ask)?;
    let domain = match fact_type {
        FactType::Text { .. } => Domain::Text,
        FactType::Bool => Domain::Numbers(0, 1),
        FactType::Clock => Domain::Numbers(0, MIDNIGHT - 1),
        FactType::Count => Domain::Numbers(0, i64::MAX),
        // Whether a list holds a text is a text's test.
        FactType::List if matches!(test_of, LeafTest::Text(..)) => Domain::Text,
        _ => Domain::Numbers(i64::MIN, i64::MAX),
    };
    Some(Leaf { fact, default, domain, test: test_of, source: test.source.clone() })
}

/// What a property of an item is, by what it is compared with.
fn inferred(fact_type: &FactType, ask: &Ask) -> Option<FactType> {
    if *fact_type != FactType::Untyped {
        return None;
    }
    let literal = match ask {
        Ask::Compare(_, literal) | Ask::Between(literal, _) | Ask::Text(_, literal) => literal,
        Ask::In(literals, _) => literals.first()?,
        Ask::Holds | Ask::State(State::True | State::NotTrue | State::False | State::NotFalse) => {
            return Some(FactType::Bool);
        }
        _ => return None,
    };
    Some(match literal.value {
        LiteralValue::Text(_) => FactType::Text { one_of: Vec::new(), kept: false },
        LiteralValue::Money(..) => FactType::Money,
        LiteralValue::Bool(_) => FactType::Bool,
        LiteralValue::Number(_) | LiteralValue::Duration(_) | LiteralValue::Clock(_) => FactType::Number,
    })
}

/// The leaf of two facts: their difference compared with 0.
pub(super) fn compare_with_zero(test: &Test, fact: Fact, compare: Compare) -> Leaf {
    let domain = Domain::Numbers(i64::MIN, i64::MAX);
    let test_of = LeafTest::Ranges(ranges_of(compare, (0, 0)));
    Leaf { fact, default: None, domain, test: test_of, source: test.source.clone() }
}

/// The leaf of a moment so long before or after now at most.
pub(super) fn within(
    test: &Test,
    fact: Fact,
    fact_type: &FactType,
    side: Within,
    ms: u64,
    report: &mut Report,
) -> Option<Leaf> {
    let fact = match (fact, fact_type) {
        (Fact::Item(name), FactType::Untyped) => Fact::TimeItem(name),
        (fact, FactType::Time) if fact != Fact::Builtin(Builtin::Now) => fact,
        _ => {
            let message = format!("only a time is within a stretch, and this is {}", form(fact_type));
            report.add(Code::E0302, test.subject.span, message);
            return None;
        }
    };
    let term = |fact| Box::new(Term { fact, is_count: false });
    let now = Fact::Builtin(Builtin::Now);
    let fact = match side {
        Within::Next => Fact::Difference(term(fact), term(now)),
        Within::Last => Fact::Difference(term(now), term(fact)),
    };
    let test_of = LeafTest::Ranges(vec![(0, i64::try_from(ms).unwrap_or(i64::MAX))]);
    let domain = Domain::Numbers(i64::MIN, i64::MAX);
    Some(Leaf { fact, default: None, domain, test: test_of, source: test.source.clone() })
}

/// The values that compare so with one between `low` and `high`.
fn ranges_of(compare: Compare, (low, high): Range) -> Vec<Range> {
    match compare {
        Compare::Equal => vec![(low, high)],
        Compare::NotEqual => complement(&[(low, high)]),
        Compare::Less => low.checked_sub(1).map(|high| (i64::MIN, high)).into_iter().collect(),
        Compare::LessOrEqual => vec![(i64::MIN, high)],
        Compare::Greater => high.checked_add(1).map(|low| (low, i64::MAX)).into_iter().collect(),
        Compare::GreaterOrEqual => vec![(low, i64::MAX)],
    }
}

/// All of a day (`2026-12-24`) in a time zone: its first and last millisecond.
pub(super) fn day_of(text: &str, timezone: &str) -> Option<Range> {
    let day: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == "2026-12-24".len())?;
    let zone = jiff::tz::TimeZone::get(timezone).ok()?;
    let start = |day: jiff::civil::Date| Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
    Some((start(day)?, start(day.tomorrow().ok()?)?.saturating_sub(1)))
}

/// Minutes of a day.
const MIDNIGHT: i64 = 24 * 60;

struct Check<'a> {
    timezone: &'a str,
    fact_type: &'a FactType,
    currency: &'a str,
    span: Span,
    subject: Span,
    report: &'a mut Report,
}

impl Check<'_> {
    fn ask(&mut self, ask: &Ask) -> Option<LeafTest> {
        self.askable(ask)?;
        match ask {
            Ask::State(State::Known) => Some(LeafTest::Known),
            Ask::State(State::Missing) => Some(LeafTest::Missing),
            Ask::Holds | Ask::State(_) => self.holds(),
            Ask::Compare(compare, literal) => self.compare(*compare, literal),
            Ask::Between(low, high) => self.between(low, high),
            Ask::In(literals, negated) => self.among(literals, *negated),
            Ask::Text(test, literal) => self.text_test(*test, literal),
            // Read before, where two facts meet.
            Ask::CompareFact(..) | Ask::Within(..) | Ask::InList(..) => None,
        }
    }

    /// Reports what can never be asked of a fact of this type.
    fn askable(&mut self, ask: &Ask) -> Option<()> {
        let is_state = matches!(ask, Ask::State(State::Known | State::Missing));
        let (message, help) = match (self.fact_type, ask) {
            (FactType::List, Ask::Text(TextTest::Contains, _)) => return Some(()),
            (FactType::List, _) if !is_state => {
                ("a list is asked whether it holds a text".to_owned(), "write `contains \"...\"`")
            }
            (FactType::Opaque(what), _) if !is_state => {
                (format!("nothing can be asked of {what}"), "send what matters as its own property")
            }
            (FactType::Untyped, _) => (
                "what this is, only a comparison with a constant says".to_owned(),
                "compare it: `category = \"printer\"`, `price > 20 EUR`",
            ),
            _ => return Some(()),
        };
        self.report.add_help(Code::E0302, self.span, message, help.to_owned());
        None
    }

    fn holds(&mut self) -> Option<LeafTest> {
        if *self.fact_type == FactType::Bool {
            return Some(LeafTest::Ranges(vec![(1, 1)]));
        }
        let (what, help) = match self.fact_type {
            FactType::Count => ("a count", "write `>= 1` behind it"),
            FactType::Text { .. } => ("a text", "write `= \"...\"` or `is known` behind it"),
            FactType::Time => ("a time", "write `within last 7d` or `is known` behind it"),
            FactType::Clock => ("a time of day", "write `>= 18:00`, or `now between 22:00 and 07:00`"),
            FactType::Duration => ("a duration", "write `<= 7d` or `is known` behind it"),
            _ => ("a number", "write `> 0` or `is known` behind it"),
        };
        let message = format!("this is {what}, not a condition by itself");
        self.report.add_help(Code::E0303, self.subject, message, help.to_owned());
        None
    }

    fn compare(&mut self, compare: Compare, literal: &Literal) -> Option<LeafTest> {
        if matches!(self.fact_type, FactType::Text { .. } | FactType::Bool) {
            return self.compare_equal(compare, literal);
        }
        let stretch = self.stretch(literal)?;
        self.ranges(ranges_of(compare, stretch))
    }

    fn compare_equal(&mut self, compare: Compare, literal: &Literal) -> Option<LeafTest> {
        let equal = match compare {
            Compare::Equal => true,
            Compare::NotEqual => false,
            _ => {
                let what = if *self.fact_type == FactType::Bool { "yes or no" } else { "a text" };
                let message = format!("{what} has no order: only `=`, `!=` and `in` can compare it");
                self.report.add(Code::E0302, self.span, message);
                return None;
            }
        };
        if *self.fact_type == FactType::Bool {
            let LiteralValue::Bool(flag) = literal.value else { return self.mismatch(literal) };
            let value = i64::from(flag == equal);
            return Some(LeafTest::Ranges(vec![(value, value)]));
        }
        let text = self.text(literal)?;
        Some(LeafTest::OneOf([text].into(), equal))
    }

    fn between(&mut self, low: &Literal, high: &Literal) -> Option<LeafTest> {
        if matches!(self.fact_type, FactType::Text { .. } | FactType::Bool) {
            self.report.add(
                Code::E0302,
                self.span,
                "`between` needs a number, a count or an amount of money",
            );
            return None;
        }
        if *self.fact_type == FactType::Clock {
            return self.between_clocks(low, high);
        }
        let ((low_number, _), (_, high_number)) = (self.stretch(low)?, self.stretch(high)?);
        if low_number > high_number {
            let message = "never true: the first bound of `between` is above the second";
            self.report.add_help(Code::E0308, low.span.to(high.span), message, "swap the bounds".to_owned());
            return None;
        }
        self.ranges(vec![(low_number, high_number)])
    }

    fn among(&mut self, literals: &[Literal], negated: bool) -> Option<LeafTest> {
        if matches!(self.fact_type, FactType::Text { .. }) {
            let texts: Vec<Option<String>> = literals.iter().map(|literal| self.text(literal)).collect();
            return Some(LeafTest::OneOf(texts.into_iter().collect::<Option<BTreeSet<_>>>()?, !negated));
        }
        if *self.fact_type == FactType::Bool {
            let message = "yes or no is not looked up in a list";
            self.report.add_help(Code::E0302, self.span, message, "write `= true`".to_owned());
            return None;
        }
        let stretches: Vec<Option<Range>> = literals.iter().map(|literal| self.stretch(literal)).collect();
        let ranges = joined(stretches.into_iter().collect::<Option<Vec<_>>>()?);
        self.ranges(if negated { complement(&ranges) } else { ranges })
    }

    fn text_test(&mut self, test: TextTest, literal: &Literal) -> Option<LeafTest> {
        if !matches!(self.fact_type, FactType::Text { .. } | FactType::List) {
            let message = format!("this is {}, and only a text can be searched", form(self.fact_type));
            self.report.add(Code::E0302, self.span, message);
            return None;
        }
        let LiteralValue::Text(pattern) = &literal.value else { return self.mismatch(literal) };
        self.kept_length(pattern, literal.span)?;
        if pattern.is_empty() || (test == TextTest::MatchesGlob && pattern.bytes().all(|byte| byte == b'*')) {
            let message = "every text passes this, so it says nothing";
            self.report.add_help(Code::E0308, literal.span, message, "write `is known`".to_owned());
            return None;
        }
        Some(LeafTest::Text(test, pattern.clone(), true))
    }

    /// Ranges of a fact; of a count, only what a count can be.
    fn ranges(&mut self, ranges: Vec<Range>) -> Option<LeafTest> {
        if *self.fact_type == FactType::Count {
            let possible = super::fact::common(&ranges, &[(0, i64::MAX)]);
            let message = match possible.as_slice() {
                [] => "never true: a count is never below 0",
                [(0, i64::MAX)] => "always true: a count is never below 0",
                _ => return Some(LeafTest::Ranges(possible)),
            };
            self.report.add(Code::E0308, self.span, message);
            return None;
        }
        if ranges.is_empty() {
            self.report.add(Code::E0308, self.span, "never true");
            return None;
        }
        Some(LeafTest::Ranges(ranges))
    }

    /// From a time of day up to another, over midnight where that is earlier.
    fn between_clocks(&mut self, low: &Literal, high: &Literal) -> Option<LeafTest> {
        let (from, to) = (self.number(low)?, self.number(high)?);
        if from == to {
            let message = "never true: it ends where it begins";
            self.report.add(Code::E0308, low.span.to(high.span), message);
            return None;
        }
        let stretches = match from < to {
            true => vec![(from, to - 1)],
            false => {
                [(0, to - 1), (from, MIDNIGHT - 1)].into_iter().filter(|(low, high)| low <= high).collect()
            }
        };
        self.ranges(stretches)
    }

    /// The values that a literal means: one, or all of a day.
    fn stretch(&mut self, literal: &Literal) -> Option<Range> {
        if *self.fact_type != FactType::Time {
            return self.number(literal).map(|number| (number, number));
        }
        let LiteralValue::Text(text) = &literal.value else { return self.mismatch(literal) };
        if let Some(day) = day_of(text, self.timezone) {
            return Some(day);
        }
        let Some(moment_ms) = time_ms(text) else {
            let message = format!("`{text}` is neither a day nor a moment");
            let help =
                "write a day, `\"2026-12-24\"`, or a moment, `\"2026-12-24T18:00:00+01:00\"`".to_owned();
            self.report.add_help(Code::E0232, literal.span, message, help);
            return None;
        };
        Some((moment_ms, moment_ms))
    }

    /// A literal in the fact's own scale.
    fn number(&mut self, literal: &Literal) -> Option<i64> {
        match (self.fact_type, &literal.value) {
            (FactType::Number, LiteralValue::Number(micro)) => Some(*micro),
            (FactType::Duration, LiteralValue::Duration(ms)) => i64::try_from(*ms).ok(),
            (FactType::Clock, LiteralValue::Clock(minutes)) => Some(*minutes),
            (FactType::Count, LiteralValue::Number(micro)) => self.whole_count(*micro, literal.span),
            (FactType::Money, LiteralValue::Money(micro, currency)) if currency == self.currency => {
                Some(*micro)
            }
            (FactType::Money, LiteralValue::Money(micro, currency)) => {
                let message =
                    format!("the site's currency is {}, and there are no rates to {currency}", self.currency);
                self.money_fault(*micro, literal.span, &message)
            }
            (FactType::Money, LiteralValue::Number(micro)) => {
                self.money_fault(*micro, literal.span, "an amount of money needs its currency")
            }
            _ => self.mismatch(literal),
        }
    }

    fn money_fault<T>(&mut self, micro: i64, span: Span, message: &str) -> Option<T> {
        let help = format!("write `{} {}`", micro_text(micro), self.currency);
        self.report.add_help(Code::E0304, span, message, help);
        None
    }

    fn whole_count(&mut self, micro: i64, span: Span) -> Option<i64> {
        if micro % MICRO != 0 || micro < 0 {
            let message = format!("a count is a whole number from 0, never {}", micro_text(micro));
            self.report.add(Code::E0305, span, message);
            return None;
        }
        Some(micro / MICRO)
    }

    /// A text that the fact could be.
    fn text(&mut self, literal: &Literal) -> Option<String> {
        let LiteralValue::Text(text) = &literal.value else { return self.mismatch(literal) };
        self.kept_length(text, literal.span)?;
        if let FactType::Text { one_of, .. } = self.fact_type
            && !one_of.is_empty()
            && !one_of.contains(text)
        {
            let message = format!("it is never \"{text}\"");
            let help = did_you_mean(text, one_of.iter().map(String::as_str));
            self.report.add_help(Code::E0307, literal.span, message, help);
            return None;
        }
        Some(text.clone())
    }

    fn kept_length(&mut self, text: &str, span: Span) -> Option<()> {
        let is_kept = matches!(self.fact_type, FactType::Text { kept: true, .. });
        if is_kept && text.len() > STATE_TEXT_BYTES_MAX {
            let message = format!(
                "the text has {} bytes; the fact is kept with at most {STATE_TEXT_BYTES_MAX}",
                text.len()
            );
            self.report.add_help(
                Code::E0310,
                span,
                message,
                "use `starts_with` and a shorter text".to_owned(),
            );
            return None;
        }
        Some(())
    }

    /// What stands in for unknown, in the fact's own scale.
    fn default(&mut self, literal: &Literal) -> Option<Default> {
        match (self.fact_type, &literal.value) {
            (FactType::Text { .. }, LiteralValue::Text(text)) => Some(Default::Text(text.clone())),
            (FactType::Bool, LiteralValue::Bool(flag)) => Some(Default::Number(i64::from(*flag))),
            (FactType::Text { .. } | FactType::Bool | FactType::List | FactType::Opaque(_), _) => {
                self.mismatch(literal)
            }
            _ => self.stretch(literal).map(|(start, _)| Default::Number(start)),
        }
    }

    fn mismatch<T>(&mut self, literal: &Literal) -> Option<T> {
        let message = format!("{} is never {}", form(self.fact_type), literal.value.form());
        let help = match (self.fact_type, &literal.value) {
            (FactType::Text { .. }, LiteralValue::Number(micro)) => {
                Some(format!("write \"{}\"", micro_text(*micro)))
            }
            (FactType::Text { .. }, LiteralValue::Bool(flag)) => Some(format!("write \"{flag}\"")),
            (FactType::Bool, _) => Some("write `true` or `false`".to_owned()),
            (FactType::Number | FactType::Count, LiteralValue::Text(text))
                if crate::literal::micro(text).is_some() =>
            {
                Some(format!("write {text} without quotes"))
            }
            (FactType::Money, _) => Some(format!("write an amount: `50 {}`", self.currency)),
            (FactType::Time, LiteralValue::Number(_)) => {
                Some("write a day, `\"2026-12-24\"`; for the clock, `now between 22:00 and 07:00`".to_owned())
            }
            (FactType::Time, LiteralValue::Duration(_)) => {
                Some("write `within last 7d`, or a difference: `now - x <= 7d`".to_owned())
            }
            (FactType::Time, _) => Some("write a day: `\"2026-12-24\"`".to_owned()),
            (FactType::Clock, _) => Some("write a time of day: `22:00`".to_owned()),
            (FactType::Duration, _) => Some("write a duration: `30m`, `24h`, `7d`".to_owned()),
            _ => None,
        };
        self.report.add_help(Code::E0301, literal.span, message, help);
        None
    }
}

pub(super) fn form(fact_type: &FactType) -> &'static str {
    match fact_type {
        FactType::Text { .. } => "a text",
        FactType::Number => "a number",
        FactType::Money => "an amount of money",
        FactType::Bool => "yes or no",
        FactType::Count => "a count",
        FactType::Time => "a time",
        FactType::Duration => "a duration",
        FactType::Clock => "a time of day",
        FactType::List => "a list",
        FactType::Untyped => "a property of an item",
        FactType::Opaque(what) => what,
    }
}
