//! One shape for all engines: compile rules, set what is known of a visitor, ask every rule.

use crate::facts::{Facts, NUMBERS, TEXTS};
use crate::rule::{Rule, Sign, Words};
use anyhow::{Result, anyhow};
use bumpalo::Bump;
use cel::{Context, Program};
use datalogic_rs::{DataValue, Logic};
use wirefilter::{ExecutionContext, Filter, Scheme};
use zen_expression::expression::Standard;
use zen_expression::vm::VM;
use zen_expression::{Expression, Variable};

/// The rules that are true, by their place.
pub type Winners = Vec<bool>;

pub fn by_hand(rules: &[Rule], facts: &Facts) -> Winners {
    rules.iter().map(|rule| holds(rule, facts)).collect()
}

/// What a person would write for one rule, walked as a tree: no names are looked up, nothing is allocated.
pub fn holds(rule: &Rule, facts: &Facts) -> bool {
    let number = |name: &str| facts.numbers()[NUMBERS.iter().position(|known| *known == name).unwrap_or(0)];
    let text = |name: &str| facts.texts()[TEXTS.iter().position(|known| *known == name).unwrap_or(0)];
    match rule {
        Rule::All(parts) => parts.iter().all(|part| holds(part, facts)),
        Rule::Any(parts) => parts.iter().any(|part| holds(part, facts)),
        Rule::Number(name, Sign::Equal, to) => number(name) == *to,
        Rule::Number(name, Sign::Less, to) => number(name) < *to,
        Rule::Number(name, Sign::AtMost, to) => number(name) <= *to,
        Rule::Number(name, Sign::More, to) => number(name) > *to,
        Rule::Number(name, Sign::AtLeast, to) => number(name) >= *to,
        Rule::Is(name, to) => text(name) == *to,
        Rule::IsNot(name, to) => text(name) != *to,
        Rule::In(name, among) => among.contains(&text(name)),
        Rule::NotIn(name, among) => !among.contains(&text(name)),
        Rule::Starts(name, start) => text(name).starts_with(start),
        Rule::NotNew => !facts.is_new,
    }
}

/// The ten rules as a person writes them into a program.
pub fn matched(rules: usize, facts: &Facts) -> Winners {
    let f = facts;
    let one = |at: usize| {
        let k = (at / 10 % 50) as i64;
        match at % 10 {
            0 => {
                f.shoe_views >= 2 + k && f.cart_adds == 0 && matches!(f.medium, "cpc" | "ppc" | "paid_social")
            }
            1 => f.spend >= 200 + k && f.tier == "gold",
            2 => f.path.starts_with("/c/") && !f.is_new && f.views >= 3 + k,
            3 => matches!(f.country, "AT" | "CH" | "DE") && f.views >= 2 && f.views <= 8 + k,
            4 => f.medium == "email" || f.tier != "gold" && f.cart_adds > k,
            5 => f.days > 30 + k && !f.is_new,
            6 => f.cart_adds >= 1 && f.spend < 50 + k && f.country != "US",
            7 => f.shoe_views > k && f.path.starts_with("/p/"),
            8 => {
                matches!(f.tier, "gold" | "silver")
                    && !matches!(f.medium, "email" | "social")
                    && f.days < 7 + k
            }
            _ => f.views >= k && f.shoe_views >= 1 && (f.country == "FR" || f.country == "ES"),
        }
    };
    (0..rules).map(one).collect()
}

const ZEN: Words = Words {
    and: " and ",
    or: " or ",
    equal: "==",
    list: ["[", ", ", "]"],
    starts: |name, text| format!("startsWith({name}, \"{text}\")"),
    not_in: |name, list| format!("{name} not in {list}"),
    not_new: "not is_new",
};

pub struct Zen(Vec<Expression<Standard>>);

impl Zen {
    pub fn compile(rules: &[Rule]) -> Result<Self> {
        let compile = |rule: &Rule| zen_expression::compile_expression(&rule.text(&ZEN));
        let compiled = rules.iter().map(compile).collect::<Result<_, _>>();
        Ok(Self(compiled.map_err(|fault| anyhow!("zen: {fault:?}"))?))
    }

    /// Bytes of the rules as a page would have to fetch them: their text.
    pub fn bytes(rules: &[Rule]) -> usize {
        rules.iter().map(|rule| rule.text(&ZEN).len()).sum()
    }

    pub fn facts(facts: &Facts) -> Variable {
        facts.json().into()
    }

    pub fn ask(&self, facts: &Variable) -> Winners {
        let mut vm = VM::new();
        let scope = zen_expression::Scope::new(facts.clone());
        let ask = |rule: &Expression<Standard>| {
            matches!(rule.evaluate_with_scope(&scope, &mut vm), Ok(Variable::Bool(true)))
        };
        self.0.iter().map(ask).collect()
    }
}

const CEL: Words = Words {
    and: " && ",
    or: " || ",
    equal: "==",
    list: ["[", ", ", "]"],
    starts: |name, text| format!("{name}.startsWith(\"{text}\")"),
    not_in: |name, list| format!("!({name} in {list})"),
    not_new: "!is_new",
};

pub struct Cel(Vec<Program>);

impl Cel {
    pub fn compile(rules: &[Rule]) -> Result<Self> {
        let compile = |rule: &Rule| Program::compile(&rule.text(&CEL));
        Ok(Self(
            rules.iter().map(compile).collect::<Result<_, _>>().map_err(|fault| anyhow!("cel: {fault}"))?,
        ))
    }

    pub fn facts(facts: &Facts) -> Context<'static, 'static> {
        let mut context = Context::default();
        for (name, number) in NUMBERS.iter().zip(facts.numbers()) {
            context.add_variable_from_value(*name, number);
        }
        for (name, text) in TEXTS.iter().zip(facts.texts()) {
            context.add_variable_from_value(*name, text);
        }
        context.add_variable_from_value("is_new", facts.is_new);
        context
    }

    pub fn ask(&self, facts: &Context) -> Winners {
        self.0.iter().map(|rule| matches!(rule.execute(facts), Ok(cel::Value::Bool(true)))).collect()
    }
}

pub struct JsonLogic {
    engine: datalogic_rs::Engine,
    rules: Vec<Logic>,
}

impl JsonLogic {
    pub fn compile(rules: &[Rule]) -> Result<Self> {
        let engine = datalogic_rs::Engine::new();
        let compile = |rule: &Rule| engine.compile(rule.json_logic().to_string().as_str());
        let compiled = rules.iter().map(compile).collect::<Result<_, _>>();
        let rules = compiled.map_err(|fault| anyhow!("datalogic: {fault:?}"))?;
        Ok(Self { engine, rules })
    }

    pub fn facts(facts: &Facts) -> String {
        facts.json().to_string()
    }

    pub fn ask(&self, facts: &str) -> Winners {
        let arena = Bump::new();
        let Ok(facts) = DataValue::from_str(facts, &arena) else { return Winners::new() };
        let facts: &DataValue = arena.alloc(facts);
        let ask = |rule: &Logic| {
            let found = self.engine.evaluate(rule, facts, &arena);
            found.is_ok_and(|found| found.as_bool() == Some(true))
        };
        self.rules.iter().map(ask).collect()
    }
}

/// Wirefilter has no `starts_with`: a regular expression that is bound to the start.
const WIREFILTER: Words = Words {
    and: " && ",
    or: " || ",
    equal: "==",
    list: ["{", " ", "}"],
    starts: |name, text| format!("{name} matches \"^{text}\""),
    not_in: |name, list| format!("not ({name} in {list})"),
    not_new: "not is_new",
};

pub fn scheme() -> Scheme {
    wirefilter::Scheme! {
        shoe_views: Int, cart_adds: Int, spend: Int, views: Int, days: Int,
        medium: Bytes, path: Bytes, country: Bytes, tier: Bytes, is_new: Bool
    }
}

pub struct Wirefilter<'s>(Vec<Filter<'s>>);

impl<'s> Wirefilter<'s> {
    pub fn compile(scheme: &'s Scheme, rules: &[Rule]) -> Result<Self> {
        let compile = |rule: &Rule| {
            let text = rule.text(&WIREFILTER);
            let parsed = scheme.parse(&text).map_err(|fault| anyhow!("wirefilter: {fault}"));
            parsed.map(|parsed| parsed.compile())
        };
        Ok(Self(rules.iter().map(compile).collect::<Result<_>>()?))
    }

    pub fn facts(scheme: &'s Scheme, facts: &Facts) -> Result<ExecutionContext<'s>> {
        let mut context = ExecutionContext::new(scheme);
        let fault = |fault| anyhow!("wirefilter: {fault}");
        for (name, number) in NUMBERS.iter().zip(facts.numbers()) {
            context.set_field_value(name, i32::try_from(number)?).map_err(fault)?;
        }
        for (name, text) in TEXTS.iter().zip(facts.texts()) {
            context.set_field_value(name, text).map_err(fault)?;
        }
        context.set_field_value("is_new", facts.is_new).map_err(fault)?;
        Ok(context)
    }

    pub fn ask(&self, facts: &ExecutionContext<'s>) -> Winners {
        self.0.iter().map(|rule| rule.execute(facts).unwrap_or(false)).collect()
    }
}
