//! Jobs: what plugins do by the clock, each due time once.
//!
//! When a job is due is found out by whoever keeps the time. Here a run becomes one commit, which stores how
//! far the job has come: a crash before it leaves the run due, and after it done.

use kjerne_model::{Actor, Code, Instant};
use kjerne_store::{DueRun, JobRow, JobRun, ParkedRow, StoreError, jobs};

use crate::job_rows::{Kept, parked_role};
use crate::kernel::Kernel;
use crate::limits;
use crate::outcome::{Outcome, Receipt};
use crate::plugins::{PluginInfo, Role, Task};
use crate::requests::{Ask, Tied};
use crate::rows_beside::{Row, refused_fault};

/// A run of a job.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The job.
    pub job: &'a str,
    /// The time it was due, and how many went by.
    pub due: DueRun,
    /// How far the job had come when the run was found to be due.
    pub kept: &'a JobRow,
    /// Why it runs.
    pub why: Why<'a>,
}

/// Why a job runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why<'a> {
    /// It is due.
    Due,
    /// It is parked, and somebody has it tried again.
    Parked,
    /// Somebody has it run out of its turn, which changes nothing about when it is due.
    Asked(&'a Actor),
}

/// What became of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JobProgress {
    /// It is done; with what its proposals became, if they make a difference.
    Done(Option<Receipt>),
    /// Too much was going on, or the job came further meanwhile: to be looked at again.
    Busy(String),
    /// It failed, and is tried again.
    Failed {
        /// How often it has failed by now; 0 of one that was asked for, which nobody tries again.
        tries: u32,
        /// When it is tried again.
        until: Instant,
        /// Why.
        error: String,
    },
    /// It failed for the last time and is parked, or stays so.
    Parked(String),
}

impl Kernel {
    /// How far a plugin has come with a job; none when it does not count yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn job(&self, plugin: &str, job: &str) -> Result<Option<JobRow>, StoreError> {
        jobs::get(&*self.store().snapshot()?, plugin, job)
    }

    /// Has a job count from a time on: what was due before is no matter of its.
    ///
    /// # Errors
    /// When the store fails.
    pub fn begin_job(&self, plugin: &str, job: &str, row: JobRow) -> Result<(), StoreError> {
        let (plugin, job) = (plugin.to_owned(), job.to_owned());
        self.store_rows(vec![Row::Job { plugin, job, row }], None)
            .map(drop)
    }

    /// Runs a job: what it proposes becomes one commit, which stores that the run is done. One that fails is
    /// to be tried again, and at last parked.
    ///
    /// # Errors
    /// When the store fails.
    pub fn run_job(
        &self,
        plugin: &PluginInfo,
        run: &Run<'_>,
        now: Instant,
    ) -> Result<JobProgress, StoreError> {
        // A plugin whose messages wait has its jobs wait too.
        let full = self.outbox_is_full(&*self.store().snapshot()?, &plugin.id)?;
        if let Some(limit) = full.filter(|_| run.why == Why::Due) {
            return Ok(JobProgress::Busy(format!(
                "its messages wait to be delivered, as many as they may (limit {})",
                limit.name
            )));
        }
        let tied = Tied {
            moves: run.done_rows(plugin, now),
            rests_on: Some(Kept {
                plugin: plugin.id.clone(),
                job: run.job.to_owned(),
                row: run.kept.clone(),
            }),
            ..Tied::default()
        };
        let task = Task::Job {
            job: run.job.to_owned(),
            due: run.due,
        };
        let performed = self.carry_out(plugin, &run.ask(now), &task, Some(&tied))?;
        let outcome = match performed.outcome {
            Outcome::Accepted(receipt) => {
                return Ok(JobProgress::Done(
                    Some(receipt).filter(|done| done.entry > 0),
                ));
            }
            // What it proposes waits for approval, and the run is done: that was stored with it.
            Outcome::Waiting(_) => return Ok(JobProgress::Done(None)),
            outcome if outcome.is_overload() => return Ok(JobProgress::Busy(outcome.told())),
            outcome => outcome,
        };
        // A call that broke is on the host's bill; what was refused is on nobody's.
        let broke = outcome.has(Code::PluginFault);
        let fault = (!broke).then(|| refused_fault(plugin, Role::Schedule, now));
        let (progress, rows) = run.failed(plugin, now, outcome.told());
        let rows: Vec<Row> = rows.into_iter().chain(fault).collect();
        if !rows.is_empty() {
            self.store_rows(rows, None)?;
        }
        Ok(progress)
    }
}

impl Run<'_> {
    /// Names the commit, so that no run is done twice.
    fn ask(&self, now: Instant) -> Ask {
        let Self { job, due, .. } = self;
        let (actor, key) = match self.why {
            Why::Asked(actor) => (actor.clone(), format!("job/{job}/asked/{}", now.millis())),
            Why::Due | Why::Parked => {
                let actor = Actor::System("schedule".to_owned());
                (actor, format!("job/{job}/{}", due.at))
            }
        };
        Ask {
            actor,
            now,
            key: Some(key),
            link: None,
        }
    }

    /// What is stored with a run that is done.
    fn done_rows(&self, plugin: &PluginInfo, now: Instant) -> Vec<Row> {
        let last = Some(JobRun {
            due: self.due,
            at: now,
        });
        let kept = JobRow {
            last,
            ..self.kept.clone()
        };
        match self.why {
            Why::Asked(_) => vec![self.row(plugin, kept)],
            Why::Due => {
                let row = JobRow {
                    position: self.due.at,
                    last: kept.last,
                    parked: kept.parked,
                    ..JobRow::default()
                };
                vec![self.row(plugin, row)]
            }
            Why::Parked => {
                let unpark = Row::Unpark {
                    plugin: plugin.id.clone(),
                    role: parked_role(self.job),
                    entry: 0,
                };
                let row = JobRow {
                    parked: None,
                    ..kept
                };
                vec![self.row(plugin, row), unpark]
            }
        }
    }

    /// What becomes of a run that failed, and what is stored of it.
    fn failed(&self, plugin: &PluginInfo, now: Instant, error: String) -> (JobProgress, Vec<Row>) {
        match self.why {
            Why::Parked => return (JobProgress::Parked(error), Vec::new()),
            Why::Asked(_) => {
                let (tries, until) = (0, now);
                let progress = JobProgress::Failed {
                    tries,
                    until,
                    error,
                };
                return (progress, Vec::new());
            }
            Why::Due => {}
        }
        let tries = self.kept.tries + 1;
        if u64::from(tries) >= limits::REACTION_TRIES.value {
            let rows = self.park(plugin, now, tries, &error);
            return (JobProgress::Parked(error), rows);
        }
        let until = now.plus_millis(limits::back_off(tries));
        let row = JobRow {
            tries,
            not_before: until,
            error: Some(error.clone()),
            ..self.kept.clone()
        };
        let progress = JobProgress::Failed {
            tries,
            until,
            error,
        };
        (progress, vec![self.row(plugin, row)])
    }

    /// Gives a run up. One that was given up before goes by: of a job that fails every minute one run is
    /// parked, which is told of the others.
    fn park(&self, plugin: &PluginInfo, now: Instant, tries: u32, error: &str) -> Vec<Row> {
        let before = self.kept.parked.map_or(0, |before| before.missed + 1);
        let parked = DueRun {
            at: self.due.at,
            missed: self.due.missed.saturating_add(before),
        };
        let row = JobRow {
            position: self.due.at,
            last: self.kept.last.clone(),
            parked: Some(parked),
            ..JobRow::default()
        };
        let park = ParkedRow {
            plugin: plugin.id.clone(),
            role: parked_role(self.job),
            entry: 0,
            at: now,
            tries,
            error: format!("due {}: {error}", self.due.at),
        };
        vec![self.row(plugin, row), Row::Park(park)]
    }

    fn row(&self, plugin: &PluginInfo, row: JobRow) -> Row {
        Row::Job {
            plugin: plugin.id.clone(),
            job: self.job.to_owned(),
            row,
        }
    }
}
