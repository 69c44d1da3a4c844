//! The edge's answer, written with serde and postcard.

use super::answer::{
    Answer, Grant, TAG_DECISION, TAG_GRANT, TAG_HELD_OUT, TAG_NEED, TAG_PAUSED, TAG_STATE, TAG_SUMMARY,
    VERSION,
};
use super::codec::Writer;
use super::form::DecisionForm;
use alloc::vec::Vec;

/// Postcard could not write a value: a defect of ours, as a growing vector takes everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value could not be written")]
pub struct EncodeFault;

impl From<postcard::Error> for EncodeFault {
    fn from(_: postcard::Error) -> Self {
        Self
    }
}

impl Answer {
    /// The answer's bytes, as [`super::answer::read_answer`] reads them.
    ///
    /// # Errors
    /// [`EncodeFault`], which no answer is known to meet.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeFault> {
        let mut out = Writer::new();
        out.raw(&[VERSION, 0]);
        out.section(TAG_SUMMARY, &encode_summary(self)?);
        out.section(TAG_STATE, &self.state);
        for decision in &self.decisions {
            out.section(TAG_DECISION, &postcard::to_allocvec(&DecisionForm::from(decision))?);
        }
        for grant in &self.grants {
            out.section(TAG_GRANT, &encode_grant(grant)?);
        }
        for decision in &self.decisions {
            if let Some(rule) = &decision.held_out {
                out.section(TAG_HELD_OUT, &postcard::to_allocvec(&(&decision.slot, rule))?);
            }
        }
        for need in &self.needs {
            let Grant { rule, lease, count, expires_ms } = need.grant;
            let form = (&need.slot, rule, lease, count, expires_ms, need.left);
            out.section(TAG_NEED, &postcard::to_allocvec(&form)?);
        }
        if !self.paused.is_empty() {
            out.section(TAG_PAUSED, &postcard::to_allocvec(&self.paused)?);
        }
        Ok(out.into_bytes())
    }
}

fn encode_summary(answer: &Answer) -> Result<Vec<u8>, postcard::Error> {
    let refused: Vec<(u32, u8)> =
        answer.refused.iter().map(|refused| (refused.sequence, refused.code as u8)).collect();
    let applied: Vec<(u64, u32)> =
        answer.applied.iter().map(|applied| (applied.writer.bits(), applied.sequence)).collect();
    postcard::to_allocvec(&(
        answer.accepted,
        answer.duplicates,
        refused,
        answer.program.0,
        answer.publish,
        answer.server_time_ms,
        answer.next_flush_ms,
        applied,
    ))
}

fn encode_grant(grant: &Grant) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_allocvec(&(grant.rule, grant.lease, grant.count, grant.expires_ms))
}
