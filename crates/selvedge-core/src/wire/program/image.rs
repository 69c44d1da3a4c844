//! A program's bytes, read in place. Whatever the bytes are, reading never panics and never leaves them: what is not there
//! reads as zeros or as nothing. What they mean is verified once, by [`crate::rules::Program::load`], where a program is
//! published; a page opens what the edge hands out.

pub(crate) mod records;

mod lookups;

mod index;

mod zone;

mod deciding;

mod names;

pub(crate) use deciding::{SITE_CAPS, USER, dismissals_of, per_value_of, slot_caps_hash};
pub use deciding::{experiment_hash, variant_hash};
pub(crate) use index::Head;
pub(crate) use lookups::LookedUp;
pub(crate) use names::WOKEN;
pub(super) use names::slot_hash;
pub use names::{CART, attribute_hash, emit_hash, group_hash, rule_hash, timer_hash};
pub(crate) use zone::{DAY_MINUTES, Local, Zone};

use super::layout::{MAGIC, NONE, size, tag};
use super::{Content, ProgramFault, postcard};
use crate::consent::Purposes;
use crate::hash::fnv1a_64;
use crate::limits::PROGRAM_BYTES_MAX;
use crate::tracking_plan::Plan;
use crate::wire::codec::Reader;
use crate::wire::tape::Tape;
use alloc::vec::Vec;
use index::Index;
use records::{
    AttributeRow, CapRange, CapRow, CartRow, Code, EmitFieldRow, EmitRow, FactRow, Field, GroupRow, LeafRow,
    MaskRow, MetricRow, Op, PointsRow, RuleRow, ScoreRow, SequenceRow, SetRow, SlotRow, StepRow, TimerRow,
};

/// Where the form stands: the last byte of what every program begins with.
const FORM: usize = MAGIC.len().saturating_sub(1);

/// So many texts of a fact are told apart by their marks, one after the other.
const SCANNED_MAX: u16 = 16;

/// The condition is definitely true.
pub(crate) const ACCEPT: u16 = u16::MAX;
/// It is not.
pub(crate) const REJECT: u16 = u16::MAX - 1;

/// Start and length of each section, by tag.
type Sections = [(usize, usize); tag::END];

fn sections(bytes: &[u8]) -> Result<Sections, ProgramFault> {
    if bytes.len() > PROGRAM_BYTES_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let mut reader = Reader::new(bytes.strip_prefix(MAGIC).ok_or(ProgramFault::Version)?);
    let mut sections = [(0, 0); tag::END];
    let mut before = 0;
    while let Some((tag, content)) = reader.section()? {
        if tag <= before {
            return Err(ProgramFault::Unsorted);
        }
        before = tag;
        if let Some(section) = sections.get_mut(usize::from(tag)) {
            let end = bytes.len().saturating_sub(reader.len());
            *section = (end.saturating_sub(content.len()), content.len());
        }
    }
    Ok(sections)
}

/// A section, empty where there is none.
fn section<'a>(bytes: &'a [u8], sections: &Sections, tag: u8) -> &'a [u8] {
    let (start, length) = sections.get(usize::from(tag)).copied().unwrap_or_default();
    bytes.get(start..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

/// The tracking plan of a program's bytes, and whether it has rules: all that a page needs that decides nothing.
///
/// # Errors
/// [`ProgramFault`] where they are no container of version 1, or the plan cannot be read.
pub fn plan_and_rules(bytes: &[u8]) -> Result<(Plan, bool), ProgramFault> {
    let sections = sections(bytes)?;
    let plan = postcard::plan(&mut Reader::new(section(bytes, &sections, tag::PLAN)))?;
    Ok((plan, !section(bytes, &sections, tag::RULES).is_empty()))
}

/// A program's bytes and where its sections stand in them.
#[derive(Debug, Clone)]
pub struct Image {
    bytes: Vec<u8>,
    sections: Sections,
    layout: u64,
    index: Index,
}

impl Image {
    /// The image of a program's bytes.
    ///
    /// # Errors
    /// [`ProgramFault`] where they are no container of version 1.
    pub fn open(bytes: Vec<u8>) -> Result<Self, ProgramFault> {
        let sections = sections(&bytes)?;
        let mut image = Self { bytes, sections, layout: 0, index: Index::default() };
        image.layout = fnv1a_64(image.table(tag::CELLS)).max(1);
        image.index = Index::of(&image);
        Ok(image)
    }

    /// The form that a reader has to know: raised where an older reader would misread what is new, and not where it may
    /// leave it out.
    #[must_use]
    pub fn form(&self) -> u8 {
        self.bytes.get(FORM).copied().unwrap_or(u8::MAX)
    }

    /// The program's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The name of its set of cells, never 0: states are aligned when it changes.
    #[must_use]
    pub const fn layout(&self) -> u64 {
        self.layout
    }

    /// Who reads what.
    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The tracking plan.
    ///
    /// # Errors
    /// [`ProgramFault`] where it cannot be read.
    pub fn plan(&self) -> Result<Plan, ProgramFault> {
        postcard::plan(&mut Reader::new(self.table(tag::PLAN)))
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> u16 {
        self.count(tag::SLOTS, size::NARROW)
    }

    /// How many rules there are.
    #[must_use]
    pub fn rules(&self) -> u16 {
        self.count(tag::RULES, size::WIDE)
    }

    /// The name of the slot at a place; empty where there is none.
    #[must_use]
    pub fn slot_name(&self, at: u16) -> &str {
        self.str(self.slot(at).name())
    }

    /// The id of the rule at a place; empty where there is none.
    #[must_use]
    pub fn rule_id(&self, at: u16) -> &str {
        self.str(self.rule(at).id())
    }

    /// The content at a place.
    #[must_use]
    pub fn content(&self, at: u16) -> Option<Content> {
        let bytes = self.table(tag::CONTENTS).get(self.content_place(at)?..)?;
        postcard::content(&mut Reader::new(bytes)).ok()
    }

    /// Whether some contents differ from visitor to visitor.
    #[must_use]
    pub fn has_templates(&self) -> bool {
        !self.table(tag::TEMPLATES).is_empty()
    }

    /// The template of the content at a place, where it has one.
    pub(crate) fn template(&self, content: u16) -> Option<&[u8]> {
        let mut from = Tape::new(self.table(tag::TEMPLATES));
        while !from.rest().is_empty() {
            let (at, bytes) = (from.u16(), from.read(Reader::bytes));
            if at == content {
                return Some(bytes);
            }
        }
        None
    }

    /// All that placeholders read.
    pub(crate) fn each_value(&self) -> impl Iterator<Item = FactRow<'_>> {
        self.rows(tag::VALUES).iter().map(FactRow)
    }

    /// What placeholders read.
    pub(crate) fn value(&self, at: u16) -> FactRow<'_> {
        FactRow::at(self.rows(tag::VALUES), at.into())
    }

    pub(super) fn content_place(&self, at: u16) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(*self.rows(tag::CONTENT_PLACES).get(usize::from(at))?)).ok()
    }

    /// How late, against the visitor's newest applied event, an event still counts.
    pub(crate) fn late_ms(&self) -> i64 {
        u32::read(self.table(tag::SITE), 0).into()
    }

    /// What the tracking plan says page views may be used for.
    pub(crate) fn page_purposes(&self) -> Purposes {
        Purposes::read(self.table(tag::SITE), 4)
    }

    /// A section, empty where there is none.
    pub(super) fn table(&self, tag: u8) -> &[u8] {
        section(&self.bytes, &self.sections, tag)
    }

    pub(super) fn count(&self, tag: u8, size: usize) -> u16 {
        let rows = self.table(tag).len().checked_div(size).unwrap_or(0);
        u16::try_from(rows).unwrap_or(u16::MAX)
    }

    /// The records of a table.
    fn rows<const N: usize>(&self, tag: u8) -> &[[u8; N]] {
        self.table(tag).as_chunks().0
    }

    /// The bytes of a text, empty where there is none.
    pub(crate) fn text(&self, place: u32) -> &[u8] {
        self.text_of(place).unwrap_or_default()
    }

    pub(super) fn text_of(&self, place: u32) -> Option<&[u8]> {
        text_among(self.table(tag::TEXTS), place)
    }

    /// The place of a text among those of a fact, which are sorted.
    pub(crate) fn place_among(&self, fact: FactRow, text: &[u8]) -> Option<u32> {
        let first = usize::try_from(fact.texts()).ok()?;
        let among = first..first.saturating_add(fact.count().into());
        if fact.count() <= SCANNED_MAX {
            let mark = index::mark(text);
            let mut alike = (0..).zip(self.index.marks.get(among)?).filter(|(_, known)| **known == mark);
            return alike
                .find(|(at, _)| self.listed(fact.texts().wrapping_add(*at)) == text)
                .map(|(at, _)| at);
        }
        let places = self.rows(tag::LISTS).get(among)?;
        let found = places.binary_search_by(|place| self.text(u32::from_le_bytes(*place)).cmp(text));
        found.ok().and_then(|at| u32::try_from(at).ok())
    }

    /// A text; empty where there is none.
    pub(crate) fn str(&self, place: u32) -> &str {
        core::str::from_utf8(self.text(place)).unwrap_or_default()
    }

    /// The text at a place of the lists.
    pub(crate) fn listed(&self, at: u32) -> &[u8] {
        self.listed_place(at).map_or(&[], |place| self.text(place))
    }

    /// All texts of the lists.
    fn each_listed(&self) -> impl Iterator<Item = &[u8]> {
        self.rows(tag::LISTS).iter().map(|place| self.text(u32::from_le_bytes(*place)))
    }

    pub(super) fn listed_place(&self, at: u32) -> Option<u32> {
        Some(u32::from_le_bytes(*self.rows(tag::LISTS).get(usize::try_from(at).ok()?)?))
    }

    pub(crate) fn facts(&self) -> u16 {
        self.count(tag::FACTS, size::NARROW)
    }

    /// Every fact, in the order that code names them.
    pub(crate) fn each_fact(&self) -> impl Iterator<Item = FactRow<'_>> {
        self.rows(tag::FACTS).iter().map(FactRow)
    }

    pub(crate) fn fact(&self, at: u16) -> FactRow<'_> {
        FactRow::at(self.rows(tag::FACTS), at.into())
    }

    /// Every metric.
    pub(crate) fn each_metric(&self) -> impl Iterator<Item = MetricRow<'_>> {
        self.rows(tag::METRICS).iter().map(MetricRow)
    }

    pub(crate) fn metric(&self, at: u16) -> MetricRow<'_> {
        MetricRow::at(self.rows(tag::METRICS), at.into())
    }

    /// Every sequence.
    pub(crate) fn each_sequence(&self) -> impl Iterator<Item = SequenceRow<'_>> {
        self.rows(tag::SEQUENCES).iter().map(SequenceRow)
    }

    pub(crate) fn sequence(&self, at: u16) -> SequenceRow<'_> {
        SequenceRow::at(self.rows(tag::SEQUENCES), at.into())
    }

    pub(crate) fn sequence_step(&self, at: u16) -> StepRow<'_> {
        StepRow::at(self.rows(tag::SEQUENCE_STEPS), at.into())
    }

    /// What rules tell destinations, in the order of the rules.
    pub(crate) fn each_emit(&self) -> impl Iterator<Item = EmitRow<'_>> {
        self.rows(tag::EMITS).iter().map(EmitRow)
    }

    /// What the rule at a place tells a destination.
    pub(crate) fn emit(&self, rule: u16) -> Option<EmitRow<'_>> {
        let emits = self.rows(tag::EMITS);
        let at = emits.binary_search_by_key(&rule, |row| EmitRow(row).rule()).ok()?;
        emits.get(at).map(EmitRow)
    }

    /// What goes with a message.
    pub(crate) fn emit_fields(&self, emit: EmitRow<'_>) -> impl Iterator<Item = EmitFieldRow<'_>> {
        let fields = self.rows(tag::EMIT_FIELDS).get(usize::from(emit.fields())..).unwrap_or_default();
        fields.iter().take(emit.fields_count().into()).map(EmitFieldRow)
    }

    /// When rules are considered, of those that are not at every event.
    pub(crate) fn each_timer(&self) -> impl Iterator<Item = TimerRow<'_>> {
        self.rows(tag::TIMERS).iter().map(TimerRow)
    }

    /// When the rule at a place is considered, where that is not at every event.
    pub(crate) fn timer(&self, rule: u16) -> Option<TimerRow<'_>> {
        let timers = self.rows(tag::TIMERS);
        let at = timers.binary_search_by_key(&rule, |row| TimerRow(row).rule()).ok()?;
        timers.get(at).map(TimerRow)
    }

    /// The names of the events that trigger a rule.
    pub(crate) fn triggers(&self, timer: TimerRow<'_>) -> impl Iterator<Item = &[u8]> {
        let places = self.rows(tag::TRIGGERS).get(usize::from(timer.events())..).unwrap_or_default();
        places.iter().take(timer.events_count().into()).map(|place| self.text(u32::from_le_bytes(*place)))
    }

    pub(crate) fn score(&self, at: u16) -> ScoreRow<'_> {
        ScoreRow::at(self.rows(tag::SCORES), at.into())
    }

    /// What adds to a score.
    pub(crate) fn points(&self, score: ScoreRow) -> impl Iterator<Item = PointsRow<'_>> {
        let start = usize::try_from(score.points()).unwrap_or(usize::MAX);
        let points = self.rows(tag::POINTS).get(start..).unwrap_or_default();
        points.iter().take(score.points_count().into()).map(PointsRow)
    }

    /// Every attribute.
    pub(crate) fn each_attribute(&self) -> impl Iterator<Item = AttributeRow<'_>> {
        self.rows(tag::ATTRIBUTES).iter().map(AttributeRow)
    }

    pub(crate) fn attribute(&self, at: u16) -> AttributeRow<'_> {
        AttributeRow::at(self.rows(tag::ATTRIBUTES), at.into())
    }

    /// Every event of the cart.
    pub(crate) fn each_cart_event(&self) -> impl Iterator<Item = CartRow<'_>> {
        self.rows(tag::CART).iter().map(CartRow)
    }

    pub(crate) fn cart_event(&self, at: u16) -> CartRow<'_> {
        CartRow::at(self.rows(tag::CART), at.into())
    }

    pub(crate) fn set(&self, at: u32) -> SetRow<'_> {
        SetRow::at(self.rows(tag::SETS), usize::try_from(at).unwrap_or(usize::MAX))
    }

    /// The code, for [`op_of`].
    pub(crate) fn code(&self) -> Code<'_> {
        Code { jumps: self.rows(tag::CODE), leaves: self.rows(tag::LEAVES) }
    }

    /// Whether the test at a place of the code stands behind `is true` and the like: there, not known is not passed, for
    /// sure.
    pub(crate) fn is_settled(&self, at: u16) -> bool {
        let place = |row: &[u8; size::PLACE]| u32::from_le_bytes(*row);
        self.rows(tag::SETTLED).binary_search_by_key(&u32::from(at), place).is_ok()
    }

    pub(super) fn settled_at(&self, at: u16) -> Option<u16> {
        u16::try_from(u32::from_le_bytes(*self.rows(tag::SETTLED).get(usize::from(at))?)).ok()
    }

    /// Whether conditions test something that moves with time alone.
    #[must_use]
    pub fn moves_with_time(&self) -> bool {
        self.watched().next().is_some()
    }

    /// The tests that time alone may make come out otherwise.
    pub(crate) fn watched(&self) -> impl Iterator<Item = LeafRow<'_>> {
        self.rows(tag::WATCHED).iter().map(LeafRow)
    }

    /// The rules that these tests belong to.
    pub(crate) fn watching(&self) -> impl Iterator<Item = u16> {
        let rules = self.rows::<{ size::PLACE }>(tag::WATCHING).iter();
        rules.map(|rule| u16::try_from(u32::from_le_bytes(*rule)).unwrap_or(NONE))
    }

    /// The words of a wide mask, 8 bytes each.
    pub(crate) fn mask_words(&self, mask: u16) -> Option<&[u8]> {
        let row = MaskRow::at(self.rows(tag::MASKS), mask.into());
        let start = usize::try_from(row.start()).ok()?.checked_mul(size_of::<u64>())?;
        let length = usize::try_from(row.count()).ok()?.checked_mul(size_of::<u64>())?;
        self.table(tag::WORDS).get(start..)?.get(..length)
    }

    /// Every rule, in the order of deciding.
    pub(crate) fn each_rule(&self) -> impl Iterator<Item = RuleRow<'_>> {
        self.rows(tag::RULES).iter().map(RuleRow)
    }

    pub(crate) fn rule(&self, at: u16) -> RuleRow<'_> {
        RuleRow::at(self.rows(tag::RULES), at.into())
    }

    /// Where the rule of this name stands.
    pub(crate) fn rule_named(&self, name: u64) -> Option<u16> {
        (0..).zip(self.each_rule()).find(|(_, rule)| rule.hash() == name).map(|(at, _)| at)
    }

    /// The caps of a rule or group.
    pub(crate) fn caps(&self, range: CapRange) -> impl Iterator<Item = CapRow<'_>> {
        let caps = self.rows(tag::CAPS).get(usize::from(range.start)..).unwrap_or_default();
        caps.iter().take(range.count.into()).map(CapRow)
    }

    /// Every slot.
    pub(crate) fn each_slot(&self) -> impl Iterator<Item = SlotRow<'_>> {
        self.rows(tag::SLOTS).iter().map(SlotRow)
    }

    pub(crate) fn slot(&self, at: u16) -> SlotRow<'_> {
        SlotRow::at(self.rows(tag::SLOTS), at.into())
    }

    pub(crate) fn groups(&self) -> u16 {
        self.count(tag::GROUPS, size::NARROW)
    }

    /// The group at a place, where there is one.
    pub(crate) fn group(&self, at: u16) -> Option<GroupRow<'_>> {
        self.rows(tag::GROUPS).get(usize::from(at)).map(GroupRow)
    }

    /// The names of all cells, sorted.
    pub(crate) fn is_cell(&self, hash: u64) -> bool {
        let cells = self.rows(tag::CELLS);
        cells.binary_search_by(|cell| u64::from_le_bytes(*cell).cmp(&hash)).is_ok()
    }
}

#[inline(always)]
fn text_among(texts: &[u8], place: u32) -> Option<&[u8]> {
    let (length, rest) = texts.get(usize::try_from(place).ok()?..)?.split_first_chunk()?;
    rest.get(..usize::from(u16::from_le_bytes(*length)))
}

/// The instruction at a place of the code.
#[inline]
pub(crate) fn op_of(code: Code<'_>, at: u16) -> Option<Op<'_>> {
    code.jump(at).map(|jumps| Op { jumps, leaf: code.leaf(jumps.leaf()) })
}
