//! What a program knows of its visitors: attributes, facts, metrics, scores, and the tables it looks things up in.

use super::{Reading, optional, window, word};
use crate::limits::{LOOKUP_COLUMNS_MAX, LOOKUP_ROWS_MAX, SCORE_POINTS_MAX, TEXTS_MAX};
use crate::wire::codec::WireFault;
use crate::wire::program::image::records::FactRow;
use crate::wire::program::layout::{NO_CELL, NO_TEXT, kind, size, tag};
use crate::wire::program::postcard::Decoded;
use crate::wire::program::{
    Attribute, AttributeScope, AttributeSet, AttributeType, Builtin, CartChange, CartEvent, Fact, FactSource,
    Feed, IfStale, Lookup, LookupCell, LookupRow, Metric, MetricKind, Points, ProgramFault, Scope, Score,
    SetTo, Shape, Term, TextTest, Ttl, WarmUp,
};
use alloc::vec::Vec;

pub(super) fn attribute(from: &Reading, at: u16) -> Decoded<Attribute> {
    let row = from.image.attribute(at);
    let sets = (0..u32::from(row.sets_count())).map(|at| attribute_set(from, row.sets().checked_add(at)));
    Ok(Attribute {
        name: from.text(row.name())?,
        scope: word(
            row.scope(),
            &[
                AttributeScope::Session,
                AttributeScope::Visitor,
                AttributeScope::Context,
                AttributeScope::Profile,
                AttributeScope::Account,
            ],
        )?,
        attribute_type: word(
            row.attribute_type(),
            &[
                AttributeType::Text,
                AttributeType::Number,
                AttributeType::Bool,
                AttributeType::Time,
                AttributeType::List,
            ],
        )?,
        set: sets.collect::<Decoded<_>>()?,
        purpose: row.purpose(),
        private: row.is_private(),
        ttl: match (row.ttl_ms(), word(row.if_stale(), &[IfStale::Unknown, IfStale::Missing])?) {
            (0, _) => None,
            (ms, if_stale) => Some(Ttl { ms, if_stale }),
        },
    })
}

pub(super) fn lookup(from: &Reading, at: u16) -> Decoded<Lookup> {
    let table = from.image.lookup(at);
    let texts: Vec<bool> = (0..table.columns()).map(|at| (table.texts() >> at.min(31)) & 1 == 1).collect();
    if texts.len() > LOOKUP_COLUMNS_MAX || table.rows() > LOOKUP_ROWS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let cell = |row: u32, column: u8, is_text: bool| {
        let cell = from.image.lookup_cell(table, row, column).ok_or(ProgramFault::Index)?;
        Ok(match cell {
            NO_CELL => LookupCell::Missing,
            place if is_text => {
                LookupCell::Text(from.text(u32::try_from(place).map_err(|_| ProgramFault::Index)?)?)
            }
            number => LookupCell::Number(number),
        })
    };
    let row = |row: u32| {
        let key = from.text(from.image.lookup_key(table, row).ok_or(ProgramFault::Index)?)?;
        from.take(texts.len().saturating_mul(size_of::<LookupCell>()))?;
        let cells = (0..).zip(&texts).map(|(column, is_text)| cell(row, column, *is_text));
        Ok(LookupRow { key, cells: cells.collect::<Decoded<_>>()? })
    };
    let rows = (0..table.rows()).map(row).collect::<Decoded<_>>()?;
    let feed = word(table.feed(), &[Feed::Published, Feed::Pushed, Feed::Dated])?;
    Ok(Lookup { name: from.text(table.name())?, texts, feed, rows })
}

pub(super) fn cart_event(from: &Reading, at: u16) -> Decoded<CartEvent> {
    let row = from.image.cart_event(at);
    let does = word(row.does(), &[CartChange::Adds, CartChange::Removes, CartChange::Empties])?;
    Ok(CartEvent { event: from.text(row.event())?, does, purpose: row.purpose() })
}

fn attribute_set(from: &Reading, at: Option<u32>) -> Decoded<AttributeSet> {
    let sets = from.image.table(tag::SETS).len().checked_div(size::NARROW).unwrap_or(0);
    let at = at.filter(|at| usize::try_from(*at).is_ok_and(|at| at < sets)).ok_or(ProgramFault::Index)?;
    let row = from.image.set(at);
    let place = u32::try_from(row.value()).map_err(|_| ProgramFault::Index);
    let to = match row.kind() {
        kind::SET_TEXT => SetTo::Text(from.text(place?)?),
        kind::SET_NUMBER => SetTo::Number(row.value()),
        kind::SET_BOOL => SetTo::Bool(row.value() != 0),
        kind::SET_PROPERTY => SetTo::Property(from.text(place?)?),
        kind::SET_AMOUNT => SetTo::Amount(from.text(place?)?),
        _ => return Err(WireFault::Malformed.into()),
    };
    Ok(AttributeSet { event: from.text(row.event())?, to })
}

pub(super) fn fact(from: &Reading, at: u16) -> Decoded<Fact> {
    fact_of(from, from.image.fact(at))
}

pub(super) fn value(from: &Reading, at: u16) -> Decoded<Fact> {
    fact_of(from, from.image.value(at))
}

fn fact_of(from: &Reading, row: FactRow) -> Decoded<Fact> {
    Ok(Fact { source: source_of(from, row)?, shape: shape_of(from, row)?, default: row.default() })
}

/// What a fact is read from, and nothing to refuse in its shape.
pub(super) fn source_and_sound_shape(from: &Reading, at: u16) -> Decoded<FactSource> {
    let row = from.image.fact(at);
    if row.shape() == kind::SHAPE_ONE_OF {
        let mut before: Option<&[u8]> = None;
        for place in listed(from, row) {
            let text = from.look_at(place?)?;
            if before.is_some_and(|before| before >= text) {
                return Err(ProgramFault::Unsorted);
            }
            before = Some(text);
        }
    } else {
        shape_of(from, row)?;
    }
    source_of(from, row)
}

fn source_of(from: &Reading, row: FactRow) -> Decoded<FactSource> {
    let builtin = u8::try_from(row.index()).ok().and_then(Builtin::from_number);
    Ok(match row.source() {
        kind::SOURCE_BUILTIN => FactSource::Builtin(builtin.ok_or(WireFault::Malformed)?),
        kind::SOURCE_ATTRIBUTE => FactSource::Attribute(row.index()),
        kind::SOURCE_METRIC => FactSource::Metric(row.index()),
        kind::SOURCE_SEQUENCE => FactSource::Sequence(row.index()),
        kind::SOURCE_PROPERTY => FactSource::Property(from.text(row.name())?),
        kind::SOURCE_DIFFERENCE => {
            let is_count = |flag: u16| row.count() & flag != 0;
            let first = Term { fact: row.index(), is_count: is_count(kind::FIRST_IS_COUNT) };
            FactSource::Difference(
                first,
                Term { fact: row.second(), is_count: is_count(kind::SECOND_IS_COUNT) },
            )
        }
        kind::SOURCE_SAME_TEXT => FactSource::SameText(row.index(), row.second()),
        kind::SOURCE_ANY_ITEM => {
            let [passes, fails] = row.of_item();
            FactSource::AnyItem { list: from.text(row.name())?, passes, fails }
        }
        kind::SOURCE_ITEM => FactSource::Item(from.text(row.name())?),
        kind::SOURCE_LOOKUP => {
            FactSource::Lookup { table: row.index(), column: row.column(), key: row.second() }
        }
        kind::SOURCE_AMOUNT if row.default().is_none() => FactSource::Amount {
            micro: row.default_value(),
            currency: from.text(row.name())?,
            table: row.index(),
            column: row.column(),
        },
        kind::SOURCE_SAME_COUNT => FactSource::SameCount(row.index(), row.second()),
        kind::SOURCE_TRUST => FactSource::Trust,
        kind::SOURCE_OWN_CURRENCY => FactSource::OwnCurrency,
        kind::SOURCE_CLOCK => {
            FactSource::Clock(row.index(), Builtin::from_number(row.column()).ok_or(WireFault::Malformed)?)
        }
        _ => return Err(WireFault::Malformed.into()),
    })
}

fn shape_of(from: &Reading, row: FactRow) -> Decoded<Shape> {
    let tests = &[TextTest::Contains, TextTest::StartsWith, TextTest::EndsWith, TextTest::MatchesGlob];
    Ok(match row.shape() {
        kind::SHAPE_NUMBER => Shape::Number,
        kind::SHAPE_TIME => Shape::Time,
        kind::SHAPE_ONE_OF => {
            Shape::OneOf(listed(from, row).map(|place| from.text(place?)).collect::<Decoded<_>>()?)
        }
        test => Shape::Text(word(test.wrapping_sub(kind::SHAPE_TEXT), tests)?, from.text(row.texts())?),
    })
}

/// The places of the texts that a fact is one of.
fn listed(from: &Reading, row: FactRow) -> impl Iterator<Item = Decoded<u32>> {
    let place = move |at| match row.texts().checked_add(at) {
        _ if usize::from(row.count()) > TEXTS_MAX => Err(ProgramFault::TooLarge),
        at => at.and_then(|at| from.image.listed_place(at)).ok_or(ProgramFault::Index),
    };
    (0..u32::from(row.count())).map(place)
}

pub(super) fn metric(from: &Reading, at: u16) -> Decoded<Metric> {
    let row = from.image.metric(at);
    Ok(Metric {
        name: from.text(row.name())?,
        meaning: row.meaning(),
        kind: MetricKind::from_number(row.kind()).ok_or(WireFault::Malformed)?,
        event: from.text(row.event())?,
        property: (row.property() != NO_TEXT).then(|| from.text(row.property())).transpose()?,
        filter: optional(row.filter()),
        window: window(row.window(), row.window_ms())?,
        scope: word(row.scope(), &[Scope::Session, Scope::Visitor, Scope::Profile, Scope::Account])?,
        threshold: row.threshold(),
        detail: row.detail(),
        purpose: row.purpose(),
        private: row.is_private(),
        warm_up: match (row.is_warm(), row.is_from_log()) {
            (true, _) => WarmUp::Zero,
            (false, true) => WarmUp::Log,
            (false, false) => WarmUp::Unknown,
        },
        of_money: row.of_money(),
    })
}

pub(super) fn score(from: &Reading, at: u16) -> Decoded<Score> {
    let row = from.image.score(at);
    if usize::from(row.points_count()) > SCORE_POINTS_MAX {
        return Err(ProgramFault::TooLarge);
    }
    let points: Vec<Points> = from
        .image
        .points(row)
        .map(|points| {
            Ok(Points {
                event: from.text(points.event())?,
                filter: optional(points.filter()),
                micro: points.micro(),
            })
        })
        .collect::<Decoded<_>>()?;
    if points.len() != usize::from(row.points_count()) {
        return Err(ProgramFault::Index);
    }
    Ok(Score { half_life_ms: row.half_life_ms(), min: row.min(), max: row.max(), points })
}
