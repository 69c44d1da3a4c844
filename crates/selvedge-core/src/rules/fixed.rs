//! The values that a content reads, as they are at one moment.

use super::facts::Seen;
use super::kept::{CUT_MARK, cut};
use super::known::{Known, MISSING};
use super::moment::Moment;
use super::view::View;
use crate::wire::codec::Reader;
use crate::wire::program::{Image, READS_NOW};
use crate::wire::state::{Fixed, Stored, VisitorState};
use crate::wire::tape::Tape;
use alloc::string::String;
use alloc::vec::Vec;

/// What the content at a place of the program reads, as it is at this moment; `None` where it reads nothing.
pub(super) fn fix(image: &Image, state: &VisitorState, moment: &Moment, content: u16) -> Option<Fixed> {
    let mut from = Tape::new(image.template(content)?);
    let meaning = from.read(Reader::fixed_u64);
    let view = View::new(image, state, moment);
    let mut values = Vec::new();
    for _ in 0..from.count() {
        values.push(match from.u16() {
            READS_NOW => Stored::Number(view.now_ms),
            at => stored(view.seen(image.value(at))),
        });
    }
    (!values.is_empty()).then_some(Fixed { meaning, values })
}

/// A value that is known for certain; anything less is missing.
fn stored(seen: Seen) -> Stored {
    match seen {
        Seen::Text(text) => Stored::Text(cut(text)),
        Seen::Cut(kept) => {
            let mut text = String::from(kept);
            text.push_str(CUT_MARK);
            Stored::Text(text)
        }
        Seen::Known(Known { low, high }) if low == high && low != MISSING => Stored::Number(low),
        Seen::Known(_) | Seen::Hash(_) | Seen::List(_) | Seen::Items(_) => Stored::Missing,
    }
}
