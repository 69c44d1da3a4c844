//! The bytes of a cart.

use super::Encoder;
use crate::wire::state::CartCell;

impl Encoder {
    pub(super) fn cart(&mut self, cart: &CartCell) {
        self.out.flag(cart.is_known);
        self.optional_time(cart.emptied_ms);
        self.out.count(cart.lines.len());
        for line in &cart.lines {
            self.out.fixed_u64(line.sku);
            self.out.varint(line.quantity.into());
            self.out.flag(line.price.is_some());
            line.price.iter().for_each(|price| self.out.zigzag(*price));
        }
        self.stored(&cart.last_sku);
    }
}
