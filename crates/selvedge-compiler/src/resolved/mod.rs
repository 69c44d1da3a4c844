//! A site with all names resolved and all types checked: what lowering needs, and nothing that can still be wrong.

pub(crate) mod fact;
pub(crate) mod rates;
mod leaf;
pub(crate) mod measured;
mod names;
mod attribute;
mod typed;
mod compare;
mod values;
mod cart;
mod lookups;
mod foreign;
pub(crate) mod truth;
pub(crate) mod fuse;
mod metric;
mod style;
mod calendar;
mod content;
mod warnings;
mod schedule;
mod deciding;
mod shown;
mod emit;
mod destination;
mod site;

pub(crate) use cart::cart_events;
pub(crate) use content::{Content, Read};
pub(crate) use deciding::ValueCap;
pub(crate) use fact::{Default, Domain, Fact, ItemTest, Leaf, LeafTest};
pub(crate) use metric::{Metric, Points, Score, Sequence, Step, threshold_of};
pub(crate) use site::{Rule, Site, resolve};
pub(crate) use truth::{Truth, item_truths};
