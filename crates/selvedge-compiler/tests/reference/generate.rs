//! Random conditions and histories: borders of windows and sessions, missing values, events out of order, consent that comes
//! and goes.

use super::history::{Happened, History, Values};
use super::metric::{Class, EVENTS_MAX, Metric, Window};
use super::random::Random;
use super::site::{Condition, Literal, Sequence, Source, Test};
use selvedge_core::consent::Purposes;

pub(super) const MICRO: i64 = 1_000_000;
const MINUTE_MS: i64 = 60_000;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;
/// A Monday evening before the clocks change.
const BORN_MS: i64 = 1_774_300_000_000;

const SIGNS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];
const EVENTS: [&str; 7] =
    ["page", "product_view", "product_view", "add_to_cart", "purchase", "search", "support_chat"];
pub(super) const CATEGORIES: [&str; 3] = ["shoes", "jackets", "packs"];
const MEDIA: [&str; 3] = ["cpc", "email", "social"];
const PATHS: [&str; 3] = ["/", "/c/shoes", "/checkout"];
const TIERS: [&str; 2] = ["gold", "basic"];
const STAGES: [&str; 2] = ["trial", "paid"];

/// What a fact can be tested for.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Count,
    /// A count that is also compared with more than is kept one by one.
    Tally,
    Number,
    Money,
    Duration,
    /// Points of a score.
    Points,
    Text(&'static [&'static str]),
    /// A text that is known by its hash only.
    Whole(&'static [&'static str]),
    Bool,
    /// Of which is asked whether it is so, and no more.
    Bare,
}

impl Random {
    /// A condition of at most so many levels.
    pub fn condition(&mut self, depth: usize) -> Condition {
        match if depth == 0 { 9 } else { self.below(10) } {
            0..=2 => Condition::All((0..2 + self.below(2)).map(|_| self.condition(depth - 1)).collect()),
            3 | 4 => Condition::Any((0..2 + self.below(2)).map(|_| self.condition(depth - 1)).collect()),
            5 => Condition::Not(Box::new(self.condition(depth - 1))),
            6 => {
                let states = ["true", "not true", "false", "not false", "known", "missing"];
                let inner = self.condition(depth - 1);
                // `(fact) is known` asks of the fact, not of what it says.
                let is_fact = matches!(inner, Condition::Ask { test: Test::Bare, .. });
                let state = self.one_of(if is_fact { &states[..4] } else { &states });
                Condition::Is(Box::new(inner), state)
            }
            _ => {
                let (source, kind) = self.source();
                self.ask(source, kind)
            }
        }
    }

    fn source(&mut self) -> (Source, Kind) {
        if self.is_wide && self.percent(35) {
            return self.source_of_a_shop();
        }
        match self.below(20) {
            0..=4 => (Source::Metric(Box::new(self.count())), Kind::Count),
            5..=7 => self.amount(),
            16 | 17 => self.value(),
            18 | 19 => (Source::Sequence(Box::new(self.sequence())), Kind::Bare),
            8 => (Source::Attribute("loyalty_tier"), Kind::Text(&TIERS)),
            9 => (Source::Attribute("last_category"), Kind::Text(&CATEGORIES)),
            10 => (Source::Attribute("needs_help"), Kind::Bool),
            11 => (Source::Attribute("last_value"), Kind::Money),
            12 => (Source::Attribute("stage"), Kind::Text(&STAGES)),
            13 => (Source::Builtin("utm.medium"), Kind::Text(&MEDIA)),
            14 => {
                let texts = [("page.path", Kind::Text(&PATHS)), ("session.entry_page", Kind::Text(&PATHS))];
                let (name, kind) = self.one_of(&texts);
                (Source::Builtin(name), kind)
            }
            _ => {
                let numbers = ["session.pages", "session.number", "days_since_last_visit", "visitor.is_new"];
                let name = self.one_of(&numbers);
                (Source::Builtin(name), if name == "visitor.is_new" { Kind::Bool } else { Kind::Number })
            }
        }
    }

    fn count(&mut self) -> Metric {
        let event = self.one_of(&EVENTS);
        let windows = [
            Window::Sliding(10 * MINUTE_MS),
            Window::Sliding(HOUR_MS),
            Window::Sliding(DAY_MS),
            Window::Sliding(7 * DAY_MS),
            Window::Session,
            Window::Page,
            Window::Today,
            Window::Week,
            Window::Month,
            Window::Ever,
        ];
        let filter = if self.percent(50) { self.filter(event) } else { None };
        let window = self.one_of(&windows);
        let of_session = !matches!(window, Window::Session | Window::Page) && self.percent(15);
        let class = Class::Count;
        Metric { class, property: None, event, filter, window, of_session, events_max: EVENTS_MAX }
    }

    /// What is kept in panes: sums and the like, and counts that are compared with more than is kept one by one. These
    /// have windows of their own, because one meaning is kept in one way.
    fn amount(&mut self) -> (Source, Kind) {
        let event = self.one_of(&["product_view", "product_view", "add_to_cart", "purchase"]);
        let windows = [
            Window::Panes(12 * MINUTE_MS),
            Window::Panes(2 * HOUR_MS),
            Window::Panes(3 * DAY_MS),
            Window::Session,
            Window::Page,
            Window::Today,
            Window::Week,
            Window::Month,
            Window::Ever,
        ];
        let class = self.one_of(&[Class::Sum, Class::Sum, Class::Min, Class::Max, Class::Avg, Class::Tally]);
        let window = if class == Class::Tally { self.one_of(&windows[..3]) } else { self.one_of(&windows) };
        let filter = if self.percent(40) { Some(self.filter_of_amount()) } else { None };
        let of_session = !matches!(window, Window::Session | Window::Page) && self.percent(15);
        let kind = if class == Class::Tally { Kind::Tally } else { Kind::Money };
        let property = (class != Class::Tally).then_some("value");
        let metric = Metric { class, property, event, filter, window, of_session, events_max: EVENTS_MAX };
        (Source::Metric(Box::new(metric)), kind)
    }

    /// Values of product views, and how long ago something was.
    fn value(&mut self) -> (Source, Kind) {
        let classes = [Class::Distinct, Class::Last, Class::Previous, Class::TimeSince];
        let class = self.one_of(&classes);
        let is_text = self.percent(60);
        let windows = [Window::Sliding(HOUR_MS), Window::Session, Window::Today, Window::Ever];
        let (property, kind) = match class {
            Class::TimeSince => (None, Kind::Duration),
            Class::Distinct => (Some(if is_text { "category" } else { "value" }), Kind::Count),
            _ if is_text => (Some("category"), Kind::Text(&CATEGORIES)),
            _ => (Some("value"), Kind::Money),
        };
        let filter = if self.percent(30) { Some(self.filter_of_amount()) } else { None };
        let window = if class == Class::Distinct { self.one_of(&windows) } else { Window::Ever };
        let (event, of_session, events_max) = ("product_view", false, EVENTS_MAX);
        let metric = Metric { class, property, event, filter, window, of_session, events_max };
        (Source::Metric(Box::new(metric)), kind)
    }

    /// Each of its events plays one part only.
    fn sequence(&mut self) -> Sequence {
        let mut events = vec!["page", "product_view", "add_to_cart", "purchase", "support_chat"];
        let mut next = || events.swap_remove(self.below(events.len()));
        let steps = [next(), next(), next()];
        let (then_no, without) = (next(), next());
        let within_ms = self.one_of(&[2_000, 60_000, 10 * MINUTE_MS, HOUR_MS, DAY_MS]);
        let without = self.percent(25).then_some(without);
        match self.below(4) {
            0 => Sequence {
                steps: steps[..1].into(),
                then_no: None,
                without: None,
                within_ms,
                is_absence: true,
            },
            1 => Sequence {
                steps: steps[..1].into(),
                then_no: Some(then_no),
                without,
                within_ms,
                is_absence: false,
            },
            2 => Sequence { steps: steps[..2].into(), then_no: None, without, within_ms, is_absence: false },
            _ => Sequence { steps: steps.into(), then_no: None, without, within_ms, is_absence: false },
        }
    }

    pub(super) fn filter_of_amount(&mut self) -> Condition {
        let test = if self.percent(50) {
            Test::Compare(">=", Literal::Money(self.number(0, 4) * 10 * MICRO))
        } else {
            Test::Compare("<", Literal::Money(self.number(5, 9) * 10 * MICRO))
        };
        Condition::Ask { source: Source::Property("value"), otherwise: None, test }
    }

    fn filter(&mut self, event: &str) -> Option<Condition> {
        let properties: &[(&str, Kind)] = match event {
            "page" => &[("path", Kind::Text(&PATHS))],
            "product_view" => &[
                ("category", Kind::Text(&CATEGORIES)),
                ("value", Kind::Money),
                ("rating", Kind::Number),
                ("on_sale", Kind::Bool),
            ],
            "add_to_cart" | "purchase" => &[("value", Kind::Money)],
            "search" => &[("rating", Kind::Number)],
            _ => return None,
        };
        let mut one = || {
            let (name, kind) = self.one_of(properties);
            self.ask(Source::Property(name), kind)
        };
        let first = one();
        Some(match self.below(4) {
            0 => {
                let (name, kind) = self.one_of(properties);
                Condition::All(vec![first, self.ask(Source::Property(name), kind)])
            }
            1 => {
                let (name, kind) = self.one_of(properties);
                Condition::Any(vec![first, self.ask(Source::Property(name), kind)])
            }
            2 => Condition::Not(Box::new(first)),
            _ => first,
        })
    }

    fn ask(&mut self, source: Source, kind: Kind) -> Condition {
        if matches!(kind, Kind::Bare) {
            return Condition::Ask { source, otherwise: None, test: Test::Bare };
        }
        let otherwise = self.percent(15).then(|| self.constant(kind));
        let test = match self.below(10) {
            0 => Test::Known,
            1 => Test::Missing,
            at => self.test(kind, at),
        };
        // A default is never missing: the compiler calls such a test senseless.
        let otherwise = otherwise.filter(|_| !matches!(test, Test::Known | Test::Missing));
        Condition::Ask { source, otherwise, test }
    }

    fn test(&mut self, kind: Kind, at: usize) -> Test {
        let literals = |random: &mut Self| (0..1 + random.below(3)).map(|_| random.constant(kind)).collect();
        match (kind, at) {
            (Kind::Bool, 2..=6) => Test::Bare,
            (Kind::Bool, _) => Test::Compare("=", self.constant(kind)),
            (Kind::Whole(_), 2..=5) => Test::Compare(self.one_of(&SIGNS[..2]), self.constant(kind)),
            (Kind::Text(texts), 2) => Test::Text("starts_with", &self.one_of(texts)[..1]),
            (Kind::Text(texts), 3) => {
                let text = self.one_of(texts);
                Test::Text("ends_with", &text[text.len() - 1..])
            }
            (Kind::Text(_), 4) => Test::Text("contains", "a"),
            (Kind::Text(_), 5) => Test::Text("matches_glob", "*e*"),
            (Kind::Text(_), 6..=7) => Test::Compare(["=", "!="][at - 6], self.constant(kind)),
            (Kind::Tally, 2..=4) => Test::Compare(self.one_of(&SIGNS), Literal::Number(100 * MICRO)),
            (Kind::Tally, 5..=7) => {
                Test::In(self.percent(60), vec![self.constant(kind), Literal::Number(99 * MICRO)])
            }
            (Kind::Tally, _) => Test::Between(self.constant(kind), Literal::Number(90 * MICRO)),
            (_, 8) => Test::In(self.percent(60), literals(self)),
            (Kind::Text(_) | Kind::Whole(_), _) => Test::In(true, literals(self)),
            (_, 9) => {
                let (low, high) = (self.constant(kind), self.constant(kind));
                let is_sorted = low.number() <= high.number();
                if is_sorted { Test::Between(low, high) } else { Test::Between(high, low) }
            }
            _ => Test::Compare(self.one_of(&SIGNS), self.constant(kind)),
        }
    }

    pub(super) fn constant(&mut self, kind: Kind) -> Literal {
        match kind {
            Kind::Count | Kind::Tally => Literal::Number(self.number(0, 4) * MICRO),
            Kind::Number => Literal::Number(self.number(0, 10) * MICRO / 2),
            Kind::Money => Literal::Money(self.number(0, 10) * 10 * MICRO),
            Kind::Points => Literal::Number(self.number(-3, 10) * MICRO),
            Kind::Text(texts) | Kind::Whole(texts) => Literal::Text(self.one_of(texts)),
            Kind::Duration => Literal::Duration(self.one_of(&[1_000, MINUTE_MS, HOUR_MS, DAY_MS])),
            Kind::Bool | Kind::Bare => Literal::Bool(self.percent(50)),
        }
    }

    /// A visitor; `gaps`: analytics comes and goes too, not only personalization.
    pub fn history(&mut self, gaps: bool) -> History {
        let everything = Purposes::NECESSARY.or(Purposes::ANALYTICS).or(Purposes::PERSONALIZATION);
        let mut history = History { born_ms: BORN_MS, context: Values::new(), events: Vec::new() };
        self.maybe(&mut history.context, 30, "utm.medium", Kind::Text(&MEDIA));
        self.maybe(&mut history.context, 30, "stage", Kind::Text(&STAGES));
        let changes = self.percent(50);
        let (mut now_ms, mut in_force) = (BORN_MS, everything);
        // What may be used for nothing is not even sent: nothing comes behind it that happened before.
        let mut hidden_ms = BORN_MS;
        for _ in 0..4 + self.below(30) {
            if changes && self.percent(15) {
                in_force = match self.below(if gaps { 4 } else { 2 }) {
                    0 => everything,
                    1 => Purposes::NECESSARY.or(Purposes::ANALYTICS),
                    2 => Purposes::NECESSARY.or(Purposes::PERSONALIZATION),
                    _ => Purposes::NECESSARY,
                };
            }
            let step_ms = self.stretch_ms();
            now_ms += step_ms;
            let back_ms =
                if self.percent(15) { self.one_of(&[1, 500, 2_000, 2_001, 30_000, 30_001]) } else { 0 };
            // Another tab may tell later of what was before the birth.
            let may_precede_birth = hidden_ms == BORN_MS && in_force == everything && self.percent(50);
            let from_ms = if may_precede_birth { i64::MIN } else { hidden_ms };
            let mut event = self.event((now_ms - back_ms).max(from_ms), in_force);
            if event.purposes().and(in_force).is_empty() {
                hidden_ms = event.time_ms;
            }
            if self.percent(40) {
                event.asked_after_ms.push(now_ms + self.stretch_ms());
            }
            history.events.push(event);
        }
        if self.percent(40) {
            self.spend_abroad(&mut history);
        }
        history
    }

    /// Says of some amounts which currency they are in.
    fn spend_abroad(&mut self, history: &mut History) {
        let of_amounts = ["product_view", "add_to_cart", "purchase"];
        for event in history.events.iter_mut().filter(|event| of_amounts.contains(&event.name)) {
            if self.percent(30) {
                let currency = self.one_of(&["EUR", "USD"]);
                event.properties.push(("currency", Literal::Text(currency)));
            }
        }
    }

    /// Time until something: often just at the border of a window or a session.
    fn stretch_ms(&mut self) -> i64 {
        let borders = [10 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS, DAY_MS, 7 * DAY_MS];
        match self.below(10) {
            0 => 0,
            1..=3 => self.number(1, 5_000),
            4..=6 => self.number(1, 20) * MINUTE_MS,
            7 => self.one_of(&borders) + self.number(-1, 1),
            8 => self.number(1, 30) * HOUR_MS,
            _ => self.number(1_000, 3 * MINUTE_MS),
        }
    }

    fn event(&mut self, time_ms: i64, in_force: Purposes) -> Happened {
        let mut names = EVENTS.to_vec();
        names.push("identify");
        if self.is_wide {
            names.extend(["add_to_cart", "add_to_cart", "remove_from_cart", "cart_emptied"]);
        }
        let name = self.one_of(&names);
        let (mut properties, mut context) = (Values::new(), Values::new());
        match name {
            "page" => properties.push(("path", self.constant(Kind::Text(&PATHS)))),
            "identify" => self.maybe(&mut properties, 75, "loyalty_tier", Kind::Text(&TIERS)),
            "product_view" => {
                self.maybe(&mut properties, 75, "category", Kind::Text(&CATEGORIES));
                self.maybe(&mut properties, 75, "value", Kind::Money);
                self.maybe(&mut properties, 75, "rating", Kind::Number);
                self.maybe(&mut properties, 75, "on_sale", Kind::Bool);
            }
            "search" => self.maybe(&mut properties, 75, "rating", Kind::Number),
            "support_chat" | "cart_emptied" => {}
            "add_to_cart" | "remove_from_cart" if self.is_wide => properties = self.of_cart(),
            _ => self.maybe(&mut properties, 75, "value", Kind::Money),
        }
        self.maybe(&mut context, 10, "utm.medium", Kind::Text(&MEDIA));
        self.maybe(&mut context, 20, "stage", Kind::Text(&STAGES));
        let writer = if self.percent(80) { 1 } else { 2 };
        Happened { time_ms, name, properties, context, in_force, writer, asked_after_ms: Vec::new() }
    }

    pub(super) fn maybe(&mut self, values: &mut Values, share: usize, name: &'static str, kind: Kind) {
        if self.percent(share) {
            values.push((name, self.constant(kind)));
        }
    }
}
