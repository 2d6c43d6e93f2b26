//! Requests nobody would think of: methods, paths, words, headers and bodies put together at random from
//! what the interface knows and what it does not. `KJERNE_SEED` begins with another one, `KJERNE_SOAK` has
//! so many times as many.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::Shutdown;

use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

use super::wire::{self, Reply};
use super::{MOST_MB, most_memory};

const REQUESTS: u64 = 1_500;

/// Numbers that look random and are the same for a seed.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn rarely(&mut self, in_how_many: usize) -> bool {
        self.below(in_how_many) == 0
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    let told = std::env::var(name).ok().and_then(|text| text.parse().ok());
    told.unwrap_or(otherwise)
}

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "POST", "POST", "POST", "PATCH", "PATCH", "DELETE", "PUT", "HEAD",
    "OPTIONS", "TRACE", "BREW", "get", "PROPFIND",
];

const PLACES: &[&str] = &[
    "/",
    "/v1/health",
    "/v1/limits",
    "/v1/kinds",
    "/v1/kinds/{}",
    "/v1/records/{}",
    "/v1/records/{}",
    "/v1/records/{}/{}",
    "/v1/records/{}/{}",
    "/v1/records/{}/{}",
    "/v1/records/{}/{}/history",
    "/v1/records/{}/{}/{}",
    "/v1/commits",
    "/v1/commits",
    "/v1/commits",
    "/v1/journal",
    "/v1/stale",
    "/v1/approvals",
    "/v1/approvals/{}",
    "/v1/approvals/{}/{}",
    "/v1/approvers",
    "/v1/models/sales-stages/pipelines",
    "/v1/models/buying-process/jobs",
    "/v1/plugins",
    "/v1/plugins/{}",
    "/v1/integrations/{}/{}",
    "/v1/actions/{}/{}",
    "/v1/reports/{}",
    "/v1/export/{}",
    "/v1/import/{}",
    "/v1/tokens",
    "/v1/verify",
    "/v1/costs",
    "/{}",
    "/v1/{}/{}/{}",
];

const PARTS: &[&str] = &[
    "account",
    "contact",
    "opportunity",
    "case",
    "activity",
    "stakeholder",
    "webhook",
    "sales-stages",
    "service-rules",
    "form",
    "hook",
    "pipeline",
    "service-levels",
    "standing",
    "assessment",
    "targets",
    "triage",
    "ID",
    "ID",
    "ID",
    "01a21e4d-ab2c-758b-be0b-97d2b8d02aa3",
    "",
    "..",
    ".",
    "%2e%2e",
    "%00",
    "%FF",
    "%",
    "a%2Fb",
    "æ",
    "%C3%A6",
    "'",
    "%27%20or%201",
    "-1",
    "999999999999999999999",
    "*",
    ";",
    "%0d%0aset-cookie:%20a=b",
];

const WORDS: &[&str] = &[
    "filter=",
    "filter=name%20eq%20%27A%27",
    "filter=contains(name,%27a%27)",
    "filter=(((((",
    "filter=not%20not",
    "filter=version%20gt%200",
    "filter=owner%20eq%20null",
    "filter=amount/minor%20ge%201",
    "filter=%FF",
    "filter=%27",
    "sort=name",
    "sort=name%20desc,created_at",
    "sort=,",
    "top=1",
    "top=0",
    "top=-1",
    "top=99999999999999999999",
    "top=1000",
    "select=name",
    "select=id,version",
    "select=nothing",
    "cursor=abc",
    "cursor=AAAA",
    "after=1",
    "limit=1",
    "limit=1000",
    "limit=0",
    "after=18446744073709551615",
    "dry_run=true",
    "x=y",
    "%24filter=",
    "filter",
    "=",
    "&",
    "%",
    "plugin=webhook",
    "form=jsonl",
];

const HEADERS: &[&str] = &[
    "if-match: \"1\"",
    "if-match: *",
    "if-match: W/\"1\"",
    "if-match: \"a",
    "if-match: \u{e5}",
    "if-none-match: *",
    "if-none-match: \"1\"",
    "idempotency-key: k1",
    "idempotency-key: k2",
    "idempotency-key: \u{f8}",
    "idempotency-key:",
    "content-type: text/plain",
    "content-type: \u{f8}",
    "content-encoding: gzip",
    "authorization: Bearer x",
    "authorization: Basic eDp5",
    "authorization: \u{f8}",
    "origin: http://localhost",
    "origin: http://evil.example",
    "origin: null",
    "host: evil.example",
    "accept: application/json",
    "accept: \u{0}",
    "te: trailers",
    "expect: 100-continue",
    "range: bytes=0-1",
    "webhook-id: 1",
    "webhook-signature: v1,x",
    "kjerne-actor: root",
    "x-http-method-override: DELETE",
    "cookie: a=b",
    "upgrade: h2c",
    "transfer-encoding: gzip",
    "transfer-encoding: identity",
    "content-length: 3",
    "content-length: -1",
    "content-length: 99999999999999999999",
    "bad header",
    ": empty",
    "x: a\r\n folded",
    "if-unmodified-since: Mon, 01 Jan 2001 00:00:00 GMT",
];

fn path(dice: &mut Dice, ids: &[String]) -> String {
    let mut path = dice.one(PLACES).to_owned();
    while path.contains("{}") {
        let part = match dice.one(PARTS) {
            "ID" => ids[dice.below(ids.len())].clone(),
            part => part.to_owned(),
        };
        path = path.replacen("{}", &part, 1);
    }
    let words = [0, 0, 0, 1, 1, 2, 3][dice.below(7)];
    for number in 0..words {
        path += if number == 0 { "?" } else { "&" };
        path += dice.one(WORDS);
    }
    path
}

/// A value, such as one that is right, or one that nobody expects there.
fn value(dice: &mut Dice, ids: &[String], depth: usize) -> Json {
    let texts = [
        "",
        "A",
        " ",
        "A\u{0}B",
        "\u{202e}abc",
        "2026-11-21",
        "2026-11-21T08:30:00Z",
        "NOK",
        "12.50",
        "-1",
        "kari@example.com",
        "+47 22 33 44 55",
        "https://example.com",
        "won",
        "open",
        "account",
        "contact",
    ];
    match dice.below(if depth > 3 { 8 } else { 11 }) {
        0 => Json::Null,
        1 => json!(dice.rarely(2)),
        2 => json!(dice.next()),
        3 => json!(-(dice.below(1_000) as i64)),
        4 => json!(dice.below(1_000) as f64 / 8.0),
        5 => json!(ids[dice.below(ids.len())]),
        6 => json!(dice.one(&texts)),
        7 => json!("x".repeat(1 << dice.below(15))),
        8 => (0..dice.below(4))
            .map(|_| value(dice, ids, depth + 1))
            .collect(),
        9 => {
            json!({"amount": value(dice, ids, depth + 1), "currency": value(dice, ids, depth + 1)})
        }
        _ => fields(dice, ids, depth + 1),
    }
}

fn fields(dice: &mut Dice, ids: &[String], depth: usize) -> Json {
    let names = [
        "name",
        "description",
        "employees",
        "account",
        "owner",
        "email",
        "phone",
        "website",
        "amount",
        "stage",
        "probability",
        "closing_date",
        "tier",
        "parent",
        "subject",
        "status",
        "priority",
        "due",
        "id",
        "fields",
        "changes",
        "create",
        "update",
        "delete",
        "expected",
        "key",
        "dry_run",
        "arguments",
        "billing_address.city",
        "form",
        "submission_id",
        "external_id",
        "æ",
        "",
    ];
    let mut map = serde_json::Map::new();
    if dice.rarely(2) {
        map.insert("name".to_owned(), json!("A"));
    }
    for _ in 0..dice.below(5) {
        map.insert(dice.one(&names).to_owned(), value(dice, ids, depth));
    }
    Json::Object(map)
}

fn change(dice: &mut Dice, ids: &[String]) -> Json {
    let what = dice.one(&["create", "create", "update", "delete", "upsert"]);
    let kind = dice.one(&["account", "contact", "opportunity", "case", "nothing"]);
    let mut change = json!({what: kind});
    if what != "delete" || dice.rarely(5) {
        change["fields"] = fields(dice, ids, 0);
    }
    if what != "create" || dice.rarely(3) {
        change["id"] = json!(ids[dice.below(ids.len())]);
    }
    if dice.rarely(4) {
        change["expected"] = value(dice, ids, 3);
    }
    change
}

fn body(dice: &mut Dice, ids: &[String]) -> Vec<u8> {
    let json = match dice.below(6) {
        0 => return Vec::new(),
        1 | 2 => json!({"fields": fields(dice, ids, 0)}),
        3 => {
            let changes: Vec<Json> = (0..dice.below(4)).map(|_| change(dice, ids)).collect();
            json!({"changes": changes, "dry_run": dice.rarely(2)})
        }
        4 => json!({"arguments": fields(dice, ids, 0)}),
        _ => value(dice, ids, 0),
    };
    let mut bytes = json.to_string().into_bytes();
    match dice.below(8) {
        // One byte is another.
        0 if !bytes.is_empty() => {
            let at = dice.below(bytes.len());
            bytes[at] = dice.next() as u8;
        }
        1 => bytes.truncate(dice.below(bytes.len() + 1)),
        // The same again behind itself, or in it.
        2 => bytes.extend_from_within(dice.below(bytes.len() + 1)..),
        3 if bytes.len() > 2 => {
            let again = bytes[1..bytes.len() - 1].to_vec();
            bytes.splice(1..1, [again, b",".to_vec()].concat());
        }
        4 if dice.rarely(8) => bytes = b"[".repeat(1 + dice.below(100_000)),
        _ => {}
    }
    bytes
}

/// A method, a path and a body that belong together, so that what is wrong is looked at by the kernel and
/// not by the door.
fn aimed(dice: &mut Dice, ids: &[String]) -> (&'static str, String, Vec<u8>) {
    let kind = dice.one(&["account", "account", "contact", "opportunity", "case"]);
    let id = &ids[dice.below(ids.len())];
    let fields = json!({"fields": fields(dice, ids, 0)})
        .to_string()
        .into_bytes();
    match dice.below(8) {
        0 | 1 => ("POST", format!("/v1/records/{kind}"), fields),
        2 | 3 => ("PATCH", format!("/v1/records/{kind}/{id}"), fields),
        4 => {
            let changes: Vec<Json> = (0..=dice.below(4)).map(|_| change(dice, ids)).collect();
            let body = json!({"changes": changes, "dry_run": dice.rarely(2)});
            (
                "POST",
                "/v1/commits".to_owned(),
                body.to_string().into_bytes(),
            )
        }
        5 => {
            let words = dice.one(WORDS);
            ("GET", format!("/v1/records/{kind}?{words}"), Vec::new())
        }
        6 => (
            "POST",
            "/v1/integrations/webhook/forms".to_owned(),
            body(dice, ids),
        ),
        _ => ("GET", format!("/v1/records/{kind}/{id}"), Vec::new()),
    }
}

/// A request, and whether it is one at all: what is no HTTP gets no more than a status.
struct Made {
    bytes: Vec<u8>,
    http: bool,
}

fn made(dice: &mut Dice, ids: &[String]) -> Made {
    let (method, path, body) = if dice.rarely(2) {
        aimed(dice, ids)
    } else {
        let method = dice.one(METHODS);
        // A body beside these is refused before anything else is looked at.
        let bare = matches!(method, "GET" | "DELETE") && !dice.rarely(4);
        let (path, body) = (path(dice, ids), body(dice, ids));
        (method, path, if bare { Vec::new() } else { body })
    };
    let mut http = path.is_ascii();
    let mut head = format!("{method} {path} HTTP/1.1\r\n");
    if !dice.rarely(30) {
        head += "host: localhost\r\n";
    }
    head += "connection: close\r\n";
    if !dice.rarely(12) {
        head += "content-type: application/json\r\n";
    }
    for _ in 0..[0, 0, 1, 1, 2][dice.below(5)] {
        let header = dice.one(HEADERS);
        let frames = [
            "content-length",
            "transfer-encoding",
            "bad",
            ":",
            "x: a",
            "accept: \u{0}",
            "upgrade",
        ];
        http &= !frames.iter().any(|begin| header.starts_with(begin));
        head += header;
        head += "\r\n";
    }
    let mut bytes = head.into_bytes();
    if dice.rarely(10) {
        bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
        bytes.extend(format!("{:x}\r\n", body.len()).bytes());
        bytes.extend(&body);
        bytes.extend(if body.is_empty() {
            &b"\r\n"[..]
        } else {
            b"\r\n0\r\n\r\n"
        });
    } else {
        bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
        bytes.extend(&body);
    }
    if dice.rarely(60) {
        http = false;
        let at = dice.below(bytes.len());
        bytes[at] = dice.next() as u8;
    }
    Made { bytes, http }
}

fn asked(server: &Server, made: &Made) -> Reply {
    let mut stream = wire::connect(server);
    let _ = stream.write_all(&made.bytes);
    if !made.http {
        // What says less than it announced is over.
        let _ = stream.shutdown(Shutdown::Write);
    }
    wire::answer(&mut stream)
}

fn check(what: &str, made: &Made, reply: &Reply) {
    if !made.http && (reply.status == 0 || reply.body.is_empty()) {
        return;
    }
    assert_ne!(reply.status, 0, "{what} has no answer");
    // Without a plugin bound, and when too much is asked at once.
    let declared = reply.status < 500 || [501, 503].contains(&reply.status);
    assert!(declared, "{what}: {reply:?}");
    if reply.status >= 400 && !made.bytes.starts_with(b"HEAD") {
        reply.is_problem(what);
    }
}

#[test]
fn requests_at_random_are_answered_or_refused_and_hurt_nobody() {
    let workspace =
        Workspace::with_plugins(&["sales-stages", "buying-process", "service-rules", "webhook"]);
    let server = workspace.serve();
    let ids: Vec<String> = [
        ("account", "name"),
        ("account", "name"),
        ("contact", "last_name"),
        ("opportunity", "name"),
        ("case", "subject"),
    ]
    .iter()
    .filter_map(|(kind, field)| {
        let body = json!({"fields": {*field: "A"}});
        let made = server.post(&format!("/v1/records/{kind}"), &body);
        made.1["id"].as_str().map(str::to_owned)
    })
    .collect();
    assert!(ids.len() > 1, "{ids:?}");
    let (seed, times) = (number("KJERNE_SEED", 7_380), number("KJERNE_SOAK", 1));
    let mut statuses = BTreeMap::<u16, u64>::new();
    for number in 0..REQUESTS * times {
        let mut dice = Dice(seed.wrapping_add(number));
        let made = made(&mut dice, &ids);
        let reply = asked(&server, &made);
        let text = String::from_utf8_lossy(&made.bytes[..made.bytes.len().min(2_000)]);
        let what = format!("KJERNE_SEED={} {text:?}", seed.wrapping_add(number));
        check(&what, &made, &reply);
        *statuses.entry(reply.status).or_default() += 1;
    }
    let most = most_memory(&server);
    println!(
        "{} requests by status: {statuses:?}; most memory: {most} MB",
        REQUESTS * times
    );
    assert!(
        statuses.keys().filter(|status| **status < 300).count() > 1,
        "{statuses:?}"
    );
    assert!(most < MOST_MB, "{most} MB");
    assert_eq!(server.get("/v1/health").0, 200);
    server.kill();
    let verified = workspace.run(&["verify"]);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
}
