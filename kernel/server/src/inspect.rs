//! What a plugin is, asks for and may do.

use std::sync::Arc;

use kjerne_host::grants::Grant;
use kjerne_host::knobs::Knobs;
use kjerne_host::limits::Budget;
use kjerne_host::parameters::type_word;
use kjerne_host::screens::Report;
use kjerne_host::signing::PublicKey;
use kjerne_host::{Package, Parameter};
use kjerne_model::{Name, PersonalData, Schema};
use kjerne_store::registry::PluginRow;
use kjerne_store::{KeyStanding, Signer};
use serde_json::{Value as Json, json};

use kjerne_workspace::Result;
use kjerne_workspace::grants::{all_unknown, group};
use kjerne_workspace::plugin_registry::{INTERFACES, Made, PluginRegistry, missing, set_limits};

/// A plugin looked at: its file, and its row when it is installed.
pub struct Inspected {
    package: Arc<Package>,
    row: Option<PluginRow>,
    bound: Vec<String>,
    kept: Vec<String>,
    made: Option<Made>,
}

/// The installed plugins, each with the versions that are kept beside the one in use.
///
/// # Errors
/// When the store or the folder of the files cannot be read.
pub fn listed(plugins: PluginRegistry<'_>) -> Result<Vec<Json>> {
    let rows = plugins.rows()?;
    let one = |row: &PluginRow| {
        let mut json = kjerne_wire::plugin_row(row);
        made(&mut json, &plugins.made(row)?);
        json["kept"] = json!(plugins.kept(row)?);
        Ok(json)
    };
    rows.iter().map(one).collect()
}

/// Adds who made a plugin, and what waits to take its place.
pub(crate) fn made(json: &mut Json, made: &Made) {
    json["signature"] = signature(made.signer.as_ref(), made.standing);
    json["waiting"] = json!(made.waiting);
}

/// Who signed a file, and what their key is worth.
pub(crate) fn signature(signer: Option<&Signer>, standing: Option<KeyStanding>) -> Json {
    let Some(signer) = signer else {
        return json!({ "standing": "unsigned" });
    };
    json!({
        "standing": standing.map(standing_name),
        "publisher": signer.publisher,
        "key": signer.key,
        "fingerprint": fingerprint(&signer.key),
    })
}

/// What a key is worth, in a word.
pub(crate) fn standing_name(standing: KeyStanding) -> &'static str {
    match standing {
        KeyStanding::Trusted => "trusted",
        KeyStanding::Succeeded => "succeeded",
        KeyStanding::Revoked => "revoked",
    }
}

/// The fingerprint of a key that was read before.
pub(crate) fn fingerprint(key: &str) -> Option<String> {
    PublicKey::parse(key).ok().map(|key| key.fingerprint())
}

impl Inspected {
    /// A file that need not be installed.
    #[must_use]
    pub fn of_file(package: Package) -> Self {
        Self {
            package: Arc::new(package),
            row: None,
            made: None,
            bound: Vec::new(),
            kept: Vec::new(),
        }
    }

    /// An installed plugin.
    ///
    /// # Errors
    /// When there is no such plugin or its file is gone.
    pub fn installed(plugins: PluginRegistry<'_>, id: &str) -> Result<Self> {
        let row = plugins.row(id)?;
        let package = plugins.package(&row)?;
        let mut bound = Vec::new();
        for role in INTERFACES {
            if plugins.binding(role)?.as_deref() == Some(id) {
                bound.push(role.name().to_owned());
            }
        }
        Ok(Self {
            package,
            kept: plugins.kept(&row)?,
            made: Some(plugins.made(&row)?),
            row: Some(row),
            bound,
        })
    }

    fn is_granted(&self, item: &Grant) -> Option<bool> {
        let missing = missing(&self.package, self.row.as_ref()?);
        Some(!missing.contains(item))
    }

    /// Everything, as JSON; which fields are personal data the kinds say.
    #[must_use]
    pub fn json(&self, schema: &Schema) -> Json {
        let manifest = &self.package.manifest;
        let mut json = self
            .row
            .as_ref()
            .map_or_else(|| json!({}), kjerne_wire::plugin_row);
        json["id"] = json!(manifest.id);
        json["version"] = json!(manifest.version);
        json["publisher"] = json!(manifest.publisher);
        json["contract"] = json!(manifest.contract);
        if let Some(one) = &self.made {
            made(&mut json, one);
        }
        json["label"] = json!(manifest.label);
        json["description"] = json!(manifest.description);
        json["installed"] = json!(self.row.is_some());
        json["bytes"] = json!(self.package.bytes().len());
        json["roles"] = self.roles();
        json["declared"] = self.declared(schema);
        json["bound"] = json!(self.bound);
        json["kept"] = json!(self.kept);
        json["actions"] = self.actions();
        json["reports"] = self.reports();
        json["panels"] = self.panels();
        json["jobs"] = manifest.jobs.iter().map(crate::jobs::declared).collect();
        json["sources"] = json!(manifest.sources);
        json["imports"] = json!(imports(&self.package));
        json["without_effect"] = json!(self.without_effect());
        json["unknown"] = json!(all_unknown(schema, &self.package));
        json
    }

    /// What was granted and nothing this version declares covers.
    fn without_effect(&self) -> Vec<&str> {
        let covered = |item: &str| {
            Grant::parse(item).is_ok_and(|granted| {
                let mut declared = self.package.manifest.grants.iter();
                declared.any(|declared| declared.allow.covers(&granted))
            })
        };
        let grants = self.row.iter().flat_map(|row| &row.grants);
        let items = grants.map(String::as_str);
        items.filter(|item| !covered(item)).collect()
    }

    fn roles(&self) -> Json {
        let set = self.row.as_ref().map(|row| set_limits(&row.limits));
        let knobs = Knobs::of(&self.package.manifest.limits, &set.unwrap_or_default());
        let roles = self.package.manifest.roles.iter().map(|(role, kinds)| {
            let budget = knobs.within(*role, Budget::of(*role, 1, 20));
            json!({
                "role": role.name(),
                "kinds": kinds.iter().map(Name::as_str).collect::<Vec<_>>(),
                "limits": {
                    "fuel": budget.fuel,
                    "wall_ms": budget.wall_ms,
                    "memory": budget.memory,
                    "host_calls": budget.host_calls,
                    "rows": budget.rows,
                    "read": budget.read,
                    "output": budget.output,
                },
            })
        });
        roles.collect()
    }

    fn declared(&self, schema: &Schema) -> Json {
        let declared = self.package.manifest.grants.iter().map(|declared| {
            json!({
                "allow": declared.allow.to_string(),
                "reason": declared.reason,
                "group": group(&declared.allow),
                "optional": declared.optional,
                "personal": personal(schema, &declared.allow),
                "granted": self.is_granted(&declared.allow),
            })
        });
        declared.collect()
    }

    fn actions(&self) -> Json {
        let actions = self.package.manifest.actions.iter().map(|action| {
            json!({
                "name": action.name,
                "label": action.label,
                "parameters": parameters(&action.parameters),
            })
        });
        actions.collect()
    }

    fn reports(&self) -> Json {
        let (manifest, one) = (&self.package.manifest, report);
        let reports = manifest.reports.iter();
        reports.map(|report| one(&manifest.id, report)).collect()
    }

    fn panels(&self) -> Json {
        let panels = self.package.manifest.panels.iter().map(|panel| {
            json!({
                "name": panel.name,
                "label": panel.label,
                "kinds": panel.kinds.iter().map(Name::as_str).collect::<Vec<_>>(),
                "today": panel.today,
            })
        });
        panels.collect()
    }
}

fn parameters(parameters: &[Parameter]) -> Json {
    let one = |parameter: &Parameter| {
        json!({
            "name": parameter.name,
            "type": type_word(&parameter.field_type),
            "required": parameter.required,
        })
    };
    parameters.iter().map(one).collect()
}

/// A report of a plugin, as it is declared.
pub(crate) fn report(plugin: &str, report: &Report) -> Json {
    let columns = report.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "label": column.label,
            "type": type_word(&column.field_type),
        })
    });
    let chart = report.chart.as_ref();
    let chart = chart.map(|one| json!({ "kind": one.kind, "x": one.x, "series": one.series }));
    json!({
        "plugin": plugin,
        "name": report.name,
        "label": report.label,
        "parameters": parameters(&report.parameters),
        "columns": columns.collect::<Vec<_>>(),
        "chart": chart,
    })
}

/// The personal data an item lets a plugin read, by field; empty for what reads none.
fn personal(schema: &Schema, item: &Grant) -> Vec<Json> {
    let Grant::Read(kind, wanted) = item else {
        return Vec::new();
    };
    let fields = schema.kind(kind).into_iter().flat_map(|kind| &kind.fields);
    let meant = fields.filter(|field| wanted.as_ref().is_none_or(|wanted| *wanted == field.name));
    let personal = meant.filter(|field| field.personal != PersonalData::None);
    personal
        .map(|field| json!({ "field": field.name.as_str(), "class": field.personal.name() }))
        .collect()
}

/// The interfaces a component imports.
fn imports(package: &Package) -> Vec<String> {
    // The package was checked when it was read; what cannot be shown here is shown as nothing.
    let Ok(decoded) = wit_component::decode(package.bytes()) else {
        return Vec::new();
    };
    let resolve = decoded.resolve();
    let worlds = resolve.worlds.iter();
    let imports = worlds.flat_map(|(_, world)| world.imports.keys());
    imports.map(|key| resolve.name_world_key(key)).collect()
}
