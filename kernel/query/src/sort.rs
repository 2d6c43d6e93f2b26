//! The total order of an answer.

use std::cmp::Ordering;

use kjerne_model::{Record, RecordId, Value};

use crate::limits::QUERY_BYTES;
use crate::page::Order;
use crate::weight;

/// The place of a record in an answer: what it holds at each path of the order, then its id.
#[derive(Clone, PartialEq, Debug)]
pub struct Place {
    pub(crate) values: Vec<Option<Value>>,
    /// The record.
    pub id: RecordId,
}

impl Place {
    /// The place of a record.
    #[must_use]
    pub fn of(record: &Record, order: &[Order]) -> Self {
        let values = order.iter().map(|part| part.path.read(record)).collect();
        Self {
            values,
            id: record.id,
        }
    }

    /// Which of two places comes first.
    #[must_use]
    pub fn compare(&self, other: &Self, order: &[Order]) -> Ordering {
        for (part, (a, b)) in order.iter().zip(self.values.iter().zip(&other.values)) {
            let one_way = compare(a.as_ref(), b.as_ref());
            let way = if part.descending {
                one_way.reverse()
            } else {
                one_way
            };
            if way.is_ne() {
                return way;
            }
        }
        self.id.cmp(&other.id)
    }
}

/// Orders what a field may hold, all of it: empty first; amounts by currency and then by size, since
/// two currencies do not compare; values of different types by their types' names.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::Money(a)), Some(Value::Money(b))) => {
            (a.currency.code(), a.minor).cmp(&(b.currency.code(), b.minor))
        }
        (Some(a), Some(b)) => a
            .compare(b)
            .unwrap_or_else(|| (a.type_name(), a.to_string()).cmp(&(b.type_name(), b.to_string()))),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// The first records of an order, kept while more come in any order; so many, and no more memory than
/// a page may take.
pub(crate) struct Best<'a> {
    order: &'a [Order],
    after: Option<&'a Place>,
    most: usize,
    rows: Vec<(Place, Record)>,
    bytes: usize,
    /// Some were left out for their bytes: all that belong to the page stand before them.
    cut: bool,
}

impl<'a> Best<'a> {
    /// Keeps the first `most` of those that come behind `after`.
    pub(crate) fn new(order: &'a [Order], after: Option<&'a Place>, most: usize) -> Self {
        Self {
            order,
            after,
            most,
            rows: Vec::new(),
            bytes: 0,
            cut: false,
        }
    }

    pub(crate) fn add(&mut self, record: Record) {
        let place = Place::of(&record, self.order);
        if self
            .after
            .is_some_and(|after| place.compare(after, self.order).is_le())
        {
            return;
        }
        self.bytes += weight::record(&record);
        self.rows.push((place, record));
        // Sorting now and then costs less than keeping a heap, and bounds the memory as well.
        if self.rows.len() >= 2 * self.most + 64 || self.bytes > 2 * QUERY_BYTES.count() {
            self.sort_out();
        }
    }

    /// Keeps the first, as far as their number and their bytes go; one is kept whatever it takes.
    fn sort_out(&mut self) {
        let order = self.order;
        self.rows.sort_by(|(a, _), (b, _)| a.compare(b, order));
        self.rows.truncate(self.most);
        let mut bytes = 0;
        let fits = self.rows.iter().take_while(|(_, record)| {
            let first = bytes == 0;
            bytes += weight::record(record);
            first || bytes <= QUERY_BYTES.count()
        });
        let fits = fits.count();
        self.cut |= fits < self.rows.len();
        self.rows.truncate(fits);
        let kept = self.rows.iter().map(|(_, record)| weight::record(record));
        self.bytes = kept.sum();
    }

    /// True when there are as many as asked for, or as fit.
    pub(crate) fn is_full(&self) -> bool {
        self.rows.len() >= self.most || self.bytes > QUERY_BYTES.count()
    }

    /// True when there may be more for which there was no room.
    pub(crate) fn is_cut(&self) -> bool {
        self.cut || self.bytes > QUERY_BYTES.count()
    }

    /// Those kept, in order.
    pub(crate) fn rows(&mut self) -> Vec<(Place, Record)> {
        self.sort_out();
        std::mem::take(&mut self.rows)
    }
}
