//! A plugin as it is in use: who it is, what it may do, how it is set, what it costs.
//!
//! This is all a call knows of its plugin. The code stands beside it ([`Active`]), since code is
//! linked for calls and cannot be a part of what they hold.
//!
//! [`Active`]: crate::active::Active

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kjerne_core::{PluginInfo, Role};
use kjerne_model::Name;

use crate::cost_ledger::Account;
use crate::logs::Log;
use crate::settings::Settings;
use kjerne_package::Package;
use kjerne_package::grants::{Grant, Grants};

/// A plugin in use, without its code.
pub struct Plugin {
    /// Its file.
    pub package: Arc<Package>,
    /// What it may do.
    pub grants: Grants,
    /// What it needs to read and may not: it would take what it does not see for empty.
    pub unseen: Vec<Grant>,
    /// Its settings.
    pub settings: Settings,
    /// Counts the settings' changes.
    pub revision: u64,
    /// Its log.
    pub logs: Arc<Log>,
    /// What it costs.
    pub account: Arc<Account>,
    /// Its place in the order plugins are asked in.
    pub position: u32,
    /// The kinds it watches in roles where its settings say so.
    pub watching: BTreeMap<Role, BTreeSet<Name>>,
    /// The domain interfaces bound to it.
    pub bound: BTreeSet<Role>,
}

impl Plugin {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.package.manifest.id
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.package.manifest.version
    }

    /// The kinds it watches in a role; empty is every kind, none is: it has not the role.
    pub fn watches(&self, role: Role) -> Option<&BTreeSet<Name>> {
        let said = self.watching.get(&role);
        said.or_else(|| self.package.manifest.roles.get(&role))
    }

    /// Itself in a role, as the kernel knows it.
    pub fn info(&self, role: Role) -> PluginInfo {
        PluginInfo {
            id: self.id().to_owned(),
            version: self.version().to_owned(),
            watches: self.watches(role).cloned().unwrap_or_default(),
        }
    }

    /// Whether it is the one meant, in the version meant.
    pub fn is(&self, plugin: &PluginInfo) -> bool {
        self.id() == plugin.id && self.version() == plugin.version
    }

    /// Whether it is asked in the role: a domain interface is asked of the plugin bound to it.
    pub fn serves(&self, role: Role) -> bool {
        self.watches(role).is_some() && (!is_domain(role) || self.bound.contains(&role))
    }
}

/// Whether a role is an interface that is bound to one plugin.
fn is_domain(role: Role) -> bool {
    matches!(
        role,
        Role::SalesStages | Role::BuyingProcess | Role::ServiceRules
    )
}
