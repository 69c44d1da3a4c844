//! Where things stand in a program's bytes. All numbers of records are little-endian.

/// What every program begins with: magic and version.
pub(super) const MAGIC: &[u8; 4] = b"SVP\x01";

/// The sections, by tag. Postcard: the tracking plan, the contents, what only the edge knows, and what follows
/// the numbers in the site. All others are tables.
pub(super) mod tag {
    /// `late_ms` (4 bytes) and the purposes of page views (2 bytes), then name and currency.
    pub const SITE: u8 = 1;
    pub const PLAN: u8 = 2;
    /// Texts that tables refer to by offset: length (2 bytes), then UTF-8.
    pub const TEXTS: u8 = 3;
    /// Offsets of texts (4 bytes); a fact refers to a stretch of them.
    pub const LISTS: u8 = 4;
    pub const ATTRIBUTES: u8 = 5;
    pub const SETS: u8 = 6;
    pub const FACTS: u8 = 7;
    pub const METRICS: u8 = 8;
    /// A test (a place in [`LEAVES`]) and two jumps.
    pub const CODE: u8 = 9;
    /// First word and count of words.
    pub const MASKS: u8 = 10;
    pub const WORDS: u8 = 11;
    pub const RULES: u8 = 12;
    pub const CAPS: u8 = 13;
    pub const SLOTS: u8 = 14;
    pub const GROUPS: u8 = 15;
    pub const CONTENTS: u8 = 16;
    /// Offsets (4 bytes) into the contents.
    pub const CONTENT_PLACES: u8 = 17;
    /// The names of all cells (8 bytes), sorted.
    pub const CELLS: u8 = 18;
    pub const EDGE: u8 = 19;
    /// The site's time zone: from which minute (4 bytes) on how many minutes (2 bytes, signed) are added to UTC.
    pub const ZONE: u8 = 20;
    /// Sequences, and the events of all of them.
    pub const SEQUENCES: u8 = 36;
    pub const SEQUENCE_STEPS: u8 = 37;
    /// When rules are considered, of those that are not at every event; and the events that trigger them.
    pub const TIMERS: u8 = 38;
    pub const TRIGGERS: u8 = 39;
    pub const SCORES: u8 = 21;
    /// What adds to scores.
    pub const POINTS: u8 = 22;
    /// Events of the cart.
    pub const CART: u8 = 24;
    /// Tables that values are looked up in.
    pub const LOOKUPS: u8 = 25;
    /// The keys of their rows: offsets of texts (4 bytes).
    pub const LOOKUP_KEYS: u8 = 26;
    /// Their cells (8 bytes), row by row: numbers, offsets of texts, or [`super::NO_CELL`].
    pub const LOOKUP_CELLS: u8 = 27;
    pub const SUPPRESSIONS: u8 = 28;
    pub const EXPERIMENTS: u8 = 29;
    pub const VARIANTS: u8 = 30;
    /// The terms of the rule at the same place; shorter than the rules where those behind have none.
    pub const TERMS: u8 = 31;
    /// What a rule shows in each variant of its experiment (4 bytes each).
    pub const TRIALS: u8 = 32;
    /// One record, as of a group: the caps of all rules together.
    pub const SITE_CAPS: u8 = 33;
    /// What rules tell destinations, and what goes with it.
    pub const EMITS: u8 = 40;
    pub const EMIT_FIELDS: u8 = 41;
    /// What placeholders read: facts, as [`FACTS`] has them.
    pub const VALUES: u8 = 42;
    pub const TEMPLATES: u8 = 43;
    /// Time zones that schedules name, one behind the other, as [`ZONE`]; each begins with minute 0.
    pub const ZONES: u8 = 44;
    /// Tests of conditions whose outcome time alone may change, as [`LEAVES`] has them.
    pub const WATCHED: u8 = 45;
    /// Places of the code (4 bytes) whose tests are behind `is true` and the like, sorted.
    pub const SETTLED: u8 = 46;
    /// The rules (4 bytes) that such tests belong to, ascending.
    pub const WATCHING: u8 = 47;
    /// Where records go. Postcard; only in the full program.
    pub const DESTINATIONS: u8 = 54;
    /// What code tests, each test once, in the order of facts.
    pub const LEAVES: u8 = 58;
    /// Postcard: goals, and what experiments are judged by.
    pub const JUDGED: u8 = 48;
    /// Postcard: tables whose rows are pushed.
    pub const PUSHED: u8 = 49;
    /// Postcard: what pages capture by themselves.
    pub const CAPTURE: u8 = 60;
    /// UTF-8: which sources of consent a page reads, and how, as its config says it (JSON). Only in the full program.
    pub const CONSENT_SOURCES: u8 = 62;
    /// Postcard: where a visitor's id stands besides the page's own storage. Only in the full program.
    pub const IDENTITY: u8 = 66;
    /// UTF-8: the site's currency, where something is made of amounts of events.
    pub const CURRENCY: u8 = 70;
    /// Postcard: where rates of other currencies stand. Only in the full program.
    pub const RATES: u8 = 71;
    /// One more than the last.
    pub const END: usize = 72;
}

/// Bytes of a record. There are two widths, and what is left over is zeros: one piece of code reads all tables of a width.
pub(super) mod size {
    /// What stands before the texts of the site.
    pub const SITE: usize = 6;
    pub const PLACE: usize = 4;
    pub const OFFSET: usize = 8;
    pub const NARROW: usize = 24;
    pub const WIDE: usize = 40;
}

/// A cell of a table in which there is nothing.
pub(crate) const NO_CELL: i64 = i64::MIN;

/// An optional index that is none.
pub(crate) const NONE: u16 = u16::MAX;
/// The place of a text that is none.
pub(crate) const NO_TEXT: u32 = u32::MAX;

/// What a number in a record means.
pub(crate) mod kind {
    pub const STATUS_LIVE: u8 = 0;
    pub const STATUS_DRAFT: u8 = 1;

    pub const SCOPE_SESSION: u8 = 0;
    pub const SCOPE_VISITOR: u8 = 1;
    pub const SCOPE_CONTEXT: u8 = 2;
    pub const SCOPE_PROFILE: u8 = 3;
    pub const SCOPE_ACCOUNT: u8 = 4;

    // Of a metric.
    pub const OF_SESSION: u8 = 0;
    pub const OF_ACCOUNT: u8 = 3;

    pub const CART_ADDS: u8 = 0;
    pub const CART_EMPTIES: u8 = 2;

    pub const TYPE_TEXT: u8 = 0;
    pub const TYPE_NUMBER: u8 = 1;
    pub const TYPE_BOOL: u8 = 2;
    pub const TYPE_TIME: u8 = 3;
    pub const TYPE_LIST: u8 = 4;

    pub const STALE_MISSING: u8 = 1;

    pub const WINDOW_PAGE: u8 = 0;
    pub const WINDOW_SESSION: u8 = 1;
    pub const WINDOW_SLIDING: u8 = 2;
    pub const WINDOW_TODAY: u8 = 3;
    pub const WINDOW_WEEK: u8 = 4;
    pub const WINDOW_MONTH: u8 = 5;
    pub const WINDOW_EVER: u8 = 6;

    // Numbers of the metric kinds.
    pub const METRIC_COUNT: u8 = 0;
    pub const METRIC_TALLY: u8 = 1;
    pub const METRIC_SUM: u8 = 2;
    pub const METRIC_MIN: u8 = 3;
    pub const METRIC_MAX: u8 = 4;
    pub const METRIC_AVERAGE: u8 = 5;
    pub const METRIC_DISTINCT: u8 = 10;
    pub const METRIC_FIRST: u8 = 11;
    pub const METRIC_PREVIOUS: u8 = 13;
    pub const METRIC_SINCE: u8 = 14;
    pub const METRIC_MOST_FREQUENT: u8 = 15;
    pub const METRIC_TOP: u8 = 16;
    pub const METRIC_SAME: u8 = 17;
    pub const METRIC_SCORE: u8 = 6;

    pub const SHAPE_NUMBER: u8 = 0;
    pub const SHAPE_ONE_OF: u8 = 1;
    /// The text tests follow, in their order.
    pub const SHAPE_TEXT: u8 = 2;
    pub const SHAPE_CONTAINS: u8 = SHAPE_TEXT;
    pub const SHAPE_STARTS_WITH: u8 = SHAPE_TEXT + 1;
    pub const SHAPE_ENDS_WITH: u8 = SHAPE_TEXT + 2;
    pub const SHAPE_TIME: u8 = 8;

    pub const SOURCE_BUILTIN: u8 = 0;
    pub const SOURCE_ATTRIBUTE: u8 = 1;
    pub const SOURCE_METRIC: u8 = 2;
    pub const SOURCE_PROPERTY: u8 = 3;
    pub const SOURCE_SEQUENCE: u8 = 32;
    pub const SOURCE_CLOCK: u8 = 40;

    pub const ONCE_PER_SESSION: u8 = 1;
    pub const ONCE_PER_TIME: u8 = 2;
    pub const ONCE_PER_VISITOR: u8 = 3;

    pub const SEQUENCE_THEN: u8 = 0;
    pub const SEQUENCE_THEN_NO: u8 = 1;
    pub const SEQUENCE_ABSENCE: u8 = 2;
    pub const SOURCE_DIFFERENCE: u8 = 12;
    pub const SOURCE_SAME_TEXT: u8 = 13;
    pub const SOURCE_ANY_ITEM: u8 = 14;
    pub const SOURCE_ITEM: u8 = 15;
    pub const SOURCE_TRUST: u8 = 16;
    pub const SOURCE_SAME_COUNT: u8 = 17;
    pub const SOURCE_LOOKUP: u8 = 18;
    pub const SOURCE_AMOUNT: u8 = 19;
    pub const SOURCE_OWN_CURRENCY: u8 = 20;

    /// Of a difference: the first, or the second, is a whole count.
    pub const FIRST_IS_COUNT: u16 = 1;
    pub const SECOND_IS_COUNT: u16 = 2;

    pub const SET_TEXT: u8 = 0;
    pub const SET_NUMBER: u8 = 1;
    pub const SET_BOOL: u8 = 2;
    pub const SET_PROPERTY: u8 = 3;
    pub const SET_AMOUNT: u8 = 4;

    pub const TEST_RANGE: u8 = 0;
    pub const TEST_MASK: u8 = 1;
    pub const TEST_MASK_WIDE: u8 = 2;
    pub const TEST_MISSING: u8 = 3;

    pub const UNIT_VISITOR: u8 = 0;

    /// Of the flags of a rule's terms.
    pub const TERM_SERVICE: u8 = 1;
    pub const TERM_HOLDOUT: u8 = 2;
    pub const TERM_TRIAL: u8 = 4;
    pub const TERM_UNTIL: u8 = 8;
    pub const TERM_PER_VALUE: u8 = 16;
    pub const TERM_SCHEDULE: u8 = 32;

    pub const HOLD_PAGE: u8 = 0;
    pub const HOLD_SESSION: u8 = 1;
    pub const HOLD_TIME: u8 = 2;
}
