//! Which entries of the quarantine are meant: by name, or by what they have in common.

use crate::cursor::Cursor;
use crate::fault::Fault;
use crate::object::{self, Object};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Bytes of an order, at most.
pub const ORDER_BYTES_MAX: usize = 64 * 1024;
/// Entries that one order may name.
pub const NAMES_MAX: usize = 1_000;
/// Entries that one order acts on at most; what is left is told by `next`.
pub const ORDER_ENTRIES_MAX: u64 = 500;

/// The name of an entry: the shard's place among the site's shards, and the entry's number there. As text, `2.17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The shard's place.
    pub shard: u32,
    /// The entry's number in it.
    pub row: u64,
}

impl Name {
    /// The name in `text`.
    ///
    /// # Errors
    /// [`Fault`] 400 for anything else than two whole numbers with a dot between.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let read = text
            .split_once('.')
            .and_then(|(shard, row)| Some(Self { shard: shard.parse().ok()?, row: row.parse().ok()? }));
        read.ok_or_else(|| Fault::bad_request("an entry is named as it is listed: `entry`, such as 2.17"))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.shard, self.row)
    }
}

/// What the entries have in common; what is left out is not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// The code that they were refused with (`unknown_event`).
    pub reason: Option<String>,
    /// `ingest` or `delivery`.
    pub stage: Option<String>,
    /// The destination that refused them.
    pub destination: Option<String>,
    /// The event's name.
    pub event: Option<String>,
    /// The source's name.
    pub source: Option<String>,
    /// The visitor.
    pub visitor: Option<String>,
    /// The event's id.
    pub id: Option<String>,
    /// Received then or later: Unix milliseconds.
    pub since: Option<u64>,
    /// Received before then: Unix milliseconds.
    pub until: Option<u64>,
}

impl Selection {
    /// The names of its parameters.
    pub const PARAMETERS: [&str; 9] =
        ["reason", "stage", "destination", "event", "source", "visitor", "id", "since", "until"];

    /// The selection of these parameters of a query; others are not its business.
    ///
    /// # Errors
    /// [`Fault`] 400 for a time that is no whole number.
    pub fn of_query<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Fault> {
        let mut selection = Self::default();
        for (name, value) in pairs {
            let text = Some(value.to_string());
            match name {
                "reason" => selection.reason = text,
                "stage" => selection.stage = text,
                "destination" => selection.destination = text,
                "event" => selection.event = text,
                "source" => selection.source = text,
                "visitor" => selection.visitor = text,
                "id" => selection.id = text,
                "since" => selection.since = Some(time_of(name, value)?),
                "until" => selection.until = Some(time_of(name, value)?),
                _ => {}
            }
        }
        Ok(selection)
    }

    fn of_order(read: &Object<'_>) -> Result<Self, object::Error> {
        let text = |name| Ok(read.text(name)?.map(Cow::into_owned));
        Ok(Self {
            reason: text("reason")?,
            stage: text("stage")?,
            destination: text("destination")?,
            event: text("event")?,
            source: text("source")?,
            visitor: text("visitor")?,
            id: text("id")?,
            since: read.number("since")?,
            until: read.number("until")?,
        })
    }

    /// What is asked for that is text, with the place of it in a stored line.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("$.code", &self.reason),
            ("$.stage", &self.stage),
            ("$.destination", &self.destination),
            ("$.event.name", &self.event),
            ("$.source", &self.source),
            ("$.visitor", &self.visitor),
            ("$.id", &self.id),
        ]
        .into_iter()
        .filter_map(|(path, text)| Some((path, text.as_deref()?)))
    }
}

fn time_of(name: &str, value: &str) -> Result<u64, Fault> {
    value.parse().map_err(|_| Fault::bad_request(format!("{name} must be Unix milliseconds")))
}

/// `POST /v1/quarantine/replay` and `/drop`: what is to be done with which entries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// These entries.
    pub entries: Vec<String>,
    /// All there are. So that an order that forgets to say which does nothing.
    pub all: bool,
    /// Behind this cursor: the `next` of an earlier answer.
    pub from: String,
    /// At most so many.
    pub limit: Option<u64>,
    /// What they have in common.
    pub selection: Selection,
}

impl Order {
    /// The order in `text`.
    ///
    /// # Errors
    /// [`Fault`] 400 for anything that is none, and for one that does not say which entries it means.
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        let read = Object::of_bytes(text)?;
        let order = Self {
            entries: read.texts("entries")?,
            all: read.flag("all")?,
            from: read.string("from")?,
            limit: read.number("limit")?,
            selection: Selection::of_order(&read)?,
        };
        let says_which = !order.entries.is_empty() || order.selection != Selection::default();
        if says_which == order.all {
            return Err(Fault::unreadable("say which entries, by name or by what they share; or say `all`"));
        }
        if order.entries.len() > NAMES_MAX {
            return Err(Fault::unreadable(format!("name at most {NAMES_MAX} entries")));
        }
        Ok(order)
    }

    /// The entries that are named.
    ///
    /// # Errors
    /// [`Fault`] 400 for what is no name.
    pub fn names(&self) -> Result<Vec<Name>, Fault> {
        self.entries.iter().map(|text| Name::parse(text)).collect()
    }

    /// Where it begins.
    ///
    /// # Errors
    /// [`Fault`] 400 for what is no cursor.
    pub fn cursor(&self) -> Result<Cursor, Fault> {
        Cursor::parse(&self.from).map_err(|fault| Fault::bad_request(fault.to_string()))
    }

    /// How many entries it acts on at most.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or(ORDER_ENTRIES_MAX).min(ORDER_ENTRIES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_says_which_entries_it_means() {
        let order = Order::read(br#"{"reason":"unknown_event","since":5,"limit":9000}"#).unwrap();
        assert_eq!((order.selection.since, order.limit()), (Some(5), ORDER_ENTRIES_MAX));
        assert!(Order::read(br#"{"all":true}"#).is_ok());
        let names = Order::read(br#"{"entries":["2.17"]}"#).unwrap().names().unwrap();
        assert_eq!(names, [Name { shard: 2, row: 17 }]);
        for text in ["", "{}", r#"{"from":"0.1"}"#, r#"{"all":true,"reason":"poison"}"#, r#"{"since":"now"}"#]
        {
            assert_eq!(Order::read(text.as_bytes()).unwrap_err().status, 400, "{text}");
        }
    }

    #[test]
    fn a_query_selects_by_what_it_names() {
        let pairs = [("from", "0.1"), ("reason", "poison"), ("event", "wave"), ("until", "7")];
        let selection = Selection::of_query(pairs.into_iter()).unwrap();
        let texts: Vec<_> = selection.texts().collect();
        assert_eq!(texts, [("$.code", "poison"), ("$.event.name", "wave")]);
        assert_eq!(selection.until, Some(7));
        assert!(Selection::of_query([("since", "yesterday")].into_iter()).is_err());
        for name in Selection::PARAMETERS {
            let selection = Selection::of_query([(name, "1")].into_iter()).unwrap();
            assert_ne!(selection, Selection::default(), "{name}");
        }
    }

    #[test]
    fn an_entry_is_named_as_it_is_listed() {
        let name = Name { shard: 2, row: 17 };
        assert_eq!(Name::parse(&name.to_string()), Ok(name));
        for text in ["", "2", "2.", "2.x", "-1.2"] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }
}
