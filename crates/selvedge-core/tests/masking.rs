//! Masking: no address, phone number or card survives in any of the shapes that docs/capture.md lists, wherever it stands;
//! and what a shop writes besides stays as it is.

use proptest::prelude::*;
use selvedge_core::masking::{CARD, EMAIL, PHONE, masked};

fn mask(text: &str) -> String {
    masked(text).unwrap_or_else(|| text.into())
}

/// What may stand around a value without being a part of it.
fn surroundings() -> impl Strategy<Value = (String, String)> {
    let words = prop::sample::select(vec![
        "",
        "call ",
        "für Özge: ",
        "path/",
        "a=1&q=",
        "(",
        "\"",
        "2024, ",
        "4 of 5; ",
    ]);
    let ends = prop::sample::select(vec![
        "",
        " today",
        ", please",
        ". Then",
        ")",
        "&x=2",
        "/edit",
        "\"",
        " – 3 items",
    ]);
    (words.prop_map(String::from), ends.prop_map(String::from))
}

/// As it stands, or as a URL carries it.
fn carried(text: String) -> impl Strategy<Value = String> {
    let escaped: String = text
        .bytes()
        .map(|byte| match byte {
            b'@' | b'+' | b' ' | b'(' | b')' => format!("%{byte:02X}"),
            _ => char::from(byte).to_string(),
        })
        .collect();
    prop::sample::select(vec![
        text.clone(),
        escaped,
        text.replace(' ', "\u{a0}"),
        text.replace(' ', "\u{2009}"),
    ])
}

fn email() -> impl Strategy<Value = String> {
    ("[a-z0-9][a-z0-9._%+'-]{0,20}", "([a-z0-9][a-z0-9-]{0,8}\\.){1,3}", "(com|de|shop|museum|xn--p1ai)")
        .prop_map(|(local, domain, top)| format!("{local}@{domain}{top}"))
}

/// A number that networks give out, with its check digit.
fn card() -> impl Strategy<Value = String> {
    let kinds: Vec<(&str, usize, &[usize])> = vec![
        ("4", 16, &[4, 4, 4, 4]),
        ("4", 19, &[4, 4, 4, 4, 3]),
        ("51", 16, &[4, 4, 4, 4]),
        ("55", 16, &[4, 4, 4, 4]),
        ("2221", 16, &[4, 4, 4, 4]),
        ("2720", 16, &[4, 4, 4, 4]),
        ("34", 15, &[4, 6, 5]),
        ("37", 15, &[4, 6, 5]),
        ("36", 14, &[4, 6, 4]),
        ("3530", 16, &[4, 4, 4, 4]),
        ("6011", 16, &[4, 4, 4, 4]),
        ("62", 19, &[6, 13]),
        ("65", 16, &[4, 4, 4, 4]),
    ];
    let digits = prop::collection::vec(0..10_u32, 19);
    (prop::sample::select(kinds), digits, prop::sample::select(vec!["", " ", "-", "."])).prop_map(
        |((prefix, length, sizes), digits, between)| {
            let mut number: Vec<u32> = prefix.chars().filter_map(|letter| letter.to_digit(10)).collect();
            number.extend(digits);
            number.truncate(length - 1);
            let sum: u32 = number
                .iter()
                .rev()
                .enumerate()
                .map(|(at, digit)| match (at % 2, digit * 2) {
                    (0, doubled @ 10..) => doubled - 9,
                    (0, doubled) => doubled,
                    _ => *digit,
                })
                .sum();
            number.push((10 - sum % 10) % 10);
            grouped(&number, sizes, between)
        },
    )
}

fn grouped(digits: &[u32], sizes: &[usize], between: &str) -> String {
    let mut rest = digits;
    let mut groups = Vec::new();
    for size in sizes {
        let (group, more) = rest.split_at(*size);
        groups.push(group.iter().map(u32::to_string).collect::<String>());
        rest = more;
    }
    groups.join(between)
}

/// The shapes of docs/capture.md.
fn phone() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\+[1-9][0-9]{7,14}",
        "\\+[1-9][0-9]{0,2} [1-9][0-9]{1,3}[ /-][0-9]{5,8}",
        "\\+[1-9][0-9] \\(0\\)[1-9][0-9]{1,2} [0-9]{6,8}",
        "\\+[1-9][0-9]( [0-9]{2}){4}",
        "\\+1 \\([2-9][0-9]{2}\\) [2-9][0-9]{2}-[0-9]{4}",
        "00[1-9][0-9]{8,12}",
        "00 [1-9][0-9] [0-9]{3} [0-9]{5,7}",
        "0[1-9][0-9]{1,3}[ /-][1-9][0-9]{6,7}",
        "\\(0[1-9][0-9]{1,2}\\) [1-9][0-9]{6,7}",
        "0[1-9]( [0-9]{2}){4}",
        "0[1-9][0-9]{9}",
        "\\([2-9][0-9]{2}\\) [2-9][0-9]{2}-[0-9]{4}",
        "[2-9][0-9]{2}[.-][2-9][0-9]{2}[.-][0-9]{4}",
        "1-[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}",
    ]
}

/// Words for a telephone, of the languages that docs/capture.md names, and what may stand between them and the number.
fn telephone() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "Tel",
        "tel",
        "TEL",
        "phone",
        "Telephone",
        "Mobile",
        "cell",
        "call",
        "Fax",
        "Telefon",
        "Telefonnummer",
        "Handy",
        "Handynummer",
        "Mobil",
        "Rufnummer",
        "phone_number",
        "phoneNumber",
        "Mobilfunknummer",
        "Tél",
        "Téléphone",
        "TÉLÉPHONE",
        "numéro",
        "NUMÉRO",
        "numéro de téléphone",
        "Teléfono",
        "móvil",
        "Telefono",
        "Telefone",
        "telefoon",
        "mobiel",
        "telefonu",
    ]);
    let between = prop::sample::select(vec![
        " ",
        ": ",
        "=",
        ":",
        ". ",
        ".: ",
        ".-Nr. ",
        " no. ",
        " number ",
        " number is ",
        " me at ",
        " us on: ",
        " (",
        " = ",
        "\u{a0}",
        ":\u{2009}",
        "%20",
        "%3A%20",
    ]);
    (words, between).prop_map(|(word, between)| format!("{word}{between}"))
}

/// A number without any mark of a phone, together or in groups.
fn unmarked() -> impl Strategy<Value = String> {
    prop_oneof![
        "[1-9][0-9]{6,14}",
        "[1-9][0-9]{2} [0-9]{4,8}",
        "[1-9][0-9]{2}[ -][0-9]{3}[ -][0-9]{3}",
        "0[1-9][0-9]{5,8}"
    ]
}

/// Whether so many digits of the number stand together anywhere in the text.
fn digits(text: &str) -> String {
    text.replace("%20", "")
        .replace("%28", "")
        .replace("%29", "")
        .replace("%2B", "")
        .chars()
        .filter(char::is_ascii_digit)
        .collect()
}

/// Texts in which a second reading found a number that the first one left.
#[test]
fn what_is_written_onto_what_was_masked_is_read_alike_twice() {
    for text in [
        "tel Handy[phone]0000000é0000000[phone]phone 0000000",
        "Handy (0171 1234567[phone]phone 0000000",
        "numéro 40@a.Handy0000000",
    ] {
        let once = mask(text);
        assert_eq!(mask(&once), once);
    }
}

#[test]
fn a_uuid_that_begins_like_a_telephone_number_stays() {
    for text in ["00100000-0000-400a-8a00-a0aa00aaa0a0", "01711234-5678-4000-8000-000000000000"] {
        assert_eq!(masked(text), None);
    }
    assert_eq!(mask("00491711 2345, please"), format!("{PHONE}, please"));
}

/// Each of them has the digits of a card in it, with the right check digit.
#[test]
fn a_uuid_with_the_digits_of_a_card_stays() {
    for text in [
        "aaaaaaaa-4111-4111-8111-1110abcdefab",
        "abcd4111-1111-4111-8110-abcdefabcdef",
        "order aaaaaaaa-aaaa-4111-8111-11111116abcd",
    ] {
        assert_eq!(masked(text), None, "{text}");
    }
    let id = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
    assert_eq!(mask(&format!("{id}4111111111111111")), format!("{id}{CARD}"), "behind it, it is one");
    assert_eq!(mask(&format!("{id}@shop.test")), EMAIL);
}

#[test]
fn a_bracket_goes_with_a_telephone_number_and_stays_before_a_card() {
    assert_eq!(mask("Tel (389570486511118, please"), format!("Tel {PHONE}, please"));
    assert_eq!(
        mask("Tel (389570486511119, please"),
        format!("Tel ({CARD}, please"),
        "its last digit proves it"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_address_survives((before, after) in surroundings(), email in email().prop_flat_map(carried)) {
        let found = mask(&format!("{before}{email}{after}"));
        prop_assert!(found.contains(EMAIL), "{found}");
        prop_assert!(!found.contains('@') && !found.contains("%40"), "{found}");
        prop_assert!(found.starts_with(before.as_str()) && found.ends_with(after.as_str()), "{found}");
    }

    #[test]
    fn no_card_survives((before, after) in surroundings(), card in card().prop_flat_map(carried)) {
        let found = mask(&format!("{before}{card}{after}"));
        prop_assert_eq!(found, format!("{before}{CARD}{after}"));
    }

    #[test]
    fn no_phone_number_survives((before, after) in surroundings(), phone in phone().prop_flat_map(carried)) {
        let found = mask(&format!("{before}{phone}{after}"));
        prop_assert!(found.contains(PHONE) || found.contains(CARD), "{found}");
        let left = digits(&found).len() - digits(&before).len() - digits(&after).len();
        prop_assert_eq!(left, 0, "{}", found);
    }

    #[test]
    fn no_number_behind_a_word_for_a_telephone_survives(
        start in prop::sample::select(vec!["", "für Özge: ", "path/", "a=1&", "(", "\"", "Hotel ", "4 of 5; "]),
        word in telephone(),
        number in unmarked().prop_flat_map(carried),
        (_, after) in surroundings(),
    ) {
        let found = mask(&format!("{start}{word}{number}{after}"));
        let is_card = found.contains(CARD);
        let opening = if word.ends_with('(') && !is_card { &word[..word.len() - 1] } else { word.as_str() };
        let expected = format!("{start}{opening}{}{after}", if is_card { CARD } else { PHONE });
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn without_the_word_it_stays(word in not_a_telephone(), number in "[1-9][0-9]{2}[02-9][0-9]{3,7}") {
        let text = format!("{word} {number}");
        prop_assume!(masked(&number).is_none());
        prop_assert_eq!(masked(&text), None, "{}", text);
    }

    #[test]
    fn fewer_or_more_digits_are_no_phone(word in telephone(), number in "[1-9][0-9]{0,5}|[1-9][0-9]{19,29}") {
        prop_assert_eq!(masked(&format!("{word}{number}")), None);
    }

    #[test]
    fn masking_twice_is_masking_once(
        text in "([0-9]{1,6}|[0-9]{7,9}|[ .@+()/%:-]|[a-z]{1,3}|40|é|tel |Handy|phone |\\[phone\\]|numéro ){0,40}",
    ) {
        let once = mask(&text);
        prop_assert_eq!(mask(&once), once);
    }

    #[test]
    fn any_text_is_read(text in ".*", digits in "[0-9 +%.@\\PC]{0,200}") {
        let _ = (mask(&text), mask(&digits));
    }

    #[test]
    fn what_a_shop_writes_stays(text in ordinary()) {
        prop_assert_eq!(masked(&text), None);
    }
}

/// What stands before numbers of other kinds.
fn not_a_telephone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Hotel",
        "Teller",
        "Television",
        "recall",
        "Handlung",
        "Order number",
        "Bestellnummer",
        "Artikel-Nr.",
        "numerical",
        "xphone",
        "Cellulose",
        "Telemetry",
        "phone case",
        "call [email]",
        "SKU",
        "",
        "a",
        "commande",
    ])
}

#[test]
fn what_is_no_number_of_its_own_stays_behind_a_word_for_a_telephone() {
    for text in ["Handy: 149,00 EUR", "phone-1234567", "Tel1234567", "call 4 of 5, 1234567", "Mobile 10:15"] {
        assert_eq!(masked(text), None, "{text}");
    }
}

fn ordinary() -> impl Strategy<Value = String> {
    prop_oneof![
        "[1-9][0-9]{0,3}(\\.[0-9]{3}){0,2},[0-9]{2} (€|EUR|zł)",
        "[$£][1-9][0-9]{0,2}(,[0-9]{3}){0,2}\\.[0-9]{2}",
        "(0[1-9]|[12][0-9]|3[01])[./-](0[1-9]|1[0-2])[./-]20[0-9]{2}( [01][0-9]:[0-5][0-9](:[0-5][0-9])?)?",
        "20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9]T[01][0-9]:[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z",
        "1[67][0-9]{8}([0-9]{3})?",
        "(Order|Bestellung|No\\.|#) ?(20[0-9]{2}-)?[1-9][0-9]{4,8}",
        "[A-Z]{2,4}-[0-9]{3,6}(-[A-Z0-9]{1,4})?",
        "[A-Z]{2}-0[0-9]{3}-[0-9]{5}",
        "978-[0-9]-[0-9]{3}-[0-9]{5}-[0-9]",
        "[1-9][0-9]{7}|[1-9][0-9]{11}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "v[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,3}",
        "(10|192|172)\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        "(hero|logo)@[23]x\\.(png|jpg|webp)",
        "react@[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}",
        "@[a-z]{3,12}",
        "[01][0-9]:[0-5][0-9] - [01][0-9]:[0-5][0-9]",
        "EU [34][0-9]( [12]/3)? / UK [0-9]{1,2}\\.5",
        "[0-9]{2,4} x [0-9]{2,4} x [0-9]{2,4} mm",
        "-?[1-9][0-9]?\\.[0-9]{5,7}, -?[1-9][0-9]{0,2}\\.[0-9]{5,7}",
        "/p/[a-z]{3,8}-[0-9]{4,8}(/[a-z]{2,5})?\\?color=[a-z]{3,6}&size=[0-9]{2}",
    ]
}
