//! What is measured. Each module is a piece of work that is the same wherever it runs: natively under `cargo bench`, later
//! in wasm. The measuring stands in `benches/benches`, the targets in `benches/budgets.toml`.

pub mod engine;

pub mod measure;
