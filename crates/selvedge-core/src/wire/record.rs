//! What a record of the stream says, field by field: one table that filters are checked by, that schemas and docs are
//! generated from, and that the records made at the edge are held to in tests. Fields are only added to a version.

use super::program::{RecordKind, Records};
use crate::event::EventType;
use alloc::format;
use alloc::string::String;

/// The version of all record schemas.
pub const VERSION: u8 = 1;

/// The `type` of a record, as `CloudEvents` and the schemas name it: `selvedge.event.v1`.
#[must_use]
pub fn type_of(kind: RecordKind) -> String {
    format!("selvedge.{}.v{VERSION}", kind.as_str())
}

/// A field of records.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name: the first part of a path.
    pub name: &'static str,
    /// The kinds of records that have it, always or sometimes.
    pub kinds: Records,
    /// Whether each record of these kinds has it.
    pub is_required: bool,
    /// What it holds.
    pub holds: Holds,
    /// What it means, in a line.
    pub doc: &'static str,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The record's type: [`type_of`].
    Type,
    /// Text.
    Text,
    /// Text: one of these.
    Word(&'static [&'static str]),
    /// Text: a type of event.
    EventType,
    /// Text: a moment of RFC 3339, in UTC.
    Time,
    /// A whole number.
    Whole,
    /// A number, exactly as it was sent.
    Number,
    /// Yes or no.
    Flag,
    /// A list of texts.
    Texts,
    /// An object of facts of the moment, named as in rules.
    Context,
    /// An object of the event's properties.
    Properties,
    /// An object of what a rule sends along.
    Told,
}

impl Field {
    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// Whether what it says is what a record is: it cannot be removed or renamed.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        matches!(self.name, "record" | "id" | "site" | "visitor" | "time" | "time_ms")
    }
}

/// The words of an event's type.
#[must_use]
pub fn event_types() -> [&'static str; 6] {
    EventType::ALL.map(EventType::as_str)
}

const EVENT: u8 = 1 << RecordKind::Event as u8;
const DECISION: u8 = 1 << RecordKind::Decision as u8;
const EXPOSURE: u8 = 1 << RecordKind::Exposure as u8;
const GOAL: u8 = 1 << RecordKind::Goal as u8;
const EMIT: u8 = 1 << RecordKind::Emit as u8;
const SENT: u8 = EVENT | EXPOSURE;
const ERASE: u8 = 1 << RecordKind::Erase as u8;
const ALL: u8 = Records::ALL.0 | ERASE;

const fn always(name: &'static str, kinds: u8, holds: Holds, doc: &'static str) -> Field {
    Field { name, kinds: Records(kinds), is_required: true, holds, doc }
}

const fn at_times(name: &'static str, kinds: u8, holds: Holds, doc: &'static str) -> Field {
    Field { name, kinds: Records(kinds), is_required: false, holds, doc }
}

/// All fields, in the order in which docs list them.
pub const FIELDS: &[Field] = &[
    always("record", ALL, Holds::Type, "the kind of record and the version of its schema"),
    always("id", ALL, Holds::Text, "the same however often the record is sent: what to deduplicate by"),
    always("site", ALL, Holds::Text, "the site"),
    always("visitor", ALL, Holds::Text, "whose it is: 32 hexadecimal digits"),
    at_times("anonymous_id", ALL, Holds::Text, "the id that another SDK gave the visitor"),
    always("time", ALL, Holds::Time, "when it happened, by the sender's clock as sent"),
    always("time_ms", ALL, Holds::Whole, "the same in Unix milliseconds"),
    always("received_at", ALL, Holds::Time, "when the edge received it"),
    always("received_at_ms", ALL, Holds::Whole, "the same in Unix milliseconds"),
    always(
        "source",
        ALL,
        Holds::Text,
        "the source it came by; `deadline`: time alone led to it; `erasure`: an admin",
    ),
    always("trust", ALL, Holds::Word(&["client", "server"]), "what the source is trusted with"),
    always("clock", ALL, Holds::Word(&["received", "event"]), "which clock the rules used"),
    always("program", ALL, Holds::Text, "the hash of the program in force"),
    always("publish", ALL, Holds::Whole, "the number of that publish"),
    always("purposes", ALL, Holds::Texts, "what it may be used for"),
    always("consent_granted", ALL, Holds::Texts, "purposes granted at capture"),
    always("consent_denied", ALL, Holds::Texts, "purposes denied at capture"),
    always("consent_mode", ALL, Holds::Word(&["opt-in", "opt-out", "cnil"]), "what no answer meant there"),
    always("consent_gpc", ALL, Holds::Flag, "Global Privacy Control was set"),
    always("consent_policy_version", ALL, Holds::Whole, "the version of the consent policy"),
    always("consent_time_ms", ALL, Holds::Whole, "when consent was said; 0 where nobody answered"),
    always("consent_signal", ALL, Holds::Text, "who said it: names joined by `+`, such as `tcf+gpp`; `none`"),
    at_times(
        "consent_text_hash",
        ALL,
        Holds::Text,
        "names the TC or GPP string that was read: 16 hexadecimal digits",
    ),
    always("type", SENT, Holds::EventType, "the type of the event"),
    always("name", SENT | EMIT, Holds::Text, "what happened; of a message, what is entered"),
    always("slot", DECISION, Holds::Text, "the slot that was decided"),
    at_times("slot", EXPOSURE, Holds::Text, "the slot that was seen"),
    at_times("rule", DECISION | EXPOSURE, Holds::Text, "the rule that has the slot; none: the fallback"),
    always("rule", EMIT, Holds::Text, "the rule that says so"),
    at_times("content", DECISION | EXPOSURE, Holds::Text, "what it shows"),
    at_times("experiment", DECISION | EXPOSURE, Holds::Text, "the experiment that the rule belongs to"),
    at_times("variant", DECISION | EXPOSURE, Holds::Text, "the variant that the visitor is in"),
    always("reason", DECISION, Holds::Text, "why it was decided so"),
    always("reason", EXPOSURE, Holds::Word(&["shown", "control", "holdout"]), "what was really seen"),
    at_times("detail", DECISION, Holds::Text, "the test that decided, as written"),
    at_times("held_out", DECISION, Holds::Text, "the rule that the visitor is held out from"),
    at_times("decided_by", EXPOSURE, Holds::Text, "the hash of the program that decided what was seen"),
    at_times("event_id", DECISION | GOAL, Holds::Text, "the event that led to it; none: time alone"),
    at_times("event", DECISION | GOAL, Holds::Text, "the name of that event"),
    always("goal", GOAL, Holds::Text, "the goal that was reached"),
    at_times("value", GOAL, Holds::Number, "what it is worth"),
    always("message", EMIT, Holds::Word(&["enter", "exit"]), "the visitor enters, or leaves again"),
    always("destination", EMIT, Holds::Text, "who is told"),
    always("fields", EMIT, Holds::Told, "what goes with it"),
    at_times("session", SENT | DECISION, Holds::Whole, "the visitor's session, from 1, as the rules count"),
    at_times("user_id", EVENT, Holds::Text, "the user that `identify` or `alias` names"),
    always("writer", SENT, Holds::Text, "which client counted the event"),
    always("sequence", SENT, Holds::Whole, "its place in that client's gapless count"),
    at_times("message_id", SENT, Holds::Text, "the id that another SDK gave the event"),
    always("late", SENT, Holds::Flag, "it came too late for the rules"),
    always("clock_off", SENT, Holds::Flag, "its clock was so far off that the rules used another time"),
    always("context", SENT, Holds::Context, "facts of the moment, named as in rules"),
    always("properties", SENT, Holds::Properties, "the event's properties, numbers exactly as sent"),
];
