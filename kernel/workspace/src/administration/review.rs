//! A version that waits: what it would change, and whether it takes its place.

use std::sync::Arc;

use kjerne_core::Administered;
use kjerne_host::{Difference, Package};
use kjerne_model::Act;
use kjerne_store::registry::PluginRow;
use kjerne_store::{Origin, WaitingRow};

use super::installation::{Agreed, Arrival};
use super::{Administration, Placed};
use crate::error::{Error, Result};
use crate::plugin_files;
use crate::plugin_registry::{PluginRegistry, read_package};
use crate::publishers::Offer;

/// What a version that waits would change.
pub struct Review {
    /// The plugin as it is.
    pub row: PluginRow,
    /// Where the file in use comes from.
    pub present: Origin,
    /// What waits.
    pub waiting: WaitingRow,
    /// Its file.
    pub package: Package,
    /// In what it differs; none where the file in use cannot be read.
    pub difference: Option<Difference>,
}

impl Review {
    /// Looks at the version of a plugin that waits.
    ///
    /// # Errors
    /// When none waits, or its file is gone or changed.
    pub fn of(plugins: PluginRegistry<'_>, id: &str) -> Result<Self> {
        let row = plugins.row(id)?;
        let waiting = plugins.waiting(id)?;
        let package = read_package(&plugins.waiting_file(&waiting)?)?;
        let present = plugins.package(&row).ok();
        let difference = present.map(|present| Difference::between(&present, &package));
        Ok(Self {
            present: plugins.origin(&row)?,
            row,
            waiting,
            package,
            difference,
        })
    }
}

impl Administration<'_> {
    /// Has the version that waits take its place. It passes every stage again, is granted what it needs
    /// and what is named beside that, and the version before is kept.
    ///
    /// # Errors
    /// When none waits or another one than named, or a stage refuses it.
    pub fn accept(
        &self,
        id: &str,
        version: Option<&str>,
        items: &[String],
        all_declared: bool,
    ) -> Result<Placed> {
        let plugins = self.runtime.plugins();
        let waiting = plugins.waiting(id)?;
        let found = &waiting.origin.version;
        if let Some(version) = version.filter(|version| version != found) {
            return Err(Error::refused(format!(
                "what waits of {id} is {found}, not {version}; look at it: kjerne plugin review {id}"
            )));
        }
        let bytes = plugins.waiting_file(&waiting)?;
        let signer = waiting.origin.signer.as_ref();
        let offer = Offer {
            bytes: &bytes,
            signature: waiting.signature.as_deref(),
            succession: waiting.succession.as_deref(),
            public_key: signer.map(|signer| signer.key.as_str()),
            unsigned: waiting.signature.is_none(),
        };
        let agreed = Agreed {
            items,
            all_declared,
        };
        let arrival = Arrival::of_offer(self, &offer, "plugin.accept", Some(agreed))?;
        self.place(&arrival)
    }

    /// Forgets the version that waits; the one in use stays.
    ///
    /// # Errors
    /// When none waits.
    pub fn reject(&self, id: &str) -> Result<Placed> {
        let _turn = self.runtime.administer();
        let waiting = self.runtime.plugins().waiting(id)?;
        let act = Act::new("plugin.reject", id).with("version", &waiting.origin.version);
        self.journal(act, vec![Administered::WaitsNoMore(id.to_owned())])?;
        plugin_files::thin_out_waiting(&self.runtime.workspace, id, None)?;
        let row = self.row(id)?;
        let package: Arc<Package> = self.runtime.plugins().package(&row)?;
        self.placed(row, &package)
    }
}
