//! Loads events through the commit pipeline, as many at a time as can share a commit.

use std::collections::{BTreeMap, BTreeSet};

use kjerne_core::{Kernel, Outcome};
use kjerne_model::{Actor, Change, Commit, Instant, RecordId, Refusal};

use super::generate::{DAY, Event};

/// The most changes loaded in one commit.
const BATCH: usize = 100;

/// What came of loading.
#[derive(Default, Debug)]
pub struct Loaded {
    /// Commits that were stored.
    pub commits: usize,
    /// Changes in them.
    pub changes: usize,
    /// How often each rule said no, with the first message it gave.
    pub refusals: BTreeMap<String, (usize, String)>,
    /// Events nobody meant as a mistake that were refused all the same.
    pub unexpected: usize,
}

/// Commits the events in order. After each day of the events' time `settle` is called with the
/// time reached, so that reactions and escalations happen when they would have.
pub fn load(
    kernel: &Kernel,
    events: &[Event],
    settle: &mut dyn FnMut(Instant) -> anyhow::Result<()>,
    progress: &dyn Fn(usize),
) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded::default();
    let mut settled = events.first().map_or(0, |event| event.at.millis() / DAY);
    let mut rest = events;
    while let Some(first) = rest.first() {
        let day = first.at.millis() / DAY;
        if day > settled {
            settle(Instant::from_millis(day * DAY))?;
            settled = day;
        }
        let (batch, later) = rest.split_at(batch_length(rest));
        commit_batch(kernel, batch, &mut loaded)?;
        progress(batch.len());
        rest = later;
    }
    if let Some(last) = events.last() {
        settle(last.at)?;
    }
    Ok(loaded)
}

/// How many of the next events can share a commit: those of one day that touch different records.
/// A mistake is always by itself.
fn batch_length(events: &[Event]) -> usize {
    let day = events[0].at.millis() / DAY;
    let mut touched: BTreeSet<RecordId> = BTreeSet::new();
    let mut changes = 0;
    for (index, event) in events.iter().enumerate() {
        let ids: Vec<RecordId> = event.changes.iter().filter_map(target).collect();
        let fits = event.at.millis() / DAY == day
            && !event.mistake
            && changes + event.changes.len() <= BATCH
            && !ids.iter().any(|id| touched.contains(id));
        if index > 0 && !fits {
            return index;
        }
        if event.mistake {
            return 1;
        }
        changes += event.changes.len();
        touched.extend(ids);
    }
    events.len()
}

fn target(change: &Change) -> Option<RecordId> {
    match change {
        Change::Create { id, .. } => *id,
        Change::Update { target, .. } | Change::Delete { target } => Some(target.id),
    }
}

/// One commit for all; when it is refused, each event by itself, so that one mistake costs nobody
/// else anything.
fn commit_batch(kernel: &Kernel, events: &[Event], loaded: &mut Loaded) -> anyhow::Result<()> {
    let changes: Vec<Change> = events
        .iter()
        .flat_map(|event| event.changes.clone())
        .collect();
    let at = events
        .iter()
        .map(|event| event.at)
        .max()
        .unwrap_or_default();
    let count = changes.len();
    match kernel.commit_at_once(commit(changes, at))? {
        Outcome::Accepted(_) => {
            loaded.commits += 1;
            loaded.changes += count;
        }
        _ if events.len() > 1 => {
            for event in events {
                commit_batch(kernel, std::slice::from_ref(event), loaded)?;
            }
        }
        outcome => {
            loaded.unexpected += usize::from(!events[0].mistake);
            for refusal in outcome.refusals().to_vec() {
                let count = loaded
                    .refusals
                    .entry(rule(&refusal))
                    .or_insert((0, refusal.message));
                count.0 += 1;
            }
        }
    }
    Ok(())
}

fn commit(changes: Vec<Change>, at: Instant) -> Commit {
    Commit {
        changes,
        actor: Actor::User("demo".to_owned()),
        key: None,
        at,
        cause: None,
    }
}

/// What a rule is called in the summary: the plugin and its own reason, or the kernel's code.
fn rule(refusal: &Refusal) -> String {
    match (&refusal.plugin, &refusal.reason) {
        (Some(plugin), Some(reason)) => format!("{plugin}: {reason}"),
        _ => format!("kernel: {}", refusal.code.name()),
    }
}
