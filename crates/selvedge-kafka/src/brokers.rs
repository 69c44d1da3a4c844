//! Brokers for tests (feature `brokers`, in no shipped build), of `kafka-protocol`: they read our requests with its readers, keep
//! what they are given, tell a batch that they have already as Kafka does, and fail as a test plans it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "what a test does wrong ends the test"
)]

mod doorkeeper;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{
    ApiVersionsResponse, BrokerId, InitProducerIdResponse, MetadataRequest, MetadataResponse, ProduceRequest,
    ProduceResponse, ResponseHeader, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
    SaslHandshakeResponse,
};
use kafka_protocol::protocol::{
    Decodable, Encodable, HeaderVersion, StrBytes, decode_request_header_from_buffer,
};
use kafka_protocol::records::{Record as Kept, RecordBatchDecoder};

use crate::burst::{Burst, Outcome, Step};
use doorkeeper::Talk;

/// What goes wrong with one request for batches.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The broker answers this code and keeps nothing.
    Code(i16),
    /// The broker refuses the batch for the record whose value this is.
    Names(Bytes),
    /// The link breaks before the broker sees the request.
    Lost,
    /// The broker keeps the batches, and the link breaks before its answer.
    AnswerLost,
}

/// Batches of one producer to one partition: first and last number.
type Remembered = VecDeque<(i32, i32)>;

/// A cluster of three brokers.
#[derive(Debug)]
pub struct Brokers {
    /// Who leads each partition; nobody where it is negative.
    pub leaders: Vec<i32>,
    /// The records of each partition.
    pub kept: BTreeMap<i32, Vec<Kept>>,
    /// What goes wrong with the next requests for batches, one each.
    pub faults: VecDeque<Fault>,
    /// Values that are refused whenever they come.
    pub refused: BTreeSet<Bytes>,
    /// Records of a batch, at most.
    pub batch_records_max: usize,
    /// The cluster's id.
    pub cluster: &'static str,
    /// What has to be shown to log in; `None` where nobody asks.
    pub password: Option<String>,
    /// They know no SCRAM.
    pub is_plain_only: bool,
    /// What is said of the topic.
    pub topic_code: i16,
    /// How long they ask whoever sends to be quiet.
    pub throttle_ms: i32,
    /// No link can be opened.
    pub is_down: bool,
    /// Producers' ids that were given.
    pub ids_given: i64,
    /// Every batch that arrived, as its bytes.
    pub seen: Vec<Bytes>,
    /// The ports that links were opened to.
    pub opened: Vec<u16>,
    remembered: BTreeMap<(i64, i32), Remembered>,
    answers: BTreeMap<usize, Vec<u8>>,
    ports: BTreeMap<usize, u16>,
    talks: BTreeMap<usize, Talk>,
}

/// The port of the first broker; the others have the next.
pub const PORT: u16 = 9_000;

impl Brokers {
    /// A cluster with a topic of so many partitions.
    #[must_use]
    pub fn new(partitions: usize) -> Brokers {
        Brokers {
            leaders: (0..partitions).map(|partition| (partition % 3) as i32).collect(),
            kept: BTreeMap::new(),
            faults: VecDeque::new(),
            refused: BTreeSet::new(),
            batch_records_max: usize::MAX,
            cluster: "here",
            password: None,
            is_plain_only: false,
            topic_code: 0,
            throttle_ms: 0,
            is_down: false,
            ids_given: 0,
            seen: vec![],
            opened: vec![],
            remembered: BTreeMap::new(),
            answers: BTreeMap::new(),
            ports: BTreeMap::new(),
            talks: BTreeMap::new(),
        }
    }

    /// Carries out steps until the burst is over.
    ///
    /// # Panics
    /// Where the burst says what no broker understands, or never ends.
    pub fn carry(&mut self, burst: &mut Burst) -> Outcome {
        for _ in 0..10_000 {
            match burst.step() {
                Step::Over(outcome) => return outcome,
                Step::Open { link, address } => {
                    self.opened.push(address.port);
                    if (PORT..PORT + 3).contains(&address.port) && !self.is_down {
                        self.ports.insert(link, address.port);
                        burst.opened(link);
                    } else {
                        burst.failed(link, "refused");
                    }
                }
                Step::Write { link, bytes } => match self.request(link, &bytes) {
                    Some(answer) => drop(self.answers.insert(link, answer)),
                    None => burst.failed(link, "broke"),
                },
                Step::Read { link } => {
                    let answer = self.answers.remove(&link).expect("an answer is under way");
                    // In two pieces, as a network might.
                    let (head, tail) = answer.split_at(answer.len() / 2);
                    burst.received(link, head);
                    burst.received(link, tail);
                }
            }
        }
        panic!("the burst never ends");
    }

    fn request(&mut self, link: usize, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut rest = Bytes::copy_from_slice(bytes);
        assert_eq!(rest.get_i32() as usize, rest.len());
        let header = decode_request_header_from_buffer(&mut rest).unwrap();
        let (key, version, correlation) =
            (header.request_api_key, header.request_api_version, header.correlation_id);
        Some(match key {
            18 => framed(&versions(), version, correlation),
            17 => {
                let request = SaslHandshakeRequest::decode(&mut rest, version).unwrap();
                let mechanism = request.mechanism.as_str();
                let talk = Talk::by(mechanism).filter(|_| mechanism == "PLAIN" || !self.is_plain_only);
                let code = if talk.is_some() { 0 } else { 33 };
                self.talks.extend(talk.map(|talk| (link, talk)));
                framed(&SaslHandshakeResponse::default().with_error_code(code), version, correlation)
            }
            36 => {
                let request = SaslAuthenticateRequest::decode(&mut rest, version).unwrap();
                let password = self.password.as_deref().unwrap_or_default();
                let said =
                    self.talks.get_mut(&link).and_then(|talk| talk.said(&request.auth_bytes, password));
                let code = if said.is_some() { 0 } else { 58 };
                let answer = SaslAuthenticateResponse::default().with_error_code(code);
                framed(&answer.with_auth_bytes(said.unwrap_or_default().into()), version, correlation)
            }
            3 => {
                let request = MetadataRequest::decode(&mut rest, version).unwrap();
                framed(&self.metadata(&request), version, correlation)
            }
            22 => {
                self.ids_given += 1;
                let answer =
                    InitProducerIdResponse::default().with_producer_id((100 + self.ids_given).into());
                framed(&answer, version, correlation)
            }
            0 => {
                let request = ProduceRequest::decode(&mut rest, version).unwrap();
                framed(&self.produce(link, &request)?, version, correlation)
            }
            other => panic!("request {other}"),
        })
    }

    fn metadata(&self, request: &MetadataRequest) -> MetadataResponse {
        let name = request.topics.as_ref().unwrap()[0].name.clone();
        let partition = |(index, leader): (usize, &i32)| {
            MetadataResponsePartition::default()
                .with_partition_index(index as i32)
                .with_leader_id(BrokerId(*leader))
                .with_error_code(if *leader < 0 { 5 } else { 0 })
        };
        let partitions = self.leaders.iter().enumerate().map(partition).collect();
        let topic = MetadataResponseTopic::default()
            .with_name(name)
            .with_partitions(partitions)
            .with_error_code(self.topic_code);
        let broker = |node: i32| {
            MetadataResponseBroker::default()
                .with_node_id(BrokerId(node))
                .with_host(StrBytes::from_static_str("broker"))
                .with_port(i32::from(PORT) + node)
        };
        MetadataResponse::default()
            .with_brokers((0..3).map(broker).collect())
            .with_cluster_id(Some(StrBytes::from_static_str(self.cluster)))
            .with_topics(vec![topic])
    }

    fn produce(&mut self, link: usize, request: &ProduceRequest) -> Option<ProduceResponse> {
        assert_eq!(request.acks, -1);
        let topic = &request.topic_data[0];
        let fault = self.faults.pop_front();
        for partition in &topic.partition_data {
            self.seen.push(partition.records.clone().unwrap());
        }
        if matches!(fault, Some(Fault::Lost)) {
            return None;
        }
        let mut answers = Vec::new();
        for partition in &topic.partition_data {
            let batch = partition.records.clone().unwrap();
            answers.push(self.take(link, partition.index, batch, fault.as_ref()));
        }
        if matches!(fault, Some(Fault::AnswerLost)) {
            return None;
        }
        let topic =
            TopicProduceResponse::default().with_name(topic.name.clone()).with_partition_responses(answers);
        let answer = ProduceResponse::default().with_responses(vec![topic]);
        Some(answer.with_throttle_time_ms(self.throttle_ms))
    }

    fn take(
        &mut self,
        link: usize,
        partition: i32,
        mut batch: Bytes,
        fault: Option<&Fault>,
    ) -> PartitionProduceResponse {
        let answer = PartitionProduceResponse::default().with_index(partition);
        let led_by = self.leaders[partition as usize];
        if led_by < 0 || self.ports[&link] != PORT + led_by as u16 {
            return answer.with_error_code(6);
        }
        let records = RecordBatchDecoder::decode(&mut batch).unwrap().records;
        let (first, last) = (records[0].sequence, records[records.len() - 1].sequence);
        let remembered = self.remembered.entry((records[0].producer_id, partition)).or_default();
        if remembered.contains(&(first, last)) {
            return answer.with_error_code(46);
        }
        match fault {
            Some(Fault::Code(code)) => return answer.with_error_code(*code),
            Some(Fault::Names(value)) => {
                let place = records.iter().position(|record| record.value.as_ref() == Some(value));
                if let Some(place) = place {
                    let named = BatchIndexAndErrorMessage::default().with_batch_index(place as i32);
                    return answer.with_error_code(87).with_record_errors(vec![named]);
                }
            }
            _ => {}
        }
        let is_refused =
            |record: &Kept| record.value.as_ref().is_some_and(|value| self.refused.contains(value));
        if let Some(place) = records.iter().position(is_refused) {
            let named = BatchIndexAndErrorMessage::default().with_batch_index(place as i32);
            return answer.with_error_code(87).with_record_errors(vec![named]);
        }
        if records.len() > self.batch_records_max {
            return answer.with_error_code(10);
        }
        let expected = remembered.back().map_or(0, |(_, last)| last + 1);
        if first != expected {
            return answer.with_error_code(45);
        }
        remembered.push_back((first, last));
        if remembered.len() > 5 {
            remembered.pop_front();
        }
        self.kept.entry(partition).or_default().extend(records);
        answer
    }

    /// The brokers forget every producer.
    pub fn forget_producers(&mut self) {
        self.remembered.clear();
    }

    /// The values of all records that are kept, by partition.
    #[must_use]
    pub fn values(&self) -> Vec<Vec<Bytes>> {
        let values = |records: &Vec<Kept>| records.iter().filter_map(|record| record.value.clone()).collect();
        self.kept.values().map(values).collect()
    }
}

fn versions() -> ApiVersionsResponse {
    let range =
        |(key, max)| ApiVersion::default().with_api_key(key).with_min_version(0).with_max_version(max);
    ApiVersionsResponse::default().with_api_keys([(0, 11), (3, 12), (22, 5)].map(range).to_vec())
}

fn framed<T: Encodable + HeaderVersion>(answer: &T, version: i16, correlation: i32) -> Vec<u8> {
    let mut body = BytesMut::new();
    let header = ResponseHeader::default().with_correlation_id(correlation);
    header.encode(&mut body, T::header_version(version)).unwrap();
    answer.encode(&mut body, version).unwrap();
    let mut bytes = BytesMut::new();
    bytes.put_i32(body.len() as i32);
    bytes.extend_from_slice(&body);
    bytes.to_vec()
}
