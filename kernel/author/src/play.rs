//! Plays one step of a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_core::{Ask, Call, Outcome, Performed, Progress, Reply, Role, Task};
use kjerne_host::AskError;
use kjerne_model::{Actor, Commit, Instant, Reference, Refusal, Value, parse_value};
use serde_json::Value as Json;

use super::cases::{Inbound, Question, Run, Step};
use super::stage::Stage;
use kjerne_wire::models;
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
    pub answers: Vec<std::result::Result<Json, AskError>>,
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
    let ask = Ask {
        link: None,
        actor: actor(step.actor.as_deref())?,
        now,
        key: None,
    };
    let mut happened = Happened::default();
    if !step.changes.is_empty() {
        commit(stage, step, &ask, &mut happened)?;
    }
    if let Some(run) = &step.action {
        let task = action(stage, run)?;
        happened.take_performed(perform(stage, Role::Action, &ask, &task)?);
    }
    if let Some(message) = &step.inbound {
        happened.take_performed(perform(stage, Role::Integration, &ask, &inbound(message))?);
    }
    if let Some(answer) = &step.answered {
        let task = Task::Answered {
            id: answer.id.clone(),
            status: answer.status,
            content_type: answer.content_type.clone(),
            body: answer.body.clone().into_bytes(),
            delivered: answer.delivered,
        };
        happened.take_performed(perform(stage, Role::Integration, &ask, &task)?);
    }
    if step.react {
        react(stage, now, &mut happened)?;
    }
    if step.clock {
        clock(stage, now, &mut happened)?;
    }
    for question in &step.ask {
        happened.answers.push(answer(stage, &ask, question)?);
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
    let typed = |(name, value): (&String, &toml::Value)| {
        let parameter = action
            .parameters
            .iter()
            .find(|parameter| parameter.name == *name);
        let parameter =
            parameter.with_context(|| format!("{} has no parameter {name:?}", run.command))?;
        let text = stage.text(Some(&parameter.field_type), value);
        let value: Option<Value> = match text.is_empty() {
            true => None,
            false => Some(parse_value(&parameter.field_type, &text)?),
        };
        Ok((name.clone(), value))
    };
    let arguments = run.arguments.iter().map(typed).collect::<Result<_>>()?;
    Ok(Task::Action {
        command: run.command.clone(),
        arguments,
    })
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

/// Asks the domain model.
fn answer(
    stage: &Stage<'_>,
    ask: &Ask,
    question: &Question,
) -> Result<std::result::Result<Json, AskError>> {
    let reader = Arc::new(stage.kernel.reader()?);
    let call = Call {
        now: ask.now,
        actor: ask.actor.clone(),
        depth: 0,
        reader,
    };
    let about = question
        .about
        .as_ref()
        .map(super::cases::Several::list)
        .unwrap_or_default();
    let about: Vec<Reference> = about
        .into_iter()
        .map(|alias| stage.record(alias).cloned())
        .collect::<Result<_>>()?;
    let one = || {
        about
            .first()
            .with_context(|| format!("{} needs about", question.function))
    };
    let host = stage.host;
    Ok(match question.function.as_str() {
        "pipelines" => host.pipelines(&call).map(|list| models::pipelines(&list)),
        "standing" => host
            .standing(&call, one()?)
            .map(|standing| models::standing(&standing)),
        "stale" => host
            .stale(&call, &about)
            .map(|items| models::stale(&items).into()),
        "jobs" => host.jobs(&call).map(|list| models::jobs(&list)),
        "assess" => host
            .assess(&call, one()?)
            .map(|assessment| models::assessment(&assessment)),
        "triage" => host
            .triage(&call, one()?)
            .map(|triage| models::triage(&triage)),
        "targets" => host
            .targets(&call, one()?)
            .map(|list| models::targets(&list)),
        other => {
            return Err(Error::unreadable(format!(
                "there is no question {other:?}; there are pipelines, standing, stale, jobs, assess, triage and targets"
            )));
        }
    })
}
