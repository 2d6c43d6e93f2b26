//! What an administrator is told and may grant: what a plugin needs, what belongs together, and what
//! is named and not there.

use kjerne_host::grants::Grant;
use kjerne_host::{Declared, Package};
use kjerne_model::Schema;
use kjerne_store::registry::PluginRow;

use crate::error::{Error, Result};
use crate::plugin_registry::missing;

/// The declared items a plugin needs and is not granted, each with the manifest's reason.
#[must_use]
pub fn needed(package: &Package, row: &PluginRow) -> Vec<Declared> {
    let missing = missing(package, row);
    let declared = package.manifest.grants.iter();
    declared
        .filter(|declared| !declared.optional && missing.contains(&declared.allow))
        .cloned()
        .collect()
}

/// What a grant is about, by which grants are shown and given together: a kind, or `state`, `send`,
/// `secret`.
#[must_use]
pub fn group(grant: &Grant) -> &str {
    match grant {
        Grant::Read(kind, _)
        | Grant::Set(kind, _)
        | Grant::Create(kind)
        | Grant::Update(kind, _)
        | Grant::Delete(kind) => kind.as_str(),
        Grant::State | Grant::Send(_) | Grant::Secret(_) => grant.verb(),
    }
}

/// What a grant names that is not there: a kind, or a field of a kind that is.
#[must_use]
pub fn unknown(schema: &Schema, grant: &Grant) -> Option<String> {
    let (kind, field) = match grant {
        Grant::Read(kind, field) | Grant::Update(kind, field) => (kind, field.as_ref()),
        Grant::Set(kind, field) => (kind, Some(field)),
        Grant::Create(kind) | Grant::Delete(kind) => (kind, None),
        Grant::State | Grant::Send(_) | Grant::Secret(_) => return None,
    };
    let Some(described) = schema.kind(kind) else {
        return Some(format!("{grant}: there is no kind {kind}"));
    };
    let field = field.filter(|field| described.field(field).is_none())?;
    Some(format!("{grant}: {kind} has no field {field}"))
}

/// What a manifest names that is not there, in its grants and in the kinds its roles watch.
#[must_use]
pub fn all_unknown(schema: &Schema, package: &Package) -> Vec<String> {
    let manifest = &package.manifest;
    let grants = manifest.grants.iter();
    let grants = grants.filter_map(|declared| unknown(schema, &declared.allow));
    let watched = manifest.roles.iter().flat_map(|(role, kinds)| {
        let unknown = kinds.iter().filter(|kind| schema.kind(kind).is_none());
        unknown.map(|kind| format!("role {}: there is no kind {kind}", role.name()))
    });
    grants.chain(watched).collect()
}

/// A plugin without what it needs would break, or take what it may not see for empty: a rule that lets
/// everything pass looks like one that is met.
pub(crate) fn check_needed(schema: &Schema, package: &Package, row: &PluginRow) -> Result<()> {
    let Some(lacking) = lacking(schema, package, row) else {
        return Ok(());
    };
    let id = &row.id;
    Err(Error::refused(format!(
        "{id} is not switched on: it needs, and is not granted{lacking}\n\
         grant it: kjerne plugin grant {id} ITEM..., or --group KIND, or --all-declared"
    )))
}

/// The same for a version that is to take the place of one that is in use.
pub(crate) fn check_needed_on(schema: &Schema, package: &Package, row: &PluginRow) -> Result<()> {
    let Some(lacking) = lacking(schema, package, row) else {
        return Ok(());
    };
    let (id, version) = (&row.id, &row.version);
    Err(Error::refused(format!(
        "{id} stays as it is, since it is switched on and {version} needs, and is not granted{lacking}\n\
         name what is meant when it is accepted: kjerne plugin accept {id} --grant ITEM; or switch the \
         plugin off, install {version}, grant that and switch it on again"
    )))
}

/// The items a plugin needs and is not granted.
pub(crate) fn lacking_items(package: &Package, row: &PluginRow) -> Vec<Grant> {
    let needed = needed(package, row).into_iter();
    needed.map(|declared| declared.allow).collect()
}

/// What a plugin needs and is not granted, a line for each item; none when there is nothing.
fn lacking(schema: &Schema, package: &Package, row: &PluginRow) -> Option<String> {
    let needed = needed(package, row);
    let line = |declared: &Declared| match unknown(schema, &declared.allow) {
        Some(why) => format!("\n  - {why}"),
        None => format!("\n  - {}: {}", declared.allow, declared.reason),
    };
    (!needed.is_empty()).then(|| needed.iter().map(line).collect())
}

/// Refuses a group that nothing grantable belongs to.
pub(crate) fn check_group(package: &Package, name: &str) -> Result<()> {
    let grantable = package.manifest.grantable();
    let mut groups: Vec<&str> = grantable.iter().map(group).collect();
    if groups.contains(&name) {
        return Ok(());
    }
    groups.sort_unstable();
    groups.dedup();
    Err(Error::refused(format!(
        "{} declares nothing that belongs to {name:?}; its groups are: {}",
        package.manifest.id,
        groups.join(", ")
    )))
}

/// Refuses an item that names what is not there, is a wildcard, or is not declared.
pub(crate) fn check_grant(schema: &Schema, package: &Package, item: &Grant) -> Result<()> {
    let manifest = &package.manifest;
    if let Some(why) = unknown(schema, item) {
        return Err(Error::refused(format!("cannot be granted: {why}")));
    }
    if item.is_wildcard() {
        return Err(Error::unreadable(format!(
            "{item} cannot be granted as a whole; name what is meant, such as \
             send:https://hooks.example.com or secret:NAME"
        )));
    }
    if manifest
        .declared()
        .iter()
        .any(|declared| declared.covers(item))
    {
        return Ok(());
    }
    let declared: Vec<String> = manifest.declared().iter().map(Grant::to_string).collect();
    Err(Error::refused(format!(
        "{} does not ask for {item}; it declares: {}",
        manifest.id,
        declared.join(", ")
    )))
}
