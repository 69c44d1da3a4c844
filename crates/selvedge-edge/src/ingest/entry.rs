//! An entry of the quarantine, read back from its JSON line: what was refused and why, as exactly as it was kept.

use super::json::{clock, visitor, writer};
use super::json_value::map;
use crate::object::{self, Object};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{BatchHeader, Event, EventType, RefusalCode};
use selvedge_core::id::{ProgramHash, Sequence, VisitorId, parse_hex_16};
use selvedge_core::limits::{CONTEXT_ENTRIES_MAX, PROPERTIES_MAX};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;

/// What the quarantine holds of one event or record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An event that the step refused.
    Refused(Box<Refused>),
    /// Bytes of which no event could be read; why.
    Unreadable(String),
    /// What a destination refused.
    Undelivered(Undelivered),
}

/// An event that the step refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub code: RefusalCode,
    /// What its batch said once; the snapshot that the event was captured under is its only one.
    pub header: BatchHeader,
    /// The event.
    pub event: Event,
    /// The source's name.
    pub source: String,
    /// What it is trusted with.
    pub trust: Trust,
    /// When it came.
    pub received_ms: u64,
    /// The id that another SDK gave the visitor.
    pub anonymous_id: Option<String>,
    /// The id that another SDK gave the event.
    pub message_id: Option<String>,
}

/// An item of the log that a destination refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The destination.
    pub destination: String,
    /// Whose it is.
    pub visitor: VisitorId,
    /// Its row in the shard's log.
    pub row: u64,
    /// Its place in the row.
    pub item: u32,
    /// When the row's request came.
    pub item_received_ms: u64,
    /// The program that it was refused under.
    pub program: ProgramHash,
    /// Its place in the site's history.
    pub publish: u64,
    /// What is to be sent.
    pub records: Vec<UndeliveredRecord>,
}

/// One record as it was to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndeliveredRecord {
    /// Its id.
    pub id: String,
    /// What it is of: `event`, `decision`, `exposure`, `goal` or `emit`.
    pub kind: String,
    /// Where it comes from, as CloudEvents has it.
    pub source: String,
    /// When it happened: Unix milliseconds.
    pub time_ms: u64,
    /// What it may be used for; all, where the line does not say.
    pub usable: Purposes,
    /// The record's JSON, byte for byte.
    pub data: String,
}

impl Entry {
    /// The entry of a stored line. What cannot be taken up again, for whatever reason, is [`Entry::Unreadable`].
    #[must_use]
    pub fn read(line: &str) -> Self {
        let Ok(read) = Object::read(line) else { return Self::Unreadable(code_of(None)) };
        let entry = match read.word("stage").ok().as_deref() {
            Some("delivery") => undelivered(&read).ok().flatten().map(Self::Undelivered),
            Some(_) => refused(&read).ok().flatten().map(|refused| Self::Refused(Box::new(refused))),
            None => None,
        };
        entry.unwrap_or_else(|| Self::Unreadable(code_of(Some(&read))))
    }
}

/// `None` where there is nothing to send: the record could not be made.
fn undelivered(read: &Object<'_>) -> Result<Option<Undelivered>, object::Error> {
    let records = read.objects("records")?.iter().map(record).collect::<Result<Vec<_>, _>>()?;
    let (destination, program) = (read.text("destination")?, read.word("program")?);
    let Some((destination, visitor)) = destination.zip(visitor(&read.word("visitor")?).ok()) else {
        return Ok(None);
    };
    let undelivered = Undelivered {
        destination: destination.into_owned(),
        visitor,
        row: read.number("row")?.unwrap_or(0),
        item: read.number("item")?.unwrap_or(0),
        item_received_ms: read.number("item_received_at_ms")?.unwrap_or(0),
        program: parse_hex_16(&program).map(ProgramHash).unwrap_or_default(),
        publish: read.number("publish")?.unwrap_or(0),
        records,
    };
    Ok(Some(undelivered).filter(|undelivered| !undelivered.records.is_empty()))
}

fn record(read: &Object<'_>) -> Result<UndeliveredRecord, object::Error> {
    let usable = match read.raw("purposes") {
        None => Purposes(u16::MAX),
        Some(_) => purposes(&read.texts("purposes")?),
    };
    Ok(UndeliveredRecord {
        id: read.string("id")?,
        kind: read.string("kind")?,
        source: read.string("source")?,
        time_ms: Object::needed("time_ms", read.number("time_ms")?)?,
        usable,
        data: Object::needed("data", read.raw("data"))?.get().into(),
    })
}

/// `None` where it is no event that could be taken up again.
fn refused(read: &Object<'_>) -> Result<Option<Refused>, object::Error> {
    let word = read.word("code")?;
    let code = RefusalCode::ALL.iter().find(|code| code.as_str() == word);
    let event = read.raw("event").map(|event| Object::read(event.get())).transpose()?;
    let consent = read.raw("consent").map(|consent| snapshot(&Object::read(consent.get())?)).transpose()?;
    let (Some(code), Some(event), Some(consent)) = (code, event, consent) else { return Ok(None) };
    let sequence = read.number("sequence")?.and_then(Sequence::new);
    let (event, header) = (told(&event, sequence)?, said(read, consent)?);
    let (Some(event), Some(header)) = (event, header) else { return Ok(None) };
    Ok(Some(Refused {
        code: *code,
        header,
        event,
        source: read.string("source")?,
        trust: if read.word("trust")? == "server" { Trust::Server } else { Trust::Client },
        received_ms: Object::needed("received_at_ms", read.number("received_at_ms")?)?,
        anonymous_id: read.text("anonymous_id")?.map(Cow::into_owned),
        message_id: read.text("message_id")?.map(Cow::into_owned),
    }))
}

/// The event itself.
fn told(read: &Object<'_>, sequence: Option<Sequence>) -> Result<Option<Event>, object::Error> {
    let entries = |name, entries_max| map(read.raw(name)?.get(), entries_max).ok();
    let of_parts = (sequence, EventType::named(&read.word("type")?));
    let maps = (entries("properties", PROPERTIES_MAX), entries("context", CONTEXT_ENTRIES_MAX));
    let ((Some(sequence), Some(event_type)), (Some(properties), Some(context))) = (of_parts, maps) else {
        return Ok(None);
    };
    let time_ms = Object::needed("time_ms", read.number("time_ms")?)?;
    Ok(Some(Event {
        sequence,
        event_type,
        name: read.string("name")?,
        time_ms,
        consent: 0,
        properties,
        context,
    }))
}

/// What its batch said once.
fn said(read: &Object<'_>, consent: Snapshot) -> Result<Option<BatchHeader>, object::Error> {
    let context = read.raw("context").map(|raw| map(raw.get(), CONTEXT_ENTRIES_MAX).ok());
    let of_parts = (
        visitor(&read.word("visitor")?).ok(),
        read.raw("writer").and_then(|raw| writer(raw.get()).ok()),
        clock(&read.word("clock")?).ok(),
    );
    let ((Some(visitor), Some(writer), Some(clock)), Some(context)) =
        (of_parts, context.unwrap_or_else(|| Some(Map::new())))
    else {
        return Ok(None);
    };
    Ok(Some(BatchHeader {
        write_key: String::new(),
        visitor,
        writer,
        sent_at_ms: read.number("sent_at_ms")?.unwrap_or(0),
        skew_ms: read.signed("skew_ms")?,
        floor: 0,
        clock,
        program: None,
        dictionary: None,
        consent: Vec::from([consent]),
        context,
        leases: Vec::new(),
        holder: 0,
    }))
}

fn snapshot(read: &Object<'_>) -> Result<Snapshot, object::Error> {
    Ok(Snapshot {
        granted: purposes(&read.texts("granted")?),
        denied: purposes(&read.texts("denied")?),
        mode: crate::json::mode_of(&read.word("mode")?).unwrap_or_default(),
        gpc: read.flag("gpc")?,
        signal: crate::json::signals(&read.word("signal")?).unwrap_or_default(),
        policy_version: read.number("policy_version")?.unwrap_or(0),
        time_ms: read.number("time_ms")?.unwrap_or(0),
        text_hash: crate::json::read_text_hash(&read.word("text_hash")?),
    })
}

/// Purposes of their names, as [`crate::json::purpose_names`] writes them.
fn purposes(names: &[String]) -> Purposes {
    let of_site = |name: &str| {
        let bit = name.strip_prefix("purpose_")?.parse().ok()?;
        1u16.checked_shl(bit).map(Purposes)
    };
    let named = names.iter().filter_map(|name| Purposes::named(name).or_else(|| of_site(name)));
    named.fold(Purposes::NONE, Purposes::or)
}

/// The code of a line of which nothing else can be read.
fn code_of(read: Option<&Object<'_>>) -> String {
    let code = read.and_then(|read| read.text("code").ok()?);
    code.map_or_else(|| RefusalCode::Undecodable.as_str().into(), Cow::into_owned)
}
