//! The wasm boundary of the edge: routes, the two Durable Objects and their storage, around the pure `selvedge-edge`.
//!
//! Requests enter through `shim/index.mjs`, which puts a fence around every call. Each visitor's step runs in one
//! transaction behind the barrier of `shim/barrier.mjs`.
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

mod clock;

mod settings;

mod reply;

mod packed;

mod host;
mod body;

mod sql;

mod barrier;

mod fault_plan;

mod tables;

mod registry_client;

mod blobs;

mod programs;

mod delivery;

#[expect(missing_docs, reason = "the methods that `durable_object` generates bear none")]
mod registry;

#[expect(missing_docs, reason = "the methods that `durable_object` generates bear none")]
mod shard;

mod routes;

pub use barrier::selvedge_step;
pub use registry::Registry;
pub use shard::Shard;

use worker::{Context, Env, event};

/// Every request to the worker.
#[event(fetch)]
pub async fn fetch(
    request: web_sys::Request,
    env: Env,
    _context: Context,
) -> worker::Result<web_sys::Response> {
    routes::route(request, env).await
}
