//! A piece of a content's text: as it is, or a value that is computed, written out and made harmless for where it stands.
//! Integers only, written by hand: the machinery of `core::fmt` costs a page kilobytes.

use super::kept::CUT_MARK;
use crate::number::MICRO;
use crate::wire::program::{Escape, Image, NumberFormat, Zeros, format, piece, step};
use crate::wire::state::Stored;
use crate::wire::tape::Tape;
use alloc::string::String;
use alloc::vec::Vec;

/// Writes one piece behind `out`; `None` where its value is unknown and nothing stands in for it.
pub(super) fn write(image: &Image, out: &mut String, from: &mut Tape, values: &[Stored]) -> Option<()> {
    if from.u8() == piece::TEXT {
        out.push_str(from.text());
        return Some(());
    }
    let (escape, has_otherwise, otherwise) = (from.u8(), from.flag(), from.text());
    let value = compute(image, from, values);
    let written = written(from, value);
    let length = out.len();
    match written {
        Some(text) if push_escaped(out, &text, escape) => Some(()),
        _ => {
            out.truncate(length);
            out.push_str(otherwise);
            has_otherwise.then_some(())
        }
    }
}

/// A value on its way.
enum Value<'a> {
    Unknown,
    Number(i64),
    Text(&'a str),
}

/// Runs the steps of a placeholder.
fn compute<'a>(image: &Image, from: &mut Tape, values: &'a [Stored]) -> Value<'a> {
    let mut stack: Vec<Option<i64>> = Vec::new();
    let mut text = None;
    for _ in 0..from.count() {
        let next = match from.u8() {
            step::CONSTANT => Some(from.i64()),
            step::READ => match values.get(usize::from(from.u8())) {
                Some(Stored::Number(number)) => Some(*number),
                Some(Stored::Text(found)) => {
                    text = Some(found.as_str());
                    None
                }
                _ => None,
            },
            step::LOCAL => {
                let part = from.u8();
                stack.pop().flatten().map(|time_ms| local_part(image, part, time_ms))
            }
            operation => {
                let (second, first) = (stack.pop().flatten(), stack.pop().flatten());
                first.zip(second).and_then(|(first, second)| operate(operation, first, second))
            }
        };
        stack.push(next);
    }
    match (text, stack.pop().flatten()) {
        (Some(text), _) => Value::Text(text),
        (None, Some(number)) => Value::Number(number),
        (None, None) => Value::Unknown,
    }
}

/// A part of a moment on the clocks of the site, in millionths.
fn local_part(image: &Image, part: u8, time_ms: i64) -> i64 {
    let local = image.local(time_ms);
    let (date, hour, minute) = (local.date(), local.minute / 60, local.minute % 60);
    let clock = |hour: i64| hour.wrapping_mul(MICRO).wrapping_add(minute.wrapping_mul(MICRO / 100));
    let whole = match part {
        0 => date.year,
        1 => date.month,
        2 => date.day,
        3 => local.weekday().wrapping_add(1),
        4 => return clock(hour),
        5 => return clock((hour.wrapping_add(11) % 12).wrapping_add(1)),
        _ => (hour / 12).wrapping_add(1),
    };
    whole.wrapping_mul(MICRO)
}

fn operate(operation: u8, first: i64, second: i64) -> Option<i64> {
    match operation {
        step::ADD => first.checked_add(second),
        step::SUBTRACT => first.checked_sub(second),
        step::MULTIPLY => multiply(first, second),
        _ => divide(first, second),
    }
}

/// The product of two numbers in millionths, cut to millionths, without more than 64 bits on the way.
fn multiply(first: i64, second: i64) -> Option<i64> {
    let (whole, part) = (first / MICRO, first % MICRO);
    let (other_whole, other_part) = (second / MICRO, second % MICRO);
    let parts = part.wrapping_mul(other_part) / MICRO;
    whole.checked_mul(second)?.checked_add(part.checked_mul(other_whole)?)?.checked_add(parts)
}

/// The first divided by the second in millionths, cut: six digits by hand.
fn divide(first: i64, second: i64) -> Option<i64> {
    let mut quotient = first.checked_div(second)?;
    let mut rest = first.checked_rem(second)?;
    for _ in 0..6 {
        rest = rest.checked_mul(10)?;
        quotient = quotient.checked_mul(10)?.checked_add(rest.checked_div(second)?)?;
        rest = rest.checked_rem(second)?;
    }
    Some(quotient)
}

/// A value in its format, which stands next; `None` where it is unknown, or not of its format.
fn written(from: &mut Tape, value: Value) -> Option<String> {
    match (from.u8(), value) {
        (format::TEXT, Value::Text(text)) => Some(text.into()),
        (format::TEXT, _) => None,
        (format::WORDS, value) => {
            let mut words = (0..from.count()).map(|_| from.text()).collect::<Vec<_>>().into_iter();
            let Value::Number(micro) = value else { return None };
            words.nth(usize::try_from(micro / MICRO).ok()?.checked_sub(1)?).map(String::from)
        }
        (_, value) => {
            let form = NumberForm {
                decimals: from.u8().min(6),
                zeros: from.u8(),
                rounds_up: from.flag(),
                point: from.text(),
                group: from.text(),
                prefix: from.text(),
                suffix: from.text(),
            };
            if let Value::Number(micro) = value { Some(form.write(micro)) } else { None }
        }
    }
}

/// A number as contents write it.
#[must_use]
pub fn written_number(micro: i64, format: &NumberFormat) -> String {
    let form = NumberForm {
        decimals: format.decimals.min(6),
        zeros: format.zeros as u8,
        rounds_up: format.rounds_up,
        point: &format.point,
        group: &format.group,
        prefix: &format.prefix,
        suffix: &format.suffix,
    };
    form.write(micro)
}

/// How a number is written.
struct NumberForm<'a> {
    decimals: u8,
    zeros: u8,
    rounds_up: bool,
    point: &'a str,
    group: &'a str,
    prefix: &'a str,
    suffix: &'a str,
}

impl NumberForm<'_> {
    fn write(&self, micro: i64) -> String {
        let one = 10u64.wrapping_pow(self.decimals.into());
        let unit = MICRO.cast_unsigned().checked_div(one).unwrap_or(1);
        let rounding = match (self.rounds_up, micro > 0) {
            (false, _) => unit / 2,
            (true, true) => unit.wrapping_sub(1),
            (true, false) => 0,
        };
        let units = micro.unsigned_abs().saturating_add(rounding).checked_div(unit).unwrap_or(0);
        let whole = units.checked_div(one).unwrap_or(0);
        let mut part = units.checked_rem(one).unwrap_or(0);
        let mut kept = self.decimals;
        while kept > 0
            && (self.zeros == Zeros::Drop as u8 && part % 10 == 0
                || self.zeros == Zeros::Pair as u8 && part == 0)
        {
            part /= 10;
            kept = kept.wrapping_sub(1);
        }
        let mut out = String::new();
        if micro < 0 && units > 0 {
            out.push('-');
        }
        out.push_str(self.prefix);
        push_digits(&mut out, whole, 1, self.group);
        if kept > 0 {
            out.push_str(self.point);
            push_digits(&mut out, part, kept, "");
        }
        out.push_str(self.suffix);
        out
    }
}

/// At least so many digits, `group` between each three.
fn push_digits(out: &mut String, mut number: u64, least: u8, group: &str) {
    let mut digits: Vec<u8> = Vec::new();
    while number > 0 || digits.len() < usize::from(least) {
        digits.push((number % 10) as u8);
        number /= 10;
    }
    for (behind, digit) in (0..digits.len()).rev().zip(digits.iter().rev()) {
        out.push(char::from(b'0'.wrapping_add(*digit)));
        if behind > 0 && behind % 3 == 0 {
            out.push_str(group);
        }
    }
}

/// Writes `text` so that it is nothing but text where it stands; false where it can be nothing there.
fn push_escaped(out: &mut String, text: &str, escape: u8) -> bool {
    if escape == Escape::Address as u8 {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push('%');
                push_hex(out, byte >> 4);
                push_hex(out, byte);
            }
        }
        return !text.bytes().all(|byte| byte == b'.') && !text.ends_with(CUT_MARK);
    }
    for character in text.chars() {
        let is_plain = !matches!(character, '&' | '<' | '>' | '"' | '\'' | '\\' | '\u{2028}' | '\u{2029}');
        match escape {
            _ if character.is_control() => out.push(' '),
            _ if is_plain || escape == Escape::Text as u8 => out.push(character),
            json if json == Escape::Json as u8 => {
                out.push_str("\\u");
                let code = character as u32;
                [12, 8, 4, 0].iter().for_each(|shift| push_hex(out, (code >> shift) as u8));
            }
            _ => out.push_str(match character {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                '\\' => "\\",
                _ => " ",
            }),
        }
    }
    true
}

/// The lower four bits as a digit.
fn push_hex(out: &mut String, byte: u8) {
    out.push(char::from(b"0123456789ABCDEF".get(usize::from(byte & 15)).copied().unwrap_or(b'0')));
}
