//! What is seen in pages (slots.ts), and whether that may have been: the caps of the rules that were shown.

use crate::sites;
use crate::truth::Exposure;
use crate::world::{Happening, Shard, World};
use selvedge_client::{Input, Show};
use selvedge_core::consent::Purposes;
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::VisitorId;
use selvedge_core::limits::LEASE_MS;
use selvedge_core::wire::answer::Reason;

/// Pages without an engine are told apart from those with one by numbers from here on.
pub const HANDS: usize = 1_000_000;
/// How long half of a slot must be visible to count as seen.
const SEEN_MS: u64 = 1_000;
/// How much clocks that were measured over a slow network may be wrong.
pub const SLACK_MS: u64 = 10_000;

impl World<'_> {
    /// What is visible is looked at again.
    pub fn look_again(&mut self, tab: usize) {
        let slots: Vec<String> = self.tabs[tab].shown.keys().cloned().collect();
        slots.into_iter().for_each(|slot| self.watch(tab, slot));
    }

    /// A slot comes into view, or does not.
    pub(crate) fn watch(&mut self, tab: usize, slot: String) {
        let page = &mut self.tabs[tab];
        let generation = page.looks.entry(slot.clone()).or_default();
        *generation += 1;
        let generation = *generation;
        let is_recorded = page.shown.get(&slot).is_some_and(Show::is_recorded);
        if is_recorded && (self.random.chance(800) || self.is_ending) {
            self.after(1, Happening::Look(tab, slot.clone(), generation));
            self.after(SEEN_MS, Happening::Seen(tab, slot, generation));
        }
    }

    /// A slot comes into view: as `alone` in locks.ts, no other tab is told of one meanwhile.
    pub fn look(&mut self, tab: usize, slot: &str, generation: u64) {
        let page = &mut self.tabs[tab];
        let is_last = page.looks.get(slot) == Some(&generation);
        if page.is_hidden && is_last {
            // Its second begins when the page is back, as in slots.ts.
            page.looks.insert(slot.to_owned(), generation + 1);
        } else if page.is_alive && is_last {
            let leases = self.devices[page.device].read("leases").cloned().unwrap_or_default();
            self.tell(tab, Input::InView { slot: slot.to_owned(), leases });
        }
    }

    /// A slot was seen.
    pub fn seen(&mut self, tab: usize, slot: &str, generation: u64) {
        let page = &self.tabs[tab];
        if !page.is_alive || page.is_hidden || page.looks.get(slot) != Some(&generation) {
            return;
        }
        let (show, visitor) = (page.shown.get(slot).cloned(), page.visitor);
        let time_ms = self.device_ms(tab);
        self.tabs[tab].is_ungranted = false;
        self.tell(tab, Input::Seen { slot: slot.to_owned(), time_ms });
        self.expose(tab, visitor, show.as_ref());
    }

    /// Something was seen. A page that lost its rule engine cannot take grants, and says so of each exposure: those alone do
    /// not count.
    fn expose(&mut self, tab: usize, visitor: Option<VisitorId>, show: Option<&Show>) {
        let Some(show) = show.filter(|show| show.reason != Reason::Control) else { return };
        let (Some(rule), Some(visitor)) = (&show.rule, visitor) else { return };
        let is_first = self.tabs[tab].seen.insert(fnv1a_64(format!("{}/{rule}", show.slot).as_bytes()));
        let is_ungranted = self.tabs[tab].has_lost_engine && self.tabs[tab].is_ungranted;
        if !is_first || is_ungranted {
            return;
        }
        let device = self.tabs[tab].device;
        self.witness((device, tab), visitor, rule);
    }

    /// A rule was seen, in a page of a device.
    pub(crate) fn witness(&mut self, (device, tab): (usize, usize), visitor: VisitorId, rule: &str) {
        let programs = &self.files[self.devices[device].site].programs;
        let all: Vec<_> = programs.iter().map(|program| sites::capped(&program.parts, rule)).collect();
        let knows = |cap: &(String, u16, u64)| all.iter().all(|caps| caps.is_empty() || caps.contains(cap));
        let caps: Vec<_> = all.iter().find(|caps| !caps.is_empty()).into_iter().flatten().cloned().collect();
        let caps = caps.into_iter().filter(knows).collect();
        let (own_since_ms, all_since_ms) = self.remembered_since(visitor);
        // What the edge granted by itself it forgets with a withdrawal, as what devices held.
        let is_forgotten = self.dials.is_plain && self.devices[device].is_withdrawn;
        let all_since_ms = all_since_ms.filter(|_| !is_forgotten);
        let (is_plain, at_ms) = (tab >= HANDS, self.now_ms);
        let is_of_all = all_since_ms.is_some_and(|since_ms| since_ms <= at_ms);
        let (holder, rule) = (if is_plain { tab } else { device }, rule.to_owned());
        let exposure = Exposure { at_ms, rule, device: holder, own_since_ms, all_since_ms, tab, caps };
        // Caps count in corrected time: a clock that jumps, or that nobody could measure yet, is no witness; nor is a device that
        // keeps nothing, or not all.
        let is_counted = !self.dials.wrong_clocks
            && !self.dials.has_jumps
            && !self.dials.quota
            && !self.dials.clock_jumps
            && self.devices[device].stored.is_some()
            && (is_of_all || !is_plain);
        let found = self.truth.expose(visitor, exposure, SLACK_MS).filter(|_| is_counted);
        if let Some(violation) = found {
            self.fail(violation.invariant, violation.detail);
        }
    }

    /// From when on the edge remembers what a visitor was shown, and from when on no other device holds grants that it forgot. Who
    /// takes personalization back is forgotten: whoever comes then gets grants that a device which has not heard of it may hold
    /// still, until they are over.
    fn remembered_since(&self, visitor: VisitorId) -> (u64, Option<u64>) {
        let of_shard = |shard: &Shard| {
            let now = shard.consents.get(&visitor).and_then(|changes| changes.last());
            let is_granted = now.is_none_or(|(_, in_force)| in_force.holds(Purposes::PERSONALIZATION));
            let since_ms = shard.renewed.get(&visitor).copied().unwrap_or(0);
            let is_apart = !is_granted || shard.erased.contains_key(&visitor);
            let over_ms = if since_ms == 0 { 0 } else { since_ms.saturating_add_signed(LEASE_MS) };
            (since_ms, (!is_apart).then_some(over_ms))
        };
        let each: Vec<(u64, Option<u64>)> = self.shards.iter().map(of_shard).collect();
        let own_ms = each.iter().map(|(since_ms, _)| *since_ms).max().unwrap_or(0);
        let all_ms = each.iter().map(|(_, over_ms)| *over_ms).collect::<Option<Vec<u64>>>();
        (own_ms, all_ms.map(|all_ms| all_ms.into_iter().max().unwrap_or(0)))
    }
}
