//! Delivery: from rows of the log to what leaves for destinations, in order, at least once, and counted.
//!
//! The log is the only durable mechanism; a destination is a cursor over it. [`record`] makes records of an item of a row,
//! [`take`] takes items for one destination, [`machine`] says what to do with them and what became of them, [`pressure`]
//! when too much waits, [`standing`] how long that is believed, [`keeping`] what a shard keeps for it. What is sent is stored before its bytes leave, so that it is
//! sent again as it was after a crash.
//!
//! A module imports only modules that stand above it here.

pub mod reach;

pub mod fields;

pub mod transform;

pub mod record;

pub mod encode;

pub mod packing;

pub mod sent;

pub mod item;

pub mod state;

pub mod take;

pub mod machine;

pub mod pressure;

pub mod standing;

pub mod report;

pub mod keeping;

pub mod status;

pub mod fingerprint;

use crate::site::Site;
use selvedge_core::wire::program::{Destination, Way};

/// The destinations of a site that something is sent to.
pub fn sent_to(site: &Site) -> impl Iterator<Item = &Destination> {
    site.destinations.iter().filter(|destination| destination.way != Way::Log)
}
