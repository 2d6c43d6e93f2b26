//! A workspace opened for reading: no plugin is loaded, so that a broken one hides nobody's data, and
//! every commit is refused, so that none gets past the plugins.

use std::collections::BTreeSet;
use std::sync::Arc;

use kjerne_core::{
    Call, Draft, Effects, Fault, Guarded, Kernel, PluginInfo, Plugins, Role, Shaped, Task,
};
use kjerne_model::Name;
use kjerne_store::Store;

use crate::directory::Workspace;
use crate::error::Result;
use crate::plugin_registry::PluginRegistry;

/// An open workspace to be looked at, or whose plugins are to be looked after.
pub struct ReadOnly {
    /// The workspace.
    pub workspace: Workspace,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// Its kernel, which answers questions and refuses commits.
    pub kernel: Kernel,
}

impl ReadOnly {
    /// Opens a workspace.
    ///
    /// # Errors
    /// When it is held or damaged.
    pub fn open(workspace: Workspace, who: &str) -> Result<Self> {
        let store = Arc::new(workspace.open_store(who)?);
        Self::over(workspace, store)
    }

    /// Opens a workspace after a check of every page of its data file.
    ///
    /// # Errors
    /// When it is held or damaged.
    pub fn open_checked(workspace: Workspace, who: &str) -> Result<Self> {
        let store = Arc::new(workspace.open_store_checked(who)?);
        Self::over(workspace, store)
    }

    fn over(workspace: Workspace, store: Arc<dyn Store>) -> Result<Self> {
        let schema = Arc::new(workspace.schema()?);
        // No record is made here, so that no id ever comes from this seed.
        let kernel = Kernel::new(Arc::clone(&store), schema, Arc::new(Refusing), 0)?;
        Ok(Self {
            workspace,
            store,
            kernel,
        })
    }

    /// Its plugins.
    #[must_use]
    pub fn plugins(&self) -> PluginRegistry<'_> {
        PluginRegistry::new(&self.workspace, &*self.store)
    }
}

/// Stands in for the plugins and refuses whatever is to be written.
struct Refusing;

fn fault() -> Fault {
    Fault {
        plugin: "kjerne".to_owned(),
        limit: "failed".to_owned(),
        allowed: None,
        message: "the workspace was opened for reading, without its plugins".to_owned(),
    }
}

impl Plugins for Refusing {
    fn with_role(&self, role: Role, _: &BTreeSet<Name>) -> Vec<PluginInfo> {
        let all = PluginInfo {
            id: "kjerne".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            watches: BTreeSet::new(),
        };
        if role == Role::Guard {
            vec![all]
        } else {
            Vec::new()
        }
    }

    fn shape(&self, _: &PluginInfo, _: &Call, _: &[Draft]) -> Result<Shaped, Fault> {
        Err(fault())
    }

    fn guard(&self, _: &PluginInfo, _: &Call, _: &[Draft]) -> Result<Guarded, Fault> {
        Err(fault())
    }

    fn run(&self, _: &PluginInfo, _: &Call, _: &Task) -> Result<Effects, Fault> {
        Err(fault())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use kjerne_model::{Actor, Change, Code, Commit, Fields, Instant, Value};

    #[test]
    fn a_workspace_opened_for_reading_takes_no_commit() {
        let parent = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(&parent.path().join("crm"), "x").unwrap();
        let reading = ReadOnly::open(workspace, "a test").unwrap();
        let name = |text: &str| Name::new(text).unwrap();
        let fields = Fields::from([(name("name"), Value::Text("Acme".into()))]);
        let outcome = reading.kernel.commit(Commit {
            changes: vec![Change::Create {
                kind: name("account"),
                id: None,
                fields,
            }],
            actor: Actor::User("kari".into()),
            key: None,
            at: Instant::from_millis(0),
            cause: None,
        });
        assert_eq!(outcome.unwrap().refusals()[0].code, Code::PluginFault);
    }
}
