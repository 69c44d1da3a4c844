use super::*;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{
    ApiVersionsResponse, BrokerId, InitProducerIdResponse, MetadataResponse, ProduceResponse, ResponseHeader,
    SaslAuthenticateResponse, SaslHandshakeResponse, TopicName,
};
use kafka_protocol::protocol::{Encodable, HeaderVersion, StrBytes};
use proptest::prelude::*;

/// An answer as a broker writes it, header and all.
fn written<T: Encodable + HeaderVersion>(answer: &T, version: i16, correlation: i32) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    let header = ResponseHeader::default().with_correlation_id(correlation);
    header.encode(&mut bytes, T::header_version(version)).unwrap();
    answer.encode(&mut bytes, version).unwrap();
    bytes.to_vec()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_string())
}

#[test]
fn versions_are_read_as_a_broker_writes_them() {
    let range =
        |key, min, max| ApiVersion::default().with_api_key(key).with_min_version(min).with_max_version(max);
    let answer = ApiVersionsResponse::default().with_api_keys(vec![range(0, 3, 9), range(3, 10, 12)]);
    let bytes = written(&answer, VERSIONS.version, 7);
    let read = Versions::read(VERSIONS.body(&bytes, 7).unwrap()).unwrap();
    assert_eq!(read, Versions { code: 0, ranges: vec![(0, 3, 9), (3, 10, 12)] });
    assert!(read.takes(PRODUCE) && !read.takes(METADATA) && !read.takes(PRODUCER_ID));
    let old = written(&ApiVersionsResponse::default().with_error_code(35), 0, 7);
    assert_eq!(Versions::read(VERSIONS.body(&old, 7).unwrap()).unwrap().code, 35);
    let old = written(&answer, VERSIONS_OLDEST.version, 7);
    assert_eq!(Versions::read_oldest(VERSIONS_OLDEST.body(&old, 7).unwrap()).unwrap(), read);
}

#[test]
fn metadata_is_read_as_a_broker_writes_it() {
    let partition = |index: i32, leader: i32, code: i16| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(leader))
            .with_error_code(code)
            .with_replica_nodes(vec![BrokerId(1), BrokerId(2)])
            .with_isr_nodes(vec![BrokerId(1)])
    };
    let topic = MetadataResponseTopic::default()
        .with_name(Some(TopicName(text("shop"))))
        .with_partitions(vec![partition(0, 1, 0), partition(1, 2, 5), partition(2, 2, 9)]);
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(1))
        .with_host(text("kafka.example"))
        .with_port(9093)
        .with_rack(Some(text("a")));
    let answer = MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text("here")))
        .with_topics(vec![topic]);
    let bytes = written(&answer, METADATA.version, 1);
    let read = Metadata::read(METADATA.body(&bytes, 1).unwrap()).unwrap();
    assert_eq!(read.nodes, [Node { id: 1, host: "kafka.example".into(), port: 9093 }]);
    assert_eq!((read.cluster_id.as_str(), read.code), ("here", 0));
    assert_eq!(read.leaders, [(0, 1), (1, -1), (2, 2)], "a partition in trouble has no leader now");
}

#[test]
fn receipts_are_read_as_a_broker_writes_them() {
    let refused = BatchIndexAndErrorMessage::default().with_batch_index(3);
    let partition = PartitionProduceResponse::default()
        .with_index(5)
        .with_error_code(87)
        .with_record_errors(vec![refused])
        .with_error_message(Some(text("no")));
    let topic = TopicProduceResponse::default()
        .with_name(TopicName(text("shop")))
        .with_partition_responses(vec![partition]);
    let answer = ProduceResponse::default().with_responses(vec![topic]).with_throttle_time_ms(12);
    let bytes = written(&answer, PRODUCE.version, 1);
    let read = Receipt::read(PRODUCE.body(&bytes, 1).unwrap()).unwrap();
    let expected = Produced { partition: 5, code: 87, refused: vec![3], message: "no".into() };
    assert_eq!(read, Receipt { partitions: vec![expected], throttle_ms: 12 });
}

#[test]
fn the_other_answers_are_read_as_a_broker_writes_them() {
    let answer = InitProducerIdResponse::default().with_producer_id(4_001.into()).with_producer_epoch(2);
    let bytes = written(&answer, PRODUCER_ID.version, 9);
    let read = ProducerId::read(PRODUCER_ID.body(&bytes, 9).unwrap()).unwrap();
    assert_eq!(read, ProducerId { code: 0, id: 4_001, epoch: 2 });

    let answer = SaslHandshakeResponse::default().with_error_code(33).with_mechanisms(vec![text("PLAIN")]);
    let bytes = written(&answer, HANDSHAKE.version, 9);
    assert_eq!(handshake_code(HANDSHAKE.body(&bytes, 9).unwrap()), Ok(33));

    let answer = SaslAuthenticateResponse::default()
        .with_error_code(58)
        .with_error_message(Some(text("who?")))
        .with_auth_bytes(Bytes::from_static(b"v=1"));
    let bytes = written(&answer, AUTHENTICATE.version, 9);
    let read = Authenticated::read(AUTHENTICATE.body(&bytes, 9).unwrap()).unwrap();
    assert_eq!(read, Authenticated { code: 58, message: b"v=1" });
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let bytes = written(&InitProducerIdResponse::default(), PRODUCER_ID.version, 9);
    assert_eq!(PRODUCER_ID.body(&bytes, 8), Err(Malformed));
}

/// A count of four thousand million in an answer of a few bytes: nothing is allocated by what it claims.
#[test]
fn a_count_that_lies_is_refused() {
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let metadata = [&[0_u8; 4][..], &lie].concat();
    assert_eq!(Metadata::read(&metadata), Err(Malformed));
    assert_eq!(Versions::read(&[&[0_u8; 2][..], &lie].concat()), Err(Malformed));
    assert_eq!(Receipt::read(&lie), Err(Malformed));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes: Vec<u8>) {
        let _ = (Versions::read(&bytes), Versions::read_oldest(&bytes));
        let _ = Metadata::read(&bytes);
        let _ = ProducerId::read(&bytes);
        let _ = Receipt::read(&bytes);
        let _ = handshake_code(&bytes);
        let _ = Authenticated::read(&bytes);
        for api in [VERSIONS, METADATA, PRODUCER_ID, PRODUCE, HANDSHAKE, AUTHENTICATE] {
            let _ = api.body(&bytes, 0);
        }
    }
}
