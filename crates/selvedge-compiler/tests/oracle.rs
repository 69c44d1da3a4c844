//! What an explanation says of a condition, true, false or unknown, is what Kleene's strong logic says of it: comparisons of
//! two facts, moments, lists, items, defaults; with a quarter of all attributes missing.

mod common;

use common::kleene::joined;
use common::visit::{DAY, START_MS, Visit, int, list, object, text};
use common::{Site, with_condition};
use proptest::prelude::*;
use selvedge_compiler::{Code, compile};
use selvedge_core::value::Value;

/// A condition, written and understood a second time. Numbers are whole, moments are days before or after the beginning.
#[derive(Debug, Clone)]
enum Logic {
    And(Vec<Logic>),
    Or(Vec<Logic>),
    Not(Box<Logic>),
    Is(Box<Logic>, &'static str),
    /// `used >= seats`
    Two(&'static str),
    /// `used - seats >= 2`
    Apart(&'static str, i64),
    /// `tier = favourite`
    Same(bool),
    /// `ends_at within next 3d`
    Within(&'static str, i64),
    /// `ends_at - now <= 14d`, `ends_at - began_at <= 14d`
    Until(&'static str, &'static str, i64),
    /// `ends_at >= "2026-11-24"`
    Day(&'static str, i64),
    /// `ends_at < began_at`
    Later(&'static str),
    /// `tags contains "a"`
    Contains(&'static str),
    /// `used else 2 >= 3`
    Else(i64, i64),
    /// `tier else "gold" = "gold"`
    TextElse(&'static str),
    /// `seats is known`
    Known(&'static str, bool),
    /// `(count purchase where any(items, kind = "a") in 30d) >= 1`, or with `not any(...)`
    Items(&'static str, &'static str, bool),
}

/// What is known of the visitor.
#[derive(Debug, Clone, Default)]
struct World {
    used: Option<i64>,
    seats: Option<i64>,
    tier: Option<&'static str>,
    favourite: Option<&'static str>,
    /// Hours from the beginning.
    ends_at: Option<i64>,
    began_at: Option<i64>,
    tags: Option<Vec<&'static str>>,
    /// Of each item its kind, where it has one.
    items: Vec<Option<&'static str>>,
}

const HEAD: &str = "attributes:
  used:
    type: number
    from: visitor
  seats:
    type: number
    from: visitor
  tier:
    type: text
    from: visitor
  favourite:
    type: text
    from: visitor
  ends_at:
    type: time
    from: visitor
  began_at:
    type: time
    from: visitor
  tags:
    type: list
    from: visitor
";
const SIGNS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];
const TEXTS: [&str; 3] = ["gold", "basic", "none"];
const KINDS: [&str; 2] = ["a", "b"];
const HOURS_OF_DAY: i64 = 24;

fn compare(sign: &str, first: i64, second: i64) -> bool {
    match sign {
        "=" => first == second,
        "!=" => first != second,
        "<" => first < second,
        "<=" => first <= second,
        ">" => first > second,
        _ => first >= second,
    }
}

/// The date so many days after the beginning, 22 November 2026, and when it begins in Berlin: hours from the beginning,
/// which is eleven o'clock there.
fn date(days: i64) -> (String, i64) {
    (format!("2026-11-{:02}", 22 + days), days * HOURS_OF_DAY - 11)
}

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
            Self::Two(sign) => format!("used {sign} seats"),
            Self::Apart(sign, number) => format!("used - seats {sign} {number}"),
            Self::Same(same) => format!("tier {} favourite", if *same { "=" } else { "!=" }),
            Self::Within(word, days) => format!("ends_at within {word} {days}d"),
            Self::Until(from, sign, days) => format!("ends_at - {from} {sign} {}h", days * HOURS_OF_DAY),
            Self::Day(sign, days) => format!("ends_at {sign} \"{}\"", date(*days).0),
            Self::Later(sign) => format!("ends_at {sign} began_at"),
            Self::Contains(tag) => format!("tags contains \"{tag}\""),
            Self::Else(default, number) => format!("used else {default} >= {number}"),
            Self::TextElse(default) => format!("tier else \"{default}\" = \"gold\""),
            Self::Known(name, known) => format!("{name} is {}", if *known { "known" } else { "missing" }),
            Self::Items(word, kind, holds) => {
                let not = if *holds { "" } else { "not " };
                format!("(count purchase where {not}{word}(items, kind = \"{kind}\") in 30d) >= 1")
            }
        }
    }

    fn holds(&self, world: &World) -> Option<bool> {
        match self {
            Self::And(parts) => join(parts, world, false),
            Self::Or(parts) => join(parts, world, true),
            Self::Not(inner) => inner.holds(world).map(|holds| !holds),
            Self::Is(inner, state) => Some(match (*state, inner.holds(world)) {
                ("true", found) => found == Some(true),
                ("not true", found) => found != Some(true),
                ("false", found) => found == Some(false),
                ("not false", found) => found != Some(false),
                ("known", found) => found.is_some(),
                (_, found) => found.is_none(),
            }),
            Self::Two(sign) => Some(compare(sign, world.used?, world.seats?)),
            Self::Apart(sign, number) => Some(compare(sign, world.used? - world.seats?, *number)),
            Self::Same(same) => Some((world.tier? == world.favourite?) == *same),
            Self::Within("next", days) => Some((0..=days * HOURS_OF_DAY).contains(&world.ends_at?)),
            Self::Within(_, days) => Some((-days * HOURS_OF_DAY..=0).contains(&world.ends_at?)),
            Self::Until("now", sign, days) => Some(compare(sign, world.ends_at?, days * HOURS_OF_DAY)),
            Self::Until(_, sign, days) => {
                Some(compare(sign, world.ends_at? - world.began_at?, days * HOURS_OF_DAY))
            }
            Self::Day(sign, days) => {
                let day = (world.ends_at? - date(*days).1).div_euclid(HOURS_OF_DAY);
                Some(compare(sign, day, 0))
            }
            Self::Later(sign) => Some(compare(sign, world.ends_at?, world.began_at?)),
            Self::Contains(tag) => Some(world.tags.as_ref()?.contains(tag)),
            Self::Else(default, number) => Some(world.used.unwrap_or(*default) >= *number),
            Self::TextElse(default) => Some(world.tier.unwrap_or(default) == "gold"),
            Self::Known(name, known) => Some(world.is_known(name) == *known),
            Self::Items(word, kind, wanted) => Some(items(word, kind, &world.items) == Some(*wanted)),
        }
    }
}

fn join(parts: &[Logic], world: &World, deciding: bool) -> Option<bool> {
    joined(&parts.iter().map(|part| part.holds(world)).collect::<Vec<_>>(), deciding)
}

fn items(word: &str, kind: &str, items: &[Option<&str>]) -> Option<bool> {
    let each: Vec<Option<bool>> = items.iter().map(|item| item.map(|item| item == kind)).collect();
    match word {
        "any" => joined(&each, true),
        "all" => joined(&each, false),
        _ => joined(&each, true).map(|any| !any),
    }
}

impl World {
    fn is_known(&self, name: &str) -> bool {
        match name {
            "seats" => self.seats.is_some(),
            "ends_at" => self.ends_at.is_some(),
            _ => self.tags.is_some(),
        }
    }

    /// A visitor of whom this is known.
    fn visit(&self, site: &Site) -> Visit {
        let moment = |hours: i64| int(START_MS + hours * DAY / HOURS_OF_DAY);
        let traits = [
            ("used", self.used.map(int)),
            ("seats", self.seats.map(int)),
            ("tier", self.tier.map(text)),
            ("favourite", self.favourite.map(text)),
            ("ends_at", self.ends_at.map(moment)),
            ("began_at", self.began_at.map(moment)),
            (
                "tags",
                self.tags.as_ref().map(|tags| list(&tags.iter().map(|tag| text(tag)).collect::<Vec<_>>())),
            ),
        ];
        let traits: Vec<(&str, Value)> =
            traits.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let item = |kind: &Option<&str>| {
            object(&kind.map(|kind| ("kind", text(kind))).into_iter().collect::<Vec<_>>())
        };
        let items: Vec<Value> = self.items.iter().map(item).collect();
        let mut visit = Visit::new(site);
        visit.event("identify", &traits);
        visit.event("purchase", &[("value", int(10)), ("items", list(&items))]);
        visit
    }
}

fn logic() -> impl Strategy<Value = Logic> {
    let sign = || prop::sample::select(&SIGNS[..]);
    let leaf = prop_oneof![
        sign().prop_map(Logic::Two),
        (sign(), -3..4i64).prop_map(|(sign, number)| Logic::Apart(sign, number)),
        any::<bool>().prop_map(Logic::Same),
        (prop::sample::select(&["next", "last"][..]), 1..4i64)
            .prop_map(|(word, days)| Logic::Within(word, days)),
        (prop::sample::select(&["now", "began_at"][..]), sign(), 1..4i64)
            .prop_map(|(from, sign, days)| Logic::Until(from, sign, days)),
        (sign(), -3..4i64).prop_map(|(sign, days)| Logic::Day(sign, days)),
        sign().prop_map(Logic::Later),
        prop::sample::select(&KINDS[..]).prop_map(Logic::Contains),
        (0..6i64, 0..6i64).prop_map(|(default, number)| Logic::Else(default, number)),
        prop::sample::select(&TEXTS[..]).prop_map(Logic::TextElse),
        (prop::sample::select(&["seats", "ends_at", "tags"][..]), any::<bool>())
            .prop_map(|(name, known)| Logic::Known(name, known)),
        (prop::sample::select(&["any", "all", "none"][..]), prop::sample::select(&KINDS[..]), any::<bool>())
            .prop_map(|(word, kind, holds)| Logic::Items(word, kind, holds)),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
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

/// A quarter of the attributes is missing.
fn world() -> impl Strategy<Value = World> {
    fn known<T: std::fmt::Debug + Clone + 'static>(
        value: impl Strategy<Value = T> + 'static,
    ) -> impl Strategy<Value = Option<T>> {
        prop::option::weighted(0.75, value)
    }
    let number = || known(0..6i64);
    let text = || known(prop::sample::select(&TEXTS[..]));
    let hours = || known(-80..80i64);
    let tags = known(prop::sample::subsequence(KINDS.to_vec(), 0..=2));
    let items = prop::collection::vec(known(prop::sample::select(&KINDS[..])), 0..4);
    (number(), number(), text(), text(), hours(), hours(), tags, items).prop_map(
        |(used, seats, tier, favourite, ends_at, began_at, tags, items)| World {
            used,
            seats,
            tier,
            favourite,
            ends_at,
            began_at,
            tags,
            items,
        },
    )
}

fn site(condition: &str) -> Site {
    let mut files = with_condition(HEAD, condition);
    let plan = format!("{}      items:\n        type: list\n", files["tracking-plan.yaml"]);
    files.insert("tracking-plan.yaml".to_owned(), plan);
    files
}

/// Tests of one fact are joined: such a condition may be known where each of them alone is not.
fn is_never_in_doubt(files: &Site) -> bool {
    let doubts = [Code::E0308, Code::E0307];
    compile(files).diagnostics.iter().any(|found| doubts.contains(&found.code))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn an_explanation_says_what_three_valued_logic_says(
        logic in logic(),
        worlds in prop::collection::vec(world(), 12),
    ) {
        let files = site(&logic.text());
        prop_assume!(!is_never_in_doubt(&files));
        for world in worlds {
            let found = world.visit(&files).truth();
            prop_assert_eq!(found, logic.holds(&world), "{} of {:?}", logic.text(), world);
        }
    }
}

#[test]
fn a_whole_condition_is_asked_whether_it_is_true() {
    let gold = World { tier: Some("gold"), ..World::default() };
    for (condition, of_nobody, of_gold) in [
        ("(used > seats) is not true and tier = \"gold\"", None, Some(true)),
        ("(used > seats) is true and tier = \"gold\"", Some(false), Some(false)),
        ("(used > seats) is not false or tier = \"gold\"", Some(true), Some(true)),
        ("(used > seats) is known or tier = \"gold\"", None, Some(true)),
        ("not ((used > seats) is not true) or tier = \"basic\"", None, Some(false)),
        ("used <= seats or not ((used > seats) is not true)", None, None),
    ] {
        let files = site(condition);
        assert_eq!(World::default().visit(&files).truth(), of_nobody, "{condition}");
        assert_eq!(gold.visit(&files).truth(), of_gold, "{condition}");
    }
}
