//! A plugin's manifest: who it is, which roles it has, what it asks for.
//!
//! The manifest is data inside the component (`kjerne.toml`, in the section `kjerne:manifest`), so
//! that it can be read without running anything.

use std::collections::{BTreeMap, BTreeSet};

use kjerne_core::Role;
use kjerne_cron::Timetable;
use kjerne_model::{Name, shown};
use serde::Deserialize;

use crate::error::PackageError;
use crate::grants::Grant;
use crate::knobs::{Knob, Numbers};
use crate::limits;
use crate::parameters::{Command, ParameterTable, parameters};
use crate::screens::{Panel, PanelTable, Report, ReportTable, panels, reports};
use crate::words::{check_word, fits, is_word, wrong};

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
    /// Its reports.
    pub reports: Vec<Report>,
    /// Its panels.
    pub panels: Vec<Panel>,
    /// What it does by the clock.
    pub jobs: Vec<Job>,
    /// The sources it takes messages from, as an integration.
    pub sources: Vec<String>,
    /// Whether it wants the answers to its messages.
    pub answers: bool,
    /// What its calls are to be allowed, where that is not the usual.
    pub limits: Numbers,
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

/// Something a plugin does by the clock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Its name, `daily-digest`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// When it is due.
    pub timetable: Timetable,
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
            reports: reports(file.report)?,
            panels: panels(file.panel)?,
            jobs: file.job.iter().map(job).collect::<Result<_, _>>()?,
            sources: integration.sources,
            answers: integration.answers,
            limits: asked_limits(&file.limits, &roles)?,
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
        for (role, table, found) in [
            (Role::Report, "[[report]]", !self.reports.is_empty()),
            (Role::Panel, "[[panel]]", !self.panels.is_empty()),
        ] {
            if self.roles.contains_key(&role) != found {
                let name = role.name();
                return Err(wrong(&format!(
                    "a {table} and [roles.{name}] belong together; it has one without the other"
                )));
            }
        }
        let mut seen = BTreeSet::new();
        match self
            .actions
            .iter()
            .find(|action| !seen.insert(&action.name))
        {
            Some(twice) => Err(wrong(&format!("the action {} is there twice", twice.name))),
            None => self.check_jobs(),
        }
    }

    /// A role without a job would never be called, and a job without the role could not be.
    fn check_jobs(&self) -> Result<(), PackageError> {
        match (
            self.jobs.is_empty(),
            self.roles.contains_key(&Role::Schedule),
        ) {
            (false, false) => return Err(wrong("it has a [[job]] but no [roles.schedule]")),
            (true, true) => return Err(wrong("it has [roles.schedule] but no [[job]]")),
            _ => {}
        }
        if self.jobs.len() > limits::JOBS.count() {
            return Err(wrong(&format!(
                "it has {} jobs, and may have {} (limit {})",
                self.jobs.len(),
                limits::JOBS.value,
                limits::JOBS.name
            )));
        }
        let mut seen = BTreeSet::new();
        match self.jobs.iter().find(|job| !seen.insert(&job.name)) {
            Some(twice) => Err(wrong(&format!("the job {} is there twice", twice.name))),
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
    #[serde(default)]
    report: Vec<ReportTable>,
    #[serde(default)]
    panel: Vec<PanelTable>,
    #[serde(default)]
    job: Vec<JobTable>,
    integration: Option<IntegrationTable>,
    #[serde(default)]
    limits: BTreeMap<String, BTreeMap<String, u64>>,
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
struct JobTable {
    name: String,
    label: Option<String>,
    cron: String,
    zone: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct IntegrationTable {
    #[serde(default)]
    sources: Vec<String>,
    #[serde(default)]
    answers: bool,
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

/// The limits asked for, by role.
fn asked_limits(
    tables: &BTreeMap<String, BTreeMap<String, u64>>,
    roles: &BTreeMap<Role, BTreeSet<Name>>,
) -> Result<Numbers, PackageError> {
    let mut limits = Numbers::new();
    for (name, table) in tables {
        let role = roles.keys().find(|role| role.name() == name);
        let role = role.filter(|role| **role != Role::Prepare);
        let Some(role) = role else {
            return Err(wrong(&format!(
                "[limits.{name}] is about no role of the plugin's whose limits can be set"
            )));
        };
        for (knob, number) in table {
            let knob = Knob::read(knob).map_err(|why| wrong(&format!("[limits.{name}] {why}")))?;
            if *number == 0 {
                let knob = knob.name();
                return Err(wrong(&format!("[limits.{name}] {knob} = 0 allows nothing")));
            }
            limits.insert((*role, knob), *number);
        }
    }
    Ok(limits)
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
    Ok(Command {
        parameters: parameters(&table.name, table.parameters)?,
        label: shown::plain(&table.label.unwrap_or_else(|| table.name.clone())),
        name: table.name,
    })
}

fn job(table: &JobTable) -> Result<Job, PackageError> {
    let name = &table.name;
    check_word("a job", name)?;
    let timetable = Timetable::parse(&table.cron, &table.zone);
    Ok(Job {
        label: shown::plain(table.label.as_ref().unwrap_or(name)),
        timetable: timetable.map_err(|error| wrong(&format!("the job {name}: {error}")))?,
        name: name.clone(),
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
    fn limits_are_asked_for_by_role_and_name() {
        let with = |more: &str| Manifest::parse(&format!("{GOOD}\n{more}"));
        let limits = with("[limits.guard]\nfuel = 5\nplaces = 2").unwrap().limits;
        let expected = [
            ((Role::Guard, Knob::Fuel), 5),
            ((Role::Guard, Knob::Places), 2),
        ];
        assert_eq!(limits, Numbers::from(expected));
        for (wrong, told) in [
            ("[limits.guard]\ngold = 5", "there are fuel, wall-time"),
            ("[limits.guard]\nfuel = 0", "allows nothing"),
            ("[limits.guard]\nfuel = -1", "fuel"),
            ("[limits.shape]\nfuel = 1", "no role of the plugin's"),
            ("[limits.prince]\nfuel = 1", "no role of the plugin's"),
        ] {
            let error = with(wrong).unwrap_err().to_string();
            assert!(error.contains(told), "{wrong}: {error}");
        }
        let prepared = GOOD.replace("[roles.action]", "[roles.action]\n[roles.prepare]");
        assert!(Manifest::parse(&format!("{prepared}\n[limits.prepare]\nfuel = 1")).is_err());
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
    fn jobs_are_taken_to_the_number_and_not_beyond() {
        let jobs = |count: usize| {
            let job = |number| {
                format!(
                    "[[job]]\nname = \"job-{number}\"\ncron = \"0 8 * * *\"\nzone = \"Europe/Oslo\"\n"
                )
            };
            let all: String = (0..count).map(job).collect();
            Manifest::parse(&GOOD.replace(
                "[roles.guard]",
                &format!("{all}[roles.schedule]\n[roles.guard]"),
            ))
        };
        let most = limits::JOBS.count();
        let manifest = jobs(most).unwrap();
        assert_eq!(manifest.jobs.len(), most);
        assert_eq!(manifest.jobs[0].label, "job-0");
        assert_eq!(manifest.jobs[0].timetable.zone(), "Europe/Oslo");
        assert!(
            jobs(most + 1)
                .unwrap_err()
                .to_string()
                .contains("limit jobs")
        );
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
        let job = |cron: &str, zone: &str| {
            format!(
                "[roles.schedule]\n[[job]]\nname = \"digest\"\ncron = {cron:?}\nzone = {zone:?}\n[roles.guard]"
            )
        };
        let good = job("0 8 * * 1-5", "Europe/Oslo");
        check(
            "[roles.guard]",
            &good.replace("[roles.schedule]\n", ""),
            "no [roles.schedule]",
        );
        check(
            "[roles.guard]",
            "[roles.schedule]\n[roles.guard]",
            "no [[job]]",
        );
        check(
            "[roles.guard]",
            &job("0 8 * * 1-8", "Europe/Oslo"),
            "the job digest: the day of the week",
        );
        check(
            "[roles.guard]",
            &job("0 8 * * *", "Europe/Olso"),
            "no time zone",
        );
        check(
            "[roles.guard]",
            &good.replace("\"digest\"", "\"Di gest\""),
            "small letters",
        );
        check(
            "[roles.guard]",
            &good.replace(
                "[roles.guard]",
                "[[job]]\nname = \"digest\"\ncron = \"0 9 * * *\"\nzone = \"UTC\"\n[roles.guard]",
            ),
            "there twice",
        );
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
