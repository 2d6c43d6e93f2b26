//! Begins a plugin: a folder that builds and passes its tests at once.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use kjerne_core::Role;
use kjerne_host::{CONTRACT, Manifest};
use kjerne_model::{Field, FieldType, Kind, Schema, core_kinds};
use kjerne_workspace::error::{Context as _, Error, Result};

use super::build::checkout;

/// Names another SDK than that of the checkout this program was built from.
const SDK: &str = "KJERNE_SDK";

/// Every file of the template with its place in the plugin's folder.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.txt")),
    ("kjerne.toml", include_str!("template/kjerne.toml.txt")),
    ("settings.toml", include_str!("template/settings.toml.txt")),
    ("README.md", include_str!("template/README.md.txt")),
    ("src/lib.rs", include_str!("template/lib.rs.txt")),
    (".gitignore", "/target\n"),
];

/// What a role adds: source, manifest and a case, apart by lines of `----`.
fn part_of(role: Role) -> &'static str {
    match role {
        Role::Shape => include_str!("template/roles/shape.txt"),
        Role::Guard => include_str!("template/roles/guard.txt"),
        Role::React => include_str!("template/roles/react.txt"),
        Role::Action => include_str!("template/roles/action.txt"),
        Role::SalesStages => include_str!("template/roles/sales-stages.txt"),
        Role::BuyingProcess => include_str!("template/roles/buying-process.txt"),
        Role::ServiceRules => include_str!("template/roles/service-rules.txt"),
        Role::Integration => include_str!("template/roles/integration.txt"),
        Role::Schedule => include_str!("template/roles/schedule.txt"),
        Role::Prepare => include_str!("template/roles/prepare.txt"),
        Role::Report => include_str!("template/roles/report.txt"),
        Role::Panel => include_str!("template/roles/panel.txt"),
        Role::Scoring => include_str!("template/roles/scoring.txt"),
    }
}

/// A plugin to begin.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Its id, which is also the folder's name: `acme.credit-check`.
    pub id: String,
    /// What it does.
    pub roles: Vec<String>,
    /// The kind it is about.
    pub kind: String,
    /// Where the folder is put.
    pub into: PathBuf,
}

/// Makes the folder and says where it is.
///
/// # Errors
/// When the id, a role or the kind does not exist, or the folder is there already.
pub fn begin(args: &Beginning) -> Result<PathBuf> {
    let folder = args.into.join(&args.id);
    if folder.exists() {
        return Err(Error::refused(format!(
            "{} is there already; choose another id or --into",
            folder.display()
        )));
    }
    let plugin = Plan::new(args)?;
    for (place, content) in plugin.files() {
        write(&folder.join(place), &content)?;
    }
    Ok(folder)
}

fn write(file: &Path, content: &str) -> Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

/// What is to be made.
struct Plan {
    id: String,
    roles: Vec<Role>,
    kind: Kind,
    /// The text field the examples are about.
    field: Field,
    schema: Schema,
    sdk: PathBuf,
}

impl Plan {
    fn new(args: &Beginning) -> Result<Self> {
        let schema = Schema::new(core_kinds())?;
        let kind = schema.kind(&args.kind).ok_or_else(|| {
            let known: Vec<&str> = schema.kinds().map(|kind| kind.name.as_str()).collect();
            Error::unreadable(format!(
                "there is no kind {:?}; the kinds are {}",
                args.kind,
                known.join(", ")
            ))
        })?;
        let kind = Kind::clone(kind);
        let is_text = |field: &&Field| matches!(field.field_type, FieldType::Text { .. });
        let field = kind
            .fields
            .iter()
            .filter(is_text)
            .max_by_key(|field| field.required);
        let field = field
            .cloned()
            .with_context(|| format!("{} has no text field", kind.name))?;
        let mut roles = args
            .roles
            .iter()
            .map(|name| role(name))
            .collect::<Result<Vec<_>>>()?;
        roles.sort();
        roles.dedup();
        let sdk = env::var_os(SDK).map_or_else(|| checkout().join("sdk/rust"), PathBuf::from);
        if !sdk.join("Cargo.toml").is_file() {
            return Err(Error::unreadable(format!(
                "there is no SDK in {}; say where it is with {SDK}",
                sdk.display()
            )));
        }
        let plan = Self {
            id: args.id.clone(),
            roles,
            kind,
            field,
            schema,
            sdk,
        };
        Manifest::parse(&plan.filled(&plan.manifest()))
            .map_err(|error| Error::unreadable(error.to_string()))?;
        Ok(plan)
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> = FILES
            .iter()
            .map(|(place, template)| {
                let content = match *place {
                    "kjerne.toml" => self.manifest(),
                    "src/lib.rs" => self.source(template),
                    _ => (*template).to_owned(),
                };
                ((*place).to_owned(), self.filled(&content))
            })
            .collect();
        let cases = self.roles.iter().map(|role| {
            (
                format!("cases/{}.toml", role.name()),
                self.filled(self.parts(*role)[2].trim_start()),
            )
        });
        files.extend(cases);
        files
    }

    fn parts(&self, role: Role) -> [&'static str; 3] {
        let mut parts = part_of(role).split("\n----\n");
        std::array::from_fn(|_| parts.next().unwrap_or_default())
    }

    fn manifest(&self) -> String {
        let head = include_str!("template/kjerne.toml.txt").to_owned();
        let tables: String = self
            .roles
            .iter()
            .map(|role| format!("\n{}\n", self.parts(*role)[1].trim()))
            .collect();
        // A grant two roles ask for stands once.
        let (grants, others): (Vec<&str>, Vec<&str>) = tables
            .split("\n\n")
            .map(str::trim)
            .partition(|table| table.starts_with("[[grant]]"));
        let mut all = vec![head.trim().to_owned()];
        for table in others
            .into_iter()
            .chain(grants)
            .filter(|table| !table.is_empty())
        {
            if !all.iter().any(|there| there == table) {
                all.push(table.to_owned());
            }
        }
        all.join("\n\n") + "\n"
    }

    fn source(&self, head: &str) -> String {
        let parts: String = self
            .roles
            .iter()
            .map(|role| format!("{}\n\n", self.parts(*role)[0].trim()))
            .collect();
        let names: Vec<String> = self
            .roles
            .iter()
            .map(|role| role.name().replace('-', "_"))
            .collect();
        format!(
            "{}\n\n{parts}kjerne_sdk::plugin!(Plugin: {});\n",
            head.trim(),
            names.join(", ")
        )
    }

    fn filled(&self, template: &str) -> String {
        let roles: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        let mut given = String::new();
        self.example(&self.kind, "one", &mut given);
        template
            .replace("{{id}}", &self.id)
            .replace("{{crate}}", &self.id.replace('.', "-"))
            .replace("{{contract}}", CONTRACT)
            .replace("{{roles}}", &roles.join(", "))
            .replace("{{kind}}", &self.kind.name)
            .replace("{{field}}", &self.field.name)
            .replace("{{given}}", given.trim_end())
            .replace("{{sdk}}", &self.sdk.display().to_string())
    }

    /// A valid record of a kind as a line of a case, after those it refers to.
    fn example(&self, kind: &Kind, id: &str, lines: &mut String) {
        let mut fields = Vec::new();
        for field in kind
            .fields
            .iter()
            .filter(|field| field.required || field.name == self.field.name)
        {
            let text = match &field.field_type {
                FieldType::Reference(kinds) => {
                    let Some(target) = kinds.first().and_then(|name| self.schema.kind(name)) else {
                        continue;
                    };
                    let alias = format!("its-{}", target.name.replace([':', '_'], "-"));
                    self.example(target, &alias, lines);
                    format!("{}/{alias}", target.name)
                }
                FieldType::Choice(choices) => choices
                    .first()
                    .map_or_else(|| "any".to_owned(), |choice| choice.value.clone()),
                FieldType::Instant | FieldType::Date => "2026-01-05".to_owned(),
                FieldType::Integer | FieldType::Decimal => "1".to_owned(),
                FieldType::Money => "100.00 NOK".to_owned(),
                FieldType::Flag => "true".to_owned(),
                FieldType::Email => "example@example.com".to_owned(),
                FieldType::Url => "https://example.com".to_owned(),
                _ => "Example".to_owned(),
            };
            fields.push(format!("{} = \"{text}\"", field.name));
        }
        let fields = fields.join(", ");
        lines.push_str(&format!(
            "  {{ kind = \"{}\", id = \"{id}\", fields = {{ {fields} }} }},\n",
            kind.name
        ));
    }
}

fn role(name: &str) -> Result<Role> {
    Role::ALL
        .into_iter()
        .find(|role| role.name() == name.replace('_', "-"))
        .ok_or_else(|| {
            let known: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
            Error::unreadable(format!(
                "there is no role {name:?}; the roles are {}",
                known.join(", ")
            ))
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::cases;

    fn plan(roles: &[&str], kind: &str) -> Result<Plan> {
        Plan::new(&Beginning {
            id: "acme.example".into(),
            roles: roles.iter().map(|role| (*role).into()).collect(),
            kind: kind.into(),
            into: PathBuf::new(),
        })
    }

    #[test]
    fn every_role_comes_with_a_manifest_and_cases_that_can_be_read() {
        for role in Role::ALL {
            for kind in ["opportunity", "case", "activity"] {
                let files = plan(&[role.name()], kind).unwrap().files();
                let folder = tempfile::tempdir().unwrap();
                for (place, content) in &files {
                    assert!(
                        !content.contains("{{"),
                        "{place} has a place that was not filled"
                    );
                    write(&folder.path().join(place), content).unwrap();
                }
                let read = cases::read_all(folder.path()).unwrap();
                assert!(!read.is_empty() && read.iter().all(|(_, cases)| !cases.is_empty()));
            }
        }
    }

    #[test]
    fn a_grant_that_two_roles_ask_for_stands_once() {
        let files = plan(&["guard", "shape"], "case").unwrap().files();
        let manifest = &files
            .iter()
            .find(|(place, _)| place == "kjerne.toml")
            .unwrap()
            .1;
        let manifest = Manifest::parse(manifest).unwrap();
        let grants: Vec<String> = manifest
            .declared()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(grants, ["read:case.subject", "set:case.subject"]);
    }

    #[test]
    fn what_does_not_exist_is_told_with_what_does() {
        let told = |roles: &[&str], kind| plan(roles, kind).err().unwrap().to_string();
        assert!(told(&["gard"], "case").contains("guard"));
        assert!(told(&["guard"], "cases").contains("opportunity"));
    }
}
