//! Whether everything a program names is there, in order, and within its bounds.

use super::{Image, ProgramFault};
use crate::limits::{
    BUCKETS, COUNT_THRESHOLD_MAX, DISTINCT_MAX, INSTRUCTIONS_MAX, LOOKUP_COLUMNS_MAX, LOOKUP_ROWS_MAX,
    SCORE_MICRO_MAX, SEQUENCE_STEPS_MAX, VALUES_MAX, WINDOW_MS_MAX, ZONE_OFFSETS_MAX,
};
use crate::wire::codec::WireFault;
use crate::wire::program::{
    ACCEPT, Builtin, Cap, Deciding, Emit, Experiment, FactSource, Metric, MetricKind, NONE, OncePer, Parts,
    REJECT, Rule, RuleRow, Score, Sequence, SequenceKind, Terms, Timing, Trigger, Window, kind,
};
use alloc::vec::Vec;

pub(super) type Verdict = Result<(), ProgramFault>;

/// Verifies what [`Parts::decode`] could not: what one part says of another, and what the image says of the parts.
pub(super) fn verify(parts: &Parts, image: &Image) -> Verdict {
    (0..)
        .zip(Parts::sources_of(image)?)
        .try_for_each(|(at, source)| verify_source(parts, image, at, &source))?;
    parts.sequences.iter().try_for_each(|sequence| verify_sequence(image, sequence))?;
    parts.metrics.iter().try_for_each(|metric| verify_metric(parts, image, metric))?;
    parts.scores.iter().try_for_each(|score| verify_score(image, score))?;
    if image.code().len() > INSTRUCTIONS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    (0..image.lookups()).try_for_each(|at| verify_lookup(image, at))?;
    verify_code(parts, image)?;
    let with_more = Parts::rules_with_more(image)?;
    (0..).zip(image.each_rule()).try_for_each(|(at, rule)| verify_rule(parts, image, at, rule))?;
    with_more.iter().try_for_each(|(_, rule)| verify_more(parts, image, rule))?;
    parts.groups.iter().try_for_each(|group| verify_caps(&group.caps))?;
    parts.slots.iter().try_for_each(|slot| {
        verify_caps(&slot.caps)?;
        optional(slot.fallback, parts.contents.len())
    })?;
    verify_deciding(parts, image)?;
    let wakes = image.moves_with_time()
        || !parts.sequences.is_empty()
        || image.each_rule().any(|rule| rule.hold() == kind::HOLD_TIME)
        || with_more.iter().any(|(_, rule)| rule.timing != Timing::default());
    let cells = parts.cells(with_more.iter().map(|(_, rule)| rule), wakes);
    verify_order(parts, &cells)?;
    if image.is_of(parts, &with_more, &cells) { Ok(()) } else { Err(ProgramFault::Index) }
}

pub(super) fn index(at: u16, count: usize) -> Verdict {
    if usize::from(at) < count { Ok(()) } else { Err(ProgramFault::Index) }
}

fn optional(at: Option<u16>, count: usize) -> Verdict {
    at.map_or(Ok(()), |at| index(at, count))
}

/// `place`: of the fact, or how many there are; what it is made of stands before it.
pub(super) fn verify_source(parts: &Parts, image: &Image, place: usize, source: &FactSource) -> Verdict {
    match source {
        FactSource::Attribute(at) => index(*at, parts.attributes.len())?,
        FactSource::Metric(at) => index(*at, parts.metrics.len())?,
        FactSource::Sequence(at) => index(*at, parts.sequences.len())?,
        FactSource::Difference(first, second) => index(first.fact, place).and(index(second.fact, place))?,
        FactSource::SameText(first, second) => index(*first, place).and(index(*second, place))?,
        FactSource::Lookup { table, column, key } => {
            index(*table, image.lookups().into())?;
            index(u16::from(*column), image.lookup(*table).columns().into()).and(index(*key, place))?;
        }
        FactSource::Amount { table, column, .. } => {
            index(*table, image.lookups().into())?;
            index(u16::from(*column), image.lookup(*table).columns().into())?;
        }
        FactSource::SameCount(metric, text) => {
            index(*metric, parts.metrics.len()).and(index(*text, place))?
        }
        FactSource::AnyItem { passes, fails, .. } => {
            index(*passes, image.code().len()).and(index(*fails, image.code().len()))?;
        }
        FactSource::Clock(zone, builtin) => {
            index(*zone, parts.zones.len())?;
            let is_clock = matches!(builtin, Builtin::TimeOfDay | Builtin::Weekday);
            index(0, is_clock.into())?;
        }
        FactSource::Builtin(_)
        | FactSource::Property(_)
        | FactSource::Item(_)
        | FactSource::Trust
        | FactSource::OwnCurrency => {}
    }
    Ok(())
}

fn verify_metric(parts: &Parts, image: &Image, metric: &Metric) -> Verdict {
    optional(metric.filter, image.code().len())?;
    verify_window(metric.window)?;
    match (metric.kind, metric.window) {
        (MetricKind::Count, Window::Sliding(_)) if usize::from(metric.threshold) > COUNT_THRESHOLD_MAX => {
            Err(ProgramFault::TooLarge)
        }
        (MetricKind::Distinct, _) if usize::from(metric.detail) > DISTINCT_MAX => Err(ProgramFault::TooLarge),
        (MetricKind::MostFrequent | MetricKind::Top | MetricKind::Same, _)
            if usize::from(metric.detail) > VALUES_MAX =>
        {
            Err(ProgramFault::TooLarge)
        }
        (MetricKind::Score, _) => index(metric.detail, parts.scores.len()),
        _ => Ok(()),
    }
}

/// At least one step, at least two where it asks for an order, and nothing that its kind has no place for.
fn verify_sequence(image: &Image, sequence: &Sequence) -> Verdict {
    let is_absence = sequence.asks == SequenceKind::Absence;
    let least = if sequence.asks == SequenceKind::Then { 2 } else { 1 };
    let most = if is_absence { 1 } else { SEQUENCE_STEPS_MAX };
    if sequence.steps.len() < least || sequence.steps.len() > most || is_absence && sequence.without.is_some()
    {
        return Err(ProgramFault::TooLarge);
    }
    let mut events = sequence.steps.iter().chain(&sequence.then_no).chain(&sequence.without);
    events.try_for_each(|step| optional(step.filter, image.code().len()))?;
    verify_window(Window::Sliding(sequence.window_ms))
}

/// Half-life and borders within what fading is worked out for.
fn verify_score(image: &Image, score: &Score) -> Verdict {
    let is_bounded = (1..=WINDOW_MS_MAX).contains(&score.half_life_ms)
        && (-SCORE_MICRO_MAX..=0).contains(&score.min)
        && (0..=SCORE_MICRO_MAX).contains(&score.max)
        && score.points.iter().all(|points| points.micro.unsigned_abs() <= SCORE_MICRO_MAX.unsigned_abs());
    if !is_bounded {
        return Err(ProgramFault::TooLarge);
    }
    score.points.iter().try_for_each(|points| optional(points.filter, image.code().len()))
}

fn verify_window(window: Window) -> Verdict {
    match window {
        Window::Sliding(window_ms) if window_ms == 0 || window_ms > WINDOW_MS_MAX => {
            Err(ProgramFault::TooLarge)
        }
        _ => Ok(()),
    }
}

/// Delayed by no more than the longest window, and triggered by something.
fn verify_timing(timing: &Timing) -> Verdict {
    let is_empty = |trigger: &Trigger| trigger.events.is_empty() && !trigger.session_end;
    if timing.after_ms > WINDOW_MS_MAX || timing.trigger.as_ref().is_some_and(is_empty) {
        return Err(ProgramFault::TooLarge);
    }
    Ok(())
}

fn verify_limit(limit: u16) -> Verdict {
    if (1..=COUNT_THRESHOLD_MAX).contains(&usize::from(limit)) { Ok(()) } else { Err(ProgramFault::TooLarge) }
}

fn verify_caps(caps: &[Cap]) -> Verdict {
    caps.iter().try_for_each(|cap| verify_window(cap.window).and(verify_limit(cap.limit)))
}

/// Every key and cell there, and the keys in order.
fn verify_lookup(image: &Image, at: u16) -> Verdict {
    let table = image.lookup(at);
    let columns = table.columns();
    if usize::from(columns) > LOOKUP_COLUMNS_MAX || table.rows() > LOOKUP_ROWS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let mut before: Option<&[u8]> = None;
    for row in 0..table.rows() {
        let key = image.lookup_key(table, row).map(|place| image.text(place)).ok_or(ProgramFault::Index)?;
        sorted(before.is_none_or(|before| before < key))?;
        before = Some(key);
        let last = columns.checked_sub(1);
        if last.is_some_and(|last| image.lookup_cell(table, row, last).is_none()) {
            return Err(ProgramFault::Index);
        }
    }
    Ok(())
}

/// Every test one of those there are, in the order of facts, every fact and mask there, every jump forward and not out of the code.
fn verify_code(parts: &Parts, image: &Image) -> Verdict {
    let code = image.code();
    let is_inside = |to: u16| usize::from(to) < code.len() || to == ACCEPT || to == REJECT;
    image.watched().try_for_each(|leaf| index(leaf.fact(), image.facts().into()))?;
    image.watching().try_for_each(|rule| index(rule, image.rules().into()))?;
    let mut before = 0;
    for leaf in code.each_leaf() {
        sorted(before <= leaf.fact())?;
        before = leaf.fact();
        index(leaf.fact(), image.facts().into())?;
        match leaf.test() {
            kind::TEST_MASK_WIDE => index(u16::try_from(leaf.low()).unwrap_or(u16::MAX), parts.masks.len())?,
            kind::TEST_RANGE | kind::TEST_MASK | kind::TEST_MISSING => {}
            _ => return Err(ProgramFault::Wire(WireFault::Malformed)),
        }
    }
    let leaves = code.each_leaf().len();
    for (at, row) in (0..).map_while(|at| Some((at, code.jump(at)?))) {
        index(row.leaf(), leaves)?;
        let jumps = [row.on_true(), row.on_false()];
        if jumps.iter().any(|to| *to <= at || !is_inside(*to)) {
            return Err(ProgramFault::Jump);
        }
    }
    Ok(())
}

/// What every rule has, where it stands.
fn verify_rule(parts: &Parts, image: &Image, at: u16, rule: RuleRow) -> Verdict {
    let there = |at: u16| Some(at).filter(|at| *at != NONE);
    optional(there(rule.when()), image.code().len())?;
    optional(there(rule.group()), parts.groups.len())?;
    if rule.slot() != NONE || image.emit(at).is_none() {
        index(rule.slot(), parts.slots.len())?;
        index(rule.content(), parts.contents.len())?;
    }
    if rule.hold() == kind::HOLD_TIME && rule.hold_ms() > WINDOW_MS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    Ok(())
}

/// What only some rules have.
fn verify_more(parts: &Parts, image: &Image, rule: &Rule) -> Verdict {
    rule.emit.iter().try_for_each(|emit| verify_emit(image, emit))?;
    verify_timing(&rule.timing)?;
    verify_caps(&rule.caps)?;
    verify_terms(parts, image, &rule.terms)
}

fn verify_terms(parts: &Parts, image: &Image, terms: &Terms) -> Verdict {
    let Deciding { suppressions, experiments, .. } = &parts.deciding;
    terms.suppressed_by.iter().try_for_each(|at| index(*at, suppressions.len()))?;
    optional(terms.holdout, experiments.len())?;
    optional(terms.until, image.code().len())?;
    optional(terms.schedule, image.code().len())?;
    verify_caps(&terms.dismissals)?;
    if let Some(trial) = &terms.trial {
        index(trial.experiment, experiments.len())?;
        trial.contents.iter().try_for_each(|content| optional(*content, parts.contents.len()))?;
    }
    if let Some(cap) = &terms.per_value {
        index(cap.fact, image.facts().into())?;
        verify_limit(cap.limit).and(verify_limit(cap.values_max))?;
    }
    Ok(())
}

fn verify_deciding(parts: &Parts, image: &Image) -> Verdict {
    let Deciding { suppressions, experiments, caps } = &parts.deciding;
    suppressions.iter().try_for_each(|suppression| index(suppression.when, image.code().len()))?;
    experiments.iter().try_for_each(verify_experiment)?;
    verify_caps(caps)
}

/// Stretches of buckets that follow each other up to the last.
fn verify_experiment(experiment: &Experiment) -> Verdict {
    let (start, end) = experiment.traffic;
    let ends: Vec<u16> = experiment.variants.iter().map(|variant| variant.end).collect();
    let is_whole = ends.last() == Some(&BUCKETS) && ends.is_sorted() && start <= end && end <= BUCKETS;
    if is_whole { Ok(()) } else { Err(ProgramFault::Index) }
}

fn verify_emit(image: &Image, emit: &Emit) -> Verdict {
    optional(emit.exit_when.filter(|when| *when != ACCEPT), image.code().len())?;
    if matches!(emit.once_per, Some(OncePer::Time(ms)) if ms > WINDOW_MS_MAX) {
        return Err(ProgramFault::TooLarge);
    }
    emit.fields.iter().try_for_each(|(_, fact)| index(*fact, image.facts().into()))
}

fn verify_order(parts: &Parts, cells: &[u64]) -> Verdict {
    let slots = parts.slots.is_sorted_by(|before, next| before.name < next.name);
    let contents = parts.contents.is_sorted_by(|before, next| before.id < next.id);
    let zone = parts.zones.iter().chain([&parts.zone]).all(|zone| {
        zone.len() <= ZONE_OFFSETS_MAX
            && zone.is_sorted_by(|before, next| before.from_minute < next.from_minute)
    });
    let events = parts.plan.events.is_sorted_by(|before, next| before.name < next.name);
    let cells = cells.is_sorted_by(|before, next| before < next);
    let settled = parts.settled.is_sorted_by(|before, next| before < next);
    sorted(settled && zone && slots && contents && events && cells)
}

pub(super) const fn sorted(is_sorted: bool) -> Verdict {
    if is_sorted { Ok(()) } else { Err(ProgramFault::Unsorted) }
}
