//! What a plugin is, asks for and may do, as data for a table and for JSON.

use std::collections::BTreeSet;

use kjerne_core::Role;
use kjerne_host::Declared;
use kjerne_host::Package;
use kjerne_host::grants::Grant;
use kjerne_host::limits::Budget;
use kjerne_model::Name;
use kjerne_store::registry::PluginRow;
use serde_json::{Value as Json, json};

use crate::output::Report;
use crate::shelf;
use crate::wire;

/// A plugin looked at: its file, and its row when it is installed.
pub struct Inspected<'a> {
    /// The file.
    pub package: &'a Package,
    /// What the administrator has set.
    pub row: Option<&'a PluginRow>,
    /// The interfaces bound to it.
    pub bound: Vec<String>,
    /// The versions that are kept beside the one in use.
    pub kept: Vec<String>,
}

impl Inspected<'_> {
    fn is_granted(&self, item: &Grant) -> Option<bool> {
        let missing = shelf::missing(self.package, self.row?);
        Some(!missing.contains(item))
    }

    /// Everything, as JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        let manifest = &self.package.manifest;
        let mut json = self.row.map_or_else(|| json!({}), wire::plugin_row);
        json["id"] = json!(manifest.id);
        json["version"] = json!(manifest.version);
        json["contract"] = json!(manifest.contract);
        json["label"] = json!(manifest.label);
        json["description"] = json!(manifest.description);
        json["installed"] = json!(self.row.is_some());
        json["bytes"] = json!(self.package.bytes().len());
        json["roles"] = self.roles();
        json["declared"] = self.declared();
        json["bound"] = json!(self.bound);
        json["kept"] = json!(self.kept);
        json["actions"] = self.actions();
        json["sources"] = json!(manifest.sources);
        json["imports"] = json!(imports(self.package));
        json
    }

    fn roles(&self) -> Json {
        let roles = self.package.manifest.roles.iter().map(|(role, kinds)| {
            let budget = Budget::of(*role, 1, 20);
            json!({
                "role": role.name(),
                "kinds": kinds.iter().map(Name::as_str).collect::<Vec<_>>(),
                "limits": {
                    "fuel": budget.fuel,
                    "wall_ms": budget.wall_ms,
                    "memory": budget.memory,
                    "host_calls": budget.host_calls,
                },
            })
        });
        roles.collect()
    }

    fn declared(&self) -> Json {
        let declared = self.package.manifest.grants.iter().map(|declared| {
            json!({
                "allow": declared.allow.to_string(),
                "reason": declared.reason,
                "granted": self.is_granted(&declared.allow),
            })
        });
        declared.collect()
    }

    fn actions(&self) -> Json {
        let actions = self.package.manifest.actions.iter().map(|action| {
            let parameters = action.parameters.iter().map(|parameter| {
                json!({
                    "name": parameter.name,
                    "type": parameter.field_type.name(),
                    "required": parameter.required,
                })
            });
            json!({
                "name": action.name,
                "label": action.label,
                "parameters": parameters.collect::<Vec<_>>(),
            })
        });
        actions.collect()
    }

    /// What a grant is worth that no declaration names word for word.
    fn beside(&self, item: &str) -> String {
        let granted = Grant::parse(item).ok();
        let covers =
            |declared: &Declared| granted.as_ref().is_some_and(|g| declared.allow.covers(g));
        if self.package.manifest.grants.iter().any(covers) {
            "granted".to_owned()
        } else {
            "granted to another version; this one does not ask for it, so it has no effect"
                .to_owned()
        }
    }

    /// The same for reading.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut line = |name: &str, value: String| rows.push(vec![name.to_owned(), value]);
        let manifest = &self.package.manifest;
        line("plugin", format!("{} {}", manifest.id, manifest.version));
        line("what it does", manifest.description.clone());
        line("contract", manifest.contract.clone());
        line("size", format!("{} bytes", self.package.bytes().len()));
        line("state", self.state());
        if !self.kept.is_empty() {
            line("kept versions", self.kept.join(", "));
        }
        for (role, kinds) in &manifest.roles {
            line(&format!("role {}", role.name()), self.role(*role, kinds));
        }
        for declared in &manifest.grants {
            let granted = match self.is_granted(&declared.allow) {
                Some(true) => "granted",
                Some(false) => "not granted",
                None => "asked for",
            };
            line(
                &declared.allow.to_string(),
                format!("{granted}: {}", declared.reason),
            );
        }
        for item in self.row.iter().flat_map(|row| &row.grants) {
            let named = |declared: &Declared| declared.allow.to_string() == *item;
            if !manifest.grants.iter().any(named) {
                line(item, self.beside(item));
            }
        }
        for action in &manifest.actions {
            line(&format!("action {}", action.name), action.label.clone());
        }
        for source in &manifest.sources {
            let address = format!("POST /v1/integrations/{}/{source}", manifest.id);
            line(&format!("source {source}"), address);
        }
        line("imports", imports(self.package).join(", "));
        Report::new(&["what", "about it"], rows, self.json())
    }

    fn state(&self) -> String {
        match self.row {
            None => "not installed".to_owned(),
            Some(row) if row.enabled && self.bound.is_empty() => "on".to_owned(),
            Some(row) if row.enabled => format!("on, bound to {}", self.bound.join(", ")),
            Some(_) => "off".to_owned(),
        }
    }

    fn role(&self, role: Role, kinds: &BTreeSet<Name>) -> String {
        let budget = Budget::of(role, 1, 20);
        let kinds: Vec<&str> = kinds.iter().map(Name::as_str).collect();
        let kinds = if kinds.is_empty() {
            "every kind".to_owned()
        } else {
            kinds.join(", ")
        };
        format!("{kinds}; fuel {}, {} MiB", budget.fuel, budget.memory >> 20)
    }
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
