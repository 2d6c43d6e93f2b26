//! Write a Kjerne plugin in Rust.
//!
#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// The bindings name the SDK by its outside name, so that the same paths hold here and in a plugin.
extern crate self as kjerne_sdk;

#[doc(hidden)]
pub mod bindings;
mod change;
mod decimal;
mod effects;
mod failure;
mod fields;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod glue;
mod host;
pub mod log;
mod money;
pub mod records;
mod reference;
mod roles;
pub mod settings;
mod shaping;
pub mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod time;
mod value;
mod zone;

#[doc(hidden)]
pub use wit_bindgen;

pub use bindings::buying_process::exports::kjerne::crm::buying_process::{
    Assessment, JobAssessment, JobDescription, Missing, NextAction,
};
pub use bindings::imports::kjerne::crm::types::{
    Decimal, Failure, Field, Money, OutboundMessage, RecordRef, Value,
};
pub use bindings::integration::exports::kjerne::crm::integration::{Answer, InboundMessage};
pub use bindings::sales_stages::exports::kjerne::crm::sales_stages::{
    Move, Obstacle, Pipeline, Stage, StageStanding, StaleItem,
};
pub use bindings::service_rules::exports::kjerne::crm::service_rules::{CaseTarget, TriageResult};
pub use change::{Change, Context, Edit, Entry, Operation, Record};
pub use effects::{EffectHandle, Effects};
pub use fields::Fields;
pub use roles::{
    Action, BuyingProcess, Guard, Integration, React, SalesStages, ServiceRules, Shape,
};
pub use shaping::{EditHandle, Edits, FindingHandle, Findings, Position};
pub use time::{Date, Instant};
pub use zone::{Local, Zone};

/// What nearly every plugin needs: `use kjerne_sdk::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Action, Answer, Assessment, BuyingProcess, CaseTarget, Change, Context, Date, Decimal,
        Edit, Edits, Effects, Entry, Failure, Fields, Findings, Guard, InboundMessage, Instant,
        Integration, JobAssessment, JobDescription, Local, Missing, Money, Move, NextAction,
        Obstacle, Operation, OutboundMessage, Pipeline, React, Record, RecordRef, SalesStages,
        ServiceRules, Shape, Stage, StageStanding, StaleItem, TriageResult, Value, Zone, log,
        records, settings, state,
    };
}

/// Exports a type as a plugin with the roles named: `shape`, `guard`, `react`, `action`,
/// `sales_stages`, `buying_process`, `service_rules`, `integration`.
///
/// The type implements the trait of each role. Stands once in a plugin, at the top level.
///
/// ```
/// use kjerne_sdk::prelude::*;
///
/// struct Plugin;
///
/// impl Guard for Plugin {
///     fn guard(_: &Context, _: &[Change], _: &Findings) {}
/// }
///
/// kjerne_sdk::plugin!(Plugin: guard);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! plugin {
    ($plugin:ty : $($role:ident),+ $(,)?) => {
        $($crate::__export_role!($role, $plugin);)+
    };
}

/// One role of [`plugin!`]. The bridge is named by an alias because the generated macros take a name.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_role {
    (shape, $plugin:ty) => {
        $crate::__export_role!(@ shape, export_shape, Shape, $plugin);
    };
    (guard, $plugin:ty) => {
        $crate::__export_role!(@ guard, export_guard, Guard, $plugin);
    };
    (react, $plugin:ty) => {
        $crate::__export_role!(@ react, export_react, React, $plugin);
    };
    (action, $plugin:ty) => {
        $crate::__export_role!(@ action, export_action, Action, $plugin);
    };
    (sales_stages, $plugin:ty) => {
        $crate::__export_role!(@ sales_stages, export_sales_stages, SalesStages, $plugin);
    };
    (buying_process, $plugin:ty) => {
        $crate::__export_role!(@ buying_process, export_buying_process, BuyingProcess, $plugin);
    };
    (service_rules, $plugin:ty) => {
        $crate::__export_role!(@ service_rules, export_service_rules, ServiceRules, $plugin);
    };
    (integration, $plugin:ty) => {
        $crate::__export_role!(@ integration, export_integration, Integration, $plugin);
    };
    (@ $module:ident, $export:ident, $trait:ident, $plugin:ty) => {
        const _: () = {
            const fn has_role<T: $crate::$trait>() {}
            has_role::<$plugin>();
            #[cfg(target_family = "wasm")]
            type Bridge = $crate::glue::Bridge<$plugin>;
            #[cfg(target_family = "wasm")]
            $crate::bindings::$module::$export!(Bridge);
        };
    };
    ($other:ident, $plugin:ty) => {
        compile_error!(concat!(
            "`", stringify!($other), "` is no role; the roles are shape, guard, react, action, ",
            "sales_stages, buying_process, service_rules and integration"
        ));
    };
}
