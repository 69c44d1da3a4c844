//! Which items go where, and what is said of them.

use crate::build::*;
use proptest::prelude::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::EventType;
use selvedge_core::id::{EventId, ProgramHash, Sequence, VisitorId};
use selvedge_core::number::Number;
use selvedge_core::value::Value;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::log_row::{Cause, LogNote, LogRow, Reached, Said};
use selvedge_core::wire::program::{Destination, RecordKind, Records, Requires};
use selvedge_edge::delivery::item::{self, Item};
use selvedge_edge::delivery::record::{Routed, is_sampled, may_go_again, route};

#[test]
fn an_event_says_who_when_where_and_what_with_numbers_as_sent() {
    let order = order(Number::Int(9_007_199_254_740_993));
    let id = order.event.id(row(Vec::new(), Vec::new()).writer).to_string();
    let records = sent(routed(&destination(), &row(vec![order], Vec::new())));
    let [record] = &records[..] else { panic!("one record") };
    assert_eq!((record.kind, &record.id, &*record.source), (RecordKind::Event, &id, "/shop/web"));
    assert!(String::from_utf8_lossy(&record.data).contains(r#""value":9007199254740993"#));
    let said = read(record);
    for (name, expected) in [
        ("record", "selvedge.event.v1".into()),
        ("id", id.as_str().into()),
        ("visitor", "07070707070707070707070707070707".into()),
        ("name", "order_completed".into()),
        ("time_ms", NOW_MS.into()),
        ("publish", 3.into()),
        ("session", 4.into()),
        ("purposes", serde_json::json!(["analytics"])),
        ("consent_granted", serde_json::json!(["analytics"])),
        ("context", serde_json::json!({"page.path": "/cart"})),
    ] {
        assert_eq!(said[name], expected, "{name}");
    }
}

#[test]
fn an_event_leaves_only_where_its_purposes_were_granted_at_capture_and_are_now() {
    let row = row(vec![event("view")], Vec::new());
    let now = |snapshot: Snapshot| route(&site(), &destination(), &row, 0, &snapshot);
    assert!(matches!(now(analytics()), Routed::Send(_)));
    assert_eq!(now(Snapshot::default()), Routed::Purged);
    assert_eq!(now(Snapshot { denied: Purposes::ANALYTICS, ..analytics() }), Routed::Purged);
    // Granted later than it was captured.
    let mut before = row.clone();
    before.consent = vec![Snapshot::default()];
    assert_eq!(route(&site(), &destination(), &before, 0, &analytics()), Routed::Filtered);
    before.consent = Vec::new();
    assert_eq!(route(&site(), &destination(), &before, 0, &analytics()), Routed::Filtered);
}

#[test]
fn a_destination_of_two_purposes_needs_both_or_any_as_it_says() {
    let both = Purposes::ANALYTICS.or(Purposes::ADVERTISING);
    let all = Destination { purposes: both, ..destination() };
    let any = Destination { requires: Requires::Any, ..all.clone() };
    let row = row(vec![event("view")], Vec::new());
    assert_eq!(routed(&all, &row), Routed::Filtered);
    assert!(matches!(routed(&any, &row), Routed::Send(_)));
    // An event that serves none of its purposes is not for it, whatever is granted.
    let ads = Destination { purposes: Purposes::ADVERTISING, ..destination() };
    assert_eq!(route(&site(), &ads, &row, 0, &granted(both)), Routed::Filtered);
}

/// What a destination refused goes again for what it was captured for, and for nothing else that the destination serves.
#[test]
fn what_was_refused_goes_again_only_for_a_purpose_it_was_captured_for() {
    let both = Purposes::ANALYTICS.or(Purposes::ADVERTISING);
    let all = Destination { purposes: both, ..destination() };
    let any = Destination { requires: Requires::Any, ..all.clone() };
    let taken = sent(routed(&any, &row(vec![event("view")], Vec::new())));
    assert_eq!(taken[0].usable, Purposes::ANALYTICS);
    assert!(may_go_again(&any, &taken, &granted(both)) && may_go_again(&any, &taken, &analytics()));
    assert!(!may_go_again(&any, &taken, &granted(Purposes::ADVERTISING)), "it was never for that");
    assert!(!may_go_again(&any, &taken, &Snapshot::default()));
    assert!(may_go_again(&all, &taken, &granted(both)) && !may_go_again(&all, &taken, &analytics()));
    let elsewhere = Destination { purposes: Purposes::ADVERTISING, ..destination() };
    assert!(!may_go_again(&elsewhere, &taken, &granted(both)), "the destination serves another purpose now");
}

#[test]
fn a_stored_item_says_what_it_may_be_used_for() {
    let records = sent(routed(&destination(), &row(vec![event("view")], Vec::new())));
    let item = Item {
        row: 7,
        at: 1,
        visitor: VISITOR,
        received_ms: NOW_MS,
        program: ProgramHash::default(),
        publish: 2,
        records,
    };
    let items = vec![item];
    assert_eq!(item::decode(&item::encode(&items)), Ok(items));
}

#[test]
fn an_exposure_is_a_record_of_its_own_kind_with_its_columns() {
    let mut seen = event("exposure");
    seen.event.event_type = EventType::Exposure;
    for (name, value) in [("slot", "hero"), ("rule", "two-views"), ("experiment", "hero-test")] {
        seen.event.properties.set(name, Value::Text(value.into()));
    }
    let row = row(vec![seen], Vec::new());
    let records = sent(routed(&destination(), &row));
    let said = read(&records[0]);
    assert_eq!((records[0].kind, &said["slot"]), (RecordKind::Exposure, &"hero".into()));
    assert_eq!((&said["experiment"], &said["reason"]), (&"hero-test".into(), &"shown".into()));
    let events = Destination { records: Records::default().with(RecordKind::Event), ..destination() };
    assert_eq!(routed(&events, &row), Routed::Filtered);
}

#[test]
fn decisions_inherit_from_their_event_and_name_the_variant() {
    let mut view = event("view");
    view.decisions = vec![decided(Reason::Won, "hero-test/new"), decided(Reason::Fallback, "a/b >= 2")];
    view.decisions[1].slot = "banner".into();
    let row = row(vec![view], Vec::new());
    let records = sent(routed(&destination(), &row));
    assert_eq!(records.len(), 3);
    let [event, hero, banner] = [read(&records[0]), read(&records[1]), read(&records[2])];
    assert_eq!(hero["event_id"], event["id"]);
    assert_eq!((&hero["experiment"], &hero["variant"]), (&"hero-test".into(), &"new".into()));
    assert_eq!((&banner["detail"], &banner["variant"]), (&"a/b >= 2".into(), &serde_json::Value::Null));
    assert_eq!(records[1].id, format!("{}:decision:hero", records[0].id));
    let only = Destination { records: Records::default().with(RecordKind::Decision), ..destination() };
    assert_eq!(sent(routed(&only, &row)).len(), 2);
}

#[test]
fn a_message_goes_to_the_destination_it_names_and_to_no_other() {
    let row = row(Vec::new(), vec![told("warehouse")]);
    let records = sent(routed(&destination(), &row));
    assert_eq!(records[0].id, format!("{VISITOR}:{NOW_MS}:emit:reminder:enter"));
    assert_eq!(read(&records[0])["fields"], serde_json::json!({"cart": 60}));
    let other = Destination { name: "mail".into(), ..destination() };
    assert_eq!(routed(&other, &row), Routed::Filtered);
}

#[test]
fn two_messages_of_one_rule_in_one_millisecond_are_two() {
    let caused = |event| {
        let mut note = told("warehouse");
        let Said::Emitted(told) = &mut note.said else { panic!("no message") };
        told.cause = Some(Cause { event: Sequence::new(event).unwrap(), event_time_ms: NOW_MS });
        note
    };
    let row = row(Vec::new(), vec![caused(3), caused(4)]);
    let row = LogRow::decode(&row.encode().unwrap()).unwrap();
    let ids = [0, 1].map(|at| match route(&site(), &destination(), &row, at, &analytics()) {
        Routed::Send(records) => records[0].id.clone(),
        other => panic!("{other:?}"),
    });
    let id_of = |event| EventId::new(NOW_MS, row.writer, Sequence::new(event).unwrap());
    assert_eq!(ids, [3, 4].map(|event| format!("{}:emit:reminder:enter", id_of(event))));
}

#[test]
fn a_filter_tests_the_record() {
    let large = Destination { filter: Some(0), ..destination() };
    let of = |value| routed(&large, &row(vec![order(value)], Vec::new()));
    assert!(matches!(of(Number::Int(100)), Routed::Send(_)));
    assert_eq!(of(Number::Int(99)), Routed::Filtered);
    assert_eq!(routed(&large, &row(vec![event("view")], Vec::new())), Routed::Filtered);
}

#[test]
fn a_filter_tests_amounts_in_the_currency_of_the_site() {
    let large = Destination { filter: Some(0), ..destination() };
    let of = |has_rates: bool, value, currency: &str| {
        let mut order = order(Number::Int(value));
        order.event.properties.set("currency", Value::Text(currency.into()));
        match route(
            &site_of_money(has_rates.then_some(500_000)),
            &large,
            &row(vec![order], Vec::new()),
            0,
            &analytics(),
        ) {
            Routed::Filtered => None,
            Routed::Send(records) => Some(read(&records[0])["properties"]["value"].clone()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of(false, 100, "EUR"), Some(100.into()));
    assert_eq!(of(false, 500, "USD"), None, "of other currencies nothing is known");
    assert_eq!(of(true, 199, "USD"), None);
    assert_eq!(of(true, 200, "USD"), Some(200.into()), "and it leaves as it was sent");
    assert_eq!(of(true, 500, "CHF"), None, "there is no rate");
}

#[test]
fn fields_are_removed_and_renamed_in_their_place() {
    let changed = Destination {
        remove: ["properties.email", "context.*", "anonymous_id", "name.none"].map(Into::into).into(),
        rename: vec![("properties.value".into(), "revenue".into()), ("name".into(), "event".into())],
        ..destination()
    };
    let said = read(&sent(routed(&changed, &row(vec![order(Number::Int(7))], Vec::new())))[0]);
    assert_eq!(said["properties"], serde_json::json!({"revenue": 7}));
    assert_eq!(said["context"], serde_json::json!({}));
    assert_eq!((&said["event"], &said["name"]), (&"order_completed".into(), &serde_json::Value::Null));
}

#[test]
fn a_rename_that_would_lose_a_value_is_refused() {
    let rename = vec![("properties.value".into(), "email".into())];
    let changed = Destination { rename, ..destination() };
    let routed = routed(&changed, &row(vec![order(Number::Int(7))], Vec::new()));
    let Routed::Refused(refusal) = routed else { panic!("not refused: {routed:?}") };
    assert_eq!(refusal.path, "properties.value");
}

#[test]
fn a_sample_takes_all_of_a_visitor_or_nothing_by_the_published_bucket() {
    let tenth = Destination { sample: 1_000, ..destination() };
    let visitor = |byte: u8| VisitorId([byte; 16]);
    let taken = (0..=255).filter(|byte| is_sampled(&tenth, visitor(*byte))).count();
    assert!((10..45).contains(&taken), "{taken} of 256");
    for byte in 0..=255 {
        let bucket = selvedge_core::rules::bucket("warehouse", &visitor(byte).to_string());
        assert_eq!(is_sampled(&tenth, visitor(byte)), bucket < 1_000);
    }
}

#[test]
fn a_place_that_a_row_does_not_have_is_no_item() {
    let row = row(vec![event("view")], vec![told("warehouse")]);
    assert_eq!(route(&site(), &destination(), &row, 2, &analytics()), Routed::Filtered);
}

proptest! {
    #[test]
    fn less_consent_never_sends_more(
        purposes: u16, usable: u16, captured: u16, more: u16, less: u16, any: bool,
    ) {
        let requires = if any { Requires::Any } else { Requires::All };
        let to = Destination { purposes: Purposes(purposes), requires, ..destination() };
        let mut view = event("view");
        view.usable = Purposes(usable);
        let mut row = row(vec![view], Vec::new());
        row.consent = vec![granted(Purposes(captured))];
        let leaves = |now: u16| matches!(route(&site(), &to, &row, 0, &granted(Purposes(now))), Routed::Send(_));
        prop_assert!(!leaves(more & less) || leaves(more));
        let is_granted = granted(Purposes(captured & more)).in_force();
        prop_assert!(!leaves(more) || !is_granted.and(to.purposes).and(Purposes(usable)).is_empty());
        prop_assert!(any || !leaves(more) || is_granted.holds(to.purposes));
    }
}

#[test]
fn a_goal_is_a_record_of_its_own_with_the_event_and_the_consent_that_it_had() {
    let order = order(Number::Int(60));
    let reached = Reached {
        goal: "order".into(),
        event: order.event.sequence,
        event_time_ms: order.event.time_ms,
        value: Some(Number::Int(60)),
    };
    let note = LogNote { time_ms: NOW_MS, usable: Purposes::ANALYTICS, said: Said::Reached(reached) };
    let row = row(vec![order], vec![note]);
    let records = sent(route(&site(), &destination(), &row, 1, &analytics()));
    let [record] = &records[..] else { panic!("one record") };
    let event_id = row.events[0].event.id(row.writer).to_string();
    assert_eq!((record.kind, &record.id), (RecordKind::Goal, &format!("{event_id}:goal:order")));
    let said = read(record);
    assert_eq!(
        (&said["goal"], &said["event_id"], &said["value"]),
        (&"order".into(), &event_id.into(), &60.into())
    );
    let mut before = row;
    before.consent.insert(0, Snapshot::default());
    before.events[0].event.consent = 1;
    assert!(matches!(route(&site(), &destination(), &before, 1, &analytics()), Routed::Send(_)));
}
