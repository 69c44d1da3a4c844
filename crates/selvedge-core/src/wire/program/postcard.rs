//! The parts of a program that are in the postcard format, from their bytes: the tracking plan, contents, and what only
//! the edge knows.

use super::shown::{Content, ContentType};
use super::{EdgeConfig, Leaf, ProgramFault, Source, SourceKind};
use crate::consent::{Mode, Purposes};
use crate::limits::{
    CONTENT_FIELDS_MAX, FILE_NAME_BYTES_MAX, INSTRUCTIONS_MAX, PLAN_EVENTS_MAX, PROPERTIES_MAX,
    SITE_ENTRIES_MAX, TEXTS_MAX,
};
use crate::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use crate::wire::codec::{Reader, WireFault};
use alloc::string::String;
use alloc::vec::Vec;

pub(super) type Decoded<T> = Result<T, ProgramFault>;

/// Places that are reserved before anything is read; a longer list grows.
const RESERVED_MAX: usize = 1_024;

/// A list of at most `count_max`. What it reserves is bounded, so that a false count costs little.
fn list<T>(from: &mut Reader, count_max: usize, read: impl Fn(&mut Reader) -> Decoded<T>) -> Decoded<Vec<T>> {
    let count = from.count()?;
    if count > count_max {
        return Err(ProgramFault::TooLarge);
    }
    let mut items = Vec::with_capacity(count.min(RESERVED_MAX));
    for _ in 0..count {
        items.push(read(from)?);
    }
    Ok(items)
}

pub(super) fn text(from: &mut Reader) -> Decoded<String> {
    Ok(from.text()?.into())
}

/// One of the words in `all`, by its place.
fn one_of<T: Copy>(from: &mut Reader, all: &[T]) -> Decoded<T> {
    Ok(*all.get(usize::from(from.u8()?)).ok_or(WireFault::Malformed)?)
}

fn purposes(from: &mut Reader) -> Decoded<Purposes> {
    Ok(Purposes(from.varint_u16()?))
}

/// The tracking plan.
pub(super) fn plan(from: &mut Reader) -> Decoded<Plan> {
    let events = list(from, PLAN_EVENTS_MAX, plan_event)?;
    from.end()?;
    Ok(Plan { events })
}

fn plan_event(from: &mut Reader) -> Decoded<PlanEvent> {
    Ok(PlanEvent {
        name: text(from)?,
        version: from.varint_u16()?,
        nature: one_of(from, &[Nature::Behavioural, Nature::Operational])?,
        trust: one_of(from, &[Trust::Client, Trust::Server])?,
        purposes: purposes(from)?,
        additional_properties: from.flag()?,
        urgent: from.flag()?,
        properties: list(from, PROPERTIES_MAX, plan_property)?,
    })
}

fn plan_property(from: &mut Reader) -> Decoded<PlanProperty> {
    const TYPES: &[PropertyType] = &[
        PropertyType::Text,
        PropertyType::Number,
        PropertyType::Integer,
        PropertyType::Bool,
        PropertyType::Money,
        PropertyType::Time,
        PropertyType::List,
        PropertyType::Object,
    ];
    Ok(PlanProperty {
        name: text(from)?,
        property_type: one_of(from, TYPES)?,
        required: from.flag()?,
        pii: from.flag()?,
        one_of: list(from, TEXTS_MAX, text)?,
    })
}

/// One content.
pub(super) fn content(from: &mut Reader) -> Decoded<Content> {
    Ok(Content {
        id: text(from)?,
        content_type: one_of(from, ContentType::ALL)?,
        fields: list(from, CONTENT_FIELDS_MAX, |from| Ok((text(from)?, text(from)?)))?,
    })
}

/// What only the edge knows.
pub(super) fn edge_config(from: &mut Reader) -> Decoded<EdgeConfig> {
    let kinds = &[SourceKind::Browser, SourceKind::Server, SourceKind::Webhook];
    let sources = list(from, SITE_ENTRIES_MAX, |from| {
        Ok(Source { name: text(from)?, kind: one_of(from, kinds)?, key: text(from)? })
    })?;
    let modes = &[Mode::OptIn, Mode::OptOut];
    let origins = list(from, SITE_ENTRIES_MAX, text)?;
    let consent_mode = one_of(from, modes)?;
    let consent_regions = list(from, SITE_ENTRIES_MAX, |from| Ok((text(from)?, one_of(from, modes)?)))?;
    let policy_version = from.varint_u16()?;
    let file = |from: &mut Reader| Ok(String::from(from.text_max(FILE_NAME_BYTES_MAX)?));
    let files = list(from, SITE_ENTRIES_MAX, file)?;
    let leaves = list(from, INSTRUCTIONS_MAX, |from| {
        let at = usize::from(from.varint_u16()?);
        Ok(Leaf {
            file: files.get(at).ok_or(ProgramFault::Index)?.clone(),
            line: from.varint_u32()?,
            column: from.varint_u32()?,
            text: text(from)?,
        })
    })?;
    Ok(EdgeConfig { sources, origins, consent_mode, consent_regions, policy_version, leaves })
}
