//! Plugins as a table of closures: the second implementation of the seam, for tests and tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_model::Name;

use crate::plugins::{
    Call, Draft, Effects, Fault, Guarded, PluginInfo, Plugins, Role, Shaped, Task,
};
use crate::watches::Watches;

type Shape = dyn Fn(&Call, &[Draft<'_>]) -> Result<Shaped, Fault> + Send + Sync;
type Guard = dyn Fn(&Call, &[Draft<'_>]) -> Result<Guarded, Fault> + Send + Sync;
type Run = dyn Fn(&Call, &Task) -> Result<Effects, Fault> + Send + Sync;

/// Plugins of a workspace, in their fixed order.
#[derive(Default)]
pub struct TablePlugins(Vec<TablePlugin>);

/// A plugin made of closures, one for each role it plays.
#[derive(Default)]
pub struct TablePlugin {
    id: String,
    watches: Watches,
    lets_pass: bool,
    shape: Option<Box<Shape>>,
    guard: Option<Box<Guard>>,
    runs: BTreeMap<Role, Box<Run>>,
}

impl TablePlugins {
    /// No plugins at all.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// These, and then one more.
    #[must_use]
    pub fn with(mut self, plugin: TablePlugin) -> Self {
        self.0.push(plugin);
        self
    }

    fn find(&self, plugin: &PluginInfo, role: Role) -> Result<&TablePlugin, Fault> {
        let found = self.0.iter().find(|row| row.id == plugin.id);
        found.ok_or_else(|| TablePlugin::new(&plugin.id).lacks(role))
    }
}

impl TablePlugin {
    /// A plugin that does nothing yet and watches every kind.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            watches: Watches::every_kind(),
            ..Self::default()
        }
    }

    /// Watches these kinds alone.
    #[must_use]
    pub fn watching(self, kinds: impl IntoIterator<Item = Name>) -> Self {
        self.watching_of(Watches::of_kinds(kinds))
    }

    /// Watches this alone.
    #[must_use]
    pub fn watching_of(mut self, watches: Watches) -> Self {
        self.watches = watches;
        self
    }

    /// Lets commits pass when it breaks as a guard.
    #[must_use]
    pub fn letting_pass(mut self) -> Self {
        self.lets_pass = true;
        self
    }

    /// Shapes commits.
    #[must_use]
    pub fn shape(
        mut self,
        shape: impl Fn(&Call, &[Draft<'_>]) -> Result<Shaped, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.shape = Some(Box::new(shape));
        self
    }

    /// Guards commits.
    #[must_use]
    pub fn guard(
        mut self,
        guard: impl Fn(&Call, &[Draft<'_>]) -> Result<Guarded, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }

    /// Does the tasks of a role.
    #[must_use]
    pub fn run(
        mut self,
        role: Role,
        run: impl Fn(&Call, &Task) -> Result<Effects, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.runs.insert(role, Box::new(run));
        self
    }

    /// Itself, as the kernel knows it.
    #[must_use]
    pub fn info(&self) -> PluginInfo {
        let version = "0.0.0".to_owned();
        PluginInfo {
            id: self.id.clone(),
            version,
            watches: self.watches.clone(),
            lets_pass: self.lets_pass,
        }
    }

    fn plays(&self, role: Role) -> bool {
        match role {
            Role::Shape => self.shape.is_some(),
            Role::Guard => self.guard.is_some(),
            other => self.runs.contains_key(&other),
        }
    }

    fn lacks(&self, role: Role) -> Fault {
        let message = format!("plugin {} does not play the role {}", self.id, role.name());
        Fault {
            plugin: self.id.clone(),
            limit: "failed".to_owned(),
            allowed: None,
            message,
        }
    }
}

impl Plugins for TablePlugins {
    fn with_role(&self, role: Role) -> Vec<Arc<PluginInfo>> {
        let asked = self.0.iter().filter(|row| row.plays(role));
        asked.map(|row| Arc::new(row.info())).collect()
    }

    fn shape(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
    ) -> Result<Shaped, Fault> {
        let row = self.find(plugin, Role::Shape)?;
        row.shape.as_ref().ok_or_else(|| row.lacks(Role::Shape))?(call, drafts)
    }

    fn guard(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
    ) -> Result<Guarded, Fault> {
        let row = self.find(plugin, Role::Guard)?;
        row.guard.as_ref().ok_or_else(|| row.lacks(Role::Guard))?(call, drafts)
    }

    fn run(&self, plugin: &PluginInfo, call: &Call, task: &Task) -> Result<Effects, Fault> {
        let row = self.find(plugin, task.role())?;
        row.runs
            .get(&task.role())
            .ok_or_else(|| row.lacks(task.role()))?(call, task)
    }
}
