//! Outside a component: every question goes to the [`World`] of the test under way.

use crate::bindings::imports::kjerne::crm::settings::Entry;
use crate::change::Record;
use crate::contract::{Failure, RecordRef};
use crate::query::{Page, Query};
use crate::testing::{self, World};
pub use crate::testing::{Done as Effects, Found as Findings, Set as Edits};
use crate::time::Instant;

pub(crate) fn log(level: &str, message: &str) {
    World::with(|world| world.lines.push(format!("{level}: {message}")));
}

pub(crate) fn settings_text() -> String {
    World::with(|world| world.settings.clone())
}

pub(crate) fn settings_entries() -> Vec<Entry> {
    let text = settings_text();
    testing::settings_entries(&text).unwrap_or_else(|fault| {
        panic!("the settings of the test's world are refused before a plugin sees them: {fault}")
    })
}

pub(crate) fn settings_revision() -> u64 {
    1
}

pub(crate) fn record(target: &RecordRef) -> Result<Option<Record>, Failure> {
    Ok(World::with(|world| {
        world
            .records
            .iter()
            .find(|record| record.reference() == *target)
            .cloned()
    }))
}

pub(crate) fn related(
    target: &RecordRef,
    kind: &str,
    field: &str,
    limit: u32,
) -> Result<Vec<Record>, Failure> {
    let points =
        |record: &&Record| record.kind == kind && record.fields.reference(field) == Some(target);
    Ok(World::with(|world| {
        world
            .records
            .iter()
            .filter(points)
            .take(limit as usize)
            .cloned()
            .collect()
    }))
}

pub(crate) fn query(query: &Query) -> Result<Page, Failure> {
    if World::with(|world| world.unknown.contains(&query.kind)) {
        let message = format!("there is no kind {}", query.kind);
        return Err(Failure::new("unknown-kind", message));
    }
    if let Some(filter) = &query.filter {
        return filtered(&query.kind, filter);
    }
    let skipped: usize = query
        .after
        .as_deref()
        .map_or(0, |cursor| cursor.parse().unwrap_or(0));
    let most = query.limit.unwrap_or(50) as usize;
    let mut found: Vec<Record> = World::with(|world| {
        world
            .records
            .iter()
            .filter(|record| record.kind == query.kind)
            .skip(skipped)
            .cloned()
            .collect()
    });
    let next = (found.len() > most).then(|| (skipped + most).to_string());
    found.truncate(most);
    Ok(Page {
        records: found,
        next,
    })
}

/// What a filter finds: nothing, or that the test's world refuses it.
fn filtered(kind: &str, filter: &str) -> Result<Page, Failure> {
    let refused = World::with(|world| world.refused.clone()).unwrap_or_else(|| {
        panic!(
            "a query with a filter is answered by the kernel only; write a case for `kjerne plugin \
             test`, or say what is refused with World::refuses(..)"
        )
    });
    let is_it = |(of, what, _): &&(String, String, String)| of == kind && filter.contains(what);
    match refused.iter().find(is_it) {
        Some((_, _, message)) => Err(Failure::new("bad-filter", message)),
        None => Ok(Page {
            records: Vec::new(),
            next: None,
        }),
    }
}

pub(crate) fn state_get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    Ok(World::with(|world| world.state.get(key).cloned()))
}

pub(crate) fn state_set(key: &str, value: &[u8]) -> Result<(), Failure> {
    World::with(|world| world.state.insert(key.to_owned(), value.to_owned()));
    Ok(())
}

pub(crate) fn state_remove(key: &str) -> Result<(), Failure> {
    World::with(|world| world.state.remove(key));
    Ok(())
}

pub(crate) fn state_compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool, Failure> {
    Ok(World::with(|world| {
        let is_so = world.state.get(key).map(Vec::as_slice) == expected;
        match value {
            _ if !is_so => {}
            Some(value) => drop(world.state.insert(key.to_owned(), value.to_owned())),
            None => drop(world.state.remove(key)),
        }
        is_so
    }))
}

/// Keys with their values, and the key to go on after.
pub(crate) type Scan = (Vec<(String, Vec<u8>)>, Option<String>);

pub(crate) fn state_scan(prefix: &str, after: Option<&str>, limit: u32) -> Result<Scan, Failure> {
    let wanted = |(key, _): &(&String, &Vec<u8>)| {
        key.starts_with(prefix) && after.is_none_or(|last| key.as_str() > last)
    };
    let most = limit.clamp(1, 1_000) as usize;
    let mut found: Vec<(String, Vec<u8>)> = World::with(|world| {
        let rows = world.state.iter().filter(wanted).take(most + 1);
        rows.map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    });
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
    Ok((found, next))
}

pub(crate) fn state_keys(
    prefix: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, Failure> {
    let wanted =
        |key: &&String| key.starts_with(prefix) && after.is_none_or(|last| key.as_str() > last);
    Ok(World::with(|world| {
        world
            .state
            .keys()
            .filter(wanted)
            .take(limit as usize)
            .cloned()
            .collect()
    }))
}

pub(crate) fn offsets(zone: &str, _: Instant, _: Instant) -> Result<Vec<(i64, i32)>, Failure> {
    World::with(|world| world.zones.get(zone).cloned()).ok_or_else(|| {
        Failure::new(
            "unknown-zone",
            format!("The test's world has no zone {zone:?}; add it with World::zone."),
        )
    })
}
