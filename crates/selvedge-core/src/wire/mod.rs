//! What travels and what is stored: batch, answer, program, visitor's state, log row. Nothing else serializes.
//!
//! Every form follows the postcard format. The page reads and writes by hand ([`codec`]); the edge uses serde and
//! postcard (feature `serde`), held to the same golden files.

pub mod codec;

pub mod tape;

pub mod program;

pub mod record;

pub mod state;

pub mod names;

pub mod property;

pub mod batch;

pub mod answer;

pub mod promise;

pub mod stored;

#[cfg(feature = "serde")]
mod form;

#[cfg(feature = "serde")]
pub mod batch_decode;

#[cfg(feature = "serde")]
pub mod answer_encode;

pub mod log_row;

#[cfg(feature = "serde")]
mod log_row_codec;
