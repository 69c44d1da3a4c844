//! Messages to destinations as written: what compiles, and what it becomes.

mod common;

use common::{Site, codes, compiled, with_rules};
use selvedge_compiler::Code;
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{MetricKind, OncePer, Parts};

const RULE: &str = "
attributes:
  tier:
    type: text
    from: visitor
rules:
  - id: tell-mail
    when: sequence add_to_cart then no purchase within 8m
    emit:
      to: mail
      enter: cart_reminder
      exit_when: (count purchase in 24h) >= 1
      fields:
        tier: tier
        added: (count add_to_cart in session)
        page: page.path
      once_per: 24h
";

fn site(rules: &str) -> Site {
    with_rules(rules)
}

fn full(rules: &str) -> Parts {
    Parts::decode(&compiled(&site(rules)).full_bytes).unwrap()
}

#[test]
fn a_message_is_in_the_full_program_and_never_in_the_pages() {
    let parts = full(RULE);
    let emit = parts.rules[0].emit.as_ref().unwrap();
    assert_eq!((emit.to.as_str(), emit.enter.as_str()), ("mail", "cart_reminder"));
    assert_eq!(emit.once_per, Some(OncePer::Time(86_400_000)));
    let names: Vec<&str> = emit.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["tier", "added", "page"]);
    assert_eq!((parts.rules[0].slot, parts.rules[0].in_page), (u16::MAX, false));
    let public = Parts::decode(&compiled(&site(RULE)).public_bytes).unwrap();
    assert_eq!((public.rules, public.sequences, public.attributes), (vec![], vec![], vec![]));
}

#[test]
fn a_rule_that_also_shows_runs_in_the_page_without_its_message() {
    let both = RULE.replace("    emit:", "    show:\n      slot: hero\n      content: offer\n    emit:");
    let compiled = compiled(&site(&both));
    let public = Program::load(&compiled.public_bytes).unwrap();
    assert_eq!(public.rules()[0].emit, None);
    assert!(Parts::decode(&compiled.full_bytes).unwrap().rules[0].emit.is_some());
}

#[test]
fn a_count_is_sent_as_it_is() {
    let parts = full(RULE);
    let added = parts.metrics.iter().find(|metric| metric.event == "add_to_cart").unwrap();
    assert_eq!(added.kind, MetricKind::Tally);
}

#[test]
fn a_destination_without_purposes_does_not_compile() {
    let mut files = site(RULE);
    let site = files.get_mut("site.yaml").unwrap();
    *site = site.replace("    purposes: [personalization]\n", "");
    assert!(codes(&files).contains(&Code::E0006));
}

#[test]
fn what_is_wrong_with_a_message_is_said() {
    for (from, to, code) in [
        ("to: mail", "to: male", Code::E0342),
        ("    emit:", "    purpose: analytics\n    emit:", Code::E0343),
        ("page: page.path", "page: page.path = \"/\"", Code::E0344),
        ("page: page.path", "page: page.paths", Code::E0201),
        ("once_per: 24h", "once_per: day", Code::E0018),
        ("      to: mail\n", "", Code::E0006),
        ("exit_when: (count purchase", "exit_when: (count purhcase", Code::E0202),
    ] {
        let found = codes(&site(&RULE.replace(from, to)));
        assert!(found.contains(&code), "{to}: {found:?}");
    }
}

#[test]
fn an_experiment_on_a_message_alone_needs_no_contents() {
    let variants = "experiments:\n  nudge:\n    variants:\n      control:\n        share: 50\n      mailed:\n        share: 50\nrules:";
    let rules = RULE.replace("rules:", variants).replace("    emit:", "    experiment: nudge\n    emit:");
    let parts = full(&rules);
    let trial = parts.rules[0].terms.trial.as_ref().unwrap();
    let is_told: Vec<bool> = trial.contents.iter().map(Option::is_some).collect();
    assert_eq!(is_told, [false, true], "the variant named control gets nothing");
    let shown = rules.replace("    emit:", "    show:\n      slot: hero\n      content: offer\n    emit:");
    let trial = full(&shown).rules[0].terms.trial.clone().unwrap();
    assert_eq!(trial.contents, [None, None], "what shows nothing in a slot holds it, whatever its name");
}
