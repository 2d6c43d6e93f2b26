//! The command line: beside a server, several at once, what it shows, and what an author of plugins finds.

use std::fs;
use std::thread;

use kjerne_tests::Workspace;
use serde_json::Value as Json;

use crate::plugins::make;

#[test]
fn commands_work_beside_a_server() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let _server = workspace.serve();
    let (rows, out) = (workspace.beside("rows.csv"), workspace.beside("out.csv"));
    fs::write(&rows, "name\nGranholt AS\n").unwrap();
    let (rows, out) = (rows.display().to_string(), out.display().to_string());
    let commands: [&[&str]; 9] = [
        &["import", &rows, "--as", "account"],
        &["list", "account"],
        &["export", "account", "--to", &out],
        &["create", "account", "name=Granholt Sjø AS"],
        &["journal"],
        &["plugin", "list"],
        &["plugin", "disable", "sales-stages"],
        &["plugin", "enable", "sales-stages"],
        &["plugin", "cost"],
    ];
    for command in commands {
        let ran = workspace.run(command);
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
    }
}

#[test]
fn commands_at_the_same_time_take_turns() {
    let workspace = Workspace::new();
    let codes: Vec<i32> = thread::scope(|scope| {
        let create = |number: usize| {
            let name = format!("name=Account {number}");
            workspace.run(&["create", "account", &name]).code
        };
        let threads: Vec<_> = (0..6)
            .map(|number| scope.spawn(move || create(number)))
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(codes, [0; 6]);
}

/// The numbers of the entries that a command tells of, in its order.
fn told(workspace: &Workspace, args: &[&str]) -> Vec<u64> {
    let journal = workspace.json(&[&["journal"], args].concat());
    let entries = journal["entries"].as_array().unwrap();
    let numbers = entries
        .iter()
        .map(|entry| entry["number"].as_u64().unwrap());
    numbers.collect()
}

#[test]
fn the_journal_begins_with_what_happened_last() {
    let workspace = Workspace::new();
    for number in 0..60 {
        let _ = make(&workspace, &["account", &format!("name=A{number}")]);
    }
    let newest = told(&workspace, &[]);
    assert_eq!((newest[0], newest.len()), (60, 50));
    assert!(newest.is_sorted_by(|a, b| a > b), "{newest:?}");
}

#[test]
fn the_journal_tells_what_was_done_since_and_pages_either_way() {
    let workspace = Workspace::new();
    let account = make(&workspace, &["account", "name=A"]);
    for number in 1..6 {
        let name = format!("name=A{number}");
        let _ = workspace.run(&["set", "account", &account, &name]).ok();
    }
    let record = format!("account/{account}");
    let rows: [(&[&str], &[u64]); 10] = [
        (&["--limit", "2"], &[6, 5]),
        (&["--limit", "2", "--before", "5"], &[4, 3]),
        (&["--after", "4"], &[6, 5]),
        (&["--oldest-first", "--limit", "2"], &[1, 2]),
        (&["--oldest-first", "--after", "2", "--limit", "2"], &[3, 4]),
        (&["--oldest-first", "--after", "2", "--before", "4"], &[3]),
        (&["--record", &record, "--limit", "3"], &[6, 5, 4]),
        (
            &["--record", &record, "--oldest-first", "--after", "4"],
            &[5, 6],
        ),
        (&["--since", "1d", "--limit", "1"], &[6]),
        (&["--since", "2999-01-01T00:00:00Z"], &[]),
    ];
    for (args, expected) in rows {
        assert_eq!(told(&workspace, args), expected, "{args:?}");
    }
    let third = workspace.json(&["journal", "--after", "2", "--before", "4"]);
    let at = third["entries"][0]["at"].as_str().unwrap().to_owned();
    let since = told(&workspace, &["--since", &at, "--oldest-first"]);
    assert!(since.contains(&3) && since.last() == Some(&6), "{since:?}");
    for wrong in ["2026-03-02", "yesterday", "-1d", ""] {
        let ran = workspace.run(&["journal", "--since", wrong]);
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.out);
    }
    // Programs that follow the journal over HTTP read it in order, as they did.
    let server = workspace.serve();
    let page = server.get("/v1/journal?after=4").1;
    assert_eq!(
        (&page["entries"][0]["number"], &page["next"]),
        (&5.into(), &6.into())
    );
    let page = server.get("/v1/journal?order=newest&limit=4").1;
    assert_eq!(
        (&page["entries"][0]["number"], &page["next"]),
        (&6.into(), &3.into())
    );
    let last = server.get("/v1/journal?order=newest&before=3").1;
    assert_eq!(
        (last["entries"].as_array().map(Vec::len), &last["next"]),
        (Some(2), &Json::Null)
    );
    assert_eq!(server.get("/v1/journal?order=down").0, 400);
}

#[test]
fn the_models_can_be_asked_from_the_command_line() {
    let ids = ["sales-stages", "buying-process", "service-rules"];
    let workspace = Workspace::with_plugins(&ids);
    let deal = make(&workspace, &["opportunity", "name=Fleet"]);
    let case = make(&workspace, &["case", "subject=Pump", "status=new"]);
    let questions: [(&[&str], &str); 5] = [
        (&["ask", "standing", &deal], "Qualify needs account"),
        (&["ask", "assess", &deal], "problem_identification"),
        (&["ask", "targets", &case], "first-response"),
        (&["ask", "triage", &case], "first-line"),
        (&["ask", "stale"], "days in stage"),
    ];
    for (question, part) in questions {
        let ran = workspace.run(question);
        assert_eq!(ran.code, 0, "{question:?}: {}", ran.err);
        assert!(ran.out.contains(part), "{question:?}: {}", ran.out);
    }
}

#[test]
fn every_choice_of_a_field_is_shown() {
    let workspace = Workspace::new();
    let shown = workspace.run(&["kinds", "case"]).ok().out;
    for choice in [
        "new",
        "waiting_internal",
        "resolved",
        "closed",
        "device",
        "visit",
        "negative",
    ] {
        assert!(shown.contains(choice), "{choice} is not in:\n{shown}");
    }
    assert!(!shown.contains('…'), "nothing is cut:\n{shown}");
}

#[test]
fn a_record_is_shown_whole() {
    let workspace = Workspace::new();
    let long =
        "a sentence that goes on for as long as people's sentences do when they tell of pumps";
    let case = make(
        &workspace,
        &[
            "case",
            "subject=Pump",
            "status=new",
            "received_at=2026-01-05T08:00:00Z",
            &format!("description={long}"),
        ],
    );
    let shown = workspace.run(&["get", "case", &case]).ok().out;
    assert!(shown.contains(long), "{shown}");
}

#[test]
fn tokens_are_listed_and_taken_back() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["token", "add", "kari"]).ok();
    assert!(workspace.run(&["token", "list"]).ok().out.contains("kari"));
    let _ = workspace.run(&["token", "remove", "kari"]).ok();
    assert!(!workspace.run(&["token", "list"]).ok().out.contains("kari"));
}

#[test]
fn a_new_plugin_says_how_several_share_what_is_compiled() {
    let workspace = Workspace::new();
    let into = workspace.beside("begun");
    let args = [
        "plugin",
        "new",
        "acme.check",
        "--into",
        &into.display().to_string(),
    ];
    let _ = workspace.run(&args).ok();
    let readme = fs::read_to_string(into.join("acme.check/README.md")).unwrap();
    assert!(readme.contains("CARGO_TARGET_DIR"), "{readme}");
}

/// Standard error that takes nothing: a log on a disk that is full.
#[cfg(target_os = "linux")]
fn full() -> fs::File {
    fs::File::options().write(true).open("/dev/full").unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_that_cannot_be_told_keeps_its_code() {
    let workspace = Workspace::new();
    let cases: [(&[&str], i32); 4] = [
        (&["list", "account", "--filter", "nme eq 'x'"], 2),
        (&["create", "account", "colour=red"], 3),
        (
            &["get", "account", "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0001"],
            4,
        ),
        (&["list", "account"], 0),
    ];
    for (args, code) in cases {
        let mut command = workspace.command(args);
        let ran = command.stderr(full()).output().unwrap();
        assert_eq!(ran.status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn what_was_mistyped_has_the_code_of_a_mistake() {
    let workspace = Workspace::new();
    let rows = workspace.beside("rows.csv");
    fs::write(&rows, "name\nGranholt AS\n").unwrap();
    let rows = rows.display().to_string();
    let nowhere = workspace.beside("nowhere").join("x.csv");
    let (folder, nowhere) = (
        workspace.dir().display().to_string(),
        nowhere.display().to_string(),
    );
    let cases: [(&[&str], i32, &str); 8] = [
        (&["get", "account", "X1"], 2, "a record id"),
        (&["set", "account", "X1", "name=A"], 2, "a record id"),
        (&["delete", "account", "X1"], 2, "a record id"),
        (
            &["import", &rows, "--as", "account", "--map", "nowhere.toml"],
            4,
            "cannot read the mapping nowhere.toml",
        ),
        (
            &["import", &rows, "--as", "account", "--map", "/dev/zero"],
            2,
            "is no regular file",
        ),
        (&["import", &folder, "--as", "account"], 2, "is a folder"),
        (&["export", "account", "--to", &nowhere], 4, "cannot make"),
        (
            &["create", "account", "name=A", "--actor", ""],
            2,
            "--actor is empty",
        ),
    ];
    for (args, code, told) in cases {
        let ran = workspace.run(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(told), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_key_of_another_system_that_looks_like_an_id_finds_its_record() {
    let workspace = Workspace::new();
    let key = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
    let external = format!("external_id={key}");
    let made = workspace.json(&["create", "account", "name=Granholt AS", &external]);
    let parent = format!("account/{}", made["id"].as_str().unwrap());
    for typed in [
        format!("parent={key}"),
        format!("parent=account/{key}"),
        format!("parent={parent}"),
    ] {
        let child = workspace.json(&["create", "account", "name=Granholt Sjø AS", &typed]);
        let child = workspace.json(&["get", "account", child["id"].as_str().unwrap()]);
        assert_eq!(child["fields"]["parent"], *parent, "{typed}");
    }
    let other = "parent=6f9619ff-8b86-d011-b42d-00cf4fc964fe";
    let ran = workspace.run(&["create", "account", "name=C", other]);
    assert!(
        ran.code == 3 && ran.err.contains("does not exist"),
        "{}",
        ran.err
    );
}

/// What was done and could not be told is no failure of the disk: a script that takes it for one does it
/// twice.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_done_all_the_same() {
    let workspace = Workspace::new();
    let unheard = |args: &[&str]| {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = workspace.command(args).stdout(full).output().unwrap();
        let told = String::from_utf8(ran.stderr).unwrap();
        assert!(
            told.contains("what the command was to change is done"),
            "{told}"
        );
        ran.status.code()
    };
    assert_eq!(unheard(&["create", "account", "name=Granholt AS"]), Some(1));
    let listed = workspace.json(&["list", "account"]);
    assert_eq!(
        listed["records"].as_array().map(Vec::len),
        Some(1),
        "{listed}"
    );
    assert_eq!(unheard(&["token", "add", "shop"]), Some(1));
    // To take back the last token would open the server to everybody.
    let tokens = workspace.run(&["token", "list"]).ok();
    assert!(tokens.out.contains("shop"), "{}", tokens.out);
}
