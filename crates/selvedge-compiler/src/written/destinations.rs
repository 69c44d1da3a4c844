//! `destinations` of site.yaml: where records go, which ones, and what they may be used for there.

mod secret;

mod http;

mod kafka;

use super::condition::read_condition;
use super::deciding::read_share;
use super::stretch::duration;
use crate::codes::Code;
use crate::condition::Expr;
use crate::diagnostic::Report;
use crate::fields::{self, Fields, NameKind, Spanned};
use crate::literal;
use crate::source::Span;
use crate::written::entries::{name_of, named};
use crate::written::plan::purpose;
use crate::yaml::{Entry, Node};
use selvedge_core::address::{AddressFault, Place};
use selvedge_core::consent::Purposes;
use selvedge_core::limits::{
    BUCKETS, DESTINATION_AGE_MS, DESTINATION_BYTES, DESTINATION_BYTES_MAX, DESTINATION_ENTRIES_MAX,
    DESTINATIONS_MAX,
};
use selvedge_core::wire::program::{Full, OnUnknown, RecordKind, Records, Requires, Way};

/// A destination as written.
#[derive(Debug)]
pub(crate) struct Destination {
    pub name: Spanned<String>,
    pub way: Way,
    pub purposes: Purposes,
    pub requires: Requires,
    pub on_unknown: OnUnknown,
    pub records: Records,
    /// `Some(None)` is a condition with an error.
    pub when: Option<Option<Expr>>,
    pub sample: u16,
    pub remove: Vec<Spanned<String>>,
    pub rename: Vec<(Spanned<String>, Spanned<String>)>,
    pub when_full: Full,
    pub age_ms_max: u64,
    pub bytes_max: u64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Http,
    Kafka,
    Queue,
    Log,
}

const KINDS: [(&str, Kind); 4] =
    [("http", Kind::Http), ("kafka", Kind::Kafka), ("queue", Kind::Queue), ("log", Kind::Log)];
const REQUIRES: [(&str, Requires); 2] = [("all", Requires::All), ("any", Requires::Any)];
const ON_UNKNOWN: [(&str, OnUnknown); 2] = [("drop", OnUnknown::Drop), ("hold", OnUnknown::Hold)];
const FULL: [(&str, Full); 2] = [("block", Full::Block), ("drop_oldest", Full::DropOldest)];
const RECORDS: [(&str, RecordKind); 5] = [
    ("event", RecordKind::Event),
    ("decision", RecordKind::Decision),
    ("exposure", RecordKind::Exposure),
    ("goal", RecordKind::Goal),
    ("emit", RecordKind::Emit),
];

/// Reads the destinations.
pub(super) fn read_destinations(node: Option<&Node>, source: &str, report: &mut Report) -> Vec<Destination> {
    let found = named(node, |entry, report| read_destination(entry, source, report), report);
    if let Some(node) = node.filter(|_| found.len() > DESTINATIONS_MAX) {
        let message = format!("{} destinations; at most {DESTINATIONS_MAX}", found.len());
        report.add(Code::E0016, node.span, message);
    }
    found
}

fn read_destination(entry: &Entry, source: &str, report: &mut Report) -> Option<Destination> {
    let name = name_of(entry, NameKind::Dotted, report);
    let mut fields = Fields::of(&entry.value, report)?;
    let kind = fields.required("type").and_then(|node| fields::word(node, &KINDS, &[], report));
    let purposes = fields.required("purposes").map(|node| read_purposes(node, report));
    let Some(kind) = kind else { return fields.give_up(report) };
    let way = match kind {
        Kind::Http => http::read(&mut fields, report).map(Way::Http),
        Kind::Kafka => kafka::read(&mut fields, report).map(Way::Kafka),
        Kind::Queue => read_queue(&mut fields, report),
        // Nothing is sent to the log: who reads it takes what is there.
        Kind::Log => {
            fields.finish(&[], report);
            return Some(Destination { purposes: purposes?, ..Destination::of(name, Way::Log) });
        }
    };
    let mut taken = Destination::of(name, Way::Log);
    read_taken(&mut taken, &mut fields, source, report);
    read_bounds(&mut taken, &mut fields, report);
    fields.finish(&[], report);
    Some(Destination { purposes: purposes?, way: way?, ..taken })
}

impl Destination {
    /// What a destination is where nothing else is said.
    fn of(name: Spanned<String>, way: Way) -> Self {
        Self {
            name,
            way,
            purposes: Purposes::NONE,
            requires: Requires::All,
            on_unknown: OnUnknown::Drop,
            records: Records::ALL,
            when: None,
            sample: BUCKETS,
            remove: Vec::new(),
            rename: Vec::new(),
            when_full: Full::Block,
            age_ms_max: DESTINATION_AGE_MS,
            bytes_max: DESTINATION_BYTES,
        }
    }
}

/// What it takes, and how that looks there.
fn read_taken(taken: &mut Destination, fields: &mut Fields<'_>, source: &str, report: &mut Report) {
    if let Some(requires) =
        fields.optional("requires").and_then(|node| fields::word(node, &REQUIRES, &[], report))
    {
        taken.requires = requires;
    }
    if let Some(on_unknown) =
        fields.optional("on_unknown").and_then(|node| fields::word(node, &ON_UNKNOWN, &[], report))
    {
        taken.on_unknown = on_unknown;
    }
    if let Some(node) = fields.filled("records", report) {
        let kinds = fields::items(node).iter().filter_map(|item| fields::word(item, &RECORDS, &[], report));
        taken.records = kinds.fold(Records::default(), Records::with);
    }
    taken.when = fields.filled("when", report).map(|node| read_condition(node, source, report));
    if let Some(node) = fields.optional("sample") {
        taken.sample = read_sample(node, report);
    }
    taken.remove = fields.optional("remove").map(|node| read_paths(node, report)).unwrap_or_default();
    taken.rename = fields.optional("rename").map(|node| read_names(node, report)).unwrap_or_default();
}

fn read_sample(node: &Node, report: &mut Report) -> u16 {
    let share = read_share(node, report);
    if share == Some(0) {
        let help = "write for example `10%`, or remove the destination".to_owned();
        report.add_help(Code::E0016, node.span, "a sample of nobody takes nothing", help);
    }
    share.unwrap_or(BUCKETS)
}

fn read_paths(node: &Node, report: &mut Report) -> Vec<Spanned<String>> {
    let items = fields::items(node);
    few(items.len(), node.span, report);
    items.iter().filter_map(|item| fields::text(item, report)).collect()
}

fn read_names(node: &Node, report: &mut Report) -> Vec<(Spanned<String>, Spanned<String>)> {
    let Some(map) = fields::map(node, report) else { return Vec::new() };
    few(map.entries.len(), node.span, report);
    let read = |entry: &Entry, report: &mut Report| {
        let to = fields::text(&entry.value, report)?;
        fields::name(&to.value, to.span, NameKind::Free, report);
        Some((Spanned { value: entry.key.clone(), span: entry.key_span }, to))
    };
    map.entries.iter().filter_map(|entry| read(entry, report)).collect()
}

/// What may wait for it, and what becomes of more.
fn read_bounds(taken: &mut Destination, fields: &mut Fields<'_>, report: &mut Report) {
    if let Some(full) = fields.optional("when_full").and_then(|node| fields::word(node, &FULL, &[], report)) {
        taken.when_full = full;
    }
    let Some(mut limits) = fields.filled("limits", report).and_then(|node| Fields::of(node, report)) else {
        return;
    };
    let age = limits.optional("age").and_then(|node| duration(node, literal::DURATION_MS_MAX, report));
    let bytes = limits.optional("bytes").and_then(|node| read_bytes(node, report));
    limits.finish(&[], report);
    taken.age_ms_max = age.unwrap_or(taken.age_ms_max);
    taken.bytes_max = bytes.unwrap_or(taken.bytes_max);
}

/// `500kB`, `64MB`, `1GB`.
fn read_bytes(node: &Node, report: &mut Report) -> Option<u64> {
    const UNITS: [(&str, u64); 3] = [("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000)];
    let text = fields::text(node, report)?;
    let (digits, unit) =
        UNITS.iter().find_map(|(unit, bytes)| Some((text.value.strip_suffix(unit)?, *bytes))).unzip();
    let bytes = digits.and_then(|digits| digits.trim().parse::<u64>().ok()?.checked_mul(unit?));
    let Some(bytes) = bytes.filter(|bytes| (1..=DESTINATION_BYTES_MAX).contains(bytes)) else {
        let message = format!("`{}` is not a size from 1 kB to 4 GB", text.value);
        report.add_help(Code::E0807, text.span, message, "write for example `64MB`".to_owned());
        return None;
    };
    Some(bytes)
}

fn read_queue(fields: &mut Fields<'_>, report: &mut Report) -> Option<Way> {
    let queue = fields.required("queue").and_then(|node| secret::binding(node, report));
    let dead_letter = fields.required("dead_letter").and_then(|node| secret::binding(node, report));
    let (queue, dead_letter) = (queue?, dead_letter?);
    if queue.value == dead_letter.value {
        let message = "what the queue's consumer could not take would come back to it for ever";
        let help = "name another queue under `dead_letter`".to_owned();
        report.add_help(Code::E0808, dead_letter.span, message, help);
        return None;
    }
    Some(Way::Queue { binding: queue.value, dead_letter: dead_letter.value })
}

fn read_purposes(node: &Node, report: &mut Report) -> Purposes {
    let items = fields::items(node);
    if items.is_empty() {
        report.add(Code::E0006, node.span, "a destination without a purpose could never be told anything");
    }
    let named = items.iter().filter_map(|item| purpose(item, report));
    named.fold(Purposes::NONE, Purposes::or)
}

/// Reports a list that is too long.
fn few(found: usize, span: Span, report: &mut Report) {
    if found > DESTINATION_ENTRIES_MAX {
        report.add(Code::E0016, span, format!("{found} entries; at most {DESTINATION_ENTRIES_MAX}"));
    }
}

/// Whether the edge may connect there; reports where it may not, and where only one in development does.
fn check_address(place: Result<Place, AddressFault>, span: Span, report: &mut Report) {
    match place {
        Ok(Place::Public) => {}
        Ok(Place::Loopback) => {
            let message =
                "this machine: only a worker with `DEV_LOOPBACK=1` sends there, no other takes the site";
            let help = "name a public host before the site is published".to_owned();
            report.add_help(Code::W0801, span, message, help);
        }
        Err(fault) => report.add(Code::E0802, span, fault.to_string()),
    }
}
