//! A page: what is asked for, what is answered, and why there may be no answer.

use std::fmt;

use kjerne_model::filter::{Filter, Path};
use kjerne_model::{Name, Record};
use kjerne_store::StoreError;

/// Which records, in which order, and how many.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// The kind.
    pub kind: Name,
    /// Which of its records.
    pub filter: Filter,
    /// In which order. Records that are equal in all of it come in the order of their ids, which is
    /// the order they were made in; so do all when it is empty. An empty field comes before every
    /// value.
    pub order: Vec<Order>,
    /// At most so many, 1 to [`limits::QUERY_TOP`](crate::limits::QUERY_TOP).
    pub top: usize,
    /// The cursor of the page before.
    pub after: Option<String>,
}

impl Query {
    /// The first 50 records of a kind, in the order they were made in.
    #[must_use]
    pub fn all(kind: Name) -> Self {
        Self {
            kind,
            filter: Filter::All,
            order: Vec::new(),
            top: 50,
            after: None,
        }
    }
}

/// One part of an order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Order {
    /// What is compared.
    pub path: Path,
    /// From the greatest to the least.
    pub descending: bool,
}

/// One page of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// The cursor to go on with; none when this was the last page. It names the place of the last
    /// record and not its number: what is added or removed before it meanwhile neither repeats nor
    /// skips any other record.
    pub next: Option<String>,
}

/// Why a query was not answered.
#[derive(Clone, Debug)]
pub enum QueryError {
    /// The query is wrong; the sentence says where, and what to do.
    Wrong(String),
    /// The store cannot be read.
    Store(StoreError),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(what) => f.write_str(what),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for QueryError {}

impl From<StoreError> for QueryError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
