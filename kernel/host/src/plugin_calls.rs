//! The calls of plugins the kernel makes: its side of every role.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kjerne_core::{
    Call, Draft, Effects, Fault, Guarded, PluginInfo, Plugins, Reply, Role, Shaped, Task,
};
use kjerne_model::Entry;
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::active::Active;
use crate::call::{self, Ask, Done, only};
use crate::call_state::{CallState, Purpose, Shown};
use crate::code::found;
use crate::fault;
use crate::found::Found;
use crate::host::Host;
use crate::meter::Meter;
use crate::outputs::{rule_name, sentence};
use crate::wit::v0_2_0::{self as wit, Change, Failure, Field, exports};

/// The contract's code for a message whose sender got it wrong.
const BAD_MESSAGE: &str = "bad-message";

/// What a role's function answers when it can fail: what it was asked for, or why not.
type Said<T> = wasmtime::Result<Result<T, Failure>>;

impl Plugins for Host {
    fn with_role(&self, role: Role) -> Vec<Arc<PluginInfo>> {
        self.serving(role)
    }

    fn shape(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
    ) -> Result<Shaped, Fault> {
        let active = self.find(plugin, Role::Shape)?;
        active.sees_enough(Role::Shape)?;
        let role = active.code.roles.shape.as_ref();
        let role = role.ok_or_else(|| fault::absent(active.id(), Role::Shape))?;
        let (ask, changes) = about(&active, Role::Shape, call, drafts);
        let done = self
            .runtime
            .call(&active.plugin, &active.code, ask, |store, instance| {
                role.load(&mut *store, instance)?
                    .call_shape(store, only(), &changes, only())
            })?;
        let (micros, reads) = done.took();
        Ok(Shaped {
            sets: done.state.into_sets(),
            fuel: done.fuel,
            micros,
            reads,
        })
    }

    fn guard(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
    ) -> Result<Guarded, Fault> {
        let active = self.find(plugin, Role::Guard)?;
        active.sees_enough(Role::Guard)?;
        let role = guard_role(&active)?;
        let (ask, changes) = about(&active, Role::Guard, call, drafts);
        let done = self
            .runtime
            .call(&active.plugin, &active.code, ask, |store, instance| {
                role.load(&mut *store, instance)?
                    .call_guard(store, only(), &changes, only())
            })?;
        let (micros, reads) = done.took();
        Ok(Guarded {
            findings: done.state.found.into_findings(),
            fuel: done.fuel,
            micros,
            reads,
        })
    }

    fn run(&self, plugin: &PluginInfo, call: &Call, task: &Task) -> Result<Effects, Fault> {
        let role = task.role();
        let active = self.find(plugin, role)?;
        active.sees_enough(role)?;
        if let Task::React(entries) | Task::Outbound(entries) = task {
            active.sees_entries(role, entries)?;
        }
        let mut ask = Ask::new(role, Purpose::Work, call);
        match task {
            Task::React(entries) => {
                let entries = entries_out(&active, role, entries, &mut ask);
                self.work(&active, ask, |store, instance| {
                    react(&active, store, instance, &entries)
                })
            }
            Task::Outbound(entries) => {
                let entries = entries_out(&active, role, entries, &mut ask);
                self.work(&active, ask, |store, instance| {
                    integration(&active, store, instance)?
                        .call_outbound(store, only(), &entries, only())
                        .map(nothing)
                })
            }
            Task::Answered { .. } => {
                let answer = answer_out(task, &mut ask);
                self.work(&active, ask, |store, instance| {
                    integration(&active, store, instance)?
                        .call_answered(store, only(), &answer, only())
                        .map(nothing)
                })
            }
            Task::Inbound { .. } => {
                let message = inbound_out(task, &mut ask);
                self.work(&active, ask, |store, instance| {
                    integration(&active, store, instance)?.call_inbound(
                        store,
                        only(),
                        &message,
                        only(),
                    )
                })
            }
            Task::Escalate(case) => {
                let case = wit::reference_out(case);
                self.work(&active, ask, |store, instance| {
                    let guest =
                        found(&active.code.roles.service_rules)?.load(&mut *store, instance)?;
                    guest
                        .call_escalate(store, only(), &case, only())
                        .map(nothing)
                })
            }
            Task::Job { job, due } => self.work(&active, ask, |store, instance| {
                let guest = found(&active.code.roles.schedule)?.load(&mut *store, instance)?;
                guest
                    .call_run_job(store, only(), job, due.at.millis(), due.missed, only())
                    .map(nothing)
            }),
            Task::Action { command, arguments } => {
                let arguments = wit::arguments_out(arguments);
                ask.bytes = wit::weight(&arguments);
                self.work(&active, ask, |store, instance| {
                    let guest = found(&active.code.roles.action)?.load(&mut *store, instance)?;
                    guest.call_run(store, only(), command, &arguments, only())
                })
            }
        }
    }
}

fn guard_role(active: &Active) -> Result<&exports::guard::GuestIndices, Fault> {
    active
        .code
        .roles
        .guard
        .as_ref()
        .ok_or_else(|| fault::absent(active.id(), Role::Guard))
}

fn react(
    active: &Active,
    store: &mut Store<CallState>,
    instance: &Instance,
    entries: &[wit::JournalEntry],
) -> Said<Vec<Field>> {
    let guest = found(&active.code.roles.react)?.load(&mut *store, instance)?;
    guest
        .call_react(store, only(), entries, only())
        .map(nothing)
}

fn integration(
    active: &Active,
    store: &mut Store<CallState>,
    instance: &Instance,
) -> wasmtime::Result<exports::integration::Guest> {
    found(&active.code.roles.integration)?.load(store, instance)
}

/// A function that shows nothing answers with no fields.
fn nothing(said: Result<(), Failure>) -> Result<Vec<Field>, Failure> {
    said.map(|()| Vec::new())
}

/// The changes as the plugin may see them, and a call about them.
fn about<'a>(
    active: &Active,
    role: Role,
    call: &'a Call,
    drafts: &[Draft<'_>],
) -> (Ask<'a>, Vec<Change>) {
    let mut ask = Ask::new(role, Purpose::Verdict, call);
    drafts.iter().for_each(|draft| ask.shows(draft.kind));
    ask.shown = drafts.iter().map(|draft| Shown::of(draft, role)).collect();
    let out = |draft: &Draft<'_>| wit::change_out(draft, active.sight(role, draft.kind));
    let changes: Vec<Change> = drafts.iter().map(out).collect();
    for change in &changes {
        ask.fields += change.before.len() + change.after.len();
        ask.bytes += wit::weight(&change.before) + wit::weight(&change.after);
    }
    (ask, changes)
}

fn entries_out(
    active: &Active,
    role: Role,
    entries: &[Entry],
    ask: &mut Ask<'_>,
) -> Vec<wit::JournalEntry> {
    let out = |entry: &Entry| {
        let edits = active.watched(role, entry);
        wit::entry_out(entry, edits, |kind| active.sight(role, kind))
    };
    let watched = entries.iter().flat_map(|entry| active.watched(role, entry));
    watched.for_each(|edit| ask.shows(&edit.kind));
    let entries: Vec<wit::JournalEntry> = entries.iter().map(out).collect();
    for edit in entries.iter().flat_map(|entry| &entry.edits) {
        ask.fields += edit.before.len() + edit.after.len();
        ask.bytes += wit::weight(&edit.before) + wit::weight(&edit.after);
    }
    entries
}

fn answer_out(task: &Task, ask: &mut Ask<'_>) -> exports::integration::Answer {
    let mut answer = exports::integration::Answer {
        id: String::new(),
        status: 0,
        content_type: String::new(),
        body: Vec::new(),
        outcome: String::new(),
    };
    if let Task::Answered {
        id,
        status,
        content_type,
        body,
        delivered,
    } = task
    {
        answer.id.clone_from(id);
        answer.status = *status;
        answer.content_type.clone_from(content_type);
        answer.body.clone_from(body);
        answer.outcome = if *delivered { "delivered" } else { "given-up" }.to_owned();
        ask.bytes = body.len() as u64;
    }
    answer
}

fn inbound_out(task: &Task, ask: &mut Ask<'_>) -> exports::integration::InboundMessage {
    let mut message = exports::integration::InboundMessage {
        source: String::new(),
        content_type: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    if let Task::Inbound {
        source,
        content_type,
        headers,
        body,
    } = task
    {
        message.source.clone_from(source);
        message.content_type.clone_from(content_type);
        message.headers.clone_from(headers);
        message.body.clone_from(body);
        ask.bytes = body.len() as u64;
    }
    message
}

impl Host {
    /// Has a plugin do something, and collects what it wants done.
    fn work(
        &self,
        active: &Active,
        ask: Ask<'_>,
        work: impl FnOnce(&mut Store<CallState>, &Instance) -> Said<Vec<Field>>,
    ) -> Result<Effects, Fault> {
        let role = ask.role;
        let Done {
            answer,
            state,
            fuel,
        } = self.runtime.call(&active.plugin, &active.code, ask, work)?;
        let account = &active.plugin.account;
        let reply = answer.map_err(|failure| {
            if !is_an_answer(role, &failure) {
                account.book_fault(role);
            }
            failed(active.id(), role, &failure)
        })?;
        let reply: Reply = wit::reply_in(reply).map_err(|error| {
            account.book_fault(role);
            fault::bad_output(active.id(), role, &error)
        })?;
        let wishes = state.wishes;
        Ok(Effects {
            key: wishes.key,
            changes: wishes.changes,
            messages: wishes.messages,
            state: wishes.state.into_iter().collect(),
            reply,
            fuel,
        })
    }

    /// Asks one guard again and again in one instance that is kept, and tells how long each call
    /// took: what a fresh instance per call is measured against. Nothing else calls a plugin so.
    ///
    /// # Errors
    /// When the plugin breaks.
    pub fn guard_warm(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
        times: usize,
    ) -> Result<Vec<Duration>, Fault> {
        let active = self.find(plugin, Role::Guard)?;
        let role = guard_role(&active)?;
        let (ask, _) = about(&active, Role::Guard, call, drafts);
        let mut store = self.runtime.store(&active.plugin, ask);
        let fuel = store.data().meter.budget.fuel;
        let mut run = || -> wasmtime::Result<Vec<Duration>> {
            let instance = active.code.pre.instantiate(&mut store)?;
            let guest = role.load(&mut store, &instance)?;
            let mut taken = Vec::with_capacity(times);
            for _ in 0..times {
                let started = Instant::now();
                let (ask, changes) = about(&active, Role::Guard, call, drafts);
                let state = store.data_mut();
                state.begin(Meter::start(state.meter.budget, ask.bytes));
                state.shown = ask.shown;
                state.found = Found::default();
                call::refuel(&mut store, fuel);
                guest.call_guard(&mut store, only(), &changes, only())?;
                taken.push(started.elapsed());
            }
            Ok(taken)
        };
        let taken = run();
        call::judge(store.data(), taken)
    }
}

/// Whether a failure is what somebody who asked is told: by an action, or about a message that its sender
/// got wrong. Any other is work of the plugin that came to nothing.
fn is_an_answer(role: Role, failure: &Failure) -> bool {
    role == Role::Action || failure.code == BAD_MESSAGE
}

/// A plugin that said it cannot do what it was asked. Its own code stands behind `failed:`, since
/// whoever asked may have to tell a bad message from a broken plugin.
fn failed(plugin: &str, role: Role, failure: &Failure) -> Fault {
    let code = rule_name(&failure.code);
    let message = sentence(&failure.message);
    Fault {
        plugin: plugin.to_owned(),
        limit: format!("failed:{code}"),
        allowed: None,
        message: format!(
            "plugin {plugin} could not do its part in {}: {message} ({code})",
            role.name()
        ),
    }
}
