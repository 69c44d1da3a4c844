//! The answer in JSON: the fields of [`Answer`], contents inline, so that a client without a program can show them.

use crate::json::JsonDecision;
use crate::text::base64;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::wire::answer::{Answer, SlotDecision};
use selvedge_core::wire::program::Content;

#[derive(serde::Serialize)]
struct AnswerJson<'a> {
    accepted: u32,
    duplicates: u32,
    refused: Vec<RefusedJson>,
    program: String,
    publish: u64,
    server_time_ms: u64,
    next_flush_ms: u32,
    applied: Vec<AppliedJson>,
    state: String,
    decisions: Vec<JsonDecision<'a>>,
    grants: Vec<GrantJson>,
}

#[derive(serde::Serialize)]
struct RefusedJson {
    sequence: u32,
    code: &'static str,
}

#[derive(serde::Serialize)]
struct AppliedJson {
    writer: String,
    sequence: u32,
}

#[derive(serde::Serialize)]
struct GrantJson {
    rule: String,
    lease: u32,
    count: u16,
    expires_ms: i64,
}

/// The answer as JSON; `contents` are those of the program, sorted by id.
#[must_use]
pub fn render(answer: &Answer, contents: &[Content]) -> String {
    let json = AnswerJson {
        accepted: answer.accepted,
        duplicates: answer.duplicates,
        refused: answer
            .refused
            .iter()
            .map(|refused| RefusedJson { sequence: refused.sequence, code: refused.code.as_str() })
            .collect(),
        program: answer.program.to_string(),
        publish: answer.publish,
        server_time_ms: answer.server_time_ms,
        next_flush_ms: answer.next_flush_ms,
        applied: answer
            .applied
            .iter()
            .map(|applied| AppliedJson {
                writer: applied.writer.bits().to_string(),
                sequence: applied.sequence,
            })
            .collect(),
        state: base64(&answer.state),
        decisions: decisions(&answer.decisions, contents),
        grants: answer
            .grants
            .iter()
            .map(|grant| GrantJson {
                rule: format!("{:016x}", grant.rule),
                lease: grant.lease,
                count: grant.count,
                expires_ms: grant.expires_ms,
            })
            .collect(),
    };
    serde_json::to_string(&json).unwrap_or_default()
}

/// Decisions with their contents inline.
#[must_use]
pub fn decisions<'a>(decisions: &'a [SlotDecision], contents: &'a [Content]) -> Vec<JsonDecision<'a>> {
    let body = |id: &str| {
        let at = contents.binary_search_by(|content| content.id.as_str().cmp(id)).ok()?;
        contents.get(at)
    };
    let with_body =
        |decision: &'a SlotDecision| JsonDecision::new(decision, decision.content.as_deref().and_then(body));
    decisions.iter().map(with_body).collect()
}
