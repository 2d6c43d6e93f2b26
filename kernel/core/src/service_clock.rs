//! The service clock: escalation steps that fall due, each done exactly once.
//!
//! A step is named by its key and tied to the version of the case it was decided on, and it moves
//! the case's `escalate_at` in its own commit. So a crash before the commit leaves the step due, and
//! after it done; there is nothing in between.

use std::ops::ControlFlow;

use kjerne_model::{Actor, Code, Instant, Record, Reference, Value};
use kjerne_store::{Link, ParkedRow, StoreError, index, journal, plugin_state};

use crate::escalation::{CASE, DUE, STUCK, Step};
use crate::kernel::Kernel;
use crate::limits;
use crate::outcome::Outcome;
use crate::plugins::{PluginInfo, Role, Task};
use crate::progress::{Progress, busy};
use crate::requests::{Ask, Tied};
use crate::rows_beside::{Row, refused_fault};
use kjerne_query::Reader;

/// Where the clock keeps which cases failed: a key space of its own, under a name that no plugin
/// can have.
const CLOCK: &str = "kernel/service-clock";

/// What became of the escalations that were due.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Escalated {
    /// Cases whose step was done.
    pub done: Vec<Reference>,
    /// Cases whose step failed and is tried again later, and why.
    pub failed: Vec<(Reference, String)>,
    /// Cases whose step failed for the last time, and why; they rest until the case changes.
    pub parked: Vec<(Reference, String)>,
}

/// How often a case's step has failed, at which version of the case.
struct Failures {
    version: u64,
    tries: u32,
    not_before: Instant,
    parked: bool,
}

impl Kernel {
    /// Does the next escalation step of the cases whose `escalate_at` has passed, earliest first,
    /// at most `limit`, with the plugin that keeps the service rules; each is a commit of its own.
    ///
    /// # Errors
    /// When the store fails.
    pub fn escalate_due(&self, now: Instant, limit: usize) -> Result<Escalated, StoreError> {
        let plugins = self.plugins().with_role(Role::ServiceRules);
        let mut escalated = Escalated::default();
        let Some(plugin) = plugins.first() else {
            return Ok(escalated);
        };
        for (case, due, failures) in self.due_cases(now, limit)? {
            if self
                .escalate(plugin, now, &case, due, failures, &mut escalated)?
                .is_break()
            {
                break;
            }
        }
        Ok(escalated)
    }

    /// The cases that are due and do not rest after a failure.
    fn due_cases(&self, now: Instant, limit: usize) -> Result<Vec<Due>, StoreError> {
        let indexed = self.schema().kind(CASE).and_then(|kind| kind.field(DUE));
        let mut due = Vec::new();
        if limit == 0 || !indexed.is_some_and(kjerne_model::Field::is_indexed) {
            return Ok(due);
        }
        let (reader, mut failed) = (self.reader()?, Ok(()));
        index::range(
            &reader,
            CASE,
            DUE,
            None,
            Some(&Value::Instant(now)),
            false,
            &mut |id| {
                match due_now(&reader, id, now) {
                    Ok(case) => due.extend(case),
                    Err(error) => failed = Err(error),
                }
                let go_on = failed.is_ok() && due.len() < limit;
                if go_on {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            },
        )?;
        failed.map(|()| due)
    }

    fn escalate(
        &self,
        plugin: &PluginInfo,
        now: Instant,
        case: &Record,
        due: Instant,
        failures: Option<Failures>,
        escalated: &mut Escalated,
    ) -> Result<ControlFlow<()>, StoreError> {
        const NEXT: ControlFlow<()> = ControlFlow::Continue(());
        let reference = case.reference();
        let step = self.step(plugin, now, case, due)?;
        let behind = step.behind;
        // What was kept about failures is forgotten with the step that works out.
        let tied = Tied {
            step: Some((step, case.version)),
            moves: failures.iter().map(|_| state(&reference, None)).collect(),
            ..Tied::default()
        };
        let ask = Ask {
            link: self.link_to(plugin, case, due)?,
            actor: Actor::System("service-clock".to_owned()),
            now,
            key: Some(format!("escalate/{}/{}", case.id, case.version)),
        };
        let task = Task::Escalate(reference.clone());
        let performed = self.carry_out(plugin, &ask, &task, Some(&tied))?;
        // A call that broke is on the host's bill; what was refused is on nobody's.
        let broke = performed.outcome.has(Code::PluginFault);
        let (error, hopeless) = match &performed.outcome {
            Outcome::Accepted(receipt) if receipt.replayed => {
                // Done by another clock a moment ago, or long ago?
                let now = self.get(CASE, case.id)?;
                if now.is_none_or(|now| now.version != case.version) {
                    return Ok(NEXT);
                }
                (done_before(receipt.entry), true)
            }
            Outcome::Accepted(_) => {
                self.keep_behind(&reference, now, behind)?;
                escalated.done.push(reference);
                return Ok(NEXT);
            }
            // Somebody changed the case meanwhile; the next turn sees it as it is now.
            outcome if outcome.has(Code::StaleVersion) => return Ok(NEXT),
            // No try at all, and the cases behind would wait for a place as long.
            outcome if outcome.is_overload() => {
                escalated.failed.push((reference, outcome.told()));
                return Ok(ControlFlow::Break(()));
            }
            outcome => (outcome.told(), is_endless(outcome)),
        };
        let tries = failures.as_ref().map_or(0, |failures| failures.tries) + 1;
        let again = failures.is_some_and(|failures| failures.parked);
        let parked = hopeless || again || u64::from(tries) >= limits::REACTION_TRIES.value;
        self.keep_failure(plugin, case, now, tries, parked, &error)?;
        if !broke || hopeless {
            let fault = refused_fault(plugin, Role::ServiceRules, now);
            self.store_rows(vec![fault], None)?;
        }
        let list = if parked {
            &mut escalated.parked
        } else {
            &mut escalated.failed
        };
        list.push((reference, error));
        Ok(NEXT)
    }

    /// Does the steps again that are parked under a journal entry: those of its cases that have not changed
    /// since. When all of them work out the entry is parked no longer.
    pub(crate) fn retry_escalation(
        &self,
        plugin: &PluginInfo,
        entry: u64,
        now: Instant,
    ) -> Result<Progress, StoreError> {
        let mut escalated = Escalated::default();
        for (case, due, failures) in self.parked_cases(entry)? {
            let found = Some(failures);
            let went = self.escalate(plugin, now, &case, due, found, &mut escalated)?;
            if went.is_break() {
                let error = escalated.failed.pop();
                return Ok(busy(now, error.map(|(_, why)| why).unwrap_or_default()));
            }
        }
        if let Some((_, error)) = escalated.parked.into_iter().next() {
            return Ok(Progress::Parked { entry, error });
        }
        if !self.parked_cases(entry)?.is_empty() {
            return Ok(Progress::Waiting { until: now });
        }
        let unpark = Row::Unpark {
            plugin: plugin.id.clone(),
            role: Role::ServiceRules.name().to_owned(),
            entry,
        };
        self.store_rows(vec![unpark], None)?;
        if escalated.done.is_empty() {
            return Ok(Progress::Idle);
        }
        Ok(Progress::Moved {
            position: entry,
            shown: escalated.done.len(),
            receipt: None,
            messages: 0,
        })
    }

    /// The cases of a journal entry whose step is parked, as they were when it was.
    fn parked_cases(&self, entry: u64) -> Result<Vec<(Record, Instant, Failures)>, StoreError> {
        let stored = journal::get(&*self.store().snapshot()?, entry)?;
        let edits = stored.map(|stored| stored.edits).unwrap_or_default();
        let reader = self.reader()?;
        let mut cases = Vec::new();
        for edit in edits.iter().filter(|edit| &*edit.kind == CASE) {
            if let Some((case, due, Some(failures))) = kept_of(&reader, edit.id)?
                && failures.parked
            {
                cases.push((case, due, failures));
            }
        }
        Ok(cases)
    }

    /// The place in its chain of a step that a reaction called for, by setting a time that had passed
    /// already: what answers the step and is answered by it must come to an end. A time to come begins
    /// anew, and of the plugin's own steps in a row there is a count.
    fn link_to(
        &self,
        plugin: &PluginInfo,
        case: &Record,
        due: Instant,
    ) -> Result<Option<Link>, StoreError> {
        let number = self.last_entry_of(case)?;
        let stored = journal::get(&*self.store().snapshot()?, number)?;
        let Some(stored) = stored.filter(|stored| due <= stored.at) else {
            return Ok(None);
        };
        let own = matches!(&stored.actor, Actor::Plugin(id) if *id == plugin.id);
        Ok(stored.cause.map(|cause| Link {
            entry: number,
            depth: cause.depth.saturating_sub(u32::from(own)),
            follow_ups: cause.follow_ups.unwrap_or(limits::FOLLOW_UPS.value as u32),
        }))
    }

    fn step(
        &self,
        plugin: &PluginInfo,
        now: Instant,
        case: &Record,
        due: Instant,
    ) -> Result<Step, StoreError> {
        Ok(Step {
            plugin: plugin.id.clone(),
            case: case.reference(),
            due,
            now,
            behind: self.behind(case, due)?,
        })
    }

    /// How many steps in a row have left the case due. They are counted for as long as each begins at
    /// the time the one before it set.
    fn behind(&self, case: &Record, due: Instant) -> Result<u64, StoreError> {
        let kept = plugin_state::get(&self.reader()?, CLOCK, &steps_key(&case.reference()))?;
        let kept = kept.as_deref().and_then(Behind::read);
        Ok(kept
            .filter(|kept| kept.due == due)
            .map_or(0, |kept| kept.steps))
    }

    /// Keeps that a step was done: what is counted is forgotten when the case is due no more.
    fn keep_behind(&self, case: &Reference, now: Instant, steps: u64) -> Result<(), StoreError> {
        let record = self.get(CASE, case.id)?;
        let due = match record.as_ref().and_then(|record| record.get(DUE)) {
            Some(Value::Instant(due)) if *due <= now => Some(*due),
            _ => None,
        };
        if due.is_none() && steps == 0 {
            return Ok(());
        }
        let steps = steps + 1;
        let row = Row::State {
            plugin: CLOCK.to_owned(),
            key: steps_key(case),
            value: due.map(|due| Behind { steps, due }.write()),
        };
        self.store_rows(vec![row], None).map(drop)
    }

    fn keep_failure(
        &self,
        plugin: &PluginInfo,
        case: &Record,
        now: Instant,
        tries: u32,
        parked: bool,
        error: &str,
    ) -> Result<(), StoreError> {
        let not_before = now.plus_millis(limits::back_off(tries));
        let failures = Failures {
            version: case.version,
            tries,
            not_before,
            parked,
        };
        let mut rows = vec![state(&case.reference(), Some(failures.write()))];
        if parked {
            rows.push(Row::Park(ParkedRow {
                plugin: plugin.id.clone(),
                role: Role::ServiceRules.name().to_owned(),
                entry: self.last_entry_of(case)?,
                at: now,
                tries,
                error: format!("{}: {error}", case.reference()),
            }));
        }
        self.store_rows(rows, None).map(drop)
    }

    fn last_entry_of(&self, case: &Record) -> Result<u64, StoreError> {
        let mut last = 0;
        let snapshot = self.store().snapshot()?;
        journal::history(&*snapshot, &case.kind, case.id, &mut |number| {
            last = number;
            ControlFlow::Continue(())
        })?;
        Ok(last)
    }
}

/// A case with the time it is due, and what is kept of steps that failed.
type Due = (Record, Instant, Option<Failures>);

/// The case with the time it was due, unless it rests.
fn due_now(
    reader: &Reader,
    id: kjerne_model::RecordId,
    now: Instant,
) -> Result<Option<Due>, StoreError> {
    let pauses =
        |kept: &Failures| limits::rests(kept.not_before, limits::back_off(kept.tries), now);
    let rests = |failures: &Option<Failures>| {
        let kept = failures.as_ref();
        kept.is_some_and(|kept| kept.parked || pauses(kept))
    };
    Ok(kept_of(reader, id)?.filter(|(_, _, failures)| !rests(failures)))
}

/// The case with the time it is due; none when it is not due at any time.
fn kept_of(reader: &Reader, id: kjerne_model::RecordId) -> Result<Option<Due>, StoreError> {
    let Some(case) = reader.get(CASE, id)? else {
        return Ok(None);
    };
    let Some(Value::Instant(due)) = case.get(DUE) else {
        return Ok(None);
    };
    let due = *due;
    let kept = plugin_state::get(reader, CLOCK, &case.id.to_string())?;
    // A case that has changed since begins anew.
    let failures = kept
        .and_then(|kept| Failures::read(&kept))
        .filter(|failures| failures.version == case.version);
    Ok(Some((case, due, failures)))
}

/// Whether a step leaves the case due, so that it would be done again and again, or stands in a chain that
/// is too long today and tomorrow.
fn is_endless(outcome: &Outcome) -> bool {
    let refusals = outcome.refusals();
    let stuck = refusals
        .iter()
        .any(|one| one.reason.as_deref() == Some(STUCK));
    stuck || outcome.has(Code::TooDeep)
}

fn state(case: &Reference, value: Option<Vec<u8>>) -> Row {
    Row::State {
        plugin: CLOCK.to_owned(),
        key: case.id.to_string(),
        value,
    }
}

/// Where the steps of a case that left it due are counted.
fn steps_key(case: &Reference) -> String {
    format!("steps/{}", case.id)
}

/// So many steps in a row have left a case due, the last of them at this time.
struct Behind {
    steps: u64,
    due: Instant,
}

impl Behind {
    fn write(&self) -> Vec<u8> {
        format!("{} {}", self.steps, self.due.millis()).into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (steps, due) = std::str::from_utf8(bytes).ok()?.split_once(' ')?;
        Some(Self {
            steps: steps.parse().ok()?,
            due: Instant::from_millis(due.parse().ok()?),
        })
    }
}

impl Failures {
    fn write(&self) -> Vec<u8> {
        let Self {
            version,
            tries,
            not_before,
            parked,
        } = self;
        format!("{version} {tries} {} {parked}", not_before.millis()).into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(bytes).ok()?.split(' ');
        Some(Self {
            version: parts.next()?.parse().ok()?,
            tries: parts.next()?.parse().ok()?,
            not_before: Instant::from_millis(parts.next()?.parse().ok()?),
            parked: parts.next()?.parse().ok()?,
        })
    }
}

fn done_before(entry: u64) -> String {
    format!(
        "the step was done before, in journal entry {entry}, and the case is due all the same; \
         change the case, or name each step by a key of its own"
    )
}
