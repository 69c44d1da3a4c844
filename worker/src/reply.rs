//! Answers: JSON, lines, bytes, and the one place where a failure becomes a response.

use selvedge_edge::fault::Fault;
use worker::{Headers, Response, ResponseBuilder};

/// The content type of JSON.
pub const JSON: &str = "application/json";
/// The content type of bytes.
pub const BYTES: &str = "application/octet-stream";

/// Why there is no proper answer.
#[derive(Debug)]
pub enum Problem {
    /// A failure that the caller is told.
    Fault(Fault),
    /// The platform failed.
    Platform(worker::Error),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<worker::Error> for Problem {
    fn from(error: worker::Error) -> Self {
        Self::Platform(error)
    }
}

/// An answer or a problem.
pub type Answered = Result<Response, Problem>;

/// An answer of the host, passed on as it is, or a problem.
pub type Passed = Result<web_sys::Response, Problem>;

/// The response that tells a problem.
pub fn of_problem(problem: Problem) -> worker::Result<Response> {
    match problem {
        Problem::Fault(fault) => of_fault(&fault),
        Problem::Platform(error) => {
            worker::console_error!("the platform failed: {error}");
            of_fault(&Fault::storage("the storage or another part of the platform failed"))
        }
    }
}

/// The response that tells a fault.
pub fn of_fault(fault: &Fault) -> worker::Result<Response> {
    let mut builder = typed(JSON)?.with_status(fault.status);
    if let Some(seconds) = fault.retry_after_s {
        builder = builder.with_header("retry-after", &seconds.to_string())?;
    }
    Ok(builder.fixed(fault.body().into_bytes()))
}

/// A JSON answer.
pub fn json(body: String) -> Answered {
    Ok(typed(JSON)?.fixed(body.into_bytes()))
}

/// An answer of bytes.
pub fn bytes(body: Vec<u8>) -> Answered {
    Ok(typed(BYTES)?.fixed(body))
}

/// An answer of text with this type.
pub fn text(body: String, content_type: &str) -> Answered {
    Ok(typed(content_type)?.fixed(body.into_bytes()))
}

/// An answer of this type, without a body yet; never kept by a cache.
pub fn typed(content_type: &str) -> worker::Result<ResponseBuilder> {
    ResponseBuilder::new().with_header("content-type", content_type)?.with_header("cache-control", "no-store")
}

/// The same answer for a page of another origin.
pub fn with_origin(response: Response, origin: &str) -> Answered {
    let headers = Headers::new();
    for (name, value) in response.headers().entries() {
        headers.set(&name, &value)?;
    }
    headers.set("access-control-allow-origin", origin)?;
    headers.set("access-control-expose-headers", "retry-after")?;
    if origin != "*" {
        headers.set("vary", "Origin")?;
    }
    Ok(response.with_headers(headers))
}
