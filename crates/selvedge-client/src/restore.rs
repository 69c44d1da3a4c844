//! What the device held comes back: at boot the small records, later the queues of pages that are gone.

use crate::capture::GATHER_MS;
use crate::client::Client;
use crate::effect::{Effect, Notice};
use crate::input::{Boot, Random, Settings};
use crate::lane::{Lane, Restored};
use crate::stored::{
    CONSENT, LEASES, PAUSED, PROGRAM, STATE, VISITOR, read_consent, read_paused, read_program, read_visitor,
};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Snapshot};
use selvedge_core::id::VisitorId;
use selvedge_core::limits::EXEMPT_VISITOR_MS_MAX;

/// A skew below this is the network's, not the clock's.
const SKEW_MS_MIN: u64 = 1_000;

impl Client {
    /// The page begins. Where the device holds no consent, nothing else that it holds is read.
    pub(crate) fn boot(&mut self, boot: Boot) {
        self.write_key = boot.write_key;
        self.random = boot.random;
        self.parameters = boot.parameters;
        self.context = boot.context;
        self.mind.forget(self.now_ms);
        let find =
            |key: &str| boot.stored.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_slice());
        let (consent, voices) = find(CONSENT).and_then(read_consent).unwrap_or_default();
        self.consent = Snapshot { gpc: boot.gpc, ..consent };
        self.voices = voices;
        if !self.is_open() {
            return;
        }
        if let Some((visitor, skew_ms, minted_ms, holder)) = find(VISITOR).and_then(read_visitor) {
            self.visitor = Some(visitor);
            self.skew_ms = skew_ms;
            self.minted_ms = minted_ms;
            self.tag(holder);
            // Of two tabs that mint at once, one stores the visitor that stays, and the other perhaps the last state.
            match find(STATE).filter(|record| record.starts_with(&visitor.0)) {
                Some(record) => {
                    self.mind.rebase(record.into());
                }
                None => self.mind.blind(),
            }
        }
        if let Some((hash, publish, bytes)) = find(PROGRAM).and_then(read_program) {
            self.mind.load(hash, publish, bytes.into());
        }
        self.effects.emit(Notice::Consent(self.consent.in_force()));
        self.call_engine();
        if let Some(leases) = find(LEASES) {
            self.mind.share_leases(leases);
        }
        if let Some(paused) = find(PAUSED) {
            self.paused = read_paused(paused);
            self.bar(None);
        }
    }

    /// The site's config came, or cannot be had.
    pub(crate) fn settle(&mut self, settings: Option<Settings>) {
        self.is_settled = true;
        if let Some(settings) = settings {
            let Settings { policy_version, clock_ms, program, publish, sources, .. } = settings;
            let paused = settings.paused.clone();
            self.settings = settings;
            self.voices.expect(sources);
            self.change_mode(policy_version);
            self.forget_elsewhere();
            self.age();
            // Only now it is known whether the visitor's answer counts, and the device may hold something.
            self.stop(paused);
            self.measure_skew(clock_ms);
            if let Some(hash) = program {
                self.want_program(hash, publish);
            }
        }
        self.release_held();
    }

    /// Under the exemption from consent, and where a cookie holds it, an identity ends after [`EXEMPT_VISITOR_MS_MAX`]; nothing renews it.
    fn age(&mut self) {
        let age_ms = self.now_ms.saturating_sub(self.minted_ms);
        let is_bounded = self.settings.mode == Mode::Exempt || self.settings.recalls;
        if is_bounded && self.visitor.is_some() && age_ms > EXEMPT_VISITOR_MS_MAX {
            self.reset(self.random);
        }
    }

    /// A writer's skew is fixed: a new measurement is for the next one.
    fn measure_skew(&mut self, clock_ms: u64) {
        let is_noise = clock_ms == 0 || clock_ms.abs_diff(self.now_ms) < SKEW_MS_MIN;
        let skew_ms = if is_noise { 0 } else { clock_ms.wrapping_sub(self.now_ms).cast_signed() };
        if skew_ms == self.skew_ms {
            return;
        }
        self.skew_ms = skew_ms;
        if self.is_open() {
            self.store_visitor();
        }
    }

    /// Sends the queues of pages that are gone, from now on; before this page's own.
    #[inline(never)]
    pub(crate) fn later_adopt(&mut self, records: &[(String, Vec<u8>)]) {
        if !self.is_open() {
            return;
        }
        if let Some(own) = self.lanes.of(self.lanes.own_writer()) {
            // While this page held no lock, another may have sent its queue and erased the head of it.
            own.stored = false;
        }
        if self.delivery.failures == 0 {
            self.delivery.retry_ms = self.delivery.retry_ms.min(self.now_ms.saturating_add(GATHER_MS));
        }
        let Restored { mut lanes, lost, homeless } = Lane::restore(records, &mut self.effects);
        for lane in &mut lanes {
            lane.purge(self.mind.plan(), &self.consent, &mut self.effects);
            for queued in &mut lane.events {
                queued.applies = self.mind.judge(&queued.event).is_none();
            }
        }
        for lane in lanes {
            self.lanes.add(lane);
        }
        self.untold = self.untold.saturating_add(homeless);
        self.lose(lost);
        self.report_losses();
        self.lanes.sweep(&mut self.effects);
        self.make_room();
        self.replay();
    }

    /// Another tab stored or erased something that this one shares with it.
    pub(crate) fn follow(&mut self, key: &str, value: Option<&[u8]>, random: Random) {
        match (key, value) {
            (CONSENT, value) => self.follow_consent(value, random),
            (VISITOR, value) => self.follow_visitor(value.and_then(read_visitor), random),
            (LEASES, Some(value)) => self.follow_leases(value),
            (PAUSED, Some(value)) => self.follow_paused(value),
            _ => {}
        }
    }

    /// Another tab minted the visitor, or forgot it (a logout), or the hands know one from elsewhere: this page is of the same,
    /// and stores nothing of the one before.
    fn follow_visitor(&mut self, next: Option<(VisitorId, i64, u64, u32)>, random: Random) {
        self.is_recalled = true;
        let visitor = next.map(|(visitor, ..)| visitor);
        let holder = next.map_or(0, |(.., holder)| holder);
        if visitor == self.visitor {
            if holder != 0 {
                self.holder = holder;
            }
            return self.release_held();
        }
        self.part(random);
        if let Some((visitor, _, minted_ms, _)) = next {
            self.visitor = Some(visitor);
            self.minted_ms = minted_ms;
            self.tag(holder);
            self.mind.blind();
        }
        self.release_held();
        self.replay();
    }

    /// Forgets the alarm that rang.
    pub(crate) fn tick(&mut self) {
        self.delivery.tick_ms = None;
        self.decide();
    }

    /// Everything that has to be done, in order.
    pub(crate) fn take_effects(&mut self) -> Vec<Effect> {
        self.effects.take()
    }
}
