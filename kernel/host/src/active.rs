//! An active plugin: one that is in use, with its code linked and ready to be called.

use std::sync::Arc;

use crate::code::Code;
use crate::plugin::Plugin;

/// A plugin that can be called.
pub struct Active {
    /// What its calls know of it.
    pub plugin: Arc<Plugin>,
    /// Its code.
    pub code: Arc<Code>,
}

impl Active {
    /// Its id.
    pub fn id(&self) -> &str {
        self.plugin.id()
    }
}
