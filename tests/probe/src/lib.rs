//! A recorded journey, decided: batches in, one line of text a batch out. The same code runs natively and, as wasm, in
//! Chromium; the worker's answers to the same batches are brought into the same lines ([`line`]). Equal text means
//! equal decisions and equal state, byte for byte.

use selvedge_core::event::Event;
use selvedge_core::id::{ProgramHash, Sequence};
use selvedge_core::rules::{Moment, Orders, Place, Program, decide, end_session, make_up, rule_time, step};
use selvedge_core::tracking_plan::{Trust, purposes_of};
use selvedge_core::wire::answer::{Answer, SlotDecision};
use selvedge_core::wire::state::VisitorState;
use selvedge_edge::gate::Shown;
use selvedge_edge::ingest::{self, Arrival, Incoming, Trouble, Watch};
use selvedge_edge::site::Site;
use serde_json::value::RawValue;
use std::fmt::Write as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// What the edge answers to each batch of `journey` (a JSON array of batches in the JSON form), run on an empty state.
/// The state names the publish that it runs under. A batch that is refused gives its error as the line.
#[wasm_bindgen]
#[must_use]
pub fn at_the_edge(full: &[u8], journey: &[u8]) -> String {
    at_publish(1, full, journey)
}

/// The same under another publish than a site's first.
#[must_use]
pub fn at_publish(publish: u64, full: &[u8], journey: &[u8]) -> String {
    run(full, publish, None, journey).unwrap_or_else(|problem| problem)
}

/// What the page decides for each batch: the edge's state of the batch before, with the batch's own events stepped over
/// it by the public program.
#[wasm_bindgen]
#[must_use]
pub fn in_the_page(full: &[u8], public: &[u8], journey: &[u8]) -> String {
    run(full, 1, Some(public), journey).unwrap_or_else(|problem| problem)
}

fn run(full: &[u8], publish: u64, public: Option<&[u8]>, journey: &[u8]) -> Result<String, String> {
    let site = Site::load(full, ProgramHash::default(), publish).map_err(|fault| fault.to_string())?;
    let page = public.map(Program::load).transpose().map_err(|fault| fault.to_string())?;
    let batches: Vec<&RawValue> = serde_json::from_slice(journey).map_err(|fault| fault.to_string())?;
    let mut record = None;
    let mut state = Vec::new();
    let mut lines = String::new();
    for raw in batches {
        let opened = ingest::open(raw.get().as_bytes()).map_err(|fault| format!("{fault:?}"))?;
        let batch = ingest::read(opened.form, &opened.bytes, &site).map_err(|fault| format!("{fault:?}"))?;
        if let Some(page) = &page {
            lines.push_str(&page_line(page, &state, &batch));
        }
        let outcome =
            ingest::step(&site, record.clone(), batch, &arrival(), &Trouble::default(), &mut Nobody)
                .map_err(|fault| fault.to_string())?;
        if page.is_none() {
            lines.push_str(&line(&outcome.answer));
        }
        lines.push('\n');
        state.clone_from(&outcome.answer.state);
        record = outcome.record.or(record);
    }
    Ok(lines)
}

/// Nobody asks how far a step came.
struct Nobody;

impl Watch for Nobody {
    fn reaches(&mut self, _sequence: Sequence) {}

    fn takes(&mut self, _event: &Event) {}
}

/// A browser at no particular time: the batches carry their own clock.
fn arrival() -> Arrival<'static> {
    Arrival {
        received_ms: 0,
        source: "web",
        trust: Trust::Client,
        shown: Shown::default(),
        country: None,
        account: None,
    }
}

/// An answer as a line: counts, the state's bytes, and each slot's decision.
#[must_use]
pub fn line(answer: &Answer) -> String {
    let mut line = format!("accepted {} duplicates {} refused", answer.accepted, answer.duplicates);
    for refused in &answer.refused {
        let _ = write!(line, " {}:{}", refused.sequence, refused.code.as_str());
    }
    line.push_str(" state ");
    for byte in &answer.state {
        let _ = write!(line, "{byte:02x}");
    }
    for SlotDecision { slot, rule, content, reason, .. } in &answer.decisions {
        line.push_str(&decision(slot, rule.as_deref(), content.as_deref(), reason.as_str()));
    }
    line
}

/// One slot's decision as a piece of a line.
#[must_use]
pub fn decision(slot: &str, rule: Option<&str>, content: Option<&str>, reason: &str) -> String {
    format!(" | {slot}: {} {} {reason}", rule.unwrap_or("-"), content.unwrap_or("-"))
}

fn page_line(program: &Program, base: &[u8], batch: &Incoming) -> String {
    let header = &batch.header;
    let Ok(mut state) = VisitorState::decode(base) else { return "no state yet".into() };
    let mut decisions = Vec::new();
    for event in batch.events.iter().flat_map(|sent| &sent.read) {
        let snapshot = header.consent.get(usize::from(event.consent)).copied().unwrap_or_default();
        let moment = Moment {
            writer: header.writer,
            context: &header.context,
            now_ms: rule_time(event.time_ms, header.skew_ms, None, header.clock),
            in_force: snapshot.in_force(),
            place: Place::Page,
            trust: Trust::Client,
            account: None,
            visitor: header.visitor,
            orders: Orders::default(),
        };
        let usable = purposes_of(&program.parts().plan, event).and(moment.in_force);
        make_up(program, &mut state, &moment);
        if end_session(program, &mut state, event, usable, &moment) {
            decide(program, &mut state, &moment);
        }
        step(program, &mut state, event, usable, &moment);
        decisions = decide(program, &mut state, &moment);
    }
    let parts = program.parts();
    decisions.iter().fold(String::from("page"), |line, decided| {
        let slot = parts.slots.get(usize::from(decided.slot)).map_or("?", |slot| slot.name.as_str());
        let rule =
            decided.rule.and_then(|at| program.rules().get(usize::from(at))).map(|rule| rule.id.as_str());
        let content = decided
            .content
            .and_then(|at| parts.contents.get(usize::from(at)))
            .map(|content| content.id.as_str());
        line + &decision(slot, rule, content, decided.reason.as_str())
    })
}
