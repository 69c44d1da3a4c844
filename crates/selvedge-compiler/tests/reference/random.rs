//! Numbers that look random and are the same for the same seed (SplitMix64).

/// A source of choices.
pub struct Random {
    state: u64,
    /// It draws from all that the language has, not only from what the first sites were made of: those are found again by
    /// their seeds.
    pub is_wide: bool,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self { state: seed, is_wide: true }
    }

    /// What the first sites were made of.
    pub fn narrow(seed: u64) -> Self {
        Self { state: seed, is_wide: false }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, without, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub fn number(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.next() % u64::try_from(high - low + 1).unwrap()).unwrap()
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    pub fn one_of<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }
}
