//! A small seeded generator of numbers: the same seed gives the same demo data on every machine.

/// SplitMix64: one 64-bit state, passes the usual statistical tests, three lines long. Nothing here
/// is secret.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// A generator that goes by this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 128 bits.
    pub fn wide(&mut self) -> u128 {
        (u128::from(self.next()) << 64) | u128::from(self.next())
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = (high - low).unsigned_abs() + 1;
        low + (self.next() % span) as i64
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u8) -> bool {
        self.next() % 100 < u64::from(chance)
    }

    /// The place of one of so many items.
    pub fn place(&mut self, items: usize) -> usize {
        (self.next() % items.max(1) as u64) as usize
    }

    /// One of the items.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.place(items.len())]
    }

    /// One of the items, by their weights.
    pub fn weighted<T: Copy>(&mut self, items: &[(T, u32)]) -> T {
        let total: u64 = items.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut at = self.next() % total.max(1);
        for (item, weight) in items {
            if at < u64::from(*weight) {
                return *item;
            }
            at -= u64::from(*weight);
        }
        items[0].0
    }
}
