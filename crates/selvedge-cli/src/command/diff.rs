//! `selvedge diff`: which recorded decisions change between two versions of a site.

use crate::arguments::DiffArguments;
use crate::difference::{compare, report};
use crate::exit::Ending;
use crate::rehearsal::Stage;
use crate::rehearsal::walk::Manner;
use anyhow::Result;

/// Runs the command.
///
/// # Errors
/// Where a site or the events cannot be read.
pub fn run(arguments: &DiffArguments) -> Result<Ending> {
    let (old, new) = (Stage::open(&arguments.old)?, Stage::open(&arguments.new)?);
    let history = arguments.recorded.read()?;
    let manner = Manner::of(&history, &arguments.pages);
    let changes = compare(&old, &new, &history, &manner)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report::json(&changes))?);
    } else {
        print!("{}", report::text(&changes));
    }
    Ok(Ending::Done)
}
