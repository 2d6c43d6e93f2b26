//! What a plugin may import: records, log, settings, its key space, time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use kjerne_core::{Query, QueryError};
use kjerne_model::filter::{self, Filter, Path};
use kjerne_model::{Kind, Record, Reference};
use kjerne_store::plugin_state;
use wasmtime::component::Resource;

use crate::call_state::{CallState, Purpose, kind_of, quoted};
use crate::limits;
use crate::meter::Passed;
use crate::resources::QueryDraft;
use crate::stop::{Ended, Stop};
use crate::wit::v0_2_0::{
    self as wit, CrmRecord, Failure, RecordRef, log, records, settings, state, time,
};
use kjerne_ledger::Line;
use kjerne_package::grants::Projection;

impl CallState {
    /// Counts a call that has no failure to answer with: passing the limit ends the call.
    fn count_call(&mut self) -> wasmtime::Result<()> {
        self.meter.host_call().map_err(|_| Ended.into())
    }

    /// The kind, and what of it the plugin may read.
    fn readable(&self, kind: &str) -> Result<(&Kind, &Projection), Stop> {
        let known = kind_of(&self.call, kind)?;
        let granted = self.plugin.grants.readable(kind).ok_or_else(|| {
            Stop::failure(
                "not-granted",
                format!("the plugin was not granted read:{kind}"),
            )
        })?;
        Ok((known, granted))
    }

    /// Counts a record against what a call may read, and hands over what was granted of it.
    fn hand_over(&mut self, record: &Record) -> Result<CrmRecord, Stop> {
        let (_, granted) = self.readable(&record.kind)?;
        let record = wit::record_out(record, granted);
        self.meter.read(64 + wit::weight(&record.fields))?;
        Ok(record)
    }

    fn hand_over_all(&mut self, records: &[Record]) -> Result<Vec<CrmRecord>, Stop> {
        records
            .iter()
            .map(|record| self.hand_over(record))
            .collect()
    }

    /// A query to which the guest adds so many bytes. What is added is kept until the query is
    /// dropped, so it is counted before it is.
    fn draft(
        &mut self,
        query: &Resource<QueryDraft>,
        added: usize,
    ) -> wasmtime::Result<&mut QueryDraft> {
        self.count_call()?;
        let added = HELD + added as u64;
        self.meter.keep(added).map_err(|_| Ended)?;
        let draft = self.queries.get_mut(query)?;
        draft.kept += added;
        Ok(draft)
    }
}

/// What the host keeps for a thing beside its bytes, about.
const HELD: u64 = 64;

/// Reads a reference a plugin gave.
pub fn reference(target: &RecordRef) -> Result<Reference, Stop> {
    wit::reference_in(target).map_err(|error| Stop::failure("bad-id", error.to_string()))
}

/// Asking for a field that was not granted would tell what it holds, so it is refused even where
/// the field itself is not shown.
fn check_path(field: &str, kind: &Kind, granted: &Projection) -> Result<(), Stop> {
    if granted.has(field) {
        return Ok(());
    }
    let message = format!("the plugin was not granted read:{}.{field}", kind.name);
    Err(Stop::failure("not-granted", message))
}

/// Looks at every condition of a filter, and counts them.
fn check_filter(filter: &Filter, kind: &Kind, granted: &Projection) -> Result<u64, Stop> {
    match filter {
        Filter::All => Ok(0),
        Filter::And(one, other) | Filter::Or(one, other) => {
            Ok(check_filter(one, kind, granted)? + check_filter(other, kind, granted)?)
        }
        Filter::Not(inner) => check_filter(inner, kind, granted),
        Filter::Compare { path, .. } | Filter::In { path, .. } | Filter::Text { path, .. } => {
            match path {
                Path::Field(name) | Path::Like(name, _) | Path::Part(name, _) => {
                    check_path(name, kind, granted)?;
                }
                Path::Own(_) => {}
            }
            Ok(1)
        }
    }
}

fn asked(error: QueryError) -> Stop {
    match error {
        QueryError::Wrong(message) => Stop::failure("bad-filter", message),
        QueryError::Store(error) => error.into(),
    }
}

fn answer_size(limit: u32) -> usize {
    limit.clamp(1, limits::ANSWER.value as u32) as usize
}

impl records::Host for CallState {
    fn get(&mut self, target: RecordRef) -> Result<Option<CrmRecord>, Stop> {
        self.meter.host_call()?;
        self.readable(&target.kind)?;
        let target = reference(&target)?;
        let record = self.call.reader.get(&target.kind, target.id)?;
        record.map(|record| self.hand_over(&record)).transpose()
    }

    fn related(
        &mut self,
        target: RecordRef,
        kind: String,
        field: String,
        limit: u32,
    ) -> Result<Vec<CrmRecord>, Stop> {
        self.meter.host_call()?;
        let (known, granted) = self.readable(&kind)?;
        check_path(&field, known, granted)?;
        let target = reference(&target)?;
        let found = self
            .call
            .reader
            .related(&target, &kind, &field, answer_size(limit));
        self.hand_over_all(&found.map_err(asked)?)
    }
}

impl records::HostQuery for CallState {
    fn new(&mut self, kind: String) -> wasmtime::Result<Resource<QueryDraft>> {
        self.count_call()?;
        let kept = HELD + kind.len() as u64;
        self.meter.keep(kept).map_err(|_| Ended)?;
        let draft = QueryDraft {
            kind,
            filters: Vec::new(),
            filter_bytes: 0,
            kept,
            limit: limits::ANSWER_DEFAULT.value as u32,
            after: None,
        };
        self.queries.push(draft).map_err(|error| {
            self.meter.passes(limits::QUERIES);
            error.into()
        })
    }

    fn filter(&mut self, query: Resource<QueryDraft>, condition: String) -> wasmtime::Result<()> {
        let draft = self.draft(&query, condition.len())?;
        draft.filter_bytes += condition.len() as u64;
        if draft.filter_bytes > limits::QUERY_TEXT.value {
            self.meter.passes(limits::QUERY_TEXT);
            return Err(Ended.into());
        }
        draft.filters.push(condition);
        Ok(())
    }

    fn limit(&mut self, query: Resource<QueryDraft>, count: u32) -> wasmtime::Result<()> {
        self.count_call()?;
        self.queries.get_mut(&query)?.limit = count;
        Ok(())
    }

    fn after(&mut self, query: Resource<QueryDraft>, cursor: String) -> wasmtime::Result<()> {
        let draft = self.draft(&query, cursor.len())?;
        draft.after = Some(cursor);
        Ok(())
    }

    fn run(
        &mut self,
        query: Resource<QueryDraft>,
    ) -> Result<(Vec<CrmRecord>, Option<String>), Stop> {
        self.meter.host_call()?;
        let draft = self.queries.get(&query);
        let draft = draft.map_err(|error| Stop::Broken(error.to_string()))?;
        let (kind, granted) = self.readable(&draft.kind)?;
        let query = prepare(draft, kind, granted)?;
        let page = self.call.reader.query(&query).map_err(asked)?;
        Ok((self.hand_over_all(&page.records)?, page.next))
    }

    fn drop(&mut self, query: Resource<QueryDraft>) -> wasmtime::Result<()> {
        let draft = self.queries.delete(query)?;
        self.meter.release(draft.kept);
        Ok(())
    }
}

/// One filter of all conditions. Each was read by itself, within a filter's own bounds; together
/// they keep to the same number of conditions, so that the whole is no deeper than one filter.
fn prepare(draft: &QueryDraft, kind: &Kind, granted: &Projection) -> Result<Query, Stop> {
    let (mut all, mut conditions) = (Filter::All, 0);
    for text in &draft.filters {
        let one = filter::parse(text, kind)
            .map_err(|error| Stop::failure("bad-filter", error.to_string()))?;
        conditions += check_filter(&one, kind, granted)?;
        if conditions > limits::QUERY_CONDITIONS.value {
            return Err(Passed::of(limits::QUERY_CONDITIONS).into());
        }
        all = match (all, one) {
            (all, Filter::All) => all,
            (Filter::All, one) => one,
            (before, one) => Filter::And(Box::new(before), Box::new(one)),
        };
    }
    Ok(Query {
        kind: kind.name.clone(),
        filter: all,
        order: Vec::new(),
        top: answer_size(draft.limit),
        after: draft.after.clone(),
    })
}

impl log::Host for CallState {
    fn write(&mut self, level: String, message: String) -> wasmtime::Result<()> {
        self.meter.check_time().map_err(|_| Ended)?;
        self.meter.log_line().map_err(|_| Ended)?;
        let line = Line::new(self.call.now, self.role, &level, &message);
        if line.level == "error" {
            self.meter.last_error = Some(line.message.clone());
        }
        self.plugin.logs.push(line);
        Ok(())
    }
}

impl settings::Host for CallState {
    fn entries(&mut self) -> wasmtime::Result<Vec<settings::Entry>> {
        self.count_call()?;
        let settings = &self.plugin.settings;
        self.meter.read(settings.weight).map_err(|_| Ended)?;
        Ok(settings.entries.clone())
    }

    fn text(&mut self) -> wasmtime::Result<String> {
        self.count_call()?;
        let text = self.plugin.settings.text.clone();
        self.meter.read(text.len() as u64).map_err(|_| Ended)?;
        Ok(text)
    }

    fn revision(&mut self) -> wasmtime::Result<u64> {
        self.count_call()?;
        Ok(self.plugin.revision)
    }
}

impl CallState {
    fn check_state(&mut self, writes: bool) -> Result<(), Stop> {
        self.meter.host_call()?;
        let now = match self.purpose {
            Purpose::Work => true,
            Purpose::Question => !writes,
            Purpose::Verdict | Purpose::Preparation => false,
        };
        if !now {
            let role = self.role.name();
            return Err(Stop::failure(
                "not-now",
                format!("state is not there during {role}"),
            ));
        }
        if self.plugin.grants.has_state() {
            return Ok(());
        }
        Err(Stop::failure(
            "not-granted",
            "the plugin was not granted state",
        ))
    }

    fn kept(&self, key: &str) -> Result<Option<Vec<u8>>, Stop> {
        match self.wishes.state.get(key) {
            Some(pending) => Ok(pending.clone()),
            None => Ok(plugin_state::get(
                &*self.call.reader,
                self.plugin.id(),
                key,
            )?),
        }
    }

    /// Writes or removes a key, when the plugin's space has room for it.
    fn keep(&mut self, key: String, value: Option<Vec<u8>>) -> Result<(), Stop> {
        let size = |value: &Vec<u8>| (key.len() + value.len()) as u64;
        let (before, after) = (
            self.kept(&key)?.as_ref().map_or(0, size),
            value.as_ref().map_or(0, size),
        );
        let used = match self.wishes.state_bytes {
            Some(used) => used,
            // Not remembered: calls that write to different keys do not depend on each other.
            None => plugin_state::used(self.call.reader.unremembered(), self.plugin.id())?.bytes,
        };
        let total = used.saturating_sub(before) + after;
        if after > before {
            quota(
                "the plugin's keys and values would have",
                total,
                kjerne_core::limits::STATE_TOTAL,
            )?;
        }
        self.wishes.state_bytes = Some(total);
        self.wishes.state.insert(key, value);
        Ok(())
    }
}

/// The first of some rows, as many as fit one answer, and the last of them if there are more.
fn page(rows: BTreeMap<String, Vec<u8>>, limit: usize) -> (Vec<(String, Vec<u8>)>, Option<String>) {
    let (mut page, mut bytes) = (Vec::<(String, Vec<u8>)>::new(), 0);
    for (key, value) in rows {
        bytes += key.len() + value.len();
        let is_full = page.len() == limit || bytes > limits::STATE_SCAN.count();
        if let Some((last, _)) = page.last().filter(|_| is_full) {
            let last = last.clone();
            return (page, Some(last));
        }
        page.push((key, value));
    }
    (page, None)
}

fn quota(what: &str, found: u64, limit: kjerne_core::limits::Limit) -> Result<(), Stop> {
    if found <= limit.value {
        return Ok(());
    }
    let message = format!("{what} {found} bytes; at most {} are allowed", limit.value);
    Err(Stop::failure("quota", message))
}

impl state::Host for CallState {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, Stop> {
        self.check_state(false)?;
        let value = self.kept(&key)?;
        self.meter.read(value.as_ref().map_or(0, Vec::len) as u64)?;
        Ok(value)
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Stop> {
        self.check_state(true)?;
        quota("the key has", key.len() as u64, limits::STATE_KEY)?;
        quota("the value has", value.len() as u64, limits::STATE_VALUE)?;
        self.meter.output((key.len() + value.len()) as u64)?;
        self.keep(key, Some(value))
    }

    fn remove(&mut self, key: String) -> Result<(), Stop> {
        self.check_state(true)?;
        quota("the key has", key.len() as u64, limits::STATE_KEY)?;
        self.meter.output(key.len() as u64)?;
        self.keep(key, None)
    }

    fn compare_and_set(
        &mut self,
        key: String,
        expected: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
    ) -> Result<bool, Stop> {
        self.check_state(true)?;
        quota("the key has", key.len() as u64, limits::STATE_KEY)?;
        let bytes = value.as_ref().map_or(0, Vec::len) as u64;
        quota("the value has", bytes, limits::STATE_VALUE)?;
        // What is read here is remembered, and looked at again in the transaction that stores the call.
        let kept = self.kept(&key)?;
        self.meter.read(kept.as_ref().map_or(0, Vec::len) as u64)?;
        if kept != expected {
            return Ok(false);
        }
        self.meter.output(key.len() as u64 + bytes)?;
        self.keep(key, value)?;
        Ok(true)
    }

    fn scan(
        &mut self,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<(Vec<(String, Vec<u8>)>, Option<String>), Stop> {
        self.check_state(false)?;
        let limit = (limit as usize).clamp(1, limits::STATE_KEYS.count());
        let written = &self.wishes.state;
        let past = |key: &str| after.as_deref().is_none_or(|after| key > after);
        let own = written.iter().filter_map(|(key, value)| {
            let value = value.as_ref()?;
            (key.starts_with(&prefix) && past(key)).then(|| (key.clone(), value.clone()))
        });
        let mut rows: BTreeMap<String, Vec<u8>> = own.collect();
        let (mut count, mut bytes) = (0, 0);
        // One more than are told, so that it is known whether there are any.
        let mut visit = |key: &str, value: &[u8]| {
            if !written.contains_key(key) {
                rows.insert(key.to_owned(), value.to_vec());
                count += 1;
                bytes += key.len() + value.len();
            }
            if count <= limit && bytes <= limits::STATE_SCAN.count() {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let (reader, id) = (&*self.call.reader, self.plugin.id());
        plugin_state::rows(reader, id, &prefix, after.as_deref(), &mut visit)?;
        let (page, next) = page(rows, limit);
        let bytes = page.iter().map(|(key, value)| key.len() + value.len());
        self.meter.read(bytes.sum::<usize>() as u64)?;
        Ok((page, next))
    }

    fn keys(
        &mut self,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<String>, Stop> {
        self.check_state(false)?;
        let limit = (limit as usize).clamp(1, limits::STATE_KEYS.count());
        let written = &self.wishes.state;
        let past = |key: &str| after.as_deref().is_none_or(|after| key > after);
        let mut keys: Vec<String> = written
            .iter()
            .filter(|(key, value)| value.is_some() && key.starts_with(&prefix) && past(key))
            .map(|(key, _)| key.clone())
            .collect();
        let mut stored = 0;
        let mut visit = |key: &str| {
            if !written.contains_key(key) {
                keys.push(key.to_owned());
                stored += 1;
            }
            if stored < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let id = self.plugin.id();
        plugin_state::keys(
            &*self.call.reader,
            id,
            &prefix,
            after.as_deref(),
            &mut visit,
        )?;
        keys.sort_unstable();
        keys.truncate(limit);
        self.meter
            .read(keys.iter().map(|key| key.len() as u64).sum())?;
        Ok(keys)
    }
}

/// The zones built into the program; what is installed on the machine plays no part.
fn zone(name: &str) -> Option<TimeZone> {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    ZONES.get_or_init(TimeZoneDatabase::bundled).get(name).ok()
}

const DAY_MILLIS: i64 = 86_400_000;

impl time::Host for CallState {
    fn now(&mut self) -> wasmtime::Result<i64> {
        self.count_call()?;
        if self.purpose == Purpose::Preparation {
            return Err(wasmtime::Error::msg(
                "prepare asked for the time, which goes on when it is done; ask in the call",
            ));
        }
        Ok(self.call.now.millis())
    }

    fn offsets(&mut self, name: String, start: i64, end: i64) -> Result<Vec<(i64, i32)>, Stop> {
        self.meter.host_call()?;
        if end < start || end.saturating_sub(start) > limits::ZONE_RANGE.value as i64 * DAY_MILLIS {
            let message = "the end must lie after the start, by at most 20 years";
            return Err(Stop::failure("bad-range", message));
        }
        let zone = zone(&name).ok_or_else(|| {
            let message = format!(
                "there is no time zone {:?}; use a name such as Europe/Oslo",
                quoted(&name)
            );
            Stop::failure("unknown-zone", message)
        })?;
        offsets(&zone, start, end).ok_or_else(|| {
            Stop::failure(
                "bad-range",
                "the range lies outside of the years -9999 to 9999",
            )
        })
    }
}

/// The offset that holds at the start, and each that begins before the end or at it.
fn offsets(zone: &TimeZone, start: i64, end: i64) -> Option<Vec<(i64, i32)>> {
    let first = Timestamp::from_millisecond(start).ok()?;
    Timestamp::from_millisecond(end).ok()?;
    let mut offsets = vec![(start, zone.to_offset(first).seconds())];
    for transition in zone.following(first) {
        let from = transition.timestamp().as_millisecond();
        if from > end {
            break;
        }
        let offset = transition.offset().seconds();
        if offsets.last().is_some_and(|(_, last)| *last != offset) {
            offsets.push((from, offset));
        }
    }
    Some(offsets)
}

impl wit::types::Host for CallState {
    fn convert_failure(&mut self, stop: Stop) -> wasmtime::Result<Failure> {
        let stop = match stop {
            Stop::Halted => Stop::Limit(self.meter.halted()),
            stop => stop,
        };
        if let Stop::Limit(passed) = &stop {
            self.meter.passed.get_or_insert(*passed);
        }
        match stop {
            Stop::Failure { code, message } => Ok(Failure { code, message }),
            Stop::Limit(passed) if !self.meter.is_late() && self.meter.tell() => {
                let code = if passed.limit == self.meter.budget.names.host_calls {
                    "host-call-limit"
                } else {
                    "output-limit"
                };
                let Passed {
                    limit,
                    allowed,
                    unit,
                } = passed;
                let message = format!("the call passed its limit {limit} of {allowed} {unit}");
                Ok(Failure {
                    code: code.to_owned(),
                    message,
                })
            }
            Stop::Limit(_) | Stop::Halted => Err(Ended.into()),
            Stop::Broken(why) => {
                self.meter.broken = Some(why);
                Err(Ended.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_query_cannot_ask_for_what_may_not_be_read() {
        use kjerne_package::grants::{Grant, Grants};
        let kinds = kjerne_model::core_kinds();
        let account = kinds.iter().find(|kind| kind.name == "account").unwrap();
        let name = [Grant::parse("read:account.name").unwrap()];
        let grants = Grants::effective(&name, &name);
        let granted = grants.readable("account").unwrap();
        let check = |filters: &[&str], expected: Option<&str>| {
            let filters = filters.iter().map(|text| (*text).to_owned()).collect();
            let draft = QueryDraft {
                kind: "account".into(),
                filters,
                filter_bytes: 0,
                kept: 0,
                limit: 0,
                after: None,
            };
            let code = match prepare(&draft, account, granted) {
                Err(Stop::Failure { code, .. }) => Some(code),
                _ => None,
            };
            assert_eq!(code.as_deref(), expected, "{:?}", draft.filters);
        };
        check(&[], None);
        check(&["name eq 'Example AS'"], None);
        check(&["startswith(name,'E') and version gt 1"], None);
        check(&["employees gt 100"], Some("not-granted"));
        check(
            &["name eq 'x' or not (employees gt 100)"],
            Some("not-granted"),
        );
        check(
            &["name eq 'x'", "contains(industry,'fish')"],
            Some("not-granted"),
        );
        check(&["billing_address/city eq 'Oslo'"], Some("not-granted"));
        check(&["name equals 'x'"], Some("bad-filter"));
    }

    #[test]
    fn the_offsets_of_oslo_change_twice_a_year() {
        let at = |text: &str| kjerne_model::Instant::parse(text).unwrap().millis();
        let (start, end) = (at("2026-01-01"), at("2027-01-01"));
        let expected = vec![
            (start, 3_600),
            (at("2026-03-29T01:00:00Z"), 7_200),
            (at("2026-10-25T01:00:00Z"), 3_600),
        ];
        assert_eq!(
            offsets(&zone("Europe/Oslo").unwrap(), start, end),
            Some(expected)
        );
        assert!(zone("Europe/Olso").is_none());
    }
}
