//! From an item of a row (an accepted event, or a note) to the records that one destination gets of it.

use super::fields::{self, Origin};
use super::transform::{Refusal, transform};
use crate::json::JsonMap;
use crate::log_line;
use crate::rates;
use crate::site::Site;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::id::VisitorId;
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::{bucket, passes};
use selvedge_core::tracking_plan::purposes_of;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::SlotDecision;
use selvedge_core::wire::log_row::{LogEvent, LogNote, LogRow, Reached, Said};
use selvedge_core::wire::program::{Destination, OnUnknown, RecordKind, Requires};

/// What is sent of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id, the same however often it is sent: the event's, or one made of it.
    pub id: String,
    /// What it is of.
    pub kind: RecordKind,
    /// Where it comes from: `/site/source`.
    pub source: String,
    /// Whose it is: what orders it, and picks its partition.
    pub visitor: VisitorId,
    /// When it happened: Unix milliseconds.
    pub time_ms: u64,
    /// What it may be used for, by what was in force at capture, or by the answer that it waited for.
    pub usable: Purposes,
    /// What it says: a JSON object.
    pub data: Vec<u8>,
}

/// What becomes of an item at one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Routed {
    /// These leave, in this order.
    Send(Vec<Record>),
    /// It is not for this destination: by kind, filter, sample, or because its purposes were not granted at capture.
    Filtered,
    /// It was for this destination, and the visitor has taken that back.
    Purged,
    /// The visitor has not answered yet, and the destination waits for that.
    Held,
    /// It cannot be made as the destination wants it: to quarantine.
    Refused(Refusal),
}

/// What the destination gets of the item at place `at` of a row, of a visitor whose consent is `now` this. The same
/// arguments give the same bytes.
#[must_use]
pub fn route(site: &Site, destination: &Destination, row: &LogRow, at: usize, now: &Snapshot) -> Routed {
    let Some(item) = Item::of(row, at) else { return Routed::Filtered };
    if !is_sampled(destination, row.visitor) {
        return Routed::Filtered;
    }
    let origin = match may_leave(site, destination, &item, now) {
        May::Leave => item.origin(),
        May::LeaveLate(usable) => Origin { usable, consent: Some(now), ..item.origin() },
        May::Wait => return Routed::Held,
        May::Never => return Routed::Filtered,
        May::NotNow if is_planted(Mutation::SentAfterWithdrawal) => item.origin(),
        May::NotNow => return Routed::Purged,
    };
    let in_force = origin.consent.map_or(Purposes::NONE, Snapshot::in_force);
    let (mut records, usable) = (Vec::new(), origin.usable.and(in_force));
    for draft in item.drafts(site, destination, &origin) {
        match draft.finished(site, destination, &item) {
            Ok(record) => records.extend(record.map(|record| Record { usable, ..record })),
            Err(refusal) => return Routed::Refused(refusal),
        }
    }
    if records.is_empty() { Routed::Filtered } else { Routed::Send(records) }
}

/// Whether an item may leave.
enum May {
    Leave,
    /// It may be used for these, by an answer that came after it: that counts as its capture.
    LeaveLate(Purposes),
    Wait,
    /// It was never granted.
    Never,
    /// It was taken back.
    NotNow,
}

fn may_leave(site: &Site, destination: &Destination, item: &Item<'_>, now: &Snapshot) -> May {
    // Whoever may hold something of the visitor is told to forget it, whatever it is for.
    if item.is_erasure() {
        return May::Leave;
    }
    let (captured, in_force) = (item.captured(), now.in_force());
    let granted = |in_force: Purposes| is_granted(destination, item.usable(), in_force);
    // One and the same purpose, at capture and now.
    let is_ungranted = is_planted(Mutation::SentUngranted);
    if granted(captured.and(in_force)) || is_ungranted && is_granted(destination, item.wanted(site), in_force)
    {
        return May::Leave;
    }
    if destination.on_unknown == OnUnknown::Hold {
        let (wanted, open) = (item.wanted(site), item.unanswered());
        let late = captured.or(open.and(in_force));
        let is_late = is_granted(destination, wanted, late.and(in_force));
        if is_late || is_planted(Mutation::UnknownGranted) {
            return May::LeaveLate(wanted.and(late).and(in_force));
        }
        let hoped = late.or(open).and(in_force.or(now.unanswered()));
        if is_granted(destination, wanted, hoped) {
            return May::Wait;
        }
    }
    if granted(captured) { May::NotNow } else { May::Never }
}

/// Whether the destination may have under `now` what it refused before: one and the same purpose, at capture and now.
#[must_use]
pub fn may_go_again(destination: &Destination, records: &[Record], now: &Snapshot) -> bool {
    let is_erasure = records.iter().all(|record| record.kind == RecordKind::Erase);
    is_erasure || records.iter().all(|record| is_granted(destination, record.usable, now.in_force()))
}

/// Whether the destination gets nothing of a row that has events alone.
#[must_use]
pub const fn takes_notes_alone(destination: &Destination) -> bool {
    let records = destination.records;
    !records.has(RecordKind::Event)
        && !records.has(RecordKind::Exposure)
        && !records.has(RecordKind::Decision)
}

/// Whether the visitor takes part in the destination's sample: by its bucket, salted with the destination's name.
#[must_use]
pub fn is_sampled(destination: &Destination, visitor: VisitorId) -> bool {
    let digits = visitor.digits();
    bucket(&destination.name, core::str::from_utf8(&digits).unwrap_or_default()) < destination.sample
}

/// Whether what is in force lets the destination have what may be used for `usable`.
fn is_granted(destination: &Destination, usable: Purposes, in_force: Purposes) -> bool {
    let served = usable.and(destination.purposes).and(in_force);
    let is_whole = destination.requires == Requires::Any || in_force.holds(destination.purposes);
    !served.is_empty() && is_whole
}

/// An item of a row.
enum Item<'a> {
    Event(&'a LogRow, &'a LogEvent),
    Note(&'a LogRow, &'a LogNote),
}

impl<'a> Item<'a> {
    fn of(row: &'a LogRow, at: usize) -> Option<Self> {
        match row.events.get(at) {
            Some(event) => Some(Self::Event(row, event)),
            None => Some(Self::Note(row, row.notes.get(at.checked_sub(row.events.len())?)?)),
        }
    }

    const fn row(&self) -> &'a LogRow {
        match self {
            Self::Event(row, _) | Self::Note(row, _) => row,
        }
    }

    const fn is_erasure(&self) -> bool {
        matches!(self, Self::Note(_, LogNote { said: Said::Erased, .. }))
    }

    const fn usable(&self) -> Purposes {
        match self {
            Self::Event(_, event) => event.usable,
            Self::Note(_, note) => note.usable,
        }
    }

    const fn time_ms(&self) -> u64 {
        match self {
            Self::Event(_, event) => event.event.time_ms,
            Self::Note(_, note) => note.time_ms,
        }
    }

    /// The consent at capture. A goal has that of its event; any other note that of its row: what was in force when the
    /// batch left, or when the alarm rang.
    fn consent(&self) -> Option<&'a Snapshot> {
        match self {
            Self::Event(row, event) => row.consent.get(usize::from(event.event.consent)),
            Self::Note(row, note) => match &note.said {
                Said::Reached(reached) => consent_of(row, reached).or_else(|| row.consent.first()),
                _ => row.consent.first(),
            },
        }
    }

    /// What was in force at capture.
    fn captured(&self) -> Purposes {
        self.consent().map_or(Purposes::NONE, Snapshot::in_force)
    }

    /// What nobody had answered at capture.
    fn unanswered(&self) -> Purposes {
        self.consent().map_or(Purposes::NONE, Snapshot::unanswered)
    }

    /// What it might be used for, were everything granted.
    fn wanted(&self, site: &Site) -> Purposes {
        let of = |event: &LogEvent| purposes_of(&site.program.parts().plan, &event.event);
        match self {
            Self::Event(_, event) => of(event),
            Self::Note(row, note) => match &note.said {
                Said::Reached(reached) => event_of(row, reached).map_or(note.usable, of),
                _ => note.usable,
            },
        }
    }

    /// Its properties as a condition on its record of this kind reads them, where those are not as they were sent.
    fn readable(&self, site: &Site, kind: RecordKind, now_ms: i64) -> Option<Map> {
        match self {
            Self::Event(_, logged) if kind != RecordKind::Decision => {
                rates::readable(site, &logged.event, now_ms)
            }
            Self::Event(..) | Self::Note(..) => None,
        }
    }

    fn origin(&self) -> Origin<'a> {
        let (row, time_ms, usable) = (self.row(), self.time_ms(), self.usable());
        Origin { row, time_ms, usable, consent: self.consent() }
    }

    /// The records that there are of the item, of the kinds that the destination takes. What it does not take is not made.
    fn drafts(&self, site: &Site, destination: &Destination, origin: &Origin<'_>) -> Vec<Draft> {
        let has = |kind| destination.records.has(kind);
        let mut drafts = Vec::new();
        match self {
            Self::Event(row, logged) => {
                let id = fields::id_of(row, &logged.event);
                if has(fields::kind_of(&logged.event)) {
                    let (kind, map) = fields::event(origin, logged);
                    drafts.push(Draft { kind, id: id.clone(), map });
                }
                if has(RecordKind::Decision) {
                    drafts.extend(decisions(site, origin, &id, Some(logged), &logged.decisions));
                }
            }
            Self::Note(row, note) => match &note.said {
                Said::Decided(decided) if has(RecordKind::Decision) => {
                    let id = format!("{}:{}", row.visitor, note.time_ms);
                    drafts.extend(decisions(site, origin, &id, None, decided));
                }
                Said::Emitted(told) if has(RecordKind::Emit) && told.to == destination.name => {
                    let id = log_line::id_of_message(row, note.time_ms, told);
                    let map = fields::emit(origin, &id, told);
                    drafts.push(Draft { kind: RecordKind::Emit, id, map });
                }
                Said::Reached(reached) if has(RecordKind::Goal) => {
                    let id = format!("{}:goal:{}", reached.event_id(row.writer), reached.goal);
                    let map = fields::goal(origin, &id, reached);
                    drafts.push(Draft { kind: RecordKind::Goal, id, map });
                }
                Said::Erased => {
                    let id = format!("{}:{}:erase", row.visitor, note.time_ms);
                    let map = fields::erase(origin, &id);
                    drafts.push(Draft { kind: RecordKind::Erase, id, map });
                }
                Said::Decided(_) | Said::Emitted(_) | Said::Reached(_) => {}
            },
        }
        drafts
    }
}

/// The consent of the event that reached a goal.
fn consent_of<'a>(row: &'a LogRow, reached: &Reached) -> Option<&'a Snapshot> {
    row.consent.get(usize::from(event_of(row, reached)?.event.consent))
}

fn event_of<'a>(row: &'a LogRow, reached: &Reached) -> Option<&'a LogEvent> {
    row.events.iter().find(|logged| logged.event.sequence == reached.event)
}

/// The records of decisions: each is named by what led to it, and its slot.
fn decisions<'a>(
    site: &'a Site,
    origin: &'a Origin<'a>,
    id: &'a str,
    cause: Option<&'a LogEvent>,
    decided: &'a [SlotDecision],
) -> impl Iterator<Item = Draft> + 'a {
    decided.iter().map(move |decision| {
        let id = format!("{id}:decision:{}", decision.slot);
        let map = fields::decision(site, origin, &id, cause, decision);
        Draft { kind: RecordKind::Decision, id, map }
    })
}

/// A record on its way.
struct Draft {
    kind: RecordKind,
    id: String,
    map: Map,
}

impl Draft {
    /// The record, where it passes the destination's filter.
    fn finished(
        self,
        site: &Site,
        destination: &Destination,
        item: &Item<'_>,
    ) -> Result<Option<Record>, Refusal> {
        let Self { kind, id, map } = self;
        let (row, time_ms) = (item.row(), item.time_ms());
        let now_ms = i64::try_from(time_ms).unwrap_or(i64::MAX);
        let is_taken = |filter| match item.readable(site, kind, now_ms) {
            None => passes(&site.program, &map, row.trust, now_ms, filter),
            Some(properties) => {
                let mut asked = map.clone();
                asked.set("properties", Value::Object(properties));
                passes(&site.program, &asked, row.trust, now_ms, filter)
            }
        };
        if kind != RecordKind::Erase && !destination.filter.is_none_or(is_taken) {
            return Ok(None);
        }
        let map = transform(destination, map)?;
        let data = serde_json::to_vec(&JsonMap(&map)).unwrap_or_default();
        let source = format!("/{}/{}", row.site, row.source);
        let (visitor, usable) = (row.visitor, Purposes::NONE);
        Ok(Some(Record { id, kind, source, visitor, time_ms, usable, data }))
    }
}
