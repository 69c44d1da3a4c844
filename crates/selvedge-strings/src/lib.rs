//! WASM BOUNDARY of what reads consent strings of the IAB (TCF, GPP): a module of its own, which a page fetches where its site
//! names such a source of consent. The decoders are those of `selvedge_core::consent`.
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

mod boundary;

#[cfg(target_arch = "wasm32")]
mod runtime;
