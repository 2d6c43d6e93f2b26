//! What is told of a plugin that is not asked for a while.

use kjerne_core::{Fault, Role};
use kjerne_model::Instant;

use crate::limits;

/// A plugin that is set aside in one role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SetAside {
    /// The plugin.
    pub plugin: String,
    /// The role.
    pub role: Role,
    /// Until when it is not asked.
    pub until: Instant,
    /// How many of its calls broke in a row.
    pub breaks: u64,
    /// How the last one broke.
    pub why: String,
}

impl SetAside {
    /// What whoever would have asked it is told.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let Self {
            plugin,
            role,
            until,
            breaks,
            why,
        } = self;
        Fault {
            plugin: plugin.clone(),
            limit: Fault::SET_ASIDE.to_owned(),
            allowed: Some(limits::QUARANTINE_BREAKS.value),
            message: format!(
                "plugin {plugin} was not asked in {}: it is set aside until {until}, because {breaks} of its \
                 calls broke in a row, the last with {why}; look at kjerne plugin logs {plugin}, and when it \
                 is mended: kjerne plugin resume {plugin}",
                role.name()
            ),
        }
    }
}
