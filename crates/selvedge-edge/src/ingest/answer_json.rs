//! The answer in JSON: the fields of the wire's, contents inline, so that a client without a program can show them.

use super::terms::Outcome;
use crate::json::JsonDecision;
use crate::leases::Granted;
use crate::text::base64;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use selvedge_core::wire::answer::SlotDecision;
use selvedge_core::wire::program::Content;

#[derive(serde::Serialize)]
struct AnswerJson<'a> {
    accepted: u32,
    duplicates: u32,
    refused: Vec<RefusedJson<'a>>,
    program: String,
    publish: u64,
    server_time_ms: u64,
    next_flush_ms: u32,
    applied: Vec<AppliedJson>,
    state: String,
    decisions: Vec<JsonDecision<'a>>,
    grants: Vec<GrantJson>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    granted: &'a [Granted],
}

#[derive(serde::Serialize)]
struct RefusedJson<'a> {
    sequence: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<&'a str>,
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

/// An outcome's answer as JSON, with what its decisions show.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let answer = &outcome.answer;
    let ids = outcome.refused_ids.iter().map(Option::as_deref).chain(core::iter::repeat(None));
    let json = AnswerJson {
        accepted: answer.accepted,
        duplicates: answer.duplicates,
        refused: answer
            .refused
            .iter()
            .zip(ids)
            .map(|(refused, message_id)| RefusedJson {
                sequence: refused.sequence,
                message_id,
                code: refused.code.as_str(),
            })
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
        decisions: decisions(&answer.decisions, &outcome.contents),
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
        granted: &outcome.granted,
    };
    serde_json::to_string(&json).unwrap_or_default()
}

/// Decisions with what they show, in their order.
#[must_use]
pub fn decisions<'a>(
    decisions: &'a [SlotDecision],
    contents: &'a [Option<Content>],
) -> Vec<JsonDecision<'a>> {
    let contents = contents.iter().map(Option::as_ref);
    decisions.iter().zip(contents).map(|(decision, content)| JsonDecision::new(decision, content)).collect()
}
