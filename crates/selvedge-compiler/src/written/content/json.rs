//! A YAML value as JSON text, its placeholders apart. What could end a script element is written as `\u003C`.

use super::Piece;
use super::field::cut;
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::template;
use crate::yaml::{Node, Scalar, Value};
use selvedge_core::limits::{PIECES_MAX, TEXT_BYTES_MAX};
use selvedge_core::wire::program::Escape;

/// Levels of a JSON content.
const DEPTH_MAX: usize = 16;

/// The pieces of the JSON text.
pub(super) fn pieces(node: &Node, report: &mut Report) -> Option<Vec<Piece>> {
    let mut json = Json { text: String::new(), pieces: Vec::new(), bytes: 0 };
    json.node(node, 0, report)?;
    json.flush();
    if json.bytes > TEXT_BYTES_MAX || json.pieces.len() > PIECES_MAX {
        let message = format!(
            "the JSON has {} bytes and {} pieces; at most {TEXT_BYTES_MAX} and {PIECES_MAX}",
            json.bytes,
            json.pieces.len()
        );
        report.add(Code::E0016, node.span, message);
        return None;
    }
    Some(json.pieces)
}

struct Json {
    text: String,
    pieces: Vec<Piece>,
    bytes: usize,
}

impl Json {
    fn flush(&mut self) {
        self.bytes += self.text.len();
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text)));
        }
    }

    fn node(&mut self, node: &Node, depth: usize, report: &mut Report) -> Option<()> {
        if depth > DEPTH_MAX {
            report.add(Code::E0016, node.span, format!("JSON nested deeper than {DEPTH_MAX} levels"));
            return None;
        }
        match &node.value {
            Value::Scalar(scalar) => self.scalar(node, scalar, report),
            Value::List(items) => {
                self.text.push('[');
                for (at, item) in items.iter().enumerate() {
                    self.comma(at);
                    self.node(item, depth + 1, report)?;
                }
                self.text.push(']');
                Some(())
            }
            Value::Map(map) => {
                self.text.push('{');
                for (at, entry) in map.entries.iter().enumerate() {
                    self.comma(at);
                    self.quoted(&entry.key);
                    self.text.push(':');
                    self.node(&entry.value, depth + 1, report)?;
                }
                self.text.push('}');
                Some(())
            }
        }
    }

    fn comma(&mut self, at: usize) {
        if at > 0 {
            self.text.push(',');
        }
    }

    fn scalar(&mut self, node: &Node, scalar: &Scalar, report: &mut Report) -> Option<()> {
        let is_plain = !scalar.quoted && (scalar.as_bool().is_some() || is_number(&scalar.text));
        if scalar.is_null() {
            self.text.push_str("null");
        } else if is_plain {
            self.text.push_str(&scalar.text.to_lowercase());
        } else {
            let pieces = cut(scalar, node.span, report)?;
            if let [template::Piece::Placeholder(only)] = pieces.as_slice() {
                self.flush();
                self.pieces.push(Piece::Whole(only.clone()));
                return Some(());
            }
            self.text.push('"');
            for piece in pieces {
                match piece {
                    template::Piece::Text(at) => escape(&mut self.text, &scalar.text[at]),
                    template::Piece::Placeholder(placeholder) => {
                        self.flush();
                        self.pieces.push(Piece::Value(placeholder, Escape::Json));
                    }
                }
            }
            self.text.push('"');
        }
        Some(())
    }

    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        escape(&mut self.text, text);
        self.text.push('"');
    }
}

/// Writes a text as it stands between the quotes of JSON.
pub(crate) fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' | '\\' | '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04X}", character as u32));
            }
            control if control.is_control() => out.push_str(&format!("\\u{:04X}", control as u32)),
            other => out.push(other),
        }
    }
}

/// Whether JSON reads it as a number.
fn is_number(text: &str) -> bool {
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && (whole == "0" || !whole.starts_with('0')) && is_digits(part) && is_digits(exponent)
}

#[cfg(test)]
mod tests {
    use super::is_number;

    #[test]
    fn what_json_calls_a_number_stays_one() {
        for good in ["0", "-0", "12", "-3.50", "1e9", "1.5E-3"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".5", "+1", "1e", "0x1F", "1_000", "inf", "12a"] {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
