//! The Rust half of `shim/host.mjs`: what the host does in one crossing.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use worker::durable::Storage;
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Env, SqlStorage, SqlStorageValue};

#[wasm_bindgen]
extern "C" {
    type Host;

    #[wasm_bindgen(thread_local_v2, js_name = __selvedge_host)]
    static HOST: Host;

    #[wasm_bindgen(method, catch)]
    fn send(
        this: &Host,
        namespace: &JsValue,
        jurisdiction: Option<&str>,
        name: &str,
        path: &str,
        body: Option<Uint8Array>,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = shareWith)]
    fn share_with(
        this: &Host,
        response: &web_sys::Response,
        origin: &str,
    ) -> Result<web_sys::Response, JsValue>;

    #[wasm_bindgen(method, catch, js_name = withCookie)]
    fn with_cookie(
        this: &Host,
        response: &web_sys::Response,
        cookie: Option<&str>,
    ) -> Result<web_sys::Response, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn row(this: &Host, sql: &JsValue, statement: &str, values: &Array) -> Result<Option<Array>, JsValue>;

    #[wasm_bindgen(method)]
    fn random(this: &Host) -> u32;

    #[wasm_bindgen(method, catch)]
    fn enqueue(this: &Host, queue: &JsValue, text: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &Host, storage: &JsValue, time_ms: f64) -> Result<(), JsValue>;
}

/// A Durable Object.
pub struct Object<'a> {
    /// What its namespace is bound as.
    pub binding: &'a str,
    /// The jurisdiction that it is bound to.
    pub jurisdiction: Option<&'a str>,
    /// Its name there.
    pub name: &'a str,
}

/// Sends a request to an object: `POST` with a body, `GET` without.
pub async fn send(
    env: &Env,
    object: &Object<'_>,
    path: &str,
    body: Option<&[u8]>,
) -> worker::Result<web_sys::Response> {
    let namespace = js_sys::Reflect::get(env, &object.binding.into())?;
    let body = body.map(Uint8Array::from);
    let sent = HOST.with(|host| host.send(&namespace, object.jurisdiction, object.name, path, body))?;
    Ok(JsFuture::from(sent).await?.dyn_into()?)
}

/// The same answer, readable by a page of this origin.
pub fn share_with(response: &web_sys::Response, origin: &str) -> worker::Result<web_sys::Response> {
    Ok(HOST.with(|host| host.share_with(response, origin))?)
}

/// The same answer to a page that sent its request with cookies; with another cookie where one is given.
pub fn with_cookie(response: &web_sys::Response, cookie: Option<&str>) -> worker::Result<web_sys::Response> {
    Ok(HOST.with(|host| host.with_cookie(response, cookie))?)
}

/// A queue that is bound under this name.
pub struct Queue(JsValue);

/// The queue that is bound as `binding`; `None` where nothing is, or something else.
pub fn queue(env: &Env, binding: &str) -> Option<Queue> {
    let bound = js_sys::Reflect::get(env, &binding.into()).ok()?;
    let send = js_sys::Reflect::get(&bound, &"send".into()).ok()?;
    send.is_function().then_some(Queue(bound))
}

/// Sends a text to a queue, which holds it then.
pub async fn enqueue(queue: &Queue, text: &str) -> worker::Result<()> {
    let sent = HOST.with(|host| host.enqueue(&queue.0, text))?;
    JsFuture::from(sent).await?;
    Ok(())
}

/// The first row of a statement.
pub fn row(
    sql: &SqlStorage,
    statement: &str,
    values: Vec<SqlStorageValue>,
) -> worker::Result<Option<Vec<SqlStorageValue>>> {
    let values: Array = values.into_iter().map(JsValue::from).collect();
    let row = HOST.with(|host| host.row(sql.as_ref(), statement, &values))?;
    row.map(|row| row.iter().map(SqlStorageValue::try_from).collect()).transpose()
}

/// Any number: it spreads what would else happen at once.
pub fn random() -> u32 {
    HOST.with(Host::random)
}

/// Sets the alarm of an object, within the transaction that is open.
pub fn set_alarm(storage: &Storage, time_ms: u64) -> worker::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "a time of this millennium is far below 2^53")]
    let time_ms = time_ms as f64;
    Ok(HOST.with(|host| host.set_alarm(storage.as_raw().as_ref(), time_ms))?)
}
