//! A query and its answer; [`records`](crate::records) asks it.

use crate::change::Record;

/// A query under preparation.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) kind: String,
    pub(crate) filter: Option<String>,
    pub(crate) limit: Option<u32>,
    pub(crate) after: Option<String>,
}

/// One answer to a [`Query`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// The cursor to go on with, if there is more.
    pub next: Option<String>,
}

impl Query {
    /// Only records that meet this condition, in OData `$filter` grammar, and every one asked for
    /// before.
    #[must_use]
    pub fn filter(mut self, condition: impl Into<String>) -> Self {
        let condition = condition.into();
        self.filter = Some(match self.filter {
            Some(before) => format!("({before}) and ({condition})"),
            None => condition,
        });
        self
    }

    /// At most so many in one answer (1 to 200; 50 unless said).
    #[must_use]
    pub fn limit(mut self, count: u32) -> Self {
        self.limit = Some(count);
        self
    }

    /// Goes on after the answer that ended with this cursor.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::records;

    #[test]
    fn conditions_are_joined_and_none_replaces_another() {
        let query = records::query("case").filter("status eq 'open'");
        assert_eq!(query.filter.as_deref(), Some("status eq 'open'"));
        let query = query.filter("priority eq 'high' or tier eq 'A'");
        assert_eq!(
            query.filter.as_deref(),
            Some("(status eq 'open') and (priority eq 'high' or tier eq 'A')")
        );
    }
}
