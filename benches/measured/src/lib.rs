//! The rule engine of the benchmarks in wasm, compiled and optimised as the page's engine is, so that it is as fast here as
//! there. It runs many times for one call, so that the call is not measured.

use selvedge_benches::engine::{self, Engine};
use wasm_bindgen::prelude::wasm_bindgen;

/// The engine with its visitor.
#[wasm_bindgen]
pub struct EngineBench(Engine);

#[wasm_bindgen]
impl EngineBench {
    /// The engine with a program of so many rules; `undefined` where the program does not load.
    #[must_use]
    pub fn of(rules: u16) -> Option<Self> {
        Engine::new(&engine::program(rules)).ok().map(Self)
    }

    /// The rule that has each slot; -1 where none has it.
    pub fn winners(&mut self) -> Vec<i32> {
        self.0.winners().map(|rule| rule.map_or(-1, i32::from)).collect()
    }

    /// Decides so many times; how many slots were won in all.
    pub fn decide(&mut self, runs: u32) -> u32 {
        (0..runs).fold(0, |won, _| won.wrapping_add(self.0.decide() as u32))
    }

    /// Steps by so many events, and decides after each; how many slots were won in all.
    pub fn event(&mut self, runs: u32) -> u32 {
        (0..runs).fold(0, |won, at| won.wrapping_add(self.0.event(at as usize) as u32))
    }
}
