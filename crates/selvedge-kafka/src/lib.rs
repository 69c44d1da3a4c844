//! A Kafka producer without IO: records and what brokers said go in, frames and verdicts come out.
//!
//! It knows no socket, no clock and no randomness: a shell opens the links that [`Burst::step`] asks for, carries bytes,
//! bounds the time, and hands in the nonce. What must survive a crash is a [`Producer`], which the shell keeps beside the
//! log: with it a batch is sent again byte for byte. Requests are written by the crate `kafka-protocol`; what comes back
//! from a broker is read here, because a reader of foreign bytes must hold bounds and must not panic.
//!
//! A module imports only modules that stand above it here.
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

pub mod limits;

pub mod code;

pub mod murmur2;

mod base64;

mod reader;

pub mod frame;

pub mod answer;

mod ask;

pub mod settings;

pub mod scram;

pub mod record;

pub mod producer;

pub mod cluster;

mod login;

mod link;

mod sending;

pub mod burst;

#[cfg(any(test, feature = "brokers"))]
pub mod brokers;

pub use burst::{Burst, Outcome, Step, Verdict};
pub use producer::Producer;
pub use record::Record;
pub use settings::{Address, Mechanism, Sasl, Settings};
