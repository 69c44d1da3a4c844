//! Addresses with a query.

/// `path?name=value&...`; without pairs the path alone.
pub(super) fn query(path: &str, pairs: &[(&str, String)]) -> String {
    let mut address = path.to_owned();
    for (at, (name, value)) in pairs.iter().enumerate() {
        address.push(if at == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        address.extend(value.bytes().map(escaped));
    }
    address
}

/// A byte of a query value: cursors consist of digits, dots, colons and hyphens, all else but letters is escaped.
fn escaped(byte: u8) -> String {
    match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b':' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_add_to_the_query() {
        let pairs = [("from", "0.12-1&live=1".to_owned()), ("event", "ä b".to_owned())];
        assert_eq!(query("/v1/log", &pairs), "/v1/log?from=0.12-1%26live%3D1&event=%C3%A4%20b");
        assert_eq!(query("/v1/log", &[]), "/v1/log");
    }
}
