//! What the engine decides, which keeps a state, against a judge who goes over the whole history: random rules in two slots,
//! with priority, status, stops, purpose, suppression, group, triggers, delays, holds, what ends them, and caps of a page view
//! and of dismissals.

mod common;
#[allow(dead_code, reason = "the conditions alone are another test")]
mod reference;

use common::rendered;
use reference::deciding::Judge;
use reference::deciding::terms::{IDS, Rule, SLOTS, yaml};
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

const DECISIONS: usize = 60_000;
const DECISIONS_FULL: usize = 3_000_000;

fn moment<'a>(context: &'a Map, event: &Happened, paused: &'a [u64]) -> Moment<'a> {
    Moment {
        writer: WriterId::mint(1_000, u32::try_from(event.writer).unwrap()),
        context,
        now_ms: event.time_ms,
        in_force: event.in_force,
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor: VisitorId([7; 16]),
        orders: Orders { paused, ..Orders::default() },
    }
}

/// The rules that are stopped behind each event.
fn stops(random: &mut Random, history: &History) -> Vec<Vec<&'static str>> {
    let mut stop = || if random.percent(15) { vec![random.one_of(&IDS)] } else { Vec::new() };
    history.events.iter().map(|_| stop()).collect()
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

/// Plays a history; the first place where the two differ, and how.
fn difference(
    program: &Program,
    rules: &[Rule],
    history: &History,
    stops: &[Vec<&str>],
    shown: &mut [usize; 2],
) -> Option<String> {
    let context = map(&history.context);
    let mut state = VisitorState::new(history.born_ms);
    let mut judge = Judge::new(rules, history);
    for (at, happened) in history.events.iter().enumerate() {
        let is_stopped = |rule: &&selvedge_core::wire::program::Rule| stops[at].contains(&rule.id.as_str());
        let paused: Vec<u64> = program.rules().iter().filter(is_stopped).map(rule_hash).collect();
        let moment = moment(&context, happened, &paused);
        let usable = happened.purposes().and(happened.in_force);
        step(program, &mut state, &event(happened, at), usable, &moment);
        for now_ms in asked_ms(history, at) {
            let found = decided(program, &mut state, &Moment { now_ms, ..moment });
            let expected = judge.decide(at + 1, now_ms, &stops[at]);
            for decided in expected {
                shown[usize::from(decided.is_some())] += 1;
            }
            if found != expected {
                let name = |slots: [Option<usize>; 2]| slots.map(|rule| rule.map(|at| IDS[at]));
                let (found, expected) = (name(found), name(expected));
                let after_ms = now_ms - happened.time_ms;
                return Some(format!(
                    "{after_ms} ms behind event {at} the engine shows {found:?}, the judge {expected:?}"
                ));
            }
        }
    }
    None
}

/// The rule that the engine has in each slot.
fn decided(program: &Program, state: &mut VisitorState, moment: &Moment) -> [Option<usize>; 2] {
    let mut found = [None; 2];
    for decision in decide(program, state, moment) {
        let id = decision.rule.map(|rule| program.rules()[usize::from(rule)].id.clone());
        let slot = program.parts().slots[usize::from(decision.slot)].name.clone();
        let slot = SLOTS.iter().position(|known| *known == slot).expect("a slot");
        found[slot] = id.map(|id| IDS.iter().position(|known| *known == id).expect("a rule"));
    }
    found
}

/// The history with as few events as it takes, for people.
fn report(program: &Program, rules: &[Rule], history: &History, stops: &[Vec<&str>]) -> String {
    let (mut history, mut stops, mut said) = (history.clone(), stops.to_vec(), String::new());
    for at in (0..history.events.len()).rev() {
        let (mut fewer, mut fewer_stops) = (history.clone(), stops.clone());
        fewer.events.remove(at);
        fewer_stops.remove(at);
        if let Some(difference) = difference(program, rules, &fewer, &fewer_stops, &mut [0; 2]) {
            (history, stops, said) = (fewer, fewer_stops, difference);
        }
    }
    for (event, stopped) in history.events.iter().zip(&stops) {
        let Happened { time_ms, name, properties, in_force, writer, asked_after_ms, .. } = event;
        let asked_ms: Vec<i64> = asked_after_ms.iter().map(|ms| ms - history.born_ms).collect();
        let after_ms = time_ms - history.born_ms;
        said += &format!(
            "\n{after_ms} ms {name} {properties:?} {in_force:?} writer {writer} stopped {stopped:?} asked {asked_ms:?}"
        );
    }
    format!("{}\n{said}", yaml(rules))
}

#[test]
fn the_engine_decides_what_a_judge_of_the_whole_history_decides() {
    let is_full = std::env::var_os("SELVEDGE_FULL").is_some();
    let wanted = if is_full { DECISIONS_FULL } else { DECISIONS };
    let (mut shown, mut sites, mut seed) = ([0; 2], 0, 0);
    while shown.iter().sum::<usize>() < wanted {
        seed += 1;
        let mut random = Random::new(seed);
        let rules = random.rules();
        let files = with_rules(&yaml(&rules));
        let compilation = compile(&files);
        let Some(compiled) = &compilation.program else {
            let errors = compilation.diagnostics.iter().filter(|found| found.severity == Severity::Error);
            let mut wrongly = errors.filter(|found| !matches!(found.code, Code::E0308 | Code::E0401));
            assert!(wrongly.next().is_none(), "{}", rendered(&files, &compilation));
            continue;
        };
        sites += 1;
        let program = Program::load(&compiled.full_bytes).expect("what was compiled loads");
        for _ in 0..4 {
            let mut history = random.history(false);
            random.see(&mut history);
            let stops = stops(&mut random, &history);
            if let Some(said) = difference(&program, &rules, &history, &stops, &mut shown) {
                panic!("seed {seed}\n{}\nat first: {said}", report(&program, &rules, &history, &stops));
            }
        }
    }
    println!("{sites} sites: {} slots showed a rule, {} none", shown[1], shown[0]);
    assert!(shown[0].min(shown[1]) > wanted / 10, "one of them is hardly ever met");
}
