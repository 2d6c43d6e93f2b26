//! Guests written by hand, and a host to run them in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use kjerne_core::{
    Call, Draft, Fault, Guarded, Kernel, Outcome, PluginInfo, Plugins, Role, Task, Watches,
};
use kjerne_model::{
    Actor, Change, Commit, Entry, Fields, Instant, Name, RecordId, Schema, Value, core_kinds,
};
use kjerne_store::MemoryStore;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::{Host, HostOptions, Installed, Package};

/// What every guest of these tests imports and has: its resources' drops, memory, an allocator.
const COMMON: &str = r#"
  (memory (export "memory") 200)
  (table $table 1 funcref)
  (global $heap (mut i32) (i32.const 65536))
  (global $calls (mut i32) (i32.const 0))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 15)) (i32.const -16)))
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get 3))))
"#;

/// Functions of the host a guest may import, by the name its body calls them.
const FUNCTIONS: [(&str, &str); 9] = [
    (
        "$refuse",
        r#""kjerne:crm/types@0.2.0" "[method]findings.refuse" (func $refuse (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))"#,
    ),
    (
        "$now",
        r#""kjerne:crm/types@0.2.0" "[method]call-context.now" (func $now (param i32) (result i64))"#,
    ),
    (
        "$create",
        r#""kjerne:crm/types@0.2.0" "[method]effects.create" (func $create (param i32 i32 i32 i32 i32 i32))"#,
    ),
    (
        "$send",
        r#""kjerne:crm/types@0.2.0" "[method]effects.send" (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))"#,
    ),
    (
        "$log",
        r#""kjerne:crm/log@0.2.0" "write" (func $log (param i32 i32 i32 i32))"#,
    ),
    (
        "$get",
        r#""kjerne:crm/records@0.2.0" "get" (func $get (param i32 i32 i32 i32 i32))"#,
    ),
    (
        "$state_get",
        r#""kjerne:crm/state@0.2.0" "get" (func $state_get (param i32 i32 i32))"#,
    ),
    (
        "$state_set",
        r#""kjerne:crm/state@0.2.0" "set" (func $state_set (param i32 i32 i32 i32 i32))"#,
    ),
    (
        "$open",
        r#""evil:fs/files@1.0.0" "open" (func $open (param i32 i32))"#,
    ),
];

fn imports(body: &str) -> String {
    let used = FUNCTIONS
        .iter()
        .filter(|(name, _)| body.contains(&format!("(call {name} ")));
    used.map(|(_, import)| format!("(import {import})\n"))
        .collect()
}

/// A guard with this body: `$context`, `$changes`, `$count` and `$findings` are its arguments. At 256 it
/// has some letters.
pub fn guard(body: &str) -> String {
    format!(
        r#"(module
  (import "kjerne:crm/types@0.2.0" "[resource-drop]call-context" (func $drop_context (param i32)))
  (import "kjerne:crm/types@0.2.0" "[resource-drop]findings" (func $drop_findings (param i32)))
  {} {COMMON}
  (data (i32.const 256) "xxxxxxxx")
  (func $deeper (param i32) (result i32)
    (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "kjerne:crm/guard@0.2.0#guard")
    (param $context i32) (param $changes i32) (param $count i32) (param $findings i32)
    (local $i i32)
    {body}
    (call $drop_context (local.get $context))
    (call $drop_findings (local.get $findings))))"#,
        imports(body)
    )
}

/// A guard that allows everything, and keeps so many pages of memory when it is prepared.
pub fn keeping(pages: u32) -> String {
    let text = guard("");
    let end = text.rfind(')').unwrap_or(0);
    format!(
        r#"{} (func (export "kjerne:crm/prepare@0.2.0#prepare") (result i32)
    (drop (memory.grow (i32.const {pages})))
    (i32.const 1024))
  (func (export "kjerne:crm/prepare@0.2.0#watches") (result i32) (i32.const 1024)))"#,
        &text[..end]
    )
}

/// What a guest says that it watches of a kind: the kind, operations, fields, and whether beside others.
pub type Told<'a> = (Option<&'a str>, &'a [&'a str], Option<&'a [&'a str]>, bool);

/// The same guest, which is prepared and then tells what it watches in each role.
pub fn telling(guest: &str, told: &[(&str, &[Told<'_>])]) -> String {
    let mut memory = Memory::default();
    let roles = told.iter().map(|(role, watches)| {
        let rows: Vec<Vec<u32>> = watches.iter().map(|watch| memory.watch(watch)).collect();
        let rows = memory.list(&rows);
        [memory.text(role), rows].concat()
    });
    let roles: Vec<Vec<u32>> = roles.collect();
    let list = memory.list(&roles);
    let at = memory.lay(&list);
    let end = guest.rfind(')').unwrap_or(0);
    let bytes: String = memory
        .0
        .iter()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    format!(
        r#"{} (data (i32.const {BASE}) "{bytes}")
  (func (export "kjerne:crm/prepare@0.2.0#prepare") (result i32) (i32.const 1024))
  (func (export "kjerne:crm/prepare@0.2.0#watches") (result i32) (i32.const {at})))"#,
        &guest[..end]
    )
}

const BASE: u32 = 8192;

/// Data of a guest, laid out as the canonical ABI has it; everything is a row of words.
#[derive(Default)]
struct Memory(Vec<u8>);

impl Memory {
    fn at(&self) -> u32 {
        BASE + self.0.len() as u32
    }

    fn lay(&mut self, words: &[u32]) -> u32 {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let at = self.at();
        self.0
            .extend(words.iter().flat_map(|word| word.to_le_bytes()));
        at
    }

    fn text(&mut self, text: &str) -> Vec<u32> {
        let at = self.at();
        self.0.extend(text.as_bytes());
        vec![at, text.len() as u32]
    }

    fn list(&mut self, rows: &[Vec<u32>]) -> Vec<u32> {
        let length = rows.len() as u32;
        vec![self.lay(&rows.concat()), length]
    }

    fn texts(&mut self, texts: &[&str]) -> Vec<u32> {
        let rows: Vec<Vec<u32>> = texts.iter().map(|text| self.text(text)).collect();
        self.list(&rows)
    }

    fn watch(&mut self, (kind, operations, fields, beside): &Told<'_>) -> Vec<u32> {
        let some = |there: bool, mut words: Vec<u32>| {
            words.insert(0, u32::from(there));
            words
        };
        let kind = some(kind.is_some(), self.text(kind.unwrap_or_default()));
        let operations = self.texts(operations);
        let fields = some(fields.is_some(), self.texts(fields.unwrap_or_default()));
        [kind, operations, fields, vec![u32::from(*beside)]].concat()
    }
}

/// A reaction with this body, which must leave the address of its result.
pub fn react(body: &str) -> String {
    format!(
        r#"(module
  (import "kjerne:crm/types@0.2.0" "[resource-drop]call-context" (func $drop_context (param i32)))
  (import "kjerne:crm/types@0.2.0" "[resource-drop]effects" (func $drop_effects (param i32)))
  {} {COMMON}
  (data (i32.const 16) "task")
  (data (i32.const 32) "subject")
  (data (i32.const 48) "https://hooks.example.com/in")
  (data (i32.const 96) "text/plain")
  (data (i32.const 112) "id-1")
  (func (export "kjerne:crm/react@0.2.0#react")
    (param $context i32) (param $entries i32) (param $count i32) (param $effects i32) (result i32)
    (local $i i32)
    {body}
    (call $drop_context (local.get $context))
    (call $drop_effects (local.get $effects)))
  (func (export "cabi_post_kjerne:crm/react@0.2.0#react") (param i32)))"#,
        imports(body)
    )
}

/// The contract, and a world for guests that want more than it has.
fn resolve(version: &str, from: &str, to: &str) -> Resolve {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/v0.2.0");
    let mut text = String::from("package kjerne:crm@0.2.0;\n");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|e| e == "wit"))
    {
        text += &std::fs::read_to_string(file)
            .unwrap()
            .replace("package kjerne:crm@0.2.0;", "");
    }
    if !from.is_empty() {
        assert!(text.contains(from), "the contract does not say {from:?}");
        text = text.replace(from, to);
    }
    let mut resolve = Resolve::default();
    resolve
        .push_str("contract.wit", &text.replace("0.2.0", version))
        .unwrap();
    let evil = format!(
        "package evil:fs@1.0.0; interface files {{ open: func(path: string); }}
         world thief {{ include kjerne:crm/guard-plugin@{version}; import files; }}
         world stranger {{ import files; export run: func(); }}
         world prepared {{ include kjerne:crm/prepare-plugin@{version}; include kjerne:crm/guard-plugin@{version}; }}
         world reacting {{ include kjerne:crm/prepare-plugin@{version}; include kjerne:crm/react-plugin@{version}; }}"
    );
    resolve.push_str("evil.wit", &evil).unwrap();
    resolve
}

/// Makes a component of a core module written in text.
pub fn component(world: &str, version: &str, text: &str) -> Vec<u8> {
    encode(world, &resolve(version, "", ""), text)
}

/// Makes a component for a contract in which something stands for something else.
pub fn component_of_contract(world: &str, text: &str, from: &str, to: &str) -> Vec<u8> {
    encode(world, &resolve("0.2.0", from, to), text)
}

/// Makes a guard for another version of the contract, in which a change has one field more.
pub fn guard_of(version: &str, body: &str) -> Vec<u8> {
    let from =
        "    changed: list<string>,\n  }\n\n  /// One change of a commit that has been stored.";
    let to = from.replace("list<string>,", "list<string>,\n    because: string,");
    let text = guard(body).replace("@0.2.0", &format!("@{version}"));
    encode("guard-plugin", &resolve(version, from, &to), &text)
}

fn encode(world: &str, resolve: &Resolve, text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    let (package, world) = match world {
        "thief" | "stranger" | "prepared" | "reacting" => ("fs", world),
        _ => ("crm", world),
    };
    let (id, _) = resolve
        .packages
        .iter()
        .find(|(_, p)| p.name.name == package)
        .unwrap();
    let world = resolve.select_world(&[id], Some(world)).unwrap();
    wit_component::embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8)
        .unwrap();
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// A manifest with this role and these grants.
pub fn manifest(role: &str, grants: &[&str]) -> String {
    let mut text =
        format!("id = \"acme.test\"\nversion = \"0.1.0\"\ncontract = \"0.2.0\"\n[roles.{role}]\n");
    for grant in grants {
        text += &format!("[[grant]]\nallow = \"{grant}\"\nreason = \"a test\"\n");
    }
    text
}

/// A plugin's file: a guard with this body, which does its work without the grants it asks for.
pub fn modest_file(body: &str, grants: &[&str]) -> Vec<u8> {
    let component = component("guard-plugin", "0.2.0", &guard(body));
    let manifest = manifest("guard", grants);
    let manifest = manifest.replace("reason =", "optional = true\nreason =");
    Package::seal(&component, &manifest, "colour = \"blue\"")
}

/// A plugin's file: a guard with this body.
pub fn guard_file(body: &str, grants: &[&str]) -> Vec<u8> {
    let component = component("guard-plugin", "0.2.0", &guard(body));
    Package::seal(&component, &manifest("guard", grants), "colour = \"blue\"")
}

/// A plugin's file: a reaction with this body.
pub fn react_file(body: &str, grants: &[&str]) -> Vec<u8> {
    let component = component("react-plugin", "0.2.0", &react(body));
    Package::seal(&component, &manifest("react", grants), "")
}

/// A plugin as installed, with these grants.
pub fn installed(file: &[u8], grants: &[&str]) -> Installed {
    Installed {
        package: Arc::new(Package::read(file).unwrap()),
        grants: grants.iter().map(|grant| (*grant).to_owned()).collect(),
        settings: String::new(),
        revision: 1,
        position: 0,
        enabled: true,
        bound: BTreeSet::new(),
        limits: BTreeMap::new(),
        lets_pass: false,
    }
}

pub fn options() -> HostOptions {
    HostOptions {
        cache_dir: None,
        cache_key: [7; 32],
        max_concurrent: 4,
        schema: Arc::new(Schema::new(core_kinds()).unwrap()),
        seed: 1,
    }
}

/// A workspace with one account, and a host with one plugin.
pub struct Bench {
    pub host: Arc<Host>,
    pub kernel: Kernel,
    pub account: RecordId,
    kind: Name,
    fields: Fields,
}

impl Bench {
    pub fn new(file: &[u8], grants: &[&str]) -> Self {
        let bench = Self::empty(options());
        bench.host.replace(vec![installed(file, grants)]).unwrap();
        bench
    }

    pub fn guard(body: &str) -> Self {
        Self::new(&guard_file(body, &["read:account"]), &["read:account"])
    }

    pub fn empty(options: HostOptions) -> Self {
        let host = Arc::new(Host::new(options).unwrap());
        let schema = Arc::new(Schema::new(core_kinds()).unwrap());
        let plugins = Arc::clone(&host) as Arc<dyn Plugins>;
        let kernel = Kernel::new(Arc::new(MemoryStore::new()), schema, plugins, 1).unwrap();
        let change = Change::Create {
            kind: name("account"),
            id: None,
            fields: account(),
        };
        let commit = Commit {
            changes: vec![change],
            actor: Actor::System("test".into()),
            key: None,
            at: now(),
            cause: None,
        };
        let Outcome::Accepted(receipt) = kernel.commit(commit).unwrap() else {
            panic!("refused")
        };
        Self {
            host,
            kernel,
            account: receipt.edits[0].id,
            kind: name("account"),
            fields: account(),
        }
    }

    pub fn call(&self) -> Call {
        Call {
            now: now(),
            actor: Actor::User("kari".into()),
            depth: 0,
            reader: Arc::new(self.kernel.reader().unwrap()),
        }
    }

    pub fn drafts(&self, count: usize) -> Vec<Draft<'_>> {
        let draft = |change| Draft {
            change,
            kind: &self.kind,
            id: self.account,
            before: Some(&self.fields),
            after: Some(&self.fields),
        };
        (0..count).map(draft).collect()
    }

    /// Asks the guard about so many changes.
    pub fn ask(&self, changes: usize) -> Result<Guarded, Fault> {
        self.host
            .guard(&plugin(), &self.call(), &self.drafts(changes))
    }

    /// Has the reaction answer one entry.
    pub fn react(&self) -> Result<kjerne_core::Effects, Fault> {
        let entries: Vec<Entry> = self.kernel.journal(0, 1).unwrap();
        self.host
            .run(&plugin(), &self.call(), &Task::React(entries))
    }
}

pub fn plugin() -> PluginInfo {
    PluginInfo {
        id: "acme.test".into(),
        version: "0.1.0".into(),
        watches: Watches::every_kind(),
        lets_pass: false,
    }
}

pub fn now() -> Instant {
    Instant::parse("2026-01-05T09:00:00Z").unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn account() -> Fields {
    let text = |text: &str| Value::Text(text.to_owned());
    Fields::from([
        (name("name"), text("Example AS")),
        (name("industry"), text("fishing")),
    ])
}

/// The roles of the tests.
pub const GUARD: Role = Role::Guard;
