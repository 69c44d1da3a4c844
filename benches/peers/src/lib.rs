//! The same ten rules in Selvedge, in four other engines and by hand, at 10 to 10,000 rules: natively (`main.rs`), and all of
//! them as one wasm module in one page (`page.rs`, measured by `benches/browser/peers.engine.bench.mjs`).
//!
//! The peers: zen-expression, cel, datalogic-rs (JSONLogic), wirefilter-engine 0.6 (the last one published), and the rules as a
//! person writes them into a Rust program (`match`).
//!
//! All of them must say the same of every rule for 64 visitors before anything is measured. The others keep no state and
//! count nothing: they are given what a visitor's state comes to. Selvedge's event includes that it steps its state.

pub mod facts;
pub mod rule;

pub mod engines;
pub mod ours;

pub mod peers;

#[cfg(target_arch = "wasm32")]
mod page;
