//! What destinations are sent, read by libraries of others: npm `cloudevents` takes the events apart, npm `standardwebhooks`
//! verifies the signatures.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use selvedge_core::consent::Purposes;
use selvedge_core::id::VisitorId;
use selvedge_core::wire::program::{HttpFormat, RecordKind};
use selvedge_edge::delivery::encode::{Body, http_body, kafka_headers, webhook_headers};
use selvedge_edge::delivery::record::Record;
use selvedge_tests::now_ms;
use serde_json::{Map, Value, json};
use xtask::repo::Repo;
use xtask::setup;

const NEW_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_SECRET: &str = "whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";

fn record(at: u8, data: &Value) -> Record {
    Record {
        id: format!("019a-{at}:decision:hero \"ü\""),
        kind: RecordKind::ALL[usize::from(at) % RecordKind::ALL.len()],
        source: "/shop/web".into(),
        visitor: VisitorId([at; 16]),
        time_ms: 1_795_000_000_000 + u64::from(at),
        usable: Purposes::ANALYTICS,
        data: data.to_string().into_bytes(),
    }
}

fn records() -> Vec<Record> {
    (0..5).map(|at| record(at, &json!({"id": at, "text": "grün 👟 \"quoted\"", "value": 0.1}))).collect()
}

fn body(body: &Body) -> Result<Value> {
    Ok(json!({"content_type": body.content_type, "body": String::from_utf8(body.bytes.clone())?}))
}

fn headers<const N: usize>(headers: [(&'static str, String); N]) -> Map<String, Value> {
    headers.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn sent(records: &[Record]) -> Result<Value> {
    let all: Vec<&Record> = records.iter().collect();
    let single = http_body(HttpFormat::CloudEvents, &all);
    let batch = http_body(HttpFormat::CloudEventsBatch, &all);
    let timestamp_s = now_ms() / 1_000;
    let signed = webhook_headers(&[NEW_SECRET, OLD_SECRET], "batch-1", timestamp_s, &batch.bytes)?;
    let in_kafka = |record: &Record| -> Result<Value> {
        let value = String::from_utf8(record.data.clone())?;
        Ok(
            json!({"headers": headers(kafka_headers(record)), "key": record.visitor.to_string(), "value": value}),
        )
    };
    Ok(json!({
        "single": body(&single)?,
        "batch": body(&batch)?,
        "kafka": records.iter().map(in_kafka).collect::<Result<Vec<_>>>()?,
        "signed": {
            "headers": headers(signed),
            "body": String::from_utf8(batch.bytes.clone())?,
            "new_secret": NEW_SECRET,
            "old_secret": OLD_SECRET,
            "other_secret": OTHER_SECRET,
        },
    }))
}

/// What the libraries found.
fn found(sent: &Value) -> Result<Value> {
    let repo = Repo::find()?;
    setup::for_build(&repo)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("sent.json");
    std::fs::write(&file, sent.to_string())?;
    let mut node = Command::new("node");
    node.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/verifiers.mjs")).arg(&file);
    node.arg(repo.www().join("package.json"));
    let output = node.output().context("node")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).context("what the libraries found")
}

/// What a receiver is to see of a record.
fn expected(record: &Record) -> Result<Value> {
    let data: Value = serde_json::from_slice(&record.data)?;
    let kind = format!("selvedge.{}.v1", record.kind.as_str());
    Ok(json!({
        "valid": true,
        "id": record.id,
        "source": "/shop/web",
        "type": kind,
        "subject": record.visitor.to_string(),
        "time": format!("2026-11-18T11:06:40.00{}Z", record.time_ms % 10),
        "dataschema": format!("urn:selvedge:schema:{kind}"),
        "data": data,
    }))
}

#[test]
fn receivers_read_what_was_sent_and_trust_its_signatures() -> Result<()> {
    let records = records();
    let found = found(&sent(&records)?)?;
    let expected = records.iter().map(expected).collect::<Result<Vec<Value>>>()?;
    assert_eq!(found["single"], json!(expected[..1]));
    assert_eq!(found["batch"], json!(expected));
    assert_eq!(found["kafka"], json!(expected));
    let signatures = json!({
        "new_secret": true,
        "old_secret": true,
        "other_secret": false,
        "changed_body": false,
        "changed_id": false,
    });
    assert_eq!(found["signatures"], signatures);
    assert_eq!(found["refuses"], "ValidationError");
    Ok(())
}
