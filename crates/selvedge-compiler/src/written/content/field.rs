//! Single fields of contents: their texts cut into pieces, and each checked for what it may hold.

use super::{Field, Piece};
use crate::codes::Code;
use crate::diagnostic::Report;
use crate::fields;
use crate::markup;
use crate::source::Span;
use crate::template;
use crate::yaml::{Entry, Node, Scalar};
use selvedge_core::limits::{PIECES_MAX, TEXT_BYTES_MAX};
use selvedge_core::wire::program::Escape;

/// The pieces of a text or an address, as its name says.
pub(super) fn pieces(name: &str, node: &Node, report: &mut Report) -> Option<Vec<Piece>> {
    let scalar = scalar(name, node, report)?;
    let pieces = cut(scalar, node.span, report)?;
    let escape = if matches!(name, "text" | "alt") { Some(Escape::Text) } else { Some(Escape::Address) };
    placed(name, scalar, pieces, escape, node.span, report)
}

/// The pieces of markup.
pub(super) fn markup(node: &Node, report: &mut Report) -> Option<Vec<Piece>> {
    let scalar = scalar("html", node, report)?;
    let pieces = cut(scalar, node.span, report)?;
    let mut escapes = markup::check(&scalar.text, &pieces, &scalar.anchor, report)?.into_iter();
    let placed = pieces.into_iter().map(|piece| match piece {
        template::Piece::Text(at) => Piece::Text(scalar.text[at].to_owned()),
        template::Piece::Placeholder(placeholder) => {
            Piece::Value(placeholder, escapes.next().unwrap_or(Escape::Html))
        }
    });
    Some(placed.collect())
}

/// An attribute of an element.
pub(super) fn attribute(entry: &Entry, report: &mut Report) -> Option<Field> {
    let name = entry.key.to_lowercase();
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'));
    if !is_name {
        let message = format!("`{}` is not the name of an attribute", entry.key);
        report.add(Code::E0014, entry.key_span, message);
        return None;
    }
    if markup::is_forbidden(&name) {
        let message = format!("the attribute `{}` could run code in the page", entry.key);
        let help = "use a `data-...` attribute and let the page's own script read it".to_owned();
        report.add_help(Code::E0403, entry.key_span, message, help);
        return None;
    }
    let scalar = scalar(&name, &entry.value, report)?;
    let pieces = cut(scalar, entry.value.span, report)?;
    let escape = markup::escape_in_attribute(&name);
    let pieces = placed(&name, scalar, pieces, escape, entry.value.span, report)?;
    Some(Field { name, pieces })
}

fn scalar<'a>(name: &str, node: &'a Node, report: &mut Report) -> Option<&'a Scalar> {
    let scalar = fields::scalar(node, "a text", report)?;
    if scalar.text.len() > TEXT_BYTES_MAX {
        let message = format!("`{name}` has {} bytes; at most {TEXT_BYTES_MAX}", scalar.text.len());
        report.add(Code::E0016, node.span, message);
    }
    Some(scalar)
}

/// A text cut at its placeholders.
pub(super) fn cut(scalar: &Scalar, span: Span, report: &mut Report) -> Option<Vec<template::Piece>> {
    let pieces = template::pieces(&scalar.text, &scalar.anchor, report)?;
    if pieces.len() > PIECES_MAX {
        let message = format!("{} texts and placeholders in one field; at most {PIECES_MAX}", pieces.len());
        report.add(Code::E0016, span, message);
        return None;
    }
    Some(pieces)
}

/// The pieces, each placeholder with what it stands in. `None` as `escape`: no placeholder may stand there.
fn placed(
    name: &str,
    scalar: &Scalar,
    pieces: Vec<template::Piece>,
    escape: Option<Escape>,
    span: Span,
    report: &mut Report,
) -> Option<Vec<Piece>> {
    let mut placed = Vec::new();
    for piece in pieces {
        placed.push(match piece {
            template::Piece::Text(at) => Piece::Text(scalar.text[at].to_owned()),
            template::Piece::Placeholder(placeholder) => {
                let Some(escape) = escape else {
                    let message = format!("a value in `{name}` cannot be made safe");
                    let help = "write it into a `data-...` attribute, or into `title` or `href`".to_owned();
                    report.add_help(Code::E0603, placeholder.span, message, help);
                    return None;
                };
                if escape == Escape::Address && !leads_somewhere(&scalar.text, &placeholder) {
                    let (message, help) = markup::address_fault();
                    report.add_help(Code::E0603, placeholder.span, message, help);
                    return None;
                }
                Piece::Value(placeholder, escape)
            }
        });
    }
    if escape == Some(Escape::Address) && !markup::is_safe_address(&scalar.text) {
        let message = format!("`{name}` is a scripting address");
        report.add_help(Code::E0403, span, message, "use an address of a page: `/sale`".to_owned());
        return None;
    }
    Some(placed)
}

/// Whether the address leads where its text says, whatever the first placeholder holds. Behind the first, others may stand.
fn leads_somewhere(text: &str, placeholder: &template::Placeholder) -> bool {
    let first = text.find("{{").unwrap_or(0);
    placeholder.at.start > first || markup::leads_somewhere(&text[..first])
}
