//! What a commit that asks one plugin takes while another plugin misbehaves. A measurement, which is run
//! by itself:
//!
//! ```console
//! $ cargo test --release -p kjerne-tests --test faults -- --ignored --nocapture neighbours
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use kjerne_tests::{Server, Workspace};
use serde_json::json;

use super::package::{built, install, manifest, sealed};
use super::{peak_memory, settings};

/// Commits measured beside each behaviour, behind some that warm up.
const COMMITS: usize = 400;
const WARM: usize = 40;

/// A guard of leads that does nothing, beside one of accounts that does as it is told.
fn neighbours(behaviour: &str) -> Workspace {
    let workspace = Workspace::with_plugins(&["hostile"]);
    let program = built("hostile");
    let of_leads = manifest(&program)
        .replace("id = \"hostile\"", "id = \"acme.neighbour\"")
        .replace("[\"account\", \"contact\", \"task\"]", "[\"lead\"]");
    let _ = install(&workspace, &sealed(&program, &of_leads)).ok();
    let grant = ["plugin", "grant", "acme.neighbour", "--all-declared"];
    let _ = workspace.run(&grant).ok();
    let _ = workspace.run(&["plugin", "enable", "acme.neighbour"]).ok();
    let text = format!("behaviour = \"{behaviour}\"\n");
    settings(&workspace, "hostile", &text);
    workspace
}

/// How long each commit of a lead took, the quickest first.
fn leads(server: &Server) -> Vec<Duration> {
    let body = json!({"fields": {"name": "Ola Demo"}});
    let mut took: Vec<Duration> = (0..WARM + COMMITS)
        .map(|_| {
            let began = Instant::now();
            let (status, answer) = server.post("/v1/records/lead", &body);
            assert_eq!(status, 201, "{answer}");
            began.elapsed()
        })
        .skip(WARM)
        .collect();
    took.sort();
    took
}

/// The times of leads while so many clients have the other plugin misbehave, how many of its commits
/// were refused meanwhile, and the most memory the server had.
fn beside(behaviour: &str, clients: usize) -> (Vec<Duration>, usize, u64) {
    let workspace = neighbours(behaviour);
    let server = workspace.serve();
    let over = AtomicBool::new(false);
    let account = || {
        let body = json!({"fields": {"name": "trap"}});
        let mut refused = 0;
        while !over.load(Ordering::Relaxed) {
            refused += usize::from(server.post("/v1/records/account", &body).0 >= 400);
        }
        refused
    };
    std::thread::scope(|scope| {
        let hostile: Vec<_> = (0..clients).map(|_| scope.spawn(account)).collect();
        let took = leads(&server);
        over.store(true, Ordering::Relaxed);
        let refused = hostile.into_iter().map(|one| one.join().unwrap()).sum();
        (took, refused, peak_memory(&server))
    })
}

#[test]
#[ignore = "measures, for minutes; nothing else may run beside it"]
fn what_neighbours_take_beside_a_plugin_that_misbehaves() {
    let at =
        |took: &[Duration], percent: usize| took[took.len() * percent / 100].as_secs_f64() * 1e3;
    let (quiet, ..) = beside("none", 0);
    let (p50, p99) = (at(&quiet, 50), at(&quiet, 99));
    println!("alone: p50 {p50:.2} ms, p99 {p99:.2} ms");
    println!("behaviour      clients  p50 ms  p99 ms  ratio p99  refused  peak MiB");
    let behaviours = [
        "none",
        "loop",
        "memory",
        "recursion",
        "host-flood",
        "log-flood",
        "panic",
        "bulk",
    ];
    for behaviour in behaviours {
        for clients in [1, 4] {
            let (took, refused, peak) = beside(behaviour, clients);
            let (half, most) = (at(&took, 50), at(&took, 99));
            println!(
                "{behaviour:<14} {clients:>7}  {half:>6.2}  {most:>6.2}  {:>9.2}  {refused:>7}  {peak:>8}",
                most / p99
            );
        }
    }
}
