//! An active plugin: one that is in use, with its code linked and ready to be called.

use std::sync::Arc;

use kjerne_core::{Fault, Role};

use crate::code::Code;
use crate::fault;
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

    /// Refuses to ask a plugin that may not see what it needs: it would take it for empty. Not so in
    /// actions, where each read answers for itself and a person sees what comes of it.
    pub fn sees_enough(&self, role: Role) -> Result<(), Fault> {
        let unseen = &self.plugin.unseen;
        if unseen.is_empty() || role == Role::Action {
            return Ok(());
        }
        self.plugin.account.book_refused(role);
        Err(fault::unseen(self.id(), role, unseen))
    }
}
