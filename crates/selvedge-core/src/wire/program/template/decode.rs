//! Templates from their bytes, each list within its bound and each number one of those allowed.

use super::super::ProgramFault;
use super::{
    Escape, Format, LocalPart, NumberFormat, Piece, Placeholder, Step, Template, Wording, Zeros, format,
    piece, step,
};
use crate::limits::{
    CONTENT_FIELDS_MAX, CONTENT_VALUES_MAX, CONTENTS_MAX, LOCALES_MAX, PIECES_MAX, STEPS_MAX, WORDS_MAX,
};
use crate::wire::codec::{Reader, WireFault};
use alloc::string::String;
use alloc::vec::Vec;

/// By their numbers.
const LOCAL_PARTS: [LocalPart; 7] = {
    use LocalPart::{Clock, Day, HalfOfDay, Month, TwelveHourClock, Weekday, Year};
    [Year, Month, Day, Weekday, Clock, TwelveHourClock, HalfOfDay]
};

type Decoded<T> = Result<T, ProgramFault>;

/// All templates, one behind the other.
pub(in super::super) fn templates(bytes: &[u8]) -> Decoded<Vec<Template>> {
    rest(&mut Reader::new(bytes), CONTENTS_MAX, template)
}

/// Everything that is left, at most `count_max`.
fn rest<T>(from: &mut Reader, count_max: usize, read: fn(&mut Reader) -> Decoded<T>) -> Decoded<Vec<T>> {
    let mut items = Vec::new();
    while !from.is_empty() {
        if items.len() >= count_max {
            return Err(ProgramFault::TooLarge);
        }
        items.push(read(from)?);
    }
    Ok(items)
}

/// As many as are said to follow, at most `count_max`.
fn list<T>(from: &mut Reader, count_max: usize, read: fn(&mut Reader) -> Decoded<T>) -> Decoded<Vec<T>> {
    let count = from.count()?;
    if count > count_max {
        return Err(ProgramFault::TooLarge);
    }
    (0..count).map(|_| read(from)).collect()
}

fn template(from: &mut Reader) -> Decoded<Template> {
    let content = from.varint_u16()?;
    let from = &mut Reader::new(from.bytes()?);
    Ok(Template {
        content,
        meaning: from.fixed_u64()?,
        reads: list(from, CONTENT_VALUES_MAX, |from| Ok(from.varint_u16()?))?,
        wordings: rest(from, LOCALES_MAX, wording)?,
    })
}

fn wording(from: &mut Reader) -> Decoded<Wording> {
    let language = from.text()?.into();
    Ok(Wording { language, fields: rest(&mut Reader::new(from.bytes()?), CONTENT_FIELDS_MAX, field)? })
}

fn field(from: &mut Reader) -> Decoded<(String, Vec<Piece>)> {
    Ok((from.text()?.into(), list(from, PIECES_MAX, piece)?))
}

fn piece(from: &mut Reader) -> Decoded<Piece> {
    match from.u8()? {
        piece::TEXT => Ok(Piece::Text(from.text()?.into())),
        piece::VALUE => Ok(Piece::Value(placeholder(from)?)),
        _ => Err(WireFault::Malformed.into()),
    }
}

fn placeholder(from: &mut Reader) -> Decoded<Placeholder> {
    let escape = one_of(from, &[Escape::Text, Escape::Html, Escape::Address, Escape::Json])?;
    let is_there = from.flag()?;
    let otherwise = Some(String::from(from.text()?)).filter(|_| is_there);
    let steps = list(from, STEPS_MAX, step)?;
    let format = match from.u8()? {
        format::TEXT => Format::Text,
        format::NUMBER => Format::Number(number(from)?),
        format::WORDS => Format::Words(list(from, WORDS_MAX, |from| Ok(from.text()?.into()))?),
        _ => return Err(WireFault::Malformed.into()),
    };
    Ok(Placeholder { steps, format, escape, otherwise })
}

fn step(from: &mut Reader) -> Decoded<Step> {
    Ok(match from.u8()? {
        step::CONSTANT => Step::Constant(from.zigzag_i64()?),
        step::READ => Step::Read(from.u8()?),
        step::ADD => Step::Add,
        step::SUBTRACT => Step::Subtract,
        step::MULTIPLY => Step::Multiply,
        step::DIVIDE => Step::Divide,
        step::LOCAL => Step::Local(one_of(from, &LOCAL_PARTS)?),
        _ => return Err(WireFault::Malformed.into()),
    })
}

fn number(from: &mut Reader) -> Decoded<NumberFormat> {
    Ok(NumberFormat {
        decimals: from.u8()?,
        zeros: one_of(from, &[Zeros::Drop, Zeros::Pair, Zeros::Keep])?,
        rounds_up: from.flag()?,
        point: from.text()?.into(),
        group: from.text()?.into(),
        prefix: from.text()?.into(),
        suffix: from.text()?.into(),
    })
}

fn one_of<T: Copy>(from: &mut Reader, all: &[T]) -> Decoded<T> {
    Ok(*all.get(usize::from(from.u8()?)).ok_or(WireFault::Malformed)?)
}
