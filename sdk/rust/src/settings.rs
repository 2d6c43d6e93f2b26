//! The plugin's settings, as the administrator left them.

use crate::host;

/// The whole settings document, in TOML; empty when there is none.
#[must_use]
pub fn text() -> String {
    host::settings_text()
}

/// Counts up whenever the settings change.
#[must_use]
pub fn revision() -> u64 {
    host::settings_revision()
}
