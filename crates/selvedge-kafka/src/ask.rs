//! The requests, written by `kafka-protocol`: header, body, and the length before them.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    ApiVersionsRequest, InitProducerIdRequest, MetadataRequest, ProduceRequest, RequestHeader,
    SaslAuthenticateRequest, SaslHandshakeRequest, TopicName,
};
use kafka_protocol::protocol::{Encodable, HeaderVersion, StrBytes};

use crate::answer::{
    AUTHENTICATE, Api, HANDSHAKE, METADATA, PRODUCE, PRODUCER_ID, VERSIONS, VERSIONS_OLDEST,
};
use crate::limits::REPLICAS_WAIT_MS;

const CLIENT: &str = "selvedge";
const CLIENT_VERSION: &str = "1";
/// Every replica in sync must have the batch.
const ACKS_ALL: i16 = -1;

/// The request cannot be written: a text of the configuration is longer than the protocol allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the request cannot be written: a name or a password is too long for Kafka")]
pub struct Unwritable;

pub type Asked = Result<Vec<u8>, Unwritable>;

pub fn versions(correlation: i32) -> Asked {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str(CLIENT))
        .with_client_software_version(StrBytes::from_static_str(CLIENT_VERSION));
    frame(VERSIONS, correlation, &request)
}

pub fn versions_oldest(correlation: i32) -> Asked {
    frame(VERSIONS_OLDEST, correlation, &ApiVersionsRequest::default())
}

pub fn handshake(correlation: i32, mechanism: &'static str) -> Asked {
    let request = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    frame(HANDSHAKE, correlation, &request)
}

pub fn authenticate(correlation: i32, message: Vec<u8>) -> Asked {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(message));
    frame(AUTHENTICATE, correlation, &request)
}

pub fn metadata(correlation: i32, topic: &str) -> Asked {
    let topic = MetadataRequestTopic::default().with_name(Some(topic_name(topic)));
    let request =
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
    frame(METADATA, correlation, &request)
}

pub fn producer_id(correlation: i32) -> Asked {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(i32::MAX)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1);
    frame(PRODUCER_ID, correlation, &request)
}

/// One batch for each partition.
pub fn produce(correlation: i32, topic: &str, batches: Vec<(i32, Bytes)>) -> Asked {
    let partition =
        |(index, batch)| PartitionProduceData::default().with_index(index).with_records(Some(batch));
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(batches.into_iter().map(partition).collect());
    let request = ProduceRequest::default()
        .with_acks(ACKS_ALL)
        .with_timeout_ms(REPLICAS_WAIT_MS)
        .with_topic_data(vec![topic]);
    frame(PRODUCE, correlation, &request)
}

fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_string()))
}

fn frame<T: Encodable + HeaderVersion>(api: Api, correlation: i32, request: &T) -> Asked {
    let header = RequestHeader::default()
        .with_request_api_key(api.key)
        .with_request_api_version(api.version)
        .with_correlation_id(correlation)
        .with_client_id(Some(StrBytes::from_static_str(CLIENT)));
    let mut body = BytesMut::new();
    header.encode(&mut body, T::header_version(api.version)).map_err(|_| Unwritable)?;
    request.encode(&mut body, api.version).map_err(|_| Unwritable)?;
    let length = i32::try_from(body.remaining()).map_err(|_| Unwritable)?;
    let mut bytes = Vec::with_capacity(body.len().saturating_add(4));
    bytes.put_i32(length);
    bytes.extend_from_slice(&body);
    Ok(bytes)
}
