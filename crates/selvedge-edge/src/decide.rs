//! `POST /v1/decide`: what a server asks before it renders a page. Nothing of a visitor is changed by it but the grants of what
//! is capped: they stand in its record until the exposure comes, or their time is over.

use crate::deadlines;
use crate::decision::{Decider, contents, slot_decisions};
use crate::fault::Fault;
use crate::foreign::{Whose, is_id};
use crate::gate::{Gate, Shown};
use crate::ingest::{answer_json, json, json_value};
use crate::json::JsonDecision;
use crate::leases::{Granted, Leases};
use crate::object::Object;
use crate::preview::{Preview, Refused};
use crate::reasons::{Explained, explained};
use crate::site::Site;
use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::{Purposes, Snapshot};
use selvedge_core::id::WriterId;
use selvedge_core::limits::{CONTEXT_ENTRIES_MAX, EXPERIMENTS_MAX, SLOTS_MAX};
use selvedge_core::mutation::{Mutation, is_planted};
use selvedge_core::rules::{Asker, Decision, Moment, Place, Recall};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::answer::Reason;
use selvedge_core::wire::program::Slot;
use selvedge_core::wire::promise::Promise;
use selvedge_core::wire::state::VisitorState;
use selvedge_core::wire::stored::VisitorRecord;

/// The question of `POST /v1/decide`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A browser source's key or a source's name, which an admin names the site by; a server's token needs none.
    pub write_key: String,
    /// Whose decisions.
    pub whose: Whose,
    /// Whose page view, where one is open.
    pub writer: WriterId,
    /// Facts of the moment.
    pub context: Map,
    /// The slots asked for; empty asks for all.
    pub slots: Vec<String>,
    /// Consent as the server knows it; `None` uses what is stored alone.
    pub consent: Option<Snapshot>,
    /// The visitor's country, two letters: it says what unknown consent means. The server's own country never does.
    pub country: Option<String>,
    /// Whether the visitor's browser sends Global Privacy Control.
    pub gpc: bool,
    /// A token that lets its holder see what others do not.
    pub preview: Option<String>,
    /// Variants that the token's holder asks for, as `experiment/variant`: they come before the token's own. Without a valid
    /// token they mean nothing.
    pub variants: Vec<String>,
    /// The page that shows the answer runs the rule engine, which takes the grants where something is seen: the answer takes none.
    pub claims: bool,
    /// A name for the page that is rendered: asked again under it, the answer takes no second grant.
    pub render: Option<String>,
}

impl Question {
    /// The question in `text`.
    ///
    /// # Errors
    /// [`Fault`] 400 for anything that is none, 413 above a limit.
    pub fn read(text: &[u8]) -> Result<Self, Fault> {
        let read = Object::of_bytes(text)?;
        let (slots, variants, render) = (read.texts("slots")?, read.texts("variants")?, read.text("render")?);
        if slots.len() > SLOTS_MAX {
            return Err(Fault::too_large("more slots than a site can have"));
        }
        if variants.len() > EXPERIMENTS_MAX {
            return Err(Fault::too_large("more variants than a site can have experiments"));
        }
        if render.as_ref().is_some_and(|name| !is_id(name)) {
            return Err(Fault::unreadable("render: 1 to 256 bytes"));
        }
        let context = match read.raw("context") {
            None => Map::new(),
            Some(raw) => json_value::map(raw.get(), CONTEXT_ENTRIES_MAX)
                .map_err(|code| Fault::unreadable(alloc::format!("context: {}", code.as_str())))?,
        };
        let consent = match read.raw("consent") {
            None => None,
            raw => json::snapshots(raw)?.first().copied(),
        };
        Ok(Self {
            write_key: read.string("write_key")?,
            whose: Whose::read(read.text("visitor")?.as_deref(), read.text("anonymous_id")?.as_deref())?,
            writer: read.raw("writer").map_or(Ok(WriterId::from_bits(0)), |raw| json::writer(raw.get()))?,
            context,
            slots,
            consent,
            country: read.text("country")?.map(json::country).transpose()?,
            gpc: read.flag("gpc")?,
            preview: read.text("preview")?.map(Cow::into_owned),
            variants,
            claims: read.flag("claims")?,
            render: render.map(Cow::into_owned),
        })
    }

    /// Whose page view shows the answer, as grants are held for it.
    fn holder(&self) -> u64 {
        match &self.render {
            Some(name) => Asker::rendered(name),
            None => self.writer.bits(),
        }
    }

    /// What the visitor shows, as the server passes it on. The request itself shows only where the server is.
    #[must_use]
    pub fn shown(&self, site: &Site) -> Shown {
        Shown { gpc: self.gpc, mode: site.mode_in(self.country.as_deref()) }
    }
}

#[derive(serde::Serialize)]
struct AnswerJson<'a> {
    visitor: String,
    program: String,
    publish: u64,
    server_time_ms: u64,
    decisions: Vec<JsonDecision<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    granted: Vec<Granted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Explained<'a>>,
}

/// What is answered, and what is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer, as JSON.
    pub text: String,
    /// The visitor's record to write, where the answer takes grants.
    pub record: Option<VisitorRecord>,
}

/// What is known of whoever is asked about.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What is stored of the visitor.
    pub stored: Option<&'a VisitorRecord>,
    /// The visitor was erased: nothing may be stored ever again.
    pub is_erased: bool,
}

/// The answer to a question. What would be held from now on is not stored, but for what takes a grant.
#[must_use]
pub fn answer(site: &Site, known: Known<'_>, question: &Question, now_ms: u64) -> Answered {
    answer_as(site, known, question, None, now_ms)
}

/// The answer to a question with a preview token that is, or is not, valid under this secret. A token that is not shows what
/// everybody sees, and says why. Whoever sends a token counts for nothing: no grant is taken.
#[must_use]
pub fn answer_preview(
    site: &Site,
    known: Known<'_>,
    question: &Question,
    secret: Option<&str>,
    now_ms: u64,
) -> Answered {
    let Some(token) = &question.preview else { return answer(site, known, question, now_ms) };
    let preview = Preview::verify(token, secret, site.name(), now_ms);
    let preview = preview.map(|preview| preview.asked_for(&question.variants));
    match preview.map(|preview| (preview.of(site), preview.expires_ms)) {
        Ok((Ok(shown), expires_ms)) => answer_as(&shown, known, question, Some(Ok(expires_ms)), now_ms),
        Ok((Err(_), _)) => answer_as(site, known, question, Some(Err(Refused::Unreadable)), now_ms),
        Err(refused) => answer_as(site, known, question, Some(Err(refused)), now_ms),
    }
}

fn answer_as(
    site: &Site,
    known: Known<'_>,
    question: &Question,
    preview: Option<Result<u64, Refused>>,
    now_ms: u64,
) -> Answered {
    let rule_now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let said: Vec<Snapshot> = question.consent.into_iter().collect();
    let gate = Gate::new(&said, known.stored.map(|record| &record.consent), question.shown(site), now_ms);
    let mut state = state_of(known.stored, rule_now_ms);
    let is_ungranted = is_planted(Mutation::AskedUngranted);
    let in_force = if is_ungranted { Purposes(u16::MAX) } else { gate.now.in_force() };
    let moment = moment(site, question, rule_now_ms, in_force);
    let promised = known.stored.map(|record| record.promised.clone()).unwrap_or_default();
    let mut leases = if question.claims || question.preview.is_some() {
        Leases::of_nobody(&state, promised)
    } else {
        let slots = (0..).zip(&site.program.parts().slots);
        let slots = slots.filter(|(_, slot)| is_asked(question, &slot.name)).map(|(at, _)| at).collect();
        let is_allowed = gate.lost.is_empty() && !known.is_erased;
        Leases::of_question((question.holder(), slots), promised, now_ms, is_allowed)
    };
    // Nothing is kept of it: the next event or the alarm makes up for it again.
    drop(deadlines::make_up(site, &mut state, &moment, &mut leases));
    leases.lease(site, &mut state, (rule_now_ms, moment.in_force), &[]);
    let preview = preview.map(|preview| match preview {
        Ok(expires_ms) => explained(site, &state, &moment, expires_ms),
        Err(refused) => Explained::refused(refused.as_str()),
    });
    let mut decisions = leases.decide(site, &mut state, &moment, &mut Recall::default());
    decisions.retain(|decision| is_asked(question, site.program.slot_name(decision.slot)));
    leases.answer();
    let granted = leases.granted(site, &decisions);
    let decider = Decider { site, state: &state, moment: &moment };
    let text = render(&decider, question, (&decisions, true, preview), granted, now_ms);
    let promised = leases.settle(&mut state);
    Answered { text, record: kept(site, known.stored, (&state, promised), gate.now, rule_now_ms) }
}

/// The visitor's state as a question finds it.
fn state_of(stored: Option<&VisitorRecord>, now_ms: i64) -> VisitorState {
    match stored.map(|record| VisitorState::decode(&record.state)) {
        Some(Ok(state)) => state,
        None => VisitorState::new(now_ms),
        Some(Err(_)) => VisitorState { in_force: Purposes::NECESSARY, ..VisitorState::new(now_ms) },
    }
}

/// The visitor's record with what the answer promised; `None` where that is nothing new. What is held beyond a page view stands
/// with its grant, so that the next answer knows that it was taken. Of the state that was decided from nothing else is kept.
fn kept(
    site: &Site,
    stored: Option<&VisitorRecord>,
    (decided, promised): (&VisitorState, Vec<Promise>),
    consent: Snapshot,
    now_ms: i64,
) -> Option<VisitorRecord> {
    let mut new: Vec<Promise> = promised.clone();
    // Two that were taken in one millisecond look alike.
    for known in stored.iter().flat_map(|record| &record.promised) {
        if let Some(at) = new.iter().position(|promise| promise == known) {
            new.remove(at);
        }
    }
    if new.is_empty() {
        return None;
    }
    let mut state = state_of(stored, now_ms);
    if stored.is_none() {
        (state.publish, state.in_force) = (site.publish, consent.in_force());
    }
    for held in decided.held.iter().filter(|held| new.iter().any(|promise| promise.rule == held.rule)) {
        state.held.retain(|known| known.slot != held.slot);
        state.held.push(held.clone());
    }
    let born = || VisitorRecord { publish: site.publish, ..VisitorRecord::default() };
    let record = stored.cloned().unwrap_or_else(born);
    Some(VisitorRecord { consent, promised, state: state.encode(), ..record })
}

/// The answer where no decision can be made: every slot that was asked for shows its fallback. Nothing is known of the
/// visitor.
#[must_use]
pub fn fallback(site: &Site, question: &Question, now_ms: u64) -> String {
    let rule_now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let slots = (0..).zip(&site.program.parts().slots).filter(|(_, slot)| is_asked(question, &slot.name));
    let of_slot = |(slot, found): (u16, &Slot)| Decision {
        slot,
        rule: None,
        content: found.fallback,
        reason: Reason::Fallback,
        variant: None,
        held_out: None,
    };
    let decisions: Vec<Decision> = slots.map(of_slot).collect();
    let moment = moment(site, question, rule_now_ms, Purposes::NONE);
    let decider = Decider { site, state: &VisitorState::new(rule_now_ms), moment: &moment };
    render(&decider, question, (&decisions, false, None), Vec::new(), now_ms)
}

fn moment<'a>(site: &'a Site, question: &'a Question, now_ms: i64, in_force: Purposes) -> Moment<'a> {
    Moment {
        writer: question.writer,
        context: &question.context,
        now_ms,
        in_force,
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor: question.whose.visitor(site.name()),
        orders: site.orders(),
    }
}

fn is_asked(question: &Question, slot: &str) -> bool {
    question.slots.is_empty() || question.slots.iter().any(|asked| asked == slot)
}

/// The answer of these decisions, with or without what kept rules from winning.
fn render(
    decider: &Decider<'_>,
    question: &Question,
    (decisions, with_detail, preview): (&[Decision], bool, Option<Explained<'_>>),
    granted: Vec<Granted>,
    now_ms: u64,
) -> String {
    let site = decider.site;
    let contents = contents(decider, decisions);
    let named = slot_decisions(decider, decisions, with_detail);
    let answer = AnswerJson {
        visitor: question.whose.visitor(site.name()).to_string(),
        program: site.hash.to_string(),
        publish: site.publish,
        server_time_ms: now_ms,
        decisions: answer_json::decisions(&named, &contents),
        granted,
        preview,
    };
    serde_json::to_string(&answer).unwrap_or_default()
}
