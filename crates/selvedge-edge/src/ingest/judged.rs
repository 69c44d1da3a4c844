//! What an event means for goals and experiments: the goals it reaches, and the variants that its visitor is counted in from
//! now on.

use crate::rates;
use crate::sample_ratio::unit_name;
use crate::site::Site;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::event::{Event, EventType};
use selvedge_core::number::Number;
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::{Map, Value};
use selvedge_core::wire::log_row::Reached;
use selvedge_core::wire::program::{Experiment, Goal, experiment_hash, variant_hash};
use selvedge_core::wire::state::{CellBody, VisitorState};

/// The goals that an event reaches at a moment. What they are worth is in the site's currency: where the event's amounts are
/// in another, and there is no rate, it is not said.
pub(super) fn reached(site: &Site, event: &Event, trust: Trust, now_ms: i64) -> Vec<Reached> {
    let is_reached =
        |goal: &&Goal| goal.event == event.name && (goal.trust == Trust::Client || trust == Trust::Server);
    let goals: Vec<&Goal> = site.config.goals.iter().filter(is_reached).collect();
    if goals.is_empty() {
        return Vec::new();
    }
    let counted = rates::counted(site, Cow::Borrowed(event), now_ms);
    let is_unknown = |path: &str| {
        !counted.is_converted && rates::is_foreign(site, event) && rates::is_amount(site, event, path)
    };
    let of_goal = |goal: &Goal| Reached {
        goal: goal.name.clone(),
        event: event.sequence,
        event_time_ms: event.time_ms,
        value: goal
            .value
            .as_ref()
            .filter(|path| !is_unknown(path))
            .and_then(|path| number(&counted.event.properties, path)),
    };
    goals.into_iter().map(of_goal).collect()
}

/// The number of a property; dots reach into objects.
fn number(properties: &Map, path: &str) -> Option<Number> {
    let (mut map, mut path) = (properties, path);
    while let Some((name, rest)) = path.split_once('.') {
        let Some(Value::Object(inner)) = map.get(name) else { return None };
        (map, path) = (inner, rest);
    }
    match map.get(path) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

/// The experiments that a visitor's variant is kept of; none where the event is no exposure, or there are no experiments.
pub(super) fn kept(site: &Site, state: &VisitorState, event: &Event) -> Option<Vec<u64>> {
    let may_begin =
        event.event_type == EventType::Exposure && !site.program.parts().deciding.experiments.is_empty();
    may_begin.then(|| variants(state).map(|(experiment, _)| experiment).collect())
}

/// What units are counted under, of the variants that are kept now and were not before.
pub(super) fn begun(site: &Site, state: &VisitorState, before: &[u64]) -> Vec<String> {
    let experiments = &site.program.parts().deciding.experiments;
    let begun = variants(state).filter(|(experiment, _)| !before.contains(experiment));
    let name = |(hash, variant): (u64, u64)| {
        let experiment: &Experiment = experiments.iter().find(|known| experiment_hash(known) == hash)?;
        let variant = experiment.variants.iter().find(|known| variant_hash(experiment, known) == variant)?;
        Some(unit_name(experiment, &variant.name))
    };
    begun.filter_map(name).collect()
}

fn variants(state: &VisitorState) -> impl Iterator<Item = (u64, u64)> {
    state.cells.iter().filter_map(|cell| match cell.body {
        CellBody::Variant(variant) => Some((cell.hash, variant)),
        _ => None,
    })
}
