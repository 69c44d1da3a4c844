//! What the head tells the hands to do.

use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::Purposes;
use selvedge_core::event::RefusalCode;
use selvedge_core::id::ProgramHash;
use selvedge_core::wire::answer::{Reason, take_content};
use selvedge_core::wire::codec::Writer;
use selvedge_core::wire::program::Content;
use selvedge_core::wire::tape::Tape;

/// One thing to do. Effects are done in order; a failing one is skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Keep `value` on the device under `key`. Never before consent.
    Store {
        /// The key; the hands put the site's name before it.
        key: String,
        /// What to keep.
        value: Vec<u8>,
    },
    /// Remove what the device holds under `key`.
    Erase {
        /// The key.
        key: String,
    },
    /// Remove everything of this site from the device.
    EraseAll,
    /// Post `body` to the collector and say how it ended.
    Send {
        /// The request's number.
        request: u32,
        /// The batch.
        body: Vec<u8>,
    },
    /// Post `body` so that it leaves even if the page dies. Nobody will say how it ended.
    Beacon {
        /// The batch.
        body: Vec<u8>,
    },
    /// Say [`crate::Input::Tick`] after so many milliseconds. Replaces the earlier one.
    Schedule {
        /// The delay.
        delay_ms: u32,
    },
    /// Fetch the program of this name.
    Load(ProgramHash),
    /// Fetch the rule engine, and say [`crate::Input::Engine`]. At most once.
    Engine,
    /// Hold the lock of this queue while the page lives, and adopt the queues whose locks nobody holds.
    Hold {
        /// The queue, as keys name it.
        queue: String,
    },
    /// Show this in its slot.
    Show(Show),
    /// Tell the site's listeners.
    Emit(Notice),
}

/// Effects in the order they are to be done. The commonest have methods: one call takes fewer bytes in the page than the
/// making of an [`Effect`] at every place.
#[derive(Debug)]
pub(crate) struct Effects(Vec<Effect>);

impl Effects {
    pub(crate) const NONE: Self = Self(Vec::new());

    pub(crate) fn push(&mut self, effect: Effect) {
        self.0.push(effect);
    }

    #[inline(never)]
    pub(crate) fn store(&mut self, key: String, value: Vec<u8>) {
        self.push(Effect::Store { key, value });
    }

    #[inline(never)]
    pub(crate) fn erase(&mut self, key: String) {
        self.push(Effect::Erase { key });
    }

    #[inline(never)]
    pub(crate) fn emit(&mut self, notice: Notice) {
        self.push(Effect::Emit(notice));
    }

    pub(crate) fn take(&mut self) -> Vec<Effect> {
        core::mem::take(&mut self.0)
    }
}

/// What stands in a slot from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Show {
    /// The slot's name.
    pub slot: String,
    /// The rule that won; `None` is the fallback.
    pub rule: Option<String>,
    /// The content; `None` gives back what the page itself held.
    pub content: Option<Content>,
    /// Why so.
    pub reason: Reason,
    /// The variant of an experiment that it is (`experiment/variant`); empty where it is none.
    pub variant: String,
    /// The rule that would stand there, were the visitor not held out from it.
    pub held_out: Option<String>,
}

/// Nothing of ours in a slot.
#[must_use]
pub fn blank(slot: &str) -> Show {
    Show {
        slot: slot.into(),
        rule: None,
        content: None,
        reason: Reason::Fallback,
        variant: String::new(),
        held_out: None,
    }
}

impl Show {
    /// Its bytes, for [`Self::take`].
    pub fn write(&self, out: &mut Writer) {
        out.text(&self.slot);
        out.text(self.rule.as_deref().unwrap_or_default());
        out.u8(self.reason as u8);
        out.text(&self.variant);
        out.text(self.held_out.as_deref().unwrap_or_default());
        write_content(out, self.content.as_ref());
    }

    /// What [`Self::write`] wrote.
    pub fn take(tape: &mut Tape<'_>) -> Self {
        Self {
            slot: tape.string(),
            rule: Some(tape.string()).filter(|rule| !rule.is_empty()),
            reason: Reason::from_number(tape.u8()).unwrap_or(Reason::Fallback),
            variant: tape.string(),
            held_out: Some(tape.string()).filter(|rule| !rule.is_empty()),
            content: if tape.flag() { Some(take_content(tape)) } else { None },
        }
    }

    /// Whether it is to be recorded when it is seen.
    #[must_use]
    pub const fn is_recorded(&self) -> bool {
        self.rule.is_some() || self.held_out.is_some()
    }
}

/// 0, or 1 and the content: id, type, fields.
pub fn write_content(out: &mut Writer, content: Option<&Content>) {
    out.flag(content.is_some());
    let Some(content) = content else { return };
    out.text(&content.id);
    out.u8(content.content_type as u8);
    out.count(content.fields.len());
    for (name, value) in &content.fields {
        out.text(name);
        out.text(value);
    }
}

/// What listeners hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The purposes in force changed.
    Consent(Purposes),
    /// An event was captured; the tracking plan refuses it where a code stands.
    Captured(String, Option<RefusalCode>),
    /// The edge refused an event.
    Refused(u32, RefusalCode),
    /// So many events were lost (the queue was full, or could not be read) since the page began.
    Lost(u32),
    /// The edge took so many events.
    Accepted(u32),
    /// The rule engine could not be had, or gave up: from now on what the edge decides is shown.
    EngineLost,
}
