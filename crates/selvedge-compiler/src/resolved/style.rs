//! How each language writes numbers and money.

use selvedge_core::wire::program::{Format, NumberFormat, Zeros};

/// How a language writes numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    point: &'static str,
    group: &'static str,
    /// Between the currency in front and the number; `None`: the currency stands behind.
    before: Option<&'static str>,
}

const NO_BREAK: &str = "\u{a0}";
const NARROW: &str = "\u{202f}";
const ENGLISH: Style = Style { point: ".", group: ",", before: Some("") };

/// Languages, the more special first.
const STYLES: [(&str, Style); 20] = [
    ("de-at", Style { point: ",", group: NO_BREAK, before: Some(NO_BREAK) }),
    ("de-ch", Style { point: ".", group: "’", before: Some(NO_BREAK) }),
    ("pt-br", Style { point: ",", group: ".", before: Some(NO_BREAK) }),
    ("es-mx", ENGLISH),
    ("cs", Style { point: ",", group: NO_BREAK, before: None }),
    ("da", Style { point: ",", group: ".", before: None }),
    ("de", Style { point: ",", group: ".", before: None }),
    ("en", ENGLISH),
    ("es", Style { point: ",", group: ".", before: None }),
    ("fi", Style { point: ",", group: NO_BREAK, before: None }),
    ("fr", Style { point: ",", group: NARROW, before: None }),
    ("it", Style { point: ",", group: ".", before: None }),
    ("ja", ENGLISH),
    ("nb", Style { point: ",", group: NO_BREAK, before: None }),
    ("nl", Style { point: ",", group: ".", before: Some(NO_BREAK) }),
    ("no", Style { point: ",", group: NO_BREAK, before: None }),
    ("pl", Style { point: ",", group: NO_BREAK, before: None }),
    ("pt", Style { point: ",", group: NO_BREAK, before: None }),
    ("sv", Style { point: ",", group: NO_BREAK, before: None }),
    ("tr", Style { point: ",", group: ".", before: Some("") }),
];

/// Currencies with a sign of their own.
const SIGNS: [(&str, &str); 12] = [
    ("BRL", "R$"),
    ("CZK", "Kč"),
    ("DKK", "kr."),
    ("EUR", "€"),
    ("GBP", "£"),
    ("INR", "₹"),
    ("JPY", "¥"),
    ("NOK", "kr"),
    ("PLN", "zł"),
    ("SEK", "kr"),
    ("TRY", "₺"),
    ("USD", "$"),
];

/// Currencies without a smaller unit.
const WHOLE: [&str; 6] = ["CLP", "HUF", "ISK", "JPY", "KRW", "VND"];

impl Style {
    /// The style of a language (lower case); English where it is not known.
    pub fn of(language: &str) -> Self {
        STYLES.iter().find(|(known, _)| Self::is_of(known, language)).map_or(ENGLISH, |(_, style)| *style)
    }

    /// Whether a language (lower case) is this one, or a kind of it.
    pub fn is_of(known: &str, language: &str) -> bool {
        language.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }

    /// A whole number without groups, with what stands before and behind it: a part of a date.
    pub fn whole(self, prefix: &str, suffix: &str) -> Format {
        let (prefix, suffix) = (prefix.to_owned(), suffix.to_owned());
        Format::Number(NumberFormat { group: String::new(), prefix, suffix, ..self.number(Some(0)) })
    }

    /// Hours, and minutes as hundredths: `18:05`.
    pub fn clock(self, point: &str) -> Format {
        Format::Number(NumberFormat { point: point.to_owned(), ..self.number(Some(2)) })
    }

    /// A number with at most two decimals, or with exactly as many as asked for.
    pub fn number(self, decimals: Option<u8>) -> NumberFormat {
        NumberFormat {
            decimals: decimals.unwrap_or(2),
            zeros: if decimals.is_some() { Zeros::Keep } else { Zeros::Drop },
            rounds_up: false,
            point: self.point.to_owned(),
            group: self.group.to_owned(),
            prefix: String::new(),
            suffix: String::new(),
        }
    }

    /// Money: a whole amount without decimals, others with those of the currency, or with exactly as many as asked for.
    pub fn money(self, currency: &str, decimals: Option<u8>) -> NumberFormat {
        let sign = SIGNS.iter().find(|(known, _)| *known == currency).map_or(currency, |(_, sign)| *sign);
        let own = if WHOLE.contains(&currency) { 0 } else { 2 };
        let is_word = sign.ends_with(|last: char| last.is_ascii_alphabetic());
        let (prefix, suffix) = match self.before {
            Some("") if is_word => (format!("{sign}{NO_BREAK}"), String::new()),
            Some(between) => (format!("{sign}{between}"), String::new()),
            None => (String::new(), format!("{NO_BREAK}{sign}")),
        };
        NumberFormat {
            decimals: decimals.unwrap_or(own),
            zeros: if decimals.is_some() { Zeros::Keep } else { Zeros::Pair },
            prefix,
            suffix,
            ..self.number(None)
        }
    }
}

/// A number as JSON has it.
pub(super) fn plain() -> NumberFormat {
    NumberFormat { decimals: 6, group: String::new(), ..ENGLISH.number(None) }
}
