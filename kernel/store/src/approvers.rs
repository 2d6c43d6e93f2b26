//! Who may approve of commits that wait: roles, and the people in them.

use std::ops::ControlFlow;

use kjerne_model::Actor;

use crate::error::StoreError;
use crate::key::{self, Key};
use crate::scan;
use crate::space::Space;
use crate::store::{Range, Read, Write};

/// Puts somebody in a role.
///
/// # Errors
/// When the store cannot be written.
pub fn put(write: &mut dyn Write, role: &str, actor: &Actor) -> Result<(), StoreError> {
    write.put(Space::Approvers, row_key(role, actor).bytes(), &[])
}

/// Takes somebody out of a role.
///
/// # Errors
/// When the store cannot be written.
pub fn remove(write: &mut dyn Write, role: &str, actor: &Actor) -> Result<(), StoreError> {
    write.remove(Space::Approvers, row_key(role, actor).bytes())
}

/// Whether somebody is in a role.
///
/// # Errors
/// When the store cannot be read.
pub fn has(read: &dyn Read, role: &str, actor: &Actor) -> Result<bool, StoreError> {
    let row = read.get(Space::Approvers, row_key(role, actor).bytes())?;
    Ok(row.is_some())
}

/// Everybody in a role, in the order of their names.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn of_role(read: &dyn Read, role: &str) -> Result<Vec<Actor>, StoreError> {
    let mut actors = Vec::new();
    let prefix = Key::new().text(role);
    scan::prefix(read, Space::Approvers, &prefix, None, &mut |key, _| {
        actors.push(split(key)?.1);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(actors)
}

/// Everybody in every role, by role and name.
///
/// # Errors
/// When the store cannot be read or a row is damaged.
pub fn list(read: &dyn Read) -> Result<Vec<(String, Actor)>, StoreError> {
    let mut all = Vec::new();
    scan::range(read, Space::Approvers, Range::all(), &mut |key, _| {
        all.push(split(key)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(all)
}

fn row_key(role: &str, actor: &Actor) -> Key {
    Key::new().text(role).text(&actor.to_string())
}

fn split(row: &[u8]) -> Result<(String, Actor), StoreError> {
    let read = || {
        let (role, rest) = key::split_text(row)?;
        let (actor, _) = key::split_text(rest)?;
        Some((role, Actor::read(&actor)?))
    };
    read().ok_or_else(|| StoreError::Corrupt("the row of an approver cannot be read".to_owned()))
}
