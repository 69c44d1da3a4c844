//! A wasm module without a part of it: the functions of that part do nothing and give back zeros. What only they reached has no caller
//! any more, and wasm-opt drops it; so the difference of two modules is what a part costs.

use anyhow::Result;

use crate::wasm_module::{functions, results};

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;
const F32: u8 = 0x7d;
const F64: u8 = 0x7c;
const NOP: u8 = 0x01;
const END: u8 = 0x0b;

/// The module with the functions that `is_part` names doing nothing, in the bytes that they had, and how many they were. A function
/// that is too small for that stays.
///
/// # Errors
/// When it is no wasm module.
pub fn without(mut module: Vec<u8>, is_part: impl Fn(&str) -> bool) -> Result<(Vec<u8>, usize)> {
    let results = results(&module)?;
    let (bodies, names) = functions(&module)?;
    let mut cut = 0;
    for (index, _) in names.into_iter().filter(|(_, name)| is_part(name)) {
        let zeros: Vec<u8> = results.get(&index).into_iter().flatten().flat_map(|kind| zero(*kind)).collect();
        let Some(place) = bodies.get(&index).and_then(|body| module.get_mut(body.clone())) else { continue };
        let Some(idle) = place.len().checked_sub(zeros.len() + 2) else { continue };
        let body = [0].into_iter().chain(std::iter::repeat_n(NOP, idle)).chain(zeros).chain([END]);
        place.iter_mut().zip(body).for_each(|(byte, new)| *byte = new);
        cut += 1;
    }
    Ok((module, cut))
}

/// The instruction that gives a zero of this type; a reference is no function of ours.
fn zero(kind: u8) -> Vec<u8> {
    match kind {
        I32 => vec![0x41, 0],
        I64 => vec![0x42, 0],
        F32 => vec![0x43, 0, 0, 0, 0],
        F64 => vec![0x44, 0, 0, 0, 0, 0, 0, 0, 0],
        _ => vec![0xd0, kind],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One import, then two functions of one result: `keep`, and one of a part.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\
        \x01\x08\x02\x60\0\0\x60\0\x01\x7f\
        \x02\x07\x01\x01a\x01b\0\0\
        \x03\x03\x02\x01\x01\
        \x0a\x0f\x02\x04\0\x41\x07\x0b\x08\0\x41\x07\x41\x01\x6a\x1a\x0b\
        \0\x14\x04name\x01\x0d\x02\x01\x04keep\x02\x04part";

    #[test]
    fn a_part_does_nothing_and_gives_back_zero_and_all_else_stays() -> Result<()> {
        let (module, cut) = without(MODULE.to_vec(), |name| name == "part")?;
        assert_eq!((cut, module.len()), (1, MODULE.len()));
        let idle = [8, 0, NOP, NOP, NOP, NOP, 0x41, 0, END];
        let at = module.windows(idle.len()).position(|window| window == idle);
        assert!(at.is_some(), "{module:?}");
        let changed = module.iter().zip(MODULE).filter(|(new, old)| new != old).count();
        assert_eq!(changed, 5, "nothing but that body");
        Ok(())
    }
}
