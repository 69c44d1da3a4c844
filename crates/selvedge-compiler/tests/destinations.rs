//! Destinations of site.yaml, as they stand in the program.

mod common;

use common::{Site, rendered, small_site};
use selvedge_compiler::{Code, Compiled, compile};
use selvedge_core::consent::Purposes;
use selvedge_core::number::Number;
use selvedge_core::rules::{Program, passes};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{
    Destination, Full, Header, HttpFormat, Mechanism, OnUnknown, RecordKind, Records, Requires, Way,
};

/// The small site with these destinations.
fn site(destinations: &str) -> Site {
    let mut files = small_site();
    let site = files.get_mut("site.yaml").expect("a site.yaml");
    let before = site.find("destinations:").expect("destinations");
    site.truncate(before);
    site.push_str("destinations:\n");
    destinations.lines().for_each(|line| {
        site.push_str("  ");
        site.push_str(line);
        site.push('\n');
    });
    files
}

fn compiled(destinations: &str) -> Compiled {
    let files = site(destinations);
    let compilation = compile(&files);
    let said = rendered(&files, &compilation);
    compilation.program.unwrap_or_else(|| panic!("{said}"))
}

fn only(destinations: &str) -> Destination {
    let mut found = compiled(destinations).full.destinations;
    assert_eq!(found.len(), 1);
    found.remove(0)
}

fn codes(destinations: &str) -> Vec<Code> {
    compile(&site(destinations)).diagnostics.iter().map(|found| found.code).collect()
}

const MAIL: &str = "mail:
  type: http
  purposes: [personalization]
  url: https://mail.example/in
";

#[test]
fn an_http_destination_is_what_was_written() {
    let found = only(
        r#"mail:
  type: http
  purposes: [personalization, analytics]
  requires: any
  on_unknown: hold
  url: https://mail.example:8443/in?shop=1
  format: segment-batch
  secrets: [MAIL_SECRET, MAIL_SECRET_OLD]
  headers:
    x-shop: nordgang
    Authorization: {prefix: "Bearer ", secret: MAIL_TOKEN}
  records: [event, goal]
  sample: 12.5%
  remove: [properties.sku, context.*]
  rename: {properties.value: revenue}
  when_full: drop_oldest
  limits: {age: 6h, bytes: 5MB}
"#,
    );
    let Way::Http(http) = &found.way else { panic!("{found:?}") };
    assert_eq!((&*http.url, http.format), ("https://mail.example:8443/in?shop=1", HttpFormat::SegmentBatch));
    assert_eq!(http.secrets, ["MAIL_SECRET", "MAIL_SECRET_OLD"]);
    let header = |name: &str, value: &str, secret: Option<&str>| Header {
        name: name.into(),
        value: value.into(),
        secret: secret.map(Into::into),
    };
    let expected =
        [header("x-shop", "nordgang", None), header("authorization", "Bearer ", Some("MAIL_TOKEN"))];
    assert_eq!(http.headers, expected);
    assert_eq!(found.purposes, Purposes::PERSONALIZATION.or(Purposes::ANALYTICS));
    assert_eq!((found.requires, found.sample, found.when_full), (Requires::Any, 1_250, Full::DropOldest));
    assert_eq!(found.on_unknown, OnUnknown::Hold);
    assert_eq!(found.records, Records::default().with(RecordKind::Event).with(RecordKind::Goal));
    assert_eq!((found.age_ms_max, found.bytes_max), (6 * 3_600_000, 5_000_000));
    assert_eq!(found.remove, ["properties.sku", "context.*"]);
    assert_eq!(found.rename, [("properties.value".to_owned(), "revenue".to_owned())]);
}

#[test]
fn a_kafka_destination_is_encrypted_where_nothing_is_said() {
    let found = only(
        "orders:
  type: kafka
  purposes: [analytics]
  brokers: [b1.kafka.example:9092, b2.kafka.example:9092]
  topic: shop.events
  sasl: {mechanism: scram-sha-512, username: shop, password: KAFKA_PASSWORD}
  compression: gzip
",
    );
    let Way::Kafka(kafka) = &found.way else { panic!("{found:?}") };
    let sasl = kafka.sasl.as_ref().expect("a login");
    assert!(kafka.tls && kafka.gzip && kafka.brokers.len() == 2);
    assert_eq!((sasl.mechanism, &*sasl.password), (Mechanism::ScramSha512, "KAFKA_PASSWORD"));
    assert_eq!((found.records, found.requires), (Records::ALL, Requires::All));
    assert_eq!(found.on_unknown, OnUnknown::Drop);
}

#[test]
fn pages_are_told_of_no_destination() {
    let compiled = compiled(&format!("{MAIL}  when: name = \"purchase\"\n"));
    assert!(compiled.public.destinations.is_empty());
    let bytes = |text: &str| compiled.public_bytes.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(!bytes("mail.example") && !bytes("properties."), "the page's program names a destination");
}

/// A record with these columns and properties.
fn record(columns: &[(&str, &str)], properties: &[(&str, Value)]) -> Map {
    let text = |text: &str| Value::Text(text.into());
    let mut record: Map = columns.iter().map(|(name, value)| ((*name).into(), text(value))).collect();
    let properties = properties.iter().map(|(name, value)| ((*name).into(), value.clone()));
    record.set("properties", Value::Object(properties.collect()));
    record.set("context", Value::Object([("page.path".into(), text("/cart"))].into_iter().collect()));
    record
}

#[test]
fn a_condition_reads_the_record() {
    let value = |euros| ("value", Value::Number(Number::Int(euros)));
    let purchase = |euros| record(&[("name", "purchase")], &[value(euros)]);
    let cases: [(&str, Map, bool); 12] = [
        (r#"name = "purchase" and properties.value >= 50 EUR"#, purchase(50), true),
        (r#"name = "purchase" and properties.value >= 50 EUR"#, purchase(49), false),
        (r#"name = "purchase" and properties.value >= 50 EUR"#, record(&[("name", "purchase")], &[]), false),
        (r#"name in ["purchase", "add_to_cart"]"#, purchase(1), true),
        (r#"name not in ["purchase", "add_to_cart"]"#, purchase(1), false),
        (r#"context.page.path = "/cart""#, purchase(1), true),
        (r#"context.page.path starts_with "/x""#, purchase(1), false),
        ("properties.value is known", record(&[], &[]), false),
        ("properties.value is missing", record(&[], &[]), true),
        (r#"slot = "hero" and not (reason = "control")"#, record(&[("slot", "hero")], &[]), false),
        (
            r#"slot = "hero" and not (reason = "control")"#,
            record(&[("slot", "hero"), ("reason", "shown")], &[]),
            true,
        ),
        (r#"time >= "2026-01-01""#, record(&[("time", "2026-11-22T09:01:01.007Z")], &[]), true),
    ];
    for (when, record, expected) in cases {
        let compiled = compiled(&format!("{MAIL}  when: '{when}'\n"));
        let filter = compiled.full.destinations[0].filter.expect("a filter");
        let program = Program::load(&compiled.full_bytes).expect("a program");
        assert_eq!(passes(&program, &record, Trust::Client, 0, filter), expected, "{when}: {record:?}");
    }
}

#[test]
fn what_a_condition_cannot_read_is_told_with_a_way_out() {
    for (when, code, help) in [
        ("visitor.is_new", Code::E0801, "`emit`"),
        ("sku = \"x\"", Code::E0801, "properties.sku"),
        ("properties.skuu = \"x\"", Code::E0801, "properties.sku"),
        ("(count purchase in session) >= 1", Code::E0801, ""),
        ("name = \"purchas\"", Code::E0307, "purchase"),
        ("properties.value > 50", Code::E0304, "50 EUR"),
        ("properties > 50", Code::E0302, ""),
    ] {
        let compilation = compile(&site(&format!("{MAIL}  when: '{when}'\n")));
        let [found] = &compilation.diagnostics[..] else { panic!("{when}: {:?}", compilation.diagnostics) };
        assert_eq!(found.code, code, "{when}: {found:?}");
        assert!(found.help.clone().unwrap_or_default().contains(help), "{when}: {found:?}");
    }
}

#[test]
fn what_cannot_be_sent_is_an_error() {
    for (line, code) in [
        ("url: http://mail.example/in", Code::E0802),
        ("url: https://user:word@mail.example/", Code::E0802),
        ("url: https://0x7f.1/", Code::E0802),
        ("url: https://mail.example/?access_token=9f", Code::E0803),
        ("secrets: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Code::E0803),
        ("secrets: [A, B, C]", Code::E0016),
        ("headers: {x-api-key: abc}", Code::E0803),
        ("headers: {content-type: text/plain}", Code::E0014),
        ("headers: {'x y': text}", Code::E0014),
        ("sample: 0%", Code::E0016),
        ("sample: some", Code::E0322),
        ("remove: [visitor]", Code::E0805),
        ("remove: [nonsense.*]", Code::E0804),
        ("rename: {name: source}", Code::E0805),
        ("rename: {properties.*: all}", Code::E0804),
        ("limits: {bytes: 9TB}", Code::E0807),
        ("topic: shop", Code::E0005),
        ("records: [events]", Code::E0015),
        ("requires: most", Code::E0015),
        ("on_unknown: ask", Code::E0015),
    ] {
        let key = line.split(':').next().expect("a key");
        let base: String = MAIL
            .lines()
            .filter(|known| !known.trim().starts_with(&format!("{key}:")))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(codes(&format!("{base}  {line}\n")), [code], "{line}");
    }
}

#[test]
fn a_destination_of_any_kind_says_for_which_purposes() {
    for kind in [
        "http\n  url: https://mail.example/in",
        "kafka\n  brokers: [kafka.example:9092]\n  topic: shop\n  tls: true",
        "queue\n  queue: EVENTS\n  dead_letter: DEAD",
        "log",
    ] {
        let with = |purposes: &str| codes(&format!("mail:\n  type: {kind}\n{purposes}"));
        assert!(!with("  purposes: [personalization]\n").contains(&Code::E0006), "{kind}");
        assert_eq!(with(""), [Code::E0006], "{kind}");
        assert_eq!(with("  purposes: []\n"), [Code::E0006], "{kind}");
    }
}

#[test]
fn a_log_is_named_by_emit_and_takes_nothing_else() {
    assert_eq!(codes("mail:\n  type: log\n  purposes: [personalization]\n"), [Code::W0802]);
    assert_eq!(
        codes("mail:\n  type: log\n  purposes: [personalization]\n  when: name = \"purchase\"\n"),
        [Code::E0005]
    );
}
