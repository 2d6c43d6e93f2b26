//! A plugin as it is in use: who it is, what it may do, how it is set, what it costs.
//!
//! This is all a call knows of its plugin. The code stands beside it ([`Active`]), since code is
//! linked for calls and cannot be a part of what they hold.
//!
//! [`Active`]: crate::active::Active

use std::collections::BTreeSet;
use std::sync::Arc;

use kjerne_core::{PluginInfo, Role};

use crate::knobs::Knobs;
use crate::settings::Settings;
use kjerne_ledger::Log;
use kjerne_ledger::{Account, Quarantine};
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
    /// What its calls may use, where that is not the usual.
    pub knobs: Knobs,
    /// Whether a commit passes when it breaks as a guard; the journal's entry says so.
    pub lets_pass: bool,
    /// Whether it broke too often of late to be asked.
    pub quarantine: Arc<Quarantine>,
    /// What it costs.
    pub account: Arc<Account>,
    /// Its place in the order plugins are asked in.
    pub position: u32,
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

    /// Whether it is the one meant, in the version meant.
    pub fn is(&self, plugin: &PluginInfo) -> bool {
        self.id() == plugin.id && self.version() == plugin.version
    }
}
