//! Any bytes, loaded as a program, opened as one without being verified (as a page does), and read as a state: nothing
//! panics, and a visitor under what loads or opens comes to an end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use selvedge_core::rules::{Image, Program};
use selvedge_core::wire::program::edge_config;
use selvedge_core::wire::state::VisitorState;
use selvedge_fuzz::rules::{page_visit, visit};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(state) = VisitorState::decode(bytes) {
        let _ = state.encode();
    }
    let _ = edge_config(bytes);
    if let Ok(image) = Image::open(bytes.into()) {
        page_visit(&image);
    }
    if let Ok(program) = Program::load(bytes) {
        let _ = visit(&program);
    }
});
