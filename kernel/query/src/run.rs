//! Running a query along its plan.

use std::ops::ControlFlow;
use std::sync::Arc;

use kjerne_model::{FieldType, Kind, Record, RecordId, Reference, Value};
use kjerne_store::{Halt, StoreError, index, records};

use crate::cursor;
use crate::limits;
use crate::page::{Page, Query, QueryError};
use crate::plan::{Bounds, Plan, plan};
use crate::reader::Reader;
use crate::sort::{Best, Place};
use crate::weight;

impl Reader {
    /// One page of the records that meet a query.
    ///
    /// # Errors
    /// When the query is wrong, or the store cannot be read; [`StoreError::Halted`] when it reads more
    /// than it may, which without another allowance is [`limits::QUERY_ROWS`].
    pub fn query(&self, query: &Query) -> Result<Page, QueryError> {
        if !self.is_bounded() {
            return self.within(Arc::default()).query(query);
        }
        let kind = self
            .schema()
            .kind(&query.kind)
            .ok_or_else(|| unknown_kind(&query.kind))?;
        check(query)?;
        let find = |id| self.get(&query.kind, id);
        let after = query
            .after
            .as_deref()
            .map(|text| cursor::read(query, text, find))
            .transpose()?;
        // One more than asked for tells whether there is another page.
        let mut best = Best::new(&query.order, after.as_ref(), query.top + 1);
        let search = Search {
            reader: self,
            query,
            after: after.as_ref(),
        };
        search.follow(&plan(query, kind), &mut best)?;
        let mut rows = best.rows();
        let more = rows.len() > query.top || best.is_cut();
        rows.truncate(query.top);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|(place, _)| cursor::write(query, place));
        Ok(Page {
            records: rows.into_iter().map(|(_, record)| record).collect(),
            next,
        })
    }

    /// The records of `kind` whose reference field `field` points to `target`, in the order of their
    /// ids, at most `limit`.
    ///
    /// # Errors
    /// When the kind has no such reference field, or the store cannot be read.
    pub fn related(
        &self,
        target: &Reference,
        kind: &str,
        field: &str,
        limit: usize,
    ) -> Result<Vec<Record>, QueryError> {
        let described = self.schema().kind(kind).ok_or_else(|| unknown_kind(kind))?;
        check_reference(described, field)?;
        let limit = limit.min(limits::QUERY_TOP.count());
        let value = Value::Reference(target.clone());
        let (mut found, mut bytes, mut failed) = (Vec::new(), 0, Ok(()));
        if limit == 0 {
            return Ok(found);
        }
        index::ids(self, kind, field, &value, None, &mut |id| {
            or_break(&mut failed, || {
                let one = self.get(kind, id)?;
                bytes += one.as_ref().map_or(0, weight::record);
                found.extend(one);
                if bytes > limits::QUERY_BYTES.count() && found.len() > 1 {
                    return Err(StoreError::Halted(too_long()));
                }
                let enough = found.len() >= limit;
                Ok(if enough {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })
        })?;
        failed?;
        Ok(found)
    }
}

fn check(query: &Query) -> Result<(), QueryError> {
    let (top, most) = (query.top, limits::QUERY_TOP.count());
    if !(1..=most).contains(&top) {
        let what = format!("{top} records asked for; ask for 1 to {most}, and go on by the cursor");
        return Err(QueryError::Wrong(what));
    }
    let (parts, most) = (query.order.len(), limits::QUERY_ORDER.count());
    if parts > most {
        let what = format!("an order of {parts} fields; at most {most} are allowed");
        return Err(QueryError::Wrong(what));
    }
    Ok(())
}

/// An answer without a cursor is not cut, which nobody would notice.
fn too_long() -> Halt {
    Halt::TooMuch(format!(
        "the records take more than {} bytes of memory (limit {}); ask for fewer at a time",
        limits::QUERY_BYTES.value,
        limits::QUERY_BYTES.name
    ))
}

fn unknown_kind(kind: &str) -> QueryError {
    QueryError::Wrong(format!("there is no kind {kind}; see the list of kinds"))
}

struct Search<'a> {
    reader: &'a Reader,
    query: &'a Query,
    after: Option<&'a Place>,
}

impl Search<'_> {
    fn follow(&self, plan: &Plan, best: &mut Best<'_>) -> Result<(), StoreError> {
        match plan {
            Plan::One(id) => {
                let found = self.reader.get(&self.query.kind, *id)?;
                self.offer(found, best);
                Ok(())
            }
            Plan::Equal { field, value } => self.equal(field, value, best),
            Plan::Ordered {
                field,
                bounds,
                descending,
            } => self.ordered(field, bounds, *descending, best),
            Plan::Within { field, bounds } => self.within(field, bounds, best),
            Plan::Scan => self.scan(best),
        }
    }

    /// Where to begin when records come by id and that is the order asked for.
    fn first_id(&self) -> Option<RecordId> {
        if self.by_id() {
            self.after.map(|place| place.id)
        } else {
            None
        }
    }

    fn by_id(&self) -> bool {
        self.query.order.is_empty()
    }

    fn offer(&self, record: Option<Record>, best: &mut Best<'_>) {
        if let Some(record) = record.filter(|record| self.query.filter.matches(record)) {
            best.add(record);
        }
    }

    /// Goes on unless records come in the order asked for and there are enough.
    fn unless_enough(&self, best: &Best<'_>) -> ControlFlow<()> {
        if self.by_id() && best.is_full() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn equal(&self, field: &str, value: &Value, best: &mut Best<'_>) -> Result<(), StoreError> {
        let mut failed = Ok(());
        let kind = &self.query.kind;
        index::ids(
            self.reader,
            kind,
            field,
            value,
            self.first_id(),
            &mut |id| {
                or_break(&mut failed, || {
                    self.offer(self.reader.get(kind, id)?, best);
                    Ok(self.unless_enough(best))
                })
            },
        )?;
        failed
    }

    fn within(&self, field: &str, bounds: &Bounds, best: &mut Best<'_>) -> Result<(), StoreError> {
        let mut failed = Ok(());
        let (kind, from, to) = (&self.query.kind, bounds.from.as_ref(), bounds.to.as_ref());
        index::range(self.reader, kind, field, from, to, false, &mut |id| {
            or_break(&mut failed, || {
                self.offer(self.reader.get(kind, id)?, best);
                Ok(ControlFlow::Continue(()))
            })
        })?;
        failed
    }

    fn scan(&self, best: &mut Best<'_>) -> Result<(), StoreError> {
        records::scan(
            self.reader,
            &self.query.kind,
            self.first_id(),
            &mut |record| {
                self.offer(Some(record), best);
                self.unless_enough(best)
            },
        )
    }

    /// Follows an index in its order, from the cursor's value on, and ends with the first value
    /// after those that fill the page: records with one value may come in any order.
    fn ordered(
        &self,
        field: &str,
        bounds: &Bounds,
        descending: bool,
        best: &mut Best<'_>,
    ) -> Result<(), StoreError> {
        let reached = self.after.and_then(|place| place.values.first()?.as_ref());
        let (from, to) = match reached {
            Some(value) if descending => (bounds.from.as_ref(), Some(value)),
            Some(value) => (Some(value), bounds.to.as_ref()),
            None => (bounds.from.as_ref(), bounds.to.as_ref()),
        };
        let path = self.query.order.first().map(|first| &first.path);
        let mut failed = Ok(());
        let mut last: Option<Value> = None;
        let kind = &self.query.kind;
        index::range(self.reader, kind, field, from, to, descending, &mut |id| {
            or_break(&mut failed, || {
                let Some(record) = self.reader.get(kind, id)? else {
                    return Ok(ControlFlow::Continue(()));
                };
                let held = path.and_then(|path| path.read(&record));
                if best.is_full() && begins_anew(last.as_ref(), held.as_ref()) {
                    return Ok(ControlFlow::Break(()));
                }
                last = held;
                self.offer(Some(record), best);
                Ok(ControlFlow::Continue(()))
            })
        })?;
        failed
    }
}

/// True when an index has left one value behind and come to the next. Long texts that begin alike
/// stand in the index without order among themselves.
fn begins_anew(last: Option<&Value>, value: Option<&Value>) -> bool {
    let exact = |value: Option<&Value>| value.is_some_and(index::is_exact);
    last != value && exact(last) && exact(value)
}

/// Ends a visit at the first failure, and keeps it.
fn or_break(
    failed: &mut Result<(), StoreError>,
    step: impl FnOnce() -> Result<ControlFlow<()>, StoreError>,
) -> ControlFlow<()> {
    step().unwrap_or_else(|error| {
        *failed = Err(error);
        ControlFlow::Break(())
    })
}

fn check_reference(kind: &Kind, field: &str) -> Result<(), QueryError> {
    let name = &kind.name;
    match kind.field(field).map(|field| &field.field_type) {
        Some(FieldType::Reference(_)) => Ok(()),
        Some(other) => {
            let what = format!("{name}.{field} holds {}, not references", other.name());
            Err(QueryError::Wrong(what))
        }
        None => Err(QueryError::Wrong(format!(
            "kind {name} has no field {field:?}"
        ))),
    }
}
