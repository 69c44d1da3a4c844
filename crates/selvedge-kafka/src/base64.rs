//! Base64 as SCRAM writes it: the standard alphabet, padded.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The bytes as text.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3).saturating_mul(4));
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, index| (bits << 8) | u32::from(*group.get(index).unwrap_or(&0)));
        for index in 0..4_usize {
            let shift = 18_u32.saturating_sub(u32::try_from(index).unwrap_or(0).saturating_mul(6));
            let letter = ALPHABET.get(usize::try_from((bits >> shift) & 63).unwrap_or(0));
            text.push(if index > group.len() { '=' } else { char::from(*letter.unwrap_or(&b'A')) });
        }
    }
    text
}

/// The bytes that the text stands for; `None` where it is not base64.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let letters = text.trim_end_matches('=');
    if text.len().saturating_sub(letters.len()) > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    for group in letters.as_bytes().chunks(4) {
        let mut bits = 0_u32;
        for letter in group {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            bits = (bits << 6) | u32::try_from(value).ok()?;
        }
        let missing = u32::try_from(4_usize.saturating_sub(group.len())).ok()?;
        let whole = (bits << missing.saturating_mul(6)).to_be_bytes();
        // The whole is three bytes in the lower end of four; what stands behind the last of ours must be nothing.
        let ours = group.len().saturating_sub(1);
        if group.len() == 1 || whole.iter().skip(1).skip(ours).any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend(whole.iter().skip(1).take(ours));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_rfc_4648_hold() {
        let rows = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, text) in rows {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        assert!(
            ["Zg", "Zg=", "Z===", "Z!==", "Zm9v=", "Zh=="].into_iter().all(|text| decode(text).is_none())
        );
    }

    proptest! {
        #[test]
        fn decode_of_encode_is_identity(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }
    }
}
