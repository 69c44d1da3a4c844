//! Bodies, read in bounded memory.

use crate::host::{self, Shown};
use crate::reply::Problem;
use futures_util::StreamExt;
use selvedge_edge::fault::Fault;
use worker::Request;

/// How much of a body above its bound is read before the sender is cut off.
const DRAINED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The body of a request, where it has at most `bytes_max` bytes. A length that is stated is believed (the platform
/// enforces it); a body without one is read piece by piece.
pub async fn read(request: &mut Request, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    let stated = request.headers().get("content-length")?.and_then(|length| length.parse::<usize>().ok());
    match stated {
        Some(length) if length > bytes_max => {
            drain(request).await;
            Err(too_large(bytes_max))
        }
        Some(_) => Ok(request.bytes().await?),
        None => read_pieces(request, bytes_max).await,
    }
}

/// As [`read`], of a request that shows how much it brings.
pub async fn of(request: &web_sys::Request, shown: &Shown, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    if shown.length().is_none_or(|length| length > bytes_max) {
        return read(&mut Clone::clone(request).into(), bytes_max).await;
    }
    Ok(host::body(request).await?)
}

async fn read_pieces(request: &mut Request, bytes_max: usize) -> Result<Vec<u8>, Problem> {
    if request.inner().body().is_none() {
        return Ok(Vec::new());
    }
    let mut pieces = request.stream()?;
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
    }
    Ok(body)
}

/// Reads what is being sent and forgets it, so that the sender is still there to hear the answer. One that goes on beyond
/// [`DRAINED_BYTES_MAX`] is cut off.
async fn drain(request: &mut Request) {
    let Ok(mut pieces) = request.stream() else { return };
    let mut drained = 0usize;
    while let Some(Ok(piece)) = pieces.next().await {
        drained = drained.saturating_add(piece.len());
        if drained > DRAINED_BYTES_MAX {
            return;
        }
    }
}

fn too_large(bytes_max: usize) -> Problem {
    Fault::too_large(format!("a body of this route has at most {bytes_max} bytes")).into()
}
