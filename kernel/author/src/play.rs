//! Plays one step of a case.

use std::collections::BTreeMap;

use kjerne_core::{Ask, Outcome, Performed, Progress, Reply, Role, Task};
use kjerne_model::{Actor, Commit, Instant, Refusal};
use kjerne_store::DueRun;

use super::ask;
use super::cases::{Inbound, JobRun, Run, Step};
use super::stage::Stage;
use kjerne_workspace::error::{Context as _, Error, Result};

/// When a step happens that does not say.
const USUAL_TIME: &str = "2026-01-05T09:00:00Z";
/// The most turns of reactions or of the clock in one step; a plugin that needs more answers itself.
const MOST_TURNS: usize = 1_000;

/// What came of a step.
#[derive(Default)]
pub struct Happened {
    /// Why something was refused.
    pub refusals: Vec<Refusal>,
    /// What was advised, by its codes.
    pub advised: Vec<String>,
    /// The approvals that were asked for, each as ROLE/CODE.
    pub waits: Vec<String>,
    /// What went wrong that no case can expect.
    pub faults: Vec<String>,
    /// What a command or an inbound message was answered with.
    pub reply: Reply,
    /// The answers to the questions, in their order.
    pub answers: Vec<ask::Answer>,
}

impl Happened {
    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Refused(refusals) => self.refusals.extend(refusals),
            Outcome::Waiting(waiting) => {
                let asked = waiting.asked.iter();
                let told = asked.map(|one| format!("{}/{}", one.role, one.remark.code));
                self.waits.extend(told);
            }
            Outcome::Accepted(receipt) => {
                let advice = receipt.advice.into_iter();
                self.advised.extend(advice.map(|one| one.code));
            }
        }
    }

    fn take_performed(&mut self, performed: Performed) {
        self.take(performed.outcome);
        self.reply.extend(performed.reply);
    }
}

/// Plays a step: its commit, its command, its messages, reactions, the clock, its questions.
pub fn play(stage: &Stage<'_>, step: &Step) -> Result<Happened> {
    let now = Instant::parse(step.at.as_deref().unwrap_or(USUAL_TIME))?;
    let asker = Ask {
        link: None,
        actor: actor(step.actor.as_deref())?,
        now,
        key: None,
    };
    let mut happened = Happened::default();
    if !step.changes.is_empty() {
        commit(stage, step, &asker, &mut happened)?;
    }
    if let Some(run) = &step.action {
        let task = action(stage, run)?;
        happened.take_performed(perform(stage, Role::Action, &asker, &task)?);
    }
    if let Some(message) = &step.inbound {
        happened.take_performed(perform(
            stage,
            Role::Integration,
            &asker,
            &inbound(message),
        )?);
    }
    if let Some(answer) = &step.answered {
        let task = Task::Answered {
            id: answer.id.clone(),
            status: answer.status,
            content_type: answer.content_type.clone(),
            body: answer.body.clone().into_bytes(),
            delivered: answer.delivered,
        };
        happened.take_performed(perform(stage, Role::Integration, &asker, &task)?);
    }
    if let Some(job) = &step.job {
        let task = run_of(stage, job, now)?;
        happened.take_performed(perform(
            stage,
            Role::Schedule,
            &of_the_clock(&asker),
            &task,
        )?);
    }
    if step.react {
        react(stage, now, &mut happened)?;
    }
    if step.clock {
        clock(stage, now, &mut happened)?;
    }
    for question in &step.ask {
        happened.answers.push(ask::answer(stage, &asker, question)?);
    }
    Ok(happened)
}

fn actor(text: Option<&str>) -> Result<Actor> {
    match text.unwrap_or("user:test").split_once(':') {
        Some(("user", name)) => Ok(Actor::User(name.to_owned())),
        Some(("plugin", id)) => Ok(Actor::Plugin(id.to_owned())),
        Some(("system", job)) => Ok(Actor::System(job.to_owned())),
        _ => Err(Error::unreadable(
            "an actor is user:NAME, plugin:ID or system:JOB",
        )),
    }
}

fn commit(stage: &Stage<'_>, step: &Step, ask: &Ask, happened: &mut Happened) -> Result<()> {
    let mut changes = Vec::new();
    for wanted in &step.changes {
        match stage.change(wanted)? {
            Ok(change) => changes.push(change),
            Err(refusals) => happened.refusals.extend(refusals),
        }
    }
    if happened.refusals.is_empty() {
        let (actor, at) = (ask.actor.clone(), ask.now);
        happened.take(stage.kernel.commit(Commit {
            changes,
            actor,
            key: None,
            at,
            cause: None,
        })?);
    }
    Ok(())
}

fn action(stage: &Stage<'_>, run: &Run) -> Result<Task> {
    let actions = &stage.package.manifest.actions;
    let action = actions.iter().find(|action| action.name == run.command);
    let action = action.with_context(|| format!("the manifest has no action {:?}", run.command))?;
    let arguments = ask::arguments(stage, &run.command, &action.parameters, &run.arguments)?;
    Ok(Task::Action {
        command: run.command.clone(),
        arguments,
    })
}

/// The run of a job, as the clock would have it; it is due when the step happens, unless it says otherwise.
fn run_of(stage: &Stage<'_>, run: &JobRun, now: Instant) -> Result<Task> {
    let jobs = &stage.package.manifest.jobs;
    let job = jobs.iter().find(|job| job.name == run.name);
    let job = job.with_context(|| format!("the manifest has no job {:?}", run.name))?;
    let at = run.due.as_deref().map(Instant::parse).transpose()?;
    let due = DueRun {
        at: at.unwrap_or(now),
        missed: run.missed,
    };
    Ok(Task::Job {
        job: job.name.clone(),
        due,
    })
}

fn of_the_clock(ask: &Ask) -> Ask {
    Ask {
        actor: Actor::System("schedule".to_owned()),
        ..ask.clone()
    }
}

fn inbound(message: &Inbound) -> Task {
    let headers: &BTreeMap<String, String> = &message.headers;
    Task::Inbound {
        source: message.source.clone(),
        content_type: message.content_type.clone(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_lowercase(), value.clone()))
            .collect(),
        body: message.body.clone().into_bytes(),
    }
}

fn perform(stage: &Stage<'_>, role: Role, ask: &Ask, task: &Task) -> Result<Performed> {
    Ok(stage.kernel.perform(&*stage.plugin(role)?, ask, task)?)
}

/// Runs the plugin's reactions until there is nothing left to answer.
fn react(stage: &Stage<'_>, now: Instant, happened: &mut Happened) -> Result<()> {
    let roles = [Role::React, Role::Integration].into_iter();
    let roles: Vec<Role> = roles
        .filter(|role| stage.package.manifest.roles.contains_key(role))
        .collect();
    for _ in 0..MOST_TURNS {
        let mut moved = false;
        for role in &roles {
            match stage.kernel.react(&*stage.plugin(*role)?, *role, now)? {
                Progress::Moved { .. } => moved = true,
                Progress::Failed { error, .. }
                | Progress::Parked { error, .. }
                | Progress::Busy { error, .. } => {
                    happened.faults.push(format!("{}: {error}", role.name()));
                }
                Progress::Idle | Progress::Waiting { .. } => {}
            }
        }
        if !moved {
            return Ok(());
        }
    }
    happened
        .faults
        .push(format!("reactions are not done after {MOST_TURNS} turns"));
    Ok(())
}

/// Does what is due by the clock until nothing is.
fn clock(stage: &Stage<'_>, now: Instant, happened: &mut Happened) -> Result<()> {
    for _ in 0..MOST_TURNS {
        let escalated = stage.kernel.escalate_due(now, 100)?;
        let failed = escalated.failed.iter().chain(&escalated.parked);
        happened
            .faults
            .extend(failed.map(|(case, error)| format!("{case}: {error}")));
        if escalated.done.is_empty() {
            return Ok(());
        }
    }
    happened
        .faults
        .push(format!("the clock is not done after {MOST_TURNS} turns"));
    Ok(())
}
