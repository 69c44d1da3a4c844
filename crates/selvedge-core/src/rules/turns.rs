//! When time alone changes what is decided: a moment comes or passes, the clock shows an hour, a value becomes too old, a
//! score fades. Each test of such a fact says when it may come out otherwise next; of these times, the first at which a
//! rule really stands otherwise counts.

use super::gates::{is_outside, is_over, suppression_of};
use super::known::{Known, MISSING, is_true, known_at};
use super::metric::edges;
use super::metric::score::fades_in_ms;
use super::moment::{Moment, Orders, Place};
use super::timers;
use super::view::{View, resolve};
use crate::id::{VisitorId, WriterId};
use crate::limits::{CLOCK_SHOWN_MS, CLOCK_TOLD_MS, TURNS_MAX};
use crate::tracking_plan::Trust;
use crate::value::Map;
use crate::wire::program::{Builtin, DAY_MINUTES, FactRow, Image, LeafRow, Local, Zone, kind};
use crate::wire::state::{CellBody, VisitorState};
use alloc::vec::Vec;

const MINUTE_MS: i64 = 60 * 1_000;

/// The first time behind `from_ms`, and not behind `until_ms`, at which time alone changes what is decided, as far as what
/// is kept of the visitor tells. After [`TURNS_MAX`] times at which nothing changed, the last of them.
#[inline(never)]
pub(super) fn next_turn(image: &Image, state: &VisitorState, from_ms: i64, until_ms: i64) -> Option<i64> {
    if !image.moves_with_time() {
        return None;
    }
    let context = Map::new();
    let newest = state.pages.iter().max_by_key(|page| page.last_ms);
    let mut moment = Moment {
        writer: newest.map_or(WriterId::from_bits(0), |page| page.writer),
        context: &context,
        now_ms: from_ms,
        in_force: state.in_force,
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor: VisitorId::NOBODY,
        orders: Orders::default(),
    };
    let mut known = resolve(image, state, &moment);
    // Most often nothing is to turn so soon: then nobody asks how rules stand.
    let mut before: Vec<u8> = Vec::new();
    let last_ms = state.last_time_ms.unwrap_or(from_ms);
    for _ in 0..TURNS_MAX {
        let turning = Turning { view: View::new(image, state, &moment), image, known: &known, last_ms };
        let (next_ms, is_by_clock) = turning.next()?;
        if next_ms > until_ms {
            return None;
        }
        if before.is_empty() {
            before.extend(image.watching().map(|at| standing(image, state, &known, at)));
        }
        moment.now_ms = next_ms;
        known = resolve(image, state, &moment);
        let is_told_only = is_by_clock && next_ms > last_ms.wrapping_add(CLOCK_SHOWN_MS);
        let mut rules = image.watching().zip(&before);
        let is_turned = rules.any(|(at, before)| {
            (!is_told_only || image.emit(at).is_some()) && standing(image, state, &known, at) != *before
        });
        if is_turned {
            return Some(next_ms);
        }
    }
    Some(moment.now_ms)
}

/// How a rule stands, as far as conditions tell: whether it would begin, whether it may keep what it holds, whether it lets
/// a visitor go at its destination.
fn standing(image: &Image, state: &VisitorState, known: &[Known], at: u16) -> u8 {
    let (rule, terms) = (image.rule(at), image.terms(at));
    if rule.status() != kind::STATUS_LIVE || !state.in_force.holds(rule.purpose()) {
        return 0;
    }
    let holds = |condition: u16| is_true(image, image.code(), known, condition);
    let is_open = !is_outside(image, known, terms)
        && suppression_of(image, known, terms).is_none()
        && !is_over(image, known, terms);
    let is_triggered =
        image.timer(at).is_some_and(|timer| timer.is_triggered() && !timers::waits_for_place(state, timer));
    let begins = is_open && !is_triggered && holds(rule.when());
    let mut held = state.held.iter().chain(state.pages.iter().flat_map(|page| &page.held));
    let keeps = is_open && held.any(|held| held.rule == rule.hash());
    let leaves = image.emit(at).is_some_and(|emit| {
        let is_member = matches!(state.body(emit.hash()), Some(CellBody::Member(member)) if member.is_member);
        is_member && emit.has_exit() && holds(emit.exit_when())
    });
    u8::from(begins) | u8::from(keeps) << 1 | u8::from(leaves) << 2
}

/// A moment from which on time passes.
struct Turning<'a> {
    view: View<'a>,
    image: &'a Image,
    known: &'a [Known],
    last_ms: i64,
}

impl Turning<'_> {
    /// The first time at which a test may come out otherwise, and whether only clocks say so.
    fn next(&self) -> Option<(i64, bool)> {
        let mut next: Option<(i64, bool)> = None;
        for leaf in self.image.watched() {
            let fact = self.image.fact(leaf.fact());
            let [first, second] = self.of_number(fact, leaf);
            let all = [
                (first, false),
                (second, false),
                (self.of_clock(fact, leaf), true),
                (self.stale(fact, PARTS_DEPTH), false),
            ];
            for (turn_ms, is_by_clock) in all {
                let turn_ms = turn_ms.filter(|turn_ms| *turn_ms > self.view.now_ms);
                if let Some(turn) = turn_ms.map(|turn_ms| (turn_ms, is_by_clock)) {
                    next = Some(next.map_or(turn, |next| next.min(turn)));
                }
            }
        }
        next
    }

    /// When a number that time moves enters and leaves the range of a test.
    fn of_number(&self, fact: FactRow, leaf: LeafRow) -> [Option<i64>; 2] {
        if leaf.test() != kind::TEST_RANGE {
            return [None; 2];
        }
        let metric = self.image.metric(fact.index());
        if fact.source() == kind::SOURCE_METRIC && metric.kind() == kind::METRIC_SCORE {
            let Some(reading) = self.view.reading(metric, View::UNKNOWN) else { return [None; 2] };
            let fades = fades_in_ms(&reading, leaf.low(), leaf.high());
            return fades.map(|after_ms| self.view.now_ms.checked_add(after_ms?));
        }
        match self.speed_of(fact) {
            0 => [None; 2],
            speed => self.crossings(known_at(self.known, leaf.fact()), leaf, speed),
        }
    }

    /// By how much a fact grows in a millisecond.
    fn speed_of(&self, fact: FactRow) -> i64 {
        let of = |at: u16| {
            let term = self.image.fact(at);
            i64::from(term.source() != kind::SOURCE_DIFFERENCE).wrapping_mul(self.speed(term))
        };
        match fact.source() {
            kind::SOURCE_DIFFERENCE => of(fact.index()).wrapping_sub(of(fact.second())),
            _ => self.speed(fact),
        }
    }

    fn speed(&self, fact: FactRow) -> i64 {
        let is_now = fact.source() == kind::SOURCE_BUILTIN && fact.index() == Builtin::Now as u16;
        let is_since = fact.source() == kind::SOURCE_METRIC
            && self.image.metric(fact.index()).kind() == kind::METRIC_SINCE;
        (is_now || is_since).into()
    }

    /// When a number that moves evenly enters the range of a test, and when it leaves it. Of a lower bound, which is not
    /// exact, its greatest value counts.
    fn crossings(&self, known: Known, leaf: LeafRow, speed: i64) -> [Option<i64>; 2] {
        let now_ms = self.view.now_ms;
        let value = if known.high == i64::MAX { known.low } else { known.high };
        if value == MISSING {
            return [None; 2];
        }
        let is_rising = speed > 0;
        let edges = edges(leaf.low(), leaf.high(), is_rising);
        edges.map(|edge| {
            let ahead = if is_rising { edge.checked_sub(value) } else { value.checked_sub(edge) };
            ahead.filter(|ahead| *ahead > 0).and_then(|ahead| now_ms.checked_add(ahead))
        })
    }

    /// When the clock that a fact shows reaches an edge of the test, or is put forward or back. Behind a stretch after the
    /// visitor's last event, clocks change nothing any more.
    fn of_clock(&self, fact: FactRow, leaf: LeafRow) -> Option<i64> {
        let number = if fact.source() == kind::SOURCE_CLOCK {
            Some(fact.column())
        } else {
            u8::try_from(fact.index()).ok()
        };
        let builtin = Builtin::from_number(number?)?;
        let zone = match (fact.source(), builtin) {
            (kind::SOURCE_CLOCK, _) => Some(self.image.named_zone(fact.index())),
            (_, Builtin::TimeOfDay | Builtin::Weekday) => Some(self.image.zone()),
            (_, Builtin::VisitorTimeOfDay | Builtin::VisitorWeekday) => None,
            _ => return None,
        };
        let now_ms = self.view.now_ms;
        let local = match zone {
            Some(zone) => zone.local(now_ms),
            None => self.view.visitor_local()?,
        };
        let minutes = match builtin {
            Builtin::TimeOfDay | Builtin::VisitorTimeOfDay => minutes_to_edge(local, leaf),
            _ => DAY_MINUTES.wrapping_sub(local.minute),
        };
        let turn_ms = now_ms.div_euclid(MINUTE_MS).wrapping_add(minutes).wrapping_mul(MINUTE_MS);
        let change_ms = zone.and_then(|zone: Zone| zone.next_change_ms(now_ms)).unwrap_or(i64::MAX);
        let stretch_ms = if self.image.each_emit().next().is_some() { CLOCK_TOLD_MS } else { CLOCK_SHOWN_MS };
        Some(turn_ms.min(change_ms)).filter(|turn_ms| *turn_ms <= self.last_ms.wrapping_add(stretch_ms))
    }

    /// When a value that the fact is, or is made of, becomes too old to count.
    fn stale(&self, fact: FactRow, depth: u8) -> Option<i64> {
        let of = |at: u16| {
            let depth = depth.checked_sub(1)?;
            self.stale(self.image.fact(at), depth)
        };
        match fact.source() {
            kind::SOURCE_ATTRIBUTE => self.view.stale_ms(self.image.attribute(fact.index())),
            kind::SOURCE_LOOKUP | kind::SOURCE_SAME_COUNT => of(fact.second()),
            kind::SOURCE_DIFFERENCE | kind::SOURCE_SAME_TEXT => match (of(fact.index()), of(fact.second())) {
                (Some(first), Some(second)) => Some(first.min(second)),
                (first, second) => first.or(second),
            },
            _ => None,
        }
    }
}

/// Facts are made of facts that may be looked up by a third.
const PARTS_DEPTH: u8 = 3;

/// How many minutes until the clock shows the first minute of the range, or the first behind it.
fn minutes_to_edge(local: Local, leaf: LeafRow) -> i64 {
    let ahead =
        |edge: i64| match edge.clamp(0, DAY_MINUTES).wrapping_sub(local.minute).rem_euclid(DAY_MINUTES) {
            0 => DAY_MINUTES,
            ahead => ahead,
        };
    ahead(leaf.low()).min(ahead(leaf.high().saturating_add(1)))
}
