//! The log's row, written and read with serde and postcard: the version byte, then what is said once, the row's own
//! dictionary, the batch's context, and the events.

use super::answer_encode::EncodeFault;
use super::form::{Bounds, DecisionForm, EventForm, EventSeed, MapForm, MapSeed, ROW_SIZES, SnapshotForm};
use super::log_row::{
    BLANK_VERSION, BlankRow, Cause, Emission, LogEvent, LogNote, LogRow, Reached, RowFault, RowPiece, Said,
    StoredRow, VERSION,
};
use super::names::Names;
use crate::consent::Purposes;
use crate::event::Clock;
use crate::id::{ProgramHash, Sequence, VisitorId, WriterId};
use crate::limits::LOG_ROW_BYTES_MAX;
use crate::number::Number;
use crate::tracking_plan::Trust;
use crate::value::{Map, Value};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use serde::de::{Deserialize, DeserializeSeed};
use serde::ser::Serialize;

type Deserializer<'a> = postcard::Deserializer<'a, postcard::de_flavors::Slice<'a>>;

/// What a row says once.
#[derive(serde::Serialize, serde::Deserialize)]
struct HeadForm<'a> {
    received_ms: u64,
    site: &'a str,
    source: &'a str,
    trusted: bool,
    visitor: [u8; 16],
    anonymous_id: Option<&'a str>,
    writer: u64,
    sent_at_ms: u64,
    skew_ms: i64,
    clock_is_event: bool,
    program: [u8; 16],
    publish: u64,
    consent: Vec<SnapshotForm>,
    names: Vec<&'a str>,
}

/// What a row says of an event besides the event.
#[derive(serde::Serialize, serde::Deserialize)]
struct OutcomeForm<'a> {
    message_id: Option<&'a str>,
    late: bool,
    clock_off: bool,
    usable: u16,
    #[serde(borrow)]
    decisions: Vec<DecisionForm<'a>>,
    session: u32,
}

/// A note; the fields of an emission follow it.
#[derive(serde::Serialize, serde::Deserialize)]
struct NoteForm<'a> {
    time_ms: u64,
    usable: u16,
    #[serde(borrow)]
    decisions: Vec<DecisionForm<'a>>,
    /// Rule, destination, what is entered; and whether it is left.
    #[serde(borrow)]
    emission: Option<(&'a str, &'a str, &'a str, bool)>,
}

impl LogRow {
    /// The row's bytes.
    ///
    /// # Errors
    /// [`EncodeFault`], which no row is known to meet.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeFault> {
        let names = row_names(self);
        let mut out = alloc::vec![VERSION];
        append(&mut out, &head_form(self, &names))?;
        append(&mut out, &MapForm { map: &self.context, names: Some(&names) })?;
        append(&mut out, &self.events.len())?;
        for logged in &self.events {
            let (event, sent_at_ms) = (&logged.event, self.sent_at_ms);
            append(&mut out, &EventForm { event, sent_at_ms, names: Some(&names) })?;
            append(&mut out, &outcome_form(logged))?;
        }
        // A row without notes ends here.
        let tables = (!self.lookups.is_empty()).then(|| tables_note(&self.lookups));
        for note in tables.iter().chain(&self.notes) {
            let emission = match &note.said {
                Said::Decided(_) => None,
                Said::Emitted(emission) => Some(with_cause(emission)),
                Said::Reached(reached) => Some(Cow::Owned(reached_form(reached))),
                Said::Erased => Some(Cow::Owned(erased_form())),
            };
            append(&mut out, &note_form(note, emission.as_deref()))?;
            let no_fields = Map::new();
            let fields = emission.as_ref().map_or(&no_fields, |emission| &emission.fields);
            append(&mut out, &MapForm { map: fields, names: Some(&names) })?;
        }
        Ok(out)
    }

    /// The row's bytes in as many rows, in order, as it takes for none to have more than [`LOG_ROW_BYTES_MAX`]. An event
    /// that is alone above it is written without its decisions.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn encode_bounded(self) -> Result<Vec<RowPiece>, EncodeFault> {
        let (mut done, mut left) = (Vec::new(), alloc::vec![self]);
        // Each turn ends a row or halves one: at most twice as many turns as there are events.
        while let Some(mut row) = left.pop() {
            let bytes = row.encode()?;
            let notes = row.notes.len();
            let items = row.events.len().saturating_add(notes);
            if bytes.len() <= LOG_ROW_BYTES_MAX {
                done.push(RowPiece { items, notes, bytes });
            } else if row.events.len() > 1 {
                let later = row.events.split_off(row.events.len() / 2);
                let notes = core::mem::take(&mut row.notes);
                left.push(Self { events: later, notes, ..row.clone() });
                left.push(row);
            } else if !row.notes.is_empty() && !row.events.is_empty() {
                let notes = core::mem::take(&mut row.notes);
                left.push(Self { events: Vec::new(), notes, ..row.clone() });
                left.push(row);
            } else {
                row.events.iter_mut().for_each(|logged| logged.decisions.clear());
                done.push(RowPiece { items, notes, bytes: row.encode()? });
            }
        }
        Ok(done)
    }

    /// The row that [`Self::encode`] wrote.
    ///
    /// # Errors
    /// [`RowFault`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RowFault> {
        match bytes {
            [VERSION, content @ ..] => read_row(content).ok_or(RowFault::Malformed),
            [version, ..] => Err(RowFault::Version(*version)),
            [] => Err(RowFault::Malformed),
        }
    }
}

impl StoredRow {
    /// The row of its bytes.
    ///
    /// # Errors
    /// [`RowFault`].
    pub fn decode(bytes: &[u8]) -> Result<Self, RowFault> {
        match bytes {
            [BLANK_VERSION, content @ ..] => {
                BlankRow::decode(content).map(Self::Blank).map_err(|_| RowFault::Malformed)
            }
            bytes => LogRow::decode(bytes).map(|row| Self::Whole(Box::new(row))),
        }
    }
}

fn append(out: &mut Vec<u8>, form: &impl Serialize) -> Result<(), EncodeFault> {
    *out = postcard::to_extend(form, core::mem::take(out))?;
    Ok(())
}

fn head_form<'a>(row: &'a LogRow, names: &'a Names) -> HeadForm<'a> {
    HeadForm {
        received_ms: row.received_ms,
        site: &row.site,
        source: &row.source,
        trusted: row.trust == Trust::Server,
        visitor: row.visitor.0,
        anonymous_id: row.anonymous_id.as_deref(),
        writer: row.writer.bits(),
        sent_at_ms: row.sent_at_ms,
        skew_ms: row.skew_ms,
        clock_is_event: row.clock == Clock::Event,
        program: row.program.0,
        publish: row.publish,
        consent: row.consent.iter().map(SnapshotForm::from).collect(),
        names: names.iter().collect(),
    }
}

fn outcome_form(logged: &LogEvent) -> OutcomeForm<'_> {
    OutcomeForm {
        message_id: logged.message_id.as_deref(),
        late: logged.late,
        clock_off: logged.clock_off,
        usable: logged.usable.0,
        decisions: logged.decisions.iter().map(DecisionForm::from).collect(),
        session: logged.session,
    }
}

fn note_form<'a>(note: &'a LogNote, emission: Option<&'a Emission>) -> NoteForm<'a> {
    let decisions = if let Said::Decided(decisions) = &note.said { decisions.as_slice() } else { &[] };
    NoteForm {
        time_ms: note.time_ms,
        usable: note.usable.0,
        decisions: decisions.iter().map(DecisionForm::from).collect(),
        emission: emission.map(|told| (&*told.rule, &*told.to, &*told.enter, told.is_exit)),
    }
}

/// What stands in the place of a destination in a note of no rule: what else it says.
const GOAL: &str = "goal";
const LOOKUPS: &str = "lookups";
const ERASED: &str = "erased";
/// The fields of a goal's note.
const EVENT: &str = "event";
const TIME_MS: &str = "time_ms";
const VALUE: &str = "value";
/// The event that a message follows from stands among the fields of the message, under names that no rule can give one.
const CAUSE_EVENT: &str = "\u{1}event";
const CAUSE_TIME_MS: &str = "\u{1}time_ms";

/// A goal that was reached stands in a row as an emission of no rule.
fn reached_form(reached: &Reached) -> Emission {
    let mut fields = Map::new();
    fields.set(EVENT, Value::Number(Number::Int(reached.event.get().into())));
    fields.set(TIME_MS, number(reached.event_time_ms));
    if let Some(value) = reached.value {
        fields.set(VALUE, Value::Number(value));
    }
    let enter = reached.goal.clone();
    Emission { rule: "".into(), to: GOAL.into(), enter, is_exit: false, fields, cause: None }
}

/// So does an erasure.
fn erased_form() -> Emission {
    let fields = Map::new();
    Emission { rule: "".into(), to: ERASED.into(), enter: "".into(), is_exit: false, fields, cause: None }
}

/// So do the versions of pushed tables, before all notes.
fn tables_note(lookups: &[(String, u64)]) -> LogNote {
    let fields = lookups.iter().map(|(name, version)| (name.clone(), number(*version))).collect();
    let (to, enter) = (LOOKUPS.into(), "".into());
    let said = Emission { rule: "".into(), to, enter, is_exit: false, fields, cause: None };
    LogNote { time_ms: 0, usable: Purposes::NONE, said: Said::Emitted(said) }
}

/// A message as it stands in a row: what it follows from is among its fields.
fn with_cause(emission: &Emission) -> Cow<'_, Emission> {
    let Some(cause) = emission.cause else { return Cow::Borrowed(emission) };
    let mut whole = emission.clone();
    whole.fields.set(CAUSE_EVENT, number(cause.event.get().into()));
    whole.fields.set(CAUSE_TIME_MS, number(cause.event_time_ms));
    Cow::Owned(whole)
}

/// Takes what a message follows from out of its fields.
fn take_cause(fields: &mut Map) -> Option<Cause> {
    let event = whole(fields.get(CAUSE_EVENT)).and_then(|event| u32::try_from(event).ok());
    let event_time_ms = whole(fields.get(CAUSE_TIME_MS)).map(i64::unsigned_abs);
    let (event, event_time_ms) = (event.and_then(Sequence::new)?, event_time_ms?);
    let rest = fields.iter().filter(|(name, _)| *name != CAUSE_EVENT && *name != CAUSE_TIME_MS);
    *fields = rest.map(|(name, value)| (name.into(), value.clone())).collect();
    Some(Cause { event, event_time_ms })
}

fn number(number: u64) -> Value {
    Value::Number(Number::Int(i64::try_from(number).unwrap_or(i64::MAX)))
}

fn whole(value: Option<&Value>) -> Option<i64> {
    match value {
        Some(Value::Number(Number::Int(number))) => Some(*number),
        _ => None,
    }
}

/// What an emission of no rule says.
fn said_of(emission: Emission) -> Option<Said> {
    match emission.to.as_str() {
        GOAL | ERASED if !emission.rule.is_empty() => return Some(Said::Emitted(emission)),
        GOAL => {}
        ERASED => return Some(Said::Erased),
        _ => return Some(Said::Emitted(emission)),
    }
    let event = u32::try_from(whole(emission.fields.get(EVENT))?).ok()?;
    let event_time_ms = whole(emission.fields.get(TIME_MS))?.unsigned_abs();
    let value = match emission.fields.get(VALUE) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    };
    let event = Sequence::new(event)?;
    Some(Said::Reached(Reached { goal: emission.enter, event, event_time_ms, value }))
}

/// The versions that stand before the notes, taken out of them.
fn take_tables(notes: &mut Vec<LogNote>) -> Vec<(String, u64)> {
    let fields = match notes.first().map(|note| &note.said) {
        Some(Said::Emitted(first)) if first.rule.is_empty() && first.to == LOOKUPS => first.fields.clone(),
        _ => return Vec::new(),
    };
    notes.remove(0);
    let version = |value: &Value| whole(Some(value)).map_or(0, i64::unsigned_abs);
    fields.iter().map(|(name, value)| (name.into(), version(value))).collect()
}

fn read_note(input: &mut Deserializer<'_>, bounds: &Bounds<'_>) -> Option<LogNote> {
    let form = NoteForm::deserialize(&mut *input).ok()?;
    let fields = MapSeed::context(bounds).deserialize(&mut *input).ok()?;
    let said = match form.emission {
        None => Said::Decided(form.decisions.iter().map(DecisionForm::read).collect::<Option<_>>()?),
        Some((rule, to, enter, is_exit)) => {
            let mut fields = fields;
            let cause = take_cause(&mut fields);
            let (rule, to, enter) = (rule.into(), to.into(), enter.into());
            said_of(Emission { rule, to, enter, is_exit, fields, cause })?
        }
    };
    Some(LogNote { time_ms: form.time_ms, usable: Purposes(form.usable), said })
}

/// Every name that the row's maps and events use.
fn row_names(row: &LogRow) -> Names {
    let mut names = Vec::new();
    collect_names(&row.context, &mut names);
    for logged in &row.events {
        names.push(logged.event.name.as_str());
        collect_names(&logged.event.properties, &mut names);
        collect_names(&logged.event.context, &mut names);
    }
    names.extend(row.lookups.iter().map(|(name, _)| name.as_str()));
    for note in &row.notes {
        match &note.said {
            Said::Emitted(emission) => {
                collect_names(&emission.fields, &mut names);
                if emission.cause.is_some() {
                    names.extend([CAUSE_EVENT, CAUSE_TIME_MS]);
                }
            }
            Said::Reached(_) => names.extend([EVENT, TIME_MS, VALUE]),
            Said::Decided(_) | Said::Erased => {}
        }
    }
    Names::new(&names)
}

fn collect_names<'a>(map: &'a Map, names: &mut Vec<&'a str>) {
    for (name, value) in map.iter() {
        names.push(name);
        collect_names_of_value(value, names);
    }
}

fn collect_names_of_value<'a>(value: &'a Value, names: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => collect_names(map, names),
        Value::List(list) => list.iter().for_each(|item| collect_names_of_value(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => {}
    }
}

fn read_row(content: &[u8]) -> Option<LogRow> {
    let mut input = Deserializer::from_bytes(content);
    let head = HeadForm::deserialize(&mut input).ok()?;
    let names = Names::new(&head.names);
    let bounds = Bounds::new(Some(&names), ROW_SIZES);
    let context = MapSeed::context(&bounds).deserialize(&mut input).ok()?;
    let count = usize::deserialize(&mut input).ok()?;
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(read_log_event(&mut input, &bounds, head.sent_at_ms)?);
    }
    let mut notes = read_notes(input.finalize().ok()?, &bounds)?;
    let lookups = take_tables(&mut notes);
    Some(LogRow { lookups, notes, ..row(&head, context, events)? })
}

/// Notes follow to the end.
fn read_notes(mut rest: &[u8], bounds: &Bounds<'_>) -> Option<Vec<LogNote>> {
    let mut notes = Vec::new();
    while !rest.is_empty() {
        let mut input = Deserializer::from_bytes(rest);
        notes.push(read_note(&mut input, bounds)?);
        rest = input.finalize().ok()?;
    }
    Some(notes)
}

fn read_log_event(input: &mut Deserializer<'_>, bounds: &Bounds<'_>, sent_at_ms: u64) -> Option<LogEvent> {
    let event = EventSeed { bounds, sent_at_ms }.deserialize(&mut *input).ok()?;
    let outcome = OutcomeForm::deserialize(&mut *input).ok()?;
    Some(LogEvent {
        event,
        message_id: outcome.message_id.map(Into::into),
        late: outcome.late,
        clock_off: outcome.clock_off,
        usable: Purposes(outcome.usable),
        decisions: outcome.decisions.iter().map(DecisionForm::read).collect::<Option<_>>()?,
        session: outcome.session,
    })
}

fn row(head: &HeadForm<'_>, context: Map, events: Vec<LogEvent>) -> Option<LogRow> {
    Some(LogRow {
        received_ms: head.received_ms,
        site: head.site.into(),
        source: head.source.into(),
        trust: if head.trusted { Trust::Server } else { Trust::Client },
        visitor: VisitorId(head.visitor),
        anonymous_id: head.anonymous_id.map(Into::into),
        writer: WriterId::from_bits(head.writer),
        sent_at_ms: head.sent_at_ms,
        skew_ms: head.skew_ms,
        clock: if head.clock_is_event { Clock::Event } else { Clock::Received },
        program: ProgramHash(head.program),
        publish: head.publish,
        consent: head.consent.iter().map(SnapshotForm::read).collect::<Option<_>>()?,
        context,
        events,
        lookups: Vec::new(),
        notes: Vec::new(),
    })
}
