//! Laws that hold for any batch.

use crate::world::*;
use proptest::prelude::*;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::event::{Event, RefusalCode, Undecodable};
use selvedge_core::id::Sequence;
use selvedge_core::wire::state::{CellBody, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::ingest::Outcome;
use selvedge_edge::ledger::Counter;

const NAMES: [&str; 4] = ["product_view", "report", "ping", "wave"];

/// Events as one honest writer counts them: a sequence always stands for the same event.
fn events() -> impl Strategy<Value = Vec<Result<Event, Undecodable>>> {
    let event = (1u32..40).prop_map(|sequence| {
        if sequence % 11 == 0 {
            let (sequence, code) = (Sequence::new(sequence), RefusalCode::Undecodable);
            return Err(Undecodable { sequence, code, bytes: vec![0] });
        }
        let (name, consent) = (NAMES[sequence as usize % NAMES.len()], (sequence / 7 % 3) as u8);
        Ok(Event { consent, ..event(sequence, name) })
    });
    prop::collection::vec(event, 0..30)
}

/// What is kept of a visitor but for its leases, which every answer extends.
fn without_leases(record: &VisitorRecord) -> (VisitorRecord, Option<VisitorState>) {
    let state = VisitorState::decode(&record.state).ok().map(|mut state| {
        for cell in &mut state.cells {
            if let CellBody::Cap(cap) = &mut cell.body {
                cap.lease.expires_ms = 0;
            }
        }
        state
    });
    (VisitorRecord { state: Vec::new(), ..record.clone() }, state)
}

fn snapshots() -> impl Strategy<Value = Vec<Snapshot>> {
    let one = (0u16..16, 0u16..16, 0u64..3);
    let snapshot =
        one.prop_map(|(granted, denied, time_ms)| said(Purposes(granted), Purposes(denied), time_ms));
    prop::collection::vec(snapshot, 1..3)
}

proptest! {
    /// Whatever comes in is accounted for, once.
    #[test]
    fn received_is_accepted_and_deduplicated_and_refused(events in events(), consent in snapshots()) {
        let mut sent = batch(granted(), events);
        sent.header.consent = consent;
        let outcome = stepped(None, sent);
        let ledger = &outcome.ledger;
        let sum = ledger.get(Counter::Accepted) + ledger.get(Counter::Deduplicated) + ledger.refused_in_all();
        prop_assert_eq!(ledger.get(Counter::Received), sum);
        prop_assert_eq!(ledger.get(Counter::Accepted), u64::from(outcome.answer.accepted));
        prop_assert_eq!(ledger.get(Counter::Deduplicated), u64::from(outcome.answer.duplicates));
        prop_assert_eq!(ledger.refused_in_all(), outcome.answer.refused.len() as u64);
        prop_assert_eq!(ledger.get(Counter::Quarantined), outcome.quarantine.len() as u64);
    }

    /// A batch that is sent again changes nothing.
    #[test]
    fn dedup_is_idempotent(events in events(), consent in snapshots()) {
        let mut sent = batch(granted(), events);
        sent.header.consent = consent;
        let first = stepped(None, sent.clone());
        let stored = kept(None, &first);
        let again = stepped(stored.clone(), sent);
        if let Some(stored) = stored {
            prop_assert_eq!(&again.row, &None);
            prop_assert_eq!(again.quarantine.len(), 0);
            prop_assert_eq!(again.answer.accepted, 0);
            let shown = |outcome: &Outcome| outcome.answer.decisions[0].content.clone();
            prop_assert_eq!(shown(&again), shown(&first));
            let after = again.record.unwrap_or_else(|| stored.clone());
            prop_assert_eq!(without_leases(&after), without_leases(&stored));
        }
    }

    /// However a writer's events are cut into batches, each is logged once, in its order.
    #[test]
    fn events_are_logged_once_in_the_order_sent(cuts in prop::collection::vec((1usize..5, any::<bool>()), 1..12)) {
        let (mut stored, mut seen, mut next) = (None, Vec::new(), 1u32);
        for (size, is_resent) in cuts {
            let views: Vec<_> = (next..).take(size).map(|sequence| Ok(event(sequence, "report"))).collect();
            next += u32::try_from(size).unwrap();
            for _ in 0..=usize::from(is_resent) {
                let outcome = stepped(stored.clone(), batch(granted(), views.clone()));
                seen.extend(logged(&outcome));
                stored = kept(stored, &outcome);
            }
        }
        prop_assert_eq!(seen, (1..next).collect::<Vec<_>>());
    }

    /// Less consent never adds an event, and never keeps more.
    #[test]
    fn less_consent_never_adds_an_event(events in events(), granted in 0u16..16, less in 0u16..16) {
        let more = stepped(None, batch(said(Purposes(granted), Purposes::NONE, 1), events.clone()));
        for fewer in [
            said(Purposes(granted & less), Purposes::NONE, 1),
            said(Purposes(granted), Purposes(!less & 0xf), 1),
        ] {
            let fewer = stepped(None, batch(fewer, events.clone()));
            let more = logged(&more);
            prop_assert!(logged(&fewer).iter().all(|sequence| more.contains(sequence)));
        }
    }

    /// What is kept without a purpose for state holds none.
    #[test]
    fn no_state_without_a_purpose_for_it(events in events(), consent in snapshots()) {
        let mut sent = batch(granted(), events);
        let keeps = !consent[0].in_force().and(selvedge_edge::gate::STATE_PURPOSES).is_empty();
        sent.header.consent = consent;
        let outcome = stepped(None, sent);
        prop_assert_eq!(outcome.record.is_some_and(|record| !record.state.is_empty()), keeps);
        prop_assert_eq!(!outcome.answer.state.is_empty(), keeps);
    }
}
