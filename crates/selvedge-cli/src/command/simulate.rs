//! `selvedge simulate`: recorded visitors under a site's rules, without a worker.

use crate::arguments::SimulateArguments;
use crate::exit::Ending;
use crate::rehearsal::Stage;
use crate::rehearsal::walk::Manner;
use crate::simulation::{Report, tally};
use anyhow::Result;
use std::time::Instant;

/// Runs the command.
///
/// # Errors
/// Where the site or the events cannot be read.
pub fn run(arguments: &SimulateArguments) -> Result<Ending> {
    let stage = Stage::open(&arguments.site)?;
    let started = Instant::now();
    let history = arguments.recorded.read()?;
    let manner = Manner::of(&history, &arguments.pages);
    let tally = tally(&stage, &history, &manner)?;
    let elapsed = started.elapsed();
    let report = Report { stage: &stage, history: &history, manner: &manner, tally, elapsed };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        print!("{}", report.text());
    }
    Ok(Ending::Done)
}
