//! What is wrong with a settings document.

use std::fmt;

use crate::contract::SettingsFault;

/// Everything that is wrong with the settings; as a text, with its lines, one after the other.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Faults(pub Vec<SettingsFault>);

impl Faults {
    /// Adds one with its line, for faults that are found when all has been read.
    pub fn add(&mut self, line: u32, message: impl fmt::Display) {
        self.0.push(SettingsFault {
            line: Some(line),
            message: message.to_string(),
        });
    }

    /// The value when there is none, else all of them.
    ///
    /// # Errors
    /// When there is one.
    pub fn settle<T>(self, value: T) -> Result<T, Self> {
        match self.0.is_empty() {
            true => Ok(value),
            false => Err(self),
        }
    }
}

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
