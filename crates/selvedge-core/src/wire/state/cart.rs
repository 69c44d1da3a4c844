//! What is kept of a visitor's cart.

use super::Stored;
use crate::limits::CART_LINES_MAX;
use alloc::vec::Vec;

/// A cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartCell {
    /// All that was put in and taken out was seen, and there was room for it.
    pub is_known: bool,
    /// When it was emptied last.
    pub emptied_ms: Option<i64>,
    /// What is in it, in the order that it was put in last.
    pub lines: Vec<CartLine>,
    /// The `sku` that was put in last, where it is still in it.
    pub last_sku: Stored,
}

/// So many of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLine {
    /// [`crate::hash::fnv1a_64`] of its `sku`.
    pub sku: u64,
    /// How many.
    pub quantity: u32,
    /// What one costs, in millionths; `None` where no event said it.
    pub price: Option<i64>,
}

/// Bytes of a cart's cell, at most.
pub(crate) const CART_BYTES_MAX: usize =
    8 + 1 + 1 + (1 + 8) + 1 + CART_LINES_MAX * (8 + 5 + 1 + 10) + 2 + crate::limits::STATE_TEXT_BYTES_MAX;
