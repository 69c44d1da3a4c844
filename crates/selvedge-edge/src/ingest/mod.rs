//! From bytes to one visitor's step: opened, read, weighed by consent, deduplicated, judged, stepped, decided.

pub mod container;

pub mod json;

pub mod read;

pub mod answer_json;

pub mod quarantine;

pub mod step;

pub use container::{Form, Opened, open};
pub use read::{Address, address, read};
pub use step::{Arrival, Outcome, Trouble, step};
