//! A running worker over HTTP: where it is, who asks, and what its answers mean.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use std::io::{BufReader, Read};
use std::time::Duration;
use ureq::http::Response;
use ureq::{Agent, Body};

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the worker is, and the token that opens its admin routes.
#[derive(Debug, Clone, Args)]
pub struct RemoteArguments {
    /// Address of the worker
    #[arg(
        long,
        env = "SELVEDGE_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:8787",
        value_name = "URL"
    )]
    pub url: String,
    /// Admin token; `cargo xtask dev` prints it
    #[arg(long, env = "SELVEDGE_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: String,
}

/// A worker that can be asked.
#[derive(Debug, Clone)]
pub struct Remote {
    agent: Agent,
    url: String,
    token: String,
}

/// An answer as it came.
#[derive(Debug)]
pub struct RawAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Seconds that the worker asks to wait (`retry-after`).
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a worker says of a route that it does not have.
const NO_ROUTE: &str = "there is no such route";

/// What a worker says of a request that it refuses.
#[derive(Deserialize)]
struct WorkerError {
    message: String,
    fix: String,
}

impl RawAnswer {
    /// What the worker says was wrong, where it says so.
    fn error(&self) -> Option<WorkerError> {
        #[derive(Deserialize)]
        struct Refused {
            error: WorkerError,
        }
        serde_json::from_slice(&self.body).ok().map(|Refused { error }| error)
    }

    /// The body as text, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().chars().take(500).collect()
    }
}

impl Remote {
    /// The worker that the arguments name. Nothing is sent yet.
    #[must_use]
    pub fn new(arguments: &RemoteArguments) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .user_agent(concat!("selvedge-cli/", env!("CARGO_PKG_VERSION")));
        let url = arguments.url.trim_end_matches('/').to_owned();
        Self { agent: config.build().into(), url, token: arguments.token.clone() }
    }

    /// Where the worker is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Posts bytes to a path, with the admin token.
    ///
    /// # Errors
    /// Where no answer came: the connection was refused, cut, or took too long.
    pub fn post(&self, path: &str, body: &[u8]) -> Result<RawAnswer> {
        let request = self
            .agent
            .post(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/octet-stream")
            .config()
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        read_answer(request.send(body).with_context(|| self.unreachable())?)
    }

    /// Sends bytes to a path with this method, with the admin token.
    ///
    /// # Errors
    /// Where no answer came.
    pub fn send(&self, method: &str, path: &str, body: &[u8]) -> Result<RawAnswer> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/octet-stream")
            .body(body)?;
        let agent = &self.agent;
        let configured = agent.configure_request(request).timeout_global(Some(ANSWER_TIMEOUT));
        let request = configured.allow_non_standard_methods(true).build();
        read_answer(agent.run(request).with_context(|| self.unreachable())?)
    }

    /// Gets a path, with the admin token.
    ///
    /// # Errors
    /// Where no answer came.
    pub fn get(&self, path: &str) -> Result<RawAnswer> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token))
            .config()
            .timeout_global(Some(ANSWER_TIMEOUT))
            .build();
        read_answer(request.call().with_context(|| self.unreachable())?)
    }

    /// Opens a path whose answer may go on for ever, with the admin token.
    ///
    /// # Errors
    /// Where no answer came, or one with another status than 200.
    pub fn stream(&self, path: &str) -> Result<BufReader<impl Read + use<>>> {
        let request = self
            .agent
            .get(format!("{}{path}", self.url))
            .header("authorization", format!("Bearer {}", self.token));
        let response = request.call().with_context(|| self.unreachable())?;
        if response.status().as_u16() == 200 {
            return Ok(BufReader::new(response.into_body().into_reader()));
        }
        refused(&read_answer(response)?, path)
    }

    fn unreachable(&self) -> String {
        format!("no answer from {}; is the worker running? (`cargo xtask dev` starts one)", self.url)
    }
}

fn read_answer(response: Response<Body>) -> Result<RawAnswer> {
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after_s = retry_after.and_then(|seconds| seconds.parse().ok());
    let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    Ok(RawAnswer { status, retry_after_s, body: body.context("the answer was cut")? })
}

/// The body of an answer with status 200.
///
/// # Errors
/// What the worker said otherwise.
pub fn expect_ok(answer: RawAnswer, path: &str) -> Result<Vec<u8>> {
    if answer.status == 200 { Ok(answer.body) } else { refused(&answer, path) }
}

fn refused<T>(answer: &RawAnswer, path: &str) -> Result<T> {
    match answer.status {
        401 => bail!("the worker does not accept the admin token (401); set SELVEDGE_ADMIN_TOKEN or --token"),
        404 => match answer.error() {
            Some(error) if error.message != NO_ROUTE => bail!("the worker says (404): {}", error.message),
            _ => bail!("the worker has no {path} (404); is this the address of a Selvedge worker?"),
        },
        status => match answer.error() {
            Some(WorkerError { message, fix }) => {
                bail!("the worker answered {path} with {status}: {message}; {fix}")
            }
            None => bail!("the worker answered {path} with {status}: {}", answer.text()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &str) -> String {
        let answer = RawAnswer { status, retry_after_s: None, body: body.as_bytes().to_vec() };
        refused::<()>(&answer, "/v1/pause").unwrap_err().to_string()
    }

    #[test]
    fn what_the_worker_says_of_a_refusal_is_passed_on() {
        let error =
            |message: &str| format!("{{\"error\":{{\"message\":\"{message}\",\"fix\":\"write it so\"}}}}");
        assert_eq!(
            said(404, &error("the site has no rule x")),
            "the worker says (404): the site has no rule x"
        );
        assert!(said(404, &error(NO_ROUTE)).contains("is this the address of a Selvedge worker?"));
        assert!(said(404, "<html>").contains("is this the address of a Selvedge worker?"));
        let unreadable = "the worker answered /v1/pause with 400: cannot be read; write it so";
        assert_eq!(said(400, &error("cannot be read")), unreadable);
        assert_eq!(said(502, "bad gateway"), "the worker answered /v1/pause with 502: bad gateway");
    }
}
