//! One program beside a running server: every command does the same whether a server holds the
//! workspace or not, and administration takes effect at once.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use kjerne_tests::{Ran, Server, Workspace, plugin};
use serde_json::{Value as Json, json};

use crate::hostile::workspace_with;

fn ok(workspace: &Workspace, args: &[&str]) -> Ran {
    workspace.run(args).ok()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "{what}: not within twenty seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a whole day of commands prints, with what differs between any two runs taken out.
fn a_day_of_commands(workspace: &Workspace) -> Vec<(String, i32, String)> {
    let rows = workspace.beside("accounts.csv");
    fs::write(&rows, "name,employees\nGranholt AS,12\nSolvang AS,many\n").unwrap();
    let map = workspace.beside("map.toml");
    fs::write(&map, "[fields]\nname = 'name'\nemployees = 'employees'\n").unwrap();
    let (rejects, out) = (workspace.beside("rejects.csv"), workspace.beside("out.csv"));
    let settings = workspace.beside("settings.toml");
    fs::write(&settings, "source = \"test\"\n").unwrap();
    let stages = plugin("sales-stages").display().to_string();
    let webhook = plugin("webhook").display().to_string();
    let shown = |path: &Path| path.display().to_string();
    let day: Vec<Vec<String>> = [
        &["create", "account", "name=Acme AS", "employees=7"][..],
        &["create", "account", "employees=many"],
        &["create", "acount", "name=Acme"],
        &["list", "account", "--filter", "employees ge 7"],
        &["list", "account", "--filter", "employees ge"],
        &["list", "account", "--select", "name"],
        &["get", "account", "no-id"],
        &["plugin", "install", "--unsigned", &stages],
        &["plugin", "grant", "sales-stages", "--all-declared"],
        &["plugin", "enable", "sales-stages"],
        &["plugin", "inspect", "sales-stages"],
        &["plugin", "install", "--unsigned", &webhook],
        &[
            "plugin",
            "grant",
            "webhook",
            "send:https://hooks.example.com",
        ],
        &["plugin", "grant", "webhook", "read:nothing.at.all"],
        &["plugin", "settings", "webhook", &shown(&settings)],
        &["plugin", "settings", "webhook"],
        &["plugin", "revoke", "webhook", "--all"],
        &["plugin", "rollback", "webhook"],
        &["plugin", "list"],
        &["create", "opportunity", "name=Fleet renewal"],
        &["create", "opportunity", "name=Fleet", "stage=nowhere"],
        &["ask", "pipelines"],
        &["ask", "stale"],
        &["ask", "jobs"],
        &["report", "pipeline"],
        &["report", "service-levels"],
        &["plugin", "parked"],
        &[
            "plugin",
            "limits",
            "sales-stages",
            "--set",
            "fuel.guard=30000000",
        ],
        &["plugin", "limits", "sales-stages"],
        &["plugin", "limits", "sales-stages", "--set", "fuel.prince=1"],
        &["plugin", "outbox"],
        &["plugin", "logs", "sales-stages"],
        &["plugin", "retry", "sales-stages", "3"],
        &[
            "import",
            &shown(&rows),
            "--as",
            "account",
            "--map",
            &shown(&map),
            "--rejects",
            &shown(&rejects),
        ],
        &["import", &shown(&rows), "--as", "account", "--dry-run"],
        &["import", &shown(&rows), "--as", "galaxy"],
        &["export", "account", "--filter", "employees ge 7"],
        &["export", "account", "--to", &shown(&out)],
        &["export", "galaxy"],
        &["token", "add", "kari"],
        &["token", "list"],
        &["token", "remove", "kari"],
        &["token", "remove", "kari"],
        &["secret", "set", "crm-hook"],
        &["secret", "list"],
        &["secret", "remove", "crm-hook"],
        &["plugin", "disable", "sales-stages"],
        &["plugin", "remove", "webhook"],
        &["plugin", "remove", "webhook"],
        &["kinds", "account"],
        &["verify"],
    ]
    .iter()
    .map(|args| args.iter().map(|arg| (*arg).to_owned()).collect())
    .collect();
    let mut told: Vec<(String, i32, String)> = Vec::new();
    for args in day {
        let mut all = vec!["--output", "json"];
        all.extend(args.iter().map(String::as_str));
        let ran = workspace.run(&all);
        let both = format!("{}{}", ran.out, ran.err);
        told.push((args.join(" "), ran.code, steady(workspace, &both)));
    }
    for file in [rejects, out] {
        let text = fs::read_to_string(&file).unwrap();
        told.push((shown(&file), 0, steady(workspace, &text)));
    }
    told
}

/// A text without what differs from run to run: ids, times, random secrets, and the folder.
fn steady(workspace: &Workspace, text: &str) -> String {
    let folder = workspace.beside("").display().to_string();
    let text = text.replace(folder.trim_end_matches('/'), "FOLDER");
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_:.+/=".contains(c);
    let varies = |word: &str| {
        let id = word.split('/').next_back().unwrap_or_default();
        let (dashes, colons) = (id.matches('-').count(), id.matches(':').count());
        id.len() == 36 && dashes == 4 || colons == 2 && dashes == 2 || word.len() > 40
    };
    let mut steady = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if is_word(c) {
            word.push(c);
            continue;
        }
        steady.push_str(if varies(&word) { "VARIES" } else { &word });
        word.clear();
        steady.push(c);
    }
    steady
}

#[test]
fn every_command_does_the_same_beside_a_server_as_without_one() {
    let alone = Workspace::new();
    let without = a_day_of_commands(&alone);
    let beside = Workspace::new();
    let _server = beside.serve();
    let with = a_day_of_commands(&beside);
    for (without, with) in without.iter().zip(&with) {
        // Of pages it is said which way they were, and nothing else of how the workspace was reached.
        let pages = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("pages_checked"));
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            (with.1, pages(&with.2)),
            (without.1, pages(&without.2)),
            "{}",
            with.0
        );
    }
    let codes: Vec<(&str, i32)> = without.iter().map(|one| (one.0.as_str(), one.1)).collect();
    let code = |args: &str| codes.iter().find(|one| one.0.starts_with(args)).unwrap().1;
    for (args, expected) in [
        ("create account name=Acme AS", 0),
        ("create account employees=many", 3),
        ("create acount", 4),
        ("list account --filter employees ge", 0),
        ("get account no-id", 2),
        ("plugin grant webhook read:nothing", 2),
        ("plugin rollback webhook", 4),
        ("create opportunity name=Fleet stage=nowhere", 3),
        ("ask pipelines", 0),
        ("ask jobs", 4),
        ("plugin retry", 4),
        ("import", 3),
        ("export galaxy", 4),
        ("verify", 0),
    ] {
        assert_eq!(code(args), expected, "{args}");
    }
}

#[test]
fn a_plugin_switched_on_beside_a_server_is_asked_at_once_and_switched_off_no_more() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let make = |name: &str| {
        let body = json!({"fields": {"name": name, "stage": "nowhere"}});
        server.post("/v1/records/opportunity", &body).0
    };
    assert_eq!(make("Before"), 201);
    workspace.install("sales-stages");
    assert_eq!(make("While it is on"), 422);
    let _ = ok(&workspace, &["plugin", "disable", "sales-stages"]);
    assert_eq!(make("After"), 201);
}

#[test]
fn a_reaction_switched_on_beside_a_server_answers_what_comes_from_then_on() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    workspace.install("webhook");
    let settings = workspace.beside("webhook.toml");
    let text = "[[subscription]]\nname = \"all\"\nurl = \"http://127.0.0.1:9/in\"\nkinds = [\"account\"]\n";
    fs::write(&settings, text).unwrap();
    let file = settings.display().to_string();
    let _ = ok(&workspace, &["plugin", "settings", "webhook", &file]);
    let _ = ok(
        &workspace,
        &["plugin", "grant", "webhook", "send:http://127.0.0.1:9"],
    );
    let body = json!({"fields": {"name": "Granholt AS"}});
    assert_eq!(server.post("/v1/records/account", &body).0, 201);
    let queued = || {
        let outbox = workspace.json(&["plugin", "outbox"]);
        outbox["messages"].as_array().map_or(0, Vec::len)
    };
    until("the message is queued", || queued() == 1);
}

#[test]
fn a_token_counts_from_when_it_is_made_to_when_it_is_taken_back() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let asked = |token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        server.send("GET", "/v1/kinds", &headers, None).0
    };
    assert_eq!(asked(None), 200);
    let token = |name: &str| {
        let made = workspace.json(&["token", "add", name]);
        made["token"].as_str().unwrap().to_owned()
    };
    let (kari, ola) = (token("kari"), token("ola"));
    assert_eq!(
        (asked(None), asked(Some(&kari)), asked(Some(&ola))),
        (401, 200, 200)
    );
    let _ = ok(&workspace, &["token", "remove", "kari"]);
    assert_eq!((asked(Some(&kari)), asked(Some(&ola))), (401, 200));
    // A second token of one name takes the place of the first.
    let other = token("ola");
    assert_eq!((asked(Some(&ola)), asked(Some(&other))), (401, 200));
    // When it is the last one a server on loopback asks nobody, but takes none that was taken back.
    let _ = ok(&workspace, &["token", "remove", "ola"]);
    assert_eq!((asked(Some(&other)), asked(None)), (401, 200));
}

#[test]
fn a_server_others_can_reach_lets_nobody_in_when_the_last_token_is_taken_back() {
    let workspace = Workspace::new();
    let _ = ok(&workspace, &["token", "add", "kari"]);
    let server = workspace.serve_on("0.0.0.0");
    let _ = ok(&workspace, &["token", "remove", "kari"]);
    assert_eq!(server.get("/v1/kinds").0, 401);
    assert_eq!(server.get("/v1/records/account").0, 401);
}

/// Every administrative request, as method and path.
const OWNERS: &[(&str, &str)] = &[
    ("POST", "/v1/plugins"),
    ("DELETE", "/v1/plugins/webhook"),
    ("POST", "/v1/plugins/webhook/grant"),
    ("POST", "/v1/plugins/webhook/revoke"),
    ("POST", "/v1/plugins/webhook/enable"),
    ("POST", "/v1/plugins/webhook/disable"),
    ("POST", "/v1/plugins/webhook/rollback"),
    ("GET", "/v1/plugins/webhook/review"),
    ("POST", "/v1/plugins/webhook/accept"),
    ("POST", "/v1/plugins/webhook/reject"),
    ("GET", "/v1/publishers"),
    ("POST", "/v1/publishers/acme/trust"),
    ("POST", "/v1/publishers/acme/distrust"),
    ("GET", "/v1/plugins/webhook/settings"),
    ("PUT", "/v1/plugins/webhook/settings"),
    ("DELETE", "/v1/plugins/webhook/settings"),
    ("GET", "/v1/plugins/webhook/logs"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/plugins/webhook/jobs"),
    ("POST", "/v1/plugins/webhook/jobs/nightly/run"),
    ("GET", "/v1/costs"),
    ("GET", "/v1/costs/recent"),
    ("GET", "/v1/plugins/webhook/limits"),
    ("PUT", "/v1/plugins/webhook/limits"),
    ("POST", "/v1/plugins/webhook/resume"),
    ("GET", "/v1/outbox"),
    ("GET", "/v1/parked"),
    ("POST", "/v1/parked/webhook/react/1/skip"),
    ("POST", "/v1/verify"),
    ("POST", "/v1/approvers"),
    ("DELETE", "/v1/approvers/sales-manager/user:kari"),
    ("GET", "/v1/tokens"),
    ("POST", "/v1/tokens"),
    ("DELETE", "/v1/tokens/kari"),
    ("GET", "/v1/secrets"),
    ("PUT", "/v1/secrets/hook"),
    ("DELETE", "/v1/secrets/hook"),
    ("POST", "/v1/import/account"),
    ("GET", "/v1/export/account"),
];

#[test]
fn administration_is_refused_over_the_network_whoever_asks() {
    let workspace = Workspace::new();
    workspace.install("webhook");
    let made = workspace.json(&["token", "add", "kari"]);
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    let before = workspace.json(&["journal"]);
    let server = workspace.serve();
    for (method, path) in OWNERS {
        let headers = [("authorization", bearer.as_str()), ("kjerne-actor", "kari")];
        let (status, problem) = server.send(method, path, &headers, None);
        assert_eq!(status, 403, "{method} {path}: {problem}");
        assert_eq!(
            problem["type"], "urn:kjerne:problem:owner-only",
            "{method} {path}"
        );
        assert_eq!(
            server.send(method, path, &[], None).0,
            401,
            "{method} {path}"
        );
    }
    assert_eq!(workspace.json(&["journal"]), before, "nothing was done");
}

#[test]
fn the_list_of_administrative_requests_is_the_whole_list() {
    let routes = fs::read_to_string(kjerne_tests::root().join("kernel/server/src/routes.rs"));
    let routes = routes.unwrap();
    let owners = routes.split("fn administration").nth(1).unwrap();
    let owners = owners.split("\n/// ").take(2).collect::<String>();
    let count = |word: &str| owners.matches(word).count();
    let methods = ["get(", "post(", "put(", "delete("].map(count);
    assert_eq!(
        methods.iter().sum::<usize>(),
        OWNERS.len(),
        "add the new one to OWNERS"
    );
}

#[test]
fn who_comes_over_the_network_cannot_choose_a_name() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let body = json!({"fields": {"name": "Granholt AS"}});
    let headers = [("kjerne-actor", "somebody")];
    let (status, _) = server.send("POST", "/v1/records/account", &headers, Some(&body));
    assert_eq!(status, 201);
    let journal = workspace.json(&["journal"]);
    assert_eq!(journal["entries"][0]["actor"], "user:local");
    let _ = ok(
        &workspace,
        &["create", "account", "name=Solvang AS", "--actor", "Kari Å"],
    );
    let journal = workspace.json(&["journal"]);
    assert_eq!(journal["entries"][0]["actor"], "user:Kari Å");
}

#[cfg(unix)]
#[test]
fn the_socket_is_its_owners_alone_and_gone_with_the_server() {
    use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
    let workspace = Workspace::new();
    let socket = workspace.dir().join("kjerne.sock");
    let server = workspace.serve();
    let meta = fs::symlink_metadata(&socket).unwrap();
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    // Killed, it leaves the socket behind; commands see that nobody listens, and the next server
    // takes its place.
    server.kill();
    assert!(socket.exists());
    let _ = ok(&workspace, &["create", "account", "name=Granholt AS"]);
    let server = workspace.serve();
    assert_eq!(
        server.get("/v1/records/account").1["records"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    stop(&server);
    until("the socket is gone", || !socket.exists());
}

#[cfg(unix)]
fn stop(server: &Server) {
    let pid = server.pid().to_string();
    let told = std::process::Command::new("kill")
        .arg(&pid)
        .status()
        .unwrap();
    assert!(told.success());
}

#[cfg(target_os = "linux")]
#[test]
fn a_workspace_far_down_has_its_socket_too() {
    let workspace = Workspace::in_folder(&"deep/".repeat(60));
    let _server = workspace.serve();
    let _ = ok(&workspace, &["create", "account", "name=Granholt AS"]);
    assert!(workspace.dir().join("kjerne.sock").exists());
}

#[test]
fn commands_started_at_the_same_moment_take_turns() {
    let workspace = Workspace::new();
    std::thread::scope(|scope| {
        let make = |number: u32| {
            let name = format!("name=Account {number}");
            workspace.run(&["create", "account", &name])
        };
        let threads: Vec<_> = (0..8)
            .map(|number| scope.spawn(move || make(number)))
            .collect();
        for thread in threads {
            let ran = thread.join().unwrap();
            assert_eq!(ran.code, 0, "{}", ran.err);
        }
    });
    let listed = workspace.json(&["list", "account"]);
    assert_eq!(listed["records"].as_array().unwrap().len(), 8);
}

#[test]
fn a_command_waits_for_the_holder_up_to_a_limit_and_then_names_it() {
    let workspace = Workspace::new();
    let data = workspace.dir().join("data.redb");
    let held = kjerne_store::RedbStore::open_described(&data, "a long import").unwrap();
    let began = Instant::now();
    let ran = workspace.run(&["list", "account"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains("a long import"), "{}", ran.err);
    let waited = kjerne_workspace::limits::HELD_WAIT.value;
    assert!(began.elapsed() >= Duration::from_millis(waited));
    drop(held);
    let _ = ok(&workspace, &["list", "account"]);
}

#[test]
fn a_second_server_is_refused_and_told_which_one_serves() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let ran = workspace.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains(&server.pid().to_string()), "{}", ran.err);
}

#[test]
fn an_import_whose_asker_goes_away_ends_and_leaves_nothing_behind() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let file = workspace.beside("many.csv");
    let rows: String = (0..200_000).map(|n| format!("Account {n}\n")).collect();
    fs::write(&file, format!("name\n{rows}")).unwrap();
    let file = file.display().to_string();
    let mut import = workspace.command(&["import", &file, "--as", "account"]);
    let mut import = import.stderr(std::process::Stdio::null()).spawn().unwrap();
    let stored = || {
        server.get("/v1/journal?limit=1").1["last"]
            .as_u64()
            .unwrap()
    };
    until("it has begun", || stored() > 2);
    import.kill().unwrap();
    import.wait().unwrap();
    let scratch = workspace.dir().join("scratch");
    until("its file is gone", || {
        fs::read_dir(&scratch).unwrap().next().is_none()
    });
    let last = stored();
    assert!(last < 400, "it went on to the end: {last}");
    let _ = ok(&workspace, &["verify"]);
}

#[test]
fn parked_entries_are_tried_again_and_forgotten_while_the_server_runs() {
    let workspace = workspace_with("storm");
    workspace.install("hostile-echo");
    let _ = ok(
        &workspace,
        &["create", "task", "subject=Call back", "status=open"],
    );
    let server = workspace.serve();
    let parked = || {
        let parked = workspace.json(&["plugin", "parked"]);
        parked["parked"].as_array().unwrap().clone()
    };
    let first = parked();
    assert_eq!(first.len(), 2, "{first:?}");
    let entry = |row: &Json| row["entry"].as_u64().unwrap().to_string();
    let id = |row: &Json| row["plugin"].as_str().unwrap().to_owned();
    let again = workspace.run(&["plugin", "retry", &id(&first[0]), &entry(&first[0])]);
    assert_eq!(again.code, 3, "it fails as before: {}", again.out);
    let _ = ok(
        &workspace,
        &["plugin", "skip", &id(&first[1]), &entry(&first[1])],
    );
    assert_eq!(parked().len(), 1);
    let gone = workspace.run(&["plugin", "skip", &id(&first[1]), &entry(&first[1])]);
    assert_eq!(gone.code, 4, "{}", gone.err);
    assert_eq!(server.get("/v1/health").0, 200);
}

#[test]
fn of_many_who_forget_one_parked_entry_one_succeeds() {
    let workspace = workspace_with("storm");
    workspace.install("hostile-echo");
    let _ = ok(
        &workspace,
        &["create", "task", "subject=Call back", "status=open"],
    );
    let _server = workspace.serve();
    let parked = workspace.json(&["plugin", "parked"]);
    let row = &parked["parked"][0];
    let (id, entry) = (row["plugin"].as_str().unwrap(), row["entry"].to_string());
    let codes: Vec<i32> = std::thread::scope(|scope| {
        let skip = || workspace.run(&["plugin", "skip", id, &entry]).code;
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(skip)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let count = |code: i32| codes.iter().filter(|one| **one == code).count();
    assert_eq!((count(0), count(4)), (1, 5), "{codes:?}");
}

#[test]
fn a_key_is_taken_sign_by_sign() {
    for served in [false, true] {
        let workspace = Workspace::new();
        let _server = served.then(|| workspace.serve());
        let entry = |key: &str| {
            let made = workspace.json(&["create", "account", "name=Granholt AS", "--key", key]);
            (made["entry"].as_u64().unwrap(), made["replayed"] == true)
        };
        let keys = ["k1", "\"k1\"", " k1 ", "bl\u{e5}b\u{e6}r"];
        for (at, key) in keys.iter().enumerate() {
            assert_eq!(entry(key), (at as u64 + 1, false), "{key}");
            assert_eq!(entry(key), (at as u64 + 1, true), "{key} again");
        }
    }
}

#[test]
fn an_import_that_cannot_write_its_rejects_stores_nothing() {
    let workspace = Workspace::new();
    let rows = workspace.beside("rows.csv");
    fs::write(&rows, "name,employees\nGranholt AS,5\nSolvang AS,x\n").unwrap();
    let rows = rows.display().to_string();
    let nowhere = workspace.beside("no/such/folder.csv").display().to_string();
    let ran = workspace.run(&["import", &rows, "--as", "account", "--rejects", &nowhere]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("folder.csv"), "{}", ran.err);
    let listed = workspace.json(&["list", "account"]);
    assert_eq!(listed["records"].as_array().unwrap().len(), 0);
    // Nor does one that cannot begin touch what an earlier one wrote, or leave an empty file.
    let kept = workspace.beside("kept.csv");
    let earlier = "reject_line,reject_column,reject_value,reject_reason,name\n";
    fs::write(&kept, earlier).unwrap();
    let foreign = workspace.beside("foreign.csv");
    fs::write(&foreign, "mine").unwrap();
    for (rejects, code, left) in [
        (kept.clone(), 4, Some(earlier)),
        (foreign.clone(), 2, Some("mine")),
        (workspace.beside("new.csv"), 4, None),
    ] {
        let path = rejects.display().to_string();
        let ran = workspace.run(&["import", &rows, "--as", "galaxy", "--rejects", &path]);
        assert_eq!(ran.code, code, "{}", ran.err);
        assert_eq!(fs::read_to_string(&rejects).ok().as_deref(), left);
    }
}

#[test]
fn a_refusal_is_told_however_large_the_file_that_is_being_sent() {
    let workspace = Workspace::new();
    let _server = workspace.serve();
    let file = workspace.beside("large.csv");
    fs::write(&file, "name\n".repeat(4_000_000)).unwrap();
    let map = workspace.beside("map.toml");
    fs::write(&map, "[fields\n").unwrap();
    let (file, map) = (file.display().to_string(), map.display().to_string());
    for (args, code) in [
        (&["import", &file, "--as", "galaxy"][..], 4),
        (&["import", &file, "--as", "account", "--map", &map], 2),
    ] {
        let ran = workspace.run(args);
        assert_eq!(ran.code, code, "{}", ran.err);
    }
}

#[test]
fn what_is_told_of_a_file_names_it_as_it_was_typed() {
    let workspace = Workspace::new();
    let file = workspace.beside("empty.csv");
    fs::write(&file, "").unwrap();
    let ran = workspace.run(&["import", &file.display().to_string(), "--as", "account"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("empty.csv is empty"), "{}", ran.err);
}

#[test]
fn what_a_killed_import_left_behind_is_gone_with_the_next_command() {
    let workspace = Workspace::new();
    let scratch = workspace.dir().join("scratch");
    fs::create_dir(&scratch).unwrap();
    fs::write(scratch.join("left"), "behind").unwrap();
    let _ = ok(&workspace, &["list", "account"]);
    assert!(!scratch.join("left").exists());
}

#[cfg(unix)]
#[test]
fn a_server_that_does_not_answer_is_told_and_not_waited_for() {
    let workspace = Workspace::new();
    let socket = workspace.dir().join("kjerne.sock");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let ran = workspace.run(&["list", "account"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert!(ran.err.contains("does not answer"), "{}", ran.err);
}

#[test]
fn a_server_that_commands_could_not_reach_does_not_start() {
    let workspace = Workspace::new();
    fs::create_dir(workspace.dir().join("kjerne.sock")).unwrap();
    let ran = workspace.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("kjerne.sock"), "{}", ran.err);
    let _ = ok(&workspace, &["list", "account"]);
}

#[test]
fn odd_names_of_who_acts_are_refused_or_kept_as_they_are() {
    for served in [false, true] {
        let workspace = Workspace::new();
        let _server = served.then(|| workspace.serve());
        let make = |actor: &str| {
            workspace
                .run(&["create", "account", "name=Granholt AS", "--actor", actor])
                .code
        };
        assert_eq!(
            (make(" a "), make("a\nb"), make(&"a".repeat(129))),
            (0, 2, 2)
        );
        let journal = workspace.json(&["journal"]);
        assert_eq!(
            journal["entries"][0]["actor"], "user: a ",
            "served: {served}"
        );
    }
}
