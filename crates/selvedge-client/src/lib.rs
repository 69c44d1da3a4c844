//! The head of the page: inputs go in, effects come out. It holds the consent gate, shapes events, keeps the queue,
//! decides what to show, and says what to store, send and put into the page. It touches no clock, no storage, no network.
//!
//! In the page the head comes in two modules of wasm. What is needed to capture, keep, send and withdraw is in the first;
//! functions whose names begin with `later_`, and what only they call, are in the second, which is fetched right after it
//! (xtask/src/wasm_split.rs cuts them). The hands hold back the inputs that need it ([`Input::is_for_later`]): nothing else may
//! lead to such a function.
//!
//! A module imports only modules that stand above it here; the methods of [`Client`] are spread over the last ones.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic,
        clippy::unreachable,
        clippy::todo
    )
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;

mod input;

mod effect;

mod stored;

mod lane;

mod asking;

mod mind;

mod client;

mod capture;

mod consent;

mod deciding;

mod batching;

mod delivery;

mod restore;

mod handle;

pub mod crossing;

mod engine;

mod answering;

pub use asking::Ask;
pub use client::Client;
pub use effect::{Effect, Notice, Show};
pub use engine::Engine;
pub use input::{Boot, Capture, Heard, Input, Random, Reply, Settings, What};
