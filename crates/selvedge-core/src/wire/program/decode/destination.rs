//! Destinations, from their bytes.

use super::Decoded;
use crate::consent::Purposes;
use crate::limits::{BUCKETS, DESTINATION_ENTRIES_MAX, DESTINATIONS_MAX};
use crate::wire::codec::{Reader, WireFault};
use crate::wire::program::postcard::{list, one_of, text};
use crate::wire::program::{
    Destination, Full, Header, Http, HttpFormat, Kafka, Mechanism, OnUnknown, ProgramFault, Records,
    Requires, Sasl, Way,
};
use alloc::string::String;
use alloc::vec::Vec;

/// All destinations of a site.
pub(super) fn destinations(from: &mut Reader) -> Decoded<Vec<Destination>> {
    list(from, DESTINATIONS_MAX, destination)
}

fn texts(from: &mut Reader) -> Decoded<Vec<String>> {
    list(from, DESTINATION_ENTRIES_MAX, text)
}

fn destination(from: &mut Reader) -> Decoded<Destination> {
    let (name, way, purposes) = (text(from)?, way(from)?, Purposes(from.varint_u16()?));
    let (requires, on_unknown) = one_of(
        from,
        &[
            (Requires::All, OnUnknown::Drop),
            (Requires::Any, OnUnknown::Drop),
            (Requires::All, OnUnknown::Hold),
            (Requires::Any, OnUnknown::Hold),
        ],
    )?;
    let destination = Destination {
        name,
        way,
        purposes,
        requires,
        on_unknown,
        records: Records(from.u8()?),
        filter: if from.flag()? { Some(from.varint_u16()?) } else { None },
        sample: from.varint_u16()?,
        remove: texts(from)?,
        rename: list(from, DESTINATION_ENTRIES_MAX, |from| Ok((text(from)?, text(from)?)))?,
        when_full: one_of(from, &[Full::Block, Full::DropOldest])?,
        age_ms_max: from.varint_u64()?,
        bytes_max: from.varint_u64()?,
    };
    if destination.sample > BUCKETS {
        return Err(ProgramFault::TooLarge);
    }
    Ok(destination)
}

fn way(from: &mut Reader) -> Decoded<Way> {
    Ok(match from.u8()? {
        0 => Way::Log,
        1 => Way::Http(http(from)?),
        2 => Way::Kafka(kafka(from)?),
        3 => Way::Queue { binding: text(from)?, dead_letter: text(from)? },
        _ => return Err(WireFault::Malformed.into()),
    })
}

fn http(from: &mut Reader) -> Decoded<Http> {
    let formats = &[HttpFormat::CloudEvents, HttpFormat::CloudEventsBatch, HttpFormat::SegmentBatch];
    Ok(Http {
        url: text(from)?,
        format: one_of(from, formats)?,
        secrets: texts(from)?,
        headers: list(from, DESTINATION_ENTRIES_MAX, |from| {
            Ok(Header { name: text(from)?, value: text(from)?, secret: optional_text(from)? })
        })?,
    })
}

fn kafka(from: &mut Reader) -> Decoded<Kafka> {
    Ok(Kafka {
        brokers: texts(from)?,
        topic: text(from)?,
        tls: from.flag()?,
        sasl: if from.flag()? { Some(sasl(from)?) } else { None },
        gzip: from.flag()?,
    })
}

fn sasl(from: &mut Reader) -> Decoded<Sasl> {
    let mechanisms = &[Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];
    Ok(Sasl { mechanism: one_of(from, mechanisms)?, user: text(from)?, password: text(from)? })
}

fn optional_text(from: &mut Reader) -> Decoded<Option<String>> {
    Ok(if from.flag()? { Some(text(from)?) } else { None })
}
