//! What is wrong with a settings document.

use std::fmt;

use crate::contract::SettingsFault;

/// Everything that is wrong with the settings; as a text, with its lines, one after the other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults(pub Vec<SettingsFault>);

impl From<String> for Faults {
    /// One fault, whose line is named in the text or not known.
    fn from(message: String) -> Self {
        let line = None;
        Self(vec![SettingsFault { line, message }])
    }
}

impl From<Faults> for Vec<SettingsFault> {
    fn from(faults: Faults) -> Self {
        faults.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("; ")?;
            }
            if let Some(line) = fault.line {
                write!(f, "line {line}: ")?;
            }
            f.write_str(&fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
