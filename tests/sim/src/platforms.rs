//! What consent platforms of a device say.

use crate::random::Random;
use selvedge_client::{Heard, What};
use selvedge_core::consent::tcf::{self, Asked};
use selvedge_core::consent::{Purposes, Signals, Statement, gpp};

/// The purposes that platforms are asked for.
pub const ASKED: Purposes = Purposes(0b1110);
/// The platforms that there may be.
pub const SOURCES: [Signals; 4] = [Signals::TCF, Signals::CONSENT_MODE, Signals::PLATFORM, Signals::GPP];
/// Those that were there first.
pub const EARLIER: [Signals; 3] = [Signals::TCF, Signals::CONSENT_MODE, Signals::PLATFORM];
/// The header of a GPP string with one section, and its id: Europe's, which is a TC string, and the older US Privacy string.
const OF_GPP: [(&str, u8); 2] = [("DBABM", 2), ("DBABTA", 6)];
/// What a TC string must consent to for analytics, personalization and advertising, where a site says nothing else: purposes
/// of the IAB's framework, the first in the lowest bit.
const OF_IAB: [(Purposes, u32); 3] = [
    (Purposes::ANALYTICS, 0b11_1000_0001),
    (Purposes::PERSONALIZATION, 0b11_0001),
    (Purposes::ADVERTISING, 0b100_1111),
];
/// A text that is no TC string.
const BROKEN: &str = "CQ!";

/// What a platform says at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It asks the visitor.
    Asks,
    /// It is not there.
    Absent,
    /// It does not apply here.
    Nothing,
    /// These are granted, all others denied.
    Grants(Purposes),
    /// These are granted; of others it says nothing.
    Some(Purposes),
    /// It says something that cannot be read.
    Broken,
    /// What is not granted by anybody else may be denied here: the sale of data, or not.
    OptsOut(bool),
}

impl Word {
    /// What it says of purposes.
    #[must_use]
    pub const fn statement(self) -> Statement {
        let (granted, denied) = match self {
            Self::Asks | Self::Absent | Self::Nothing => (Purposes::NONE, Purposes::NONE),
            Self::Grants(granted) => (granted, ASKED.without(granted)),
            Self::Some(granted) => (granted, Purposes::NONE),
            Self::Broken => (Purposes::NONE, ASKED),
            Self::OptsOut(true) => (Purposes::NONE, Purposes::ADVERTISING),
            Self::OptsOut(false) => (Purposes::NONE, Purposes::NONE),
        };
        Statement { granted, denied }
    }

    /// As hands tell it, who have texts read.
    #[must_use]
    pub fn heard(self, source: Signals) -> Heard {
        let what = match self {
            Self::Asks => What::Asks,
            Self::Absent => What::Absent,
            Self::Nothing => What::Nothing,
            Self::Grants(_) | Self::Some(_) | Self::Broken | Self::OptsOut(_) => What::Says,
        };
        let text = self.text(source);
        let read = match source {
            _ if text.is_empty() => None,
            Signals::TCF => Some(tcf::statement(text.as_bytes(), None, &Asked::USUAL)),
            Signals::GPP => Some(gpp::statement(text.as_bytes(), &[self.section().1], None, &Asked::USUAL)),
            _ => None,
        };
        let Statement { granted, denied } = read.unwrap_or_else(|| self.statement());
        Heard { source, what, granted, denied, text }
    }

    /// The text that a platform of the IAB gives out.
    fn text(self, source: Signals) -> String {
        let section = match self {
            Self::Broken => return BROKEN.to_owned(),
            Self::Grants(granted) => tc_string(granted),
            Self::OptsOut(is_out) => format!("1Y{}N", if is_out { 'Y' } else { 'N' }),
            _ => return String::new(),
        };
        match source {
            Signals::TCF => section,
            Signals::GPP => format!("{}~{section}", self.section().0),
            _ => String::new(),
        }
    }

    /// The section of a GPP string that says it: the header's text, and its id.
    const fn section(self) -> (&'static str, u8) {
        OF_GPP[matches!(self, Self::OptsOut(_)) as usize]
    }

    /// As a platform of this kind says it: a TC string says something of every purpose, and who says only some of it in a GPP
    /// string says it as in the USA.
    #[must_use]
    pub const fn of(self, source: Signals) -> Self {
        match self {
            Self::Some(granted) if source.0 == Signals::TCF.0 => Self::Grants(granted),
            Self::Some(granted) if source.0 == Signals::GPP.0 => {
                Self::OptsOut(!granted.holds(Purposes::ADVERTISING))
            }
            other => other,
        }
    }
}

/// A TC string (version 2) that consents to what these purposes need, and to no vendor.
fn tc_string(granted: Purposes) -> String {
    let consents = OF_IAB.iter().filter(|(ours, _)| granted.holds(*ours)).fold(0, |sum, (_, iab)| sum | iab);
    let mut bits = Vec::new();
    let mut put = |value: u64, count: u32| bits.extend((0..count).rev().map(|at| (value >> at) & 1 == 1));
    for (value, count) in [(2, 6), (0, 36), (0, 36), (1, 12), (1, 12), (1, 6), (0, 12), (1, 12), (4, 6)] {
        put(value, count);
    }
    put(0b10, 2);
    put(0, 12);
    // The first purpose stands in the first bit.
    put(u64::from(u32::reverse_bits(consents) >> 8), 24);
    for (value, count) in [(0, 24), (0, 1), (0, 12), (0, 16), (0, 1), (0, 16), (0, 1), (0, 12)] {
        put(value, count);
    }
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |six: &[bool]| (0..6).fold(0, |sum, at| sum * 2 + usize::from(six.get(at) == Some(&true)));
    bits.chunks(6).map(|six| char::from(digits[digit(six)])).collect()
}

/// Anything that a platform may say.
pub fn any_word(random: &mut Random) -> Word {
    let granted = Purposes(u16::try_from(random.below(8) * 2).unwrap_or(0));
    match random.below(12) {
        0 => Word::Asks,
        1 => Word::Nothing,
        2 => Word::Broken,
        3 => Word::Grants(Purposes::NONE),
        4 => Word::Absent,
        5 | 6 => Word::Some(granted),
        7 | 8 => Word::Grants(granted),
        _ => Word::Grants(ASKED),
    }
}

/// What platforms of a new device say.
#[must_use]
pub fn first_words(sources: Signals, random: &mut Random) -> Vec<(Signals, Word)> {
    let here = SOURCES.into_iter().filter(|source| sources.0 & source.0 != 0);
    here.map(|source| (source, any_word(random).of(source))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tc_string_says_what_it_was_made_for() {
        for granted in [0, 2, 4, 8, 6, 10, 12, 14].map(Purposes) {
            let expected = Word::Grants(granted).statement();
            assert_eq!(tcf::statement(tc_string(granted).as_bytes(), None, &Asked::USUAL), expected);
        }
        for word in [0, 2, 4, 8, 6, 10, 12, 14].map(|bits| Word::Grants(Purposes(bits))) {
            let expected = word.statement();
            let Heard { granted, denied, text, .. } = word.heard(Signals::GPP);
            assert_eq!((granted, denied), (expected.granted, expected.denied), "{text}");
        }
        for word in [Word::OptsOut(true), Word::OptsOut(false)] {
            let expected = word.statement();
            let Heard { granted, denied, text, .. } = word.heard(Signals::GPP);
            assert_eq!((granted, denied), (expected.granted, expected.denied), "{text}");
        }
        // What cannot be read denies whatever a site may ask for.
        assert_eq!(tcf::statement(BROKEN.as_bytes(), None, &Asked::USUAL), Statement::DENIED);
        assert_eq!(gpp::statement(BROKEN.as_bytes(), &[2], None, &Asked::USUAL), Statement::DENIED);
    }
}
