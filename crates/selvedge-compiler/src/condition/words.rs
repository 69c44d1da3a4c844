//! The words of conditions: those that are never names, and those that are not built yet.

/// Words that have a meaning of their own, so that they cannot be names.
pub(super) const KEYWORDS: [&str; 16] = [
    "and",
    "or",
    "not",
    "in",
    "between",
    "is",
    "else",
    "where",
    "count",
    "contains",
    "starts_with",
    "ends_with",
    "matches_glob",
    "true",
    "false",
    "of",
];

/// What begins an expression that the language has but that is not built yet, and what to use.
pub(super) const LATER: [(&str, &str); 19] = [
    ("sum", "`count` is there; keep a running total as an attribute"),
    ("min", "`count` is there"),
    ("max", "`count` is there"),
    ("avg", "`count` is there"),
    ("distinct", "`count` is there"),
    ("first", "keep the value as an attribute, set by the event"),
    ("last", "keep the value as an attribute, set by the event"),
    ("previous", "`days_since_last_visit` is there"),
    ("time", "count the event in a window: `(count E in 10m) = 0`"),
    ("most_frequent", "count the values that matter, one metric each"),
    ("sequence", "count the events in a window, and join the counts with `and`"),
    ("no", "count it: `(count E in session) = 0`"),
    ("any", "send what matters as a property of the event"),
    ("shown", "use `cap`"),
    ("dismissed", "count an event of your own"),
    ("clicked", "count an event of your own"),
    ("reached", "count the goal's event"),
    ("now", "use `status` to switch a rule on and off"),
    ("weekday", "use `status` to switch a rule on and off"),
];

/// Of these, the ones that stand alone: they are never names.
pub(super) const NEVER_NAMES: [&str; 2] = ["now", "weekday"];

/// Windows that are not built yet, and what to use.
pub(super) fn window_later(word: &str) -> Option<&'static str> {
    match word {
        "today" => Some("use `in 24h`"),
        "week" => Some("use `in 7d`"),
        "month" => Some("use `in 30d`"),
        "ever" => Some("use a long window: `in 365d`, or an attribute that the event sets"),
        _ => None,
    }
}
