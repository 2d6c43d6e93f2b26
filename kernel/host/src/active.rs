//! An active plugin: one that is in use, with its code linked and ready to be called.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_core::{Fault, PluginInfo, Role, Watches};
use kjerne_model::{Edit, Entry, Name};
use kjerne_package::grants::Grant;

use crate::code::Code;
use crate::fault;
use crate::plugin::Plugin;
use crate::watching::Watching;
use crate::wit::v0_2_0::Sight;

/// A plugin that can be called.
pub struct Active {
    /// What its calls know of it.
    pub plugin: Arc<Plugin>,
    /// Its code.
    pub code: Arc<Code>,
    /// Itself in each of its roles, as the kernel knows it.
    infos: BTreeMap<Role, Arc<PluginInfo>>,
}

impl Active {
    /// A plugin with its code.
    pub fn new(plugin: Arc<Plugin>, code: Arc<Code>) -> Self {
        let watching = code.watching.clone();
        Self::watching(plugin, code, &watching)
    }

    /// The same plugin, shown all that its manifest watches.
    pub fn shown_all_declared(&self) -> Self {
        let declared = Watching::declared(&self.plugin.package.manifest);
        Self::watching(Arc::clone(&self.plugin), Arc::clone(&self.code), &declared)
    }

    fn watching(plugin: Arc<Plugin>, code: Arc<Code>, watching: &Watching) -> Self {
        let info = |watches: &Watches| PluginInfo {
            id: plugin.id().to_owned(),
            version: plugin.version().to_owned(),
            watches: watches.clone(),
            lets_pass: plugin.lets_pass,
        };
        let roles = watching.roles();
        let infos = roles.map(|(role, watches)| (role, Arc::new(info(watches))));
        Self {
            infos: infos.collect(),
            plugin,
            code,
        }
    }

    /// Itself in a role it has.
    pub fn info(&self, role: Role) -> Option<&Arc<PluginInfo>> {
        self.infos.get(&role)
    }

    /// Whether it is asked in the role: a domain interface is asked of the plugin bound to it.
    pub fn serves(&self, role: Role) -> bool {
        self.infos.contains_key(&role) && (!is_domain(role) || self.plugin.bound.contains(&role))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.plugin.id()
    }

    /// What it sees of the records of a kind that it watches in a role.
    pub fn sight(&self, role: Role, kind: &Name) -> Sight<'_> {
        let watch = self.info(role).and_then(|info| info.watches.of(kind));
        Sight {
            granted: self.plugin.grants.readable(kind),
            asked: watch.and_then(|watch| watch.fields.as_ref()),
        }
    }

    /// The changes of a stored commit that it watches in a role.
    pub fn watched<'a>(&self, role: Role, entry: &'a Entry) -> Vec<&'a Edit> {
        let info = self.info(role);
        info.map_or(Vec::new(), |info| info.watches.among_edits(&entry.edits))
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

    /// Refuses to show a plugin entries about a kind that it names, that it asks to read and of
    /// which it is granted nothing, though it can do without in its manifest: what it made of them would
    /// have nothing in it, and be done with.
    pub fn sees_entries(&self, role: Role, entries: &[Entry]) -> Result<(), Fault> {
        let kinds = entries.iter().flat_map(|entry| &entry.edits);
        let mut kinds = kinds.map(|edit| &edit.kind);
        let is_unseen = |kind: &&Name| {
            self.code.watching.names(role, kind) && self.plugin.grants.readable(kind).is_none()
        };
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

/// Whether a role is an interface that is bound to one plugin.
fn is_domain(role: Role) -> bool {
    matches!(
        role,
        Role::SalesStages | Role::BuyingProcess | Role::ServiceRules | Role::Scoring
    )
}
