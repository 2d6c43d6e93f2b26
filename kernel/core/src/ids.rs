//! The source of record ids.

use std::sync::{Mutex, PoisonError};

use kjerne_model::{Instant, RecordId};

/// The random bits of an id of version 7.
const RANDOM_BITS: u32 = 74;

/// Makes record ids: by time, and one after the other within a millisecond. The same seed and the
/// same times give the same ids, which is what makes demo data and simulations repeat.
pub(crate) struct IdSource(Mutex<State>);

struct State {
    random: Random,
    at: Instant,
    last: u128,
}

impl IdSource {
    pub(crate) fn new(seed: u128) -> Self {
        let random = Random(seed);
        Self(Mutex::new(State {
            random,
            at: Instant::from_millis(i64::MIN),
            last: 0,
        }))
    }

    /// The next id of that time.
    pub(crate) fn next(&self, at: Instant) -> RecordId {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let random = if at == state.at {
            // A random step upwards leaves room for as many ids as anybody makes in a millisecond.
            state.last + 1 + (state.random.next() & 0xffff_ffff)
        } else {
            // The highest bit stays free, so that steps upwards cannot overflow.
            state.random.next() & ((1 << (RANDOM_BITS - 1)) - 1)
        };
        state.at = at;
        state.last = random;
        RecordId::v7(at, random)
    }
}

/// A small generator of evenly spread numbers (two steps of SplitMix64). Ids are no secrets.
struct Random(u128);

impl Random {
    fn next(&mut self) -> u128 {
        u128::from(self.half()) << 64 | u128::from(self.half())
    }

    fn half(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let mut z = (self.0 >> 64) as u64 ^ self.0 as u64;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_millisecond_rise_and_the_same_seed_repeats_them() {
        let at = Instant::from_millis(1_700_000_000_000);
        let make = || {
            let source = IdSource::new(7);
            (0..1_000).map(|_| source.next(at)).collect::<Vec<_>>()
        };
        let ids = make();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(ids, make());
        assert!(!ids.contains(&IdSource::new(8).next(at)));
    }

    #[test]
    fn an_id_sorts_by_its_time_even_when_the_clock_goes_back() {
        let source = IdSource::new(1);
        let late = source.next(Instant::from_millis(2_000));
        let early = source.next(Instant::from_millis(1_000));
        assert!(early < late);
    }
}
