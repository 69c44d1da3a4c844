//! What is under way to a destination goes again as it was, whatever the site says meanwhile: other rates, other filters,
//! other brokers, another signature.

use crate::build::*;
use selvedge_core::wire::log_row::LogRow;
use selvedge_core::wire::program::{Destination, Header, Http, HttpFormat, Kafka, Way};
use selvedge_edge::cursor::Position;
use selvedge_edge::delivery::encode::http_body;
use selvedge_edge::delivery::fingerprint::{of_config, of_way};
use selvedge_edge::delivery::item;
use selvedge_edge::delivery::machine::{Machine, Step};
use selvedge_edge::delivery::record::{Routed, route};
use selvedge_edge::delivery::sent::{Prepared, SendResult, Sent};
use selvedge_edge::delivery::state::State;
use selvedge_edge::delivery::take::Taking;
use selvedge_edge::site::Site;

/// Orders of 199, 200 and 400 dollars.
fn orders() -> LogRow {
    row([199, 200, 400].map(dollars).into(), Vec::new())
}

/// Whoever wants orders of 100 and more.
fn large() -> Destination {
    Destination { filter: Some(0), ..destination() }
}

/// Which of the orders go there.
fn passes(site: &Site, destination: &Destination) -> [bool; 3] {
    let row = orders();
    [0, 1, 2].map(|at| matches!(route(site, destination, &row, at, &analytics()), Routed::Send(_)))
}

fn taken(machine: &mut Machine, site: &Site, destination: &Destination, number: u64) {
    let mut taking = Taking::from(machine.state.cursor, destination);
    let row = orders();
    taking.row(number, &row, |at| route(site, destination, &row, at, &analytics()));
    assert_eq!(machine.take(taking.end()), [], "all could be made");
}

/// The machine as it comes back after a crash.
fn crashed(machine: &Machine) -> Machine {
    let state = State::decode(&machine.state.encode()).unwrap();
    Machine::stored(state, item::decode(&item::encode(&machine.flight)).unwrap())
}

/// The name and the bytes of what is sent.
fn bytes(machine: &Machine) -> (String, Vec<u8>) {
    let sending = machine.sending();
    (sending.id, http_body(HttpFormat::CloudEventsBatch, &sending.records).bytes)
}

#[test]
fn a_rate_that_changes_while_a_batch_is_under_way_changes_nothing_of_it() {
    let half = site_of_money(Some(500_000));
    assert_eq!(passes(&half, &large()), [false, true, true]);
    let mut machine = Machine::default();
    taken(&mut machine, &half, &large(), 1);
    assert_eq!(machine.step(NOW_MS, true), Step::Prepare);
    assert_eq!(machine.prepared(Prepared::Ready(vec![7]), NOW_MS, 0), []);
    let before = bytes(&machine);

    let now = site_of_money(Some(300_000));
    assert_eq!(passes(&now, &large()), [false, false, true], "asked now it would be another batch");
    for mut machine in [crashed(&machine), {
        let lost = SendResult::Again { after_ms: Some(0), is_answered: false, why: "no answer".into() };
        machine.sent(Sent::of(lost), NOW_MS, 0);
        machine.clone()
    }] {
        assert_eq!(machine.step(NOW_MS + 3_600_000, true), Step::Resend);
        machine.send_again();
        assert_eq!(bytes(&machine), before);
        assert_eq!(machine.state.transport, [7], "under the same numbers");
        machine.sent(Sent::of(SendResult::Delivered), NOW_MS, 0);
        taken(&mut machine, &now, &large(), 2);
        let (counts, cursor) = (machine.state.counts, machine.state.cursor);
        assert_eq!((counts.delivered, counts.filtered, machine.state.in_flight), (2, 1 + 2, 1));
        assert_eq!(cursor, Position { row: 2, events: 0 }, "and what comes behind it by what holds now");
    }
}

fn kafka(brokers: &[&str], topic: &str, gzip: bool) -> Destination {
    let brokers = brokers.iter().map(|broker| (*broker).into()).collect();
    let kafka = Kafka { brokers, topic: topic.into(), tls: false, sasl: None, gzip };
    Destination { way: Way::Kafka(kafka), ..destination() }
}

fn http(url: &str, secrets: &[&str], format: HttpFormat) -> Destination {
    let headers = vec![Header { name: "x-key".into(), value: secrets.concat(), secret: None }];
    let secrets = secrets.iter().map(|secret| (*secret).into()).collect();
    Destination { way: Way::Http(Http { url: url.into(), format, secrets, headers }), ..destination() }
}

#[test]
fn who_signs_what_packs_and_which_broker_is_asked_are_no_other_destination() {
    let batch = HttpFormat::CloudEventsBatch;
    let same = [
        (kafka(&["a:1"], "shop", false), kafka(&["a:1", "b:1"], "shop", true)),
        (http("https://a", &["OLD"], batch), http("https://a", &["NEW", "OLD"], batch)),
    ];
    for (before, after) in same {
        assert_eq!(of_way(&before), of_way(&after), "{after:?}");
        assert_ne!(of_config(&before, &[]), of_config(&after, &[]), "a pause may have waited for it");
    }
    let others = [
        kafka(&["a:1"], "shop", false),
        kafka(&["a:1"], "other", false),
        http("https://a", &[], batch),
        http("https://b", &[], batch),
        http("https://a", &[], HttpFormat::SegmentBatch),
        Destination {
            way: Way::Queue { binding: "shop".into(), dead_letter: "dead".into() },
            ..destination()
        },
        destination(),
    ];
    let ways: std::collections::BTreeSet<u64> = others.iter().map(of_way).collect();
    assert_eq!(ways.len(), others.len());
}

/// With another producer's id a broker would take once more what it has.
#[test]
fn a_broker_more_and_compression_leave_what_is_under_way_its_numbers() {
    let (before, after) = (kafka(&["a:1"], "shop", false), kafka(&["a:1", "b:1"], "shop", true));
    let mut machine = Machine::default();
    machine.configure(of_config(&before, &[]), of_way(&before));
    taken(&mut machine, &site(), &before, 1);
    machine.prepared(Prepared::Ready(vec![7]), NOW_MS, 0);
    let mut machine = crashed(&machine);
    machine.configure(of_config(&after, &[]), of_way(&after));
    assert_eq!((machine.state.transport.as_slice(), machine.step(NOW_MS, false)), (&[7][..], Step::Resend));
    machine.send_again();
    assert!(machine.sending().is_unsure, "and what may arrive twice is counted");
}
