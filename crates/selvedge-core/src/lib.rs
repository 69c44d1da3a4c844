//! The shared core of Selvedge: the words, the consent state, the tracking plan, the wire and the rules.
//!
//! It runs in the visitor's page, in the edge worker and in the marketer's command line. It does no IO and knows no
//! clock and no randomness: time, random bytes and stored state come in as values.
//!
//! A module imports only modules that stand above it here.
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

#[doc(hidden)]
pub mod mutation;

pub mod pairs;

pub mod limits;

pub mod number;

pub mod date;

pub mod hash;

pub mod address;

pub mod id;

pub mod value;

pub mod consent;

pub mod event;

pub mod tracking_plan;

pub mod masking;

pub mod wire;

pub mod rules;
