//! Each limit at the edge of the system as a pair: the number itself is taken, one more is refused and
//! the number told.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use kjerne_core::{Call, limits as kernel};
use kjerne_host::Package;
use kjerne_model::{Actor, FieldType, Name, Reference, Schema, core_kinds, filter};
use kjerne_package::limits as packages;
use kjerne_server::limits as server;
use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

use crate::stage::{Stage, at, built, installed, manifest, record};

/// A limit's number, and a request that uses so much of it.
struct Pair<'a> {
    what: &'a str,
    most: u64,
    ask: &'a dyn Fn(u64) -> (u16, Json),
}

fn check(pair: &Pair<'_>) {
    let (status, answer) = (pair.ask)(pair.most);
    assert!(
        (200..300).contains(&status),
        "{} of {}: {status} {answer}",
        pair.what,
        pair.most
    );
    let (status, problem) = (pair.ask)(pair.most + 1);
    assert!(
        (400..500).contains(&status),
        "one more of {}: {status}",
        pair.what
    );
    let told = problem.to_string();
    assert!(
        told.contains(&pair.most.to_string()),
        "{}: {} is not told: {told}",
        pair.what,
        pair.most
    );
}

/// A filter for an address; nothing in it needs escaping but blanks and quotes.
fn listed(server: &Server, kind: &str, words: &str) -> (u16, Json) {
    server.get(&format!(
        "/v1/records/{kind}?{}",
        words.replace(' ', "%20").replace('\'', "%27")
    ))
}

/// The most bytes of an account's name.
fn name_bytes() -> u64 {
    let kinds = core_kinds();
    let account = kinds.iter().find(|kind| kind.name == "account").unwrap();
    match account.field("name").unwrap().field_type {
        FieldType::Text { max_bytes } => max_bytes as u64,
        _ => 0,
    }
}

#[test]
fn what_a_request_may_hold_is_taken_to_the_number_and_not_beyond() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let named = |bytes: u64| json!({"fields": {"name": "x".repeat(bytes as usize)}});
    let repeated = |count: u64, one: &str, between: &str| vec![one; count as usize].join(between);
    let commit = |count: u64| {
        let one = json!({"create": "lead", "fields": {"name": "Ola Demo"}});
        let changes = vec![one; count as usize];
        server.post("/v1/commits", &json!({ "changes": changes }))
    };
    let keyed = |bytes: u64| {
        let key = "k".repeat(bytes as usize);
        server.send(
            "POST",
            "/v1/records/account",
            &[("idempotency-key", &key)],
            Some(&named(9)),
        )
    };
    let filtered = |text: &str| listed(&server, "account", &format!("filter={text}"));
    let long = |bytes: u64| filtered(&format!("name eq '{}'", "x".repeat(bytes as usize - 10)));
    let nested = |depth: u64| {
        filtered(&format!(
            "{}name eq 'x'{}",
            repeated(depth, "(", ""),
            repeated(depth, ")", "")
        ))
    };
    let conditions = |count: u64| filtered(&repeated(count, "tier eq 'A'", " or "));
    for pair in [
        Pair {
            what: "commit-changes",
            most: kernel::COMMIT_CHANGES.value,
            ask: &commit,
        },
        Pair {
            what: "commit-key",
            most: kernel::COMMIT_KEY.value,
            ask: &keyed,
        },
        Pair {
            what: "query-top",
            most: kernel::QUERY_TOP.value,
            ask: &|top| listed(&server, "account", &format!("top={top}")),
        },
        Pair {
            what: "query-order",
            most: kernel::QUERY_ORDER.value,
            ask: &|count| {
                let fields = [
                    "name",
                    "tier",
                    "industry",
                    "segment",
                    "region",
                    "id",
                    "version",
                    "created_at",
                    "updated_at",
                ];
                listed(
                    &server,
                    "account",
                    &format!("sort={}", fields[..count as usize].join(",")),
                )
            },
        },
        Pair {
            what: "feed-page",
            most: server::FEED_PAGE.value,
            ask: &|limit| server.get(&format!("/v1/journal?limit={limit}")),
        },
        Pair {
            what: "bytes of a filter",
            most: filter::MAX_BYTES as u64,
            ask: &long,
        },
        Pair {
            what: "depth of a filter",
            most: filter::MAX_DEPTH as u64,
            ask: &nested,
        },
        Pair {
            what: "conditions of a filter",
            most: filter::MAX_CONDITIONS as u64,
            ask: &conditions,
        },
        Pair {
            what: "bytes of a text",
            most: name_bytes(),
            ask: &|bytes| server.post("/v1/records/account", &named(bytes)),
        },
    ] {
        check(&pair);
    }
    assert_eq!(server.get("/v1/health").0, 200);
}

/// Posts so many bytes of JSON: an account's name and blanks around it.
fn post_bytes(server: &Server, bytes: u64) -> String {
    let json = r#"{"fields": {"name": "Granholt AS"}}"#;
    let mut stream = TcpStream::connect(server.base().trim_start_matches("http://")).unwrap();
    let head = format!(
        "POST /v1/records/account HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         connection: close\r\ncontent-length: {bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A body that is announced as too long may be refused before it is read.
    let body = format!("{json}{}", " ".repeat(bytes as usize - json.len()));
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_body_is_taken_to_the_number_and_not_beyond() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let most = server::REQUEST_BODY.value;
    let answer = post_bytes(&server, most);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let answer = post_bytes(&server, most + 1);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    for part in [most.to_string().as_str(), server::REQUEST_BODY.name] {
        assert!(answer.contains(part), "{part} is not told: {answer}");
    }
}

/// Writes a file of the workspace's kinds and returns what reading it came to.
fn kinds(workspace: &Workspace, text: &str) -> (u16, Json) {
    std::fs::write(workspace.dir().join("kinds.toml"), text).unwrap();
    let ran = workspace.run(&["kinds"]);
    (if ran.code == 0 { 200 } else { 400 }, Json::String(ran.err))
}

#[test]
fn a_workspaces_own_kinds_are_taken_to_the_number_and_not_beyond() {
    let workspace = Workspace::new();
    let added = |count: u64| -> String {
        let core = core_kinds().len() as u64;
        let kind = |number| format!("[[kind]]\nname = \"kind_{number}\"\n");
        (core..count).map(kind).collect()
    };
    check(&Pair {
        what: "kinds",
        most: Schema::MAX_KINDS as u64,
        ask: &|count| kinds(&workspace, &added(count)),
    });
    // One field comes by itself: the external id.
    let fields = |count: u64| -> String {
        let field = |number| format!("[[kind.field]]\nname = \"f_{number}\"\ntype = \"integer\"\n");
        format!(
            "[[kind]]\nname = \"wide\"\n{}",
            (1..count).map(field).collect::<String>()
        )
    };
    check(&Pair {
        what: "kind-fields",
        most: Schema::MAX_FIELDS as u64,
        ask: &|count| kinds(&workspace, &fields(count)),
    });
}

#[test]
fn a_plugins_settings_and_manifest_are_taken_to_the_number_and_not_beyond() {
    let workspace = Workspace::new();
    workspace.install("hostile");
    let comment = |bytes: u64| format!("#{}", "x".repeat(bytes as usize - 1));
    check(&Pair {
        what: "settings",
        most: packages::SETTINGS.value,
        ask: &|bytes| {
            let file = workspace.beside("settings.toml");
            std::fs::write(&file, comment(bytes)).unwrap();
            let ran =
                workspace.run(&["plugin", "settings", "hostile", &file.display().to_string()]);
            (if ran.code == 0 { 200 } else { 400 }, Json::String(ran.err))
        },
    });
    let text = manifest("tests/hostile/many");
    let component = built("hostile");
    check(&Pair {
        what: "manifest",
        most: packages::MANIFEST.value,
        ask: &|bytes| {
            let manifest = format!("{text}{}", comment(bytes - text.len() as u64));
            match Package::read(&Package::seal(&component, &manifest, "")) {
                Ok(_) => (200, Json::Null),
                Err(error) => (400, Json::String(error.to_string())),
            }
        },
    });
}

#[test]
fn opportunities_that_stand_still_are_asked_for_by_the_page() {
    let stage = Stage::new(vec![installed(&built("sales-stages"), "", 1)]);
    let call = Call {
        now: at(0),
        actor: Actor::User("test".to_owned()),
        depth: 0,
        reader: Arc::new(stage.kernel.reader().unwrap()),
    };
    let questions = |count: u64| {
        let opportunity =
            |number| Reference::new(Name::new("opportunity").unwrap(), record(number));
        let asked: Vec<Reference> = (1..=count).map(opportunity).collect();
        stage.host.stale(&call, &asked).unwrap();
        stage.used().len()
    };
    stage.used();
    let most = kjerne_host::limits::STALE_PAGE.value;
    assert_eq!((questions(most), questions(most + 1)), (1, 2));
}
