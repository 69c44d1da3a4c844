//! The edge, asked: a server's question and a page's JSON come to an isolate and go to the visitor's shard, as
//! `worker/src/routes/decide.rs` and `Shard::decide` do it.

use crate::shard::Write;
use crate::world::World;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::hash::fnv1a_64;
use selvedge_core::id::VisitorId;
use selvedge_core::rules::{self, Image, Moment, Place};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::wire::state::VisitorState;
use selvedge_core::wire::stored::VisitorRecord;
use selvedge_edge::decide::{self, Known, Question};
use selvedge_edge::erasure::Tombstone;
use selvedge_edge::gate::Gate;
use selvedge_edge::site::Site;
use serde_json::Value;
use std::rc::Rc;

impl World<'_> {
    /// A server asks for a page that it renders.
    pub fn ask(&mut self, hand: usize) {
        let page = &self.hands[hand];
        let device = &self.devices[page.device];
        let Some(said) = self.said_on(page.device).filter(|_| !page.is_gone) else { return };
        let text = page.question(&said, device.country);
        let site = device.site;
        let question = match Question::read(text.as_bytes()) {
            Ok(question) => question,
            Err(fault) => return self.fail("a question can be read", format!("{fault}: {text}")),
        };
        let isolate = usize::try_from(self.plain.below(self.isolates.len() as u64)).unwrap_or(0);
        let known = self.isolates[isolate].site(&mut self.registry, self.files, (site, 0), self.now_ms);
        let Ok(known) = known else { return };
        let at = self.shard_of(site, question.whose.visitor(known.name()));
        let answer = self.decide_in(at, &known, &question);
        let answer = answer.unwrap_or_else(|| decide::fallback(&known, &question, self.now_ms));
        self.say(format_args!("shard {at} answers hand {hand}: {answer}"));
        self.answer_hand(hand, (None, 0), 200, answer);
        self.ask_again(hand);
    }

    /// As `Shard::decide`, in one transaction; `None` where nobody answers, or the storage fails.
    fn decide_in(&mut self, at: usize, known: &Rc<Site>, question: &Question) -> Option<String> {
        if self.plain.chance(self.dials.evictions) {
            self.restart(at);
        }
        let visitor = question.whose.visitor(known.name());
        let stored = self.shards[at].tables.record(visitor);
        let publish = stored.as_ref().map_or(0, |record| record.publish).max(known.publish);
        let shard = &mut self.shards[at];
        let site = shard.isolate.site(&mut self.registry, self.files, (shard.site, publish), self.now_ms);
        let (site, now_ms) = (site.ok()?, self.shard_ms(at));
        let ask = |is_erased| {
            let known = Known { stored: stored.as_ref(), is_erased };
            decide::answer_preview(&site, known, question, None, now_ms)
        };
        let mut answered = ask(false);
        let is_erased = self.shards[at].tables.erased.contains(&Tombstone::of(visitor));
        if answered.record.is_some() && stored.is_none() && is_erased {
            answered = ask(true);
        }
        if self.plain.chance(self.dials.storage_errors) {
            return None;
        }
        if self.plain.chance(self.dials.crashes_before) {
            self.restart(at);
            return None;
        }
        if let Some(record) = &answered.record {
            self.shards[at].tables.apply(vec![Write::Record(visitor, record.encode())]);
        }
        self.check_streams(at);
        let before = stored.as_ref().map(|record| record.consent);
        self.check_answer(at, visitor, (before, question.consent), &answered.text);
        if question.claims {
            self.check_claims((&*site, now_ms), stored.as_ref(), question, &answered.text);
        }
        if self.plain.chance(self.dials.crashes_after) {
            self.restart(at);
            return None;
        }
        Some(answered.text)
    }

    /// A batch of a page without an engine arrives.
    pub fn post_plain(&mut self, hand: usize, to: Option<(u32, u32)>, body: &str) {
        let device = self.hands[hand].device;
        let (status, text) = self.collect_plain(device, body.as_bytes());
        if let (Some((number, view)), Some(text)) = (to, text) {
            self.answer_hand(hand, (Some(number), view), status, text);
        }
    }

    /// Behind a commit: what an answer grants is held for it, and nothing is shown that the visitor does not allow: the newer
    /// counts of what was known (`before`) and what is said.
    pub(crate) fn check_answer(
        &mut self,
        at: usize,
        visitor: VisitorId,
        (before, said): (Option<Snapshot>, Option<Snapshot>),
        text: &str,
    ) {
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        let newest = match (before, said) {
            (Some(before), Some(said)) if before.time_ms <= said.time_ms => Some(said),
            (before, said) => before.or(said),
        };
        let is_allowed = newest.is_some_and(|newest| newest.in_force().holds(Purposes::PERSONALIZATION));
        let shown = of_rules(&answer);
        if !is_allowed && !shown.is_empty() {
            let detail = format!("{visitor} is shown {shown:?} under {newest:?}");
            return self.fail("nothing is shown without its purpose", detail);
        }
        let record = self.shards[at].tables.record(visitor).unwrap_or_default();
        let empty = Vec::new();
        for grant in answer["granted"].as_array().unwrap_or(&empty) {
            let rule = grant["rule"].as_str().unwrap_or_default();
            if !record.promised.iter().any(|promise| promise.rule == fnv1a_64(rule.as_bytes())) {
                self.fail("what is granted is held", format!("{visitor}: {rule} is answered as granted"));
            }
        }
    }

    /// Who renders for pages that run the engine shows what the page will: that claims where it is seen.
    fn check_claims(
        &mut self,
        (site, now_ms): (&Site, u64),
        stored: Option<&VisitorRecord>,
        question: &Question,
        text: &str,
    ) {
        let Some(record) = stored else { return };
        let Ok(mut state) = VisitorState::decode(&record.state) else { return };
        let now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
        let said: Vec<Snapshot> = question.consent.into_iter().collect();
        let gate = Gate::new(&said, Some(&record.consent), question.shown(site), self.now_ms);
        let in_force = gate.now.in_force();
        let is_due = rules::next_due(&site.program, &state, now_ms).is_some();
        let program =
            self.files.iter().flat_map(|files| &files.programs).find(|known| known.hash == site.hash);
        let Some(program) = program.filter(|_| !is_due && in_force.holds(Purposes::PERSONALIZATION)) else {
            return;
        };
        rules::lease_beside(&site.program, &mut state, now_ms, &[], &record.promised);
        let mut public = state.public(&site.program, question.writer);
        let Ok(image) = Image::open(program.public.clone()) else { return };
        let moment = Moment {
            writer: question.writer,
            context: &question.context,
            now_ms,
            in_force,
            place: Place::Page,
            trust: Trust::Client,
            account: None,
            visitor: question.whose.visitor(site.name()),
            orders: site.orders(),
        };
        let decided = rules::decide(&image, &mut public, &moment);
        let answer: Value = serde_json::from_str(text).unwrap_or_default();
        for (slot, rule) in of_rules(&answer) {
            if !program.parts.rules.iter().any(|known| known.id == rule && known.in_page) {
                continue;
            }
            let of_slot = decided.iter().find(|page| image.slot_name(page.slot) == slot);
            let in_page = of_slot.and_then(|page| page.rule).map(|at| image.rule_id(at).to_owned());
            if in_page.as_ref() != Some(&rule) {
                let detail = format!("{slot}: the server is told {rule}, the page decides {in_page:?}");
                return self.fail("page and edge decide alike", detail);
            }
        }
    }
}

/// The slots that rules of an answer show something in.
fn of_rules(answer: &Value) -> Vec<(String, String)> {
    let empty = Vec::new();
    let shown = answer["decisions"].as_array().unwrap_or(&empty).iter().filter_map(|decision| {
        let (slot, rule) = (decision["slot"].as_str()?, decision["rule"].as_str()?);
        Some((slot.to_owned(), rule.to_owned()))
    });
    shown.collect()
}
