//! What the engine decides, which keeps a state, against a judge who goes over the whole history: random rules in two slots,
//! with priority, status, stops, purpose, suppression, group, triggers, delays, holds, what ends them, experiments
//! and a holdout that are published anew, and caps of a page view and of dismissals.

mod common;
#[allow(dead_code, reason = "the conditions alone are another test")]
mod reference;

use common::rendered;
use reference::deciding::terms::{IDS, SLOTS, Site};
use reference::deciding::trials::{VARIANTS, bucket};
use reference::deciding::{Judge, Shown};
use reference::files::with_rules;
use reference::history::{Happened, History};
use reference::random::Random;
use reference::told::{event, map};
use selvedge_compiler::{Code, Severity, compile};
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::rules::{Moment, Orders, Place, Program, decide, step};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::program::rule_hash;
use selvedge_core::wire::state::VisitorState;

const CONTENTS: [&str; 4] = ["offer", "news", "gift", "hint"];
const DECISIONS: usize = 60_000;
const DECISIONS_FULL: usize = 3_000_000;

/// A visitor of a site.
#[derive(Clone)]
struct Visit<'a> {
    site: &'a Site,
    programs: &'a [Program; 2],
    visitor: VisitorId,
    history: History,
    orders: Vec<Order>,
}

/// What holds from an event on: which publish, and which rules are stopped.
#[derive(Debug, Clone)]
struct Order {
    publish: usize,
    stopped: Vec<&'static str>,
}

fn moment<'a>(context: &'a Map, event: &Happened, paused: &'a [u64], visitor: VisitorId) -> Moment<'a> {
    Moment {
        writer: WriterId::mint(1_000, u32::try_from(event.writer).unwrap()),
        context,
        now_ms: event.time_ms,
        in_force: event.in_force,
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor,
        orders: Orders { paused, ..Orders::default() },
    }
}

/// What holds behind each event; some sites are published anew meanwhile.
fn orders(random: &mut Random, history: &History) -> Vec<Order> {
    let published_at = random.below(2 * history.events.len());
    let mut stop = || if random.percent(15) { vec![random.one_of(&IDS)] } else { Vec::new() };
    let order = |at| Order { publish: usize::from(at >= published_at), stopped: stop() };
    (0..history.events.len()).map(order).collect()
}

/// When is decided behind an event: with it, and at later questions that come before the next.
fn asked_ms(history: &History, at: usize) -> Vec<i64> {
    let event = &history.events[at];
    let next_ms = history.events.get(at + 1).map_or(i64::MAX, |next| next.time_ms);
    let mut later: Vec<i64> =
        event.asked_after_ms.iter().copied().filter(|ms| (event.time_ms..next_ms).contains(ms)).collect();
    later.sort_unstable();
    [vec![event.time_ms], later].concat()
}

/// Plays a visit; the first place where the two differ, and how.
fn difference(visit: &Visit, counted: &mut [usize; 3]) -> Option<String> {
    let Visit { site, programs, visitor, history, orders } = visit;
    let context = map(&history.context);
    let mut state = VisitorState::new(history.born_ms);
    let mut judge = Judge::new(site, history, visitor.to_string());
    for (at, (happened, order)) in history.events.iter().zip(orders).enumerate() {
        let program = &programs[order.publish];
        judge.trials = &site.trials[order.publish];
        let is_stopped =
            |rule: &&selvedge_core::wire::program::Rule| order.stopped.contains(&rule.id.as_str());
        let paused: Vec<u64> = program.rules().iter().filter(is_stopped).map(rule_hash).collect();
        let moment = moment(&context, happened, &paused, *visitor);
        let usable = happened.purposes().and(happened.in_force);
        let mut told = happened.clone();
        told.properties.extend(judge.expose(at));
        step(program, &mut state, &event(&told, at), usable, &moment);
        for now_ms in asked_ms(history, at) {
            let found = shown(program, &mut state, &Moment { now_ms, ..moment });
            let expected = judge.decide(at + 1, now_ms, &order.stopped);
            for shown in expected {
                counted[usize::from(shown.rule.is_some())] += 1;
                counted[2] += usize::from(shown.variant.is_some());
            }
            if found != expected {
                let (found, expected) = (found.map(name), expected.map(name));
                let after_ms = now_ms - happened.time_ms;
                return Some(format!(
                    "{after_ms} ms behind event {at} the engine shows {found:?}, the judge {expected:?}"
                ));
            }
        }
    }
    None
}

/// What the engine shows in each slot.
fn shown(program: &Program, state: &mut VisitorState, moment: &Moment) -> [Shown; 2] {
    let mut found = [Shown { rule: None, variant: None, content: None }; 2];
    let place = |among: &[&str], known: &str| among.iter().position(|name| *name == known).expect("known");
    for decision in decide(program, state, moment) {
        let rule = decision.rule.map(|rule| place(&IDS, &program.rules()[usize::from(rule)].id));
        let variant = decision.variant.map(|variant| {
            let name = program.variant_name(variant);
            place(&VARIANTS, name.split_once('/').expect("an experiment").1)
        });
        let content =
            decision.content.map(|content| program.parts().contents[usize::from(content)].id.clone());
        let content = content.map(|id| CONTENTS[place(&CONTENTS, &id)]);
        let slot = place(&SLOTS, &program.parts().slots[usize::from(decision.slot)].name);
        found[slot] = Shown { rule, variant, content };
    }
    found
}

fn name(shown: Shown) -> String {
    let rule = shown.rule.map_or("nothing", |rule| IDS[rule]);
    let variant = shown.variant.map_or("no variant", |variant| VARIANTS[variant]);
    format!("{rule} ({variant}): {}", shown.content.unwrap_or("the page's own"))
}

/// The visit with as few events as it takes, for people.
fn report(visit: &Visit) -> String {
    let (mut visit, mut said) = (visit.clone(), String::new());
    for at in (0..visit.history.events.len()).rev() {
        let mut fewer = visit.clone();
        fewer.history.events.remove(at);
        fewer.orders.remove(at);
        if let Some(difference) = difference(&fewer, &mut [0; 3]) {
            (visit, said) = (fewer, difference);
        }
    }
    for (event, order) in visit.history.events.iter().zip(&visit.orders) {
        let Happened { time_ms, name, properties, in_force, writer, asked_after_ms, .. } = event;
        let asked_ms: Vec<i64> = asked_after_ms.iter().map(|ms| ms - visit.history.born_ms).collect();
        let after_ms = time_ms - visit.history.born_ms;
        said += &format!(
            "\n{after_ms} ms {name} {properties:?} {in_force:?} writer {writer} {order:?} asked {asked_ms:?}"
        );
    }
    let [first, next] = [0, 1].map(|publish| visit.site.yaml(publish));
    format!("{first}\nthen\n{next}\n{}\n{said}", visit.visitor)
}

/// The site as it is published first and next; nothing where a condition of it makes no sense.
fn programs(site: &Site) -> Option<[Program; 2]> {
    let programs = [0, 1].map(|publish| {
        let files = with_rules(&site.yaml(publish));
        let compilation = compile(&files);
        let Some(compiled) = &compilation.program else {
            let errors = compilation.diagnostics.iter().filter(|found| found.severity == Severity::Error);
            let mut wrongly = errors.filter(|found| !matches!(found.code, Code::E0308 | Code::E0401));
            assert!(wrongly.next().is_none(), "{}", rendered(&files, &compilation));
            return None;
        };
        Some(Program::load(&compiled.full_bytes).expect("what was compiled loads"))
    });
    let [first, next] = programs;
    Some([first?, next?])
}

#[test]
fn the_engine_decides_what_a_judge_of_the_whole_history_decides() {
    let is_full = std::env::var_os("SELVEDGE_FULL").is_some();
    let wanted = if is_full { DECISIONS_FULL } else { DECISIONS };
    let (mut counted, mut sites, mut seed) = ([0; 3], 0, 0);
    while counted[..2].iter().sum::<usize>() < wanted {
        seed += 1;
        let mut random = Random::new(seed);
        let site = random.deciding();
        let Some(programs) = programs(&site) else { continue };
        sites += 1;
        for _ in 0..4 {
            let mut history = random.history(false);
            random.log_in(&mut history);
            random.see(&mut history);
            let orders = orders(&mut random, &history);
            let visitor = VisitorId([0; 16].map(|_: u8| u8::try_from(random.below(256)).unwrap()));
            let visit = Visit { site: &site, programs: &programs, visitor, history, orders };
            if let Some(said) = difference(&visit, &mut counted) {
                panic!("seed {seed}\n{}\nat first: {said}", report(&visit));
            }
        }
    }
    let [none, shown, tried] = counted;
    println!("{sites} sites: {shown} slots showed a rule, {tried} of them in a variant, {none} none");
    assert!(none.min(shown).min(tried) > wanted / 10, "one of them is hardly ever met");
}

#[test]
fn buckets_are_the_published_ones() {
    let first = "00000000000000000000000000000001";
    assert_eq!([bucket("global-2026", first), bucket("global-2026", "user-17")], [755, 7945]);
    assert_eq!([bucket("cart-discount", first), bucket("cart-discount", "Zoë")], [9013, 3492]);
}
