//! Tests of texts, on bytes of UTF-8.

use crate::wire::program::kind;

/// Whether a text passes a test.
pub(super) fn passes_text(test: u8, pattern: &[u8], text: &[u8]) -> bool {
    match test {
        kind::SHAPE_CONTAINS => {
            pattern.is_empty() || text.windows(pattern.len()).any(|window| window == pattern)
        }
        kind::SHAPE_STARTS_WITH => text.starts_with(pattern),
        kind::SHAPE_ENDS_WITH => text.ends_with(pattern),
        _ => matches_glob(pattern, text, false),
    }
}

/// Whether a text that begins with `kept` passes for sure, and whether it may.
pub(super) fn passes_cut(test: u8, pattern: &[u8], kept: &[u8]) -> (bool, bool) {
    let passes = passes_text(test, pattern, kept);
    match test {
        kind::SHAPE_CONTAINS => (passes, true),
        kind::SHAPE_STARTS_WITH => (passes, passes || pattern.starts_with(kept)),
        kind::SHAPE_ENDS_WITH => (false, true),
        _ => (passes && pattern.ends_with(b"*"), matches_glob(pattern, kept, true)),
    }
}

/// `*` is any run, `?` one character. On a mismatch the latest `*` takes one character more. Where the text goes on
/// unseen, it matches as far as it is seen.
fn matches_glob(mut pattern: &[u8], mut text: &[u8], goes_on: bool) -> bool {
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (_, None) if goes_on => return true,
            (None, None) => return true,
            (Some((b'*', after)), _) => {
                pattern = after;
                retry = Some((after, text));
            }
            (Some((b'?', after)), Some(_)) => {
                pattern = after;
                text = after_character(text);
            }
            (Some((wanted, after)), Some((found, rest))) if wanted == found => {
                pattern = after;
                text = rest;
            }
            _ => match retry {
                Some((after, from)) if !from.is_empty() => {
                    pattern = after;
                    text = after_character(from);
                    retry = Some((after, text));
                }
                _ => return false,
            },
        }
    }
}

/// What follows the first character (UTF-8).
fn after_character(text: &[u8]) -> &[u8] {
    let is_start = |byte: &u8| byte & 0xc0 != 0x80;
    let length = text.iter().skip(1).position(is_start).map_or(text.len(), |at| at.saturating_add(1));
    text.get(length..).unwrap_or(&[])
}
