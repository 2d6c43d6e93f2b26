//! In what one version of a plugin differs from another, as an administrator has to know before the one
//! takes the other's place.

use std::collections::BTreeSet;

use kjerne_core::Role;
use kjerne_model::Name;

use crate::file::Package;
use crate::manifest::{Declared, Manifest};

/// What is added and what is dropped, item by item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change<T> {
    /// What only the next version has.
    pub added: Vec<T>,
    /// What only the present version has.
    pub dropped: Vec<T>,
}

/// In what the next version differs from the present one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What it asks for that nothing the present one asks for covers, and the other way round.
    pub grants: Change<Declared>,
    /// Its roles.
    pub roles: Change<Role>,
    /// The kinds it watches in the roles of both; none is every kind.
    pub watches: Change<(Role, Option<Name>)>,
    /// The sources it takes messages from.
    pub sources: Change<String>,
    /// What it does by the clock.
    pub jobs: Change<String>,
    /// Its commands.
    pub actions: Change<String>,
    /// The keys of the settings it is delivered with, with dots between.
    pub settings: Change<String>,
}

impl Difference {
    /// Between the version in use and the one that is to come.
    #[must_use]
    pub fn between(present: &Package, next: &Package) -> Self {
        let (old, new) = (&present.manifest, &next.manifest);
        Self {
            grants: Change {
                added: uncovered(new, old),
                dropped: uncovered(old, new),
            },
            roles: change(old.roles.keys().copied(), new.roles.keys().copied()),
            watches: Change {
                added: wider(old, new),
                dropped: wider(new, old),
            },
            sources: change(old.sources.iter().cloned(), new.sources.iter().cloned()),
            jobs: change(jobs(old), jobs(new)),
            actions: change(names(old), names(new)),
            settings: change(keys(&present.settings), keys(&next.settings)),
        }
    }

    /// In what the next version reaches further or asks for more, in words; empty where it is no more than
    /// was agreed to.
    #[must_use]
    pub fn further(&self) -> Vec<String> {
        let roles = self.roles.added.iter();
        let roles = roles.map(|role| format!("the role {}", role.name()));
        let watches = self.watches.added.iter().map(|(role, kind)| {
            let kind = kind.as_ref().map_or("every kind", Name::as_str);
            format!("{kind} in the role {}", role.name())
        });
        let sources = self.sources.added.iter();
        let sources = sources.map(|source| format!("the source {source}"));
        let jobs = self.jobs.added.iter();
        let jobs = jobs.map(|job| format!("the job {job}"));
        let grants = self.grants.added.iter();
        let grants = grants.map(|declared| format!("the grant {}", declared.allow));
        let reach = roles.chain(watches).chain(sources).chain(jobs);
        reach.chain(grants).collect()
    }
}

fn change<T: Ord>(old: impl Iterator<Item = T>, new: impl Iterator<Item = T>) -> Change<T> {
    let (mut old, mut new): (BTreeSet<T>, BTreeSet<T>) = (old.collect(), new.collect());
    let both: Vec<T> = old.extract_if(.., |item| new.remove(item)).collect();
    drop(both);
    Change {
        added: new.into_iter().collect(),
        dropped: old.into_iter().collect(),
    }
}

/// What `one` asks for that nothing `other` asks for covers.
fn uncovered(one: &Manifest, other: &Manifest) -> Vec<Declared> {
    let asked = one.grants.iter();
    let new = asked.filter(|declared| {
        let mut others = other.grants.iter();
        !others.any(|known| known.allow.covers(&declared.allow))
    });
    new.cloned().collect()
}

/// What `next` watches and `present` does not, in the roles of both.
fn wider(present: &Manifest, next: &Manifest) -> Vec<(Role, Option<Name>)> {
    let mut wider = Vec::new();
    for (role, kinds) in &next.roles {
        let Some(before) = present.roles.get(role) else {
            continue;
        };
        if before.is_empty() {
            // It watches every kind already.
        } else if kinds.is_empty() {
            wider.push((*role, None));
        } else {
            let more = kinds.difference(before);
            wider.extend(more.map(|kind| (*role, Some(kind.clone()))));
        }
    }
    wider
}

fn jobs(manifest: &Manifest) -> impl Iterator<Item = String> + '_ {
    manifest.jobs.iter().map(|job| job.name.clone())
}

fn names(manifest: &Manifest) -> impl Iterator<Item = String> + '_ {
    manifest.actions.iter().map(|action| action.name.clone())
}

/// The keys of a settings document; one that cannot be read has none, which is told where it is used.
fn keys(settings: &str) -> impl Iterator<Item = String> {
    let table: toml::Table = toml::from_str(settings).unwrap_or_default();
    let mut keys = Vec::new();
    collect(&table, "", &mut keys);
    keys.into_iter()
}

/// The reader of TOML has bounded how deep this goes.
fn collect(table: &toml::Table, before: &str, keys: &mut Vec<String>) {
    for (name, value) in table {
        let key = format!("{before}{name}");
        match value {
            toml::Value::Table(inner) => collect(inner, &format!("{key}."), keys),
            _ => keys.push(key),
        }
    }
}
