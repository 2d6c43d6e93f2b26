//! Files as people meet them: missing, taken, damaged, too new. Each gives an error that says so.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use common::{create, record, schema, text};
use kjerne_model::Record;
use kjerne_store::{FORMAT, RedbStore, Space, Store, StoreError, journal, records, verify};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crm.kjerne");
    (folder, path)
}

fn workspace(path: &Path) {
    let store = RedbStore::create(path).unwrap();
    (1..=60).for_each(|number| {
        create(
            &store,
            &record(number, &[("label", text(&"x".repeat(900)))]),
        );
    });
}

fn refusal(path: &Path) -> StoreError {
    match RedbStore::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

#[test]
fn a_workspace_outlives_its_store() {
    let (_folder, path) = folder();
    workspace(&path);
    let plain = || RedbStore::open(&path);
    let checked = || RedbStore::open_checked(&path, "kjerne verify");
    for open in [
        &plain as &dyn Fn() -> Result<RedbStore, StoreError>,
        &checked,
    ] {
        let store = open().unwrap();
        let snapshot = store.snapshot().unwrap();
        assert_eq!(journal::last(&*snapshot).unwrap(), 60);
        assert!(verify(&*snapshot, &schema()).unwrap().is_clean());
    }
}

#[test]
fn a_workspace_is_made_once_and_whole() {
    let (folder, path) = folder();
    workspace(&path);
    assert!(matches!(
        RedbStore::create(&path),
        Err(StoreError::Exists(_))
    ));
    let names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        !names.iter().any(|name| name.ends_with(".new")),
        "{names:?}"
    );

    // What an interrupted creation leaves behind is in nobody's way.
    let other = folder.path().join("other.kjerne");
    fs::write(folder.path().join("other.kjerne.new"), b"half").unwrap();
    assert!(matches!(refusal(&other), StoreError::Missing(_)));
    workspace(&other);
}

#[test]
fn who_holds_a_workspace_is_named() {
    let (_folder, path) = folder();
    workspace(&path);
    let holder = RedbStore::open_described(&path, "kjerne serve").unwrap();
    let message = refusal(&path).to_string();
    let process = std::process::id();
    assert_eq!(
        message,
        format!("the workspace is in use by kjerne serve, process {process}")
    );
    drop(holder);
    RedbStore::open(&path).unwrap();
}

/// A snapshot may outlive its store; it must not keep the file from being opened again.
#[test]
fn a_snapshot_left_over_does_not_hold_the_workspace() {
    let (_folder, path) = folder();
    workspace(&path);
    let store = RedbStore::open(&path).unwrap();
    let snapshot = store.snapshot().unwrap();
    drop(store);
    RedbStore::open(&path).unwrap();
    let _read_or_refused = snapshot.get(Space::Meta, b"format");
}

#[test]
fn what_is_no_workspace_is_refused_with_the_reason() {
    let check = |content: &[u8]| {
        let (_folder, path) = folder();
        fs::write(&path, content).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
        assert!(error.to_string().contains("crm.kjerne"), "{error}");
        assert_eq!(
            fs::read(&path).unwrap(),
            content,
            "the file is left as it was"
        );
    };
    check(b"");
    check(b"PK\x03\x04 a document");
    check(&[0; 100_000]);
    check(b"redb\x1a\x0a\xa9\x0d\x0a");
    let (_folder, path) = folder();
    assert!(matches!(refusal(&path), StoreError::Missing(_)));
}

#[test]
fn a_file_cut_short_is_refused_and_nothing_panics() {
    let (_folder, path) = folder();
    workspace(&path);
    let whole = fs::read(&path).unwrap();
    for kept in [
        1,
        9,
        64,
        320,
        4_095,
        4_096,
        8_192,
        40_960,
        whole.len() / 2,
        whole.len() - 4_096,
    ] {
        fs::write(&path, &whole[..kept]).unwrap();
        let error = refusal(&path);
        assert!(
            matches!(error, StoreError::Corrupt(_)),
            "{kept} bytes: {error}"
        );
    }
}

/// Bytes changed behind redb's back: a checked open finds them all, and never panics.
#[test]
fn changed_bytes_are_found_by_a_checked_open() {
    let (_folder, path) = folder();
    workspace(&path);
    let whole = fs::read(&path).unwrap();
    let page = (0..whole.len()).step_by(4_096);
    let used: Vec<usize> = page
        .filter(|&at| {
            whole[at..at + 4_096]
                .windows(900)
                .any(|part| part == [b'x'; 900])
        })
        .collect();
    assert!(!used.is_empty());
    let (mut refused, mut harmless) = (0, 0);
    for at in used {
        let mut changed = whole.clone();
        changed[at + 100..at + 110].fill(0xee);
        fs::write(&path, &changed).unwrap();
        match RedbStore::open_checked(&path, "kjerne verify") {
            Err(StoreError::Corrupt(_)) => refused += 1,
            Err(other) => panic!("page at {at}: {other}"),
            // The page was of an earlier state and is free.
            Ok(store) => {
                let report = verify(&*store.snapshot().unwrap(), &schema()).unwrap();
                assert!(report.is_clean(), "page at {at}: {:?}", report.faults);
                harmless += 1;
            }
        }
    }
    assert!(refused > 5, "{refused} refused, {harmless} harmless");
}

/// A disk that changes a bit is told from the data, whatever was read before, and in a sentence.
#[test]
fn a_flipped_bit_never_reads_as_another_value() {
    let (_folder, path) = folder();
    workspace(&path);
    let read = |store: &RedbStore| -> Result<Vec<Record>, StoreError> {
        let snapshot = store.snapshot()?;
        let mut found = Vec::new();
        records::scan(&*snapshot, "thing", None, &mut |record| {
            found.push(record);
            ControlFlow::Continue(())
        })?;
        journal::scan(&*snapshot, 0, &mut |_| ControlFlow::Continue(()))?;
        Ok(found)
    };
    let sound = read(&RedbStore::open(&path).unwrap()).unwrap();
    let whole = fs::read(&path).unwrap();
    let (mut told, mut short, mut same) = (0, 0, 0);
    for at in (0..whole.len()).step_by(509) {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&path, &changed).unwrap();
        match RedbStore::open(&path).and_then(|store| read(&store)) {
            Ok(found) if found == sound => same += 1,
            // A pointer between pages that leads elsewhere: rows can be missing, none can differ.
            Ok(found) => {
                assert!(
                    found.iter().all(|record| sound.contains(record)),
                    "byte {at}"
                );
                short += 1;
            }
            Err(StoreError::Corrupt(what)) => {
                assert!(
                    !what.contains("panicked") && !what.contains("unwrap"),
                    "{what}"
                );
                told += 1;
            }
            Err(StoreError::ReadOnly(_) | StoreError::Io(_) | StoreError::Full(_)) => told += 1,
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(told > 50, "{told} told, {same} harmless");
    assert!(short <= told / 50, "{told} told, {short} with rows missing");
}

/// What the refusal must tell, and what happens to the file.
#[cfg(unix)]
type Mishap<'a> = (&'a str, &'a dyn Fn(&Path));

/// What is written to a file that was removed is gone with the process.
#[cfg(unix)]
#[test]
fn a_data_file_that_is_not_in_its_place_takes_no_writes() {
    let moved = |path: &Path| fs::rename(path, path.with_extension("elsewhere")).unwrap();
    let replaced = |path: &Path| {
        let other = path.with_extension("other");
        fs::copy(path, &other).unwrap();
        fs::rename(&other, path).unwrap();
    };
    let folder_gone = |path: &Path| fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let removed = |path: &Path| fs::remove_file(path).unwrap();
    let cases: [Mishap<'_>; 4] = [
        ("moved or removed", &removed),
        ("moved or removed", &moved),
        ("moved or removed", &folder_gone),
        ("another file stands", &replaced),
    ];
    for (expected, happens) in cases {
        let (_folder, path) = folder();
        workspace(&path);
        let store = RedbStore::open(&path).unwrap();
        store.health().unwrap();
        happens(&path);
        let refused = store.write(&mut |_| Ok(())).unwrap_err();
        assert!(matches!(refused, StoreError::ReadOnly(_)), "{refused}");
        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(store.health().is_err());
        let snapshot = store.snapshot().unwrap();
        assert_eq!(journal::last(&*snapshot).unwrap(), 60, "reads go on");
    }
}

/// While a commit is under way the file goes: it was not stored, or is not there, and is not told as
/// stored.
#[cfg(unix)]
#[test]
fn a_data_file_removed_during_a_write_is_no_success() {
    let (_folder, path) = folder();
    workspace(&path);
    let store = RedbStore::open(&path).unwrap();
    let outcome = store.write(&mut |_| {
        let _ = fs::remove_file(&path);
        Ok(())
    });
    assert!(
        matches!(outcome, Err(StoreError::Unknown(_))),
        "{outcome:?}"
    );
    assert!(store.health().is_err());
}

#[test]
fn a_newer_format_is_refused_with_both_numbers() {
    let (_folder, path) = folder();
    workspace(&path);
    let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(Space::Meta.name());
    let set_format = |bytes: Option<&[u8]>| {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        {
            let mut meta = transaction.open_table(table).unwrap();
            match bytes {
                Some(bytes) => drop(meta.insert(b"format".as_slice(), bytes).unwrap()),
                None => drop(meta.remove(b"format".as_slice()).unwrap()),
            }
        }
        transaction.commit().unwrap();
    };
    set_format(Some(&(FORMAT + 1).to_be_bytes()));
    assert!(
        matches!(refusal(&path), StoreError::NewerFormat { found, known } if (found, known) == (FORMAT + 1, FORMAT))
    );
    for wrong in [None, Some(b"?".as_slice()), Some(&[0; 4])] {
        set_format(wrong);
        assert!(
            matches!(refusal(&path), StoreError::Corrupt(_)),
            "{wrong:?}"
        );
    }
    set_format(Some(&1u32.to_be_bytes()));
    let old = refusal(&path).to_string();
    assert!(old.contains("from before the first release"), "{old}");
    set_format(Some(&FORMAT.to_be_bytes()));
    RedbStore::open(&path).unwrap();
}
