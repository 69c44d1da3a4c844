//! Ids that other SDKs gave: whom and what they name here, and which of their events were taken already.
//!
//! Their event ids have no order, so what was taken is known for [`FOREIGN_WINDOW_MS`] of the events' times alone. An
//! event from before the window whose id is unknown may be new or not: it is refused as too old and quarantined, not
//! guessed. A recording with `clock: event` carries the window along with its own times.

use crate::dedup::Verdict;
use crate::fault::Fault;
use alloc::format;
use alloc::string::String;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::{Sequence, VisitorId, WriterId, parse_hex_16};
use selvedge_core::limits::{FOREIGN_EVENTS_MAX, FOREIGN_ID_BYTES_MAX, FOREIGN_WINDOW_MS};
use selvedge_core::wire::stored::{ForeignEvent, ForeignWindow};
use sha2::{Digest, Sha256};

/// Whom a request is about, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// An id of our own.
    Ours(VisitorId),
    /// An id that another SDK gave.
    Theirs(String),
}

impl Whose {
    /// Reads the two fields of which exactly one is given.
    ///
    /// # Errors
    /// [`Fault`] 400 where both or none is given, where `visitor` is not 32 hexadecimal digits, and where `anonymous_id`
    /// is empty or has more than [`FOREIGN_ID_BYTES_MAX`] bytes.
    pub fn read(visitor: Option<&str>, anonymous_id: Option<&str>) -> Result<Self, Fault> {
        match (visitor, anonymous_id) {
            (Some(text), None) => parse_hex_16(text)
                .map(|bytes| Self::Ours(VisitorId(bytes)))
                .ok_or_else(|| Fault::unreadable("visitor must be 32 hexadecimal digits")),
            (None, Some(id)) if is_id(id) => Ok(Self::Theirs(id.into())),
            (None, Some(_)) => {
                Err(Fault::unreadable(format!("anonymous_id must be 1 to {FOREIGN_ID_BYTES_MAX} bytes")))
            }
            _ => Err(Fault::unreadable("name either visitor or anonymous_id")),
        }
    }

    /// The visitor at this site.
    #[must_use]
    pub fn visitor(&self, site: &str) -> VisitorId {
        match self {
            Self::Ours(visitor) => *visitor,
            Self::Theirs(id) => visitor_of(site, id),
        }
    }

    /// The id as the other SDK gave it.
    #[must_use]
    pub fn into_original(self) -> Option<String> {
        match self {
            Self::Ours(_) => None,
            Self::Theirs(id) => Some(id),
        }
    }
}

/// Whether a text can be an id: neither empty nor above its bound.
#[must_use]
pub const fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= FOREIGN_ID_BYTES_MAX
}

/// The visitor that stands for an id of another system: SHA-256 of site, a zero byte and the id, cut to 16 bytes, the
/// first of which is the topology entry 0.
#[must_use]
pub fn visitor_of(site: &str, id: &str) -> VisitorId {
    let mut bytes: [u8; 16] = digest(&[site.as_bytes(), id.as_bytes()]);
    let [topology, ..] = &mut bytes;
    *topology = 0;
    VisitorId(bytes)
}

/// The writer that stands for all senders that name their events themselves. It tells two visitors apart, so that no two
/// events of a site have one id.
#[must_use]
pub const fn writer_of(visitor: VisitorId) -> WriterId {
    WriterId::from_bits(fnv1a_64(&visitor.0))
}

/// The name under which an event's id is remembered.
#[must_use]
pub fn key_of(message_id: &str) -> u64 {
    u64::from_le_bytes(digest(&[message_id.as_bytes()]))
}

/// The first bytes of the SHA-256 of the parts, each followed by a zero byte but the last.
#[must_use]
pub fn digest<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let hash = Sha256::digest(parts.join(&0));
    let mut bytes = [0; N];
    bytes.iter_mut().zip(hash).for_each(|(byte, source)| *byte = source);
    bytes
}

/// What the window goes by for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// When it happened, at most now.
    time_ms: u64,
    /// The end of the window.
    now_ms: u64,
}

impl Times {
    /// Of an event that came at `received_ms`; `None` where the events' own times are the clock.
    #[must_use]
    pub fn new(window: &ForeignWindow, time_ms: u64, received_ms: Option<u64>) -> Self {
        let newest_ms = window.taken.last().map_or(0, |newest| newest.time_ms);
        let now_ms = received_ms.unwrap_or_else(|| newest_ms.max(time_ms));
        Self { time_ms: time_ms.min(now_ms), now_ms }
    }

    const fn start_ms(self) -> u64 {
        self.now_ms.saturating_sub(FOREIGN_WINDOW_MS)
    }
}

/// What is known of the event with this key. Changes nothing.
#[must_use]
pub fn judge(window: &ForeignWindow, key: u64, times: Times) -> Verdict {
    if window.taken.iter().any(|event| event.key == key) {
        return Verdict::Duplicate;
    }
    let is_evicted = window.watermark_ms > 0 && times.time_ms <= window.watermark_ms;
    if is_evicted || times.time_ms < times.start_ms() { Verdict::TooOld } else { Verdict::New }
}

/// Takes the event with this key, so that it is a duplicate from now on, and gives it the visitor's next sequence.
///
/// What left the window is forgotten; above [`FOREIGN_EVENTS_MAX`] the oldest is evicted and leaves a watermark.
pub fn take(window: &mut ForeignWindow, key: u64, times: Times) -> Option<Sequence> {
    let event = ForeignEvent { time_ms: times.time_ms, key };
    let outdated = window.taken.partition_point(|event| event.time_ms < times.start_ms());
    window.taken.drain(..outdated);
    if let Err(at) = window.taken.binary_search(&event) {
        window.taken.insert(at, event);
    }
    if window.taken.len() > FOREIGN_EVENTS_MAX {
        let evicted = window.taken.remove(0);
        window.watermark_ms = window.watermark_ms.max(evicted.time_ms);
    }
    window.counted = window.counted.checked_rem(Sequence::MAX).unwrap_or(0).saturating_add(1);
    Sequence::new(window.counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const NOW_MS: u64 = 1_795_000_000_000;

    fn arrive(window: &mut ForeignWindow, key: u64, time_ms: u64, received_ms: Option<u64>) -> Verdict {
        let times = Times::new(window, time_ms, received_ms);
        let verdict = judge(window, key, times);
        if verdict == Verdict::New {
            take(window, key, times);
        }
        verdict
    }

    #[test]
    fn visitor_ids_are_published_with_a_vector() {
        // python3: hashlib.sha256(b"shop\0user_0000").hexdigest()[:32], the first byte set to 00
        assert_eq!(visitor_of("shop", "user_0000").to_string(), "00e627f69ad984bb8127c54ef402800e");
        assert_ne!(visitor_of("shop", "user_0000"), visitor_of("saas", "user_0000"));
        assert_eq!(visitor_of("shop", "user_0000").topology(), 0);
    }

    #[test]
    fn one_of_the_two_ids_names_the_visitor() {
        let ours = "000102030405060708090a0b0c0d0e0f";
        assert_eq!(Whose::read(Some(ours), None).unwrap().visitor("shop").to_string(), ours);
        let theirs = Whose::read(None, Some("user_0000")).unwrap();
        assert_eq!(theirs.visitor("shop"), visitor_of("shop", "user_0000"));
        let long = "x".repeat(FOREIGN_ID_BYTES_MAX + 1);
        for (visitor, anonymous_id) in
            [(None, None), (Some(ours), Some("a")), (None, Some("")), (None, Some(&long)), (Some("zz"), None)]
        {
            assert_eq!(Whose::read(visitor, anonymous_id).unwrap_err().status, 400);
        }
    }

    #[test]
    fn an_event_from_before_the_window_is_refused_not_guessed() {
        let mut window = ForeignWindow::default();
        let early = NOW_MS - FOREIGN_WINDOW_MS;
        assert_eq!(arrive(&mut window, 1, early, Some(NOW_MS)), Verdict::New);
        assert_eq!(arrive(&mut window, 2, early - 1, Some(NOW_MS)), Verdict::TooOld);
        assert_eq!(arrive(&mut window, 1, early, Some(NOW_MS)), Verdict::Duplicate);
        assert_eq!(arrive(&mut window, 3, NOW_MS + 1, Some(NOW_MS + 1)), Verdict::New);
        assert_eq!(arrive(&mut window, 1, early, Some(NOW_MS + 1)), Verdict::TooOld);
    }

    #[test]
    fn a_recording_carries_the_window_along_with_its_times() {
        let mut window = ForeignWindow::default();
        assert_eq!(arrive(&mut window, 1, 1_000, None), Verdict::New);
        assert_eq!(arrive(&mut window, 2, NOW_MS, None), Verdict::New);
        assert_eq!(arrive(&mut window, 3, NOW_MS - 5_000, None), Verdict::New);
        assert_eq!(arrive(&mut window, 1, 1_000, None), Verdict::TooOld);
    }

    #[test]
    fn a_clock_that_runs_ahead_does_not_push_the_window_ahead() {
        let mut window = ForeignWindow::default();
        assert_eq!(arrive(&mut window, 1, NOW_MS * 2, Some(NOW_MS)), Verdict::New);
        assert_eq!(arrive(&mut window, 2, NOW_MS - 5_000, Some(NOW_MS)), Verdict::New);
        assert_eq!(arrive(&mut window, 1, NOW_MS * 2, Some(NOW_MS + 60_000)), Verdict::Duplicate);
    }

    #[test]
    fn sequences_begin_anew_after_the_greatest() {
        let mut window = ForeignWindow { counted: Sequence::MAX, ..ForeignWindow::default() };
        let times = Times::new(&window, NOW_MS, Some(NOW_MS));
        assert_eq!(take(&mut window, 1, times), Sequence::new(1));
    }

    proptest! {
        /// Nothing is taken twice, whatever comes in whatever order; and the window keeps its bound.
        #[test]
        fn no_id_is_taken_twice_and_the_window_is_bounded(
            events in prop::collection::vec((0u64..1_500, 0u64..3 * FOREIGN_WINDOW_MS, 0u64..200_000), 1..2_500),
            is_recorded: bool,
        ) {
            let (mut window, mut taken, mut now_ms) = (ForeignWindow::default(), BTreeMap::new(), NOW_MS);
            for (key, age_ms, later_ms) in events {
                now_ms += later_ms;
                // An id stands for one event: its time does not change.
                let time_ms = *taken.get(&key).unwrap_or(&(now_ms - age_ms % (2 * FOREIGN_WINDOW_MS)));
                let verdict = arrive(&mut window, key, time_ms, (!is_recorded).then_some(now_ms));
                if verdict == Verdict::New {
                    prop_assert_eq!(taken.insert(key, time_ms), None, "taken twice");
                }
                prop_assert!(window.taken.len() <= FOREIGN_EVENTS_MAX);
                prop_assert!(window.taken.is_sorted());
            }
        }

        #[test]
        fn a_repetition_changes_nothing(keys in prop::collection::vec(0u64..100, 1..80)) {
            let mut window = ForeignWindow::default();
            keys.iter().for_each(|key| { arrive(&mut window, *key, NOW_MS - key, Some(NOW_MS)); });
            let once = window.clone();
            let again: Vec<Verdict> =
                keys.iter().map(|key| arrive(&mut window, *key, NOW_MS - key, Some(NOW_MS))).collect();
            prop_assert!(again.iter().all(|verdict| *verdict == Verdict::Duplicate));
            prop_assert_eq!(window, once);
        }
    }
}
