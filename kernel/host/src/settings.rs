//! A plugin's settings: the text, and the list plugins are handed, which is made of it once.

use std::fmt;

use crate::wit::v0_2_0::settings::Entry;
use crate::wit::v0_2_0::settings_out;
use kjerne_package::limits;

/// A settings document that was read and found good.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub(crate) text: String,
    pub(crate) entries: Vec<Entry>,
    /// What a call that takes the entries over is charged for them.
    pub(crate) weight: u64,
}

impl Settings {
    /// Reads a document.
    ///
    /// # Errors
    /// When it is too long, or not TOML that can be handed to a plugin; where and why.
    pub fn parse(text: &str) -> Result<Self, BadSettings> {
        let (found, limit) = (text.len() as u64, limits::SETTINGS.value);
        if found > limit {
            return Err(BadSettings::TooLong { found, limit });
        }
        let entries = kjerne_settings::parse(text).map_err(BadSettings::Fault)?;
        Ok(Self {
            text: text.to_owned(),
            weight: entries.iter().map(|entry| entry.weight() as u64).sum(),
            entries: entries.into_iter().map(settings_out).collect(),
        })
    }
}

/// Why settings cannot be used, before a plugin has seen them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BadSettings {
    /// The text is longer than allowed.
    TooLong {
        /// How many bytes it has.
        found: u64,
        /// How many it may have.
        limit: u64,
    },
    /// The text is not TOML, or says something that cannot be handed over exactly.
    Fault(kjerne_settings::Fault),
}

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { found, limit } => {
                write!(f, "they have {found} bytes; at most {limit} are allowed")
            }
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for BadSettings {}
