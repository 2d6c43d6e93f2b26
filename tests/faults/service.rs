//! The service clock and its opening hours, what comes in from devices, and what receivers of messages answer.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

use crate::plugins::{defaults, fields, make, set, until};

/// Imports cases that wait for their customer since a Friday afternoon, each with its priority, and
/// answers with their ids by these priorities.
fn waiting(workspace: &Workspace, priorities: &[&str]) -> Vec<String> {
    let head = "external_id,subject,status,received_at,paused_since,priority\n";
    let times = "2026-01-09T13:30:00Z,2026-01-09T14:00:00Z";
    let row = |priority: &&str| format!("{priority},Pump,waiting_customer,{times},{priority}\n");
    let rows: String = priorities.iter().map(row).collect();
    let file = workspace.beside("cases.csv");
    std::fs::write(&file, format!("{head}{rows}")).unwrap();
    let file = file.display().to_string();
    let _ = workspace.run(&["import", &file, "--as", "case"]).ok();
    let id = |priority: &&str| {
        let filter = format!("external_id eq '{priority}'");
        let found = workspace.json(&["list", "case", "--filter", &filter]);
        found["records"][0]["id"].as_str().unwrap().to_owned()
    };
    priorities.iter().map(id).collect()
}

fn update(server: &Server, cases: &[&String], fields: &Json) {
    let one = |id: &&String| json!({"update": "case", "id": id, "fields": fields});
    let changes: Vec<Json> = cases.iter().map(one).collect();
    let (status, answer) = server.post("/v1/commits", &json!({"changes": changes}));
    assert_eq!(status, 200, "{answer}");
}

/// A pause in office hours is other minutes by a clock that never stands.
#[test]
fn p1_a_case_that_becomes_urgent_after_a_pause_is_due_as_if_it_had_always_been() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let cases = waiting(&workspace, &["normal", "urgent", "low"]);
    let [changed, urgent, low] = cases.as_slice() else {
        panic!("{cases:?}")
    };
    let server = workspace.serve();
    update(&server, &[changed, urgent, low], &json!({"status": "open"}));
    let due = |id: &String| {
        let case = server.get(&format!("/v1/records/case/{id}")).1;
        let names = ["resolution_due", "first_response_due", "paused_minutes"];
        names.map(|name| case["fields"][name].clone())
    };
    for (priority, like) in [("urgent", urgent), ("low", low), ("urgent", urgent)] {
        update(&server, &[changed], &json!({"priority": priority}));
        assert_eq!(due(changed), due(like), "{priority}");
    }
}

#[test]
fn p1_the_same_holds_when_it_is_changed_while_it_waits_again() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let cases = waiting(&workspace, &["high", "urgent"]);
    let server = workspace.serve();
    let both = [&cases[0], &cases[1]];
    update(&server, &both, &json!({"status": "open"}));
    update(&server, &both, &json!({"status": "waiting_customer"}));
    update(&server, &both[..1], &json!({"priority": "urgent"}));
    update(&server, &both, &json!({"status": "open"}));
    let due = |id: &String| {
        let case = server.get(&format!("/v1/records/case/{id}")).1;
        case["fields"]["resolution_due"].clone()
    };
    assert_eq!(due(&cases[0]), due(&cases[1]));
}

/// Each row: the hours of a calendar, and the day that is named twice in them.
#[test]
fn p4_a_weekday_that_is_named_twice_is_a_fault() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let own = "hours = { monday-friday = [\"08:00-16:00\"] }";
    for (hours, day) in [
        (
            "friday = [\"08:00-12:00\"], monday-friday = [\"08:00-16:00\"]",
            "friday",
        ),
        (
            "monday-friday = [\"08:00-16:00\"], friday = [\"08:00-12:00\"]",
            "friday",
        ),
        (
            "monday-wednesday = [\"08:00-16:00\"], tuesday-friday = [\"08:00-16:00\"]",
            "tuesday",
        ),
    ] {
        let settings = defaults("service-rules", &[(own, &format!("hours = {{ {hours} }}"))]);
        let (code, told) = set(&workspace, "service-rules", &settings);
        assert_eq!(code, 2, "{hours}: {told}");
        assert!(told.contains(&format!("{day} is named twice")), "{told}");
    }
}

/// Placeholders for "never" are common in files of other systems.
#[test]
fn p6_a_date_nobody_can_reckon_with_is_refused_and_breaks_nothing() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let case = make(&workspace, &["case", "subject=Pump", "status=new"]);
    for (name, date) in [
        ("resolution_due", "9999-12-31T00:00:00Z"),
        ("resolution_due", "0001-01-01T00:00:00Z"),
        ("received_at", "9999-12-31T00:00:00Z"),
        ("paused_since", "0001-01-01T00:00:00Z"),
        ("pauses", "0001-01-01T00:00:00Z/9999-12-31T00:00:00Z"),
    ] {
        let field = format!("{name}={date}");
        let ran = workspace.run(&["set", "case", &case, &field]);
        assert_eq!(ran.code, 3, "{field}: {}", ran.out);
        assert!(
            ran.err.contains("50 years from now"),
            "{field}: {}",
            ran.err
        );
    }
    let _ = workspace
        .run(&["set", "case", &case, "priority=urgent"])
        .ok();
}

#[test]
fn p12_of_the_steps_a_late_case_has_passed_only_the_last_tells_people() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let server = workspace.serve();
    let late = json!({"fields": {
        "subject": "Pump", "status": "new", "received_at": "2026-01-05T08:00:00Z",
    }});
    let (status, case) = server.post("/v1/records/case", &late);
    assert_eq!(status, 201, "{case}");
    let path = format!("/v1/records/case/{}", case["id"].as_str().unwrap());
    until("the last step is done", || {
        server.get(&path).1["fields"]["escalation_level"] == 4
    });
    let tasks = server.get("/v1/records/task?top=200").1;
    let tasks = tasks["records"].as_array().unwrap();
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    let said = tasks[0]["fields"]["description"].as_str().unwrap();
    assert!(
        said.contains("first-response-overdue"),
        "what it overtook: {said}"
    );
}

/// A receiver that gives every request this answer.
fn receiver(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
            if stream.read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    address
}

/// The message to a receiver, once it has been tried.
fn tried(answer: &'static str) -> Json {
    let address = receiver(answer);
    let workspace = Workspace::with_plugins(&["webhook"]);
    let text = format!(
        "[[subscription]]\nname = \"erp\"\nurl = \"{address}/in\"\nkinds = [\"account\"]\nfields = [\"name\"]\n"
    );
    assert_eq!(set(&workspace, "webhook", &text).0, 0);
    let granted = format!("send:{address}");
    let _ = workspace
        .run(&["plugin", "grant", "webhook", &granted])
        .ok();
    let _ = make(&workspace, &["account", "name=Granholt AS"]);
    let mut message = Json::Null;
    until("it is tried", || {
        // An earlier build shows nothing beside a server: it is looked at when the server is gone.
        let server = workspace.serve();
        thread::sleep(Duration::from_millis(500));
        server.kill();
        message = workspace.json(&["plugin", "outbox"])["messages"][0].clone();
        message["tries"].as_u64().is_some_and(|tries| tries > 0)
    });
    message
}

#[test]
fn p14_a_receiver_that_is_gone_is_given_up_at_once() {
    let message = tried("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(message["gave_up"], json!(true), "{message}");
}

#[test]
fn p14_a_receiver_that_asks_for_time_gets_it() {
    for answer in [
        "HTTP/1.1 503 Busy\r\nretry-after: 1800\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 429 Too Many\r\nRetry-After: 1800\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 500 Oh\r\nRetry-After: 1800\r\ncontent-length: 0\r\n\r\n",
    ] {
        let message = tried(answer);
        let minute = |name: &str| {
            let text = message[name].as_str().unwrap();
            let (hour, minute) = (&text[11..13], &text[14..16]);
            hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
        };
        let waits = (minute("not_before") + 1_440 - minute("queued_at")) % 1_440;
        assert!((29..40).contains(&waits), "{waits} minutes: {message}");
    }
}

/// A calendar in Oslo with these hours every day, and what is promised in it.
fn calendar(hours: &str, promised: &str) -> String {
    format!(
        "default_calendar = \"desk\"\n[[target]]\nresolution = \"{promised}\"\n[calendars.desk]\ntime_zone = \"Europe/Oslo\"\nhours = {{ monday-sunday = [{hours}] }}\n"
    )
}

/// Each row: hours, the promise, when it was received and when it is due. In 2026 the clock in Oslo is
/// put forward on 29 March and back on 25 October.
#[test]
fn c1_hours_with_borders_in_the_hour_that_is_skipped_or_lived_twice_are_reckoned_right() {
    let workspace = Workspace::with_plugins(&["service-rules"]);
    let march = "2026-03-28T23:00:00Z";
    let october = "2026-10-24T23:00:00Z";
    for (hours, promised, received, due) in [
        (
            "\"00:00-02:30\", \"03:00-24:00\"",
            "22h",
            march,
            "2026-03-29T21:00:00Z",
        ),
        ("\"02:45-03:15\"", "15m", march, "2026-03-29T01:15:00Z"),
        ("\"02:15-02:45\"", "15m", march, "2026-03-30T00:30:00Z"),
        ("\"01:30-02:30\"", "31m", march, "2026-03-29T23:31:00Z"),
        ("\"02:15-02:45\"", "60m", october, "2026-10-25T01:45:00Z"),
        ("\"02:30-04:00\"", "120m", october, "2026-10-25T03:00:00Z"),
        (
            "\"00:00-24:00\"",
            "25h",
            "2026-10-24T22:00:00Z",
            "2026-10-25T23:00:00Z",
        ),
    ] {
        let (code, told) = set(&workspace, "service-rules", &calendar(hours, promised));
        assert_eq!(code, 0, "{hours}: {told}");
        let received = format!("received_at={received}");
        let case = make(
            &workspace,
            &["case", "subject=Pump", "status=new", &received],
        );
        assert_eq!(
            fields(&workspace, "case", &case)["resolution_due"],
            due,
            "{hours} {promised}"
        );
    }
}

/// Each row: the time a device says, and what it is; none where it is none.
#[test]
fn c2_a_time_that_is_none_is_refused() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let server = workspace.serve();
    for (time, read) in [
        (json!("20260721"), None),
        (json!("177244200"), None),
        (json!("0000000001"), None),
        (json!("2026-07-21T10:00:00+99:99"), None),
        (json!("2026-07-21T10:00:00+24:00"), None),
        (json!({"at": "2026-07-21T10:00:00Z"}), None),
        (
            json!("2026-07-21T10:00:00+02:00"),
            Some("2026-07-21T08:00:00Z"),
        ),
        (json!(1_772_442_000), Some("2026-03-02T09:00:00Z")),
        (json!("1772442000000"), Some("2026-03-02T09:00:00Z")),
    ] {
        let alarm = json!({"severity": "alarm", "title": time.to_string(), "time": time});
        let (status, answer) = server.post("/v1/integrations/webhook/device", &alarm);
        assert_eq!(status == 200, read.is_some(), "{time}: {answer}");
        if let Some(read) = read {
            let page = server
                .get("/v1/records/case?top=1&sort=created_at%20desc")
                .1;
            assert_eq!(page["records"][0]["fields"]["received_at"], read, "{time}");
        }
    }
}

#[test]
fn c2_a_secret_is_taken_without_prefix_and_without_padding() {
    let workspace = Workspace::new();
    let (padded, bare) = (
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    );
    let code = |secret: &str| {
        // The name of the command differs between builds, and not what it is about.
        let forms: [&[&str]; 2] = [
            &["secret", "set", "erp", "--stdin"],
            &["secret", "erp", "--stdin"],
        ];
        let codes = forms.map(|args| {
            let mut command = workspace.command(args);
            let mut child = command
                .stdin(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let _ = child.stdin.take().unwrap().write_all(secret.as_bytes());
            child.wait().unwrap().code()
        });
        codes.contains(&Some(0))
    };
    assert!(code(&format!("whsec_{padded}")), "the whole form");
    assert!(code(padded), "without the prefix");
    assert!(code(&format!("whsec_{bare}")), "without padding");
    assert!(code(bare), "without both");
    assert!(!code("AAAA"), "too short");
}
