//! The quarantine by reason: how many, since when, an example, and what to do.

use super::selection::Name;
use crate::object::Object;
use crate::text::rfc_3339;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Groups that one shard gives, and that are listed.
pub const GROUPS_MAX: usize = 200;

/// Entries that were refused for the same reason at the same place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Group {
    /// `ingest` or `delivery`.
    pub stage: String,
    /// The destination, where one refused them.
    pub destination: String,
    /// The code.
    pub reason: String,
    /// Where in the event (`properties.price`); empty where it is about all of it.
    pub path: String,
    /// The event's name; empty where it could not be read.
    pub event: String,
    /// How many.
    pub count: u64,
    /// When the first came: Unix milliseconds.
    pub first_ms: u64,
    /// When the newest came.
    pub last_ms: u64,
    /// The newest's number in its shard.
    pub row: u64,
    /// The newest's line.
    pub line: String,
}

impl Group {
    /// What makes two groups one.
    fn key(&self) -> [&str; 5] {
        [&self.stage, &self.destination, &self.reason, &self.path, &self.event]
    }
}

/// The groups of all shards.
#[derive(Debug, Default)]
pub struct Groups(Vec<(u32, Group)>);

#[derive(Serialize)]
struct GroupsJson<'a> {
    groups: Vec<GroupJson<'a>>,
}

#[derive(Serialize)]
struct GroupJson<'a> {
    stage: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    destination: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    path: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    event: &'a str,
    count: u64,
    first_seen: String,
    first_seen_ms: u64,
    last_seen: String,
    last_seen_ms: u64,
    fix: &'static str,
    example: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a RawValue>,
}

impl Groups {
    /// Adds those of a shard.
    pub fn add(&mut self, shard: u32, groups: Vec<Group>) {
        for group in groups {
            match self.0.iter_mut().find(|(_, known)| known.key() == group.key()) {
                Some((of, known)) => {
                    known.count = known.count.saturating_add(group.count);
                    known.first_ms = known.first_ms.min(group.first_ms);
                    if group.last_ms > known.last_ms {
                        (*of, known.last_ms, known.row, known.line) =
                            (shard, group.last_ms, group.row, group.line);
                    }
                }
                None => self.0.push((shard, group)),
            }
        }
    }

    /// The groups as JSON, the largest first.
    #[must_use]
    pub fn render(mut self) -> String {
        self.0.sort_by(|(_, a), (_, b)| (b.count, a.key()).cmp(&(a.count, b.key())));
        self.0.truncate(GROUPS_MAX);
        let groups = self.0.iter().map(|(shard, group)| json(*shard, group)).collect();
        serde_json::to_string(&GroupsJson { groups }).unwrap_or_default()
    }
}

fn json(shard: u32, group: &Group) -> GroupJson<'_> {
    GroupJson {
        stage: &group.stage,
        destination: &group.destination,
        reason: &group.reason,
        path: &group.path,
        event: &group.event,
        count: group.count,
        first_seen: rfc_3339(group.first_ms),
        first_seen_ms: group.first_ms,
        last_seen: rfc_3339(group.last_ms),
        last_seen_ms: group.last_ms,
        fix: fix_of(&group.reason),
        example: Name { shard, row: group.row }.to_string(),
        entry: serde_json::from_str(&group.line).ok(),
    }
}

/// A stored line as it is shown alone: with its name and what to do in front. `None` for what is no line.
#[must_use]
pub fn shown(name: Name, line: &str) -> Option<String> {
    let code = Object::read(line).ok()?.text("code").ok()??;
    let rest = line.strip_prefix('{')?;
    Some(alloc::format!("{{\"entry\":\"{name}\",\"fix\":\"{}\",{rest}", fix_of(&code)))
}

/// What to do about entries of a reason.
#[must_use]
pub fn fix_of(reason: &str) -> &'static str {
    match reason {
        "unknown_event" => "add the event to tracking-plan.yaml, publish, then replay",
        "required_missing" => {
            "make the property optional in tracking-plan.yaml, publish, then replay; or send it"
        }
        "wrong_type" => "give the property the type that is sent in tracking-plan.yaml, publish, then replay",
        "not_in_enum" => "add the value to the property's values in tracking-plan.yaml, publish, then replay",
        "additional_property" => {
            "list the property in tracking-plan.yaml, or allow others; publish, then replay"
        }
        "too_large" | "too_deep" => {
            "send less in one event: what is above a bound is never accepted; export, then drop"
        }
        "too_old" => "it cannot be told from a duplicate, and is never accepted; export it, then drop",
        "sequence_gap" => "replay once the sender has sent what is missing before it",
        "poison" => {
            "the step failed at it twice; replay after an update of the worker, or report it with the event"
        }
        "untrusted" => {
            "send it from a server, or trust clients with it in tracking-plan.yaml, publish, then replay"
        }
        "undecodable" | "invalid_text" | "not_finite" | "dictionary_unknown" => {
            "repair what sends it: bytes that cannot be read are never accepted; export, then drop"
        }
        "rejected" => "repair the destination, or what is sent to it, then replay",
        "record_too_large" => {
            "raise what the destination takes, or remove fields for it in site.yaml, then replay"
        }
        "transform" => {
            "repair the destination's fields in site.yaml and publish; then drop, or read it in the log"
        }
        _ => "look at an entry: its `faults` say what was found",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::quarantine::DeliveryCode;
    use selvedge_core::event::RefusalCode;

    fn group(event: &str, count: u64, first_ms: u64, last_ms: u64) -> Group {
        Group {
            stage: "ingest".into(),
            destination: String::new(),
            reason: "unknown_event".into(),
            path: "name".into(),
            event: event.into(),
            count,
            first_ms,
            last_ms,
            row: last_ms,
            line: alloc::format!("{{\"at\":{last_ms}}}"),
        }
    }

    #[test]
    fn groups_of_shards_are_one_and_the_largest_comes_first() {
        let mut groups = Groups::default();
        groups.add(0, alloc::vec![group("wave", 2, 10, 20), group("nod", 3, 5, 6)]);
        groups.add(3, alloc::vec![group("wave", 2, 7, 30)]);
        let json: serde_json::Value = serde_json::from_str(&groups.render()).unwrap();
        let first = &json["groups"][0];
        assert_eq!((first["event"].as_str(), first["count"].as_u64()), (Some("wave"), Some(4)));
        assert_eq!((first["first_seen_ms"].as_u64(), first["last_seen_ms"].as_u64()), (Some(7), Some(30)));
        assert_eq!((first["example"].as_str(), first["entry"]["at"].as_u64()), (Some("3.30"), Some(30)));
        assert_eq!(json["groups"][1]["event"], "nod");
    }

    #[test]
    fn every_reason_has_its_own_advice() {
        let other = fix_of("");
        let is_kept = |code: &&RefusalCode| !matches!(code, RefusalCode::NoConsent | RefusalCode::Erased);
        let kept = RefusalCode::ALL.iter().filter(is_kept);
        for code in kept.map(|code| code.as_str()).chain(DeliveryCode::ALL.map(DeliveryCode::as_str)) {
            assert_ne!(fix_of(code), other, "{code}");
        }
    }
}
