//! An open workspace at work: store, plugins and kernel put together, and what runs beside them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use kjerne_core::{Kernel, Outcome, PluginInfo, Plugins as _, Progress, Receipt, Role};
use kjerne_host::{Cost, Host, HostOptions, Package};
use kjerne_model::{Commit, Date, Instant, Schema};
use kjerne_store::costs::CostRow;
use kjerne_store::{Store, StoreError, costs, meta};

use crate::directory::Workspace;
use crate::error::{Context as _, Error, Result};
use crate::limits::{PLUGIN_CALLS, SETTLE_ROUNDS};
use crate::notify::Notifier;
use crate::plugin_log::PluginLogs;
use crate::plugin_registry::PluginRegistry;
use crate::secrets::Secrets;

/// An open workspace with its kernel and its plugins.
pub struct Runtime {
    /// The workspace.
    pub workspace: Workspace,
    /// Its store; records are read and written through the kernel only.
    pub store: Arc<dyn Store>,
    /// Its plugins.
    pub host: Arc<Host>,
    /// Its kernel.
    pub kernel: Arc<Kernel>,
    /// Its tokens and signing secrets.
    pub secrets: Secrets,
    /// Rung when there may be something to react to or to deliver.
    pub notifier: Notifier,
    /// The files of the plugins that are switched on.
    packages: RwLock<BTreeMap<String, Arc<Package>>>,
    /// What has been written to the plugins' log files.
    plugin_logs: Mutex<PluginLogs>,
}

/// What came of running what was due.
#[derive(Debug, Default)]
pub struct Settled {
    /// Batches of entries reactions were done with.
    pub moved: usize,
    /// Commits the reactions made.
    pub commits: usize,
    /// Messages they queued.
    pub messages: usize,
    /// What failed, by plugin, and will be tried again or was parked.
    pub failed: Vec<String>,
    /// Whether it ended at the limit, and not because nothing was left.
    pub cut: bool,
}

impl Runtime {
    /// Opens a workspace with all its plugins.
    ///
    /// # Errors
    /// When it is held, damaged, or a plugin that is switched on cannot be loaded.
    pub fn open(workspace: Workspace, who: &str) -> Result<Self> {
        let schema = Arc::new(workspace.schema()?);
        let secrets = workspace.secrets()?;
        let store: Arc<dyn Store> = Arc::new(workspace.open_store(who)?);
        Self::put_together(workspace, store, schema, secrets)
    }

    /// Puts kernel and plugins together over a store that is open.
    ///
    /// # Errors
    /// When a plugin that is switched on cannot be loaded.
    pub fn put_together(
        workspace: Workspace,
        store: Arc<dyn Store>,
        schema: Arc<Schema>,
        secrets: Secrets,
    ) -> Result<Self> {
        let host = Arc::new(host(&workspace, &*store)?);
        let kernel = Kernel::new(Arc::clone(&store), schema, host.clone(), seed()?)?;
        let runtime = Self {
            workspace,
            store,
            host,
            kernel: Arc::new(kernel),
            secrets,
            notifier: Notifier::default(),
            packages: RwLock::default(),
            plugin_logs: Mutex::default(),
        };
        runtime.reload()?;
        Ok(runtime)
    }

    /// The plugins of the workspace, to be looked after.
    #[must_use]
    pub fn plugins(&self) -> PluginRegistry<'_> {
        PluginRegistry::new(&self.workspace, &*self.store)
    }

    /// Takes the plugins as they are set now; calls under way finish on the set they began with.
    ///
    /// # Errors
    /// When a plugin that is switched on cannot be loaded; the set stays as it was.
    pub fn reload(&self) -> Result<()> {
        let installed = self.plugins().installed()?;
        let named = installed.iter().map(|plugin| {
            (
                plugin.package.manifest.id.clone(),
                Arc::clone(&plugin.package),
            )
        });
        let packages = named.collect();
        self.host
            .replace(installed)
            .map_err(|error| Error::refused(error.to_string()))?;
        *self
            .packages
            .write()
            .unwrap_or_else(PoisonError::into_inner) = packages;
        self.notifier.notify();
        Ok(())
    }

    /// The file of a plugin that is switched on.
    #[must_use]
    pub fn package(&self, plugin: &str) -> Option<Arc<Package>> {
        self.packages
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(plugin)
            .cloned()
    }

    /// Commits, or tries to, and turns a refusal into an error.
    ///
    /// # Errors
    /// [`Refused`] when the kernel refused, [`StoreError`] when storage failed.
    pub fn commit(&self, commit: Commit, dry_run: bool) -> Result<Receipt> {
        let outcome = if dry_run {
            self.kernel.dry_run(commit)?
        } else {
            self.kernel.commit(commit)?
        };
        self.notifier.notify();
        match outcome {
            Outcome::Accepted(receipt) => Ok(receipt),
            Outcome::Refused(refusals) => Err(refusals.into()),
        }
    }

    /// The plugins that walk the journal, each with its role.
    #[must_use]
    pub fn walkers(&self) -> Vec<(PluginInfo, Role)> {
        let with = |role: Role| {
            let plugins = self.host.with_role(role, &Default::default());
            plugins.into_iter().map(move |plugin| (plugin, role))
        };
        with(Role::React).chain(with(Role::Integration)).collect()
    }

    /// Runs reactions until none has anything left to do now.
    ///
    /// # Errors
    /// When storage failed.
    pub fn settle(&self, now: Instant) -> Result<Settled, StoreError> {
        let mut settled = Settled::default();
        for _ in 0..SETTLE_ROUNDS.value {
            let before = settled.moved;
            for (plugin, role) in self.walkers() {
                let progress = self.kernel.react(&plugin, role, now)?;
                settled.add(&plugin, progress);
            }
            if settled.moved == before {
                return Ok(settled);
            }
        }
        settled.cut = true;
        Ok(settled)
    }

    /// Adds what plugins cost since the last time to the cost ledger, and what they logged to their
    /// log files.
    ///
    /// # Errors
    /// When storage failed; the costs of that time are lost, nothing else.
    pub fn flush_costs(&self) -> Result<(), StoreError> {
        self.plugin_logs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(
                &self.workspace,
                &self.host,
                &self.plugins().rows().unwrap_or_default(),
            );
        let day = now().date();
        let rows: Vec<CostRow> = self
            .host
            .ledger()
            .into_iter()
            .map(|cost| row(day, cost))
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        self.store
            .write(&mut |write| rows.iter().try_for_each(|row| costs::add(write, row)))
    }
}

impl Settled {
    fn add(&mut self, plugin: &PluginInfo, progress: Progress) {
        match progress {
            Progress::Idle | Progress::Waiting { .. } => {}
            Progress::Moved {
                receipt, messages, ..
            } => {
                self.moved += 1;
                self.commits += usize::from(receipt.is_some_and(|receipt| receipt.entry > 0));
                self.messages += messages;
            }
            Progress::Failed {
                entry,
                tries,
                error,
                ..
            } => self.failed.push(format!(
                "{}: entry {entry}, try {tries}: {error}",
                plugin.id
            )),
            Progress::Parked { entry, error } => {
                self.moved += 1;
                self.failed
                    .push(format!("{}: entry {entry} is parked: {error}", plugin.id));
            }
        }
    }
}

/// The time now. The only clock of the program: everything below takes time as an argument.
#[must_use]
pub fn now() -> Instant {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Instant::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn row(day: Date, cost: Cost) -> CostRow {
    let Cost {
        plugin,
        version,
        role,
        calls,
        fuel,
        micros,
        faults,
    } = cost;
    CostRow {
        day,
        plugin,
        version,
        role: role.name().to_owned(),
        calls,
        fuel,
        micros,
        faults,
    }
}

/// A host for the workspace's plugins, with none in use yet.
///
/// # Errors
/// When the machine cannot run plugins, or the cache cannot be used.
pub fn host(workspace: &Workspace, store: &dyn Store) -> Result<Host> {
    Ok(Host::new(HostOptions {
        cache_dir: Some(workspace.cache_dir()),
        cache_key: cache_key(store)?,
        max_concurrent: PLUGIN_CALLS.value as usize,
        seed: seed()?,
    })?)
}

/// The key native code in the cache is authenticated with, made once per workspace.
fn cache_key(store: &dyn Store) -> Result<[u8; 32]> {
    if let Some(key) = meta::cache_key(&*store.snapshot()?)? {
        return Ok(key);
    }
    let mut key = [0; 32];
    getrandom::fill(&mut key).context("the system gives no random numbers")?;
    store.write(&mut |write| meta::set_cache_key(write, &key))?;
    Ok(key)
}

/// Random bits, for ids that nobody else makes.
///
/// # Errors
/// When the system has none.
pub fn seed() -> Result<u128> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(u128::from_le_bytes(bytes))
}
