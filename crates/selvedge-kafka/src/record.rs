//! A record, and the batch of one partition on the wire (magic 2).

use bytes::{BufMut, Bytes};
use kafka_protocol::records::IEEE;

const MAGIC: i8 = 2;
const GZIP: i16 = 1;
/// What stands between a batch's checksum and its records.
const CHECKED_HEAD_BYTES: usize = 40;
/// Deflate at the level that other producers take.
const GZIP_LEVEL: u8 = 6;

/// One message of a topic.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Record {
    /// What decides the partition: the visitor.
    pub key: Bytes,
    /// The message itself.
    pub value: Bytes,
    /// Its headers, in order.
    pub headers: Vec<(String, Bytes)>,
    /// When it happened, in milliseconds since 1970.
    pub time_ms: i64,
    /// Records with the same number, one after the other, are taken or refused together.
    pub group: u64,
}

impl Record {
    /// About how many bytes it takes in a batch.
    #[must_use]
    pub fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len().saturating_add(value.len()));
        headers
            .fold(self.key.len().saturating_add(self.value.len()).saturating_add(24), usize::saturating_add)
    }
}

/// A fingerprint of records, in order: other records have another.
pub(crate) fn fingerprint<'a>(records: impl Iterator<Item = &'a Record>, before: u32) -> u32 {
    records.fold(before, |sum, record| {
        crc32c::crc32c_append(crc32c::crc32c_append(sum, &record.key), &record.value).wrapping_add(1)
    })
}

/// Who sends a batch, and the number of its first record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// The producer's id.
    pub producer: i64,
    /// The producer's epoch.
    pub epoch: i16,
    /// The number of the first record among all that the producer sent to the partition.
    pub sequence: i32,
}

/// The batch of these records, byte for byte the same for the same arguments.
#[must_use]
pub fn batch(records: &[&Record], stamp: Stamp, gzip: bool) -> Bytes {
    let times = records.iter().map(|record| record.time_ms);
    let (first_ms, last_ms) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
    let mut body = Vec::with_capacity(records.iter().map(|record| record.size()).sum());
    let mut scratch = Vec::new();
    for (offset, record) in records.iter().enumerate() {
        scratch.clear();
        write(record, number(offset), record.time_ms.saturating_sub(first_ms), &mut scratch);
        varint(&mut body, number(scratch.len()));
        body.extend_from_slice(&scratch);
    }
    let body = if gzip { compressed(&body) } else { body };
    let count = i32::try_from(records.len()).unwrap_or(i32::MAX);

    let mut checked = Vec::with_capacity(CHECKED_HEAD_BYTES.saturating_add(body.len()));
    checked.put_i16(if gzip { GZIP } else { 0 });
    checked.put_i32(count.saturating_sub(1).max(0));
    checked.put_i64(first_ms);
    checked.put_i64(last_ms);
    checked.put_i64(stamp.producer);
    checked.put_i16(stamp.epoch);
    checked.put_i32(stamp.sequence);
    checked.put_i32(count);
    checked.extend_from_slice(&body);

    let mut bytes = Vec::with_capacity(checked.len().saturating_add(21));
    bytes.put_i64(0); // the broker puts the offset here
    bytes.put_i32(i32::try_from(checked.len().saturating_add(9)).unwrap_or(i32::MAX));
    bytes.put_i32(-1); // the leader's epoch
    bytes.put_i8(MAGIC);
    bytes.put_u32(crc32c::crc32c(&checked));
    bytes.extend_from_slice(&checked);
    Bytes::from(bytes)
}

fn write(record: &Record, offset: i64, later_ms: i64, out: &mut Vec<u8>) {
    out.put_i8(0);
    varint(out, later_ms);
    varint(out, offset);
    counted(out, &record.key);
    counted(out, &record.value);
    varint(out, number(record.headers.len()));
    for (name, value) in &record.headers {
        counted(out, name.as_bytes());
        counted(out, value);
    }
}

fn counted(out: &mut Vec<u8>, bytes: &[u8]) {
    varint(out, number(bytes.len()));
    out.extend_from_slice(bytes);
}

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.put_u8((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.put_u8(rest as u8);
}

fn number(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// As gzip (RFC 1952), without a name and without a time.
fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, GZIP_LEVEL));
    out.put_u32_le(IEEE.checksum(bytes));
    out.put_u32_le((bytes.len() & 0xffff_ffff) as u32);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use kafka_protocol::indexmap::IndexMap;
    use kafka_protocol::protocol::StrBytes;
    use kafka_protocol::records::{
        Compression, NO_PARTITION_LEADER_EPOCH, Record as Theirs, RecordBatchDecoder, RecordBatchEncoder,
        RecordEncodeOptions, TimestampType,
    };
    use proptest::prelude::*;

    fn theirs(record: &Record, index: usize, stamp: Stamp) -> Theirs {
        let headers: IndexMap<StrBytes, Option<Bytes>> = record
            .headers
            .iter()
            .map(|(name, value)| (StrBytes::from_string(name.clone()), Some(value.clone())))
            .collect();
        Theirs {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: stamp.producer,
            producer_epoch: stamp.epoch,
            timestamp_type: TimestampType::Creation,
            offset: index as i64,
            sequence: stamp.sequence.wrapping_add(index as i32),
            timestamp: record.time_ms,
            key: Some(record.key.clone()),
            value: Some(record.value.clone()),
            headers,
        }
    }

    prop_compose! {
        fn any_record()(
            key in prop::collection::vec(any::<u8>(), 0..40),
            value in prop::collection::vec(any::<u8>(), 0..300),
            headers in prop::collection::btree_map("[a-z_]{1,12}", prop::collection::vec(any::<u8>(), 0..20), 0..6),
            time_ms in 0_i64..4_000_000_000_000,
        ) -> Record {
            let headers = headers.into_iter().map(|(name, value)| (name, Bytes::from(value))).collect();
            Record { key: key.into(), value: value.into(), headers, time_ms, group: 0 }
        }
    }

    proptest! {
        #[test]
        fn a_batch_is_written_as_kafka_protocol_writes_it(
            records in prop::collection::vec(any_record(), 1..20),
            producer in 0_i64..1_000_000,
            epoch in 0_i16..100,
            sequence in 0_i32..i32::MAX - 30,
        ) {
            let stamp = Stamp { producer, epoch, sequence };
            let theirs: Vec<Theirs> =
                records.iter().enumerate().map(|(index, record)| theirs(record, index, stamp)).collect();
            let mut expected = BytesMut::new();
            let options = RecordEncodeOptions { version: 2, compression: Compression::None };
            RecordBatchEncoder::encode(&mut expected, &theirs, &options).unwrap();
            let borrowed: Vec<&Record> = records.iter().collect();
            prop_assert_eq!(&batch(&borrowed, stamp, false)[..], &expected[..]);
            let mut zipped = batch(&borrowed, stamp, true);
            let read = RecordBatchDecoder::decode(&mut zipped).unwrap();
            prop_assert_eq!(read.compression, Compression::Gzip);
            prop_assert_eq!(read.records, theirs);
        }
    }
}
