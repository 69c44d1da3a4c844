//! Who may do what: write keys, origins, the admin token. Decisions only; nothing is read or sent here.

use crate::fault::Fault;
use alloc::format;
use alloc::string::String;
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

/// Lets a sender of events in, or says why not. `secret` gives the value of a named secret of the deployment.
///
/// # Errors
/// [`Fault`] 401 where no source of the site has the key, 403 where the origin is not listed.
pub fn sender(
    config: &EdgeConfig,
    admin_token: Option<&str>,
    secret: &dyn Fn(&str) -> Option<String>,
    shown: &Credentials<'_>,
) -> Result<Sender, Fault> {
    if is_admin(admin_token, shown.bearer) {
        let source = by_key(config, shown.write_key).ok_or_else(unknown_key)?;
        return Ok(Sender {
            source: source.name.clone(),
            trust: Trust::Server,
            is_admin: true,
            cors_origin: None,
        });
    }
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

fn by_key<'a>(config: &'a EdgeConfig, write_key: &str) -> Option<&'a Source> {
    config.sources.iter().find(|source| source.key == write_key || source.name == write_key)
}

fn unknown_key() -> Fault {
    Fault::unknown_key("no source of this site has the key")
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
        sender(&config(), Some("admin"), &secret, &shown).map_err(|fault| fault.status)
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
    fn there_is_no_admin_without_a_token() {
        assert!(!is_admin(None, Some("")));
        assert!(!is_admin(Some(""), Some("")));
        assert!(is_admin(Some("t"), Some("t")));
        assert_eq!(bearer("bearer  t "), Some("t"));
        assert_eq!(bearer("Basic t"), None);
    }
}
