//! Any bytes, loaded as a program and read as a state: nothing panics, and a visitor under what loads comes to an end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_core::rules::{Image, Program};
use selvedge_core::wire::program::edge_config;
use selvedge_core::wire::state::VisitorState;
use selvedge_fuzz::rules::visit;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(state) = VisitorState::decode(bytes) {
        let _ = state.encode();
    }
    let _ = edge_config(bytes);
    let _ = Image::open(bytes.into());
    if let Ok(program) = Program::load(bytes) {
        let _ = visit(&program);
    }
});
