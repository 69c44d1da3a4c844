//! The words of conditions: those that are never names, and those that are windows.

use selvedge_core::wire::program::Window;

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

/// The windows that are words.
pub(super) const WINDOWS: [(&str, Window); 6] = [
    ("page", Window::Page),
    ("session", Window::Session),
    ("today", Window::Today),
    ("week", Window::Week),
    ("month", Window::Month),
    ("ever", Window::Ever),
];
