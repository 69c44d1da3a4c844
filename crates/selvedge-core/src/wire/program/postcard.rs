//! The parts of a program that are in the postcard format, from their bytes: the tracking plan, contents, and what only
//! the edge knows.

use super::judged::{Goal, Study};
use super::layout::NONE;
use super::looked_up::{ColumnKind, PushedTable};
use super::shown::{Content, ContentType};
use super::{EdgeConfig, Keep, Leaf, ProgramFault, Rates, Source, SourceKind};
use crate::consent::{Mode, Purposes};
use crate::limits::{
    CONTENT_FIELDS_MAX, EXPERIMENTS_MAX, FILE_NAME_BYTES_MAX, GOALS_MAX, INSTRUCTIONS_MAX,
    LOOKUP_COLUMNS_MAX, PLAN_EVENTS_MAX, PROPERTIES_MAX, PUSHED_TABLES_MAX, SITE_ENTRIES_MAX, TEXTS_MAX,
};
use crate::tracking_plan::{Nature, Plan, PlanEvent, PlanProperty, PropertyType, Trust};
use crate::wire::codec::{Reader, WireFault};
use crate::wire::tape::Tape;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) type Decoded<T> = Result<T, ProgramFault>;

/// Places that are reserved before anything is read; a longer list grows.
const RESERVED_MAX: usize = 1_024;

/// A list of at most `count_max`. What it reserves is bounded, so that a false count costs little.
pub(super) fn list<T>(
    from: &mut Reader,
    count_max: usize,
    read: impl Fn(&mut Reader) -> Decoded<T>,
) -> Decoded<Vec<T>> {
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
pub(super) fn one_of<T: Copy>(from: &mut Reader, all: &[T]) -> Decoded<T> {
    Ok(*all.get(usize::from(from.u8()?)).ok_or(WireFault::Malformed)?)
}

/// The tracking plan. Read off a tape: the page links this, and a way out after every field takes kilobytes.
pub(super) fn plan(from: &mut Reader) -> Decoded<Plan> {
    let tape = &mut Tape::new(from.rest());
    let events = taken(tape, PLAN_EVENTS_MAX, plan_event);
    match tape.end() {
        Ok(()) => Ok(Plan { events }),
        Err(WireFault::TooLarge) => Err(ProgramFault::TooLarge),
        Err(fault) => Err(fault.into()),
    }
}

/// A list of at most `count_max` off the tape.
fn taken<T>(tape: &mut Tape<'_>, count_max: usize, take: fn(&mut Tape<'_>) -> T) -> Vec<T> {
    let count = tape.count();
    if count > count_max {
        tape.fail(WireFault::TooLarge);
    }
    let mut items = Vec::new();
    for _ in 0..count {
        if !tape.is_sound() {
            break;
        }
        items.push(take(tape));
    }
    items
}

/// A number below `end`, in a byte.
fn below(tape: &mut Tape<'_>, end: u8) -> u8 {
    let number = tape.u8();
    if number >= end {
        tape.fail(WireFault::Malformed);
    }
    number
}

fn plan_event(tape: &mut Tape<'_>) -> PlanEvent {
    PlanEvent {
        name: tape.string(),
        version: tape.u16(),
        nature: if below(tape, 2) == 0 { Nature::Behavioural } else { Nature::Operational },
        trust: if below(tape, 2) == 0 { Trust::Client } else { Trust::Server },
        purposes: Purposes(tape.u16()),
        additional_properties: tape.flag(),
        urgent: tape.flag(),
        properties: taken(tape, PROPERTIES_MAX, plan_property),
    }
}

fn plan_property(tape: &mut Tape<'_>) -> PlanProperty {
    const TYPES: [PropertyType; 8] = [
        PropertyType::Text,
        PropertyType::Number,
        PropertyType::Integer,
        PropertyType::Bool,
        PropertyType::Money,
        PropertyType::Time,
        PropertyType::List,
        PropertyType::Object,
    ];
    let name = tape.string();
    let property_type = TYPES.get(usize::from(below(tape, 8))).copied().unwrap_or(PropertyType::Text);
    let required = tape.flag();
    let care = below(tape, 4);
    PlanProperty {
        name,
        property_type,
        required,
        pii: care & 1 > 0,
        masked: care & 2 > 0,
        one_of: taken(tape, TEXTS_MAX, |tape| tape.string()),
    }
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
    let modes = &[Mode::OptIn, Mode::OptOut, Mode::Exempt];
    let origins = list(from, SITE_ENTRIES_MAX, text)?;
    let consent_mode = one_of(from, modes)?;
    let consent_regions = list(from, SITE_ENTRIES_MAX, |from| Ok((text(from)?, one_of(from, modes)?)))?;
    let policy_version = from.varint_u16()?;
    let selectors = pairs(from)?;
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
    let keep = if from.is_empty() {
        Keep::default()
    } else {
        Keep { log_ms: from.varint_u64()?, quarantine_ms: from.varint_u64()? }
    };
    Ok(EdgeConfig {
        sources,
        origins,
        consent_mode,
        consent_regions,
        policy_version,
        keep,
        selectors,
        leaves,
        ..EdgeConfig::default()
    })
}

/// Pairs of texts.
pub(super) fn pairs(from: &mut Reader) -> Decoded<Vec<(String, String)>> {
    list(from, SITE_ENTRIES_MAX, |from| Ok((text(from)?, text(from)?)))
}

/// Goals, and what experiments are judged by.
pub(super) fn judged(from: &mut Reader) -> Decoded<(Vec<Goal>, Vec<Study>)> {
    let goals = list(from, GOALS_MAX, |from| {
        Ok(Goal {
            name: text(from)?,
            event: text(from)?,
            value: Some(text(from)?).filter(|value| !value.is_empty()),
            trust: one_of(from, &[Trust::Client, Trust::Server])?,
            within_ms: Some(from.varint_u64()?).filter(|within_ms| *within_ms > 0),
        })
    })?;
    let place = |from: &mut Reader| {
        let at = from.varint_u16()?;
        if at == NONE || usize::from(at) < goals.len() { Ok(at) } else { Err(ProgramFault::Index) }
    };
    let studies = list(from, EXPERIMENTS_MAX, |from| {
        Ok(Study {
            experiment: text(from)?,
            primary: Some(place(from)?).filter(|at| *at != NONE),
            guardrails: list(from, GOALS_MAX, place)?,
        })
    })?;
    from.end()?;
    Ok((goals, studies))
}

/// Where rates of other currencies stand.
pub(super) fn rates(from: &mut Reader) -> Decoded<Rates> {
    let rates =
        Rates { table: from.varint_u16()?, column: from.u8()?, items: list(from, SITE_ENTRIES_MAX, text)? };
    from.end()?;
    Ok(rates)
}

/// Tables whose rows are pushed.
pub(super) fn pushed(from: &mut Reader) -> Decoded<Vec<PushedTable>> {
    let tables = list(from, PUSHED_TABLES_MAX, |from| {
        Ok(PushedTable {
            name: text(from)?,
            table: Some(from.varint_u16()?).filter(|table| *table != NONE),
            key: text(from)?,
            columns: list(from, LOOKUP_COLUMNS_MAX, |from| {
                Ok((text(from)?, one_of(from, ColumnKind::ALL)?))
            })?,
            ttl_ms: Some(from.varint_u64()?).filter(|ttl_ms| *ttl_ms > 0),
        })
    })?;
    from.end()?;
    Ok(tables)
}
