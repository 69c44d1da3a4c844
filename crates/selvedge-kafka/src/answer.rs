//! What brokers answer: the fields that a producer needs, of exactly the versions that it asks for.
//!
//! The crate's own reader, because the one of `kafka-protocol` allocates by counts that the sender claims. Tests hold both
//! to the same bytes.

use crate::limits::{BROKERS_MAX, PARTITIONS_MAX};
use crate::reader::{Malformed, Reader};

/// A request, and the version of it that we speak: its key, its version, and whether its answer's header bears tags.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Api {
    /// The number of the request.
    pub key: i16,
    /// The version of the request and its answer.
    pub version: i16,
    has_tagged_header: bool,
}

/// What a broker speaks.
pub const VERSIONS: Api = Api { key: 18, version: 3, has_tagged_header: false };
/// The same in its oldest form, which every broker speaks.
pub const VERSIONS_OLDEST: Api = Api { key: 18, version: 0, has_tagged_header: false };
/// Who leads which partition.
pub const METADATA: Api = Api { key: 3, version: 9, has_tagged_header: true };
/// A new producer's id.
pub const PRODUCER_ID: Api = Api { key: 22, version: 4, has_tagged_header: true };
/// A batch for each of some partitions.
pub const PRODUCE: Api = Api { key: 0, version: 9, has_tagged_header: true };
/// Which way of logging in.
pub const HANDSHAKE: Api = Api { key: 17, version: 1, has_tagged_header: false };
/// One message of logging in.
pub const AUTHENTICATE: Api = Api { key: 36, version: 2, has_tagged_header: true };

impl Api {
    /// The body of an answer to the request numbered `correlation`.
    ///
    /// # Errors
    /// Where it answers something else.
    pub fn body(self, frame: &[u8], correlation: i32) -> Result<&[u8], Malformed> {
        let mut reader = Reader::new(frame);
        if reader.i32()? != correlation {
            return Err(Malformed);
        }
        if self.has_tagged_header {
            reader.tags()?;
        }
        Ok(reader.rest())
    }

    /// What people call the request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.key {
            0 => "Produce",
            3 => "Metadata",
            17 => "SaslHandshake",
            18 => "ApiVersions",
            22 => "InitProducerId",
            36 => "SaslAuthenticate",
            _ => "a request",
        }
    }
}

/// The answer to ApiVersions.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Versions {
    /// The broker's error.
    pub code: i16,
    /// Key, lowest and highest version of each request that the broker takes.
    pub ranges: Vec<(i16, i16, i16)>,
}

impl Versions {
    /// Reads the oldest form.
    ///
    /// # Errors
    /// Where the bytes are something else.
    pub fn read_oldest(body: &[u8]) -> Result<Versions, Malformed> {
        let mut reader = Reader::new(body);
        let code = reader.i16()?;
        let mut ranges = Vec::new();
        for _ in 0..reader.i32()?.clamp(0, 1_000) {
            ranges.push((reader.i16()?, reader.i16()?, reader.i16()?));
        }
        Ok(Versions { code, ranges })
    }

    /// Reads it. A broker that does not know our version answers in the oldest form, of which only the code is read.
    ///
    /// # Errors
    /// Where the bytes are something else.
    pub fn read(body: &[u8]) -> Result<Versions, Malformed> {
        let mut reader = Reader::new(body);
        let code = reader.i16()?;
        let mut ranges = Vec::new();
        if code == 0 {
            for _ in 0..reader.compact_count(1_000)? {
                ranges.push((reader.i16()?, reader.i16()?, reader.i16()?));
                reader.tags()?;
            }
        }
        Ok(Versions { code, ranges })
    }

    /// Whether the broker takes the request in our version.
    #[must_use]
    pub fn takes(&self, api: Api) -> bool {
        self.ranges.iter().any(|(key, min, max)| *key == api.key && (*min..=*max).contains(&api.version))
    }
}

/// One broker, as metadata names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// Its number in the cluster.
    pub id: i32,
    /// Where it listens.
    pub host: String,
    /// The port there.
    pub port: u16,
}

/// The answer to Metadata about one topic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metadata {
    /// All brokers.
    pub nodes: Vec<Node>,
    /// The cluster's own name; empty where it has none.
    pub cluster_id: String,
    /// The topic's error.
    pub code: i16,
    /// Partition and leader, -1 where there is none now.
    pub leaders: Vec<(i32, i32)>,
}

impl Metadata {
    /// Reads it.
    ///
    /// # Errors
    /// Where the bytes are something else.
    pub fn read(body: &[u8]) -> Result<Metadata, Malformed> {
        let mut reader = Reader::new(body);
        reader.i32()?; // throttle
        let mut nodes = Vec::new();
        for _ in 0..reader.compact_count(BROKERS_MAX)? {
            nodes.push(node(&mut reader)?);
        }
        let cluster_id = reader.compact_text()?.to_string();
        reader.i32()?; // controller
        let (mut code, mut leaders) = (3, Vec::new());
        // We ask for one topic, and take one.
        if reader.compact_count(1)? == 1 {
            code = reader.i16()?;
            reader.compact_text()?;
            reader.i8()?; // internal
            for _ in 0..reader.compact_count(PARTITIONS_MAX)? {
                leaders.push(leader(&mut reader)?);
            }
        }
        Ok(Metadata { nodes, cluster_id, code, leaders })
    }
}

fn node(reader: &mut Reader<'_>) -> Result<Node, Malformed> {
    let (id, host) = (reader.i32()?, reader.compact_text()?.to_string());
    let port = u16::try_from(reader.i32()?).map_err(|_| Malformed)?;
    reader.compact_bytes()?; // rack
    reader.tags()?;
    Ok(Node { id, host, port })
}

fn leader(reader: &mut Reader<'_>) -> Result<(i32, i32), Malformed> {
    let code = reader.i16()?;
    let (partition, leader) = (reader.i32()?, reader.i32()?);
    reader.i32()?; // leader epoch
    for _ in 0..3 {
        reader.skip_numbers()?; // replicas: all, in sync, offline
    }
    reader.tags()?;
    // A leader may be named beside an error about replicas (9); it leads all the same.
    Ok((partition, if matches!(code, 0 | 9) { leader } else { -1 }))
}

/// The answer to InitProducerId.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProducerId {
    /// The broker's error.
    pub code: i16,
    /// The producer's number.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
}

impl ProducerId {
    /// Reads it.
    ///
    /// # Errors
    /// Where the bytes are something else.
    pub fn read(body: &[u8]) -> Result<ProducerId, Malformed> {
        let mut reader = Reader::new(body);
        reader.i32()?; // throttle
        Ok(ProducerId { code: reader.i16()?, id: reader.i64()?, epoch: reader.i16()? })
    }
}

/// What a broker says of one partition's batch.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Produced {
    /// The partition.
    pub partition: i32,
    /// The broker's error.
    pub code: i16,
    /// The records of the batch that it refuses, by their place in it.
    pub refused: Vec<usize>,
    /// The broker's own words; empty where it has none.
    pub message: String,
}

/// The answer to Produce.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// One entry a partition.
    pub partitions: Vec<Produced>,
    /// For how long the broker asks to be left alone.
    pub throttle_ms: u32,
}

impl Receipt {
    /// Reads it.
    ///
    /// # Errors
    /// Where the bytes are something else.
    pub fn read(body: &[u8]) -> Result<Receipt, Malformed> {
        let mut reader = Reader::new(body);
        let mut partitions = Vec::new();
        for _ in 0..reader.compact_count(1)? {
            reader.compact_text()?; // topic
            for _ in 0..reader.compact_count(PARTITIONS_MAX)? {
                partitions.push(produced(&mut reader)?);
            }
            reader.tags()?;
        }
        let throttle_ms = u32::try_from(reader.i32()?).unwrap_or(0);
        Ok(Receipt { partitions, throttle_ms })
    }
}

fn produced(reader: &mut Reader<'_>) -> Result<Produced, Malformed> {
    let (partition, code) = (reader.i32()?, reader.i16()?);
    reader.take(24)?; // base offset, time of append, start of the log
    let mut refused = Vec::new();
    for _ in 0..reader.compact_count(usize::MAX)? {
        refused.push(usize::try_from(reader.i32()?).map_err(|_| Malformed)?);
        reader.compact_text()?;
        reader.tags()?;
    }
    let message = reader.compact_text()?.chars().take(200).collect();
    reader.tags()?;
    Ok(Produced { partition, code, refused, message })
}

/// The answer to SaslHandshake.
///
/// # Errors
/// Where the bytes are something else.
pub fn handshake_code(body: &[u8]) -> Result<i16, Malformed> {
    Reader::new(body).i16()
}

/// The answer to SaslAuthenticate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Authenticated<'a> {
    /// The broker's error.
    pub code: i16,
    /// The message of the mechanism.
    pub message: &'a [u8],
}

impl<'a> Authenticated<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// Where the bytes are something else.
    pub fn read(body: &'a [u8]) -> Result<Authenticated<'a>, Malformed> {
        let mut reader = Reader::new(body);
        let code = reader.i16()?;
        reader.compact_bytes()?; // words about the error
        Ok(Authenticated { code, message: reader.compact_bytes()? })
    }
}

#[cfg(test)]
mod tests;
