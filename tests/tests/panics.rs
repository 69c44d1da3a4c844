//! Planted panics: one visitor's step rolls back and touches nobody else; outside a step every call is answered.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use selvedge_tests::{Answer, Client, Setup, Visitor, World};
use serde_json::{Value, json};

fn fault(visitor: &mut Visitor, kind: &str) -> Value {
    visitor.track("search", json!({"query": "fault", "__fault": kind}))
}

fn good(visitor: &mut Visitor, query: &str) -> Value {
    visitor.track("search", json!({"query": query}))
}

fn collect(client: &Client, visitor: &Visitor, events: &[Value]) -> Result<Answer> {
    client.post("/v1/collect", &[], visitor.batch(events).to_string().as_bytes())
}

fn queries(world: &World, visitor: &Visitor) -> Result<Vec<String>> {
    let id = visitor.id.to_string();
    let lines = world.log()?;
    let mine = lines.iter().filter(|line| line["visitor"] == id.as_str());
    Ok(mine.filter_map(|line| line["properties"]["query"].as_str().map(str::to_string)).collect())
}

#[test]
fn a_panic_in_a_step_rolls_back_answers_503_and_the_retry_succeeds() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(1);
    let events =
        [good(&mut visitor, "before"), fault(&mut visitor, "step_panic_once"), good(&mut visitor, "after")];
    let start = Instant::now();
    let answer = collect(world.client(), &visitor, &events)?;
    let spent = start.elapsed();
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.header("retry-after").is_some());
    assert!(spent < Duration::from_millis(100), "answered after {spent:?}");
    assert!(queries(&world, &visitor)?.is_empty(), "rolled back whole");
    let answer = collect(world.client(), &visitor, &events)?.json()?;
    assert_eq!(answer["accepted"], 3, "{answer}");
    assert_eq!(queries(&world, &visitor)?, ["before", "fault", "after"]);
    Ok(())
}

#[test]
fn an_event_that_panics_twice_is_quarantined_and_blocks_nobody() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(2);
    let events =
        [good(&mut visitor, "before"), fault(&mut visitor, "step_panic"), good(&mut visitor, "after")];
    let mut statuses = Vec::new();
    let answer = loop {
        let answer = collect(world.client(), &visitor, &events)?;
        statuses.push(answer.status);
        if answer.status == 200 || statuses.len() > 5 {
            break answer;
        }
    };
    assert_eq!(statuses, [503, 503, 200]);
    let answer = answer.json()?;
    assert_eq!(answer["accepted"], 2, "{answer}");
    assert_eq!(answer["refused"][0]["code"], "poison", "{answer}");
    assert_eq!(queries(&world, &visitor)?, ["before", "after"]);
    assert_eq!(world.quarantine()?.iter().filter(|entry| entry["code"] == "poison").count(), 1);
    Ok(())
}

#[test]
fn a_panic_of_one_visitor_does_not_touch_the_calls_of_others() -> Result<()> {
    let world = World::start()?;
    thread::scope(|scope| -> Result<()> {
        let others: Vec<_> = (10..16u64)
            .map(|seed| {
                let client = world.client().clone();
                scope.spawn(move || -> Result<Vec<u16>> {
                    let mut visitor = Visitor::new(seed);
                    (0..40)
                        .map(|round| {
                            let event = good(&mut visitor, &format!("round {round}"));
                            Ok(collect(&client, &visitor, &[event])?.status)
                        })
                        .collect()
                })
            })
            .collect();
        for seed in 20..40u64 {
            let mut visitor = Visitor::new(seed);
            let event = fault(&mut visitor, "step_panic");
            assert_eq!(collect(world.client(), &visitor, &[event])?.status, 503);
        }
        for other in others {
            let statuses = other.join().expect("a sender does not panic")?;
            assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        }
        Ok(())
    })
}

#[test]
fn a_panic_outside_a_step_answers_every_call_in_flight_and_the_next_one_works() -> Result<()> {
    let world = World::start()?;
    thread::scope(|scope| -> Result<()> {
        let others: Vec<_> = (50..56u64)
            .map(|seed| {
                let client = world.client().clone();
                scope.spawn(move || -> Result<Vec<u16>> {
                    let mut visitor = Visitor::new(seed);
                    (0..60)
                        .map(|round| {
                            let event = good(&mut visitor, &format!("round {round}"));
                            Ok(collect(&client, &visitor, &[event])?.status)
                        })
                        .collect()
                })
            })
            .collect();
        for _ in 0..10 {
            thread::sleep(Duration::from_millis(15));
            let start = Instant::now();
            let answer = world.client().get("/__fault/panic", &[])?;
            assert!(answer.status >= 500, "{}", answer.status);
            assert!(start.elapsed() < Duration::from_secs(2), "answered, not hung");
        }
        for other in others {
            let statuses = other.join().expect("a sender does not panic")?;
            assert!(statuses.iter().all(|status| [200, 500, 503].contains(status)), "{statuses:?}");
        }
        Ok(())
    })?;
    let mut visitor = Visitor::new(60);
    let event = good(&mut visitor, "next");
    assert_eq!(collect(world.client(), &visitor, &[event])?.status, 200);
    Ok(())
}

/// As everywhere but in tests: whoever sends what plants a fault there sends an event like any other.
#[test]
fn without_their_switch_no_fault_can_be_planted_from_outside() -> Result<()> {
    let bindings = [("SELVEDGE_TEST_FAULTS".to_owned(), "0".to_owned())].into();
    let world = World::with(Setup { bindings, ..Setup::default() })?;
    let mut visitor = Visitor::new(80);
    let events = ["step_panic", "step_panic_once", "between_writes"].map(|kind| fault(&mut visitor, kind));
    let answer = collect(world.client(), &visitor, &events)?;
    assert_eq!((answer.status, &answer.json()?["accepted"]), (200, &json!(3)), "{}", answer.text());
    for path in ["/__fault/panic", "/__fault/rows_written"] {
        let answer = world.client().get(path, &[])?;
        assert!(answer.status < 500 && !answer.text().starts_with("{\"rows\""), "{path}: {}", answer.status);
    }
    Ok(())
}

#[test]
fn an_error_between_two_writes_leaves_neither() -> Result<()> {
    let world = World::start()?;
    let mut visitor = Visitor::new(70);
    let event = good(&mut visitor, "kept");
    assert_eq!(collect(world.client(), &visitor, &[event])?.status, 200);
    let broken = fault(&mut visitor, "between_writes");
    assert_eq!(collect(world.client(), &visitor, &[broken])?.status, 503);
    assert_eq!(queries(&world, &visitor)?, ["kept"], "no log row");
    let mut twin = visitor.clone();
    let event = good(&mut twin, "next");
    let mut event = event;
    event["sequence"] = json!(2);
    let answer = collect(world.client(), &twin, &[event])?.json()?;
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(1), &json!(0)),
        "and no dedup mark: {answer}"
    );
    Ok(())
}
