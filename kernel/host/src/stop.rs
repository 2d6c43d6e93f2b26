//! Stops: why a function of the host gives no answer, and the end of a call.

use std::fmt;

use kjerne_core::limits::QUERY_BYTES;
use kjerne_model::shown;
use kjerne_store::{Halt, StoreError};

use crate::limits;
use crate::meter::Passed;

/// Bytes of a message to a plugin: it may name every field of a kind.
const MESSAGE_BYTES: usize = 4 * limits::SENTENCE.count();

/// Why a function of the host gives no answer.
pub enum Stop {
    /// The plugin asked for something it cannot have, and is told.
    Failure {
        /// Its code, of the contract or of the kernel.
        code: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The plugin passed a limit. It is told once; the second time ends the call.
    Limit(Passed),
    /// The plugin had more looked at than it may, or for too long; the meter tells which.
    Halted,
    /// The host could not do its part; the call ends.
    Broken(String),
}

impl Stop {
    /// A failure the plugin is told; a message that repeats what the plugin gave is cut.
    pub fn failure(code: &str, message: impl AsRef<str>) -> Self {
        Self::Failure {
            code: code.to_owned(),
            message: shown::beginning(message.as_ref(), MESSAGE_BYTES),
        }
    }
}

impl From<Passed> for Stop {
    fn from(passed: Passed) -> Self {
        Self::Limit(passed)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        match error {
            // One answer would have been too long; everything else is counted by the meter.
            StoreError::Halted(Halt::TooMuch(_)) => Self::Limit(Passed::of(QUERY_BYTES)),
            StoreError::Halted(_) => Self::Halted,
            error => Self::Broken(error.to_string()),
        }
    }
}

/// The call must end; why is in the meter.
#[derive(Debug)]
pub struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host ended the call")
    }
}

impl std::error::Error for Ended {}
