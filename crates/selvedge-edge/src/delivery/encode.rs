//! How records look on their way: bodies of requests, headers of Kafka's records, signatures.

mod segment;

use super::record::Record;
use crate::text::{base64, bytes_of_base64, rfc_3339};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use hmac::{Hmac, Mac};
use selvedge_core::wire::program::HttpFormat;
use selvedge_core::wire::record::type_of;
use serde_json::value::RawValue;
use sha2::Sha256;

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Its `content-type`.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// How many records go into one request of this format at most.
#[must_use]
pub const fn records_max(format: HttpFormat) -> usize {
    match format {
        HttpFormat::CloudEvents => 1,
        HttpFormat::CloudEventsBatch | HttpFormat::SegmentBatch => usize::MAX,
    }
}

/// The body of a request that carries these records: of [`HttpFormat::CloudEvents`] the first one. The same records give
/// the same bytes.
#[must_use]
pub fn http_body(format: HttpFormat, records: &[&Record]) -> Body {
    let cloud_events = || records.iter().map(|record| CloudEvent::of(record));
    let (content_type, bytes) = match format {
        HttpFormat::CloudEvents => {
            ("application/cloudevents+json; charset=utf-8", serde_json::to_vec(&cloud_events().next()))
        }
        HttpFormat::CloudEventsBatch => (
            "application/cloudevents-batch+json; charset=utf-8",
            serde_json::to_vec(&cloud_events().collect::<Vec<_>>()),
        ),
        HttpFormat::SegmentBatch => ("application/json", serde_json::to_vec(&segment::batch(records))),
    };
    Body { content_type, bytes: bytes.unwrap_or_default() }
}

/// An event of `CloudEvents` 1.0 in structured mode.
#[derive(serde::Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: String,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    data: &'a RawValue,
}

impl<'a> CloudEvent<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            specversion: SPEC_VERSION,
            id: &record.id,
            source: &record.source,
            event_type: type_of(record.kind),
            subject: record.visitor.to_string(),
            time: rfc_3339(record.time_ms),
            datacontenttype: DATA_TYPE,
            dataschema: schema_of(record),
            data: serde_json::from_slice(&record.data).unwrap_or(RawValue::NULL),
        }
    }
}

const SPEC_VERSION: &str = "1.0";
const DATA_TYPE: &str = "application/json";

/// The name of the schema that a record follows: what `selvedge schema --records` prints has it as `$id`.
fn schema_of(record: &Record) -> String {
    format!("urn:selvedge:schema:{}", type_of(record.kind))
}

/// The headers of a Kafka record, in the binary mode of the `CloudEvents` binding: its value is [`Record::data`] as it is,
/// its key the visitor as printed.
#[must_use]
pub fn kafka_headers(record: &Record) -> [(&'static str, String); 8] {
    [
        ("ce_specversion", SPEC_VERSION.into()),
        ("ce_id", record.id.clone()),
        ("ce_source", record.source.clone()),
        ("ce_type", type_of(record.kind)),
        ("ce_subject", record.visitor.to_string()),
        ("ce_time", rfc_3339(record.time_ms)),
        ("ce_dataschema", schema_of(record)),
        ("content-type", DATA_TYPE.into()),
    ]
}

/// What begins a secret of Standard Webhooks.
const SECRET_PREFIX: &str = "whsec_";
/// Bytes of such a secret (specification 1.0, "Signature scheme").
const SECRET_BYTES: core::ops::RangeInclusive<usize> = 24..=64;

/// Why a secret cannot sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret that signs is `whsec_` and 24 to 64 bytes in base64")]
pub struct SecretFault;

/// The headers of a signed request (Standard Webhooks 1.0). `id` names what is sent: it stays the same when that is sent
/// again. There are as many signatures as secrets, so that the one who receives can change over from one to the other.
///
/// # Errors
/// [`SecretFault`] where one of the secrets is none.
pub fn webhook_headers(
    secrets: &[&str],
    id: &str,
    timestamp_s: u64,
    body: &[u8],
) -> Result<[(&'static str, String); 3], SecretFault> {
    let timestamp = timestamp_s.to_string();
    let mut signatures = Vec::new();
    for secret in secrets {
        signatures.push(signature(secret, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])?);
    }
    Ok([
        ("webhook-id", id.into()),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", signatures.join(" ")),
    ])
}

/// The signature of what these parts are together.
fn signature(secret: &str, parts: &[&[u8]]) -> Result<String, SecretFault> {
    let encoded = secret.trim().strip_prefix(SECRET_PREFIX).ok_or(SecretFault)?;
    let key = bytes_of_base64(encoded).filter(|key| SECRET_BYTES.contains(&key.len())).ok_or(SecretFault)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| SecretFault)?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(format!("v1,{}", base64(&mac.finalize().into_bytes())))
}
