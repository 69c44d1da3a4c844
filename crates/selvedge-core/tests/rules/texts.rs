//! Text tests, and texts that were cut to be kept.

use crate::build::{Build, Condition};
use crate::world::{World, map, text};
use selvedge_core::limits::STATE_TEXT_BYTES_MAX;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::{AttributeScope, AttributeType, FactSource, Shape, Test, TextTest};

/// Whether `found` passes, as the page's attribute.
fn reason(test: TextTest, pattern: &str, found: &str) -> Reason {
    let mut build = Build::new();
    let at = build.attribute("a", AttributeScope::Visitor, AttributeType::Text);
    let fact = build.fact(FactSource::Attribute(at), Shape::Text(test, pattern.into()));
    build.rule("r", "hero", Some(Condition::Leaf(fact, Test::Range(1, 1))));
    let mut world = World::new(build.program());
    world.identify(0, map([("a", text(found))]));
    world.why(0, "r")
}

#[test]
fn texts_are_tested_as_their_operators_say() {
    use TextTest::{Contains, EndsWith, MatchesGlob, StartsWith};
    for (test, pattern, found, passes) in [
        (Contains, "shoe", "red shoes", true),
        (Contains, "shoe", "red sho", false),
        (Contains, "", "", true),
        (Contains, "abc", "ab", false),
        (StartsWith, "/p/", "/p/1", true),
        (StartsWith, "/p/", "/q/p/", false),
        (EndsWith, ".html", "a.html", true),
        (EndsWith, ".html", "a.htm", false),
        (MatchesGlob, "/product/*", "/product/12/x", true),
        (MatchesGlob, "/product/*", "/products", false),
        (MatchesGlob, "*", "", true),
        (MatchesGlob, "", "", true),
        (MatchesGlob, "", "a", false),
        (MatchesGlob, "a?c", "aßc", true),
        (MatchesGlob, "a?c", "ac", false),
        (MatchesGlob, "a??c", "aßc", false),
        (MatchesGlob, "*?c", "ßc", true),
        (MatchesGlob, "*ab*ab", "abxabyab", true),
        (MatchesGlob, "*ab*ab", "abxaby", false),
        (MatchesGlob, "a*b*c", "a123b456c", true),
        (MatchesGlob, "A*", "a", false),
    ] {
        let expected = if passes { Reason::Won } else { Reason::False };
        assert_eq!(reason(test, pattern, found), expected, "{test:?} {pattern:?} {found:?}");
    }
}

#[test]
fn a_glob_of_many_stars_on_a_long_text_ends() {
    let pattern = "*a".repeat(30) + "b";
    assert_eq!(reason(TextTest::MatchesGlob, &pattern, &"a".repeat(STATE_TEXT_BYTES_MAX)), Reason::False);
}

#[test]
fn what_was_cut_away_is_unknown_not_false() {
    let long = format!("/{}/end", "é".repeat(STATE_TEXT_BYTES_MAX));
    assert_eq!(reason(TextTest::StartsWith, "/é", &long), Reason::Won);
    assert_eq!(reason(TextTest::StartsWith, "/x", &long), Reason::False);
    assert_eq!(reason(TextTest::Contains, "éé", &long), Reason::Won);
    assert_eq!(reason(TextTest::Contains, "end", &long), Reason::Unknown);
    assert_eq!(reason(TextTest::EndsWith, "/end", &long), Reason::Unknown);
    assert_eq!(reason(TextTest::MatchesGlob, "*end", &long), Reason::Unknown);
    assert_eq!(reason(TextTest::MatchesGlob, "/é*", &long), Reason::Won);
    assert_eq!(reason(TextTest::MatchesGlob, "/é*/end", &long), Reason::Unknown);
    assert_eq!(reason(TextTest::MatchesGlob, "/x*", &long), Reason::False);
    assert_eq!(reason(TextTest::MatchesGlob, "/??", &long), Reason::False);
}

#[test]
fn a_cut_text_is_none_of_the_shorter_ones_and_may_be_a_longer_one() {
    let long = "é".repeat(STATE_TEXT_BYTES_MAX);
    for (constant, test, expected) in [
        ("é", Test::Mask(1 << 1), Reason::Won),
        ("é", Test::Mask(1 << 2), Reason::False),
        (long.as_str(), Test::Mask(1 << 2), Reason::Unknown),
        (long.as_str(), Test::Mask(1 << 1), Reason::Unknown),
    ] {
        let mut build = Build::new();
        let at = build.attribute("a", AttributeScope::Visitor, AttributeType::Text);
        let fact = build.fact(FactSource::Attribute(at), Shape::OneOf(vec![constant.into()]));
        build.rule("r", "hero", Some(Condition::Leaf(fact, test)));
        let mut world = World::new(build.program());
        world.identify(0, map([("a", text(&long))]));
        assert_eq!(world.why(0, "r"), expected, "{constant} {test:?}");
    }
}
