//! The tables of a redb file, one for each space, as a snapshot and as a write transaction. Every row
//! is sealed when it is written and verified when it is read.

use std::cell::OnceCell;
use std::ops::{Bound, ControlFlow};
use std::sync::{Arc, OnceLock};

use ::redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, ReadableTable, Table,
    TableDefinition, TableError, WriteTransaction,
};

use super::errors::{begin, closed, storage, table};
use crate::error::StoreError;
use crate::guarded::{guarded, guarded_drop};
use crate::seal;
use crate::space::Space;
use crate::store::{Range, Read, Visit, VisitDamaged, Write};

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;
type FrozenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;
type OpenTable<'a> = Table<'a, &'static [u8], &'static [u8]>;

fn definition(space: Space) -> Definition {
    TableDefinition::new(space.name())
}

/// Makes the table of every space.
pub(super) fn make_all(transaction: &WriteTransaction) -> Result<(), StoreError> {
    for space in Space::ALL {
        transaction.open_table(definition(space)).map_err(table)?;
    }
    Ok(())
}

/// A read transaction, with the tables read so far.
pub(super) struct Frozen {
    /// There until the end.
    transaction: Option<ReadTransaction>,
    tables: [OnceLock<Option<FrozenTable>>; Space::ALL.len()],
    /// Held by every snapshot of a store, so that it knows when there are no others.
    _held: Arc<()>,
}

impl Frozen {
    pub(super) fn begin(database: &Database, held: &Arc<()>) -> Result<Self, StoreError> {
        let transaction = guarded(|| database.begin_read().map_err(begin))?;
        Ok(Self {
            transaction: Some(transaction),
            tables: Default::default(),
            _held: Arc::clone(held),
        })
    }

    /// The bytes of a row as they are stored, with the check behind them.
    pub(super) fn stored(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(table) = self.table(space)? else {
            return Ok(None);
        };
        guarded(|| {
            Ok(table
                .get(key)
                .map_err(storage)?
                .map(|row| row.value().to_vec()))
        })
    }

    /// The table of a space; none when the file is older than the space.
    fn table(&self, space: Space) -> Result<Option<&FrozenTable>, StoreError> {
        let cell = &self.tables[space as usize];
        if let Some(open) = cell.get() {
            return Ok(open.as_ref());
        }
        let transaction = self.transaction.as_ref().ok_or_else(closed)?;
        let open = guarded(|| match transaction.open_table(definition(space)) {
            Ok(open) => Ok(Some(open)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(table(error)),
        })?;
        Ok(cell.get_or_init(|| open).as_ref())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // The last one to go closes a database that is closed already for everybody else.
        let parts = (std::mem::take(&mut self.tables), self.transaction.take());
        guarded_drop(parts);
    }
}

impl Read for Frozen {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.table(space)?
            .map_or(Ok(None), |table| get(table, space, key))
    }

    fn scan(&self, space: Space, range: Range<'_>, visit: Visit<'_>) -> Result<(), StoreError> {
        self.table(space)?
            .map_or(Ok(()), |table| scan(table, space, range, visit))
    }

    fn scan_damaged(&self, space: Space, visit: VisitDamaged<'_>) -> Result<(), StoreError> {
        self.table(space)?.map_or(Ok(()), |table| {
            scan_stored(table, space, Range::all(), visit)
        })
    }
}

/// A write transaction, with the tables used so far.
pub(super) struct Tables<'a> {
    transaction: &'a WriteTransaction,
    open: [OnceCell<OpenTable<'a>>; Space::ALL.len()],
}

impl<'a> Tables<'a> {
    pub(super) fn of(transaction: &'a WriteTransaction) -> Self {
        Self {
            transaction,
            open: Default::default(),
        }
    }

    fn table(&self, space: Space) -> Result<&OpenTable<'a>, StoreError> {
        let cell = &self.open[space as usize];
        if cell.get().is_none() {
            let open = guarded(|| {
                self.transaction
                    .open_table(definition(space))
                    .map_err(table)
            })?;
            return Ok(cell.get_or_init(|| open));
        }
        cell.get()
            .ok_or_else(|| StoreError::Io(format!("space {} is not open", space.name())))
    }

    fn table_mut(&mut self, space: Space) -> Result<&mut OpenTable<'a>, StoreError> {
        self.table(space)?;
        let open = self.open[space as usize].get_mut();
        open.ok_or_else(|| StoreError::Io(format!("space {} is not open", space.name())))
    }
}

impl Read for Tables<'_> {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        get(self.table(space)?, space, key)
    }

    fn scan(&self, space: Space, range: Range<'_>, visit: Visit<'_>) -> Result<(), StoreError> {
        scan(self.table(space)?, space, range, visit)
    }
}

impl Write for Tables<'_> {
    fn put(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let table = self.table_mut(space)?;
        guarded(|| {
            let length = value.len() + seal::BYTES;
            let mut place = table.insert_reserve(key, length).map_err(storage)?;
            let (data, check) = place.as_mut().split_at_mut(value.len());
            data.copy_from_slice(value);
            check.copy_from_slice(&seal::of(space, key, value));
            Ok(())
        })
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        let table = self.table_mut(space)?;
        guarded(|| table.remove(key).map(drop).map_err(storage))
    }
}

fn get(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    space: Space,
    key: &[u8],
) -> Result<Option<Vec<u8>>, StoreError> {
    guarded(|| {
        let Some(row) = table.get(key).map_err(storage)? else {
            return Ok(None);
        };
        seal::open(space, key, row.value()).map(|value| Some(value.to_vec()))
    })
}

/// Shows rows whose check holds, and ends with the first whose check does not.
fn scan(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    space: Space,
    range: Range<'_>,
    visit: Visit<'_>,
) -> Result<(), StoreError> {
    let mut damage = Ok(());
    let mut order = Order::of(&range);
    scan_stored(table, space, range, &mut |key, value| {
        let value = value.and_then(|value| order.next(space, key).map(|()| value));
        match value {
            Ok(value) => visit(key, value),
            Err(error) => {
                damage = Err(error);
                ControlFlow::Break(())
            }
        }
    })?;
    damage
}

/// That keys come in their order and within their range: pages that are whole but stand in each other's
/// place would tell a row twice.
struct Order {
    last: Option<Vec<u8>>,
    from: Vec<u8>,
    to: Option<Vec<u8>>,
    backwards: bool,
}

impl Order {
    fn of(range: &Range<'_>) -> Self {
        Self {
            last: None,
            from: range.from.to_vec(),
            to: range.to.map(<[u8]>::to_vec),
            backwards: range.backwards,
        }
    }

    fn next(&mut self, space: Space, key: &[u8]) -> Result<(), StoreError> {
        let within = key >= self.from.as_slice() && self.to.as_deref().is_none_or(|to| key < to);
        let follows = match &self.last {
            None => true,
            Some(last) if self.backwards => key < last.as_slice(),
            Some(last) => key > last.as_slice(),
        };
        if !within || !follows {
            let name = space.name();
            return Err(StoreError::Corrupt(format!(
                "rows of {name} do not stand in their order; `kjerne verify` tells more"
            )));
        }
        let last = self.last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(key);
        Ok(())
    }
}

fn scan_stored(
    table: &impl ReadableTable<&'static [u8], &'static [u8]>,
    space: Space,
    range: Range<'_>,
    visit: VisitDamaged<'_>,
) -> Result<(), StoreError> {
    if range.to.is_some_and(|to| to <= range.from) {
        return Ok(());
    }
    let end = range.to.map_or(Bound::Unbounded, Bound::Excluded);
    let span = (Bound::Included(range.from), end);
    let mut rows = guarded(|| table.range::<&[u8]>(span).map_err(storage))?;
    let mut next = || {
        guarded(|| {
            let row = if range.backwards {
                rows.next_back()
            } else {
                rows.next()
            };
            let Some((key, value)) = row.transpose().map_err(storage)? else {
                return Ok(None);
            };
            // What is going to be looked at outside is looked at here, where it may panic.
            let sound = seal::open(space, key.value(), value.value()).map(<[u8]>::len);
            Ok(Some((key, value, sound)))
        })
    };
    while let Some((key, value, sound)) = next()? {
        let shown = match sound {
            Ok(length) => visit(key.value(), Ok(&value.value()[..length])),
            Err(error) => visit(key.value(), Err(error)),
        };
        if shown.is_break() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_out_of_their_order_or_range_are_damage() {
        let range = |backwards| Range {
            from: b"b",
            to: Some(b"m"),
            backwards,
        };
        for (keys, backwards, sound) in [
            (&["b", "c", "l"][..], false, true),
            (&["l", "c", "b"], true, true),
            (&["b", "c", "c"], false, false),
            (&["c", "b"], false, false),
            (&["c", "d"], true, false),
            (&["a"], false, false),
            (&["m"], true, false),
        ] {
            let mut order = Order::of(&range(backwards));
            let read = keys
                .iter()
                .try_for_each(|key| order.next(Space::Records, key.as_bytes()));
            assert_eq!(read.is_ok(), sound, "{keys:?}");
        }
    }
}
