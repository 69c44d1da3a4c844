//! Every bound of the producer. What a broker says beyond one of these is not read.

/// Bytes of one answer of a broker. The metadata of a topic with ten thousand partitions stays below it.
pub const FRAME_BYTES_MAX: usize = 4 << 20;
/// Partitions of one topic.
pub const PARTITIONS_MAX: usize = 10_000;
/// Brokers of one cluster.
pub const BROKERS_MAX: usize = 2_000;
/// Bytes of the records of one batch of one partition, before compression. Brokers refuse more than 1,048,588 bytes unless
/// told otherwise.
pub const PART_BYTES_MAX: usize = 900_000;
/// Links that one burst opens, broken ones included.
pub const LINKS_MAX: usize = 64;
/// Rounds of password stretching that a server may ask for. Fewer than the minimum would be a server that fishes for
/// passwords, more a server that burns our time.
pub const SCRAM_ROUNDS_MIN: u32 = 4_096;
/// See [`SCRAM_ROUNDS_MIN`]; Kafka itself allows 16,384.
pub const SCRAM_ROUNDS_MAX: u32 = 65_536;
/// How long a broker may wait for its replicas before it answers a batch.
pub const REPLICAS_WAIT_MS: i32 = 10_000;
/// The longest pause that a broker's throttling is granted.
pub const THROTTLE_MS_MAX: u32 = 10_000;
