//! What tells a refused event from its repetition where the dedup window cannot: its place was not taken, so that it is
//! refused anew whenever it comes. It is kept in the quarantine once.

use crate::foreign;
use selvedge_core::event::RefusalCode;
use selvedge_core::id::{Sequence, WriterId};

/// What names a refused event.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Its writer.
    pub writer: WriterId,
    /// Its sequence, where that names it.
    pub sequence: Option<Sequence>,
    /// The id that another SDK gave it.
    pub message_id: Option<&'a str>,
    /// Its bytes, where nothing else names it.
    pub bytes: &'a [u8],
}

/// The fingerprint of a visitor's event that is refused for this reason: 53 bits, which every reader of JSON keeps. The same
/// event, refused for the same reason, has the same.
#[must_use]
pub fn fingerprint(code: RefusalCode, named: Named<'_>) -> u64 {
    // The id that another SDK gave stands for the event, whatever its number.
    let (number, name) = match (named.message_id, named.sequence) {
        (Some(id), _) => (0, id.as_bytes()),
        (None, Some(sequence)) => (sequence.get(), &[][..]),
        (None, None) => (0, named.bytes),
    };
    let writer = named.writer.bits().to_le_bytes();
    let digest = foreign::digest(&[&[code as u8], &writer, &number.to_le_bytes(), name]);
    u64::from_le_bytes(digest) >> 11
}
