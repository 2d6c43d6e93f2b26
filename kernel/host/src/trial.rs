//! What a plugin's file has to pass before it is installed and after it was read: room for it, native code,
//! the contract's types, and a first instance.

use std::collections::BTreeSet;
use std::sync::Arc;

use kjerne_core::Role;
use kjerne_core::limits::Limit;
use kjerne_package::grants::Grant;
use kjerne_package::knobs::Numbers;
use kjerne_package::{Needs, Package, Stage};

use crate::code;
use crate::error::{LoadError, Misfit};
use crate::host::{Host, Installed};
use crate::limits;
use crate::plugin::Plugin;

impl Host {
    /// Tries a plugin on without using it: what an installation must know before it changes anything. It
    /// is compiled, or found compiled, and linked; an instance is made under the smallest budget, and where
    /// it can be prepared it is, with the settings it was delivered with. That it finds fault with those
    /// is no matter here: they are to be set.
    ///
    /// # Errors
    /// At the first stage it does not pass.
    pub fn try_on(&self, package: &Package) -> Result<(), Misfit> {
        let at = |stage: Stage| move |error: LoadError| Misfit { stage, error };
        check_room(package).map_err(at(Stage::Resources))?;
        let plugin = Arc::new(self.on_trial(package).map_err(at(Stage::Manifest))?);
        let component = self.unprepared(package).map_err(|error| Misfit {
            stage: match &error {
                LoadError::TooDemanding { .. } => Stage::Resources,
                _ => Stage::Compilation,
            },
            error,
        })?;
        let linked = code::link(&self.linker, &component, package);
        let code = linked.map_err(at(Stage::Contract))?;
        self.runtime
            .try_out(&plugin, &code)
            .map_err(at(Stage::SmokeRun))?;
        if package.manifest.roles.contains_key(&Role::Prepare) {
            match self.run_prepare(&plugin, &component, None) {
                Ok(_) | Err(LoadError::BadSettings(_)) => {}
                Err(error) => return Err(at(Stage::SmokeRun)(error)),
            }
        }
        Ok(())
    }

    /// A plugin with all it asks for, as it may be once it was looked at.
    fn on_trial(&self, package: &Package) -> Result<Plugin, LoadError> {
        let grantable = package.manifest.grantable();
        self.settled(Installed {
            package: Arc::new(package.clone()),
            grants: grantable.iter().map(Grant::to_string).collect(),
            settings: String::new(),
            revision: 0,
            position: 0,
            enabled: true,
            bound: BTreeSet::new(),
            limits: Numbers::new(),
            lets_pass: false,
        })
    }
}

/// Holds what the modules say they take against what the pool has for one instance.
fn check_room(package: &Package) -> Result<(), LoadError> {
    let Needs {
        memory,
        table,
        memories,
        tables,
    } = package.needs;
    let held: [(Limit, u64, &str); 4] = [
        (
            limits::MEMORY_LATER,
            memory,
            "a module begins with a memory of",
        ),
        (limits::TABLE, table, "a module begins with a table of"),
        (limits::MODULE_MEMORIES, memories, "a module has memories:"),
        (limits::MODULE_TABLES, tables, "a module has tables:"),
    ];
    let passed = held
        .into_iter()
        .find(|(limit, found, _)| *found > limit.value);
    let Some((limit, found, what)) = passed else {
        return Ok(());
    };
    Err(LoadError::TooDemanding {
        plugin: package.manifest.id.clone(),
        why: format!(
            "{what} {found}, and at most {} {} are there (limit {})",
            limit.value, limit.unit, limit.name
        ),
    })
}
