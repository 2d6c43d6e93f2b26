//! Requests in bad faith or from a broken client.

mod fuzz;
pub(crate) mod wire;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

use wire::{Reply, listed, post, raw, request, spawn};

/// The most memory a server may have had, beside which today's limits leave room.
const MOST_MB: u64 = 450;

/// The most memory a process has had, in MB.
fn most_memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.unwrap().parse::<u64>().unwrap() / 1_024
}

/// The same request by so many clients at once.
fn at_once(server: &Server, clients: usize, request: &[u8]) -> Vec<Reply> {
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..clients)
            .map(|_| scope.spawn(|| raw(server, request)))
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

#[test]
fn t1_a_body_of_faults_costs_the_server_little() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let unknown: Vec<String> = (0..600_000).map(|n| format!("\"f{n}\":1")).collect();
    let unknown = format!("{{\"fields\":{{{}}}}}", unknown.join(","));
    let changes = vec![r#"{"create":"account","fields":{"a":1,"b":2,"c":3}}"#; 40_000].join(",");
    let changes = format!("{{\"changes\":[{changes}]}}");
    let long = format!("{{\"fields\":{{\"name\":\"{}\"}}}}", "x".repeat(7_900_000));
    let amount = "9".repeat(7_000_000);
    let amount = format!(
        "{{\"fields\":{{\"name\":\"A\",\"amount\":{{\"amount\":\"{amount}\",\"currency\":\"NOK\"}}}}}}"
    );
    for (path, body) in [
        ("/v1/records/account", &unknown),
        ("/v1/commits", &changes),
        ("/v1/records/account", &long),
        ("/v1/records/opportunity", &amount),
    ] {
        for reply in at_once(&server, 8, &request("POST", path, "", body)) {
            assert!((400..500).contains(&reply.status), "{path}: {reply:?}");
            let bytes = reply.body.len();
            assert!(bytes < 100_000, "{path}: an answer of {bytes} bytes");
        }
    }
    let most = most_memory(&server);
    println!("most memory: {most} MB");
    assert!(most < MOST_MB, "{most} MB");
}

#[test]
fn h18_bodies_are_counted_before_they_are_read() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    for body in [
        format!("[{}]", vec![r#"{"a":1}"#; 875_000].join(",")),
        format!("[{}]", vec!["[]"; 2_300_000].join(",")),
        format!("{{\"changes\":[{}]}}", vec!["{}"; 2_300_000].join(",")),
    ] {
        for reply in at_once(&server, 2, &request("POST", "/v1/commits", "", &body)) {
            assert_eq!(reply.status, 400, "{reply:?}");
        }
    }
    let most = most_memory(&server);
    println!("most memory: {most} MB");
    assert!(most < MOST_MB, "{most} MB");
}

#[test]
fn t2_idle_connections_do_not_keep_others_out() {
    let workspace = Workspace::new();
    // As a service with the usual number of open files, of which some are the server's own.
    let server = spawn(&workspace, "ulimit -n 700");
    let idle: Vec<TcpStream> = (0..690)
        .filter_map(|number| {
            let mut stream = server.connect().ok()?;
            let begun: &[u8] =
                [&b""[..], b"GET /v1/hea", b"POST / HTTP/1.1\r\nhost: loc"][number % 3];
            stream.write_all(begun).ok()?;
            Some(stream)
        })
        .collect();
    let reply = server.get("/v1/health");
    assert_eq!(reply.status, 200, "beside {} others", idle.len());
}

#[test]
fn t2_bodies_that_trickle_do_not_keep_others_out() {
    let workspace = Workspace::new();
    let server = spawn(&workspace, "ulimit -n 700");
    let head = "POST /v1/records/account HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let begun = format!("{head}content-length: 7000000\r\n\r\n{{\"fields\"");
    let slow: Vec<TcpStream> = (0..600)
        .filter_map(|_| {
            let mut stream = server.connect().ok()?;
            stream.write_all(begun.as_bytes()).ok()?;
            Some(stream)
        })
        .collect();
    let asked = Instant::now();
    let reply = server.get("/v1/health");
    assert_eq!(reply.status, 200, "beside {} others", slow.len());
    let waited = asked.elapsed();
    assert!(waited < Duration::from_secs(15), "{waited:?}");
}

#[test]
fn t2_who_says_nothing_more_is_not_waited_for() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let head = "POST /v1/records/account HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let begun = [
        String::new(),
        "GET /v1/health HTTP/1.1\r\nhost: loc".to_owned(),
        format!("{head}content-length: 100\r\n\r\n{{\"fields\""),
        format!("{head}transfer-encoding: chunked\r\n\r\n5\r\n{{\"fie"),
    ];
    let begun = begun.map(|text| {
        let mut stream = wire::connect(&server);
        stream.write_all(text.as_bytes()).unwrap();
        (text, stream)
    });
    for (text, mut stream) in begun {
        let wait = Some(Duration::from_secs(90));
        stream.set_read_timeout(wait).unwrap();
        let mut answer = Vec::new();
        let ended = stream.read_to_end(&mut answer);
        assert!(ended.is_ok(), "{text:?} is waited for: {ended:?}");
    }
}

/// A server with one account, and the account's address.
fn one_account(workspace: &Workspace) -> (Server, String) {
    let server = workspace.serve();
    let body = json!({"fields": {"name": "Granholt AS"}});
    let (status, made) = server.post("/v1/records/account", &body);
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap();
    (server, format!("/v1/records/account/{id}"))
}

const NAMED: &str = r#"{"fields":{"name":"Changed"}}"#;

/// Sends requests of which each has its status, and demands that none has changed the account.
fn answered(server: &Server, path: &str, cases: &[(&str, Vec<u8>, u16)]) {
    for (what, request, status) in cases {
        let reply = raw(server, request);
        assert_eq!(reply.status, *status, "{what}: {reply:?}");
        reply.is_problem(what);
        let shown = server.get(path).1;
        assert_eq!(shown["fields"]["name"], "Granholt AS", "{what}");
    }
}

#[test]
fn t3_a_header_that_cannot_be_read_is_not_absent() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let patch = |headers: &str| request("PATCH", &path, headers, NAMED);
    let delete = |headers: &str| request("DELETE", &path, headers, "");
    answered(
        &server,
        &path,
        &[
            ("If-Match", patch("if-match: \"1å\"\r\n"), 400),
            ("a removal", delete("if-match: \"1å\"\r\n"), 400),
            ("a key", patch("idempotency-key: nøkkel\r\n"), 400),
            (
                "two keys",
                patch("idempotency-key: a\r\nidempotency-key: b\r\n"),
                400,
            ),
            ("an empty condition", patch("if-match: \r\n"), 400),
        ],
    );
}

#[test]
fn t3_a_condition_is_never_passed_over() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let patch = |headers: &str| request("PATCH", &path, headers, NAMED);
    let delete = |headers: &str| request("DELETE", &path, headers, "");
    let date = "if-unmodified-since: Mon, 01 Jan 2001 00:00:00 GMT\r\n";
    let commit = format!(
        r#"{{"changes":[{{"create":"account",{}],"key":"a"}}"#,
        &NAMED[1..]
    );
    let other = "idempotency-key: b\r\n";
    answered(
        &server,
        &path,
        &[
            ("none of a version", patch("if-none-match: \"1\"\r\n"), 400),
            ("none at all", delete("if-none-match: *\r\n"), 400),
            ("by date", patch(date), 400),
            ("a removal by date", delete(date), 400),
            (
                "two names of a commit",
                request("POST", "/v1/commits", other, &commit),
                400,
            ),
        ],
    );
}

#[test]
fn t4_if_match_means_what_the_standard_says() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let patch = |headers: &str| request("PATCH", &path, headers, NAMED);
    answered(
        &server,
        &path,
        &[
            ("a weak tag", patch("if-match: W/\"1\"\r\n"), 412),
            ("neither of two", patch("if-match: \"9\", \"2\"\r\n"), 412),
            ("a plus sign", patch("if-match: \"+1\"\r\n"), 400),
        ],
    );
    let reply = raw(&server, &patch("if-match: \"9\", \"1\"\r\n"));
    assert_eq!(reply.status, 200, "one of two fits: {reply:?}");
}

#[test]
fn t5_what_can_be_read_in_two_ways_is_refused() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let twice = b"GET /v1/kinds HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\
                  connection: close\r\n\r\n";
    let coded = b"POST /v1/records/account HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                  content-type: application/json\r\ntransfer-encoding: gzip, chunked\r\n\r\n1d\r\n\
                  {\"fields\":{\"name\":\"Changed\"}}\r\n0\r\n\r\n";
    let nested = r#"{"changes":[{"create":"account","create":"contact","fields":{"name":"A"}}]}"#;
    let escaped = r#"{"fields":{"name":"A","n\u0061me":"B"}}"#;
    answered(
        &server,
        &path,
        &[
            (
                "a name twice",
                post("", r#"{"fields":{"name":"A","name":"B"}}"#),
                400,
            ),
            ("a name twice, escaped", post("", escaped), 400),
            ("in a list", request("POST", "/v1/commits", "", nested), 400),
            ("two hosts", twice.to_vec(), 400),
            ("another coding", coded.to_vec(), 400),
        ],
    );
    assert_eq!(
        server.get("/v1/records/account").1["records"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn t5_an_address_and_a_body_mean_one_thing() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let other = b"GET http://evil.example/v1/kinds HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let gzip = "content-encoding: gzip\r\n";
    answered(
        &server,
        &path,
        &[
            ("two servers", other.to_vec(), 400),
            ("a coded body", post(gzip, NAMED), 415),
            ("a coded change", request("PATCH", &path, gzip, NAMED), 415),
            ("no UTF-8", listed("filter=name%20eq%20%27%FF%27"), 400),
            ("no escape", listed("filter=name%20eq%20%27%zz%27"), 400),
            (
                "half an escape",
                listed("filter=name%20eq%20%27a%27%2"),
                400,
            ),
            ("a number with a sign", listed("top=%2B5"), 400),
        ],
    );
}

#[test]
fn t6_an_instant_is_read_as_it_stands_or_not_at_all() {
    let workspace = Workspace::new();
    let kinds = "[[kind]]\nname = \"x_at\"\n[[kind.field]]\nname = \"at\"\ntype = \"instant\"\n";
    fs::write(workspace.dir().join("kinds.toml"), kinds).unwrap();
    let server = workspace.serve();
    for text in [
        "2026-11-21T08:30.5Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2016-12-31T23:59:60Z",
        "2026-11-21T08:30:60Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T08:30:00+24:00",
    ] {
        let body = json!({"fields": {"at": text}});
        let (status, answer) = server.post("/v1/records/x_at", &body);
        assert_eq!(status, 422, "{text}: {answer}");
        let given = format!("at={text}");
        let typed = workspace.run(&["create", "x_at", &given]);
        assert!([2, 3].contains(&typed.code), "{text}: {}", typed.err);
        let found = server.get(&format!(
            "/v1/records/x_at?filter=at%20eq%20{}",
            text.replace('+', "%2B")
        ));
        assert_eq!(found.0, 400, "{text}: {}", found.1);
    }
}

#[test]
fn t7_a_number_that_javascript_rounds_is_told_as_text() {
    let workspace = Workspace::new();
    let kinds =
        "[[kind]]\nname = \"x_count\"\n[[kind.field]]\nname = \"number\"\ntype = \"integer\"\n";
    fs::write(workspace.dir().join("kinds.toml"), kinds).unwrap();
    let server = workspace.serve();
    for (number, text) in [
        (9_007_199_254_740_991_i64, false),
        (9_007_199_254_740_992, true),
        (9_007_199_254_740_993, true),
        (i64::MAX, true),
        (-9_007_199_254_740_991, false),
        (-9_007_199_254_740_992, true),
    ] {
        let told = if text {
            json!(number.to_string())
        } else {
            json!(number)
        };
        let body = json!({"fields": {"number": number}});
        let (status, made) = server.post("/v1/records/x_count", &body);
        assert_eq!((status, &made["fields"]["number"]), (201, &told));
        // What was told is taken again, and found by.
        let again = json!({"fields": made["fields"]});
        assert_eq!(
            server.post("/v1/records/x_count", &again).1["fields"],
            made["fields"]
        );
        let words = format!("/v1/records/x_count?filter=number%20eq%20{number}");
        assert_eq!(
            server.get(&words).1["records"].as_array().map(Vec::len),
            Some(2)
        );
    }
    let journal = server.get("/v1/journal").1.to_string();
    assert!(journal.contains("\"9007199254740993\""), "{journal:.300}");
}

/// So many accounts with long texts, a hundred in a commit.
fn long_accounts(server: &Server, commits: usize, bytes: usize) {
    let text = "Lorem ipsum æøå ".repeat(bytes / 19);
    let one = json!({"create": "account", "fields": {"name": "A", "description": text}});
    let body = json!({"changes": vec![one; 100]});
    for _ in 0..commits {
        let (status, answer) = server.post("/v1/commits", &body);
        assert_eq!(status, 200, "{answer}");
    }
}

#[test]
fn t8_a_query_ends_with_its_client_its_time_and_its_server() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    long_accounts(&server, 20, 60_000);
    let conditions = vec!["contains(description,'zzz')"; 250].join(" or ");
    let words = conditions.replace(' ', "%20").replace('\'', "%27");
    let hard = listed(&format!("filter={words}"));
    let begun = Instant::now();
    let reply = raw(&server, &hard);
    assert_eq!(reply.status, 422, "after {:?}: {reply:?}", begun.elapsed());
    assert!(reply.text().contains("query-time"), "{reply:?}");
    // One whose client is gone, and one that still waits, are no reason to stay.
    let mut gone = wire::connect(&server);
    gone.write_all(&hard).unwrap();
    drop(gone);
    let mut waits = wire::connect(&server);
    waits.write_all(&hard).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let ended = wire::stopped(&server, Duration::from_secs(9));
    assert!(ended, "the server goes on with what nobody waits for");
}

#[test]
fn t9_a_page_is_bounded_by_bytes() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    long_accounts(&server, 8, 60_000);
    let (mut after, mut entries, mut most) = (0, 0, 0);
    loop {
        let path = format!("/v1/journal?after={after}&limit=1000");
        let reply = raw(&server, &request("GET", &path, "", ""));
        most = most.max(reply.body.len());
        let page: Json = serde_json::from_slice(&reply.body).unwrap();
        entries += page["entries"].as_array().unwrap().len();
        after = page["next"].as_u64().unwrap();
        if Some(after) == page["last"].as_u64() || page["entries"] == json!([]) {
            break;
        }
    }
    assert_eq!(entries, 8);
    let reply = raw(&server, &listed("top=1000"));
    most = most.max(reply.body.len());
    assert!(most < 16 << 20, "a page of {most} bytes");
    let path = "/v1/journal?limit=1000";
    let pages = at_once(&server, 8, &request("GET", path, "", ""));
    assert!(pages.iter().all(|page| page.status == 200));
    let memory = most_memory(&server);
    println!("most memory: {memory} MB");
    assert!(memory < MOST_MB, "{memory} MB");
}

#[test]
fn t9_readers_that_stand_still_take_no_more_than_their_share() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    long_accounts(&server, 2, 40_000);
    let page = listed("top=1000");
    let still: Vec<TcpStream> = (0..128)
        .map(|_| {
            let mut stream = wire::connect(&server);
            stream.write_all(&page).unwrap();
            stream
        })
        .collect();
    // Each has its answer, or its turn has come and gone, when these are answered behind them.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(12) {
        let health = raw(&server, &request("GET", "/v1/health", "", ""));
        assert_eq!(health.status, 200);
        assert_eq!(
            raw(&server, &post("", r#"{"fields":{"name":"A"}}"#)).status,
            201
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    drop(still);
    let memory = most_memory(&server);
    println!("most memory: {memory} MB");
    // What all answers may take, and as much again twice for what is given back late.
    assert!(memory < 2 * MOST_MB, "{memory} MB");
}

#[test]
fn t10_a_word_twice_is_no_word_at_all() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let journal = |words: &str| request("GET", &format!("/v1/journal?{words}"), "", "");
    answered(
        &server,
        &path,
        &[
            (
                "a filter",
                listed("filter=&filter=name%20eq%20%27x%27"),
                400,
            ),
            (
                "two names",
                listed("filter=&%24filter=name%20eq%20%27x%27"),
                400,
            ),
            (
                "escaped",
                listed("%66ilter=&filter=name%20eq%20%27x%27"),
                400,
            ),
            ("a top", listed("top=1&top=2"), 400),
            ("after", journal("after=1&after=2"), 400),
        ],
    );
}

#[test]
fn t10_a_word_that_is_not_looked_at_is_refused() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let with = |method: &str, words: &str| request(method, &format!("{path}?{words}"), "", "");
    let report = request("GET", "/v1/reports/pipeline?owner=kari", "", "");
    answered(
        &server,
        &path,
        &[
            ("a removal on trial", with("DELETE", "dry_run=true"), 400),
            ("an older version", with("GET", "version=1"), 400),
            ("some fields", with("GET", "select=name"), 400),
            ("a narrower report", report, 400),
            (
                "of a list",
                request("GET", "/v1/kinds?filter=x", "", ""),
                400,
            ),
        ],
    );
}

#[test]
fn t10_a_body_that_is_not_looked_at_is_refused() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let with = |method: &str, body: &str| request(method, &path, "", body);
    let commit = |change: Json| {
        let body = json!({ "changes": [change] }).to_string();
        request("POST", "/v1/commits", "", &body)
    };
    let id = path.rsplit('/').next().unwrap();
    let fields = json!({ "name": "Sund" });
    answered(
        &server,
        &path,
        &[
            (
                "a version to remove",
                with("DELETE", "{\"expected\": 9}"),
                400,
            ),
            (
                "a removal on trial",
                with("DELETE", "{\"dry_run\": true}"),
                400,
            ),
            ("a question", with("GET", "{\"select\": \"name\"}"), 400),
            (
                "no version to remove",
                commit(json!({ "delete": "account", "id": id, "expected": null })),
                400,
            ),
            (
                "no version to change",
                commit(
                    json!({ "update": "account", "id": id, "expected": null, "fields": fields }),
                ),
                400,
            ),
            (
                "fields to remove",
                commit(json!({ "delete": "account", "id": id, "fields": fields })),
                400,
            ),
            (
                "a version to make",
                commit(json!({ "create": "account", "expected": 1, "fields": fields })),
                400,
            ),
            (
                "another version",
                request("GET", &path, "If-Match: \"9\"\r\n", ""),
                412,
            ),
            (
                "half a key",
                request("DELETE", &path, "Idempotency-Key: \"k1\r\n", ""),
                400,
            ),
        ],
    );
}

#[test]
fn every_error_is_a_problem_document_that_its_sender_gets_to_read() {
    let workspace = Workspace::new();
    let (server, path) = one_account(&workspace);
    let asked = |method: &str, path: &str| request(method, path, "", "");
    answered(
        &server,
        &path,
        &[
            ("an id", asked("GET", "/v1/records/account/%FF"), 400),
            ("a kind", asked("GET", "/v1/kinds/%ff"), 400),
            ("a question", asked("GET", &format!("{path}/%ff")), 400),
            ("a plugin", asked("GET", "/v1/plugins/%C3%28"), 400),
            ("nothing", asked("GET", "/v2"), 404),
            ("a method", asked("BREW", "/v1/health"), 405),
        ],
    );
    let token = workspace.run(&["token", "add", "kari"]);
    assert_eq!(token.code, 0, "{}", token.err);
    for bytes in [100_000, 7_900_000, 20_000_000] {
        let body = request("POST", "/v1/commits", "", &"x".repeat(bytes));
        for _ in 0..4 {
            let mut stream = wire::connect(&server);
            let sent = stream.write_all(&body);
            assert!(sent.is_ok(), "{bytes} bytes: {sent:?} instead of an answer");
            let reply = wire::answer(&mut stream);
            assert_eq!(reply.status, 401, "{bytes} bytes: {reply:?}");
        }
    }
}
