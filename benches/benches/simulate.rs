//! `selvedge simulate examples/shop --dataset ecom`: seconds for the recorded shop log, all of its 31,106 events, from opening
//! the site to the report. (The log is fetched before, once.) Of several runs the fastest: the machine has other work to do.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use selvedge_benches::measure::print_figure;
use selvedge_cli::recorded::source::RecordedArguments;
use selvedge_cli::rehearsal::Stage;
use selvedge_cli::rehearsal::walk::Manner;
use selvedge_cli::simulation::report::Report;
use selvedge_cli::simulation::tally::tally;

const EVENTS: usize = 31_106;
const RUNS: usize = 5;

fn main() -> Result<()> {
    simulated()?;
    let mut fastest = f64::MAX;
    for _ in 0..RUNS {
        fastest = fastest.min(simulated()?);
    }
    print_figure("simulate 31,106 events", fastest);
    Ok(())
}

/// Seconds.
fn simulated() -> Result<f64> {
    let begin = Instant::now();
    let stage = Stage::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop"))?;
    let recorded = RecordedArguments { dataset: Some("ecom".to_owned()), ..RecordedArguments::default() };
    let history = recorded.read()?;
    ensure!(history.events() == EVENTS, "{} events", history.events());
    let manner = Manner::of(&history, &[]);
    let tally = tally(&stage, &history, &manner)?;
    let report =
        Report { stage: &stage, history: &history, manner: &manner, tally, elapsed: begin.elapsed() };
    ensure!(report.text().contains("31,106 events"), "the report tells of all of them");
    Ok(begin.elapsed().as_secs_f64())
}
