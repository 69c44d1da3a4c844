//! Where records go: back and forth through a program's bytes, and refused where a filter leads nowhere.

use proptest::prelude::*;
use selvedge_core::consent::Purposes;
use selvedge_core::limits::BUCKETS;
use selvedge_core::rules::ProgramFault;
use selvedge_core::wire::program::{
    Destination, Full, Header, Http, HttpFormat, Kafka, Mechanism, OnUnknown, Parts, Records, Requires, Sasl,
    Way, destinations,
};

fn name() -> impl Strategy<Value = String> {
    "[a-z.]{0,6}"
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(), 0..3)
}

fn one_of<T: Copy + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn http() -> impl Strategy<Value = Way> {
    let formats = &[HttpFormat::CloudEvents, HttpFormat::CloudEventsBatch, HttpFormat::SegmentBatch];
    let header = (name(), name(), prop::option::of(name())).prop_map(|(name, value, secret)| Header {
        name,
        value,
        secret,
    });
    let headers = prop::collection::vec(header, 0..3);
    (name(), one_of(formats), names(), headers)
        .prop_map(|(url, format, secrets, headers)| Way::Http(Http { url, format, secrets, headers }))
}

fn kafka() -> impl Strategy<Value = Way> {
    let mechanisms = &[Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512];
    let sasl = (one_of(mechanisms), name(), name()).prop_map(|(mechanism, user, password)| Sasl {
        mechanism,
        user,
        password,
    });
    (names(), name(), any::<[bool; 2]>(), prop::option::of(sasl))
        .prop_map(|(brokers, topic, [tls, gzip], sasl)| Way::Kafka(Kafka { brokers, topic, tls, sasl, gzip }))
}

fn way() -> impl Strategy<Value = Way> {
    let queue = (name(), name()).prop_map(|(binding, dead_letter)| Way::Queue { binding, dead_letter });
    prop_oneof![Just(Way::Log), http(), kafka(), queue]
}

fn destination() -> impl Strategy<Value = Destination> {
    let rename = prop::collection::vec((name(), name()), 0..3);
    let requires = (one_of(&[Requires::All, Requires::Any]), one_of(&[OnUnknown::Drop, OnUnknown::Hold]));
    let full = one_of(&[Full::Block, Full::DropOldest]);
    let sample = 0..=BUCKETS;
    (name(), way(), (any::<u16>(), requires, any::<u8>(), sample), (names(), rename), full, any::<[u64; 2]>())
        .prop_map(
            |(
                name,
                way,
                (purposes, (requires, on_unknown), records, sample),
                (remove, rename),
                when_full,
                bounds,
            )| {
                let [age_ms_max, bytes_max] = bounds;
                let (purposes, records) = (Purposes(purposes), Records(records));
                let filter = None;
                Destination {
                    name,
                    way,
                    purposes,
                    requires,
                    on_unknown,
                    records,
                    filter,
                    sample,
                    remove,
                    rename,
                    when_full,
                    age_ms_max,
                    bytes_max,
                }
            },
        )
}

proptest! {
    #[test]
    fn destinations_come_back_from_a_programs_bytes(
        found in prop::collection::vec(destination(), 0..4),
    ) {
        let parts = Parts { destinations: found.clone(), ..Parts::default() };
        let bytes = parts.encode();
        prop_assert_eq!(destinations(&bytes), Ok(found));
        prop_assert_eq!(Parts::decode(&bytes), Ok(parts));
    }

    #[test]
    fn destinations_that_are_cut_are_refused(found in destination(), at: prop::sample::Index) {
        let mut bytes = Parts { destinations: vec![found], ..Parts::default() }.encode();
        bytes.truncate(at.index(bytes.len()));
        // Cut between two sections, it is a program without destinations.
        prop_assert!(destinations(&bytes).is_ok_and(|left| left.is_empty()) || destinations(&bytes).is_err());
    }
}

#[test]
fn a_filter_that_leads_nowhere_and_too_large_a_sample_are_refused() {
    let log = Destination {
        name: "log".into(),
        way: Way::Log,
        purposes: Purposes::ANALYTICS,
        requires: Requires::All,
        on_unknown: OnUnknown::Drop,
        records: Records::ALL,
        filter: Some(0),
        sample: BUCKETS,
        remove: Vec::new(),
        rename: Vec::new(),
        when_full: Full::Block,
        age_ms_max: 0,
        bytes_max: 0,
    };
    let fault = |found: Destination| {
        destinations(&Parts { destinations: vec![found], ..Parts::default() }.encode()).unwrap_err()
    };
    assert_eq!(fault(log.clone()), ProgramFault::Index);
    assert_eq!(fault(Destination { filter: None, sample: BUCKETS + 1, ..log }), ProgramFault::TooLarge);
}
