//! Dedup: which sequences of a writer were already taken. Exact, and constant in time and space: a gapless mark, a bitmap
//! above it, and for writers that were given up a watermark of boot time.

use alloc::vec::Vec;
use selvedge_core::id::{Sequence, WriterId};
use selvedge_core::limits::{DEDUP_WINDOW, WRITERS_KEPT, WRITERS_KEPT_MINUTES, WRITERS_MAX};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::wire::stored::{VisitorRecord, WriterWindow};

/// What is known of a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was never taken.
    New,
    /// It was taken before.
    Duplicate,
    /// Its writer booted at or before the watermark and has no window: whether it is new cannot be known.
    TooOld,
    /// It lies further above the mark than [`DEDUP_WINDOW`].
    Gap,
}

/// What is known of `sequence` of `writer`. Changes nothing.
#[must_use]
pub fn judge(record: &VisitorRecord, writer: WriterId, sequence: Sequence) -> Verdict {
    match record.writers.iter().find(|window| window.writer == writer) {
        Some(window) => judge_in(window, sequence.get()),
        None if record.watermark > 0 && writer.boot_minute() <= record.watermark => Verdict::TooOld,
        None if sequence.get() > DEDUP_WINDOW => Verdict::Gap,
        None => Verdict::New,
    }
}

/// Takes `sequence` of `writer`, so that it is a duplicate from now on.
///
/// A writer without a window gets one. Above [`WRITERS_MAX`], or above [`WRITERS_KEPT`] where it booted long before the newest, the
/// window of the oldest other boot is given up.
pub fn take(record: &mut VisitorRecord, writer: WriterId, sequence: Sequence) {
    if is_planted(Mutation::DedupForgotten) {
        return;
    }
    let window = window_of(record, writer);
    set_bit(window, sequence.get());
    settle(window);
    give_up_oldest(record, writer);
}

/// Whether everything of `writer` up to `sequence` was taken, or will never come.
#[must_use]
pub fn is_in_order(record: &VisitorRecord, writer: WriterId, sequence: Sequence) -> bool {
    record.writers.iter().any(|window| window.writer == writer && window.mark >= sequence.get())
}

/// Raises the mark of `writer` to just below `floor`: sequences below it will never come (again).
///
/// A writer whose window was given up gets none from this.
pub fn raise(record: &mut VisitorRecord, writer: WriterId, floor: u32) {
    let known = record.writers.iter().any(|window| window.writer == writer);
    if floor <= 1 || (!known && writer.boot_minute() <= record.watermark) {
        return;
    }
    let window = window_of(record, writer);
    let mark = floor.saturating_sub(1).min(Sequence::MAX);
    if mark > window.mark {
        shift(window, mark.saturating_sub(window.mark));
        settle(window);
    }
    give_up_oldest(record, writer);
}

/// The greatest sequence that was taken of a window's writer, or that will never come.
#[must_use]
pub fn highest(window: &WriterWindow) -> u32 {
    let Some(last) = window.above.last() else {
        return window.mark;
    };
    let words = u32::try_from(window.above.len()).unwrap_or(0);
    let bits = words.saturating_mul(u64::BITS).saturating_sub(last.leading_zeros());
    window.mark.saturating_add(bits)
}

fn judge_in(window: &WriterWindow, sequence: u32) -> Verdict {
    let Some(offset) = sequence.checked_sub(window.mark).and_then(|above| above.checked_sub(1)) else {
        return Verdict::Duplicate;
    };
    if offset >= DEDUP_WINDOW {
        return Verdict::Gap;
    }
    let (word, bit) = place(offset);
    match window.above.get(word) {
        Some(bits) if bits & bit != 0 => Verdict::Duplicate,
        _ => Verdict::New,
    }
}

fn window_of(record: &mut VisitorRecord, writer: WriterId) -> &mut WriterWindow {
    let at = match record.writers.binary_search_by_key(&writer, |window| window.writer) {
        Ok(at) => at,
        Err(at) => {
            record.writers.insert(at, WriterWindow { writer, mark: 0, above: Vec::new() });
            at
        }
    };
    #[expect(clippy::indexing_slicing, reason = "the place was found or filled in the lines above")]
    &mut record.writers[at]
}

/// The one that is being taken from stays, even where it is the oldest: the rest of its batch comes next.
fn give_up_oldest(record: &mut VisitorRecord, taken: WriterId) {
    while let Some(at) = oldest_to_give_up(&record.writers, taken) {
        let oldest = record.writers.remove(at);
        record.watermark = record.watermark.max(oldest.writer.boot_minute());
    }
}

fn oldest_to_give_up(windows: &[WriterWindow], taken: WriterId) -> Option<usize> {
    let at = usize::from(windows.first()?.writer == taken);
    let oldest = windows.get(at)?.writer.boot_minute();
    let newest = windows.last()?.writer.boot_minute();
    let is_old = newest.saturating_sub(oldest) > WRITERS_KEPT_MINUTES;
    let is_over = windows.len() > WRITERS_MAX || (windows.len() > WRITERS_KEPT && is_old);
    is_over.then_some(at)
}

/// Sets the bit of a sequence above the mark; the caller has judged it, so it lies in the window.
fn set_bit(window: &mut WriterWindow, sequence: u32) {
    let Some(offset) = sequence.checked_sub(window.mark).and_then(|above| above.checked_sub(1)) else {
        return;
    };
    if offset >= DEDUP_WINDOW {
        return;
    }
    let (word, bit) = place(offset);
    if window.above.len() <= word {
        window.above.resize(word.saturating_add(1), 0);
    }
    if let Some(bits) = window.above.get_mut(word) {
        *bits |= bit;
    }
}

/// Moves the mark over the gapless run above it.
fn settle(window: &mut WriterWindow) {
    while let Some(first) = window.above.first() {
        let run = first.trailing_ones();
        if run == 0 {
            break;
        }
        shift(window, run);
    }
    while window.above.last() == Some(&0) {
        window.above.pop();
    }
}

/// Raises the mark by `by` and moves the bitmap along.
fn shift(window: &mut WriterWindow, by: u32) {
    window.mark = window.mark.saturating_add(by);
    let (words, bits) = (usize::try_from(by / u64::BITS).unwrap_or(usize::MAX), by % u64::BITS);
    window.above.drain(..words.min(window.above.len()));
    if bits == 0 {
        return;
    }
    let mut carry = 0;
    for word in window.above.iter_mut().rev() {
        let next = word.wrapping_shl(u64::BITS.wrapping_sub(bits));
        *word = word.wrapping_shr(bits) | carry;
        carry = next;
    }
}

fn place(offset: u32) -> (usize, u64) {
    (usize::try_from(offset / u64::BITS).unwrap_or(usize::MAX), 1u64.wrapping_shl(offset % u64::BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use proptest::prelude::*;

    fn sequence(number: u32) -> Sequence {
        Sequence::new(number).unwrap()
    }

    fn writer(minute: u64, random: u32) -> WriterId {
        use selvedge_core::id::BOOT_EPOCH_MINUTES;
        WriterId::mint((BOOT_EPOCH_MINUTES + minute) * 60_000, random)
    }

    fn taken(numbers: &[u32]) -> VisitorRecord {
        let mut record = VisitorRecord::default();
        numbers.iter().for_each(|number| take(&mut record, writer(5, 1), sequence(*number)));
        record
    }

    #[test]
    fn a_sequence_is_new_once() {
        let record = taken(&[1, 2, 5]);
        let judged: Vec<_> = (1..=6).map(|n| judge(&record, writer(5, 1), sequence(n))).collect();
        use Verdict::{Duplicate, New};
        assert_eq!(judged, [Duplicate, Duplicate, New, New, Duplicate, New]);
        assert_eq!(record.writers[0].mark, 2);
        assert_eq!(highest(&record.writers[0]), 5);
    }

    #[test]
    fn filling_the_gap_moves_the_mark_and_empties_the_bitmap() {
        let record = taken(&[1, 2, 5, 4, 3]);
        assert_eq!(record.writers[0].mark, 5);
        assert!(record.writers[0].above.is_empty());
    }

    #[test]
    fn a_sequence_far_above_the_mark_is_a_gap_until_the_floor_follows() {
        let mut record = taken(&[1]);
        let far = sequence(DEDUP_WINDOW + 2);
        assert_eq!(judge(&record, writer(5, 1), sequence(DEDUP_WINDOW + 1)), Verdict::New);
        assert_eq!(judge(&record, writer(5, 1), far), Verdict::Gap);
        raise(&mut record, writer(5, 1), far.get());
        assert_eq!(judge(&record, writer(5, 1), far), Verdict::New);
        assert_eq!(judge(&record, writer(5, 1), sequence(7)), Verdict::Duplicate);
    }

    /// What is left of one event of each of `count` boots, so many minutes apart from minute 10 on.
    fn boots(count: usize, minutes: u64) -> VisitorRecord {
        let mut record = VisitorRecord::default();
        for boot in 0..u32::try_from(count).unwrap() {
            take(&mut record, writer(10 + u64::from(boot) * minutes, boot), sequence(1));
        }
        record
    }

    #[test]
    fn pages_that_begin_within_one_minute_are_all_heard() {
        let record = boots(WRITERS_MAX, 0);
        assert_eq!((record.writers.len(), record.watermark), (WRITERS_MAX, 0));
        assert_eq!(judge(&record, writer(10, 999), sequence(1)), Verdict::New);
        assert_eq!(judge(&record, writer(10, 1), sequence(1)), Verdict::Duplicate);
    }

    #[test]
    fn of_pages_that_began_long_before_the_newest_few_are_kept() {
        assert_eq!(boots(3 * WRITERS_KEPT, WRITERS_KEPT_MINUTES + 1).writers.len(), WRITERS_KEPT);
        assert_eq!(boots(3 * WRITERS_KEPT, 1).writers.len(), 3 * WRITERS_KEPT);
        assert_eq!(boots(2 * WRITERS_MAX, 0).writers.len(), WRITERS_MAX);
    }

    #[test]
    fn a_page_that_was_open_longest_is_heard_to_the_end() {
        let mut record = boots(WRITERS_KEPT, 1 + WRITERS_KEPT_MINUTES);
        for number in 1..=3 {
            assert_eq!(judge(&record, writer(5, 0), sequence(number)), Verdict::New);
            take(&mut record, writer(5, 0), sequence(number));
        }
        assert_eq!(judge(&record, writer(5, 0), sequence(2)), Verdict::Duplicate);
        assert_eq!(judge(&record, writer(10, 0), sequence(2)), Verdict::TooOld);
        assert_eq!(record.writers.len(), WRITERS_KEPT);
    }

    #[test]
    fn an_evicted_writer_leaves_a_watermark_and_its_events_are_too_old() {
        let mut record = boots(WRITERS_KEPT + 1, 1 + WRITERS_KEPT_MINUTES);
        assert_eq!(record.writers.len(), WRITERS_KEPT);
        assert_eq!(record.watermark, 10);
        assert_eq!(judge(&record, writer(10, 0), sequence(2)), Verdict::TooOld);
        assert_eq!(judge(&record, writer(9, 7), sequence(1)), Verdict::TooOld);
        assert_eq!(judge(&record, writer(11, 7), sequence(1)), Verdict::New);
        raise(&mut record, writer(10, 0), 5);
        assert_eq!(judge(&record, writer(10, 0), sequence(9)), Verdict::TooOld);
    }

    proptest! {
        /// The window against a plain set of everything that was taken.
        #[test]
        fn the_window_tells_the_same_as_a_set(
            steps in prop::collection::vec((1u32..3_000, prop::bool::weighted(0.05)), 1..400)
        ) {
            let (mut record, mut known, mut floor) = (VisitorRecord::default(), BTreeSet::new(), 1);
            let whose = writer(5, 1);
            for (number, raises) in steps {
                if raises {
                    raise(&mut record, whose, number);
                    floor = floor.max(number);
                    continue;
                }
                let is_known = number < floor || known.contains(&number);
                match judge(&record, whose, sequence(number)) {
                    Verdict::New => {
                        prop_assert!(!is_known);
                        take(&mut record, whose, sequence(number));
                        known.insert(number);
                    }
                    Verdict::Duplicate => prop_assert!(is_known),
                    Verdict::Gap => prop_assert!(!is_known && number > DEDUP_WINDOW),
                    Verdict::TooOld => prop_assert!(false),
                }
            }
            let encoded = record.encode();
            prop_assert_eq!(VisitorRecord::decode(&encoded), Ok(record));
        }

        #[test]
        fn taking_twice_changes_nothing_more(numbers in prop::collection::vec(1u32..1_000, 1..100)) {
            let once = taken(&numbers);
            let mut twice = once.clone();
            numbers.iter().for_each(|number| take(&mut twice, writer(5, 1), sequence(*number)));
            prop_assert_eq!(once, twice);
        }
    }
}
