//! What an administrator does: plugins installed, granted, switched on and set; parked entries tried
//! again or forgotten; approvers, tokens and secrets.
//!
//! Every act is journalled in the transaction that stores it. Where the plugins are running, the set
//! an act leads to is loaded before anything is stored and put in use right after: no commit fails
//! meanwhile, and an act that would leave a plugin that cannot run is refused.

use std::ops::ControlFlow;
use std::sync::Arc;

use kjerne_core::{Administered, Role};
use kjerne_host::grants::Grant;
use kjerne_host::{Installed, LoadError, Package};
use kjerne_model::{Act, Actor, Instant};
use kjerne_store::registry::PluginRow;
use kjerne_store::{PublisherRow, cursors, pending};

use crate::error::{Error, Result};
use crate::grants::{all_unknown, check_grant, check_group, check_needed, group, needed, unknown};
use crate::plugin_files;
use crate::plugin_registry::{INTERFACES, Made, as_installed, grants, missing, parse, role_names};
use crate::publishers::check_standing;
use crate::runtime::{Replacement, Runtime};

mod approvers;
pub mod budgets;
mod installation;
mod jobs;
mod parked;
mod publishers;
pub mod review;
mod secrets;

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
    /// Who made it.
    pub made: Made,
    /// The publisher whose key was pinned by this act.
    pub pinned: Option<PublisherRow>,
    /// The version that waits to be looked at instead of taking its place, and what for.
    pub waits: Option<(String, Vec<String>)>,
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
        self.try_on(&package)?;
        self.switch_on(id, bind, from_start)
    }

    fn switch_on(&self, id: &str, bind: bool, from_start: bool) -> Result<Placed> {
        let _turn = self.runtime.administer();
        let (mut row, package) = self.installed(id)?;
        let origin = self.runtime.plugins().origin(&row)?;
        check_standing(&*self.runtime.store.snapshot()?, id, &origin)?;
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
        let dropped = self.proposed(id)?;
        let act = Act::new("plugin.remove", id)
            .with("version", &row.version)
            .with("waiting", dropped.join(", "));
        let beside = vec![Administered::PluginRemoved(id.to_owned())];
        let loaded = self.load(id, None, None, &beside)?;
        self.store(act, loaded, beside)?;
        plugin_files::remove_all(&self.runtime.workspace, id)?;
        Ok(row)
    }

    /// The commits of a plugin that wait for approval, as far as an act names them; they go with it.
    fn proposed(&self, id: &str) -> Result<Vec<String>> {
        const NAMED: usize = 100;
        let (actor, mut ids) = (Actor::Plugin(id.to_owned()), Vec::new());
        pending::list(&*self.runtime.store.snapshot()?, &mut |row| {
            if row.actor == actor {
                ids.push(row.id.to_string());
            }
            ControlFlow::Continue(())
        })?;
        let more = ids.len().saturating_sub(NAMED);
        ids.truncate(NAMED);
        ids.extend((more > 0).then(|| format!("and {more} more")));
        Ok(ids)
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
        self.placed(row, package)
    }

    fn placed(&self, row: PluginRow, package: &Package) -> Result<Placed> {
        let needed = needed(package, &row).into_iter();
        Ok(Placed {
            missing: missing(package, &row),
            needed: needed.map(|declared| declared.allow).collect(),
            unknown: all_unknown(self.runtime.kernel.schema(), package),
            made: self.runtime.plugins().made(&row)?,
            before: None,
            pinned: None,
            waits: None,
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

/// That a version of a plugin is in use, when the plugin is switched on.
fn in_use(row: &PluginRow) -> Option<Administered> {
    row.enabled.then(|| Administered::InUse {
        plugin: row.id.clone(),
        version: row.version.clone(),
        digest: row.digest,
    })
}

#[cfg(test)]
mod signed_tests;
#[cfg(test)]
mod tests;
