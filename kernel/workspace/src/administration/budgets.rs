//! What the administrator sets for a plugin's calls: their limits, and what becomes of a commit whose guard
//! breaks; and having a plugin asked again that was set aside.

use kjerne_host::knobs::{check, named, read_name};
use kjerne_model::Act;
use kjerne_store::registry::PluginRow;

use super::{Administration, Next};
use crate::error::{Error, Result};

/// The name under which it is set what becomes of a commit whose guard breaks.
pub const GUARD_FAULTS: &str = "faults.guard";
/// The commit is refused.
pub const REFUSE: &str = "refuse";
/// The commit passes, and its journal entry says that it was not judged.
pub const LET_PASS: &str = "let-pass";
/// What brings a limit back to the usual.
pub const USUAL: &str = "usual";

impl Administration<'_> {
    /// Sets limits of a plugin's calls by name, `fuel.guard`, to a number or `usual`; and `faults.guard` to
    /// `refuse` or `let-pass`. All of them or none; they hold from the next call on.
    ///
    /// # Errors
    /// When there is no such plugin, role or limit, or a number is more than the host has.
    pub fn set_limits(&self, id: &str, set: &[(String, String)]) -> Result<PluginRow> {
        let _turn = self.runtime.administer();
        let mut row = self.row(id)?;
        let mut act = Act::new("plugin.limits", id);
        for (name, value) in set {
            set_one(&mut row, name, value)?;
            act = act.with(name, value);
        }
        row.limits.sort();
        self.store_row(act, Next::of(row))
    }

    /// Has a plugin asked again that is set aside because its calls broke.
    ///
    /// # Errors
    /// When it is not switched on.
    pub fn resume(&self, id: &str) -> Result<PluginRow> {
        let _turn = self.runtime.administer();
        let row = self.row(id)?;
        if !self.runtime.host.resume(id) {
            return Err(Error::refused(format!(
                "plugin {id} does not run here, so that it is not set aside; kjerne plugin enable {id}"
            )));
        }
        self.journal(Act::new("plugin.resume", id), Vec::new())?;
        Ok(row)
    }
}

fn set_one(row: &mut PluginRow, name: &str, value: &str) -> Result<()> {
    if name == GUARD_FAULTS {
        row.lets_pass = match value {
            REFUSE => false,
            LET_PASS => true,
            _ => {
                return Err(Error::unreadable(format!(
                    "{GUARD_FAULTS}: {value:?} is neither {REFUSE} nor {LET_PASS}"
                )));
            }
        };
        return has_role(row, name, "guard");
    }
    let (role, knob) = read_name(name).map_err(Error::unreadable)?;
    has_role(row, name, role.name())?;
    let name = named(role, knob);
    row.limits.retain(|(known, _)| *known != name);
    if value == USUAL {
        return Ok(());
    }
    let number = Some(value).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.and_then(|text| text.parse().ok());
    let number = number.ok_or_else(|| {
        Error::unreadable(format!(
            "{name}: {value:?} is neither a whole number nor {USUAL}"
        ))
    })?;
    check(role, knob, number).map_err(Error::refused)?;
    row.limits.push((name, number));
    Ok(())
}

fn has_role(row: &PluginRow, name: &str, role: &str) -> Result<()> {
    if row.roles.iter().any(|has| has == role) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{name}: plugin {} has no role {role}; it has {}",
        row.id,
        row.roles.join(", ")
    )))
}
