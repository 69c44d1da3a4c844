//! The sections of the US states, and the nation's: whether a person opted out of sale, sharing or targeted advertising.
//! Source: IAB "Global Privacy Platform", "Sections" (usnat to usri), and "US Privacy String" 1.0.

use super::bits::{Bits, Reader, parts};
use super::{Purposes, Statement};

/// The section of the whole nation.
pub const NATIONAL: u8 = 7;
/// The last state's section known here.
pub const LAST: u8 = 27;

/// What a segment is: 1 carries the bit of Global Privacy Control.
const PRIVACY_CONTROL: u32 = 1;
/// "Yes, opted out" of a field; 0 does not apply, 2 did not opt out.
const OPTED_OUT: u32 = 1;
const DID_NOT: u32 = 2;

/// A section of a state.
#[derive(Debug, Clone, Copy)]
pub struct UsSection<'a> {
    core: Bits<'a>,
    /// Where the opt-outs begin, and how many there are: sale first; then sharing, targeted advertising, or both.
    at: usize,
    count: usize,
    /// Global Privacy Control, where the section says it.
    privacy_control: bool,
}

impl<'a> UsSection<'a> {
    /// The section `id` (7 to 27) of a text; `None` where it is malformed or unknown.
    #[must_use]
    pub fn parse(id: u8, text: &'a [u8]) -> Option<Self> {
        let (at, bits) = layout(id)?;
        let mut segments = parts(text, b'.');
        let core = Bits::of(segments.next()?)?;
        // Every field of the core must be there; behind it stands padding.
        Reader::new(core, 0).skip(bits)?;
        let count = if id == NATIONAL { 3 } else { 2 };
        let mut section = Self { core, at, count, privacy_control: false };
        for segment in segments {
            let bits = Bits::of(segment)?;
            // Of the last three states, what follows the core is about sensitive data, and has no type.
            section.privacy_control |= id < 25 && bits.number(0, 2)? == PRIVACY_CONTROL && bits.bit(2)?;
        }
        Some(section)
    }

    /// Whether the person opted out of anything that advertising lives of; a value that the standard does not know counts.
    #[must_use]
    pub fn opted_out(&self) -> bool {
        (0..self.count).any(|place| !matches!(self.field(place), Some(0 | DID_NOT)))
    }

    /// Whether the person opted out of the sale of their data.
    #[must_use]
    pub fn opted_out_of_sale(&self) -> bool {
        self.field(0) == Some(OPTED_OUT)
    }

    /// Whether the person sends Global Privacy Control.
    #[must_use]
    pub fn privacy_control(&self) -> bool {
        self.privacy_control
    }

    fn field(&self, place: usize) -> Option<u32> {
        self.core.number(self.at.saturating_add(place.saturating_mul(2)), 2)
    }
}

/// Where a section's opt-outs begin, and how many bits its core has at least.
fn layout(id: u8) -> Option<(usize, usize)> {
    let layout = match id {
        // The first version of the national section was shorter behind the opt-outs.
        NATIONAL => (18, 60),
        11 => (14, 42),
        18 => (14, 42),
        8 => (12, 46),
        9 => (12, 40),
        10 => (12, 38),
        12 => (12, 44),
        13 | 14 | 20 => (12, 46),
        15 | 17 => (12, 52),
        16 | 19 | 22 | 23 => (12, 42),
        21 => (12, 54),
        24 => (16, 22),
        25..=LAST => (16, 24),
        _ => return None,
    };
    Some(layout)
}

/// What a state's section says of our purposes. It never grants; a text that cannot be read denies advertising, and a
/// section that is not known here says nothing.
#[must_use]
pub fn statement(id: u8, text: &[u8]) -> Statement {
    let is_out = match UsSection::parse(id, text) {
        Some(section) => section.opted_out() || section.privacy_control(),
        None => layout(id).is_some(),
    };
    opt_out(is_out)
}

/// What the older US Privacy string (`1YNN`) says of our purposes.
#[must_use]
pub fn statement_of_privacy_string(text: &[u8]) -> Statement {
    match text {
        [b'1', _, b'N' | b'n' | b'-', _] => opt_out(false),
        _ => opt_out(true),
    }
}

fn opt_out(is_out: bool) -> Statement {
    let denied = if is_out { Purposes::ADVERTISING } else { Purposes::NONE };
    Statement { granted: Purposes::NONE, denied }
}
