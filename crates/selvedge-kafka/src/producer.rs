//! What must survive a crash: who we are to the brokers, and how far the batch in flight came.
//!
//! The shell commits it before bytes leave and after each outcome. With it the same records make the same batches, with
//! the same numbers, so that a broker tells a batch that it has already.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits::PART_BYTES_MAX;
use crate::murmur2;
use crate::record::{self, Record, Stamp};

/// The first byte of an encoded producer.
const VERSION: u8 = 1;

/// A producer of one topic.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Producer {
    cluster: String,
    topic: String,
    /// How many partitions the topic had when we last asked; 0 before that.
    partitions: u32,
    identity: Option<(i64, i16)>,
    /// The number of the next record of each partition that was written to.
    sequences: BTreeMap<i32, i32>,
    in_flight: Option<InFlight>,
    /// Records that the brokers may have twice and that nobody was told of.
    untold_duplicates: u64,
}

/// How the records in flight are dealt out, fixed before the first byte leaves.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
struct InFlight {
    partitions: u32,
    gzip: bool,
    marks: BTreeMap<i32, Mark>,
}

/// How far one partition came.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
struct Mark {
    /// So many of the partition's records the broker has.
    done: usize,
    /// Their fingerprint.
    done_sum: u32,
    /// So many groups go at once, where a batch was too large.
    groups_max: Option<usize>,
    /// The fingerprint of the next part, where it may have been sent already under the next number.
    head_sum: Option<u32>,
}

/// The stored bytes are no producer of this version.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the stored state of the Kafka producer cannot be read")]
pub struct Unreadable;

/// The records that go to one partition next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Part {
    /// The partition.
    pub partition: i32,
    /// The places of the records among those in flight, in order.
    pub records: Vec<usize>,
    /// How many groups they are.
    pub groups: usize,
    /// Who sends them, and the number of the first.
    pub stamp: Stamp,
}

impl Producer {
    /// The bytes to keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Writing into a vector cannot fail.
        let mut bytes = vec![VERSION];
        bytes.extend(postcard::to_allocvec(self).unwrap_or_default());
        bytes
    }

    /// The producer that was kept; no bytes are a producer that has not spoken yet.
    ///
    /// # Errors
    /// Where the bytes are of another version, or none of ours.
    pub fn decode(bytes: &[u8]) -> Result<Producer, Unreadable> {
        match bytes.split_first() {
            None => Ok(Producer::default()),
            Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|_| Unreadable),
            Some(_) => Err(Unreadable),
        }
    }

    /// How many records may have arrived twice since the last call.
    pub fn take_duplicates(&mut self) -> u64 {
        std::mem::take(&mut self.untold_duplicates)
    }

    /// Whether a broker must be asked before anything can be dealt out.
    pub(crate) fn is_unknown(&self) -> bool {
        self.identity.is_none() || self.partitions == 0
    }

    /// Takes what the brokers say of themselves. In another cluster, or for another topic, our id and numbers mean
    /// something else; and a topic that has fewer partitions than before was made anew.
    pub(crate) fn recognise(&mut self, cluster: &str, topic: &str, partitions: u32) {
        if self.cluster != cluster || self.topic != topic || self.partitions > partitions {
            *self = Producer { untold_duplicates: self.untold_duplicates, ..Producer::default() };
        }
        self.cluster = cluster.to_string();
        self.topic = topic.to_string();
        self.partitions = partitions;
    }

    /// Whether what the producer remembers was said of this topic.
    pub(crate) fn is_of(&self, topic: &str) -> bool {
        self.topic == topic
    }

    /// Takes the id that a broker gave.
    pub(crate) fn identify(&mut self, id: i64, epoch: i16) {
        self.identity = Some((id, epoch));
        self.sequences.clear();
    }

    /// The brokers do not know us any more: `uncertain` records may arrive a second time.
    pub(crate) fn forget(&mut self, uncertain: usize) {
        self.identity = None;
        self.sequences.clear();
        let more = u64::try_from(uncertain).unwrap_or(u64::MAX);
        self.untold_duplicates = self.untold_duplicates.saturating_add(more);
        if let Some(laid) = &mut self.in_flight {
            laid.marks.values_mut().for_each(|mark| mark.head_sum = None);
        }
    }

    /// Whether these records are those that were dealt out: what is done is among them, and what may have been sent under
    /// the next number is what comes next. Sent otherwise, a broker would take other records for those, and drop them.
    pub(crate) fn knows(&self, records: &[Record]) -> bool {
        let Some(laid) = &self.in_flight else { return false };
        let dealt = laid.deal(records);
        laid.marks.iter().all(|(partition, mark)| {
            let all = dealt.get(partition).map_or(&[][..], Vec::as_slice);
            let Some((done, left)) = all.split_at_checked(mark.done) else { return false };
            let head = mark.head(left, records);
            sum(done, records) == mark.done_sum
                && mark.head_sum.is_none_or(|head_sum| !head.is_empty() && sum(head, records) == head_sum)
        })
    }

    /// Fixes how the records in flight are dealt out. Records that are not those in flight, or those without some, replace
    /// them: then whether brokers have the old ones is not known, and we begin as a new producer.
    pub(crate) fn lay_out(&mut self, gzip: bool, records: &[Record]) {
        if self.in_flight.is_some() && !self.knows(records) {
            let uncertain = self.uncertain();
            self.in_flight = None;
            self.forget(uncertain);
        }
        let partitions = self.partitions;
        let laid =
            self.in_flight.get_or_insert_with(|| InFlight { partitions, gzip, marks: BTreeMap::new() });
        for (partition, all) in laid.deal(records) {
            laid.marks.entry(partition).or_default().expect(&all, records);
        }
    }

    /// How many records are done, of a batch that is given up.
    fn uncertain(&self) -> usize {
        let marks = self.in_flight.iter().flat_map(|laid| laid.marks.values());
        marks.fold(0, |count, mark| count.saturating_add(mark.done))
    }

    /// How many records of its partition brokers may have where this part failed: of one that was halved, a copy of the whole may
    /// have been under way, and taken after all.
    pub(crate) fn exposed(&self, part: &Part, records: &[Record]) -> usize {
        let Some(laid) = &self.in_flight else { return part.records.len() };
        let mark = laid.marks.get(&part.partition).copied().unwrap_or_default();
        if mark.groups_max.is_none() {
            return part.records.len();
        }
        let all = laid.deal(records).get(&part.partition).map_or(0, Vec::len);
        all.saturating_sub(mark.done)
    }

    /// Whether brokers have some of the records in flight.
    pub(crate) fn has_begun(&self) -> bool {
        self.uncertain() > 0
    }

    /// Whether the batches in flight are compressed.
    pub(crate) fn gzip(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|laid| laid.gzip)
    }

    /// The next records of each partition that has not all of its records.
    pub(crate) fn parts(&self, records: &[Record]) -> Vec<Part> {
        let (Some(laid), Some((producer, epoch))) = (&self.in_flight, self.identity) else {
            return Vec::new();
        };
        let part = |(partition, all): (i32, Vec<usize>)| {
            let mark = laid.marks.get(&partition).copied().unwrap_or_default();
            let head = mark.head(all.get(mark.done..).unwrap_or_default(), records).to_vec();
            let sequence = self.sequences.get(&partition).copied().unwrap_or(0);
            let stamp = Stamp { producer, epoch, sequence };
            let groups = groups(&head, records).count();
            if groups == 0 { None } else { Some(Part { partition, records: head, groups, stamp }) }
        };
        laid.deal(records).into_iter().filter_map(part).collect()
    }

    /// The broker has the partition's next part.
    pub(crate) fn advance(&mut self, part: &Part, records: &[Record]) {
        self.change(part.partition, records, |mark| {
            mark.done_sum = fingerprint_of(&part.records, records, mark.done_sum);
            mark.done = mark.done.saturating_add(part.records.len());
        });
        let next = self.sequences.entry(part.partition).or_default();
        *next = after(*next, part.records.len());
    }

    /// The partition takes half as many records at once.
    pub(crate) fn halve(&mut self, part: &Part, records: &[Record]) {
        let groups_max = part.groups.div_ceil(2).max(1);
        self.change(part.partition, records, |mark| mark.groups_max = Some(groups_max));
    }

    /// The broker refused the partition's next part: its number is free for other records.
    pub(crate) fn release(&mut self, partition: i32) {
        if let Some(mark) = self.in_flight.as_mut().and_then(|laid| laid.marks.get_mut(&partition)) {
            mark.head_sum = None;
        }
    }

    fn change(&mut self, partition: i32, records: &[Record], change: impl FnOnce(&mut Mark)) {
        let Some(laid) = &mut self.in_flight else { return };
        let all = laid.deal(records).remove(&partition).unwrap_or_default();
        let mark = laid.marks.entry(partition).or_default();
        change(mark);
        mark.expect(&all, records);
    }

    /// All records in flight are with the brokers.
    pub(crate) fn finish(&mut self) {
        self.in_flight = None;
    }
}

impl InFlight {
    /// The places of each partition's records.
    fn deal(&self, records: &[Record]) -> BTreeMap<i32, Vec<usize>> {
        let mut dealt: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            let partition = murmur2::partition(&record.key, self.partitions);
            dealt.entry(i32::try_from(partition).unwrap_or(0)).or_default().push(index);
        }
        dealt
    }
}

impl Mark {
    /// The part that goes next, of the records that are left: whole groups, and at least one.
    fn head<'a>(self, left: &'a [usize], records: &[Record]) -> &'a [usize] {
        let (mut bytes, mut count) = (0_usize, 0_usize);
        for group in groups(left, records).take(self.groups_max.unwrap_or(usize::MAX)) {
            let size = |index: &usize| records.get(*index).map_or(0, Record::size);
            bytes = group.iter().map(size).fold(bytes, usize::saturating_add);
            if count > 0 && bytes > PART_BYTES_MAX {
                break;
            }
            count = count.saturating_add(group.len());
        }
        left.get(..count).unwrap_or(left)
    }

    /// Remembers what goes next of all records of the partition.
    fn expect(&mut self, all: &[usize], records: &[Record]) {
        let head = self.head(all.get(self.done..).unwrap_or_default(), records);
        self.head_sum = if head.is_empty() { None } else { Some(sum(head, records)) };
    }
}

/// Runs of records that are taken or refused together.
fn groups<'a>(places: &'a [usize], records: &'a [Record]) -> impl Iterator<Item = &'a [usize]> {
    let group = |place: &usize| records.get(*place).map(|record| record.group);
    places.chunk_by(move |one, other| group(one) == group(other))
}

fn sum(places: &[usize], records: &[Record]) -> u32 {
    fingerprint_of(places, records, 0)
}

fn fingerprint_of(places: &[usize], records: &[Record], before: u32) -> u32 {
    record::fingerprint(places.iter().filter_map(|place| records.get(*place)), before)
}

/// The number that comes `count` after `sequence`: after the last positive number comes 0.
fn after(sequence: i32, count: usize) -> i32 {
    let wrapped =
        (i64::from(sequence)).saturating_add(i64::try_from(count).unwrap_or(0)) & i64::from(i32::MAX);
    i32::try_from(wrapped).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use proptest::prelude::*;

    fn records(count: usize) -> Vec<Record> {
        let record = |index: usize| Record {
            key: Bytes::from(format!("visitor-{}", index % 13)),
            value: Bytes::from(format!("{index}")),
            group: index as u64,
            ..Record::default()
        };
        (0..count).map(record).collect()
    }

    fn producer(partitions: u32) -> Producer {
        let mut producer = Producer::default();
        producer.recognise("here", "shop", partitions);
        producer.identify(7, 0);
        producer
    }

    fn laid_out(partitions: u32, records: &[Record]) -> Producer {
        let mut producer = producer(partitions);
        producer.lay_out(false, records);
        producer
    }

    #[test]
    fn numbers_wrap_as_the_protocol_says() {
        assert_eq!(after(i32::MAX, 1), 0);
        assert_eq!(after(i32::MAX - 1, 3), 1);
        assert_eq!(after(5, 0), 5);
    }

    #[test]
    fn a_part_holds_no_more_bytes_than_brokers_take() {
        let value = Bytes::from(vec![0; 400_000]);
        let record = |group| Record { value: value.clone(), group, ..Record::default() };
        let records: Vec<Record> = (0..5).map(record).collect();
        assert_eq!(laid_out(1, &records).parts(&records)[0].records, [0, 1]);
        let records: Vec<Record> = [0, 0, 0, 1].map(record).to_vec();
        assert_eq!(laid_out(1, &records).parts(&records)[0].records, [0, 1, 2], "a group is not torn");
        let huge = [Record { value: Bytes::from(vec![0; PART_BYTES_MAX]), ..Record::default() }];
        assert_eq!(laid_out(1, &huge).parts(&huge)[0].records, [0], "a lone record goes, whatever its size");
    }

    #[test]
    fn another_cluster_or_topic_or_one_made_anew_knows_nothing_of_us() {
        for (cluster, topic, partitions) in [("there", "shop", 3), ("here", "other", 3), ("here", "shop", 2)]
        {
            let mut producer = producer(3);
            producer.recognise("here", "shop", 3);
            assert!(!producer.is_unknown());
            producer.recognise(cluster, topic, partitions);
            assert!(producer.is_unknown() && producer.sequences.is_empty() && producer.in_flight.is_none());
        }
    }

    #[test]
    fn more_partitions_are_taken_for_the_next_records_only() {
        let records = records(40);
        let mut producer = laid_out(3, &records);
        let parts = producer.parts(&records);
        producer.recognise("here", "shop", 9);
        assert_eq!(producer.parts(&records), parts);
        producer.finish();
        producer.lay_out(false, &records);
        assert!(producer.parts(&records).len() > 3);
    }

    /// Otherwise a broker would take them for the first ones, and drop them.
    #[test]
    fn other_records_never_go_under_numbers_that_may_be_taken() {
        let (first, mut second) = (records(20), records(20));
        second[3].value = Bytes::from_static(b"other");
        let mut producer = laid_out(1, &first);
        assert!(producer.knows(&first) && !producer.knows(&second) && !producer.knows(&[]));
        let part = producer.parts(&first)[0].clone();
        producer.lay_out(false, &second);
        assert!(producer.identity.is_none(), "a new producer's id is asked for");

        let mut producer = laid_out(1, &first);
        producer.advance(&part, &first);
        assert!(producer.knows(&first) && !producer.knows(&second));
        producer.lay_out(false, &second);
        assert!(producer.identity.is_none());
        assert_eq!(producer.take_duplicates(), 20);
        assert_eq!(producer.take_duplicates(), 0);
    }

    #[test]
    fn without_a_refused_record_the_others_keep_their_numbers() {
        let records = records(20);
        let mut producer = laid_out(1, &records);
        producer.release(0);
        let rest: Vec<Record> = records.iter().skip(1).cloned().collect();
        producer.lay_out(false, &rest);
        assert_eq!(producer.identity, Some((7, 0)));
        assert_eq!(producer.parts(&rest)[0].stamp.sequence, 0);
    }

    #[test]
    fn bytes_of_another_version_are_refused() {
        assert_eq!(Producer::decode(&[]), Ok(Producer::default()));
        assert_eq!(Producer::decode(&[9]), Err(Unreadable));
        assert_eq!(Producer::decode(&[VERSION, 0xff]), Err(Unreadable));
    }

    proptest! {
        /// Whatever was done and halved: every record goes once, in the order of its partition, numbers have no gap, and a
        /// restart in between sends the same.
        #[test]
        fn parts_deal_out_every_record_once_and_in_order(
            count in 0_usize..120,
            partitions in 1_u32..9,
            halvings in prop::collection::vec(any::<bool>(), 0..40),
        ) {
            let records = records(count);
            let mut producer = laid_out(partitions, &records);
            let mut arrived: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
            let mut halvings = halvings.into_iter();
            while let Some(part) = producer.parts(&records).into_iter().next() {
                let kept = Producer::decode(&producer.encode()).unwrap();
                prop_assert!(kept.knows(&records));
                prop_assert_eq!(&kept.parts(&records)[0], &part);
                if part.records.len() > 1 && halvings.next() == Some(true) {
                    producer.halve(&part, &records);
                    continue;
                }
                let partition = arrived.entry(part.partition).or_default();
                prop_assert_eq!(part.stamp.sequence as usize, partition.len());
                partition.extend(&part.records);
                producer.advance(&part, &records);
            }
            prop_assert!(arrived.values().all(|partition| partition.is_sorted()));
            let mut all: Vec<usize> = arrived.into_values().flatten().collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
        }

        #[test]
        fn no_stored_bytes_make_it_panic(bytes: Vec<u8>) {
            if let Ok(mut producer) = Producer::decode(&bytes) {
                let _ = (producer.parts(&records(30)), producer.knows(&records(30)));
                producer.lay_out(true, &records(5));
            }
        }
    }
}
