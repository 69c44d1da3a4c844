//! Times as days and clocks, and cells of tables, in contents: natively at the edge and from the pages' program alike.

mod common;

use common::{Site, codes, compiled, rendered, small_site};
use selvedge_compiler::{Code, Severity, compile};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::rules::{Image, Moment, Orders, Place, content, decide, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::state::VisitorState;

const RULES: &str = "
attributes:
  ends_at:
    type: time
    from: visitor
rules:
  - id: offer-hero
    when: WHEN
    show:
      slot: hero
      content: shown
";

fn site(content: &str, when: &str, timezone: &str) -> Site {
    let mut files = small_site();
    let offer = "offer:\n  type: text\n  text: Shoes ship free today.\n";
    files.insert("content.yaml".to_owned(), format!("{offer}shown:\n{content}"));
    files.insert("rules.yaml".to_owned(), RULES.replace("WHEN", when));
    let lines = files["site.yaml"].lines().filter(|line| !line.starts_with("timezone:"));
    let rest = lines.collect::<Vec<_>>().join("\n");
    let lookups =
        "lookups:\n  catalog:\n    key: sku\n    from: csv catalog.csv\n    columns:\n      price: money\n";
    files.insert("site.yaml".to_owned(), format!("timezone: {timezone}\n{rest}\n{lookups}"));
    let rows = "sku,name,stock,price\na,Fjäll <b>,3,129.5\nb,,0,59\n";
    files.insert("catalog.csv".to_owned(), rows.to_owned());
    files
}

fn wording(text: &str) -> String {
    format!("  type: text\n  text: '{}'\n", text.replace('\'', "''"))
}

/// What a visitor in this language, on the page of this product, finds in the hero. Where the rule runs in the page too, that
/// must be the same.
fn said(files: &Site, language: &str, sku: &str, ends_at: Option<&str>) -> Option<String> {
    let program = compiled(files);
    let of = |bytes: &[u8], place| run(bytes, place, (language, sku), ends_at);
    let edge = of(&program.full_bytes, Place::Edge);
    if program.summary.rules[0].in_page {
        assert_eq!(of(&program.public_bytes, Place::Page), edge);
    }
    edge
}

fn run(bytes: &[u8], place: Place, (language, sku): (&str, &str), ends_at: Option<&str>) -> Option<String> {
    let now_ms = 1_780_000_000_000;
    let image = Image::open(bytes.to_vec()).expect("opens");
    let map = |entries: &[(&str, &str)]| -> Map {
        entries.iter().map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned()))).collect()
    };
    let context = map(&[("language", language)]);
    let mut state = VisitorState::new(now_ms);
    let granted = Purposes::NECESSARY.or(Purposes::ANALYTICS).or(Purposes::PERSONALIZATION);
    let moment = Moment {
        writer: WriterId::mint(now_ms.cast_unsigned(), 7),
        context: &context,
        now_ms,
        in_force: granted,
        place,
        trust: Trust::Client,
        account: None,
        visitor: VisitorId([7; 16]),
        orders: Orders::default(),
    };
    let told: Vec<(&str, &str)> = ends_at.map(|time| ("ends_at", time)).into_iter().collect();
    let page = map(&[("sku", sku)]);
    let events = [(EventType::Page, "page", page), (EventType::Identify, "identify", map(&told))];
    for ((event_type, name, properties), sequence) in events.into_iter().zip(1..) {
        let sequence = Sequence::new(sequence).expect("small");
        let time_ms = now_ms.cast_unsigned();
        let name = name.to_owned();
        let event =
            Event { sequence, event_type, name, time_ms, consent: 0, properties, context: Map::new() };
        step(&image, &mut state, &event, granted, &moment);
    }
    let decisions = decide(&image, &mut state, &moment);
    let hero = decisions.iter().find(|decision| image.slot_name(decision.slot) == "hero").expect("a hero");
    let content = content(&image, &state, &moment, hero)?;
    Some(content.fields.into_iter().find(|(name, _)| name == "text").expect("a text").1)
}

fn errors(files: &Site) -> Vec<Code> {
    codes(files).into_iter().filter(|code| code.severity() == Severity::Error).collect()
}

#[test]
fn each_language_writes_days_and_times_its_own_way() {
    let ends_at = Some("2026-12-24T17:05:00Z");
    let text = wording(
        "{{ends_at as date else \"-\"}} | {{ends_at as day else \"-\"}} | {{ends_at as time else \"-\"}}",
    );
    for (language, expected) in [
        ("en", "Dec 24, 2026 | Thursday, December 24 | 6:05\u{a0}PM"),
        ("en-GB", "24 Dec 2026 | Thursday, 24 December | 18:05"),
        ("de", "24.12.2026 | Donnerstag, 24. Dezember | 18:05"),
        ("fr", "24/12/2026 | jeudi 24 décembre | 18:05"),
        ("nl", "24-12-2026 | donderdag 24 december | 18:05"),
        ("fi", "24.12.2026 | torstai 24. joulukuuta | 18.05"),
        ("ja", "2026年12月24日 | 12月24日木曜日 | 18:05"),
        ("sv", "24 dec 2026 | torsdag 24 december | 18:05"),
        ("pl", "24.12.2026 | czwartek, 24 grudnia | 18:05"),
    ] {
        let mut files = site(&text, "session.pages >= 1", "Europe/Berlin");
        let with_language = format!("{}language: {language}\n", files["site.yaml"]);
        files.insert("site.yaml".to_owned(), with_language);
        assert_eq!(said(&files, "xx", "a", ends_at).as_deref(), Some(expected), "{language}");
    }
}

#[test]
fn days_and_times_are_those_of_the_site_s_time_zone() {
    let text = wording("{{ends_at as day else \"-\"}}, {{ends_at as time else \"-\"}}");
    for (timezone, time, expected) in [
        ("UTC", "2026-12-31T23:30:00Z", "Thursday, December 31, 11:30\u{a0}PM"),
        ("Europe/Berlin", "2026-12-31T23:30:00Z", "Friday, January 1, 12:30\u{a0}AM"),
        ("America/New_York", "2026-03-08T06:59:59Z", "Sunday, March 8, 1:59\u{a0}AM"),
        ("America/New_York", "2026-03-08T07:00:00Z", "Sunday, March 8, 3:00\u{a0}AM"),
        ("America/New_York", "2026-11-01T05:59:00Z", "Sunday, November 1, 1:59\u{a0}AM"),
        ("America/New_York", "2026-11-01T06:00:00Z", "Sunday, November 1, 1:00\u{a0}AM"),
        ("Asia/Kolkata", "2024-02-29T06:30:00Z", "Thursday, February 29, 12:00\u{a0}PM"),
        ("Pacific/Apia", "2026-06-30T11:00:00Z", "Wednesday, July 1, 12:00\u{a0}AM"),
    ] {
        let files = site(&text, "session.pages >= 1", timezone);
        assert_eq!(said(&files, "en", "a", Some(time)).as_deref(), Some(expected), "{timezone} {time}");
    }
}

#[test]
fn what_stands_in_for_a_time_stands_there_once() {
    let files = site(&wording("until {{ends_at as date else \"soon\"}}."), "session.pages >= 1", "UTC");
    assert_eq!(said(&files, "en", "a", None).as_deref(), Some("until soon."));
    let computed = wording("{{now + 36h as day}} {{now + 36h as time}}");
    let files = site(&computed, "session.pages >= 1", "UTC");
    assert_eq!(said(&files, "en", "a", None).as_deref(), Some("Saturday, May 30 8:26\u{a0}AM"));
    let surely = site(&wording("{{ends_at as date}}"), "ends_at within next 3d", "UTC");
    assert_eq!(said(&surely, "en", "a", Some("2026-05-30")).as_deref(), Some("May 30, 2026"));
}

#[test]
fn cells_of_tables_stand_in_texts() {
    let text = "{{catalog[page.sku].name else \"this\"}}: {{catalog[page.sku].price else \"?\"}}, {{catalog[page.sku].stock - 1 else \"no\"}} more";
    let files = site(&wording(text), "session.pages >= 1", "UTC");
    let why = &compiled(&files).summary.rules[0];
    assert!(!why.in_page && why.why.concat().contains("catalog"), "only the edge has tables: {why:?}");
    for (sku, expected) in
        [("a", "Fjäll <b>: €129.50, 2 more"), ("b", "this: €59, -1 more"), ("c", "this: ?, no more")]
    {
        assert_eq!(said(&files, "en", sku, None).as_deref(), Some(expected), "{sku}");
    }
    let markup = "  type: html\n  html: '<p>{{catalog[page.sku].name else \"\"}}</p>'\n";
    let files = site(markup, "session.pages >= 1", "UTC");
    let program = compiled(&files);
    assert!(!String::from_utf8_lossy(&program.public_bytes).contains("Fjäll"), "pages never see a table");
}

#[test]
fn a_rule_that_compares_the_cell_needs_no_else() {
    let text = wording("Only {{catalog[page.sku].stock}} left of {{catalog[page.sku].name}}");
    let known = "catalog[page.sku].stock between 1 and 5 and catalog[page.sku].name is known";
    let files = site(&text, known, "UTC");
    assert_eq!(errors(&files), [], "{}", rendered(&files, &compile(&files)));
    assert_eq!(said(&files, "en", "a", None).as_deref(), Some("Only 3 left of Fjäll <b>"));
    let files = site(&text, "catalog[page.sku].stock between 1 and 5", "UTC");
    assert_eq!(errors(&files), [Code::E0602], "the name may be missing");
}

#[test]
fn what_cannot_be_written_so_says_what_to_write_instead() {
    for (text, code, told) in [
        ("{{ends_at else \"-\"}}", Code::E0604, "`as date`, `as day`, `as time`"),
        ("{{ends_at as 0.0 else \"-\"}}", Code::E0604, "`as date`"),
        ("{{session.pages as date else \"-\"}}", Code::E0604, "a number is not written so"),
        ("{{catalog[page.sku].nmae else \"-\"}}", Code::E0234, "`name`"),
        ("{{catalgo[page.sku].name else \"-\"}}", Code::E0234, "`catalog`"),
        ("{{catalog[session.pages].name else \"-\"}}", Code::E0301, "looked up by a text"),
        ("{{catalog[page.sku] else \"-\"}}", Code::E0601, "expected `.`"),
        ("{{catalog[page.sku.name else \"-\"}}", Code::E0601, "expected `]`"),
        ("{{catalog[page.sku].name}}", Code::E0602, "may be unknown"),
        ("{{catalog[\"a\"].name else \"-\"}}", Code::E0601, "the name of a fact"),
        ("{{ends_at as date else 5}}", Code::E0604, "a text in quotes"),
    ] {
        let files = site(&wording(text), "session.pages >= 1", "UTC");
        let compilation = compile(&files);
        let found = rendered(&files, &compilation);
        assert_eq!(errors(&files), [code], "{text}\n{found}");
        assert!(found.contains(told), "{text}\n{found}");
    }
}

#[test]
fn a_fallback_cannot_hold_what_only_the_edge_knows() {
    let mut files = site(&wording("{{catalog[page.sku].name else \"-\"}}"), "session.pages >= 1", "UTC");
    let fallback = files["site.yaml"].replace("fallback: offer", "fallback: shown");
    files.insert("site.yaml".to_owned(), fallback);
    assert_eq!(errors(&files), [Code::E0607]);
}
