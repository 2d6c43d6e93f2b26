//! What hurt the server, or the administrator: by a plugin that is installed and granted, or by a file
//! that is to be installed.

mod calls;
mod files;
mod messages;
mod neighbours;
mod package;
mod upgrades;

use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

/// Tells a plugin its settings.
fn settings(workspace: &Workspace, plugin: &str, text: &str) {
    let file = workspace.beside(&format!("{plugin}.toml"));
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let _ = workspace.run(&["plugin", "settings", plugin, &file]).ok();
}

/// A workspace whose accounts are guarded by the greedy plugin, which does this.
fn greedy(behaviour: &str) -> Workspace {
    let workspace = Workspace::with_plugins(&["hostile-greedy"]);
    behave(&workspace, behaviour);
    workspace
}

fn behave(workspace: &Workspace, behaviour: &str) {
    let text = format!("behaviour = \"{behaviour}\"\n");
    settings(workspace, "hostile-greedy", &text);
}

/// So many accounts in one commit, which asks the guard once; nobody may have been hurt by it. A guard
/// may call the host the more often the more it is asked about.
fn accounts(server: &Server, count: usize) -> (u16, Json) {
    let change = |_| json!({"create": "account", "fields": {"name": "Svaberg AS"}});
    let changes: Vec<Json> = (0..count).map(change).collect();
    let answer = server.post("/v1/commits", &json!({"changes": changes}));
    let health = server.get("/v1/health").0;
    assert_eq!(health, 200, "the server is gone after {}", answer.0);
    answer
}

/// The limit a commit of many accounts was refused by, and what was said of it.
fn limit_passed(server: &Server) -> (String, String) {
    let (status, answer) = accounts(server, 500);
    assert!(status >= 400, "it was taken");
    let refusal = &answer["refusals"][0];
    assert_eq!(refusal["plugin"], "hostile-greedy", "{answer}");
    let text = |name: &str| refusal[name].as_str().unwrap_or_default().to_owned();
    (text("reason"), text("message"))
}

/// The most memory the server ever had, in MiB; nothing where the system does not tell.
fn peak_memory(server: &Server) -> u64 {
    let path = format!("/proc/{}/status", server.pid());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() / 1_024
}
