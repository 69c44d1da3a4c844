//! A site's YAML in; two programs and diagnostics out. No IO, no clock, no randomness: the same files give the same
//! bytes.
//!
//! The road of a site: text -> [`yaml`] tree -> as [`written`] -> [`resolved`] (names, types, three-valued logic) ->
//! [`lower`]ed to the parts of the programs.
#![forbid(unsafe_code)]

mod codes;
mod source;
mod threads;

mod follow_on;
mod fixes;
mod diagnostic;
mod render;
mod suggest;

mod literal;
mod yaml;

mod fields;

mod condition;

mod template;
mod markup;

pub mod default_plan;

mod written;

mod resolved;

mod lower;

pub mod cases;

mod against;
mod analysis;
mod implied;

mod hardly_meant;
mod limits_check;
mod content_check;
mod purpose_check;
mod summary;
mod urgent;

mod compile;
pub mod docs;
pub mod schema;

pub use codes::{Code, Severity, UnknownCode};
pub use compile::{Compilation, Compiled, compile, compile_beside, keys_read};
pub use diagnostic::Diagnostic;
pub use render::{render, render_colored};
pub use source::Position;
pub use suggest::did_you_mean;
pub use summary::{MetricSummary, RuleSummary, Summary};
