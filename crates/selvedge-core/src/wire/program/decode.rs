//! A program from its bytes: every list within its bound, every number one of those allowed.

use super::{
    ACCEPT, Attribute, AttributeScope, AttributeSet, AttributeType, Builtin, Cap, Content, ContentType,
    EdgeConfig, Fact, FactSource, Group, Hold, Instruction, Jump, Leaf, MAGIC, Metric, Parts, ProgramFault,
    RECORD_BYTES, REJECT, Rule, SetTo, Shape, Slot, Source, SourceKind, Status, Test, TextTest, Window, tag,
};
use crate::consent::{Mode, Purposes};
use crate::limits::{
    ATTRIBUTES_MAX, CAPS_MAX, CONTENT_FIELDS_MAX, CONTENTS_MAX, FACTS_MAX, FILE_NAME_BYTES_MAX, GROUPS_MAX,
    INSTRUCTIONS_MAX, MASK_WORDS_MAX, METRICS_MAX, PLAN_EVENTS_MAX, PROGRAM_BYTES_MAX, PROPERTIES_MAX,
    RULES_MAX, SITE_ENTRIES_MAX, SLOTS_MAX, TEXTS_MAX,
};
use crate::tracking_plan::{Nature, PlanEvent, PlanProperty, PropertyType, Trust};
use crate::wire::codec::{Reader, WireFault};
use alloc::string::String;
use alloc::vec::Vec;

type Decoded<T> = Result<T, ProgramFault>;

/// Places that are reserved before anything is read; a longer list grows.
const RESERVED_MAX: usize = 1_024;

impl Parts {
    /// The parts of a program's bytes, each within its bounds; what they name is checked by
    /// [`crate::rules::program::Program::load`].
    ///
    /// # Errors
    /// [`ProgramFault`] for anything malformed or above a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProgramFault> {
        let mut parts = Self::decode_shared(bytes)?;
        parts.edge = edge_config(bytes)?;
        Ok(parts)
    }

    /// As [`Self::decode`], without what only the edge knows.
    pub(crate) fn decode_shared(bytes: &[u8]) -> Result<Self, ProgramFault> {
        let mut parts = Self::default();
        each_section(bytes, |tag, content| read_section(&mut parts, tag, content))?;
        Ok(parts)
    }
}

/// What only the edge knows, of a full program's bytes; `None` in a public program.
///
/// # Errors
/// [`ProgramFault`] for anything malformed or above a limit.
pub fn edge_config(bytes: &[u8]) -> Result<Option<EdgeConfig>, ProgramFault> {
    let mut config = None;
    each_section(bytes, |tag, content| {
        if tag == tag::EDGE {
            config = Some(read_edge_config(content)?);
            content.end()?;
        }
        Ok(())
    })?;
    Ok(config)
}

/// Calls `read` for every section; their tags must ascend.
fn each_section(bytes: &[u8], mut read: impl FnMut(u8, &mut Reader) -> Decoded<()>) -> Decoded<()> {
    if bytes.len() > PROGRAM_BYTES_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let mut reader = Reader::new(bytes.strip_prefix(MAGIC).ok_or(ProgramFault::Version)?);
    let mut before = 0;
    while let Some((tag, content)) = reader.section()? {
        if tag <= before {
            return Err(ProgramFault::Unsorted);
        }
        before = tag;
        read(tag, &mut Reader::new(content))?;
    }
    Ok(())
}

fn read_section(parts: &mut Parts, tag: u8, from: &mut Reader) -> Decoded<()> {
    match tag {
        tag::SITE => {
            parts.site = text(from)?;
            parts.currency = text(from)?;
            parts.late_ms = from.varint_u32()?;
        }
        tag::PLAN => parts.plan.events = list(from, PLAN_EVENTS_MAX, plan_event)?,
        tag::ATTRIBUTES => parts.attributes = list(from, ATTRIBUTES_MAX, attribute)?,
        tag::FACTS => parts.facts = list(from, FACTS_MAX, fact)?,
        tag::METRICS => parts.metrics = list(from, METRICS_MAX, metric)?,
        tag::CODE => parts.code = code(from)?,
        tag::MASKS => {
            let word = |from: &mut Reader| Ok(from.fixed_u64()?);
            parts.masks = list(from, INSTRUCTIONS_MAX, |from| list(from, MASK_WORDS_MAX, word))?;
        }
        tag::RULES => parts.rules = list(from, RULES_MAX, rule)?,
        tag::SLOTS => parts.slots = list(from, SLOTS_MAX, slot)?,
        tag::GROUPS => parts.groups = list(from, GROUPS_MAX, group)?,
        tag::CONTENTS => parts.contents = list(from, CONTENTS_MAX, content)?,
        _ => return Ok(()),
    }
    Ok(from.end()?)
}

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

fn text(from: &mut Reader) -> Decoded<String> {
    Ok(from.text()?.into())
}

fn optional_index(from: &mut Reader) -> Decoded<Option<u16>> {
    let index = from.varint_u32()?.checked_sub(1);
    index.map(u16::try_from).transpose().map_err(|_| ProgramFault::Index)
}

/// One of the words in `all`, by its place.
fn one_of<T: Copy>(from: &mut Reader, all: &[T]) -> Decoded<T> {
    Ok(*all.get(usize::from(from.u8()?)).ok_or(WireFault::Malformed)?)
}

fn purposes(from: &mut Reader) -> Decoded<Purposes> {
    Ok(Purposes(from.varint_u16()?))
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

fn attribute(from: &mut Reader) -> Decoded<Attribute> {
    let scopes = &[AttributeScope::Session, AttributeScope::Visitor, AttributeScope::Context];
    let types = &[AttributeType::Text, AttributeType::Number, AttributeType::Bool];
    Ok(Attribute {
        name: text(from)?,
        scope: one_of(from, scopes)?,
        attribute_type: one_of(from, types)?,
        purpose: purposes(from)?,
        private: from.flag()?,
        set: list(from, PLAN_EVENTS_MAX, attribute_set)?,
    })
}

fn attribute_set(from: &mut Reader) -> Decoded<AttributeSet> {
    let event = text(from)?;
    let to = match from.u8()? {
        0 => SetTo::Text(text(from)?),
        1 => SetTo::Number(from.zigzag_i64()?),
        2 => SetTo::Bool(from.flag()?),
        3 => SetTo::Property(text(from)?),
        _ => return Err(WireFault::Malformed.into()),
    };
    Ok(AttributeSet { event, to })
}

fn fact(from: &mut Reader) -> Decoded<Fact> {
    let source = match from.u8()? {
        0 => FactSource::Builtin(Builtin::from_number(from.u8()?).ok_or(WireFault::Malformed)?),
        1 => FactSource::Attribute(from.varint_u16()?),
        2 => FactSource::Metric(from.varint_u16()?),
        3 => FactSource::Property(text(from)?),
        _ => return Err(WireFault::Malformed.into()),
    };
    let tests = &[TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith, TextTest::MatchesGlob];
    let shape = match from.u8()? {
        0 => Shape::Number,
        1 => Shape::OneOf(list(from, TEXTS_MAX, text)?),
        2 => Shape::Text(one_of(from, tests)?, text(from)?),
        _ => return Err(WireFault::Malformed.into()),
    };
    let default = if from.flag()? { Some(from.zigzag_i64()?) } else { None };
    Ok(Fact { source, shape, default })
}

fn metric(from: &mut Reader) -> Decoded<Metric> {
    Ok(Metric {
        name: text(from)?,
        meaning: from.fixed_u64()?,
        event: text(from)?,
        filter: optional_index(from)?,
        window: window(from)?,
        threshold: from.varint_u16()?,
        purpose: purposes(from)?,
        private: from.flag()?,
    })
}

fn window(from: &mut Reader) -> Decoded<Window> {
    Ok(match from.u8()? {
        0 => Window::Page,
        1 => Window::Session,
        2 => Window::Sliding(from.varint_u64()?),
        _ => return Err(WireFault::Malformed.into()),
    })
}

fn code(from: &mut Reader) -> Decoded<Vec<Instruction>> {
    if from.len() > INSTRUCTIONS_MAX.saturating_mul(RECORD_BYTES) {
        return Err(ProgramFault::TooLarge);
    }
    let mut code = Vec::with_capacity(from.len() / RECORD_BYTES);
    while !from.is_empty() {
        code.push(instruction(from)?);
    }
    Ok(code)
}

fn instruction(from: &mut Reader) -> Decoded<Instruction> {
    let fact = u16::from_le_bytes(from.array()?);
    let [kind, _] = from.array()?;
    let on_true = jump(u16::from_le_bytes(from.array()?));
    let on_false = jump(u16::from_le_bytes(from.array()?));
    let low = i64::from_le_bytes(from.array()?);
    let high = i64::from_le_bytes(from.array()?);
    let test = match kind {
        0 => Test::Range(low, high),
        1 => Test::Mask(low.cast_unsigned()),
        2 => Test::MaskWide(u16::try_from(low).map_err(|_| ProgramFault::Index)?),
        3 => Test::Missing,
        _ => return Err(WireFault::Malformed.into()),
    };
    Ok(Instruction { fact, test, on_true, on_false })
}

const fn jump(at: u16) -> Jump {
    match at {
        ACCEPT => Jump::Accept,
        REJECT => Jump::Reject,
        at => Jump::To(at),
    }
}

fn rule(from: &mut Reader) -> Decoded<Rule> {
    Ok(Rule {
        id: text(from)?,
        priority: i32::try_from(from.zigzag_i64()?).map_err(|_| WireFault::Malformed)?,
        status: one_of(from, &[Status::Live, Status::Draft, Status::Paused])?,
        purpose: purposes(from)?,
        when: optional_index(from)?,
        slot: from.varint_u16()?,
        content: from.varint_u16()?,
        group: optional_index(from)?,
        caps: list(from, CAPS_MAX, cap)?,
        hold: match from.u8()? {
            0 => Hold::Page,
            1 => Hold::Session,
            2 => Hold::Time(from.varint_u64()?),
            _ => return Err(WireFault::Malformed.into()),
        },
        in_page: from.flag()?,
    })
}

fn cap(from: &mut Reader) -> Decoded<Cap> {
    Ok(Cap { limit: from.varint_u16()?, window: window(from)? })
}

fn slot(from: &mut Reader) -> Decoded<Slot> {
    Ok(Slot { name: text(from)?, fallback: optional_index(from)? })
}

fn group(from: &mut Reader) -> Decoded<Group> {
    Ok(Group { name: text(from)?, max_per_page: optional_index(from)?, caps: list(from, CAPS_MAX, cap)? })
}

fn content(from: &mut Reader) -> Decoded<Content> {
    let types = &[ContentType::Text, ContentType::Url, ContentType::Image, ContentType::Attributes];
    Ok(Content {
        id: text(from)?,
        content_type: one_of(from, types)?,
        fields: list(from, CONTENT_FIELDS_MAX, |from| Ok((text(from)?, text(from)?)))?,
    })
}

fn read_edge_config(from: &mut Reader) -> Decoded<EdgeConfig> {
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
