//! A kernel in memory with built plugins in the real host, under the limits of production.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use kjerne_core::{Kernel, Outcome, PluginInfo, Plugins as _, Progress, Role};
use kjerne_host::{Host, HostOptions, Installed, Package};
use kjerne_model::{
    Actor, Change, Commit, Entry, FieldType, Fields, Instant, Name, RecordId, Schema, core_kinds,
    parse_value,
};
use kjerne_store::MemoryStore;

/// What one call of a plugin used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Used {
    pub plugin: String,
    pub role: Role,
    pub fuel: u64,
    pub fuel_limit: u64,
    pub calls_limit: u64,
    pub memory_limit: u64,
    pub log_lines: u64,
    pub fault: Option<String>,
}

/// A kernel, its plugins and what they used.
pub struct Stage {
    pub kernel: Kernel,
    pub host: Arc<Host>,
    used: Arc<Mutex<Vec<Used>>>,
}

/// A plugin as it was built.
pub fn built(id: &str) -> Vec<u8> {
    std::fs::read(kjerne_tests::plugin(id)).unwrap()
}

/// The manifest in a project's folder.
pub fn manifest(folder: &str) -> String {
    std::fs::read_to_string(kjerne_tests::root().join(folder).join("kjerne.toml")).unwrap()
}

/// The hostile plugin with each role watching a kind of its own, so that a commit or an entry meets
/// one role alone: contacts its shape, accounts its guard, tasks its reaction.
pub fn apart(id: &str, version: &str) -> Vec<u8> {
    guarding(id, version, &["account"])
}

/// The same with other kinds for the guard.
pub fn guarding(id: &str, version: &str, guarded: &[&str]) -> Vec<u8> {
    let mut text: toml::Table = manifest("tests/hostile/many").parse().unwrap();
    text.insert("id".into(), id.into());
    text.insert("version".into(), version.into());
    let roles = text["roles"].as_table_mut().unwrap();
    for (role, kinds) in [
        ("shape", &["contact"][..]),
        ("guard", guarded),
        ("react", &["task"]),
    ] {
        roles[role]
            .as_table_mut()
            .unwrap()
            .insert("kinds".into(), kinds.to_vec().into());
    }
    Package::seal(&built("hostile"), &text.to_string(), "")
}

/// A plugin with everything it declares granted.
pub fn installed(bytes: &[u8], settings: &str, position: u32) -> Installed {
    let package = Package::read(bytes).unwrap();
    let domain = [
        Role::SalesStages,
        Role::BuyingProcess,
        Role::ServiceRules,
        Role::Scoring,
    ];
    Installed {
        grants: package
            .manifest
            .grantable()
            .iter()
            .map(ToString::to_string)
            .collect(),
        settings: if settings.is_empty() {
            package.settings.clone()
        } else {
            settings.to_owned()
        },
        revision: 1,
        position,
        enabled: true,
        bound: domain
            .into_iter()
            .filter(|role| package.manifest.roles.contains_key(role))
            .collect(),
        limits: BTreeMap::new(),
        lets_pass: false,
        package: Arc::new(package),
    }
}

/// The hostile plugin that does this.
pub fn hostile(behaviour: &str) -> Installed {
    installed(
        &apart("hostile", "0.1.0"),
        &format!("behaviour = \"{behaviour}\""),
        1,
    )
}

/// A host that keeps compiled plugins for the other tests, or compiles everything anew.
pub fn host(cached: bool) -> Arc<Host> {
    let cache_dir = cached.then(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("plugin-cache"));
    let options = HostOptions {
        cache_dir,
        cache_key: [7; 32],
        max_concurrent: 4,
        schema: Arc::new(Schema::new(core_kinds()).unwrap()),
        seed: 1,
    };
    Arc::new(Host::new(options).unwrap())
}

impl Stage {
    pub fn new(plugins: Vec<Installed>) -> Self {
        Self::on(host(true), plugins)
    }

    pub fn on(host: Arc<Host>, plugins: Vec<Installed>) -> Self {
        let used: Arc<Mutex<Vec<Used>>> = Arc::default();
        let notes = Arc::clone(&used);
        host.on_call(move |stats| {
            notes.lock().unwrap().push(Used {
                plugin: stats.plugin.to_owned(),
                role: stats.role,
                fuel: stats.fuel,
                fuel_limit: stats.fuel_limit,
                calls_limit: stats.host_calls_limit,
                memory_limit: stats.memory_limit,
                log_lines: stats.log_lines_limit,
                fault: stats.fault.map(str::to_owned),
            });
        });
        host.replace(plugins).unwrap();
        let schema = Arc::new(Schema::new(core_kinds()).unwrap());
        let asked: Arc<dyn kjerne_core::Plugins> = Arc::clone(&host) as _;
        let kernel = Kernel::new(Arc::new(MemoryStore::new()), schema, asked, 1).unwrap();
        Self { kernel, host, used }
    }

    /// What the calls since this was last asked used.
    pub fn used(&self) -> Vec<Used> {
        std::mem::take(&mut *self.used.lock().unwrap())
    }

    pub fn fields(&self, kind: &str, texts: &[(&str, &str)]) -> Fields {
        let kind = self.kernel.schema().kind(kind).unwrap();
        let typed = |(name, text): &(&str, &str)| {
            let field_type: &FieldType = &kind.field(name).unwrap().field_type;
            (
                Name::new(name).unwrap(),
                parse_value(field_type, text).unwrap(),
            )
        };
        texts.iter().map(typed).collect()
    }

    /// One change of one person, at a fixed time.
    pub fn commit(&self, change: Change) -> Outcome {
        let commit = Commit {
            changes: vec![change],
            actor: Actor::User("test".to_owned()),
            key: None,
            at: at(0),
            cause: None,
        };
        self.kernel.commit(commit).unwrap()
    }

    pub fn create(&self, kind: &str, id: u64, texts: &[(&str, &str)]) -> Outcome {
        let fields = self.fields(kind, texts);
        self.commit(Change::Create {
            kind: Name::new(kind).unwrap(),
            id: Some(record(id)),
            fields,
        })
    }

    pub fn plugin(&self, id: &str, role: Role) -> Arc<PluginInfo> {
        let found = self.host.with_role(role);
        found.into_iter().find(|plugin| plugin.id == id).unwrap()
    }

    pub fn react(&self, id: &str, now: Instant) -> Progress {
        self.kernel
            .react(&self.plugin(id, Role::React), Role::React, now)
            .unwrap()
    }

    pub fn journal(&self) -> Vec<Entry> {
        self.kernel.journal(0, 1_000).unwrap()
    }

    /// How many records there are of each kind that has any, by what the journal says.
    pub fn edits(&self) -> BTreeMap<String, usize> {
        let mut edits = BTreeMap::new();
        for edit in self.journal().iter().flat_map(|entry| &entry.edits) {
            *edits.entry(edit.kind.to_string()).or_default() += 1;
        }
        edits
    }
}

/// So many seconds after the tests' first morning.
pub fn at(seconds: i64) -> Instant {
    Instant::parse("2026-01-05T09:00:00Z")
        .unwrap()
        .plus_millis(seconds * 1_000)
}

/// The id of a test's record.
pub fn record(number: u64) -> RecordId {
    RecordId::parse(&format!("01980000-0000-7000-8000-{number:012}")).unwrap()
}
