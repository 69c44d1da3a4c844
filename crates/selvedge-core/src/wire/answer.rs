//! The edge's answer to a batch: what became of its events, the visitor's public state, what is decided and why. Read
//! here by hand, as the page does; `encode` (feature `serde`) is the edge's.

use super::codec::{Reader, WireFault};
use super::program::{Content, ContentType};
use super::tape::Tape;
use crate::event::RefusalCode;
use crate::id::{ProgramHash, WriterId};
use alloc::string::String;
use alloc::vec::Vec;

/// The version of the container, its first byte.
pub const VERSION: u8 = 1;
/// Tag of the section that holds [`Answer`]'s numbers: the first, and once.
pub const TAG_SUMMARY: u8 = 1;
/// Tag of the section that holds the public state.
pub const TAG_STATE: u8 = 2;
/// Tag of a section that holds one decision.
pub const TAG_DECISION: u8 = 3;
/// Tag of a section that holds one grant.
pub const TAG_GRANT: u8 = 4;
/// Tag of a section that holds, for a slot decided above it, the rule that the visitor is held out from.
pub const TAG_HELD_OUT: u8 = 5;
/// Tag of the section that holds the rules that were stopped.
pub const TAG_PAUSED: u8 = 6;
/// Tag of a section that holds, for a slot decided above it, a grant that has to be taken before it is seen.
pub const TAG_NEED: u8 = 7;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        /// Why a rule acts or does not. Each rule has exactly one; the numbers are wire, never reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name = $number,)* }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The reason as it is logged and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The reason with this wire number.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}

reasons! {
    /// Its condition is true and nothing stood above it.
    Won = 0, "won";
    /// It won earlier and is held.
    Held = 1, "held";
    /// No rule won; the slot shows its fallback.
    Fallback = 2, "fallback";
    /// A rule of higher priority won the slot.
    LowerPriority = 3, "lower_priority";
    /// A cap is used up.
    Capped = 4, "capped";
    /// It is capped, and no grant is at hand.
    NoGrant = 5, "no_grant";
    /// Another rule of its exclusion group stands.
    ExcludedByGroup = 6, "excluded_by_group";
    /// It is paused.
    Paused = 7, "paused";
    /// It is a draft.
    Draft = 8, "draft";
    /// The visitor has not granted its purpose.
    NoPurpose = 9, "no_purpose";
    /// Its condition is false.
    False = 10, "false";
    /// Its condition is neither true nor false: something it tests is unknown.
    Unknown = 11, "unknown";
    /// It needs what only the edge knows.
    RunsAtEdge = 12, "runs_at_edge";
    /// It is considered at its triggers only, and this is none.
    NotTriggered = 40, "not_triggered";
    /// Its condition is true, or it was triggered, and its delay (`after`) runs.
    Waits = 41, "waits";
    /// A suppression holds.
    SuppressedBy = 13, "suppressed_by";
    /// The visitor is held out.
    Holdout = 14, "holdout";
    /// The visitor is in a control: the rule holds the slot, which shows its fallback.
    Control = 15, "control";
    /// It has a schedule, and this is no time of it.
    OutsideSchedule = 16, "outside_schedule";
    /// It has no slot, and sends its message.
    Emits = 42, "emits";
}

/// An event that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Its sequence in the batch's writer; 0 where not even that could be read.
    pub sequence: u32,
    /// Why.
    pub code: RefusalCode,
}

/// How far a writer's events stand in the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The writer.
    pub writer: WriterId,
    /// The last of its sequences up to which the state holds all.
    pub sequence: u32,
}

/// What is decided for one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotDecision {
    /// The slot's name.
    pub slot: String,
    /// The rule that won; `None` is the fallback.
    pub rule: Option<String>,
    /// The content to show; `None` leaves what the page itself holds.
    pub content: Option<String>,
    /// Why so.
    pub reason: Reason,
    /// The variant that is shown (`experiment/variant`), else the leaf of the condition that decided, as written; empty
    /// where there is neither.
    pub detail: String,
    /// The content itself, only where the page does not hold it (its rule runs at the edge alone).
    pub body: Option<Content>,
    /// The rule that would have the slot, were the visitor not held out from it.
    pub held_out: Option<String>,
}

/// Leave to show a capped rule so many times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The rule, by [`crate::hash::fnv1a_64`] of its id.
    pub rule: u64,
    /// The lease's number.
    pub lease: u32,
    /// How many exposures it covers.
    pub count: u16,
    /// When it ends: Unix milliseconds of the edge's clock.
    pub expires_ms: i64,
}

/// A grant that the page has to take before what stands in a slot is seen, where it does not know the rule that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The slot's name.
    pub slot: String,
    /// Of which lease.
    pub grant: Grant,
    /// How many of its exposures the edge does not know to be used.
    pub left: u16,
}

/// What the edge answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Events that were taken.
    pub accepted: u32,
    /// Events that had been taken before.
    pub duplicates: u32,
    /// Events that were not taken.
    pub refused: Vec<Refused>,
    /// The program in force.
    pub program: ProgramHash,
    /// Its place in the site's history; 0 where nothing was published.
    pub publish: u64,
    /// The edge's clock: Unix milliseconds.
    pub server_time_ms: u64,
    /// How long the page may wait with what is not urgent; 0 leaves that to the page.
    pub next_flush_ms: u32,
    /// How far each known writer's events stand in `state`.
    pub applied: Vec<Applied>,
    /// The visitor's public state, as `VisitorState::encode` made it.
    pub state: Vec<u8>,
    /// What is decided, by slot.
    pub decisions: Vec<SlotDecision>,
    /// Leases for capped rules.
    pub grants: Vec<Grant>,
    /// What decisions of rules that the page does not know need grants of.
    pub needs: Vec<Need>,
    /// Rules that were stopped since the program was published, as in [`crate::rules::moment::Orders::paused`].
    pub paused: Vec<u64>,
}

/// The answer in `bytes`. Sections of later versions are skipped.
///
/// # Errors
/// The first [`WireFault`] met; another version or a set flag is [`WireFault::Malformed`].
pub fn read_answer(bytes: &[u8]) -> Result<Answer, WireFault> {
    let mut answer = Answer::default();
    match read_into(&mut answer, bytes) {
        Ok(()) => Ok(answer),
        Err(fault) => Err(fault),
    }
}

/// Apart, so that the ways out of here have nothing to drop.
#[inline(never)]
fn read_into(answer: &mut Answer, bytes: &[u8]) -> Result<(), WireFault> {
    let Some((&[VERSION, 0], sections)) = bytes.split_first_chunk() else {
        return Err(WireFault::Malformed);
    };
    let mut reader = Reader::new(sections);
    let Some((TAG_SUMMARY, summary)) = reader.section()? else {
        return Err(WireFault::Malformed);
    };
    read_summary(answer, summary)?;
    while let Some((tag, content)) = reader.section()? {
        let tape = &mut Tape::new(content);
        match tag {
            TAG_STATE => {
                answer.state = content.into();
                continue;
            }
            TAG_DECISION => answer.decisions.push(take_decision(tape)),
            TAG_GRANT => answer.grants.push(take_grant(tape)),
            TAG_HELD_OUT => take_held_out(&mut answer.decisions, tape),
            TAG_NEED => {
                answer.needs.push(Need { slot: tape.string(), grant: take_grant(tape), left: tape.u16() });
            }
            TAG_PAUSED => answer.paused = take_paused(tape),
            _ => continue,
        }
        tape.end()?;
    }
    Ok(())
}

fn read_summary(answer: &mut Answer, content: &[u8]) -> Result<(), WireFault> {
    let mut tape = Tape::new(content);
    answer.accepted = tape.u32();
    answer.duplicates = tape.u32();
    for _ in 0..tape.count() {
        let sequence = tape.u32();
        match RefusalCode::from_number(tape.u8()) {
            Some(code) => answer.refused.push(Refused { sequence, code }),
            None => tape.fail(WireFault::Malformed),
        }
    }
    answer.program = ProgramHash(tape.read(Reader::array));
    answer.publish = tape.u64();
    answer.server_time_ms = tape.u64();
    answer.next_flush_ms = tape.u32();
    for _ in 0..tape.count() {
        let writer = WriterId::from_bits(tape.u64());
        answer.applied.push(Applied { writer, sequence: tape.u32() });
    }
    tape.end()
}

fn take_decision(tape: &mut Tape<'_>) -> SlotDecision {
    SlotDecision {
        slot: tape.string(),
        rule: take_optional_text(tape),
        content: take_optional_text(tape),
        reason: take_reason(tape),
        detail: tape.string(),
        body: if tape.flag() { Some(take_content(tape)) } else { None },
        held_out: None,
    }
}

fn take_held_out(decisions: &mut [SlotDecision], tape: &mut Tape<'_>) {
    let (slot, rule) = (tape.text(), tape.string());
    if let Some(decision) = decisions.iter_mut().find(|decision| decision.slot == slot) {
        decision.held_out = Some(rule);
    }
}

fn take_paused(tape: &mut Tape<'_>) -> Vec<u64> {
    let mut paused = Vec::new();
    for _ in 0..tape.count() {
        paused.push(tape.u64());
    }
    paused
}

/// A fault is kept on the tape: a way out of here would have to drop what is read already.
fn take_reason(tape: &mut Tape<'_>) -> Reason {
    let reason = Reason::from_number(tape.u8());
    if reason.is_none() {
        tape.fail(WireFault::Malformed);
    }
    reason.unwrap_or(Reason::Fallback)
}

fn take_optional_text(tape: &mut Tape<'_>) -> Option<String> {
    if tape.flag() { Some(tape.string()) } else { None }
}

/// A content off the tape: id, type, fields.
pub fn take_content(tape: &mut Tape<'_>) -> Content {
    let id = tape.string();
    let content_type = ContentType::from_number(tape.u8()).unwrap_or_else(|| {
        tape.fail(WireFault::Malformed);
        ContentType::Text
    });
    let mut fields = Vec::new();
    for _ in 0..tape.count() {
        fields.push((tape.string(), tape.string()));
    }
    Content { id, content_type, fields }
}

fn take_grant(tape: &mut Tape<'_>) -> Grant {
    Grant { rule: tape.u64(), lease: tape.u32(), count: tape.u16(), expires_ms: tape.i64() }
}
