//! What an administrator does: plugins installed, granted, switched on and set; parked entries tried
//! again or forgotten; approvers, tokens and secrets.
//!
//! Every act is journalled in the transaction that stores it. Where the plugins are running, the set
//! an act leads to is loaded before anything is stored and put in use right after: no commit fails
//! meanwhile, and an act that would leave a plugin that cannot run is refused.

use std::sync::Arc;

use kjerne_core::{Administered, Role, was_in_use};
use kjerne_host::grants::Grant;
use kjerne_host::{Installed, LoadError, Manifest, Package};
use kjerne_model::{Act, Actor, Instant};
use kjerne_store::registry::PluginRow;
use kjerne_store::{StoreError, cursors};

use crate::error::{Error, Result};
use crate::grants::{
    all_unknown, check_grant, check_group, check_needed, check_needed_on, group, needed, unknown,
};
use crate::plugin_files;
use crate::plugin_registry::{
    INTERFACES, as_installed, grants, missing, parse, read_package, role_named, role_names,
};
use crate::runtime::{Replacement, Runtime};
use crate::secrets::{self, Secrets};

mod approvers;
pub mod budgets;
mod jobs;
mod parked;

/// The act of installing a file that was never installed before, or of upgrading to it.
const INSTALL: &str = "plugin.install";

/// Acts in the name of one administrator at one time.
pub struct Administration<'a> {
    runtime: &'a Runtime,
    actor: Actor,
    at: Instant,
}

/// What an act made of a plugin.
#[derive(Debug)]
pub struct Placed {
    /// The plugin as it is now.
    pub row: PluginRow,
    /// The version that was there before.
    pub before: Option<String>,
    /// What it declares and is not granted.
    pub missing: Vec<Grant>,
    /// What of that it needs.
    pub needed: Vec<Grant>,
    /// What it names that the workspace does not have.
    pub unknown: Vec<String>,
}

/// What an act is going to make of one plugin.
struct Next {
    /// Its row.
    row: PluginRow,
    /// Its file, where that is another than before.
    package: Option<Arc<Package>>,
    /// What is stored before its row, and what behind it.
    first: Option<Administered>,
    beside: Vec<Administered>,
}

impl<'a> Administration<'a> {
    /// Acts in this name.
    #[must_use]
    pub fn new(runtime: &'a Runtime, actor: Actor, at: Instant) -> Self {
        Self { runtime, actor, at }
    }

    /// Installs a plugin's file, or upgrades to it. It is compiled before anything is changed: a
    /// plugin that cannot run is not installed. A new plugin is granted nothing and is off; an
    /// upgraded one keeps what it was granted as far as it still declares it, and the rest is taken
    /// back for good. One that is switched on reaches no further in this way, and needs no more.
    ///
    /// # Errors
    /// When the file is no plugin, or the same version is there with another content.
    pub fn install(&self, bytes: &[u8]) -> Result<Placed> {
        self.runtime.host.try_on(&read_package(bytes)?)?;
        self.place(bytes, INSTALL)
    }

    /// Takes back the version that was in use before the present one, or the one named.
    ///
    /// # Errors
    /// When no such version is kept, or its file is damaged.
    pub fn roll_back(&self, id: &str, version: Option<&str>) -> Result<Placed> {
        let bytes = self.runtime.plugins().earlier(id, version)?;
        self.runtime.host.try_on(&read_package(&bytes)?)?;
        self.place(&bytes, "plugin.rollback")
    }

    fn place(&self, bytes: &[u8], operation: &str) -> Result<Placed> {
        let package = Arc::new(read_package(bytes)?);
        let _turn = self.runtime.administer();
        let id = &package.manifest.id;
        let rows = self.runtime.plugins().rows()?;
        let before = rows.iter().find(|row| row.id == *id);
        let row = match before {
            Some(before) => {
                let row = upgraded(before, &package, self.at)?;
                self.check_upgrade(before, &row, &package)?;
                self.check_kept(before, &package)?;
                row
            }
            None => fresh(&rows, &package, self.at),
        };
        if row.enabled {
            self.check(&row, Arc::clone(&package))?;
        }
        let workspace = &self.runtime.workspace;
        let file = workspace.plugin_file(&row.id, &row.version);
        // The row decides: before it stands the file of the row before is untouched, and behind it
        // the draft is found even when it could not be moved.
        if before.is_none() {
            // What an earlier installation may have left behind is not this one's.
            plugin_files::remove_all(workspace, &row.id)?;
        }
        if let Some(before) = before.filter(|before| before.version != row.version) {
            plugin_files::date(workspace, before)?;
        }
        plugin_files::write_draft(&file, bytes)?;
        let replaced = before.map(|row| row.version.clone());
        let act = Act::new(operation, id)
            .with("version", &row.version)
            .with("before", replaced.clone().unwrap_or_default());
        // A call that was under way when the plugin was removed may have left a row behind.
        let left = before
            .is_none()
            .then(|| Administered::PluginRemoved(id.clone()));
        let used = before.into_iter().chain([&row]).filter_map(in_use);
        let mut beside: Vec<Administered> = used.collect();
        beside.extend(self.rebound(&row)?);
        if row.enabled {
            beside.extend(self.jobs(&package.manifest)?);
        }
        let next = Next::of(row).with_file(Arc::clone(&package)).after(left);
        let next = next.with(beside);
        let placed = self.place_row(act, next, &package);
        if placed.as_ref().is_err_and(|error| !may_be_stored(error)) {
            plugin_files::drop_draft(&file);
        }
        let placed = placed?;
        plugin_files::put_in_place(&file)?;
        plugin_files::thin_out(workspace, &placed.row)?;
        Ok(Placed {
            before: replaced,
            ..placed
        })
    }

    /// Frees the interfaces bound to a plugin that has them no more: the bindings of the others stay.
    fn rebound(&self, row: &PluginRow) -> Result<Vec<Administered>> {
        let bindings = self.runtime.plugins().bindings()?;
        let bound = bindings.into_iter().filter(|(_, plugin)| *plugin == row.id);
        let (stays, gone): (Vec<_>, Vec<_>) = bound.partition(|(role, _)| row.roles.contains(role));
        if gone.is_empty() {
            return Ok(Vec::new());
        }
        let named = stays.iter().filter_map(|(role, _)| role_named(role));
        let stays = named.map(|role| Administered::Bound {
            role,
            plugin: row.id.clone(),
        });
        Ok([Administered::Unbound(row.id.clone())]
            .into_iter()
            .chain(stays)
            .collect())
    }

    /// Whether an interface is bound to nobody who has it: a plugin may have lost the role.
    fn is_free(&self, role: Role) -> Result<bool> {
        let plugins = self.runtime.plugins();
        let Some(bound) = plugins.binding(role)? else {
            return Ok(true);
        };
        let rows = plugins.rows()?;
        let has = |row: &PluginRow| {
            row.id == bound && row.enabled && row.roles.iter().any(|name| name == role.name())
        };
        Ok(!rows.iter().any(has))
    }

    /// Refuses another content of a version that was in use and is kept: it could not be had back.
    fn check_kept(&self, before: &PluginRow, package: &Package) -> Result<()> {
        let version = &package.manifest.version;
        let file = self.runtime.workspace.plugin_file(&before.id, version);
        let Some(digest) = plugin_files::digest(&file).filter(|kept| *kept != package.digest)
        else {
            return Ok(());
        };
        let kept = PluginRow {
            version: version.clone(),
            digest,
            ..before.clone()
        };
        let snapshot = self.runtime.store.snapshot()?;
        if before.version == *version || !was_in_use(&*snapshot, &kept)? {
            return Ok(());
        }
        Err(Error::refused(format!(
            "{} {version} was in use with another content, which is kept to be had back; raise the version",
            before.id
        )))
    }

    /// Refuses an upgrade of a plugin that is switched on to one that is not granted what it needs, or
    /// reaches further. What was in use before was agreed to, and may reach as far again.
    fn check_upgrade(&self, before: &PluginRow, row: &PluginRow, package: &Package) -> Result<()> {
        if !row.enabled {
            return Ok(());
        }
        let snapshot = self.runtime.store.snapshot()?;
        if !was_in_use(&*snapshot, row)? {
            let present = self.runtime.plugins().package(before).ok();
            check_reach(before, present.as_deref(), package)?;
        }
        check_needed_on(self.runtime.kernel.schema(), package, row)
    }

    /// Grants items, each of which the manifest has to declare; with them all it declares that belongs
    /// to one of some groups, or all it declares. Of these, what names kinds and fields that are not
    /// there is left out.
    ///
    /// # Errors
    /// When an item is no grant, is not declared, names what is not there or is a wildcard, or when
    /// nothing that is declared belongs to a group.
    pub fn grant(
        &self,
        id: &str,
        items: &[String],
        groups: &[String],
        all_declared: bool,
    ) -> Result<Placed> {
        let _turn = self.runtime.administer();
        let (mut row, package) = self.installed(id)?;
        let schema = self.runtime.kernel.schema();
        let mut wanted = items
            .iter()
            .map(|item| parse(item))
            .collect::<Result<Vec<_>>>()?;
        for item in &wanted {
            check_grant(schema, &package, item)?;
        }
        let grantable = package.manifest.grantable();
        for name in groups {
            check_group(&package, name)?;
        }
        let meant = |item: &Grant| all_declared || groups.iter().any(|name| name == group(item));
        let known = |item: &Grant| unknown(schema, item).is_none();
        wanted.extend(
            grantable
                .into_iter()
                .filter(|item| meant(item) && known(item)),
        );
        let held = grants(&row)?;
        let mut new: Vec<String> = wanted
            .iter()
            .filter(|item| !held.contains(item))
            .map(Grant::to_string)
            .collect();
        new.sort();
        new.dedup();
        let act = Act::new("plugin.grant", id).with("items", new.join(" "));
        row.grants.extend(new);
        row.grants.sort();
        if row.enabled {
            self.check(&row, Arc::clone(&package))?;
        }
        self.place_row(act, Next::of(row), &package)
    }

    /// Takes grants back.
    ///
    /// # Errors
    /// When an item was not granted.
    pub fn revoke(&self, id: &str, items: &[String], all: bool) -> Result<Placed> {
        let _turn = self.runtime.administer();
        let (mut row, package) = self.installed(id)?;
        let mut gone = Vec::new();
        for item in items {
            let item = parse(item)?.to_string();
            if !row.grants.contains(&item) {
                let held = row.grants.join(", ");
                return Err(Error::not_found(format!(
                    "{id} was not granted {item}; it has: {held}"
                )));
            }
            gone.push(item);
        }
        if all {
            gone.clone_from(&row.grants);
        }
        row.grants.retain(|held| !gone.contains(held));
        let act = Act::new("plugin.revoke", id).with("items", gone.join(" "));
        self.place_row(act, Next::of(row), &package)
    }

    /// Switches a plugin on, and binds the domain interfaces it offers that nobody has, or all of
    /// them when `bind` says so. The first time, its reactions begin at the journal's end: what
    /// happened before is not its matter, unless `from_start` says so.
    ///
    /// # Errors
    /// When there is no such plugin, its file is gone, it cannot run, or it is not granted what it
    /// needs.
    pub fn enable(&self, id: &str, bind: bool, from_start: bool) -> Result<Placed> {
        let (_, package) = self.installed(id)?;
        self.runtime.host.try_on(&package)?;
        self.switch_on(id, bind, from_start)
    }

    fn switch_on(&self, id: &str, bind: bool, from_start: bool) -> Result<Placed> {
        let _turn = self.runtime.administer();
        let (mut row, package) = self.installed(id)?;
        check_needed(self.runtime.kernel.schema(), &package, &row)?;
        row.enabled = true;
        row.roles = role_names(&package);
        self.check(&row, Arc::clone(&package))?;
        let mut beside: Vec<Administered> = in_use(&row).into_iter().collect();
        for role in package.manifest.roles.keys().copied() {
            beside.extend(self.begins(id, role, from_start)?);
            if role == Role::Schedule {
                beside.extend(self.jobs(&package.manifest)?);
            }
            if INTERFACES.contains(&role) && (bind || self.is_free(role)?) {
                let plugin = id.to_owned();
                beside.push(Administered::Bound { role, plugin });
            }
        }
        let bound = beside.iter().filter_map(|row| match row {
            Administered::Bound { role, .. } => Some(role.name()),
            _ => None,
        });
        let act = Act::new("plugin.enable", id)
            .with("version", &row.version)
            .with("bound", bound.collect::<Vec<_>>().join(" "));
        self.place_row(act, Next::of(row).with(beside), &package)
    }

    /// A plugin that watched nothing is told of what comes once its settings have it watch something;
    /// its cursor may stand some entries behind.
    fn begins_watching(&self, before: &PluginRow) -> Vec<Administered> {
        let on = PluginRow {
            enabled: true,
            ..before.clone()
        };
        let package = self.runtime.plugins().package(before).ok();
        let loaded = package.and_then(|package| {
            let alone = vec![as_installed(on, package, &[])];
            self.runtime.host.load(alone).ok()
        });
        let idle = loaded.map(|loaded| loaded.idle_roles(&before.id));
        let begins = |role| Administered::Begins {
            plugin: before.id.clone(),
            role,
            after: None,
        };
        idle.unwrap_or_default().into_iter().map(begins).collect()
    }

    fn begins(&self, plugin: &str, role: Role, from_start: bool) -> Result<Option<Administered>> {
        let walks = matches!(role, Role::React | Role::Integration);
        let snapshot = self.runtime.store.snapshot()?;
        if !walks || cursors::find(&*snapshot, plugin, role.name())?.is_some() && !from_start {
            return Ok(None);
        }
        Ok(Some(Administered::Begins {
            plugin: plugin.to_owned(),
            role,
            after: from_start.then_some(0),
        }))
    }

    /// Switches a plugin off and frees the interfaces bound to it. Its settings, grants and state
    /// stay; its file need not be there.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn disable(&self, id: &str) -> Result<PluginRow> {
        let _turn = self.runtime.administer();
        let mut row = self.row(id)?;
        row.enabled = false;
        let beside = vec![Administered::Unbound(id.to_owned())];
        let next = Next::of(row).with(beside);
        self.store_row(Act::new("plugin.disable", id), next)
    }

    /// Removes a plugin with its state and cursors, and its files.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn remove(&self, id: &str) -> Result<PluginRow> {
        let _turn = self.runtime.administer();
        let row = self.row(id)?;
        let act = Act::new("plugin.remove", id).with("version", &row.version);
        let beside = vec![Administered::PluginRemoved(id.to_owned())];
        let loaded = self.load(id, None, None, &beside)?;
        self.store(act, loaded, beside)?;
        plugin_files::remove_all(&self.runtime.workspace, id)?;
        Ok(row)
    }

    /// Sets a plugin's settings; none brings back those it was delivered with.
    ///
    /// # Errors
    /// When the text is too long, not TOML that can be handed to a plugin, or the plugin says what is
    /// wrong with it; then those it had stay.
    pub fn set_settings(&self, id: &str, text: Option<String>) -> Result<PluginRow> {
        let _turn = self.runtime.administer();
        let mut row = self.row(id)?;
        let beside = self.begins_watching(&row);
        row.settings = match text {
            Some(text) => text,
            None => self.runtime.plugins().package(&row)?.settings.clone(),
        };
        kjerne_host::Settings::parse(&row.settings)
            .map_err(|why| Error::unreadable(format!("the settings cannot be used: {why}")))?;
        row.revision += 1;
        let package = self.runtime.plugins().package(&row)?;
        self.check(&row, package)?;
        let act = Act::new("plugin.settings", id).with("settings", &row.settings);
        self.store_row(act, Next::of(row).with(beside))
    }

    /// Makes a bearer token for somebody, over one they had.
    ///
    /// # Errors
    /// When the name is none, or the file of secrets cannot be written.
    pub fn add_token(&self, name: &str) -> Result<String> {
        let token = secrets::new_token()?;
        let act = Act::new("token.add", secrets::check_name(name)?);
        self.change_secrets(act, |secrets| {
            secrets.tokens.insert(name.to_owned(), token.clone());
            Ok(())
        })?;
        Ok(token)
    }

    /// Takes somebody's token back; it is refused from now on.
    ///
    /// # Errors
    /// When they have none, or the file of secrets cannot be written.
    pub fn remove_token(&self, name: &str) -> Result<()> {
        self.change_secrets(Act::new("token.remove", name), |secrets| {
            let known = secrets.tokens.remove(name);
            known
                .map(drop)
                .ok_or_else(|| none_of("token", name, secrets.tokens.keys()))
        })
    }

    /// Keeps a signing secret under a name; none makes one. Returns the secret.
    ///
    /// # Errors
    /// When the name or the secret is none, or the file of secrets cannot be written.
    pub fn set_secret(&self, name: &str, secret: Option<String>) -> Result<String> {
        let secret = match secret {
            Some(secret) => {
                crate::delivery::signing::key(&secret)?;
                secret
            }
            None => secrets::new_signing_secret()?,
        };
        let act = Act::new("secret.set", secrets::check_name(name)?);
        self.change_secrets(act, |secrets| {
            secrets.secrets.insert(name.to_owned(), secret.clone());
            Ok(())
        })?;
        Ok(secret)
    }

    /// Forgets a signing secret; messages that are to be signed with it fail from now on.
    ///
    /// # Errors
    /// When there is none, or the file of secrets cannot be written.
    pub fn remove_secret(&self, name: &str) -> Result<()> {
        self.change_secrets(Act::new("secret.remove", name), |secrets| {
            let known = secrets.secrets.remove(name);
            known
                .map(drop)
                .ok_or_else(|| none_of("secret", name, secrets.secrets.keys()))
        })
    }

    /// The file is written before the act is journalled: what was taken back is taken back even when
    /// the power goes between the two. Where the journal fails while the program goes on, what was to
    /// be added is taken out again, since nobody was told of it.
    fn change_secrets(
        &self,
        act: Act,
        change: impl FnOnce(&mut Secrets) -> Result<()>,
    ) -> Result<()> {
        let _turn = self.runtime.administer();
        let workspace = &self.runtime.workspace;
        let before = workspace.secrets()?;
        let mut secrets = before.clone();
        change(&mut secrets)?;
        let takes_back = secrets.count() < before.count();
        workspace.write_secrets(&secrets)?;
        let journalled = self.journal(act, Vec::new());
        if journalled.is_ok() || takes_back {
            self.runtime.use_secrets(secrets);
        } else {
            workspace.write_secrets(&before)?;
        }
        journalled
    }

    fn row(&self, id: &str) -> Result<PluginRow> {
        self.runtime.plugins().row(id)
    }

    fn installed(&self, id: &str) -> Result<(PluginRow, Arc<Package>)> {
        let row = self.row(id)?;
        let package = self.runtime.plugins().package(&row)?;
        Ok((row, package))
    }

    fn place_row(&self, act: Act, next: Next, package: &Package) -> Result<Placed> {
        let row = self.store_row(act, next)?;
        let needed = needed(package, &row).into_iter();
        Ok(Placed {
            missing: missing(package, &row),
            needed: needed.map(|declared| declared.allow).collect(),
            unknown: all_unknown(self.runtime.kernel.schema(), package),
            before: None,
            row,
        })
    }

    fn store_row(&self, act: Act, next: Next) -> Result<PluginRow> {
        let Next {
            row,
            package,
            first,
            beside,
        } = next;
        let loaded = self.load(&row.id, Some(&row), package.as_ref(), &beside)?;
        let own = Administered::Plugin(row.clone());
        let rows = first.into_iter().chain([own]).chain(beside);
        self.store(act, loaded, rows.collect())?;
        Ok(row)
    }

    /// Stores an act, and puts the set of plugins in use that was loaded for it.
    fn store(&self, act: Act, loaded: Option<Replacement>, rows: Vec<Administered>) -> Result<()> {
        let runtime = self.runtime;
        runtime.kernel.administer(&self.actor, self.at, act, rows)?;
        if let Some(loaded) = loaded {
            runtime.put_in_use(loaded);
        }
        Ok(())
    }

    fn journal(&self, act: Act, rows: Vec<Administered>) -> Result<()> {
        let runtime = self.runtime;
        runtime.kernel.administer(&self.actor, self.at, act, rows)?;
        runtime.notifier.notify();
        Ok(())
    }

    /// Loads a plugin as an act leaves it, alone and also where plugins do not run: it must find no fault
    /// with its settings, and where it is switched on it must run, or nothing could be stored any more.
    fn check(&self, row: &PluginRow, package: Arc<Package>) -> Result<()> {
        let on = PluginRow {
            enabled: true,
            ..row.clone()
        };
        match self.runtime.host.load(vec![as_installed(on, package, &[])]) {
            Ok(_) => Ok(()),
            Err(error @ LoadError::BadSettings(_)) => Err(error.into()),
            Err(_) if !row.enabled => Ok(()),
            // Whether a file fits is found out where it is installed and switched on.
            Err(LoadError::DoesNotFit { .. }) if !self.runtime.runs_plugins() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Loads the plugins that are switched on when the act is done; none where none are running.
    fn load(
        &self,
        id: &str,
        row: Option<&PluginRow>,
        file: Option<&Arc<Package>>,
        beside: &[Administered],
    ) -> Result<Option<Replacement>> {
        if !self.runtime.runs_plugins() {
            return Ok(None);
        }
        let set = self.set_after(id, row, file, beside)?;
        self.runtime.load(set).map(Some)
    }

    fn set_after(
        &self,
        id: &str,
        row: Option<&PluginRow>,
        file: Option<&Arc<Package>>,
        beside: &[Administered],
    ) -> Result<Vec<Installed>> {
        let plugins = self.runtime.plugins();
        let mut bindings = plugins.bindings()?;
        for row in beside {
            match row {
                Administered::Bound { role, plugin } => {
                    bindings.retain(|(interface, _)| interface != role.name());
                    bindings.push((role.name().to_owned(), plugin.clone()));
                }
                Administered::Unbound(plugin) | Administered::PluginRemoved(plugin) => {
                    bindings.retain(|(_, bound)| bound != plugin);
                }
                _ => {}
            }
        }
        let mut rows = plugins.rows()?;
        rows.retain(|row| row.id != id);
        rows.extend(row.cloned());
        let on = rows.into_iter().filter(|row| row.enabled);
        on.map(|row| {
            let new = file.filter(|_| row.id == id).cloned();
            let in_use = || self.runtime.package(&row.id);
            let known = new.or_else(in_use).filter(|one| one.digest == row.digest);
            let package = match known {
                Some(package) => package,
                None => plugins.package(&row)?,
            };
            Ok(as_installed(row, package, &bindings))
        })
        .collect()
    }
}

impl Next {
    /// Nothing but the row.
    fn of(row: PluginRow) -> Self {
        Self {
            row,
            package: None,
            first: None,
            beside: Vec::new(),
        }
    }

    fn after(mut self, first: Option<Administered>) -> Self {
        self.first = first;
        self
    }

    fn with(mut self, beside: Vec<Administered>) -> Self {
        self.beside = beside;
        self
    }

    fn with_file(mut self, package: Arc<Package>) -> Self {
        self.package = Some(package);
        self
    }
}

/// False when it is certain that nothing of an act was stored: a store that failed may hold it all the same.
fn may_be_stored(error: &Error) -> bool {
    matches!(error.root(), Error::Store(StoreError::Unknown(_)))
}

/// That a version of a plugin is in use, when the plugin is switched on.
fn in_use(row: &PluginRow) -> Option<Administered> {
    row.enabled.then(|| Administered::InUse {
        plugin: row.id.clone(),
        version: row.version.clone(),
        digest: row.digest,
    })
}

fn fresh(rows: &[PluginRow], package: &Package, now: Instant) -> PluginRow {
    let last = rows.iter().map(|row| row.position).max();
    let manifest = &package.manifest;
    PluginRow {
        id: manifest.id.clone(),
        version: manifest.version.clone(),
        digest: package.digest,
        enabled: false,
        grants: Vec::new(),
        settings: package.settings.clone(),
        revision: 0,
        position: last.unwrap_or_default() + 1,
        installed_at: now,
        roles: role_names(package),
        limits: Vec::new(),
        lets_pass: false,
    }
}

fn upgraded(before: &PluginRow, package: &Package, now: Instant) -> Result<PluginRow> {
    let manifest = &package.manifest;
    if before.version == manifest.version && before.digest != package.digest && before.enabled {
        return Err(Error::refused(format!(
            "{} {} is installed and switched on with another content; raise the version, or switch \
             it off first: kjerne plugin disable {}",
            manifest.id, manifest.version, manifest.id
        )));
    }
    // What this version does not declare is taken back for good: a later one that asks for it again
    // may be made by somebody else, or use it for something else, and is to be granted it anew.
    // What asks for less than was given is given it.
    let declared = manifest.declared();
    let held = grants(before)?;
    let stays = held
        .iter()
        .filter(|item| declared.iter().any(|wider| wider.covers(item)));
    let less = declared
        .iter()
        .filter(|item| held.iter().any(|wider| wider.covers(item)));
    let mut kept: Vec<String> = stays.chain(less).map(Grant::to_string).collect();
    kept.sort();
    kept.dedup();
    Ok(PluginRow {
        grants: kept,
        version: manifest.version.clone(),
        digest: package.digest,
        roles: role_names(package),
        installed_at: now,
        ..before.clone()
    })
}

/// A plugin that is switched on reaches no further by an upgrade: switching on is the administrator's
/// word for what a plugin does. `present` is the version in use, where its file can be read.
fn check_reach(before: &PluginRow, present: Option<&Package>, package: &Package) -> Result<()> {
    let mut roles = role_names(package);
    roles.retain(|role| !before.roles.contains(role));
    let roles = roles.into_iter().map(|role| format!("the role {role}"));
    let wider = present.map(|present| wider(&present.manifest, &package.manifest));
    let further: Vec<String> = roles.chain(wider.into_iter().flatten()).collect();
    if further.is_empty() {
        return Ok(());
    }
    let manifest = &package.manifest;
    Err(Error::refused(format!(
        "{} {} has what {} has not: {}; look at it with kjerne plugin inspect FILE, and to have it \
         switch the plugin off, install it and switch it on again: kjerne plugin disable {}",
        manifest.id,
        manifest.version,
        before.version,
        further.join(", "),
        manifest.id
    )))
}

/// In what a manifest reaches further than another, in the roles of both: kinds it watches, and sources
/// it takes messages from.
fn wider(present: &Manifest, next: &Manifest) -> Vec<String> {
    let mut wider = Vec::new();
    for (role, kinds) in &next.roles {
        let Some(before) = present.roles.get(role) else {
            continue;
        };
        let name = role.name();
        if before.is_empty() {
            // It watches every kind already.
        } else if kinds.is_empty() {
            wider.push(format!("every kind in the role {name}"));
        } else {
            let more = kinds.difference(before);
            wider.extend(more.map(|kind| format!("{kind} in the role {name}")));
        }
    }
    let sources = next.sources.iter();
    let new = sources.filter(|source| !present.sources.contains(source));
    wider.extend(new.map(|source| format!("the source {source}")));
    let jobs = next.jobs.iter();
    let new = jobs.filter(|job| present.jobs.iter().all(|known| known.name != job.name));
    wider.extend(new.map(|job| format!("the job {}", job.name)));
    wider
}

fn none_of<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> Error {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let known = if known.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    };
    Error::not_found(format!("there is no {what} {name:?}; {known}"))
}

#[cfg(test)]
mod tests;
