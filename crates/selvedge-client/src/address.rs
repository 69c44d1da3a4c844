//! Addresses: which parts of a URL may be captured, the campaign in it, and what a referrer is. Nothing but `utm_*` and
//! the parameters that the site lists survives: other parameters and the fragment may hold secrets.

use alloc::string::String;
use alloc::vec::Vec;

/// URL parameters that name a campaign, and the facts they become.
const CAMPAIGN: [(&str, &str); 5] = [
    ("utm_source", "utm.source"),
    ("utm_medium", "utm.medium"),
    ("utm_campaign", "utm.campaign"),
    ("utm_term", "utm.term"),
    ("utm_content", "utm.content"),
];

const SEARCH: [&str; 10] =
    ["google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "qwant", "startpage", "search"];

const SOCIAL: [&str; 12] = [
    "facebook",
    "instagram",
    "twitter",
    "linkedin",
    "lnkd",
    "reddit",
    "pinterest",
    "youtube",
    "tiktok",
    "threads",
    "bsky",
    "snapchat",
];

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address without the parameters and the fragment that may not be captured.
    pub url: String,
    /// Its path.
    pub path: String,
    /// Its host, with port.
    pub host: String,
    /// The campaign in it: fact and value.
    pub campaign: Vec<(&'static str, String)>,
}

impl Address {
    /// The address `url`, of which only `utm_*` and the parameters in `allowed` stay.
    #[must_use]
    pub fn new(url: &str, allowed: &[String]) -> Self {
        let (url, _) = cut(url, b'#');
        let (place, query) = cut(url, b'?');
        let (scheme, rest) = cut(place, b':');
        let (host, path) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at_checked(find(rest, b'/').unwrap_or(rest.len())).unwrap_or((rest, "")),
            None => ("", rest),
        };
        let host = match find(host, b'@').and_then(|at| host.get(at.saturating_add(1)..)) {
            Some(without_credentials) => without_credentials,
            None => host,
        };
        let mut address = Self {
            url: String::from(scheme),
            path: if path.is_empty() { "/".into() } else { path.into() },
            host: host.into(),
            campaign: Vec::new(),
        };
        if !host.is_empty() {
            [":", "//", host, path].into_iter().for_each(|part| address.url.push_str(part));
        }
        address.keep_parameters(query, allowed);
        address
    }

    fn keep_parameters(&mut self, mut query: &str, allowed: &[String]) {
        let mut separator = "?";
        while !query.is_empty() {
            let (pair, rest) = cut(query, b'&');
            query = rest;
            let (name, value) = cut(pair, b'=');
            let campaign = CAMPAIGN.iter().find(|(parameter, _)| *parameter == name);
            if let Some((_, fact)) = campaign
                && !value.is_empty()
            {
                self.campaign.push((fact, decode(value)));
            }
            if campaign.is_some() || allowed.iter().any(|known| known == name) {
                self.url.push_str(separator);
                self.url.push_str(pair);
                separator = "&";
            }
        }
    }
}

/// Where an ASCII letter stands first. (The searches of the standard library take five times the bytes.)
fn find(text: &str, letter: u8) -> Option<usize> {
    text.as_bytes().iter().position(|byte| *byte == letter)
}

/// What stands before and after an ASCII letter's first place; all and nothing where it has none.
pub fn cut(text: &str, letter: u8) -> (&str, &str) {
    let at = find(text, letter).unwrap_or(text.len());
    (text.get(..at).unwrap_or(text), text.get(at.saturating_add(1)..).unwrap_or_default())
}

/// What brought the visitor: the campaign's medium where it says, else the referrer's host.
#[must_use]
pub fn referrer_class(referrer: &str, page: &Address) -> &'static str {
    let medium = page.campaign.iter().find(|(fact, _)| *fact == "utm.medium");
    if let Some(class) = medium.and_then(|(_, medium)| medium_class(medium)) {
        return class;
    }
    if referrer.is_empty() {
        return "direct";
    }
    let host = Address::new(referrer, &[]).host;
    if host == page.host {
        return "internal";
    }
    let has = |labels: &[&str]| {
        let mut rest = host.as_str();
        while !rest.is_empty() {
            let (label, more) = cut(rest, b'.');
            if labels.contains(&label) {
                return true;
            }
            rest = more;
        }
        false
    };
    if has(&["mail", "outlook"]) {
        "email"
    } else if has(&SEARCH) {
        "search"
    } else if has(&SOCIAL) || host == "x.com" || host == "t.co" {
        "social"
    } else {
        "referral"
    }
}

fn medium_class(medium: &str) -> Option<&'static str> {
    match medium {
        "cpc" | "ppc" | "cpm" => Some("paid"),
        "email" | "newsletter" => Some("email"),
        "social" => Some("social"),
        _ if medium.starts_with("paid") => Some("paid"),
        _ => None,
    }
}

/// The value of a hexadecimal digit.
pub(crate) const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

/// Percent-decoding of a query value; what is not valid stays as it is.
fn decode(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, hex_pair(tail)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| value.into())
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let [high, low, ..] = bytes else { return None };
    Some((hex_digit(*high)? << 4) | hex_digit(*low)?)
}

#[cfg(test)]
mod tests {
    use super::{Address, referrer_class};
    use std::string::ToString;

    #[test]
    fn only_campaign_and_listed_parameters_survive() {
        let url = "https://me:pw@shop.test:8080/shoes/red?token=secret&utm_medium=cpc&q=boots&utm_source=a%20b#s3cret";
        let address = Address::new(url, &["q".to_string()]);
        assert_eq!(address.url, "https://shop.test:8080/shoes/red?utm_medium=cpc&q=boots&utm_source=a%20b");
        assert_eq!(address.path, "/shoes/red");
        assert_eq!(address.host, "shop.test:8080");
        assert_eq!(address.campaign, [("utm.medium", "cpc".to_string()), ("utm.source", "a b".to_string())]);
    }

    #[test]
    fn odd_addresses_do_no_harm() {
        for url in
            ["", "#", "?", "about:blank", "https://", "https://h", "h%ff?utm_term=%ff%4", "https://a@b@c/d"]
        {
            let address = Address::new(url, &[]);
            assert!(!address.path.is_empty());
        }
        assert_eq!(Address::new("https://h?utm_term=%zz", &[]).campaign, [("utm.term", "%zz".to_string())]);
    }

    #[test]
    fn a_referrer_has_one_class() {
        let page = |url: &str| Address::new(url, &[]);
        let plain = page("https://shop.test/");
        for (referrer, class) in [
            ("", "direct"),
            ("https://shop.test/cart", "internal"),
            ("https://www.google.de/", "search"),
            ("https://mail.google.com/", "email"),
            ("https://t.co/abc", "social"),
            ("https://l.facebook.com/", "social"),
            ("https://blog.test/", "referral"),
        ] {
            assert_eq!(referrer_class(referrer, &plain), class, "{referrer}");
        }
        assert_eq!(referrer_class("https://www.google.de/", &page("https://s.test/?utm_medium=cpc")), "paid");
        assert_eq!(referrer_class("", &page("https://s.test/?utm_medium=paid_social")), "paid");
    }
}
