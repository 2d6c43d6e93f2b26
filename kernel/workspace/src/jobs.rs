//! Jobs: which run of which job is due, how far each has come, and running one out of its turn.
//!
//! When a job is due follows from its timetable and from the time until which everything is dealt with. What
//! became due while nobody looked is one run, and is told how many went by.

use std::sync::Arc;

use kjerne_core::{JobProgress, PluginInfo, Progress, Receipt, Role, Run, Why, limits, parked_job};
use kjerne_host::{Job, Line, Manifest};
use kjerne_model::{Actor, Instant};
use kjerne_store::{DueRun, JobRow, jobs};

use crate::error::{Error, Result};
use crate::limits::JOB_LOOK;
use crate::plugin_log;
use crate::runtime::Runtime;
use crate::stderr::tell;

/// How a job does.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The plugin.
    pub plugin: String,
    /// The job, as its manifest has it.
    pub job: Job,
    /// How far it has come; none when it does not count yet.
    pub row: Option<JobRow>,
    /// When it runs next; none while its plugin is switched off.
    pub next: Option<Instant>,
    /// Due times that went by until now.
    pub missed: u64,
    /// What it is doing.
    pub state: State,
}

/// What a job is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Its plugin is switched off.
    Off,
    /// It is running.
    Running,
    /// The last run failed, and is tried again.
    Failing,
    /// A run was given up, and waits for somebody; those behind it take their turn.
    Parked,
    /// It is due, and nobody has run it yet.
    Due,
    /// It waits for its time.
    Waiting,
}

impl State {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Running => "running",
            Self::Failing => "failing",
            Self::Parked => "parked",
            Self::Due => "due",
            Self::Waiting => "waiting",
        }
    }
}

/// What is to be done about a job now.
enum Todo {
    /// Its row is to be stored first: it begins to count, or counts anew.
    Begin(JobRow),
    /// A run is due.
    Run(DueRun),
    /// Nothing before this time.
    Rest(Instant),
}

impl Runtime {
    /// Runs the jobs of a plugin that are due, each at most once, and says when to look again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn run_due_jobs(&self, plugin: &PluginInfo, now: Instant) -> Result<Instant> {
        let mut again = now.plus_millis(JOB_LOOK.value as i64);
        let package = self.package(&plugin.id);
        for job in package.iter().flat_map(|package| &package.manifest.jobs) {
            again = again.min(self.look_at(plugin, job, now)?);
        }
        Ok(again)
    }

    /// Runs one job if it is due, and says when to look at it again.
    fn look_at(&self, plugin: &PluginInfo, job: &Job, now: Instant) -> Result<Instant> {
        let soon = now.plus_millis(limits::back_off(1));
        let Some(_turn) = self.jobs_under_way.begin(&plugin.id, &job.name) else {
            return Ok(soon);
        };
        let kept = self.kernel.job(&plugin.id, &job.name)?;
        let due = match todo(kept.as_ref(), job, now) {
            Todo::Begin(row) => {
                self.kernel.begin_job(&plugin.id, &job.name, row)?;
                return Ok(now);
            }
            Todo::Rest(until) => return Ok(until),
            Todo::Run(due) => due,
        };
        let kept = kept.unwrap_or_default();
        let run = Run {
            job: &job.name,
            due,
            kept: &kept,
            why: Why::Due,
        };
        let progress = self.kernel.run_job(plugin, &run, now)?;
        self.tell_of(plugin, &job.name, now, &progress);
        Ok(match progress {
            // There may be a next one that is due already.
            JobProgress::Done(_) | JobProgress::Parked(_) => now,
            JobProgress::Busy(_) => soon,
            JobProgress::Failed { until, .. } => until,
        })
    }

    /// Tells the plugin's log, and whoever runs the server, of a run that came to nothing.
    fn tell_of(&self, plugin: &PluginInfo, job: &str, now: Instant, progress: &JobProgress) {
        let (level, message) = match progress {
            JobProgress::Done(receipt) => {
                if receipt.is_some() {
                    self.notifier.notify();
                }
                return;
            }
            JobProgress::Busy(error) => ("warn", format!("job {job}: to be run again: {error}")),
            JobProgress::Failed { tries, error, .. } => {
                ("warn", format!("job {job}, try {tries}: {error}"))
            }
            JobProgress::Parked(error) => (
                "error",
                format!("job {job} is parked: {error}; see kjerne plugin parked"),
            ),
        };
        let line = Line::new(now, Role::Schedule, level, &message);
        plugin_log::tell(&self.workspace, &plugin.id, line);
        tell(format_args!("{}: {message}", plugin.id));
    }

    /// Runs a job out of its turn, which changes nothing about when it is due.
    ///
    /// # Errors
    /// When there is no such job, its plugin is switched off, it is running, or the run fails.
    pub fn run_job_now(
        &self,
        plugin: &str,
        job: &str,
        actor: &Actor,
        now: Instant,
    ) -> Result<Option<Receipt>> {
        let (info, job) = self.running_job(plugin, job)?;
        let name = &job.name;
        let Some(_turn) = self.jobs_under_way.begin(plugin, name) else {
            return Err(is_running(plugin, name));
        };
        if self.kernel.job(plugin, name)?.is_none() {
            self.kernel.begin_job(plugin, name, counts_from(now))?;
        }
        let kept = self.kernel.job(plugin, name)?.unwrap_or_default();
        let run = Run {
            job: name,
            due: DueRun { at: now, missed: 0 },
            kept: &kept,
            why: Why::Asked(actor),
        };
        match self.kernel.run_job(&info, &run, now)? {
            JobProgress::Done(receipt) => {
                self.notifier.notify();
                Ok(receipt)
            }
            JobProgress::Busy(error) => Err(Error::refused(format!(
                "job {name} of {plugin} could not run now: {error}; try again"
            ))),
            JobProgress::Failed { error, .. } | JobProgress::Parked(error) => Err(Error::refused(
                format!("job {name} of {plugin} failed: {error}"),
            )),
        }
    }

    /// Tries a run again that is parked.
    ///
    /// # Errors
    /// When the plugin is not running, or has no such job any more.
    pub(crate) fn retry_job(&self, plugin: &str, role: &str, now: Instant) -> Result<Progress> {
        let name = parked_job(role).unwrap_or_default();
        let (info, job) = self.running_job(plugin, name)?;
        let Some(_turn) = self.jobs_under_way.begin(plugin, name) else {
            return Err(is_running(plugin, name));
        };
        let kept = self.kernel.job(plugin, name)?.unwrap_or_default();
        let Some(due) = kept.parked else {
            return Ok(Progress::Idle);
        };
        let run = Run {
            job: &job.name,
            due,
            kept: &kept,
            why: Why::Parked,
        };
        Ok(match self.kernel.run_job(&info, &run, now)? {
            JobProgress::Done(receipt) => {
                self.notifier.notify();
                Progress::Moved {
                    position: 0,
                    shown: 1,
                    receipt,
                    messages: 0,
                }
            }
            JobProgress::Busy(error) => Progress::Busy { until: now, error },
            JobProgress::Failed { error, .. } | JobProgress::Parked(error) => {
                Progress::Parked { entry: 0, error }
            }
        })
    }

    /// How the jobs of a plugin do, or of all plugins.
    ///
    /// # Errors
    /// When there is no such plugin, or the store or its file cannot be read.
    pub fn jobs(&self, plugin: Option<&str>, now: Instant) -> Result<Vec<Standing>> {
        let plugins = self.plugins();
        let rows = match plugin {
            Some(id) => vec![plugins.row(id)?],
            None => plugins.rows()?,
        };
        let mut standings = Vec::new();
        for row in rows.iter().filter(|row| row.roles.iter().any(is_schedule)) {
            let package = plugins.package(row)?;
            for job in &package.manifest.jobs {
                standings.push(self.standing(&row.id, job, row.enabled, now)?);
            }
        }
        Ok(standings)
    }

    fn standing(&self, plugin: &str, job: &Job, on: bool, now: Instant) -> Result<Standing> {
        let row = self.kernel.job(plugin, &job.name)?;
        let todo = todo(row.as_ref(), job, now);
        let (next, missed) = match &todo {
            Todo::Run(due) => (Some(due.at), due.missed),
            Todo::Rest(_) | Todo::Begin(_) => (job.timetable.next_after(now), 0),
        };
        let next = match row.as_ref().filter(|row| row.tries > 0) {
            Some(failing) => Some(failing.not_before),
            None => next,
        };
        let state = match (&row, &todo) {
            _ if !on => State::Off,
            _ if self.jobs_under_way.has(plugin, &job.name) => State::Running,
            (Some(row), _) if row.tries > 0 => State::Failing,
            (Some(row), _) if row.parked.is_some() => State::Parked,
            (_, Todo::Run(_)) => State::Due,
            _ => State::Waiting,
        };
        Ok(Standing {
            plugin: plugin.to_owned(),
            job: job.clone(),
            row,
            next: next.filter(|_| on),
            missed,
            state,
        })
    }

    /// A job of a plugin that is switched on.
    fn running_job(&self, plugin: &str, name: &str) -> Result<(Arc<PluginInfo>, Job)> {
        let info = self.host.serves(plugin, Role::Schedule);
        let package = self.package(plugin);
        let (Some(info), Some(package)) = (info, package) else {
            return Err(Error::not_found(format!(
                "no plugin {plugin:?} with the role schedule is switched on; kjerne plugin enable {plugin}"
            )));
        };
        let jobs = &package.manifest.jobs;
        match jobs.iter().find(|job| job.name == name) {
            Some(job) => Ok((info, job.clone())),
            None => {
                let known: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
                let known = known.join(", ");
                Err(Error::not_found(format!(
                    "plugin {plugin} has no job {name:?}; it has: {known}"
                )))
            }
        }
    }

    /// The jobs a plugin has left behind: their rows are there, and another version does not have them.
    pub(crate) fn ended_jobs(&self, manifest: &Manifest) -> Result<Vec<String>> {
        let mut names = jobs::names(&*self.store.snapshot()?, &manifest.id)?;
        names.retain(|name| manifest.jobs.iter().all(|job| job.name != *name));
        Ok(names)
    }
}

fn is_schedule(role: &String) -> bool {
    role == Role::Schedule.name()
}

fn is_running(plugin: &str, job: &str) -> Error {
    Error::refused(format!(
        "job {job} of {plugin} is running, and a job runs once at a time; try again when it is done"
    ))
}

/// A job that counts from a time on.
fn counts_from(at: Instant) -> JobRow {
    JobRow {
        position: at,
        ..JobRow::default()
    }
}

/// What is to be done about a job that has come so far.
fn todo(kept: Option<&JobRow>, job: &Job, now: Instant) -> Todo {
    let Some(row) = kept else {
        return Todo::Begin(counts_from(now));
    };
    let next = job.timetable.next_after(now);
    // A clock that stood ahead did what is yet to come. When it has been put right the job counts anew, or it
    // would wait for as long as the clock was wrong; but what was done a moment too early is not done twice.
    if row.position > now && next.is_some_and(|next| next < row.position) {
        return Todo::Begin(JobRow {
            position: now,
            ..row.clone()
        });
    }
    let pause = limits::back_off(row.tries);
    if row.tries > 0 && limits::rests(row.not_before, pause, now) {
        return Todo::Rest(row.not_before);
    }
    match job.timetable.due(row.position, now) {
        Some(due) => Todo::Run(DueRun {
            at: due.at,
            missed: due.missed,
        }),
        None => Todo::Rest(next.unwrap_or(now.plus_millis(limits::longest_pause()))),
    }
}

#[cfg(test)]
mod tests;
