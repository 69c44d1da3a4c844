//! From bytes to one visitor's step: opened, read, weighed by consent, deduplicated, judged, stepped, decided.

pub mod terms;

pub mod container;

pub mod json_value;

pub mod json;

pub mod read;

pub mod answer_json;

pub mod quarantine;

pub mod entry;

pub mod repeated;

mod enrich;

mod memory;

mod judged;

pub mod step;

pub use container::{Form, Opened, open};
pub use read::{Address, address, read};
pub use step::{Again, replay, step};
pub use terms::{Arrival, Decided, Incoming, Outcome, Sent, Stale, Trouble, Watch};
