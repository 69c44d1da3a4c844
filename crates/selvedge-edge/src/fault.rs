//! What a caller is told when a request as a whole fails. The one place where errors become HTTP.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};

/// A failed request: status, stable code, what was found, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Fault {
    /// HTTP status.
    pub status: u16,
    /// Stable, for machines.
    pub code: &'static str,
    /// What was found and what is allowed.
    pub message: Cow<'static, str>,
    /// What to do.
    pub fix: &'static str,
    /// Seconds after which the same request may be sent again; `None` where it would fail again.
    pub retry_after_s: Option<u32>,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $retry:expr, $fix:literal;)*) => {
        impl Fault {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self { status: $status, code: $code, message: message.into(), fix: $fix, retry_after_s: $retry }
            })*

            /// Every code with its status, for the interface's description.
            pub const ALL: &'static [(&'static str, u16)] = &[$(($code, $status)),*];
        }
    };
}

faults! {
    /// The body is no batch.
    unreadable = 400, "unreadable", None, "send wire v1 or the JSON form of docs/openapi.yaml";
    /// The request made the step fail again and again.
    poison = 400, "poison", None, "drop this batch; look at /v1/quarantine";
    /// A parameter of the request is wrong.
    bad_request = 400, "bad_request", None, "see docs/openapi.yaml for the parameters of this route";
    /// The admin named a source that several sites have.
    ambiguous_source = 400, "ambiguous_source", None, "name the source by its write key in site.yaml";
    /// No such key or token.
    unknown_key = 401, "unknown_key", None, "use a key of site.yaml, or the admin token for admin routes";
    /// The page's origin is not listed.
    origin_not_allowed = 403, "origin_not_allowed", None, "list the origin in site.yaml and publish";
    /// Only the admin token may do this.
    admin_needed = 403, "admin_needed", None, "send authorization: Bearer with the admin token";
    /// Nothing there.
    not_found = 404, "not_found", None, "see docs/openapi.yaml for the routes";
    /// Another method is needed.
    method_not_allowed = 405, "method_not_allowed", None, "see docs/openapi.yaml for the methods of this route";
    /// Above a limit.
    too_large = 413, "too_large", None, "send fewer or smaller events in one batch";
    /// The published bytes are no program.
    bad_program = 422, "bad_program", None, "build the program with the same version of selvedge as the worker";
    /// What is pushed into a table is no such table.
    bad_lookup = 422, "bad_lookup", None, "send CSV with a header line or one JSON object a line, with the columns that site.yaml says";
    /// A table would be above a limit.
    lookup_too_large = 413, "lookup_too_large", None, "push fewer rows, or only the columns that rules use";
    /// Something of ours failed; nothing was kept.
    internal = 500, "internal", None, "report it with the request";
    /// A step failed and was rolled back.
    step_failed = 503, "step_failed", Some(1), "send the same request again";
    /// The storage failed; nothing was kept.
    storage = 503, "storage", Some(1), "send the same request again";
    /// Nothing is published for the site yet.
    not_published = 503, "not_published", Some(5), "run selvedge publish";
    /// Too much waits for a destination that nothing may be lost for.
    backlog_full = 503, "backlog_full", Some(10), "send the same request again later; look at /v1/destinations";
    /// This worker has not heard yet of the program that the visitor's state was stepped with.
    stale_program = 503, "stale_program", Some(1), "send the same request again";
}

#[derive(serde::Serialize)]
struct Body<'a> {
    error: BodyError<'a>,
}

#[derive(serde::Serialize)]
struct BodyError<'a> {
    code: &'a str,
    message: &'a str,
    fix: &'a str,
}

impl Fault {
    /// The JSON body: `{"error": {"code", "message", "fix"}}`.
    #[must_use]
    pub fn body(&self) -> String {
        let error = BodyError { code: self.code, message: &self.message, fix: self.fix };
        serde_json::to_string(&Body { error }).unwrap_or_default()
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::unreadable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_to_do() {
        let fault = Fault::unknown_key("no source has this key");
        assert_eq!(
            fault.body(),
            r#"{"error":{"code":"unknown_key","message":"no source has this key","fix":"use a key of site.yaml, or the admin token for admin routes"}}"#
        );
        assert_eq!((fault.status, fault.retry_after_s), (401, None));
    }
}
