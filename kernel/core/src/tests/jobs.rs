//! Jobs: each due time once, one run at a time, tried again and at last parked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

use kjerne_model::Actor;
use kjerne_store::{DueRun, JobRow, jobs};

use super::{at, create_new, fault, kernel};
use crate::{
    Administered, Call, Draft, Effects, Finding, Force, Guarded, JobProgress, Kernel, PluginInfo,
    Query, Role, Run, TablePlugin, TablePlugins, Task, Why, parked_job, parked_role,
};

const JOB: &str = "digest";

fn due(seconds: i64, missed: u64) -> DueRun {
    DueRun {
        at: at(seconds),
        missed,
    }
}

/// Makes a task of each run, and fails while it is told to.
fn digest(failing: &Arc<AtomicUsize>) -> TablePlugin {
    let failing = Arc::clone(failing);
    TablePlugin::new("digest").run(Role::Schedule, move |_, task| {
        let Task::Job { job, due } = task else {
            panic!("{task:?}")
        };
        if failing.load(Ordering::SeqCst) > 0 {
            return Err(fault("digest"));
        }
        let subject = format!("{job} of {}, {} missed", due.at, due.missed);
        Ok(Effects {
            changes: vec![create_new(
                "task",
                &[("subject", &subject), ("status", "open")],
            )],
            ..Effects::default()
        })
    })
}

fn with(plugin: TablePlugin) -> (Arc<Kernel>, PluginInfo) {
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let row = JobRow {
        position: at(0),
        ..JobRow::default()
    };
    kernel.begin_job(&info.id, JOB, row).unwrap();
    (kernel, info)
}

fn kept(kernel: &Kernel, info: &PluginInfo) -> JobRow {
    kernel.job(&info.id, JOB).unwrap().unwrap()
}

fn run(kernel: &Kernel, info: &PluginInfo, due: DueRun, why: Why<'_>, now: i64) -> JobProgress {
    let kept = kept(kernel, info);
    let run = Run {
        job: JOB,
        due,
        kept: &kept,
        why,
    };
    kernel.run_job(info, &run, at(now)).unwrap()
}

fn subjects(kernel: &Kernel) -> Vec<String> {
    let tasks = kernel.query(&Query::all(super::name("task"))).unwrap();
    let subject = |record: &kjerne_model::Record| record.get("subject").unwrap().to_string();
    tasks.records.iter().map(subject).collect()
}

#[test]
fn a_run_is_done_once_and_named_after_the_job_and_its_due_time() {
    let (kernel, info) = with(digest(&Arc::default()));
    let before = kept(&kernel, &info);
    let JobProgress::Done(Some(receipt)) = run(&kernel, &info, due(60, 2), Why::Due, 63) else {
        panic!("it is not done")
    };
    let entry = kernel.journal(receipt.entry - 1, 1).unwrap().remove(0);
    assert_eq!(entry.actor, Actor::Plugin("digest".to_owned()));
    assert_eq!(
        entry.key.as_deref(),
        Some("job/digest/2026-01-05T09:01:00Z")
    );
    let row = kept(&kernel, &info);
    let last = row.last.clone().unwrap();
    assert_eq!(
        (row.position, last.due, last.at),
        (at(60), due(60, 2), at(63))
    );

    // Somebody who looked before it was done, and looks again.
    let late = Run {
        job: JOB,
        due: due(60, 2),
        kept: &before,
        why: Why::Due,
    };
    let again = kernel.run_job(&info, &late, at(64)).unwrap();
    assert!(matches!(again, JobProgress::Busy(_)), "{again:?}");
    // Even where it was forgotten that it ran, its key is known.
    kernel.begin_job(&info.id, JOB, before).unwrap();
    let replayed = run(&kernel, &info, due(60, 0), Why::Due, 65);
    assert!(matches!(replayed, JobProgress::Done(Some(receipt)) if receipt.replayed));
    assert_eq!(kept(&kernel, &info).position, at(60));
    assert_eq!(
        subjects(&kernel),
        ["digest of 2026-01-05T09:01:00Z, 2 missed"]
    );
}

#[test]
fn of_two_who_run_it_at_once_one_does() {
    let gate = Arc::new(Barrier::new(2));
    let wait = Arc::clone(&gate);
    let plugin = TablePlugin::new("digest").run(Role::Schedule, move |_, _| {
        wait.wait();
        // Nothing but its own state: there is no key that would tell.
        Ok(Effects {
            state: vec![("runs".to_owned(), Some(vec![1]))],
            ..Effects::default()
        })
    });
    let (kernel, info) = with(plugin);
    let row = kept(&kernel, &info);
    let both: Vec<JobProgress> = std::thread::scope(|scope| {
        let one = || {
            let run = Run {
                job: JOB,
                due: due(60, 0),
                kept: &row,
                why: Why::Due,
            };
            kernel.run_job(&info, &run, at(60)).unwrap()
        };
        let threads = [scope.spawn(one), scope.spawn(one)];
        threads.map(|thread| thread.join().unwrap()).into()
    });
    let done = both
        .iter()
        .filter(|one| matches!(one, JobProgress::Done(_)));
    assert_eq!(done.count(), 1, "{both:?}");
}

#[test]
fn a_failing_run_is_tried_with_pauses_and_then_parked_and_can_be_tried_again() {
    let failing = Arc::new(AtomicUsize::new(1));
    let (kernel, info) = with(digest(&failing));
    let mut now = 60;
    for (tries, pause) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 64)] {
        match run(&kernel, &info, due(60, 1), Why::Due, now) {
            JobProgress::Failed {
                tries: told, until, ..
            } => assert_eq!((told, until), (tries, at(now + pause))),
            other => panic!("{other:?}"),
        }
        let row = kept(&kernel, &info);
        assert_eq!((row.position, row.tries), (at(0), tries), "it is still due");
        now += pause;
    }
    // A newer due time came while it failed: it goes on with that, and counts on.
    let parked = run(&kernel, &info, due(120, 2), Why::Due, now);
    assert!(matches!(parked, JobProgress::Parked(_)), "{parked:?}");
    let row = kept(&kernel, &info);
    assert_eq!(
        (row.position, row.tries, row.parked),
        (at(120), 0, Some(due(120, 2)))
    );
    let rows = kernel.parked().unwrap();
    assert_eq!(
        (rows.len(), rows[0].role.as_str(), rows[0].tries),
        (1, "schedule:digest", 8)
    );
    assert!(
        rows[0].error.contains("due 2026-01-05T09:02:00Z"),
        "{}",
        rows[0].error
    );

    // The next that fails takes its place, and is told of it.
    for _ in 0..8 {
        run(&kernel, &info, due(180, 0), Why::Due, 1_000);
    }
    assert_eq!(kept(&kernel, &info).parked, Some(due(180, 3)));
    assert_eq!(kernel.parked().unwrap().len(), 1);

    let again = || run(&kernel, &info, due(180, 3), Why::Parked, 2_000);
    assert!(matches!(again(), JobProgress::Parked(_)));
    assert_eq!(kernel.parked().unwrap().len(), 1);
    failing.store(0, Ordering::SeqCst);
    assert!(matches!(again(), JobProgress::Done(_)));
    assert!(kernel.parked().unwrap().is_empty());
    assert_eq!(kept(&kernel, &info).parked, None);
    assert_eq!(
        subjects(&kernel),
        ["digest of 2026-01-05T09:03:00Z, 3 missed"]
    );
}

#[test]
fn a_run_that_was_asked_for_changes_nothing_about_when_the_job_is_due() {
    let seen: Arc<Mutex<Vec<Call>>> = Arc::default();
    let sees = Arc::clone(&seen);
    let plugin = TablePlugin::new("digest").run(Role::Schedule, move |call, task| {
        sees.lock().unwrap().push(call.clone());
        match task {
            Task::Job { due, .. } if due.missed == 0 => Ok(Effects::default()),
            _ => Err(fault("digest")),
        }
    });
    let (kernel, info) = with(plugin);
    let kari = Actor::User("kari".to_owned());
    let done = run(&kernel, &info, due(30, 0), Why::Asked(&kari), 30);
    assert_eq!(done, JobProgress::Done(None));
    let row = kept(&kernel, &info);
    assert_eq!((row.position, row.last.unwrap().at), (at(0), at(30)));
    // One that fails is told to whoever asked, and nobody tries it again.
    let failed = run(&kernel, &info, due(40, 1), Why::Asked(&kari), 40);
    assert!(matches!(failed, JobProgress::Failed { tries: 0, .. }));
    assert_eq!(
        (kept(&kernel, &info).tries, kernel.parked().unwrap().len()),
        (0, 0)
    );
    run(&kernel, &info, due(60, 0), Why::Due, 60);
    let actors: Vec<String> = seen
        .lock()
        .unwrap()
        .iter()
        .map(|call| call.actor.to_string())
        .collect();
    assert_eq!(actors, ["user:kari", "user:kari", "system:schedule"]);
}

#[test]
fn a_job_begins_once_and_ends_with_its_plugin() {
    let failing = Arc::new(AtomicUsize::new(1));
    let (kernel, info) = with(digest(&failing));
    let administer = |row: Administered| {
        let act = kjerne_model::Act::new("test", "digest");
        let actor = Actor::User("kari".to_owned());
        kernel.administer(&actor, at(500), act, vec![row]).unwrap();
    };
    let begins = |job: &str, seconds| Administered::JobBegins {
        plugin: "digest".to_owned(),
        job: job.to_owned(),
        at: at(seconds),
    };
    administer(begins(JOB, 400));
    administer(begins("other", 400));
    assert_eq!(kept(&kernel, &info).position, at(0), "it has begun already");
    let other = kernel.job("digest", "other").unwrap().unwrap();
    assert_eq!(other.position, at(400));
    for _ in 0..8 {
        run(&kernel, &info, due(60, 0), Why::Due, 1_000);
    }
    administer(Administered::Unparked {
        plugin: "digest".to_owned(),
        role: parked_role(JOB),
        entry: 0,
    });
    assert!(kernel.parked().unwrap().is_empty());
    assert_eq!(kept(&kernel, &info).parked, None);
    administer(Administered::JobEnds {
        plugin: "digest".to_owned(),
        job: "other".to_owned(),
    });
    let names = || jobs::names(&*kernel.store().snapshot().unwrap(), "digest").unwrap();
    assert_eq!(names(), [JOB]);
    administer(Administered::PluginRemoved("digest".to_owned()));
    assert!(names().is_empty());
}

#[test]
fn the_role_of_a_parked_run_names_its_job() {
    assert_eq!(parked_job(&parked_role("a-b")), Some("a-b"));
    assert_eq!(parked_job("schedule"), None);
    assert_eq!(parked_job("react"), None);
}

/// A run whose proposals wait for approval is done, and is neither tried again nor parked.
#[test]
fn a_run_whose_proposals_wait_for_approval_is_done() {
    let asks = TablePlugin::new("rules").guard(|_, drafts| {
        let finding = |draft: &Draft<'_>| Finding {
            force: Force::AsksApproval {
                role: "boss".to_owned(),
            },
            change: draft.change,
            field: None,
            code: "new".to_owned(),
            message: "a new task".to_owned(),
        };
        Ok(Guarded {
            findings: drafts.iter().map(finding).collect(),
            ..Guarded::default()
        })
    });
    let plugin = digest(&Arc::default());
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin).with(asks));
    kernel.begin_job(&info.id, JOB, JobRow::default()).unwrap();
    for _ in 0..2 {
        let done = run(&kernel, &info, due(60, 0), Why::Due, 60);
        assert_eq!(done, JobProgress::Done(None));
        let row = kept(&kernel, &info);
        assert_eq!((row.position, row.tries), (at(60), 0));
    }
    assert!(subjects(&kernel).is_empty(), "nobody has approved");
    let held = kjerne_store::pending::held_in_all(&*kernel.store().snapshot().unwrap());
    assert_eq!(held.unwrap().rows, 1);
    assert!(kernel.parked().unwrap().is_empty());
}
