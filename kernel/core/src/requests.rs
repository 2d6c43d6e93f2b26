//! Requests: what a plugin is asked to do outside a commit. Actions, inbound messages, answers to
//! messages.

use std::sync::Arc;

use kjerne_model::{Actor, Cause, Commit, Instant};
use kjerne_store::{Link, StoreError};

use crate::commit::{Mode, Taken, contention};
use crate::digest;
use crate::escalation::Step;
use crate::job_rows::Kept;
use crate::kernel::Kernel;
use crate::limits;
use crate::outcome::{Outcome, Receipt};
use crate::plugin_calls::fault_refusal;
use crate::plugins::{Call, Effects, PluginInfo, Task};
use crate::rows_beside::{Row, RowsBeside};
use kjerne_model::models::Reply;

/// Who asks a plugin for something, and when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ask {
    /// Who asks; the plugin sees it. What it proposes is committed in the plugin's own name.
    pub actor: Actor,
    /// When.
    pub now: Instant,
    /// Names the commit when the plugin does not name it itself.
    pub key: Option<String>,
    /// The message whose answer this is, or that came in from a workspace like this one; none for what
    /// begins a chain.
    pub link: Option<Link>,
}

impl Ask {
    /// How far down a chain of reactions and answers this is.
    fn depth(&self) -> u32 {
        self.link.map_or(0, |link| link.depth + 1)
    }

    /// The cause of what the plugin proposes, from which so many messages may follow.
    fn cause(&self, follow_ups: u32) -> Option<Cause> {
        let depth = self.depth();
        self.link.map(|link| Cause {
            entry: link.entry,
            depth,
            follow_ups: Some(follow_ups),
        })
    }
}

/// What a plugin did.
#[derive(Clone, PartialEq, Debug)]
pub struct Performed {
    /// What became of its proposals; a plugin that broke or failed is a refusal with `plugin-fault`.
    pub outcome: Outcome,
    /// What to show whoever asked, also when what it proposes waits for approval; empty when it was refused.
    pub reply: Reply,
}

/// What a task is tied to that the kernel keeps count of.
#[derive(Default)]
pub(crate) struct Tied {
    /// The escalation step it is, and the version its case must have.
    pub(crate) step: Option<(Step, u64)>,
    /// How far its job must have come.
    pub(crate) rests_on: Option<Kept>,
    /// Stored with what it does.
    pub(crate) moves: Vec<Row>,
}

impl Kernel {
    /// Has a plugin do a task: what it proposes becomes one commit, together with its messages and
    /// its state, or nothing of it happens. When its own state changed while it worked, it is asked
    /// anew.
    ///
    /// # Errors
    /// When the store fails.
    pub fn perform(
        &self,
        plugin: &PluginInfo,
        ask: &Ask,
        task: &Task,
    ) -> Result<Performed, StoreError> {
        self.carry_out(plugin, ask, task, None)
    }

    pub(crate) fn carry_out(
        &self,
        plugin: &PluginInfo,
        ask: &Ask,
        task: &Task,
        tied: Option<&Tied>,
    ) -> Result<Performed, StoreError> {
        for _ in 0..limits::PERFORM_TRIES.value {
            let reader = self.remembering()?;
            if let Some(kept) = tied.and_then(|tied| tied.rests_on.as_ref())
                && !kept.holds(&reader)?
            {
                break;
            }
            let actor = ask.actor.clone();
            let call = Call {
                now: ask.now,
                actor,
                depth: ask.depth(),
                reader: Arc::clone(&reader),
            };
            let effects = match self.plugins().run(plugin, &call, task) {
                Ok(effects) => effects,
                Err(fault) => return Ok(refused(Outcome::refused(vec![fault_refusal(&fault)]))),
            };
            let link = match self.link(plugin, ask.link, &effects, &reader)? {
                Ok(link) => link,
                Err(refusal) => return Ok(refused(Outcome::refused(vec![refusal]))),
            };
            let mut beside = RowsBeside::of(plugin, ask.now, &effects, &reader, link);
            let Effects {
                key,
                mut changes,
                reply,
                ..
            } = effects;
            beside.behind = Some(ask.actor.clone());
            if let Some(tied) = tied {
                tied.bind(&mut changes, &mut beside);
            }
            if key.is_none() && ask.key.is_some() {
                beside.asked = digest::of_task(task);
            }
            if changes.is_empty() && beside.is_empty() {
                return Ok(Performed {
                    outcome: nothing(ask),
                    reply,
                });
            }
            let actor = Actor::Plugin(plugin.id.clone());
            let key = key.or_else(|| ask.key.clone());
            // What changes nothing is no link of a chain.
            let cause = ask.cause(link.follow_ups).filter(|_| !changes.is_empty());
            let commit = Commit {
                changes,
                actor,
                key,
                at: ask.now,
                cause,
            };
            match self.take(&commit, &beside, Mode::Store)? {
                Taken::Overtaken => {}
                Taken::Outcome(outcome @ Outcome::Refused(_)) => return Ok(refused(outcome)),
                Taken::Outcome(outcome) => return Ok(Performed { outcome, reply }),
            }
        }
        Ok(refused(contention()))
    }
}

fn refused(outcome: Outcome) -> Performed {
    Performed {
        outcome,
        reply: Reply::new(),
    }
}

fn nothing(ask: &Ask) -> Outcome {
    Outcome::Accepted(Receipt::of_nothing(ask.now))
}

impl Tied {
    /// Ties what is proposed to the state it was decided on.
    fn bind(&self, changes: &mut [kjerne_model::Change], beside: &mut RowsBeside) {
        beside.moves.extend(self.moves.iter().cloned());
        if let Some((step, version)) = &self.step {
            step.bind(changes, *version);
            beside.step = Some(step.clone());
        }
    }
}

impl Step {
    /// Has the case of the step be in the version it was decided on.
    fn bind(&self, changes: &mut [kjerne_model::Change], version: u64) {
        use kjerne_model::Change::{Create, Delete, Update};
        for change in changes {
            let target = match change {
                Update { target, .. } | Delete { target } => target,
                Create { .. } => continue,
            };
            if (&target.kind, target.id) == (&self.case.kind, self.case.id) {
                target.expected.get_or_insert(version);
            }
        }
    }
}
