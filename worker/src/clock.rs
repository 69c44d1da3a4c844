//! The one clock of the worker. In production it stands still while the CPU works.

/// Unix milliseconds.
pub fn now_ms() -> u64 {
    worker::Date::now().as_millis()
}
