//! One socket, and the time that it may take.

use crate::clock::now_ms;
use futures_util::future::{Either, select};
use js_sys::{Reflect, Uint8Array};
use selvedge_kafka::Address;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::spawn_local;
use worker::{Delay, SecureTransport, Socket};

/// Bytes that are read at once.
const READ_BYTES: usize = 16_384;

/// An open socket. Dropped it is closed: an open one would keep the object awake, and paid for.
pub struct Link {
    socket: Option<Socket>,
}

impl Link {
    /// Opens a socket, with TLS where asked, and waits until it is open.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub async fn open(address: &Address, has_tls: bool, until_ms: u64) -> Result<Link, String> {
        let transport = if has_tls { SecureTransport::On } else { SecureTransport::Off };
        let connected =
            Socket::builder().secure_transport(transport).connect(address.host.as_str(), address.port);
        let link = Link { socket: Some(connected.map_err(|error| error.to_string())?) };
        if let Some(socket) = &link.socket {
            by(until_ms, socket.opened()).await?.map_err(|error| error.to_string())?;
        }
        Ok(link)
    }

    /// Writes all of the bytes.
    ///
    /// # Errors
    /// What went wrong, in words.
    pub async fn write(&mut self, bytes: &[u8], until_ms: u64) -> Result<(), String> {
        let Some(socket) = &mut self.socket else { return Err("it is closed".into()) };
        let written = async {
            socket.write_all(bytes).await?;
            socket.flush().await
        };
        by(until_ms, written).await?.map_err(|error| error.to_string())
    }

    /// Some bytes, as soon as there are any.
    ///
    /// # Errors
    /// What went wrong, in words; also where the broker closed the socket.
    pub async fn read(&mut self, until_ms: u64) -> Result<Vec<u8>, String> {
        let Some(socket) = &mut self.socket else { return Err("it is closed".into()) };
        let mut bytes = vec![0; READ_BYTES];
        let count = by(until_ms, socket.read(&mut bytes)).await?.map_err(|error| error.to_string())?;
        if count == 0 {
            return Err("the broker closed the connection".into());
        }
        bytes.truncate(count);
        Ok(bytes)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let Some(mut socket) = self.socket.take() else { return };
        spawn_local(async move {
            // A socket that is broken already cannot be closed, and need not be.
            let _ = socket.close().await;
        });
    }
}

/// What the future gives, where that is in time.
async fn by<T>(until_ms: u64, work: impl Future<Output = T>) -> Result<T, String> {
    let left = Duration::from_millis(until_ms.saturating_sub(now_ms()));
    match select(pin!(work), pin!(Delay::from(left))).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(_) => Err("no answer in time".into()),
    }
}

/// Random bytes of the platform, that nobody can guess.
///
/// # Errors
/// Where the platform has none.
pub fn nonce() -> Result<[u8; 18], String> {
    let words = |error: JsValue| format!("no random bytes: {error:?}");
    let bytes = Uint8Array::new_with_length(18);
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).map_err(words)?;
    let fill: js_sys::Function =
        Reflect::get(&crypto, &"getRandomValues".into()).map_err(words)?.dyn_into().map_err(words)?;
    fill.call1(&crypto, &bytes).map_err(words)?;
    let mut nonce = [0; 18];
    bytes.copy_to(&mut nonce);
    Ok(nonce)
}
