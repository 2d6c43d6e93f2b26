//! What wit-bindgen makes of the contract: one module per role world, all sharing the types and
//! imports of [`imports`]. A world's exports are linked only into plugins that use its export macro,
//! so a component exports the roles it has and no others.
#![allow(missing_docs, clippy::all, clippy::pedantic)]

/// Types and host functions, without any role.
pub mod imports {
    wit_bindgen::generate!({
        path: "../../wit/v0.2.0",
        world: "imports",
        runtime_path: "::kjerne_sdk::wit_bindgen::rt",
        additional_derives: [PartialEq, Eq, Hash],
        generate_all,
    });
}

macro_rules! role {
    ($module:ident, $world:literal, $export:literal, $path:literal) => {
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit/v0.2.0",
                world: $world,
                runtime_path: "::kjerne_sdk::wit_bindgen::rt",
                pub_export_macro: true,
                export_macro_name: $export,
                default_bindings_module: $path,
                additional_derives: [PartialEq, Eq],
                with: {
                    "kjerne:crm/types@0.2.0": crate::bindings::imports::kjerne::crm::types,
                    "kjerne:crm/records@0.2.0": crate::bindings::imports::kjerne::crm::records,
                    "kjerne:crm/log@0.2.0": crate::bindings::imports::kjerne::crm::log,
                    "kjerne:crm/settings@0.2.0": crate::bindings::imports::kjerne::crm::settings,
                    "kjerne:crm/state@0.2.0": crate::bindings::imports::kjerne::crm::state,
                    "kjerne:crm/time@0.2.0": crate::bindings::imports::kjerne::crm::time,
                },
            });
        }
    };
}

role!(
    prepare,
    "prepare-plugin",
    "export_prepare",
    "kjerne_sdk::bindings::prepare"
);
role!(
    shape,
    "shape-plugin",
    "export_shape",
    "kjerne_sdk::bindings::shape"
);
role!(
    guard,
    "guard-plugin",
    "export_guard",
    "kjerne_sdk::bindings::guard"
);
role!(
    react,
    "react-plugin",
    "export_react",
    "kjerne_sdk::bindings::react"
);
role!(
    action,
    "action-plugin",
    "export_action",
    "kjerne_sdk::bindings::action"
);
role!(
    sales_stages,
    "sales-stages-plugin",
    "export_sales_stages",
    "kjerne_sdk::bindings::sales_stages"
);
role!(
    buying_process,
    "buying-process-plugin",
    "export_buying_process",
    "kjerne_sdk::bindings::buying_process"
);
role!(
    service_rules,
    "service-rules-plugin",
    "export_service_rules",
    "kjerne_sdk::bindings::service_rules"
);
role!(
    schedule,
    "schedule-plugin",
    "export_schedule",
    "kjerne_sdk::bindings::schedule"
);
role!(
    integration,
    "integration-plugin",
    "export_integration",
    "kjerne_sdk::bindings::integration"
);
role!(
    report,
    "report-plugin",
    "export_report",
    "kjerne_sdk::bindings::report"
);
role!(
    panel,
    "panel-plugin",
    "export_panel",
    "kjerne_sdk::bindings::panel"
);
role!(
    scoring,
    "scoring-plugin",
    "export_scoring",
    "kjerne_sdk::bindings::scoring"
);
