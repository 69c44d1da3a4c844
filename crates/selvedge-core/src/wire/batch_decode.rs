//! A batch as the edge reads it, with serde and postcard. Bounds hold before anything is reserved, and an event that
//! cannot be read leaves the others of its batch as they are.

use super::batch::refusal_of;
use super::batch::{FLAG_DEFLATE, TAG_EVENT, TAG_HEADER, VERSION};
use super::codec::{Reader, WireFault};
use super::form;
use super::names::Names;
use crate::event::{Batch, BatchHeader, Event, Undecodable};
use crate::id::Sequence;
use crate::limits::{BATCH_BYTES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX};
use alloc::vec::Vec;

/// Why a batch as a whole cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchFault {
    /// Above [`BATCH_BYTES_MAX`].
    #[error("the batch is too large; at most {BATCH_BYTES_MAX} bytes")]
    TooLarge,
    /// More events than [`BATCH_EVENTS_MAX`].
    #[error("the batch has too many events; at most {BATCH_EVENTS_MAX}")]
    TooManyEvents,
    /// Another version than [`VERSION`].
    #[error("the batch has wire version {0}; this edge reads version {VERSION}")]
    Version(u8),
    /// A flag that this version does not know.
    #[error("the batch has unknown flags {0:#04x}")]
    Flags(u8),
    /// The sections cannot be told apart: cut off, or no batch at all.
    #[error("the batch is cut off or no batch")]
    Malformed,
    /// The header is missing or cannot be read.
    #[error("the header of the batch cannot be read")]
    Header,
}

/// A batch's container, opened: what follows version and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Container<'a> {
    /// Whether `sections` must be inflated (deflate, raw; to at most [`BATCH_BYTES_MAX`]) before they are read.
    pub deflated: bool,
    /// The sections.
    pub sections: &'a [u8],
}

/// Opens a batch as it came.
///
/// # Errors
/// [`BatchFault::TooLarge`], [`BatchFault::Version`], [`BatchFault::Flags`], [`BatchFault::Malformed`] (cut off).
pub fn open(bytes: &[u8]) -> Result<Container<'_>, BatchFault> {
    if bytes.len() > BATCH_BYTES_MAX {
        return Err(BatchFault::TooLarge);
    }
    match bytes {
        [VERSION, flags, sections @ ..] if flags & !FLAG_DEFLATE == 0 => {
            Ok(Container { deflated: *flags == FLAG_DEFLATE, sections })
        }
        [VERSION, flags, ..] => Err(BatchFault::Flags(*flags)),
        [] | [VERSION] => Err(BatchFault::Malformed),
        [version, ..] => Err(BatchFault::Version(*version)),
    }
}

/// Header and events of inflated `sections`. Needs no tracking plan, so that it can be read before the site is known.
///
/// # Errors
/// [`BatchFault::TooLarge`], [`BatchFault::Header`], [`BatchFault::Malformed`].
pub fn decode_header(sections: &[u8]) -> Result<(BatchHeader, &[u8]), BatchFault> {
    if sections.len() > BATCH_BYTES_MAX {
        return Err(BatchFault::TooLarge);
    }
    let mut reader = Reader::new(sections);
    match reader.section() {
        Ok(Some((TAG_HEADER, content))) => {
            let header = form::read_header(content).ok_or(BatchFault::Header)?;
            Ok((header, reader.rest()))
        }
        Ok(_) => Err(BatchFault::Header),
        Err(_) => Err(BatchFault::Malformed),
    }
}

/// The events in `rest`, which [`decode_header`] left over. An event that abbreviates names by a dictionary other than
/// `names` is refused with [`crate::event::RefusalCode::DictionaryUnknown`]. Sections of later versions are skipped.
///
/// # Errors
/// [`BatchFault::TooManyEvents`], [`BatchFault::Malformed`] (the sections themselves are cut off).
pub fn decode_events(
    header: &BatchHeader,
    rest: &[u8],
    names: Option<&Names>,
) -> Result<Vec<Result<Event, Undecodable>>, BatchFault> {
    let names = names.filter(|names| header.dictionary == Some(names.number()));
    let mut reader = Reader::new(rest);
    let mut events = Vec::new();
    while let Some((tag, content)) = reader.section().map_err(|_| BatchFault::Malformed)? {
        match tag {
            TAG_HEADER => return Err(BatchFault::Header),
            TAG_EVENT if events.len() == BATCH_EVENTS_MAX => return Err(BatchFault::TooManyEvents),
            TAG_EVENT => events.push(decode_event(content, header.sent_at_ms, names)),
            _ => {}
        }
    }
    Ok(events)
}

/// A whole batch from inflated `sections`: [`decode_header`], then [`decode_events`].
///
/// # Errors
/// As those two.
pub fn decode_batch(sections: &[u8], names: Option<&Names>) -> Result<Batch, BatchFault> {
    let (header, rest) = decode_header(sections)?;
    let events = decode_events(&header, rest, names)?;
    Ok(Batch { header, events })
}

fn decode_event(bytes: &[u8], sent_at_ms: u64, names: Option<&Names>) -> Result<Event, Undecodable> {
    let read = if bytes.len() > EVENT_BYTES_MAX {
        Err(WireFault::TooLarge)
    } else {
        form::read_event(bytes, sent_at_ms, names)
    };
    read.map_err(|fault| Undecodable {
        sequence: sequence_of(bytes),
        code: refusal_of(fault),
        bytes: bytes.into(),
    })
}

/// The sequence stands first, so that even an event that is cut off can be named.
fn sequence_of(bytes: &[u8]) -> Option<Sequence> {
    Reader::new(bytes).varint_u32().ok().and_then(Sequence::new)
}
