//! What a worker tells a shard beside a body: who sent it, when it came, what the request showed.

use crate::reply::Problem;
use selvedge_core::consent::Mode;
use selvedge_core::tracking_plan::Trust;
use selvedge_edge::fault::Fault;
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

/// An envelope and the body it goes around.
pub fn pack(envelope: &impl Serialize, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut packed = postcard::to_allocvec(envelope)
        .map_err(|_| Fault::internal("the envelope of a request could not be written"))?;
    packed.extend_from_slice(body);
    Ok(packed)
}

/// The envelope at the front of `packed`, and the body.
pub fn unpack<'a, T: Deserialize<'a>>(packed: &'a [u8]) -> Result<(T, &'a [u8]), Problem> {
    postcard::take_from_bytes(packed)
        .map_err(|_| Fault::internal("the envelope of a request could not be read").into())
}
