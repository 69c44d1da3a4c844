//! The one clock of the worker. In production it stands still while the CPU works.

/// Unix milliseconds.
pub fn now_ms() -> u64 {
    now_of(js_sys::Date::now())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time of this millennium is whole, positive and far below 2^53"
)]
const fn now_of(milliseconds: f64) -> u64 {
    milliseconds as u64
}
