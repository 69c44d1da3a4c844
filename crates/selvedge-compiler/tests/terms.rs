//! Suppressions, holdouts, experiments, service notices and caps: from YAML to the parts of the programs.

mod common;

use common::{codes, compiled, rendered, with_condition, with_rules};
use selvedge_compiler::{Code, compile};
use selvedge_core::rules::Program;
use selvedge_core::wire::program::{Parts, Rule, Terms, Window};

const RULES: &str = "
attributes:
  ticket.open:
    type: bool
    from: visitor
  ticket.id:
    type: text
    from: visitor
  secret:
    type: bool
    from: visitor
    private: true
groups:
  promotions:
    cap: 3 per session
caps: 9 per 24h
holdout:
  share: 2.5%
  salt: global-2026
  applies_to:
    groups: [promotions]
suppress:
  - name: open-ticket
    when: ticket.open
    on_unknown: suppress
    applies_to:
      groups: [promotions]
  - name: known-only
    when: secret is true
    applies_to:
      rules: [kept-off]
experiments:
  wording:
    unit: user_or_visitor
    traffic: 0%-50%
    layer: hero
    variants:
      control:
        share: 1
      offer:
        share: 2
        content: offer
      by-slot:
        share: 1
        content:
          banner: offer
  other:
    layer: hero
    traffic: 50%-100%
    variants:
      control:
        share: 50
      offer:
        share: 50
        content: offer
rules:
  - id: offer-hero
    when: session.pages >= 2
    show:
      slot: hero
      content: offer
    group: promotions
    experiment: wording
    until: ticket.open is true
    cap:
      shown: 2 per session, 1 per ticket.id max 4
      dismissals: 1 per 30d
  - id: notice
    service: true
    show:
      slot: banner
      content: offer
    group: promotions
  - id: kept-off
    show:
      slot: banner
      content: offer
    priority: 5
";

fn rule<'a>(parts: &'a Parts, id: &str) -> &'a Rule {
    parts.rules.iter().find(|rule| rule.id == id).expect("the rule is there")
}

#[test]
fn what_rules_act_under_stands_in_the_program() {
    let site = compiled(&with_rules(RULES));
    let Parts { deciding, contents, .. } = &site.full;
    let offer = rule(&site.full, "offer-hero");
    let trial = offer.terms.trial.as_ref().expect("an experiment");
    let experiment = &deciding.experiments[usize::from(trial.experiment)];
    assert_eq!((experiment.salt.as_str(), experiment.traffic_salt.as_str()), ("wording", "layer/hero"));
    assert_eq!(experiment.traffic, (0, 5_000));
    let ends: Vec<_> =
        experiment.variants.iter().map(|variant| (variant.name.as_str(), variant.end)).collect();
    assert_eq!(ends, [("control", 2_500), ("offer", 7_500), ("by-slot", 10_000)]);
    let shown = |at: Option<u16>| at.map(|at| contents[usize::from(at)].id.as_str());
    let shown: Vec<_> = trial.contents.iter().map(|at| shown(*at)).collect();
    assert_eq!(shown, [None, Some("offer"), None], "the last variant shows something in the banner alone");
    let holdout = &deciding.experiments[usize::from(offer.terms.holdout.expect("a holdout"))];
    assert_eq!((holdout.salt.as_str(), holdout.variants[0].end), ("global-2026", 250));
    assert_eq!(deciding.caps[0].limit, 9);
    assert_eq!(offer.terms.dismissals[0].window, Window::Sliding(30 * 86_400_000));
    assert_eq!(offer.terms.per_value.map(|cap| (cap.limit, cap.values_max)), Some((1, 4)));
    assert!(offer.terms.until.is_some());
    Program::load(&site.full_bytes).expect("the program loads");
}

#[test]
fn a_service_notice_is_exempt_and_a_suppression_applies_where_it_says() {
    let site = compiled(&with_rules(RULES));
    let notice = rule(&site.full, "notice");
    // The group's suppression names the notice's group: who writes that means it.
    let expected = Terms { service: true, suppressed_by: vec![0], ..Terms::default() };
    assert_eq!(notice.terms, expected);
    assert_eq!(rule(&site.full, "kept-off").terms.suppressed_by, [1]);
    assert_eq!(rule(&site.full, "offer-hero").terms.suppressed_by, [0]);
}

#[test]
fn the_public_program_holds_what_its_rules_need_and_nothing_of_the_private() {
    let site = compiled(&with_rules(RULES));
    let names: Vec<_> = site.public.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(names, ["notice", "offer-hero"], "a private fact keeps its rule at the edge");
    let deciding = &site.public.deciding;
    assert_eq!(deciding.suppressions.len(), 1);
    let experiments: Vec<_> = deciding.experiments.iter().map(|known| known.name.as_str()).collect();
    assert_eq!(experiments, ["wording", "holdout"], "no rule of a page takes part in the other");
    assert!(!site.public.attributes.iter().any(|attribute| attribute.name == "secret"));
    let why = &site.summary.rules.iter().find(|rule| rule.id == "kept-off").expect("the rule").why;
    assert_eq!(why, &["`secret` is private"]);
}

#[test]
fn what_unknown_means_is_compiled_into_a_suppression() {
    let code = |on_unknown: &str| {
        let rules = RULES.replace("on_unknown: suppress", on_unknown);
        let parts = compiled(&with_rules(&rules)).full;
        parts.code[usize::from(parts.deciding.suppressions[0].when)]
    };
    let (suppress, allow) = (code("on_unknown: suppress"), code("on_unknown: allow"));
    assert_ne!((suppress.test, suppress.on_true), (allow.test, allow.on_true));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (found, instead, code) in [
        ("traffic: 50%-100%", "traffic: 40%-100%", Code::E0322),
        ("traffic: 50%-100%", "traffic: 50", Code::E0322),
        ("share: 2.5%", "share: 101%", Code::E0322),
        ("experiment: wording", "experiment: wordings", Code::E0321),
        ("rules: [kept-off]", "rules: [kept-of]", Code::E0321),
        ("groups: [promotions]", "groups: [promotion]", Code::E0206),
        ("    unit: user_or_visitor\n", "    primary: order\n", Code::E0321),
        ("1 per ticket.id max 4", "1 per ticket.name max 4", Code::E0201),
        ("1 per ticket.id max 4", "1 per ticket.id max 400", Code::E0017),
        ("    on_unknown: suppress\n", "", Code::E0320),
        ("content: offer\n      by-slot", "content: offers\n      by-slot", Code::E0205),
    ] {
        let files = with_rules(&RULES.replacen(found, instead, 1));
        assert!(codes(&files).contains(&code), "{instead}: {}", rendered(&files, &compile(&files)));
    }
}

#[test]
fn a_schedule_that_is_on_at_no_time_is_refused_where_it_stands() {
    let found = |schedule: &str| {
        codes(&with_rules(&format!(
            "rules:\n  - id: a\n    schedule: {schedule}\n    show:\n      slot: hero\n      content: offer\n"
        )))
    };
    for schedule in [
        "{from: 2026-12-31, until: 2026-01-01}",
        "{from: 2026-01-02, until: 2026-01-30, except: [2026-01-01..2026-01-31]}",
    ] {
        assert_eq!(found(schedule), [Code::E0326], "{schedule}");
    }
    for schedule in ["{from: 2026-01-01, until: 2026-01-01}", "{days: [fri-mon], hours: \"18:00-18:00\"}"] {
        assert_eq!(found(schedule), [], "{schedule}");
    }
}

#[test]
fn nobody_is_here_for_the_first_time_and_was_here_before() {
    let is_warned = |condition: &str| codes(&with_condition("", condition)).contains(&Code::W0503);
    for condition in [
        "visitor.is_new and days_since_last_visit >= 3",
        "session.start - previous session.start <= 7d and previous session.start is known and visitor.is_new",
        "session.number >= 2 and visitor.is_new",
        "days_since_last_visit >= 3 and (visitor.is_new or session.number = 1) and visitor.is_new",
    ] {
        assert!(is_warned(condition), "{condition}");
    }
    for condition in [
        "not visitor.is_new and days_since_last_visit >= 3",
        "visitor.is_new or days_since_last_visit >= 3",
        "visitor.is_new and days_since_last_visit is missing",
        "visitor.is_new and (days_since_last_visit else 0) = 0",
        "visitor.is_new and session.number = 1",
        "visitor.is_new is not true and session.number >= 2",
    ] {
        assert!(!is_warned(condition), "{condition}");
    }
}

#[test]
fn a_condition_that_lets_every_count_through_is_warned_of() {
    let warned = |condition: &str| {
        let files = with_condition("metrics:\n  shoes: count product_view in session\n", condition);
        codes(&files).into_iter().filter(|code| *code == Code::W0504).count() == 1
    };
    for condition in [
        "shoes >= 1 or shoes < 1",
        "shoes >= 2 or not shoes >= 2",
        "not (shoes >= 3 and shoes < 3)",
        "shoes <= 4 or shoes between 3 and 9 or shoes > 9",
        "(session.pages else 0) >= 1 or (session.pages else 0) < 1",
        "shoes is known",
    ] {
        assert!(warned(condition), "{condition}");
    }
    for condition in [
        "shoes >= 2 or shoes < 1",
        "shoes >= 1",
        "(count page in 7d of account) is known",
        "(count page in 7d of account) >= 1 or visitor.is_new or (count page in 7d of account) is missing",
        "session.pages is known",
        "(shoes >= 1 or shoes < 1) is true and visitor.is_new",
    ] {
        assert!(!warned(condition), "{condition}");
    }
}
