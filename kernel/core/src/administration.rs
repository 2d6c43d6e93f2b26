//! Administration: what is done to the workspace and changes no record, such as installing a plugin.
//!
//! An act goes through the same queue and the same transaction as a commit and stands in the same
//! journal, so that what was allowed when is known for every entry. No plugin is asked: an
//! administrator takes a plugin back also when it is broken.

use kjerne_model::{Act, Actor, Instant};
use kjerne_store::StoreError;

use crate::administered::Administered;
use crate::kernel::Kernel;
use crate::prepared::{Answer, Prepared};
use crate::rows_beside::Row;

impl Kernel {
    /// Stores what an act of administration changes together with its journal entry, durably, or
    /// nothing of it. Returns the number of the entry.
    ///
    /// # Errors
    /// When the store fails; after [`StoreError::Unknown`] it may have been stored or not.
    pub fn administer(
        &self,
        actor: &Actor,
        at: Instant,
        act: Act,
        rows: Vec<Administered>,
    ) -> Result<u64, StoreError> {
        let rows = rows.into_iter().map(Row::Administered).collect();
        let prepared = Prepared::act(actor.clone(), at, act, rows);
        match self.group().submit(&**self.store(), prepared)? {
            Answer::Stored(receipt) => Ok(receipt.entry),
            // An act rests on nothing that was read, so that nobody can have changed it.
            Answer::Changed | Answer::Overtaken => Err(StoreError::Io(
                "an act of administration was not stored".to_owned(),
            )),
        }
    }
}
