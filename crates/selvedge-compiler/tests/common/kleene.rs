//! Kleene's strong three-valued logic by the textbook: `None` is unknown.

/// One part that decides decides all; else one unknown makes it unknown.
pub fn joined(found: &[Option<bool>], deciding: bool) -> Option<bool> {
    if found.contains(&Some(deciding)) {
        return Some(deciding);
    }
    found.iter().all(Option::is_some).then_some(!deciding)
}

/// What `is true`, `is not true`, `is false`, `is not false`, `is known` and its opposite say.
pub fn is(state: &str, found: Option<bool>) -> bool {
    match state {
        "true" => found == Some(true),
        "not true" => found != Some(true),
        "false" => found == Some(false),
        "not false" => found != Some(false),
        "known" => found.is_some(),
        _ => found.is_none(),
    }
}
