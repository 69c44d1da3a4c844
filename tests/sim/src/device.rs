//! A visitor's device: storage that its tabs share, locks that die with their holder, a clock, a network that may be cut.

use crate::platforms::Word;
use selvedge_core::consent::{Purposes, Signals};
use std::collections::BTreeMap;

/// A device, for one site.
#[derive(Debug)]
pub struct Device {
    /// The site that is visited with it.
    pub site: usize,
    /// Where the visitor is.
    pub country: &'static str,
    /// What is stored, by key; `None` where storage is denied.
    pub stored: Option<BTreeMap<String, Vec<u8>>>,
    /// Bytes that fit.
    pub room: usize,
    /// Who holds which lock.
    pub locks: BTreeMap<String, usize>,
    /// Milliseconds that its clock is ahead of the world's.
    pub ahead_ms: i64,
    /// Requests leave it.
    pub is_online: bool,
    /// The visitor granted something here once, or need not be asked.
    pub is_opened: bool,
    /// The visitor took something back here.
    pub is_withdrawn: bool,
    /// Something could not be stored.
    pub is_full: bool,
    /// A page was killed on it.
    pub has_kills: bool,
    /// Events that its tabs said were lost.
    pub lost: u64,
    /// What its consent platforms say.
    pub words: Vec<(Signals, Word)>,
    /// What was ever granted on it, by whomever.
    pub granted: Purposes,
    /// Global Privacy Control.
    pub gpc: bool,
}

impl Device {
    /// The device's clock.
    #[must_use]
    pub const fn now_ms(&self, world_ms: u64) -> u64 {
        world_ms.saturating_add_signed(self.ahead_ms)
    }

    /// Stores, where there is room; whether it did.
    pub fn store(&mut self, key: &str, value: Vec<u8>) -> bool {
        let Some(stored) = &mut self.stored else { return false };
        let others: usize = stored.iter().filter(|(known, _)| *known != key).map(size).sum();
        if others + key.len() + value.len() > self.room {
            self.is_full = true;
            return false;
        }
        stored.insert(key.to_owned(), value);
        true
    }

    /// Erases a record.
    pub fn erase(&mut self, key: &str) {
        if let Some(stored) = &mut self.stored {
            stored.remove(key);
        }
    }

    /// A record.
    #[must_use]
    pub fn read(&self, key: &str) -> Option<&Vec<u8>> {
        self.stored.as_ref()?.get(key)
    }

    /// The keys that begin so.
    #[must_use]
    pub fn keys(&self, beginning: &str) -> Vec<String> {
        let all = self.stored.iter().flat_map(BTreeMap::keys);
        all.filter(|key| key.starts_with(beginning)).cloned().collect()
    }

    /// Records by these keys, where they are there.
    #[must_use]
    pub fn entries(&self, keys: &[String]) -> Vec<(String, Vec<u8>)> {
        let found = keys.iter().filter_map(|key| Some((key.clone(), self.read(key)?.clone())));
        found.collect()
    }

    /// Bytes of all records.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.stored.iter().flatten().map(size).sum()
    }

    /// Takes a lock, unless another tab holds it; whether it is held now.
    pub fn lock(&mut self, name: &str, tab: usize) -> bool {
        *self.locks.entry(name.to_owned()).or_insert(tab) == tab
    }

    /// Lets go of every lock that a tab holds.
    pub fn release(&mut self, tab: usize) {
        self.locks.retain(|_, holder| *holder != tab);
    }
}

fn size((key, value): (&String, &Vec<u8>)) -> usize {
    key.len() + value.len()
}
