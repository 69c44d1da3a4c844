//! Requests to the one registry object.

use crate::reply::Problem;
use worker::{Env, Method, Request, RequestInit, Response};

/// Asks the registry object.
pub async fn registry(env: &Env, path: &str) -> Result<Response, Problem> {
    let request = Request::new(&format!("https://registry{path}"), Method::Get)?;
    Ok(env.durable_object("REGISTRY")?.get_by_name("registry")?.fetch_with_request(request).await?)
}

/// Sends the registry object a body.
pub async fn tell_registry(env: &Env, path: &str, body: &[u8]) -> Result<Response, Problem> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(js_sys::Uint8Array::from(body).into()));
    let request = Request::new_with_init(&format!("https://registry{path}"), &init)?;
    Ok(env.durable_object("REGISTRY")?.get_by_name("registry")?.fetch_with_request(request).await?)
}
