//! What is in flight: items of the log with their records, and their stored form.

use super::record::Record;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::id::{ProgramHash, VisitorId};
use selvedge_core::limits::{DELIVERY_ITEMS_MAX, ITEM_RECORDS_MAX};
use selvedge_core::wire::codec::{Reader, WireFault, Writer};
use selvedge_core::wire::program::RecordKind;

/// The version of the stored form, its first byte.
const VERSION: u8 = 2;
/// The version before records knew what they may be used for.
const VERSION_BEFORE: u8 = 1;

/// An accepted event or a note of the log, as a destination gets it: delivered as a whole, or refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The row of the log that it stands in.
    pub row: u64,
    /// Its place there.
    pub at: u32,
    /// Whose it is.
    pub visitor: VisitorId,
    /// When it was received: Unix milliseconds.
    pub received_ms: u64,
    /// The program that stepped it.
    pub program: ProgramHash,
    /// That program's place in the site's history.
    pub publish: u64,
    /// What is sent of it, in order.
    pub records: Vec<Record>,
}

impl Item {
    /// Bytes of its records.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of = |record: &Record| record.data.len().saturating_add(record.id.len());
        self.records.iter().fold(0, |sum, record| sum.saturating_add(of(record)))
    }
}

/// An item that the destination does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The item.
    pub item: Item,
    /// Its id: that of its first record, or of what it would have been made of.
    pub id: String,
    /// `poison`, `too_large` or `transform`.
    pub code: &'static str,
    /// What the destination said.
    pub why: String,
}

/// The stored form of items.
#[must_use]
pub fn encode(items: &[Item]) -> Vec<u8> {
    let mut out = Writer::new();
    out.u8(VERSION);
    out.count(items.len());
    for item in items {
        out.varint(item.row);
        out.varint(u64::from(item.at));
        out.raw(&item.visitor.0);
        out.varint(item.received_ms);
        out.raw(&item.program.0);
        out.varint(item.publish);
        out.count(item.records.len());
        item.records.iter().for_each(|record| write_record(&mut out, record));
    }
    out.into_bytes()
}

/// The items of their stored form.
///
/// # Errors
/// [`WireFault`] for bytes that are none, or more of them than [`DELIVERY_ITEMS_MAX`].
pub fn decode(bytes: &[u8]) -> Result<Vec<Item>, WireFault> {
    let mut reader = Reader::new(bytes);
    let version = reader.u8()?;
    if !(VERSION_BEFORE..=VERSION).contains(&version) {
        return Err(WireFault::Malformed);
    }
    let count = bounded(reader.count()?, DELIVERY_ITEMS_MAX)?;
    let items = (0..count).map(|_| read_item(&mut reader, version)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(items)
}

fn read_item(reader: &mut Reader<'_>, version: u8) -> Result<Item, WireFault> {
    Ok(Item {
        row: reader.varint_u64()?,
        at: reader.varint_u32()?,
        visitor: VisitorId(reader.array()?),
        received_ms: reader.varint_u64()?,
        program: ProgramHash(reader.array()?),
        publish: reader.varint_u64()?,
        records: {
            let count = bounded(reader.count()?, ITEM_RECORDS_MAX)?;
            (0..count).map(|_| read_record(reader, version)).collect::<Result<_, _>>()?
        },
    })
}

fn write_record(out: &mut Writer, record: &Record) {
    out.text(&record.id);
    out.u8(record.kind as u8);
    out.text(&record.source);
    out.raw(&record.visitor.0);
    out.varint(record.time_ms);
    out.varint(u64::from(record.usable.0));
    out.bytes(&record.data);
}

fn read_record(reader: &mut Reader<'_>, version: u8) -> Result<Record, WireFault> {
    Ok(Record {
        id: reader.text()?.into(),
        kind: *RecordKind::ALL.get(usize::from(reader.u8()?)).ok_or(WireFault::Malformed)?,
        source: reader.text()?.into(),
        visitor: VisitorId(reader.array()?),
        time_ms: reader.varint_u64()?,
        // What was stored before was granted for something that the destination serves: it is asked for any of that.
        usable: match version {
            VERSION_BEFORE => Purposes(u16::MAX),
            _ => Purposes(u16::try_from(reader.varint_u32()?).map_err(|_| WireFault::Malformed)?),
        },
        data: reader.bytes()?.into(),
    })
}

const fn bounded(count: usize, max: usize) -> Result<usize, WireFault> {
    if count > max { Err(WireFault::TooLarge) } else { Ok(count) }
}
