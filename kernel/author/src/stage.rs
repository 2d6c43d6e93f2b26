//! Where a case is played: a memory store, the kernel, and the one plugin in the real host.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use kjerne_core::{Kernel, PluginInfo, Plugins as _, Role};
use kjerne_host::grants::Grant;
use kjerne_host::knobs::Numbers;
use kjerne_host::{Host, HostOptions, Installed, Package};
use kjerne_model::{
    Change, Field, FieldType, Fields, Instant, Kind, Name, Patch, Record, RecordId,
};
use kjerne_model::{Reference, Refusal, Schema, Target, core_kinds};
use kjerne_store::{MemoryStore, OutboxRow, Store, outbox, records};

use super::cases::{Case, Do, Texts};
use super::given;
use super::meter::Usage;
use kjerne_workspace::error::{Context as _, Error, Result};
use kjerne_workspace::plugin_registry::INTERFACES;

/// What all cases of a plugin share.
pub struct Bench {
    package: Arc<Package>,
    host: Arc<Host>,
    schema: Arc<Schema>,
    usage: Arc<Mutex<Usage>>,
}

impl Bench {
    /// Starts the real host with production limits.
    pub fn new(package: Package) -> Result<Self> {
        let schema = Arc::new(Schema::new(core_kinds())?);
        let host = Arc::new(Host::new(HostOptions {
            cache_dir: None,
            cache_key: [0; 32],
            max_concurrent: 2,
            schema: Arc::clone(&schema),
            seed: 1,
        })?);
        let usage = Arc::new(Mutex::new(Usage::default()));
        let watcher = Arc::clone(&usage);
        host.on_call(move |stats| {
            watcher
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .add(stats);
        });
        Ok(Self {
            package: Arc::new(package),
            host,
            schema,
            usage,
        })
    }

    /// What the calls used since this was last asked.
    pub fn usage(&self) -> Usage {
        std::mem::take(&mut *self.usage.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The plugin's log since it was last cleared, as `level: text`.
    pub fn log(&self) -> Vec<String> {
        let lines = self.host.logs(&self.package.manifest.id);
        lines
            .into_iter()
            .map(|line| format!("{}: {}", line.level, line.message))
            .collect()
    }

    /// The manifest's declarations and what the settings name: everything an administrator would
    /// have granted for this case.
    fn grants(&self, case: &Case, settings: &str) -> Result<Vec<String>> {
        let manifest = &self.package.manifest;
        let mut grants: Vec<String> = manifest
            .grantable()
            .iter()
            .map(ToString::to_string)
            .collect();
        let declared = manifest.declared();
        let covered = |grant: &Grant| declared.iter().any(|wider| wider.covers(grant));
        let settings: toml::Table = toml::from_str(settings).context("the case's settings")?;
        let named = named_in(&toml::Value::Table(settings));
        let named = named
            .iter()
            .filter_map(|text| Grant::parse(text).ok())
            .filter(covered);
        grants.extend(named.map(|grant| grant.to_string()));
        for text in &case.grants {
            let grant = Grant::parse(text)?;
            grants.push(grant.to_string());
        }
        Ok(grants)
    }

    fn installed(&self, case: &Case) -> Result<Installed> {
        let manifest = &self.package.manifest;
        let settings = case
            .settings
            .clone()
            .unwrap_or_else(|| self.package.settings.clone());
        let bound = |role: &Role| INTERFACES.contains(role);
        Ok(Installed {
            package: Arc::clone(&self.package),
            grants: self.grants(case, &settings)?,
            settings,
            revision: 1,
            position: 1,
            enabled: true,
            bound: manifest.roles.keys().copied().filter(bound).collect(),
            // What the manifest asks for holds; nobody has set anything else.
            limits: Numbers::new(),
            lets_pass: false,
        })
    }
}

/// Grants for the addresses and secrets that settings name.
fn named_in(settings: &toml::Value) -> Vec<String> {
    let texts = |value: &toml::Value, secret: bool| match value {
        toml::Value::String(text) if secret => vec![format!("secret:{text}")],
        toml::Value::String(text) => origin(text)
            .map(|origin| format!("send:{origin}"))
            .into_iter()
            .collect(),
        other => named_in(other),
    };
    match settings {
        toml::Value::Table(table) => table
            .iter()
            .flat_map(|(name, value)| texts(value, name.contains("secret")))
            .collect(),
        toml::Value::Array(list) => list.iter().flat_map(|value| texts(value, false)).collect(),
        _ => Vec::new(),
    }
}

/// Scheme, host and port of an address.
fn origin(text: &str) -> Option<String> {
    let (scheme, rest) = text.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{host}"))
}

/// One case's workspace.
pub struct Stage<'a> {
    pub host: &'a Arc<Host>,
    pub kernel: Kernel,
    pub package: &'a Package,
    schema: &'a Schema,
    store: Arc<MemoryStore>,
    ids: BTreeMap<String, Reference>,
}

impl<'a> Stage<'a> {
    /// Sets the stage for a case: the plugin with the case's settings, and the records given.
    pub fn set(bench: &'a Bench, case: &Case) -> Result<Self> {
        bench.host.replace(vec![bench.installed(case)?])?;
        // What the cases before expected to break says nothing about this one.
        bench.host.resume(&bench.package.manifest.id);
        let store = Arc::new(MemoryStore::new());
        let plugins = Arc::clone(&bench.host);
        let kernel = Kernel::new(store.clone(), Arc::clone(&bench.schema), plugins, 1)?;
        let mut stage = Self {
            host: &bench.host,
            kernel,
            package: &bench.package,
            schema: &bench.schema,
            store,
            ids: BTreeMap::new(),
        };
        stage.name_records(case)?;
        stage.store_given(case)?;
        Ok(stage)
    }

    /// Gives every record the case names an id: ids sort in the order the names first appear.
    fn name_records(&mut self, case: &Case) -> Result<()> {
        let given = case.given.iter().map(|given| (&given.kind, &given.id));
        let created = case.steps.iter().flat_map(|step| &step.changes);
        let created = created.filter_map(|change| Some((change.create.as_ref()?, &change.id)));
        for (place, (kind, alias)) in given.chain(created).enumerate() {
            let kind = Name::new(kind)?;
            let id = RecordId::v7(first_day().plus_millis(place as i64), place as u128);
            if self
                .ids
                .insert(alias.clone(), Reference::new(kind, id))
                .is_some()
            {
                return Err(Error::unreadable(format!(
                    "two records are called {alias:?}"
                )));
            }
        }
        Ok(())
    }

    fn store_given(&self, case: &Case) -> Result<()> {
        let named = case.given.iter().map(|given| self.record(&given.id));
        let there = named.map(Result::<&_, _>::cloned).collect::<Result<_>>()?;
        let mut all = given::Given::new(&there, &self.store);
        for given in &case.given {
            let kind = self.kind(&given.kind)?;
            let patch = self.patch(kind, &given.fields)?.map_err(|refusals| {
                Error::unreadable(format!("given {}: {}", given.id, sentences(&refusals)))
            })?;
            let record = Record {
                kind: kind.name.clone(),
                id: self.record(&given.id)?.id,
                version: 1,
                created_at: first_day(),
                updated_at: first_day(),
                fields: held(patch),
            };
            all.check(&given.id, kind, &record)?;
            self.store
                .write(&mut |write| records::insert(write, kind, &record))?;
        }
        all.check_circles()
    }

    fn kind(&self, name: &str) -> Result<&Kind> {
        let kind = self.schema.kind(name);
        kind.map(|kind| &**kind)
            .with_context(|| format!("there is no kind {name:?}"))
    }

    /// The record a case calls `alias`, or `kind/alias`.
    pub fn record(&self, alias: &str) -> Result<&Reference> {
        let (kind, name) = alias
            .split_once('/')
            .map_or((None, alias), |(kind, name)| (Some(kind), name));
        let found = self
            .ids
            .get(name)
            .with_context(|| format!("no record is called {name:?}"))?;
        match kind {
            Some(kind) if found.kind.as_str() != kind => Err(Error::unreadable(format!(
                "{name:?} is a record of kind {}, not {kind}",
                found.kind
            ))),
            _ => Ok(found),
        }
    }

    /// A text in which a record's name has become its id, when that is what it is.
    pub fn resolved(&self, text: &str) -> String {
        self.record(text)
            .map_or_else(|_| text.to_owned(), ToString::to_string)
    }

    /// A value of a case file as a field of this type takes it.
    pub fn text(&self, field_type: Option<&FieldType>, value: &toml::Value) -> String {
        match (field_type, plain(value)) {
            (Some(FieldType::Reference(_)), text) => self.resolved(&text),
            (_, text) => text,
        }
    }

    /// Field values of a case file as a patch, or why they are none.
    fn patch(
        &self,
        kind: &Kind,
        texts: &Texts,
    ) -> Result<std::result::Result<Patch, Vec<Refusal>>> {
        let typed = |(name, value): (&String, &toml::Value)| {
            let field_type = kind.field(name).map(|field: &Field| &field.field_type);
            (name.clone(), self.text(field_type, value))
        };
        let texts: Vec<(String, String)> = texts.iter().map(typed).collect();
        Ok(kjerne_wire::patch_of_text(kind, &texts))
    }

    /// A change of a case file as the kernel takes it, or why it is none.
    pub fn change(&self, wanted: &Do) -> Result<std::result::Result<Change, Vec<Refusal>>> {
        let Reference { kind, id } = self.record(&wanted.id)?.clone();
        let target = || Target {
            kind: kind.clone(),
            id,
            expected: None,
        };
        let described = self.kind(&kind)?;
        let patch = match self.patch(described, &wanted.set)? {
            Ok(patch) => patch,
            Err(refusals) => return Ok(Err(refusals)),
        };
        Ok(Ok(match (&wanted.create, &wanted.update, &wanted.delete) {
            (Some(_), None, None) => Change::Create {
                kind,
                id: Some(id),
                fields: held(patch),
            },
            (None, Some(named), None) if *named == *kind => Change::Update {
                target: target(),
                patch,
            },
            (None, None, Some(named)) if *named == *kind => Change::Delete { target: target() },
            _ => {
                return Err(Error::unreadable(format!(
                    "a change of {:?} needs one of create, update and delete, with the record's kind",
                    wanted.id
                )));
            }
        }))
    }

    /// What a record holds now; `task#2` is the second task there is.
    pub fn look_up(&self, alias: &str) -> Result<Option<Record>> {
        let Some((kind, place)) = alias.split_once('#') else {
            let reference = self.record(alias)?;
            return Ok(self.kernel.get(&reference.kind, reference.id)?);
        };
        let place: usize = place
            .parse()
            .map_err(|_| Error::unreadable(format!("{alias:?} is not like task#1")))?;
        Ok(self.all(kind)?.into_iter().nth(place.saturating_sub(1)))
    }

    /// All records of a kind, in the order they were created.
    pub fn all(&self, kind: &str) -> Result<Vec<Record>> {
        self.kind(kind)?;
        let mut all = Vec::new();
        records::scan(&*self.store.snapshot()?, kind, None, &mut |record| {
            all.push(record);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// What a field may hold.
    pub fn field_type(&self, kind: &str, field: &str) -> Result<&FieldType> {
        let field = self
            .kind(kind)?
            .field(field)
            .with_context(|| format!("{kind} has no field {field:?}"))?;
        Ok(&field.field_type)
    }

    /// The messages behind a place of the outbox.
    pub fn messages(&self, after: u64) -> Result<Vec<OutboxRow>> {
        let mut rows = Vec::new();
        outbox::list(&*self.store.snapshot()?, after, &mut |row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(rows)
    }

    /// The plugin in one of its roles.
    pub fn plugin(&self, role: Role) -> Result<Arc<PluginInfo>> {
        let found = self.host.with_role(role).into_iter().next();
        found.with_context(|| format!("the plugin does not have the role {}", role.name()))
    }
}

/// When the records given were created.
fn first_day() -> Instant {
    Instant::parse("2026-01-01").unwrap_or_default()
}

fn held(patch: Patch) -> Fields {
    patch
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// A TOML value in the form of the command line.
pub fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

/// Refusals in one line.
pub fn sentences(refusals: &[Refusal]) -> String {
    refusals
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
