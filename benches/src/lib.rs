//! What is measured. Each module is a piece of work that is the same wherever it runs: natively under `cargo bench`, and
//! in Chromium, behind the exports of `benches/measured`. The measuring stands in `benches/benches` and `benches/browser`, the
//! targets in `benches/budgets.toml`.

pub mod visit;

pub mod engine;

pub mod measure;
