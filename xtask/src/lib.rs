//! Every chore of the repository, one module each; `main.rs` only reads the command line.
//!
//! A module imports only modules that stand above it here.

pub mod repo;

pub mod run;

pub mod say;

pub mod table;

pub mod stamp;

pub mod setup;

mod wasm_module;

mod wasm_cuts;

mod wasm_traps;

mod wasm_hints;

mod wasm_split;

pub mod wasm;

pub mod pages;

pub mod build;

pub mod workerd;

pub mod secrets;

pub mod site;

pub mod server;

pub mod dev;

pub mod budget;

pub mod beside;

mod shares;

mod features;

pub mod size;

pub mod bench;

pub mod fuzz;

pub mod sim;

pub mod test;

pub mod arguments;

pub mod tidy;
