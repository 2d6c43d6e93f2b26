//! The rows beside records and journal: each can be read, and none speaks of what is not there.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kjerne_model::Actor;

use super::check::{Check, names};
use crate::codec::Row;
use crate::error::StoreError;
use crate::plugin_state::Used;
use crate::rows::{CursorRow, KeyRow, Waiting};
use crate::space::Space;
use crate::{
    approvers, costs, cursors, journal, key, meta, outbox, parked, pending, plugin_state,
    provenance, registry,
};

/// Whether what was put aside stands in order, each entry once, and the plugin has come by all of it.
fn in_order(row: &CursorRow) -> bool {
    let entries: Vec<u64> = row.aside.iter().map(|aside| aside.entry).collect();
    let last = entries.last().copied().unwrap_or_default();
    entries.is_sorted_by(|one, next| one < next) && last <= row.position
}

impl Check<'_> {
    pub(super) fn other_rows(&mut self) -> Result<(), StoreError> {
        let last = journal::last(self.read);
        let mut last_seq = 0;
        let mut waiting: BTreeMap<String, Waiting> = BTreeMap::new();
        let outcomes = [
            outbox::list(self.read, 0, &mut |row| {
                last_seq = row.seq;
                let sum = waiting.entry(row.plugin.clone()).or_default();
                sum.add(&row, row.encode().len());
                ControlFlow::Continue(())
            }),
            parked::list(self.read, &mut |_| ControlFlow::Continue(())),
            registry::list(self.read).map(drop),
            registry::bindings(self.read).map(drop),
            provenance::publishers(self.read).map(drop),
            provenance::all_origins(self.read).map(drop),
            provenance::all_waiting(self.read).map(drop),
            costs::list(self.read, None).map(drop),
            approvers::list(self.read).map(drop),
            meta::workspace_id(self.read).map(drop),
            meta::cache_key(self.read).map(drop),
        ];
        let is_damaged = outcomes[0].is_err();
        for error in outcomes.into_iter().filter_map(Result::err) {
            self.report.fault(error.to_string());
        }
        for (plugin, sum) in waiting.into_iter().filter(|_| !is_damaged) {
            if outbox::waiting(self.read, &plugin).ok() != Some(sum) {
                self.report.fault(format!(
                    "the totals of {plugin} are not what it has in the outbox"
                ));
            }
        }
        if outbox::last_seq(self.read).is_ok_and(|given| given < last_seq) {
            let fault = format!("message {last_seq} is in the outbox, and its place was not given");
            self.report.fault(fault);
        }
        self.each(Space::Keys, Self::idempotency_key)?;
        self.plugin_state()?;
        self.pending()?;
        match (cursors::list(self.read), last) {
            (Ok(rows), Ok(last)) => {
                for (plugin, role, row) in rows.iter().filter(|(_, _, row)| row.position > last) {
                    let at = row.position;
                    self.report.fault(format!(
                        "{plugin} stands at journal entry {at} as {role}, and there are {last}"
                    ));
                }
                for (plugin, role, _) in rows.iter().filter(|(_, _, row)| !in_order(row)) {
                    self.report.fault(format!(
                        "what {plugin} has put aside as {role} is out of order, or not behind it"
                    ));
                }
            }
            (Err(error), _) | (_, Err(error)) => self.report.fault(error.to_string()),
        }
        Ok(())
    }

    fn idempotency_key(&mut self, key: &[u8], bytes: &[u8]) -> Result<(), StoreError> {
        let what = || match names(key) {
            Some((actor, key)) => format!("the idempotency key {key:?} of {actor}"),
            None => "an idempotency key".to_owned(),
        };
        match KeyRow::decode(bytes) {
            Ok(row) if row.entry > journal::last(self.read).unwrap_or(u64::MAX) => {
                let fault = format!(
                    "{} names journal entry {}, which is none",
                    what(),
                    row.entry
                );
                self.report.fault(fault);
            }
            Ok(_) => {}
            Err(damage) => self.fault(damage.in_(what()))?,
        }
        Ok(())
    }

    /// What waits for approval can be read, and the totals are what it comes to.
    fn pending(&mut self) -> Result<(), StoreError> {
        let mut all = pending::Held::default();
        let mut of_each: BTreeMap<String, (Actor, pending::Held)> = BTreeMap::new();
        let listed = pending::list(self.read, &mut |row| {
            let bytes = pending::size(&row);
            let of_one = of_each.entry(row.actor.to_string());
            let (_, held) = of_one.or_insert_with(|| (row.actor.clone(), pending::Held::default()));
            for held in [&mut all, held] {
                held.rows += 1;
                held.bytes += bytes;
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = listed {
            return self.fault(error);
        }
        let is_so = |held: Result<pending::Held, StoreError>, sum| held.ok() == Some(sum);
        let right = is_so(pending::held_in_all(self.read), all)
            && of_each
                .values()
                .all(|(actor, sum)| is_so(pending::held_of(self.read, actor), *sum));
        if !right {
            self.report
                .fault("the totals of what waits for approval are not what there is".to_owned());
        }
        Ok(())
    }

    /// The totals of each plugin must be what its rows come to.
    fn plugin_state(&mut self) -> Result<(), StoreError> {
        let mut used: BTreeMap<String, Used> = BTreeMap::new();
        self.each(Space::PluginState, |check, key, value| {
            let Some((plugin, row)) = key::split_text(key) else {
                check
                    .report
                    .fault("a key of a plugin's state cannot be read".to_owned());
                return Ok(());
            };
            let sum = used.entry(plugin).or_default();
            if let Some((key, _)) = plugin_state::row_of(row) {
                sum.keys += 1;
                sum.bytes += (key.len() + value.len()) as u64;
            }
            Ok(())
        })?;
        for (plugin, sum) in used {
            if plugin_state::used(self.read, &plugin).ok() != Some(sum) {
                self.report
                    .fault(format!("the totals of {plugin} are not what it keeps"));
            }
        }
        Ok(())
    }
}
