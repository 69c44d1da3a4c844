//! The engine's side of [`crate::asking`]: questions in, answers out.

use crate::asking::{ANSWERED, Ask, BEGIN, CLAIM, DROPPED, LOOK, SHARE, SPENT, STEP};
use crate::engine::{Beginning, Engine, Heard, Wanted};
use crate::stored::{read_leases, read_queued, write_leases};
use alloc::vec::Vec;
use selvedge_core::id::{VisitorId, WriterId};
use selvedge_core::limits::CONTEXT_ENTRIES_MAX;
use selvedge_core::wire::batch::read_snapshot;
use selvedge_core::wire::codec::{Reader, Writer};
use selvedge_core::wire::property::take_map;
use selvedge_core::wire::tape::Tape;

impl Ask for Engine {
    fn ask(&mut self, question: &[u8]) -> Vec<u8> {
        let tape = &mut Tape::new(question);
        let mut out = Writer::new();
        out.u8(ANSWERED);
        match tape.u8() {
            BEGIN => answer_begin(self, tape, &mut out),
            STEP => answer_step(self, tape),
            LOOK => answer_look(self, &read_setting(tape), &mut out),
            CLAIM => answer_claim(self, tape, &mut out),
            SHARE => self.share_leases(read_leases(tape.rest())),
            SPENT => self.spent(tape.text()),
            DROPPED => out.raw(&write_leases(&self.dropped_leases(&read_setting(tape)))),
            _ => return Vec::new(),
        }
        out.into_bytes()
    }
}

fn read_setting(tape: &mut Tape<'_>) -> Heard {
    let now_ms = tape.u64();
    let consent = tape.read(|reader| read_snapshot(reader));
    let visitor = VisitorId(tape.read(Reader::array));
    let mut paused = Vec::new();
    for _ in 0..tape.count() {
        paused.push(tape.read(Reader::fixed_u64));
    }
    let mut heard = Heard {
        now_ms,
        consent,
        visitor,
        paused,
        writer: WriterId::from_bits(0),
        skew_ms: 0,
        context: selvedge_core::value::Map::new(),
    };
    read_writer(tape, &mut heard);
    heard
}

fn read_writer(tape: &mut Tape<'_>, heard: &mut Heard) {
    heard.writer = WriterId::from_bits(tape.u64());
    heard.skew_ms = tape.i64();
    heard.context = take_map(tape, None, CONTEXT_ENTRIES_MAX);
}

fn answer_begin(engine: &mut Engine, tape: &mut Tape<'_>, out: &mut Writer) {
    let from = Beginning {
        is_visitor_new: tape.flag(),
        is_let_go: tape.flag(),
        is_blind: tape.flag(),
        born_ms: tape.i64(),
        record: tape.read(Reader::bytes),
        answer: tape.read(Reader::bytes),
        leases: tape.read(Reader::bytes),
        program: if tape.flag() { Some(tape.rest()) } else { None },
    };
    let (is_program, is_state) = engine.begin(&from);
    out.flag(is_program);
    out.flag(is_state);
}

fn answer_step(engine: &mut Engine, tape: &mut Tape<'_>) {
    let setting = read_setting(tape);
    let (rewinds, decides) = (tape.flag(), tape.flag());
    if rewinds {
        engine.rewind();
    }
    if tape.is_sound() {
        run_lanes(engine, tape, &setting);
    }
    if rewinds {
        engine.spend_leases();
    }
    if decides {
        engine.decide(&setting);
    }
}

fn run_lanes(engine: &mut Engine, tape: &mut Tape<'_>, setting: &Heard) {
    let Heard { now_ms, consent, visitor, paused, .. } = setting;
    for _ in 0..tape.count() {
        let mut setting = Heard {
            now_ms: *now_ms,
            consent: *consent,
            visitor: *visitor,
            paused: paused.clone(),
            writer: WriterId::from_bits(0),
            skew_ms: 0,
            context: selvedge_core::value::Map::new(),
        };
        read_writer(tape, &mut setting);
        for _ in 0..tape.count() {
            let (applies, queued) = (tape.flag(), read_queued(tape.read(Reader::bytes)));
            if let Some((captured, event)) = queued.filter(|_| applies) {
                engine.run(&event, &captured, &setting);
            }
        }
    }
}

fn answer_look(engine: &mut Engine, setting: &Heard, out: &mut Writer) {
    out.flag(engine.wants_edge());
    out.varint(engine.next_wake_ms(setting).unwrap_or(0));
    let wanted = engine.wanted(setting);
    out.flag(wanted.is_some());
    let wanted = wanted.unwrap_or_default();
    out.count(wanted.len());
    for Wanted { show, stands } in &wanted {
        show.write(out);
        out.flag(*stands);
    }
}

fn answer_claim(engine: &mut Engine, tape: &mut Tape<'_>, out: &mut Writer) {
    let setting = read_setting(tape);
    let (slot, rule) = (tape.text(), tape.text());
    out.u8(engine.claim(slot, rule, setting.rules_now_ms()) as u8);
    out.raw(&write_leases(engine.shared()));
}
