//! The rule engine of the benchmarks in wasm, compiled and optimised as the page's engine is, so that it is as fast here as
//! there. It runs many times for one call, so that the call is not measured.

use selvedge_benches::engine::{self, Engine};
use selvedge_core::rules::{Image, Program};
use wasm_bindgen::prelude::wasm_bindgen;

/// The engine with its visitor.
#[wasm_bindgen]
pub struct EngineBench {
    engine: Engine,
    program: Vec<u8>,
}

#[wasm_bindgen]
impl EngineBench {
    /// The engine with a program of so many rules; `undefined` where the program does not load.
    #[must_use]
    pub fn of(rules: u16) -> Option<Self> {
        let program = engine::program(rules);
        let engine = Engine::new(&program).ok()?;
        Some(Self { engine, program })
    }

    /// The rule that has each slot; -1 where none has it.
    pub fn winners(&mut self) -> Vec<i32> {
        self.engine.winners().map(|rule| rule.map_or(-1, i32::from)).collect()
    }

    /// Decides so many times; how many slots were won in all.
    pub fn decide(&mut self, runs: u32) -> u32 {
        (0..runs).fold(0, |won, _| won.wrapping_add(self.engine.decide() as u32))
    }

    /// Steps by so many events, and decides after each; how many slots were won in all.
    pub fn event(&mut self, runs: u32) -> u32 {
        (0..runs).fold(0, |won, at| won.wrapping_add(self.engine.event(at as usize) as u32))
    }

    /// Opens the program so many times, as a page does that the edge gave it; the bytes of all of them.
    #[must_use]
    pub fn open(&self, runs: u32) -> u32 {
        Self::bytes(runs, || Image::open(self.program.clone()).map_or(0, |image| image.bytes().len()))
    }

    /// Verifies the program so many times, as an isolate of the worker does after a publish; the bytes of all of them.
    #[must_use]
    pub fn load(&self, runs: u32) -> u32 {
        Self::bytes(runs, || Program::load(&self.program).map_or(0, |program| program.bytes().len()))
    }
}

impl EngineBench {
    fn bytes(runs: u32, work: impl Fn() -> usize) -> u32 {
        (0..runs).fold(0, |bytes, _| bytes.wrapping_add(work() as u32))
    }
}
