//! The host: the set of plugins in use, and how it is exchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use kjerne_core::{Fault, PluginInfo, Role};
use kjerne_model::Schema;
use wasmtime::component::Linker;

use crate::active::Active;
use crate::cache::Cache;
use crate::call::{Observer, Runtime};
use crate::call_state::CallState;
use crate::code::{self, Code};
use crate::error::{HostError, LoadError};
use crate::ids::IdSource;
use crate::knobs::Knobs;
use crate::plugin::Plugin;
use crate::settings::Settings;
use crate::{digest, engine, fault};
use kjerne_ledger::{Account, CallStats, Cost, Quarantine, SetAside};
use kjerne_ledger::{Line, Log, Slots};
use kjerne_package::Package;
use kjerne_package::grants::{Grant, Grants};
use kjerne_package::knobs::Numbers;

/// How the host is set up.
pub struct HostOptions {
    /// Where compiled plugins are kept; none compiles at every start.
    pub cache_dir: Option<PathBuf>,
    /// The workspace's secret key, which vouches for what is kept there.
    pub cache_key: [u8; 32],
    /// How many plugins may run at a time.
    pub max_concurrent: usize,
    /// The kinds of the workspace, which plugins may ask about when they are prepared.
    pub schema: Arc<Schema>,
    /// Where the ids of proposed records come from: different at every start, or two starts make
    /// the same ids.
    pub seed: u128,
}

/// A plugin as the administrator installed it.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Its file.
    pub package: Arc<Package>,
    /// What was granted, in the grammar of grants.
    pub grants: Vec<String>,
    /// Its settings; empty stands for those it was delivered with.
    pub settings: String,
    /// Counts the settings' changes.
    pub revision: u64,
    /// Its place in the order plugins are asked in.
    pub position: u32,
    /// Whether it is in use.
    pub enabled: bool,
    /// The domain interfaces bound to it.
    pub bound: BTreeSet<Role>,
    /// What the administrator set for its calls.
    pub limits: Numbers,
    /// Whether a commit passes when it breaks as a guard.
    pub lets_pass: bool,
}

/// The plugins in use at one time.
#[derive(Default)]
struct Set {
    /// In the order they are asked.
    plugins: Vec<Arc<Active>>,
    /// By role, in the same order.
    by_role: [Vec<Arc<Active>>; Role::ALL.len()],
}

impl Set {
    fn new(mut plugins: Vec<Arc<Active>>) -> Self {
        plugins.sort_by(|a, b| (a.plugin.position, a.id()).cmp(&(b.plugin.position, b.id())));
        let by_role = Role::ALL.map(|role| {
            plugins
                .iter()
                .filter(|active| active.serves(role))
                .cloned()
                .collect()
        });
        Self { plugins, by_role }
    }

    fn of(&self, role: Role) -> &[Arc<Active>] {
        &self.by_role[role as usize]
    }
}

/// A set of plugins that is loaded and not in use yet.
pub struct Loaded(Set);

impl Loaded {
    /// The same plugins, shown all that their manifests watch, whatever they say of it: what a set is
    /// measured against. Nothing else is in use so.
    #[must_use]
    pub fn shown_all_declared(self) -> Self {
        let plugins = self.0.plugins.iter();
        let plugins = plugins.map(|active| Arc::new(active.shown_all_declared()));
        Self(Set::new(plugins.collect()))
    }

    /// The roles in which a plugin of the set watches nothing, as it is set.
    #[must_use]
    pub fn idle_roles(&self, plugin: &str) -> Vec<Role> {
        let plugins = self.0.plugins.iter();
        let found = plugins.filter(|active| active.id() == plugin);
        found
            .flat_map(|active| active.code.watching.idle())
            .collect()
    }
}

/// The set in use, and the one before it, on which commits under way finish.
#[derive(Default)]
struct Sets {
    now: Arc<Set>,
    before: Arc<Set>,
}

/// Runs the plugins of a workspace.
pub struct Host {
    pub(crate) runtime: Runtime,
    pub(crate) linker: Linker<CallState>,
    pub(crate) cache: Cache,
    /// A hash over the kinds of the workspace.
    pub(crate) kinds: [u8; 32],
    sets: RwLock<Sets>,
    /// Code in use, by what it was made of: an exchange of the set links only what is new.
    code: Mutex<BTreeMap<[u8; 32], Arc<Code>>>,
    logs: Mutex<BTreeMap<String, Arc<Log>>>,
    accounts: Mutex<Vec<Arc<Account>>>,
    /// How the plugins in use have done of late, each with the file and settings it is about.
    quarantines: Mutex<BTreeMap<String, (Made, Arc<Quarantine>)>>,
}

/// A plugin's file and the number of its settings: with others it is another plugin.
type Made = ([u8; 32], u64);

/// What these locks guard is whole after every statement, so a panic while one was held harms
/// nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    /// Starts the engine. No plugin is in use yet.
    ///
    /// # Errors
    /// When the machine cannot run WebAssembly, or the cache directory cannot be used.
    pub fn new(options: HostOptions) -> Result<Self, HostError> {
        let slots = options.max_concurrent.max(1);
        let engine = engine::engine(slots)?;
        let linker =
            code::linker(&engine).map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let kinds = digest::of_kinds(&options.schema);
        let runtime = Runtime {
            engine,
            slots: Slots::new(slots),
            ids: Arc::new(IdSource::new(options.seed)),
            schema: options.schema,
            observer: RwLock::new(None),
        };
        Ok(Self {
            runtime,
            linker,
            cache: Cache::open(options.cache_dir, options.cache_key)?,
            kinds,
            sets: RwLock::default(),
            code: Mutex::default(),
            logs: Mutex::default(),
            accounts: Mutex::default(),
            quarantines: Mutex::default(),
        })
    }

    /// Loads another set of plugins without using it, so that whoever changes what is installed
    /// knows beforehand that it runs.
    ///
    /// # Errors
    /// When one of them cannot be loaded.
    pub fn load(&self, plugins: Vec<Installed>) -> Result<Loaded, LoadError> {
        let mut ids = BTreeSet::new();
        if let Some(twice) = plugins.iter().find(|p| !ids.insert(&p.package.manifest.id)) {
            return Err(LoadError::Twice(twice.package.manifest.id.clone()));
        }
        let enabled = plugins.into_iter().filter(|plugin| plugin.enabled);
        let active = enabled.map(|plugin| self.activate(plugin));
        Ok(Loaded(Set::new(active.collect::<Result<_, _>>()?)))
    }

    /// Puts another set of plugins in use, all at once. Calls under way finish on the old one.
    pub fn put_in_use(&self, Loaded(set): Loaded) {
        let mut sets = self.sets.write().unwrap_or_else(PoisonError::into_inner);
        sets.before = std::mem::replace(&mut sets.now, Arc::new(set));
        let used: BTreeSet<[u8; 32]> = [&sets.now, &sets.before]
            .into_iter()
            .flat_map(|set| {
                set.plugins
                    .iter()
                    .map(|active| self.code_key(&active.plugin))
            })
            .collect();
        lock(&self.code).retain(|digest, _| used.contains(digest));
        let now = sets.now.plugins.iter().map(|active| &active.plugin);
        let done = now.map(|plugin| {
            let made = (plugin.package.digest, plugin.revision);
            (
                plugin.id().to_owned(),
                (made, Arc::clone(&plugin.quarantine)),
            )
        });
        *lock(&self.quarantines) = done.collect();
    }

    /// Loads another set of plugins and puts it in use.
    ///
    /// # Errors
    /// When one of them cannot be loaded; then nothing changes.
    pub fn replace(&self, plugins: Vec<Installed>) -> Result<(), LoadError> {
        self.put_in_use(self.load(plugins)?);
        Ok(())
    }

    fn activate(&self, plugin: Installed) -> Result<Arc<Active>, LoadError> {
        let plugin = Arc::new(self.settled(plugin)?);
        let key = self.code_key(&plugin);
        if let Some(code) = lock(&self.code).get(&key).cloned() {
            return Ok(Arc::new(Active::new(plugin, code)));
        }
        let component = self.component_of(&plugin)?;
        let mut code = code::link(&self.linker, &component, &plugin.package)?;
        let tried = self.runtime.try_out(&plugin, &code);
        tried.map_err(|why| self.of_no_use(&plugin, why))?;
        code.watching = self.watching(&plugin, &code)?;
        let code = Arc::new(code);
        lock(&self.code).insert(key, Arc::clone(&code));
        Ok(Arc::new(Active::new(plugin, code)))
    }

    /// What the code of a plugin is made of: its file, and its settings where it is prepared with them.
    fn code_key(&self, plugin: &Plugin) -> [u8; 32] {
        if plugin.package.manifest.roles.contains_key(&Role::Prepare) {
            self.of_settings(plugin)
        } else {
            plugin.package.digest
        }
    }

    /// A plugin as it is to be used, without its code.
    pub(crate) fn settled(&self, plugin: Installed) -> Result<Plugin, LoadError> {
        let manifest = &plugin.package.manifest;
        let granted = plugin.grants.iter().map(|text| Grant::parse(text));
        let granted: Vec<Grant> = granted.collect::<Result<_, _>>().map_err(|error| {
            LoadError::BadGrant(format!(
                "plugin {} was granted something else: {error}",
                manifest.id
            ))
        })?;
        let settings = if plugin.settings.trim().is_empty() {
            &plugin.package.settings
        } else {
            &plugin.settings
        };
        let settings = Settings::parse(settings).map_err(|why| {
            LoadError::BadSettings(format!(
                "the settings of plugin {} cannot be read: {why}",
                manifest.id
            ))
        })?;
        let grants = Grants::effective(&manifest.declared(), &granted);
        Ok(Plugin {
            unseen: grants.unseen(&manifest.needed()),
            grants,
            knobs: Knobs::of(&manifest.limits, &plugin.limits),
            lets_pass: plugin.lets_pass,
            logs: Arc::clone(lock(&self.logs).entry(manifest.id.clone()).or_default()),
            account: self.account(&manifest.id, &manifest.version),
            quarantine: self.quarantine(&manifest.id, (plugin.package.digest, plugin.revision)),
            package: Arc::clone(&plugin.package),
            settings,
            revision: plugin.revision,
            position: plugin.position,
            bound: plugin.bound,
        })
    }

    /// The account of a plugin version, which outlives every set it is in.
    fn account(&self, id: &str, version: &str) -> Arc<Account> {
        let mut accounts = lock(&self.accounts);
        if let Some(account) = accounts.iter().find(|account| account.is_of(id, version)) {
            return Arc::clone(account);
        }
        let account = Arc::new(Account::new(id, version));
        accounts.push(Arc::clone(&account));
        account
    }

    /// How a plugin has done of late, with this file and these settings.
    fn quarantine(&self, id: &str, made: Made) -> Arc<Quarantine> {
        let known = lock(&self.quarantines);
        let same = known.get(id).filter(|(of, _)| *of == made);
        same.map(|(_, quarantine)| Arc::clone(quarantine))
            .unwrap_or_default()
    }

    /// The plugins that are not asked in a role for a while, because they broke too often.
    #[must_use]
    pub fn set_aside(&self) -> Vec<SetAside> {
        let known = lock(&self.quarantines);
        let told = known
            .iter()
            .flat_map(|(id, (_, quarantine))| quarantine.told(id));
        told.collect()
    }

    /// Has a plugin asked again that is set aside. False when it is not in use.
    pub fn resume(&self, plugin: &str) -> bool {
        let known = lock(&self.quarantines);
        let found = known.get(plugin);
        found
            .inspect(|(_, quarantine)| quarantine.resume())
            .is_some()
    }

    fn now(&self) -> Arc<Set> {
        Arc::clone(&self.sets.read().unwrap_or_else(PoisonError::into_inner).now)
    }

    /// The plugins that serve a role, in order.
    pub(crate) fn serving(&self, role: Role) -> Vec<Arc<PluginInfo>> {
        let set = self.now();
        let infos = set.of(role).iter().filter_map(|active| active.info(role));
        infos.cloned().collect()
    }

    /// The plugin meant, in the version meant when it is still there: a commit that began before
    /// an exchange of the set finishes on the old one.
    pub(crate) fn find(&self, plugin: &PluginInfo, role: Role) -> Result<Arc<Active>, Fault> {
        let sets = self.sets.read().unwrap_or_else(PoisonError::into_inner);
        let now = sets.now.plugins.iter();
        // What comes after a commit is not for a plugin that has been taken out meanwhile.
        let decides = matches!(role, Role::Shape | Role::Guard);
        let before = sets.before.plugins.iter().filter(|_| decides);
        let exact = now
            .clone()
            .chain(before)
            .find(|active| active.plugin.is(plugin));
        exact
            .or_else(|| now.clone().find(|active| active.id() == plugin.id))
            .filter(|active| active.info(role).is_some())
            .cloned()
            .ok_or_else(|| fault::absent(&plugin.id, role))
    }

    /// The plugin bound to a domain interface.
    pub(crate) fn bound_to(&self, role: Role) -> Option<Arc<Active>> {
        self.now().of(role).first().cloned()
    }

    /// A plugin as it is asked in a role now; none when it is not in use or not asked in it.
    #[must_use]
    pub fn serves(&self, plugin: &str, role: Role) -> Option<Arc<PluginInfo>> {
        self.serving_as(plugin, role)?.info(role).cloned()
    }

    /// The plugin of that id, when it serves a role now.
    pub(crate) fn serving_as(&self, plugin: &str, role: Role) -> Option<Arc<Active>> {
        let set = self.now();
        let found = set.of(role).iter().find(|active| active.id() == plugin);
        found.cloned()
    }

    /// Counts the changes of a plugin's settings, of one that serves a role now.
    #[must_use]
    pub fn settings_revision(&self, plugin: &str, role: Role) -> Option<u64> {
        Some(self.serving_as(plugin, role)?.plugin.revision)
    }

    /// The plugin bound to a domain interface.
    #[must_use]
    pub fn bound(&self, role: Role) -> Option<Arc<PluginInfo>> {
        self.bound_to(role)?.info(role).cloned()
    }

    /// Whether a plugin may send to an address now; asked again when a message leaves, since the
    /// grant may have been taken back since it was queued.
    #[must_use]
    pub fn may_send(&self, plugin: &str, url: &str) -> bool {
        self.now()
            .plugins
            .iter()
            .any(|active| active.id() == plugin && active.plugin.grants.may_send(url))
    }

    /// Whether a plugin may have messages signed with a secret now.
    #[must_use]
    pub fn may_sign(&self, plugin: &str, secret: &str) -> bool {
        let signs =
            |active: &&Arc<Active>| active.id() == plugin && active.plugin.grants.may_sign(secret);
        self.now().plugins.iter().find(signs).is_some()
    }

    /// What plugins have cost since this was last asked.
    #[must_use]
    pub fn ledger(&self) -> Vec<Cost> {
        let mut costs = Vec::new();
        lock(&self.accounts)
            .iter()
            .for_each(|account| account.drain(&mut costs));
        costs
    }

    /// What plugins have cost within the last minute, by plugin, version and role.
    #[must_use]
    pub fn recent(&self) -> Vec<Cost> {
        let mut costs = Vec::new();
        lock(&self.accounts)
            .iter()
            .for_each(|account| account.recent(&mut costs));
        costs
    }

    /// The last lines of a plugin's log, oldest first.
    #[must_use]
    pub fn logs(&self, plugin: &str) -> Vec<Line> {
        let log = lock(&self.logs).get(plugin).cloned();
        log.map(|log| log.lines()).unwrap_or_default()
    }

    /// Has `observer` told about every call from now on, instead of whoever was told before.
    pub fn on_call(&self, observer: impl Fn(&CallStats<'_>) + Send + Sync + 'static) {
        let observer: Observer = Arc::new(observer);
        *self
            .runtime
            .observer
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(observer);
    }
}
