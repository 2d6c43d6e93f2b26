//! The threads beside the HTTP interface: reactions, the escalation clock, delivery, costs.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kjerne_core::{PluginInfo, Progress, Role};

use crate::delivery::Courier;
use crate::error::Result;
use crate::runtime::{Runtime, now};

/// How long a thread sleeps when nothing count: a lost ring costs no more than this.
const NAP: Duration = Duration::from_secs(2);
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
        for (plugin, role) in runtime.walkers() {
            let name = format!("{} {}", plugin.id, role.name());
            workers.spawn(name, move |runtime| walk(runtime, &plugin, role))?;
        }
        workers.spawn("clock".to_owned(), clock)?;
        workers.spawn("ledger".to_owned(), ledger)?;
        let courier = Courier::new(runtime);
        workers.spawn("outbox".to_owned(), move |runtime| {
            courier.run(runtime, NAP);
        })?;
        Ok(workers)
    }

    fn spawn(&mut self, name: String, work: impl FnOnce(&Runtime) + Send + 'static) -> Result<()> {
        let runtime = Arc::clone(&self.runtime);
        let thread = thread::Builder::new()
            .name(name)
            .spawn(move || work(&runtime))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Lets everybody finish what is under way, and stores the costs.
    pub fn stop(self) {
        self.runtime.notifier.stop();
        for thread in self.threads {
            // A thread that panicked has said so on standard error.
            let _ = thread.join();
        }
        if let Err(error) = self.runtime.flush_costs() {
            warn("ledger", &error);
        }
    }
}

/// Walks the journal with one plugin in one role, for as long as the server runs.
fn walk(runtime: &Runtime, plugin: &PluginInfo, role: Role) {
    while !runtime.notifier.is_stopped() {
        let heard = runtime.notifier.count();
        match runtime.kernel.react(plugin, role, now()) {
            Ok(Progress::Moved {
                receipt, messages, ..
            }) => {
                if receipt.is_some() || messages > 0 {
                    runtime.notifier.notify();
                }
            }
            Ok(Progress::Idle) => runtime.notifier.wait(heard, NAP),
            Ok(Progress::Waiting { until }) => {
                let millis = until
                    .millis()
                    .saturating_sub(now().millis())
                    .max(1)
                    .unsigned_abs();
                // Notifications are let pass: new entries do not make an old failure due any earlier.
                runtime
                    .notifier
                    .sleep(Duration::from_millis(millis).min(NAP));
            }
            Ok(Progress::Failed {
                entry,
                tries,
                until,
                error,
            }) => eprintln!(
                "{} ({}): entry {entry}, try {tries}: {error}; again at {until}",
                plugin.id,
                role.name()
            ),
            Ok(Progress::Parked { entry, error }) => eprintln!(
                "{} ({}): entry {entry} is parked: {error}; see kjerne plugin parked",
                plugin.id,
                role.name()
            ),
            Err(error) => {
                warn(&plugin.id, &error);
                runtime.notifier.sleep(NAP);
            }
        }
    }
}

/// Does the escalation steps that are due.
fn clock(runtime: &Runtime) {
    while !runtime.notifier.is_stopped() {
        match runtime.kernel.escalate_due(now(), ESCALATIONS) {
            Ok(escalated) => {
                for (case, why) in escalated.failed.iter().chain(&escalated.parked) {
                    eprintln!("escalation of {case}: {why}");
                }
                if !escalated.done.is_empty() {
                    runtime.notifier.notify();
                }
            }
            Err(error) => warn("clock", &error),
        }
        runtime.notifier.sleep(TICK);
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
    eprintln!("{who}: {error}");
}
