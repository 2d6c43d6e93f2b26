//! What stands in for the plugins where none run: it refuses every commit.

use std::sync::Arc;

use kjerne_core::{
    Call, Draft, Effects, Fault, Guarded, PluginInfo, Plugins, Role, Shaped, Task, Watches,
};

/// Stands in for the plugins and refuses whatever is to be written.
pub(crate) struct ReadOnly;

fn fault() -> Fault {
    Fault {
        plugin: "kjerne".to_owned(),
        limit: "failed".to_owned(),
        allowed: None,
        message: "the workspace was opened for reading, without its plugins".to_owned(),
    }
}

impl Plugins for ReadOnly {
    fn with_role(&self, role: Role) -> Vec<Arc<PluginInfo>> {
        let all = PluginInfo {
            id: "kjerne".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            watches: Watches::every_kind(),
            lets_pass: false,
        };
        if role == Role::Guard {
            vec![Arc::new(all)]
        } else {
            Vec::new()
        }
    }

    fn shape(&self, _: &PluginInfo, _: &Call, _: &[Draft<'_>]) -> Result<Shaped, Fault> {
        Err(fault())
    }

    fn guard(&self, _: &PluginInfo, _: &Call, _: &[Draft<'_>]) -> Result<Guarded, Fault> {
        Err(fault())
    }

    fn run(&self, _: &PluginInfo, _: &Call, _: &Task) -> Result<Effects, Fault> {
        Err(fault())
    }
}
