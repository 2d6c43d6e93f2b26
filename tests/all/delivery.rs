//! Messages on their way: what receivers answer, and who is held up by whom.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use kjerne_tests::Workspace;
use serde_json::{Value as Json, json};

/// A receiver that gives every request the same answer, and tells the request when it got one; with no
/// answer it keeps everybody waiting.
fn receiver(answer: Option<&'static str>) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
            let mut request = [0; 65_536];
            let mut head = String::new();
            if let Some(answer) = answer {
                // Whatever came within a moment was the request: it is small.
                if let Ok(read @ 1..) = stream.read(&mut request) {
                    head = String::from_utf8_lossy(&request[..read]).into_owned();
                    let _ = stream.write_all(answer.as_bytes());
                }
            } else {
                kept.push(stream);
            }
            let _ = told.send(head);
        }
    });
    (address, heard)
}

/// A workspace that sends what happens to accounts to these receivers, under these names.
fn sending(to: &[(&str, &str)]) -> Workspace {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let subscription = |(name, address): &(&str, &str)| {
        format!(
            "[[subscription]]\nname = \"{name}\"\nurl = \"{address}/in\"\nkinds = [\"account\"]\nfields = [\"name\"]\n"
        )
    };
    let settings: String = to.iter().map(subscription).collect();
    let file = workspace.beside("settings.toml");
    std::fs::write(&file, settings).unwrap();
    let file = file.display().to_string();
    let _ = workspace
        .run(&["plugin", "settings", "webhook", &file])
        .ok();
    for (_, address) in to {
        let granted = format!("send:{address}");
        let _ = workspace
            .run(&["plugin", "grant", "webhook", &granted])
            .ok();
    }
    workspace
}

fn outbox(workspace: &Workspace) -> Vec<Json> {
    let outbox = workspace.json(&["plugin", "outbox"]);
    outbox["messages"].as_array().cloned().unwrap_or_default()
}

/// The one message of the outbox, once it has been tried.
fn tried(workspace: &Workspace) -> Json {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(30) {
        if let [message] = outbox(workspace).as_slice()
            && message["tries"] != 0
        {
            return message.clone();
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("no message was tried: {:?}", outbox(workspace));
}

#[test]
fn a_receiver_that_is_gone_is_not_asked_again() {
    let (address, _heard) = receiver(Some("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"));
    let workspace = sending(&[("gone", &address)]);
    let server = workspace.serve();
    assert_eq!(
        server
            .post("/v1/records/account", &json!({"fields": {"name": "A"}}))
            .0,
        201
    );
    let message = tried(&workspace);
    assert_eq!(
        (&message["gave_up"], &message["tries"]),
        (&json!(true), &json!(1))
    );
    assert!(message["error"].to_string().contains("410"), "{message}");
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let busy = "HTTP/1.1 503 Busy\r\nretry-after: 1800\r\ncontent-length: 0\r\n\r\n";
    let (address, _heard) = receiver(Some(busy));
    let workspace = sending(&[("busy", &address)]);
    let server = workspace.serve();
    assert_eq!(
        server
            .post("/v1/records/account", &json!({"fields": {"name": "A"}}))
            .0,
        201
    );
    let message = tried(&workspace);
    assert_eq!(message["gave_up"], json!(false));
    let at = |name: &str| {
        let text = message[name].as_str().unwrap();
        kjerne_model::Instant::read(text).unwrap().millis()
    };
    let waits = (at("not_before") - at("queued_at")) / 1_000;
    assert!((1_795..1_900).contains(&waits), "{waits} s: {message}");
}

#[test]
fn a_receiver_that_never_answers_holds_up_its_own_only() {
    let (slow, _slow_heard) = receiver(None);
    let (quick, quick_heard) = receiver(Some("HTTP/1.1 204 No Content\r\n\r\n"));
    let workspace = sending(&[("slow", &slow), ("quick", &quick)]);
    let server = workspace.serve();
    let many: Vec<Json> = (0..60)
        .map(|number| json!({"create": "account", "fields": {"name": format!("A{number}")}}))
        .collect();
    let (status, answer) = server.post("/v1/commits", &json!({"changes": many}));
    assert!(status < 300, "{answer}");
    let began = Instant::now();
    for number in 0..60 {
        let left = Duration::from_secs(12).saturating_sub(began.elapsed());
        assert!(
            quick_heard.recv_timeout(left).is_ok(),
            "message {number} waits"
        );
    }
}

/// Makes an account, which is sent.
fn make(server: &kjerne_tests::Server, name: &str) {
    let account = json!({"fields": {"name": name}});
    assert_eq!(server.post("/v1/records/account", &account).0, 201);
}

/// Waits until the outbox is empty.
fn emptied(workspace: &Workspace) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        if outbox(workspace).is_empty() {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}

#[test]
fn the_messages_of_a_plugin_that_is_off_wait_and_lose_no_try() {
    let (address, heard) = receiver(Some("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"));
    let workspace = sending(&[("hook", &address)]);
    let server = workspace.serve();
    make(&server, "A");
    tried(&workspace);
    let _ = workspace.run(&["plugin", "disable", "webhook"]).ok();
    let before = outbox(&workspace).remove(0);
    assert_eq!(before["plugin_off"], json!(true), "{before}");
    while heard.try_recv().is_ok() {}
    thread::sleep(Duration::from_secs(5));
    assert!(heard.try_recv().is_err(), "nothing is sent");
    assert_eq!(outbox(&workspace), [before], "no try is counted");
    let _ = workspace.run(&["plugin", "enable", "webhook"]).ok();
    assert!(heard.recv_timeout(Duration::from_secs(10)).is_ok());
}

/// What cannot be marked as delivered would be delivered again and again.
#[test]
fn nothing_is_delivered_while_no_writes_are_taken() {
    let (address, heard) = receiver(Some("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"));
    let workspace = sending(&[("hook", &address)]);
    let server = workspace.serve();
    make(&server, "A");
    tried(&workspace);
    let data = workspace.dir().join("data.redb");
    let away = workspace.beside("away.redb");
    std::fs::rename(&data, &away).unwrap();
    assert_eq!(server.get("/v1/health").0, 503);
    while heard.try_recv().is_ok() {}
    thread::sleep(Duration::from_secs(4));
    let sent = heard.try_iter().count();
    assert!(sent <= 1, "{sent} messages");
    std::fs::rename(&away, &data).unwrap();
    assert!(heard.recv_timeout(Duration::from_secs(10)).is_ok());
}

#[test]
fn a_message_says_its_place_in_the_chain_and_a_workspace_goes_on_counting() {
    let (address, heard) = receiver(Some("HTTP/1.1 204 No Content\r\n\r\n"));
    let workspace = sending(&[("hook", &address)]);
    let server = workspace.serve();
    make(&server, "A");
    let head = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("kjerne-chain: depth=0, follow-ups=64\r\n"),
        "{head}"
    );
    assert!(emptied(&workspace));
    let came = |chain: &str| {
        let account = json!({"fields": {"name": "B"}});
        let headers = [("kjerne-chain", chain)];
        server
            .send("POST", "/v1/records/account", &headers, Some(&account))
            .0
    };
    assert_eq!(came("depth=7, follow-ups=5"), 201);
    assert_eq!(came("depth=8, follow-ups=5"), 508);
    assert_eq!(came("8"), 400);
    let (_, journal) = server.get("/v1/journal?order=newest&limit=1");
    assert_eq!(
        journal["entries"][0]["cause"]["depth"],
        json!(8),
        "{journal}"
    );
    // What follows from it is counted on: 5 messages are shared by those who walk the journal.
    let head = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("kjerne-chain: depth=8, follow-ups="),
        "{head}"
    );
    assert!(!head.contains("follow-ups=64"), "{head}");
}
