//! Facts of facts, times, lists, accounts: what a marketer writes is what a visitor sees.

mod common;

use common::visit::{DAY, HOUR, MINUTE, START_MS, Visit, int, list, map, object, text};
use common::{codes, with_condition};
use selvedge_compiler::Code;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::state::VisitorState;

const HEAD: &str = r"attributes:
  trial_ends_at:
    type: time
    from: profile
  interests:
    type: list
    from: visitor
    ttl: 7d
  bought:
    type: list
    from: visitor
    set:
      purchase:
        property: items.category
  budget:
    type: money
    from: visitor
  spent:
    type: money
    from: visitor
    set:
      purchase:
        property: value
  seats:
    type: number
    from: account
  favourite:
    type: text
    from: visitor
";

const PLAN: &str = r"  flight_search:
    purposes: [analytics, personalization]
    properties:
      route:
        type: text
      departs_at:
        type: time
      back_at:
        type: time
  order:
    purposes: [analytics, personalization]
    properties:
      value:
        type: money
      items:
        type: list
";

fn site(condition: &str) -> common::Site {
    let mut files = with_condition(HEAD, condition);
    let plan = files["tracking-plan.yaml"].replace("  purchase:\n", &format!("{PLAN}  purchase:\n"));
    files.insert("tracking-plan.yaml".to_owned(), format!("{plan}      items:\n        type: list\n"));
    let lists = "lookups:\n  catalog:\n    key: sku\n    from: csv catalog.csv\n    columns:\n      price: money\n      since: time\nlists:\n  partners: [fjell, nordgang]\n  vips:\n    csv: vips.csv\n    column: sku\n";
    files.insert("site.yaml".to_owned(), format!("{}{lists}", files["site.yaml"]));
    let catalog = "sku,stock,price,kind,sale,since\nNG-2,0,59,hats,false,2026-11-20\nNG-1,4,129.95,shoes,true,\nNG-3,,1,,,\n";
    files.insert("catalog.csv".to_owned(), catalog.to_owned());
    files.insert("vips.csv".to_owned(), "name,sku\n\"Boot, high\",NG-1\nCap,NG-2\n".to_owned());
    files
}

fn visit(condition: &str) -> Visit {
    Visit::new(&site(condition))
}

#[test]
fn a_trial_ends_within_three_days() {
    let mut visit = visit("trial_ends_at within next 3d");
    assert!(!visit.shows());
    visit.event("identify", &[("trial_ends_at", text("2026-11-27T10:00:00Z"))]);
    assert!(!visit.shows());
    assert!(!visit.wait(2 * DAY - 1).shows());
    assert!(visit.wait(1).shows());
    assert!(visit.wait(3 * DAY).shows());
    assert!(!visit.wait(1).shows());
}

#[test]
fn the_last_seven_days_end_now() {
    let mut visit = visit("trial_ends_at within last 7d");
    visit.event("identify", &[("trial_ends_at", text("2026-11-22T12:00:00+01:00"))]);
    assert!(!visit.shows(), "it is ahead");
    assert!(visit.wait(HOUR).shows());
    assert!(visit.wait(7 * DAY).shows());
    assert!(!visit.wait(1).shows());
}

#[test]
fn the_clock_is_that_of_the_site_and_knows_daylight_saving() {
    // Sunday, 22 November 2026, 10:00 UTC: 11:00 in Berlin. 29 March 2027, 09:00 UTC is 11:00 there too.
    for (condition, expected) in [
        ("now between 22:00 and 07:00", [false, false]),
        ("now between 07:00 and 22:00", [true, true]),
        ("now between 11:00 and 11:01", [true, true]),
        ("now between 10:00 and 11:00", [false, false]),
        ("not now between 10:00 and 11:00", [true, true]),
        ("time_of_day < 11:00", [false, false]),
        ("now >= 11:00 and weekday = \"sun\"", [true, false]),
        ("weekday in [\"mon\", \"tue\"]", [false, true]),
    ] {
        let mut visit = visit(condition);
        assert_eq!(visit.shows(), expected[0], "{condition}");
        assert_eq!(visit.wait(127 * DAY - HOUR).shows(), expected[1], "{condition}");
    }
}

#[test]
fn the_clock_of_the_visitor_is_unknown_until_it_is_said() {
    let mut visit = visit("now between 22:00 and 07:00 in visitor_local and visitor.weekday = \"sat\"");
    assert!(!visit.shows());
    visit.context = map(&[("utc_offset", int(-11 * 60))]);
    assert!(visit.shows(), "it is still Saturday, 23:00");
    visit.event("page", &[]);
    visit.context = map(&[]);
    assert!(visit.wait(HOUR - 1).shows());
    assert!(!visit.wait(1).shows());
}

#[test]
fn a_day_is_all_of_it() {
    for (condition, expected) in [
        ("now = \"2026-11-22\"", true),
        ("now != \"2026-11-22\"", false),
        ("now > \"2026-11-22\"", false),
        ("now >= \"2026-11-22\" and now <= \"2026-11-22\"", true),
        ("now < \"2026-11-22\"", false),
        ("now between \"2026-11-01\" and \"2026-11-22\"", true),
        ("now in [\"2026-11-21\", \"2026-11-23\"]", false),
        ("now >= \"2026-11-22T11:00:00+01:00\"", true),
        ("now > \"2026-11-22T11:00:00+01:00\"", false),
    ] {
        assert_eq!(visit(condition).shows(), expected, "{condition}");
    }
}

#[test]
fn how_long_the_session_lasts_and_when_the_one_before_began() {
    let mut long = visit("now - session.start >= 10m");
    long.event("page", &[]);
    assert!(!long.wait(10 * MINUTE - 1).shows());
    assert!(long.wait(1).shows());
    let mut back = visit("session.start - previous session.start <= 1d");
    back.event("page", &[]);
    assert!(!back.shows());
    back.wait(HOUR).event("page", &[]);
    assert!(back.shows());
    back.wait(2 * DAY).event("page", &[]);
    assert!(!back.shows());
}

#[test]
fn a_departure_within_two_weeks_searched_twice() {
    let mut visit =
        visit("(count flight_search where departs_at within next 14d and route = \"VIE-OSL\" in 7d) >= 2");
    let search = |at: &str| [("route", text("VIE-OSL")), ("departs_at", text(at))];
    visit.event("flight_search", &search("2026-12-01T08:00:00Z"));
    visit.event("flight_search", &search("2026-12-21T08:00:00Z"));
    visit.event("flight_search", &[("route", text("VIE-OSL"))]);
    assert!(!visit.shows());
    visit.event("flight_search", &search("2026-12-06T10:00:00Z"));
    assert!(visit.shows());
}

#[test]
fn two_properties_of_one_event_are_compared() {
    let mut visit = visit("(count flight_search where back_at - departs_at <= 3d in session) >= 1");
    let out = text("2026-12-01T08:00:00Z");
    visit.event("flight_search", &[("departs_at", out.clone()), ("back_at", text("2026-12-05T08:00:00Z"))]);
    assert!(!visit.shows());
    visit.event("flight_search", &[("departs_at", out), ("back_at", text("2026-12-04T08:00:00Z"))]);
    assert!(visit.shows());
}

#[test]
fn one_fact_is_compared_with_another() {
    let mut over = visit("spent > budget");
    over.event("identify", &[("budget", int(100))]);
    assert!(!over.shows(), "nothing is known of what was spent");
    over.event("purchase", &[("value", int(100))]);
    assert!(!over.shows());
    over.event("purchase", &[("value", int(101))]);
    assert!(over.shows());
    let mut left = visit("budget - spent between 20 EUR and 50 EUR");
    left.event("identify", &[("budget", int(100))]);
    left.event("purchase", &[("value", int(60))]);
    assert!(left.shows());
    left.event("purchase", &[("value", int(81))]);
    assert!(!left.shows());
    let mut liked = visit("page.path = favourite");
    liked.event("page", &[("path", text("/a"))]);
    liked.event("identify", &[("favourite", text("/b"))]);
    assert!(!liked.shows());
    liked.event("page", &[("path", text("/b"))]);
    assert!(liked.shows());
}

#[test]
fn a_count_is_compared_with_a_built_in_number() {
    let mut visit = visit("(count product_view in 7d) > session.pages");
    visit.event("page", &[]);
    let view = [("sku", text("NG-1")), ("category", text("shoes"))];
    visit.event("product_view", &view);
    assert!(!visit.shows());
    visit.event("product_view", &view);
    assert!(visit.shows());
}

#[test]
fn the_last_purchase_held_a_printer() {
    let mut visit = visit("bought contains \"printer\"");
    let item = |category: &str| object(&[("category", text(category))]);
    visit.event("purchase", &[("items", list(&[item("cable"), item("printer")]))]);
    assert!(visit.shows());
    visit.event("purchase", &[("items", list(&[item("paper")]))]);
    assert!(!visit.shows());
}

#[test]
fn an_item_passes_as_a_whole() {
    let item = |category: &str, price: i64| object(&[("category", text(category)), ("price", int(price))]);
    for (condition, expected) in [
        ("any(items, category = \"printer\" and price > 20 EUR)", [true, false, false]),
        ("all(items, price > 20 EUR)", [true, false, true]),
        ("none(items, category = \"ink\")", [true, false, true]),
        ("not any(items, category = \"ink\")", [true, false, true]),
    ] {
        let orders = [vec![item("printer", 30)], vec![item("printer", 20), item("ink", 30)], vec![]];
        for (items, expected) in orders.iter().zip(expected) {
            let mut visit = visit(&format!("(count order where {condition} in session) = 1"));
            visit.event("order", &[("items", list(items))]);
            assert_eq!(visit.shows(), expected, "{condition} {items:?}");
        }
    }
}

#[test]
fn a_list_is_stale_after_its_time() {
    let mut visit = visit("not interests contains \"hats\"");
    visit.event("identify", &[("interests", list(&[text("shoes")]))]);
    assert!(visit.wait(7 * DAY).shows());
    assert!(!visit.wait(1).shows(), "it may hold anything by now");
}

#[test]
fn texts_are_looked_up_in_lists_of_the_site() {
    let mut named = visit("(count product_view where brand in partners in session) >= 1");
    named.event("product_view", &[("sku", text("x")), ("category", text("y")), ("brand", text("fjell"))]);
    assert!(named.shows());
    let mut from_file = visit("(count add_to_cart where sku not in vips in session) >= 1");
    from_file.event("add_to_cart", &[("sku", text("NG-2"))]);
    assert!(!from_file.shows());
    from_file.event("add_to_cart", &[("sku", text("NG-3"))]);
    assert!(from_file.shows());
}

#[test]
fn a_rule_can_demand_a_server() {
    let mut visit = visit("(count purchase where event.trust = \"server\" in 30d) >= 1");
    visit.event("purchase", &[]);
    assert!(!visit.shows());
    visit.trust = Trust::Server;
    visit.event("purchase", &[]);
    assert!(visit.shows());
}

#[test]
fn members_of_an_account_share_what_is_of_it() {
    let site = site("(count page where now > \"2026-01-01\" in 7d of account) >= 3 and seats >= 2");
    let mut account = VisitorState::new(START_MS);
    for member in 0..3 {
        let mut visit = Visit::new(&site);
        visit.account = Some(account.clone());
        visit.wait(member * DAY).event("page", &[]);
        visit.event("group", &[("seats", int(2))]);
        assert_eq!(visit.shows(), member == 2);
        account = visit.account.take().unwrap();
        assert!(!visit.shows(), "without its account nothing is known of it");
    }
}

fn look<'a>(visit: &'a mut Visit, sku: &str, category: &str) -> &'a mut Visit {
    visit.event("product_view", &[("sku", text(sku)), ("category", text(category))])
}

#[test]
fn three_different_products_in_seven_days() {
    let mut visit = visit("(distinct product_view.sku in 7d) >= 3");
    look(&mut visit, "a", "x");
    look(&mut visit, "b", "x");
    look(&mut visit, "a", "x");
    assert!(!visit.shows());
    assert!(look(&mut visit, "c", "x").shows());
    look(visit.wait(7 * DAY - 1), "c", "x");
    assert!(visit.shows());
    assert!(!visit.wait(1).shows(), "two of them are older");
}

#[test]
fn beyond_what_is_kept_different_values_are_estimated() {
    let mut visit = visit("(distinct product_view.sku in ever max 16) between 100 and 400");
    for at in 0..200 {
        look(&mut visit, &format!("sku-{at}"), "x");
        look(&mut visit, &format!("sku-{at}"), "x");
    }
    assert!(visit.shows());
}

#[test]
fn three_articles_of_one_section_in_a_session() {
    let mut visit = visit("(count product_view by category in session top) >= 3");
    for category in ["a", "b", "a", "b"] {
        assert!(!look(&mut visit, "x", category).shows());
    }
    assert!(look(&mut visit, "x", "b").shows());
}

#[test]
fn the_product_on_the_page_was_seen_three_times() {
    let mut visit = visit("(count product_view where sku = page.sku and category = \"shoes\" in 7d) >= 3");
    for _ in 0..3 {
        look(&mut visit, "NG-1", "shoes");
        look(&mut visit, "NG-2", "hats");
    }
    assert!(!visit.shows(), "no product is open");
    visit.event("page", &[("sku", text("NG-2"))]);
    assert!(!visit.shows());
    visit.event("page", &[("sku", text("NG-1"))]);
    assert!(visit.shows());
    assert!(!visit.wait(7 * DAY).shows());
}

#[test]
fn the_first_the_last_and_the_one_before() {
    let conditions = [
        "(first product_view.category) = \"a\"",
        "(last product_view.category) = \"c\"",
        "(previous product_view.category) = \"b\"",
        "(most_frequent product_view.category in 7d) = \"b\"",
        "(last product_view.category) != (first product_view.category)",
    ];
    for condition in conditions {
        let mut visit = visit(condition);
        assert!(!visit.shows(), "{condition}");
        for category in ["a", "b", "b", "c"] {
            look(visit.wait(MINUTE), "x", category);
        }
        assert!(visit.shows(), "{condition}");
        for category in ["d", "d", "d"] {
            look(visit.wait(MINUTE), "x", category);
        }
        assert_eq!(visit.shows(), condition.contains("(first"), "{condition}");
    }
}

/// A visitor is born where its first batch is sent, and what that tells of was before.
#[test]
fn what_came_with_the_first_batch_is_as_well_known() {
    let conditions =
        ["(last product_view.category) = \"b\"", "(previous product_view.category in session) = \"a\""];
    for condition in conditions {
        let mut visit = visit(condition);
        look(visit.wait(-2 * MINUTE), "x", "a");
        look(visit.wait(MINUTE), "x", "b");
        assert_eq!(visit.wait(MINUTE).truth(), Some(true), "{condition}");
    }
}

#[test]
fn how_long_ago_it_was() {
    let mut visit = visit("(time since purchase) <= 7d");
    assert!(!visit.shows());
    visit.event("purchase", &[]);
    assert!(visit.wait(7 * DAY).shows());
    assert!(!visit.wait(1).shows());
    let mut never = Visit::new(&site("(time since purchase) is missing"));
    never.event("page", &[]);
    assert!(never.shows());
}

#[test]
fn a_cart_between_30_and_50_euros() {
    let mut visit =
        visit("cart.value between 30 EUR and 50 EUR and cart.items >= 2 and cart.last_sku = \"NG-2\"");
    let add = |sku: &str, value: i64| [("sku", text(sku)), ("value", int(value))];
    visit.event("add_to_cart", &add("NG-1", 20));
    assert!(!visit.shows());
    visit.event("add_to_cart", &add("NG-2", 18));
    assert!(visit.shows());
    visit.event("add_to_cart", &add("NG-2", 18));
    assert!(!visit.shows());
    visit.event("purchase", &[]);
    assert!(!visit.shows());
}

#[test]
fn what_a_table_says_of_the_open_product() {
    for (condition, expected) in [
        ("catalog[page.sku].stock >= 1", [true, false, false, false]),
        ("catalog[page.sku].stock < 1", [false, true, false, false]),
        ("catalog[page.sku].stock is missing", [false, false, true, true]),
        ("catalog[page.sku].price < 100 EUR", [false, true, true, false]),
        ("catalog[page.sku].kind = \"shoes\"", [true, false, false, false]),
        ("catalog[page.sku].kind starts_with \"h\"", [false, true, false, false]),
        ("catalog[page.sku].sale", [true, false, false, false]),
        ("not catalog[page.sku].sale", [false, true, false, false]),
        ("catalog[page.sku].since within last 7d", [false, true, false, false]),
        ("(catalog[page.sku].stock else 9) > 4", [false, false, true, true]),
        ("catalog[page.sku].kind = catalog[page.sku].kind", [true, true, false, false]),
    ] {
        for (sku, expected) in ["NG-1", "NG-2", "NG-3", "NG-4"].into_iter().zip(expected) {
            let mut visit = visit(condition);
            visit.event("page", &[("sku", text(sku))]);
            assert_eq!(visit.shows(), expected, "{condition} {sku}");
        }
    }
    let mut cart = visit("catalog[cart.last_sku].stock >= 1");
    cart.event("add_to_cart", &[("sku", text("NG-2"))]);
    assert!(!cart.shows());
    cart.event("add_to_cart", &[("sku", text("NG-1"))]);
    assert!(cart.shows());
}

const PUSHED: &str = "lookups:\n  live:\n    key: sku\n    from: push\n    ttl: 1h\n    columns:\n      stock: number\n      name: text\n";

fn with_pushed(condition: &str) -> common::Site {
    let mut files = site(condition);
    let yaml = files["site.yaml"].replace("lookups:\n", PUSHED);
    files.insert("site.yaml".to_owned(), yaml);
    files
}

#[test]
fn rows_that_are_pushed_are_known_until_their_time() {
    use selvedge_core::wire::program::LookupCell::{Missing, Number, Text};
    let files = with_pushed("live[page.sku].stock >= 1");
    let until = Number(START_MS + HOUR);
    let row = |stock| [Number(stock), Text("Boot".into()), until.clone()];
    let mut visit = Visit::new(&files);
    visit.event("page", &[("sku", text("NG-1"))]);
    assert!(!visit.shows(), "nothing was pushed yet");
    assert!(!visit.pushed(&files, &[("NG-1", &row(0))]).shows());
    assert!(visit.pushed(&files, &[("NG-0", &row(0)), ("NG-1", &row(5_000_000))]).shows());
    assert!(visit.wait(HOUR).shows());
    assert!(!visit.wait(1).shows(), "its time is over");
    let mut kept = Visit::new(&files);
    kept.event("page", &[("sku", text("NG-1"))]);
    assert!(kept.pushed(&files, &[("NG-1", &[Number(1_000_000), Missing, Missing])]).wait(9 * HOUR).shows());
}

#[test]
fn what_was_not_pushed_is_unknown_and_what_is_not_in_the_table_is_missing() {
    use selvedge_core::wire::program::LookupCell::{Missing, Number, Text};
    let row = [Missing, Text("Boot".into()), Number(START_MS + HOUR)];
    for (condition, sku, before, after, over) in [
        ("live[page.sku].stock is missing", "NG-1", false, true, false),
        ("live[page.sku].stock is missing", "NG-2", false, true, true),
        ("live[page.sku].name = \"Boot\"", "NG-1", false, true, false),
        ("live[page.sku].name != \"Cap\"", "NG-2", false, false, false),
        ("(live[page.sku].stock else 3) >= 3", "NG-1", false, true, false),
    ] {
        let files = with_pushed(condition);
        let mut visit = Visit::new(&files);
        visit.event("page", &[("sku", text(sku))]);
        assert_eq!(visit.shows(), before, "{condition} {sku} before");
        assert_eq!(visit.pushed(&files, &[("NG-1", &row)]).shows(), after, "{condition} {sku} after");
        assert_eq!(visit.wait(HOUR + 1).shows(), over, "{condition} {sku} over");
    }
}

#[test]
fn a_push_that_does_not_fit_is_refused() {
    use selvedge_core::wire::program::{LookupRow, with_rows};
    let full = common::compiled(&with_pushed("live[page.sku].stock >= 1")).full_bytes;
    let row = |key: &str| LookupRow { key: key.into(), cells: Vec::new() };
    assert!(with_rows(&full, &[(0, vec![row("a"), row("b")])]).is_ok());
    assert!(with_rows(&full, &[(1, vec![row("a")])]).is_err(), "there is no such table");
    assert!(with_rows(&full, &[(0, (0..20_001).map(|at| row(&format!("{at:05}"))).collect())]).is_err());
    assert!(with_rows(b"nothing", &[]).is_err());
}

#[test]
fn a_table_stays_at_the_edge() {
    let files = site("catalog[page.sku].stock >= 1");
    let program = common::compiled(&files);
    assert!(!program.full.rules[0].in_page && program.public.rules.is_empty());
    let holds = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"NG-2");
    assert!(holds(&program.full_bytes) && !holds(&program.public_bytes));
    let mut changed = files.clone();
    changed.get_mut("catalog.csv").unwrap().push_str("NG-9,1,1,hats,true,\n");
    assert_ne!(common::compiled(&changed).hash, program.hash, "a table is part of its program");
}

#[test]
fn a_table_with_faults_is_refused() {
    for (csv, what) in [
        ("sku,stock\na,1\na,2\n", "twice"),
        ("sku,stock\n,1\n", "no key"),
        ("id,stock\na,1\n", "no column of the key"),
        ("sku,stock\na,1,2\n", "too many cells"),
        ("sku,price\na,dear\n", "no amount"),
    ] {
        let mut files = site("page.path = \"/\"");
        let yaml = files["site.yaml"].replace("      since: time\n", "");
        files.insert("site.yaml".to_owned(), yaml);
        files.insert("catalog.csv".to_owned(), csv.replace("stock", "price"));
        assert_eq!(codes(&files), [Code::E0430], "{what}");
    }
}

#[test]
fn what_cannot_be_compared_is_refused() {
    for (condition, code) in [
        ("trial_ends_at >= 3d", Code::E0301),
        ("trial_ends_at - now >= 3", Code::E0301),
        ("budget - seats > 3", Code::E0301),
        ("favourite < page.path", Code::E0302),
        ("interests = \"a\"", Code::E0302),
        ("session.pages within next 3d", Code::E0302),
        ("now within last 3d", Code::E0302),
        ("page.path = gold", Code::E0201),
        ("utm.source in nobody", Code::E0231),
        ("any(interests, item = \"a\")", Code::E0230),
        ("(count order where any(value, price > 3) in session) >= 1", Code::E0203),
        ("(count order where any(items, price is known) in session) >= 1", Code::E0302),
        ("now >= \"tomorrow\"", Code::E0232),
        ("(distinct product_view.sku in 7d max 0) >= 1", Code::E0016),
        ("(distinct product_view.tags in 7d) >= 1", Code::E0302),
        ("(most_frequent product_view.category in 7d) contains \"x\"", Code::E0302),
        ("(most_frequent product_view.value in 7d) > 3 EUR", Code::E0302),
        ("(time since purchase) >= 3", Code::E0301),
        ("catalog[page.sku].weight > 3", Code::E0234),
        ("catalog[session.pages].stock > 3", Code::E0301),
        ("(count product_view where catalog[sku].stock > 3 in session) >= 1", Code::E0209),
        ("session.pages > (session.number)", Code::E0103),
        ("(count product_view where sku = page.sku and category = page.category in 7d) >= 1", Code::E0209),
    ] {
        assert_eq!(codes(&site(condition)), [code], "{condition}");
    }
    assert_eq!(map(&[]).len(), 0);
}
