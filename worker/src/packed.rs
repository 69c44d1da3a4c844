//! What a worker and an object tell each other, in few bytes: neither keeps it.

use crate::reply::Problem;
use selvedge_edge::fault::Fault;
use serde::{Deserialize, Serialize};

/// Something said, and the body that it goes around.
pub fn pack(said: &impl Serialize, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut packed = postcard::to_allocvec(said)
        .map_err(|_| Fault::internal("what a worker and an object say could not be written"))?;
    packed.extend_from_slice(body);
    Ok(packed)
}

/// What is said at the front of `packed`, and the body.
pub fn unpack<'a, T: Deserialize<'a>>(packed: &'a [u8]) -> Result<(T, &'a [u8]), Problem> {
    postcard::take_from_bytes(packed)
        .map_err(|_| Fault::internal("what a worker and an object say could not be read").into())
}
