//! `count E where P in W of S`, `count E by prop where P in W top max N of S`.

use crate::condition::parser::Parser;
use crate::condition::{Class, Metric};
use selvedge_core::limits::VALUES_MAX;

/// What follows the word `count`.
pub(super) fn read(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    let path = parser.path()?;
    let by = parser.by(&path)?;
    let filter = parser.filter(depth)?;
    let window = parser.window()?;
    if by.is_some() && !parser.take_word("top") {
        return parser
            .unexpected("`top`", Some("write `count E by sku in 10m top`: that of the most frequent value"));
    }
    let max = parser.max_of(VALUES_MAX)?;
    let scope = parser.scope(window)?;
    let class = if by.is_some() { Class::Top } else { Class::Count };
    Some(Metric { filter, window, scope, max, ..Metric::of(class, by.unwrap_or(path)) })
}
