//! MurmurHash3 (x86, 32 bit): which shard a visitor lives in, which bucket a unit falls into; and FNV-1a (64 bit), the
//! name under which a meaning is stored. Both are published with vectors: they may never change.

/// The 32-bit MurmurHash3 of `bytes` with `seed`.
#[must_use]
pub fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let scramble = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let mut hash = seed;
    let mut blocks = bytes.chunks_exact(4);
    for block in &mut blocks {
        let mut word = [0; 4];
        word.copy_from_slice(block);
        hash ^= scramble(u32::from_le_bytes(word));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = blocks.remainder();
    if !tail.is_empty() {
        let word = tail.iter().rev().fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
        hash ^= scramble(word);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the algorithm mixes the low 32 bits of the length")]
    let length = bytes.len() as u32;
    hash ^= length;
    hash ^= hash >> 16;
    hash = hash.wrapping_mul(0x85eb_ca6b);
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// The 64-bit FNV-1a hash of `bytes`: the stored name of a metric's meaning, a rule, a slot.
#[must_use]
pub const fn fnv1a_64(bytes: &[u8]) -> u64 {
    fnv1a_64_on(0xcbf2_9ce4_8422_2325, bytes)
}

/// The hash of what `hash` is of, with `bytes` behind it.
const fn fnv1a_64_on(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut rest = bytes;
    while let Some((byte, tail)) = rest.split_first() {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    hash
}

/// The bits of a [`short_name`] that are always 0.
pub const SHORT_NAME_REST: u64 = 0xff_ffff;

/// A name of 40 bits, where there are many and each is stored with every visitor: [`fnv1a_64`] folded into its upper bits,
/// the lower ones 0.
#[must_use]
pub const fn short_name(bytes: &[u8]) -> u64 {
    short_name_of([bytes, &[], &[]])
}

/// The [`short_name`] of these, one behind the other.
#[must_use]
pub const fn short_name_of([first, second, third]: [&[u8]; 3]) -> u64 {
    let hash = fnv1a_64_on(fnv1a_64_on(fnv1a_64(first), second), third);
    (hash ^ (hash << 24)) & !SHORT_NAME_REST
}

#[cfg(test)]
mod tests {
    use super::{fnv1a_64, murmur3_32, short_name};

    #[test]
    fn a_short_name_is_the_upper_40_bits_of_the_folded_hash() {
        assert_eq!(short_name(b""), 0xcbf2_9ce4_8422_2325 & !0xff_ffff ^ 0xe484_2223_2500_0000);
        assert_eq!(short_name(b"foobar"), 0x8594_4171_f700_0000 ^ 0x71f7_3967_e800_0000);
    }

    #[test]
    fn murmur3_matches_the_published_vectors() {
        for (text, seed, expected) in [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("test", 0, 0xba6b_d213),
            ("Hello, world!", 0, 0xc036_3e43),
            ("The quick brown fox jumps over the lazy dog", 0x9747_b28c, 0x2fa8_26cd),
        ] {
            assert_eq!(murmur3_32(text.as_bytes(), seed), expected, "{text:?} {seed}");
        }
    }

    #[test]
    fn fnv1a_matches_the_published_vectors() {
        assert_eq!(fnv1a_64(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a_64(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a_64(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
