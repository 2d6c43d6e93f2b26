//! A plugin's manifest: who it is, which roles it has, what it asks for.
//!
//! The manifest is data inside the component (`kjerne.toml`, in the section `kjerne:manifest`), so
//! that it can be read without running anything.

use std::collections::{BTreeMap, BTreeSet};

use kjerne_core::Role;
use kjerne_model::{Choice, FieldType, Name, shown};
use serde::Deserialize;

use crate::error::PackageError;
use crate::grants::Grant;
use crate::limits;

/// What a plugin says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Its id, `sales-stages` or `acme.credit-check`.
    pub id: String,
    /// Its version, `1.2.0`.
    pub version: String,
    /// Who made it, by the name their key is pinned to; none where nobody signs it.
    pub publisher: Option<String>,
    /// The contract version it was built for.
    pub contract: String,
    /// What people call it.
    pub label: String,
    /// What it does, in a sentence.
    pub description: String,
    /// Its roles, and the kinds it watches in each; none means every kind.
    pub roles: BTreeMap<Role, BTreeSet<Name>>,
    /// What it asks for, and why.
    pub grants: Vec<Declared>,
    /// Its commands.
    pub actions: Vec<Command>,
    /// The sources it takes messages from, as an integration.
    pub sources: Vec<String>,
    /// Whether it wants the answers to its messages.
    pub answers: bool,
}

/// One thing a plugin asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declared {
    /// What.
    pub allow: Grant,
    /// Why, for the administrator.
    pub reason: String,
    /// Whether the plugin does its work without it. One it needs it is not switched on without.
    pub optional: bool,
}

/// A command a plugin offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its name, `recalculate`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it takes.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether the command needs it.
    pub required: bool,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// [`PackageError::BadManifest`], with what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, PackageError> {
        let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string().trim()))?;
        check_id(&file.id)?;
        check_version("version", &file.version)?;
        check_version("contract", &file.contract)?;
        if let Some(publisher) = &file.publisher {
            check_publisher(publisher)?;
        }
        let roles = roles(file.roles)?;
        let integration = file.integration.unwrap_or_default();
        for source in &integration.sources {
            check_word("a source", source)?;
        }
        let manifest = Self {
            label: shown::plain(&file.label.unwrap_or_else(|| file.id.clone())),
            id: file.id,
            version: file.version,
            publisher: file.publisher,
            contract: file.contract,
            description: shown::plain(&file.description),
            grants: file
                .grant
                .into_iter()
                .map(|table| declared(&table))
                .collect::<Result<_, _>>()?,
            actions: file
                .action
                .into_iter()
                .map(command)
                .collect::<Result<_, _>>()?,
            sources: integration.sources,
            answers: integration.answers,
            roles,
        };
        manifest.check_parts()?;
        Ok(manifest)
    }

    /// The items it asks for, without the reasons.
    #[must_use]
    pub fn declared(&self) -> Vec<Grant> {
        self.grants
            .iter()
            .map(|declared| declared.allow.clone())
            .collect()
    }

    /// The items it does not do its work without.
    #[must_use]
    pub fn needed(&self) -> Vec<Grant> {
        let needed = self.grants.iter().filter(|declared| !declared.optional);
        needed.map(|declared| declared.allow.clone()).collect()
    }

    /// What can be granted as it is declared; wildcards must be named concretely first.
    #[must_use]
    pub fn grantable(&self) -> Vec<Grant> {
        self.declared()
            .into_iter()
            .filter(|item| !item.is_wildcard())
            .collect()
    }

    fn check_parts(&self) -> Result<(), PackageError> {
        if self.roles.is_empty() {
            return Err(wrong("it has no [roles.…]; declare at least one"));
        }
        if !self.actions.is_empty() && !self.roles.contains_key(&Role::Action) {
            return Err(wrong("it has an [[action]] but no [roles.action]"));
        }
        if !self.sources.is_empty() && !self.roles.contains_key(&Role::Integration) {
            return Err(wrong(
                "[integration] has sources, but there is no [roles.integration]",
            ));
        }
        let mut seen = BTreeSet::new();
        match self
            .actions
            .iter()
            .find(|action| !seen.insert(&action.name))
        {
            Some(twice) => Err(wrong(&format!("the action {} is there twice", twice.name))),
            None => Ok(()),
        }
    }
}

/// The manifest as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: String,
    publisher: Option<String>,
    contract: String,
    label: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    roles: BTreeMap<String, RoleTable>,
    #[serde(default)]
    grant: Vec<GrantTable>,
    #[serde(default)]
    action: Vec<ActionTable>,
    integration: Option<IntegrationTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleTable {
    #[serde(default)]
    kinds: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantTable {
    allow: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    optional: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionTable {
    name: String,
    label: Option<String>,
    #[serde(default)]
    parameters: Vec<ParameterTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterTable {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    required: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct IntegrationTable {
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    answers: bool,
}

fn wrong(why: &str) -> PackageError {
    PackageError::BadManifest(why.to_owned())
}

/// The kinds watched in each role.
fn roles(
    tables: BTreeMap<String, RoleTable>,
) -> Result<BTreeMap<Role, BTreeSet<Name>>, PackageError> {
    let mut roles = BTreeMap::new();
    for (name, table) in tables {
        let role = Role::ALL
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| {
                let known: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
                wrong(&format!(
                    "there is no role {name:?}; the roles are {}",
                    known.join(", ")
                ))
            })?;
        let kinds = table.kinds.iter().map(|kind| Name::new(kind));
        let kinds = kinds
            .collect::<Result<_, _>>()
            .map_err(|error| wrong(&format!("[roles.{name}] kinds: {error}")))?;
        roles.insert(role, kinds);
    }
    Ok(roles)
}

fn declared(table: &GrantTable) -> Result<Declared, PackageError> {
    let allow = Grant::parse(&table.allow).map_err(|error| wrong(&format!("[[grant]] {error}")))?;
    if table.reason.trim().is_empty() {
        return Err(wrong(&format!(
            "[[grant]] {allow} has no reason; the administrator must know why"
        )));
    }
    Ok(Declared {
        // Which places and secrets is said in the settings, and these may name none.
        optional: table.optional || allow.is_wildcard(),
        allow,
        reason: shown::plain(&table.reason),
    })
}

fn command(table: ActionTable) -> Result<Command, PackageError> {
    check_word("an action", &table.name)?;
    let parameters = table.parameters.into_iter().map(|parameter| {
        let field_type = parameter_type(&parameter.kind).ok_or_else(|| {
            wrong(&format!(
                "the parameter {} of {} has the type {:?}; the types are text, integer, decimal, \
                 money, date, instant, flag and reference:KIND",
                parameter.name, table.name, parameter.kind
            ))
        })?;
        Ok(Parameter {
            name: shown::plain(&parameter.name),
            field_type,
            required: parameter.required,
        })
    });
    Ok(Command {
        parameters: parameters.collect::<Result<_, PackageError>>()?,
        label: shown::plain(&table.label.unwrap_or_else(|| table.name.clone())),
        name: table.name,
    })
}

fn parameter_type(text: &str) -> Option<FieldType> {
    Some(match text {
        "text" => FieldType::Text {
            max_bytes: 64 << 10,
        },
        "integer" => FieldType::Integer,
        "decimal" => FieldType::Decimal,
        "money" => FieldType::Money,
        "date" => FieldType::Date,
        "instant" => FieldType::Instant,
        "flag" => FieldType::Flag,
        "choice" => FieldType::Choice(Vec::<Choice>::new()),
        _ => FieldType::Reference(vec![Name::new(text.strip_prefix("reference:")?).ok()?]),
    })
}

/// Small letters, digits and `-`; one owner may stand in front, `acme.credit-check`.
fn check_id(id: &str) -> Result<(), PackageError> {
    let parts: Vec<&str> = id.split('.').collect();
    if fits(id) && parts.len() <= 2 && parts.iter().all(|part| is_word(part)) {
        return Ok(());
    }
    Err(wrong(&format!(
        "id {id:?} is not made of small letters, digits and '-' with at most one owner in front, \
         such as acme.credit-check"
    )))
}

/// Checks the name of a publisher.
///
/// # Errors
/// [`PackageError::BadManifest`] when no publisher can be called so.
pub fn check_publisher(name: &str) -> Result<(), PackageError> {
    let fits = name.len() <= limits::PUBLISHER_NAME.count();
    if fits && name.split('.').all(is_word) {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(wrong(&format!(
        "publisher {shown:?} is not made of small letters, digits, '-' and '.', such as acme, in at most {} \
         bytes",
        limits::PUBLISHER_NAME.value
    )))
}

fn check_word(what: &str, text: &str) -> Result<(), PackageError> {
    if fits(text) && is_word(text) {
        return Ok(());
    }
    Err(wrong(&format!(
        "{what} is called {text:?}; use small letters, digits and '-'"
    )))
}

fn fits(name: &str) -> bool {
    name.len() <= limits::PLUGIN_NAME.count()
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_version(what: &str, text: &str) -> Result<(), PackageError> {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| part.parse::<u32>().is_ok_and(|n| n.to_string() == **part);
    let rest = text[core.len()..].bytes();
    let clean = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+');
    if fits(text) && numbers.len() == 3 && numbers.iter().all(is_number) && rest.clone().all(clean)
    {
        return Ok(());
    }
    Err(wrong(&format!(
        "{what} {text:?} is not a version such as 1.2.0"
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GOOD: &str = r#"
        id = "acme.credit-check"
        version = "0.1.0"
        contract = "0.2.0"
        label = "Credit check"
        description = "Refuses orders above the limit."
        [roles.guard]
        kinds = ["opportunity"]
        [roles.action]
        [[grant]]
        allow = "read:opportunity"
        reason = "To see the amount."
        [[action]]
        name = "recalculate"
        parameters = [{ name = "account", type = "reference:account", required = true }]
    "#;

    #[test]
    fn a_manifest_is_read_whole() {
        let manifest = Manifest::parse(GOOD).unwrap();
        assert_eq!(manifest.id, "acme.credit-check");
        assert!(manifest.roles[&Role::Guard].contains("opportunity"));
        assert!(manifest.roles[&Role::Action].is_empty());
        assert_eq!(manifest.grants[0].allow.to_string(), "read:opportunity");
        let parameter = &manifest.actions[0].parameters[0];
        assert!(parameter.required);
        assert_eq!(parameter.field_type.name(), "reference");
        assert_eq!(manifest.needed(), manifest.declared());
        assert_eq!(manifest.actions[0].label, "recalculate");
    }

    #[test]
    fn what_people_read_acts_on_no_screen() {
        let text = GOOD.replace("Credit check", "Credit\\u001b[2J\\u202echeck");
        assert_eq!(Manifest::parse(&text).unwrap().label, "Credit [2J check");
    }

    #[test]
    fn an_item_is_needed_unless_it_says_otherwise_or_is_a_wildcard() {
        let reason = "reason = \"To see the amount.\"";
        let optional = GOOD.replace(reason, &format!("{reason}\noptional = true"));
        assert!(Manifest::parse(&optional).unwrap().needed().is_empty());
        let wildcard = GOOD.replace("read:opportunity", "send:*");
        assert!(Manifest::parse(&wildcard).unwrap().needed().is_empty());
    }

    #[test]
    fn a_name_is_taken_to_the_number_and_not_beyond() {
        let most = limits::PLUGIN_NAME.count();
        let long = |bytes: usize| "x".repeat(bytes);
        let version = |bytes: usize| format!("1.2.0-{}", long(bytes - 6));
        let taken = |from: &str, to: &str| Manifest::parse(&GOOD.replace(from, to)).is_ok();
        for (bytes, expected) in [(most, true), (most + 1, false)] {
            assert_eq!(taken("acme.credit-check", &long(bytes)), expected, "id");
            assert_eq!(taken("recalculate", &long(bytes)), expected, "action");
            let from = "version = \"0.1.0\"\n        contract";
            let to = format!("version = {:?}\n        contract", version(bytes));
            assert!(GOOD.contains(from));
            assert_eq!(taken(from, &to), expected, "version");
        }
    }

    #[test]
    fn a_faulty_manifest_says_what_is_wrong() {
        let check = |from: &str, to: &str, expected: &str| {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "the case changes nothing");
            let message = Manifest::parse(&text).unwrap_err().to_string();
            assert!(
                message.contains(expected),
                "{message:?} does not tell {expected:?}"
            );
        };
        check("acme.credit-check", "Acme Credit", "small letters");
        check("acme.credit-check", "a.b.c", "owner");
        check("version = \"0.1.0\"", "version = \"1\"", "1.2.0");
        check("[roles.guard]", "[roles.gaurd]", "shape, guard, react");
        check("\"opportunity\"", "\"Opportunity\"", "roles.guard");
        check("read:opportunity", "see:opportunity", "a grant:");
        check("To see the amount.", "", "no reason");
        check("reference:account", "uuid", "the types are");
        check("[roles.action]", "", "[roles.action]");
        check("id =", "ident =", "ident");
        check(
            "name = \"recalculate\"",
            "name = \"Re calc\"",
            "small letters",
        );
    }

    #[test]
    fn a_publisher_is_called_by_so_many_bytes_and_no_other_letters() {
        let long = "a".repeat(limits::PUBLISHER_NAME.count());
        for (name, fits) in [
            ("acme", true),
            ("acme.no", true),
            ("acme-2", true),
            (long.as_str(), true),
            (&format!("{long}a"), false),
            ("", false),
            ("Acme", false),
            ("acme..no", false),
            ("2acme", false),
            ("ac me", false),
            ("ac:me", false),
        ] {
            assert_eq!(check_publisher(name).is_ok(), fits, "{name}");
        }
        let told = check_publisher("Acme").unwrap_err().to_string();
        assert!(told.contains("such as acme"), "{told}");
    }
}
