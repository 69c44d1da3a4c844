//! `GET /v1/visitors/{id}`: what is kept of a visitor, and why each rule acts or does not. For the console.

use crate::decision::{Decider, contents, slot_decisions};
use crate::json::{JsonDecision, JsonSnapshot, purpose_names};
use crate::site::Site;
use crate::text::rfc_3339;
use crate::{dedup, ingest::answer_json};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::id::VisitorId;
use selvedge_core::pairs::Pairs;
use selvedge_core::rules::{self, Moment, Place};
use selvedge_core::tracking_plan::Trust;
use selvedge_core::value::Map;
use selvedge_core::wire::program::{AttributeType, Builtin};
use selvedge_core::wire::state::{CellBody, Stored, VisitorState};
use selvedge_core::wire::stored::VisitorRecord;

#[derive(serde::Serialize)]
struct VisitorJson<'a> {
    visitor: String,
    program: String,
    publish: u64,
    consent: JsonSnapshot,
    in_force: Vec<String>,
    writers: Vec<WriterJson>,
    state_bytes: usize,
    born_at: Option<String>,
    last_event_at: Option<String>,
    session: Option<SessionJson>,
    pages: Vec<PageJson>,
    metrics: Vec<MetricJson<'a>>,
    caps: Vec<CapJson>,
    decisions: Vec<JsonDecision<'a>>,
    candidates: Vec<CandidateJson<'a>>,
}

#[derive(serde::Serialize)]
struct WriterJson {
    writer: String,
    mark: u32,
    highest: u32,
}

#[derive(serde::Serialize)]
struct SessionJson {
    number: u32,
    started_at: String,
    last_at: String,
    pages: u32,
    facts: serde_json::Map<String, serde_json::Value>,
}

#[derive(serde::Serialize)]
struct PageJson {
    writer: String,
    started_at: String,
    facts: serde_json::Map<String, serde_json::Value>,
}

#[derive(serde::Serialize)]
struct MetricJson<'a> {
    name: &'a str,
    event: &'a str,
    /// What is kept of it: times of a sliding window, or the session's count.
    count: usize,
    observed_since: String,
}

#[derive(serde::Serialize)]
struct CapJson {
    of: String,
    used: usize,
    granted: u16,
    left: u16,
    expires_at: Option<String>,
}

#[derive(serde::Serialize)]
struct CandidateJson<'a> {
    rule: &'a str,
    slot: &'a str,
    priority: i32,
    reason: &'static str,
    detail: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
}

/// The visitor as JSON, decided at `now_ms`.
#[must_use]
pub fn render(site: &Site, visitor: VisitorId, record: &VisitorRecord, now_ms: u64) -> String {
    let in_force = record.consent.in_force();
    let state = VisitorState::decode(&record.state).ok();
    let rule_now_ms = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let kept = state.unwrap_or_else(|| VisitorState::new(rule_now_ms));
    let writer = kept.pages.last().map_or(selvedge_core::id::WriterId::from_bits(0), |page| page.writer);
    let context = Map::new();
    let moment = Moment {
        writer,
        context: &context,
        now_ms: rule_now_ms,
        in_force,
        place: Place::Edge,
        trust: Trust::Client,
        account: None,
        visitor,
        orders: site.orders(),
    };
    let mut asked = kept.clone();
    if in_force.holds(Purposes::PERSONALIZATION) {
        rules::lease_beside(&site.program, &mut asked, rule_now_ms, &[], &record.promised);
    }
    let decided = rules::decide(&site.program, &mut asked.clone(), &moment);
    let decider = Decider { site, state: &asked, moment: &moment };
    let (decisions, contents) = (slot_decisions(&decider, &decided, true), contents(&decider, &decided));
    let is_kept = !record.state.is_empty();
    let json = VisitorJson {
        visitor: visitor.to_string(),
        program: site.hash.to_string(),
        publish: record.publish,
        consent: JsonSnapshot::from(&record.consent),
        in_force: purpose_names(in_force),
        writers: writers(record),
        state_bytes: record.state.len(),
        born_at: is_kept.then(|| time(kept.born_ms)),
        last_event_at: kept.last_time_ms.map(time),
        session: (is_kept && kept.session.number > 0).then(|| session(&kept)),
        pages: kept.pages.iter().map(page).collect(),
        metrics: metrics(site, &kept),
        caps: caps(site, &kept),
        decisions: answer_json::decisions(&decisions, &contents),
        candidates: candidates(site, &asked, &moment),
    };
    serde_json::to_string(&json).unwrap_or_default()
}

fn time(time_ms: i64) -> String {
    rfc_3339(u64::try_from(time_ms).unwrap_or(0))
}

fn writers(record: &VisitorRecord) -> Vec<WriterJson> {
    let of_window = |window: &selvedge_core::wire::stored::WriterWindow| WriterJson {
        writer: window.writer.bits().to_string(),
        mark: window.mark,
        highest: dedup::highest(window),
    };
    record.writers.iter().map(of_window).collect()
}

fn session(state: &VisitorState) -> SessionJson {
    SessionJson {
        number: state.session.number,
        started_at: time(state.session.start_ms),
        last_at: time(state.session.last_ms),
        pages: state.session.pages,
        facts: facts(&state.session.facts),
    }
}

fn page(page: &selvedge_core::wire::state::PageView) -> PageJson {
    PageJson {
        writer: page.writer.bits().to_string(),
        started_at: time(page.start_ms),
        facts: facts(&page.facts),
    }
}

/// Facts by name; numbers are kept in millionths and shown so that nothing is lost.
fn facts(facts: &[(Builtin, Stored)]) -> serde_json::Map<String, serde_json::Value> {
    let value = |builtin: Builtin, stored: &Stored| match stored {
        Stored::Missing | Stored::Unobserved => serde_json::Value::Null,
        // Of a campaign that no rule reads only a mark is kept.
        Stored::Number(_) if builtin.kind() == AttributeType::Text => serde_json::Value::Null,
        Stored::Text(text) => text.as_str().into(),
        Stored::Number(micro) => decimal(*micro).into(),
        Stored::Bool(flag) => (*flag).into(),
        Stored::List(texts) => texts.as_slice().into(),
    };
    let mut all = serde_json::Map::new();
    for (builtin, stored) in facts {
        all.insert(builtin.name().to_string(), value(*builtin, stored));
    }
    all
}

/// Millionths as a decimal text without needless zeros: `1440`, `52.520007`.
fn decimal(micro: i64) -> String {
    let million = 1_000_000u64;
    let magnitude = micro.unsigned_abs();
    let (whole, fraction) = (magnitude / million, magnitude % million);
    let sign = if micro < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{fraction:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn metrics<'a>(site: &'a Site, state: &VisitorState) -> Vec<MetricJson<'a>> {
    let of_metric = |metric: &'a selvedge_core::wire::program::Metric| {
        let cell = state.cells.iter().find(|cell| cell.hash == metric.meaning)?;
        let CellBody::Metric(kept) = &cell.body else {
            return None;
        };
        Some(MetricJson {
            name: &metric.name,
            event: &metric.event,
            count: kept.kept.count(),
            observed_since: time(kept.since_ms),
        })
    };
    site.program.parts().metrics.iter().filter_map(of_metric).collect()
}

fn caps(site: &Site, state: &VisitorState) -> Vec<CapJson> {
    let parts = site.program.parts();
    let of_rules = site
        .program
        .rules()
        .iter()
        .map(|rule| (rules::program::rule_hash(rule), format!("rule {}", rule.id)));
    let of_groups =
        parts.groups.iter().map(|group| (rules::program::group_hash(group), format!("group {}", group.name)));
    let names: Pairs<u64, String> = of_rules.chain(of_groups).collect();
    let of_cell = |cell: &selvedge_core::wire::state::Cell| match &cell.body {
        CellBody::Cap(cap) => Some(CapJson {
            of: names.get(&cell.hash).cloned().unwrap_or_else(|| format!("{:016x}", cell.hash)),
            used: cap.used_ms.len(),
            granted: cap.lease.granted,
            left: cap.lease.left,
            expires_at: (cap.lease.id > 0).then(|| time(cap.lease.expires_ms)),
        }),
        _ => None,
    };
    state.cells.iter().filter_map(of_cell).collect()
}

fn candidates<'a>(site: &'a Site, state: &VisitorState, moment: &Moment<'_>) -> Vec<CandidateJson<'a>> {
    let parts = site.program.parts();
    let of_candidate = |candidate: rules::Candidate| {
        let rule = site.program.rules().get(usize::from(candidate.rule))?;
        let leaf = candidate.leaf.and_then(|at| site.config.leaves.get(usize::from(at)));
        Some(CandidateJson {
            rule: &rule.id,
            slot: parts.slots.get(usize::from(rule.slot)).map(|slot| slot.name.as_str()).unwrap_or_default(),
            priority: rule.priority,
            reason: candidate.reason.as_str(),
            detail: leaf.map(|leaf| leaf.text.as_str()).unwrap_or_default(),
            file: leaf.map(|leaf| leaf.file.as_str()).unwrap_or_default(),
            line: leaf.map_or(0, |leaf| leaf.line),
            column: leaf.map_or(0, |leaf| leaf.column),
        })
    };
    rules::explain(&site.program, state, moment).into_iter().filter_map(of_candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millionths_read_as_decimals() {
        for (micro, text) in
            [(0, "0"), (1_440_000_000, "1440"), (-500_000, "-0.5"), (52_520_007, "52.520007")]
        {
            assert_eq!(decimal(micro), text);
        }
    }
}
