//! An active plugin: one that is in use, with its code linked and ready to be called.

use std::sync::Arc;

use kjerne_core::{Fault, Role};
use kjerne_model::{Entry, Name};
use kjerne_package::grants::Grant;

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

    /// Refuses to show a plugin entries about a kind that its settings name, that it asks to read and of
    /// which it is granted nothing, though it can do without in its manifest: what it made of them would
    /// have nothing in it, and be done with.
    pub fn sees_entries(&self, role: Role, entries: &[Entry]) -> Result<(), Fault> {
        let Some(named) = self.plugin.watching.get(&role) else {
            return Ok(());
        };
        let kinds = entries.iter().flat_map(|entry| &entry.edits);
        let mut kinds = kinds.map(|edit| &edit.kind);
        let is_unseen =
            |kind: &&Name| named.contains(*kind) && self.plugin.grants.readable(kind).is_none();
        let Some(unseen) = kinds.find(is_unseen) else {
            return Ok(());
        };
        let declared = self.plugin.package.manifest.declared().into_iter();
        let reads = |item: &Grant| matches!(item, Grant::Read(kind, _) if kind == unseen);
        let asked: Vec<Grant> = declared.filter(reads).collect();
        if asked.is_empty() {
            return Ok(());
        }
        self.plugin.account.book_refused(role);
        Err(fault::unseen(self.id(), role, &asked))
    }
}
