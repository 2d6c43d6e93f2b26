//! The set of plugins in use: exchanged at once, compiled once, loaded from what this host compiled.

use std::fs;
use std::path::PathBuf;

use kjerne_core::{Plugins, Role};

use super::guests::{Bench, GUARD, guard_file, installed, options, plugin};
use crate::cache::{Cache, Origin};
use crate::{Host, HostOptions, Installed, LoadError, Package, engine};

#[test]
fn plugins_are_asked_in_order_for_the_kinds_they_watch() {
    let host = Host::new(options()).unwrap();
    let file = |id: &str, kinds: &str| {
        let component =
            super::guests::component("guard-plugin", "0.2.0", &super::guests::guard(""));
        let manifest = super::guests::manifest("guard", &[]).replace("acme.test", id);
        Package::seal(&component, &format!("{manifest}kinds = [{kinds}]"), "")
    };
    let at = |file: &[u8], position, enabled| {
        let mut plugin = installed(file, &[]);
        (plugin.position, plugin.enabled) = (position, enabled);
        plugin
    };
    let set = vec![
        at(&file("late", "\"account\""), 2, true),
        at(&file("early", ""), 1, true),
        at(&file("off", ""), 0, false),
        at(&file("other", "\"contact\""), 0, true),
    ];
    host.replace(set).unwrap();
    let ids = |kind: &str| -> Vec<String> {
        let plugins = host.with_role(GUARD).into_iter();
        let watching = plugins.filter(|plugin| plugin.watches.of(kind).is_some());
        watching.map(|plugin| plugin.id.clone()).collect()
    };
    assert_eq!(ids("account"), ["early", "late"]);
    assert_eq!(ids("contact"), ["other", "early"]);
    assert!(host.with_role(Role::React).is_empty());
    assert_eq!(host.bound(Role::SalesStages), None);
}

#[test]
fn a_set_that_does_not_load_changes_nothing() {
    let bench = Bench::guard("");
    let file = guard_file("", &[]);
    let twice = vec![installed(&file, &[]), installed(&file, &[])];
    assert_eq!(
        bench.host.replace(twice),
        Err(LoadError::Twice("acme.test".into()))
    );
    let wrong = vec![installed(&file, &["fly:account"])];
    assert!(matches!(
        bench.host.replace(wrong),
        Err(LoadError::BadGrant(_))
    ));
    assert!(bench.ask(1).is_ok());
}

#[test]
fn a_commit_under_way_finishes_on_the_old_set() {
    let bench = Bench::guard("");
    bench.host.replace(Vec::new()).unwrap();
    assert!(
        bench.ask(1).is_ok(),
        "whoever has the plugin in hand may finish"
    );
    assert!(
        bench.host.with_role(GUARD).is_empty(),
        "nobody gets it anew"
    );
    bench.host.replace(Vec::new()).unwrap();
    assert_eq!(bench.ask(1).unwrap_err().limit, "absent");
}

#[test]
fn a_grant_taken_back_holds_for_the_next_message() {
    let file = super::guests::react_file("(i32.const 1024)", &["send:*"]);
    let hooks = "send:https://hooks.example.com";
    let bench = Bench::new(&file, &[hooks]);
    assert!(
        bench
            .host
            .may_send("acme.test", "https://hooks.example.com/in")
    );
    assert!(
        !bench
            .host
            .may_send("acme.other", "https://hooks.example.com/in")
    );
    bench.host.replace(vec![installed(&file, &[])]).unwrap();
    assert!(
        !bench
            .host
            .may_send("acme.test", "https://hooks.example.com/in")
    );
}

#[test]
fn a_component_that_lies_about_its_types_is_refused() {
    // The interface has the right name, and a function of another shape.
    let host = Host::new(options()).unwrap();
    let text = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $guard (canon lift (core func $i "f")))
        (instance $guard_instance (export "guard" (func $guard)))
        (export "kjerne:crm/guard@0.2.0" (instance $guard_instance)))"#;
    let manifest = super::guests::manifest("guard", &[]);
    let file = Package::seal(&wat::parse_str(text).unwrap(), &manifest, "");
    let bench = host.replace(vec![installed(&file, &[])]);
    assert!(
        matches!(bench, Err(LoadError::DoesNotFit { .. })),
        "{bench:?}"
    );
}

/// A cache in a directory of its own, and a package to put into it.
struct Kept {
    directory: tempfile::TempDir,
    package: Package,
    engine: wasmtime::Engine,
}

impl Kept {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let package = Package::read(&guard_file("", &[])).unwrap();
        Self {
            directory,
            package,
            engine: engine::engine(1).unwrap(),
        }
    }

    fn load(&self, key: u8) -> Origin {
        let cache = Cache::open(Some(self.directory.path().join("c")), [key; 32]).unwrap();
        let made = cache.component(&self.engine, &self.package.digest, self.package.bytes());
        made.unwrap().1
    }

    fn entry(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.directory.path().join("c")).unwrap();
        let entry = entries.next().unwrap().unwrap().path();
        assert!(entries.next().is_none(), "one entry and no unfinished file");
        entry
    }
}

#[test]
fn a_plugin_is_compiled_once() {
    let kept = Kept::new();
    assert_eq!(kept.load(1), Origin::Compiled);
    assert_eq!(kept.load(1), Origin::Cached);
}

#[test]
fn a_forged_entry_is_compiled_anew() {
    let kept = Kept::new();
    kept.load(1);
    let (entry, good) = (kept.entry(), fs::read(kept.entry()).unwrap());
    let check = |what: &str, forged: Vec<u8>| {
        fs::write(&entry, forged).unwrap();
        assert_eq!(kept.load(1), Origin::Compiled, "{what}");
        assert_eq!(
            kept.load(1),
            Origin::Cached,
            "{what}: the entry is made anew"
        );
    };
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    check("a byte of the code", flipped(good.len() / 2));
    check("the last byte", flipped(good.len() - 1));
    check("the hash", flipped(0));
    check("cut short", good[..good.len() - 1].to_vec());
    check("empty", Vec::new());
    check("code without hash", good[32..].to_vec());
    assert_eq!(kept.load(2), Origin::Compiled, "another workspace's key");
}

#[test]
fn an_entry_of_another_plugin_is_not_taken() {
    let mut kept = Kept::new();
    kept.load(1);
    let other = fs::read(kept.entry()).unwrap();
    fs::remove_file(kept.entry()).unwrap();
    kept.package = Package::read(&guard_file("unreachable", &[])).unwrap();
    kept.load(1);
    fs::write(kept.entry(), other).unwrap();
    assert_eq!(kept.load(1), Origin::Compiled);
}

#[cfg(unix)]
#[test]
fn the_cache_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let kept = Kept::new();
    kept.load(1);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(kept.directory.path().join("c")), 0o700);
    assert_eq!(mode(kept.entry()), 0o600);
}

#[test]
fn a_start_from_the_cache_is_quick_and_compiles_nothing() {
    let kept = Kept::new();
    let set_up = || HostOptions {
        cache_dir: Some(kept.directory.path().join("c")),
        ..options()
    };
    Host::new(set_up()).unwrap().try_on(&kept.package).unwrap();
    let started = std::time::Instant::now();
    let bench = Bench::empty(set_up());
    bench
        .host
        .replace(vec![installed(&guard_file("", &[]), &[])])
        .unwrap();
    println!("a start from the cache took {:?}", started.elapsed());
    assert!(
        bench
            .host
            .guard(&plugin(), &bench.call(), &bench.drafts(1))
            .is_ok()
    );
    assert_eq!(kept.load(7), Origin::Cached);
}

/// What a plugin keeps of its settings may be more than its calls may have: it is told so, and nothing
/// stays of the component that was made, or each try would leave another.
#[test]
fn what_cannot_be_used_once_it_is_prepared_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("c");
    let host = Host::new(HostOptions {
        cache_dir: Some(cache.clone()),
        ..options()
    });
    let host = host.unwrap();
    let entries = || fs::read_dir(&cache).unwrap().count();
    let with = |pages: u32, revision: u64| {
        let component =
            super::guests::component("prepared", "0.2.0", &super::guests::keeping(pages));
        let manifest = format!("{}[roles.prepare]\n", super::guests::manifest("guard", &[]));
        let plugin = Installed {
            revision,
            ..installed(&Package::seal(&component, &manifest, ""), &[])
        };
        host.load(vec![plugin]).map(drop)
    };
    with(1, 1).unwrap();
    let before = entries();
    assert_eq!(before, 2, "the instrumented one and the prepared one");
    // A page has 64 KiB, and a guard 32 MiB.
    for revision in 1..4 {
        let Err(LoadError::Unprepared { why, .. }) = with(400, revision) else {
            panic!("it is refused")
        };
        assert!(why.contains("limit memory of 33554432"), "{why}");
    }
    assert_eq!(entries(), before + 1, "another file, instrumented");
}

#[test]
fn the_runtime_is_the_one_the_cache_is_named_after() {
    let lock = include_str!("../../../../Cargo.lock");
    let version = format!(
        "name = \"wasmtime\"\nversion = \"{}\"",
        crate::RUNTIME_VERSION
    );
    assert!(
        lock.contains(&version),
        "set RUNTIME_VERSION to the version in Cargo.lock"
    );
}

#[test]
fn settings_are_read_once_and_bad_ones_are_refused_with_their_place() {
    use crate::{BadSettings, LoadError, Settings};
    let bench = Bench::guard("");
    let with = |settings: &str| {
        let mut plugin = installed(&guard_file("", &["read:account"]), &["read:account"]);
        plugin.settings = settings.to_owned();
        bench.host.replace(vec![plugin])
    };
    let Err(error @ LoadError::BadSettings { .. }) = with("a = 1\nb = ") else {
        panic!("taken")
    };
    let named = "the settings of plugin acme.test cannot be read: line 2, column ";
    assert!(error.to_string().starts_with(named), "{error}");
    bench.ask(1).expect("the set before is still in use");
    with("a = 1").unwrap();
    with(" ").expect("those it was delivered with");
    let long = format!("a = '{}'", "x".repeat(300_000));
    assert!(matches!(
        Settings::parse(&long),
        Err(BadSettings::TooLong { .. })
    ));
}
