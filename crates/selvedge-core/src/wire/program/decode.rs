//! A program from its bytes: every list within its bound, every number one of those allowed.

mod destination;

mod edge;

mod emit;

mod facts;

mod sequence;

mod timing;

mod deciding;

pub use edge::{destinations, edge_config};

use super::image::records::{CapRange, CapRow, RuleRow};
use super::image::{ACCEPT, REJECT, op_of};
use super::layout::{NONE, kind, size, tag};
use super::postcard::{self, Decoded};
use super::template;
use super::{
    Cap, Content, FactSource, Group, Hold, Image, Instruction, Jump, Offset, Parts, ProgramFault, Rule, Slot,
    Status, Test, Window,
};
use crate::hash::fnv1a_64;
use crate::limits::{
    ATTRIBUTES_MAX, CAPS_MAX, CART_EVENTS_MAX, CONTENTS_MAX, FACTS_MAX, GROUPS_MAX, INSTRUCTIONS_MAX,
    LOOKUPS_MAX, MASK_WORDS_MAX, METRICS_MAX, PROGRAM_BYTES_MAX, RULES_MAX, SEQUENCES_MAX, SLOTS_MAX,
    ZONE_OFFSETS_MAX, ZONES_MAX,
};
use crate::wire::codec::{Reader, WireFault};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::cmp::Reverse;

impl Parts {
    /// The parts of a program's bytes, each within its bounds; what they name is checked by
    /// [`crate::rules::program::Program::load`].
    ///
    /// # Errors
    /// [`ProgramFault`] for anything malformed or above a limit.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProgramFault> {
        let image = Image::open(bytes.into())?;
        let mut parts = Self::of_image(&image)?;
        let reading = &Reading { image: &image, room: Cell::new(ROOM_MAX) };
        parts.rules = Self::rules_of(&image)?;
        parts.facts = rows(reading, tag::FACTS, size::NARROW, FACTS_MAX, facts::fact)?;
        parts.code = rows(reading, tag::CODE, size::OFFSET, INSTRUCTIONS_MAX, instruction)?;
        parts.lookups = rows(reading, tag::LOOKUPS, size::NARROW, LOOKUPS_MAX, facts::lookup)?;
        parts.edge = edge::edge_of(&image)?;
        parts.destinations = edge::destinations_of(&image)?;
        Ok(parts)
    }

    /// As [`Self::decode`], without facts, code, rules and what only the edge knows.
    pub(crate) fn of_image(image: &Image) -> Result<Self, ProgramFault> {
        let reading = &Reading { image, room: Cell::new(ROOM_MAX) };
        let site = image.table(tag::SITE);
        let mut rest = Reader::new(site.get(size::SITE..).ok_or(WireFault::Truncated)?);
        let parts = Self {
            site: postcard::text(&mut rest)?,
            currency: postcard::text(&mut rest)?,
            late_ms: u32::try_from(image.late_ms()).unwrap_or_default(),
            edge: None,
            plan: image.plan()?,
            attributes: rows(reading, tag::ATTRIBUTES, size::WIDE, ATTRIBUTES_MAX, facts::attribute)?,
            facts: Vec::new(),
            metrics: rows(reading, tag::METRICS, size::WIDE, METRICS_MAX, facts::metric)?,
            sequences: rows(reading, tag::SEQUENCES, size::WIDE, SEQUENCES_MAX, sequence::sequence)?,
            lookups: Vec::new(),
            cart: rows(reading, tag::CART, size::NARROW, CART_EVENTS_MAX, facts::cart_event)?,
            scores: rows(reading, tag::SCORES, size::WIDE, METRICS_MAX, facts::score)?,
            code: Vec::new(),
            settled: rows(reading, tag::SETTLED, size::PLACE, INSTRUCTIONS_MAX, settled)?,
            masks: rows(reading, tag::MASKS, size::NARROW, INSTRUCTIONS_MAX, mask)?,
            rules: Vec::new(),
            slots: rows(reading, tag::SLOTS, size::NARROW, SLOTS_MAX, slot)?,
            groups: rows(reading, tag::GROUPS, size::NARROW, GROUPS_MAX, group)?,
            contents: contents(image)?,
            zone: rows(reading, tag::ZONE, size::OFFSET, ZONE_OFFSETS_MAX, offset)?,
            zones: zones(reading)?,
            deciding: deciding::deciding(reading)?,
            values: rows(reading, tag::VALUES, size::NARROW, FACTS_MAX, facts::value)?,
            templates: template::templates(image.table(tag::TEMPLATES))?,
            destinations: Vec::new(),
        };
        rest.end()?;
        Ok(parts)
    }

    /// What each fact is read from. Its shape is looked at where it stands: the texts of the lists are many.
    pub(crate) fn sources_of(image: &Image) -> Decoded<Vec<FactSource>> {
        let reading = &Reading { image, room: Cell::new(ROOM_MAX) };
        rows(reading, tag::FACTS, size::NARROW, FACTS_MAX, facts::source_and_sound_shape)
    }

    /// All rules.
    pub(crate) fn rules_of(image: &Image) -> Decoded<Vec<Rule>> {
        let reading = &Reading { image, room: Cell::new(ROOM_MAX) };
        rows(reading, tag::RULES, size::WIDE, RULES_MAX, rule)
    }

    /// The rules that come with caps, timing, terms or a message, each with its place. The others are looked at where they
    /// stand: [`Self::rules_of`] finds nothing to refuse any more. All are in the order of deciding, and known by the hash of
    /// their ids: that is seen here, because each id has to be fetched.
    pub(crate) fn rules_with_more(image: &Image) -> Decoded<Vec<(u16, Rule)>> {
        let reading = &Reading { image, room: Cell::new(ROOM_MAX) };
        let _: Vec<()> = rows(reading, tag::RULES, size::WIDE, RULES_MAX, |_, _| Ok(()))?;
        // Asked once: most programs have none of these.
        let have_more =
            image.has_terms() || image.each_timer().next().is_some() || image.each_emit().next().is_some();
        let mut with_more = Vec::new();
        let mut before = None;
        for (at, row) in (0..).zip(image.each_rule()) {
            let id = reading.look_at(row.id())?;
            if row.hash() != fnv1a_64(id) {
                return Err(ProgramFault::Index);
            }
            let place = (Reverse(row.priority()), id);
            if before.is_some_and(|before| before >= place) {
                return Err(ProgramFault::Unsorted);
            }
            before = Some(place);
            let has_more = have_more
                && !(image.terms(at).is_empty() && image.timer(at).is_none() && image.emit(at).is_none());
            if row.caps_count() == 0 && !has_more {
                word(row.status(), STATUS)?;
                hold(row)?;
            } else {
                with_more.push((at, rule(reading, at)?));
            }
        }
        Ok(with_more)
    }
}

const STATUS: &[Status] = &[Status::Live, Status::Draft, Status::Paused];

/// An image on its way to parts. Records may share texts, so what the parts take is bounded apart.
struct Reading<'a> {
    image: &'a Image,
    room: Cell<usize>,
}

/// Bytes that texts and lists of all parts may take together.
const ROOM_MAX: usize = 8 * PROGRAM_BYTES_MAX;

impl Reading<'_> {
    fn take(&self, bytes: usize) -> Decoded<()> {
        self.room.set(self.room.get().checked_sub(bytes).ok_or(ProgramFault::TooLarge)?);
        Ok(())
    }

    /// A text that must be there and be UTF-8.
    fn text(&self, place: u32) -> Decoded<String> {
        Ok(String::from_utf8(self.bytes(place)?.into()).map_err(|_| WireFault::BadText)?)
    }

    /// The same, without a copy. Most texts are ASCII, which is sooner seen.
    fn look_at(&self, place: u32) -> Decoded<&[u8]> {
        let bytes = self.bytes(place)?;
        let is_text = bytes.is_ascii() || core::str::from_utf8(bytes).is_ok();
        if is_text { Ok(bytes) } else { Err(WireFault::BadText.into()) }
    }

    fn bytes(&self, place: u32) -> Decoded<&[u8]> {
        let bytes = self.image.text_of(place).ok_or(ProgramFault::Index)?;
        self.take(bytes.len().saturating_add(size_of::<String>()))?;
        Ok(bytes)
    }
}

/// Every record of a table.
fn rows<T>(
    reading: &Reading,
    tag: u8,
    size: usize,
    count_max: usize,
    read: fn(&Reading, u16) -> Decoded<T>,
) -> Decoded<Vec<T>> {
    let image = reading.image;
    let length = image.table(tag).len();
    let count = length.checked_div(size).unwrap_or(0);
    if length.checked_rem(size) != Some(0) {
        return Err(WireFault::Truncated.into());
    }
    if count > count_max {
        return Err(ProgramFault::TooLarge);
    }
    let mut rows = Vec::with_capacity(count);
    for at in 0..image.count(tag, size) {
        rows.push(read(reading, at)?);
    }
    Ok(rows)
}

/// One of the words in `all`, by its number.
fn word<T: Copy>(number: u8, all: &[T]) -> Decoded<T> {
    Ok(*all.get(usize::from(number)).ok_or(WireFault::Malformed)?)
}

fn optional(index: u16) -> Option<u16> {
    (index != NONE).then_some(index)
}

fn window(window: u8, window_ms: u64) -> Decoded<Window> {
    Ok(match window {
        kind::WINDOW_PAGE => Window::Page,
        kind::WINDOW_SESSION => Window::Session,
        kind::WINDOW_SLIDING => Window::Sliding(window_ms),
        kind::WINDOW_TODAY => Window::Today,
        kind::WINDOW_WEEK => Window::Week,
        kind::WINDOW_MONTH => Window::Month,
        kind::WINDOW_EVER => Window::Ever,
        _ => return Err(WireFault::Malformed.into()),
    })
}

fn instruction(from: &Reading, at: u16) -> Decoded<Instruction> {
    let op = op_of(from.image.code(), at).ok_or(WireFault::Truncated)?;
    let leaf = op.leaf;
    let test = match leaf.test() {
        kind::TEST_RANGE => Test::Range(leaf.low(), leaf.high()),
        kind::TEST_MASK => Test::Mask(leaf.low().cast_unsigned()),
        kind::TEST_MASK_WIDE => Test::MaskWide(u16::try_from(leaf.low()).map_err(|_| ProgramFault::Index)?),
        kind::TEST_MISSING => Test::Missing,
        _ => return Err(WireFault::Malformed.into()),
    };
    let (on_true, on_false) = (jump(op.jumps.on_true()), jump(op.jumps.on_false()));
    Ok(Instruction { fact: op.fact(), test, on_true, on_false })
}

fn settled(from: &Reading, at: u16) -> Decoded<u16> {
    from.image.settled_at(at).ok_or(ProgramFault::Index)
}

const fn jump(at: u16) -> Jump {
    match at {
        ACCEPT => Jump::Accept,
        REJECT => Jump::Reject,
        at => Jump::To(at),
    }
}

fn mask(from: &Reading, at: u16) -> Decoded<Vec<u64>> {
    let words = from.image.mask_words(at).ok_or(ProgramFault::Index)?;
    if words.len() > MASK_WORDS_MAX.saturating_mul(size_of::<u64>()) {
        return Err(ProgramFault::TooLarge);
    }
    from.take(words.len())?;
    let (words, _) = words.as_chunks();
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

fn rule(from: &Reading, at: u16) -> Decoded<Rule> {
    let row = from.image.rule(at);
    Ok(Rule {
        id: from.text(row.id())?,
        priority: row.priority(),
        status: word(row.status(), STATUS)?,
        purpose: row.purpose(),
        when: optional(row.when()),
        slot: row.slot(),
        content: row.content(),
        group: optional(row.group()),
        caps: caps(from.image, row.caps())?,
        hold: hold(row)?,
        in_page: row.in_page(),
        timing: timing::timing(from, at)?,
        terms: deciding::terms(from.image, at)?,
        emit: emit::emit(from, at)?,
    })
}

fn hold(row: RuleRow) -> Decoded<Hold> {
    Ok(match row.hold() {
        kind::HOLD_PAGE => Hold::Page,
        kind::HOLD_SESSION => Hold::Session,
        kind::HOLD_TIME => Hold::Time(row.hold_ms()),
        _ => return Err(WireFault::Malformed.into()),
    })
}

fn caps(image: &Image, range: CapRange) -> Decoded<Vec<Cap>> {
    if range.count == 0 {
        return Ok(Vec::new());
    }
    let end = usize::from(range.start).saturating_add(range.count.into());
    if usize::from(range.count) > CAPS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    if end > usize::from(image.count(tag::CAPS, size::NARROW)) {
        return Err(ProgramFault::Index);
    }
    let cap = |row: CapRow| Ok(Cap { limit: row.limit(), window: window(row.window(), row.window_ms())? });
    image.caps(range).map(cap).collect()
}

fn slot(from: &Reading, at: u16) -> Decoded<Slot> {
    let row = from.image.slot(at);
    let caps = caps(from.image, row.caps())?;
    Ok(Slot { name: from.text(row.name())?, fallback: optional(row.fallback()), caps })
}

fn group(from: &Reading, at: u16) -> Decoded<Group> {
    let row = from.image.group(at).ok_or(ProgramFault::Index)?;
    Ok(Group {
        name: from.text(row.name())?,
        max_per_page: optional(row.max_per_page()),
        caps: caps(from.image, row.caps())?,
    })
}

fn offset(from: &Reading, at: u16) -> Decoded<Offset> {
    Ok(from.image.offset(tag::ZONE, at.into()))
}

/// Each zone begins with minute 0.
fn zones(from: &Reading) -> Decoded<Vec<Vec<Offset>>> {
    let offset = |from: &Reading, at: u16| Ok(from.image.offset(tag::ZONES, at.into()));
    let offsets = rows(from, tag::ZONES, size::OFFSET, ZONES_MAX.saturating_mul(ZONE_OFFSETS_MAX), offset)?;
    let mut zones: Vec<Vec<Offset>> = Vec::new();
    for offset in offsets {
        match zones.last_mut() {
            Some(zone) if offset.from_minute > 0 => zone.push(offset),
            _ => zones.push([offset].into()),
        }
    }
    Ok(zones)
}

/// All contents, one behind the other, each where its place says.
fn contents(image: &Image) -> Decoded<Vec<Content>> {
    let bytes = image.table(tag::CONTENTS);
    let mut from = Reader::new(bytes);
    let mut contents = Vec::new();
    while !from.is_empty() {
        let place = bytes.len().saturating_sub(from.len());
        let at = u16::try_from(contents.len()).ok().filter(|at| usize::from(*at) < CONTENTS_MAX);
        if image.content_place(at.ok_or(ProgramFault::TooLarge)?) != Some(place) {
            return Err(ProgramFault::Index);
        }
        contents.push(postcard::content(&mut from)?);
    }
    let is_whole = image.table(tag::CONTENT_PLACES).len() == contents.len().saturating_mul(size::PLACE);
    if is_whole { Ok(contents) } else { Err(ProgramFault::Index) }
}
