//! Who may do what: write keys, origins, the admin token. Decisions only; nothing is read or sent here.

use crate::fault::Fault;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::event::Clock;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::program::{EdgeConfig, Source, SourceKind};

/// What a request shows of its sender.
#[derive(Debug, Clone, Copy)]
pub struct Credentials<'a> {
    /// The write key that the batch states.
    pub write_key: &'a str,
    /// The token of `authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The `Origin` header.
    pub origin: Option<&'a str>,
    /// The worker's own origin, as the request's address says.
    pub own_origin: &'a str,
}

/// What a request shows of the visitor, or what a server says the visitor's own request showed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Witness {
    /// Global Privacy Control.
    pub gpc: bool,
    /// The visitor's country, two letters.
    pub country: Option<String>,
}

impl Witness {
    /// What counts of a sender: a page's own request shows its visitor; a server's shows the server, which says in its
    /// batch what it saw of the visitor.
    #[must_use]
    pub fn of(sender: &Sender, shown: Self, said: Self) -> Self {
        match sender.trust {
            Trust::Client => shown,
            Trust::Server => said,
        }
    }
}

/// A sender that was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The source's name.
    pub source: String,
    /// What its events enter with.
    pub trust: Trust,
    /// It holds the admin token.
    pub is_admin: bool,
    /// The origin that may read the answer, where it is not the worker's own.
    pub cors_origin: Option<String>,
}

/// The origin of an address as the platform writes it: without a port that is the scheme's own.
#[must_use]
pub fn origin_of(address: &str) -> &str {
    let host = address.find("://").map_or(0, |at| at.saturating_add(3));
    let end = address.get(host..).and_then(|rest| rest.find(['/', '?', '#']));
    end.and_then(|end| address.get(..host.saturating_add(end))).unwrap_or(address)
}

/// The parameters of an address's query, as a form writes them.
#[must_use]
pub fn query(address: &str) -> Vec<(String, String)> {
    let address = address.split('#').next().unwrap_or_default();
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// Lets a sender of events in to one of the sites, by its place among them, or says why not. `secret` gives the value of a
/// named secret of the deployment.
///
/// # Errors
/// [`Fault`] 401 where no source of any site has the key, 403 where the origin is not listed, 400 where the admin names a
/// source that several sites have.
pub fn enter(
    sites: &[&EdgeConfig],
    admin_token: Option<&str>,
    secret: &dyn Fn(&str) -> Option<String>,
    shown: &Credentials<'_>,
) -> Result<(usize, Sender), Fault> {
    if is_admin(admin_token, shown.bearer) {
        let (at, source) = named(sites, shown.write_key)?;
        let source = source.name.clone();
        return Ok((at, Sender { source, trust: Trust::Server, is_admin: true, cors_origin: None }));
    }
    let mut refused = unknown_key();
    for (at, config) in sites.iter().enumerate() {
        match sender(config, secret, shown) {
            Ok(sender) => return Ok((at, sender)),
            Err(fault) if fault.code == refused.code => {}
            Err(fault) => refused = fault,
        }
    }
    Err(refused)
}

/// The source that the admin means: the one with this key, else the only one with this name. Names are a site's own, so
/// several sites may have the same.
fn named<'a>(sites: &[&'a EdgeConfig], write_key: &str) -> Result<(usize, &'a Source), Fault> {
    let sources = || {
        sites
            .iter()
            .enumerate()
            .flat_map(|(at, config)| config.sources.iter().map(move |source| (at, source)))
    };
    let by_key: Vec<_> = sources().filter(|(_, source)| source.key == write_key).collect();
    let by_name: Vec<_> = sources().filter(|(_, source)| source.name == write_key).collect();
    match if by_key.is_empty() { by_name } else { by_key }.as_slice() {
        [] => Err(unknown_key()),
        [one] => Ok(*one),
        several => {
            Err(Fault::ambiguous_source(format!("{} sites have a source `{write_key}`", several.len())))
        }
    }
}

/// Lets a sender in to a site without the admin token.
fn sender(
    config: &EdgeConfig,
    secret: &dyn Fn(&str) -> Option<String>,
    shown: &Credentials<'_>,
) -> Result<Sender, Fault> {
    if let Some(bearer) = shown.bearer {
        let is_theirs =
            |source: &&Source| secret(&source.key).is_some_and(|secret| is_same_secret(&secret, bearer));
        let servers = config.sources.iter().filter(|source| source.kind == SourceKind::Server);
        let source = servers.into_iter().find(is_theirs).ok_or_else(unknown_key)?;
        let trust = source.kind.trust();
        return Ok(Sender { source: source.name.clone(), trust, is_admin: false, cors_origin: None });
    }
    let browsers = config.sources.iter().filter(|source| source.kind == SourceKind::Browser);
    let source = browsers.into_iter().find(|source| source.key == shown.write_key).ok_or_else(unknown_key)?;
    let cors_origin = allowed_origin(config, shown)?;
    Ok(Sender { source: source.name.clone(), trust: source.kind.trust(), is_admin: false, cors_origin })
}

/// Whether the sender may use this clock for its batch.
///
/// # Errors
/// [`Fault`] 403 for [`Clock::Event`] without the admin token.
pub fn clock(sender: &Sender, clock: Clock) -> Result<(), Fault> {
    match clock {
        Clock::Event if !sender.is_admin => Err(Fault::admin_needed("clock: event needs the admin token")),
        _ => Ok(()),
    }
}

/// Whether the bearer token is the admin token. Never without one configured.
#[must_use]
pub fn is_admin(admin_token: Option<&str>, bearer: Option<&str>) -> bool {
    match (admin_token, bearer) {
        (Some(token), Some(bearer)) => !token.is_empty() && is_same_secret(token, bearer),
        _ => false,
    }
}

/// The token of an `authorization` header: `Bearer <token>`.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The visitor's country, as the platform's header says it; `None` where the platform does not know it.
#[must_use]
pub fn country(code: &str) -> Option<&str> {
    Some(code).filter(|code| code.len() == 2 && !matches!(*code, "XX" | "T1"))
}

/// The origin that an answer names so that a page elsewhere may read it: `None` for the worker's own or none at all.
///
/// # Errors
/// [`Fault`] 403 where the origin is neither the worker's own nor listed.
fn allowed_origin(config: &EdgeConfig, shown: &Credentials<'_>) -> Result<Option<String>, Fault> {
    match shown.origin {
        None => Ok(None),
        Some(origin) if origin == shown.own_origin => Ok(None),
        Some(origin) if is_listed(config, origin) => Ok(Some(origin.into())),
        Some(origin) => Err(Fault::origin_not_allowed(format!("the site does not list the origin {origin}"))),
    }
}

/// Whether the site lists an origin.
#[must_use]
pub fn is_listed(config: &EdgeConfig, origin: &str) -> bool {
    config.origins.iter().any(|listed| listed == origin)
}

fn unknown_key() -> Fault {
    Fault::unknown_key("no site has a source with this key")
}

/// Compares in a time that does not tell where two secrets differ.
fn is_same_secret(one: &str, other: &str) -> bool {
    let difference = one.bytes().zip(other.bytes()).fold(0u8, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn an_address_has_an_origin_and_parameters() {
        assert_eq!(origin_of("https://edge.example/v1/log?from=https://x/y"), "https://edge.example");
        assert_eq!(origin_of("http://127.0.0.1:8787/"), "http://127.0.0.1:8787");
        assert_eq!(origin_of("https://edge.example?a"), "https://edge.example");
        assert_eq!(origin_of("https://edge.example"), "https://edge.example");
        let pair = |name: &str, value: &str| (String::from(name), String::from(value));
        assert_eq!(query("https://e/v1/log"), []);
        let found = query("https://e/v1/log?from=1.2&event=a+b%20%C3%A9%26&&live#?x=1");
        assert_eq!(found, [pair("from", "1.2"), pair("event", "a b \u{e9}&"), pair("live", "")]);
    }

    fn config() -> EdgeConfig {
        let source = |name: &str, kind, key: &str| Source { name: name.into(), kind, key: key.into() };
        EdgeConfig {
            sources: vec![
                source("web", SourceKind::Browser, "wk_web"),
                source("backend", SourceKind::Server, "BACKEND_KEY"),
            ],
            origins: vec!["https://shop.example".into()],
            ..EdgeConfig::default()
        }
    }

    fn enter(write_key: &str, bearer: Option<&str>, origin: Option<&str>) -> Result<Sender, u16> {
        let shown = Credentials { write_key, bearer, origin, own_origin: "https://edge.example" };
        let secret = |name: &str| (name == "BACKEND_KEY").then(|| "s3cret".into());
        let entered = super::enter(&[&config()], Some("admin"), &secret, &shown);
        entered.map(|(_, sender)| sender).map_err(|fault| fault.status)
    }

    #[test]
    fn the_admin_names_a_source_that_one_site_alone_has() {
        let mut other = config();
        other.sources.truncate(1);
        other.sources[0].key = "wk_other_web".into();
        let named = |write_key| {
            let shown = Credentials {
                write_key,
                bearer: Some("admin"),
                origin: None,
                own_origin: "https://edge.example",
            };
            let entered = super::enter(&[&config(), &other], Some("admin"), &|_| None, &shown);
            entered.map(|(at, sender)| (at, sender.source)).map_err(|fault| fault.code)
        };
        assert_eq!(named("wk_other_web"), Ok((1, "web".into())));
        assert_eq!(named("wk_web"), Ok((0, "web".into())));
        assert_eq!(named("backend"), Ok((0, "backend".into())));
        assert_eq!(named("web"), Err("ambiguous_source"), "both sites have one");
        assert_eq!(named("nobody"), Err("unknown_key"));
    }

    #[test]
    fn a_browser_key_is_trusted_as_a_client_from_its_own_or_a_listed_origin() {
        let own = enter("wk_web", None, Some("https://edge.example")).unwrap();
        assert_eq!((own.source.as_str(), own.trust, own.cors_origin), ("web", Trust::Client, None));
        let listed = enter("wk_web", None, Some("https://shop.example")).unwrap();
        assert_eq!(listed.cors_origin.as_deref(), Some("https://shop.example"));
        assert_eq!(enter("wk_web", None, Some("https://evil.example")), Err(403));
        assert_eq!(enter("wk_web", None, Some("null")), Err(403));
    }

    #[test]
    fn unknown_keys_and_tokens_stay_out() {
        assert_eq!(enter("wk_other", None, None), Err(401));
        assert_eq!(enter("BACKEND_KEY", None, None), Err(401));
        assert_eq!(enter("wk_web", Some("wrong"), None), Err(401));
        assert_eq!(enter("wk_web", Some(""), None), Err(401));
    }

    #[test]
    fn a_server_key_is_trusted_and_only_the_admin_sets_the_clock() {
        let server = enter("", Some("s3cret"), None).unwrap();
        assert_eq!((server.source.as_str(), server.trust), ("backend", Trust::Server));
        assert!(clock(&server, Clock::Received).is_ok());
        assert_eq!(clock(&server, Clock::Event).unwrap_err().status, 403);
        let admin = enter("wk_web", Some("admin"), None).unwrap();
        assert!(admin.is_admin && clock(&admin, Clock::Event).is_ok());
    }

    #[test]
    fn a_servers_own_request_says_nothing_of_its_visitor() {
        let witness = |gpc, country: &str| Witness { gpc, country: Some(country.into()) };
        let of = |sender: &Sender| Witness::of(sender, witness(true, "US"), witness(false, "DE"));
        assert_eq!(of(&enter("", Some("s3cret"), None).unwrap()), witness(false, "DE"));
        assert_eq!(of(&enter("wk_web", None, None).unwrap()), witness(true, "US"));
    }

    #[test]
    fn there_is_no_admin_without_a_token() {
        assert!(!is_admin(None, Some("")));
        assert!(!is_admin(Some(""), Some("")));
        assert!(is_admin(Some("t"), Some("t")));
        assert_eq!(bearer("bearer  t "), Some("t"));
        assert_eq!(bearer("Basic t"), None);
    }
}
