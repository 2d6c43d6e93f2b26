//! What reading may take: so many rows, and for as long as whoever asks lets it go on.
//!
//! One reader counts for everything that is read through it, row by row, be it a query, a report or a
//! page of the journal: what is asked for may be small and what has to be looked at for it large.

use std::sync::atomic::{AtomicU64, Ordering};

use kjerne_store::{Halt, StoreError};

use crate::limits::{Limit, QUERY_ROWS};

/// What may be read, and until when. The kernel knows no clock: time is what `go_on` says.
pub struct Allowance {
    rows: Option<Limit>,
    read: AtomicU64,
    go_on: Box<dyn Fn() -> Result<(), Halt> + Send + Sync>,
}

impl Default for Allowance {
    /// The rows of one query, without a bound of time.
    fn default() -> Self {
        Self::new(Some(QUERY_ROWS), || Ok(()))
    }
}

impl Allowance {
    /// So many rows, or as many as there are; `go_on` is asked at every one and ends the reading.
    #[must_use]
    pub fn new(
        rows: Option<Limit>,
        go_on: impl Fn() -> Result<(), Halt> + Send + Sync + 'static,
    ) -> Self {
        Self {
            rows,
            read: AtomicU64::new(0),
            go_on: Box::new(go_on),
        }
    }

    /// Counts one row that is read, of an index or a record.
    pub(crate) fn row(&self) -> Result<(), StoreError> {
        let read = self.read.fetch_add(1, Ordering::Relaxed) + 1;
        match self.rows {
            Some(most) if read > most.value => Err(StoreError::Halted(too_many(&most))),
            _ => (self.go_on)().map_err(StoreError::Halted),
        }
    }
}

fn too_many(most: &Limit) -> Halt {
    Halt::TooMuch(format!(
        "more than {} rows would have to be read (limit {}); narrow the filter by a field with an \
         index, or order by one",
        most.value, most.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_allowed_to_the_number_and_not_beyond() {
        let most = Limit {
            value: 3,
            ..QUERY_ROWS
        };
        let allowance = Allowance::new(Some(most), || Ok(()));
        for _ in 0..3 {
            assert!(allowance.row().is_ok());
        }
        let told = allowance.row().map_err(|error| error.to_string());
        assert!(told.is_err_and(|told| told.contains("3 rows") && told.contains("query-rows")));
    }

    #[test]
    fn reading_ends_when_it_is_told_to() {
        for halt in [Halt::Stopping, Halt::Unwanted] {
            let told = halt.clone();
            let allowance = Allowance::new(None, move || Err(told.clone()));
            let ended = allowance.row();
            assert!(matches!(ended, Err(StoreError::Halted(found)) if found == halt));
        }
    }
}
