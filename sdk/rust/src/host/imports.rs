//! Inside a component: every question goes to the host.

use std::sync::Once;

pub use crate::bindings::imports::kjerne::crm::types::{Edits, Effects, Findings};
use crate::bindings::imports::kjerne::crm::{log as raw_log, records, settings, state, time};
use crate::change::Record;
use crate::contract::{Failure, RecordRef};
use crate::query::{Page, Query};
use crate::time::Instant;

/// Writes the text of a panic to the log before the call ends in a trap.
pub(crate) fn report_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|panic| log("error", &panic.to_string())));
    });
}

pub(crate) fn log(level: &str, message: &str) {
    raw_log::write(level, message);
}

pub(crate) fn settings_text() -> String {
    settings::text()
}

pub(crate) fn settings_entries() -> Vec<settings::Entry> {
    settings::entries()
}

pub(crate) fn settings_revision() -> u64 {
    settings::revision()
}

pub(crate) fn record(target: &RecordRef) -> Result<Option<Record>, Failure> {
    Ok(records::get(target)?.map(Record::from))
}

pub(crate) fn related(
    target: &RecordRef,
    kind: &str,
    field: &str,
    limit: u32,
) -> Result<Vec<Record>, Failure> {
    Ok(records::related(target, kind, field, limit)?
        .into_iter()
        .map(Record::from)
        .collect())
}

pub(crate) fn query(query: &Query) -> Result<Page, Failure> {
    let asked = records::Query::new(&query.kind);
    if let Some(condition) = &query.filter {
        asked.filter(condition);
    }
    if let Some(count) = query.limit {
        asked.limit(count);
    }
    if let Some(cursor) = &query.after {
        asked.after(cursor);
    }
    let (found, next) = asked.run()?;
    Ok(Page {
        records: found.into_iter().map(Record::from).collect(),
        next,
    })
}

pub(crate) fn state_get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    state::get(key)
}

pub(crate) fn state_set(key: &str, value: &[u8]) -> Result<(), Failure> {
    state::set(key, value)
}

pub(crate) fn state_remove(key: &str) -> Result<(), Failure> {
    state::remove(key)
}

pub(crate) fn state_compare_and_set(
    key: &str,
    expected: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Result<bool, Failure> {
    state::compare_and_set(key, expected, value)
}

/// Keys with their values, and the key to go on after.
pub(crate) type Scan = (Vec<(String, Vec<u8>)>, Option<String>);

pub(crate) fn state_scan(prefix: &str, after: Option<&str>, limit: u32) -> Result<Scan, Failure> {
    state::scan(prefix, after, limit)
}

pub(crate) fn state_keys(
    prefix: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, Failure> {
    state::keys(prefix, after, limit)
}

pub(crate) fn offsets(
    zone: &str,
    start: Instant,
    end: Instant,
) -> Result<Vec<(i64, i32)>, Failure> {
    time::offsets(zone, start.millis(), end.millis())
}
