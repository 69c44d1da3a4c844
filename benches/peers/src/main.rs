//! The engines natively: nanoseconds a rule, microseconds an event (what is known of the visitor is set anew, then every rule
//! is asked), milliseconds to compile.

use anyhow::Result;
use selvedge_benches::measure::{nanoseconds, print_figure_of};
use selvedge_core::rules::Program;
use selvedge_peers::engines::Zen;
use selvedge_peers::peers::{Engine, Peers};
use std::hint::black_box;
use std::time::Instant;

fn main() -> Result<()> {
    for count in [10, 100, 1_000, 10_000] {
        let mut peers = Peers::of(count)?;
        let truths = peers.check()?;
        eprintln!("{count} rules: equal answers for 64 visitors, {truths} of them true");
        measure(count, &mut peers);
        of_ours(count, &peers);
    }
    Ok(())
}

fn measure(n: usize, peers: &mut Peers) {
    for engine in Engine::ALL {
        let name = engine.name();
        let rule = nanoseconds(|| peers.ask(engine)) / n as f64;
        print_figure_of(&format!("{n} rules, ns a rule"), name, rule);
        print_figure_of(&format!("{n} rules, µs an event"), name, nanoseconds(|| peers.event(engine)) / 1e3);
        if engine != Engine::Match
            && let Some(ms) = compiling(engine, peers)
        {
            print_figure_of(&format!("{n} rules, ms to compile"), name, ms);
        }
    }
}

/// What the others have no counterpart of, or a sum of bytes.
fn of_ours(n: usize, peers: &Peers) {
    let of_ours = |figure: &str, value| print_figure_of(figure, Engine::Selvedge.name(), value);
    let program = &peers.program;
    let load = nanoseconds(|| Program::load(&program.full_bytes)) / 1e3;
    of_ours(&format!("{n} rules, µs to load"), load);
    let in_the_page = format!("{n} rules, bytes in the page");
    of_ours(&in_the_page, program.public_bytes.len() as f64);
    print_figure_of(&in_the_page, Engine::Zen.name(), Zen::bytes(&peers.rules) as f64);
    if n == 10 {
        of_ours("bytes of state", peers.visit.state_bytes() as f64);
    }
}

/// Compiling is slow enough that the best of three tells.
fn compiling(engine: Engine, peers: &Peers) -> Option<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let begin = Instant::now();
        black_box(peers.compile(engine)).ok()?;
        best = best.min(begin.elapsed().as_secs_f64() * 1e3);
    }
    Some(best)
}
