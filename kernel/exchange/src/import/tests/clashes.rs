//! Rows that clash with rows which are themselves not taken.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use kjerne_core::{Guarded, Kernel, TablePlugin, TablePlugins};
use kjerne_model::{Actor, Change, Commit, Instant, Schema, Value, core_kinds};
use kjerne_store::{MemoryStore, records};

use super::Desk;
use crate::import::{Mapping, run};

#[test]
fn a_row_is_not_rejected_for_a_value_of_a_rejected_one() {
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'e'\n\
               team = { column = 't', lookup = 'team.name' }";
    for (rows, created) in [
        ("a,A,x@x.no,none\nb,B,X@x.no,\n", 1),
        ("a,A,x@x.no,\nb,B,X@x.no,\n", 1),
        ("a,A,x@x.no,\nb,B,y@x.no,\n", 2),
    ] {
        let desk = Desk::new();
        let report = desk.import("user", map, &format!("id,n,e,t\n{rows}"));
        assert_eq!(report.counts.created, created, "{}", desk.rejects());
    }
    // The first of the two is refused by a plugin, which is asked only when nothing else is wrong.
    let guarded = "[fields]\nname = 'n'\nexternal_id = 'i'\nemail = 'e'";
    let desk = Desk::with(super::refusing("Bad"));
    let report = desk.import("user", guarded, "n,i,e\nBad,1,x@x.no\nGood,2,X@x.no\n");
    assert_eq!(report.counts.created, 1, "{}", desk.rejects());
}

#[test]
fn rows_that_are_not_stored_are_told_by_line_and_key() {
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'e'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let desk = Desk::new();
    let rows = "A,A,,B\nB,B,,A\nG,G,,A\nC,C,bad,\nD,D,,C\n";
    let report = desk.import("account", map, &format!("id,n,e,p\n{rows}"));
    assert_eq!((report.counts.created, report.rejected), (0, 5));
    let rejects = desk.rejects();
    assert!(!rejects.contains("account/0"), "{rejects}");
    for expected in [
        "parent leads back to the row in line 2 (external_id",
        "is above itself; mend that one first",
        "the row with external_id \"\"C\"\", in line 5, is not taken",
    ] {
        assert!(rejects.contains(expected), "{expected}: {rejects}");
    }
}

/// Another writer's change of the account with this key, to this industry.
fn write_meanwhile(kernel: &Kernel, key: &str, industry: &str) {
    let snapshot = kernel.store().snapshot().unwrap();
    let mut there = None;
    records::scan(&*snapshot, "account", None, &mut |record| {
        if record.text("external_id") == Some(key) {
            there = Some(record);
        }
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    let name = |text: &str| kjerne_model::Name::new(text).unwrap();
    let text = |text: &str| Value::Text(text.to_owned());
    let change = match there {
        Some(record) => Change::Update {
            target: kjerne_model::Target {
                kind: name("account"),
                id: record.id,
                expected: None,
            },
            patch: [(name("industry"), Some(text(industry)))].into(),
        },
        None => Change::Create {
            kind: name("account"),
            id: None,
            fields: [
                (name("external_id"), text(key)),
                (name("name"), text("Theirs")),
                (name("industry"), text(industry)),
            ]
            .into(),
        },
    };
    let commit = Commit {
        changes: vec![change],
        actor: Actor::User("somebody".to_owned()),
        key: None,
        at: Instant::parse("2026-01-05T09:00:00Z").unwrap(),
        cause: None,
    };
    assert!(kernel.commit(commit).unwrap().receipt().is_some());
}

#[test]
fn a_record_that_somebody_else_makes_or_changes_meanwhile_rejects_no_row() {
    let kernel: Arc<OnceLock<Kernel>> = Arc::default();
    let (within, calls) = (Arc::clone(&kernel), AtomicU32::new(0));
    // A guard is asked between the reading of a record and its storing, and so may be another writer.
    let meanwhile = TablePlugin::new("meanwhile").guard(move |_, drafts| {
        let is_import = drafts.len() > 1;
        if is_import && calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            let kernel = within.get().unwrap();
            for key in ["b", "c"] {
                write_meanwhile(
                    kernel,
                    key,
                    &format!("theirs {}", calls.load(Ordering::Relaxed)),
                );
            }
        }
        Ok(Guarded {
            findings: Vec::new(),
            ..Guarded::default()
        })
    });
    let schema = Arc::new(Schema::new(core_kinds()).unwrap());
    let plugins = Arc::new(TablePlugins::none().with(meanwhile));
    let made = Kernel::new(Arc::new(MemoryStore::new()), schema, plugins, 7).unwrap();
    assert!(kernel.set(made).is_ok());
    let kernel = kernel.get().unwrap();
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    for (name, created, updated) in [("Ours", 2, 2), ("New", 0, 4)] {
        let rows: String = ["a", "b", "c", "d"]
            .map(|key| format!("{key},{name} {key}\n"))
            .concat();
        let mut options = desk.options("account", map, format!("id,n\n{rows}").as_bytes());
        options.mapping = Some(Mapping::parse(map).unwrap());
        let report = run(kernel, &options, None, &|_| true).unwrap();
        let counts = &report.counts;
        assert_eq!(
            (counts.created, counts.updated, report.rejected),
            (created, updated, 0),
            "{:?}",
            report.first_rejects
        );
        let snapshot = kernel.store().snapshot().unwrap();
        records::scan(&*snapshot, "account", None, &mut |record| {
            let key = record.text("external_id").unwrap();
            assert_eq!(record.text("name"), Some(format!("{name} {key}").as_str()));
            assert_eq!(record.text("industry").is_some(), ["b", "c"].contains(&key));
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    }
}
