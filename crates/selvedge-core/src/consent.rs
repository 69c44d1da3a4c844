//! Consent: what the visitor granted, and what may be done with an event because of it. Fails closed.
//!
//! The modules read what consent platforms say. They answer questions about a text where it stands, and keep nothing of it.

mod bits;

mod vendors;

pub mod tcf;

pub mod us;

pub mod gpp;

pub mod voices;

/// A set of purposes. Bits 0 to 3 are the four that every site has; a site's own take the bits above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purposes(pub u16);

impl Purposes {
    /// No purpose.
    pub const NONE: Self = Self(0);
    /// What a page cannot work without. Always granted.
    pub const NECESSARY: Self = Self(1);
    /// Measuring how the site is used. An event outside the tracking plan counts as this.
    pub const ANALYTICS: Self = Self(2);
    /// Adapting the page to the visitor.
    pub const PERSONALIZATION: Self = Self(4);
    /// Showing and measuring advertising, here or elsewhere.
    pub const ADVERTISING: Self = Self(8);
    /// The four names, in the order of their bits.
    pub const NAMES: [&'static str; 4] = ["necessary", "analytics", "personalization", "advertising"];

    /// The purpose named so, among the four.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        1u16.checked_shl(u32::try_from(at).ok()?).map(Self)
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What stands in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// This set without the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no purpose is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every purpose of `other` is in this set.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// What a purpose means where nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Unknown counts as denied (GDPR, ePrivacy).
    #[default]
    OptIn,
    /// Unknown counts as granted (most US states); GPC still removes advertising.
    OptOut,
    /// Analytics needs no answer, all else does: anonymous audience measurement under the exemption of the French CNIL.
    Exempt,
}

impl Mode {
    /// The mode under which less is in force without an answer.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        match (self, other) {
            (Self::OptIn, _) | (_, Self::OptIn) => Self::OptIn,
            (Self::OptOut, Self::OptOut) => Self::OptOut,
            _ => Self::Exempt,
        }
    }

    /// The mode of this number, as the wire has it: what `self as u8` gave.
    #[must_use]
    pub const fn of(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::OptIn,
            1 => Self::OptOut,
            2 => Self::Exempt,
            _ => return None,
        })
    }
}

/// Who said it: a set. What several said was combined by the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signals(pub u8);

impl Signals {
    /// Nobody yet.
    pub const NONE: Self = Self(0);
    /// The plain API of the page.
    pub const API: Self = Self(1);
    /// A server or import that vouches for it.
    pub const SERVER: Self = Self(2);
    /// A TC string of the IAB's framework.
    pub const TCF: Self = Self(4);
    /// A GPP string.
    pub const GPP: Self = Self(8);
    /// Google Consent Mode.
    pub const CONSENT_MODE: Self = Self(16);
    /// A consent platform that is read through a mapping.
    pub const PLATFORM: Self = Self(32);
    /// Do Not Track, where the site heeds it.
    pub const DNT: Self = Self(64);
    /// The names, in the order of their bits.
    pub const NAMES: [&'static str; 7] = ["api", "server", "tcf", "gpp", "consent_mode", "platform", "dnt"];

    /// The signal named so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        1u8.checked_shl(u32::try_from(at).ok()?).map(Self)
    }

    /// Both sets together.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What was known of a visitor's consent at one moment. Every event carries one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Purposes the visitor granted.
    pub granted: Purposes,
    /// Purposes the visitor denied. Denied wins over granted.
    pub denied: Purposes,
    /// What unknown means where the visitor is.
    pub mode: Mode,
    /// Global Privacy Control was set.
    pub gpc: bool,
    /// Who said it.
    pub signal: Signals,
    /// The version of the site's consent policy.
    pub policy_version: u16,
    /// When it was said: Unix milliseconds of the page's clock, 0 where nobody answered.
    pub time_ms: u64,
    /// What names the texts that said it: the FNV-1a hash (64 bits) of the TC or GPP string, or of what a platform was read
    /// to say; of several texts their hashes, xored. 0 where there was none.
    pub text_hash: u64,
}

impl Snapshot {
    /// Nobody said anything.
    pub const UNANSWERED: Self = Self {
        granted: Purposes::NONE,
        denied: Purposes::NONE,
        mode: Mode::OptIn,
        gpc: false,
        signal: Signals::NONE,
        policy_version: 0,
        time_ms: 0,
        text_hash: 0,
    };

    /// The purposes in force: granted and not denied; under opt-out also the unanswered ones; never advertising under
    /// Global Privacy Control; always the necessary.
    #[must_use]
    pub const fn in_force(&self) -> Purposes {
        let granted = match self.mode {
            Mode::OptIn => self.granted,
            Mode::OptOut => Purposes(u16::MAX),
            Mode::Exempt => self.granted.or(Purposes::ANALYTICS),
        };
        let kept = granted.without(self.denied);
        let kept = if self.gpc { kept.without(Purposes::ADVERTISING) } else { kept };
        kept.or(Purposes::NECESSARY)
    }

    /// The purposes that are neither in force nor denied: the visitor may still grant them.
    #[must_use]
    pub const fn unanswered(&self) -> Purposes {
        let open = Purposes(u16::MAX).without(self.in_force()).without(self.denied);
        if self.gpc { open.without(Purposes::ADVERTISING) } else { open }
    }

    /// Whether the visitor has answered, or need not be asked.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        self.time_ms > 0 || !matches!(self.mode, Mode::OptIn)
    }
}

/// The purposes an event may be used for: those of its plan that were granted at capture and are granted now.
/// Empty means: count it, then destroy it.
#[must_use]
pub const fn usable(plan: Purposes, at_capture: &Snapshot, now: &Snapshot) -> Purposes {
    plan.and(at_capture.in_force()).and(now.in_force())
}

/// What one source says of the purposes; what it leaves open stands in neither set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statement {
    /// Purposes it grants.
    pub granted: Purposes,
    /// Purposes it denies.
    pub denied: Purposes,
}

impl Statement {
    /// Nothing of any purpose.
    pub const NONE: Self = Self { granted: Purposes::NONE, denied: Purposes::NONE };
    /// Everything but the necessary is denied: what a source means whose text cannot be read.
    pub const DENIED: Self =
        Self { granted: Purposes::NONE, denied: Purposes(u16::MAX ^ Purposes::NECESSARY.0) };

    /// Whether it says nothing of any purpose.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.granted.is_empty() && self.denied.is_empty()
    }

    /// What both say together: a purpose is granted where one grants and none denies it.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        let denied = self.denied.or(other.denied);
        Self { granted: self.granted.or(other.granted).without(denied), denied }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_necessary_is_granted_before_an_answer() {
        assert_eq!(Snapshot::default().in_force(), Purposes::NECESSARY);
        assert!(!Snapshot::default().is_answered());
    }

    #[test]
    fn denied_wins_and_privacy_control_removes_advertising() {
        let all = Purposes(0xf);
        let snapshot =
            Snapshot { granted: all, denied: Purposes::ANALYTICS, gpc: true, ..Snapshot::default() };
        let in_force = snapshot.in_force();
        assert!(in_force.holds(Purposes::PERSONALIZATION));
        assert!(!in_force.holds(Purposes::ANALYTICS));
        assert!(!in_force.holds(Purposes::ADVERTISING));
    }

    #[test]
    fn under_the_exemption_analytics_needs_no_answer_and_a_denial_ends_it() {
        let exempt = Snapshot { mode: Mode::Exempt, ..Snapshot::default() };
        assert_eq!(exempt.in_force(), Purposes::NECESSARY.or(Purposes::ANALYTICS));
        assert!(exempt.is_answered());
        let denied = Snapshot { denied: Purposes::ANALYTICS, ..exempt };
        assert_eq!(denied.in_force(), Purposes::NECESSARY);
    }

    #[test]
    fn the_strictest_mode_puts_the_least_in_force() {
        let modes = [Mode::OptIn, Mode::OptOut, Mode::Exempt];
        for (one, other) in modes.iter().flat_map(|one| modes.iter().map(move |other| (*one, *other))) {
            let in_force = |mode| Snapshot { mode, ..Snapshot::default() }.in_force();
            assert_eq!(in_force(one.strictest(other)), in_force(one).and(in_force(other)));
            assert_eq!(Mode::of(one as u8), Some(one));
        }
        assert_eq!(Mode::of(3), None);
    }

    #[test]
    fn an_event_needs_a_purpose_at_capture_and_now() {
        let granted = Snapshot { granted: Purposes::ANALYTICS, ..Snapshot::default() };
        let withdrawn = Snapshot { denied: Purposes::ANALYTICS, ..granted };
        assert_eq!(usable(Purposes::ANALYTICS, &granted, &granted), Purposes::ANALYTICS);
        assert!(usable(Purposes::ANALYTICS, &granted, &withdrawn).is_empty());
        assert!(usable(Purposes::ANALYTICS, &withdrawn, &granted).is_empty());
    }
}
