//! Consent that is taken back before its events have left, over a real workerd: they do not leave, are not kept, and are not
//! sent when somebody replays them.

use std::thread;
use std::time::Duration;

use anyhow::Result;
use selvedge_core::consent::Purposes;
use selvedge_core::wire::program::Destination;
use selvedge_tests::hook::{SOON, batches, numbers, publish, send, settled, withdraw, world};
use selvedge_tests::streams::{ledger, wait_for_state};
use selvedge_tests::{Receiver, Reply, Visitor};
use serde_json::json;

#[test]
fn what_is_refused_behind_a_withdrawal_is_not_kept() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let (mut visitor, mut other) = (Visitor::new(1), Visitor::new(2));
    send(&world, &mut visitor, 0..1)?;
    wait_for_state(&world, "hook", "waiting", SOON)?;
    withdraw(&world, &mut visitor)?;
    send(&world, &mut other, 0..1)?;
    // It was on its way before; the destination refuses it, and what another visitor goes on granting.
    receiver.answers(|_| Reply::Status(422));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    assert_eq!(settled(&world, "hook")?["quarantined"], 2);
    let kept = world.quarantine()?;
    let whose: Vec<&str> = kept.iter().filter_map(|entry| entry["visitor"].as_str()).collect();
    assert_eq!(whose, [other.id.to_string()], "{kept:?}");
    let page = world.admin_get("/metrics")?.text();
    let counted = ledger(&world, "hook")?;
    assert_eq!((counted["accepted"], counted["quarantined"], counted["pending"]), (2, 2, 0));
    assert!(page.contains("selvedge_quarantine_purged_total{site=\"shop\"} 1"), "{page}");
    Ok(())
}

#[test]
fn a_replay_sends_nothing_to_a_destination_for_which_nothing_is_granted_any_more() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(422))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let mut visitor = Visitor::new(1);
    let event = visitor.track("search", json!({"query": "shoes", "number": 0}));
    let mut batch = visitor.batch(&[event]);
    batch["consent"]["granted"] = json!(["analytics"]);
    batch["consent"]["denied"] = json!(["personalization", "advertising"]);
    let answer = world.client().post("/v1/collect", &[], batch.to_string().as_bytes())?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(settled(&world, "hook")?["quarantined"], 1);
    assert_eq!(world.quarantine()?.len(), 1);
    // A withdrawal takes its entries with it. Here the visitor never granted what the destination stands for by now.
    let other = Destination { purposes: Purposes::ADVERTISING, ..batches("hook", &receiver) };
    publish(&world, vec![other])?;
    assert_eq!(world.quarantine()?.len(), 1);
    receiver.answers(|_| Reply::Status(200));
    let order = json!({"stage": "delivery", "destination": "hook"}).to_string();
    let answer = world.admin_post("/v1/quarantine/replay", order.as_bytes())?.json()?;
    assert_eq!((&answer["replayed"], &answer["destroyed"]), (&json!(0), &json!(1)), "{answer}");
    thread::sleep(Duration::from_millis(500));
    assert!(
        world.quarantine()?.is_empty() && receiver.received().iter().all(|request| request.status != 200)
    );
    Ok(())
}

#[test]
fn what_is_taken_back_before_it_leaves_does_not_leave() -> Result<()> {
    let receiver = Receiver::start(|_| Reply::Status(503))?;
    let world = world(1, vec![batches("hook", &receiver)])?;
    let (mut leaves, mut stays) = (Visitor::new(1), Visitor::new(2));
    // The first is in flight, and left: the others wait behind it.
    send(&world, &mut stays, 0..1)?;
    wait_for_state(&world, "hook", "waiting", SOON)?;
    send(&world, &mut leaves, 0..3)?;
    send(&world, &mut stays, 1..3)?;
    withdraw(&world, &mut leaves)?;
    receiver.answers(|_| Reply::Status(200));
    world.admin_post("/v1/destinations/hook/resume", b"")?;
    let taken = receiver.wait_for(3, SOON)?;
    let counted = settled(&world, "hook")?;
    assert_eq!((counted["accepted"], counted["delivered"], counted["purged"]), (6, 3, 3), "{counted:?}");
    assert_eq!(numbers(&taken).keys().collect::<Vec<_>>(), [&stays.id.to_string()]);
    Ok(())
}
