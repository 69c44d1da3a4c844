//! From a resolved site to the parts of its two programs: the full one for the edge, the public one for pages.

mod facts;
mod code;
mod meaning;
mod shared;
mod zone;
mod deciding;
mod parts;
mod contents;
mod destinations;
mod sequence;
mod terms;

pub(crate) use code::size;
pub(crate) use parts::build;
pub(crate) use shared::{PlaceOf, Shared, at_edge};
