//! Every chore of the repository.

pub mod build;
pub mod pages;
pub mod repo;
pub mod run;
pub mod say;
pub mod secrets;
pub mod setup;
pub mod stamp;
pub mod wasm;
pub mod workerd;
