//! One call: a fresh store and instance, its limits, its costs.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kjerne_core::{Call, Fault, Kernel, Role, TablePlugins};
use kjerne_model::{Actor, Name, Schema};
use kjerne_store::{MemoryStore, StoreError};
use wasmtime::component::{Instance, Resource};
use wasmtime::{Engine, Store, UpdateDeadline};

use crate::call_state::{CallState, Purpose, Shown};
use crate::code::Code;
use crate::error::LoadError;
use crate::fault;
use crate::ids::IdSource;
use crate::limits::{self, Budget};
use crate::meter::Meter;
use crate::plugin::Plugin;
use crate::stop::Ended;
use kjerne_ledger::Slots;
use kjerne_ledger::{CallStats, End};
use kjerne_package::knobs::Knob;

/// Is told about every call.
pub type Observer = Arc<dyn Fn(&CallStats<'_>) + Send + Sync>;

/// What calls need and plugins share.
pub struct Runtime {
    /// The engine.
    pub engine: Engine,
    /// The slots of its pool.
    pub slots: Slots,
    /// Makes ids.
    pub ids: Arc<IdSource>,
    /// The workspace's kinds, for calls that are about none of its records.
    pub schema: Arc<Schema>,
    /// Is told about every call.
    pub observer: RwLock<Option<Observer>>,
}

/// What a call is about, and how large its input is.
pub struct Ask<'a> {
    pub role: Role,
    pub purpose: Purpose,
    pub call: &'a Call,
    pub shown: Vec<Shown>,
    /// The kinds of what is shown, each with how much of it.
    pub kinds: Vec<(Name, u64)>,
    pub changes: usize,
    pub fields: usize,
    pub bytes: u64,
}

impl<'a> Ask<'a> {
    /// One more change of a record of a kind is shown.
    pub fn shows(&mut self, kind: &Name) {
        self.changes += 1;
        match self.kinds.iter_mut().find(|(known, _)| known == kind) {
            Some((_, count)) => *count += 1,
            None => self.kinds.push((kind.clone(), 1)),
        }
    }

    /// A call without changes or entries.
    pub fn new(role: Role, purpose: Purpose, call: &'a Call) -> Self {
        Self {
            role,
            purpose,
            call,
            shown: Vec::new(),
            kinds: Vec::new(),
            changes: 0,
            fields: 0,
            bytes: 0,
        }
    }
}

/// A call that went well.
pub struct Done<R> {
    /// What the plugin returned.
    pub answer: R,
    /// What it said on the way.
    pub state: CallState,
    /// The fuel it used.
    pub fuel: u64,
}

impl<R> Done<R> {
    /// How long it took, in microseconds, and the rows it looked at.
    pub fn took(&self) -> (u64, u64) {
        let meter = &self.state.meter;
        (meter.micros(), meter.rows())
    }
}

impl Runtime {
    /// Asks a plugin in an instance of its own, which is gone afterwards: no call sees what
    /// another left, and a trap harms nobody.
    pub fn call<R>(
        &self,
        plugin: &Arc<Plugin>,
        code: &Code,
        ask: Ask<'_>,
        work: impl FnOnce(&mut Store<CallState>, &Instance) -> wasmtime::Result<R>,
    ) -> Result<Done<R>, Fault> {
        let role = ask.role;
        let permit = plugin.quarantine.enter(plugin.id(), role, ask.call.now);
        let permit = permit.inspect_err(|_| plugin.account.book_refused(role))?;
        let patience = Duration::from_millis(limits::QUEUE.value);
        let places = plugin.knobs.get(role, Knob::Places);
        let most = self.slots.share(role, places);
        let Some(_slot) = self.slots.take(plugin.id(), role, most, patience) else {
            return Err(fault::busy(plugin.id(), role, most));
        };
        let mut store = self.store(plugin, ask);
        let instance = code.pre.instantiate(&mut store);
        let answer = instance.and_then(|instance| work(&mut store, &instance));
        let done = self.finish(store, answer);
        permit.end(match &done {
            Ok(_) => End::Well,
            // The host could not do its part.
            Err(fault) if fault.limit == fault::OF_HOST => End::Nothing,
            Err(fault) => End::Broke(&fault.limit),
        });
        done
    }

    /// Makes one instance of a plugin and asks it nothing: whether it comes up within its limits,
    /// and its roles are of the contract's types.
    pub fn try_out(&self, plugin: &Arc<Plugin>, code: &Code) -> Result<(), LoadError> {
        let does_not_fit = |why: String| Err(LoadError::does_not_fit(&plugin.package, why));
        let Some(role) = plugin.package.manifest.roles.keys().next() else {
            return Ok(());
        };
        let call = match self.about_nothing() {
            Ok(call) => call,
            Err(error) => return does_not_fit(error.to_string()),
        };
        let mut store = self.store(plugin, Ask::new(*role, Purpose::Question, &call));
        // Under the usual limits: one that is set too low breaks calls, and never keeps a workspace from opening.
        let usual = Budget::of(*role, 0, 0);
        store.data_mut().begin(Meter::start(usual, 0));
        refuel(&mut store, usual.fuel);
        let tried = code
            .pre
            .instantiate(&mut store)
            .and_then(|instance| code.roles.check(&mut store, &instance));
        match judge(store.data(), tried) {
            Ok(()) => Ok(()),
            Err(fault) => does_not_fit(fault.message),
        }
    }

    /// A store with every limit set.
    pub fn store(&self, plugin: &Arc<Plugin>, ask: Ask<'_>) -> Store<CallState> {
        let budget = Budget::of(ask.role, ask.changes, ask.fields);
        let budget = budget.given(ask.role, ask.changes, ask.bytes);
        let budget = plugin.knobs.within(ask.role, budget);
        let meter = Meter::start(budget, ask.bytes);
        let mut state = CallState::new(plugin, &self.ids, ask.role, ask.purpose, ask.call, meter);
        state.shown = ask.shown;
        state.kinds = ask.kinds;
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.meter);
        refuel(&mut store, budget.fuel);
        store.set_hostcall_fuel(limits::HANDOVER.value as usize);
        store.set_max_component_handles(limits::HANDLES.value as usize);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| match store.data_mut().meter.check_time() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(_) => Err(Ended.into()),
        });
        store
    }

    /// The time, for lines of a log that belong to no commit.
    pub fn clock(&self) -> kjerne_model::Instant {
        let passed = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        kjerne_model::Instant::from_millis(i64::try_from(passed.as_millis()).unwrap_or_default())
    }

    /// A call in a workspace of these kinds without any record.
    pub fn about_nothing(&self) -> Result<Call, StoreError> {
        let plugins = Arc::new(TablePlugins::none());
        let store = Arc::new(MemoryStore::new());
        let kernel = Kernel::new(store, Arc::clone(&self.schema), plugins, 0)?;
        Ok(Call {
            now: self.clock(),
            actor: Actor::System("install".to_owned()),
            depth: 0,
            reader: Arc::new(kernel.reader()?),
        })
    }

    fn finish<R>(
        &self,
        store: Store<CallState>,
        answer: wasmtime::Result<R>,
    ) -> Result<Done<R>, Fault> {
        let known = match &answer {
            Ok(_) => true,
            Err(error) => fault::counts_fuel(error, &store.data().meter),
        };
        // What the runtime cannot tell is booked as the whole budget, or a loop would cost nothing.
        let left = if known {
            store.get_fuel().unwrap_or_default()
        } else {
            0
        };
        // The state is moved out and the instance is gone before anything else is done.
        let state = store.into_data();
        let fuel = state.meter.budget.fuel.saturating_sub(left);
        let result = judge(&state, answer);
        let fault = result.as_ref().err().map(|fault| fault.limit.as_str());
        self.book(&state, fuel, fault);
        Ok(Done {
            answer: result?,
            state,
            fuel,
        })
    }

    fn book(&self, state: &CallState, fuel: u64, fault: Option<&str>) {
        let (plugin, meter) = (&state.plugin, &state.meter);
        let stats = CallStats {
            plugin: plugin.id(),
            version: plugin.version(),
            role: state.role,
            kinds: &state.kinds,
            fuel,
            fuel_limit: meter.budget.fuel,
            memory: meter.memory_peak,
            memory_limit: meter.budget.memory,
            host_calls: meter.host_calls,
            host_calls_limit: meter.budget.host_calls,
            rows: meter.rows(),
            rows_limit: meter.budget.rows,
            bytes_in: meter.bytes_in,
            bytes_out: meter.bytes_out,
            bytes_out_limit: meter.output_limit().allowed,
            log_lines: meter.log_lines,
            log_lines_limit: limits::LOG_LINES.value,
            micros: meter.micros(),
            micros_limit: meter.budget.wall_ms * 1_000,
            fault,
        };
        plugin.account.book(&stats);
        let observer = self
            .observer
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(observer) = observer {
            observer(&stats);
        }
    }
}

/// A call that passed a limit has failed, even when the plugin returned as if nothing had
/// happened: it may have judged without what it could not read.
pub fn judge<R>(state: &CallState, answer: wasmtime::Result<R>) -> Result<R, Fault> {
    let plugin = state.plugin.id();
    match (answer, state.meter.passed) {
        (Ok(_), Some(passed)) => Err(fault::of_limit(plugin, state.role, passed)),
        (Ok(answer), None) => Ok(answer),
        (Err(error), _) => Err(fault::of_call(plugin, state.role, &error, &state.meter)),
    }
}

/// Fills the tank. It fails only for an engine that does not count fuel, and ours does.
pub fn refuel(store: &mut Store<CallState>, fuel: u64) {
    let filled = store.set_fuel(fuel);
    debug_assert!(filled.is_ok(), "the engine counts fuel");
}

/// The handle of a resource of which there is one per call.
pub fn only<T: 'static>() -> Resource<T> {
    Resource::new_borrow(0)
}
