//! The terms that rules act under, from their bytes.

use super::super::deciding::{Deciding, Experiment, Suppression, Terms, Trial, Unit, ValueCap, Variant};
use super::super::image::records::TermsRow;
use super::super::layout::{NONE, kind, size, tag};
use super::super::postcard::Decoded;
use super::super::{Image, ProgramFault};
use super::{Reading, caps, rows, word};
use crate::limits::{EXPERIMENTS_MAX, RULES_MAX, SUPPRESSIONS_MAX, VARIANTS_MAX};
use alloc::vec::Vec;

/// What rules share of their terms.
pub(super) fn deciding(reading: &Reading) -> Decoded<Deciding> {
    let image = reading.image;
    for (tag, size, count_max) in [(tag::SITE_CAPS, size::NARROW, 1), (tag::TERMS, size::NARROW, RULES_MAX)] {
        let _: Vec<()> = rows(reading, tag, size, count_max, |_, _| Ok(()))?;
    }
    Ok(Deciding {
        suppressions: rows(reading, tag::SUPPRESSIONS, size::NARROW, SUPPRESSIONS_MAX, suppression)?,
        experiments: rows(reading, tag::EXPERIMENTS, size::WIDE, EXPERIMENTS_MAX, experiment)?,
        caps: image.site_caps().map_or(Ok(Vec::new()), |row| caps(image, row.caps()))?,
    })
}

fn suppression(from: &Reading, at: u16) -> Decoded<Suppression> {
    let row = from.image.suppression(at);
    Ok(Suppression { name: from.text(row.name())?, when: row.when() })
}

fn experiment(from: &Reading, at: u16) -> Decoded<Experiment> {
    let row = from.image.experiment(at);
    if usize::from(row.variants_count()) > VARIANTS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let variants = (0..u16::from(row.variants_count())).map(|number| variant(from, row.variants(), number));
    Ok(Experiment {
        name: from.text(row.name())?,
        salt: from.text(row.salt())?,
        unit: word(row.unit(), &[Unit::Visitor, Unit::UserOrVisitor])?,
        traffic_salt: from.text(row.traffic_salt())?,
        traffic: (row.traffic_start(), row.traffic_end()),
        variants: variants.collect::<Decoded<_>>()?,
    })
}

fn variant(from: &Reading, first: u16, number: u16) -> Decoded<Variant> {
    let at = first.checked_add(number).filter(|at| *at < from.image.count(tag::VARIANTS, size::NARROW));
    let row = from.image.variant(at.ok_or(ProgramFault::Index)?);
    Ok(Variant { name: from.text(row.name())?, end: row.end() })
}

/// The terms of the rule at a place.
pub(super) fn terms(image: &Image, rule: u16) -> Decoded<Terms> {
    let row = image.terms(rule);
    if row.is_empty() {
        return Ok(Terms::default());
    }
    let optional = |flag: u8, at: u16| row.has(flag).then_some(at);
    Ok(Terms {
        service: row.has(kind::TERM_SERVICE),
        suppressed_by: (0..32).filter(|at| (row.suppressions() >> at) & 1 == 1).collect(),
        holdout: optional(kind::TERM_HOLDOUT, row.holdout()),
        trial: if row.has(kind::TERM_TRIAL) { Some(trial(image, row)?) } else { None },
        schedule: optional(kind::TERM_SCHEDULE, row.schedule()),
        until: optional(kind::TERM_UNTIL, row.until()),
        dismissals: caps(image, row.dismissals())?,
        per_value: row.has(kind::TERM_PER_VALUE).then(|| ValueCap {
            limit: row.value_limit(),
            fact: row.value_fact(),
            values_max: row.values_max(),
        }),
    })
}

fn trial(image: &Image, row: TermsRow) -> Decoded<Trial> {
    let count = image.experiment(row.experiment()).variants_count();
    let contents = (0..u16::from(count)).map(|number| {
        let content = image.trial(row, number).ok_or(ProgramFault::Index)?;
        Ok(Some(content).filter(|content| *content != NONE))
    });
    Ok(Trial { experiment: row.experiment(), contents: contents.collect::<Decoded<_>>()? })
}
