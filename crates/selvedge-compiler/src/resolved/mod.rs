//! A site with all names resolved and all types checked: what lowering needs, and nothing that can still be wrong.

mod attribute;
pub(crate) mod fact;
pub(crate) mod fuse;
mod leaf;
mod names;
mod site;
pub(crate) mod truth;
mod typed;
mod warnings;

pub(crate) use fact::{Default, Domain, Fact, Leaf, LeafTest};
pub(crate) use site::{Metric, Rule, Site, resolve};
pub(crate) use truth::Truth;
