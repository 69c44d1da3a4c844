//! Records packed into messages of a queue: each message is one list of CloudEvents, as large as the queue takes it. The
//! same records give the same messages.

use super::encode::http_body;
use super::record::Record;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::wire::program::HttpFormat;

/// Bytes of one message. A queue takes 128 kB, of which its own header takes some.
pub const MESSAGE_BYTES_MAX: usize = 127_000;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// So many records stand in it.
    pub records: usize,
    /// A JSON list of CloudEvents.
    pub body: String,
}

/// The messages that carry these records, in order.
///
/// # Errors
/// The places of the records that are too large for a message of their own.
pub fn pack(records: &[&Record]) -> Result<Vec<Message>, Vec<usize>> {
    let (mut messages, mut too_large) = (Vec::<Message>::new(), Vec::new());
    for (at, record) in records.iter().enumerate() {
        let event = http_body(HttpFormat::CloudEvents, &[record]).bytes;
        let event = String::from_utf8(event).unwrap_or_default();
        if event.len().saturating_add(2) > MESSAGE_BYTES_MAX {
            too_large.push(at);
            continue;
        }
        let has_room = |open: &&mut Message| {
            open.body.len().saturating_add(event.len()).saturating_add(2) <= MESSAGE_BYTES_MAX
        };
        match messages.last_mut().filter(has_room) {
            Some(open) => {
                open.body.push(',');
                open.body.push_str(&event);
                open.records = open.records.saturating_add(1);
            }
            None => {
                let mut body = String::from("[");
                body.push_str(&event);
                messages.push(Message { records: 1, body });
            }
        }
    }
    messages.iter_mut().for_each(|message| message.body.push(']'));
    if too_large.is_empty() { Ok(messages) } else { Err(too_large) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use selvedge_core::consent::Purposes;
    use selvedge_core::id::VisitorId;
    use selvedge_core::wire::program::RecordKind;

    fn record(id: usize, bytes: usize) -> Record {
        Record {
            id: format!("e-{id}"),
            kind: RecordKind::Event,
            source: "/shop/web".into(),
            visitor: VisitorId([7; 16]),
            time_ms: 1_795_000_000_000,
            usable: Purposes::ANALYTICS,
            data: format!("{{\"text\":\"{}\"}}", "x".repeat(bytes)).into_bytes(),
        }
    }

    #[test]
    fn every_record_stands_in_one_message_and_no_message_is_too_large() {
        let records: Vec<Record> = (0..400).map(|id| record(id, id * 37 % 9_000)).collect();
        let messages = pack(&records.iter().collect::<Vec<_>>()).unwrap();
        let mut ids = Vec::<String>::new();
        for message in &messages {
            assert!(message.body.len() <= MESSAGE_BYTES_MAX);
            let events: Vec<serde_json::Value> = serde_json::from_str(&message.body).unwrap();
            assert_eq!(events.len(), message.records);
            ids.extend(events.iter().map(|event| event["id"].as_str().unwrap().into()));
        }
        let expected: Vec<String> = (0..400).map(|id| format!("e-{id}")).collect();
        assert_eq!(ids, expected, "in order, each once");
        let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
        assert!(messages.len() <= bytes / (MESSAGE_BYTES_MAX - 10_000) + 1, "messages are full");
    }

    #[test]
    fn a_record_that_no_message_holds_is_named() {
        let records = [record(0, 10), record(1, MESSAGE_BYTES_MAX), record(2, 10)];
        assert_eq!(pack(&records.iter().collect::<Vec<_>>()), Err(Vec::from([1])));
    }
}
