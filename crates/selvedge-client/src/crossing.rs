//! How inputs and effects cross the boundary of the page: one byte string each way, written with the wire's primitives.
//! The other side is www/sdk/src/encode.ts and decode.ts. Not a stored or sent format: both sides ship together.

use crate::effect::{Notice, Show};
use crate::input::{Boot, Capture, Input, Random, Reply, Settings};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Purposes};
use selvedge_core::event::EventType;
use selvedge_core::id::ProgramHash;
use selvedge_core::limits::{CONTEXT_ENTRIES_MAX, PROPERTIES_MAX};
use selvedge_core::wire::codec::{Reader, WireFault, Writer};
use selvedge_core::wire::program::{Content, ContentType};
use selvedge_core::wire::property::read_map;

/// Time (Unix milliseconds) and input of a crossing: varint, kind, then the fields in the order of [`Input`].
///
/// # Errors
/// The first [`WireFault`] met: also properties above the bounds of [`selvedge_core::limits`].
pub fn read_input(bytes: &[u8]) -> Result<(u64, Input), WireFault> {
    let reader = &mut Reader::new(bytes);
    let now_ms = reader.varint_u64()?;
    let input = match reader.u8()? {
        0 => Input::Boot(read_boot(reader)?),
        1 => Input::Settings(if reader.flag()? { Some(read_settings(reader)?) } else { None }),
        2 => Input::Program { hash: ProgramHash(reader.array()?), bytes: reader.bytes()?.into() },
        3 => {
            Input::Consent { granted: purposes(reader)?, denied: purposes(reader)?, random: random(reader)? }
        }
        4 => Input::Capture(read_capture(reader)?),
        5 => Input::Page {
            time_ms: reader.varint_u64()?,
            url: text(reader)?,
            title: text(reader)?,
            referrer: text(reader)?,
            properties: read_map(reader, None, PROPERTIES_MAX)?,
        },
        6 => Input::Seen { slot: text(reader)?, time_ms: reader.varint_u64()? },
        7 => Input::Tick,
        8 => Input::Hidden,
        9 => Input::Awake,
        10 => Input::Flush,
        11 => Input::Reset { random: random(reader)? },
        12 => Input::Replied(Reply {
            request: reader.varint_u32()?,
            status: reader.varint_u16()?,
            retry_after_ms: reader.varint_u64()?,
            random: reader.varint_u32()?,
            body: reader.bytes()?.into(),
        }),
        13 => Input::Adopted(records(reader)?),
        14 => Input::Changed {
            key: text(reader)?,
            value: if reader.flag()? { Some(reader.bytes()?.into()) } else { None },
        },
        _ => return Err(WireFault::Malformed),
    };
    Ok((now_ms, input))
}

fn read_boot(reader: &mut Reader<'_>) -> Result<Boot, WireFault> {
    let (write_key, random) = (text(reader)?, random(reader)?);
    let mut parameters = Vec::new();
    for _ in 0..reader.count()? {
        parameters.push(text(reader)?);
    }
    let context = read_map(reader, None, CONTEXT_ENTRIES_MAX)?;
    Ok(Boot { write_key, random, parameters, context, gpc: reader.flag()?, stored: records(reader)? })
}

fn read_settings(reader: &mut Reader<'_>) -> Result<Settings, WireFault> {
    Ok(Settings {
        topology: reader.u8()?,
        mode: if reader.flag()? { Mode::OptOut } else { Mode::OptIn },
        policy_version: reader.varint_u16()?,
        clock_ms: reader.varint_u64()?,
        program: if reader.flag()? { Some(ProgramHash(reader.array()?)) } else { None },
        publish: reader.varint_u64()?,
    })
}

fn read_capture(reader: &mut Reader<'_>) -> Result<Capture, WireFault> {
    Ok(Capture {
        event_type: EventType::from_number(reader.u8()?).ok_or(WireFault::Malformed)?,
        name: text(reader)?,
        time_ms: reader.varint_u64()?,
        properties: read_map(reader, None, PROPERTIES_MAX)?,
        automatic: reader.flag()?,
    })
}

fn records(reader: &mut Reader<'_>) -> Result<Vec<(String, Vec<u8>)>, WireFault> {
    let mut records = Vec::new();
    for _ in 0..reader.count()? {
        records.push((text(reader)?, reader.bytes()?.into()));
    }
    Ok(records)
}

fn text(reader: &mut Reader<'_>) -> Result<String, WireFault> {
    reader.text().map(String::from)
}

fn purposes(reader: &mut Reader<'_>) -> Result<Purposes, WireFault> {
    reader.varint_u16().map(Purposes)
}

fn random(reader: &mut Reader<'_>) -> Result<Random, WireFault> {
    reader.array()
}

/// The bytes of what is shown: slot, rule (empty: the fallback), reason, then 0, or 1 and the content (id, type, fields).
#[must_use]
pub fn write_show(show: &Show) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(&show.slot);
    out.text(show.rule.as_deref().unwrap_or_default());
    out.text(show.reason.as_str());
    out.flag(show.content.is_some());
    if let Some(content) = &show.content {
        write_content(&mut out, content);
    }
    out.into_bytes()
}

fn write_content(out: &mut Writer, content: &Content) {
    out.text(&content.id);
    out.u8(match content.content_type {
        ContentType::Text => 0,
        ContentType::Url => 1,
        ContentType::Image => 2,
        ContentType::Attributes => 3,
    });
    out.count(content.fields.len());
    for (name, value) in &content.fields {
        out.text(name);
        out.text(value);
    }
}

/// The bytes of a notice: its kind (0 consent, 1 captured, 2 refused, 3 lost, 4 accepted), a number, two texts.
#[must_use]
pub fn write_notice(notice: &Notice) -> Vec<u8> {
    let (kind, number, text, code) = match notice {
        Notice::Consent(purposes) => (0, u32::from(purposes.0), "", None),
        Notice::Captured(name, code) => (1, 0, name.as_str(), *code),
        Notice::Refused(sequence, code) => (2, *sequence, "", Some(*code)),
        Notice::Lost(count) => (3, *count, "", None),
        Notice::Accepted(count) => (4, *count, "", None),
    };
    let mut out = Writer::new();
    out.u8(kind);
    out.varint(u64::from(number));
    out.text(text);
    out.text(code.map_or("", |code| code.as_str()));
    out.into_bytes()
}
