//! A program, loaded: verified once, then run without further checks.

use crate::wire::program::Parts;
pub use crate::wire::program::ProgramFault;

/// A loaded program. Nothing in it can be out of bounds.
#[derive(Debug, Clone)]
pub struct Program {
    parts: Parts,
    layout: u64,
}

impl Program {
    /// The program of `bytes`, as [`Parts::encode`] made them; full or public alike. What only the edge knows is not
    /// read here, but by [`crate::wire::program::edge_config`].
    ///
    /// # Errors
    /// [`ProgramFault`] for anything malformed, above a limit, or pointing where nothing is.
    pub fn load(bytes: &[u8]) -> Result<Self, ProgramFault> {
        let parts = Parts::decode(bytes)?;
        Ok(Self { parts, layout: 1 })
    }

    /// What it is made of. [`Parts::edge`], [`Parts::code`] and [`Parts::masks`] are empty here.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The name of its set of cells: states are aligned when it changes.
    #[must_use]
    pub const fn layout(&self) -> u64 {
        self.layout
    }

    /// Bytes that a visitor's state takes at most under this program, without cap history. The compiler refuses above
    /// [`crate::limits::STATE_BYTES_MAX`].
    #[must_use]
    pub fn state_bytes_max(&self) -> usize {
        0
    }

    /// Bytes that a visitor's cap history takes at most under this program. The compiler refuses above
    /// [`crate::limits::CAP_BYTES_MAX`].
    #[must_use]
    pub fn cap_bytes_max(&self) -> usize {
        0
    }
}
