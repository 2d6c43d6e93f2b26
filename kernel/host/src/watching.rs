//! What a plugin watches: what its manifest says, as far as the plugin itself, which knows its settings,
//! does not say that it needs less.

use std::collections::{BTreeMap, BTreeSet};

use kjerne_core::{Operations, Role, Watch, Watches};
use kjerne_model::{Kind, Name, Schema, shown};

use crate::limits;
use crate::wit::v0_2_0::exports::prepare::{RoleWatches, Watch as Said};
use kjerne_package::Manifest;

/// What a plugin watches, by role, for the roles it has.
#[derive(Clone, Debug, Default)]
pub struct Watching {
    roles: BTreeMap<Role, Watches>,
    /// The roles in which it was the plugin that said so.
    told: BTreeSet<Role>,
}

/// The roles in which something is watched.
const WATCHING: [Role; 4] = [Role::Shape, Role::Guard, Role::React, Role::Integration];

impl Watching {
    /// What a manifest says.
    pub fn declared(manifest: &Manifest) -> Self {
        let roles = manifest.roles.iter();
        let watches = |kinds: &BTreeSet<Name>| Watches::of_kinds(kinds.iter().cloned());
        Self {
            roles: roles.map(|(role, kinds)| (*role, watches(kinds))).collect(),
            told: BTreeSet::new(),
        }
    }

    /// The roles the plugin has, with what it watches in each.
    pub fn roles(&self) -> impl Iterator<Item = (Role, &Watches)> {
        self.roles.iter().map(|(role, watches)| (*role, watches))
    }

    /// Whether the plugin itself names a kind that it watches in a role.
    pub fn names(&self, role: Role, kind: &Name) -> bool {
        let watches = self.roles.get(&role).filter(|_| self.told.contains(&role));
        watches.is_some_and(|watches| watches.named().any(|named| named == kind))
    }

    /// The roles in which the plugin says that there is nothing to watch.
    pub fn idle(&self) -> impl Iterator<Item = Role> {
        let idle = self.roles().filter(|(_, watches)| watches.is_nothing());
        idle.map(|(role, _)| role)
    }
}

/// What the manifest says, with what the plugin said in place of it.
pub fn narrowed(
    manifest: &Manifest,
    schema: &Schema,
    said: Vec<RoleWatches>,
) -> Result<Watching, String> {
    let mut watching = Watching::declared(manifest);
    let told: usize = said.iter().map(|role| role.watches.len()).sum();
    if told > limits::WATCHES.count() {
        let (most, name) = (limits::WATCHES.value, limits::WATCHES.name);
        return Err(format!(
            "with them it would tell {told} watches, and {most} are allowed (limit {name})"
        ));
    }
    for RoleWatches { role, watches } in said {
        let named = WATCHING.into_iter().find(|known| known.name() == role);
        let kinds = named.and_then(|role| Some((role, manifest.roles.get(&role)?)));
        let Some((role, kinds)) = kinds else {
            let role = shown::beginning(&role, limits::RULE_NAME.count());
            return Err(format!(
                "it tells what it watches as {role:?}, a role it does not have or that watches nothing"
            ));
        };
        if !watching.told.insert(role) {
            return Err(format!(
                "it tells twice what it watches in the role {}",
                role.name()
            ));
        }
        let mut narrowed = Watches::default();
        for said in watches {
            let of = said.kind.clone();
            let watch = Asked {
                role,
                kinds,
                schema,
            }
            .watch(said)?;
            match of {
                Some(kind) => narrowed.add(Name::new(&kind).ok(), &watch),
                None if kinds.is_empty() => narrowed.add(None, &watch),
                None => {
                    for kind in kinds {
                        narrowed.add(Some(kind.clone()), &watch);
                    }
                }
            }
        }
        watching.roles.insert(role, narrowed);
    }
    Ok(watching)
}

/// The role a plugin tells about, the kinds its manifest watches in it, and those there are.
struct Asked<'a> {
    role: Role,
    kinds: &'a BTreeSet<Name>,
    schema: &'a Schema,
}

impl Asked<'_> {
    fn watch(&self, said: Said) -> Result<Watch, String> {
        let kind = said
            .kind
            .as_deref()
            .map(|kind| self.kind(kind))
            .transpose()?;
        let fields = said.fields.map(|fields| self.fields(kind, &fields));
        Ok(Watch {
            operations: operations(&said.operations)?,
            fields: fields.transpose()?,
            beside: said.beside,
        })
    }

    fn kind(&self, name: &str) -> Result<&Kind, String> {
        let shown = shown::beginning(name, limits::RULE_NAME.count());
        let Some(kind) = self.schema.kind(name) else {
            return Err(format!(
                "they name the kind {shown:?}, which this workspace does not have; kjerne kinds lists \
                 those it has"
            ));
        };
        if self.kinds.is_empty() || self.kinds.contains(name) {
            return Ok(kind);
        }
        Err(format!(
            "with them it would watch the kind {shown} in the role {}, which its manifest does not",
            self.role.name()
        ))
    }

    /// The fields it names; of every kind, those that any of them has.
    fn fields(&self, kind: Option<&Kind>, names: &[String]) -> Result<BTreeSet<Name>, String> {
        let known = |name: &str| match kind {
            Some(kind) => kind.field(name).is_some(),
            None => self.schema.kinds().any(|kind| kind.field(name).is_some()),
        };
        let field = |name: &String| {
            let known = Name::new(name).ok().filter(|name| known(name));
            known.ok_or_else(|| {
                let (name, of) = (
                    shown::beginning(name, limits::RULE_NAME.count()),
                    kind.map_or("any kind", |kind| &kind.name),
                );
                format!("with them it would watch the field {name:?}, which {of} does not have")
            })
        };
        names.iter().map(field).collect()
    }
}

fn operations(named: &[String]) -> Result<Operations, String> {
    if named.is_empty() {
        return Ok(Operations::ALL);
    }
    let mut operations = Operations {
        create: false,
        update: false,
        delete: false,
    };
    for name in named {
        match name.as_str() {
            "create" => operations.create = true,
            "update" => operations.update = true,
            "delete" => operations.delete = true,
            _ => {
                let name = shown::beginning(name, limits::RULE_NAME.count());
                return Err(format!(
                    "with them it would watch for {name:?}; there are create, update and delete"
                ));
            }
        }
    }
    Ok(operations)
}
