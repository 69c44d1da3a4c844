//! Whether everything a program names is there, in order, and within its bounds.

use super::{Image, ProgramFault};
use crate::limits::{COUNT_THRESHOLD_MAX, WINDOW_MS_MAX};
use crate::wire::program::{
    Cap, Fact, FactSource, Hold, Instruction, Jump, Metric, Parts, Rule, Shape, Test, Window,
};

type Verdict = Result<(), ProgramFault>;

/// Verifies what [`Parts::decode`] could not: what one part says of another, and what the image says of the parts.
pub(super) fn verify(parts: &Parts, image: &Image) -> Verdict {
    parts.facts.iter().try_for_each(|fact| verify_fact(parts, fact))?;
    parts.metrics.iter().try_for_each(|metric| verify_metric(parts, metric))?;
    parts.code.iter().enumerate().try_for_each(|(at, code)| verify_instruction(parts, at, code))?;
    parts.rules.iter().try_for_each(|rule| verify_rule(parts, rule))?;
    parts.groups.iter().try_for_each(|group| verify_caps(&group.caps))?;
    parts.slots.iter().try_for_each(|slot| optional(slot.fallback, parts.contents.len()))?;
    verify_order(parts)?;
    if image.is_of(parts) { Ok(()) } else { Err(ProgramFault::Index) }
}

fn index(at: u16, count: usize) -> Verdict {
    if usize::from(at) < count { Ok(()) } else { Err(ProgramFault::Index) }
}

fn optional(at: Option<u16>, count: usize) -> Verdict {
    at.map_or(Ok(()), |at| index(at, count))
}

fn verify_fact(parts: &Parts, fact: &Fact) -> Verdict {
    match &fact.source {
        FactSource::Attribute(at) => index(*at, parts.attributes.len())?,
        FactSource::Metric(at) => index(*at, parts.metrics.len())?,
        FactSource::Builtin(_) | FactSource::Property(_) => {}
    }
    match &fact.shape {
        Shape::OneOf(texts) => sorted(texts.is_sorted_by(|before, next| before < next)),
        Shape::Number | Shape::Text(..) => Ok(()),
    }
}

fn verify_metric(parts: &Parts, metric: &Metric) -> Verdict {
    optional(metric.filter, parts.code.len())?;
    verify_window(metric.window)?;
    match metric.window {
        Window::Sliding(_) if usize::from(metric.threshold) > COUNT_THRESHOLD_MAX => {
            Err(ProgramFault::TooLarge)
        }
        _ => Ok(()),
    }
}

fn verify_window(window: Window) -> Verdict {
    match window {
        Window::Sliding(window_ms) if window_ms == 0 || window_ms > WINDOW_MS_MAX => {
            Err(ProgramFault::TooLarge)
        }
        _ => Ok(()),
    }
}

fn verify_limit(limit: u16) -> Verdict {
    if (1..=COUNT_THRESHOLD_MAX).contains(&usize::from(limit)) { Ok(()) } else { Err(ProgramFault::TooLarge) }
}

fn verify_caps(caps: &[Cap]) -> Verdict {
    caps.iter().try_for_each(|cap| verify_window(cap.window).and(verify_limit(cap.limit)))
}

fn verify_instruction(parts: &Parts, at: usize, code: &Instruction) -> Verdict {
    index(code.fact, parts.facts.len())?;
    if let Test::MaskWide(mask) = code.test {
        index(mask, parts.masks.len())?;
    }
    let is_forward = |jump| match jump {
        Jump::To(to) => usize::from(to) > at && usize::from(to) < parts.code.len(),
        Jump::Accept | Jump::Reject => true,
    };
    if is_forward(code.on_true) && is_forward(code.on_false) { Ok(()) } else { Err(ProgramFault::Jump) }
}

fn verify_rule(parts: &Parts, rule: &Rule) -> Verdict {
    optional(rule.when, parts.code.len())?;
    index(rule.slot, parts.slots.len())?;
    index(rule.content, parts.contents.len())?;
    optional(rule.group, parts.groups.len())?;
    if matches!(rule.hold, Hold::Time(hold_ms) if hold_ms > WINDOW_MS_MAX) {
        return Err(ProgramFault::TooLarge);
    }
    verify_caps(&rule.caps)
}

fn verify_order(parts: &Parts) -> Verdict {
    let rules = parts.rules.is_sorted_by(|before, next| {
        (core::cmp::Reverse(before.priority), &before.id) < (core::cmp::Reverse(next.priority), &next.id)
    });
    let slots = parts.slots.is_sorted_by(|before, next| before.name < next.name);
    let contents = parts.contents.is_sorted_by(|before, next| before.id < next.id);
    let events = parts.plan.events.is_sorted_by(|before, next| before.name < next.name);
    let cells = parts.cells().is_sorted_by(|before, next| before < next);
    sorted(rules && slots && contents && events && cells)
}

const fn sorted(is_sorted: bool) -> Verdict {
    if is_sorted { Ok(()) } else { Err(ProgramFault::Unsorted) }
}
