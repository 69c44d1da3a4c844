//! A wasm module as bytes: where its functions stand, what they are called, and what they give back.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result, ensure};

const CUSTOM: u8 = 0;
const TYPE: u8 = 1;
const IMPORT: u8 = 2;
const FUNCTION: u8 = 3;
/// The section of functions' bodies.
pub const CODE: u8 = 10;
const FUNCTION_NAMES: u8 = 1;
const FUNCTION_TYPE: u8 = 0x60;

/// Where the body of each function stands, by its index.
pub type Bodies = BTreeMap<u64, Range<usize>>;

/// Where the body of each function stands, and what each is called, by its index.
///
/// # Errors
/// When it is no wasm module.
pub fn functions(module: &[u8]) -> Result<(Bodies, Vec<(u64, String)>)> {
    ensure!(module.starts_with(b"\0asm"), "this is no wasm module");
    let mut input = Input { bytes: module, at: 8 };
    let (mut imported, mut bodies, mut names) = (0, Bodies::new(), Vec::new());
    while input.at < module.len() {
        let (section, end) = (input.byte()?, input.end()?);
        match section {
            IMPORT => imported = input.imported_functions()?,
            CODE => {
                for index in 0..input.number()? {
                    let end = input.end()?;
                    bodies.insert(imported + index, input.at..end);
                    input.at = end;
                }
            }
            CUSTOM if input.text()? == "name" => names = input.function_names(end)?,
            _ => {}
        }
        input.at = end;
    }
    Ok((bodies, names))
}

/// What results each function has that has a body, by its index: types of values as wasm writes them.
///
/// # Errors
/// When it is no wasm module.
pub fn results(module: &[u8]) -> Result<BTreeMap<u64, Vec<u8>>> {
    let (mut imported, mut types, mut found) = (0, Vec::new(), BTreeMap::new());
    let mut input = Input { bytes: module, at: 8 };
    while input.at < module.len() {
        let (section, end) = (input.byte()?, input.end()?);
        match section {
            TYPE => types = input.result_types()?,
            IMPORT => imported = input.imported_functions()?,
            FUNCTION => {
                for index in 0..input.number()? {
                    let at = usize::try_from(input.number()?)?;
                    found.insert(imported + index, types.get(at).cloned().context("a function's type")?);
                }
            }
            _ => {}
        }
        input.at = end;
    }
    Ok(found)
}

/// A module that is read from its beginning.
pub struct Input<'a> {
    /// The whole module.
    pub bytes: &'a [u8],
    /// What was read.
    pub at: usize,
}

impl Input<'_> {
    /// The next byte.
    ///
    /// # Errors
    /// At the end.
    pub fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).context("the module is cut off")?;
        self.at += 1;
        Ok(byte)
    }

    /// A number of as many bytes as it takes (LEB128).
    ///
    /// # Errors
    /// At the end.
    pub fn number(&mut self) -> Result<u64> {
        let (mut number, mut shift) = (0u64, 0u32);
        loop {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            shift += 7;
            if byte < 0x80 {
                return Ok(number);
            }
        }
    }

    /// Reads a length, and gives where what has that length ends.
    ///
    /// # Errors
    /// At the end.
    pub fn end(&mut self) -> Result<usize> {
        let length = usize::try_from(self.number()?)?;
        Ok(self.at.saturating_add(length))
    }

    fn text(&mut self) -> Result<String> {
        let end = self.end()?;
        let text = self.bytes.get(self.at..end).context("the module is cut off")?;
        self.at = end;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// The results of each type.
    fn result_types(&mut self) -> Result<Vec<Vec<u8>>> {
        let count = self.number()?;
        let mut types = Vec::new();
        for _ in 0..count {
            ensure!(self.byte()? == FUNCTION_TYPE, "a type that is no function");
            let parameters = self.end()?;
            self.at = parameters;
            let results = self.end()?;
            types.push(self.bytes.get(self.at..results).context("the module is cut off")?.to_vec());
            self.at = results;
        }
        Ok(types)
    }

    fn imported_functions(&mut self) -> Result<u64> {
        let mut functions = 0;
        for _ in 0..self.number()? {
            // The module and the name.
            self.text()?;
            self.text()?;
            match self.byte()? {
                0 => {
                    self.number()?;
                    functions += 1;
                }
                kind => anyhow::bail!("an import of kind {kind}: the page imports functions only"),
            }
        }
        Ok(functions)
    }

    fn function_names(&mut self, end: usize) -> Result<Vec<(u64, String)>> {
        let mut names = Vec::new();
        while self.at < end {
            let (part, part_end) = (self.byte()?, self.end()?);
            if part == FUNCTION_NAMES {
                for _ in 0..self.number()? {
                    names.push((self.number()?, self.text()?));
                }
            }
            self.at = part_end;
        }
        Ok(names)
    }
}
