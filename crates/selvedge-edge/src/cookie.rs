//! The visitor's id as a first-party cookie: when the edge may set it, and how. In: what a page asks for, whose batch it came
//! with, and the consent in it. Out: the text of a `Set-Cookie`. The page reads the cookie itself, and removes it.

use alloc::format;
use alloc::string::String;
use selvedge_core::consent::{Mode, Purposes, Snapshot};
use selvedge_core::id::VisitorId;
use selvedge_core::limits::EXEMPT_VISITOR_MS_MAX;
use selvedge_core::wire::program::EdgeConfig;

/// The parameter of a collect request that asks for it: the visitor's id, a dot, and when it was minted (Unix milliseconds).
pub const PARAMETER: &str = "id";

/// What the site's `identity` calls it.
const KIND: &str = "cookie";

/// The domain that the cookie is set for (empty: the host alone), where the site wants one and page and edge share it. `None` for a page
/// of another site.
#[must_use]
pub fn home<'a>(config: &'a EdgeConfig, page_origin: &str, own_origin: &str) -> Option<&'a str> {
    let (_, domain) = config.identity.iter().find(|(kind, _)| kind == KIND)?;
    let is_home = if domain.is_empty() {
        page_origin == own_origin
    } else {
        is_within(page_origin, domain) && is_within(own_origin, domain)
    };
    is_home.then_some(domain)
}

/// Whether an origin's host is the domain, or one below it.
fn is_within(origin: &str, domain: &str) -> bool {
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    let rest = name.strip_suffix(domain);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether consent lets something stand on the device for 13 months: something beyond the necessary was granted and not denied, or
/// silence is a grant here and on the page. What is measured without asking is not.
#[must_use]
pub fn is_allowed(said: &Snapshot, mode: Mode) -> bool {
    let granted = said.granted.without(said.denied).without(Purposes::NECESSARY);
    let is_silent = mode == Mode::OptOut && said.mode == Mode::OptOut;
    let silent = said.in_force().without(Purposes::NECESSARY);
    !granted.is_empty() || (is_silent && !silent.is_empty())
}

/// The text of the `Set-Cookie`: it ends 13 months after the id was minted, however often it is set. `None` where that is over, or
/// what was asked for is not this visitor's.
#[must_use]
pub fn set(site: &str, domain: &str, asked: &str, visitor: VisitorId, now_ms: u64) -> Option<String> {
    let (id, minted) = asked.split_once('.')?;
    let minted_ms: u64 = minted.parse().ok().filter(|_| id == format!("{visitor}"))?;
    let age_ms = now_ms.saturating_sub(minted_ms);
    let seconds = EXEMPT_VISITOR_MS_MAX.checked_sub(age_ms).filter(|left_ms| *left_ms >= 1_000)? / 1_000;
    let domain = if domain.is_empty() { String::new() } else { format!("; Domain={domain}") };
    let end = format!("Max-Age={seconds}; Path=/; Secure; SameSite=Lax{domain}");
    Some(format!("selvedge_{site}={id}.{minted_ms}; {end}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    const NOW_MS: u64 = 1_800_000_000_000;

    fn config(domain: &str) -> EdgeConfig {
        EdgeConfig { identity: vec![("cookie".into(), domain.into())], ..EdgeConfig::default() }
    }

    #[test]
    fn page_and_edge_share_a_host_or_the_domain_of_the_site() {
        let home = |domain, page, own| super::home(&config(domain), page, own).map(ToString::to_string);
        let edge = "https://shop.example";
        assert_eq!(home("", edge, edge).as_deref(), Some(""));
        assert_eq!(home("", "https://www.shop.example", edge), None);
        assert_eq!(home("", "", edge), None);
        let t = "https://t.shop.example:8443";
        assert_eq!(home("shop.example", "https://www.shop.example", t).as_deref(), Some("shop.example"));
        assert_eq!(home("shop.example", edge, t).as_deref(), Some("shop.example"));
        for elsewhere in ["https://evilshop.example", "https://shop.example.evil.test", "null", ""] {
            assert_eq!(home("shop.example", elsewhere, t), None, "{elsewhere}");
            assert_eq!(home("shop.example", edge, elsewhere), None, "{elsewhere}");
        }
        assert_eq!(super::home(&EdgeConfig::default(), edge, edge), None, "nobody asked for a cookie");
    }

    #[test]
    fn only_what_was_granted_stands_on_the_device() {
        let said = |mode, granted, denied| Snapshot { mode, granted, denied, ..Snapshot::default() };
        let (none, analytics) = (Purposes::NONE, Purposes::ANALYTICS);
        let all = Purposes(0b1110);
        for (snapshot, mode, is_allowed) in [
            (said(Mode::OptIn, none, none), Mode::OptIn, false),
            (said(Mode::OptIn, analytics, none), Mode::OptIn, true),
            (said(Mode::OptIn, analytics, analytics), Mode::OptIn, false),
            (said(Mode::OptIn, Purposes::NECESSARY, none), Mode::OptIn, false),
            (said(Mode::OptOut, none, none), Mode::OptOut, true),
            (said(Mode::OptOut, none, none), Mode::OptIn, false),
            (said(Mode::OptOut, none, Purposes(u16::MAX)), Mode::OptOut, false),
            (said(Mode::Exempt, none, none), Mode::Exempt, false),
            (said(Mode::Exempt, all, none), Mode::Exempt, true),
        ] {
            assert_eq!(super::is_allowed(&snapshot, mode), is_allowed, "{snapshot:?} {mode:?}");
        }
    }

    #[test]
    fn a_cookie_ends_thirteen_months_after_the_id_began_whenever_it_is_set() {
        let visitor = VisitorId([0xab; 16]);
        let asked = |minted_ms: u64| format!("{visitor}.{minted_ms}");
        let set = |asked: &str| super::set("shop", "", asked, visitor, NOW_MS);
        let fresh = set(&asked(NOW_MS)).unwrap();
        assert_eq!(
            fresh,
            format!("selvedge_shop={visitor}.{NOW_MS}; Max-Age=33955200; Path=/; Secure; SameSite=Lax")
        );
        let day_ms = 24 * 3_600_000;
        assert!(set(&asked(NOW_MS - 392 * day_ms)).unwrap().contains("Max-Age=86400;"));
        assert_eq!(set(&asked(NOW_MS - 393 * day_ms)), None);
        assert_eq!(set(&asked(0)), None, "nobody knows how old it is");
        assert!(set(&asked(NOW_MS + day_ms)).unwrap().contains("Max-Age=33955200;"), "a clock that is ahead");
        for wrong in
            [format!("{}.{NOW_MS}", VisitorId([1; 16])), format!("{visitor}"), format!("{visitor}.x; a=b")]
        {
            assert_eq!(set(&wrong), None, "{wrong}");
        }
        let wide = super::set("shop", "shop.example", &asked(NOW_MS), visitor, NOW_MS).unwrap();
        assert!(wide.ends_with("; Domain=shop.example"), "{wide}");
    }
}
