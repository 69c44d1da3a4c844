//! What was meant, told from what stands where something else belongs.

use super::words::KEYWORDS;

/// What to write in place of `found`, which stands behind `before`.
pub(super) fn hint(before: &str, found: &str) -> Option<String> {
    let before = before.trim_end();
    let lower = found.to_lowercase();
    if lower != found && KEYWORDS.contains(&lower.as_str()) {
        return Some(format!("write `{lower}`: keywords are lower case"));
    }
    let is_behind = |word: &str| before.strip_suffix(word).is_some_and(|rest| rest.ends_with(' '));
    let behind_digit = before.ends_with(|last: char| last.is_ascii_digit());
    let is_text = found.starts_with(['"', '\'']);
    let is_open = |open: char, close: char| before.matches(open).count() > before.matches(close).count();
    let help = match found {
        "" if is_open('[', ']') => "close the list with `]`",
        "" if is_open('(', ')') => "close it with `)`",
        "-" => "write the fact first: `a - b >= 3`",
        "known" if is_behind("not") => "write `is missing`",
        "missing" if is_behind("not") => "write `is known`",
        "within" => "write `within next 3d` or `within last 7d`",
        "in" => "write `in [\"a\", \"b\"]`; of a time, `within next 3d`",
        "," if behind_digit => "write the number without commas",
        "," => "join tests with `and` or `or`",
        "matches" | "like" | "regex" => "write `matches_glob \"/c/*\"`",
        "equals" | "is" => "write `=`",
        "where" => "write `where` before the window: `count E where P in 10m`",
        "true" | "false" if before.is_empty() => "leave out `when`: without it a rule is always true",
        "+" => "two facts are compared, or subtracted: `a - b >= 3`",
        "]" if before.ends_with('[') => "write what it may be: `[\"a\", \"b\"]`",
        _ if is_text && is_behind("in") => "write a list: `in [\"a\", \"b\"]`",
        _ if is_text && (is_behind("or") || is_behind("and")) => {
            "write the fact before each, or a list: `x in [\"a\", \"b\"]`"
        }
        _ if found.starts_with('-') && behind_digit => "write a day in quotes: `\"2026-12-24\"`",
        _ if found.starts_with(|first: char| first.is_ascii_digit()) && ends_with_currency(before) => {
            "write the currency behind the amount: `50 EUR`"
        }
        _ => return None,
    };
    Some(help.to_owned())
}

fn ends_with_currency(before: &str) -> bool {
    let word = before.rsplit(' ').next().unwrap_or_default();
    word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// What to write in place of a character that begins nothing.
pub(super) fn instead_of(found: char) -> Option<&'static str> {
    Some(match found {
        '€' | '$' | '£' | '¥' => "write the currency behind the amount: `50 EUR`",
        '%' => "write the share as a number",
        '|' => "write `or`",
        '&' => "write `and`",
        '~' => "write `matches_glob \"/c/*\"`",
        '/' | '#' | '?' => "write texts in quotes: `\"/c/shoes\"`",
        '*' | '^' => "compute with a metric: `sum`, `avg`; or in a content",
        '{' | '}' => "placeholders stand in contents; a condition names the fact alone",
        _ if found.is_alphabetic() => "names have the letters a to z; texts stand in quotes",
        _ => "remove it",
    })
}
