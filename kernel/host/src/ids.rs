//! The source of the ids of proposed records.

use std::sync::atomic::{AtomicU64, Ordering};

use kjerne_model::{Instant, RecordId};

/// Makes ids that no other call makes: a hash of the host's seed and a counter.
pub struct IdSource {
    seed: [u8; 16],
    made: AtomicU64,
}

impl IdSource {
    /// A source; two with the same seed make the same ids.
    pub fn new(seed: u128) -> Self {
        Self {
            seed: seed.to_le_bytes(),
            made: AtomicU64::new(0),
        }
    }

    /// The next id.
    pub fn next(&self, at: Instant) -> RecordId {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed).update(&number.to_le_bytes());
        let mut random = [0; 16];
        hasher.finalize_xof().fill(&mut random);
        RecordId::v7(at, u128::from_le_bytes(random))
    }
}
