//! Panic messages taken out of a wasm module whose panic handler traps: nobody reads them, and what formats them takes
//! kilobytes. The functions that only a panic reaches get a body of one instruction, `unreachable`, in the bytes that
//! they had, so that nothing else of the module moves; wasm-opt drops what is left without a caller. What those functions
//! would have said is data: it is blanked, and zeros weigh nothing on their way.

use anyhow::{Context, Result, ensure};

use crate::wasm_module::{Input, functions};

/// Parts of the names of functions that only a panic reaches. Formatting is one of them: the page formats nothing, which
/// `cargo xtask tidy` holds its crates to.
const PANICS: [&str; 6] = [
    "4core3fmt",
    "4core9panicking",
    "17capacity_overflow",
    "12handle_error",
    "13assert_failed",
    "alloc_error_handler",
];

/// Texts that only a panic says.
const SAID: [&str; 14] = [
    "memory allocation of ",
    " bytes failed",
    "copy_from_slice: source slice length (",
    ") does not match destination slice length (",
    "insertion index (is ",
    ") should be <= len (is ",
    "removal index (is ",
    ") should be < len (is ",
    "mid > len",
    "destination and source slices have different lengths",
    "attempt to join into collection with len > usize::MAX",
    "capacity overflow",
    "Tried to shrink to a larger capacity",
    // What numbers are formatted from, two digits at a time.
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899",
];
/// Where names of source files begin, which a panic gives as its place.
const SOURCES: [&str; 3] = ["/rustc/", "crates/selvedge-", "/registry/src/"];
const SOURCE_BYTES_MAX: usize = 200;

const DATA: u8 = 11;
const UNREACHABLE: u8 = 0x00;
const NOP: u8 = 0x01;
const END: u8 = 0x0b;

/// The module with those functions emptied, and how many they were.
///
/// # Errors
/// When it is no wasm module, or has no names.
pub fn without_panics(mut module: Vec<u8>) -> Result<(Vec<u8>, usize)> {
    let (bodies, names) = functions(&module)?;
    ensure!(
        !names.is_empty(),
        "the module names no functions: is `strip` in the wasm profile more than debuginfo?"
    );
    let mut emptied = 0;
    for (index, name) in names {
        let is_panic = PANICS.iter().any(|part| name.contains(part));
        let Some(body) = bodies.get(&index).filter(|_| is_panic) else { continue };
        let place = module.get_mut(body.clone()).context("a function's body")?;
        let [locals, first, middle @ .., end] = place else { continue };
        (*locals, *first, *end) = (0, UNREACHABLE, END);
        middle.fill(NOP);
        emptied += 1;
    }
    for range in said(&module)? {
        if let Some(text) = module.get_mut(range) {
            text.fill(0);
        }
    }
    Ok((module, emptied))
}

/// The functions of a module, but those that [`without_panics`] emptied: what each is called, and the bytes of its code.
///
/// # Errors
/// When it is no wasm module.
pub fn sizes(module: &[u8]) -> Result<Vec<(String, u64)>> {
    let (bodies, mut names) = functions(module)?;
    names.retain(|(_, name)| !PANICS.iter().chain(&["do_count_chars"]).any(|part| name.contains(part)));
    let bytes = |index| bodies.get(&index).map_or(0, |body: &std::ops::Range<usize>| body.len() as u64);
    Ok(names.into_iter().map(|(index, name)| (name, bytes(index))).collect())
}

/// Where the data holds what only a panic says.
fn said(module: &[u8]) -> Result<Vec<std::ops::Range<usize>>> {
    let mut input = Input { bytes: module, at: 8 };
    let mut said = Vec::new();
    while input.at < module.len() {
        let (section, end) = (input.byte()?, input.end()?);
        if section == DATA {
            let data = input.at..end;
            let texts = SAID.iter().flat_map(|text| places(module, data.clone(), text.as_bytes()));
            said.extend(texts);
            let starts = SOURCES.iter().flat_map(|start| places(module, data.clone(), start.as_bytes()));
            said.extend(starts.filter_map(|start| {
                let rest = module.get(start.start..end.min(start.start + SOURCE_BYTES_MAX))?;
                let length = rest.windows(3).position(|window| window == b".rs")? + 3;
                rest.get(..length)?
                    .iter()
                    .all(u8::is_ascii_graphic)
                    .then_some(start.start..start.start + length)
            }));
        }
        input.at = end;
    }
    Ok(said)
}

/// Where `text` stands in a part of the module.
fn places(module: &[u8], part: std::ops::Range<usize>, text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let Some(bytes) = module.get(part.clone()) else { return Vec::new() };
    let found = bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text);
    found.map(|(at, _)| part.start + at..part.start + at + text.len()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One import, then two functions with bodies of four bytes: `keep`, and one of formatting.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\
        \x01\x04\x01\x60\0\0\
        \x02\x07\x01\x01a\x01b\0\0\
        \x03\x03\x02\0\0\
        \x0a\x0b\x02\x04\0\x41\x07\x0b\x04\0\x41\x07\x0b\
        \0\x1c\x04name\x01\x15\x02\x01\x04keep\x02\x0c_4core3fmt_1";

    #[test]
    fn only_what_a_panic_reaches_is_emptied_in_its_own_bytes() -> Result<()> {
        let (module, emptied) = without_panics(MODULE.to_vec())?;
        assert_eq!((emptied, module.len()), (1, MODULE.len()));
        let changed: Vec<_> = (0..module.len()).filter(|at| module[*at] != MODULE[*at]).collect();
        let body = module.windows(4).rposition(|window| window == [0, UNREACHABLE, NOP, END]);
        assert_eq!(body.map(|at| vec![at + 1, at + 2]), Some(changed));
        Ok(())
    }

    #[test]
    fn what_a_panic_would_say_is_blanked_in_the_data_alone() -> Result<()> {
        let data = b"keep/rustc/1a/library/alloc/src/str.rscapacity overflowkeep crates/selvedge-";
        let mut module = MODULE.to_vec();
        module.extend([DATA, u8::try_from(data.len())?]);
        module.extend(data);
        let (emptied, _) = without_panics(module)?;
        let left = emptied.get(MODULE.len() + 2..).context("the data")?;
        assert_eq!(left.iter().filter(|byte| **byte == 0).count(), 34 + 17);
        assert!(left.starts_with(b"keep\0") && left.ends_with(b"\0keep crates/selvedge-"));
        Ok(())
    }

    #[test]
    fn a_module_without_names_is_told() {
        assert!(without_panics(b"\0asm\x01\0\0\0".to_vec()).is_err());
        assert!(without_panics(b"not wasm".to_vec()).is_err());
        assert!(without_panics(MODULE[..MODULE.len() - 3].to_vec()).is_err());
    }
}
