//! `sum E.prop where P in W of S`; `min`, `max` and `avg` alike.

use crate::condition::parser::Parser;
use crate::condition::{Class, Metric};

pub(super) fn read_sum(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read(parser, depth, Class::Sum)
}

pub(super) fn read_min(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read(parser, depth, Class::Min)
}

pub(super) fn read_max(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read(parser, depth, Class::Max)
}

pub(super) fn read_average(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read(parser, depth, Class::Average)
}

/// What follows the class's word.
fn read(parser: &mut Parser<'_>, depth: usize, class: Class) -> Option<Metric> {
    let path = parser.path()?;
    let filter = parser.filter(depth)?;
    let window = parser.window()?;
    let scope = parser.scope(window)?;
    Some(Metric { filter, window, scope, ..Metric::of(class, path) })
}
