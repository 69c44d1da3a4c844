//! How inputs and effects cross the boundary of the page: one byte string each way, written with the wire's primitives.
//! The other side is www/sdk/src/encode.ts and decode.ts. Not a stored or sent format: both sides ship together.

use crate::effect::{Notice, Show, write_content};
use crate::input::{Boot, Capture, Heard, Input, Random, Reply, Settings, What};
use alloc::string::String;
use alloc::vec::Vec;
use selvedge_core::consent::{Mode, Purposes, Signals};
use selvedge_core::event::EventType;
use selvedge_core::id::ProgramHash;
use selvedge_core::limits::{CONTEXT_ENTRIES_MAX, PROPERTIES_MAX};
use selvedge_core::wire::codec::{Reader, WireFault, Writer};
use selvedge_core::wire::property::take_map;
use selvedge_core::wire::tape::Tape;

/// Time (Unix milliseconds) and input of a crossing: varint, kind, then the fields in the order of [`Input`].
///
/// # Errors
/// The first [`WireFault`] met: also properties above the bounds of [`selvedge_core::limits`].
pub fn read_input(bytes: &[u8]) -> Result<(u64, Input), WireFault> {
    let tape = &mut Tape::new(bytes);
    let now_ms = tape.u64();
    let kind = tape.u8();
    let input = match kind {
        0 => Input::Boot(read_boot(tape)),
        1 => Input::Settings(if tape.flag() { Some(read_settings(tape)) } else { None }),
        3 => Input::Consent { granted: purposes(tape), denied: purposes(tape), random: random(tape) },
        4 => Input::Capture(read_capture(tape)),
        5 => Input::Page {
            time_ms: tape.u64(),
            url: tape.string(),
            title: tape.string(),
            referrer: tape.string(),
            properties: take_map(tape, None, PROPERTIES_MAX),
        },
        7 => Input::Tick,
        8 => Input::Hidden,
        9 => Input::Awake,
        10 => Input::Flush,
        11 => Input::Reset { random: random(tape) },
        14 => Input::Changed {
            key: tape.string(),
            random: random(tape),
            value: if tape.flag() { Some(blob(tape)) } else { None },
        },
        25 => Input::Heard { heard: read_heard(tape), random: random(tape) },
        2 | 6 | 12 | 13 | 15 | 16 => later_input(kind, tape),
        _ => return Err(WireFault::Malformed),
    };
    tape.check()?;
    Ok((now_ms, input))
}

/// Inputs that the hands hold back until the page's second module is there.
#[inline(never)]
fn later_input(kind: u8, tape: &mut Tape<'_>) -> Input {
    match kind {
        2 => Input::Program { hash: hash(tape), bytes: blob(tape) },
        6 => Input::Seen { slot: tape.string(), time_ms: tape.u64() },
        12 => Input::Replied(Reply {
            request: tape.u32(),
            status: tape.u16(),
            retry_after_ms: tape.u64(),
            random: random(tape),
            body: blob(tape),
        }),
        13 => Input::Adopted(records(tape)),
        15 => Input::InView { slot: tape.string(), leases: blob(tape) },
        _ => Input::Engine(tape.flag()),
    }
}

fn read_boot(tape: &mut Tape<'_>) -> Boot {
    let (write_key, random) = (tape.string(), random(tape));
    let mut parameters = Vec::new();
    for _ in 0..tape.count() {
        parameters.push(tape.string());
    }
    let context = take_map(tape, None, CONTEXT_ENTRIES_MAX);
    Boot { write_key, random, parameters, context, gpc: tape.flag(), stored: records(tape) }
}

fn read_settings(tape: &mut Tape<'_>) -> Settings {
    Settings {
        topology: tape.u8(),
        mode: Mode::of(tape.u8()).unwrap_or(Mode::OptIn),
        policy_version: tape.u16(),
        clock_ms: tape.u64(),
        program: if tape.flag() { Some(hash(tape)) } else { None },
        publish: tape.u64(),
        paused: paused(tape),
        sources: Signals(tape.u8()),
        recalls: tape.flag(),
    }
}

fn read_heard(tape: &mut Tape<'_>) -> Heard {
    Heard {
        source: Signals(tape.u8()),
        what: match tape.u8() {
            1 => What::Absent,
            2 => What::Says,
            3 => What::Nothing,
            _ => What::Asks,
        },
        granted: purposes(tape),
        denied: purposes(tape),
        text: tape.string(),
    }
}

fn paused(tape: &mut Tape<'_>) -> Vec<u64> {
    let mut paused = Vec::new();
    for _ in 0..tape.count() {
        paused.push(u64::from_be_bytes(tape.read(Reader::array)));
    }
    paused
}

fn read_capture(tape: &mut Tape<'_>) -> Capture {
    Capture {
        event_type: EventType::from_number(tape.u8()).unwrap_or(EventType::Track),
        name: tape.string(),
        time_ms: tape.u64(),
        properties: take_map(tape, None, PROPERTIES_MAX),
        automatic: tape.flag(),
        readings: take_map(tape, None, PROPERTIES_MAX),
    }
}

fn records(tape: &mut Tape<'_>) -> Vec<(String, Vec<u8>)> {
    let mut records = Vec::new();
    for _ in 0..tape.count() {
        records.push((tape.string(), blob(tape)));
    }
    records
}

fn blob(tape: &mut Tape<'_>) -> Vec<u8> {
    tape.read(Reader::bytes).into()
}

fn hash(tape: &mut Tape<'_>) -> ProgramHash {
    ProgramHash(tape.read(Reader::array))
}

fn purposes(tape: &mut Tape<'_>) -> Purposes {
    Purposes(tape.u16())
}

fn random(tape: &mut Tape<'_>) -> Random {
    tape.read(Reader::array)
}

/// The bytes of what is shown: slot, rule (empty: the fallback), reason, whether it is recorded when it is seen,
/// then 0, or 1 and the content (id, type, fields).
#[must_use]
#[inline(never)]
pub fn later_show(show: &Show) -> Vec<u8> {
    let mut out = Writer::new();
    out.text(&show.slot);
    out.text(show.rule.as_deref().unwrap_or_default());
    out.text(show.reason.as_str());
    out.flag(show.is_recorded());
    write_content(&mut out, show.content.as_ref());
    out.into_bytes()
}

/// The bytes of a notice: its kind (0 consent, 1 captured, 2 refused, 3 lost, 4 accepted, 9 engine lost), a number, two texts.
#[must_use]
pub fn write_notice(notice: &Notice) -> Vec<u8> {
    let (kind, number, text, code) = match notice {
        Notice::Consent(purposes) => (0, u32::from(purposes.0), "", None),
        Notice::Captured(name, code) => (1, 0, name.as_str(), *code),
        Notice::Refused(sequence, code) => (2, *sequence, "", Some(*code)),
        Notice::Lost(count) => (3, *count, "", None),
        Notice::Accepted(count) => (4, *count, "", None),
        Notice::EngineLost => (9, 0, "", None),
    };
    let mut out = Writer::new();
    out.u8(kind);
    out.varint(u64::from(number));
    out.text(text);
    out.text(code.map_or("", |code| code.as_str()));
    out.into_bytes()
}
