//! Programs for tests, built by hand: what a compiler would hand over.

use selvedge_core::consent::Purposes;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{
    Attribute, AttributeScope, AttributeType, Builtin, Content, ContentType, Fact, FactSource, Hold,
    Instruction, Jump, Metric, Offset, Parts, Rule, Sequence, SequenceKind, SequenceStep, Shape, Slot,
    Status, Terms, Test, Timing, Window,
};
use std::cmp::Reverse;

/// The purposes of most rules and metrics here.
pub const PERSONAL: Purposes = Purposes::PERSONALIZATION;
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// A condition: leaves under and / or, negation already at the leaves.
#[derive(Debug, Clone)]
pub enum Condition {
    Leaf(u16, Test),
    And(Vec<Condition>),
    Or(Vec<Condition>),
}

impl Condition {
    fn size(&self) -> u16 {
        match self {
            Self::Leaf(..) => 1,
            Self::And(all) | Self::Or(all) => all.iter().map(Self::size).sum(),
        }
    }

    fn emit(&self, code: &mut Vec<Instruction>, on_true: Jump, on_false: Jump) {
        let (Self::And(parts) | Self::Or(parts)) = self else {
            let Self::Leaf(fact, test) = *self else { return };
            return code.push(Instruction { fact, test, on_true, on_false });
        };
        for (at, part) in parts.iter().enumerate() {
            let next = Jump::To(u16::try_from(code.len()).unwrap() + part.size());
            match (self, at + 1 == parts.len()) {
                (_, true) => part.emit(code, on_true, on_false),
                (Self::And(_), false) => part.emit(code, next, on_false),
                _ => part.emit(code, on_true, next),
            }
        }
    }
}

pub fn at_least(fact: u16, count: i64) -> Condition {
    Condition::Leaf(fact, Test::Range(count, i64::MAX))
}

pub fn exactly(fact: u16, value: i64) -> Condition {
    Condition::Leaf(fact, Test::Range(value, value))
}

pub fn missing(fact: u16) -> Condition {
    Condition::Leaf(fact, Test::Missing)
}

/// Builds the parts of a program.
#[derive(Debug, Clone, Default)]
pub struct Build {
    pub parts: Parts,
}

impl Build {
    /// A site with four slots, each with a fallback, and one content.
    pub fn new() -> Self {
        let slot = |name: &str| Slot { name: name.into(), fallback: Some(0), caps: Vec::new() };
        let content = Content {
            id: "banner".into(),
            content_type: ContentType::Text,
            fields: vec![("text".into(), "Free shipping".into())],
        };
        let parts = Parts {
            site: "shop".into(),
            currency: "EUR".into(),
            late_ms: 30_000,
            slots: ["banner", "hero", "inbox", "modal"].map(slot).into(),
            contents: vec![content],
            ..Parts::default()
        };
        Self { parts }
    }

    fn at<T>(items: &[T]) -> u16 {
        u16::try_from(items.len()).unwrap()
    }

    pub fn fact(&mut self, source: FactSource, shape: Shape) -> u16 {
        self.parts.facts.push(Fact { source, shape, default: None });
        Self::at(&self.parts.facts) - 1
    }

    pub fn builtin(&mut self, builtin: Builtin) -> u16 {
        self.fact(FactSource::Builtin(builtin), Shape::Number)
    }

    /// 1 where it is another text, 2 where it is this one.
    pub fn text(&mut self, builtin: Builtin, text: &str) -> u16 {
        self.fact(FactSource::Builtin(builtin), Shape::OneOf(vec![text.into()]))
    }

    /// The fact of a count of `event` in `window`, up to `threshold`.
    pub fn count(&mut self, event: &str, window: Window, threshold: u16) -> u16 {
        let name = format!("{event} {window:?} {threshold} {}", self.parts.metrics.len());
        self.parts.metrics.push(Metric {
            meaning: fnv1a_64(format!("{event} {window:?}").as_bytes()),
            name,
            event: event.into(),
            window,
            threshold,
            purpose: PERSONAL,
            ..Metric::default()
        });
        let at = Self::at(&self.parts.metrics) - 1;
        self.fact(FactSource::Metric(at), Shape::Number)
    }

    /// The fact of a metric; its name and meaning are made of all the rest.
    pub fn metric(&mut self, metric: Metric) -> u16 {
        let name = format!("{metric:?}");
        let meaning = fnv1a_64(name.as_bytes());
        self.parts.metrics.push(Metric { name, meaning, purpose: PERSONAL, ..metric });
        let at = Self::at(&self.parts.metrics) - 1;
        self.fact(FactSource::Metric(at), Shape::Number)
    }

    /// Berlin's time zone in 2027.
    pub fn berlin(&mut self) {
        let offset = |from_minute, minutes| Offset { from_minute, minutes };
        self.parts.zone = vec![offset(0, 60), offset(30_103_260, 120), offset(30_415_740, 60)];
    }

    /// As [`Self::count`], of events that pass a filter; `meaning` tells it from others.
    pub fn count_where(&mut self, event: &str, filter: &Condition, window: Window, threshold: u16) -> u16 {
        let start = self.code(filter);
        let fact = self.count(event, window, threshold);
        let metric = self.parts.metrics.last_mut().unwrap();
        metric.filter = Some(start);
        metric.meaning ^= fnv1a_64(format!("{filter:?}").as_bytes());
        fact
    }

    /// The fact of a sequence: events in their order, the one that must not follow, the one it must be without.
    pub fn sequence(
        &mut self,
        asks: SequenceKind,
        steps: &[&str],
        others: [Option<&str>; 2],
        window_ms: i64,
    ) -> u16 {
        let step = |event: &str| SequenceStep { event: event.into(), filter: None };
        let name = format!("{asks:?} {steps:?} {others:?} {window_ms}");
        self.parts.sequences.push(Sequence {
            meaning: fnv1a_64(name.as_bytes()),
            name,
            asks,
            steps: steps.iter().copied().map(step).collect(),
            then_no: others[0].map(step),
            without: others[1].map(step),
            window_ms: u64::try_from(window_ms).unwrap(),
            purpose: PERSONAL,
            private: false,
        });
        let at = Self::at(&self.parts.sequences) - 1;
        self.fact(FactSource::Sequence(at), Shape::Number)
    }

    pub fn attribute(&mut self, name: &str, scope: AttributeScope, attribute_type: AttributeType) -> u16 {
        self.parts.attributes.push(Attribute {
            name: name.into(),
            scope,
            attribute_type,
            set: Vec::new(),
            purpose: PERSONAL,
            private: false,
            ttl: None,
        });
        Self::at(&self.parts.attributes) - 1
    }

    pub fn code(&mut self, condition: &Condition) -> u16 {
        let start = Self::at(&self.parts.code);
        condition.emit(&mut self.parts.code, Jump::Accept, Jump::Reject);
        start
    }

    /// A live rule that shows the banner in `slot`; change it as the test needs.
    pub fn rule(&mut self, id: &str, slot: &str, when: Option<Condition>) -> &mut Rule {
        let when = when.map(|condition| self.code(&condition));
        let slot = self.parts.slots.iter().position(|known| known.name == slot).unwrap();
        self.parts.rules.push(Rule {
            id: id.into(),
            priority: 0,
            status: Status::Live,
            purpose: PERSONAL,
            when,
            slot: u16::try_from(slot).unwrap(),
            content: 0,
            group: None,
            caps: Vec::new(),
            hold: Hold::Page,
            in_page: true,
            timing: Timing::default(),
            terms: Terms::default(),
            emit: None,
        });
        self.parts.rules.last_mut().unwrap()
    }

    /// The parts, rules in the order of deciding.
    pub fn parts(&self) -> Parts {
        let mut parts = self.parts.clone();
        parts.rules.sort_by(|a, b| (Reverse(a.priority), &a.id).cmp(&(Reverse(b.priority), &b.id)));
        parts
    }

    pub fn program(&self) -> Program {
        Program::load(&self.parts().encode()).expect("a program that was built by hand loads")
    }
}
