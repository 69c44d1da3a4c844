//! Before a visitor is stepped under a new program: metrics that are new to it and say `warm_up: log` are worked out of its
//! rows of the log, in the transaction of the step.

use super::stopped::Stopped;
use super::tables;
use crate::programs;
use selvedge_core::id::{ProgramHash, VisitorId};
use selvedge_core::tracking_plan::Plan;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::site::Site;
use selvedge_edge::warm_up;
use std::rc::Rc;
use worker::SqlStorage;

/// Warms up what is stored of a visitor; nothing is written here.
///
/// # Errors
/// [`Stopped::Unknown`] names programs whose plans must be fetched first: [`programs::learn`].
pub fn warm_up(
    sql: &SqlStorage,
    site: &Site,
    visitor: VisitorId,
    record: Option<&mut VisitorRecord>,
) -> Result<(), Stopped> {
    let Some(record) = record.filter(|record| warm_up::is_cold(site, record)) else { return Ok(()) };
    let rows = tables::rows_of(sql, visitor)?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for program in warm_up::programs(site, &rows) {
        match programs::plan(program) {
            Some(plan) => known.push((program, plan)),
            None => unknown.push(program),
        }
    }
    if !unknown.is_empty() {
        return Err(Stopped::Unknown(unknown));
    }
    let plan_of = |program| plan_of(&known, program);
    warm_up::warm_up(site, record, &rows, plan_of);
    Ok(())
}

fn plan_of(known: &[(ProgramHash, Option<Rc<Plan>>)], program: ProgramHash) -> Option<&Plan> {
    known.iter().find(|(hash, _)| *hash == program).and_then(|(_, plan)| plan.as_deref())
}
