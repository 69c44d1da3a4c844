//! The JSON form of a batch. One event that cannot be read leaves the others as they are; bounds hold while reading.

use super::json_value::{code_of, map};
use super::terms::{Incoming, Sent};
use crate::fault::Fault;
use crate::foreign::{self, Whose};
use crate::object::{self, Object};
use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event, EventType, LeaseReport, RefusalCode, Undecodable};
use selvedge_core::id::{ProgramHash, Sequence, VisitorId, WriterId, parse_hex_16};
use selvedge_core::limits::{
    BATCH_EVENTS_MAX, CONSENT_SNAPSHOTS_MAX, CONTEXT_ENTRIES_MAX, EVENT_BYTES_MAX, EVENT_NAME_BYTES_MAX,
    FOREIGN_ID_BYTES_MAX, LEASE_REPORTS_MAX, PROPERTIES_MAX, WRITE_KEY_BYTES_MAX,
};
use selvedge_core::value::Map;
use serde_json::value::RawValue;

/// What routing needs of a batch, before anything else of it is read.
#[derive(Debug)]
pub struct JsonAddress<'a> {
    /// The source's write key; empty where a server's token names the source.
    pub write_key: Cow<'a, str>,
    /// Whose events these are: 32 hexadecimal digits.
    pub visitor: Option<Cow<'a, str>>,
    /// Or the id that another SDK gave the visitor.
    pub anonymous_id: Option<Cow<'a, str>>,
    /// What a server saw of the visitor: Global Privacy Control.
    pub gpc: bool,
    /// What a server saw of the visitor: the country.
    pub country: Option<Cow<'a, str>>,
    /// `received` or `event`.
    pub clock: Cow<'a, str>,
}

/// What routing needs of the batch in `text`.
///
/// # Errors
/// [`Fault`] 400 for anything that is no batch.
pub fn address(text: &[u8]) -> Result<JsonAddress<'_>, Fault> {
    let read = Object::of_bytes(text)?;
    Ok(JsonAddress {
        write_key: read.word("write_key")?,
        visitor: read.text("visitor")?,
        anonymous_id: read.text("anonymous_id")?,
        gpc: read.flag("gpc")?,
        country: read.text("country")?,
        clock: read.word("clock")?,
    })
}

/// The visitor of its text form.
///
/// # Errors
/// [`Fault`] 400 for anything but 32 hexadecimal digits.
pub fn visitor(text: &str) -> Result<VisitorId, Fault> {
    let bytes = parse_hex_16(text).ok_or_else(|| unreadable("visitor must be 32 hexadecimal digits"))?;
    Ok(VisitorId(bytes))
}

/// The clock of its word; empty is the default.
///
/// # Errors
/// [`Fault`] 400 for any other word.
pub fn clock(word: &str) -> Result<Clock, Fault> {
    match word {
        "" | "received" => Ok(Clock::Received),
        "event" => Ok(Clock::Event),
        _ => Err(unreadable("clock must be received or event")),
    }
}

/// A country of its two letters, in capitals.
///
/// # Errors
/// [`Fault`] 400 for anything else.
pub fn country(country: Cow<'_, str>) -> Result<String, Fault> {
    let mut country = country.into_owned();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Fault::unreadable("country: expected two letters"));
    }
    country.make_ascii_uppercase();
    Ok(country)
}

/// The batch in `text`, of a visitor of `site`. A batch without a writer is another SDK's: its events name themselves.
///
/// # Errors
/// [`Fault`] 400 for anything that is no batch, 413 above a limit of the whole batch.
pub fn read(text: &[u8], site: &str) -> Result<Incoming, Fault> {
    let batch = Object::of_bytes(text)?;
    if batch.raw("preview").is_some() {
        return Err(unreadable("what happens in a preview is not collected: ask /v1/decide with the token"));
    }
    let events = batch.list("events")?;
    if events.len() > BATCH_EVENTS_MAX {
        return Err(Fault::too_large(format!("a batch has at most {BATCH_EVENTS_MAX} events")));
    }
    let whose = Whose::read(batch.text("visitor")?.as_deref(), batch.text("anonymous_id")?.as_deref())?;
    let header = header(&batch, whose.visitor(site))?;
    let is_named = batch.raw("writer").is_none();
    let events = events.iter().map(|raw| event(raw.get(), is_named)).collect();
    Ok(Incoming { header, anonymous_id: whose.into_original(), events, is_plain: true })
}

fn header(batch: &Object<'_>, visitor: VisitorId) -> Result<BatchHeader, Fault> {
    let program = match batch.text("program")?.as_deref() {
        None => None,
        Some(text) => {
            Some(ProgramHash(parse_hex_16(text).ok_or_else(|| unreadable("program must be a hash"))?))
        }
    };
    let context = match batch.raw("context") {
        None => Map::new(),
        Some(raw) => map(raw.get(), CONTEXT_ENTRIES_MAX)
            .map_err(|code| unreadable(&format!("the context cannot be read: {}", code.as_str())))?,
    };
    let write_key = batch.string("write_key")?;
    if write_key.len() > WRITE_KEY_BYTES_MAX {
        return Err(unreadable(&format!("a write key has at most {WRITE_KEY_BYTES_MAX} bytes")));
    }
    Ok(BatchHeader {
        write_key,
        visitor,
        writer: batch.raw("writer").map_or(Ok(foreign::writer_of(visitor)), |raw| writer(raw.get()))?,
        sent_at_ms: batch.number("sent_at")?.unwrap_or(0),
        skew_ms: batch.signed("skew_ms")?,
        floor: batch.number("floor")?.unwrap_or(0),
        clock: clock(&batch.word("clock")?)?,
        program,
        dictionary: None,
        consent: snapshots(batch.raw("consent"))?,
        context,
        leases: leases(&batch.objects("leases")?)?,
        holder: 0,
    })
}

/// A writer: a number, decimal text, or hexadecimal text that begins with `0x`.
///
/// # Errors
/// [`Fault`] 400 for anything else, and above 52 bits.
pub fn writer(raw: &str) -> Result<WriterId, Fault> {
    let text = raw.trim_matches('"');
    let bits = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    bits.ok()
        .filter(|bits| WriterId::from_bits(*bits).bits() == *bits)
        .map(WriterId::from_bits)
        .ok_or_else(|| unreadable("writer must be a number of at most 52 bits, or its text"))
}

/// One snapshot, or a list of them; none means that nobody answered.
///
/// # Errors
/// [`Fault`] 400 for anything else, 413 above [`CONSENT_SNAPSHOTS_MAX`].
pub fn snapshots(raw: Option<&RawValue>) -> Result<Vec<Snapshot>, Fault> {
    let Some(text) = raw.map(RawValue::get) else {
        return Ok(alloc::vec![Snapshot::default()]);
    };
    let wrong = |error| unreadable(&format!("consent: {error}"));
    let read = if text.starts_with('[') {
        Object::list_of(text)
    } else {
        Object::read(text).map(|one| alloc::vec![one])
    };
    let read = read.map_err(wrong)?;
    if read.len() > CONSENT_SNAPSHOTS_MAX {
        return Err(Fault::too_large(format!(
            "a batch has at most {CONSENT_SNAPSHOTS_MAX} consent snapshots"
        )));
    }
    read.iter().map(|read| snapshot(&said(read).map_err(wrong)?)).collect()
}

/// A snapshot in words.
struct SnapshotSaid {
    granted: Vec<String>,
    denied: Vec<String>,
    gpc: bool,
    mode: String,
    signal: String,
    policy_version: u16,
    time: u64,
    text_hash: String,
}

fn said(read: &Object<'_>) -> Result<SnapshotSaid, object::Error> {
    Ok(SnapshotSaid {
        granted: read.texts("granted")?,
        denied: read.texts("denied")?,
        gpc: read.flag("gpc")?,
        mode: read.string("mode")?,
        signal: read.string("signal")?,
        policy_version: read.number("policy_version")?.unwrap_or(0),
        time: read.number("time")?.unwrap_or(0),
        text_hash: read.string("text_hash")?,
    })
}

fn snapshot(read: &SnapshotSaid) -> Result<Snapshot, Fault> {
    let mode = match read.mode.as_str() {
        "" => Mode::OptIn,
        word => crate::json::mode_of(word)
            .ok_or_else(|| unreadable("consent.mode must be opt-in, opt-out or cnil"))?,
    };
    let signal = match read.signal.as_str() {
        "" => Signals::API,
        names => crate::json::signals(names).ok_or_else(|| {
            unreadable(
                "consent.signal must be none, or of api, server, tcf, gpp, consent_mode, platform, dnt",
            )
        })?,
    };
    Ok(Snapshot {
        granted: purposes(&read.granted)?,
        denied: purposes(&read.denied)?,
        mode,
        gpc: read.gpc,
        signal,
        policy_version: read.policy_version,
        time_ms: read.time,
        text_hash: crate::json::read_text_hash(&read.text_hash),
    })
}

fn purposes(names: &[String]) -> Result<Purposes, Fault> {
    names.iter().try_fold(Purposes::NONE, |sum, name| {
        let purpose = Purposes::named(name)
            .ok_or_else(|| unreadable(&format!("there is no purpose {:?}", shorten(name))))?;
        Ok(sum.or(purpose))
    })
}

fn leases(read: &[Object<'_>]) -> Result<Vec<LeaseReport>, Fault> {
    if read.len() > LEASE_REPORTS_MAX {
        return Err(Fault::too_large(format!("a batch has at most {LEASE_REPORTS_MAX} lease reports")));
    }
    let report = |read: &Object<'_>| {
        let rule = u64::from_str_radix(&Object::needed("rule", read.text("rule")?)?, 16)
            .map_err(|_| unreadable("leases.rule must be 16 hexadecimal digits"))?;
        let lease = Object::needed("lease", read.number("lease")?)?;
        Ok(LeaseReport { rule, lease, used: Object::needed("used", read.number("used")?)? })
    };
    read.iter().map(report).collect()
}

/// One event; `is_named` says that it names itself.
fn event(text: &str, is_named: bool) -> Sent {
    match read_event(text, is_named) {
        Ok(sent) => sent,
        Err(code) => {
            // What names it, where the rest of it cannot be read.
            let read = Object::read(text).ok();
            let sequence = read.as_ref().and_then(|read| read.number("sequence").ok()?);
            let sequence = sequence.and_then(Sequence::new);
            let message_id = read.and_then(|read| read.text("message_id").ok()?);
            let message_id = message_id.filter(|id| foreign::is_id(id));
            Sent {
                message_id: message_id.filter(|_| is_named).map(Cow::into_owned),
                readings: Map::new(),
                read: Err(Undecodable {
                    sequence: sequence.filter(|_| !is_named),
                    code,
                    bytes: text.as_bytes().into(),
                }),
            }
        }
    }
}

/// What an event counts as: its sequence, or for one that names itself a number that its id always gives.
fn count(sequence: u32, message_id: Option<&str>, is_named: bool) -> Result<Sequence, RefusalCode> {
    let sequence = match (message_id, is_named) {
        (None, false) => sequence,
        (Some(id), true) if id.len() > FOREIGN_ID_BYTES_MAX => return Err(RefusalCode::TooLarge),
        (Some(id), true) if foreign::is_id(id) => {
            u32::try_from(foreign::key_of(id) & u64::from(Sequence::MAX)).unwrap_or(0).max(1)
        }
        _ => 0,
    };
    Sequence::new(sequence).ok_or(RefusalCode::Undecodable)
}

/// What names an event, and whose consent it was captured under.
struct Named<'a> {
    sequence: u32,
    message_id: Option<Cow<'a, str>>,
    event_type: Cow<'a, str>,
    name: Cow<'a, str>,
    consent: u8,
}

/// The same, and when it happened.
fn told<'a>(read: &Object<'a>) -> Result<(Named<'a>, u64), object::Error> {
    let named = Named {
        sequence: read.number("sequence")?.unwrap_or(0),
        message_id: read.text("message_id")?,
        event_type: read.word("type")?,
        name: read.word("name")?,
        consent: read.number("consent")?.unwrap_or(0),
    };
    Ok((named, Object::needed("time", read.number("time")?)?))
}

fn read_event(text: &str, is_named: bool) -> Result<Sent, RefusalCode> {
    if text.len() > EVENT_BYTES_MAX {
        return Err(RefusalCode::TooLarge);
    }
    let read = Object::read(text).map_err(|error| code_of(&error))?;
    let (named, time_ms) = told(&read).map_err(|error| code_of(&error))?;
    let event_type = match named.event_type.as_ref() {
        "" => EventType::Track,
        word => EventType::named(word).ok_or(RefusalCode::Undecodable)?,
    };
    let name = match (event_type, named.name.as_ref()) {
        (EventType::Track, "") => return Err(RefusalCode::Undecodable),
        (_, "") => event_type.as_str().to_string(),
        (_, name) if name.len() > EVENT_NAME_BYTES_MAX => return Err(RefusalCode::TooLarge),
        (_, name) => name.to_string(),
    };
    let entries =
        |raw: Option<&RawValue>, entries_max| raw.map_or(Ok(Map::new()), |raw| map(raw.get(), entries_max));
    let event = Event {
        sequence: count(named.sequence, named.message_id.as_deref(), is_named)?,
        event_type,
        name,
        time_ms,
        consent: named.consent,
        properties: entries(read.raw("properties"), PROPERTIES_MAX)?,
        context: entries(read.raw("context"), CONTEXT_ENTRIES_MAX)?,
    };
    Ok(Sent {
        read: Ok(event),
        message_id: named.message_id.map(Cow::into_owned),
        readings: entries(read.raw("readings"), PROPERTIES_MAX)?,
    })
}

fn unreadable(message: &str) -> Fault {
    Fault::unreadable(message.to_string())
}

fn shorten(text: &str) -> &str {
    text.get(..40).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use selvedge_core::limits::{TEXT_BYTES_MAX, VALUE_NODES_MAX};
    use selvedge_core::number::Number;
    use selvedge_core::value::Value;

    fn batch(events: &str) -> Incoming {
        let text = format!(
            r#"{{"write_key":"wk","visitor":"000102030405060708090a0b0c0d0e0f","writer":"4711","sent_at":10,
            "consent":{{"granted":["analytics"],"time":5}},"context":{{"utm.medium":"cpc"}},"events":[{events}]}}"#
        );
        read(text.as_bytes(), "shop").unwrap()
    }

    fn code(event: &str) -> Option<RefusalCode> {
        batch(event).events.remove(0).read.err().map(|undecodable| undecodable.code)
    }

    #[test]
    fn a_batch_reads_as_it_was_written() {
        let batch = batch(
            r#"{"sequence":1,"name":"product_view","time":9,"properties":{"price":129.95,"id":9007199254740993}}"#,
        );
        assert_eq!(batch.header.writer, WriterId::from_bits(4_711));
        assert_eq!(batch.header.consent[0].granted, Purposes::ANALYTICS);
        assert_eq!(batch.header.context.text("utm.medium"), Some("cpc"));
        let event = batch.events[0].read.as_ref().unwrap();
        assert_eq!(event.properties.get("id"), Some(&Value::Number(Number::Int(9_007_199_254_740_993))));
        assert_eq!(event.properties.get("price"), Some(&Value::Number(Number::Double(129.95f64.to_bits()))));
    }

    #[test]
    fn each_bad_event_has_its_code_and_spoils_no_other() {
        let with =
            |properties: &str| format!(r#"{{"sequence":2,"name":"a","time":1,"properties":{properties}}}"#);
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(TEXT_BYTES_MAX + 1));
        let many = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(VALUE_NODES_MAX));
        let wide = (0..=PROPERTIES_MAX).map(|at| format!(r#""p{at}":1"#)).collect::<Vec<_>>().join(",");
        let wide = format!(r#"{{"a":{{{wide}}}}}"#);
        for (event, expected) in [
            (with("{}"), None),
            (with(&wide), Some(RefusalCode::TooLarge)),
            (with(&deep), Some(RefusalCode::TooDeep)),
            (with(&long), Some(RefusalCode::TooLarge)),
            (with(&many), Some(RefusalCode::TooLarge)),
            (with(r#"{"a":"\ud83d"}"#), Some(RefusalCode::InvalidText)),
            (with(r#"{"a":"\udc00 "}"#), Some(RefusalCode::InvalidText)),
            (with(r#"{"a":1e999}"#), Some(RefusalCode::NotFinite)),
            (with("[]"), Some(RefusalCode::Undecodable)),
            (r#"{"sequence":0,"name":"a","time":1}"#.into(), Some(RefusalCode::Undecodable)),
            (r#"{"sequence":2,"time":1}"#.into(), Some(RefusalCode::Undecodable)),
            (r#"{"sequence":2,"type":"wave","time":1}"#.into(), Some(RefusalCode::Undecodable)),
            ("7".into(), Some(RefusalCode::Undecodable)),
        ] {
            assert_eq!(code(&event), expected, "{}", shorten(&event));
        }
        let batch = batch(&format!("{},{}", with(&deep), with("{}")));
        assert_eq!(batch.events[0].read.as_ref().unwrap_err().sequence, Sequence::new(2));
        assert!(batch.events[1].read.is_ok());
    }

    #[test]
    fn another_sdks_events_name_themselves() {
        let text = r#"{"anonymous_id":"anon-1","gpc":true,"country":"de","events":[
            {"message_id":"m-1","name":"a","time":1},{"sequence":1,"name":"a","time":1},
            {"message_id":"","name":"a","time":1},{"message_id":"m-2","name":"a","time":1,"properties":[]}]}"#;
        let batch = read(text.as_bytes(), "shop").unwrap();
        assert_eq!(batch.anonymous_id.as_deref(), Some("anon-1"));
        assert_eq!(batch.header.visitor, foreign::visitor_of("shop", "anon-1"));
        assert_eq!(batch.header.writer, foreign::writer_of(batch.header.visitor));
        let ids: Vec<_> = batch.events.iter().map(|sent| sent.message_id.as_deref()).collect();
        assert_eq!(ids, [Some("m-1"), None, None, Some("m-2")]);
        let are_read: Vec<_> = batch.events.iter().map(|sent| sent.read.is_ok()).collect();
        assert_eq!(are_read, [true, false, false, false]);
        let long = "x".repeat(FOREIGN_ID_BYTES_MAX + 1);
        let long = event(&format!(r#"{{"message_id":"{long}","name":"a","time":1}}"#), true);
        assert_eq!(long.read.unwrap_err().code, RefusalCode::TooLarge);
        assert_eq!(
            code(r#"{"message_id":"m","sequence":2,"name":"a","time":1}"#),
            Some(RefusalCode::Undecodable)
        );
    }

    #[test]
    fn writers_are_numbers_or_text() {
        for (raw, bits) in [("7", 7), (r#""7""#, 7), (r#""0x1f""#, 31), ("4503599627370495", (1 << 52) - 1)] {
            assert_eq!(writer(raw).unwrap().bits(), bits);
        }
        for raw in ["4503599627370496", "-1", "1.5", r#""abc""#, "null"] {
            assert_eq!(writer(raw).unwrap_err().status, 400, "{raw}");
        }
    }

    #[test]
    fn what_is_no_batch_is_refused() {
        for text in ["{", "{}", r#"{"visitor":"zz","writer":1}"#, r#"{"visitor":"00","writer":NaN}"#] {
            assert_eq!(read(text.as_bytes(), "shop").unwrap_err().status, 400, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = read(text.as_bytes(), "shop");
            let _ = (read_event(&text, true), read_event(&text, false));
        }
    }
}
