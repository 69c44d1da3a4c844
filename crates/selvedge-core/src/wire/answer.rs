//! The edge's answer to a batch: what became of its events, the visitor's public state, what is decided and why. Read
//! here by hand, as the page does; `encode` (feature `serde`) is the edge's.

use super::codec::{Reader, WireFault};
use super::program::{Content, ContentType};
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
    /// Its last sequence that the state holds.
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
    /// The leaf of the condition that decided, as written; empty where none did.
    pub detail: String,
    /// The content itself, only where the page does not hold it (its rule runs at the edge alone).
    pub body: Option<Content>,
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
}

/// The answer in `bytes`. Sections of later versions are skipped.
///
/// # Errors
/// The first [`WireFault`] met; another version or a set flag is [`WireFault::Malformed`].
pub fn read_answer(bytes: &[u8]) -> Result<Answer, WireFault> {
    let mut reader = Reader::new(bytes);
    if reader.array()? != [VERSION, 0] {
        return Err(WireFault::Malformed);
    }
    let Some((TAG_SUMMARY, summary)) = reader.section()? else {
        return Err(WireFault::Malformed);
    };
    let mut answer = read_summary(&mut Reader::new(summary))?;
    while let Some((tag, content)) = reader.section()? {
        match tag {
            TAG_STATE => answer.state = content.into(),
            TAG_DECISION => answer.decisions.push(read_decision(&mut Reader::new(content))?),
            TAG_GRANT => answer.grants.push(read_grant(&mut Reader::new(content))?),
            _ => {}
        }
    }
    Ok(answer)
}

fn read_summary(reader: &mut Reader<'_>) -> Result<Answer, WireFault> {
    let mut answer =
        Answer { accepted: reader.varint_u32()?, duplicates: reader.varint_u32()?, ..Answer::default() };
    for _ in 0..reader.count()? {
        let sequence = reader.varint_u32()?;
        let code = RefusalCode::from_number(reader.u8()?).ok_or(WireFault::Malformed)?;
        answer.refused.push(Refused { sequence, code });
    }
    answer.program = ProgramHash(reader.array()?);
    answer.publish = reader.varint_u64()?;
    answer.server_time_ms = reader.varint_u64()?;
    answer.next_flush_ms = reader.varint_u32()?;
    for _ in 0..reader.count()? {
        let writer = WriterId::from_bits(reader.varint_u64()?);
        answer.applied.push(Applied { writer, sequence: reader.varint_u32()? });
    }
    reader.end()?;
    Ok(answer)
}

fn read_decision(reader: &mut Reader<'_>) -> Result<SlotDecision, WireFault> {
    let decision = SlotDecision {
        slot: reader.text()?.into(),
        rule: read_optional_text(reader)?,
        content: read_optional_text(reader)?,
        reason: Reason::from_number(reader.u8()?).ok_or(WireFault::Malformed)?,
        detail: reader.text()?.into(),
        body: if reader.flag()? { Some(read_content(reader)?) } else { None },
    };
    reader.end()?;
    Ok(decision)
}

fn read_optional_text(reader: &mut Reader<'_>) -> Result<Option<String>, WireFault> {
    Ok(if reader.flag()? { Some(reader.text()?.into()) } else { None })
}

fn read_content(reader: &mut Reader<'_>) -> Result<Content, WireFault> {
    let id = reader.text()?.into();
    let content_type = match reader.u8()? {
        0 => ContentType::Text,
        1 => ContentType::Url,
        2 => ContentType::Image,
        3 => ContentType::Attributes,
        _ => return Err(WireFault::Malformed),
    };
    let mut fields = Vec::new();
    for _ in 0..reader.count()? {
        fields.push((reader.text()?.into(), reader.text()?.into()));
    }
    Ok(Content { id, content_type, fields })
}

fn read_grant(reader: &mut Reader<'_>) -> Result<Grant, WireFault> {
    let grant = Grant {
        rule: reader.varint_u64()?,
        lease: reader.varint_u32()?,
        count: reader.varint_u16()?,
        expires_ms: reader.zigzag_i64()?,
    };
    reader.end()?;
    Ok(grant)
}
