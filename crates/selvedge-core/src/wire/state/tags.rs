//! The version of a state's bytes, and the tags in them.

/// The version byte in front.
pub(super) const VERSION: u8 = 1;

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
pub(super) const SCORE: u8 = 12;
pub(super) const VARIANT: u8 = 25;
pub(super) const VALUES: u8 = 26;
pub(super) const OLD: u8 = 0x80;
