//! Laws over generated values: what was written is read as it was, whoever writes and whoever reads.

use crate::{oracle, sample};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use selvedge_core::consent::{Mode, Purposes, Signals, Snapshot};
use selvedge_core::event::{BatchHeader, Clock, Event, EventType, LeaseReport, RefusalCode};
use selvedge_core::id::{ProgramHash, Sequence, VisitorId, WriterId};
use selvedge_core::number::Number;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::answer::{Answer, Applied, Grant, Need, Reason, Refused, SlotDecision, read_answer};
use selvedge_core::wire::batch::{encode_batch, encode_event, read_event, refusal_of};
use selvedge_core::wire::batch_decode::{decode_batch, open};
use selvedge_core::wire::log_row::{Cause, Emission, LogEvent, LogNote, LogRow, Reached, Said};
use selvedge_core::wire::program::{Content, ContentType};

fn numbers() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::Int),
        prop::sample::select(vec![i64::MIN, -1, 0, 1, i64::MAX]).prop_map(Number::Int),
        any::<u64>().prop_map(Number::Uint),
        Just(Number::Uint(u64::MAX)),
        any::<u64>().prop_map(Number::Double),
        (-900_000_000i64..900_000_000).prop_map(|e7| Number::Double((e7 as f64 / 1e7).to_bits())),
    ]
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z]{0,12}", "[😀👟🇩🇪é漢]{0,6}"]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["sku", "price", "page.path", "slot", "utm.medium"]).prop_map(String::from),
        "[a-z_.]{0,20}",
        "\\PC{0,8}",
    ]
}

fn maps(values: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Map> {
    vec((names(), values), 0..8).prop_map(Map::from_iter)
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        texts().prop_map(Value::Text),
    ];
    leaf.prop_recursive(7, 64, 8, |inner| {
        prop_oneof![vec(inner.clone(), 0..8).prop_map(Value::List), maps(inner).prop_map(Value::Object)]
    })
}

prop_compose! {
    fn events()(
        sequence in 1..=Sequence::MAX,
        event_type in prop::sample::select(EventType::ALL.to_vec()),
        name in names(),
        time_ms: u64,
        consent: u8,
        properties in maps(values()),
        context in maps(values()),
    ) -> Event {
        let sequence = Sequence::new(sequence).unwrap();
        Event { sequence, event_type, name, time_ms, consent, properties, context }
    }
}

prop_compose! {
    fn snapshots()(
        granted: u16,
        denied: u16,
        mode in prop::sample::select(vec![Mode::OptIn, Mode::OptOut, Mode::Exempt]),
        gpc: bool,
        signal in 0u8..128,
        policy_version: u16,
        time_ms: u64,
        text_hash in prop_oneof![Just(0), any::<u64>()],
    ) -> Snapshot {
        let (granted, denied, signal) = (Purposes(granted), Purposes(denied), Signals(signal));
        Snapshot { granted, denied, mode, gpc, signal, policy_version, time_ms, text_hash }
    }
}

prop_compose! {
    fn headers()(
        write_key in "\\PC{0,30}",
        ids: ([u8; 16], u64, Option<[u8; 16]>, u32),
        times: (u64, i64, u32, bool),
        consent in vec(snapshots(), 0..4),
        context in maps(values()),
        leases in vec(any::<(u64, u32, u32)>(), 0..4),
    ) -> BatchHeader {
        BatchHeader {
            write_key,
            visitor: VisitorId(ids.0),
            writer: WriterId::from_bits(ids.1),
            sent_at_ms: times.0,
            skew_ms: times.1,
            floor: times.2,
            clock: if times.3 { Clock::Event } else { Clock::Received },
            program: ids.2.map(ProgramHash),
            dictionary: None,
            consent,
            context,
            leases: leases.into_iter().map(|(rule, lease, used)| LeaseReport { rule, lease, used }).collect(),
            holder: ids.3,
        }
    }
}

fn contents() -> impl Strategy<Value = Content> {
    let types = [ContentType::Text, ContentType::Link, ContentType::Image, ContentType::Attributes];
    (texts(), prop::sample::select(types.to_vec()), vec((texts(), texts()), 0..4))
        .prop_map(|(id, content_type, fields)| Content { id, content_type, fields })
}

prop_compose! {
    fn decisions()(
        slot in texts(),
        rule in prop::option::of(texts()),
        content in prop::option::of(texts()),
        reason in prop::sample::select(Reason::ALL.to_vec()),
        detail in texts(),
        body in prop::option::of(contents()),
    ) -> SlotDecision {
        SlotDecision { slot, rule, content, reason, detail, body, held_out: None }
    }
}

prop_compose! {
    fn answers()(
        counts: (u32, u32, u32),
        refused in vec((any::<u32>(), prop::sample::select(RefusalCode::ALL.to_vec())), 0..5),
        program: [u8; 16],
        times: (u64, u64),
        applied in vec(any::<(u64, u32)>(), 0..5),
        state: Vec<u8>,
        decisions in vec(decisions(), 0..4),
        grants in vec(any::<(u64, u32, u16, i64)>(), 0..4),
        needs in vec((texts(), any::<(u64, u32, u16, i64)>(), any::<u16>()), 0..3),
        paused in vec(any::<u64>(), 0..4),
    ) -> Answer {
        Answer {
            accepted: counts.0,
            duplicates: counts.1,
            refused: refused.into_iter().map(|(sequence, code)| Refused { sequence, code }).collect(),
            program: ProgramHash(program),
            publish: times.0,
            server_time_ms: times.1,
            next_flush_ms: counts.2,
            applied: applied
                .into_iter()
                .map(|(writer, sequence)| Applied { writer: WriterId::from_bits(writer), sequence })
                .collect(),
            state,
            decisions,
            grants: grants
                .into_iter()
                .map(|(rule, lease, count, expires_ms)| Grant { rule, lease, count, expires_ms })
                .collect(),
            needs: needs
                .into_iter()
                .map(|(slot, (rule, lease, count, expires_ms), left)| {
                    Need { slot, grant: Grant { rule, lease, count, expires_ms }, left }
                })
                .collect(),
            paused,
        }
    }
}

prop_compose! {
    fn log_events()(
        event in events(),
        flags: (bool, bool, u16, u32),
        message_id in option::of(texts()),
        decisions in vec(decisions(), 0..3),
    ) -> LogEvent {
        LogEvent { event, message_id, late: flags.0, clock_off: flags.1, usable: Purposes(flags.2), decisions, session: flags.3 }
    }
}

fn reached() -> impl Strategy<Value = Said> {
    let value = option::of(any::<i64>().prop_map(Number::Int));
    (texts(), 1..=Sequence::MAX, 0..1u64 << 48, value).prop_map(|(goal, event, event_time_ms, value)| {
        Said::Reached(Reached { goal, event: Sequence::new(event).unwrap(), event_time_ms, value })
    })
}

fn notes() -> impl Strategy<Value = LogNote> {
    let cause = option::of((1..=Sequence::MAX, 0..1u64 << 48)).prop_map(|cause| {
        cause.map(|(event, event_time_ms)| Cause { event: Sequence::new(event).unwrap(), event_time_ms })
    });
    let emission = (texts(), texts(), texts(), any::<bool>(), maps(Just(Value::Bool(true))), cause).prop_map(
        |(rule, to, enter, is_exit, fields, cause)| Emission { rule, to, enter, is_exit, fields, cause },
    );
    let said = prop_oneof![
        vec(decisions(), 1..3).prop_map(Said::Decided),
        emission.prop_map(Said::Emitted),
        reached(),
        Just(Said::Erased),
    ];
    (any::<u64>(), any::<u16>(), said).prop_map(|(time_ms, usable, said)| LogNote {
        time_ms,
        usable: Purposes(usable),
        said,
    })
}

prop_compose! {
    fn log_rows()(
        header in headers(),
        site in texts(),
        source in texts(),
        anonymous_id in option::of(texts()),
        trusted: bool,
        received_ms: u64,
        publish: u64,
        events in vec(log_events(), 0..4),
        notes in vec(notes(), 0..3),
        versions in prop::collection::btree_map("[a-z]{1,8}", 0..1u64 << 40, 0..3),
    ) -> LogRow {
        LogRow {
            received_ms,
            site,
            source,
            trust: if trusted { Trust::Server } else { Trust::Client },
            visitor: header.visitor,
            anonymous_id,
            writer: header.writer,
            sent_at_ms: header.sent_at_ms,
            skew_ms: header.skew_ms,
            clock: header.clock,
            program: header.program.unwrap_or_default(),
            publish,
            lookups: versions.into_iter().collect(),
            consent: header.consent,
            context: header.context,
            events,
            notes,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_the_page_writes_is_what_the_edge_reads(
        header in headers(),
        events in vec(events(), 0..4),
        abbreviated: bool,
    ) {
        let names = abbreviated.then(|| sample::plan().names());
        let borrowed: Vec<_> = events.iter().collect();
        let bytes = encode_batch(&header, &borrowed, names.as_ref());
        prop_assert_eq!(&bytes, &oracle::batch(&header, &borrowed, names.as_ref()));
        let batch = decode_batch(open(&bytes).unwrap().sections, names.as_ref()).unwrap();
        let dictionary = names.map(|names| names.number());
        prop_assert_eq!(batch.header, BatchHeader { dictionary, ..header });
        prop_assert_eq!(batch.events, events.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn the_page_reads_back_what_it_stored(event in events(), sent_at_ms: u64) {
        let names = sample::plan().names();
        for names in [None, Some(&names)] {
            let bytes = encode_event(&event, sent_at_ms, names);
            prop_assert_eq!(&read_event(&bytes, sent_at_ms, names), &Ok(event.clone()));
        }
    }

    #[test]
    fn both_readers_agree_on_damaged_events(
        event in events(),
        at: prop::sample::Index,
        byte: u8,
        cut: prop::sample::Index,
        whole: bool,
    ) {
        let names = sample::plan().names();
        let mut bytes = encode_event(&event, sample::SENT_AT_MS, Some(&names));
        let place = at.index(bytes.len());
        bytes[place] = byte;
        if !whole {
            bytes.truncate(cut.index(bytes.len()));
        }
        readers_agree(&bytes)?;
    }

    #[test]
    fn both_readers_agree_on_noise(bytes in vec(any::<u8>(), 0..64)) {
        readers_agree(&bytes)?;
    }

    #[test]
    fn what_the_edge_answers_is_what_the_page_reads(answer in answers()) {
        prop_assert_eq!(read_answer(&answer.encode().unwrap()), Ok(answer));
    }

    #[test]
    fn a_row_comes_back_as_it_was(row in log_rows()) {
        prop_assert_eq!(LogRow::decode(&row.encode().unwrap()), Ok(row));
    }

    #[test]
    fn noise_never_panics(bytes in vec(any::<u8>(), 0..512)) {
        let headed = [&[1, 0][..], &bytes].concat();
        let _ = open(&headed).map(|container| decode_batch(container.sections, None));
        let _ = read_answer(&headed);
        let _ = LogRow::decode(&headed);
    }

    #[test]
    fn damage_never_panics(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let names = sample::plan().names();
        let events = sample::events();
        let batch = encode_batch(&sample::header(), &events.iter().collect::<Vec<_>>(), Some(&names));
        let damage = |mut bytes: Vec<u8>| {
            let place = at.index(bytes.len());
            bytes[place] = byte;
            let length = cut.index(bytes.len());
            let cut_off = bytes[..length].to_vec();
            [bytes, cut_off]
        };
        for bytes in damage(batch) {
            let _ = open(&bytes).map(|container| decode_batch(container.sections, Some(&names)));
        }
        for bytes in damage(sample::answer().encode().unwrap()) {
            let _ = read_answer(&bytes);
        }
        for bytes in damage(sample::log_row().encode().unwrap()) {
            let _ = LogRow::decode(&bytes);
        }
    }
}

/// The page's reader by hand and the edge's by serde give the same event, or refuse with the same code.
fn readers_agree(bytes: &[u8]) -> Result<(), TestCaseError> {
    let names = sample::plan().names();
    let by_hand = read_event(bytes, sample::SENT_AT_MS, Some(&names)).map_err(refusal_of);
    let mut batch = encode_batch(&sample::header(), &[], Some(&names));
    batch.push(2);
    batch.extend(postcard::to_allocvec(bytes).unwrap());
    let batch = decode_batch(open(&batch).unwrap().sections, Some(&names)).unwrap();
    let by_serde = batch.events[0].clone().map_err(|undecodable| undecodable.code);
    prop_assert_eq!(by_hand, by_serde);
    Ok(())
}
