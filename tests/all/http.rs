//! The HTTP interface against what is sent to it in bad faith or by a broken client: bounded memory, time
//! and connections, and nothing that is taken for something else than it is.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use kjerne_core::limits as kernel;
use kjerne_server::limits as server;
use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.base().trim_start_matches("http://")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream
}

/// Sends a request as it stands and returns the answer, head and body.
fn raw(server: &Server, request: &[u8]) -> String {
    let mut stream = connect(server);
    // What is refused need not be read to its end.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: \
         application/json\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// The most memory the server has had, in MB.
fn most_memory(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    kilobytes.unwrap().parse::<u64>().unwrap() / 1_024
}

/// Seconds of a processor that the server has used, in hundredths.
fn used(server: &Server) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_body_of_many_faults_or_values_costs_little() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let unknown: Vec<String> = (0..600_000).map(|n| format!("\"f{n}\":1")).collect();
    let unknown = format!("{{\"fields\":{{{}}}}}", unknown.join(","));
    let some: Vec<String> = (0..90_000).map(|n| format!("\"f{n}\":1")).collect();
    let some = format!("{{\"fields\":{{{}}}}}", some.join(","));
    let objects = format!("[{}]", vec![r#"{"a":1}"#; 875_000].join(","));
    let faults = vec![r#"{"create":"account","fields":{"a":1,"b":2,"c":3}}"#; 1_000].join(",");
    let faults = format!("{{\"changes\":[{faults}]}}");
    let long = format!("{{\"fields\":{{\"{}\":1}}}}", "x".repeat(7_000_000));
    for (path, body, status, told) in [
        ("/v1/records/account", &unknown, 400, "json-values"),
        ("/v1/records/account", &some, 400, "kind-fields"),
        ("/v1/records/account", &long, 422, "has no field"),
        ("/v1/commits", &objects, 400, "json-values"),
        ("/v1/commits", &faults, 422, "3900 more faults"),
    ] {
        let answers: Vec<String> = std::thread::scope(|scope| {
            let one = || raw(&server, &request("POST", path, "", body));
            let eight: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            eight.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for answer in answers {
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{answer:.300}"
            );
            assert!(answer.contains(told), "{told} is not in {answer:.300}");
            assert!(answer.len() < 100_000, "{} bytes", answer.len());
        }
    }
    let memory = most_memory(&server);
    let most = (server::JSON_MEMORY.value + server::BODIES.value) >> 20;
    assert!(memory < most + 150, "{memory} MB");
    assert_eq!(server.get("/v1/health").0, 200);
}

const NAME: &str = r#"{"fields":{"name":"X"}}"#;

fn post(headers: &str, body: &str) -> Vec<u8> {
    request("POST", "/v1/records/account", headers, body)
}

fn listed(words: &str) -> Vec<u8> {
    request("GET", &format!("/v1/records/account?{words}"), "", "")
}

fn chunked(coding: &str) -> Vec<u8> {
    format!(
        "POST /v1/records/account HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/json\r\ntransfer-encoding: {coding}\r\n\r\n17\r\n{NAME}\r\n\
         0\r\n\r\n"
    )
    .into_bytes()
}

/// Sends requests of which each has its status.
fn answered(server: &Server, cases: &[(&str, Vec<u8>, u16)]) {
    for (what, request, status) in cases {
        let answer = raw(server, request);
        let begins = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begins), "{what}: {answer:.400}");
    }
}

#[test]
fn what_can_be_read_in_two_ways_is_refused() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let twice = b"GET /v1/kinds HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\
                  connection: close\r\n\r\n";
    let keys = "idempotency-key: a\r\nidempotency-key: b\r\n";
    let names = r#"{"fields":{"name":"A","name":"B"}}"#;
    let fields = r#"{"fields":{"name":"A"},"fields":{"name":"B"}}"#;
    let dry = request("POST", "/v1/commits?dry_run=true", "", NAME);
    let filter = "filter=&filter=tier%20eq%20%27A%27";
    let filters = "filter=&%24filter=tier%20eq%20%27A%27";
    answered(
        &server,
        &[
            (
                "a key not in ASCII",
                post("idempotency-key: nøkkel\r\n", NAME),
                400,
            ),
            ("two keys", post(keys, NAME), 400),
            (
                "a condition that does nothing",
                post("if-match: \"1\"\r\n", NAME),
                400,
            ),
            ("a name twice", post("", names), 400),
            ("all fields twice", post("", fields), 400),
            ("a word that is not read", dry, 400),
            ("two hosts", twice.to_vec(), 400),
            ("another coding", chunked("gzip, chunked"), 400),
            ("a filter twice", listed(filter), 400),
            ("a filter by two names", listed(filters), 400),
        ],
    );
    assert_eq!(server.get("/v1/records/account").1["records"], json!([]));
    answered(&server, &[("chunked alone", chunked("chunked"), 201)]);
}

#[test]
fn if_match_is_obeyed_or_refused_and_never_passed_over() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let (_, made) = server.post(
        "/v1/records/account",
        &json!({"fields": {"name": "Åse AS"}}),
    );
    let path = format!("/v1/records/account/{}", made["id"].as_str().unwrap());
    let patch = |headers: &str| request("PATCH", &path, headers, NAME);
    answered(
        &server,
        &[
            ("not ASCII", patch("if-match: \"1å\"\r\n"), 400),
            ("a plus sign", patch("if-match: \"+1\"\r\n"), 400),
            ("a weak tag", patch("if-match: W/\"1\"\r\n"), 412),
            ("neither of two", patch("if-match: \"9\", \"8\"\r\n"), 412),
        ],
    );
    let shown = server.get(&path).1;
    let held = (shown["version"].as_u64(), &shown["fields"]["name"]);
    assert_eq!(held, (Some(1), &json!("Åse AS")));
    let keyed = "if-match: \"9\", \"1\"\r\nidempotency-key: k\r\n";
    answered(
        &server,
        &[
            ("one of two", patch(keyed), 200),
            ("the same again", patch(keyed), 200),
        ],
    );
    assert_eq!(server.get(&path).1["version"], 2);
}

#[test]
fn idle_connections_give_way() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let mut idle: Vec<TcpStream> = Vec::new();
    for number in 0..server::CONNECTIONS.value + 20 {
        let mut stream = connect(&server);
        if number % 2 == 0 {
            stream
                .write_all(b"GET /v1/health HTTP/1.1\r\nhost: loc")
                .unwrap();
        }
        idle.push(stream);
    }
    let begun = Instant::now();
    assert_eq!(server.get("/v1/health").0, 200);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    let _ = workspace.run(&["list", "account"]).ok();
    drop(idle);
    stopped(&server, Duration::from_secs(8));
}

#[test]
fn a_head_is_taken_to_its_size_and_no_further() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let most = server::HEAD_BYTES.value as usize;
    let headers = |bytes: usize| format!("x-long: {}\r\n", "x".repeat(bytes));
    let answer = raw(
        &server,
        &request("GET", "/v1/health", &headers(most - 1_000), ""),
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:.200}");
    let answer = raw(
        &server,
        &request("GET", "/v1/health", &headers(most + 1), ""),
    );
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer:.200}");
}

/// Asks the server to stop, and demands that it does so in time.
fn stopped(server: &Server, within: Duration) {
    let pid = server.pid().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(sent.unwrap().success());
    let begun = Instant::now();
    let stat = format!("/proc/{pid}/stat");
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(
            begun.elapsed() < within,
            "still there after {:?}",
            begun.elapsed()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// So many accounts with long texts, a hundred in a commit.
fn long_accounts(server: &Server, commits: usize, bytes: usize) {
    let text = "Lorem ipsum æøå ".repeat(bytes / 19);
    let fields = json!({ "name": "A", "description": text });
    let one = json!({ "create": "account", "fields": fields });
    let body = json!({ "changes": vec![one; 100] });
    for _ in 0..commits {
        let (status, answer) = server.post("/v1/commits", &body);
        assert_eq!(status, 200, "{answer}");
    }
}

/// A query that takes far longer than anybody waits.
fn hard(server: &Server) -> TcpStream {
    let conditions = vec!["contains(description,'zzz')"; 250].join(" or ");
    let filter = conditions.replace(' ', "%20").replace('\'', "%27");
    let mut stream = connect(server);
    let path = format!("/v1/records/account?filter={filter}");
    stream.write_all(&request("GET", &path, "", "")).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    stream
}

#[test]
fn a_query_ends_with_its_client_with_its_time_and_with_the_server() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    long_accounts(&server, 20, 60_000);

    drop(hard(&server));
    std::thread::sleep(Duration::from_millis(800));
    let before = used(&server);
    std::thread::sleep(Duration::from_secs(1));
    let busy = used(&server) - before;
    assert!(
        busy < 30,
        "{busy} hundredths of a second after its client has gone"
    );

    let (mut stream, begun) = (hard(&server), Instant::now());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 422") && answer.contains("query-time"),
        "{answer:.400}"
    );
    let most = Duration::from_millis(server::QUERY_TIME.value + 3_000);
    assert!(begun.elapsed() < most, "{:?}", begun.elapsed());

    let mut stream = hard(&server);
    stopped(&server, Duration::from_secs(6));
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer:.400}");
}

#[test]
fn a_page_of_the_feed_and_of_records_is_bounded_by_bytes() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    long_accounts(&server, 6, 60_000);
    let most = 8 << 20;
    let (mut after, mut entries) = (0, 0);
    loop {
        let path = format!("/v1/journal?after={after}&limit=1000");
        let answer = raw(&server, &request("GET", &path, "", ""));
        assert!(answer.len() < most, "{}", answer.len());
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let page: Json = serde_json::from_str(body).unwrap();
        entries += page["entries"].as_array().unwrap().len();
        after = page["next"].as_u64().unwrap();
        if after == page["last"].as_u64().unwrap() {
            break;
        }
    }
    assert_eq!(entries, 6);
    let answer = raw(
        &server,
        &request("GET", "/v1/records/account?top=1000", "", ""),
    );
    assert!(answer.len() < most, "{}", answer.len());
    let page: Json = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let found = page["records"].as_array().unwrap().len();
    assert!(found as u64 <= kernel::QUERY_BYTES.value / 60_000 && page["next"].is_string());
    assert!(most_memory(&server) < 300, "{} MB", most_memory(&server));
}

#[test]
fn a_whole_number_beyond_what_readers_hold_goes_through_unchanged() {
    let workspace = Workspace::new();
    let kinds =
        "[[kind]]\nname = \"x_count\"\n[[kind.field]]\nname = \"number\"\ntype = \"integer\"\n";
    fs::write(workspace.dir().join("kinds.toml"), kinds).unwrap();
    let server = workspace.serve();
    for (sent, told) in [
        (json!(9_007_199_254_740_993_i64), json!("9007199254740993")),
        (json!("9007199254740993"), json!("9007199254740993")),
        (
            json!(9_007_199_254_740_991_i64),
            json!(9_007_199_254_740_991_i64),
        ),
        (json!(-5), json!(-5)),
    ] {
        let body = json!({ "fields": { "number": sent } });
        let (status, made) = server.post("/v1/records/x_count", &body);
        assert_eq!((status, &made["fields"]["number"]), (201, &told), "{made}");
        let again = json!({ "fields": made["fields"] });
        assert_eq!(
            server.post("/v1/records/x_count", &again).1["fields"],
            made["fields"]
        );
    }
}
