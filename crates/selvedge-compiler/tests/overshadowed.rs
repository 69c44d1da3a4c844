//! Which rules are told never to win: those below one that is true whenever they are, and that nothing else keeps from the
//! slot.

mod common;

use common::with_rules;
use selvedge_compiler::{Code, compile};

const HEAD: &str = "attributes:
  tier:
    type: text
    from: visitor
  seats:
    type: number
    from: visitor
  margin:
    type: number
    from: visitor
    private: true
metrics:
  views: count product_view in 10m
groups:
  promotions: {max_per_page: 1}
suppress:
  - name: many-seats
    when: seats >= 5
    on_unknown: allow
    applies_to: {groups: [promotions]}
";

/// Whether it is told that the rule below never wins. `terms` are more lines of a rule.
fn is_told((upper, upper_terms): (&str, &str), (lower, lower_terms): (&str, &str)) -> bool {
    let rule = |id: &str, priority: u8, when: &str, terms: &str| {
        format!(
            "  - id: {id}\n    priority: {priority}\n    when: '{when}'\n    show:\n      slot: hero\n      content: offer\n{}",
            terms.lines().map(|line| format!("    {line}\n")).collect::<String>()
        )
    };
    // Every name is used by a draft, so that nothing else is told.
    let drafts = rule(
        "draft",
        5,
        "tier is known and seats is known and margin is known and views >= 1",
        "status: draft\ngroup: promotions",
    );
    let rules = rule("upper", 20, upper, upper_terms) + &rule("lower", 10, lower, lower_terms) + &drafts;
    let compilation = compile(&with_rules(&format!("{HEAD}rules:\n{rules}")));
    let told: Vec<(Code, &str)> =
        compilation.diagnostics.iter().map(|found| (found.code, found.message.as_str())).collect();
    assert!(compilation.program.is_some(), "{upper} {upper_terms} {lower} {lower_terms}: {told:?}");
    told.iter().any(|(code, message)| *code == Code::W0501 && message.starts_with("`lower`"))
}

#[test]
fn a_rule_that_is_true_only_where_one_above_it_is_never_wins() {
    for (upper, lower) in [
        ("session.pages >= 2", "session.pages >= 2"),
        ("session.pages >= 2", "session.pages >= 3"),
        ("session.pages >= 2", "session.pages >= 2 and tier = \"gold\""),
        ("session.pages between 2 and 9", "session.pages between 3 and 5"),
        ("tier in [\"gold\", \"silver\"]", "tier = \"gold\""),
        ("tier != \"gold\"", "tier = \"silver\""),
        ("tier is known", "tier = \"gold\""),
        ("tier is missing", "tier is missing and views >= 1"),
        ("views >= 2 or tier = \"gold\"", "views >= 5 and tier = \"silver\""),
        ("views >= 2 and seats >= 2", "views >= 2 and seats >= 3 or views >= 3 and seats = 2"),
        ("(tier = \"gold\") is not true", "tier = \"silver\" or tier is missing"),
        ("session.pages >= 2", "session.pages >= 4 or session.pages = 2"),
    ] {
        assert!(is_told((upper, ""), (lower, "")), "{upper}, above {lower}");
    }
}

#[test]
fn one_that_may_be_true_alone_may_win() {
    for (upper, lower) in [
        ("session.pages >= 3", "session.pages >= 2"),
        ("session.pages >= 2 and tier = \"gold\"", "session.pages >= 2"),
        ("tier = \"gold\"", "tier in [\"gold\", \"silver\"]"),
        ("tier = \"gold\"", "tier != \"silver\""),
        // What is partly known is true of neither half, though of one of them.
        ("seats < 5 or seats >= 6", "seats is known"),
        ("views < 3 or views >= 4", "views >= 1"),
        ("(tier = \"gold\") is true", "(tier = \"silver\") is not true"),
        ("tier = \"gold\"", "tier is missing"),
        ("views >= 2", "session.pages >= 2"),
    ] {
        assert!(!is_told((upper, ""), (lower, "")), "{upper}, above {lower}");
    }
}

#[test]
fn what_may_keep_the_upper_rule_from_its_slot_leaves_it_to_the_lower() {
    let both = "session.pages >= 2";
    for terms in [
        "status: draft",
        "status: paused",
        "cap: 1 per session",
        "group: promotions",
        "purpose: advertising",
        "after: 5m",
        "until: session.pages >= 9",
        "trigger: [product_view]",
        "schedule:\n  days: mon-fri",
        "cap: 1 per seats max 4",
    ] {
        assert!(!is_told((both, terms), (both, "")), "{terms}");
    }
    assert!(
        !is_told(("session.pages >= 2", "private: true"), (both, "")),
        "only the edge knows the upper rule"
    );
    assert!(is_told((both, "private: true"), (both, "private: true")), "both at the edge");
    assert!(!is_told((both, ""), (both, "service: true")), "a notice is exempt from caps of the site");
}

#[test]
fn what_the_lower_rule_acts_under_does_not_help_it() {
    let both = "session.pages >= 2";
    for terms in [
        "cap: 1 per session",
        "group: promotions",
        "after: 5m",
        "hold: session",
        "schedule:\n  days: mon-fri",
    ] {
        assert!(is_told((both, ""), (both, terms)), "{terms}");
    }
    for hold in ["hold: page", "hold: session", "hold: 30m"] {
        assert!(is_told((both, hold), (both, "")), "{hold}");
    }
}

#[test]
fn rules_that_show_nothing_share_no_slot() {
    let rule =
        |id: &str, when: &str| format!("  - id: {id}\n{when}    emit:\n      to: mail\n      enter: {id}\n");
    let rules = rule("one", "") + &rule("two", "") + &rule("three", "    when: session.pages >= 2\n");
    let compilation = compile(&with_rules(&format!("rules:\n{rules}")));
    let told: Vec<Code> = compilation.diagnostics.iter().map(|found| found.code).collect();
    assert!(!told.contains(&Code::W0501), "{told:?}");
}

#[test]
fn of_very_many_such_rules_only_some_are_told() {
    let rule = |at: usize| {
        format!(
            "  - id: rule-{at}\n    priority: {at}\n    when: session.pages >= 2\n    show:\n      slot: hero\n      content: offer\n"
        )
    };
    let rules: String = (0..100).map(rule).collect();
    let compilation = compile(&with_rules(&format!("rules:\n{rules}")));
    assert_eq!(compilation.diagnostics.iter().filter(|found| found.code == Code::W0501).count(), 64);
}
