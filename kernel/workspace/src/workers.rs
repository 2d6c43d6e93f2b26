//! The threads beside the HTTP interface: reactions, jobs, the escalation clock, delivery, costs.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kjerne_core::{Progress, Role};

use crate::delivery::Courier;
use crate::error::Result;
use crate::health::Watch;
use crate::runtime::{Runtime, now};
use crate::stderr::tell;

/// How long a thread sleeps when it is told of nothing: a lost notification costs no more than this.
const NAP: Duration = Duration::from_secs(2);
/// How often one that walks the journal looks for more, where there was little.
const PACE: Duration = Duration::from_millis(5);
/// Fewer entries than this are few.
const FEW: u64 = 32;
/// How often the clock is looked at. Steps are minutes apart, so seconds are exact enough.
const TICK: Duration = Duration::from_secs(1);
/// How often costs are stored. A crash loses at most so much of the ledger and nothing else.
const LEDGER: Duration = Duration::from_secs(10);
/// Cases escalated in one go before reactions get their turn.
const ESCALATIONS: usize = kjerne_core::limits::ESCALATIONS.count();

/// The threads at work.
pub struct Workers {
    runtime: Arc<Runtime>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them all.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn start(runtime: &Arc<Runtime>) -> Result<Self> {
        let mut workers = Self {
            runtime: Arc::clone(runtime),
            threads: Vec::new(),
        };
        let walkers = Mutex::new(Walkers::default());
        workers.spawn("clock", move |runtime| clock(runtime, &walkers))?;
        workers.spawn("ledger", |runtime| ledger(runtime))?;
        let courier = Courier::new(runtime);
        workers.spawn("outbox", move |runtime| courier.run(runtime, NAP))?;
        Ok(workers)
    }

    fn spawn(
        &mut self,
        name: &'static str,
        work: impl Fn(&Arc<Runtime>) + Send + 'static,
    ) -> Result<()> {
        let runtime = Arc::clone(&self.runtime);
        let stopped = move || runtime.notifier.is_stopped();
        let runtime = Arc::clone(&self.runtime);
        let thread = thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || lasting(name, NAP, &stopped, || work(&runtime)))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Lets everybody finish what is under way, and stores the costs.
    pub fn stop(self) {
        self.runtime.stop();
        for thread in self.threads {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
        if let Err(error) = self.runtime.flush_costs() {
            warn("ledger", &error);
        }
    }
}

/// Does a thread's work to its end. Work that panics, which says so on standard error, is begun anew after
/// a pause: a server without its clock would look well and let every escalation pass.
fn lasting(name: &str, pause: Duration, stopped: &dyn Fn() -> bool, work: impl Fn()) {
    while panic::catch_unwind(AssertUnwindSafe(&work)).is_err() && !stopped() {
        tell(format_args!("{name}: broke off, and begins anew"));
        thread::sleep(pause);
    }
}

/// Walks the journal with one plugin in one role, for as long as it is switched on.
fn walk(runtime: &Runtime, id: &str, role: Role) {
    while !runtime.notifier.is_stopped() {
        let heard = runtime.notifier.count();
        let Some(plugin) = runtime.walker(id, role) else {
            return;
        };
        let (at, began) = (now(), Instant::now());
        let progress = runtime.kernel.react(&plugin, role, at);
        if let Ok(progress) = &progress {
            runtime.log(&plugin, role, at, progress);
        }
        match progress {
            Ok(Progress::Moved {
                receipt,
                messages,
                position,
                ..
            }) => {
                if receipt.is_some() || messages > 0 {
                    runtime.notifier.notify();
                }
                if runtime
                    .kernel
                    .last_entry()
                    .is_ok_and(|last| last < position + FEW)
                {
                    pace(runtime, began);
                }
            }
            Ok(Progress::Idle) => {
                runtime.notifier.wait(heard, NAP);
                pace(runtime, began);
            }
            // What is new goes by what waits.
            Ok(Progress::Waiting { until }) => {
                runtime.notifier.wait(heard, left(until));
                pace(runtime, began);
            }
            Ok(Progress::Busy { until, error }) => {
                tell(format_args!("{} ({}): {error}", plugin.id, role.name()));
                rest(runtime, until);
            }
            Ok(Progress::Failed {
                entry,
                tries,
                until,
                error,
            }) => tell(format_args!(
                "{} ({}): entry {entry}, try {tries}: {error}; again at {until}",
                plugin.id,
                role.name()
            )),
            Ok(Progress::Parked { entry, error }) => tell(format_args!(
                "{} ({}): entry {entry} is parked: {error}; see kjerne plugin parked",
                plugin.id,
                role.name()
            )),
            Err(error) => {
                warn(&plugin.id, &error);
                runtime.notifier.sleep(NAP);
            }
        }
    }
}

/// Runs the jobs of a plugin as they fall due, for as long as it is switched on: one after the other, so that
/// a slow one holds up nobody else's.
fn run_jobs(runtime: &Runtime, id: &str) {
    while !runtime.notifier.is_stopped() {
        let heard = runtime.replacements.count();
        let Some(plugin) = runtime.host.serves(id, Role::Schedule) else {
            return;
        };
        let at = now();
        match runtime.run_due_jobs(&plugin, at) {
            Ok(again) => {
                let left = again.millis().saturating_sub(now().millis()).max(0);
                let left = Duration::from_millis(left.unsigned_abs());
                runtime.replacements.wait(heard, left);
            }
            Err(error) => {
                warn(id, &error);
                runtime.notifier.sleep(NAP);
            }
        }
    }
}

/// Waits for what is left of a turn. While commits come thick and fast, a reaction is shown what came
/// meanwhile at once, and not each by itself; after a pause it is shown the first without delay.
fn pace(runtime: &Runtime, began: Instant) {
    runtime.notifier.sleep(PACE.saturating_sub(began.elapsed()));
}

/// Waits until a time, for a nap at most. Notifications are let pass: new entries do not make room any
/// earlier.
fn rest(runtime: &Runtime, until: kjerne_model::Instant) {
    runtime.notifier.sleep(left(until));
}

/// How long it is until then, a nap at most.
fn left(until: kjerne_model::Instant) -> Duration {
    let left = until.millis().saturating_sub(now().millis()).max(1);
    Duration::from_millis(left.unsigned_abs()).min(NAP)
}

/// Looks whether the store takes writes, does the escalation steps that are due, ends the waiting of commits nobody
/// approved of in time, and keeps a thread for each plugin and role that walks the journal or has jobs, also for
/// those that are switched on later.
fn clock(runtime: &Arc<Runtime>, walkers: &Mutex<Walkers>) {
    // Those that walk already go on where the clock is begun anew.
    let walkers = || walkers.lock().unwrap_or_else(PoisonError::into_inner);
    let mut storage = Watch::default();
    while !runtime.notifier.is_stopped() {
        let heard = runtime.replacements.count();
        if let Some(news) = storage.look(&*runtime.store) {
            tell(format_args!("storage: {news}"));
        }
        walkers().keep(runtime);
        escalate(runtime);
        if let Err(error) = runtime.kernel.expire_pending(now()) {
            warn("approvals", &error);
        }
        runtime.replacements.wait(heard, TICK);
    }
    walkers().join();
}

fn escalate(runtime: &Runtime) {
    match runtime.kernel.escalate_due(now(), ESCALATIONS) {
        Ok(escalated) => {
            for (case, why) in escalated.failed.iter().chain(&escalated.parked) {
                tell(format_args!("escalation of {case}: {why}"));
            }
            if !escalated.done.is_empty() {
                runtime.notifier.notify();
            }
        }
        Err(error) => warn("clock", &error),
    }
}

/// The threads that walk the journal and run jobs, by plugin and role.
#[derive(Default)]
struct Walkers(BTreeMap<(String, &'static str), JoinHandle<()>>);

impl Walkers {
    /// Begins those that are missing; one whose plugin was switched off ends by itself.
    fn keep(&mut self, runtime: &Arc<Runtime>) {
        self.0.retain(|_, thread| !thread.is_finished());
        for (plugin, role) in runtime.at_work() {
            if let Entry::Vacant(free) = self.0.entry((plugin.id.clone(), role.name())) {
                let (id, runtime) = (free.key().0.clone(), Arc::clone(runtime));
                let named = thread::Builder::new().name(format!("{id} {}", role.name()));
                let work = move || match role {
                    Role::Schedule => run_jobs(&runtime, &id),
                    _ => walk(&runtime, &id, role),
                };
                match named.spawn(work) {
                    Ok(thread) => drop(free.insert(thread)),
                    Err(error) => warn("reactions", &error),
                }
            }
        }
    }

    fn join(&mut self) {
        for thread in std::mem::take(&mut self.0).into_values() {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
    }
}

fn ledger(runtime: &Runtime) {
    while !runtime.notifier.is_stopped() {
        runtime.notifier.sleep(LEDGER);
        if let Err(error) = runtime.flush_costs() {
            warn("ledger", &error);
        }
    }
}

fn warn(who: &str, error: &dyn std::error::Error) {
    tell(format_args!("{who}: {error}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn work_that_breaks_off_is_begun_anew_until_it_ends_or_the_server_does() {
        for (stops_after, breaks, begun) in [(9, 0, 1), (9, 3, 4), (2, 3, 2)] {
            let times = Cell::new(0);
            let stopped = || times.get() >= stops_after;
            lasting("test", Duration::from_millis(1), &stopped, || {
                times.set(times.get() + 1);
                assert!(times.get() > breaks, "broken on purpose");
            });
            assert_eq!(times.get(), begun, "{stops_after} {breaks}");
        }
    }
}
