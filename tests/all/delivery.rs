//! Messages on their way: what receivers answer, and who is held up by whom.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use kjerne_tests::Workspace;
use serde_json::{Value as Json, json};

/// A receiver that gives every request the same answer, and says when it got one; with no answer it
/// keeps everybody waiting.
fn receiver(answer: Option<&'static str>) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
            if let Some(answer) = answer {
                // Whatever came within a moment was the request: it is small.
                if stream.read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            } else {
                kept.push(stream);
            }
            let _ = told.send(());
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
