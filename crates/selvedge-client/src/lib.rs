//! The head of the page: inputs go in, effects come out. It holds the consent gate, shapes events, keeps the queue,
//! decides what to show, and says what to store, send and put into the page. It touches no clock, no storage, no network.
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
