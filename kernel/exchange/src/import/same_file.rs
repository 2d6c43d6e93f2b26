//! Files without a key: their rows are known again by the file and the line they stand in, and by nothing
//! else, so that a mapping may be mended between two imports of one file.
//!
//! The id of a row's record is made of the time at which the file was first imported and of its line. That
//! time is found by a key that names the file and the kind, which the first commit is stored under.

use kjerne_model::{Actor, Instant, RecordId};
use kjerne_store::{Read, idempotency, journal};
use kjerne_workspace::error::Result;
use sha2::{Digest, Sha256};

/// A file that is imported without a key.
pub struct SameFile {
    /// Names the file and the kind.
    pub key: String,
    /// Some of its rows have been stored.
    pub is_known: bool,
    /// When it was imported first.
    began: Instant,
    /// Tells files apart that were imported in the same moment.
    spread: u128,
}

impl SameFile {
    /// Looks whether the file was imported before.
    pub fn find(
        read: &dyn Read,
        actor: &Actor,
        kind: &str,
        file: [u8; 32],
        at: Instant,
    ) -> Result<Self> {
        let mut digest = Sha256::new();
        digest.update(file);
        digest.update(kind.as_bytes());
        let digest: [u8; 32] = digest.finalize().into();
        let hex: String = digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let key = format!("import-file:{hex}");
        let known = match idempotency::get(read, actor, &key)? {
            Some(row) => journal::get(read, row.entry)?,
            None => None,
        };
        let spread = digest[16..21].iter();
        Ok(Self {
            key,
            is_known: known.is_some(),
            began: known.map_or(at, |entry| entry.at),
            spread: spread.fold(0, |all, byte| all << 8 | u128::from(*byte)),
        })
    }

    /// The id of the record that a line becomes; in the order of the lines, so that records of one file lie
    /// together.
    pub fn id(&self, line: u64) -> RecordId {
        RecordId::v7(self.began, u128::from(line) << 40 | self.spread)
    }
}
