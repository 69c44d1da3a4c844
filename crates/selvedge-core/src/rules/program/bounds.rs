//! How many bytes a visitor's state takes at most: the sum of what every part of its encoding takes at most.

use super::Program;
use crate::limits::{LIST_ITEMS_MAX, PAGES_MAX, SEQUENCE_PENDING_MAX, STATE_TEXT_BYTES_MAX};
use crate::wire::program::{
    Attribute, AttributeScope, AttributeType, Cap, Fact, Hold, Metric, Parts, Rule, Scope, Shape, Timing,
    ValueCap, WOKEN, Window,
};
use crate::wire::state::{CART_BYTES_MAX, cell_bytes_max, page_cell_bytes_max};

/// A time, as its distance from birth: 48 bits and the sign.
const TIME_BYTES: usize = 8;
const HASH_BYTES: usize = 8;
/// A count or length in two bytes reaches 16,383.
const COUNT_BYTES: usize = 2;
/// A number of 64 bits, seven to a byte.
const NUMBER_BYTES: usize = 10;
/// A tag and the longest value: a text with its length.
const STORED_BYTES: usize = 2 + STATE_TEXT_BYTES_MAX;
/// A built-in fact: its number and its value.
const FACT_BYTES: usize = 1 + STORED_BYTES;
/// Facts of a page view.
const PAGE_FACTS: usize = 4;
/// Texts that are kept with the session: its entry page, campaign and referrer; the latest device, language and country.
const SESSION_TEXTS: usize = 10;
/// Version, publish number, layout, birth, newest time, purposes, and the counts of pages, held and cells.
const HEAD_BYTES: usize = 1 + 10 + HASH_BYTES + TIME_BYTES + (1 + TIME_BYTES) + 3 + 3 * COUNT_BYTES;
/// Two numbers, six times, three flags, the count of facts, the facts: texts, the width of the viewport and
/// the clock.
const SESSION_BYTES: usize = 2 * 5
    + 4 * TIME_BYTES
    + 2 * (1 + TIME_BYTES)
    + 3
    + 1
    + SESSION_TEXTS * FACT_BYTES
    + 2 * (1 + 1 + NUMBER_BYTES);
/// Slot, rule and time of a hold.
const HELD_BYTES: usize = 2 * HASH_BYTES + 1 + TIME_BYTES;
/// A lease: number, granted, left, expiry.
const LEASE_BYTES: usize = 5 + 3 + 3 + TIME_BYTES;

/// A rule's timer; what it told a destination takes a byte more.
const TIMER_BYTES: usize = HASH_BYTES + 1 + 1 + TIME_BYTES;
/// Since when, place and knowledge, start, completion; the events that wait: the first with its time, the others with the
/// distance to the one before.
const SEQUENCE_BYTES: usize = HASH_BYTES
    + 1
    + TIME_BYTES
    + 1
    + TIME_BYTES
    + (1 + TIME_BYTES)
    + 1
    + TIME_BYTES
    + SEQUENCE_PENDING_MAX * (1 + 2);

impl Program {
    /// Bytes that a visitor's state takes at most under this program, without cap history. The compiler refuses above
    /// [`crate::limits::STATE_BYTES_MAX`].
    #[must_use]
    pub fn state_bytes_max(&self) -> usize {
        let metrics = self.parts().metrics.iter().filter(|metric| metric.scope != Scope::Account);
        let metrics: usize = metrics.map(cell_bytes_max).sum();
        let attributes = self.parts().attributes.iter();
        let attributes = attributes.filter(|attribute| attribute.scope != AttributeScope::Account);
        let attributes: usize = attributes.map(attribute_bytes).sum();
        let sequences = self.parts().sequences.len().saturating_mul(SEQUENCE_BYTES);
        let held = self.held_bytes(|rule| rule.hold != Hold::Page);
        let pages = self.page_bytes().saturating_mul(PAGES_MAX);
        let timed = self.parts().rules.iter().filter(|rule| rule.timing != Timing::default());
        let timers = timed.count().saturating_add(self.is_cell(WOKEN).into()).saturating_mul(TIMER_BYTES);
        let emits = self.parts().rules.iter().filter(|rule| rule.emit.is_some()).count();
        let members = emits.saturating_mul(TIMER_BYTES + 1);
        let experiments = self.parts().deciding.experiments.len().saturating_mul(HASH_BYTES + 1 + HASH_BYTES);
        let user = if self.parts().names_users() { HASH_BYTES + 1 + TIME_BYTES + STORED_BYTES } else { 0 };
        let cart = if self.parts().cart.is_empty() { 0 } else { CART_BYTES_MAX };
        let kept = [cart, pages, held, metrics, sequences, timers, members, attributes, experiments, user];
        let parts = [HEAD_BYTES, SESSION_BYTES].into_iter().chain(kept);
        parts.fold(0, usize::saturating_add)
    }

    /// Bytes that a visitor's cap history takes at most under this program. The compiler refuses above
    /// [`crate::limits::CAP_BYTES_MAX`].
    #[must_use]
    pub fn cap_bytes_max(&self) -> usize {
        let capped = self.capped().filter(|caps| caps.iter().any(|cap| cap.window != Window::Page));
        let per_value = self.parts().rules.iter().filter_map(|rule| rule.terms.per_value);
        let values = |cap: ValueCap| usize::from(cap.values_max).saturating_mul(HASH_BYTES + 3);
        let per_value = per_value.map(|cap| values(cap).saturating_add(HASH_BYTES + 1 + 1));
        capped.map(cap_bytes).chain(per_value).fold(0, usize::saturating_add)
    }

    /// Bytes that one metric takes of them at most, open page views included.
    #[must_use]
    pub fn metric_bytes_max(metric: &Metric) -> usize {
        cell_bytes_max(metric).saturating_add(page_cell_bytes_max(metric).saturating_mul(PAGES_MAX))
    }

    fn page_bytes(&self) -> usize {
        let metrics: usize = self.parts().metrics.iter().map(page_cell_bytes_max).sum();
        let capped = self.capped().count();
        let held = self.held_bytes(|rule| rule.hold == Hold::Page);
        let head = HASH_BYTES + 2 * TIME_BYTES + 1 + 1 + PAGE_FACTS * FACT_BYTES + 3 * COUNT_BYTES;
        head.saturating_add(metrics)
            .saturating_add(capped.saturating_mul(HASH_BYTES + 3))
            .saturating_add(held)
    }

    /// The caps of everything that is capped.
    fn capped(&self) -> impl Iterator<Item = &[Cap]> {
        let Parts { rules, groups, slots, deciding, .. } = self.parts();
        let dismissals = rules.iter().map(|rule| rule.terms.dismissals.as_slice());
        let rules = rules.iter().map(|rule| rule.caps.as_slice());
        let groups = groups.iter().map(|group| group.caps.as_slice());
        let slots = slots.iter().map(|slot| slot.caps.as_slice());
        let all = rules.chain(dismissals).chain(groups).chain(slots).chain([deciding.caps.as_slice()]);
        all.filter(|caps| !caps.is_empty())
    }

    /// Bytes of the slots that have a rule which is held in this way, with the values that its content reads.
    fn held_bytes(&self, is_held: fn(&Rule) -> bool) -> usize {
        let rules = &self.parts().rules;
        let of_slot = |slot: u16| {
            let held = rules.iter().filter(move |rule| rule.slot == slot && is_held(rule));
            held.map(|rule| HELD_BYTES.saturating_add(self.fixed_bytes(rule))).max().unwrap_or(0)
        };
        (0u16..).take(self.parts().slots.len()).map(of_slot).fold(0, usize::saturating_add)
    }

    /// Bytes of the values that stay as they were when the rule won, whatever it shows.
    fn fixed_bytes(&self, rule: &Rule) -> usize {
        let fallback = self.parts().slots.get(usize::from(rule.slot)).and_then(|slot| slot.fallback);
        let of_trial = rule.terms.trial.iter().flat_map(|trial| trial.contents.iter().flatten().copied());
        let shown = of_trial.chain(fallback).chain([rule.content]);
        shown.map(|content| self.values_bytes(content)).max().unwrap_or(0)
    }

    fn values_bytes(&self, content: u16) -> usize {
        let parts = self.parts();
        let value_bytes = |at: &u16| match parts.values.get(usize::from(*at)) {
            Some(Fact { shape: Shape::OneOf(_), .. }) => STORED_BYTES,
            _ => 1 + NUMBER_BYTES,
        };
        match parts.templates.iter().find(|template| template.content == content) {
            Some(template) if !template.reads.is_empty() => {
                template.reads.iter().map(value_bytes).fold(HASH_BYTES + 1, usize::saturating_add)
            }
            _ => 0,
        }
    }
}

fn attribute_bytes(attribute: &Attribute) -> usize {
    let value = match attribute.attribute_type {
        AttributeType::Text => STORED_BYTES,
        AttributeType::Number | AttributeType::Bool | AttributeType::Time => 1 + 10,
        AttributeType::List => 2 + (LIST_ITEMS_MAX + 1) * (STATE_TEXT_BYTES_MAX + 1),
    };
    (HASH_BYTES + 1 + TIME_BYTES).saturating_add(value)
}

fn cap_bytes(caps: &[Cap]) -> usize {
    let kept = caps.iter().map(|cap| usize::from(cap.limit)).max().unwrap_or(0);
    (HASH_BYTES + 1 + 1 + 2 * LEASE_BYTES).saturating_add(kept.saturating_mul(TIME_BYTES))
}
