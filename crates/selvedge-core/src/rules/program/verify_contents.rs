//! Whether what contents read is there, and every computation ends with one value.

use super::verify::{Verdict, index, sorted, verify_source};
use super::{Image, ProgramFault};
use crate::limits::CONTENT_VALUES_MAX;
use crate::wire::codec::WireFault;
use crate::wire::program::{FactSource, Format, Parts, Piece, Placeholder, READS_NOW, Shape, Step, Template};

/// Verifies the templates and the values that they read.
pub(super) fn verify_contents(parts: &Parts, image: &Image) -> Verdict {
    for value in &parts.values {
        let is_value = !matches!(value.source, FactSource::Property(_))
            && !matches!(value.shape, Shape::Text(..))
            && value.default.is_none();
        sound(is_value)?;
        // What a value is looked up, or counted, by is a fact of the rules.
        let is_by_fact = matches!(value.source, FactSource::Lookup { .. } | FactSource::SameCount(..));
        let facts = if is_by_fact { image.facts().into() } else { 0 };
        verify_source(parts, image, facts, &value.source)?;
        if let Shape::OneOf(texts) = &value.shape {
            sorted(texts.is_sorted_by(|before, next| before < next))?;
        }
    }
    if !parts.templates.is_sorted_by(|before, next| before.content < next.content) {
        return Err(ProgramFault::Unsorted);
    }
    parts.templates.iter().try_for_each(|template| verify_template(parts, template))
}

fn verify_template(parts: &Parts, template: &Template) -> Verdict {
    index(template.content, parts.contents.len())?;
    for at in template.reads.iter().filter(|at| **at != READS_NOW) {
        index(*at, parts.values.len())?;
    }
    sound(template.wordings.last().is_some_and(|last| last.language.is_empty()))?;
    let fields = template.wordings.iter().flat_map(|wording| &wording.fields);
    fields.flat_map(|(_, pieces)| pieces).try_for_each(|piece| match piece {
        Piece::Text(_) => Ok(()),
        Piece::Value(placeholder) => verify_placeholder(template, placeholder),
    })
}

fn verify_placeholder(template: &Template, placeholder: &Placeholder) -> Verdict {
    let mut height = 0usize;
    for step in &placeholder.steps {
        match step {
            Step::Constant(_) => {}
            Step::Read(at) => sound(usize::from(*at) < template.reads.len().min(CONTENT_VALUES_MAX))?,
            Step::Add | Step::Subtract | Step::Multiply | Step::Divide => {
                sound(height >= 2)?;
                height = height.saturating_sub(2);
            }
            Step::Local(_) => {
                sound(height >= 1)?;
                height = height.saturating_sub(1);
            }
        }
        height = height.saturating_add(1);
    }
    sound(height == 1)?;
    match (&placeholder.format, placeholder.steps.as_slice()) {
        (Format::Text, [Step::Read(_)]) | (Format::Number(_) | Format::Words(_), _) => Ok(()),
        (Format::Text, _) => sound(false),
    }
}

const fn sound(is_sound: bool) -> Verdict {
    if is_sound { Ok(()) } else { Err(ProgramFault::Wire(WireFault::Malformed)) }
}
