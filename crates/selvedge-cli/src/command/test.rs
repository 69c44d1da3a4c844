//! `selvedge test`: the cases of a site's tests, and what happened in those that fail.

use super::check::compiled;
use crate::arguments::TestArguments;
use crate::exit::Ending;
use crate::rehearsal::Stage;
use crate::rehearsal::case::{CaseOutcome, run as run_case};
use crate::site_files;
use anyhow::Result;
use selvedge_compiler::cases::Case;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _, stdout};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How often the files are looked at.
const WATCH: Duration = Duration::from_millis(300);
/// Clears a terminal and puts the cursor at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Runs the command.
///
/// # Errors
/// Where the site's files cannot be read.
pub fn run(arguments: &TestArguments) -> Result<Ending> {
    if !arguments.watch {
        return once(arguments);
    }
    loop {
        let files = site_files::read(&arguments.site)?;
        if stdout().is_terminal() {
            print!("{CLEAR}");
            // What is wrong with the site goes to standard error: at once, it would be cleared away with the rest.
            stdout().flush()?;
        }
        once(arguments)?;
        println!("watching {}; press Ctrl-C to end", arguments.site.display());
        while site_files::read(&arguments.site).is_ok_and(|now| now == files) {
            sleep(WATCH);
        }
    }
}

fn once(arguments: &TestArguments) -> Result<Ending> {
    let Some(compiled) = compiled(&arguments.site)? else { return Ok(Ending::Wrong) };
    let stage = Stage::of(&compiled)?;
    let wanted = arguments.filter.as_deref().unwrap_or_default().to_lowercase();
    let is_wanted = |case: &&Case| {
        case.name.to_lowercase().contains(&wanted) || case.place.file.to_lowercase().contains(&wanted)
    };
    let mut report = Report { site: &arguments.site, cases: Vec::new(), left_out: 0 };
    for case in &compiled.cases {
        if is_wanted(&case) {
            report.cases.push((case, run_case(&stage, case, &compiled.timezone)?));
        } else {
            report.left_out += 1;
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        print!("{}", report.text());
    }
    Ok(if report.failed() == 0 { Ending::Done } else { Ending::Wrong })
}

/// All cases and what became of them.
#[derive(Debug)]
struct Report<'a> {
    site: &'a Path,
    cases: Vec<(&'a Case, CaseOutcome)>,
    left_out: usize,
}

impl Report<'_> {
    fn failed(&self) -> usize {
        self.cases.iter().filter(|(_, outcome)| !outcome.failures.is_empty()).count()
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (case, outcome) in &self.cases {
            match outcome.failures.as_slice() {
                [] => {
                    let _ = writeln!(out, "ok    {}", case.name);
                }
                _ => out.push_str(&self.failure(case, outcome)),
            }
        }
        if self.cases.is_empty() && self.left_out == 0 {
            let _ =
                writeln!(out, "{} has no tests; docs/rules.md says how to write one", self.site.display());
        }
        let left_out =
            if self.left_out > 0 { format!(", {} left out", self.left_out) } else { String::new() };
        let passed = self.cases.len() - self.failed();
        let _ = writeln!(out, "{passed} passed, {} failed{left_out}", self.failed());
        out
    }

    fn failure(&self, case: &Case, outcome: &CaseOutcome) -> String {
        let mut out = format!("FAIL  {}\n", case.name);
        for failure in &outcome.failures {
            let file = self.site.join(&failure.place.file);
            let (line, column) = (failure.place.line, failure.place.column);
            let _ = writeln!(out, "      {}:{line}:{column}", file.display());
            let _ = writeln!(out, "        expected  {}", failure.expected);
            let _ = writeln!(out, "        found     {}", failure.found);
            for line in &failure.because {
                let _ = writeln!(out, "          {line}");
            }
        }
        let _ = writeln!(out, "      what happened");
        for line in &outcome.timeline {
            let _ = writeln!(out, "        {:>8}  {}", offset(line.at_ms), line.text);
            for note in &line.notes {
                let _ = writeln!(out, "                    {note}");
            }
        }
        out.push('\n');
        out
    }

    fn json(&self) -> serde_json::Value {
        let of_case = |(case, outcome): &(&Case, CaseOutcome)| {
            json!({
                "name": case.name,
                "place": case.place,
                "passed": outcome.failures.is_empty(),
                "failures": outcome.failures,
                "timeline": outcome.timeline,
            })
        };
        json!({
            "passed": self.cases.len() - self.failed(),
            "failed": self.failed(),
            "left_out": self.left_out,
            "cases": self.cases.iter().map(of_case).collect::<Vec<_>>(),
        })
    }
}

/// `70s`, `12m`, `1h30m5s`, `20d`.
fn offset(ms: u64) -> String {
    let (days, hours) = (ms / 86_400_000, ms / 3_600_000 % 24);
    let (minutes, seconds) = (ms / 60_000 % 60, ms / 1_000 % 60);
    let part = |number: u64, unit: &str| if number > 0 { format!("{number}{unit}") } else { String::new() };
    let text = part(days, "d") + &part(hours, "h") + &part(minutes, "m") + &part(seconds, "s");
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::new_site;
    use selvedge_compiler::{Compiled, Severity, compile};

    fn site(tests: &str) -> Compiled {
        site_with(&new_site()["rules.yaml"], tests)
    }

    fn site_with(rules: &str, tests: &str) -> Compiled {
        let mut files = new_site();
        files.insert("rules.yaml".to_owned(), rules.to_owned());
        files.insert("tests/hero.yaml".to_owned(), tests.to_owned());
        let compilation = compile(&files);
        compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics))
    }

    fn report(tests: &str) -> String {
        reported(&site(tests))
    }

    fn reported(compiled: &Compiled) -> String {
        let stage = Stage::of(compiled).unwrap();
        let cases = compiled.cases.iter();
        let cases = cases.map(|case| (case, run_case(&stage, case, &compiled.timezone).unwrap())).collect();
        Report { site: Path::new("my-site"), cases, left_out: 0 }.text()
    }

    #[test]
    fn the_tests_of_a_new_site_pass() {
        insta::assert_snapshot!(report(&new_site()["tests/hero.yaml"]));
    }

    #[test]
    fn a_failure_says_what_was_found_why_and_what_happened() {
        insta::assert_snapshot!(report(
            "
- name: one shoe view ships free
  events:
    - 0s session_start
    - \"10s product_view {sku: s-1, category: shoes}\"
  expect:
    hero: free-shipping
    why: shoe_views = 2
- name: the third time it is still there
  events:
    - 0s session_start
    - \"1s product_view {sku: s-1, category: shoes}\"
    - \"2s product_view {sku: s-2, category: shoes}\"
    - \"1m page {path: /a}\"
    - \"2m page {path: /b}\"
  expect:
    - at: 2s
      hero: none
    - at: 2m
      hero: free-shipping
"
        ));
    }

    #[test]
    fn a_count_leaves_its_window_while_nothing_happens() {
        let text = report(
            "
- name: a look is forgotten after ten minutes
  events:
    - \"0s product_view {sku: s-1, category: shoes}\"
    - \"5m product_view {sku: s-2, category: shoes}\"
  expect:
    - at: 599s
      why: shoe_views = 2
    - at: 10m
      hero: free-shipping
      why: shoe_views = 1
      reasons:
        free-shipping: held
",
        );
        assert_eq!(text, "ok    a look is forgotten after ten minutes\n1 passed, 0 failed\n");
    }

    #[test]
    fn an_event_that_nothing_allows_fails_the_case() {
        let text = report(
            "
- name: without consent nothing is known
  consent: none
  events:
    - \"10s add_to_cart {sku: s-1}\"
  expect:
    hero: none
",
        );
        assert!(text.contains("refused: no_consent"), "{text}");
    }

    #[test]
    fn consent_may_change_and_the_clocks_too() {
        let text = report(
            "
- name: what is granted on the way counts from there
  now: 2026-03-29T01:30
  consent: none
  events:
    - \"10s consent {analytics: true, personalization: true}\"
    - \"20s product_view {sku: s-1, category: shoes}\"
    - \"30s product_view {sku: s-2, category: shoes}\"
  expect:
    hero: free-shipping
",
        );
        assert!(text.starts_with("ok "), "{text}");
    }

    const ACCOUNTS: &str = "
attributes:
  account.plan:
    type: text
    from: account
suppress:
  - name: gold-members
    when: account.plan = \"gold\"
    on_unknown: allow
rules:
  - id: remind
    when: sequence add_to_cart then no product_view within 8m
    show:
      slot: hero
      content: free-shipping
";

    #[test]
    fn what_comes_of_time_alone_stands_in_the_timeline_at_its_time() {
        let compiled = site_with(
            ACCOUNTS,
            "
- name: eight minutes after the cart
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
  expect:
    - at: 539s
      hero: none
    - at: 20m
      hero: none
      why: sequence add_to_cart then no product_view within 8m is true
",
        );
        insta::assert_snapshot!(reported(&compiled));
    }

    const LEAVING: &str = "
rules:
  - id: left
    trigger: [session_end]
    when: (count add_to_cart in session) >= 1
    show:
      slot: hero
      content: free-shipping
    hold: 10m
  - id: office
    schedule:
      days: mon-fri
      hours: \"09:00-17:00\"
      timezone: America/New_York
      except: [\"12-24..12-26\"]
    show:
      slot: hero
      content: free-shipping
    hold: 1m
    priority: -1
";

    const KINDS: &str = "
attributes:
  ends:
    type: time
    from: visitor
  likes:
    type: list
    from: visitor
rules:
  - id: ends-soon
    when: ends within next 3d and likes contains \"hats\"
    show:
      slot: hero
      content: free-shipping
    priority: 2
  - id: later
    trigger: product_view
    after: 15m
    when: (count product_view in session) >= 2
    show:
      slot: hero
      content: free-shipping
    priority: 9
  - id: looks
    when: (count product_view in session) >= 1
    show:
      slot: hero
      content: free-shipping
    priority: 1
";

    #[test]
    fn times_and_lists_are_given_and_a_case_is_looked_at_in_the_order_of_time() {
        let compiled = site_with(
            KINDS,
            "
- name: a time as text, a list as a list
  now: 2026-03-28T12:00
  given:
    ends: \"2026-03-31T10:00:00Z\"
    likes: [shoes, hats]
  events:
    - 0s session_start
    - \"1m product_view {sku: a, category: shoes}\"
    - \"5m product_view {sku: b, category: shoes}\"
  expect:
    - hero: free-shipping
      reasons:
        ends-soon: held
        later: waits
    - at: 0s
      hero: free-shipping
    - at: 19m
      reasons:
        later: waits
    - at: 21m
      reasons:
        later: not_triggered
",
        );
        let text = reported(&compiled);
        assert_eq!(text, "ok    a time as text, a list as a list\n1 passed, 0 failed\n");
    }

    #[test]
    fn who_has_the_slot_and_how_far_a_count_goes_is_said() {
        let compiled = site_with(
            KINDS,
            "
- name: another has the slot
  given:
    ends: \"2026-06-01T20:00:00Z\"
    likes: hats
  events:
    - 0s session_start
    - \"1m product_view {sku: a, category: shoes}\"
  expect:
    reasons:
      looks: won
- name: more is asked than is counted
  events:
    - 0s session_start
    - \"1m product_view {sku: a, category: shoes}\"
    - \"2m product_view {sku: a, category: shoes}\"
    - \"3m product_view {sku: a, category: shoes}\"
    - \"4m product_view {sku: a, category: shoes}\"
  expect:
    why: (count product_view in session) = 4
",
        );
        let text = reported(&compiled);
        for part in
            ["found     lower_priority (ends-soon is held)", "write `(count product_view in session) >= ...`"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_session_ends_by_idle_time_and_by_another_campaign() {
        let compiled = site_with(
            LEAVING,
            "
- name: by a campaign, with what the session before held
  now: 2026-03-07T03:00
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
    - at: 2m
      event: page
      properties:
        path: /
      context:
        utm.medium: email
  expect:
    - at: 110s
      hero: none
    - at: 2m
      hero: free-shipping
      reasons:
        left: held
    - at: 13m
      hero: none
- name: by thirty minutes
  now: 2026-03-07T03:00
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
  expect:
    - at: 31m
      hero: none
    - at: 1861s
      hero: free-shipping
",
        );
        assert!(reported(&compiled).ends_with("2 passed, 0 failed\n"), "{}", reported(&compiled));
    }

    #[test]
    fn a_schedule_of_another_zone_opens_and_closes_by_its_clock() {
        // My-site is in Berlin: six hours ahead of New York, but five for two weeks in March and one in autumn.
        let compiled = site_with(
            LEAVING,
            "
- name: in winter
  now: 2026-03-06T14:59
  events:
    - 0s session_start
  expect:
    - at: 30s
      hero: none
    - at: 1m
      hero: free-shipping
    - at: 481m
      hero: none
- name: when only New York has summer time
  now: 2026-03-09T13:59
  events:
    - 0s session_start
  expect:
    - at: 30s
      hero: none
    - at: 1m
      hero: free-shipping
- name: on Christmas eve it stays closed
  now: 2026-12-24T16:00
  events:
    - 0s session_start
  expect:
    hero: none
    reasons:
      office: outside_schedule
",
        );
        assert!(reported(&compiled).ends_with("3 passed, 0 failed\n"), "{}", reported(&compiled));
    }

    #[test]
    fn facts_of_an_account_are_given_like_others() {
        let compiled = site_with(
            ACCOUNTS,
            "
- name: gold members are left alone
  given:
    account.plan: gold
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
  expect:
    at: 10m
    hero: none
    reasons:
      remind: suppressed_by
- name: somebody else of the account turns it to gold
  events:
    - 0s session_start
    - \"1m add_to_cart {sku: a}\"
    - at: 2m
      event: group
      member: 1
      properties:
        account.plan: gold
  expect:
    at: 10m
    reasons:
      remind: suppressed_by
",
        );
        assert!(reported(&compiled).ends_with("2 passed, 0 failed\n"), "{}", reported(&compiled));
    }

    const TOLD: &str = "
attributes:
  tier:
    type: text
    from: visitor
rules:
  - id: left-behind
    when: sequence add_to_cart then no product_view within 8m and catalog[page.sku].stock >= 1
    emit:
      to: mail
      enter: reminder
      exit_when: (count product_view in session) >= 1
      fields: [tier]
";

    fn told(tests: &str) -> String {
        let mut files = new_site();
        let catalog = "lookups:\n  catalog:\n    key: sku\n    from: csv catalog.csv\n";
        let mail = "destinations:\n  mail:\n    type: log\n    purposes: [personalization]\n";
        let site = format!("{}\n{catalog}{mail}", files["site.yaml"]);
        files.insert("site.yaml".to_owned(), site);
        files.insert("catalog.csv".to_owned(), "sku,stock,name\na,0,Boot\nb,1,Cap\n".to_owned());
        files.insert("rules.yaml".to_owned(), TOLD.to_owned());
        files.insert("tests/hero.yaml".to_owned(), tests.to_owned());
        let compilation = compile(&files);
        reported(&compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics)))
    }

    #[test]
    fn what_destinations_are_told_is_expected_or_its_absence_and_rows_of_tables_are_given() {
        let text = told(
            "
- name: told of what is there, and taken back
  given:
    tier: gold
    lookups:
      catalog:
        - sku: a
          stock: 3
  events:
    - \"0s page {path: /a, sku: a}\"
    - \"1m add_to_cart {sku: a}\"
    - \"20m product_view {sku: a, category: shoes}\"
  expect:
    - at: 8m
      emit: none
    - at: 9m
      emit:
        rule: left-behind
        fields:
          tier: gold
    - at: 10m
      emit: none
    - at: 20m
      emit: left-behind exit
- name: not told of what the file says is gone
  events:
    - \"0s page {path: /a, sku: a}\"
    - \"1m add_to_cart {sku: a}\"
  expect:
    at: 20m
    emit: none
- name: told of what the file says is there
  events:
    - \"0s page {path: /a, sku: b}\"
    - \"1m add_to_cart {sku: b}\"
  expect:
    at: 20m
    emit: [left-behind]
",
        );
        assert!(text.ends_with("3 passed, 0 failed\n"), "{text}");
    }

    #[test]
    fn a_message_too_many_too_few_or_with_other_fields_fails_the_case() {
        insta::assert_snapshot!(told(
            "
- name: nothing is told
  events:
    - \"0s page {path: /a, sku: b}\"
    - \"1m add_to_cart {sku: b}\"
  expect:
    at: 20m
    emit: none
- name: told with another tier
  given:
    tier: gold
  events:
    - \"0s page {path: /a, sku: b}\"
    - \"1m add_to_cart {sku: b}\"
  expect:
    at: 20m
    emit:
      - rule: left-behind
        fields:
          tier: silver
- name: told twice
  events:
    - \"0s page {path: /a, sku: b}\"
  expect:
    at: 20m
    emit: [left-behind, left-behind exit]
"
        ));
    }

    #[test]
    fn what_cannot_be_given_or_told_is_found_by_check() {
        for (given, expect, code) in [
            ("lookups:\n      stock: []", "hero: none", "E0234"),
            ("lookups:\n      catalog:\n        - sku: a\n          weight: 1", "hero: none", "E0234"),
            ("lookups:\n      catalog:\n        - sku: a\n          stock: many", "hero: none", "E0501"),
            ("lookups:\n      catalog:\n        - stock: 1", "hero: none", "E0501"),
            ("tier: gold", "emit: left", "E0501"),
            ("cart.value: 50", "hero: none", "E0501"),
            ("time_of_day: \"22:00\"", "hero: none", "E0501"),
        ] {
            let tests = format!("- name: wrong\n  given:\n    {given}\n  expect:\n    {expect}\n");
            let mut files = new_site();
            let catalog = "lookups:\n  catalog:\n    key: sku\n    from: csv catalog.csv\n";
            let mail = "destinations:\n  mail:\n    type: log\n    purposes: [personalization]\n";
            files.insert("site.yaml".to_owned(), format!("{}\n{catalog}{mail}", new_site()["site.yaml"]));
            files.insert("catalog.csv".to_owned(), "sku,stock\na,0\n".to_owned());
            files.insert("rules.yaml".to_owned(), TOLD.to_owned());
            files.insert("tests/hero.yaml".to_owned(), tests);
            let found = compile(&files).diagnostics;
            let errors = found.iter().filter(|found| found.code.severity() == Severity::Error);
            let found: Vec<String> = errors.map(|found| found.code.to_string()).collect();
            assert_eq!(found, [code], "{given} {expect}");
        }
    }

    #[test]
    fn every_example_passes_its_own_tests() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let folders = std::fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path());
        for folder in folders.filter(|path| path.is_dir()) {
            let compilation = compile(&site_files::read(&folder).unwrap());
            let report = reported(&compilation.program.expect("the example compiles"));
            assert!(report.ends_with(" 0 failed\n") && !report.starts_with("0 passed"), "{report}");
        }
    }

    #[test]
    fn times_read_as_they_are_written() {
        let written = [(0, "0s"), (70_000, "1m10s"), (3_600_000, "1h"), (90_061_000, "1d1h1m1s")];
        for (ms, text) in written {
            assert_eq!(offset(ms), text);
        }
    }
}
