//! The same ten rules in Selvedge, in four other engines and by hand, at 10 to 10,000 rules, in one run: nanoseconds a rule,
//! microseconds an event (what is known of the visitor is set anew, then every rule is asked), milliseconds to compile.
//!
//! The peers: zen-expression, cel, datalogic-rs (JSONLogic), wirefilter-engine 0.6 (the last one published), and the rules as a
//! person writes them into a Rust program (`match`).
//!
//! All of them must say the same of every rule for 64 visitors before anything is measured. The others keep no state and
//! count nothing: they are given what a visitor's state comes to. Selvedge's event includes that it steps its state.

mod engines;
mod facts;
mod ours;
mod rule;

use anyhow::{Result, ensure};
use engines::{Cel, JsonLogic, Winners, Wirefilter, Zen, by_hand, matched, scheme};
use facts::{Facts, visitors};
use rule::{Rule, rules};
use selvedge_benches::measure::{nanoseconds, print_figure};
use selvedge_benches::visit::Visit;
use selvedge_core::rules::Program;
use std::hint::black_box;
use std::time::Instant;

fn main() -> Result<()> {
    for count in [10, 100, 1_000, 10_000] {
        let rules = rules(count);
        answers_are_equal(&rules)?;
        measure(&rules)?;
    }
    Ok(())
}

fn answers_are_equal(rules: &[Rule]) -> Result<()> {
    let scheme = scheme();
    let (zen, cel, logic) = (Zen::compile(rules)?, Cel::compile(rules)?, JsonLogic::compile(rules)?);
    let wirefilter = Wirefilter::compile(&scheme, rules)?;
    let mut visit = Visit::new(&ours::compiled(&ours::site(rules))?.full_bytes)?;
    let mut truths = 0;
    for (at, facts) in visitors().iter().enumerate() {
        let expected = by_hand(rules, facts);
        truths += expected.iter().filter(|truth| **truth).count();
        visit.step(&ours::event(facts));
        ensure!(ours::asks_all(&mut visit), "a rule won its slot: the others of it were not asked");
        let answers: [(&str, Winners); 6] = [
            ("selvedge", ours::ask(&visit)),
            ("a match", matched(rules.len(), facts)),
            ("zen", zen.ask(&Zen::facts(facts))),
            ("cel", cel.ask(&Cel::facts(facts))),
            ("datalogic", logic.ask(&JsonLogic::facts(facts))),
            ("wirefilter", wirefilter.ask(&Wirefilter::facts(&scheme, facts)?)),
        ];
        for (name, found) in answers {
            let differs = expected.iter().zip(&found).position(|(one, other)| one != other);
            ensure!(
                found.len() == expected.len() && differs.is_none(),
                "{name}: visitor {at}, rule {differs:?}"
            );
        }
    }
    eprintln!("{} rules: equal answers for 64 visitors, {truths} of them true", rules.len());
    Ok(())
}

fn measure(rules: &[Rule]) -> Result<()> {
    let visitors = visitors();
    let scheme = scheme();
    let n = rules.len();
    let (zen, cel, logic) = (Zen::compile(rules)?, Cel::compile(rules)?, JsonLogic::compile(rules)?);
    let wirefilter = Wirefilter::compile(&scheme, rules)?;
    let site = ours::site(rules);
    let program = ours::compiled(&site)?;
    let mut visit = Visit::new(&program.full_bytes)?;
    let events: Vec<_> = visitors.iter().map(ours::event).collect();
    visit.step(&events[1]);

    let one = &visitors[1];
    per_rule(n, "selvedge", || visit.decide());
    per_rule(n, "match", || matched(n, black_box(one)));
    let facts = Zen::facts(one);
    per_rule(n, "zen-expression", || zen.ask(&facts));
    let facts = Cel::facts(one);
    per_rule(n, "cel", || cel.ask(&facts));
    let facts = JsonLogic::facts(one);
    per_rule(n, "datalogic-rs", || logic.ask(&facts));
    let facts = Wirefilter::facts(&scheme, one)?;
    per_rule(n, "wirefilter", || wirefilter.ask(&facts));

    let mut next = 0;
    per_event(n, "selvedge", || {
        next = (next + 1) % events.len();
        visit.step(&events[next]);
        visit.decide()
    });
    let each = |ask: &dyn Fn(&Facts) -> usize| {
        let mut next = 0;
        nanoseconds(|| {
            next = (next + 1) % visitors.len();
            ask(&visitors[next])
        })
    };
    event_figure(n, "match", each(&|facts| matched(n, facts).len()));
    event_figure(n, "zen-expression", each(&|facts| zen.ask(&Zen::facts(facts)).len()));
    event_figure(n, "cel", each(&|facts| cel.ask(&Cel::facts(facts)).len()));
    event_figure(n, "datalogic-rs", each(&|facts| logic.ask(&JsonLogic::facts(facts)).len()));
    let of_wirefilter =
        |facts: &Facts| Wirefilter::facts(&scheme, facts).map_or(0, |facts| wirefilter.ask(&facts).len());
    event_figure(n, "wirefilter", each(&of_wirefilter));

    compiling(n, "selvedge", || ours::compiled(&site).map(drop));
    compiling(n, "zen-expression", || Zen::compile(rules).map(drop));
    compiling(n, "cel", || Cel::compile(rules).map(drop));
    compiling(n, "datalogic-rs", || JsonLogic::compile(rules).map(drop));
    compiling(n, "wirefilter", || Wirefilter::compile(&scheme, rules).map(drop));
    print_figure(
        &format!("peers of {n}, µs to load: selvedge"),
        nanoseconds(|| Program::load(&program.full_bytes)) / 1e3,
    );
    let in_the_page = program.public_bytes.len() as f64;
    print_figure(&format!("peers of {n}, bytes of rules in the page: selvedge"), in_the_page);
    print_figure(
        &format!("peers of {n}, bytes of rules in the page: zen-expression"),
        Zen::bytes(rules) as f64,
    );
    if n == 10 {
        print_figure("peers, bytes of state: selvedge", visit.state_bytes() as f64);
        print_figure("peers, bytes of state: the facts in JSON", one.json().to_string().len() as f64);
    }
    Ok(())
}

fn per_rule<T>(rules: usize, engine: &str, work: impl FnMut() -> T) {
    print_figure(&format!("peers of {rules}, ns a rule: {engine}"), nanoseconds(work) / rules as f64);
}

fn per_event<T>(rules: usize, engine: &str, work: impl FnMut() -> T) {
    event_figure(rules, engine, nanoseconds(work));
}

fn event_figure(rules: usize, engine: &str, nanoseconds: f64) {
    print_figure(&format!("peers of {rules}, µs an event: {engine}"), nanoseconds / 1e3);
}

/// Compiling is slow enough that the best of three tells.
fn compiling(rules: usize, engine: &str, mut work: impl FnMut() -> Result<()>) {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let begin = Instant::now();
        if black_box(work()).is_err() {
            return;
        }
        best = best.min(begin.elapsed().as_secs_f64() * 1e3);
    }
    print_figure(&format!("peers of {rules}, ms to compile: {engine}"), best);
}
