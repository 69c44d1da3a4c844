//! What a decision shows: its content in the visitor's language, with the values written into its texts. The same code
//! writes in the page and at the edge.

use super::decide::Decision;
use super::facts::Seen;
use super::fixed::fix;
use super::moment::Moment;
use super::view::View;
use super::written::write;
use crate::wire::codec::Reader;
use crate::wire::program::{Builtin, Content, Image};
use crate::wire::state::{Fixed, Stored, VisitorState};
use crate::wire::tape::Tape;
use alloc::string::String;
use alloc::vec::Vec;

/// The content that a decision shows. Its values are those of the moment in which its rule won, for as long as the rule is
/// held. `None`: nothing, or a value that it needs is unknown; what the page itself holds stays.
#[must_use]
pub fn content(image: &Image, state: &VisitorState, moment: &Moment, decision: &Decision) -> Option<Content> {
    let at = decision.content?;
    let plain = image.content(at)?;
    let Some(template) = image.template(at) else { return Some(plain) };
    let mut from = Tape::new(template);
    let meaning = from.read(Reader::fixed_u64);
    for _ in 0..from.count() {
        from.u16();
    }
    let fixed = held(image, state, moment, decision).filter(|fixed| fixed.meaning == meaning).cloned();
    let values = fixed.or_else(|| fix(image, state, moment, at)).map_or_else(Vec::new, |fixed| fixed.values);
    let language = match View::new(image, state, moment).builtin(Builtin::Language) {
        Seen::Text(language) => language,
        _ => "",
    };
    let fields = fields(image, wording(&mut from, language), &values)?;
    Some(Content { fields, ..plain })
}

/// What was fixed when the rule won, where it is held.
fn held<'a>(
    image: &Image,
    state: &'a VisitorState,
    moment: &Moment,
    decision: &Decision,
) -> Option<&'a Fixed> {
    let (rule, slot) = (image.rule(decision.rule?).hash(), image.slot(decision.slot).hash());
    let of_page = state.page(moment.writer).map_or(&[][..], |page| page.held.as_slice());
    let held = of_page.iter().chain(&state.held).find(|held| held.slot == slot && held.rule == rule)?;
    held.fixed.as_ref()
}

/// The fields in this language. The wordings stand from the most to the least special, the last is everybody's.
fn wording<'a>(from: &mut Tape<'a>, language: &str) -> &'a [u8] {
    let mut fields: &[u8] = &[];
    while !from.rest().is_empty() {
        let of = from.text();
        fields = from.read(Reader::bytes);
        if is_of(of.as_bytes(), language.as_bytes()) {
            break;
        }
    }
    fields
}

/// Whether a text written for `of` suits a reader of `language`: it is that, or begins with its parts.
fn is_of(of: &[u8], language: &[u8]) -> bool {
    let begins = language.get(..of.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(of));
    begins && language.get(of.len()).is_none_or(|next| !next.is_ascii_alphanumeric())
}

fn fields(image: &Image, bytes: &[u8], values: &[Stored]) -> Option<Vec<(String, String)>> {
    let mut from = Tape::new(bytes);
    let mut fields = Vec::new();
    while !from.rest().is_empty() {
        let name = from.string();
        let mut text = String::new();
        for _ in 0..from.count() {
            write(image, &mut text, &mut from, values)?;
        }
        fields.push((name, text));
    }
    from.is_sound().then_some(fields)
}
