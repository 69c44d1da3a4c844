//! WASM BOUNDARY of the page: a thin shell over `selvedge-client`. Bytes and numbers cross it, one call each way for a
//! thing that happens; the functions of `./host.js` (www/sdk/src/host.ts) do what the head says.
//!
//! In the page it is `no_std`: the head cannot panic, so that the panic handler is a trap that is never reached.
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
