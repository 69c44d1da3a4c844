//! Times and bytes as text.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

const MS_PER_DAY: u64 = 86_400_000;
/// 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for the year.
const LATEST_MS: u64 = 253_402_300_799_999;

/// Unix milliseconds as RFC 3339 with milliseconds: `2026-11-22T10:00:00.000Z`. Later than the year 9999 stays there.
#[must_use]
pub fn rfc_3339(time_ms: u64) -> String {
    let time_ms = time_ms.min(LATEST_MS);
    let (year, month, day) = civil(time_ms / MS_PER_DAY);
    let of_day = time_ms % MS_PER_DAY;
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, ms) = (of_day / 1_000 % 60, of_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// Year, month and day of a day counted from 1970-01-01 (the well-known algorithm over 400-year eras that begin in March).
#[expect(clippy::arithmetic_side_effects, reason = "days up to the year 9999 are far below any overflow")]
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Standard base64 with padding (RFC 4648, section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for chunk in bytes.chunks(3) {
        let mut group = [0u8; 4];
        for (place, byte) in group.iter_mut().skip(1).zip(chunk) {
            *place = *byte;
        }
        let bits = u32::from_be_bytes(group);
        for (at, shift) in [18u32, 12, 6, 0].into_iter().enumerate() {
            let index = usize::try_from((bits >> shift) & 63).unwrap_or(0);
            let letter = LETTERS.get(index).copied().unwrap_or(b'=');
            out.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// The bytes of standard base64, with padding or without; `None` for anything else.
#[must_use]
pub fn bytes_of_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut out = Vec::with_capacity(text.len());
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for letter in group {
            bits = bits << 6 | six_bits(*letter)?;
        }
        let bytes = match group.len() {
            4 => 3usize,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        let missing = 4usize.saturating_sub(group.len()).saturating_mul(6);
        let whole = bits.checked_shl(u32::try_from(missing).ok()?)?.to_be_bytes();
        out.extend_from_slice(whole.get(1..=bytes)?);
    }
    Some(out)
}

fn six_bits(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter.wrapping_sub(b'A'),
        b'a'..=b'z' => letter.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => letter.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        for (time_ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_338_061_007, "2026-11-22T09:01:01.007Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(rfc_3339(time_ms), text);
        }
    }

    #[test]
    fn base64_matches_the_vectors_of_the_standard() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(text.as_bytes()), encoded);
            assert_eq!(bytes_of_base64(encoded).as_deref(), Some(text.as_bytes()));
        }
        for wrong in ["Z", "Zm9v!", "Zg==x", "Zm 9"] {
            assert_eq!(bytes_of_base64(wrong), None, "{wrong}");
        }
    }
}
