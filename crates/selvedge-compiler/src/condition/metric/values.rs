//! `distinct E.prop in W max N`, `first E.prop`, `last E.prop`, `previous E.prop`, `time since E`,
//! `most_frequent E.prop in W`; and what of a count tells values apart: `count E by prop in W top`.

use crate::codes::Code;
use crate::condition::lexer::Kind;
use crate::condition::parser::Parser;
use crate::condition::{Class, Metric, Path};
use selvedge_core::limits::{DISTINCT_MAX, VALUES_MAX};
use selvedge_core::number::MICRO;
use selvedge_core::wire::program::Window;

/// How many values are kept where no `max` is written.
pub(crate) const KEPT: u16 = 16;

pub(super) fn read_distinct(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    let metric = read_windowed(parser, depth, Class::Distinct, DISTINCT_MAX)?;
    Some(Metric { max: metric.max.or(Some(KEPT)), ..metric })
}

pub(super) fn read_most_frequent(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    let metric = read_windowed(parser, depth, Class::MostFrequent, VALUES_MAX)?;
    Some(Metric { max: metric.max.or(Some(KEPT)), ..metric })
}

pub(super) fn read_first(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read_latest(parser, depth, Class::First)
}

pub(super) fn read_last(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read_latest(parser, depth, Class::Last)
}

pub(super) fn read_previous(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    read_latest(parser, depth, Class::Previous)
}

pub(super) fn read_since(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    if !parser.take_word("since") {
        return parser.unexpected("`since`", Some("write `(time since purchase) <= 7d`"));
    }
    read_latest(parser, depth, Class::Since)
}

fn read_windowed(parser: &mut Parser<'_>, depth: usize, class: Class, max: usize) -> Option<Metric> {
    let path = parser.path()?;
    let filter = parser.filter(depth)?;
    let window = parser.window()?;
    let max = parser.max_of(max)?;
    let scope = parser.scope(window)?;
    Some(Metric { filter, window, scope, max, ..Metric::of(class, path) })
}

/// Without a window: ever.
fn read_latest(parser: &mut Parser<'_>, depth: usize, class: Class) -> Option<Metric> {
    let path = parser.path()?;
    let filter = parser.filter(depth)?;
    let window = if parser.peek_word("in") { parser.window()? } else { Window::Ever };
    let scope = parser.scope(window)?;
    Some(Metric { filter, window, scope, ..Metric::of(class, path) })
}

impl Parser<'_> {
    /// `by prop` behind the event of a count: the path of the property.
    pub(super) fn by(&mut self, event: &Path) -> Option<Option<Path>> {
        if !self.take_word("by") {
            return Some(None);
        }
        let at = self.peek_at();
        let property = match self.peek() {
            Kind::Word(word) => (*word).to_owned(),
            Kind::Text(text) => text.clone(),
            _ => return self.unexpected("the name of a property", Some("write `count E by sku in 10m top`")),
        };
        self.at += 1;
        Some(Some(Path { name: event.name.clone(), property: Some(property), span: self.span(at) }))
    }

    /// `max N`, if it is there.
    pub(super) fn max_of(&mut self, max: usize) -> Option<Option<u16>> {
        if !self.take_word("max") {
            return Some(None);
        }
        let at = self.peek_at();
        let number = match self.peek() {
            Kind::Number(micro) if micro % MICRO == 0 => u16::try_from(micro / MICRO).ok(),
            _ => return self.unexpected("a whole number", None),
        };
        self.at += 1;
        match number.filter(|number| (1..=max).contains(&usize::from(*number))) {
            Some(number) => Some(Some(number)),
            None => {
                let message = format!("`max` is out of bounds: 1 to {max}");
                self.report.add(Code::E0016, self.span(at), message);
                None
            }
        }
    }
}
