//! An open workspace at work: store, plugins and kernel put together, and what runs beside them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use kjerne_core::{Kernel, Outcome, PluginInfo, Plugins as _, Progress, Receipt, Role, Waiting};
use kjerne_host::{Cost, Host, HostOptions, Installed, Line, Loaded, Package, RUNTIME_VERSION};
use kjerne_model::{Actor, Commit, Date, Instant, RecordId, Schema};
use kjerne_store::costs::CostRow;
use kjerne_store::reindex::{ReindexError, reindex};
use kjerne_store::{Store, StoreError, costs, meta};

use crate::directory::Workspace;
use crate::error::{Context as _, Error, Result};
use crate::limits::{PLUGIN_CALLS, RETENTION, SETTLE_ROUNDS};
use crate::notify::Notifier;
use crate::plugin_log::{self, PluginLogs};
use crate::plugin_registry::PluginRegistry;
use crate::read_only::ReadOnly;
use crate::secrets::{Secrets, random};
use crate::stderr::tell;
use crate::under_way::UnderWay;

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
    /// Told when there may be something to react to or to deliver.
    pub notifier: Notifier,
    /// Told when another set of plugins was put in use.
    pub(crate) replacements: Notifier,
    /// Its tokens and signing secrets.
    secrets: RwLock<Arc<Secrets>>,
    /// The files of the plugins that are switched on; none where plugins do not run.
    packages: Option<RwLock<Packages>>,
    /// What has been written to the plugins' log files.
    plugin_logs: Mutex<PluginLogs>,
    /// The jobs that are running.
    pub(crate) jobs_under_way: UnderWay,
    /// The day on which old costs were last brought together.
    rolled_up: Mutex<Option<Date>>,
    /// Held by the one act of administration that is under way.
    administration: Mutex<()>,
}

/// The files of plugins, by their ids.
type Packages = BTreeMap<String, Arc<Package>>;

/// A set of plugins that is loaded and waits to be put in use.
pub struct Replacement {
    loaded: Loaded,
    packages: Packages,
}

/// What became of a commit that was not refused.
#[derive(Debug)]
pub enum Committed {
    /// It was stored (or, for a dry run, it would have been).
    Stored(Receipt),
    /// It waits for approval (or, for a dry run, it would).
    Waits(Box<Waiting>),
}

impl Committed {
    /// The receipt, if it was stored.
    #[must_use]
    pub fn receipt(self) -> Option<Receipt> {
        match self {
            Self::Stored(receipt) => Some(receipt),
            Self::Waits(_) => None,
        }
    }
}

/// The roles in which plugins walk the journal.
const WALKING: [Role; 2] = [Role::React, Role::Integration];

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
    /// Entries that failed and were put aside; what is behind them goes on.
    put_aside: usize,
    /// Whether it ended at the limit, and not because nothing was left.
    pub cut: bool,
}

impl Runtime {
    /// Opens a workspace with all its plugins.
    ///
    /// # Errors
    /// When it is held, damaged, or a plugin that is switched on cannot be loaded.
    pub fn open(workspace: Workspace, who: &str) -> Result<Self> {
        let store: Arc<dyn Store> = Arc::new(workspace.open_store(who)?);
        Self::put_together(workspace, store)
    }

    /// Puts kernel and plugins together over a store that is open.
    ///
    /// # Errors
    /// When a plugin that is switched on cannot be loaded.
    pub fn put_together(workspace: Workspace, store: Arc<dyn Store>) -> Result<Self> {
        let schema = schema(&workspace, &*store)?;
        let host = Arc::new(host(&workspace, &*store, &schema)?);
        let kernel = Kernel::new(Arc::clone(&store), schema, host.clone(), seed()?)?;
        let runtime = Self::of(workspace, store, host, kernel, true)?;
        let replacement = runtime.load(runtime.plugins().installed()?)?;
        runtime.put_in_use(replacement);
        Ok(runtime)
    }

    /// Opens a workspace to be read and administered. No plugin runs, so that a broken one hides
    /// nobody's data and can be taken out; every commit is refused, so that none gets past them.
    ///
    /// # Errors
    /// When it is held or damaged.
    pub fn open_without_plugins(workspace: Workspace, who: &str) -> Result<Self> {
        let store = workspace.open_store(who)?;
        Self::without_plugins(workspace, Arc::new(store))
    }

    /// The same after a check of every page of the data file.
    ///
    /// # Errors
    /// When it is held or damaged.
    pub fn open_checked(workspace: Workspace, who: &str) -> Result<Self> {
        let store = workspace.open_store_checked(who)?;
        Self::without_plugins(workspace, Arc::new(store))
    }

    fn without_plugins(workspace: Workspace, store: Arc<dyn Store>) -> Result<Self> {
        let schema = schema(&workspace, &*store)?;
        let host = Arc::new(host(&workspace, &*store, &schema)?);
        // No record is made here, so that no id ever comes from this seed.
        let kernel = Kernel::new(Arc::clone(&store), schema, Arc::new(ReadOnly), 0)?;
        Self::of(workspace, store, host, kernel, false)
    }

    fn of(
        workspace: Workspace,
        store: Arc<dyn Store>,
        host: Arc<Host>,
        kernel: Kernel,
        runs_plugins: bool,
    ) -> Result<Self> {
        workspace.clear_scratch();
        Ok(Self {
            secrets: RwLock::new(Arc::new(workspace.secrets()?)),
            workspace,
            store,
            host,
            kernel: Arc::new(kernel),
            notifier: Notifier::default(),
            replacements: Notifier::default(),
            packages: runs_plugins.then(RwLock::default),
            plugin_logs: Mutex::default(),
            jobs_under_way: UnderWay::default(),
            rolled_up: Mutex::default(),
            administration: Mutex::default(),
        })
    }

    /// The plugins of the workspace, as they are set.
    #[must_use]
    pub fn plugins(&self) -> PluginRegistry<'_> {
        PluginRegistry::new(&self.workspace, &*self.store)
    }

    /// Whether plugins run here; else the workspace is open to be read and administered.
    #[must_use]
    pub fn runs_plugins(&self) -> bool {
        self.packages.is_some()
    }

    /// Has every thread that works for the workspace come to its end.
    pub fn stop(&self) {
        self.notifier.stop();
        self.replacements.stop();
    }

    /// Waits until no other act of administration is under way.
    pub(crate) fn administer(&self) -> MutexGuard<'_, ()> {
        self.administration
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads a set of plugins.
    ///
    /// # Errors
    /// When one of them cannot be loaded; the set in use stays as it was.
    pub(crate) fn load(&self, set: Vec<Installed>) -> Result<Replacement> {
        let named = |plugin: &Installed| {
            let package = Arc::clone(&plugin.package);
            (package.manifest.id.clone(), package)
        };
        Ok(Replacement {
            packages: set.iter().map(named).collect(),
            loaded: self.host.load(set)?,
        })
    }

    /// Puts a set of plugins in use; calls under way finish on the set they began with.
    pub(crate) fn put_in_use(&self, replacement: Replacement) {
        self.host.put_in_use(replacement.loaded);
        if let Some(packages) = &self.packages {
            *packages.write().unwrap_or_else(PoisonError::into_inner) = replacement.packages;
        }
        self.replacements.notify();
        self.notifier.notify();
    }

    /// The file of a plugin that is switched on and running.
    #[must_use]
    pub fn package(&self, plugin: &str) -> Option<Arc<Package>> {
        let packages = self.packages.as_ref()?;
        let packages = packages.read().unwrap_or_else(PoisonError::into_inner);
        packages.get(plugin).cloned()
    }

    /// The tokens and signing secrets as they are now.
    #[must_use]
    pub fn secrets(&self) -> Arc<Secrets> {
        Arc::clone(&self.secrets.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn use_secrets(&self, secrets: Secrets) {
        *self.secrets.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(secrets);
    }

    /// Commits, or tries to, and turns a refusal into an error.
    ///
    /// # Errors
    /// [`Error::Commit`] when the kernel refused, [`StoreError`] when storage failed.
    pub fn commit(&self, commit: Commit, dry_run: bool) -> Result<Committed> {
        let outcome = if dry_run {
            self.kernel.dry_run(commit)?
        } else {
            self.kernel.commit(commit)?
        };
        self.committed(outcome)
    }

    /// Lets a commit through that waits for approval, in the role said, where one is.
    ///
    /// # Errors
    /// Those of [`Runtime::commit`].
    pub fn approve(&self, id: RecordId, by: &Actor, role: Option<&str>) -> Result<Committed> {
        self.check_proposer(id)?;
        self.committed(self.kernel.approve(id, by, role, now())?)
    }

    fn committed(&self, outcome: Outcome) -> Result<Committed> {
        self.notifier.notify();
        match outcome {
            Outcome::Accepted(receipt) => Ok(Committed::Stored(receipt)),
            Outcome::Waiting(waiting) => Ok(Committed::Waits(waiting)),
            Outcome::Refused(refusals) => Err(refusals.into()),
        }
    }

    /// The plugins that walk the journal, each with its role.
    #[must_use]
    pub fn walkers(&self) -> Vec<(Arc<PluginInfo>, Role)> {
        let with = |role: Role| {
            let plugins = self.host.with_role(role);
            plugins.into_iter().map(move |plugin| (plugin, role))
        };
        WALKING.into_iter().flat_map(with).collect()
    }

    /// The plugin, when it runs and walks the journal in this role.
    #[must_use]
    pub fn walker(&self, plugin: &str, role: Role) -> Option<Arc<PluginInfo>> {
        let walks = WALKING.contains(&role);
        self.host.serves(plugin, role).filter(|_| walks)
    }

    /// The plugin, when it runs and does what is parked in this role: walks the journal, or keeps the
    /// service rules.
    #[must_use]
    pub fn retries(&self, plugin: &str, role: Role) -> Option<Arc<PluginInfo>> {
        if role != Role::ServiceRules {
            return self.walker(plugin, role);
        }
        let bound = self.host.with_role(role);
        bound.into_iter().find(|bound| bound.id == plugin)
    }

    /// The plugins that threads work for, each with the role: those that walk the journal, and those that have
    /// jobs.
    #[must_use]
    pub fn at_work(&self) -> Vec<(Arc<PluginInfo>, Role)> {
        let jobs = self.host.with_role(Role::Schedule).into_iter();
        let mut all = self.walkers();
        all.extend(jobs.map(|plugin| (plugin, Role::Schedule)));
        all
    }

    /// Ends the waiting of commits nobody approved of in time, and runs reactions until none has anything left
    /// to do now.
    ///
    /// # Errors
    /// When storage failed.
    pub fn settle(&self, now: Instant) -> Result<Settled, StoreError> {
        self.kernel.expire_pending(now)?;
        let mut settled = Settled::default();
        for _ in 0..SETTLE_ROUNDS.value {
            let before = settled.moved + settled.put_aside;
            for (plugin, role) in self.walkers() {
                let progress = self.kernel.react(&plugin, role, now)?;
                self.log(&plugin, role, now, &progress);
                settled.add(&plugin, progress);
            }
            if settled.moved + settled.put_aside == before {
                return Ok(settled);
            }
        }
        settled.cut = true;
        Ok(settled)
    }

    /// Tells a plugin's log what became of its reaction, when it came to nothing.
    pub(crate) fn log(&self, plugin: &PluginInfo, role: Role, now: Instant, what: &Progress) {
        let (level, message) = match what {
            Progress::Failed {
                entry,
                tries,
                error,
                ..
            } => ("warn", format!("entry {entry}, try {tries}: {error}")),
            Progress::Busy { error, .. } => {
                ("warn", format!("not asked, to be asked again: {error}"))
            }
            Progress::Parked { entry, error } => (
                "error",
                format!("entry {entry} is parked: {error}; see kjerne plugin parked"),
            ),
            Progress::Idle | Progress::Waiting { .. } | Progress::Moved { .. } => return,
        };
        let line = Line::new(now, role, level, &message);
        plugin_log::tell(&self.workspace, &plugin.id, line);
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
        let mut rolled = self
            .rolled_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let is_due = *rolled != Some(day);
        if rows.is_empty() && !is_due {
            return Ok(());
        }
        let mut taken = 0;
        self.store.write(&mut |write| {
            if is_due {
                taken = costs::roll_up(write, day, &RETENTION)?;
            }
            costs::add_all(write, &rows, &RETENTION)
        })?;
        // What is left of a long time is brought together the next times.
        if taken < RETENTION.step {
            *rolled = Some(day);
        }
        Ok(())
    }

    /// What plugins cost within the last minute, by plugin, version and role; that of calls in this process.
    #[must_use]
    pub fn recent_costs(&self) -> Vec<CostRow> {
        let day = now().date();
        let recent = self.host.recent().into_iter();
        recent.map(|cost| row(day, cost)).collect()
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
            Progress::Busy { error, .. } => self.failed.push(format!("{}: {error}", plugin.id)),
            Progress::Failed {
                entry,
                tries,
                error,
                ..
            } => {
                self.put_aside += 1;
                let told = format!("{}: entry {entry}, try {tries}: {error}", plugin.id);
                self.failed.push(told);
            }
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
        kind,
        spent,
    } = cost;
    CostRow {
        day,
        month: false,
        plugin,
        version,
        runtime: RUNTIME_VERSION.to_owned(),
        role: role.name().to_owned(),
        kind: kind.map(|kind| kind.to_string()).unwrap_or_default(),
        spent,
    }
}

/// The kinds of the workspace, with the indexes brought in line with them: what is filtered and
/// looked up is never answered from an index that was made for other kinds.
fn schema(workspace: &Workspace, store: &dyn Store) -> Result<Arc<Schema>> {
    let schema = Arc::new(workspace.schema()?);
    let built = reindex(store, &schema).map_err(|error| match error {
        ReindexError::Store(error) => Error::Store(error),
        ReindexError::Duplicate(what) => Error::unreadable(format!("kinds.toml: {what}")),
    })?;
    // Nothing is told of a workspace that is new.
    if !built.is_empty() {
        tell(format_args!(
            "kinds.toml: the indexes were made anew for {}",
            built.join(", ")
        ));
    }
    Ok(schema)
}

/// A host for the workspace's plugins, with none in use yet.
fn host(workspace: &Workspace, store: &dyn Store, schema: &Arc<Schema>) -> Result<Host> {
    // Made with the workspace; one without it takes no code from its cache.
    let known = meta::cache_key(&*store.snapshot()?)?;
    let cache_key = known.map_or_else(random, Ok)?;
    // Where nothing can be written, nothing is kept for the next time.
    let writes = store.health().is_ok();
    Ok(Host::new(HostOptions {
        cache_dir: writes.then(|| workspace.cache_dir()),
        cache_key,
        max_concurrent: PLUGIN_CALLS.value as usize,
        schema: Arc::clone(schema),
        seed: seed()?,
    })?)
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
