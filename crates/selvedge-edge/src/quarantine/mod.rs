//! The quarantine as it is looked through and ordered about: which entries are meant, what they have in common, what became
//! of those that were replayed.

pub mod selection;

pub mod groups;

pub mod replayed;

pub use groups::{Group, Groups, fix_of, shown};
pub use replayed::{Replayed, Told};
pub use selection::{Name, Order, Selection};
