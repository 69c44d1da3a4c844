//! The Rust half of `shim/host.mjs`: what the host does in one crossing.

use js_sys::{Promise, Uint8Array};
use selvedge_edge::access;
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
        env: &JsValue,
        binding: &str,
        jurisdiction: Option<&str>,
        name: &str,
        path: &str,
        body: Option<Uint8Array>,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn answer(this: &Host, body: Uint8Array, is_json: bool) -> Result<web_sys::Response, JsValue>;

    #[wasm_bindgen(method)]
    fn shown(this: &Host, request: &web_sys::Request) -> String;

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
    fn row(
        this: &Host,
        sql: &JsValue,
        statement: &JsValue,
        values: Vec<JsValue>,
    ) -> Result<Option<Vec<JsValue>>, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn run(this: &Host, sql: &JsValue, statement: &JsValue, values: Vec<JsValue>) -> Result<u32, JsValue>;

    #[wasm_bindgen(method)]
    fn random(this: &Host) -> u32;

    #[wasm_bindgen(method, catch)]
    fn enqueue(this: &Host, queue: &JsValue, text: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &Host, storage: &JsValue, time_ms: f64) -> Result<(), JsValue>;
}

/// What a request shows of its sender, read in one crossing.
pub struct Shown(String);

impl Shown {
    /// What `request` shows.
    pub fn of(request: &web_sys::Request) -> Self {
        Self(HOST.with(|host| host.shown(request)))
    }

    fn line(&self, at: usize) -> &str {
        self.0.split('\n').nth(at).unwrap_or_default()
    }

    fn header(&self, at: usize) -> Option<&str> {
        Some(self.line(at)).filter(|value| !value.is_empty())
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.line(0)
    }

    /// The whole address.
    pub fn address(&self) -> &str {
        self.line(1)
    }

    /// The address from its path on.
    pub fn path(&self) -> &str {
        let own_origin = access::origin_of(self.address());
        let path = self.address().get(own_origin.len()..).unwrap_or_default();
        path.split(['?', '#']).next().unwrap_or_default()
    }

    /// The length that the body is said to have.
    pub fn length(&self) -> Option<usize> {
        self.header(2)?.parse().ok()
    }

    /// The bearer token.
    pub fn bearer(&self) -> Option<&str> {
        access::bearer(self.header(3)?)
    }

    /// The origin.
    pub fn origin(&self) -> Option<&str> {
        self.header(4)
    }

    /// `Sec-GPC: 1`, and nothing else.
    pub fn gpc(&self) -> bool {
        self.header(5) == Some("1")
    }

    /// The visitor's country, where the platform knows it.
    pub fn country(&self) -> Option<String> {
        access::country(self.header(6)?).map(str::to_owned)
    }
}

/// The body of a request.
pub async fn body(request: &web_sys::Request) -> worker::Result<Vec<u8>> {
    let body = JsFuture::from(request.array_buffer()?).await?;
    Ok(Uint8Array::new(&body).to_vec())
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
    let Object { binding, jurisdiction, name } = *object;
    let body = body.map(Uint8Array::from);
    let sent = HOST.with(|host| host.send(env.as_ref(), binding, jurisdiction, name, path, body))?;
    Ok(JsFuture::from(sent).await?.dyn_into()?)
}

/// An answer: bytes, or JSON.
pub fn answer(body: &[u8], is_json: bool) -> worker::Result<web_sys::Response> {
    Ok(HOST.with(|host| host.answer(body.into(), is_json))?)
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
    statement: &JsValue,
    values: Vec<SqlStorageValue>,
) -> worker::Result<Option<Vec<SqlStorageValue>>> {
    let row = HOST.with(|host| host.row(sql.as_ref(), statement, given(values)))?;
    Ok(row.map(|row| row.into_iter().map(taken).collect()))
}

/// Runs a statement; gives how many rows it wrote.
pub fn run(sql: &SqlStorage, statement: &JsValue, values: Vec<SqlStorageValue>) -> worker::Result<u32> {
    Ok(HOST.with(|host| host.run(sql.as_ref(), statement, given(values)))?)
}

/// Values as the host takes them, in one crossing each.
fn given(values: Vec<SqlStorageValue>) -> Vec<JsValue> {
    let given = |value| match value {
        SqlStorageValue::Blob(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        #[expect(clippy::cast_precision_loss, reason = "numbers of this worker stay far below 2^53")]
        SqlStorageValue::Integer(number) => JsValue::from_f64(number as f64),
        other => JsValue::from(other),
    };
    values.into_iter().map(given).collect()
}

/// A value of a row.
fn taken(value: JsValue) -> SqlStorageValue {
    if let Some(number) = value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "numbers of this worker stay far below 2^53")]
        return SqlStorageValue::Integer(number as i64);
    }
    if value.is_null() {
        return SqlStorageValue::Null;
    }
    match value.as_string() {
        Some(text) => SqlStorageValue::String(text),
        None => SqlStorageValue::Blob(Uint8Array::new(&value).to_vec()),
    }
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
