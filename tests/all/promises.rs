//! The promises of the README that only the whole system can show, each by its number. Others are
//! shown in the kernel's own tests, by the same names; promise 7 has a file of its own.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant as Clock};

use kjerne_core::{Ask, Outcome, Role, Task};
use kjerne_host::grants::Grant;
use kjerne_host::{Installed, Package};
use kjerne_model::{Actor, Change, Code, Target, Value, Verdict};
use kjerne_tests::{Workspace, root};
use serde_json::json;

use crate::stage::{Stage, at, built, guarding, host, hostile, installed, record};

/// A line of the kernel's sources outside its tests, for rules about what may stand where.
fn kernel_lines() -> Vec<(String, String)> {
    fn walk(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for path in std::fs::read_dir(dir)
            .unwrap()
            .map(|item| item.unwrap().path())
        {
            match path.extension() {
                Some(end) if end == "rs" => found.push(path),
                _ if path.is_dir() && !path.ends_with("tests") => walk(&path, found),
                _ => {}
            }
        }
    }
    let mut files = Vec::new();
    walk(&root().join("kernel"), &mut files);
    let lines = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let production = text
            .split("#[cfg(test)]\nmod")
            .next()
            .unwrap_or_default()
            .to_owned();
        production
            .lines()
            .map(|line| (name.clone(), line.to_owned()))
            .collect::<Vec<_>>()
    };
    files
        .iter()
        .filter(|path| !path.ends_with("tests.rs"))
        .flat_map(lines)
        .collect()
}

#[test]
fn promise_1_records_are_written_in_one_place_only() {
    // The second stores what a plugin's test case is given, in a store that is gone with the case.
    let allowed = ["kernel/core/src/prepared.rs", "kernel/author/src/stage.rs"];
    // The store itself, whose functions these are.
    let is_store = |file: &String| file.starts_with("kernel/store/");
    let writes = |line: &str| {
        let calls = [
            "records::insert(",
            "records::update(",
            "records::remove(",
            "RecordRows::of(",
            "journal::append(",
            "EntryRows::of(",
        ];
        calls.iter().any(|call| line.contains(call))
    };
    let places: std::collections::BTreeSet<String> = kernel_lines()
        .into_iter()
        .filter(|(file, line)| writes(line) && !is_store(file))
        .map(|(file, _)| file)
        .collect();
    let others: Vec<&String> = places
        .iter()
        .filter(|file| !allowed.contains(&file.as_str()))
        .collect();
    assert!(others.is_empty(), "let them make a commit: {others:?}");
    assert!(
        places.contains(allowed[0]),
        "the rule looks in the wrong place: {places:?}"
    );
}

/// The verdicts of a small history of deals, with sales stages and a quiet plugin that watches.
fn verdicts(stage: &Stage) -> Vec<Verdict> {
    assert!(
        stage
            .create("account", 1, &[("name", "Granholt AS")])
            .receipt()
            .is_some()
    );
    for deal in 2..5 {
        let made = stage.create("opportunity", deal, &[("name", "Fleet renewal")]);
        assert!(made.receipt().is_some(), "{made:?}");
        let patch = stage.fields("opportunity", &[("name", "Fleet renewal, all sites")]);
        let kind = kjerne_model::Name::new("opportunity").unwrap();
        let target = Target {
            kind,
            id: record(deal),
            expected: None,
        };
        let patch = patch
            .into_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect();
        let changed = stage.commit(Change::Update { target, patch });
        assert!(changed.receipt().is_some(), "{changed:?}");
    }
    stage
        .journal()
        .into_iter()
        .flat_map(|entry| entry.verdicts)
        .collect()
}

#[test]
fn promise_5_the_same_commits_cost_the_same_fuel_again_and_in_another_host() {
    let plugins = || vec![installed(&built("sales-stages"), "", 1), hostile("none")];
    let first = verdicts(&Stage::new(plugins()));
    assert!(
        first
            .iter()
            .any(|v| v.plugin == "sales-stages" && v.role == "shape" && v.fuel > 0)
    );
    assert!(
        first
            .iter()
            .any(|v| v.plugin == "hostile" && v.role == "guard" && v.fuel > 0)
    );
    assert_eq!(verdicts(&Stage::new(plugins())), first, "again");
    let elsewhere = host(false);
    assert_eq!(
        verdicts(&Stage::on(elsewhere.clone(), plugins())),
        first,
        "compiled anew"
    );
    assert_eq!(
        verdicts(&Stage::on(elsewhere, plugins())),
        first,
        "in a host that has worked"
    );
}

/// What the contract lets a plugin import that does I/O or writes.
const EVERY_STATE: [&str; 6] = [
    "state.compare-and-set",
    "state.get",
    "state.keys",
    "state.remove",
    "state.scan",
    "state.set",
];

#[test]
fn promise_5_a_guard_and_a_shape_are_refused_every_import_that_does_io_or_writes() {
    let each = installed(&built("hostile-each"), "", 1);
    assert!(
        each.grants.contains(&"state".to_owned()),
        "granted, and refused all the same"
    );
    let stage = Stage::new(vec![each]);
    let outcome = stage.create("contact", 1, &[("name", "Ola Demo")]);
    let told: BTreeMap<&str, &str> = outcome
        .refusals()
        .iter()
        .map(|refusal| (refusal.reason.as_deref().unwrap(), refusal.message.as_str()))
        .collect();
    let every = EVERY_STATE;
    assert_eq!(told, every.map(|name| (name, "not-now")).into());
    assert!(
        stage
            .create("account", 2, &[("name", "Granholt AS")])
            .receipt()
            .is_some()
    );
    let lines: Vec<String> = stage
        .host
        .logs("hostile-each")
        .into_iter()
        .map(|line| line.message)
        .collect();
    for name in every {
        assert!(
            lines.contains(&format!("{name}: not-now")),
            "{name} in a shape: {lines:?}"
        );
    }
}

/// The functions the contract lets a plugin import; a new one that does I/O or writes has to be
/// tried by the plugin behind the test above.
#[test]
fn promise_5_every_import_of_the_contract_is_known_to_these_tests() {
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_dir(root().join("wit/v0.2.0")).unwrap();
    let quiet = ["records", "log", "settings", "time", "types"];
    let world = resolve
        .worlds
        .iter()
        .find(|(_, world)| world.name == "imports")
        .unwrap()
        .1;
    let mut found = Vec::new();
    for item in world.imports.values() {
        let wit_parser::WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = &resolve.interfaces[*id];
        let name = interface.name.clone().unwrap_or_default();
        if !quiet.contains(&name.as_str()) {
            found.extend(
                interface
                    .functions
                    .keys()
                    .map(|function| format!("{name}.{function}")),
            );
        }
    }
    found.sort();
    assert_eq!(found, EVERY_STATE);
}

/// Takes one request within the time, answers 200, and returns its text; none when nobody came.
fn receive(listener: &TcpListener, within: Duration) -> Option<String> {
    listener.set_nonblocking(true).unwrap();
    let until = Clock::now() + within;
    let mut stream: TcpStream = loop {
        match listener.accept() {
            Ok((stream, _)) => break stream,
            Err(_) if Clock::now() < until => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => return None,
        }
    };
    stream.set_nonblocking(false).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    let (mut text, mut part) = (String::new(), [0; 4_096]);
    while let Ok(count) = stream.read(&mut part) {
        text.push_str(&String::from_utf8_lossy(&part[..count]));
        if count == 0 || text.ends_with('}') {
            break;
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    Some(text)
}

/// A workspace whose webhook tells a listener of this test about every new account.
fn with_webhook() -> (Workspace, TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let workspace = Workspace::with_plugins(&["webhook"]);
    let settings = workspace.beside("webhook.toml");
    let text =
        format!("[[subscription]]\nname = \"all\"\nurl = \"{origin}/in\"\nkinds = [\"account\"]\n");
    std::fs::write(&settings, text).unwrap();
    let settings = settings.display().to_string();
    let _ = workspace
        .run(&["plugin", "settings", "webhook", &settings])
        .ok();
    let grant = format!("send:{origin}");
    let _ = workspace.run(&["plugin", "grant", "webhook", &grant]).ok();
    (workspace, listener, grant)
}

#[test]
fn promise_6_what_has_left_the_process_is_in_the_journal_whatever_happens_then() {
    let (workspace, listener, _) = with_webhook();
    let server = workspace.serve();
    let body = json!({"fields": {"name": "Granholt AS"}});
    assert_eq!(server.post("/v1/records/account", &body).0, 201);
    let message = receive(&listener, Duration::from_secs(10)).expect("a message");
    server.kill();
    assert!(message.contains("kjerne.account.create"), "{message}");
    let journal = workspace.json(&["journal"]);
    let entries = journal["entries"].as_array().unwrap();
    let commits = entries.iter().filter(|entry| entry["act"].is_null());
    assert_eq!(commits.count(), 1, "{journal}");
    let _ = workspace.run(&["verify"]).ok();
}

#[test]
fn promise_6_a_message_does_not_leave_when_its_destination_is_no_longer_granted() {
    for revoked in [true, false] {
        let (workspace, listener, grant) = with_webhook();
        let _ = workspace
            .run(&["create", "account", "name=Granholt AS"])
            .ok();
        let waiting = workspace.json(&["plugin", "outbox"]);
        assert_eq!(
            waiting["messages"].as_array().unwrap().len(),
            1,
            "{waiting}"
        );
        if revoked {
            let _ = workspace.run(&["plugin", "revoke", "webhook", &grant]).ok();
        }
        let server = workspace.serve();
        let within = Duration::from_secs(if revoked { 1 } else { 10 });
        let left = receive(&listener, within).is_some();
        server.kill();
        assert_eq!(left, !revoked);
        if revoked {
            let outbox = workspace.json(&["plugin", "outbox"]);
            let error = outbox["messages"][0]["error"].as_str().unwrap_or_default();
            assert!(
                error.contains("not granted to send to"),
                "it waits and says why: {outbox}"
            );
        }
    }
}

/// There is no consent record yet; until there is, a plugin has no way to reach a person at all:
/// what leaves are requests to granted web origins, and nothing else can be granted or sent to.
#[test]
fn promise_6_there_is_no_way_to_send_to_a_person() {
    let people = [
        "mailto:ola@example.com",
        "tel:+4722000000",
        "sms:+4722000000",
        "smtp://mail.example.com",
    ];
    for address in people {
        assert!(
            Grant::parse(&format!("send:{address}")).is_err(),
            "{address} can be granted"
        );
    }
    let mut webhook = installed(&built("webhook"), "", 1);
    webhook
        .grants
        .push("send:https://hooks.example.com".to_owned());
    let stage = Stage::new(vec![webhook]);
    assert!(
        stage
            .host
            .may_send("webhook", "https://hooks.example.com/in")
    );
    for address in people {
        assert!(!stage.host.may_send("webhook", address), "{address}");
    }
}

/// What the plugin that tries each of its grants was told, by what it tried.
fn tried(each: Installed) -> (Stage, BTreeMap<String, String>) {
    let stage = Stage::new(vec![each]);
    for number in [1, 2] {
        let task = [("subject", "Call back"), ("status", "open")];
        assert!(stage.create("task", number, &task).receipt().is_some());
    }
    let plugin = stage.plugin("hostile-each", Role::Action);
    let ask = Ask {
        link: None,
        actor: Actor::User("test".to_owned()),
        now: at(1),
        key: None,
    };
    let task = Task::Action {
        command: "try".to_owned(),
        arguments: Vec::new(),
    };
    let done = stage.kernel.perform(&plugin, &ask, &task).unwrap();
    assert!(
        matches!(done.outcome, Outcome::Accepted(_)),
        "{:?}",
        done.outcome
    );
    let told = |(name, value): (String, Option<Value>)| (name, value.unwrap().to_string());
    let told = done.reply.into_iter().map(told).collect();
    (stage, told)
}

#[test]
fn promise_8_each_grant_taken_back_refuses_its_own_operation_and_no_other() {
    let whole = installed(&built("hostile-each"), "", 1);
    let operations = [
        ("read:account", "read"),
        ("create:task", "create"),
        ("update:task", "update"),
        ("delete:task", "delete"),
        ("state", "state"),
        ("send:https://hooks.example.com", "send"),
    ];
    let all = operations.map(|(_, operation)| (operation.to_owned(), "done".to_owned()));
    assert_eq!(
        tried(whole.clone()).1,
        all.clone().into(),
        "with everything granted"
    );
    for (grant, operation) in operations {
        let mut plugin = whole.clone();
        plugin.grants.retain(|held| held != grant);
        assert_eq!(
            plugin.grants.len() + 1,
            whole.grants.len(),
            "{grant} was not granted"
        );
        let mut expected: BTreeMap<String, String> = all.clone().into();
        expected.insert(operation.to_owned(), "not-granted".to_owned());
        let (stage, told) = tried(plugin);
        assert_eq!(told, expected, "without {grant}");
        let left = stage
            .journal()
            .last()
            .unwrap()
            .edits
            .iter()
            .map(kjerne_model::Edit::operation)
            .collect::<Vec<_>>();
        assert!(!left.contains(&operation), "without {grant}: {left:?}");
        let messages = stage.kernel.outbox_due(at(9), 9).unwrap().len();
        assert_eq!(
            messages,
            usize::from(operation != "send"),
            "without {grant}"
        );
    }
}

#[test]
fn promise_8_a_field_is_granted_by_itself_and_taken_back_at_once() {
    let whole = installed(&built("hostile-each"), "", 1);
    let stage = Stage::new(vec![whole.clone()]);
    let mut number = 0;
    let mut set = |grants: &[&str]| {
        let mut plugin = whole.clone();
        plugin.grants = grants.iter().map(ToString::to_string).collect();
        // What it needs to read is not what this is about: without it, it is not asked.
        plugin.grants.push("read:account".to_owned());
        stage.host.replace(vec![plugin]).unwrap();
        number += 1;
        assert!(
            stage
                .create("account", number, &[("name", "Granholt AS")])
                .receipt()
                .is_some()
        );
        stage.journal().last().unwrap().verdicts[0].set.clone()
    };
    assert_eq!(
        set(&["set:account.industry", "set:account.region"]),
        ["0.industry", "0.region"]
    );
    assert_eq!(set(&["set:account.region"]), ["0.region"]);
    assert_eq!(set(&[]), [""; 0]);
    assert_eq!(
        set(&["set:account.name"]),
        [""; 0],
        "granted and not declared is nothing"
    );
}

#[test]
fn promise_8_an_administrator_takes_a_grant_back_with_one_command() {
    let workspace = Workspace::new();
    workspace.install("hostile-each");
    for number in [1, 2] {
        let task = json!({"changes": [{"create": "task", "id": record(number).to_string(),
            "fields": {"subject": "Call back", "status": "open"}}]});
        assert_eq!(workspace.serve().post("/v1/commits", &task).0, 200);
    }
    let _ = workspace
        .run(&["plugin", "revoke", "hostile-each", "state", "delete:task"])
        .ok();
    let done = workspace.json(&["action", "hostile-each", "try"]);
    let told = ["state", "delete", "create"].map(|name| done["reply"][name].clone());
    assert_eq!(
        told,
        [json!("not-granted"), json!("not-granted"), json!("done")],
        "{done}"
    );
    let undeclared = workspace.run(&["plugin", "grant", "hostile-each", "read:contact"]);
    assert_eq!(undeclared.code, 3, "{}", undeclared.err);
    assert!(
        undeclared.err.contains("read:contact"),
        "{}",
        undeclared.err
    );
}

#[test]
fn promise_9_the_version_before_comes_back_with_one_command() {
    let workspace = Workspace::new();
    let write = |version: &str, kinds: &[&str]| {
        let file = workspace.beside(&format!("{version}.wasm"));
        std::fs::write(&file, guarding("acme.rule", version, kinds)).unwrap();
        file.display().to_string()
    };
    let old = write("0.1.0", &["account", "lead"]);
    let new = write("0.2.0", &["lead"]);
    let settings = workspace.beside("settings.toml");
    std::fs::write(&settings, "behaviour = \"refuse\"\n").unwrap();
    let settings = settings.display().to_string();
    for step in [
        &["plugin", "install", "--unsigned", old.as_str()][..],
        &["plugin", "grant", "acme.rule", "--all-declared"],
        &["plugin", "settings", "acme.rule", &settings],
        &["plugin", "enable", "acme.rule"],
    ] {
        let _ = workspace.run(step).ok();
    }
    let refused = || {
        workspace
            .run(&["create", "account", "name=Granholt AS"])
            .code
    };
    let state = || {
        let listed = workspace.json(&["plugin", "list"]);
        let row = &listed["plugins"][0];
        (
            row["version"].clone(),
            row["grants"].clone(),
            row["enabled"].clone(),
        )
    };
    let before = state();
    assert_eq!(refused(), 3, "0.1.0 guards accounts");
    let _ = workspace
        .run(&["plugin", "install", "--unsigned", &new])
        .ok();
    assert_eq!(
        (state().0, refused()),
        (json!("0.2.0"), 0),
        "0.2.0 does not"
    );

    // The workspace has kept the file itself.
    std::fs::remove_file(&old).unwrap();
    let kept = std::fs::read_dir(workspace.dir().join("plugins")).unwrap();
    let kept: Vec<_> = kept.map(|item| item.unwrap().path()).collect();
    let kept = kept
        .iter()
        .find(|path| path.to_string_lossy().contains("acme.rule-0.1.0"))
        .unwrap();
    let _ = workspace
        .run(&[
            "plugin",
            "install",
            "--unsigned",
            &kept.display().to_string(),
        ])
        .ok();
    assert_eq!(
        (state(), refused()),
        (before, 3),
        "back at once, with its grants and settings"
    );
}

#[test]
fn promise_9_a_data_file_of_a_newer_format_is_told_and_left_alone() {
    let workspace = Workspace::new();
    let _ = workspace
        .run(&["create", "account", "name=Granholt AS"])
        .ok();
    let file = workspace.dir().join("data.redb");
    let table = redb::TableDefinition::<&[u8], &[u8]>::new("meta");
    let set_format = |format: &[u8]| {
        let database = redb::Database::open(&file).unwrap();
        let write = database.begin_write().unwrap();
        let before = {
            let mut meta = write.open_table(table).unwrap();
            let before = meta.insert(&b"format"[..], format).unwrap();
            before.unwrap().value().to_vec()
        };
        write.commit().unwrap();
        before
    };
    let (known, newer) = (kjerne_store::FORMAT, kjerne_store::FORMAT + 1);
    let own = set_format(&newer.to_be_bytes());
    for command in [
        &["list", "account"][..],
        &["create", "account", "name=B"],
        &["verify"],
    ] {
        let ran = workspace.run(command);
        assert_eq!(ran.code, 7, "{command:?}: {}{}", ran.out, ran.err);
        for part in [
            format!("format {newer}"),
            format!("up to {known}"),
            "newer".to_owned(),
        ] {
            assert!(ran.err.contains(&part), "{part} is not told: {}", ran.err);
        }
    }
    // The database notes in its own header that it was opened; what it holds is as it was.
    set_format(&own);
    let _ = workspace.run(&["verify"]).ok();
    let read = workspace.json(&["list", "account"]);
    assert_eq!(read["records"].as_array().unwrap().len(), 1, "{read}");
    assert_eq!(
        workspace.json(&["journal"])["entries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// A built plugin of this version keeps working: what the contract's first version promises is what
/// this kernel still reads.
#[test]
fn promise_9_the_contract_of_every_released_version_is_still_read() {
    for item in std::fs::read_dir(root().join("wit"))
        .unwrap()
        .map(Result::unwrap)
    {
        let name = item.file_name().to_string_lossy().into_owned();
        let Some(version) = name.strip_prefix('v') else {
            continue;
        };
        let manifest = crate::stage::manifest("tests/hostile/many")
            .replace("contract = \"0.2.0\"", &format!("contract = \"{version}\""));
        let file = Package::seal(&built("hostile"), &manifest, "");
        assert!(
            Package::read(&file).is_ok(),
            "a plugin for contract {version} is not taken"
        );
    }
}

#[test]
fn promise_10_every_limit_is_told_with_name_number_unit_and_reason() {
    let workspace = Workspace::new();
    let limits = workspace.json(&["limits"]);
    let limits = limits.as_array().unwrap();
    let mut names = std::collections::BTreeSet::new();
    for limit in limits {
        for part in ["name", "unit", "reason"] {
            assert!(
                limit[part].as_str().is_some_and(|text| !text.is_empty()),
                "{part}: {limit}"
            );
        }
        assert!(
            limit["value"].as_u64().is_some_and(|value| value > 0),
            "{limit}"
        );
        assert!(
            limit["reason"].as_str().unwrap().split(' ').count() > 3,
            "say why: {limit}"
        );
        assert!(names.insert(limit["name"].to_string()), "twice: {limit}");
    }
    let shown = workspace.run(&["limits"]).ok().out;
    assert!(
        limits
            .iter()
            .all(|limit| shown.contains(limit["name"].as_str().unwrap()))
    );
    let served = workspace.serve().get("/v1/limits").1;
    assert_eq!(
        served["limits"].as_array(),
        Some(limits),
        "HTTP tells the same"
    );
}

/// A line that describes a limit: a row of a table, or a constant written by hand.
fn describes_a_limit((file, line): &(String, String)) -> bool {
    let row = line.trim_start().split_once(" = \"");
    let name = row.map_or("", |(name, _)| name);
    let in_table = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    line.contains(": Limit = Limit {") || (file.ends_with("limits.rs") && in_table)
}

/// The sources describe as many limits as are told.
#[test]
fn promise_10_no_limit_is_described_and_not_told() {
    let workspace = Workspace::new();
    let told = workspace.json(&["limits"]).as_array().unwrap().len();
    let described = kernel_lines()
        .iter()
        .filter(|line| describes_a_limit(line))
        .count();
    assert_eq!(told, described);
}

/// Refusals keep their order and names: scripts and plugins of released versions go by them.
#[test]
fn promise_9_the_names_of_refusals_are_those_people_know() {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let known = [
        "bad-commit",
        "key-reused",
        "too-deep",
        "not-allowed",
        "unknown-kind",
        "unknown-record",
        "already-exists",
        "stale-version",
        "unknown-field",
        "plugin-fault",
        "wrong-type",
        "invalid-value",
        "required",
        "unknown-reference",
        "duplicate",
        "still-referenced",
        "guard",
        "contention",
    ];
    let kept: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| known.contains(name))
        .collect();
    assert_eq!(
        kept, known,
        "a new one may come between, an old one stays in its place"
    );
}
