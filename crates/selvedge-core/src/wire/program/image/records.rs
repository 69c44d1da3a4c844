//! The records of a program's tables: which field stands where.

use super::{REJECT, size};
use crate::consent::Purposes;

/// The flags of a metric.
pub(in super::super) const METRIC_PRIVATE: u8 = 1;
pub(in super::super) const METRIC_WARM: u8 = 2;
pub(in super::super) const METRIC_FROM_LOG: u8 = 4;
pub(in super::super) const METRIC_OF_MONEY: u8 = 8;

/// A number, flag or set of purposes in a record.
pub(in crate::wire::program) trait Field {
    fn read(row: &[u8], at: usize) -> Self;
}

macro_rules! fields {
    ($($number:ty)*) => {
        $(impl Field for $number {
            // The places are constants within their records, so that this folds into a single load.
            #[inline(always)]
            fn read(row: &[u8], at: usize) -> Self {
                let bytes = row.get(at..).and_then(<[u8]>::first_chunk);
                bytes.map_or(0, |bytes| Self::from_le_bytes(*bytes))
            }
        })*
    };
}

fields!(u8 u16 u32 u64 i16 i32 i64);

impl Field for bool {
    #[inline(always)]
    fn read(row: &[u8], at: usize) -> Self {
        u8::read(row, at) != 0
    }
}

impl Field for Purposes {
    #[inline(always)]
    fn read(row: &[u8], at: usize) -> Self {
        Self(u16::read(row, at))
    }
}

/// A record of a table: its fields, each with its type and its place.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident of $size:expr => { $($(#[$note:meta])* $field:ident: $kind:ty = $at:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name<'a>(pub(super) &'a [u8; $size]);

            impl<'a> $name<'a> {
                /// The record at a place of its table; of zeros where there is none.
                #[allow(dead_code, reason = "not every table is read by place")]
                pub(super) fn at(table: &'a [[u8; $size]], at: usize) -> Self {
                    Self(table.get(at).unwrap_or(&[0; $size]))
                }

                $($(#[$note])* #[inline(always)] pub fn $field(self) -> $kind { <$kind>::read(self.0, $at) })*
            }
        )*
    };
}

records! {
    /// A test of a fact.
    LeafRow of size::NARROW => {
        low: i64 = 0,
        high: i64 = 8,
        fact: u16 = 16,
        test: u8 = 18,
    }

    /// An instruction: what it tests, and where to go. Jumps are places in the code, [`super::ACCEPT`] or
    /// [`super::REJECT`].
    JumpRow of size::OFFSET => {
        leaf: u16 = 0,
        on_true: u16 = 2,
        on_false: u16 = 4,
    }

    /// A fact. Of a difference and of two texts, `index` and `name` are the places of both facts, and `count` says which is
    /// a whole count; of the items of a list, `texts` is where the condition and its opposite begin, 16 bits each.
    FactRow of size::NARROW => {
        default_value: i64 = 0,
        /// The property's name.
        name: u32 = 8,
        /// The texts it is one of (a place in the lists), or the pattern.
        texts: u32 = 12,
        count: u16 = 16,
        index: u16 = 18,
        source: u8 = 20,
        shape: u8 = 21,
        has_default: bool = 22,
        /// Of a lookup.
        column: u8 = 23,
    }

    /// A metric.
    MetricRow of size::WIDE => {
        meaning: u64 = 0,
        window_ms: u64 = 8,
        name: u32 = 16,
        event: u32 = 20,
        filter: u16 = 24,
        threshold: u16 = 26,
        purpose: Purposes = 28,
        window: u8 = 30,
        flags: u8 = 31,
        kind: u8 = 32,
        scope: u8 = 33,
        detail: u16 = 34,
        /// The property's name, or none.
        property: u32 = 36,
    }

    /// A sequence. Its steps come first, then the one that must not come last, then the one that it must be without.
    SequenceRow of size::WIDE => {
        meaning: u64 = 0,
        window_ms: u64 = 8,
        name: u32 = 16,
        first: u16 = 20,
        purpose: Purposes = 22,
        asks: u8 = 24,
        steps: u8 = 25,
        is_private: bool = 26,
        has_without: bool = 27,
    }

    /// An event of a sequence.
    StepRow of size::NARROW => {
        event: u32 = 0,
        filter: u16 = 4,
    }

    /// How a score is made.
    ScoreRow of size::WIDE => {
        half_life_ms: u64 = 0,
        min: i64 = 8,
        max: i64 = 16,
        points: u32 = 24,
        points_count: u16 = 28,
    }

    /// What an event adds to a score.
    PointsRow of size::NARROW => {
        micro: i64 = 0,
        event: u32 = 8,
        filter: u16 = 12,
    }

    /// An attribute.
    AttributeRow of size::WIDE => {
        hash: u64 = 0,
        name: u32 = 8,
        sets: u32 = 12,
        sets_count: u16 = 16,
        purpose: Purposes = 18,
        scope: u8 = 20,
        attribute_type: u8 = 21,
        is_private: bool = 22,
        if_stale: u8 = 23,
        /// 0: for good.
        ttl_ms: u64 = 24,
    }

    /// A table that values are looked up in.
    LookupTableRow of size::NARROW => {
        name: u32 = 0,
        /// Where its keys begin, and how many there are.
        first_row: u32 = 4,
        rows: u32 = 8,
        first_cell: u32 = 12,
        /// A bit for each column that holds texts.
        texts: u32 = 16,
        columns: u8 = 20,
        /// Where its rows come from, and whether they came.
        feed: u8 = 21,
        has_arrived: bool = 22,
    }

    /// An event of the cart.
    CartRow of size::NARROW => {
        event: u32 = 0,
        /// The site's currency.
        currency: u32 = 4,
        purpose: Purposes = 8,
        does: u8 = 10,
    }

    /// What an event sets an attribute to.
    SetRow of size::NARROW => {
        value: i64 = 0,
        event: u32 = 8,
        kind: u8 = 12,
    }

    /// A wide mask: its words.
    MaskRow of size::NARROW => {
        start: u32 = 0,
        count: u32 = 4,
    }

    /// A rule.
    RuleRow of size::WIDE => {
        hash: u64 = 0,
        id: u32 = 8,
        priority: i32 = 12,
        hold_ms: u64 = 16,
        /// The first instruction, or [`super::ACCEPT`].
        when: u16 = 24,
        slot: u16 = 26,
        content: u16 = 28,
        group: u16 = 30,
        purpose: Purposes = 32,
        caps_start: u16 = 34,
        caps_count: u8 = 36,
        status: u8 = 37,
        hold: u8 = 38,
        in_page: bool = 39,
    }

    /// What a rule tells a destination.
    EmitRow of size::WIDE => {
        /// The name of its cell.
        hash: u64 = 0,
        once_ms: u64 = 8,
        to: u32 = 16,
        enter: u32 = 20,
        exit_when: u16 = 24,
        rule: u16 = 26,
        /// The first of what goes with it.
        fields: u16 = 28,
        fields_count: u8 = 30,
        once: u8 = 31,
        has_exit: bool = 32,
    }

    /// A fact that goes with a message.
    EmitFieldRow of size::NARROW => {
        name: u32 = 0,
        fact: u16 = 4,
    }

    /// When a rule is considered.
    TimerRow of size::NARROW => {
        /// The name of its cell.
        hash: u64 = 0,
        after_ms: u64 = 8,
        /// The first of its triggers.
        events: u16 = 16,
        rule: u16 = 18,
        events_count: u8 = 20,
        is_triggered: bool = 21,
        at_session_end: bool = 22,
    }

    /// A cap.
    CapRow of size::NARROW => {
        window_ms: u64 = 0,
        limit: u16 = 8,
        window: u8 = 10,
    }

    /// A slot.
    SlotRow of size::NARROW => {
        hash: u64 = 0,
        name: u32 = 8,
        fallback: u16 = 12,
        caps_start: u16 = 14,
        caps_count: u8 = 16,
    }

    /// A group.
    GroupRow of size::NARROW => {
        hash: u64 = 0,
        name: u32 = 8,
        max_per_page: u16 = 12,
        caps_start: u16 = 14,
        caps_count: u8 = 16,
    }

    /// A rule's terms.
    TermsRow of size::NARROW => {
        /// Bit `n` stands for suppression `n`.
        suppressions: u32 = 0,
        experiment: u16 = 4,
        /// The place of its contents, one for each variant.
        trials: u16 = 6,
        until: u16 = 8,
        holdout: u16 = 10,
        dismissals_start: u16 = 12,
        dismissals_count: u8 = 14,
        flags: u8 = 15,
        value_fact: u16 = 16,
        value_limit: u16 = 18,
        values_max: u16 = 20,
        schedule: u16 = 22,
    }

    /// A suppression.
    SuppressionRow of size::NARROW => {
        name: u32 = 0,
        when: u16 = 4,
    }

    /// An experiment, or a holdout.
    ExperimentRow of size::WIDE => {
        /// The cell in which a visitor's variant is kept.
        hash: u64 = 0,
        name: u32 = 8,
        salt: u32 = 12,
        traffic_salt: u32 = 16,
        traffic_start: u16 = 20,
        traffic_end: u16 = 22,
        variants: u16 = 24,
        variants_count: u8 = 26,
        unit: u8 = 27,
    }

    /// A variant.
    VariantRow of size::NARROW => {
        /// Of `experiment/variant`.
        hash: u64 = 0,
        name: u32 = 8,
        experiment: u16 = 12,
        end: u16 = 14,
    }
}

/// Instructions, one behind the other, and what they test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Code<'a> {
    pub(super) jumps: &'a [[u8; size::OFFSET]],
    pub(super) leaves: &'a [[u8; size::NARROW]],
}

impl<'a> Code<'a> {
    /// How many instructions there are.
    pub const fn len(self) -> usize {
        self.jumps.len()
    }

    /// Where an instruction leads.
    #[inline]
    pub fn jump(self, at: u16) -> Option<JumpRow<'a>> {
        self.jumps.get(usize::from(at)).map(JumpRow)
    }

    /// What an instruction tests; of zeros where there is no such test.
    #[inline]
    pub fn leaf(self, at: u16) -> LeafRow<'a> {
        LeafRow::at(self.leaves, at.into())
    }

    /// All tests.
    pub fn each_leaf(self) -> impl ExactSizeIterator<Item = LeafRow<'a>> {
        self.leaves.iter().map(LeafRow)
    }

    /// The tests of a fact, each with its place.
    pub fn leaves_of(self, fact: u16) -> impl Iterator<Item = (u16, LeafRow<'a>)> {
        let first = self.leaves.partition_point(|row| LeafRow(row).fact() < fact);
        let rows = self.leaves.get(first..).unwrap_or_default().iter().map(LeafRow);
        (u16::try_from(first).unwrap_or(u16::MAX)..).zip(rows.take_while(move |row| row.fact() == fact))
    }
}

/// An instruction with its test.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Op<'a> {
    pub jumps: JumpRow<'a>,
    pub leaf: LeafRow<'a>,
}

/// A stretch of the caps.
#[derive(Debug, Clone, Copy)]
pub struct CapRange {
    pub start: u16,
    pub count: u8,
}

impl MetricRow<'_> {
    pub fn is_private(self) -> bool {
        self.flags() & METRIC_PRIVATE != 0
    }

    pub fn is_warm(self) -> bool {
        self.flags() & METRIC_WARM != 0
    }

    pub fn is_from_log(self) -> bool {
        self.flags() & METRIC_FROM_LOG != 0
    }

    /// Whether it is made of amounts.
    pub fn of_money(self) -> bool {
        self.flags() & METRIC_OF_MONEY != 0
    }
}

impl RuleRow<'_> {
    pub fn caps(self) -> CapRange {
        CapRange { start: self.caps_start(), count: self.caps_count() }
    }
}

impl GroupRow<'_> {
    pub fn caps(self) -> CapRange {
        CapRange { start: self.caps_start(), count: self.caps_count() }
    }
}

impl SlotRow<'_> {
    pub fn caps(self) -> CapRange {
        CapRange { start: self.caps_start(), count: self.caps_count() }
    }
}

impl TermsRow<'_> {
    /// Whether it says nothing: most rules have no terms.
    pub fn is_empty(self) -> bool {
        self.flags() == 0 && self.suppressions() == 0 && self.dismissals_count() == 0
    }

    pub fn has(self, flag: u8) -> bool {
        self.flags() & flag != 0
    }

    pub fn dismissals(self) -> CapRange {
        CapRange { start: self.dismissals_start(), count: self.dismissals_count() }
    }
}

impl FactRow<'_> {
    /// The second of two facts.
    pub fn second(self) -> u16 {
        u16::try_from(self.name()).unwrap_or(u16::MAX)
    }

    /// Where the condition on an item begins, and where its opposite does.
    pub fn of_item(self) -> [u16; 2] {
        let [a, b, c, d] = self.texts().to_le_bytes();
        [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
    }

    pub fn default(self) -> Option<i64> {
        self.has_default().then_some(self.default_value())
    }
}

impl Op<'_> {
    /// The fact that is tested.
    pub fn fact(self) -> u16 {
        self.leaf.fact()
    }

    /// Where to go from `at`.
    #[inline]
    pub fn next(self, at: u16, passes: bool) -> u16 {
        self.jumps.next(at, passes)
    }
}

impl JumpRow<'_> {
    /// Where to go from `at`. A jump that does not lead forward rejects, so that all code ends.
    #[inline]
    pub fn next(self, at: u16, passes: bool) -> u16 {
        let to = if passes { self.on_true() } else { self.on_false() };
        if to > at { to } else { REJECT }
    }
}
