//! All engines with the same rules, each asked the same way.

use crate::engines::{Cel, JsonLogic, Winners, Wirefilter, Zen, by_hand, matched, scheme};
use crate::facts::{Facts, visitors};
use crate::ours;
use crate::rule::{Rule, rules};
use anyhow::{Result, ensure};
use selvedge_benches::visit::Visit;
use selvedge_compiler::Compiled;
use selvedge_core::event::Event;
use std::hint::black_box;
use wirefilter::{ExecutionContext, Scheme};
use zen_expression::Variable;

/// Whose figures they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Selvedge,
    Match,
    Zen,
    Cel,
    JsonLogic,
    Wirefilter,
}

impl Engine {
    pub const ALL: [Self; 6] =
        [Self::Selvedge, Self::Match, Self::Zen, Self::Cel, Self::JsonLogic, Self::Wirefilter];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Selvedge => "selvedge",
            Self::Match => "match",
            Self::Zen => "zen-expression",
            Self::Cel => "cel",
            Self::JsonLogic => "datalogic-rs",
            Self::Wirefilter => "wirefilter",
        }
    }
}

/// The rules in every engine, and the visitors that they are asked of.
pub struct Peers {
    pub rules: Vec<Rule>,
    pub program: Compiled,
    pub visit: Visit,
    visitors: Vec<Facts>,
    events: Vec<Event>,
    scheme: &'static Scheme,
    zen: Zen,
    cel: Cel,
    logic: JsonLogic,
    wirefilter: Wirefilter<'static>,
    one: One,
    next: usize,
}

/// One visitor, as each engine wants to be told.
struct One {
    facts: Facts,
    zen: Variable,
    cel: cel::Context<'static, 'static>,
    logic: String,
    wirefilter: ExecutionContext<'static>,
}

impl One {
    fn of(facts: &Facts, scheme: &'static Scheme) -> Result<Self> {
        Ok(Self {
            facts: facts.clone(),
            zen: Zen::facts(facts),
            cel: Cel::facts(facts),
            logic: JsonLogic::facts(facts),
            wirefilter: Wirefilter::facts(scheme, facts)?,
        })
    }
}

impl Peers {
    /// So many rules, compiled by every engine.
    pub fn of(count: usize) -> Result<Self> {
        let rules = rules(count);
        // For as long as the benchmark runs: filters borrow it.
        let scheme: &'static Scheme = Box::leak(Box::new(scheme()));
        let visitors = visitors();
        let program = ours::compiled(&ours::site(&rules))?;
        let mut visit = Visit::new(&program.full_bytes)?;
        let events: Vec<Event> = visitors.iter().map(ours::event).collect();
        visit.step(&events[1]);
        Ok(Self {
            zen: Zen::compile(&rules)?,
            cel: Cel::compile(&rules)?,
            logic: JsonLogic::compile(&rules)?,
            wirefilter: Wirefilter::compile(scheme, &rules)?,
            one: One::of(&visitors[1], scheme)?,
            next: 0,
            rules,
            program,
            visit,
            visitors,
            events,
            scheme,
        })
    }

    /// Whether every engine says the same of every rule for every visitor; how often a rule was true.
    pub fn check(&mut self) -> Result<usize> {
        let mut truths = 0;
        for at in 0..self.visitors.len() {
            let facts = self.visitors[at].clone();
            let expected = by_hand(&self.rules, &facts);
            truths += expected.iter().filter(|truth| **truth).count();
            for engine in Engine::ALL {
                let found = self.answers(engine, at)?;
                let differs = expected.iter().zip(&found).position(|(one, other)| one != other);
                ensure!(
                    found.len() == expected.len() && differs.is_none(),
                    "{}: visitor {at}, rule {differs:?}",
                    engine.name()
                );
            }
        }
        self.visit.step(&self.events[1]);
        Ok(truths)
    }

    fn answers(&mut self, engine: Engine, at: usize) -> Result<Winners> {
        if engine != Engine::Selvedge {
            return Ok(self.told(engine, &One::of(&self.visitors[at], self.scheme)?));
        }
        self.visit.step(&self.events[at]);
        ensure!(ours::asks_all(&mut self.visit), "a rule won its slot: the others of it were not asked");
        Ok(ours::ask(&self.visit))
    }

    fn told(&self, engine: Engine, one: &One) -> Winners {
        match engine {
            Engine::Selvedge => ours::ask(&self.visit),
            Engine::Match => matched(self.rules.len(), black_box(&one.facts)),
            Engine::Zen => self.zen.ask(&one.zen),
            Engine::Cel => self.cel.ask(&one.cel),
            Engine::JsonLogic => self.logic.ask(&one.logic),
            Engine::Wirefilter => self.wirefilter.ask(&one.wirefilter),
        }
    }

    /// Asks every rule of a visitor of whom all is known already.
    pub fn ask(&mut self, engine: Engine) -> usize {
        match engine {
            Engine::Selvedge => self.visit.decide().len(),
            _ => self.told(engine, &self.one).len(),
        }
    }

    /// Tells the engine of the next visitor, and asks every rule.
    pub fn event(&mut self, engine: Engine) -> usize {
        self.next = (self.next + 1) % self.visitors.len();
        let facts = &self.visitors[self.next];
        match engine {
            Engine::Selvedge => {
                self.visit.step(&self.events[self.next]);
                self.visit.decide().len()
            }
            Engine::Match => matched(self.rules.len(), black_box(facts)).len(),
            Engine::Zen => self.zen.ask(&Zen::facts(facts)).len(),
            Engine::Cel => self.cel.ask(&Cel::facts(facts)).len(),
            Engine::JsonLogic => self.logic.ask(&JsonLogic::facts(facts)).len(),
            Engine::Wirefilter => {
                let told = Wirefilter::facts(self.scheme, facts);
                told.map_or(0, |facts| self.wirefilter.ask(&facts).len())
            }
        }
    }

    /// Compiles the rules once more.
    pub fn compile(&self, engine: Engine) -> Result<()> {
        let rules = &self.rules;
        match engine {
            Engine::Selvedge => ours::compiled(&ours::site(rules)).map(drop),
            Engine::Match => Ok(()),
            Engine::Zen => Zen::compile(rules).map(drop),
            Engine::Cel => Cel::compile(rules).map(drop),
            Engine::JsonLogic => JsonLogic::compile(rules).map(drop),
            Engine::Wirefilter => Wirefilter::compile(self.scheme, rules).map(drop),
        }
    }
}
