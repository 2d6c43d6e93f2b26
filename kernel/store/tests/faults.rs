//! Disks that fail: at every write, flush and growth of the file, whatever was acknowledged is
//! there when the workspace is opened again, and nothing is there by half.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use common::{all, id, record, schema, store_change, text};
use kjerne_model::Value;
use kjerne_store::{RedbStore, Store, StoreError, journal, records, verify};
use redb::StorageBackend;

/// How the disk fails when its time has come.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fault {
    /// Power is lost: nothing that comes after has any effect, and what was written since the last
    /// flush is gone in part (each write is kept or lost by a coin with this seed).
    Crash(u64),
    /// The operation fails, and so does every later one.
    Io,
    /// The operation fails because the disk is full, and so does every later one.
    Full,
    /// Only this one operation fails; the disk would work again at once.
    Hiccup,
}

#[derive(Debug, Default)]
struct Disk {
    /// What programs see.
    seen: Vec<u8>,
    /// What survives for certain.
    flushed: Vec<u8>,
    /// Writes since the last flush.
    pending: Vec<Pending>,
    /// Operations until the fault; none when the disk is sound.
    left: Option<u64>,
    /// Operations so far.
    done: u64,
    failed: bool,
}

#[derive(Debug, Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Resize(usize),
}

#[derive(Debug, Clone)]
struct FaultyDisk {
    disk: Arc<Mutex<Disk>>,
    fault: Fault,
}

fn apply(bytes: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Resize(len) => bytes.resize(*len, 0),
        Pending::Write(at, data) => {
            if bytes.len() < at + data.len() {
                bytes.resize(at + data.len(), 0);
            }
            bytes[*at..at + data.len()].copy_from_slice(data);
        }
    }
}

impl FaultyDisk {
    fn new(bytes: Vec<u8>, fault: Fault, left: Option<u64>) -> Self {
        let disk = Disk {
            seen: bytes.clone(),
            flushed: bytes,
            left,
            ..Disk::default()
        };
        Self {
            disk: Arc::new(Mutex::new(disk)),
            fault,
        }
    }

    fn sound(bytes: Vec<u8>) -> Self {
        Self::new(bytes, Fault::Io, None)
    }

    fn error(&self) -> io::Error {
        match self.fault {
            Fault::Full => io::Error::from_raw_os_error(28),
            _ => io::Error::from_raw_os_error(5),
        }
    }

    /// Does one operation, or fails as it should. A crashed disk says that all went well; nobody
    /// hears it.
    fn operate(&self, operation: impl FnOnce(&mut Disk)) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.done += 1;
        let now = disk.left == Some(0);
        disk.left = disk.left.map(|left| left.saturating_sub(1));
        if now && (!disk.failed || self.fault != Fault::Hiccup) {
            let first = !disk.failed;
            disk.failed = true;
            return match self.fault {
                // A write that fails has written part of its data, as a write to a file can.
                Fault::Io | Fault::Full | Fault::Crash(_) if first => {
                    let before = disk.pending.len();
                    operation(&mut disk);
                    if let Some(Pending::Write(_, data)) = disk.pending.get_mut(before) {
                        data.truncate(data.len() / 2);
                    }
                    Err(self.error())
                }
                _ => Err(self.error()),
            };
        }
        operation(&mut disk);
        Ok(())
    }

    fn operations(&self) -> u64 {
        self.disk.lock().unwrap().done
    }

    /// What is on the disk when the machine comes up again.
    fn after_restart(&self) -> Vec<u8> {
        let disk = self.disk.lock().unwrap();
        let mut bytes = disk.flushed.clone();
        let mut coin = match self.fault {
            Fault::Crash(seed) => seed | 1,
            // The machine went on: the file is what programs saw.
            _ => return replay(bytes, &disk.pending, |_| true),
        };
        bytes = replay(bytes, &disk.pending, |_| {
            coin ^= coin << 13;
            coin ^= coin >> 7;
            coin ^= coin << 17;
            coin.is_multiple_of(2)
        });
        bytes
    }
}

fn replay(
    mut bytes: Vec<u8>,
    pending: &[Pending],
    mut keeps: impl FnMut(&Pending) -> bool,
) -> Vec<u8> {
    for one in pending {
        // The length of a file is its owner's business, not a page's: it is always kept.
        if matches!(one, Pending::Resize(_)) || keeps(one) {
            apply(&mut bytes, one);
        }
    }
    bytes
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().unwrap().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let disk = self.disk.lock().unwrap();
        let at = offset as usize;
        let held = disk.seen.get(at..at + out.len());
        out.copy_from_slice(held.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.operate(|disk| {
            let pending = Pending::Resize(len as usize);
            apply(&mut disk.seen, &pending);
            disk.pending.push(pending);
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.operate(|disk| {
            // A flush that fails leaves open what of it reached the disk.
            if !disk.failed {
                disk.flushed = disk.seen.clone();
                disk.pending.clear();
            }
        })
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.operate(|disk| {
            let pending = Pending::Write(offset as usize, data.to_vec());
            apply(&mut disk.seen, &pending);
            disk.pending.push(pending);
        })
    }
}

/// What the workspace must hold: the version of each record.
type Model = BTreeMap<u8, u64>;

/// One commit that creates or changes three records, so that half of it could be seen.
fn commit(store: &dyn Store, model: &Model, round: u64) -> (Model, Result<(), StoreError>) {
    let mut next = model.clone();
    let records: Vec<u8> = (0..3)
        .map(|n| ((round * 5 + n * 7) % 11) as u8 + 1)
        .collect();
    let outcome = store.write(&mut |write| {
        next = model.clone();
        for &number in &records {
            let before = records::get(write, "thing", id(number))?;
            let version = before.as_ref().map_or(1, |record| record.version + 1);
            let mut after = record(
                number,
                &[
                    ("code", text(&format!("{number}/{version}"))),
                    ("size", Value::Integer(version as i64)),
                    ("label", text(&"long ".repeat(200 + round as usize))),
                ],
            );
            after.version = version;
            store_change(write, before.as_ref(), Some(&after))?;
            next.insert(number, version);
        }
        Ok(())
    });
    (next, outcome)
}

fn held(store: &dyn Store) -> Model {
    let snapshot = store.snapshot().unwrap();
    all(|visit| records::scan(&*snapshot, "thing", None, visit))
        .into_iter()
        .map(|record| (record.id.as_bytes()[0], record.version))
        .collect()
}

const ROUNDS: u64 = 8;

/// A workspace of two commits, as its file has it after an orderly end.
fn beginning() -> (Vec<u8>, Model) {
    let disk = FaultyDisk::sound(Vec::new());
    let store = RedbStore::with_backend(disk.clone()).unwrap();
    let mut model = Model::new();
    for round in 0..2 {
        let (next, outcome) = commit(&store, &model, round);
        outcome.unwrap();
        model = next;
    }
    drop(store);
    (disk.after_restart(), model)
}

/// Runs commits until the disk fails at operation `at`, opens what is left, and checks it. Returns
/// false when the disk did not fail any more.
fn check(beginning: &(Vec<u8>, Model), fault: Fault, at: u64) -> bool {
    let disk = FaultyDisk::new(beginning.0.clone(), fault, Some(at));
    let acknowledged = work(disk.clone(), &beginning.1, fault, at);
    let failed = disk.disk.lock().unwrap().failed;
    let Acknowledged {
        model,
        doubtful,
        entries,
    } = acknowledged;

    let reopened = RedbStore::with_backend(FaultyDisk::sound(disk.after_restart()));
    let store = reopened.unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
    let held = held(&store);
    let as_doubtful = doubtful.as_ref() == Some(&held);
    assert!(
        held == model || as_doubtful,
        "{fault:?} at {at}: {held:?}, not {model:?}"
    );
    let snapshot = store.snapshot().unwrap();
    let last = journal::last(&*snapshot).unwrap();
    assert_eq!(
        last,
        if as_doubtful { entries + 3 } else { entries },
        "{fault:?} at {at}"
    );
    let report = verify(&*snapshot, &schema()).unwrap();
    assert!(report.is_clean(), "{fault:?} at {at}: {:?}", report.faults);
    let (_, outcome) = commit(&store, &held, 99);
    outcome.unwrap_or_else(|error| panic!("{fault:?} at {at}: no more writes: {error}"));
    failed
}

struct Acknowledged {
    /// What must be there.
    model: Model,
    /// What may be there instead, after a write whose outcome is not known.
    doubtful: Option<Model>,
    /// The journal's last entry in `model`.
    entries: u64,
}

fn work(disk: FaultyDisk, beginning: &Model, fault: Fault, at: u64) -> Acknowledged {
    let mut known = Acknowledged {
        model: beginning.clone(),
        doubtful: None,
        entries: 6,
    };
    let Ok(store) = RedbStore::with_backend(disk) else {
        return known;
    };
    for round in 2..ROUNDS {
        let (next, outcome) = commit(&store, &known.model, round);
        match outcome {
            Ok(()) => {
                assert!(
                    known.doubtful.is_none(),
                    "{fault:?} at {at}: acknowledged after a failure"
                );
                known.entries += 3;
                known.model = next;
            }
            Err(StoreError::Full(_)) => {
                assert_eq!(fault, Fault::Full, "at {at}");
                refused_from_now_on(&store, &known.model, round);
                break;
            }
            Err(StoreError::Unknown(_)) => {
                known.doubtful = Some(next);
                refused_from_now_on(&store, &known.model, round);
                break;
            }
            // What fails before the header is written has stored nothing, and says so. A file that takes
            // no write when it is opened is opened to be read.
            Err(StoreError::Io(_) | StoreError::ReadOnly(_)) => {
                refused_from_now_on(&store, &known.model, round);
                break;
            }
            Err(other) => panic!("{fault:?} at {at}: {other}"),
        }
    }
    known
}

/// After a failure writes are refused for a stated reason, and reads go on as of the last write
/// that was acknowledged.
fn refused_from_now_on(store: &RedbStore, model: &Model, round: u64) {
    let (_, outcome) = commit(store, model, round);
    assert!(
        matches!(outcome, Err(StoreError::ReadOnly(_))),
        "{outcome:?}"
    );
    assert!(
        matches!(store.health(), Err(StoreError::ReadOnly(_))),
        "health must say so too"
    );
    assert_eq!(&held(store), model);
    let report = verify(&*store.snapshot().unwrap(), &schema()).unwrap();
    assert!(report.is_clean(), "{:?}", report.faults);
}

fn at_every_point(fault: impl Fn(u64) -> Fault) {
    let beginning = beginning();
    let points = (0..10_000)
        .take_while(|&at| check(&beginning, fault(at), at))
        .count();
    assert!(
        points > 100,
        "only {points} points failed: the disk is not used as expected"
    );
}

#[test]
fn a_crash_at_any_point_keeps_what_was_acknowledged() {
    at_every_point(|at| Fault::Crash(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    at_every_point(|at| Fault::Crash(at.wrapping_add(77).wrapping_mul(0xd134_2543_de82_ef95)));
}

#[test]
fn a_disk_that_breaks_at_any_point_keeps_what_was_acknowledged() {
    at_every_point(|_| Fault::Io);
}

#[test]
fn one_failed_operation_at_any_point_is_never_taken_for_a_success() {
    at_every_point(|_| Fault::Hiccup);
}

#[test]
fn a_full_disk_at_any_point_keeps_what_was_acknowledged() {
    at_every_point(|_| Fault::Full);
}

/// A full disk whose outcome is known is no reason to start the server again: as soon as there is
/// room, and nobody reads the state before any more, writes are taken.
#[test]
fn a_disk_that_was_full_takes_writes_again_when_there_is_room() {
    let beginning = beginning();
    let (mut recovered, mut unknown) = (0, 0);
    for at in 0..10_000 {
        let disk = FaultyDisk::new(beginning.0.clone(), Fault::Full, Some(at));
        let opened = disk.clone();
        let again = move || {
            let failed = opened.disk.lock().unwrap().failed;
            let full = || StoreError::Full("still".to_owned());
            (!failed).then(|| opened.clone()).ok_or_else(full)
        };
        let Ok(store) = RedbStore::with_backends(again) else {
            continue;
        };
        let mut model = beginning.1.clone();
        let mut failed = None;
        for round in 2..ROUNDS {
            let (next, outcome) = commit(&store, &model, round);
            match outcome {
                Ok(()) => model = next,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        let Some(error) = failed else { break };
        refused_from_now_on(&store, &model, 50);
        {
            let mut disk = disk.disk.lock().unwrap();
            (disk.failed, disk.left) = (false, None);
        }
        if let StoreError::Unknown(_) = error {
            refused_from_now_on(&store, &model, 51);
            unknown += 1;
            continue;
        }
        let reader = store.snapshot().unwrap();
        refused_from_now_on(&store, &model, 52);
        drop(reader);
        store
            .health()
            .unwrap_or_else(|error| panic!("at {at}: {error}"));
        for round in 60..63 {
            let (next, outcome) = commit(&store, &model, round);
            outcome.unwrap_or_else(|error| panic!("at {at}: {error}"));
            model = next;
            assert_eq!(held(&store), model, "at {at}");
        }
        drop(store);
        let store = RedbStore::with_backend(FaultyDisk::sound(disk.after_restart())).unwrap();
        assert_eq!(held(&store), model, "at {at}");
        let report = verify(&*store.snapshot().unwrap(), &schema()).unwrap();
        assert!(report.is_clean(), "at {at}: {:?}", report.faults);
        recovered += 1;
    }
    assert!(recovered > 50, "{recovered} recovered, {unknown} unknown");
}

/// Data that does not fit in memory is written before the commit; a failure then is no secret.
#[test]
fn a_disk_that_fills_up_during_a_large_write_stores_nothing_of_it() {
    for left in [1, 100, 1_000] {
        let (bytes, model) = beginning();
        let disk = FaultyDisk::new(bytes, Fault::Full, None);
        let store = RedbStore::with_backend(disk.clone()).unwrap();
        disk.disk.lock().unwrap().left = Some(left);
        let outcome = store.write(&mut |write| {
            (0u32..6_000).try_for_each(|key| {
                write.put(
                    kjerne_store::Space::PluginState,
                    &key.to_be_bytes(),
                    &[7; 6_000],
                )
            })
        });
        assert!(matches!(outcome, Err(StoreError::Full(_))), "{outcome:?}");
        refused_from_now_on(&store, &model, 3);
        drop(store);
        let store = RedbStore::with_backend(FaultyDisk::sound(disk.after_restart())).unwrap();
        assert_eq!(held(&store), model);
        assert!(disk.operations() > left);
    }
}

/// The model itself must be able to fail: a disk that acknowledges a flush and forgets it loses
/// commits, and the check sees that.
#[test]
fn a_lost_commit_would_be_noticed() {
    let (bytes, model) = beginning();
    let disk = FaultyDisk::sound(bytes.clone());
    let store = RedbStore::with_backend(disk).unwrap();
    let (next, outcome) = commit(&store, &model, 2);
    outcome.unwrap();
    let forgetful = RedbStore::with_backend(FaultyDisk::sound(bytes)).unwrap();
    assert_ne!(held(&forgetful), next);
}
