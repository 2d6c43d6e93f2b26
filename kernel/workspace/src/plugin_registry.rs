//! The installed plugins of a workspace, as they are set. Nothing here runs a plugin or changes one.
//!
//! A plugin's file lies in the workspace's folder, what the administrator has set lies in the data
//! file.

use std::sync::Arc;

use kjerne_core::Role;
use kjerne_host::grants::Grant;
use kjerne_host::knobs::{Numbers, read_name};
use kjerne_host::{Installed, Package};
use kjerne_store::registry::{self, PluginRow};
use kjerne_store::{KeyStanding, Origin, PublisherRow, Signer, Store, WaitingRow, provenance};

use crate::directory::Workspace;
use crate::error::{Context as _, Error, Result};
use crate::plugin_files;
use crate::publishers::{self, refused};

/// The roles the administrator binds to one plugin.
pub const INTERFACES: [Role; 4] = [
    Role::SalesStages,
    Role::BuyingProcess,
    Role::ServiceRules,
    Role::Scoring,
];

/// The installed plugins of an open workspace.
#[derive(Clone, Copy)]
pub struct PluginRegistry<'a> {
    workspace: &'a Workspace,
    store: &'a dyn Store,
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
        let on = self.rows()?.into_iter().filter(|row| row.enabled);
        let bindings = self.bindings()?;
        on.map(|row| {
            let package = self.package(&row)?;
            Ok(as_installed(row, package, &bindings))
        })
        .collect()
    }

    /// Every bound domain interface with the plugin it is bound to.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn bindings(&self) -> Result<Vec<(String, String)>> {
        Ok(registry::bindings(&*self.store.snapshot()?)?)
    }

    /// Where the file in use comes from; of one that was installed before that was kept, nobody vouches
    /// for it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn origin(&self, row: &PluginRow) -> Result<Origin> {
        let origins = provenance::origins(&*self.store.snapshot()?, &row.id)?;
        let known = origins.into_iter().find(|one| one.digest == row.digest);
        Ok(known.unwrap_or_else(|| Origin {
            version: row.version.clone(),
            digest: row.digest,
            signer: None,
        }))
    }

    /// Who made the file in use, and what their word is worth now.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn made(&self, row: &PluginRow) -> Result<Made> {
        let origin = self.origin(row)?;
        let snapshot = self.store.snapshot()?;
        Ok(Made {
            standing: publishers::standing(&*snapshot, &origin)?,
            signer: origin.signer,
            waiting: provenance::waiting(&*snapshot, &row.id)?.map(|row| row.origin.version),
        })
    }

    /// The publishers that are known, with their keys.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn publishers(&self) -> Result<Vec<PublisherRow>> {
        Ok(provenance::publishers(&*self.store.snapshot()?)?)
    }

    /// The version of a plugin that waits to be looked at.
    ///
    /// # Errors
    /// When none waits.
    pub fn waiting(&self, id: &str) -> Result<WaitingRow> {
        self.row(id)?;
        let waiting = provenance::waiting(&*self.store.snapshot()?, id)?;
        waiting.ok_or_else(|| Error::not_found(format!("no version of {id} waits for a review")))
    }

    /// The file of a version that waits, checked against its digest.
    ///
    /// # Errors
    /// When it is gone, changed or cannot be read.
    pub fn waiting_file(&self, row: &WaitingRow) -> Result<Vec<u8>> {
        plugin_files::read_waiting(self.workspace, row)
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
        let bytes =
            Package::bytes_of(&file).with_context(|| format!("cannot read {}", file.display()))?;
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
}

/// Who made a file that is installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// Who signed it; none when nobody did.
    pub signer: Option<Signer>,
    /// What their key is worth now.
    pub standing: Option<KeyStanding>,
    /// The version that waits to be looked at.
    pub waiting: Option<String>,
}

/// A plugin as the host takes it.
pub(crate) fn as_installed(
    row: PluginRow,
    package: Arc<Package>,
    bindings: &[(String, String)],
) -> Installed {
    let bound = bindings.iter().filter(|(_, plugin)| *plugin == row.id);
    let bound = bound
        .filter_map(|(interface, _)| role_named(interface))
        .collect();
    Installed {
        package,
        grants: row.grants,
        settings: row.settings,
        revision: row.revision,
        position: row.position,
        enabled: row.enabled,
        bound,
        limits: set_limits(&row.limits),
        lets_pass: row.lets_pass,
    }
}

/// What an administrator set for a plugin's calls. A name that this program does not know was stored by another,
/// and has no effect here.
#[must_use]
pub fn set_limits(limits: &[(String, u64)]) -> Numbers {
    let known = limits.iter();
    let known = known.filter_map(|(name, number)| Some((read_name(name).ok()?, *number)));
    known.collect()
}

/// Reads a plugin's file; nothing in it runs.
///
/// # Errors
/// When it is no plugin for this kernel.
pub fn read_package(bytes: &[u8]) -> Result<Package> {
    Package::read(bytes).map_err(|error| refused(&error))
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

/// What a plugin was granted.
pub(crate) fn grants(row: &PluginRow) -> Result<Vec<Grant>> {
    row.grants.iter().map(|item| parse(item)).collect()
}

/// Reads a grant.
pub(crate) fn parse(item: &str) -> Result<Grant> {
    Grant::parse(item).map_err(|error| Error::unreadable(error.to_string()))
}

/// The roles a plugin declares.
pub(crate) fn role_names(package: &Package) -> Vec<String> {
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
