//! Promise 2 and the end of the issue: a server killed at any moment keeps what it acknowledged.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kjerne_tests::Workspace;
use serde_json::json;

/// Loads the server from several threads, kills it, and returns the ids it had acknowledged.
fn killed_under_load(workspace: &Workspace, run_for: Duration, round: usize) -> Vec<String> {
    let server = workspace.serve();
    let acknowledged = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let (server, acknowledged, stop) = (&server, &acknowledged, &stop);
            scope.spawn(move || {
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let name = format!("Crash {round}-{writer}-{number}");
                    let body = json!({"fields": {"name": name, "external_id": name}});
                    let (status, answer) = server.post("/v1/records/account", &body);
                    if status == 201 {
                        let id = answer["id"].as_str().unwrap().to_owned();
                        acknowledged.lock().unwrap().push(id);
                    }
                }
            });
        }
        std::thread::sleep(run_for);
        let pid = server.pid().to_string();
        std::process::Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap();
        stop.store(true, Ordering::Relaxed);
    });
    server.kill();
    acknowledged.into_inner().unwrap()
}

#[test]
fn promise_2_a_killed_server_keeps_every_acknowledged_commit_and_nothing_half() {
    let workspace =
        Workspace::with_plugins(&["sales-stages", "buying-process", "service-rules", "webhook"]);
    let mut acknowledged = Vec::new();
    let told = std::env::var("KJERNE_SOAK").ok();
    let times: u64 = told.and_then(|times| times.parse().ok()).unwrap_or(1);
    for round in 0..3 * times {
        let run_for = Duration::from_millis(250 + round * 170);
        let new = killed_under_load(&workspace, run_for, round as usize);
        assert!(!new.is_empty(), "the load never got through");
        acknowledged.extend(new);
        let report = workspace.run(&["verify"]);
        assert_eq!(report.code, 0, "{}{}", report.out, report.err);
    }
    let server = workspace.serve();
    for id in &acknowledged {
        assert_eq!(
            server.get(&format!("/v1/records/account/{id}")).0,
            200,
            "{id} is gone"
        );
    }
}
