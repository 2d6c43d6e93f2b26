//! Lines for the plugin's log, which the administrator reads. Never put a person's data there.
//!
//! Lines are cut at 1 KiB; more than the call's number of lines ends the call.

use crate::host;

/// Writes a line that matters while a plugin is being written.
pub fn debug(message: impl AsRef<str>) {
    host::log("debug", message.as_ref());
}

/// Writes a line about what was done.
pub fn info(message: impl AsRef<str>) {
    host::log("info", message.as_ref());
}

/// Writes a line about something the administrator should look at.
pub fn warn(message: impl AsRef<str>) {
    host::log("warn", message.as_ref());
}

/// Writes a line about something that went wrong.
pub fn error(message: impl AsRef<str>) {
    host::log("error", message.as_ref());
}
