//! A template's bytes: its content's place, then the rest with its length before it, so that one who looks for another
//! content passes it in one step. So it is with each wording.

use super::{Format, NumberFormat, Piece, Placeholder, Step, Template, Wording, format, piece, step};
use crate::wire::codec::Writer;
use alloc::string::String;

/// One template.
pub(in super::super) fn template(out: &mut Writer, template: &Template) {
    out.varint(template.content.into());
    nested(out, |out| {
        out.fixed_u64(template.meaning);
        out.count(template.reads.len());
        template.reads.iter().for_each(|at| out.varint((*at).into()));
        template.wordings.iter().for_each(|one| wording(out, one));
    });
}

fn nested(out: &mut Writer, write: impl FnOnce(&mut Writer)) {
    let mut inner = Writer::new();
    write(&mut inner);
    out.bytes(&inner.into_bytes());
}

fn wording(out: &mut Writer, wording: &Wording) {
    out.text(&wording.language);
    nested(out, |out| wording.fields.iter().for_each(|one| field(out, one)));
}

fn field(out: &mut Writer, (name, pieces): &(String, alloc::vec::Vec<Piece>)) {
    out.text(name);
    out.count(pieces.len());
    pieces.iter().for_each(|one| piece(out, one));
}

fn piece(out: &mut Writer, piece: &Piece) {
    match piece {
        Piece::Text(text) => {
            out.u8(piece::TEXT);
            out.text(text);
        }
        Piece::Value(value) => {
            out.u8(piece::VALUE);
            placeholder(out, value);
        }
    }
}

fn placeholder(out: &mut Writer, value: &Placeholder) {
    out.u8(value.escape as u8);
    out.flag(value.otherwise.is_some());
    out.text(value.otherwise.as_deref().unwrap_or_default());
    out.count(value.steps.len());
    value.steps.iter().for_each(|one| step(out, *one));
    match &value.format {
        Format::Text => out.u8(format::TEXT),
        Format::Number(format) => {
            out.u8(format::NUMBER);
            number(out, format);
        }
        Format::Words(words) => {
            out.u8(format::WORDS);
            out.count(words.len());
            words.iter().for_each(|word| out.text(word));
        }
    }
}

fn step(out: &mut Writer, step: Step) {
    match step {
        Step::Constant(number) => {
            out.u8(step::CONSTANT);
            out.zigzag(number);
        }
        Step::Read(at) => {
            out.u8(step::READ);
            out.u8(at);
        }
        Step::Add => out.u8(step::ADD),
        Step::Subtract => out.u8(step::SUBTRACT),
        Step::Multiply => out.u8(step::MULTIPLY),
        Step::Divide => out.u8(step::DIVIDE),
        Step::Local(part) => {
            out.u8(step::LOCAL);
            out.u8(part as u8);
        }
    }
}

fn number(out: &mut Writer, format: &NumberFormat) {
    out.u8(format.decimals);
    out.u8(format.zeros as u8);
    out.flag(format.rounds_up);
    [&format.point, &format.group, &format.prefix, &format.suffix].iter().for_each(|text| out.text(text));
}
