//! The head of the worker: a request and stored state in, rows and an answer out. It does no IO and knows no clock: the
//! shell (`worker/`) reads what is stored, hands it in, and writes what comes out in one transaction.
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

pub mod fault;

pub mod text;

pub mod object;

pub mod json;

pub mod site;

pub mod rates;

pub mod topology;

pub mod alarm;

pub mod publish;

pub mod order;

pub mod access;

pub mod sample_ratio;

pub mod ledger;

pub mod dedup;

pub mod foreign;

pub mod gate;
pub mod cookie;

pub mod decision;

pub mod leases;

pub mod deadlines;

pub mod warm_up;

pub mod ingest;

pub mod lookups;

pub mod preview;

pub mod reasons;

pub mod decide;

pub mod cursor;

pub mod histogram;

pub mod log_line;

pub mod delivery;

pub mod erasure;

pub mod quarantine;

pub mod visitor;

pub mod metrics;
