//! The limits of a plugin's calls that can be set: which there are, and how they are named.
//!
//! A manifest asks for numbers in `[limits.ROLE]`, an administrator sets them as `LIMIT.ROLE`. What the host
//! makes of both it says itself.

use std::collections::BTreeMap;

use kjerne_core::Role;

/// One limit of a call that can be set for a role.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Knob {
    /// Deterministic work, without what grows with the input.
    Fuel,
    /// Milliseconds by the clock, likewise.
    WallTime,
    /// Bytes of linear memory, likewise.
    Memory,
    /// Calls to the host, likewise.
    HostCalls,
    /// Rows of records and indexes looked at.
    Rows,
    /// Bytes read.
    Read,
    /// Bytes handed over.
    Output,
    /// Calls under way at one time.
    Places,
}

/// Numbers for knobs.
pub type Numbers = BTreeMap<(Role, Knob), u64>;

impl Knob {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Fuel,
        Self::WallTime,
        Self::Memory,
        Self::HostCalls,
        Self::Rows,
        Self::Read,
        Self::Output,
        Self::Places,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::WallTime => "wall-time",
            Self::Memory => "memory",
            Self::HostCalls => "host-calls",
            Self::Rows => "rows",
            Self::Read => "read",
            Self::Output => "output",
            Self::Places => "places",
        }
    }

    /// What is counted.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Fuel => "fuel",
            Self::WallTime => "ms",
            Self::Memory | Self::Read | Self::Output => "bytes",
            Self::HostCalls | Self::Places => "calls",
            Self::Rows => "rows",
        }
    }

    /// The knob of that name.
    ///
    /// # Errors
    /// When there is none: which there are.
    pub fn read(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|knob| knob.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            format!("there is no limit {name:?} to set; there are {known}")
        })
    }
}

/// The name of a knob in a role, as an administrator sets it: `fuel.guard`.
#[must_use]
pub fn named(role: Role, knob: Knob) -> String {
    format!("{}.{}", knob.name(), role.name())
}

/// Reads such a name.
///
/// # Errors
/// When there is no such limit or role.
pub fn read_name(name: &str) -> Result<(Role, Knob), String> {
    let (knob, role) = name
        .split_once('.')
        .ok_or_else(|| format!("{name:?} names no limit of a role, such as fuel.guard"))?;
    let found = Role::ALL.into_iter().find(|known| known.name() == role);
    let role = found.ok_or_else(|| format!("{name:?}: there is no role {role:?}"))?;
    Ok((role, Knob::read(knob)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_knob_of_every_role_has_a_name_that_is_read_back() {
        for role in Role::ALL {
            for knob in Knob::ALL {
                assert_eq!(read_name(&named(role, knob)), Ok((role, knob)));
            }
        }
        for wrong in [
            "fuel",
            "fuel.",
            ".guard",
            "fuel.prince",
            "gold.guard",
            "guard.fuel",
        ] {
            assert!(read_name(wrong).is_err(), "{wrong}");
        }
    }
}
