//! Amounts, calendars and scores as a marketer writes them, run.

mod common;

use common::visit::{DAY, HOUR, MINUTE, START_MS, Visit, int, text};
use common::{Site, codes, compiled, rendered, with_condition};
use selvedge_compiler::{Code, compile, compile_beside};
use selvedge_core::wire::program::{LookupCell, MetricKind, Parts, Scope, WarmUp, Window};

/// The small site with a rule of this condition; purchases may name their currency.
fn site(head: &str, condition: &str) -> Site {
    let mut files = with_condition(head, condition);
    let plan = files["tracking-plan.yaml"].clone();
    files.insert("tracking-plan.yaml".to_owned(), format!("{plan}      currency:\n        type: text\n"));
    files.insert(
        "site.yaml".to_owned(),
        format!("timezone: Europe/Berlin\n{}", without_zone(&files["site.yaml"])),
    );
    files
}

fn without_zone(site: &str) -> String {
    let lines = site.lines().filter(|line| !line.starts_with("timezone:"));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn visit(condition: &str) -> Visit {
    Visit::new(&site("", condition))
}

fn buys(visit: &mut Visit, euros: i64) -> &mut Visit {
    visit.event("purchase", &[("value", int(euros))])
}

#[test]
fn two_hundred_euros_in_thirty_days() {
    let mut visit = visit("(sum purchase.value in 30d) >= 200 EUR");
    assert!(!buys(&mut visit, 150).shows());
    assert!(buys(visit.wait(DAY), 50).shows());
    assert!(visit.wait(27 * DAY).shows());
    assert!(!visit.wait(3 * DAY).shows());
}

/// A purchase of 70 of this currency.
fn pays(visit: &mut Visit, currency: &str) {
    visit.event("purchase", &[("value", int(70)), ("currency", text(currency))]);
}

#[test]
fn of_an_amount_of_another_currency_nothing_is_known() {
    // What is asked, and what is so after 70 EUR, and after 70 USD besides.
    for (condition, own, other) in [
        ("(sum purchase.value in session) = 70 EUR", true, false),
        ("(sum purchase.value in session) < 100 EUR", true, false),
        ("(sum purchase.value where value >= 0 EUR in session) >= 70 EUR", true, true),
        ("(max purchase.value in session) >= 70 EUR", true, true),
        ("(avg purchase.value in session) = 70 EUR", true, false),
        ("(last purchase.value) = 70 EUR", true, false),
        ("(count purchase where value >= 50 EUR in session) = 1", true, false),
        ("(count purchase where value >= 50 EUR in session) >= 1", true, true),
        ("(count purchase where not value >= 50 EUR in session) = 0", true, false),
        ("(count purchase in session) <= 2", true, true),
        (
            "sequence purchase where value >= 50 EUR then purchase where value < 90 EUR within 1h",
            false,
            false,
        ),
    ] {
        let mut visit = visit(condition);
        pays(&mut visit, "EUR");
        assert_eq!(visit.shows(), own, "{condition}");
        pays(visit.wait(MINUTE), "USD");
        assert_eq!(visit.shows(), other, "{condition}");
    }
}

#[test]
fn what_another_currency_hid_is_known_again_when_it_has_left_the_window() {
    let mut visit = visit("(sum purchase.value in 1d) < 100 EUR");
    pays(&mut visit, "USD");
    assert!(!visit.shows());
    assert!(visit.wait(DAY + 2 * HOUR).shows());
}

#[test]
fn what_another_currency_hides_from_a_page_view_is_known_again_in_the_next() {
    for (condition, other) in [
        ("(sum purchase.value in page) < 100 EUR", false),
        ("(count purchase where value >= 50 EUR in page) <= 1", false),
        ("((count purchase where value >= 50 EUR in page) = 1) is not true", true),
        ("(max purchase.value in page) >= 70 EUR", true),
    ] {
        let mut visit = visit(condition);
        visit.event("page", &[]);
        pays(&mut visit, "EUR");
        let own = visit.shows();
        pays(visit.wait(MINUTE), "USD");
        assert_eq!(visit.shows(), other, "{condition}");
        visit.wait(MINUTE).event("page", &[]);
        pays(&mut visit, "EUR");
        assert_eq!(visit.shows(), own, "{condition}: the next page view");
    }
}

#[test]
fn a_rate_that_is_too_old_says_nothing_any_more() {
    let mut files = site("", "(sum purchase.value in 30d) >= 10 USD");
    let lookups = "rates: fx\nlookups:\n  fx:\n    key: currency\n    from: push\n    columns:\n      rate: number\n    ttl: 1h\n";
    files.entry("site.yaml".to_owned()).or_default().push_str(lookups);
    let mut visit = Visit::new(&files);
    buys(&mut visit, 5);
    assert_eq!(visit.truth(), None, "no rate came yet");
    let until = LookupCell::Number(START_MS + HOUR);
    visit.pushed(&files, &[("USD", &[LookupCell::Number(500_000), until])]);
    assert_eq!(visit.truth(), Some(true));
    assert_eq!(visit.wait(HOUR - 1).truth(), Some(true));
    assert_eq!(visit.wait(MINUTE).truth(), None);
}

#[test]
fn an_attribute_that_another_currency_sets_is_unknown() {
    let head = "attributes:\n  paid:\n    type: money\n    from: visitor\n    set:\n      purchase:\n        property: value\n";
    for (currency, is_known) in [("EUR", true), ("USD", false)] {
        let mut visit = Visit::new(&site(head, "paid is known"));
        pays(&mut visit, currency);
        assert_eq!(visit.shows(), is_known, "{currency}");
        let mut visit = Visit::new(&site(head, "paid is missing"));
        pays(&mut visit, currency);
        assert!(!visit.shows(), "{currency}");
    }
}

#[test]
fn least_greatest_and_average() {
    let mut visit = visit(
        "(min purchase.value in session) = 10 EUR and (max purchase.value in session) = 40 EUR and (avg purchase.value in session) = 25 EUR",
    );
    assert!(!visit.shows());
    buys(buys(&mut visit, 10), 40);
    assert!(visit.shows());
}

#[test]
fn a_default_stands_in_for_the_greatest_of_nothing() {
    let mut visit = visit("((max purchase.value in session) else 0 EUR) < 5 EUR");
    assert!(visit.shows());
    assert!(!buys(&mut visit, 5).shows());
}

#[test]
fn five_articles_this_month() {
    // It is Sunday, 22 November 2026, 11 o'clock in Berlin.
    let view = [("sku", text("a")), ("category", text("b"))];
    let mut visit = visit("(count product_view in month) >= 2 and (count product_view in today) = 1");
    visit.event("product_view", &view);
    assert!(!visit.shows());
    visit.wait(13 * HOUR).event("product_view", &view);
    assert!(visit.shows(), "Monday has begun in Berlin");
    visit.wait(8 * DAY).event("product_view", &view);
    assert!(!visit.shows(), "December has begun");
}

#[test]
fn a_week_begins_on_monday() {
    let mut visit = visit("(count purchase in week) = 1");
    buys(&mut visit, 1);
    assert!(visit.wait(13 * HOUR - 1).shows());
    assert!(!visit.wait(1).shows());
}

#[test]
fn a_count_beyond_what_is_kept_one_by_one_is_a_number() {
    let parts = compiled(&site("", "(count purchase in 7d) > 63 and (count purchase in 1h) > 62")).full;
    let kinds: Vec<MetricKind> = parts.metrics.iter().map(|metric| metric.kind).collect();
    assert_eq!(kinds, [MetricKind::Tally, MetricKind::Count]);
    let mut visit = visit("(count purchase in 7d) >= 100");
    for _ in 0..99 {
        buys(visit.wait(MINUTE), 1);
    }
    assert!(!visit.shows());
    assert!(buys(&mut visit, 1).shows());
}

#[test]
fn the_scope_is_the_narrowest_that_holds_the_window() {
    let condition = "(count purchase in session) >= 1 and (count purchase in 7d) >= 1 and \
                     (count purchase in 7d of session) >= 1 and (count purchase in ever of profile) >= 1";
    let parts = compiled(&site("", condition)).full;
    let scopes: Vec<Scope> = parts.metrics.iter().map(|metric| metric.scope).collect();
    assert_eq!(scopes, [Scope::Session, Scope::Visitor, Scope::Session, Scope::Profile]);
    assert_eq!(parts.metrics[3].window, Window::Ever);
}

const SCORES: &str = "scores:\n  intent:\n    half_life: 30m\n    add: {product_view: 1, add_to_cart: 6, \"purchase where value >= 100 EUR\": 25}\n    max: 100\n";

#[test]
fn a_score_is_read_as_a_number() {
    let mut visit = Visit::new(&site(SCORES, "score.intent >= 31"));
    visit.event("add_to_cart", &[]);
    assert!(!visit.shows());
    buys(buys(&mut visit, 99), 100);
    assert!(visit.shows() && !visit.wait(1_000).shows());
}

#[test]
fn what_is_wrong_with_a_score_is_said() {
    for (add, code) in [
        ("{pruchase: 1}", Code::E0202),
        ("{purchase where price > 1: 1}", Code::E0203),
        ("{}", Code::E0016),
        ("{purchase: many}", Code::E0007),
        ("{purchase: 10000000}", Code::E0016),
    ] {
        let head = format!("scores:\n  intent:\n    half_life: 30m\n    add: {add}\n");
        assert_eq!(codes(&site(&head, "score.intent > 1")), [code], "{add}");
    }
    let head = "scores:\n  intent:\n    half_life: 30m\n    add: {purchase: 1}\n    min: 5\n";
    assert_eq!(codes(&site(head, "score.intent > 1")), [Code::E0016]);
}

#[test]
fn the_order_and_the_name_of_a_score_mean_nothing_to_what_is_kept() {
    let other = SCORES
        .replace("product_view: 1, add_to_cart: 6", "add_to_cart: 6, product_view: 1")
        .replace("intent", "warmth");
    let meaning = |head: &str, condition: &str| compiled(&site(head, condition)).full.metrics[0].meaning;
    assert_eq!(meaning(SCORES, "score.intent > 1"), meaning(&other, "score.warmth > 1"));
    let faster = SCORES.replace("30m", "10m");
    assert_ne!(meaning(SCORES, "score.intent > 1"), meaning(&faster, "score.intent > 1"));
}

#[test]
fn a_time_zone_is_part_of_what_a_calendar_counts_and_of_nothing_else() {
    let meaning = |condition: &str, zone: &str| {
        let mut files = site("", condition);
        let moved = files["site.yaml"].replace("Europe/Berlin", zone);
        files.insert("site.yaml".to_owned(), moved);
        let parts = compiled(&files).full;
        (parts.metrics[0].meaning, parts.zone.len())
    };
    let today = "(count purchase in today) >= 1";
    assert_ne!(meaning(today, "Europe/Berlin").0, meaning(today, "Asia/Tokyo").0);
    let session = "(count purchase in session) >= 1";
    assert_eq!(meaning(session, "Europe/Berlin"), meaning(session, "Asia/Tokyo"));
    assert_eq!(meaning(session, "Europe/Berlin").1, 0, "no one asks for local time");
}

#[test]
fn a_state_that_could_grow_too_large_names_what_takes_most() {
    let windows = (1..=20).map(|days| format!("(avg purchase.value in {days}d) > 1 EUR"));
    let files = site("", &windows.collect::<Vec<_>>().join(" and "));
    let found = rendered(&files, &compile(&files));
    assert!(found.contains("E0401") && found.contains("`(avg purchase.value in 9d)` takes"), "{found}");
}

#[test]
fn a_metric_of_all_time_that_is_new_must_say_how_it_begins() {
    let older = compiled(&site("", "(count purchase in 7d) >= 1")).full;
    let beside = |head: &str, condition: &str| {
        let compilation = compile_beside(&site(head, condition), Some(&older));
        compilation.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>()
    };
    assert_eq!(beside("", "(sum purchase.value in ever) >= 1 EUR"), [Code::E0420]);
    assert_eq!(beside("", "(sum purchase.value in 30d) >= 1 EUR"), []);
    let warm = "metrics:\n  spent:\n    measure: sum purchase.value in ever\n    warm_up: zero\n";
    assert_eq!(beside(warm, "spent >= 1 EUR"), []);
    assert_eq!(beside(&warm.replace("zero", "log"), "spent >= 1 EUR"), []);
    let known = compiled(&site("", "(sum purchase.value in ever) >= 1 EUR")).full;
    let again = compile_beside(&site("", "(sum purchase.value in ever) >= 5 EUR"), Some(&known));
    assert!(again.program.is_some(), "it was there before");
}

#[test]
fn the_log_warms_up_at_the_edge_and_pages_hear_nothing_of_it() {
    let head = "metrics:\n  spent:\n    measure: sum purchase.value in ever\n    warm_up: log\n";
    let compiled = compiled(&site(head, "spent >= 1 EUR"));
    let warm = |parts: &Parts| parts.metrics.iter().map(|metric| metric.warm_up).collect::<Vec<_>>();
    assert_eq!(warm(&compiled.full), [WarmUp::Log]);
    assert_eq!(warm(&compiled.public), [WarmUp::Unknown]);
    let printed = compiled.summary.to_string();
    assert!(printed.contains("never, or as far back as the log reaches"), "{printed}");
}
