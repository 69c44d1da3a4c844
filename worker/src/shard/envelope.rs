//! What a worker tells a shard beside a body: who sent it, when it came, what the request showed.

use selvedge_core::consent::Mode;
use selvedge_core::tracking_plan::Trust;
use serde::{Deserialize, Serialize};

/// Around a batch, which is opened already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The site.
    pub site: String,
    /// Its publish, as the worker knows it.
    pub publish: u64,
    /// When the request came.
    pub received_ms: u64,
    /// The source's name.
    pub source: String,
    /// Whether the source is trusted as a server.
    pub is_server: bool,
    /// Whether the batch is in its JSON form.
    pub is_json: bool,
    /// `Sec-GPC: 1`.
    pub gpc: bool,
    /// What unknown consent means where the visitor is: the mode's number.
    pub mode: u8,
    /// The visitor's country.
    pub country: Option<String>,
}

/// Around a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The site.
    pub site: String,
    /// Its publish, as the worker knows it.
    pub publish: u64,
}

impl Envelope {
    /// What the source is trusted with.
    pub const fn trust(&self) -> Trust {
        if self.is_server { Trust::Server } else { Trust::Client }
    }

    /// What unknown consent means where the visitor is.
    pub const fn mode(&self) -> Mode {
        match Mode::of(self.mode) {
            Some(mode) => mode,
            None => Mode::OptIn,
        }
    }
}
