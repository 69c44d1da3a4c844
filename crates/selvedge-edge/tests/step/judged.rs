//! Goals that events reach, and the variants that visitors are counted in.

use crate::world::*;
use selvedge_core::event::EventType;
use selvedge_core::number::Number;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Value;
use selvedge_core::wire::log_row::{Reached, Said};
use selvedge_core::wire::program::{Experiment, Goal, Study, Trial, Unit, Variant};
use selvedge_edge::ingest::{Arrival, Outcome, Trouble, step};
use selvedge_edge::publish::hash_of;
use selvedge_edge::sample_ratio::unit_name;
use selvedge_edge::site::Site;

fn goal(name: &str, event: &str, trust: Trust) -> Goal {
    let value = (name == "viewed").then(|| "worth.net".into());
    Goal { name: name.into(), event: event.into(), value, trust, within_ms: Some(1) }
}

fn experiment() -> Experiment {
    let variants =
        vec![Variant { name: "control".into(), end: 5_000 }, Variant { name: "banner".into(), end: 10_000 }];
    Experiment {
        name: "hero".into(),
        salt: "hero".into(),
        unit: Unit::Visitor,
        traffic_salt: "hero".into(),
        traffic: (0, 10_000),
        variants,
    }
}

/// The site with goals and an experiment, as its program's bytes say them.
fn judged_site() -> Site {
    let mut parts = parts();
    let edge = parts.edge.as_mut().unwrap();
    edge.goals = vec![
        goal("viewed", "product_view", Trust::Client),
        goal("reported", "report", Trust::Client),
        goal("trusted", "product_view", Trust::Server),
    ];
    edge.studies = vec![Study { experiment: "hero".into(), primary: Some(0), guardrails: vec![1, 2] }];
    parts.deciding.experiments = vec![experiment()];
    parts.rules[0].terms.trial = Some(Trial { experiment: 0, contents: vec![None, Some(0)] });
    let bytes = parts.encode();
    let site = Site::load(&bytes, hash_of(&bytes), 1).unwrap();
    assert_eq!((site.config.goals.len(), site.config.studies.len()), (3, 1));
    site
}

fn outcome(stored: Option<&Outcome>, names: &[(&str, EventType)], trust: Trust) -> Outcome {
    let record = stored.and_then(|outcome| outcome.record.clone());
    let first =
        u32::try_from(stored.and_then(|outcome| outcome.row.as_ref()).map_or(0, |row| row.events.len()));
    let events = (first.unwrap() + 1..).zip(names).map(|(sequence, (name, event_type))| {
        let mut event = event(sequence, name);
        event.event_type = *event_type;
        if *event_type == EventType::Exposure {
            event.properties.set("rule", Value::Text("two-views".into()));
            event.properties.set("slot", Value::Text("hero".into()));
        }
        let worth = [("net".to_owned(), Value::Number(Number::Int(5)))].into_iter().collect();
        event.properties.set("worth", Value::Object(worth));
        Ok(event)
    });
    let batch = batch(granted(), events.collect());
    let arrival = Arrival { trust, ..arrival() };
    step(&judged_site(), record, batch, &arrival, &Trouble::default(), &mut Heard::default()).unwrap()
}

fn reached(outcome: &Outcome) -> Vec<(&str, u32, Option<Number>)> {
    let notes = outcome.row.iter().flat_map(|row| &row.notes);
    let reached = notes.filter_map(|note| match &note.said {
        Said::Reached(Reached { goal, event, value, .. }) => Some((goal.as_str(), event.get(), *value)),
        _ => None,
    });
    reached.collect()
}

#[test]
fn an_event_reaches_the_goals_that_name_it() {
    let events =
        [("report", EventType::Track), ("product_view", EventType::Track), ("ping", EventType::Track)];
    let by_page = outcome(None, &events, Trust::Client);
    assert_eq!(reached(&by_page), [("reported", 1, None), ("viewed", 2, Some(Number::Int(5)))]);
    let by_server = outcome(None, &events[1..], Trust::Server);
    assert_eq!(reached(&by_server), [("viewed", 1, Some(Number::Int(5))), ("trusted", 1, None)]);
}

#[test]
fn a_goal_is_noted_under_the_purposes_of_its_event_and_with_its_id() {
    let outcome = outcome(None, &[("report", EventType::Track)], Trust::Client);
    let row = outcome.row.unwrap();
    let note = &row.notes[0];
    assert_eq!(note.usable, row.events[0].usable);
    let Said::Reached(reached) = &note.said else { panic!("no goal") };
    assert_eq!(reached.event_id(row.writer), row.events[0].event.id(row.writer));
}

#[test]
fn a_refused_event_reaches_nothing() {
    let mut wrong = event(1, "product_view");
    wrong.properties.set("category", Value::Text("boats".into()));
    let batch = batch(granted(), vec![Ok(wrong)]);
    let outcome =
        step(&judged_site(), None, batch, &arrival(), &Trouble::default(), &mut Heard::default()).unwrap();
    assert_eq!(reached(&outcome), []);
}

#[test]
fn a_visitor_is_counted_in_its_variant_once() {
    let (view, seen) = (("product_view", EventType::Track), ("exposure", EventType::Exposure));
    let first = outcome(None, &[view, view], Trust::Client);
    assert_eq!(first.units, Vec::<String>::new(), "nothing was seen yet");
    let second = outcome(Some(&first), &[seen, seen], Trust::Client);
    let names: Vec<String> =
        ["control", "banner"].iter().map(|name| unit_name(&experiment(), name)).collect();
    assert_eq!(second.units.len(), 1, "{:?}", second.answer.refused);
    assert!(names.contains(&second.units[0]), "{:?}", second.units);
    let third = outcome(Some(&second), &[view, view, seen], Trust::Client);
    assert_eq!(third.units, Vec::<String>::new(), "the same visitor is no other unit");
}
