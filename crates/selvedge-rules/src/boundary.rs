//! The one function of the engine.

use alloc::vec::Vec;
use selvedge_client::{Ask, Engine};
use spin::Mutex;
use wasm_bindgen::prelude::wasm_bindgen;

/// The engine of this page. The lock is never contended: a page has one thread.
static ENGINE: Mutex<Option<Engine>> = Mutex::new(None);

/// The answer to a question; empty where it is none.
#[wasm_bindgen]
pub fn ask(question: &[u8]) -> Vec<u8> {
    ENGINE.lock().get_or_insert_default().ask(question)
}
