//! Pages of the journal: entries in order, bounded by their number and by the memory they take.

use std::ops::ControlFlow;

use kjerne_model::{Entry, RecordId};
use kjerne_store::StoreError;
use kjerne_store::journal::{self, Span};

use crate::limits::{JOURNAL_BYTES, JOURNAL_PAGE};
use crate::reader::Reader;
use crate::weight;

/// A page of the journal.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Feed {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// Whether it ends where a bound was reached, so that there may be more behind it.
    pub full: bool,
    bytes: usize,
}

impl Feed {
    /// Takes an entry, and says whether another one still has room.
    fn add(&mut self, entry: Entry, limit: usize) -> ControlFlow<()> {
        self.bytes += weight::entry(&entry);
        self.entries.push(entry);
        self.full = self.entries.len() >= limit || self.bytes >= JOURNAL_BYTES.count();
        if self.full {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Reader {
    /// The journal entries after number `after` (0 for the first): at most `limit` and never more than
    /// [`JOURNAL_PAGE`]; and no further ones once they take [`JOURNAL_BYTES`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn journal(&self, after: u64, limit: usize) -> Result<Feed, StoreError> {
        self.journal_within(Span::after(after), limit)
    }

    /// The journal entries of a span, in its order; bounded as [`Reader::journal`] is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn journal_within(&self, span: Span, limit: usize) -> Result<Feed, StoreError> {
        let limit = limit.min(JOURNAL_PAGE.count());
        let mut feed = Feed::default();
        if limit > 0 {
            journal::scan_within(self, span, &mut |entry| feed.add(entry, limit))?;
        }
        Ok(feed)
    }

    /// The journal entries of a span that changed a record, each with what it did to that record
    /// alone; bounded as [`Reader::journal`] is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn history(
        &self,
        kind: &str,
        id: RecordId,
        span: Span,
        limit: usize,
    ) -> Result<Feed, StoreError> {
        let limit = limit.min(JOURNAL_PAGE.count());
        let mut feed = Feed::default();
        let mut failed = Ok(());
        if limit == 0 {
            return Ok(feed);
        }
        journal::history_within(self, kind, id, span, &mut |number| match self
            .entry_of(number, kind, id)
        {
            Ok(entry) => feed.add(entry, limit),
            Err(error) => {
                failed = Err(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map(|()| feed)
    }

    fn entry_of(&self, number: u64, kind: &str, id: RecordId) -> Result<Entry, StoreError> {
        let mut entry = journal::get(self, number)?.ok_or_else(|| {
            StoreError::Corrupt(format!("journal entry {number} of {kind}/{id} is missing"))
        })?;
        entry
            .edits
            .retain(|edit| edit.kind == *kind && edit.id == id);
        Ok(entry)
    }
}
