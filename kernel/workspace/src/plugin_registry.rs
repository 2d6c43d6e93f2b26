//! The plugins of a workspace: install, grant, switch on, set. Nothing here runs a plugin.
//!
//! A plugin's file lies in the workspace's folder, what the administrator has set lies in the data
//! file. Both are written so that a cut-off leaves the plugin as it was before.

use std::fs;
use std::sync::Arc;

use kjerne_core::Role;
use kjerne_host::grants::Grant;
use kjerne_host::{Installed, Package};
use kjerne_model::Instant;
use kjerne_store::registry::{self, PluginRow};
use kjerne_store::{Store, StoreError, Write, cursors, journal, plugin_state};

use crate::directory::Workspace;
use crate::error::{Context as _, Error, Result};
use crate::plugin_files;

/// The roles the administrator binds to one plugin.
pub const INTERFACES: [Role; 3] = [Role::SalesStages, Role::BuyingProcess, Role::ServiceRules];

/// The installed plugins of an open workspace.
#[derive(Clone, Copy)]
pub struct PluginRegistry<'a> {
    workspace: &'a Workspace,
    store: &'a dyn Store,
}

/// What installing came to.
#[derive(Debug)]
pub struct Placed {
    /// The plugin as it is now.
    pub row: PluginRow,
    /// The version that was there before.
    pub before: Option<String>,
    /// What it declares and is not granted.
    pub missing: Vec<Grant>,
}

impl<'a> PluginRegistry<'a> {
    /// The plugins of this workspace.
    #[must_use]
    pub fn new(workspace: &'a Workspace, store: &'a dyn Store) -> Self {
        Self { workspace, store }
    }

    /// All rows, in the order plugins are asked.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn rows(&self) -> Result<Vec<PluginRow>> {
        Ok(registry::list(&*self.store.snapshot()?)?)
    }

    /// One row.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn row(&self, id: &str) -> Result<PluginRow> {
        let row = registry::get(&*self.store.snapshot()?, id)?;
        row.ok_or_else(|| {
            Error::not_found(format!(
                "no plugin {id:?} is installed; kjerne plugin list shows those that are"
            ))
        })
    }

    /// The plugin a domain interface is bound to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn binding(&self, role: Role) -> Result<Option<String>> {
        Ok(registry::binding(&*self.store.snapshot()?, role.name())?)
    }

    /// The file of an installed plugin, checked against the digest it was installed with.
    ///
    /// # Errors
    /// When the file is gone, changed or cannot be read.
    pub fn package(&self, row: &PluginRow) -> Result<Arc<Package>> {
        plugin_files::open(self.workspace, row).map(Arc::new)
    }

    /// Every plugin that is switched on, as the host takes it.
    ///
    /// # Errors
    /// When a file is gone or changed: a workspace whose guard is missing takes no commits.
    pub fn installed(&self) -> Result<Vec<Installed>> {
        let snapshot = self.store.snapshot()?;
        let bindings = registry::bindings(&*snapshot)?;
        let rows = registry::list(&*snapshot)?;
        let on = rows.into_iter().filter(|row| row.enabled);
        on.map(|row| self.as_installed(row, &bindings)).collect()
    }

    fn as_installed(&self, row: PluginRow, bindings: &[(String, String)]) -> Result<Installed> {
        let package = self.package(&row)?;
        let bound = bindings.iter().filter(|(_, plugin)| *plugin == row.id);
        let bound = bound
            .filter_map(|(interface, _)| role_named(interface))
            .collect();
        Ok(Installed {
            package,
            grants: row.grants,
            settings: row.settings,
            revision: row.revision,
            position: row.position,
            enabled: row.enabled,
            bound,
        })
    }

    /// Installs a plugin's file, or upgrades to it. A new plugin is granted nothing and is off; an
    /// upgraded one keeps what it was granted, which has effect as far as it still declares it.
    ///
    /// # Errors
    /// When the file is no plugin, or the same version is there with another content.
    pub fn install(&self, bytes: &[u8], now: Instant) -> Result<Placed> {
        let package = read_package(bytes)?;
        let manifest = &package.manifest;
        let before = registry::get(&*self.store.snapshot()?, &manifest.id)?;
        let row = match &before {
            Some(before) => upgraded(before, &package, now)?,
            None => self.fresh(&package, now)?,
        };
        let file = self.workspace.plugin_file(&row.id, &row.version);
        // The row decides: before it stands the file of the row before is untouched, and behind it
        // the draft is found even when it could not be moved.
        plugin_files::write_draft(&file, bytes)?;
        if let Some(before) = before
            .as_ref()
            .filter(|before| before.version != row.version)
        {
            plugin_files::date(self.workspace, before)?;
        }
        let row = self.put(row)?;
        plugin_files::put_in_place(&file)?;
        plugin_files::thin_out(self.workspace, &row)?;
        let missing = missing(&package, &row);
        Ok(Placed {
            row,
            before: before.map(|before| before.version),
            missing,
        })
    }

    /// The versions that can be had back, the one that was in use last first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn kept(&self, row: &PluginRow) -> Result<Vec<String>> {
        plugin_files::versions(self.workspace, row)
    }

    /// The file of the version that was in use before the present one, or of the one named; to
    /// install it is to go back.
    ///
    /// # Errors
    /// When no such version is kept, or its file is damaged.
    pub fn earlier(&self, id: &str, version: Option<&str>) -> Result<Vec<u8>> {
        let row = self.row(id)?;
        let kept = self.kept(&row)?;
        let version = match version {
            Some(version) if version == row.version => {
                return Err(Error::unreadable(format!(
                    "{id} {version} is the version in use"
                )));
            }
            Some(version) => Some(version).filter(|version| kept.iter().any(|one| one == version)),
            None => kept.first().map(String::as_str),
        };
        let Some(version) = version else {
            return Err(none_kept(&row, &kept));
        };
        let file = self.workspace.plugin_file(id, version);
        let bytes = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let manifest = read_package(&bytes)?.manifest;
        if (manifest.id.as_str(), manifest.version.as_str()) == (id, version) {
            return Ok(bytes);
        }
        Err(Error::refused(format!(
            "{} holds {} {}; install the file you want with: kjerne plugin install FILE",
            file.display(),
            manifest.id,
            manifest.version
        )))
    }

    fn fresh(&self, package: &Package, now: Instant) -> Result<PluginRow> {
        let last = self
            .rows()?
            .iter()
            .map(|row| row.position)
            .max()
            .unwrap_or_default();
        let manifest = &package.manifest;
        Ok(PluginRow {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            digest: package.digest,
            enabled: false,
            grants: Vec::new(),
            settings: package.settings.clone(),
            revision: 0,
            position: last + 1,
            installed_at: now,
            roles: role_names(package),
        })
    }

    /// Grants items, each of which the manifest has to declare.
    ///
    /// # Errors
    /// When an item is no grant, is not declared, or is a wildcard.
    pub fn grant(&self, id: &str, items: &[String], all_declared: bool) -> Result<Placed> {
        let mut row = self.row(id)?;
        let package = self.package(&row)?;
        let mut wanted = items
            .iter()
            .map(|item| parse(item))
            .collect::<Result<Vec<_>>>()?;
        for item in &wanted {
            check_grant(&package, item)?;
        }
        if all_declared {
            wanted.extend(package.manifest.grantable());
        }
        let held = grants(&row)?;
        let new = wanted
            .iter()
            .filter(|item| !held.contains(item))
            .map(Grant::to_string);
        row.grants.extend(new);
        row.grants.sort();
        row.grants.dedup();
        let row = self.put(row)?;
        Ok(Placed {
            missing: missing(&package, &row),
            before: None,
            row,
        })
    }

    /// Takes grants back.
    ///
    /// # Errors
    /// When an item was not granted.
    pub fn revoke(&self, id: &str, items: &[String], all: bool) -> Result<PluginRow> {
        let mut row = self.row(id)?;
        for item in items {
            let item = parse(item)?.to_string();
            if !row.grants.contains(&item) {
                let held = row.grants.join(", ");
                return Err(Error::not_found(format!(
                    "{id} was not granted {item}; it has: {held}"
                )));
            }
            row.grants.retain(|held| *held != item);
        }
        if all {
            row.grants.clear();
        }
        self.put(row)
    }

    /// Switches a plugin on, and binds the domain interfaces it offers that nobody has, or all of
    /// them when `bind` says so. The first time, its reactions begin at the journal's end.
    ///
    /// # Errors
    /// When there is no such plugin or its file is gone.
    pub fn enable(&self, id: &str, bind: bool, from_start: bool) -> Result<PluginRow> {
        let mut row = self.row(id)?;
        let package = self.package(&row)?;
        row.enabled = true;
        row.revision += 1;
        row.roles = role_names(&package);
        self.store.write(&mut |write| {
            registry::put(write, &row)?;
            for role in package.manifest.roles.keys() {
                begin(write, id, *role, from_start)?;
                let free = registry::binding(write, role.name())?.is_none();
                if INTERFACES.contains(role) && (bind || free) {
                    registry::bind(write, role.name(), id)?;
                }
            }
            Ok(())
        })?;
        Ok(row)
    }

    /// Switches a plugin off and frees the interfaces bound to it.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn disable(&self, id: &str) -> Result<PluginRow> {
        let mut row = self.row(id)?;
        row.enabled = false;
        row.revision += 1;
        self.store.write(&mut |write| {
            unbind(write, id)?;
            registry::put(write, &row)
        })?;
        Ok(row)
    }

    /// Removes a plugin with its state and cursors, and its files.
    ///
    /// # Errors
    /// When there is no such plugin.
    pub fn remove(&self, id: &str) -> Result<PluginRow> {
        let row = self.row(id)?;
        self.store.write(&mut |write| {
            unbind(write, id)?;
            for role in [Role::React, Role::Integration] {
                cursors::remove(write, id, role.name())?;
            }
            plugin_state::clear(write, id)?;
            registry::remove(write, id)
        })?;
        plugin_files::remove_all(self.workspace, id)?;
        Ok(row)
    }

    /// Sets a plugin's settings; none brings back those it was delivered with.
    ///
    /// # Errors
    /// When the text is too long, or not TOML that can be handed to a plugin.
    pub fn set_settings(&self, id: &str, text: Option<String>) -> Result<PluginRow> {
        let mut row = self.row(id)?;
        let text = match text {
            Some(text) => text,
            None => self.package(&row)?.settings.clone(),
        };
        kjerne_host::Settings::parse(&text)
            .map_err(|why| Error::unreadable(format!("the settings cannot be used: {why}")))?;
        row.settings = text;
        self.put(row)
    }

    /// Stores a row as its next revision.
    fn put(&self, mut row: PluginRow) -> Result<PluginRow> {
        row.revision += 1;
        self.store.write(&mut |write| registry::put(write, &row))?;
        Ok(row)
    }
}

/// The first time a plugin is switched on, its reactions begin at the journal's end: what happened
/// before is not its matter, unless the administrator says so.
fn begin(write: &mut dyn Write, id: &str, role: Role, from_start: bool) -> Result<(), StoreError> {
    let walks = matches!(role, Role::React | Role::Integration);
    if !walks || cursors::find(write, id, role.name())?.is_some() && !from_start {
        return Ok(());
    }
    let position = if from_start { 0 } else { journal::last(write)? };
    let row = cursors::CursorRow {
        position,
        ..Default::default()
    };
    cursors::put(write, id, role.name(), &row)
}

fn unbind(write: &mut dyn Write, id: &str) -> Result<(), StoreError> {
    for (interface, plugin) in registry::bindings(write)? {
        if plugin == id {
            registry::unbind(write, &interface)?;
        }
    }
    Ok(())
}

/// Reads a plugin's file; nothing in it runs.
///
/// # Errors
/// When it is no plugin for this kernel.
pub fn read_package(bytes: &[u8]) -> Result<Package> {
    Package::read(bytes).map_err(|error| Error::refused(error.to_string()))
}

fn none_kept(row: &PluginRow, kept: &[String]) -> Error {
    let kept = if kept.is_empty() {
        "no other version is kept".to_owned()
    } else {
        format!("kept are: {}", kept.join(", "))
    };
    Error::not_found(format!(
        "there is no such version of {} to go back to: in use is {}, {kept}; install its file with: \
         kjerne plugin install FILE",
        row.id, row.version
    ))
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
    // What was granted stays granted, so that an earlier version comes back with what it had; a
    // grant the version in use does not declare has no effect, since the host asks for both.
    Ok(PluginRow {
        version: manifest.version.clone(),
        digest: package.digest,
        roles: role_names(package),
        installed_at: now,
        ..before.clone()
    })
}

fn check_grant(package: &Package, item: &Grant) -> Result<()> {
    let manifest = &package.manifest;
    if item.is_wildcard() {
        return Err(Error::unreadable(format!(
            "{item} cannot be granted as a whole; name what is meant, such as \
             send:https://hooks.example.com or secret:NAME"
        )));
    }
    if manifest
        .declared()
        .iter()
        .any(|declared| declared.covers(item))
    {
        return Ok(());
    }
    let declared: Vec<String> = manifest.declared().iter().map(Grant::to_string).collect();
    Err(Error::refused(format!(
        "{} does not ask for {item}; it declares: {}",
        manifest.id,
        declared.join(", ")
    )))
}

/// What a plugin declares and no grant gives, or gives in part.
#[must_use]
pub fn missing(package: &Package, row: &PluginRow) -> Vec<Grant> {
    let held = grants(row).unwrap_or_default();
    let given = |declared: &Grant| {
        held.iter()
            .any(|item| item.covers(declared) || declared.is_wildcard() && declared.covers(item))
    };
    package
        .manifest
        .declared()
        .into_iter()
        .filter(|declared| !given(declared))
        .collect()
}

fn grants(row: &PluginRow) -> Result<Vec<Grant>> {
    row.grants.iter().map(|item| parse(item)).collect()
}

fn parse(item: &str) -> Result<Grant> {
    Grant::parse(item).map_err(|error| Error::unreadable(error.to_string()))
}

fn role_names(package: &Package) -> Vec<String> {
    package
        .manifest
        .roles
        .keys()
        .map(|role| role.name().to_owned())
        .collect()
}

/// The role of that name.
#[must_use]
pub fn role_named(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

#[cfg(test)]
mod tests;
