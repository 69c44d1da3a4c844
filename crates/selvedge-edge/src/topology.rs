//! The topology: where visitors live. An append-only list of entries; a visitor's first byte names the entry it was minted
//! under, so it keeps its shard for ever, and new capacity is a new entry.

use crate::object::{self, Object};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use selvedge_core::id::VisitorId;

/// Shards that one entry may have.
const SHARDS_MAX: u32 = 1_024;
/// Entries, as many as a visitor's first byte can name.
const ENTRIES_MAX: usize = 256;

/// One entry. Never edited once visitors were minted under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The continent whose visitors are minted here, as the platform names it (`EU`, `NA`); empty takes any.
    pub region: String,
    /// The jurisdiction that the shards are bound to (`eu`); empty binds them to none.
    pub jurisdiction: String,
    /// How many shards share the entry's visitors.
    pub shards: u32,
}

impl Entry {
    fn read(read: &Object<'_>) -> Result<Self, object::Error> {
        read.only(&["region", "jurisdiction", "shards"])?;
        let shards = Object::needed("shards", read.number("shards")?)?;
        Ok(Self { region: read.string("region")?, jurisdiction: read.string("jurisdiction")?, shards })
    }
}

/// All entries, in the order in which they were added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology(Vec<Entry>);

/// A text that is no topology.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "TOPOLOGY is a JSON list of 1 to {ENTRIES_MAX} entries {{region, jurisdiction, shards}} of 1 to {SHARDS_MAX} shards"
)]
pub struct TopologyFault;

/// A shard's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The entry.
    pub entry: u8,
    /// The shard in it.
    pub shard: u32,
}

impl Topology {
    /// The topology of its JSON.
    ///
    /// # Errors
    /// [`TopologyFault`] for anything else, and where a bound is broken.
    pub fn parse(json: &str) -> Result<Self, TopologyFault> {
        let read = Object::list_of(json).and_then(|read| read.iter().map(Entry::read).collect());
        let entries: Vec<Entry> = read.map_err(|_| TopologyFault)?;
        let is_bounded = (1..=ENTRIES_MAX).contains(&entries.len())
            && entries.iter().all(|entry| (1..=SHARDS_MAX).contains(&entry.shards));
        if is_bounded { Ok(Self(entries)) } else { Err(TopologyFault) }
    }

    /// One entry for everybody, with so many shards.
    #[must_use]
    pub fn single(shards: u32) -> Self {
        let shards = shards.clamp(1, SHARDS_MAX);
        Self([Entry { region: String::new(), jurisdiction: String::new(), shards }].into())
    }

    /// The entry that a visitor on `continent` is minted under: the newest of its region, else the newest for any, else
    /// the first.
    #[must_use]
    pub fn entry_for(&self, continent: Option<&str>) -> u8 {
        let newest = |wanted: &str| self.0.iter().rposition(|entry| entry.region == wanted);
        let at = continent.and_then(newest).or_else(|| newest("")).unwrap_or(0);
        u8::try_from(at).unwrap_or(0)
    }

    /// Where a visitor lives; `None` where it names an entry that there is not.
    #[must_use]
    pub fn place(&self, visitor: VisitorId) -> Option<Place> {
        let entry = self.0.get(usize::from(visitor.topology()))?;
        Some(Place { entry: visitor.topology(), shard: visitor.shard(entry.shards) })
    }

    /// Every shard, by entry. A shard's position here never changes, because entries are only added.
    pub fn places(&self) -> impl Iterator<Item = Place> {
        let places =
            |(entry, at): (&Entry, u8)| (0..entry.shards).map(move |shard| Place { entry: at, shard });
        self.0.iter().zip(0u8..=u8::MAX).flat_map(places)
    }

    /// The jurisdiction that a place is bound to.
    #[must_use]
    pub fn jurisdiction(&self, place: Place) -> Option<&str> {
        let entry = self.0.get(usize::from(place.entry))?;
        Some(entry.jurisdiction.as_str()).filter(|name| !name.is_empty())
    }
}

impl Place {
    /// The name of the shard's object: `{site}/{entry}/{shard}`.
    #[must_use]
    pub fn object(self, site: &str) -> String {
        let mut name = String::from(site);
        let _ = write!(name, "/{}/{}", self.entry, self.shard);
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn visitor(entry: u8) -> VisitorId {
        VisitorId::mint(entry, [7; 15])
    }

    #[test]
    fn a_new_entry_moves_nobody_and_no_position() {
        let before = Topology::parse(r#"[{"shards": 4}]"#).unwrap();
        let after =
            Topology::parse(r#"[{"shards": 4}, {"region": "EU", "jurisdiction": "eu", "shards": 2}]"#)
                .unwrap();
        assert_eq!(before.place(visitor(0)), after.place(visitor(0)));
        assert_eq!(before.place(visitor(1)), None);
        assert_eq!(after.place(visitor(1)).map(|place| place.entry), Some(1));
        let positions: Vec<Place> = after.places().collect();
        assert_eq!(positions.len(), 6);
        assert!(before.places().eq(positions.into_iter().take(4)));
    }

    #[test]
    fn a_visitor_is_minted_under_the_newest_entry_of_its_region() {
        let text = r#"[{"shards": 1}, {"region": "EU", "shards": 1}, {"region": "EU", "shards": 8}, {"region": "NA", "shards": 1}]"#;
        let topology = Topology::parse(text).unwrap();
        assert_eq!(topology.entry_for(Some("EU")), 2);
        assert_eq!(topology.entry_for(Some("NA")), 3);
        assert_eq!(topology.entry_for(Some("AS")), 0);
        assert_eq!(topology.entry_for(None), 0);
    }

    #[test]
    fn what_is_no_topology_is_refused_whole() {
        for text in
            ["", "[]", "{}", r#"[{"shards": 0}]"#, r#"[{"shards": 5000}]"#, r#"[{"shards": 1, "shard": 2}]"#]
        {
            assert_eq!(Topology::parse(text), Err(TopologyFault), "{text}");
        }
        assert!(TopologyFault.to_string().contains("TOPOLOGY"));
    }

    #[test]
    fn objects_are_named_by_site_entry_and_shard() {
        assert_eq!(Place { entry: 1, shard: 12 }.object("shop"), "shop/1/12");
        let bound = Topology::parse(r#"[{"jurisdiction": "eu", "shards": 1}]"#).unwrap();
        assert_eq!(bound.jurisdiction(Place { entry: 0, shard: 0 }), Some("eu"));
        assert_eq!(Topology::single(2).jurisdiction(Place { entry: 0, shard: 0 }), None);
    }
}
