//! A plugin compiled and linked: all that can be done once, so that a call does only its own work.

use kjerne_core::Role;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, HasSelf, Instance, InstancePre, Linker, Type};
use wasmtime::{Engine, Store};

use crate::call_state::CallState;
use crate::error::LoadError;
use crate::watching::Watching;
use crate::wit::v0_2_0::{EveryRole, exports};
use kjerne_package::Package;

/// A plugin that is ready to be instantiated.
pub struct Code {
    /// Its component, with everything it imports.
    pub pre: InstancePre<CallState>,
    /// Where its roles are.
    pub roles: Roles,
    /// What it watches; as its manifest says, unless it was asked.
    pub watching: Watching,
}

/// Where a component's roles are, for those it has.
#[derive(Default)]
pub struct Roles {
    pub shape: Option<exports::shape::GuestIndices>,
    pub guard: Option<exports::guard::GuestIndices>,
    pub react: Option<exports::react::GuestIndices>,
    pub action: Option<exports::action::GuestIndices>,
    pub sales_stages: Option<exports::sales_stages::GuestIndices>,
    pub buying_process: Option<exports::buying_process::GuestIndices>,
    pub service_rules: Option<exports::service_rules::GuestIndices>,
    pub integration: Option<exports::integration::GuestIndices>,
    pub schedule: Option<exports::schedule::GuestIndices>,
    pub prepare: Option<exports::prepare::GuestIndices>,
    pub report: Option<exports::report::GuestIndices>,
    pub panel: Option<exports::panel::GuestIndices>,
    pub scoring: Option<exports::scoring::GuestIndices>,
}

impl Roles {
    /// Looks every role up in an instance, which compares its functions' types with the contract's.
    pub fn check(&self, store: &mut Store<CallState>, instance: &Instance) -> wasmtime::Result<()> {
        self.shape
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.guard
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.react
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.action
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.sales_stages
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.buying_process
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.service_rules
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.integration
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.schedule
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.prepare
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.report
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.panel
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        self.scoring
            .as_ref()
            .map(|role| role.load(&mut *store, instance))
            .transpose()?;
        Ok(())
    }
}

/// A role the plugin was found by. It is there, since a plugin is only found by roles it has.
pub fn found<T>(role: &Option<T>) -> wasmtime::Result<&T> {
    role.as_ref()
        .ok_or_else(|| wasmtime::Error::msg("the plugin has not this role"))
}

/// The linker with everything a plugin may import.
pub fn linker(engine: &Engine) -> wasmtime::Result<Linker<CallState>> {
    let mut linker = Linker::new(engine);
    EveryRole::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// Links a component and finds its roles.
pub fn link(
    linker: &Linker<CallState>,
    component: &Component,
    package: &Package,
) -> Result<Code, LoadError> {
    let does_not_fit =
        |error: wasmtime::Error| LoadError::does_not_fit(package, format!("{error:#}"));
    if let Some(function) = keeps_what_is_lent(component, linker.engine()) {
        return Err(does_not_fit(wasmtime::Error::msg(format!(
            "{function} takes for good what it is lent; declare its parameters as borrow<...>"
        ))));
    }
    let pre = linker.instantiate_pre(component).map_err(does_not_fit)?;
    let roles = find_roles(&pre, package).map_err(does_not_fit)?;
    let watching = Watching::declared(&package.manifest);
    Ok(Code {
        pre,
        roles,
        watching,
    })
}

/// The first function of a role that wants to own a resource. The contract only lends them, and the
/// runtime's own comparison of types takes one for the other until the function is called.
fn keeps_what_is_lent(component: &Component, engine: &Engine) -> Option<String> {
    let exports = component.component_type();
    let mut roles = exports
        .exports(engine)
        .filter_map(|(_, role)| match role.ty {
            ComponentItem::ComponentInstance(role) => Some(role),
            _ => None,
        });
    roles.find_map(|role| {
        let mut functions = role.exports(engine);
        let owns = functions.find(|(_, function)| match &function.ty {
            ComponentItem::ComponentFunc(function) => function
                .params()
                .any(|(_, parameter)| matches!(parameter, Type::Own(_))),
            _ => false,
        });
        owns.map(|(name, _)| name.to_owned())
    })
}

fn find_roles(pre: &InstancePre<CallState>, package: &Package) -> wasmtime::Result<Roles> {
    let mut roles = Roles::default();
    for role in package.manifest.roles.keys() {
        match role {
            Role::Shape => roles.shape = Some(exports::shape::GuestIndices::new(pre)?),
            Role::Guard => roles.guard = Some(exports::guard::GuestIndices::new(pre)?),
            Role::React => roles.react = Some(exports::react::GuestIndices::new(pre)?),
            Role::Action => roles.action = Some(exports::action::GuestIndices::new(pre)?),
            Role::SalesStages => {
                roles.sales_stages = Some(exports::sales_stages::GuestIndices::new(pre)?);
            }
            Role::BuyingProcess => {
                roles.buying_process = Some(exports::buying_process::GuestIndices::new(pre)?);
            }
            Role::ServiceRules => {
                roles.service_rules = Some(exports::service_rules::GuestIndices::new(pre)?);
            }
            Role::Integration => {
                roles.integration = Some(exports::integration::GuestIndices::new(pre)?);
            }
            Role::Schedule => roles.schedule = Some(exports::schedule::GuestIndices::new(pre)?),
            Role::Prepare => roles.prepare = Some(exports::prepare::GuestIndices::new(pre)?),
            Role::Report => roles.report = Some(exports::report::GuestIndices::new(pre)?),
            Role::Panel => roles.panel = Some(exports::panel::GuestIndices::new(pre)?),
            Role::Scoring => roles.scoring = Some(exports::scoring::GuestIndices::new(pre)?),
        }
    }
    Ok(roles)
}
