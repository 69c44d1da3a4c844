//! Requests to an address: a body of the format that the destination asks for, signed, and what the answer's status means.
//! No redirect is followed.

use super::Sending;
use crate::clock::now_ms;
use crate::settings;
use futures_util::future::{Either, select};
use selvedge_core::wire::program::{Header, Http};
use selvedge_edge::delivery::encode::{self, Body};
use selvedge_edge::delivery::reach;
use selvedge_edge::delivery::record::Record;
use selvedge_edge::delivery::sent::{SendResult, Sent};
use selvedge_edge::delivery::status::{Meaning, is_refusal, meaning_of, retry_after_ms};
use std::pin::pin;
use std::time::Duration;
use worker::{
    AbortController, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response,
};

/// Bytes of an answer that are read to say what went wrong.
const TOLD_BYTES_MAX: u64 = 2_048;

/// Sends the records: in one request, or in one each where the format is of single events.
pub async fn send(sending: &Sending<'_>, http: &Http) -> Sent {
    let records_max = encode::records_max(http.format).max(1);
    let (mut done, mut possible_duplicates) = (0usize, 0u64);
    for records in sending.records.chunks(records_max) {
        if now_ms() >= sending.give_up_ms {
            return Sent { done, possible_duplicates, ..Sent::of(SendResult::Some) };
        }
        let id = match records {
            [record] if records_max == 1 => &record.id,
            _ => sending.id,
        };
        let result = match request(sending, http, id, records) {
            Ok(request) => answer(request, sending.give_up_ms).await,
            Err(result) => result,
        };
        if result != SendResult::Delivered {
            return Sent { done, possible_duplicates, ..Sent::of(told_of(result, done, records_max)) };
        }
        done = done.saturating_add(records.len());
        if sending.is_unsure {
            let records = u64::try_from(records.len()).unwrap_or(u64::MAX);
            possible_duplicates = possible_duplicates.saturating_add(records);
        }
    }
    Sent { done, possible_duplicates, ..Sent::of(SendResult::Delivered) }
}

/// Where requests are of single events, it is known which one is refused.
fn told_of(result: SendResult, done: usize, records_max: usize) -> SendResult {
    match result {
        SendResult::Poison { why, .. } | SendResult::Split { why } if records_max == 1 => {
            SendResult::Poison { records: vec![done], why }
        }
        other => other,
    }
}

fn request(sending: &Sending<'_>, http: &Http, id: &str, records: &[&Record]) -> Result<Request, SendResult> {
    let pause = |why: String| SendResult::Pause { why };
    reach::check(sending.destination, settings::may_reach_loopback(sending.env)).map_err(pause)?;
    let body = encode::http_body(http.format, records);
    let headers = headers(sending, http, id, &body).map_err(pause)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_redirect(RequestRedirect::Manual)
        .with_headers(headers)
        .with_body(Some(js_sys::Uint8Array::from(body.bytes.as_slice()).into()));
    Request::new_with_init(&http.url, &init).map_err(|error| pause(error.to_string()))
}

fn headers(sending: &Sending<'_>, http: &Http, id: &str, body: &Body) -> Result<Headers, String> {
    let headers = Headers::new();
    let set = |name: &str, value: &str| headers.set(name, value).map_err(|error| error.to_string());
    set("content-type", body.content_type)?;
    for Header { name, value, secret } in &http.headers {
        let said = match secret {
            Some(secret) => format!("{value}{}", secret_of(sending, secret)?),
            None => value.clone(),
        };
        set(name, &said)?;
    }
    let secrets = http.secrets.iter().map(|name| secret_of(sending, name));
    let secrets = secrets.collect::<Result<Vec<_>, _>>()?;
    if secrets.is_empty() {
        set("webhook-id", id)?;
        return Ok(headers);
    }
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let signed = encode::webhook_headers(&secrets, id, now_ms() / 1_000, &body.bytes);
    for (name, value) in signed.map_err(|fault| fault.to_string())? {
        set(name, &value)?;
    }
    Ok(headers)
}

fn secret_of(sending: &Sending<'_>, name: &str) -> Result<String, String> {
    settings::secret(sending.env, name).ok_or_else(|| format!("the secret {name} is not set"))
}

async fn answer(request: Request, give_up_ms: u64) -> SendResult {
    let again = |is_answered, why| SendResult::Again { after_ms: None, is_answered, why };
    let controller = AbortController::default();
    let signal = controller.signal();
    let left = Duration::from_millis(give_up_ms.saturating_sub(now_ms()).max(1));
    let asked = pin!(async {
        let answer = Fetch::Request(request).send_with_signal(&signal).await;
        match answer {
            Ok(response) => of_response(response).await,
            Err(error) => again(false, format!("no answer: {error}")),
        }
    });
    match select(asked, pin!(Delay::from(left))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => {
            controller.abort();
            again(false, "no answer in time".into())
        }
    }
}

async fn of_response(mut response: Response) -> SendResult {
    let status = response.status_code();
    let meaning = meaning_of(status);
    if meaning == Meaning::Delivered {
        return SendResult::Delivered;
    }
    let asked_ms = response.headers().get("retry-after").ok().flatten().and_then(|text| wait_ms(&text));
    let why = told(&mut response, status).await;
    match meaning {
        Meaning::Delivered => SendResult::Delivered,
        Meaning::Again => SendResult::Again { after_ms: asked_ms, is_answered: is_refusal(status), why },
        Meaning::Split => SendResult::Split { why },
        Meaning::Poison => SendResult::Poison { records: Vec::new(), why },
        Meaning::Pause => SendResult::Pause { why },
    }
}

/// The status, and what a short answer says.
async fn told(response: &mut Response, status: u16) -> String {
    let length = response.headers().get("content-length").ok().flatten();
    let is_short =
        length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|length| length <= TOLD_BYTES_MAX);
    let text = if is_short { response.text().await.unwrap_or_default() } else { String::new() };
    format!("it answered {status} {}", text.trim()).trim_end().to_owned()
}

/// A wait in seconds, or until a date.
fn wait_ms(header: &str) -> Option<u64> {
    retry_after_ms(header).or_else(|| {
        let date_ms = js_sys::Date::parse(header);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a date as far as it goes"
        )]
        let date_ms = date_ms.is_finite().then_some(date_ms as u64);
        date_ms.map(|date_ms| date_ms.saturating_sub(now_ms()))
    })
}
