//! A program, loaded where it is published and run at the edge: its image, verified once, and its parts. A page only opens
//! the image.

mod bounds;
mod verify;
mod verify_contents;

pub use crate::wire::program::{Image, ProgramFault, group_hash, rule_hash};
use crate::wire::program::{Parts, Rule};
use alloc::vec::Vec;
use core::ops::Deref;
use once_cell::race::OnceBox;

/// A loaded program. Nothing in it is out of bounds.
#[derive(Debug)]
pub struct Program {
    image: Image,
    parts: Parts,
    /// Once they were asked for.
    rules: OnceBox<Vec<Rule>>,
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
        Ok(Self { image, parts, rules: OnceBox::new() })
    }

    /// What it is made of. [`Parts::edge`], [`Parts::facts`], [`Parts::code`] and [`Parts::rules`] are empty here.
    #[must_use]
    pub const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Its rules, in the order of deciding. They were verified where they stand, and are spelled out when they are first
    /// asked for.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.rules.get_or_init(|| Parts::rules_of(&self.image).unwrap_or_default().into())
    }
}

impl Clone for Program {
    fn clone(&self) -> Self {
        Self { image: self.image.clone(), parts: self.parts.clone(), rules: OnceBox::new() }
    }
}

/// The engine runs on the image.
impl Deref for Program {
    type Target = Image;

    fn deref(&self) -> &Image {
        &self.image
    }
}
