//! Which cells changed since facts were last found. It is no part of what is kept: it has no bytes, and makes no state
//! differ from another.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// Who found facts in a state last, and what changed since. Opaque; begin with [`Marks::default`].
#[derive(Debug, Clone, Default)]
pub struct Marks {
    reader: Option<Arc<()>>,
    turn: u64,
    cells: Vec<u64>,
    is_all: bool,
}

/// Marks are not compared.
impl PartialEq for Marks {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Marks {}

/// More changed cells than these are as good as all.
const CELLS_MAX: usize = 32;

impl Marks {
    /// The cell of this name changed.
    pub(crate) fn touch(&mut self, cell: u64) {
        if self.reader.is_none() || self.is_all {
            return;
        }
        self.is_all = self.cells.len() >= CELLS_MAX;
        self.cells.push(cell);
    }

    /// Anything may have changed.
    pub(crate) const fn touch_all(&mut self) {
        self.is_all = true;
    }

    /// The cells that changed since a reader's turn; `None` where that is not known.
    pub(crate) fn since(&self, reader: &Arc<()>, turn: u64) -> Option<&[u64]> {
        let is_known = !self.is_all && self.turn == turn;
        let is_its = self.reader.as_ref().is_some_and(|known| Arc::ptr_eq(known, reader));
        (is_known && is_its).then_some(self.cells.as_slice())
    }

    /// A reader found every fact: its next turn begins.
    pub(crate) fn begin(&mut self, reader: &Arc<()>, turn: u64) {
        if !self.reader.as_ref().is_some_and(|known| Arc::ptr_eq(known, reader)) {
            self.reader = Some(Arc::clone(reader));
        }
        self.turn = turn;
        self.is_all = false;
        self.cells.clear();
    }
}
