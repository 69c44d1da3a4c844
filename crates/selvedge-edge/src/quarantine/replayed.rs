//! What became of the entries that an order acted on.

use super::selection::Name;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What became of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// It stands in the log, or is on its way to its destination; the entry is gone.
    Replayed,
    /// It is refused still, with the reason that is told; the entry stays.
    Refused,
    /// Its visitor has taken back what it may be used for; the entry is gone.
    Destroyed,
    /// It, or a copy of it, was taken since; the entry stays.
    Duplicate,
    /// No event can be read of it; the entry stays.
    Unreadable,
    /// The destination that refused it is no more; the entry stays.
    NoDestination,
    /// The step failed at it; the entry stays.
    Failed,
    /// An admin dropped it; the entry is gone.
    Dropped,
}

impl Told {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Replayed,
        Self::Refused,
        Self::Destroyed,
        Self::Duplicate,
        Self::Unreadable,
        Self::NoDestination,
        Self::Failed,
        Self::Dropped,
    ];
}

/// One entry that an order acted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// Its number in its shard.
    pub row: u64,
    /// What became of it.
    pub told: Told,
    /// The event's id; empty where it has none.
    pub id: String,
    /// The reason that it is, or was, refused for.
    pub reason: String,
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    replayed: u64,
    dropped: u64,
    destroyed: u64,
    stayed: u64,
    /// Where to go on; left out where all that were meant have been acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    entries: Vec<EntryJson<'a>>,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    entry: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
    result: Told,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
}

/// The answer to an order: by the places of shards, what became of their entries.
#[must_use]
pub fn render(all: &[(u32, Replayed)], next: Option<String>) -> String {
    let count = |is: &dyn Fn(Told) -> bool| {
        let counted = all.iter().filter(|(_, entry)| is(entry.told)).count();
        u64::try_from(counted).unwrap_or(u64::MAX)
    };
    let is_gone = |told| matches!(told, Told::Replayed | Told::Dropped | Told::Destroyed);
    let answer = AnswerJson {
        replayed: count(&|told| told == Told::Replayed),
        dropped: count(&|told| told == Told::Dropped),
        destroyed: count(&|told| told == Told::Destroyed),
        stayed: count(&|told| !is_gone(told)),
        next,
        entries: all.iter().map(|(shard, entry)| json(*shard, entry)).collect(),
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

fn json(shard: u32, entry: &Replayed) -> EntryJson<'_> {
    let name = Name { shard, row: entry.row };
    EntryJson { entry: name.to_string(), id: &entry.id, result: entry.told, reason: &entry.reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_and_names_what_it_acted_on() {
        let of = |row, told| (1, Replayed { row, told, id: "e".into(), reason: "wrong_type".into() });
        let json = render(&[of(4, Told::Replayed), of(5, Told::Failed)], Some("1.5".into()));
        assert_eq!(
            json,
            r#"{"replayed":1,"dropped":0,"destroyed":0,"stayed":1,"next":"1.5","entries":[{"entry":"1.4","id":"e","result":"replayed","reason":"wrong_type"},{"entry":"1.5","id":"e","result":"failed","reason":"wrong_type"}]}"#
        );
    }
}
