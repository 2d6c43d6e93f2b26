//! Has a plugin look at settings before they go live.
//!
//! The contract has no call for it yet. Until it has, a plugin is asked about nothing in a role it has
//! anyway: a reaction about no entries, a domain model about a case that is not there. A plugin reads
//! its settings before it does its work, so what it answers with the code `bad-settings` is its word on
//! them; whatever else it says is no fault of theirs. What it would have done is dropped.

use kjerne_core::{Call, Role};
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::active::Active;
use crate::call::{Ask, only};
use crate::call_state::{CallState, Purpose};
use crate::code::found;
use crate::host::{Host, Loaded};
use crate::wit::v0_1_0::{Failure, RecordRef};

/// The code by which a plugin says that its settings are at fault.
const BAD_SETTINGS: &str = "bad-settings";

/// The roles in which a plugin can say so, with the work that is done in them.
const ASKED: [(Role, Purpose); 5] = [
    (Role::React, Purpose::Work),
    (Role::Integration, Purpose::Work),
    (Role::SalesStages, Purpose::Question),
    (Role::BuyingProcess, Purpose::Question),
    (Role::ServiceRules, Purpose::Question),
];

impl Host {
    /// Asks a plugin of a set that is not in use yet whether it can use the settings it has there.
    ///
    /// # Errors
    /// What it says is wrong with them.
    pub fn check_settings(&self, loaded: &Loaded, plugin: &str, call: &Call) -> Result<(), String> {
        let Some(active) = loaded.plugin(plugin) else {
            return Ok(());
        };
        for (role, purpose) in ASKED {
            if active.plugin.watches(role).is_none() {
                continue;
            }
            let about = Ask::new(role, purpose, call);
            let said = self.runtime.call(&active, about, |store, instance| {
                about_nothing(&active, role, store, instance)
            });
            // One that breaks is told of when it breaks at its work, with its limit and number.
            if let Ok(done) = said
                && let Err(failure) = done.answer
                && failure.code == BAD_SETTINGS
            {
                return Err(failure.message);
            }
        }
        Ok(())
    }
}

fn about_nothing(
    active: &Active,
    role: Role,
    store: &mut Store<CallState>,
    instance: &Instance,
) -> wasmtime::Result<Result<(), Failure>> {
    let roles = &active.code.roles;
    match role {
        Role::React => {
            let guest = found(&roles.react)?.load(&mut *store, instance)?;
            guest.call_react(store, only(), &[], only())
        }
        Role::Integration => {
            let guest = found(&roles.integration)?.load(&mut *store, instance)?;
            guest.call_outbound(store, only(), &[], only())
        }
        Role::SalesStages => {
            let guest = found(&roles.sales_stages)?.load(&mut *store, instance)?;
            Ok(guest.call_stale(store, only(), &[])?.map(drop))
        }
        Role::BuyingProcess => {
            let guest = found(&roles.buying_process)?.load(&mut *store, instance)?;
            Ok(guest.call_jobs(store, only())?.map(drop))
        }
        Role::ServiceRules => {
            let guest = found(&roles.service_rules)?.load(&mut *store, instance)?;
            let nobody = RecordRef {
                kind: "case".to_owned(),
                id: "00000000-0000-0000-0000-000000000000".to_owned(),
            };
            Ok(guest.call_targets(store, only(), &nobody)?.map(drop))
        }
        Role::Shape | Role::Guard | Role::Action => Ok(Ok(())),
    }
}
