//! Preview tokens: who holds one sees a site as if variants were drawn and drafts were live, and is told why. A token is made
//! where the deployment's secret is known, and is worth nothing behind its time.
//!
//! `payload.signature`, both in hexadecimal: JSON, and HMAC-SHA-256 of it under the secret.

use crate::object::{self, Object};
use crate::site::Site;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use hmac::{Hmac, Mac};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::rules::{Orders, Program, ProgramFault};
use selvedge_core::wire::program::{Status, with_live};
use serde::Serialize;
use sha2::Sha256;

/// Stands for every rule in [`Preview::rules`].
pub const ALL: &str = "*";
/// Bytes of a token, at most.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// How long a token may be worth something: 30 days.
pub const LIFE_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1_000;
/// What is signed before the payload, so that no other signature under the same secret is one.
const PURPOSE: &[u8] = b"selvedge preview v1.";

/// What a token lets its holder see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Of which site.
    pub site: String,
    /// Until when: Unix milliseconds.
    pub expires_ms: u64,
    /// Variants that are drawn, as `experiment/variant`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
    /// Rules that act though they are drafts or were stopped; [`ALL`] among them: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
}

/// Why a token shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The deployment has no secret for previews.
    NoSecret,
    /// It is no token.
    Unreadable,
    /// It was signed with another secret, or changed since.
    Signature,
    /// Its time is over, or too far ahead.
    Expired,
    /// It is of another site.
    AnotherSite,
}

impl Refused {
    /// The code that tells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSecret => "no_secret",
            Self::Unreadable => "unreadable",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::AnotherSite => "another_site",
        }
    }
}

impl Preview {
    /// The token under this secret.
    #[must_use]
    pub fn sign(&self, secret: &str) -> String {
        let payload = serde_json::to_vec(self).unwrap_or_default();
        let signature = mac(secret, &payload).map(|mac| mac.finalize().into_bytes().to_vec());
        format!("{}.{}", hex(&payload), hex(&signature.unwrap_or_default()))
    }

    /// What a token lets its holder see of this site now.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn verify(token: &str, secret: Option<&str>, site: &str, now_ms: u64) -> Result<Self, Refused> {
        let secret = secret.filter(|secret| !secret.is_empty()).ok_or(Refused::NoSecret)?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Unreadable);
        }
        let (payload, signature) = token.split_once('.').ok_or(Refused::Unreadable)?;
        let (payload, signature) = bytes_of(payload).zip(bytes_of(signature)).ok_or(Refused::Unreadable)?;
        let mac = mac(secret, &payload).ok_or(Refused::NoSecret)?;
        mac.verify_slice(&signature).map_err(|_| Refused::Signature)?;
        let preview = Self::read(&payload).map_err(|_| Refused::Unreadable)?;
        if preview.site != site {
            return Err(Refused::AnotherSite);
        }
        let is_now = (now_ms..=now_ms.saturating_add(LIFE_MS_MAX)).contains(&preview.expires_ms);
        if is_now { Ok(preview) } else { Err(Refused::Expired) }
    }

    fn read(payload: &[u8]) -> Result<Self, object::Error> {
        let read = Object::of_bytes(payload)?;
        read.only(&["site", "expires_ms", "variants", "rules"])?;
        Ok(Self {
            site: Object::needed("site", read.text("site")?)?.into_owned(),
            expires_ms: Object::needed("expires_ms", read.number("expires_ms")?)?,
            variants: read.texts("variants")?,
            rules: read.texts("rules")?,
        })
    }

    /// The same with these variants drawn, in place of others of their experiments.
    #[must_use]
    pub fn asked_for(mut self, variants: &[String]) -> Self {
        let experiment =
            |variant: &str| variant.split_once('/').map(|(experiment, _)| String::from(experiment));
        self.variants.retain(|kept| !variants.iter().any(|asked| experiment(asked) == experiment(kept)));
        self.variants.extend_from_slice(variants);
        self
    }

    /// The site as the holder sees it.
    ///
    /// # Errors
    /// [`ProgramFault`], which no loaded site is known to meet.
    pub fn of(&self, site: &Site) -> Result<Site, ProgramFault> {
        let is_shown = |id: &String| self.rules.iter().any(|shown| shown == ALL || shown == id);
        let rules = site.program.rules();
        let drafts = (0..).zip(rules).filter(|(_, rule)| rule.status == Status::Draft && is_shown(&rule.id));
        let drafts: Vec<u16> = drafts.map(|(at, _)| at).collect();
        let program = Program::load(&with_live(site.program.bytes(), &drafts)?)?;
        let stops_all = site.paused.contains(&Orders::ALL);
        let is_paused = |id: &String| stops_all || site.paused.contains(&fnv1a_64(id.as_bytes()));
        let paused = rules.iter().filter(|rule| is_paused(&rule.id) && !is_shown(&rule.id));
        let paused = paused.map(|rule| fnv1a_64(rule.id.as_bytes())).collect();
        let forced = self.variants.iter().map(|variant| fnv1a_64(variant.as_bytes())).collect();
        Ok(Site { program, paused, forced, ..site.clone() })
    }
}

fn mac(secret: &str, payload: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(PURPOSE);
    mac.update(payload);
    Some(mac)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits: &[u8] = hex.as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok();
    if digits.len().is_multiple_of(2) { digits.chunks(2).map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_795_341_600_000;

    fn preview() -> Preview {
        let (variants, rules) = (alloc::vec!["cart/free".into()], alloc::vec!["draft".into()]);
        Preview { site: "shop".into(), expires_ms: NOW_MS + 1_000, variants, rules }
    }

    #[test]
    fn a_token_says_what_was_signed_until_its_time() {
        let token = preview().sign("secret");
        assert_eq!(Preview::verify(&token, Some("secret"), "shop", NOW_MS), Ok(preview()));
        assert!(Preview::verify(&token, Some("secret"), "shop", NOW_MS + 1_000).is_ok());
        assert_eq!(Preview::verify(&token, Some("secret"), "shop", NOW_MS + 1_001), Err(Refused::Expired));
    }

    #[test]
    fn a_variant_that_is_asked_for_comes_in_place_of_the_tokens() {
        let asked = |variant: &str| preview().asked_for(&[variant.into()]).variants;
        assert_eq!(asked("cart/paid"), ["cart/paid"]);
        assert_eq!(asked("hero/large"), ["cart/free", "hero/large"]);
        assert_eq!(preview().asked_for(&[]), preview());
    }

    #[test]
    fn what_is_no_valid_token_is_told_apart() {
        let token = preview().sign("secret");
        let other = Preview { expires_ms: NOW_MS + LIFE_MS_MAX + 1, ..preview() }.sign("secret");
        // Another payload under the same signature.
        let (_, signature) = token.split_once('.').unwrap();
        let forged = format!("{}.{signature}", other.split_once('.').unwrap().0);
        for (token, secret, site, refused) in [
            (token.as_str(), None, "shop", Refused::NoSecret),
            (token.as_str(), Some(""), "shop", Refused::NoSecret),
            (token.as_str(), Some("other"), "shop", Refused::Signature),
            (forged.as_str(), Some("secret"), "shop", Refused::Signature),
            (token.as_str(), Some("secret"), "other", Refused::AnotherSite),
            (other.as_str(), Some("secret"), "shop", Refused::Expired),
            ("", Some("secret"), "shop", Refused::Unreadable),
            ("zz.00", Some("secret"), "shop", Refused::Unreadable),
            ("0.00", Some("secret"), "shop", Refused::Unreadable),
        ] {
            assert_eq!(Preview::verify(token, secret, site, NOW_MS), Err(refused), "{token} {secret:?}");
        }
    }
}
