//! Who may approve of commits that wait: put in a role, and taken out of it.

use kjerne_core::Administered;
use kjerne_core::limits::{APPROVERS, ROLE_NAME};
use kjerne_model::{Act, Actor, Asked, shown};
use kjerne_store::approvers;

use super::Administration;
use crate::error::{Error, Result};

impl Administration<'_> {
    /// Puts somebody, written `user:NAME`, in a role of approvers.
    ///
    /// # Errors
    /// When it is no role or no person, when they are in it already, or there are too many.
    pub fn add_approver(&self, role: &str, actor: &str) -> Result<()> {
        if !Asked::is_role(role) {
            return Err(Error::unreadable(format!(
                "{role:?} is no name of a role: small letters, digits, '-', '_' and '.', at most {} ({})",
                ROLE_NAME.value, ROLE_NAME.name
            )));
        }
        let actor = person(actor)?;
        let _turn = self.runtime.administer();
        let all = approvers::list(&*self.runtime.store.snapshot()?)?;
        if all
            .iter()
            .any(|(known, who)| known == role && *who == actor)
        {
            return Err(Error::refused(format!("{actor} is in {role} already")));
        }
        if all.len() >= APPROVERS.count() {
            return Err(Error::refused(format!(
                "there are {} approvers, and no more are kept ({}); take somebody out first",
                all.len(),
                APPROVERS.name
            )));
        }
        let act = Act::new("approver.add", role).with("who", actor.to_string());
        let role = role.to_owned();
        self.journal(act, vec![Administered::Approver { role, actor }])
    }

    /// Takes somebody out of a role of approvers. What they have approved and still waits for others needs
    /// somebody else.
    ///
    /// # Errors
    /// When they are not in it.
    pub fn remove_approver(&self, role: &str, actor: &str) -> Result<()> {
        let actor = person(actor)?;
        let _turn = self.runtime.administer();
        if !approvers::has(&*self.runtime.store.snapshot()?, role, &actor)? {
            return Err(Error::not_found(format!(
                "{actor} is not in {role}; kjerne approver list shows who is"
            )));
        }
        let act = Act::new("approver.remove", role).with("who", actor.to_string());
        let role = role.to_owned();
        self.journal(act, vec![Administered::NoApprover { role, actor }])
    }
}

/// Who is meant: neither a plugin nor a job of the kernel approves of anything.
fn person(text: &str) -> Result<Actor> {
    let longest = 128;
    let is_name = |name: &str| {
        // Two that look alike would be one person twice.
        let is_plain = name == name.trim() && shown::plain(name) == name;
        name.len() <= longest && !name.is_empty() && is_plain && !name.starts_with("user:")
    };
    match Actor::read(text) {
        Some(Actor::User(name)) if is_name(&name) => Ok(Actor::User(name)),
        _ => Err(Error::unreadable(format!(
            "{text:?} is nobody who can approve; write user:NAME, with at most {longest} bytes, no blanks around it and nothing invisible in it"
        ))),
    }
}
