//! `count E where P in W of S`.

use crate::condition::parser::Parser;
use crate::condition::{Class, Metric};

/// What follows the word `count`.
pub(super) fn read(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    let path = parser.path()?;
    parser.refuse_words(&["by"])?;
    let filter = parser.filter(depth)?;
    let window = parser.window()?;
    parser.refuse_words(&["top", "max"])?;
    let scope = parser.scope(window)?;
    Some(Metric { filter, window, scope, ..Metric::of(Class::Count, path) })
}
