//! What a condition was meant to say, where it is written as elsewhere: each mistake has a fix that can be pasted.

mod common;

use common::with_condition;
use selvedge_compiler::compile;

const HEAD: &str = "attributes:
  tier:
    type: text
    from: visitor
  ends:
    type: time
    from: visitor
metrics:
  shoes: count product_view in session
  spend: sum purchase.value in 30d
";

/// What is said of the condition.
fn help_for(condition: &str) -> String {
    let compilation = compile(&with_condition(HEAD, condition));
    let errors: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(|found| found.code.as_str().starts_with('E'))
        .map(|found| found.help.clone().unwrap_or_default())
        .collect();
    assert_eq!(errors.len(), 1, "{condition}: {:?}", compilation.diagnostics);
    errors.concat()
}

#[test]
fn what_is_written_as_elsewhere_has_a_fix_of_its_own() {
    for (condition, part, mended) in [
        ("shoes => 2", "`>=`", "shoes >= 2"),
        ("tier = gold", "`\"gold\"`", "tier = \"gold\""),
        ("tier = null", "`is missing`", "tier is missing"),
        ("tier in \"gold\"", "`in [\"a\", \"b\"]`", "tier in [\"gold\"]"),
        ("tier in [\"gold\"", "`]`", "tier in [\"gold\"]"),
        ("(tier = \"gold\"", "`)`", "(tier = \"gold\")"),
        ("tier in []", "what it may be", "tier in [\"gold\"]"),
        ("tier is not known", "`is missing`", "tier is missing"),
        ("tier is not missing", "`is known`", "tier is known"),
        ("tier = \"a\" or \"b\"", "`x in [\"a\", \"b\"]`", "tier in [\"a\", \"b\"]"),
        ("tier = \"a\" AND shoes >= 2", "`and`", "tier = \"a\" and shoes >= 2"),
        ("tier = \"a\", shoes >= 2", "`and`", "tier = \"a\" and shoes >= 2"),
        ("tier matches \"a*\"", "`matches_glob", "tier matches_glob \"a*\""),
        ("tier starts_with /c", "quotes", "tier starts_with \"/c\""),
        ("spend >= 50€", "`50 EUR`", "spend >= 50 EUR"),
        ("spend >= EUR 50", "`50 EUR`", "spend >= 50 EUR"),
        ("spend >= 1,000 EUR", "without commas", "spend >= 1000 EUR"),
        ("spend >= 1_000 EUR", "`1000`", "spend >= 1000 EUR"),
        ("ends within 3d", "`within next 3d`", "ends within next 3d"),
        ("ends in 3d", "`within next 3d`", "ends within next 3d"),
        ("ends > 2026-12-24", "`\"2026-12-24\"`", "ends > \"2026-12-24\""),
        ("ends > 24.12.2026", "`\"2026-12-24\"`", "ends > \"2026-12-24\""),
        ("visitor.is_new = yes", "`true`", "visitor.is_new = true"),
        ("now between 22 and 7", "`now between 22:00 and 07:00`", "now between 22:00 and 07:00"),
        (
            "(count purchase in 7d where value > 2 EUR) >= 1",
            "`where` before the window",
            "(count purchase where value > 2 EUR in 7d) >= 1",
        ),
        ("true", "leave out `when`", "visitor.is_new"),
        ("not purchase", "`(count purchase in session) >= 1`", "not (count purchase in session) >= 1"),
        ("(count purchase in 400d) >= 1", "`ever`", "(count purchase in ever) >= 1"),
    ] {
        let help = help_for(condition);
        assert!(help.contains(part), "{condition}: {help}");
        let left = compile(&with_condition(HEAD, mended));
        assert!(left.program.is_some(), "{condition}: the fix {mended}: {:?}", left.diagnostics);
    }
}
