//! Hints on alignment taken out of a wasm module: each access to memory carries one, no engine reads them, and they do not
//! compress. The instructions are walked in their own bytes, and nothing else of the module changes.

use anyhow::{Result, bail};

use crate::wasm_module::{CODE, Input};

/// The module with no hint that anything is aligned.
///
/// # Errors
/// When it is no wasm module, or holds an instruction that is not known here.
pub fn without_hints(mut module: Vec<u8>) -> Result<Vec<u8>> {
    for at in hints(&module)? {
        if let Some(hint) = module.get_mut(at) {
            *hint = 0;
        }
    }
    Ok(module)
}

fn hints(module: &[u8]) -> Result<Vec<usize>> {
    let mut input = Input { bytes: module, at: 8 };
    let mut found = Vec::new();
    while input.at < module.len() {
        let (section, end) = (input.byte()?, input.end()?);
        if section == CODE {
            for _ in 0..input.number()? {
                let end = input.end()?;
                skip_locals(&mut input)?;
                while input.at < end {
                    step(&mut input, &mut found)?;
                }
            }
        }
        input.at = end;
    }
    Ok(found)
}

fn skip_locals(input: &mut Input<'_>) -> Result<()> {
    for _ in 0..input.number()? {
        input.number()?;
        input.byte()?;
    }
    Ok(())
}

/// Walks over one instruction (WebAssembly 2.0, "Binary format: instructions"), and notes where its hint stands.
fn step(input: &mut Input<'_>, found: &mut Vec<usize>) -> Result<()> {
    let skip = |input: &mut Input<'_>, numbers: u64| (0..numbers).try_for_each(|_| input.number().map(drop));
    match input.byte()? {
        0x00 | 0x01 | 0x05 | 0x0b | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 => Ok(()),
        // Blocks, branches, calls, variables, the size of the memory, whole numbers.
        0x02..=0x04 | 0x0c | 0x0d | 0x10 | 0x20..=0x24 | 0x3f..=0x42 => skip(input, 1),
        0x0e => {
            let branches = input.number()?;
            skip(input, branches.saturating_add(1))
        }
        0x11 => skip(input, 2),
        0x28..=0x3e => {
            found.push(input.at);
            skip(input, 2)
        }
        0x44 => {
            input.at = input.at.saturating_add(8);
            Ok(())
        }
        0xfc => match input.number()? {
            0..=7 => Ok(()),
            10 => skip(input, 2),
            11 => skip(input, 1),
            other => bail!("the instruction 0xfc {other} is not known here"),
        },
        other => bail!("the instruction {other:#x} is not known here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hints_on_alignment_are_taken_out() -> Result<()> {
        // A local; a number that looks like an access; a load and a store with their offsets; a branch table; a copy.
        let body =
            [1, 1, 0x7f, 0x41, 0x28, 0x28, 2, 0xa8, 0x02, 0x37, 3, 8, 0x0e, 1, 0x28, 2, 0xfc, 10, 0, 0, 0x0b];
        let mut module = b"\0asm\x01\0\0\0\x0a".to_vec();
        module.extend([u8::try_from(body.len())? + 2, 1, u8::try_from(body.len())?]);
        let start = module.len();
        module.extend(body);
        let left = without_hints(module.clone())?;
        let changed: Vec<_> = (0..module.len()).filter(|at| left.get(*at) != module.get(*at)).collect();
        assert_eq!(changed, [start + 6, start + 10]);
        Ok(())
    }

    #[test]
    fn an_instruction_that_is_not_known_is_told() {
        let module = b"\0asm\x01\0\0\0\x0a\x05\x01\x03\0\xfd\x0b".to_vec();
        assert!(without_hints(module).is_err_and(|problem| problem.to_string().contains("0xfd")));
    }
}
