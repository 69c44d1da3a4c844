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
        let url = url.split('#').next().unwrap_or_default();
        let (place, query) = url.split_once('?').unwrap_or((url, ""));
        let rest = place.split_once("://").map_or("", |(_, rest)| rest);
        let (host, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
        let host = host.rsplit('@').next().unwrap_or_default();
        let mut address = Self {
            url: without_credentials(place, host),
            path: if path.is_empty() { "/".into() } else { path.into() },
            host: host.into(),
            campaign: Vec::new(),
        };
        let mut separator = '?';
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let campaign = CAMPAIGN.iter().find(|(parameter, _)| *parameter == name);
            if let Some((_, fact)) = campaign
                && !value.is_empty()
            {
                address.campaign.push((fact, decode(value)));
            }
            if campaign.is_some() || allowed.iter().any(|known| known == name) {
                address.url.push(separator);
                address.url.push_str(pair);
                separator = '&';
            }
        }
        address
    }
}

fn without_credentials(place: &str, host: &str) -> String {
    match place.split_once('@') {
        Some((before, _)) if before.contains("://") && place.contains(host) => {
            let scheme = before.split("://").next().unwrap_or_default();
            let after = place.split_once('@').map_or("", |(_, after)| after);
            [scheme, "://", after].concat()
        }
        _ => place.into(),
    }
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
    let has = |labels: &[&str]| host.split('.').any(|label| labels.contains(&label));
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
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(0)?.wrapping_mul(16).wrapping_add(digit(1)?)).ok()
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
