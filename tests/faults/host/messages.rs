//! What a plugin has the server send: chains of answers, more and more, and to who does not answer.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use kjerne_tests::{Server, Workspace};
use serde_json::json;

use super::settings;

/// A receiver that takes every message, or keeps everybody waiting, and says when one came.
fn receiver(answers: bool) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut kept: Vec<TcpStream> = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
            if answers {
                if stream.read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {
                    let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
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

/// A workspace whose greedy plugin sends so many messages for a task, and so many for each answer.
fn sending(address: &str, first: usize, then: usize) -> Workspace {
    let workspace = Workspace::with_plugins(&["hostile-greedy"]);
    let text = format!("url = \"{address}/in\"\nfirst = \"{first}\"\nthen = \"{then}\"\n");
    settings(&workspace, "hostile-greedy", &text);
    let grant = format!("send:{address}");
    let _ = workspace
        .run(&["plugin", "grant", "hostile-greedy", &grant])
        .ok();
    workspace
}

fn task(server: &Server) {
    let body = json!({"fields": {"subject": "Call back", "status": "open"}});
    let (status, answer) = server.post("/v1/records/task", &body);
    assert_eq!(status, 201, "{answer}");
}

/// How many messages came before none came for some seconds, or before there were too many.
fn heard(from: &Receiver<()>, too_many: usize) -> usize {
    let mut count = 0;
    while count < too_many && from.recv_timeout(Duration::from_secs(4)).is_ok() {
        count += 1;
    }
    count
}

/// The messages waiting to be delivered.
fn waiting(workspace: &Workspace) -> usize {
    let outbox = workspace.json(&["plugin", "outbox"]);
    outbox["messages"].as_array().map_or(0, Vec::len)
}

#[test]
fn h5_a_plugin_that_answers_its_answers_comes_to_an_end_and_it_is_told() {
    let (address, from) = receiver(true);
    let workspace = sending(&address, 1, 1);
    let server = workspace.serve();
    task(&server);
    let count = heard(&from, 300);
    assert!((2..=64).contains(&count), "{count} messages and no end");
    drop(server);
    let outbox = workspace.json(&["plugin", "outbox"]);
    let mut left = outbox["messages"].as_array().unwrap().iter();
    let ended =
        left.any(|row| row["gave_up"] == true && row["error"].to_string().contains("chain"));
    assert!(ended, "{outbox}");
}

#[test]
fn h7_a_plugin_that_multiplies_its_messages_has_a_limit_of_rows() {
    let (address, from) = receiver(true);
    let workspace = sending(&address, 1, 500);
    let server = workspace.serve();
    task(&server);
    let count = heard(&from, 1_500);
    assert!(count <= 64, "{count} messages and no end");
    drop(server);
    let left = waiting(&workspace);
    assert!(left <= 64, "{left} messages wait");
}

#[test]
fn h7_what_waits_for_a_silent_receiver_has_a_limit_of_rows() {
    const EACH: usize = 1_500;
    let (address, _from) = receiver(false);
    let workspace = sending(&address, EACH, 0);
    let server = workspace.serve();
    for _ in 0..12 {
        task(&server);
        // Whoever takes all has time to take it; nothing is demanded of the time.
        thread::sleep(Duration::from_millis(700));
    }
    drop(server);
    let waiting = waiting(&workspace);
    assert!(waiting > EACH, "it was asked for {waiting}");
    assert!(waiting <= 10_000 + EACH, "{waiting} messages wait");
}

#[test]
fn h8_a_silent_receiver_of_one_plugin_holds_up_no_other() {
    let (silent, _from) = receiver(false);
    let (quick, from) = receiver(true);
    let workspace = sending(&silent, 200, 0);
    workspace.install("webhook");
    let text = format!(
        "[[subscription]]\nname = \"quick\"\nurl = \"{quick}/in\"\nkinds = [\"task\"]\nfields = [\"subject\"]\n"
    );
    settings(&workspace, "webhook", &text);
    let grant = format!("send:{quick}");
    let _ = workspace.run(&["plugin", "grant", "webhook", &grant]).ok();
    let server = workspace.serve();
    task(&server);
    let waits = from.recv_timeout(Duration::from_secs(30));
    assert!(waits.is_ok(), "the other plugin's one message waits");
    // Later ones have to find the places taken.
    task(&server);
    let waits = from.recv_timeout(Duration::from_secs(30));
    assert!(waits.is_ok(), "the other plugin's second message waits");
}
