//! Installing, going back and cut-offs, with plugins that have nothing in them to be run.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use kjerne_core::Role;

use super::installation::{Arrival, may_be_stored};
use super::*;
use crate::directory::Workspace;
use crate::limits::PLUGIN_VERSIONS;
use crate::plugin_files;
use crate::plugin_registry::{PluginRegistry, read_package};
use crate::publishers::Offer;

/// A plugin that can be installed.
fn plugin(version: &str, about: &str, grants: &[&str]) -> Vec<u8> {
    plugin_with(version, about, grants, "")
}

/// The same with more in its manifest.
pub(super) fn plugin_with(version: &str, about: &str, grants: &[&str], more: &str) -> Vec<u8> {
    let empty =
        r#"(component (instance $guard) (export "kjerne:crm/guard@0.2.0" (instance $guard)))"#;
    let grants: String = grants
        .iter()
        .map(|allow| format!("[[grant]]\nallow = \"{allow}\"\nreason = \"To see.\"\n"))
        .collect();
    let manifest = format!(
        "id = \"acme.rule\"\nversion = \"{version}\"\ncontract = \"0.2.0\"\nlabel = \"Rule\"\n\
         description = \"{about}\"\n[roles.guard]\nkinds = [\"account\"]\n{grants}{more}"
    );
    Package::seal(&wat::parse_str(empty).unwrap(), &manifest, "")
}

/// The same with a second role.
fn two_roles(version: &str) -> Vec<u8> {
    let both = r#"(component (instance $empty) (export "kjerne:crm/guard@0.2.0" (instance $empty))
        (export "kjerne:crm/shape@0.2.0" (instance $empty)))"#;
    let manifest = format!(
        "id = \"acme.rule\"\nversion = \"{version}\"\ncontract = \"0.2.0\"\n\
         [roles.guard]\n[roles.shape]\n"
    );
    Package::seal(&wat::parse_str(both).unwrap(), &manifest, "")
}

/// A plugin with one domain interface, or two.
fn models(id: &str, version: &str, roles: &[&str]) -> Vec<u8> {
    let exports = roles
        .iter()
        .map(|role| format!(r#"(export "kjerne:crm/{role}@0.2.0" (instance $empty))"#));
    let all = format!(
        "(component (instance $empty) {})",
        exports.collect::<String>()
    );
    let tables: String = roles
        .iter()
        .map(|role| format!("[roles.{role}]\n"))
        .collect();
    let manifest =
        format!("id = \"{id}\"\nversion = \"{version}\"\ncontract = \"0.2.0\"\n{tables}");
    Package::seal(&wat::parse_str(all).unwrap(), &manifest, "")
}

pub(super) struct Case {
    _parent: TempDir,
    pub(super) runtime: Runtime,
}

impl Case {
    pub(super) fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(&parent.path().join("crm"), "x").unwrap();
        Self {
            runtime: Runtime::open_without_plugins(workspace, "a test").unwrap(),
            _parent: parent,
        }
    }

    pub(super) fn plugins(&self) -> PluginRegistry<'_> {
        self.runtime.plugins()
    }

    pub(super) fn acts(&self) -> Administration<'_> {
        let actor = Actor::User("kari".to_owned());
        Administration::new(&self.runtime, actor, Instant::from_millis(0))
    }

    /// The acts in the journal, each with what it was done to.
    pub(super) fn journal(&self) -> Vec<String> {
        let entries = self.runtime.kernel.journal(0, 100).unwrap();
        let acts = entries.into_iter().filter_map(|entry| entry.act);
        acts.map(|act| format!("{} {}", act.operation, act.subject))
            .collect()
    }

    fn install(&self, version: &str) {
        self.place(&plugin(version, "Rules.", &[])).unwrap();
    }

    pub(super) fn place(&self, bytes: &[u8]) -> Result<Placed> {
        let offer = Offer::unsigned(bytes);
        let arrival = Arrival::offered(read_package(bytes)?, &offer, None);
        self.acts().place(&arrival)
    }

    fn back(&self, to: Option<&str>) -> Result<Placed> {
        let bytes = self.plugins().earlier("acme.rule", to)?;
        self.acts().place(&Arrival::kept(read_package(&bytes)?))
    }

    /// The version in use, and those kept beside it.
    pub(super) fn versions(&self) -> (String, Vec<String>) {
        let row = self.plugins().row("acme.rule").unwrap();
        let kept = self.plugins().kept(&row).unwrap();
        (row.version, kept)
    }

    pub(super) fn file(&self, version: &str) -> PathBuf {
        self.runtime.workspace.plugin_file("acme.rule", version)
    }
}

pub(super) fn complaint<T: std::fmt::Debug>(
    result: Result<T>,
    is_it: fn(&Error) -> bool,
) -> String {
    let error = result.unwrap_err();
    assert!(is_it(error.root()), "{error:?}");
    error.to_string()
}

#[test]
fn the_version_that_was_in_use_before_comes_back_whatever_its_number() {
    let case = Case::new();
    case.install("0.2.0");
    case.install("0.10.0");
    case.install("0.3.0");
    let check = |to: Option<&str>, now: &str, kept: [&str; 2]| {
        let before = case.versions().0;
        let placed = case.back(to).unwrap();
        assert_eq!(placed.before, Some(before));
        assert_eq!(case.versions(), (now.into(), kept.map(String::from).into()));
        assert_eq!(placed.row.version, now);
        case.plugins().package(&placed.row).unwrap();
    };
    check(None, "0.10.0", ["0.3.0", "0.2.0"]);
    check(None, "0.3.0", ["0.10.0", "0.2.0"]);
    check(Some("0.2.0"), "0.2.0", ["0.3.0", "0.10.0"]);
}

#[test]
fn the_last_three_versions_are_kept_and_removing_the_plugin_removes_all() {
    let case = Case::new();
    for version in ["0.1.0", "0.2.0", "0.3.0", "0.4.0"] {
        case.install(version);
    }
    assert_eq!(PLUGIN_VERSIONS.value, 3);
    let kept = vec!["0.3.0".to_owned(), "0.2.0".to_owned()];
    assert_eq!(case.versions(), ("0.4.0".to_owned(), kept));
    assert!(!case.file("0.1.0").exists());
    case.acts().remove("acme.rule").unwrap();
    let left = fs::read_dir(case.file("0.4.0").parent().unwrap()).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn going_back_gives_back_no_more_than_both_versions_had() {
    let case = Case::new();
    let one = plugin("0.1.0", "Rules.", &["read:account", "read:lead"]);
    case.place(&one).unwrap();
    case.acts().grant("acme.rule", &[], &[], true).unwrap();
    case.acts().switch_on("acme.rule", false, false).unwrap();
    case.place(&plugin("0.2.0", "Rules.", &["read:account"]))
        .unwrap();
    // What the earlier version needs was taken back with it: in use it would refuse every commit.
    let told = complaint(case.back(None), |error| matches!(error, Error::Refused(_)));
    assert!(told.contains("read:lead"), "{told}");
    case.acts().disable("acme.rule").unwrap();
    let placed = case.back(None).unwrap();
    assert_eq!(placed.row.grants, ["read:account"]);
    let missing: Vec<String> = placed.missing.iter().map(Grant::to_string).collect();
    assert_eq!(missing, ["read:lead"]);
}

#[test]
fn a_grant_that_was_no_longer_declared_is_given_again_or_not_in_effect() {
    let case = Case::new();
    let declared = |grants: &[&str]| plugin("0.1.0", "Rules.", grants);
    case.place(&declared(&["read:account", "read:lead"]))
        .unwrap();
    case.acts().grant("acme.rule", &[], &[], true).unwrap();
    let steps: [(&str, &[&str], &[&str]); 4] = [
        ("0.2.0", &["read:account"], &["read:account"]),
        ("0.3.0", &["read:account", "read:lead"], &["read:account"]),
        ("0.4.0", &["read:account.name"], &["read:account.name"]),
        ("0.5.0", &["read:account"], &["read:account.name"]),
    ];
    for (version, grants, left) in steps {
        let placed = case.place(&plugin(version, "Rules.", grants)).unwrap();
        assert_eq!(placed.row.grants, left, "{version}");
    }
}

#[test]
fn a_further_role_waits_until_it_was_looked_at() {
    let case = Case::new();
    case.install("0.1.0");
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let more = two_roles("0.2.0");
    let (version, reasons) = case.place(&more).unwrap().waits.unwrap();
    assert_eq!(version, "0.2.0");
    assert!(
        reasons.contains(&"the role shape".to_owned()),
        "{reasons:?}"
    );
    assert_eq!(
        case.versions().0,
        "0.1.0",
        "the version before stays in use"
    );

    case.acts().disable("acme.rule").unwrap();
    assert!(!case.place(&more).unwrap().row.enabled);
    case.acts().switch_on("acme.rule", false, false).unwrap();
    // Both versions were looked at: going back and forth asks nothing.
    case.back(None).unwrap();
    assert!(case.back(None).unwrap().row.enabled);
}

/// A file that lies beside the one in use was not looked at because of that: only one that was in use
/// while the plugin was switched on is gone back to without a word.
#[test]
fn a_version_that_was_never_switched_on_reaches_no_further_although_it_is_kept() {
    let case = Case::new();
    let (one, more) = (plugin("0.1.0", "Rules.", &[]), two_roles("0.2.0"));
    case.place(&one).unwrap();
    case.place(&more).unwrap();
    case.place(&one).unwrap();
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let waits = case.place(&more).unwrap().waits.unwrap();
    assert!(waits.1.contains(&"the role shape".to_owned()), "{waits:?}");
    for refused in [case.back(None), case.back(Some("0.2.0"))] {
        let told = complaint(refused, |error| matches!(error, Error::Refused(_)));
        assert!(told.contains("the role shape"), "{told}");
        assert_eq!(case.versions().0, "0.1.0");
    }
    // Removed, it is forgotten that it was in use.
    case.acts().remove("acme.rule").unwrap();
    case.place(&more).unwrap();
    case.place(&one).unwrap();
    assert!(!case.place(&more).unwrap().row.enabled);
}

#[test]
fn an_upgrade_that_asks_for_more_waits_until_it_was_looked_at() {
    let case = Case::new();
    case.place(&plugin("0.1.0", "Rules.", &["read:account"]))
        .unwrap();
    case.acts().grant("acme.rule", &[], &[], true).unwrap();
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let next = plugin("0.2.0", "Rules.", &["read:contact"]);
    let waits = case.place(&next).unwrap().waits.unwrap();
    assert_eq!(waits.1, ["the grant read:contact"]);
    assert_eq!(case.versions().0, "0.1.0");
    let row = case.plugins().row("acme.rule").unwrap();
    assert_eq!(row.grants, ["read:account"], "nothing is taken back");
    // To ask is to be looked at, also where it does its work without.
    let optional = "[[grant]]\nallow = \"read:lead\"\nreason = \"Nice.\"\noptional = true\n";
    let nice = plugin_with("0.2.1", "Rules.", &["read:account"], optional);
    let waits = case.place(&nice).unwrap().waits.unwrap();
    assert_eq!(waits.1, ["the grant read:lead"]);
    // What asks for no more takes its place at once.
    let fits = plugin("0.3.0", "Rules.", &["read:account.name"]);
    let placed = case.place(&fits).unwrap();
    assert!(placed.row.enabled && placed.waits.is_none());
}

#[test]
fn where_there_is_nothing_to_go_back_to_that_is_said() {
    let case = Case::new();
    let back = |to| complaint(case.back(to), |error| matches!(error, Error::NotFound(_)));
    assert!(back(None).contains("no plugin \"acme.rule\" is installed"));
    case.install("0.1.0");
    let told = back(None);
    assert!(
        told.contains("in use is 0.1.0, no other version is kept"),
        "{told}"
    );
    case.install("0.2.0");
    let told = back(Some("0.9.0"));
    assert!(
        told.contains("in use is 0.2.0, kept are: 0.1.0; install"),
        "{told}"
    );
    let told = complaint(case.back(Some("0.2.0")), |error| {
        matches!(error, Error::Unreadable(_))
    });
    assert!(told.contains("0.2.0 is the version in use"), "{told}");

    fs::write(case.file("0.1.0"), plugin("0.2.0", "Rules.", &[])).unwrap();
    let told = complaint(case.back(None), |error| matches!(error, Error::Refused(_)));
    assert!(told.contains("holds acme.rule 0.2.0"), "{told}");
}

#[test]
fn a_file_that_was_changed_or_is_gone_is_told_and_not_loaded() {
    let case = Case::new();
    case.install("0.1.0");
    let row = case
        .acts()
        .switch_on("acme.rule", false, false)
        .unwrap()
        .row;
    let file = case.file("0.1.0");
    for (bytes, expected) in [
        (
            Some(plugin("0.1.0", "Other rules.", &[])),
            "is not the file that was installed",
        ),
        (Some(vec![0; 8]), "is not the file that was installed"),
        (None, "cannot read"),
    ] {
        match bytes {
            Some(bytes) => fs::write(&file, bytes).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        for error in [
            case.plugins().package(&row).map(|_| ()).unwrap_err(),
            case.plugins().installed().map(|_| ()).unwrap_err(),
        ] {
            let told = format!("{error}");
            let help = "install it again, or run: kjerne plugin remove acme.rule";
            assert!(told.contains(expected) && told.contains(help), "{told}");
        }
    }
}

#[test]
fn another_content_of_the_same_version_takes_the_place_of_a_plugin_that_is_off() {
    let case = Case::new();
    let registry = case.plugins();
    case.install("0.1.0");
    let other = plugin("0.1.0", "Other rules.", &[]);
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let told = complaint(case.place(&other), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(told.contains("switched on with another content"), "{told}");

    let before = case.acts().disable("acme.rule").unwrap();
    let first = fs::read(case.file("0.1.0")).unwrap();
    // Cut off before the row: the file of the row that stands is as it was.
    plugin_files::write_draft(&case.file("0.1.0"), &other).unwrap();
    assert_eq!(
        registry.package(&before).unwrap().manifest.description,
        "Rules."
    );
    // Cut off behind the row: the file that belongs to it is found.
    let after = case.place(&other).unwrap().row;
    plugin_files::write_draft(&case.file("0.1.0"), &other).unwrap();
    fs::write(case.file("0.1.0"), first).unwrap();
    for _ in 0..2 {
        let package = registry.package(&after).unwrap();
        assert_eq!(package.manifest.description, "Other rules.");
    }
    assert_eq!(fs::read(case.file("0.1.0")).unwrap(), other);
}

#[test]
fn every_act_is_journalled_once_and_a_refused_one_is_not() {
    let case = Case::new();
    case.install("0.1.0");
    let grant = |item: &str| {
        case.acts()
            .grant("acme.rule", &[item.to_owned()], &[], false)
    };
    assert!(grant("read:account").is_err());
    case.acts().switch_on("acme.rule", false, false).unwrap();
    assert!(
        case.acts()
            .set_settings("acme.rule", Some("a = ".into()))
            .is_err()
    );
    case.acts()
        .set_settings("acme.rule", Some("a = 1".into()))
        .unwrap();
    case.acts().disable("acme.rule").unwrap();
    case.acts().add_token("kari").unwrap();
    case.acts().remove_token("kari").unwrap();
    assert!(case.acts().remove_token("kari").is_err());
    case.acts().set_secret("hook", None).unwrap();
    assert!(
        case.acts()
            .set_secret("hook", Some("short".into()))
            .is_err()
    );
    case.acts().remove("acme.rule").unwrap();
    let expected = [
        "plugin.install acme.rule",
        "plugin.enable acme.rule",
        "plugin.settings acme.rule",
        "plugin.disable acme.rule",
        "token.add kari",
        "token.remove kari",
        "secret.set hook",
        "plugin.remove acme.rule",
    ];
    assert_eq!(case.journal(), expected);
    let snapshot = case.runtime.store.snapshot().unwrap();
    let report = kjerne_store::verify(&*snapshot, case.runtime.kernel.schema()).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn no_secret_gets_into_the_journal() {
    let case = Case::new();
    let token = case.acts().add_token("kari").unwrap();
    let secret = case.acts().set_secret("hook", None).unwrap();
    let told = format!("{:?}", case.runtime.kernel.journal(0, 100).unwrap());
    assert!(!told.contains(&token) && !told.contains(&secret), "{told}");
}

#[test]
fn a_workspace_without_its_plugins_takes_no_commit() {
    let case = Case::new();
    let name = |text: &str| kjerne_model::Name::new(text).unwrap();
    let value = kjerne_model::Value::Text("Acme".into());
    let refused = case.runtime.commit(
        kjerne_model::Commit {
            changes: vec![kjerne_model::Change::Create {
                kind: name("account"),
                id: None,
                fields: kjerne_model::Fields::from([(name("name"), value)]),
            }],
            actor: Actor::User("kari".into()),
            key: None,
            at: Instant::from_millis(0),
            cause: None,
        },
        false,
    );
    let Err(Error::Commit(refusals)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusals[0].code, kjerne_model::Code::PluginFault);
}

#[test]
fn a_plugin_that_is_installed_anew_begins_where_the_journal_ends() {
    let case = Case::new();
    let react = |id: &str| {
        let empty = r#"(component (instance $r) (export "kjerne:crm/react@0.2.0" (instance $r)))"#;
        let manifest = format!(
            "id = \"{id}\"\nversion = \"0.1.0\"\ncontract = \"0.2.0\"\nlabel = \"Rule\"\n\
             description = \"Reacts.\"\n[roles.react]\nkinds = [\"account\"]\n"
        );
        Package::seal(&wat::parse_str(empty).unwrap(), &manifest, "")
    };
    let position = || {
        let snapshot = case.runtime.store.snapshot().unwrap();
        cursors::find(&*snapshot, "acme.react", "react")
            .unwrap()
            .map(|row| row.position)
    };
    case.place(&react("acme.react")).unwrap();
    case.acts().switch_on("acme.react", false, false).unwrap();
    assert_eq!(position(), Some(2), "behind the entry that switched it on");
    case.acts().remove("acme.react").unwrap();
    assert_eq!(position(), None);
    // A call that was under way at its removal stored its place all the same.
    let late = kjerne_store::CursorRow::default();
    case.runtime
        .store
        .write(&mut |write| cursors::put(write, "acme.react", "react", &late))
        .unwrap();
    case.place(&react("acme.react")).unwrap();
    case.acts().switch_on("acme.react", false, false).unwrap();
    assert_eq!(position(), Some(5), "not from the beginning");
}

#[cfg(unix)]
#[test]
fn an_upgrade_that_is_refused_or_was_cut_off_leaves_no_draft() {
    let case = Case::new();
    case.install("0.1.0");
    let folder = case.file("0.1.0").parent().unwrap().to_owned();
    let files = || fs::read_dir(&folder).unwrap().count();
    let data = case.runtime.workspace.dir().join("data.redb");
    let away = data.with_extension("away");
    fs::rename(&data, &away).unwrap();
    let next = plugin("0.2.0", "Rules.", &[]);
    let told = complaint(case.place(&next), |error| !may_be_stored(error));
    assert!(told.contains("writes are refused"), "{told}");
    assert_eq!(files(), 1, "nothing is left of the upgrade");
    fs::rename(&away, &data).unwrap();
    // What an installation that was cut off has left goes with the next.
    fs::write(case.file("0.1.9").with_extension("new"), "half").unwrap();
    case.install("0.2.0");
    assert_eq!((files(), case.versions().0.as_str()), (2, "0.2.0"));
}

#[test]
fn the_messages_of_a_removed_plugin_go_with_it() {
    use kjerne_store::{Link, OutboxRow, outbox};
    let case = Case::new();
    case.install("0.1.0");
    let row = |seq, plugin: &str| OutboxRow {
        seq,
        plugin: plugin.to_owned(),
        message: kjerne_model::Message {
            url: "https://hooks.example.com/in".to_owned(),
            content_type: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            order_key: String::new(),
            id: seq.to_string(),
            signing_secret: None,
        },
        queued_at: Instant::from_millis(0),
        tries: 0,
        not_before: Instant::from_millis(0),
        error: None,
        gave_up: seq == 2,
        link: Link::default(),
    };
    let rows = [
        row(1, "acme.rule"),
        row(2, "acme.rule"),
        row(3, "acme.other"),
    ];
    let queued = case
        .runtime
        .store
        .write(&mut |write| rows.iter().try_for_each(|row| outbox::push(write, row)));
    queued.unwrap();
    case.acts().remove("acme.rule").unwrap();
    let mut left = Vec::new();
    let snapshot = case.runtime.store.snapshot().unwrap();
    outbox::list(&*snapshot, 0, &mut |row| {
        left.push(row.seq);
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(left, [3]);
    assert_eq!(outbox::waiting(&*snapshot, "acme.rule").unwrap().rows, 0);
}

#[test]
fn what_a_removed_plugin_left_in_its_folder_goes_with_it() {
    let case = Case::new();
    case.install("0.1.0");
    let file = case.file("0.1.0");
    fs::write(file.with_extension("new"), "a draft").unwrap();
    fs::write(case.file("0.0.9"), "an older one").unwrap();
    case.acts().remove("acme.rule").unwrap();
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 0);
    // What was left behind by a removal that was cut off is not kept for the next installation.
    fs::write(case.file("0.0.9"), "an older one").unwrap();
    case.install("0.1.0");
    assert_eq!(case.versions().1, Vec::<String>::new());
}

/// The same plugin with a grant that is optional.
fn with_optional(grants: &[&str], optional: &str) -> Vec<u8> {
    let text = format!("[[grant]]\nallow = \"{optional}\"\nreason = \"Nice.\"\noptional = true\n");
    plugin_with("0.1.0", "Rules.", grants, &text)
}

#[test]
fn a_plugin_is_not_switched_on_without_what_it_needs() {
    let case = Case::new();
    let needs = ["read:account", "set:opportunity.pipeline"];
    case.place(&with_optional(&needs, "read:contact.email"))
        .unwrap();
    let grant = |item: &str| {
        case.acts()
            .grant("acme.rule", &[item.to_owned()], &[], false)
            .unwrap()
    };
    let on = || case.acts().switch_on("acme.rule", false, false);
    let refused = |lacking: &[&str], held: &[&str]| {
        let told = complaint(on(), |error| matches!(error, Error::Refused(_)));
        for item in lacking {
            assert!(told.contains(&format!("- {item}: To see.")), "{told}");
        }
        for item in held {
            assert!(!told.contains(item), "{told}");
        }
        assert!(!case.plugins().row("acme.rule").unwrap().enabled);
    };
    refused(&needs, &["contact"]);
    // A part of what is needed is not what is needed.
    let _ = grant("read:account.name");
    refused(&needs, &[]);
    let _ = grant("read:account");
    refused(&needs[1..], &needs[..1]);
    let placed = grant("set:opportunity.pipeline");
    assert_eq!((placed.needed.len(), placed.missing.len()), (0, 1));
    assert!(on().unwrap().row.enabled);
    // What is taken back is taken back, and told.
    let items = ["read:account".to_owned()];
    let placed = case.acts().revoke("acme.rule", &items, false).unwrap();
    assert_eq!(placed.needed[0].to_string(), "read:account");
}

#[test]
fn grants_are_given_by_group_and_only_for_what_is_there() {
    let case = Case::new();
    let asks = [
        "read:account.name",
        "set:account.tier",
        "read:contact",
        "state",
        "read:casee",
        "read:account.nosuch",
    ];
    let placed = case.place(&plugin("0.1.0", "Rules.", &asks)).unwrap();
    assert_eq!(
        placed.unknown,
        [
            "read:casee: there is no kind casee",
            "read:account.nosuch: account has no field nosuch"
        ]
    );
    let grant = |items: &[&str], groups: &[&str], all| {
        let texts = |of: &[&str]| of.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        case.acts()
            .grant("acme.rule", &texts(items), &texts(groups), all)
            .map(|placed| placed.row.grants)
    };
    let account = ["read:account.name", "set:account.tier"];
    assert_eq!(grant(&[], &["account"], false).unwrap(), account);
    let told = complaint(grant(&[], &["lead"], false), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(
        told.contains("its groups are: account, casee, contact, state"),
        "{told}"
    );
    for (item, why) in [
        ("read:casee", "there is no kind casee"),
        ("read:account.nosuch", "account has no field nosuch"),
        ("read:contact.nosuch", "contact has no field nosuch"),
    ] {
        let told = complaint(grant(&[item], &[], false), |error| {
            matches!(error, Error::Refused(_))
        });
        assert!(told.contains(why), "{told}");
    }
    let all = [
        "read:account.name",
        "read:contact",
        "set:account.tier",
        "state",
    ];
    assert_eq!(grant(&[], &[], true).unwrap(), all);
    let told = complaint(case.acts().switch_on("acme.rule", false, false), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(told.contains("there is no kind casee"), "{told}");
}

#[test]
fn b8_an_interface_is_free_when_an_upgrade_no_longer_has_it() {
    let case = Case::new();
    let both = ["sales-stages", "buying-process"];
    case.place(&models("acme.one", "0.1.0", &both)).unwrap();
    case.acts().switch_on("acme.one", false, false).unwrap();
    let bound = |role| case.plugins().binding(role).unwrap();
    let one = Some("acme.one".to_owned());
    assert_eq!(bound(Role::SalesStages), one);
    case.place(&models("acme.one", "0.2.0", &both[1..]))
        .unwrap();
    assert_eq!(
        (bound(Role::SalesStages), bound(Role::BuyingProcess)),
        (None, one.clone())
    );
    // The next that has it is bound; so it is where an earlier version of Kjerne left it dangling.
    let dangling = Administered::Bound {
        role: Role::SalesStages,
        plugin: "acme.one".to_owned(),
    };
    let acts = case.acts();
    acts.journal(Act::new("test", "acme.one"), vec![dangling])
        .unwrap();
    assert_eq!(bound(Role::SalesStages), one);
    case.place(&models("acme.two", "0.1.0", &both)).unwrap();
    case.acts().switch_on("acme.two", false, false).unwrap();
    let two = Some("acme.two".to_owned());
    assert_eq!(
        (bound(Role::SalesStages), bound(Role::BuyingProcess)),
        (two, one)
    );
}

#[test]
fn b9_a_version_that_was_in_use_is_not_overwritten_by_another_content() {
    let case = Case::new();
    case.install("0.1.0");
    case.acts().switch_on("acme.rule", false, false).unwrap();
    case.install("0.2.0");
    let other = plugin("0.1.0", "Other rules.", &[]);
    let told = complaint(case.place(&other), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(
        told.contains("acme.rule 0.1.0 was in use with another content"),
        "{told}"
    );
    let back = case.back(Some("0.1.0")).unwrap();
    let package = case.plugins().package(&back.row).unwrap();
    assert_eq!(package.manifest.description, "Rules.");
    // Whoever goes back installs the same; and what was never in use may be put right.
    case.install("0.1.0");
    case.acts().disable("acme.rule").unwrap();
    case.install("0.3.0");
    case.install("0.4.0");
    case.place(&plugin("0.3.0", "Better.", &[])).unwrap();
}

#[test]
fn b11_a_folder_of_plugins_that_was_removed_is_made_again() {
    let case = Case::new();
    case.install("0.1.0");
    let folder = case.file("0.1.0").parent().unwrap().to_owned();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(case.versions(), ("0.1.0".to_owned(), vec![]));
    case.acts().remove("acme.rule").unwrap();
    assert!(case.plugins().rows().unwrap().is_empty());
    case.install("0.2.0");
    assert!(case.file("0.2.0").exists());
    // And under a plugin that stays.
    fs::remove_dir_all(&folder).unwrap();
    case.install("0.3.0");
    assert_eq!(case.versions(), ("0.3.0".to_owned(), vec![]));
}

fn named(set: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    set.iter().map(own).collect()
}

#[test]
fn limits_are_set_by_name_all_or_none_and_journalled() {
    let case = Case::new();
    case.install("0.1.0");
    let set = |set: &[(&str, &str)]| case.acts().set_limits("acme.rule", &named(set));
    let row = set(&[
        ("rows.guard", "7"),
        ("fuel.guard", "100"),
        ("faults.guard", "let-pass"),
    ]);
    let row = row.unwrap();
    let expected = [("fuel.guard".to_owned(), 100), ("rows.guard".to_owned(), 7)];
    assert_eq!(
        (row.limits.as_slice(), row.lets_pass),
        (&expected[..], true)
    );
    for (wrong, is_it, told) in [
        (("fuel.guard", "0"), "refused", "switch the plugin off"),
        (("fuel.guard", "200000001"), "refused", "bound of 200000000"),
        (("fuel.guard", "-1"), "unreadable", "neither a whole number"),
        (("fuel.react", "1"), "refused", "has no role react"),
        (("fuel.prince", "1"), "unreadable", "no role"),
        (
            ("gold.guard", "1"),
            "unreadable",
            "there are fuel, wall-time",
        ),
        (
            ("faults.guard", "pass"),
            "unreadable",
            "neither refuse nor let-pass",
        ),
    ] {
        let error = set(&[("memory.guard", "1048576"), wrong]).unwrap_err();
        assert!(error.to_string().contains(told), "{is_it}: {error}");
        let row = case.plugins().row("acme.rule").unwrap();
        assert_eq!(row.limits, expected, "nothing of it is set");
    }
    let row = set(&[("rows.guard", "usual"), ("faults.guard", "refuse")]).unwrap();
    assert_eq!((row.limits.len(), row.lets_pass), (1, false));
    case.install("0.2.0");
    let row = case.plugins().row("acme.rule").unwrap();
    assert_eq!(row.limits, expected[..1], "an upgrade keeps them");
    let acts = case.journal();
    assert_eq!(
        acts.iter()
            .filter(|act| *act == "plugin.limits acme.rule")
            .count(),
        2
    );
}
