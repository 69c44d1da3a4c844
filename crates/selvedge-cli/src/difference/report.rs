//! What changes between two programs, for people and for programs.

use super::compare::{Change, Changed, Changes, Shown};
use crate::rehearsal::reasons::RuleWords;
use crate::rehearsal::told::time_text;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The changes as people read them.
#[must_use]
pub fn text(changes: &Changes) -> String {
    let Changes { moments, moments_changed, visitors, visitors_changed, .. } = changes;
    let mut out = format!(
        "{moments_changed} of {moments} moments and {visitors_changed} of {visitors} visitors see something else\n"
    );
    let mut sorted: Vec<(&Change, &Changed)> = changes.changes.iter().collect();
    sorted.sort_by_key(|(_, changed)| std::cmp::Reverse((changed.visitors, changed.moments)));
    for (change, changed) in sorted {
        let (old, new) = (side(change.old.as_ref()), side(change.new.as_ref()));
        let Changed { moments, visitors, example } = changed;
        let _ = writeln!(out, "\n{}: {old} -> {new}", change.slot);
        let _ =
            writeln!(out, "  {}, {}; the first:", several(*visitors, "visitor"), several(*moments, "moment"));
        let at = time_text(example.time_ms);
        let _ = writeln!(out, "  visitor {} at {at}, behind {}", example.visitor, example.event);
        reasons(&mut out, "old", &example.old);
        reasons(&mut out, "new", &example.new);
    }
    out
}

fn side(shown: Option<&Shown>) -> String {
    match shown {
        None => "(no such slot)".to_owned(),
        Some(Shown { rule, content }) => {
            let content = content.as_deref().unwrap_or("nothing of ours");
            format!("{content} ({})", rule.as_deref().unwrap_or("fallback"))
        }
    }
}

fn reasons(out: &mut String, side: &str, rules: &[RuleWords]) {
    if rules.is_empty() {
        let _ = writeln!(out, "    {side}  has none of these rules");
    }
    for rule in rules {
        let _ = writeln!(out, "    {side}  {}: {}", rule.rule, rule.reason_text());
        let shown = if rule.missing.is_empty() { &rule.leaves } else { &rule.missing };
        let mark = if rule.missing.is_empty() { "" } else { "failed: " };
        for leaf in shown {
            let _ = writeln!(out, "           {mark}{leaf}");
        }
    }
}

/// The changes as programs read them.
#[must_use]
pub fn json(changes: &Changes) -> Value {
    let of_change = |(change, changed): (&Change, &Changed)| {
        json!({
            "slot": change.slot,
            "old": change.old,
            "new": change.new,
            "moments": changed.moments,
            "visitors": changed.visitors,
            "example": changed.example,
        })
    };
    json!({
        "moments": changes.moments,
        "moments_changed": changes.moments_changed,
        "visitors": changes.visitors,
        "visitors_changed": changes.visitors_changed,
        "changes": changes.changes.iter().map(of_change).collect::<Vec<_>>(),
    })
}

fn several(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::difference::compare;
    use crate::rehearsal::Stage;
    use crate::rehearsal::walk::Manner;
    use crate::testing::{new_site, recorded};
    use selvedge_compiler::compile;

    fn stage(change: impl Fn(&str) -> String) -> Stage {
        let mut files = new_site();
        files.remove("tests/hero.yaml");
        let rules = change(&files["rules.yaml"]);
        files.insert("rules.yaml".to_owned(), rules);
        Stage::of(&compile(&files).program.expect("the site compiles")).unwrap()
    }

    const LOG: &str = "\
user,at,event
a,1710325000,product_view
a,1710325010,product_view
a,1710325020,product_view
b,1710325000,product_view
";

    fn changes(change: impl Fn(&str) -> String) -> Changes {
        let history = recorded(LOG);
        let manner = Manner::of(&history, &[]);
        compare(&stage(str::to_owned), &stage(change), &history, &manner).unwrap()
    }

    #[test]
    fn a_program_does_not_differ_from_itself() {
        let same = changes(str::to_owned);
        assert_eq!((same.moments, same.moments_changed), (4, 0));
        assert!(text(&same).starts_with("0 of 4 moments and 0 of 2 visitors"));
    }

    #[test]
    fn a_higher_threshold_is_told_with_its_reasons_on_both_sides() {
        let changed = changes(|rules| rules.replace("shoe_views >= 2", "shoe_views >= 3"));
        insta::assert_snapshot!(text(&changed));
        let json = json(&changed);
        assert_eq!(json["changes"][0]["example"]["new"][0]["missing"][0]["value"], "2");
    }

    #[test]
    fn a_rule_that_is_new_wins_where_there_was_none() {
        let changed = changes(|rules| rules.replace("id: free-shipping", "id: ships-free"));
        let change = changed.changes.keys().next().unwrap();
        let rule = |shown: &Option<Shown>| shown.as_ref().and_then(|shown| shown.rule.clone());
        assert_eq!(rule(&change.old).as_deref(), Some("free-shipping"));
        assert_eq!(rule(&change.new).as_deref(), Some("ships-free"));
        assert!(text(&changed).contains("ships-free: won"));
    }
}
