//! A program, loaded where it is published and run at the edge: its image, verified once, and its parts. A page only opens
//! the image.

mod bounds;
mod verify;
mod verify_contents;

use crate::wire::program::Parts;
pub use crate::wire::program::{Image, ProgramFault, group_hash, rule_hash};
use core::ops::Deref;

/// A loaded program. Nothing in it is out of bounds.
#[derive(Debug, Clone)]
pub struct Program {
    image: Image,
    parts: Parts,
}

impl Program {
    /// The program of `bytes`, as [`Parts::encode`] made them; full or public alike. What only the edge knows is not
    /// read here, but by [`crate::wire::program::edge_config`].
    ///
    /// # Errors
    /// [`ProgramFault`] for anything malformed, above a limit, or pointing where nothing is.
    pub fn load(bytes: &[u8]) -> Result<Self, ProgramFault> {
        let image = Image::open(bytes.into())?;
        let parts = Parts::of_image(&image)?;
        verify::verify(&parts, &image)?;
        verify_contents::verify_contents(&parts, &image)?;
        Ok(Self { image, parts })
    }

    /// What it is made of. [`Parts::edge`] and [`Parts::code`] are empty here.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }
}

/// The engine runs on the image.
impl Deref for Program {
    type Target = Image;

    fn deref(&self) -> &Image {
        &self.image
    }
}
