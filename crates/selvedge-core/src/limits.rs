//! Every bound of the system in one place. Derived bounds are computed, never repeated.

/// Bytes of one batch as it travels, before and after inflation alike.
pub const BATCH_BYTES_MAX: usize = 512 * 1024;
/// Events of one batch.
pub const BATCH_EVENTS_MAX: usize = 500;
/// Bytes of one encoded event.
pub const EVENT_BYTES_MAX: usize = 32 * 1024;
/// Properties of one event, and entries of one nested object.
pub const PROPERTIES_MAX: usize = 128;
/// Nesting of a property value: the value itself is depth 1.
pub const VALUE_DEPTH_MAX: usize = 8;
/// Values in one property tree, all levels together.
pub const VALUE_NODES_MAX: usize = 1_024;
/// Bytes of an event's name.
pub const EVENT_NAME_BYTES_MAX: usize = 128;
/// Bytes of a property's name.
pub const PROPERTY_NAME_BYTES_MAX: usize = 128;
/// Bytes of one text value.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a write key.
pub const WRITE_KEY_BYTES_MAX: usize = 128;
/// Consent snapshots in one batch.
pub const CONSENT_SNAPSHOTS_MAX: usize = 16;
/// Entries of a context (batch or event).
pub const CONTEXT_ENTRIES_MAX: usize = 32;
/// Fields of one JSON object that is read for its fields.
pub const OBJECT_FIELDS_MAX: usize = 64;
/// Lease reports of one batch.
pub const LEASE_REPORTS_MAX: usize = 64;

/// Bytes the page may hold in its queue, in memory and on the device.
pub const QUEUE_BYTES_MAX: usize = 256 * 1024;
/// Events the page holds in memory before the visitor has answered the consent question.
pub const HELD_EVENTS_MAX: usize = 256;
/// Events after which a page sends at once.
pub const FLUSH_EVENTS: usize = 20;
/// Milliseconds after which a page sends what it has.
pub const FLUSH_MS: u64 = 30_000;
/// Bytes that keepalive requests and beacons of one page may have in flight together (the browsers' bound).
pub const KEEPALIVE_BYTES_MAX: usize = 60 * 1024;
/// First and largest retry delay of the page.
pub const RETRY_MS_MIN: u64 = 1_000;
/// Largest retry delay of the page.
pub const RETRY_MS_MAX: u64 = 300_000;

/// Idle time that ends a session.
pub const SESSION_IDLE_MS: i64 = 30 * 60 * 1_000;
/// Longest session.
pub const SESSION_MS_MAX: i64 = 24 * 60 * 60 * 1_000;
/// How far before receipt an event's time may lie before the rules clamp it.
pub const CLAMP_PAST_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far after receipt an event's time may lie before the rules clamp it.
pub const CLAMP_FUTURE_MS: i64 = 2_000;

/// How long rows of the log stay that every destination holds, where the site does not say.
pub const LOG_KEEP_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// How long refused events stay in the quarantine, where the site does not say.
pub const QUARANTINE_KEEP_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// How far a writer's clock may differ from the rules' time before the event is flagged.
pub const CLOCK_OFF_MS: i64 = 60 * 60 * 1_000;

/// Writers a visitor's dedup window holds at most; the oldest boot is evicted and leaves a watermark, which tells writers apart
/// by the minute: all that begin within one minute have to have room.
pub const WRITERS_MAX: usize = 512;
/// Writers that stay however long ago they booted.
pub const WRITERS_KEPT: usize = 16;
/// How long before the newest boot the others may lie.
pub const WRITERS_KEPT_MINUTES: u64 = 60;
/// Sequences above a writer's gapless mark that are told apart one by one.
pub const DEDUP_WINDOW: u32 = 1_024;
/// Ids of other SDKs' events that a visitor's dedup window holds; the oldest is evicted and leaves a watermark.
pub const FOREIGN_EVENTS_MAX: usize = 1_024;
/// How long the ids of other SDKs' events are told apart, by the events' times.
pub const FOREIGN_WINDOW_MS: u64 = 24 * 60 * 60 * 1_000;
/// Bytes of an id that another SDK gave a visitor or an event.
pub const FOREIGN_ID_BYTES_MAX: usize = 256;
/// Open page views a visitor's state holds (one per writer, newest kept).
pub const PAGES_MAX: usize = 4;
/// Bytes of a text that is kept in state; longer text is cut at a character border.
pub const STATE_TEXT_BYTES_MAX: usize = 64;
/// Different values that are counted exactly.
pub const DISTINCT_MAX: usize = 256;
/// Events of which the values are kept, to count those of one value.
pub const VALUES_MAX: usize = 64;
/// Tables that values are looked up in.
pub const LOOKUPS_MAX: usize = 64;
/// Columns of such a table.
pub const LOOKUP_COLUMNS_MAX: usize = 32;
/// Rows of such a table.
pub const LOOKUP_ROWS_MAX: u32 = 20_000;
/// Tables of a site whose rows are pushed.
pub const PUSHED_TABLES_MAX: usize = 16;
/// Bytes of one push of rows.
pub const PUSH_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Goals of a site.
pub const GOALS_MAX: usize = 64;
/// Events that change the cart.
pub const CART_EVENTS_MAX: usize = 16;
/// Lines of a cart.
pub const CART_LINES_MAX: usize = 16;
/// Values that a list attribute keeps.
pub const LIST_ITEMS_MAX: usize = 8;
/// Bytes of all values together that a list attribute keeps.
pub const LIST_BYTES_MAX: usize = 256;
/// Items of an event's list that a condition looks at.
pub const ITEMS_MAX: usize = 64;
/// Bytes of a visitor's state as stored.
pub const STATE_BYTES_MAX: usize = 4_096;
/// Bytes of a visitor's cap history, beside [`STATE_BYTES_MAX`].
pub const CAP_BYTES_MAX: usize = 16 * 1_024;
/// Bytes of one stored row of the log. SQLite objects take 2 MB a value; a request that logs more writes several rows.
pub const LOG_ROW_BYTES_MAX: usize = 1_500_000;
/// How long a grant may be used after it was leased.
pub const LEASE_MS: i64 = 24 * 60 * 60 * 1_000;
/// How far apart two tabs of one device may measure the edge's clock: so long behind a lease's end another may still use it.
pub const CLOCKS_APART_MS: i64 = 60_000;
/// How long behind its beginning a lease is extended at most, however often its device comes: what that used of it and could not tell
/// of is known only once the lease is over.
pub const LEASE_EXTENDED_MS: i64 = 7 * LEASE_MS;
/// Grants that answers to hands without a rule engine hold of one visitor, at most.
pub const PROMISES_MAX: usize = 16;
/// How long what such an answer promised may be seen: half of the time for which its grant is kept, so that an exposure has the
/// other half to arrive.
pub const PROMISE_SEEN_MS: i64 = LEASE_MS / 2;

/// Bytes of a program.
pub const PROGRAM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rules of a program.
pub const RULES_MAX: usize = 10_000;
/// Slots of a program.
pub const SLOTS_MAX: usize = 256;
/// Instructions of a program.
pub const INSTRUCTIONS_MAX: usize = 60_000;
/// Facts of a program.
pub const FACTS_MAX: usize = INSTRUCTIONS_MAX;
/// Texts that one fact or property tells apart.
pub const TEXTS_MAX: usize = 4_096;
/// Words of one wide mask.
pub const MASK_WORDS_MAX: usize = (TEXTS_MAX + 2).div_ceil(64);
/// Bytes of a file's name in a site's folder.
pub const FILE_NAME_BYTES_MAX: usize = 256;
/// Attributes of a program.
pub const ATTRIBUTES_MAX: usize = 1_000;
/// Metrics of a program.
pub const METRICS_MAX: usize = 1_000;
/// Changes of the offset of a site's time zone.
pub const ZONE_OFFSETS_MAX: usize = 128;
/// Time zones that schedules name besides the site's.
pub const ZONES_MAX: usize = 16;
/// Panes of a sliding window: what is kept of it is as fine as that.
pub const PANES_MAX: usize = 12;
/// Sequences and absences of a program.
pub const SEQUENCES_MAX: usize = 1_000;
/// Events of a sequence that follow each other.
pub const SEQUENCE_STEPS_MAX: usize = 4;
/// How far back an event still finds its place in a sequence.
pub const SEQUENCE_REORDER_MS: i64 = 2_000;
/// Events of a sequence within [`SEQUENCE_REORDER_MS`] that wait for one from before them.
pub const SEQUENCE_PENDING_MAX: usize = 8;
/// Facts that go with a message.
pub const EMIT_FIELDS_MAX: usize = 32;
/// Events that one rule is triggered by.
pub const TRIGGERS_MAX: usize = 16;
/// Deadlines that are made up for before one event.
pub const WAKES_MAX: usize = 16;
/// Moments that are looked at to find the next one at which time alone changes what is decided.
pub const TURNS_MAX: usize = 24;
/// How long after a visitor's last event the clock's hours and days of the week still wake up: for what is shown.
pub const CLOCK_SHOWN_MS: i64 = 24 * 60 * 60 * 1_000;
/// The same, for what destinations are told: a week, and the day on which the clocks change.
pub const CLOCK_TOLD_MS: i64 = 8 * 24 * 60 * 60 * 1_000;
/// What may add to one score.
pub const SCORE_POINTS_MAX: usize = 64;
/// The largest score either way, in millionths.
pub const SCORE_MICRO_MAX: i64 = 1_000_000_000_000;
/// Exclusion groups of a program.
pub const GROUPS_MAX: usize = 256;
/// Caps of one rule or group.
pub const CAPS_MAX: usize = 4;
/// Suppressions of a program.
pub const SUPPRESSIONS_MAX: usize = 32;
/// Experiments and holdouts of a program.
pub const EXPERIMENTS_MAX: usize = 256;
/// Variants of one experiment.
pub const VARIANTS_MAX: usize = 16;
/// Buckets that units of an experiment fall into.
pub const BUCKETS: u16 = 10_000;
/// Contents of a program.
pub const CONTENTS_MAX: usize = 10_000;
/// Fields of one content.
pub const CONTENT_FIELDS_MAX: usize = 32;
/// Languages of one content, the default among them.
pub const LOCALES_MAX: usize = 64;
/// Pieces of one field of a content: texts and placeholders.
pub const PIECES_MAX: usize = 64;
/// Different values that one content's placeholders read.
pub const CONTENT_VALUES_MAX: usize = 8;
/// Steps of one placeholder's computation.
pub const STEPS_MAX: usize = 16;
/// Words that a value of a content is one of: the months.
pub const WORDS_MAX: usize = 12;
/// Events of a tracking plan.
pub const PLAN_EVENTS_MAX: usize = 2_000;
/// Sources, origins or consent regions of a site.
pub const SITE_ENTRIES_MAX: usize = 256;
/// How long an identity lives that nobody was asked for (13 months, as the CNIL allows; the shortest that 13 months can be).
pub const EXEMPT_VISITOR_MS_MAX: u64 = 393 * 24 * 3_600_000;
/// Bytes that a page's config says of sources of consent.
pub const CONSENT_SOURCES_BYTES_MAX: usize = 8 * 1024;
/// Destinations of a site.
pub const DESTINATIONS_MAX: usize = 32;
/// Entries of each list of a destination: what it removes, renames, says in headers; its brokers.
pub const DESTINATION_ENTRIES_MAX: usize = 64;
/// How long a record waits for a destination at most where the site does not say.
pub const DESTINATION_AGE_MS: u64 = 3 * 24 * 60 * 60 * 1_000;
/// How many bytes wait for a destination at most, in each shard, where the site does not say.
pub const DESTINATION_BYTES: u64 = 64_000_000;
/// How many bytes a site may let wait for a destination, in each shard.
pub const DESTINATION_BYTES_MAX: u64 = 4_000_000_000;
/// Longest sliding window, in milliseconds: 366 days.
pub const WINDOW_MS_MAX: u64 = 366 * 24 * 60 * 60 * 1_000;
/// Timestamps one windowed count keeps: also the largest threshold of such a count.
pub const COUNT_THRESHOLD_MAX: usize = 64;
/// Bytes of one condition's source.
pub const CONDITION_BYTES_MAX: usize = 4 * 1024;
/// Nesting of one condition.
pub const CONDITION_DEPTH_MAX: usize = 32;

/// Items that wait for their visitors' answers, for one destination in one shard; the oldest are given up.
pub const HELD_ITEMS_MAX: u32 = 10_000;
/// Items of one send to a destination.
pub const DELIVERY_ITEMS_MAX: usize = 500;
/// Bytes of records after which no more items go into one send.
pub const DELIVERY_BYTES_MAX: usize = 512 * 1024;
/// Records of one item: the event, its exposures, a decision a slot.
pub const ITEM_RECORDS_MAX: usize = 1_024;
/// Longest wait between two sends to a destination, where it does not ask for more.
pub const DELIVERY_RETRY_MS_MAX: u64 = 300_000;
/// Longest wait that a destination may ask for.
pub const RETRY_AFTER_MS_MAX: u64 = 60 * 60 * 1_000;
/// Items that a destination may refuse in a row, before it is paused: then it is not the events that are wrong.
pub const REFUSED_IN_A_ROW_MAX: u32 = 50;
