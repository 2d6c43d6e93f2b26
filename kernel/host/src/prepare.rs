//! Prepares a plugin: has it read its settings once, and makes a component of what it is then, with
//! which each of its calls begins.
//!
//! The instance is read through functions that an instrumented copy of the component exports beside
//! its own, and thrown away. What is made of it is an ordinary component, compiled and kept like any
//! other. It follows from the file, the settings and their revision alone, so that the same commit
//! costs the same fuel wherever the plugin was prepared.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use kjerne_core::Role;
use kjerne_model::shown;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentNamedList, Instance, Lift};
use wasmtime_wizer::{ComponentContext, ComponentInstanceState, Wizer};

use crate::call::{Ask, refuel};
use crate::call_state::{CallState, Purpose};
use crate::code::{self, Code, found};
use crate::compiler::Uncompiled;
use crate::digest::digest;
use crate::error::LoadError;
use crate::host::Host;
use crate::limits::{self, Budget};
use crate::meter::Meter;
use crate::plugin::Plugin;
use crate::watching::{Watching, narrowed};
use crate::wit::v0_2_0::exports::prepare::SettingsFault;
use kjerne_ledger::Line;
use kjerne_package::{Package, PackageError};

/// A component that can be made ready, with what is needed to make a component of it again.
struct Instrumented<'a> {
    component: Component,
    context: ComponentContext<'a>,
}

impl Host {
    /// What the calls of a plugin begin with: its component, and where it can be prepared, the one that
    /// was made of it with these settings.
    ///
    /// # Errors
    /// When it cannot be compiled, finds fault with its settings, or breaks over them.
    pub(crate) fn component_of(&self, plugin: &Arc<Plugin>) -> Result<Component, LoadError> {
        let package = &plugin.package;
        if !package.manifest.roles.contains_key(&Role::Prepare) {
            return self.plain(package);
        }
        let digest = self.of_settings(plugin);
        if let Some(known) = self.cache.known(&self.runtime.engine, &digest) {
            return Ok(known);
        }
        let wizer = Wizer::new();
        match self.instrumented(&wizer, package) {
            Ok(instrumented) => {
                let with = (&wizer, &instrumented.context);
                let made = self.run_prepare(plugin, &instrumented.component, Some(with))?;
                self.compiled(package, &digest, &made)
            }
            Err(why) => {
                let plain = self.plain(package)?;
                self.run_prepare(plugin, &plain, None)?;
                plugin.logs.push(Line::new(
                    self.runtime.clock(),
                    Role::Prepare,
                    "warn",
                    &format!("each call begins unprepared, since no component can be made of this one: {why}"),
                ));
                Ok(plain)
            }
        }
    }

    /// Names the component a plugin is with these settings, with the kinds they may name, and with what
    /// it may read of them.
    pub(crate) fn of_settings(&self, plugin: &Plugin) -> [u8; 32] {
        digest(&[
            b"prepared",
            &plugin.package.digest,
            plugin.settings.text.as_bytes(),
            &plugin.revision.to_le_bytes(),
            &self.kinds,
            plugin.grants.reading().as_bytes(),
            env!("CARGO_PKG_VERSION").as_bytes(),
        ])
    }

    /// A plugin's component before it was prepared, for what must be known before it has settings.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub(crate) fn unprepared(&self, package: &Package) -> Result<Component, LoadError> {
        let prepares = package.manifest.roles.contains_key(&Role::Prepare);
        let instrumented = prepares.then(|| self.instrumented(&Wizer::new(), package));
        match instrumented {
            Some(Ok(instrumented)) => Ok(instrumented.component),
            _ => self.plain(package),
        }
    }

    fn plain(&self, package: &Package) -> Result<Component, LoadError> {
        self.compiled(package, &package.digest, package.bytes())
    }

    fn instrumented<'a>(
        &self,
        wizer: &Wizer,
        package: &'a Package,
    ) -> Result<Instrumented<'a>, String> {
        let made = guarded(|| wizer.instrument_component(package.bytes()));
        let (context, bytes) = made?;
        let digest = digest(&[b"instrumented", &package.digest]);
        let component = self.compiled(package, &digest, &bytes);
        let component = component.map_err(|error| error.to_string())?;
        Ok(Instrumented { component, context })
    }

    fn compiled(
        &self,
        package: &Package,
        digest: &[u8; 32],
        bytes: &[u8],
    ) -> Result<Component, LoadError> {
        let made = self.cache.component(&self.runtime.engine, digest, bytes);
        made.map(|(component, _)| component)
            .map_err(|error| match error {
                Uncompiled::TooMuch(limit) => PackageError::TooLarge { limit, found: None }.into(),
                Uncompiled::Refused(why) => LoadError::does_not_fit(package, why),
                Uncompiled::NoRoom(why) => LoadError::TooDemanding {
                    plugin: package.manifest.id.clone(),
                    why,
                },
            })
    }

    /// Why a plugin cannot be used as it was prepared. Before its settings it could be, or it would not be
    /// installed, so that what it keeps of them is too much; the component that was made is not kept.
    pub(crate) fn of_no_use(&self, plugin: &Plugin, why: LoadError) -> LoadError {
        let prepares = plugin.package.manifest.roles.contains_key(&Role::Prepare);
        match why {
            LoadError::DoesNotFit { plugin: id, why } if prepares => {
                self.cache
                    .forget(&self.runtime.engine, &self.of_settings(plugin));
                let why = format!("it cannot be called as it is then: {why}");
                LoadError::Unprepared { plugin: id, why }
            }
            why => why,
        }
    }

    /// Runs `prepare` in an instance of its own and makes a component of it, where that is asked for;
    /// else there is nothing of it.
    pub(crate) fn run_prepare(
        &self,
        plugin: &Arc<Plugin>,
        component: &Component,
        with: Option<(&Wizer, &ComponentContext<'_>)>,
    ) -> Result<Vec<u8>, LoadError> {
        let package = &plugin.package;
        let code = code::link(&self.linker, component, package)?;
        let call = self.runtime.about_nothing();
        let call = call.map_err(|error| LoadError::does_not_fit(package, error.to_string()))?;
        let ask = Ask::new(Role::Prepare, Purpose::Preparation, &call);
        let mut made = Ok(Vec::new());
        let done = self.runtime.call(plugin, &code, ask, |store, instance| {
            let guest = found(&code.roles.prepare)?.load(&mut *store, instance)?;
            let said = guest.call_prepare(&mut *store)?;
            if let (Ok(()), Some((wizer, context))) = (&said, with) {
                made = snapshot(store, *instance, wizer, context);
            }
            Ok(said)
        });
        let said = done.map_err(|fault| LoadError::Unprepared {
            plugin: package.manifest.id.clone(),
            why: fault.message,
        })?;
        match said.answer {
            Ok(()) => made.map_err(|why| LoadError::does_not_fit(package, why)),
            Err(faults) => Err(LoadError::BadSettings(format!(
                "the settings of plugin {id} cannot be used: {}; mend them and set them with \
                 `kjerne plugin settings {id} FILE`",
                all(&faults),
                id = package.manifest.id,
            ))),
        }
    }

    /// Asks a plugin that is prepared what it watches.
    ///
    /// # Errors
    /// When it breaks over the question, or watches what there is not.
    pub(crate) fn watching(
        &self,
        plugin: &Arc<Plugin>,
        code: &Code,
    ) -> Result<Watching, LoadError> {
        let manifest = &plugin.package.manifest;
        if !manifest.roles.contains_key(&Role::Prepare) {
            return Ok(Watching::declared(manifest));
        }
        let unprepared = |why: String| LoadError::Unprepared {
            plugin: manifest.id.clone(),
            why,
        };
        let call = self.runtime.about_nothing();
        let call = call.map_err(|error| unprepared(error.to_string()))?;
        let ask = Ask::new(Role::Prepare, Purpose::Preparation, &call);
        let said = self.runtime.call(plugin, code, ask, |store, instance| {
            let guest = found(&code.roles.prepare)?.load(&mut *store, instance)?;
            guest.call_watches(store)
        });
        let said = said.map_err(|fault| unprepared(fault.message))?;
        narrowed(manifest, &self.runtime.schema, said.answer).map_err(|why| {
            LoadError::BadSettings(format!(
                "the settings of plugin {} cannot be used: {why}",
                manifest.id
            ))
        })
    }
}

/// Everything a plugin found wrong, as far as a person reads it.
fn all(faults: &[SettingsFault]) -> String {
    let most = limits::SETTINGS_FAULTS.count();
    let mut told: Vec<String> = faults.iter().take(most).map(sentence).collect();
    if faults.len() > most {
        told.push(format!("and {} more", faults.len() - most));
    }
    if told.is_empty() {
        told.push("it does not say what is wrong with them".to_owned());
    }
    told.join("; ")
}

fn sentence(fault: &SettingsFault) -> String {
    let message = shown::beginning(&fault.message, limits::SENTENCE.count());
    match fault.line {
        Some(line) => format!("line {line}: {message}"),
        None => message,
    }
}

/// Makes a component of an instance as it is. Whatever the plugin used so far stays its account; to
/// read all its memory is work of the host's own, with limits of its own.
fn snapshot(
    store: &mut Store<CallState>,
    instance: Instance,
    wizer: &Wizer,
    context: &ComponentContext<'_>,
) -> Result<Vec<u8>, String> {
    let left = store.get_fuel().unwrap_or_default();
    let budget = Budget::of(Role::Prepare, 0, 0);
    refuel(store, budget.fuel);
    // A memory is handed over whole.
    store.set_hostcall_fuel(limits::MEMORY_LATER.count() + limits::HANDOVER.count());
    let meter = std::mem::replace(&mut store.data_mut().meter, Meter::start(budget, 0));
    let mut reading = Reading {
        store,
        instance,
        failed: None,
    };
    let made = guarded(|| now(wizer.snapshot_component(context, &mut reading)));
    let failed = reading.failed.take();
    store.data_mut().meter = meter;
    refuel(store, left);
    match failed {
        Some(error) => Err(format!("it cannot be read after prepare: {error:#}")),
        None => made,
    }
}

/// Does what another crate does with a plugin's bytes; a panic of it is its refusal, since it works on
/// nothing but these bytes.
fn guarded<T>(work: impl FnOnce() -> wasmtime::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(made) => made.map_err(|error| format!("{error:#}")),
        Err(_) => Err("it consists of something that cannot be taken apart".to_owned()),
    }
}

/// The outcome of work that never waits: what reads the instance answers at once.
fn now<T>(work: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(made) => made,
        Poll::Pending => Err(wasmtime::Error::msg("reading the instance did not end")),
    }
}

/// Reads an instance through the functions that were added to it. Who asks takes no error, so the first
/// is kept, and what was made behind it is thrown away.
struct Reading<'a> {
    store: &'a mut Store<CallState>,
    instance: Instance,
    failed: Option<wasmtime::Error>,
}

impl Reading<'_> {
    fn read<T>(&mut self, interface: &str, name: &str) -> T
    where
        T: Lift + Default + 'static,
        (T,): ComponentNamedList + Lift,
    {
        if self.failed.is_some() {
            return T::default();
        }
        self.ask(interface, name).unwrap_or_else(|error| {
            self.failed = Some(error);
            T::default()
        })
    }

    fn ask<T>(&mut self, interface: &str, name: &str) -> wasmtime::Result<T>
    where
        T: Lift + 'static,
        (T,): ComponentNamedList + Lift,
    {
        let missing = || wasmtime::Error::msg(format!("there is no {name} in {interface}"));
        let inside = self.instance.get_export(&mut *self.store, None, interface);
        let (_, inside) = inside.ok_or_else(missing)?;
        let function = self
            .instance
            .get_export(&mut *self.store, Some(&inside), name);
        let (_, function) = function.ok_or_else(missing)?;
        let function = self
            .instance
            .get_func(&mut *self.store, function)
            .ok_or_else(missing)?;
        let function = function.typed::<(), (T,)>(&*self.store)?;
        let (value,) = function.call(&mut *self.store, ())?;
        Ok(value)
    }
}

impl ComponentInstanceState for Reading<'_> {
    fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) -> impl Future<Output = ()> + Send {
        let bytes: Vec<u8> = self.read(instance, func);
        contents(&bytes);
        std::future::ready(())
    }

    fn call_func_ret_s32(
        &mut self,
        instance: &str,
        func: &str,
    ) -> impl Future<Output = i32> + Send {
        std::future::ready(self.read(instance, func))
    }

    fn call_func_ret_s64(
        &mut self,
        instance: &str,
        func: &str,
    ) -> impl Future<Output = i64> + Send {
        std::future::ready(self.read(instance, func))
    }

    fn call_func_ret_f32(
        &mut self,
        instance: &str,
        func: &str,
    ) -> impl Future<Output = u32> + Send {
        std::future::ready(self.read::<f32>(instance, func).to_bits())
    }

    fn call_func_ret_f64(
        &mut self,
        instance: &str,
        func: &str,
    ) -> impl Future<Output = u64> + Send {
        std::future::ready(self.read::<f64>(instance, func).to_bits())
    }
}
