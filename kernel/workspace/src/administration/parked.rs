//! Parked entries, and parked runs of jobs: tried again, or forgotten.

use kjerne_core::{Administered, Progress, Role};
use kjerne_model::Act;

use super::Administration;
use crate::error::{Error, Result};
use crate::plugin_registry::role_named;

impl Administration<'_> {
    /// Has a plugin try a parked entry again, out of its turn. It stays parked when it fails again.
    ///
    /// # Errors
    /// When nothing such is parked, or the plugin is not running.
    pub fn retry_parked(&self, plugin: &str, role: &str, entry: u64) -> Result<Progress> {
        // Held until the plugin has answered: of two who ask for the same entry one finds it gone.
        let _turn = self.runtime.administer();
        self.find_parked(plugin, role, entry)?;
        let progress = match role_named(role) {
            Some(known) => self.retry_entry(plugin, known, entry)?,
            None => self.runtime.retry_job(plugin, role, self.at)?,
        };
        let became = match &progress {
            Progress::Moved { .. } | Progress::Idle => "done".to_owned(),
            Progress::Parked { error, .. }
            | Progress::Failed { error, .. }
            | Progress::Busy { error, .. } => error.clone(),
            Progress::Waiting { .. } => "the plugin's own state changed meanwhile".to_owned(),
        };
        let act = parked_act("parked.retry", plugin, role, entry).with("became", became);
        // An entry that no longer concerns the plugin has nothing left to be tried.
        let over = progress == Progress::Idle;
        let rows = over.then(|| unparked(plugin, role, entry));
        self.journal(act, rows.into_iter().collect())?;
        Ok(progress)
    }

    fn retry_entry(&self, plugin: &str, role: Role, entry: u64) -> Result<Progress> {
        let info = self.runtime.retries(plugin, role).ok_or_else(|| {
            Error::refused(format!(
                "plugin {plugin} is not switched on with the role {}; kjerne plugin enable {plugin}",
                role.name()
            ))
        })?;
        let kernel = &self.runtime.kernel;
        Ok(kernel.retry_parked(&info, role, entry, self.at)?)
    }

    /// Forgets a parked entry: the plugin will never answer it.
    ///
    /// # Errors
    /// When nothing such is parked.
    pub fn skip_parked(&self, plugin: &str, role: &str, entry: u64) -> Result<()> {
        let _turn = self.runtime.administer();
        self.find_parked(plugin, role, entry)?;
        let act = parked_act("parked.skip", plugin, role, entry);
        self.journal(act, vec![unparked(plugin, role, entry)])
    }

    fn find_parked(&self, plugin: &str, role: &str, entry: u64) -> Result<()> {
        let parked = self.runtime.kernel.parked()?;
        let is_it = |row: &&kjerne_store::ParkedRow| {
            (row.plugin.as_str(), row.role.as_str(), row.entry) == (plugin, role, entry)
        };
        if parked.iter().any(|row| is_it(&row)) {
            return Ok(());
        }
        Err(Error::not_found(format!(
            "entry {entry} is not parked for {plugin} ({role}); kjerne plugin parked shows what is"
        )))
    }
}

fn parked_act(operation: &str, plugin: &str, role: &str, entry: u64) -> Act {
    Act::new(operation, plugin)
        .with("role", role)
        .with("entry", entry.to_string())
}

fn unparked(plugin: &str, role: &str, entry: u64) -> Administered {
    Administered::Unparked {
        plugin: plugin.to_owned(),
        role: role.to_owned(),
        entry,
    }
}
