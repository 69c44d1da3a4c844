//! What the page's benchmark calls. It runs many times for one call, so that the call is not measured.

use crate::peers::{Engine, Peers};
use wasm_bindgen::prelude::{JsError, wasm_bindgen};

/// All engines with the same rules.
#[wasm_bindgen]
pub struct PeersBench(Peers);

#[wasm_bindgen]
impl PeersBench {
    /// So many rules in every engine.
    pub fn of(rules: usize) -> Result<Self, JsError> {
        Peers::of(rules).map(Self).map_err(|fault| JsError::new(&format!("{fault:#}")))
    }

    /// The engines' names, in the order of their numbers.
    pub fn names() -> Vec<String> {
        Engine::ALL.map(|engine| engine.name().to_owned()).into()
    }

    /// Whether all say the same of every rule for every visitor; how often a rule was true.
    pub fn check(&mut self) -> Result<usize, JsError> {
        self.0.check().map_err(|fault| JsError::new(&format!("{fault:#}")))
    }

    /// Asks every rule so many times.
    pub fn decide(&mut self, engine: usize, runs: u32) -> usize {
        (0..runs).fold(0, |sum, _| sum.wrapping_add(self.0.ask(Engine::ALL[engine])))
    }

    /// So many events: what is known is set anew, then every rule is asked.
    pub fn event(&mut self, engine: usize, runs: u32) -> usize {
        (0..runs).fold(0, |sum, _| sum.wrapping_add(self.0.event(Engine::ALL[engine])))
    }
}
