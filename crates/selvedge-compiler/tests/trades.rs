//! The twelve rules from other trades in docs/rules.md, played: a visitor for whom each holds, and one for whom it does not.

mod common;

use common::visit::{DAY, HOUR, MINUTE, Visit, int, list, object, text};
use common::{Site, rendered, small_site};
use selvedge_compiler::compile;
use selvedge_core::consent::Purposes;
use selvedge_core::value::Value;
use selvedge_core::wire::state::VisitorState;

/// A block of the page, by what it is marked with.
fn block(name: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/rules.md"));
    let page = page.expect("docs/rules.md is there");
    let mark = format!("\n```yaml trades/{name}\n");
    let (_, behind) = page.split_once(&mark).expect("the block is on the page");
    behind.split_once("```").expect("the block ends").0.to_owned()
}

/// The page's site with one of its twelve rules.
fn site(rule: &str) -> Site {
    let mut files = small_site();
    files.insert("tracking-plan.yaml".to_owned(), block("tracking-plan.yaml"));
    let rules = block("rules.yaml");
    let mut parts = rules.split("  - id: ");
    let head = parts.next().expect("what stands before the rules").to_owned();
    let one = parts.find(|part| part.lines().next() == Some(rule)).expect("the rule is on the page");
    files.insert("rules.yaml".to_owned(), format!("{head}  - id: {one}"));
    files
}

fn visit(rule: &str) -> Visit {
    Visit::new(&site(rule))
}

fn path(path: &str) -> [(&'static str, Value); 1] {
    [("path", text(path))]
}

#[test]
fn all_twelve_stand_on_the_page_and_each_compiles() {
    let rules = block("rules.yaml");
    let ids: Vec<&str> = rules.lines().filter_map(|line| line.strip_prefix("  - id: ")).collect();
    assert_eq!(ids.len(), 12);
    for id in ids {
        let files = site(id);
        let compilation = compile(&files);
        assert!(compilation.program.is_some(), "{}", rendered(&files, &compilation));
    }
}

#[test]
fn a_product_seen_three_times_in_a_week_of_which_few_are_left() {
    let see = |visit: &mut Visit, sku: &str, stock: i64| {
        visit.event("product_view", &[("sku", text(sku)), ("stock", int(stock))]).wait(DAY / 24);
    };
    let mut keen = visit("last-pieces");
    see(&mut keen, "NG-1", 5);
    see(&mut keen, "NG-2", 5);
    see(&mut keen, "NG-1", 5);
    assert!(!keen.shows());
    see(&mut keen, "NG-1", 5);
    assert!(keen.wait(-HOUR).shows());
    let mut patient = visit("last-pieces");
    (0..3).for_each(|_| see(&mut patient, "NG-1", 6));
    assert!(!patient.shows());
}

#[test]
fn a_cart_between_thirty_and_fifty() {
    let mut visit = visit("spend-a-little-more");
    visit.event("add_to_cart", &[("sku", text("NG-1")), ("price", int(29))]);
    assert!(!visit.shows());
    visit.event("add_to_cart", &[("sku", text("NG-2")), ("price", int(9))]);
    assert!(visit.shows());
    visit.event("add_to_cart", &[("sku", text("NG-3")), ("price", int(13))]);
    assert!(!visit.shows());
}

#[test]
fn ink_for_whom_the_last_purchase_brought_a_printer() {
    let buy = |visit: &mut Visit, category: &str| {
        let items = list(&[object(&[("category", text("paper"))]), object(&[("category", text(category))])]);
        visit.event("purchase", &[("items", items)]);
    };
    let mut visit = visit("offer-ink");
    buy(&mut visit, "printer");
    assert!(visit.shows());
    buy(&mut visit, "desk");
    assert!(!visit.shows());
}

#[test]
fn the_same_route_twice_and_a_departure_soon() {
    let search = |visit: &mut Visit, route: &str, departs_at: &str| {
        visit
            .event("flight_search", &[("route", text(route)), ("departs_at", text(departs_at))])
            .wait(MINUTE);
    };
    let mut soon = visit("route-again");
    search(&mut soon, "BER-LIS", "2026-12-01T08:00:00Z");
    search(&mut soon, "BER-OSL", "2026-12-01T08:00:00Z");
    assert!(!soon.shows());
    search(&mut soon, "BER-LIS", "2026-12-02T08:00:00Z");
    assert!(soon.shows());
    let mut far = visit("route-again");
    (0..2).for_each(|_| search(&mut far, "BER-LIS", "2027-02-01T08:00:00Z"));
    assert!(!far.shows());
}

#[test]
fn a_delay_is_told_also_to_whom_nothing_is_granted_for() {
    let mut visit = visit("booking-is-delayed");
    visit.in_force = Purposes::NECESSARY;
    assert!(!visit.shows());
    visit.event("booking_delayed", &[]);
    assert!(visit.shows());
    visit.wait(HOUR).event("booking_settled", &[]);
    assert!(!visit.shows());
}

#[test]
fn a_trial_that_ends_with_few_milestones() {
    let mut visit = visit("trial-ends");
    visit.event("identify", &[("trial_ends_at", text("2026-11-24T10:00:00Z"))]);
    visit.event("activation", &[("step", text("import"))]).event("activation", &[("step", text("import"))]);
    assert!(visit.shows());
    visit.event("activation", &[("step", text("invite_team"))]);
    assert!(visit.shows());
    visit.event("activation", &[("step", text("publish"))]);
    assert!(!visit.shows());
}

#[test]
fn three_people_of_one_account_on_pricing() {
    let look = |visit: &mut Visit, person: &str| {
        visit.event("page", &[("path", text("/pricing")), ("person", text(person))]);
    };
    let mut visit = visit("account-compares-prices");
    visit.account = Some(VisitorState::new(common::visit::START_MS));
    ["ann", "bo", "ann", "bo"].iter().for_each(|person| look(&mut visit, person));
    assert!(!visit.shows());
    look(&mut visit, "cy");
    assert!(visit.shows());
    visit.account = None;
    assert!(!visit.shows(), "without an account it is not known");
}

#[test]
fn on_the_way_out_at_the_second_look_at_prices() {
    let mut once = visit("leaving-the-prices");
    once.event("page", &path("/pricing")).event("exit_intent", &[]);
    assert!(!once.shows());
    let mut twice = visit("leaving-the-prices");
    twice.event("page", &path("/pricing")).wait(MINUTE).event("page", &path("/pricing"));
    assert!(!twice.shows(), "nobody is on the way out yet");
    twice.event("exit_intent", &[]);
    assert!(twice.shows());
}

#[test]
fn five_articles_this_month_and_no_subscription() {
    let mut visit = visit("five-articles");
    (0..4).for_each(|_| {
        visit.event("article_view", &[("section", text("sports"))]);
    });
    assert!(!visit.shows());
    visit.event("article_view", &[]);
    assert!(visit.shows());
    visit.event("identify", &[("subscriber", Value::Bool(true))]);
    assert!(!visit.shows());
    visit.event("identify", &[("subscriber", Value::Bool(false))]).wait(9 * DAY);
    assert!(!visit.shows(), "another month began");
}

#[test]
fn three_articles_of_one_section() {
    let read = |visit: &mut Visit, section: &str| {
        visit.event("article_view", &[("section", text(section))]);
    };
    let mut visit = visit("section-newsletter");
    ["sports", "culture", "sports", "culture"].iter().for_each(|section| read(&mut visit, section));
    assert!(!visit.shows());
    read(&mut visit, "culture");
    assert!(visit.shows());
}

#[test]
fn no_loan_after_a_declined_one_and_none_where_that_is_not_known() {
    let mut clean = visit("loan-offer");
    clean.event("page", &path("/loans/car"));
    assert!(clean.shows());
    clean.event("loan_declined", &[]);
    assert!(!clean.shows());
    clean.wait(90 * DAY).event("page", &path("/loans/car"));
    assert!(clean.shows());
    let mut unwatched = visit("loan-offer");
    unwatched.in_force = Purposes::NECESSARY.or(Purposes::ANALYTICS);
    unwatched.event("page", &path("/loans/car"));
    unwatched.in_force = Purposes(0xf);
    unwatched.wait(DAY).event("page", &path("/loans/car"));
    assert!(!unwatched.shows());
    unwatched.wait(90 * DAY).event("page", &path("/loans/car"));
    assert!(unwatched.shows());
}

#[test]
fn back_after_a_month() {
    let mut visit = visit("welcome-back");
    visit.event("page", &path("/"));
    visit.wait(29 * DAY).event("page", &path("/"));
    assert!(!visit.shows());
    visit.wait(30 * DAY).event("page", &path("/"));
    assert!(visit.shows());
}
