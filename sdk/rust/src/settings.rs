//! The plugin's settings, as the administrator left them: read once by the host, handed over as a
//! list, and looked at here as tables with their lines.
//!
//! A plugin reads them into a type of its own. Every fault is noted with its line and reading goes
//! on, so that an administrator mends a document in one go; a key nobody asked for is a fault too,
//! so that a misspelt setting never goes unnoticed.
//!
//! ```
//! use kjerne_sdk::settings::{self, Section};
//! # use kjerne_sdk::testing;
//!
//! struct Rules {
//!     at_most: i64,
//!     fields: Vec<String>,
//! }
//!
//! fn rules(root: &Section<'_>) -> Rules {
//!     let rules = Rules {
//!         at_most: root.number("at_most", 1..=100).unwrap_or(10),
//!         fields: root.texts("fields").unwrap_or_default(),
//!     };
//!     root.finish();
//!     rules
//! }
//!
//! // In a plugin: settings::load().read(rules)
//! let good = testing::settings("at_most = 3\nfields = ['name']").unwrap().read(rules).unwrap();
//! assert_eq!((good.at_most, good.fields.len()), (3, 1));
//!
//! let bad = testing::settings("at_most = 0\nfeilds = []").unwrap().read(rules);
//! assert_eq!(
//!     bad.err().unwrap().to_string(),
//!     "line 1: at_most must be a whole number from 1 to 100; line 2: there is no setting feilds"
//! );
//! ```
//!
//! A reader that stops at the first fault begins with [`Settings::top`] instead.

mod faults;
mod section;
pub(crate) mod tree;

pub use faults::Faults;
pub use section::Section;
pub use tree::{Node, Settings, Table};

use crate::host;

/// Everything the settings say. The host has read them already, so this is cheap; but a change that
/// no setting is about is passed over most cheaply by not asking.
#[must_use]
pub fn load() -> Settings {
    Settings::of(host::settings_entries())
}

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
