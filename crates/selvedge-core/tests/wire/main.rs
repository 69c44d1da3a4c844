//! The wire held to its promises: golden files, laws over generated values, and refusals.

mod golden;
mod laws;
mod oracle;
mod refusals;
mod rows;
mod sample;
