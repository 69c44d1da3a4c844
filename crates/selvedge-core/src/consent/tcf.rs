//! TC strings of the IAB Transparency and Consent Framework 2.3: what a vendor, or the publisher, may do for which purpose.
//! Source: "Consent string and vendor list formats v2", "Core string" and "Publisher restrictions".

use super::bits::{Bits, Reader, parts};
use super::vendors::Vendors;
use super::{Purposes, Statement};

/// Bits of a core segment, in the order of the specification.
mod place {
    pub const POLICY_VERSION: usize = 132;
    pub const IS_SERVICE_SPECIFIC: usize = 138;
    pub const SPECIAL_FEATURES: usize = 140;
    pub const CONSENTS: usize = 152;
    pub const INTERESTS: usize = 176;
    pub const VENDORS: usize = 213;
    /// Of a publisher segment, behind its type.
    pub const PUBLISHER_CONSENTS: usize = 3;
    pub const PUBLISHER_INTERESTS: usize = 27;
}

const VERSION: u32 = 2;
/// The policy that TCF 2.2 brought; older strings promise less than this code reads out of them.
const POLICY_VERSION_MIN: u32 = 4;
/// Purposes that a string has room for.
pub(super) const PURPOSES: u8 = 24;
const SPECIAL_FEATURES: u8 = 12;

const DISCLOSED: u32 = 1;
const PUBLISHER: u32 = 3;

/// What a restriction of the publisher says of a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Restriction {
    /// Not at all.
    NotAllowed = 0,
    /// By consent alone.
    RequireConsent = 1,
    /// By legitimate interest alone.
    RequireInterest = 2,
}

/// A TC string that was read from one end to the other and found whole.
#[derive(Debug, Clone, Copy)]
pub struct TcString<'a> {
    core: Bits<'a>,
    consents: Vendors<'a>,
    interests: Vendors<'a>,
    /// Where the count of restrictions stands.
    restrictions_at: usize,
    disclosed: Option<Vendors<'a>>,
    publisher: Option<Bits<'a>>,
}

impl<'a> TcString<'a> {
    /// The string; `None` where it is malformed, of another version, of a policy before 2.2, or made for more than one
    /// service. Such a string grants nothing.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let mut segments = parts(text, b'.');
        let core = Bits::of(segments.next()?)?;
        let is_usable = core.number(0, 6)? == VERSION
            && core.number(place::POLICY_VERSION, 6)? >= POLICY_VERSION_MIN
            && core.bit(place::IS_SERVICE_SPECIFIC)?;
        let mut reader = Reader::new(core, place::VENDORS);
        let consents = Vendors::read(core, &mut reader)?;
        let interests = Vendors::read(core, &mut reader)?;
        let restrictions_at = reader.at();
        let mut read = Self { core, consents, interests, restrictions_at, disclosed: None, publisher: None };
        read.restrictions(&mut |_, _, _| ())?;
        for segment in segments {
            read.segment(Bits::of(segment)?)?;
        }
        is_usable.then_some(read)
    }

    /// Notes an optional segment; unknown ones say nothing.
    fn segment(&mut self, bits: Bits<'a>) -> Option<()> {
        match bits.number(0, 3)? {
            DISCLOSED => self.disclosed = Some(Vendors::read(bits, &mut Reader::new(bits, 3))?),
            PUBLISHER => {
                Reader::new(bits, place::PUBLISHER_CONSENTS).skip(2 * usize::from(PURPOSES))?;
                self.publisher = Some(bits);
            }
            _ => {}
        }
        Some(())
    }

    /// Whether the user consented to a purpose (1 to 24).
    #[must_use]
    pub fn consents_to(&self, purpose: u8) -> bool {
        flag(self.core, place::CONSENTS, purpose, PURPOSES)
    }

    /// Whether a purpose's legitimate interest was told, and not objected to.
    #[must_use]
    pub fn tells_interest(&self, purpose: u8) -> bool {
        flag(self.core, place::INTERESTS, purpose, PURPOSES)
    }

    /// Whether the user opted in to a special feature (1 to 12).
    #[must_use]
    pub fn opts_in(&self, feature: u8) -> bool {
        flag(self.core, place::SPECIAL_FEATURES, feature, SPECIAL_FEATURES)
    }

    /// Whether the user consented to a vendor.
    #[must_use]
    pub fn consents_to_vendor(&self, vendor: u16) -> bool {
        self.consents.holds(vendor)
    }

    /// Whether a vendor's legitimate interest was told, and not objected to.
    #[must_use]
    pub fn tells_interest_of_vendor(&self, vendor: u16) -> bool {
        self.interests.holds(vendor)
    }

    /// Whether the user was shown the vendor. Without the segment, which 2.3 demands, nobody was.
    #[must_use]
    pub fn discloses(&self, vendor: u16) -> bool {
        self.disclosed.is_some_and(|vendors| vendors.holds(vendor))
    }

    /// Whether the user consented to a purpose of the publisher itself.
    #[must_use]
    pub fn consents_to_publisher(&self, purpose: u8) -> bool {
        self.publisher.is_some_and(|bits| flag(bits, place::PUBLISHER_CONSENTS, purpose, PURPOSES))
    }

    /// Whether the publisher's legitimate interest in a purpose was told, and not objected to.
    #[must_use]
    pub fn tells_interest_of_publisher(&self, purpose: u8) -> bool {
        self.publisher.is_some_and(|bits| flag(bits, place::PUBLISHER_INTERESTS, purpose, PURPOSES))
    }

    /// Whether the publisher restricted a vendor's purpose so.
    #[must_use]
    pub fn restricts(&self, purpose: u8, vendor: u16, how: Restriction) -> bool {
        let mut is_restricted = false;
        let _ = self.restrictions(&mut |restricted, kind, vendors| {
            let is_meant = restricted == u32::from(purpose) && kind == u32::from(how as u8);
            is_restricted |= is_meant && vendors.holds(vendor);
        });
        is_restricted
    }

    /// Walks over the restrictions: purpose, kind, vendors. `None` where they are cut off.
    fn restrictions(&self, each: &mut dyn FnMut(u32, u32, Vendors<'a>)) -> Option<()> {
        let mut reader = Reader::new(self.core, self.restrictions_at);
        for _ in 0..reader.number(12)? {
            let (purpose, kind) = (reader.number(6)?, reader.number(2)?);
            each(purpose, kind, Vendors::read_ranges(self.core, &mut reader)?);
        }
        Some(())
    }

    /// Whether a vendor may act for a purpose because the user consented.
    #[must_use]
    pub fn allows_by_consent(&self, purpose: u8, vendor: u16) -> bool {
        self.discloses(vendor)
            && self.consents_to_vendor(vendor)
            && self.consents_to(purpose)
            && !self.restricts(purpose, vendor, Restriction::NotAllowed)
            && !self.restricts(purpose, vendor, Restriction::RequireInterest)
    }

    /// Whether a vendor may act for a purpose by legitimate interest; never for purposes 1 and 3 to 6.
    #[must_use]
    pub fn allows_by_interest(&self, purpose: u8, vendor: u16) -> bool {
        !matches!(purpose, 1 | 3..=6)
            && self.discloses(vendor)
            && self.tells_interest_of_vendor(vendor)
            && self.tells_interest(purpose)
            && !self.restricts(purpose, vendor, Restriction::NotAllowed)
            && !self.restricts(purpose, vendor, Restriction::RequireConsent)
    }
}

/// Which of the framework's purposes each of ours asks for: analytics, personalization, advertising, in this order; bit 0 is
/// purpose 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked(pub [u32; 3]);

impl Asked {
    /// Storage, which everything needs here: all of ours are kept on the device.
    const STORAGE: u32 = 1;
    /// Storage (1) with each; 8, 9, 10 for analytics, 5 and 6 for personalization, 2, 3, 4, 7 for advertising.
    pub const USUAL: Self = Self([0b11_1000_0001, 0b11_0001, 0b100_1111]);
}

impl Default for Asked {
    fn default() -> Self {
        Self::USUAL
    }
}

/// What a TC string says of our purposes: granted where the user consented to everything that the purpose asks of the
/// framework, else denied; a text that cannot be read denies. With a vendor, the vendor must be allowed by consent; without
/// one the site itself acts, and the purposes alone count.
#[must_use]
pub fn statement(text: &[u8], vendor: Option<u16>, asked: &Asked) -> Statement {
    let Some(read) = TcString::parse(text) else { return Statement::DENIED };
    stated(asked, &|purpose| match vendor {
        Some(vendor) => read.allows_by_consent(purpose, vendor),
        None => read.consents_to(purpose),
    })
}

/// Ours by the framework's purposes: each is granted where all are that it asks for, else denied.
#[inline(never)]
pub(super) fn stated(asked: &Asked, allows: &dyn Fn(u8) -> bool) -> Statement {
    let mut statement = Statement::default();
    let ours = [Purposes::ANALYTICS, Purposes::PERSONALIZATION, Purposes::ADVERTISING];
    for (purpose, asked) in ours.into_iter().zip(asked.0) {
        let asked = asked | Asked::STORAGE;
        let is_granted = (0..PURPOSES).all(|at| (asked >> at) & 1 == 0 || allows(at.saturating_add(1)));
        let set = if is_granted { &mut statement.granted } else { &mut statement.denied };
        *set = set.or(purpose);
    }
    statement
}

/// The `number`th (from 1) of `count` bits from `at` on.
pub(super) fn flag(bits: Bits<'_>, at: usize, number: u8, count: u8) -> bool {
    match number.checked_sub(1) {
        Some(place) if number <= count => bits.is_set(at.saturating_add(usize::from(place))),
        _ => false,
    }
}
