//! `sequence A where P then B within W without X`, `sequence A then no B within W`, `no E where P for W`, `no E in W`.

use crate::codes::Code;
use crate::condition::lexer::Kind;
use crate::condition::parser::Parser;
use crate::condition::{Class, Follows, Metric, Step};
use selvedge_core::limits::SEQUENCE_STEPS_MAX;
use selvedge_core::wire::program::Window;

const THEN_HELP: &str = "write `sequence A then B within 10m`, or `sequence A then no B within 10m`";

/// What follows the word `sequence`.
pub(super) fn read(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    let first = step(parser, depth)?;
    if !parser.peek_word("then") {
        return parser.unexpected("`then`", Some(THEN_HELP));
    }
    let mut follows = Follows::default();
    while follows.then_no.is_none() && parser.take_word("then") {
        if parser.take_word("no") {
            follows.then_no = Some(step(parser, depth)?);
        } else {
            follows.then.push(step(parser, depth)?);
        }
    }
    if !parser.take_word("within") {
        return parser.unexpected("`within` and a duration", Some(THEN_HELP));
    }
    let window = stretch(parser)?;
    if parser.take_word("without") {
        follows.without = Some(step(parser, depth)?);
    }
    if follows.then.len() >= SEQUENCE_STEPS_MAX {
        let message =
            format!("{} events follow each other; at most {SEQUENCE_STEPS_MAX}", follows.then.len() + 1);
        parser.report.add(Code::E0341, first.path.span, message);
        return None;
    }
    Some(Metric {
        filter: first.filter,
        window,
        ..Metric::of(Class::Sequence(Box::new(follows)), first.path)
    })
}

/// What follows the word `no`.
pub(super) fn read_absence(parser: &mut Parser<'_>, depth: usize) -> Option<Metric> {
    let Step { path, filter } = step(parser, depth)?;
    if parser.take_word("for") {
        let window = stretch(parser)?;
        return Some(Metric { filter, window, ..Metric::of(Class::Absence, path) });
    }
    if !parser.peek_word("in") {
        return parser
            .unexpected("`for` or `in`", Some("write `no purchase for 24h`, or `no purchase in session`"));
    }
    let window = parser.window()?;
    let scope = parser.scope(window)?;
    Some(Metric { filter, window, scope, ..Metric::of(Class::NoneIn, path) })
}

fn step(parser: &mut Parser<'_>, depth: usize) -> Option<Step> {
    let path = parser.path()?;
    Some(Step { path, filter: parser.filter(depth)? })
}

fn stretch(parser: &mut Parser<'_>) -> Option<Window> {
    let Kind::Duration(ms) = *parser.peek() else {
        return parser.unexpected("a duration", Some("write for example `10m`, `24h` or `7d`"));
    };
    parser.at += 1;
    Some(Window::Sliding(ms))
}
