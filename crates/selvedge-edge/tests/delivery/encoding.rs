//! How records look on their way.

use crate::build::*;
use selvedge_core::event::EventType;
use selvedge_core::number::Number;
use selvedge_core::value::Value;
use selvedge_core::wire::program::HttpFormat;
use selvedge_edge::delivery::encode::{SecretFault, http_body, kafka_headers, webhook_headers};
use selvedge_edge::delivery::record::Record;
use serde_json::json;

/// The records of a row with these events.
fn records(events: Vec<selvedge_core::wire::log_row::LogEvent>) -> Vec<Record> {
    let row = row(events, Vec::new());
    let count = row.events.len();
    let of = |at| {
        let routed = selvedge_edge::delivery::record::route(&site(), &destination(), &row, at, &analytics());
        sent(routed)
    };
    (0..count).flat_map(of).collect()
}

fn body(format: HttpFormat, records: &[Record]) -> (&'static str, serde_json::Value) {
    let body = http_body(format, &records.iter().collect::<Vec<_>>());
    (body.content_type, serde_json::from_slice(&body.bytes).unwrap())
}

#[test]
fn a_cloud_event_holds_the_record_as_it_is() {
    let records = records(vec![order(Number::Double(0.1f64.to_bits()))]);
    let (content_type, event) = body(HttpFormat::CloudEvents, &records);
    assert_eq!(content_type, "application/cloudevents+json; charset=utf-8");
    assert_eq!(event["data"], read(&records[0]));
    let attributes = json!({
        "specversion": "1.0",
        "id": records[0].id,
        "source": "/shop/web",
        "type": "selvedge.event.v1",
        "subject": VISITOR.to_string(),
        "time": read(&records[0])["time"],
        "datacontenttype": "application/json",
        "dataschema": "urn:selvedge:schema:selvedge.event.v1",
    });
    for (name, value) in attributes.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name}");
        let in_kafka = kafka_headers(&records[0]);
        let header = in_kafka.iter().find(|(header, _)| *header == format!("ce_{name}"));
        let is_content_type = name == "datacontenttype";
        assert!(is_content_type || header.unwrap().1 == *value, "{name}");
    }
}

#[test]
fn a_batch_of_cloud_events_is_a_list_in_order() {
    let records = records(vec![order(Number::Int(1)), order(Number::Int(2))]);
    let (content_type, batch) = body(HttpFormat::CloudEventsBatch, &records);
    assert_eq!(content_type, "application/cloudevents-batch+json; charset=utf-8");
    let values: Vec<&serde_json::Value> =
        batch.as_array().unwrap().iter().map(|event| &event["data"]["properties"]["value"]).collect();
    assert_eq!(values, [&json!(1), &json!(2)]);
}

#[test]
fn segment_gets_events_of_its_own_types() {
    let mut identify = event("identify");
    identify.event.event_type = EventType::Identify;
    identify.event.properties.set("user_id", Value::Text("u1".into()));
    identify.event.properties.set("plan", Value::Text("pro".into()));
    identify.event.context.set("utm.campaign", Value::Text("spring".into()));
    let mut page = event("page");
    page.event.event_type = EventType::Page;
    page.event.properties.set("title", Value::Text("Cart".into()));
    let (content_type, sent) =
        body(HttpFormat::SegmentBatch, &records(vec![identify, page, order(Number::Int(7))]));
    assert_eq!(content_type, "application/json");
    let [identify, page, track] = &sent["batch"].as_array().unwrap()[..] else { panic!("three") };
    assert_eq!((&identify["type"], &identify["userId"]), (&json!("identify"), &json!("u1")));
    assert_eq!(identify["traits"], json!({"plan": "pro"}));
    assert_eq!(identify["context"], json!({"page": {"path": "/cart"}, "campaign": {"name": "spring"}}));
    assert_eq!((&page["type"], &page["name"]), (&json!("page"), &json!("Cart")));
    assert_eq!((&track["type"], &track["event"]), (&json!("track"), &json!("order_completed")));
    assert_eq!(track["properties"]["value"], json!(7));
    assert_eq!(track["anonymousId"], json!(VISITOR.to_string()));
}

/// The example of the specification's reference libraries.
#[test]
fn a_signature_is_that_of_the_standards_own_vector() {
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let headers = webhook_headers(
        &[secret, secret],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        br#"{"test": 2432232314}"#,
    );
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let expected = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()),
        ("webhook-timestamp", "1614265330".to_owned()),
        ("webhook-signature", format!("{signature} {signature}")),
    ];
    assert_eq!(headers, Ok(expected));
}

#[test]
fn what_is_no_secret_signs_nothing() {
    for secret in ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!"] {
        assert_eq!(webhook_headers(&[secret], "id", 1, b""), Err(SecretFault), "{secret}");
    }
}
