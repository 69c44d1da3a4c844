//! A cart from its bytes.

use super::Decoder;
use crate::limits::CART_LINES_MAX;
use crate::wire::state::{CartCell, CartLine};

impl Decoder<'_> {
    pub(super) fn cart(&mut self) -> CartCell {
        CartCell {
            is_known: self.flag(),
            emptied_ms: self.optional_time(),
            lines: self.list(CART_LINES_MAX, |this| CartLine {
                sku: this.fixed(),
                quantity: this.word(),
                price: this.flag().then(|| this.zigzag()),
            }),
            last_sku: self.stored(),
        }
    }
}
