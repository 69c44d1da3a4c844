//! What the status of an HTTP answer means for what was sent.

/// What follows from a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It holds the records.
    Delivered,
    /// The same again, later.
    Again,
    /// The same in smaller parts.
    Split,
    /// It refuses one of the records for what it is.
    Poison,
    /// Somebody must act first.
    Pause,
}

/// The meaning of a status. What is not foreseen pauses: nothing is lost by it. A redirect does too: it is not followed.
#[must_use]
pub const fn meaning_of(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Delivered,
        408 | 425 | 429 | 500..=599 => Meaning::Again,
        413 => Meaning::Split,
        400 | 415 | 422 => Meaning::Poison,
        _ => Meaning::Pause,
    }
}

/// Whether an answer with this status says surely that nothing was taken. Of others, such as one of a gateway that waited for
/// nothing any longer, it is not known.
#[must_use]
pub const fn is_refusal(status: u16) -> bool {
    matches!(status, 400..=407 | 409..=499 | 503)
}

/// Milliseconds of a `Retry-After` in seconds; `None` for a date or anything else.
#[must_use]
pub fn retry_after_ms(header: &str) -> Option<u64> {
    header.trim().parse::<u64>().ok().map(|seconds| seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_means_something() {
        for (statuses, meaning) in [
            (&[200, 201, 202, 204][..], Meaning::Delivered),
            (&[408, 425, 429, 500, 502, 503, 504], Meaning::Again),
            (&[413], Meaning::Split),
            (&[400, 415, 422], Meaning::Poison),
            (&[401, 403, 404, 410, 301, 302, 307, 405, 409, 100, 0], Meaning::Pause),
        ] {
            assert!(statuses.iter().all(|status| meaning_of(*status) == meaning), "{meaning:?}");
        }
    }

    #[test]
    fn what_a_gateway_says_is_no_refusal() {
        assert!([429, 425, 503, 413, 401].into_iter().all(is_refusal));
        assert!(![408, 500, 502, 504, 200].into_iter().any(is_refusal));
    }

    #[test]
    fn a_wait_is_in_seconds() {
        assert_eq!(retry_after_ms(" 7 "), Some(7_000));
        assert_eq!(retry_after_ms("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(retry_after_ms("-1"), None);
    }
}
