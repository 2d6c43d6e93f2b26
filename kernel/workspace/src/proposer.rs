//! Whether a plugin may still do what it proposed while that waited for approval: a plugin that was switched off, or
//! whose grant was taken back meanwhile, does nothing any more, whoever approves.

use kjerne_host::grants::Grant;
use kjerne_model::{Actor, Change, RecordId};
use kjerne_store::pending;

use crate::error::{Error, Result};
use crate::plugin_registry::grants;
use crate::runtime::Runtime;

impl Runtime {
    /// Refuses where a plugin proposed what waits, and may not do it now.
    pub(crate) fn check_proposer(&self, id: RecordId) -> Result<()> {
        let waits = pending::get(&*self.store.snapshot()?, id)?;
        let Some((Actor::Plugin(plugin), changes)) = waits.map(|row| (row.actor, row.changes))
        else {
            return Ok(());
        };
        let rows = self.plugins().rows()?;
        let Some(row) = rows.iter().find(|row| row.id == plugin && row.enabled) else {
            return Err(Error::refused(format!(
                "plugin {plugin}, which proposed it, is switched off; switch it on, or reject what it proposed"
            )));
        };
        let held = grants(row)?;
        let lacks = |wanted: &Grant| !held.iter().any(|grant| grant.covers(wanted));
        match changes.iter().flat_map(asks).find(lacks) {
            Some(lacking) => Err(Error::refused(format!(
                "plugin {plugin}, which proposed it, is granted {lacking} no longer; grant it \
                 (kjerne plugin grant {plugin} {lacking}), or reject what it proposed"
            ))),
            None => Ok(()),
        }
    }
}

/// What a change takes.
fn asks(change: &Change) -> Vec<Grant> {
    match change {
        Change::Create { kind, .. } => vec![Grant::Create(kind.clone())],
        Change::Delete { target } => vec![Grant::Delete(target.kind.clone())],
        Change::Update { target, patch } => {
            let field = |(name, _): (&kjerne_model::Name, _)| {
                Grant::Update(target.kind.clone(), Some(name.clone()))
            };
            patch.iter().map(field).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use kjerne_model::{Instant, Name, Patch, Target};
    use kjerne_store::registry::{self, PluginRow};
    use kjerne_store::{Link, PendingRow};

    use super::*;
    use crate::directory::Workspace;

    fn plugin(enabled: bool, grants: &[&str]) -> PluginRow {
        PluginRow {
            id: "acme.rule".to_owned(),
            version: "0.1.0".to_owned(),
            digest: [0; 32],
            enabled,
            grants: grants.iter().map(|&item| item.to_owned()).collect(),
            settings: String::new(),
            revision: 0,
            position: 1,
            installed_at: Instant::from_millis(0),
            roles: Vec::new(),
            limits: Vec::new(),
            lets_pass: false,
        }
    }

    /// A new lead and another name of an old one, proposed by the plugin.
    fn proposal(id: RecordId) -> PendingRow {
        let kind = Name::new("lead").unwrap();
        let create = Change::Create {
            kind: kind.clone(),
            id: Some(id),
            fields: Default::default(),
        };
        let update = Change::Update {
            target: Target {
                kind,
                id,
                expected: None,
            },
            patch: Patch::from([(Name::new("name").unwrap(), None)]),
        };
        PendingRow {
            id,
            asked_at: Instant::from_millis(0),
            actor: Actor::Plugin("acme.rule".to_owned()),
            behind: None,
            changes: vec![create, update],
            key: None,
            cause: None,
            messages: Vec::new(),
            link: Link::default(),
            edits: Vec::new(),
            asked: Vec::new(),
            approvals: Vec::new(),
            told: Vec::new(),
            error: None,
        }
    }

    #[test]
    fn a_plugin_does_nothing_that_it_may_do_no_longer() {
        let parent = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(&parent.path().join("crm"), "x").unwrap();
        let runtime = Runtime::open_without_plugins(workspace, "a test").unwrap();
        let id = RecordId::parse("00000000-0000-0000-0000-000000000007").unwrap();
        assert!(runtime.check_proposer(id).is_ok(), "nothing waits");
        let keep = |row: &PluginRow| {
            let write = &mut |write: &mut dyn kjerne_store::Write| {
                registry::put(write, row)?;
                pending::put(write, &proposal(id))
            };
            runtime.store.write(write).unwrap();
            runtime
                .check_proposer(id)
                .map_err(|error| error.to_string())
        };
        let all = ["create:lead", "update:lead.name"];
        assert_eq!(keep(&plugin(true, &all)), Ok(()));
        assert_eq!(keep(&plugin(true, &["create:lead", "update:lead"])), Ok(()));
        for (row, told) in [
            (
                plugin(false, &all),
                "acme.rule, which proposed it, is switched off",
            ),
            (plugin(true, &all[1..]), "is granted create:lead no longer"),
            (
                plugin(true, &all[..1]),
                "is granted update:lead.name no longer",
            ),
        ] {
            let refused = keep(&row).unwrap_err();
            assert!(refused.contains(told), "{told}: {refused}");
        }
    }
}
