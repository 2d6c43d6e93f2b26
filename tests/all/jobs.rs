//! Jobs in a real workspace: by a clock that the tests set, and as people see them.

use std::sync::Arc;

use kjerne_core::{PluginInfo, Role};
use kjerne_model::{Actor, Instant, Name};
use kjerne_tests::Workspace;
use kjerne_workspace::jobs::{Standing, State};
use kjerne_workspace::{Administration, Offer, Runtime};
use serde_json::json;

use crate::stage::built;

const PLUGIN: &str = "hostile-timely";

fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

/// An open workspace with the plugin in it, and no thread beside the test's.
struct Timed {
    runtime: Runtime,
    _folder: Workspace,
}

impl Timed {
    /// With the plugin switched on at a time.
    fn new(enabled: &str, settings: &str) -> Self {
        let folder = Workspace::new();
        let timed = Self {
            runtime: open(&folder),
            _folder: folder,
        };
        let acts = timed.acts(enabled);
        acts.install(&Offer::unsigned(&built(PLUGIN))).unwrap();
        acts.grant(PLUGIN, &[], &[], true).unwrap();
        acts.set_settings(PLUGIN, Some(settings.to_owned()))
            .unwrap();
        acts.enable(PLUGIN, false, false).unwrap();
        timed
    }

    fn acts(&self, at_time: &str) -> Administration<'_> {
        Administration::new(&self.runtime, Actor::User("admin".to_owned()), at(at_time))
    }

    fn info(&self) -> Arc<PluginInfo> {
        let mut with = kjerne_core::Plugins::with_role(&*self.runtime.host, Role::Schedule);
        with.remove(0)
    }

    /// Looks until nothing is due any more; answers when to look again.
    fn look(&self, now: &str) -> String {
        let now = at(now);
        loop {
            let again = self.runtime.run_due_jobs(&self.info(), now).unwrap();
            if again > now {
                return again.to_string();
            }
        }
    }

    fn subjects(&self) -> Vec<String> {
        let tasks = kjerne_core::Query::all(Name::new("task").unwrap());
        let tasks = self.runtime.kernel.query(&tasks).unwrap();
        let subject = |record: &kjerne_model::Record| record.get("subject").unwrap().to_string();
        tasks.records.iter().map(subject).collect()
    }

    fn standing(&self, job: &str, now: &str) -> Standing {
        let mut all = self.runtime.jobs(Some(PLUGIN), at(now)).unwrap();
        all.retain(|standing| standing.job.name == job);
        all.remove(0)
    }
}

fn open(folder: &Workspace) -> Runtime {
    let workspace = kjerne_workspace::Workspace::open(&folder.dir()).unwrap();
    Runtime::open(workspace, "test").unwrap()
}

#[test]
fn a_job_counts_from_when_it_is_switched_on_and_runs_once_for_what_went_by() {
    // Oslo skips the hour of the daily job on 29 March.
    let timed = Timed::new("2026-03-27T12:00:00Z", "# rest");
    assert!(timed.subjects().is_empty());
    timed.look("2026-03-27T12:00:30Z");
    timed.look("2026-03-28T01:29:59Z");
    assert!(timed.subjects().is_empty(), "nothing is due for the past");
    timed.look("2026-03-28T01:30:00Z");
    timed.look("2026-03-29T00:59:59Z");
    timed.look("2026-03-29T01:00:00Z");
    // Three days without a server.
    timed.look("2026-04-01T12:00:00Z");
    timed.look("2026-04-01T12:00:00Z");
    assert_eq!(
        timed.subjects(),
        [
            "daily 2026-03-28T01:30:00Z missed 0 by system:schedule run 1",
            "daily 2026-03-29T01:00:00Z missed 0 by system:schedule run 2",
            "daily 2026-04-01T00:30:00Z missed 2 by system:schedule run 3",
        ]
    );
    let standing = timed.standing("daily", "2026-04-01T12:00:00Z");
    assert_eq!((standing.state, standing.missed), (State::Waiting, 0));
    assert_eq!(standing.next, Some(at("2026-04-02T00:30:00Z")));
    assert_eq!(standing.row.unwrap().last.unwrap().due.missed, 2);
}

#[test]
fn a_plugin_that_was_off_makes_up_for_it_once_and_one_that_is_removed_begins_anew() {
    let timed = Timed::new("2026-01-05T12:00:00Z", "# rest");
    timed.acts("2026-01-05T13:00:00Z").disable(PLUGIN).unwrap();
    let standing = timed.standing("daily", "2026-01-08T12:00:00Z");
    assert_eq!(
        (standing.state, standing.next, standing.missed),
        (State::Off, None, 2)
    );
    timed
        .acts("2026-01-08T12:00:00Z")
        .enable(PLUGIN, false, false)
        .unwrap();
    let standing = timed.standing("daily", "2026-01-08T12:00:00Z");
    assert_eq!(
        (standing.state, standing.next),
        (State::Due, Some(at("2026-01-08T01:30:00Z")))
    );
    timed.look("2026-01-08T12:00:00Z");
    assert_eq!(
        timed.subjects(),
        ["daily 2026-01-08T01:30:00Z missed 2 by system:schedule run 1"]
    );
    timed.acts("2026-01-08T13:00:00Z").remove(PLUGIN).unwrap();
    let acts = timed.acts("2026-02-01T12:00:00Z");
    acts.install(&Offer::unsigned(&built(PLUGIN))).unwrap();
    acts.grant(PLUGIN, &[], &[], true).unwrap();
    acts.set_settings(PLUGIN, Some("# rest".to_owned()))
        .unwrap();
    acts.enable(PLUGIN, false, false).unwrap();
    timed.look("2026-02-01T12:00:00Z");
    assert_eq!(timed.subjects().len(), 1);
}

#[test]
fn a_run_that_fails_holds_up_no_other_job_and_is_parked_retried_and_skipped() {
    let timed = Timed::new("2026-01-05T12:00:00Z", "# fail daily");
    let fails = "2026-01-06T01:30:00Z";
    assert_eq!(timed.look(fails), "2026-01-06T01:30:01Z");
    let minutely = timed.subjects();
    assert_eq!(minutely.len(), 1, "{minutely:?}");
    assert!(
        minutely[0].starts_with("minutely 2026-01-06T01:30:00Z missed 809"),
        "{minutely:?}"
    );
    let standing = timed.standing("daily", fails);
    assert_eq!(standing.state, State::Failing);
    assert_eq!(standing.next, Some(at("2026-01-06T01:30:01Z")));
    let error = standing.row.unwrap().error.unwrap();
    assert!(error.contains("as its settings say"), "{error}");
    for minute in 31..=50 {
        timed.look(&format!("2026-01-06T01:{minute}:00Z"));
    }
    let standing = timed.standing("daily", "2026-01-06T01:50:00Z");
    assert_eq!(standing.state, State::Parked);
    assert_eq!(standing.next, Some(at("2026-01-07T01:30:00Z")));
    let parked = timed.runtime.kernel.parked().unwrap();
    assert_eq!(
        (parked.len(), parked[0].role.as_str()),
        (1, "schedule:daily")
    );

    let later = timed.acts("2026-01-06T09:00:00Z");
    let retry = || later.retry_parked(PLUGIN, "schedule:daily", 0).unwrap();
    assert!(matches!(retry(), kjerne_core::Progress::Parked { .. }));
    later
        .set_settings(PLUGIN, Some("# rest".to_owned()))
        .unwrap();
    assert!(matches!(retry(), kjerne_core::Progress::Moved { .. }));
    assert!(timed.runtime.kernel.parked().unwrap().is_empty());
    let last = timed.subjects().pop().unwrap();
    assert!(
        last.starts_with("daily 2026-01-06T01:30:00Z missed 0"),
        "{last}"
    );

    later
        .set_settings(PLUGIN, Some("# panic".to_owned()))
        .unwrap();
    for minute in 30..=50 {
        timed.look(&format!("2026-01-07T01:{minute}:00Z"));
    }
    let parked = timed.runtime.kernel.parked().unwrap();
    let roles: Vec<&str> = parked.iter().map(|row| row.role.as_str()).collect();
    assert_eq!(roles, ["schedule:daily", "schedule:minutely"]);
    later.skip_parked(PLUGIN, "schedule:daily", 0).unwrap();
    assert_eq!(timed.runtime.kernel.parked().unwrap().len(), 1);
    assert!(later.skip_parked(PLUGIN, "schedule:daily", 0).is_err());
    assert_eq!(
        timed.standing("daily", "2026-01-07T01:50:00Z").state,
        State::Waiting
    );
}

#[test]
fn people_see_jobs_run_one_now_and_are_told_what_is_not_there() {
    let workspace = Workspace::with_plugins(&[PLUGIN]);
    let settings = workspace.beside("settings.toml");
    std::fs::write(&settings, "# rest\n").unwrap();
    let _ = workspace
        .run(&[
            "plugin",
            "settings",
            PLUGIN,
            &settings.display().to_string(),
        ])
        .ok();
    let jobs = workspace.json(&["plugin", "jobs", PLUGIN]);
    let daily = &jobs["jobs"][0];
    assert_eq!(
        json!([
            daily["plugin"],
            daily["name"],
            daily["cron"],
            daily["zone"],
            daily["state"],
            daily["last"]
        ]),
        json!([
            PLUGIN,
            "daily",
            "30 2 * * *",
            "Europe/Oslo",
            "waiting",
            null
        ])
    );
    assert!(daily["next"].is_string(), "{daily}");
    let ran = workspace.json(&["plugin", "run-job", PLUGIN, "daily"]);
    assert!(ran["commit"]["entry"].as_u64() > Some(0), "{ran}");
    let table = workspace.run(&["plugin", "jobs"]).ok().out;
    for told in ["Every minute", "30 2 * * * Europe/Oslo", "waiting"] {
        assert!(table.contains(told), "{table}");
    }
    let inspected = workspace.run(&["plugin", "inspect", PLUGIN]).ok().out;
    assert!(inspected.contains("job daily"), "{inspected}");
    for (args, code, told) in [
        (
            &["plugin", "run-job", PLUGIN, "weekly"][..],
            4,
            "it has: daily, minutely",
        ),
        (&["plugin", "run-job", "nobody", "daily"], 4, "switched on"),
        (&["plugin", "jobs", "nobody"], 4, "no plugin"),
        (
            &["plugin", "retry", PLUGIN, "--job", "daily"],
            4,
            "not parked",
        ),
    ] {
        let ran = workspace.run(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
    }
    std::fs::write(&settings, "# fail daily\n").unwrap();
    let _ = workspace
        .run(&[
            "plugin",
            "settings",
            PLUGIN,
            &settings.display().to_string(),
        ])
        .ok();
    let failed = workspace.run(&["plugin", "run-job", PLUGIN, "daily"]);
    assert_eq!(failed.code, 3, "{}", failed.err);
    assert!(failed.err.contains("as its settings say"), "{}", failed.err);

    // The list is the owner's alone, as what is parked is.
    let server = workspace.serve();
    assert_eq!(server.get(&format!("/v1/plugins/{PLUGIN}/jobs")).0, 403);
    let shown = server.get(&format!("/v1/plugins/{PLUGIN}")).1;
    assert_eq!(shown["jobs"][1]["name"], "minutely");
}

#[test]
fn a_server_runs_what_is_due_without_being_asked() {
    let workspace = Workspace::with_plugins(&[PLUGIN]);
    let _server = workspace.serve();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(90);
    // A minute begins at most so much later.
    loop {
        let jobs = workspace.json(&["plugin", "jobs", PLUGIN]);
        if jobs["jobs"][1]["last"]["due"].is_string() {
            break;
        }
        assert!(std::time::Instant::now() < until, "{jobs}");
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}
