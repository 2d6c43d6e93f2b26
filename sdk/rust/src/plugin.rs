//! [`plugin!`](crate::plugin), which makes a type a plugin.

/// Exports a type as a plugin with the roles named: `prepare`, `shape`, `guard`, `react`, `action`,
/// `sales_stages`, `buying_process`, `service_rules`, `schedule`, `integration`, `report`, `panel`, `scoring`.
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
    (prepare, $plugin:ty) => {
        $crate::__export_role!(@ prepare, export_prepare, Prepare, $plugin);
    };
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
    (schedule, $plugin:ty) => {
        $crate::__export_role!(@ schedule, export_schedule, Schedule, $plugin);
    };
    (integration, $plugin:ty) => {
        $crate::__export_role!(@ integration, export_integration, Integration, $plugin);
    };
    (report, $plugin:ty) => {
        $crate::__export_role!(@ report, export_report, Report, $plugin);
    };
    (panel, $plugin:ty) => {
        $crate::__export_role!(@ panel, export_panel, Panel, $plugin);
    };
    (scoring, $plugin:ty) => {
        $crate::__export_role!(@ scoring, export_scoring, Scoring, $plugin);
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
            "`", stringify!($other), "` is no role; the roles are prepare, shape, guard, react, action, ",
            "sales_stages, buying_process, service_rules, schedule, integration, report, panel and scoring"
        ));
    };
}
