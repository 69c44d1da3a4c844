//! Decisions and contents.

use crate::wire::answer::{Reason, SlotDecision};
use crate::wire::program::{Content, ContentType};
use alloc::vec::Vec;

/// A decision.
#[derive(serde::Serialize, serde::Deserialize)]
pub(in crate::wire) struct DecisionForm<'a> {
    slot: &'a str,
    rule: Option<&'a str>,
    content: Option<&'a str>,
    reason: u8,
    detail: &'a str,
    #[serde(borrow)]
    body: Option<ContentForm<'a>>,
}

impl<'a> From<&'a SlotDecision> for DecisionForm<'a> {
    fn from(decision: &'a SlotDecision) -> Self {
        Self {
            slot: &decision.slot,
            rule: decision.rule.as_deref(),
            content: decision.content.as_deref(),
            reason: decision.reason as u8,
            detail: &decision.detail,
            body: decision.body.as_ref().map(ContentForm::from),
        }
    }
}

impl DecisionForm<'_> {
    /// The decision; `None` for a reason or content type that does not exist.
    pub(in crate::wire) fn read(&self) -> Option<SlotDecision> {
        Some(SlotDecision {
            slot: self.slot.into(),
            rule: self.rule.map(Into::into),
            content: self.content.map(Into::into),
            reason: Reason::from_number(self.reason)?,
            detail: self.detail.into(),
            body: match &self.body {
                Some(body) => Some(body.read()?),
                None => None,
            },
            held_out: None,
        })
    }
}

/// A content.
#[derive(serde::Serialize, serde::Deserialize)]
pub(in crate::wire) struct ContentForm<'a> {
    id: &'a str,
    content_type: u8,
    #[serde(borrow)]
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> From<&'a Content> for ContentForm<'a> {
    fn from(content: &'a Content) -> Self {
        Self {
            id: &content.id,
            content_type: content.content_type as u8,
            fields: content.fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect(),
        }
    }
}

impl ContentForm<'_> {
    fn read(&self) -> Option<Content> {
        Some(Content {
            id: self.id.into(),
            content_type: ContentType::from_number(self.content_type)?,
            fields: self.fields.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect(),
        })
    }
}
