//! Conditions and metrics with their text, and the site around them.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};

/// A constant, or the value of a property.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// Milliseconds, written in seconds.
    Duration(i64),
    /// In millionths.
    Number(i64),
    /// In millionths of the site's currency.
    Money(i64),
    Text(&'static str),
    Bool(bool),
}

impl Literal {
    /// Anything but a text as a number.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(micro) | Self::Money(micro) => Some(*micro),
            Self::Duration(ms) => Some(*ms),
            Self::Bool(flag) => Some(i64::from(*flag)),
            Self::Text(_) => None,
        }
    }
}

impl Display for Literal {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::Duration(ms) => write!(to, "{}s", ms / 1_000),
            Self::Number(micro) => write!(to, "{}", decimal(*micro)),
            Self::Money(micro) => write!(to, "{} EUR", decimal(*micro)),
            Self::Text(text) => write!(to, "\"{text}\""),
            Self::Bool(flag) => write!(to, "{flag}"),
        }
    }
}

fn decimal(micro: i64) -> String {
    match micro % 1_000_000 {
        0 => (micro / 1_000_000).to_string(),
        rest => format!("{}.{:06}", micro / 1_000_000, rest.abs()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Sliding(i64),
    /// A sliding window of twelve panes.
    Panes(i64),
    Session,
    Page,
    Today,
    Week,
    Month,
    Ever,
}

impl Display for Window {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::Sliding(ms) | Self::Panes(ms) if ms % 86_400_000 == 0 => write!(to, "{}d", ms / 86_400_000),
            Self::Sliding(ms) | Self::Panes(ms) => write!(to, "{}s", ms / 1_000),
            Self::Today => write!(to, "today"),
            Self::Week => write!(to, "week"),
            Self::Month => write!(to, "month"),
            Self::Ever => write!(to, "ever"),
            Self::Session => write!(to, "session"),
            Self::Page => write!(to, "page"),
        }
    }
}

/// What is worked out of events: how many, or of their property `value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Count,
    /// A count in panes.
    Tally,
    Sum,
    Min,
    Max,
    Avg,
    /// How many different values.
    Distinct,
    /// The newest value, and the one before it. These have no window.
    Last,
    Previous,
    /// How long ago the newest event was.
    TimeSince,
}

impl Class {
    fn word(self) -> &'static str {
        match self {
            Self::Count | Self::Tally => "count",
            Self::Sum => "sum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Avg => "avg",
            Self::Distinct => "distinct",
            Self::Last => "last",
            Self::Previous => "previous",
            Self::TimeSince => "time since",
        }
    }
}

/// What is counted or worked out.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub class: Class,
    /// Of what it is worked out; none for counts.
    pub property: Option<&'static str>,
    pub event: &'static str,
    pub filter: Option<Condition>,
    pub window: Window,
    /// A longer window ends with the session.
    pub of_session: bool,
}

impl Display for Metric {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        write!(to, "({} {}", self.class.word(), self.event)?;
        if let Some(property) = self.property {
            write!(to, ".{property}")?;
        }
        if let Some(filter) = &self.filter {
            write!(to, " where {filter}")?;
        }
        match self.class {
            Class::Last | Class::Previous | Class::TimeSince => write!(to, ")"),
            _ => write!(to, " in {}{})", self.window, if self.of_session { " of session" } else { "" }),
        }
    }
}

/// What happened in which order, or did not for how long.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// One to three events that follow each other; of an absence the one that did not come.
    pub steps: Vec<&'static str>,
    /// What must not follow.
    pub then_no: Option<&'static str>,
    pub without: Option<&'static str>,
    pub within_ms: i64,
    pub is_absence: bool,
}

impl Display for Sequence {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let seconds = self.within_ms / 1_000;
        if self.is_absence {
            return write!(to, "no {} for {seconds}s", self.steps[0]);
        }
        write!(to, "sequence {}", self.steps.join(" then "))?;
        if let Some(event) = self.then_no {
            write!(to, " then no {event}")?;
        }
        write!(to, " within {seconds}s")?;
        match self.without {
            Some(event) => write!(to, " without {event}"),
            None => Ok(()),
        }
    }
}

/// Where a fact comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    Metric(Box<Metric>),
    Sequence(Box<Sequence>),
    Builtin(&'static str),
    Attribute(&'static str),
    /// In a filter: a property of the event.
    Property(&'static str),
}

impl Display for Source {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::Metric(metric) => write!(to, "{metric}"),
            Self::Sequence(sequence) => write!(to, "{sequence}"),
            Self::Builtin(name) | Self::Attribute(name) | Self::Property(name) => write!(to, "{name}"),
        }
    }
}

/// What is asked of a fact.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    Compare(&'static str, Literal),
    In(bool, Vec<Literal>),
    Between(Literal, Literal),
    Text(&'static str, &'static str),
    /// A yes-or-no fact alone.
    Bare,
    Known,
    Missing,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Is(Box<Condition>, &'static str),
    Ask { source: Source, otherwise: Option<Literal>, test: Test },
}

impl Condition {
    /// Whether it asks for the amount of an event.
    fn asks_for_an_amount(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::asks_for_an_amount),
            Self::Not(inner) | Self::Is(inner, _) => inner.asks_for_an_amount(),
            Self::Ask { source, .. } => *source == Source::Property("value"),
        }
    }
}

impl Metric {
    /// Whether it is made of amounts of events.
    pub fn is_of_amounts(&self) -> bool {
        let is_filtered = self.filter.as_ref().is_some_and(Condition::asks_for_an_amount);
        self.property == Some("value") || is_filtered
    }
}

impl Display for Condition {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        match self {
            Self::All(parts) => write!(to, "{}", joined(parts, " and ")),
            Self::Any(parts) => write!(to, "{}", joined(parts, " or ")),
            Self::Not(inner) => write!(to, "not ({inner})"),
            Self::Is(inner, state) => write!(to, "({inner}) is {state}"),
            Self::Ask { source, otherwise, test } => {
                write!(to, "{source}")?;
                if let Some(literal) = otherwise {
                    write!(to, " else {literal}")?;
                }
                write_test(to, test)
            }
        }
    }
}

fn joined(parts: &[Condition], word: &str) -> String {
    parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(word)
}

fn write_test(to: &mut Formatter<'_>, test: &Test) -> Result {
    match test {
        Test::Compare(sign, literal) => write!(to, " {sign} {literal}"),
        Test::In(among, literals) => {
            let literals: Vec<String> = literals.iter().map(Literal::to_string).collect();
            write!(to, " {} [{}]", if *among { "in" } else { "not in" }, literals.join(", "))
        }
        Test::Between(low, high) => write!(to, " between {low} and {high}"),
        Test::Text(word, text) => write!(to, " {word} \"{text}\""),
        Test::Bare => Ok(()),
        Test::Known => write!(to, " is known"),
        Test::Missing => write!(to, " is missing"),
    }
}

/// What a visitor keeps, and what sets it. Its purpose is that of the rules.
pub struct Attribute {
    pub name: &'static str,
    pub scope: Scope,
    pub set: &'static [(&'static str, SetTo)],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Visitor,
    Session,
    Context,
}

pub enum SetTo {
    Constant(Literal),
    Property(&'static str),
}

pub const ATTRIBUTES: [Attribute; 5] = [
    Attribute {
        name: "loyalty_tier",
        scope: Scope::Visitor,
        set: &[("purchase", SetTo::Constant(Literal::Text("gold")))],
    },
    Attribute {
        name: "last_category",
        scope: Scope::Session,
        set: &[("product_view", SetTo::Property("category"))],
    },
    Attribute {
        name: "needs_help",
        scope: Scope::Session,
        set: &[
            ("support_chat", SetTo::Constant(Literal::Bool(true))),
            ("purchase", SetTo::Constant(Literal::Bool(false))),
        ],
    },
    Attribute {
        name: "last_value",
        scope: Scope::Visitor,
        set: &[("product_view", SetTo::Property("value"))],
    },
    Attribute { name: "stage", scope: Scope::Context, set: &[] },
];

const ATTRIBUTES_YAML: &str = "attributes:
  loyalty_tier:
    type: text
    from: visitor
    set:
      purchase: gold
  last_category:
    type: text
    from: session
    set:
      product_view:
        property: category
  needs_help:
    type: bool
    from: session
    set:
      support_chat: true
      purchase: false
  last_value:
    type: money
    from: visitor
    set:
      product_view:
        property: value
  stage:
    type: text
    from: context
";

const SITE_YAML: &str = "name: shop
timezone: Europe/Berlin
currency: EUR
late_events: 30s
sources:
  web:
    type: browser
    key: wk_shop
consent:
  mode: opt-in
slots:
  hero:
    fallback: offer
";

const CONTENT_YAML: &str = "offer:
  type: text
  text: Shoes ship free today.
";

const PLAN_YAML: &str = "events:
  page:
    purposes: [analytics, personalization]
    properties:
      path:
        type: text
  product_view:
    purposes: [analytics, personalization]
    properties:
      category:
        type: text
      value:
        type: money
      rating:
        type: number
      on_sale:
        type: bool
      currency:
        type: text
  add_to_cart:
    purposes: [analytics, personalization]
    properties:
      value:
        type: money
      currency:
        type: text
  purchase:
    purposes: [analytics, personalization]
    properties:
      value:
        type: money
      currency:
        type: text
  identify:
    purposes: [analytics, personalization]
    properties:
      loyalty_tier:
        type: text
  search:
    purposes: [personalization]
    properties:
      rating:
        type: number
  support_chat:
    purposes: [necessary, analytics, personalization]
";

/// The files of the site with a rule for each condition.
pub fn files(conditions: &[Condition]) -> BTreeMap<String, String> {
    let mut rules = format!("{ATTRIBUTES_YAML}rules:\n");
    for (at, condition) in conditions.iter().enumerate() {
        rules.push_str(&format!(
            "  - id: rule-{at:03}\n    when: '{condition}'\n    show:\n      slot: hero\n      content: offer\n    priority: {}\n",
            1_000 - at
        ));
    }
    [
        ("site.yaml", SITE_YAML),
        ("content.yaml", CONTENT_YAML),
        ("tracking-plan.yaml", PLAN_YAML),
        ("rules.yaml", &rules),
    ]
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .into()
}
