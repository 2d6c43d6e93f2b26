//! What is told of a plugin that is not asked for a while.

use kjerne_core::Role;
use kjerne_model::Instant;

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
