//! WASM BOUNDARY of the page's rule engine: a module of its own, which a page fetches where its program has rules. Questions
//! and answers are those of `selvedge_client::Ask`; the base module (`selvedge-browser`) asks them.
#![cfg_attr(target_arch = "wasm32", no_std)]
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

mod boundary;

#[cfg(target_arch = "wasm32")]
mod runtime;
