//! Contents resolved: placeholders with their names found, their types checked and their steps in order.

use super::calendar;
use super::fact::{Domain, Fact, FactType, Leaf, LeafTest};
use super::lookups::cell;
use super::names::{Meaning, Names};
use super::rates::{Exchange, Worth};
use super::style::{Style, plain};
use super::typed::Used;
use crate::codes::Code;
use crate::condition::Source;
use crate::diagnostic::Report;
use crate::literal::micro_text;
use crate::source::Span;
use crate::suggest::did_you_mean;
use crate::template::{Expr, Format as WrittenFormat, Literal, Lookup, Operation, Placeholder as Written};
use crate::written::content::{self, Field, Wording as WrittenWording, escape_json};
use crate::written::lookups::ColumnKind;
use selvedge_core::consent::Purposes;
use selvedge_core::limits::{CONTENT_VALUES_MAX, STEPS_MAX};
use selvedge_core::number::MICRO;
use selvedge_core::rules::written_number;
use selvedge_core::wire::program::{
    self, ContentType, Escape, Format, NumberFormat, Piece, Placeholder, Step, Wording,
};

/// A content, resolved.
pub(crate) struct Content {
    pub id: String,
    pub content_type: ContentType,
    /// What it shows in every language; the last is for everybody else.
    pub wordings: Vec<Wording>,
    /// What its placeholders read.
    pub reads: Vec<Read>,
    /// Placeholders without `else`, and which of `reads` they need.
    pub needs: Vec<Need>,
    /// The purposes of all rules that show it: what its values need granted.
    pub purpose: Purposes,
}

/// A value that a content reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    /// The time of the decision.
    Now,
    /// A fact: the test is that it is known.
    Fact(Leaf),
}

/// A value that must be known, as nothing stands in for it.
pub(crate) struct Need {
    pub fact: Fact,
    pub name: String,
    pub span: Span,
}

impl Content {
    /// The facts that it reads.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.reads.iter().filter_map(|read| match read {
            Read::Now => None,
            Read::Fact(leaf) => Some(leaf),
        })
    }

    /// The facts that it reads.
    pub fn reads_mut(&mut self) -> impl Iterator<Item = &mut Leaf> {
        self.reads.iter_mut().filter_map(|read| match read {
            Read::Now => None,
            Read::Fact(leaf) => Some(leaf),
        })
    }

    /// Whether it is the same for every visitor.
    pub fn is_plain(&self) -> bool {
        let is_text = |(_, pieces): &(String, Vec<Piece>)| matches!(pieces.as_slice(), [] | [Piece::Text(_)]);
        self.wordings.len() == 1 && self.wordings.iter().flat_map(|wording| &wording.fields).all(is_text)
    }

    /// As the program holds it, its fields only where they are the same for everybody.
    pub fn part(&self) -> program::Content {
        let text = |pieces: &[Piece]| match pieces {
            [Piece::Text(text)] => text.clone(),
            _ => String::new(),
        };
        let fields = self.wordings.iter().filter(|_| self.is_plain()).flat_map(|wording| &wording.fields);
        program::Content {
            id: self.id.clone(),
            content_type: self.content_type,
            fields: fields.map(|(name, pieces)| (name.clone(), text(pieces))).collect(),
        }
    }
}

/// What contents are resolved with.
pub(super) struct Setting<'a> {
    pub names: &'a Names<'a>,
    pub exchange: Exchange<'a>,
    /// The language of those contents that name none.
    pub language: &'a str,
}

/// Resolves a content; what is wrong is reported.
pub(super) fn resolve(
    written: &content::Content,
    setting: &Setting<'_>,
    used: &mut Used,
    report: &mut Report,
) -> Content {
    let mut content = Content {
        id: written.id.clone(),
        content_type: written.content_type,
        wordings: Vec::new(),
        reads: Vec::new(),
        needs: Vec::new(),
        purpose: Purposes::NONE,
    };
    for wording in &written.wordings {
        let found = {
            let language =
                if wording.language.is_empty() { setting.language } else { wording.language.as_str() };
            let style = Style::of(language);
            let language = language.to_ascii_lowercase();
            let mut typer = Typer { setting, style, language, content: &mut content, used, report };
            typer.wording(wording)
        };
        content.wordings.push(found);
    }
    if content.reads.len() > CONTENT_VALUES_MAX {
        let message =
            format!("`{}` reads {} values; at most {CONTENT_VALUES_MAX}", written.id, content.reads.len());
        report.add(Code::E0016, written.id_span, message);
    }
    content
}

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Money,
    Time,
    Duration,
}

impl Kind {
    const fn form(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Money => "an amount of money",
            Self::Time => "a time",
            Self::Duration => "a duration",
        }
    }
}

struct Typer<'a, 'r> {
    setting: &'a Setting<'a>,
    style: Style,
    language: String,
    content: &'r mut Content,
    used: &'r mut Used,
    report: &'r mut Report,
}

impl Typer<'_, '_> {
    fn wording(&mut self, wording: &WrittenWording) -> Wording {
        let fields = wording.fields.iter().map(|field| (field.name.clone(), self.field(field)));
        Wording { language: wording.language.clone(), fields: fields.collect() }
    }

    fn field(&mut self, field: &Field) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in &field.pieces {
            let found = match piece {
                content::Piece::Text(text) => vec![Piece::Text(text.clone())],
                content::Piece::Value(placeholder, escape) => {
                    self.placeholder(placeholder, *escape).unwrap_or_default()
                }
                content::Piece::Whole(placeholder) => self.whole(placeholder).unwrap_or_default(),
            };
            for piece in found {
                match (pieces.last_mut(), piece) {
                    (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
                    (_, piece) => pieces.push(piece),
                }
            }
        }
        pieces
    }

    fn placeholder(&mut self, written: &Written, escape: Escape) -> Option<Vec<Piece>> {
        if let Expr::Literal(Literal::Text(text)) = &written.expr {
            return Some(vec![Piece::Text(escaped(text, escape))]);
        }
        let (kind, mut steps) = self.value(written)?;
        if let Some(moment) = moment(kind, written) {
            return self.time(moment, &steps, written, escape);
        }
        let format = self.format(kind, written, &mut steps)?;
        let otherwise = match &written.otherwise {
            None => None,
            Some(literal) => Some(escaped(&self.otherwise(literal, kind, &format, written.span)?, escape)),
        };
        Some(vec![Piece::Value(Placeholder { steps, format, escape, otherwise })])
    }

    /// A moment: one piece for each of its parts. What stands in for it stands in the first.
    fn time(
        &mut self,
        moment: calendar::Moment,
        steps: &[Step],
        written: &Written,
        escape: Escape,
    ) -> Option<Vec<Piece>> {
        let mut otherwise = match &written.otherwise {
            None => None,
            Some(literal) => {
                let found = self.otherwise(literal, Kind::Time, &Format::Text, written.span)?;
                Some(escaped(&found, escape))
            }
        };
        let parts = calendar::pieces(moment, &self.language);
        let piece = |(part, format)| {
            let steps = [steps, &[Step::Local(part)]].concat();
            let instead = otherwise.clone();
            otherwise = otherwise.as_ref().map(|_| String::new());
            Piece::Value(Placeholder { steps, format, escape, otherwise: instead })
        };
        Some(parts.into_iter().map(piece).collect())
    }

    /// A JSON value of its own: a text in quotes, a number as JSON has it.
    fn whole(&mut self, written: &Written) -> Option<Vec<Piece>> {
        let (kind, steps) = self.value(written)?;
        if !matches!(kind, Kind::Number | Kind::Money) || written.format.is_some() {
            let quote = || Piece::Text("\"".to_owned());
            let mut pieces = vec![quote()];
            pieces.extend(self.placeholder(written, Escape::Json)?);
            pieces.push(quote());
            return Some(pieces);
        }
        let otherwise = match &written.otherwise {
            None => None,
            Some(Literal::Text(text)) => Some(format!("\"{}\"", escaped(text, Escape::Json))),
            Some(literal) => self.otherwise(literal, kind, &Format::Number(plain()), written.span),
        };
        let format = Format::Number(plain());
        Some(vec![Piece::Value(Placeholder { steps, format, escape: Escape::Text, otherwise })])
    }

    /// What is computed, and what must be known for it.
    fn value(&mut self, written: &Written) -> Option<(Kind, Vec<Step>)> {
        let mut steps = Vec::new();
        let needs = self.content.needs.len();
        let kind = self.expr(&written.expr, &mut steps);
        if written.otherwise.is_some() || kind.is_none() {
            self.content.needs.truncate(needs);
        }
        let kind = kind?;
        if steps.len() + 2 > STEPS_MAX {
            let message = format!("{} steps in one placeholder; at most {STEPS_MAX}", steps.len());
            self.report.add(Code::E0016, written.span, message);
            return None;
        }
        Some((kind, steps))
    }

    fn expr(&mut self, expr: &Expr, steps: &mut Vec<Step>) -> Option<Kind> {
        match expr {
            Expr::Literal(literal) => self.literal(literal, steps),
            Expr::Now => {
                steps.push(self.read(Read::Now));
                Some(Kind::Time)
            }
            Expr::Name(name, span) => self.name(name, *span, steps),
            Expr::Lookup(lookup) => self.lookup(lookup, steps),
            Expr::Binary(operation, first, second, span) => {
                let (first, second) = (self.expr(first, steps)?, self.expr(second, steps)?);
                steps.push(match operation {
                    Operation::Add => Step::Add,
                    Operation::Subtract => Step::Subtract,
                    Operation::Multiply => Step::Multiply,
                    Operation::Divide => Step::Divide,
                });
                self.result(*operation, first, second, *span)
            }
        }
    }

    /// A constant; of another currency, what it is worth.
    fn literal(&mut self, literal: &Literal, steps: &mut Vec<Step>) -> Option<Kind> {
        let Some(Worth { settled, fact }) = self.worth(literal)? else {
            steps.push(Step::Constant(micro_of(literal)));
            return Some(kind_of(literal));
        };
        match (settled, literal) {
            (Some(micro), _) => steps.push(Step::Constant(micro)),
            (None, Literal::Money(micro, currency, span)) => {
                let name = format!("{} {currency}", micro_text(*micro));
                self.reads(Fact::Amount(Box::new(fact)), Kind::Money, &name, *span, steps);
            }
            (None, _) => return None,
        }
        Some(Kind::Money)
    }

    /// What an amount of another currency is worth; nothing of what is none.
    fn worth(&mut self, literal: &Literal) -> Option<Option<Worth>> {
        let Literal::Money(micro, currency, span) = literal else { return Some(None) };
        if currency == self.setting.exchange.currency {
            return Some(None);
        }
        self.setting.exchange.worth(*micro, currency, *span, self.report).map(Some)
    }

    fn result(&mut self, operation: Operation, first: Kind, second: Kind, span: Span) -> Option<Kind> {
        use Kind::{Duration, Money, Number, Time};
        use Operation::{Add, Divide, Multiply, Subtract};
        let found = match (operation, first, second) {
            (Add | Subtract, Number, Number) | (Multiply | Divide, Number, Number) => Some(Number),
            (Add | Subtract, Money, Money)
            | (Multiply | Divide, Money, Number)
            | (Multiply, Number, Money) => Some(Money),
            (Divide, Money, Money) | (Divide, Duration, Duration) => Some(Number),
            (Subtract, Time, Time) | (Add | Subtract, Duration, Duration) => Some(Duration),
            (Add | Subtract, Time, Duration) | (Add, Duration, Time) => Some(Time),
            _ => None,
        };
        if found.is_none() {
            let message = format!("{} and {} cannot be computed so", first.form(), second.form());
            let help = "compute with numbers, or with amounts of money: `50 EUR - cart.value`".to_owned();
            self.report.add_help(Code::E0604, span, message, help);
        }
        found
    }

    fn name(&mut self, name: &str, span: Span, steps: &mut Vec<Step>) -> Option<Kind> {
        let (fact, fact_type) = match self.setting.names.find(name) {
            Some(Meaning::Fact(fact, fact_type)) => (fact, fact_type),
            Some(Meaning::Audience(_)) => return self.no_value(name, "an audience", span),
            None => {
                let help = did_you_mean(name, self.setting.names.all());
                self.report.add_help(Code::E0201, span, format!("nothing is named `{name}`"), help);
                return None;
            }
        };
        if let (Fact::Metric(_), FactType::Text { .. }) = (&fact, &fact_type) {
            let message = format!("of `{name}` no text is kept, only which text it is");
            let help = "keep it as an attribute, set by the event: `{property: ...}`".to_owned();
            self.report.add_help(Code::E0604, span, message, help);
            return None;
        }
        let kind = match &fact_type {
            FactType::Text { .. } => Kind::Text,
            FactType::Number | FactType::Count => Kind::Number,
            FactType::Money => Kind::Money,
            FactType::Bool => return self.no_value(name, "yes or no", span),
            FactType::Time => Kind::Time,
            FactType::Duration => Kind::Duration,
            FactType::Clock => return self.no_value(name, "a time of day", span),
            FactType::List | FactType::Untyped => return self.no_value(name, "a list", span),
            FactType::Opaque(what) => return self.no_value(name, what, span),
        };
        self.reads(fact, kind, name, span, steps);
        if fact_type == FactType::Count {
            // A whole number becomes millionths.
            steps.extend([Step::Constant(MICRO * MICRO), Step::Multiply]);
        }
        Some(kind)
    }

    /// A cell of a table: a value as any other, which only the edge knows.
    fn lookup(&mut self, lookup: &Lookup, steps: &mut Vec<Step>) -> Option<Kind> {
        let (key, at) = (&lookup.key.0, lookup.key.1);
        let Some(Meaning::Fact(fact, FactType::Text { .. })) = self.setting.names.find(key) else {
            let message = format!("`{}` is looked up by a text, and `{key}` is none", lookup.table);
            let help = format!("write for example `{}[page.sku].{}`", lookup.table, lookup.column);
            self.report.add_help(Code::E0301, at, message, help);
            return None;
        };
        let (found, column) = cell(
            self.setting.exchange.lookups,
            (&lookup.table, &lookup.column),
            fact,
            lookup.span,
            self.report,
        )?;
        let name = format!("{}[{key}].{}", lookup.table, lookup.column);
        let kind = match column {
            ColumnKind::Text => Kind::Text,
            ColumnKind::Number => Kind::Number,
            ColumnKind::Money => Kind::Money,
            ColumnKind::Time => Kind::Time,
            ColumnKind::Bool => return self.no_value(&name, "yes or no", lookup.span),
        };
        self.reads(Fact::Lookup(Box::new(found)), kind, &name, lookup.span, steps);
        Some(kind)
    }

    /// The value of a fact, and that it must be known.
    fn reads(&mut self, fact: Fact, kind: Kind, name: &str, span: Span, steps: &mut Vec<Step>) {
        for part in fact.simple() {
            match part {
                Fact::Attribute(at) => drop(self.used.attributes.insert(*at)),
                Fact::Metric(at) => drop(self.used.metrics.insert(*at)),
                _ => {}
            }
        }
        self.content.needs.push(Need { fact: fact.clone(), name: name.to_owned(), span });
        let domain = if kind == Kind::Text { Domain::Text } else { Domain::Numbers(i64::MIN, i64::MAX) };
        let source = Source { span, text: name.to_owned() };
        let leaf = Leaf { fact, default: None, domain, test: LeafTest::Known, source };
        steps.push(self.read(Read::Fact(leaf)));
    }

    fn no_value<T>(&mut self, name: &str, what: &str, span: Span) -> Option<T> {
        let message = format!("`{name}` is {what}, which has no words of its own");
        let help = "write two contents, and a rule for each".to_owned();
        self.report.add_help(Code::E0604, span, message, help);
        None
    }

    /// The step that reads this, and its place among what the content reads.
    fn read(&mut self, read: Read) -> Step {
        let is_same = |known: &Read| match (known, &read) {
            (Read::Fact(known), Read::Fact(new)) => known.fact == new.fact,
            (Read::Now, Read::Now) => true,
            _ => false,
        };
        let at = self.content.reads.iter().position(is_same).unwrap_or_else(|| {
            self.content.reads.push(read);
            self.content.reads.len() - 1
        });
        Step::Read(u8::try_from(at).unwrap_or(u8::MAX))
    }

    /// How the value is written; a duration is divided into its units first.
    fn format(&mut self, kind: Kind, written: &Written, steps: &mut Vec<Step>) -> Option<Format> {
        let format = match (kind, &written.format) {
            (Kind::Text, None) => Format::Text,
            (Kind::Number, None) => Format::Number(self.style.number(None)),
            (Kind::Number, Some(WrittenFormat::Decimals(decimals, _))) => {
                Format::Number(self.style.number(Some(*decimals)))
            }
            (Kind::Money, None) => Format::Number(self.style.money(self.setting.exchange.currency, None)),
            (Kind::Money, Some(WrittenFormat::Decimals(decimals, _))) => {
                Format::Number(self.style.money(self.setting.exchange.currency, Some(*decimals)))
            }
            (Kind::Duration, Some(WrittenFormat::Word(word, _))) if unit_ms(word).is_some() => {
                steps.extend([Step::Constant(unit_ms(word).unwrap_or(1)), Step::Divide]);
                Format::Number(NumberFormat { rounds_up: true, ..self.style.number(Some(0)) })
            }
            (_, format) => {
                let span = match format {
                    Some(WrittenFormat::Decimals(_, span) | WrittenFormat::Word(_, span)) => *span,
                    None => written.span,
                };
                let message = format!("{} is not written so", kind.form());
                let help = match kind {
                    Kind::Text => "leave `as` out",
                    Kind::Number | Kind::Money => "write `as 0`, `as 0.00`, or leave `as` out",
                    Kind::Time => {
                        "write `as date`, `as day`, `as time`, or `{{trial_ends_at - now as days}}`"
                    }
                    Kind::Duration => "write `as days`, `as hours` or `as minutes`",
                };
                self.report.add_help(Code::E0604, span, message, help.to_owned());
                return None;
            }
        };
        Some(format)
    }

    /// What stands in for an unknown value, as it is written.
    fn otherwise(&mut self, literal: &Literal, kind: Kind, format: &Format, span: Span) -> Option<String> {
        let found = kind_of(literal);
        let micro = match self.worth(literal)? {
            None => micro_of(literal),
            Some(Worth { settled: Some(micro), .. }) => micro,
            Some(_) => {
                let own = self.setting.exchange.currency;
                let message = format!("behind `else`, amounts are in {own}, or have the rates of a file");
                let help = format!("write an amount in {own}, or a text in quotes");
                self.report.add_help(Code::E0304, span, message, help);
                return None;
            }
        };
        match (literal, format) {
            (Literal::Text(text), _) => Some(text.clone()),
            (_, Format::Number(format)) if found == kind => Some(written_number(micro, format)),
            _ => {
                let message = format!("`else` gives {} for {}", found.form(), kind.form());
                self.report.add_help(Code::E0604, span, message, "write a text in quotes".to_owned());
                None
            }
        }
    }
}

/// What is to be written of a time.
fn moment(kind: Kind, written: &Written) -> Option<calendar::Moment> {
    let Some(WrittenFormat::Word(word, _)) = &written.format else { return None };
    let mut words = calendar::Moment::WORDS.into_iter();
    words.find(|(known, _)| *known == word).map(|(_, moment)| moment).filter(|_| kind == Kind::Time)
}

/// Milliseconds of a unit that durations are written in.
fn unit_ms(word: &str) -> Option<i64> {
    match word {
        "days" => Some(86_400_000),
        "hours" => Some(3_600_000),
        "minutes" => Some(60_000),
        _ => None,
    }
}

const fn kind_of(literal: &Literal) -> Kind {
    match literal {
        Literal::Text(_) => Kind::Text,
        Literal::Number(_) => Kind::Number,
        Literal::Duration(_) => Kind::Duration,
        Literal::Money(..) => Kind::Money,
    }
}

const fn micro_of(literal: &Literal) -> i64 {
    match literal {
        Literal::Text(_) => 0,
        Literal::Number(number) | Literal::Money(number, ..) | Literal::Duration(number) => *number,
    }
}

/// A constant text as it stands in a text of this kind.
fn escaped(text: &str, escape: Escape) -> String {
    match escape {
        Escape::Text => text.to_owned(),
        Escape::Html => text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        Escape::Address => {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            let of =
                |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
            text.bytes().map(of).collect()
        }
        Escape::Json => {
            let mut out = String::new();
            escape_json(&mut out, text);
            out
        }
    }
}
