//! The roles a plugin may have, one trait each. [`plugin!`](crate::plugin) exports them.

use crate::change::{Change, Context, Entry};
use crate::contract::{
    Answer, Assessment, CaseTarget, Failure, InboundMessage, JobDescription, Pipeline, RecordRef,
    StageStanding, StaleItem, TriageResult,
};
use crate::effects::Effects;
use crate::fields::Fields;
use crate::settings::Faults;
use crate::shaping::{Edits, Findings};
use crate::time::Instant;
use crate::watches::Watches;

/// Makes the plugin ready for its calls: reads the settings once, when it is switched on and when they
/// are set. Each call begins with the memory as this left it; see [`Prepared`](crate::Prepared).
pub trait Prepare {
    /// Reads the settings and keeps what calls need of them.
    ///
    /// # Errors
    /// Everything that is wrong with the settings: they are refused, and those before stay.
    fn prepare() -> Result<(), Faults>;

    /// What the plugin watches with these settings, asked once after [`prepare`](Self::prepare): what is
    /// not watched costs nothing.
    fn watches() -> Watches {
        Watches::as_declared()
    }
}

/// Sets fields before a commit is checked.
///
/// Called once per commit, with all changes the plugin watches. Must come to the same
/// result whenever record, change, time and settings are the same; may not write, send or use
/// [`state`](crate::state).
pub trait Shape {
    /// Sets what the plugin was granted to set.
    fn shape(context: &Context, changes: &[Change], edits: &Edits);
}

/// Allows or refuses a commit, has it wait for approval, or says something of it.
///
/// Called once per commit, with all changes the plugin watches, after all shaping: what it sees is what is stored. Must come to the same
/// result whenever record, change, time and settings are the same; may not write, send or use
/// [`state`](crate::state). A guard that panics refuses the commit.
pub trait Guard {
    /// Names what stands against the commit; nothing means it may pass.
    fn guard(context: &Context, changes: &[Change], findings: &Findings);
}

/// Answers stored commits.
///
/// Called after the fact with the next journal entries that hold what the plugin watches, in
/// order, at least once each. Cannot refuse.
pub trait React {
    /// Proposes what should follow.
    ///
    /// # Errors
    /// Any code of the plugin's own: nothing proposed is done and the entries are tried again.
    fn react(context: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure>;
}

/// Commands people run by name; which there are stands in the manifest.
pub trait Action {
    /// Runs a command and returns what to show.
    ///
    /// # Errors
    /// `unknown-command`, `bad-argument`, or any code of the plugin's own.
    fn run(
        context: &Context,
        command: &str,
        arguments: &Fields,
        effects: &Effects,
    ) -> Result<Fields, Failure>;
}

/// The seller's process: pipelines and their stages.
pub trait SalesStages {
    /// All pipelines, as the settings have them.
    ///
    /// # Errors
    /// `bad-settings`.
    fn pipelines(context: &Context) -> Result<Vec<Pipeline>, Failure>;

    /// Where an opportunity stands and where it may go.
    ///
    /// # Errors
    /// `not-found`, `bad-settings`.
    fn standing(context: &Context, opportunity: &RecordRef) -> Result<StageStanding, Failure>;

    /// Which of these opportunities have stood still for too long.
    ///
    /// # Errors
    /// `bad-settings`.
    fn stale(context: &Context, opportunities: &[RecordRef]) -> Result<Vec<StaleItem>, Failure>;
}

/// The customer's process: jobs done in parallel by a group of people.
pub trait BuyingProcess {
    /// The jobs of this model.
    ///
    /// # Errors
    /// `bad-settings`.
    fn jobs(context: &Context) -> Result<Vec<JobDescription>, Failure>;

    /// How far the customer is with one opportunity.
    ///
    /// # Errors
    /// `not-found`, `bad-settings`.
    fn assess(context: &Context, opportunity: &RecordRef) -> Result<Assessment, Failure>;
}

/// Service levels: triage, targets, escalation.
pub trait ServiceRules {
    /// What the rules would make of a case as it is.
    ///
    /// # Errors
    /// `not-found`, `bad-settings`.
    fn triage(context: &Context, case: &RecordRef) -> Result<TriageResult, Failure>;

    /// How a case stands against its targets now.
    ///
    /// # Errors
    /// `not-found`, `bad-settings`.
    fn targets(context: &Context, case: &RecordRef) -> Result<Vec<CaseTarget>, Failure>;

    /// Does the next escalation step of a case whose `escalate_at` has passed. Proposes what the
    /// step does, a new `escalate_at` or none, and a key that names the step.
    ///
    /// # Errors
    /// `not-found`, `bad-settings`; the call is tried again later.
    fn escalate(context: &Context, case: &RecordRef, effects: &Effects) -> Result<(), Failure>;
}

/// A run of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobRun {
    /// The job's name, as the manifest has it.
    pub job: String,
    /// The time it was due, at or before [`Context::now`]: what to go by, since a run may be late.
    pub due: Instant,
    /// How many due times went by without a run before this one, counted up to 10,000.
    pub missed: u64,
}

/// Does jobs that are due by the clock; which there are, and when, stands in the manifest.
///
/// ```
/// use kjerne_sdk::prelude::*;
///
/// struct Plugin;
///
/// impl Schedule for Plugin {
///     fn run_job(_: &Context, run: &JobRun, effects: &Effects) -> Result<(), Failure> {
///         let subject = match run.missed {
///             0 => format!("{} of {}", run.job, run.due.date()),
///             missed => format!("{} of {}, and {missed} before it", run.job, run.due.date()),
///         };
///         effects.create("task", [("subject", subject.into()), ("status", "open".into())])?;
///         Ok(())
///     }
/// }
///
/// kjerne_sdk::plugin!(Plugin: schedule);
///
/// # fn main() {
/// # use kjerne_sdk::testing::{Done, World, context};
/// let done = Done::default();
/// let due = Instant::parse("2026-01-05T07:00:00Z").unwrap();
/// let run = JobRun { job: "round".to_owned(), due, missed: 2 };
/// World::new().enter(|| Plugin::run_job(&context("2026-01-05T07:00:03Z"), &run, &done).unwrap());
/// assert_eq!(done.all().len(), 1);
/// # }
/// ```
pub trait Schedule {
    /// Does a job. What is proposed becomes one commit, named after the job and the time it was due unless it
    /// has a key of its own, so that no run is done twice.
    ///
    /// # Errors
    /// `unknown-job`, or any code of the plugin's own: nothing proposed is done, and the run is tried again.
    fn run_job(context: &Context, run: &JobRun, effects: &Effects) -> Result<(), Failure>;
}

/// Talking with other systems: the plugin maps, the kernel does all input and output.
pub trait Integration {
    /// Turns journal entries into messages. Called like [`React::react`], with a cursor of its own.
    ///
    /// # Errors
    /// Any code of the plugin's own; the entries are tried again.
    fn outbound(context: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure>;

    /// Takes the answer to a message, when the manifest asks for answers.
    ///
    /// # Errors
    /// Any code of the plugin's own; logged, not tried again.
    fn answered(_context: &Context, _answer: &Answer, _effects: &Effects) -> Result<(), Failure> {
        Ok(())
    }

    /// Takes a message from outside and returns what to answer the sender.
    ///
    /// # Errors
    /// `bad-message` is the sender's fault; any other code is ours.
    fn inbound(
        _context: &Context,
        message: &InboundMessage,
        _effects: &Effects,
    ) -> Result<Fields, Failure> {
        Err(Failure::new(
            "bad-message",
            format!("This plugin takes no messages from {:?}.", message.source),
        ))
    }
}
