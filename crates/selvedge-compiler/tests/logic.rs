//! Conditions mean what three-valued logic says: compiled code accepts exactly where the condition, read by the textbook,
//! is definitely true.

mod common;

use common::kleene::{is, joined};
use common::machine::{Sample, accepts};
use common::with_condition;
use proptest::prelude::*;
use selvedge_compiler::{Code, compile};

/// A condition, written and understood a second time.
#[derive(Debug, Clone)]
enum Logic {
    And(Vec<Logic>),
    Or(Vec<Logic>),
    Not(Box<Logic>),
    Is(Box<Logic>, &'static str),
    New,
    Pages(&'static str, i64),
    PagesBetween(i64, i64),
    PagesElse(i64, i64),
    PagesIn(Vec<i64>, bool),
    Medium(Vec<&'static str>, bool),
    MediumStarts(&'static str),
    MediumKnown(bool),
}

#[derive(Debug, Clone)]
struct World {
    is_new: Option<bool>,
    pages: Option<i64>,
    medium: Option<&'static str>,
}

const MEDIA: [&str; 4] = ["cpc", "email", "ppc", "social"];

impl Logic {
    fn text(&self) -> String {
        let all = |parts: &[Self], word: &str| {
            parts.iter().map(|part| format!("({})", part.text())).collect::<Vec<_>>().join(word)
        };
        match self {
            Self::And(parts) => all(parts, " and "),
            Self::Or(parts) => all(parts, " or "),
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::Is(inner, state) => format!("({}) is {state}", inner.text()),
            Self::New => "visitor.is_new".to_owned(),
            Self::Pages(sign, number) => format!("session.pages {sign} {number}"),
            Self::PagesBetween(low, high) => format!("session.pages between {low} and {high}"),
            Self::PagesElse(default, number) => format!("session.pages else {default} >= {number}"),
            Self::PagesIn(numbers, among) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                format!("session.pages {} [{}]", if *among { "in" } else { "not in" }, numbers.join(", "))
            }
            Self::Medium(media, among) => {
                let media: Vec<String> = media.iter().map(|medium| format!("\"{medium}\"")).collect();
                format!("utm.medium {} [{}]", if *among { "in" } else { "not in" }, media.join(", "))
            }
            Self::MediumStarts(start) => format!("utm.medium starts_with \"{start}\""),
            Self::MediumKnown(known) => format!("utm.medium is {}", if *known { "known" } else { "missing" }),
        }
    }

    /// Kleene's strong three-valued logic: `None` is unknown.
    fn holds(&self, world: &World) -> Option<bool> {
        match self {
            Self::And(parts) => join(parts, world, false),
            Self::Or(parts) => join(parts, world, true),
            Self::Not(inner) => inner.holds(world).map(|holds| !holds),
            Self::Is(inner, state) => Some(is(state, inner.holds(world))),
            Self::New => world.is_new,
            Self::Pages(sign, number) => world.pages.map(|pages| match *sign {
                "=" => pages == *number,
                "!=" => pages != *number,
                "<" => pages < *number,
                "<=" => pages <= *number,
                ">" => pages > *number,
                _ => pages >= *number,
            }),
            Self::PagesBetween(low, high) => world.pages.map(|pages| (*low..=*high).contains(&pages)),
            Self::PagesElse(default, number) => Some(world.pages.unwrap_or(*default) >= *number),
            Self::PagesIn(numbers, among) => world.pages.map(|pages| numbers.contains(&pages) == *among),
            Self::Medium(media, among) => world.medium.map(|medium| media.contains(&medium) == *among),
            Self::MediumStarts(start) => world.medium.map(|medium| medium.starts_with(start)),
            Self::MediumKnown(known) => Some(world.medium.is_some() == *known),
        }
    }
}

fn join(parts: &[Logic], world: &World, deciding: bool) -> Option<bool> {
    joined(&parts.iter().map(|part| part.holds(world)).collect::<Vec<_>>(), deciding)
}

fn logic() -> impl Strategy<Value = Logic> {
    let number = 0..6i64;
    let leaf = prop_oneof![
        Just(Logic::New),
        (prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]), number.clone())
            .prop_map(|(sign, number)| Logic::Pages(sign, number)),
        (number.clone(), 0..4i64).prop_map(|(low, more)| Logic::PagesBetween(low, low + more)),
        (number.clone(), number.clone()).prop_map(|(default, number)| Logic::PagesElse(default, number)),
        (prop::collection::vec(number, 1..4), any::<bool>())
            .prop_map(|(numbers, among)| Logic::PagesIn(numbers, among)),
        (prop::sample::subsequence(MEDIA.to_vec(), 1..4), any::<bool>())
            .prop_map(|(media, among)| Logic::Medium(media, among)),
        prop::sample::select(vec!["c", "e", "x"]).prop_map(Logic::MediumStarts),
        any::<bool>().prop_map(Logic::MediumKnown),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let states = vec!["true", "not true", "false", "not false", "known", "missing"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Logic::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Logic::Or),
            inner.clone().prop_map(|inner| Logic::Not(Box::new(inner))),
            (inner, prop::sample::select(states))
                .prop_map(|(inner, state)| Logic::Is(Box::new(inner), state)),
        ]
    })
}

fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for is_new in [None, Some(false), Some(true)] {
        for pages in [None, Some(0), Some(1), Some(2), Some(3), Some(5), Some(8)] {
            for medium in [None, Some("cpc"), Some("email"), Some("social"), Some("affiliate")] {
                worlds.push(World { is_new, pages, medium });
            }
        }
    }
    worlds
}

fn sample(world: &World, name: &str) -> Option<Sample> {
    match name {
        "visitor.is_new" => world.is_new.map(|flag| Sample::Number(flag.into())),
        "session.pages" => world.pages.map(|pages| Sample::Number(pages * 1_000_000)),
        "utm.medium" => world.medium.map(|medium| Sample::Text(medium.to_owned())),
        other => panic!("{other} is not in this world"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn code_accepts_exactly_where_the_condition_is_definitely_true(logic in logic()) {
        let files = with_condition("", &logic.text());
        let compilation = compile(&files);
        let Some(program) = compilation.program else {
            // Tests that exclude each other are refused, rightly: nothing to run.
            prop_assert!(compilation.diagnostics.iter().all(|found| found.code == Code::E0308));
            return Ok(());
        };
        let start = program.full.rules[0].when.expect("a condition");
        for world in worlds() {
            let accepted = accepts(&program.full, start, &|name| sample(&world, name));
            prop_assert_eq!(accepted, logic.holds(&world) == Some(true), "{} in {:?}", logic.text(), world);
        }
    }
}

#[test]
fn unknown_is_not_false() {
    for (condition, expected) in [
        ("session.pages != 3", false),
        ("not session.pages = 3", false),
        ("not (session.pages >= 1 and session.pages <= 3)", false),
        ("session.pages not in [3]", false),
        ("(session.pages = 3) is not true", true),
        ("session.pages is missing", true),
        ("session.pages else 0 = 0", true),
        ("session.pages is missing or session.pages < 2", true),
    ] {
        let program = common::compiled(&with_condition("", condition));
        let start = program.full.rules[0].when.expect("a condition");
        assert_eq!(accepts(&program.full, start, &|_| None), expected, "{condition}");
    }
}
