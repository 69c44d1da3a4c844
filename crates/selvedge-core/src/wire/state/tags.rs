//! The version of a state's bytes, and the tags in them.

use super::Stored;

/// The version byte in front.
pub(super) const VERSION: u8 = 1;
/// Bytes of a short name.
pub(super) const SHORT_NAME_BYTES: usize = 5;

// Of a stored value.
pub(super) const MISSING: u8 = 0;
pub(super) const UNOBSERVED: u8 = 1;
pub(super) const TEXT: u8 = 2;
pub(super) const NUMBER: u8 = 3;
pub(super) const BOOL: u8 = 4;
pub(super) const LIST: u8 = 5;

// Of a cell's kind byte.
pub(super) const COUNT: u8 = 0;
pub(super) const ATTRIBUTE: u8 = 1;
pub(super) const CAP: u8 = 2;
pub(super) const TIMES: u8 = 10;
pub(super) const PANES: u8 = 11;
pub(super) const CART: u8 = 18;
pub(super) const LATEST: u8 = 15;
pub(super) const RECENT: u8 = 16;
pub(super) const DISTINCT: u8 = 17;
pub(super) const SEQUENCE: u8 = 30;
pub(super) const TIMER: u8 = 31;
pub(super) const MEMBER: u8 = 32;
/// An attribute that was set when the one before it in the state was, or, where it is the first, at birth: the tag of its
/// value is added.
pub(super) const SET_TOO: u8 = 40;
pub(super) const SET_TOO_LAST: u8 = SET_TOO + LIST;
/// What metrics keep, and the same of one that watches since birth.
pub(super) const SINCE_BIRTH: [(u8, u8); 7] =
    [(COUNT, 33), (TIMES, 34), (PANES, 35), (SCORE, 36), (LATEST, 37), (RECENT, 38), (DISTINCT, 39)];
/// Beside the tag: the name of the cell is a [`crate::hash::short_name`], of which the zeros are left out.
pub(super) const SHORT: u8 = 0x40;
pub(super) const SCORE: u8 = 12;
pub(super) const VARIANT: u8 = 25;
pub(super) const VALUES: u8 = 26;
pub(super) const OLD: u8 = 0x80;

/// The tag of a stored value.
pub(super) const fn tag_of(value: &Stored) -> u8 {
    match value {
        Stored::Missing => MISSING,
        Stored::Unobserved => UNOBSERVED,
        Stored::Text(_) => TEXT,
        Stored::Number(_) => NUMBER,
        Stored::Bool(_) => BOOL,
        Stored::List(_) => LIST,
    }
}
