//! From state and event to facts: each fact is resolved once, as an interval of `i64`.
