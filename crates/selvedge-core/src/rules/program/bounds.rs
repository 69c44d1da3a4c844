//! How many bytes a visitor's state takes at most: the sum of what every part of its encoding takes at most.

use super::Program;
use crate::limits::{LIST_BYTES_MAX, LIST_ITEMS_MAX, PAGES_MAX, SEQUENCE_PENDING_MAX, STATE_TEXT_BYTES_MAX};
use crate::wire::program::{
    Attribute, AttributeScope, AttributeType, Builtin, Cap, Fact, Hold, Metric, Parts, Rule, Scope, Shape,
    Timing, ValueCap, WOKEN, Window, attribute_hash,
};
use crate::wire::state::{CART_BYTES_MAX, cell_bytes_max, name_bytes, page_cell_bytes_max};
use alloc::vec::Vec;

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
/// A built-in fact that is a number.
const FACT_NUMBER_BYTES: usize = 1 + 1 + NUMBER_BYTES;
/// Facts of a page view.
const OF_PAGE: [Builtin; 4] =
    [Builtin::PagePath, Builtin::PageTitle, Builtin::PageCategory, Builtin::PageSku];
/// Facts that are kept with the session: how it began, and what the latest context said.
const OF_SESSION: [Builtin; 7] = [
    Builtin::SessionEntryPage,
    Builtin::ReferrerClass,
    Builtin::DeviceClass,
    Builtin::Language,
    Builtin::GeoCountry,
    Builtin::ViewportWidth,
    Builtin::UtcOffset,
];
/// Of its campaign at least a mark is kept, to tell it from another.
const CAMPAIGN: [Builtin; 5] =
    [Builtin::UtmSource, Builtin::UtmMedium, Builtin::UtmCampaign, Builtin::UtmTerm, Builtin::UtmContent];
/// Version, publish number, layout, birth, newest time, purposes, and the counts of pages, held and cells.
const HEAD_BYTES: usize = 1 + 10 + HASH_BYTES + TIME_BYTES + (1 + TIME_BYTES) + 3 + 3 * COUNT_BYTES;
/// Two numbers, six times, three flags, the count of facts.
const SESSION_BYTES: usize = 2 * 5 + 4 * TIME_BYTES + 2 * (1 + TIME_BYTES) + 3 + 1;
/// Slot, rule and time of a hold.
const HELD_BYTES: usize = 2 * HASH_BYTES + 1 + TIME_BYTES;
/// A lease: number, granted, left, expiry.
const LEASE_BYTES: usize = 5 + 3 + 3 + TIME_BYTES;

/// A rule's timer; what it told a destination takes a byte more.
const TIMER_BYTES: usize = HASH_BYTES + 1 + 1 + TIME_BYTES;
/// Besides its name: since when, place and knowledge, start, completion; the events that wait: the first with its time, the
/// others with the distance to the one before.
const SEQUENCE_BYTES: usize =
    1 + TIME_BYTES + 1 + TIME_BYTES + (1 + TIME_BYTES) + 1 + TIME_BYTES + SEQUENCE_PENDING_MAX * (1 + 2);

impl Program {
    /// Bytes that a visitor's state takes at most under this program, without cap history. The compiler refuses above
    /// [`crate::limits::STATE_BYTES_MAX`].
    #[must_use]
    pub fn state_bytes_max(&self) -> usize {
        self.state_bound().into_iter().map(|(_, bytes)| bytes).fold(0, usize::saturating_add)
    }

    /// What those bytes are for, and how many each takes; what takes none is left out.
    #[must_use]
    pub fn state_bound(&self) -> Vec<(&'static str, usize)> {
        let metrics = self.parts().metrics.iter().filter(|metric| metric.scope != Scope::Account);
        let metrics: usize = metrics.map(cell_bytes_max).sum();
        let attributes = self.parts().attributes.iter();
        let attributes = attributes.filter(|attribute| attribute.scope != AttributeScope::Account);
        let attributes: usize = attributes.map(attribute_bytes).sum();
        let sequences = self.parts().sequences.iter();
        let sequences: usize =
            sequences.map(|sequence| name_bytes(sequence.meaning).saturating_add(SEQUENCE_BYTES)).sum();
        let held = self.held_bytes(|rule| rule.hold != Hold::Page);
        let pages = self.page_bytes().saturating_mul(PAGES_MAX);
        let timed = self.rules().iter().filter(|rule| rule.timing != Timing::default());
        let timers = timed.count().saturating_add(self.is_cell(WOKEN).into()).saturating_mul(TIMER_BYTES);
        let emits = self.rules().iter().filter(|rule| rule.emit.is_some()).count();
        let members = emits.saturating_mul(TIMER_BYTES + 1);
        let experiments = self.parts().deciding.experiments.len().saturating_mul(HASH_BYTES + 1 + HASH_BYTES);
        let user = if self.parts().names_users() { HASH_BYTES + 1 + TIME_BYTES + STORED_BYTES } else { 0 };
        let cart = if self.parts().cart.is_empty() { 0 } else { CART_BYTES_MAX };
        let mut bound = Vec::from([
            ("session", HEAD_BYTES.saturating_add(SESSION_BYTES).saturating_add(self.session_facts_bytes())),
            ("page views", pages),
            ("held rules", held),
            ("metrics", metrics),
            ("sequences", sequences),
            ("attributes", attributes),
            ("cart", cart),
            ("timers", timers),
            ("messages", members),
            ("experiments", experiments.saturating_add(user)),
        ]);
        bound.retain(|(_, bytes)| *bytes > 0);
        bound
    }

    /// Bytes of the built-in facts that are kept with the session: those that the program reads.
    fn session_facts_bytes(&self) -> usize {
        let of_campaign = CAMPAIGN.map(|fact| self.fact_bytes(fact).max(FACT_NUMBER_BYTES));
        of_campaign.into_iter().chain(OF_SESSION.map(|fact| self.fact_bytes(fact))).sum()
    }

    fn fact_bytes(&self, fact: Builtin) -> usize {
        match fact.kind() {
            _ if !self.index().reads(fact) => 0,
            AttributeType::Text => FACT_BYTES,
            _ => FACT_NUMBER_BYTES,
        }
    }

    /// Bytes that a visitor's cap history takes at most under this program. The compiler refuses above
    /// [`crate::limits::CAP_BYTES_MAX`].
    #[must_use]
    pub fn cap_bytes_max(&self) -> usize {
        let capped = self.capped().filter(|caps| caps.iter().any(|cap| cap.window != Window::Page));
        let per_value = self.rules().iter().filter_map(|rule| rule.terms.per_value);
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
        let head = HASH_BYTES + 2 * TIME_BYTES + 1 + 1 + 3 * COUNT_BYTES;
        let facts: usize = OF_PAGE.map(|fact| self.fact_bytes(fact)).into_iter().sum();
        head.saturating_add(facts)
            .saturating_add(metrics)
            .saturating_add(capped.saturating_mul(HASH_BYTES + 3))
            .saturating_add(held)
    }

    /// The caps of everything that is capped.
    fn capped(&self) -> impl Iterator<Item = &[Cap]> {
        let Parts { groups, slots, deciding, .. } = self.parts();
        let rules = self.rules();
        let dismissals = rules.iter().map(|rule| rule.terms.dismissals.as_slice());
        let rules = rules.iter().map(|rule| rule.caps.as_slice());
        let groups = groups.iter().map(|group| group.caps.as_slice());
        let slots = slots.iter().map(|slot| slot.caps.as_slice());
        let all = rules.chain(dismissals).chain(groups).chain(slots).chain([deciding.caps.as_slice()]);
        all.filter(|caps| !caps.is_empty())
    }

    /// Bytes of the slots that have a rule which is held in this way, with the values that its content reads.
    fn held_bytes(&self, is_held: fn(&Rule) -> bool) -> usize {
        let rules = self.rules();
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
        // Texts, each with its length; the mark behind them.
        AttributeType::List => 2 + LIST_BYTES_MAX + LIST_ITEMS_MAX + 4,
    };
    name_bytes(attribute_hash(attribute)).saturating_add(1 + TIME_BYTES).saturating_add(value)
}

fn cap_bytes(caps: &[Cap]) -> usize {
    let kept = caps.iter().map(|cap| usize::from(cap.limit)).max().unwrap_or(0);
    (HASH_BYTES + 1 + 1 + 2 * LEASE_BYTES).saturating_add(kept.saturating_mul(TIME_BYTES))
}
