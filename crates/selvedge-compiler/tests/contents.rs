//! Contents from content.yaml to what a visitor reads: natively at the edge and from the pages' program alike.

mod common;

use common::visit::Visit;
use common::{Site, codes, compiled, small_site};
use selvedge_compiler::{Code, Severity};
use selvedge_core::consent::Purposes;
use selvedge_core::event::{Event, EventType};
use selvedge_core::id::{Sequence, VisitorId, WriterId};
use selvedge_core::number::Number;
use selvedge_core::rules::{Image, Moment, Orders, Place, content, decide, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::program::{Content, LookupCell, LookupRow, with_live, with_rows};
use selvedge_core::wire::state::VisitorState;
use std::path::Path;

const RULES: &str = "
attributes:
  name:
    type: text
    from: visitor
  spent:
    type: money
    from: visitor
  points:
    type: number
    from: visitor
metrics:
  looks: count product_view in session
rules:
  - id: offer-hero
    when: WHEN
    show:
      slot: hero
      content: shown
";

/// The small site whose rule shows `shown`, of this content.yaml.
fn site(content: &str, when: &str) -> Site {
    let mut files = small_site();
    let offer = "offer:\n  type: text\n  text: Shoes ship free today.\n";
    files.insert("content.yaml".to_owned(), format!("{offer}shown:\n{content}"));
    files.insert("rules.yaml".to_owned(), RULES.replace("WHEN", when));
    files
}

fn map(entries: &[(&str, Value)]) -> Map {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn cents(cents: i64) -> Value {
    Value::Number(Number::Double((cents as f64 / 100.0).to_bits()))
}

/// What a visitor with these traits, in this language, who looked at a product twice, finds in the hero: decided at the
/// edge, and in the page, which must agree.
fn shown(files: &Site, language: &str, traits: &[(&str, Value)]) -> Option<Content> {
    let program = compiled(files);
    let edge = run(&program.full_bytes, Place::Edge, language, traits);
    let page = run(&program.public_bytes, Place::Page, language, traits);
    assert_eq!(edge, page);
    edge
}

fn run(bytes: &[u8], place: Place, language: &str, traits: &[(&str, Value)]) -> Option<Content> {
    let start_ms = 1_780_000_000_000;
    let image = Image::open(bytes.to_vec()).expect("opens");
    let context = map(&[("language", text(language))]);
    let mut state = VisitorState::new(start_ms);
    let granted = Purposes::NECESSARY.or(Purposes::ANALYTICS).or(Purposes::PERSONALIZATION);
    let moment = Moment {
        writer: WriterId::mint(start_ms.cast_unsigned(), 7),
        context: &context,
        now_ms: start_ms + 1_000,
        in_force: granted,
        place,
        trust: Trust::Client,
        account: None,
        visitor: VisitorId([7; 16]),
        orders: Orders::default(),
    };
    let look = &[("sku", text("a")), ("category", text("shoes"))][..];
    let events = [
        (EventType::Page, "page", &[][..]),
        (EventType::Identify, "identify", traits),
        (EventType::Track, "product_view", look),
        (EventType::Track, "product_view", look),
    ];
    for ((event_type, name, properties), sequence) in events.into_iter().zip(1..) {
        let event = Event {
            sequence: Sequence::new(sequence).expect("small"),
            event_type,
            name: name.to_owned(),
            time_ms: start_ms.cast_unsigned() + 1_000,
            consent: 0,
            properties: map(properties),
            context: Map::new(),
        };
        step(&image, &mut state, &event, granted, &moment);
    }
    let decisions = decide(&image, &mut state, &moment);
    let hero = decisions.iter().find(|decision| image.slot_name(decision.slot) == "hero").expect("a hero");
    assert!(hero.rule.is_some(), "the rule won");
    content(&image, &state, &moment, hero)
}

/// The field of this name.
fn field(content: Option<Content>, name: &str) -> String {
    let content = content.expect("something is shown");
    content.fields.into_iter().find(|(known, _)| known == name).expect("the field is there").1
}

/// A text content with this text, as a visitor reads it.
fn said(text: &str, language: &str, traits: &[(&str, Value)]) -> String {
    let quoted = text.replace('\'', "''");
    let files = site(&format!("  type: text\n  text: '{quoted}'\n"), "session.pages >= 1");
    field(shown(&files, language, traits), "text")
}

/// The errors of a site.
fn errors(files: &Site) -> Vec<Code> {
    codes(files).into_iter().filter(|code| code.severity() == Severity::Error).collect()
}

#[test]
fn values_are_written_into_texts() {
    for (written, expected) in [
        ("Hello {{name else \"there\"}}!", "Hello Ada!"),
        ("{{looks else 0}} looks", "2 looks"),
        ("{{looks * 2.5 else 0}}", "5"),
        ("{{looks / 3 else 0}}", "0.67"),
        ("{{looks / 3 as 0.000 else 0}}", "0.667"),
        ("Only {{50 EUR - spent else 0 EUR}} more", "Only €11.50 more"),
        ("{{spent * looks else 0 EUR}}", "€77"),
        ("{{(spent + 1 EUR) / spent as 0.00 else 0}}", "1.03"),
        ("{{spent - 100 EUR as 0 else 0 EUR}}", "-€62"),
        ("{{points else 0}}", "1,234,567.89"),
        ("{{\"{{\"}} is how a placeholder begins", "{{ is how a placeholder begins"),
        ("{{language else \"none\"}} {{page.title else \"no title\"}}", "en no title"),
    ] {
        let traits = [("name", text("Ada")), ("spent", cents(3_850)), ("points", cents(123_456_789))];
        assert_eq!(said(written, "en", &traits), expected, "{written}");
    }
}

#[test]
fn what_stands_in_is_written_like_the_value() {
    for (written, expected) in [
        ("Hello {{name else \"there\"}}!", "Hello there!"),
        ("{{spent else 12.5 EUR}}", "€12.50"),
        ("{{50 EUR - spent else \"a little\"}} more", "a little more"),
        ("{{points as 0.0 else 7}}", "7.0"),
    ] {
        assert_eq!(said(written, "en", &[]), expected, "{written}");
    }
}

#[test]
fn each_language_writes_its_own_numbers() {
    let files = site(
        "  type: text
  text: '{{spent else 0 EUR}} {{points else 0}}'
  locales:
    de:
      text: 'DE {{spent else 0 EUR}} {{points else 0}}'
    de-CH:
      text: 'CH {{spent else 0 EUR}} {{points else 0}}'
    fr:
      text: 'FR {{spent else 0 EUR}} {{points else 0}}'
    nl:
      text: 'NL {{spent else 0 EUR}} {{points else 0}}'
",
        "session.pages >= 1",
    );
    let traits = [("spent", cents(123_450)), ("points", cents(123_456_750))];
    for (language, expected) in [
        ("en-GB", "€1,234.50 1,234,567.5"),
        ("ja", "€1,234.50 1,234,567.5"),
        ("de", "DE 1.234,50\u{a0}€ 1.234.567,5"),
        ("de-AT", "DE 1.234,50\u{a0}€ 1.234.567,5"),
        ("de-CH", "CH €\u{a0}1’234.50 1’234’567.5"),
        ("fr-CA", "FR 1\u{202f}234,50\u{a0}€ 1\u{202f}234\u{202f}567,5"),
        ("nl", "NL €\u{a0}1.234,50 1.234.567,5"),
    ] {
        assert_eq!(field(shown(&files, language, &traits), "text"), expected, "{language}");
    }
}

#[test]
fn the_site_s_own_language_writes_what_stands_beside_locales() {
    let mut files = site("  type: text\n  text: '{{spent else 0 EUR}}'\n", "session.pages >= 1");
    let with_language = format!("{}language: de\n", files["site.yaml"]);
    files.insert("site.yaml".to_owned(), with_language);
    assert_eq!(field(shown(&files, "en", &[("spent", cents(1_250))]), "text"), "12,50\u{a0}€");
}

#[test]
fn a_language_leaves_out_what_is_the_same_in_all() {
    let files = site(
        "  type: link
  href: /c/{{name else \"all\"}}
  text: To the shoes
  locales:
    de:
      text: Zu den Schuhen
",
        "session.pages >= 1",
    );
    let german = shown(&files, "de-DE", &[("name", text("a/b"))]);
    assert_eq!(field(german.clone(), "href"), "/c/a%2Fb");
    assert_eq!(field(german, "text"), "Zu den Schuhen");
}

#[test]
fn a_value_in_markup_is_text_and_in_an_address_a_part_of_it() {
    let files = site(
        "  type: html
  html: >-
    <p class=\"a\">Hello <b>{{name else \"<you>\"}}</b>
    <a href=\"/c/{{name else \"all\"}}?q={{name else \"\"}}\" title='{{name else \"-\"}}'>go &amp; see</a><br></p>
",
        "session.pages >= 1",
    );
    let evil = "\"><script>x('&')</script>";
    let escaped = "&quot;&gt;&lt;script&gt;x(&#39;&amp;&#39;)&lt;/script&gt;";
    let encoded = "%22%3E%3Cscript%3Ex%28%27%26%27%29%3C%2Fscript%3E";
    assert_eq!(
        field(shown(&files, "en", &[("name", text(evil))]), "html"),
        format!(
            "<p class=\"a\">Hello <b>{escaped}</b> <a href=\"/c/{encoded}?q={encoded}\" title='{escaped}'>go &amp; see</a><br></p>"
        )
    );
    assert_eq!(
        field(shown(&files, "en", &[]), "html"),
        "<p class=\"a\">Hello <b>&lt;you&gt;</b> <a href=\"/c/all?q=\" title='-'>go &amp; see</a><br></p>"
    );
}

#[test]
fn json_stays_json_whatever_the_values_are() {
    let files = site(
        "  type: json
  json:
    title: 'For {{name else \"you\"}}'
    name: '{{name else \"nobody\"}}'
    spent: '{{spent else 0 EUR}}'
    words: '{{spent as 0.00 else \"none\"}}'
    list: [1, -2.5, true, null, 'x', 01]
    '</script>': {}
",
        "session.pages >= 1",
    );
    let json = |traits: &[(&str, Value)]| field(shown(&files, "en", traits), "json");
    let tail = "\"list\":[1,-2.5,true,null,\"x\",\"01\"],\"\\u003C/script\\u003E\":{}}";
    assert_eq!(
        json(&[("name", text("\"</script>")), ("spent", cents(1_250))]),
        format!(
            "{{\"title\":\"For \\u0022\\u003C/script\\u003E\",\"name\":\"\\u0022\\u003C/script\\u003E\",\"spent\":12.5,\"words\":\"€12.50\",{tail}"
        )
    );
    assert_eq!(
        json(&[]),
        format!("{{\"title\":\"For you\",\"name\":\"nobody\",\"spent\":0,\"words\":\"none\",{tail}")
    );
}

#[test]
fn a_value_needs_no_else_where_the_rule_proves_that_it_is_known() {
    let of = |text: &str, when: &str| errors(&site(&format!("  type: text\n  text: '{text}'\n"), when));
    let nothing: [Code; 0] = [];
    assert_eq!(of("{{50 EUR - spent}}", "spent between 30 EUR and 50 EUR"), nothing);
    assert_eq!(of("{{50 EUR - spent}}", "session.pages >= 1 and spent >= 30 EUR"), nothing);
    assert_eq!(of("{{spent}}", "spent < 30 EUR or spent > 50 EUR"), nothing);
    assert_eq!(of("{{name}}", "name is known and session.pages >= 1"), nothing);
    assert_eq!(of("{{looks}}", "looks between 2 and 5"), nothing);
    for (text, when) in [
        ("{{50 EUR - spent}}", "session.pages >= 1"),
        ("{{spent}}", "spent < 30 EUR or session.pages >= 1"),
        ("{{spent}}", "(spent else 0 EUR) < 30 EUR"),
        ("{{spent}}", "spent is missing"),
        ("{{name}}", "not (name = \"a\" or session.pages >= 1) is true"),
        ("{{looks}}", "looks >= 2"),
        ("{{looks}}", "looks is known"),
    ] {
        assert_eq!(of(text, when), [Code::E0602], "{text} {when}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (content, code) in [
        ("  type: text\n  text: 'a {{ b'\n", Code::E0601),
        ("  type: text\n  text: '{{}}'\n", Code::E0601),
        ("  type: text\n  text: '{{spent spent}}'\n", Code::E0601),
        ("  type: text\n  text: '{{spent as}}'\n", Code::E0601),
        ("  type: text\n  text: '{{spent else}}'\n", Code::E0601),
        ("  type: text\n  text: '{{nmae else \"x\"}}'\n", Code::E0201),
        ("  type: text\n  text: '{{50 USD - spent else \"x\"}}'\n", Code::E0304),
        ("  type: text\n  text: '{{spent + 1 else \"x\"}}'\n", Code::E0604),
        ("  type: text\n  text: '{{name + name else \"x\"}}'\n", Code::E0604),
        ("  type: text\n  text: '{{name as 0.00 else \"x\"}}'\n", Code::E0604),
        ("  type: text\n  text: '{{spent as words else \"x\"}}'\n", Code::E0604),
        ("  type: text\n  text: '{{spent else 1}}'\n", Code::E0604),
        ("  type: link\n  href: '{{name else \"x\"}}'\n  text: x\n", Code::E0603),
        ("  type: link\n  href: '//{{name else \"x\"}}'\n  text: x\n", Code::E0603),
        ("  type: link\n  href: 'https://shop.{{name else \"x\"}}/'\n  text: x\n", Code::E0603),
        ("  type: link\n  href: '\\{{name else \"x\"}}'\n  text: x\n", Code::E0603),
        ("  type: attributes\n  attributes:\n    class: '{{name else \"x\"}}'\n", Code::E0603),
        ("  type: attributes\n  attributes:\n    style: 'color: red'\n", Code::E0403),
        ("  type: attributes\n  attributes:\n    data-selvedge-slot: x\n", Code::E0403),
        ("  type: link\n  href: 'data:image/png;base64,x'\n  text: x\n", Code::E0403),
        ("  type: link\n  href: 'blob:x'\n  text: x\n", Code::E0403),
        ("  type: html\n  html: '<p>a</b>'\n", Code::E0605),
        ("  type: html\n  html: '<p>a'\n", Code::E0605),
        ("  type: html\n  html: 'a < b'\n", Code::E0605),
        ("  type: html\n  html: '<!-- a -->'\n", Code::E0605),
        ("  type: html\n  html: '<p onclick=\"x\">a</p>'\n", Code::E0605),
        ("  type: html\n  html: '<P>a</P>'\n", Code::E0605),
        ("  type: html\n  html: '<p class=a>a</p>'\n", Code::E0605),
        ("  type: html\n  html: '<p class=\"a\"title=\"b\">a</p>'\n", Code::E0605),
        ("  type: html\n  html: '<p class=\"a\" class=\"b\">a</p>'\n", Code::E0605),
        ("  type: html\n  html: '<p {{name else \"x\"}}>a</p>'\n", Code::E0603),
        ("  type: html\n  html: '<{{name else \"x\"}}>a</p>'\n", Code::E0605),
        ("  type: html\n  html: '<p class=\"{{name else \"x\"}}\">a</p>'\n", Code::E0603),
        ("  type: html\n  html: '<a href=\"{{name else \"x\"}}\">a</a>'\n", Code::E0603),
        ("  type: html\n  html: '<a href=\"javascript:x\">a</a>'\n", Code::E0403),
        ("  type: html\n  html: '<a href=\"java&#115;cript:x\">a</a>'\n", Code::E0403),
        ("  type: text\n  text: x\n  locales:\n    de:\n      href: /x\n", Code::E0005),
    ] {
        assert_eq!(errors(&site(content, "session.pages >= 1")), [code], "{content}");
    }
}

#[test]
fn a_private_value_keeps_its_rules_at_the_edge() {
    let mut files = site("  type: text\n  text: '{{name else \"you\"}}'\n", "session.pages >= 1");
    assert_eq!(compiled(&files).public.rules.len(), 1);
    let private = files["rules.yaml"].replacen("from: visitor", "from: visitor\n    private: true", 1);
    files.insert("rules.yaml".to_owned(), private);
    let program = compiled(&files);
    assert_eq!((program.full.rules.len(), program.public.rules.len()), (1, 0));
    assert!(program.public.templates.is_empty() && program.public.values.is_empty());
    assert!(program.public.attributes.is_empty());
}

/// Attacks, one text each; tests/browser/apply.test.mjs shows all of them in a real page.
fn attacks() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/xss.json");
    let text = std::fs::read_to_string(path).expect("the attacks are there");
    let attacks: Vec<String> = serde_json::from_str(&text).expect("a list of texts");
    assert!(attacks.len() >= 300);
    attacks
}

#[test]
fn no_attack_that_is_written_as_a_content_holds_code() {
    for attack in attacks() {
        let quoted = attack.replace('\'', "''");
        let printable = !attack.contains(char::is_control);
        let files = site(&format!("  type: html\n  html: '{quoted}'\n"), "session.pages >= 1");
        if !printable || !errors(&files).is_empty() {
            continue;
        }
        let html = field(shown(&files, "en", &[]), "html");
        let tags = html.split('<').skip(1).filter_map(|rest| rest.split_once('>'));
        for (tag, _) in tags {
            assert!(!tag.contains("xss") && !tag.contains("script"), "{attack}");
        }
        let files = site(&format!("  type: link\n  href: '{quoted}'\n  text: x\n"), "session.pages >= 1");
        let leads_to_code =
            ["javascript:xss", "vbscript:xss", "data:"].iter().any(|bad| attack.starts_with(bad));
        assert!(!leads_to_code || errors(&files) == [Code::E0403], "{attack}");
    }
}

#[test]
fn no_attack_that_is_a_value_leaves_its_place() {
    let files = site(
        "  type: html\n  html: '<p title=\"{{name else \"\"}}\">{{name else \"\"}}</p><a href=\"/x/{{name else \"-\"}}\">x</a>'\n",
        "session.pages >= 1",
    );
    for attack in attacks() {
        let html = field(shown(&files, "en", &[("name", text(&attack))]), "html");
        let counted = |sign: char| html.matches(sign).count();
        assert_eq!((counted('<'), counted('>'), counted('"')), (4, 4, 4), "{attack}: {html}");
        let (_, address) = html.split_once("<a href=\"/x/").expect("the address is whole");
        let (value, _) = address.split_once('"').expect("the address ends");
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
        assert!(!value.is_empty() && value.bytes().all(is_part), "{attack}: {value}");
    }
}

/// A site whose rates are those of a file (a dollar is half a euro), or are pushed.
fn with_rates(content: &str, when: &str, is_pushed: bool) -> Site {
    let mut files = site(content, when);
    let from = if is_pushed { "push\n    columns:\n      rate: number" } else { "csv fx.csv" };
    let lookups = format!("rates: fx\nlookups:\n  fx:\n    key: currency\n    from: {from}\n");
    files.insert("fx.csv".to_owned(), "currency,rate\nUSD,0.5\nTRY,9000000000000\n".to_owned());
    files.entry("site.yaml".to_owned()).or_default().push_str(&lookups);
    files
}

#[test]
fn amounts_of_other_currencies_are_shown_in_that_of_the_site() {
    let said = |value: &str, traits: &[(&str, Value)]| {
        let files = with_rates(&format!("  type: text\n  text: '{value}'\n"), "session.pages >= 1", false);
        field(shown(&files, "en", traits), "text")
    };
    assert_eq!(said("{{50 USD - spent else \"?\"}}", &[("spent", cents(1_050))]), "\u{20ac}14.50");
    assert_eq!(said("{{spent else 21 USD}}", &[]), "\u{20ac}10.50");
    let json =
        with_rates("  type: json\n  json: {left: '{{spent else 21 USD}}'}\n", "session.pages >= 1", false);
    assert_eq!(field(shown(&json, "en", &[]), "json"), "{\"left\":10.5}");
}

#[test]
fn pushed_rates_stand_where_they_are_asked_and_not_in_what_stands_in() {
    let of = |value: &str, when: &str| {
        errors(&with_rates(&format!("  type: text\n  text: '{value}'\n"), when, true))
    };
    let always = "session.pages >= 1";
    assert_eq!(of("{{50 USD - spent}}", "spent >= 1 EUR"), [Code::E0602], "no rate may have come");
    assert_eq!(of("{{50 USD - spent}}", "spent >= 20 USD and spent <= 50 USD"), []);
    assert_eq!(of("{{50 USD - spent else \"?\"}}", always), []);
    assert_eq!(of("{{spent else 50 USD}}", always), [Code::E0304]);
    let files = with_rates("  type: text\n  text: '{{50 USD - spent else \"?\"}}'\n", always, true);
    let full = compiled(&files).full_bytes;
    let traits = &[("spent", cents(1_050))][..];
    let at_edge = |bytes: &[u8]| field(run(bytes, Place::Edge, "en", traits), "text");
    assert_eq!(at_edge(&full), "?");
    let row = LookupRow { key: "USD".into(), cells: vec![LookupCell::Number(500_000)] };
    let pushed = with_rows(&full, &[(0, vec![row])]).expect("fits");
    assert_eq!(at_edge(&with_live(&pushed, &[]).expect("is a program")), "\u{20ac}14.50");
}

#[test]
fn an_amount_without_a_rate_or_too_large_is_refused_in_a_content() {
    for amount in ["50 CHF", "9000000 TRY"] {
        for value in [format!("{{{{{amount} - spent else \"?\"}}}}"), format!("{{{{spent else {amount}}}}}")]
        {
            let files =
                with_rates(&format!("  type: text\n  text: '{value}'\n"), "session.pages >= 1", false);
            assert_eq!(errors(&files), [Code::E0304], "{value}");
        }
    }
}

#[test]
fn beside_else_amounts_have_the_rates_of_a_file() {
    let shows = |when: &str| {
        let files = with_rates("  type: text\n  text: yes\n", when, false);
        errors(&files).is_empty().then(|| Visit::new(&files).event("page", &[]).shows())
    };
    assert_eq!(shows("spent else 10 USD >= 5 EUR"), Some(true));
    assert_eq!(shows("spent else 9 USD >= 5 EUR"), Some(false));
    assert_eq!(shows("spent else 5 EUR >= 10 USD"), Some(true));
    assert_eq!(shows("spent else 5 EUR between 10.01 USD and 90 USD"), Some(false));
    assert_eq!(
        shows("(count purchase where value else 1 USD > 1 EUR in 7d) = 0"),
        None,
        "a metric has no rate"
    );
    let pushed = with_rates("  type: text\n  text: yes\n", "spent else 10 USD >= 5 EUR", true);
    assert_eq!(errors(&pushed), [Code::E0304]);
}
