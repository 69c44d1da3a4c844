//! An event that the edge refused, and what of it.

use selvedge_core::event::{Event, RefusalCode};
use selvedge_core::tracking_plan::{Plan, Trust, judge};
use std::fmt;

/// Why an event was refused, and at what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    /// Why.
    pub code: RefusalCode,
    /// Its name, with the property where it is one: `purchase.value`. `None` where it is refused as a whole.
    pub at: Option<String>,
}

/// What the tracking plan has against an event, where it has anything.
pub(super) fn against(plan: &Plan, event: &Event, trust: Trust) -> Option<Refused> {
    let violation = judge(plan, event, trust).err()?;
    let path = violation.path();
    let at = match path.strip_prefix("properties.") {
        Some(property) => format!("{}.{property}", event.name),
        None => event.name.clone(),
    };
    Some(Refused { code: violation.code, at: Some(at) })
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            Some(at) => write!(out, "{} ({at})", self.code.as_str()),
            None => out.write_str(self.code.as_str()),
        }
    }
}
