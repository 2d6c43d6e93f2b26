//! What plugins write for the administrator: the last lines of each.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use kjerne_core::Role;
use kjerne_model::{Instant, shown};

use crate::limits;

/// One line of a plugin's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The time of the call.
    pub at: Instant,
    /// The role the plugin was called in.
    pub role: Role,
    /// `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What it says.
    pub message: String,
}

impl Line {
    /// A line, cut to its limit and free of anything that would act on a terminal.
    #[must_use]
    pub fn new(at: Instant, role: Role, level: &str, message: &str) -> Self {
        let level = match level {
            "debug" => "debug",
            "warn" => "warn",
            "error" => "error",
            _ => "info",
        };
        Self {
            at,
            role,
            level,
            message: shown::beginning(message, limits::LOG_LINE.count()),
        }
    }
}

/// The last lines of one plugin; it outlives the plugin's versions.
#[derive(Default)]
pub struct Log(Mutex<VecDeque<Line>>);

impl Log {
    /// Adds a line; the oldest goes when there are too many.
    pub fn push(&self, line: Line) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() as u64 >= limits::LOG_KEPT.value {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// All lines, oldest first.
    pub fn lines(&self) -> Vec<Line> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}
