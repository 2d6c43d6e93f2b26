//! A disk that fails or is full, and a clock that stood wrong.

use std::collections::HashSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use kjerne_tests::Workspace;
use serde_json::json;

use super::shim::Shim;
use super::times;
use crate::http::wire::{Reply, Spawned, spawn};

/// A workspace whose commands can be put under faults.
struct Faulty {
    workspace: Workspace,
    shim: Shim,
}

impl Faulty {
    fn new() -> Self {
        let workspace = Workspace::new();
        let shim = Shim::build(workspace.beside("x").parent().unwrap());
        Self { workspace, shim }
    }

    fn serve(&self) -> Spawned {
        let log = self.log().display().to_string();
        spawn(
            &self.workspace,
            &format!("exec 2>>{log}; {}", self.shim.exports()),
        )
    }

    fn log(&self) -> std::path::PathBuf {
        self.workspace.beside("log")
    }

    /// Runs a command under the faults; its exit code and what it said.
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = self.workspace.command(args);
        command.envs(self.shim.variables());
        let ran = command.output().unwrap();
        (
            ran.status.code(),
            String::from_utf8_lossy(&ran.stderr).into_owned(),
        )
    }

    fn named(&self, name: &str) -> usize {
        let filter = format!("name eq '{name}'");
        let page = self
            .workspace
            .json(&["list", "account", "--filter", &filter]);
        page["records"].as_array().map_or(0, Vec::len)
    }
}

/// Creates an account with a long text.
fn create(server: &Spawned, name: &str) -> Reply {
    let body = json!({"fields": {"name": name, "description": "long ".repeat(6_000)}});
    server.post(
        "/v1/records/account",
        &format!("idempotency-key: {name}\r\n"),
        &body.to_string(),
    )
}

/// Waits until something is so.
fn until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(40), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn s2_a_flush_that_fails_once_is_told_and_nothing_is_done_twice() {
    for after in 0..3 {
        let faulty = Faulty::new();
        let server = faulty.serve();
        assert_eq!(create(&server, "Before").status, 201);
        faulty.shim.on("sync", after);
        let mut reply = create(&server, "During-0");
        let mut name = "During-0".to_owned();
        for number in 1..4 {
            if reply.status == 201 {
                name = format!("During-{number}");
                reply = create(&server, &name);
            }
        }
        faulty.shim.off("sync");
        assert!(reply.status >= 500, "after {after}: {reply:?}");
        let health = server.get("/v1/health");
        assert_eq!(health.status, 503, "after {after}: {health:?}");
        until("the log says nothing", || {
            fs::read_to_string(faulty.log())
                .unwrap()
                .contains("writes are refused")
        });
        assert_eq!(server.get("/v1/records/account").status, 200);
        drop(server);
        let stored = faulty.named(&name);
        if reply.text().contains("nothing was stored") {
            assert_eq!(stored, 0, "after {after}: {reply:?}");
        } else {
            assert!(reply.text().contains("unknown"), "after {after}: {reply:?}");
        }
        let again = create(&faulty.serve(), &name);
        assert_eq!(again.status, 201, "after {after}: {again:?}");
        assert_eq!(faulty.named(&name), 1, "after {after}");
    }
}

#[test]
fn s2_a_disk_that_has_room_again_is_written_to_again() {
    let faulty = Faulty::new();
    let server = faulty.serve();
    faulty.shim.on("grow", 0);
    let full = (0..200).map(|number| create(&server, &format!("Account {number}")));
    let full = full.into_iter().find(|reply| reply.status != 201);
    let full = full.expect("the file has to grow");
    assert_eq!(full.status, 507, "{full:?}");
    assert_eq!(server.get("/v1/health").status, 503);
    assert_eq!(server.get("/v1/records/account?top=1").status, 200);
    faulty.shim.off("grow");
    until("no write is taken", || {
        create(&server, "After").status == 201
    });
    assert_eq!(server.get("/v1/health").status, 200);
    drop(server);
    assert_eq!(faulty.workspace.run(&["verify"]).code, 0);
}

#[test]
fn s3_a_disk_that_takes_no_write_can_be_read() {
    for (fault, again) in [("full", true), ("write", false), ("sync", false)] {
        let faulty = Faulty::new();
        let server = faulty.serve();
        assert_eq!(create(&server, "Before").status, 201);
        // Without a goodbye, so that opening it has something to mend.
        drop(server);
        faulty.shim.on(fault, 0);
        for args in [
            &["list", "account"][..],
            &["export", "account"],
            &["journal"],
            &["verify"],
        ] {
            let (code, told) = faulty.run(args);
            assert_eq!(code, Some(0), "{fault}: {args:?}: {told}");
        }
        let (code, told) = faulty.run(&["create", "account", "name=A"]);
        assert_eq!(code, Some(7), "{fault}: {told}");
        let server = faulty.serve_reading();
        assert_eq!(server.get("/v1/records/account").status, 200, "{fault}");
        assert_eq!(create(&server, "During").status, 503, "{fault}");
        faulty.shim.off(fault);
        if again {
            until("no write is taken", || {
                create(&server, "After").status == 201
            });
        }
        drop(server);
        assert_eq!(faulty.workspace.run(&["verify"]).code, 0, "{fault}");
        assert_eq!(faulty.named("Before"), 1, "{fault}");
    }
}

impl Faulty {
    /// A server that takes no writes, which its health says.
    fn serve_reading(&self) -> Spawned {
        let log = self.log().display().to_string();
        let before = format!("exec 2>>{log}; {}", self.shim.exports());
        crate::http::wire::spawn_until(&self.workspace, &before, 503)
    }
}

/// Fails flushes, writes and room by turns while accounts are made, and demands every one that was
/// acknowledged when the disk is well again.
#[test]
fn what_was_acknowledged_outlives_a_disk_that_fails() {
    let (mut acknowledged, mut faults) = (Vec::new(), 0);
    let faulty = Faulty::new();
    for round in 0..6 * times() {
        let server = faulty.serve();
        let fault = ["sync", "write", "full", "grow"][round as usize % 4];
        faulty.shim.on(fault, round * 7 % 23);
        for number in 0..60 {
            let name = format!("R{round}-{number}");
            match create(&server, &name).status {
                201 => acknowledged.push(name),
                status => {
                    assert!(status >= 500, "{status}");
                    faults += 1;
                    break;
                }
            }
        }
        drop(server);
        faulty.shim.off(fault);
    }
    let page = faulty.workspace.run(&["export", "account"]).ok().out;
    let there: HashSet<&str> = page
        .lines()
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|name| !there.contains(name.as_str()))
        .collect();
    println!(
        "{faults} faults, {} commits acknowledged, {} lost",
        acknowledged.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert!(faults > 0);
    assert_eq!(faulty.workspace.run(&["verify"]).code, 0);
}

/// A receiver that answers each message with the next of these, and says when one came.
fn receiver(answers: &'static [&'static str]) -> (String, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut answers = answers
            .iter()
            .chain(std::iter::repeat(&answers[answers.len() - 1]));
        for mut stream in listener.incoming().flatten() {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
            if stream.read(&mut [0; 65_536]).is_ok_and(|read| read > 0) {
                let answer = answers.next().copied().unwrap_or_default();
                let _ = stream.write_all(answer.as_bytes());
                let _ = told.send(());
            }
        }
    });
    (address, heard)
}

const BUSY: &str = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const TAKEN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A workspace whose webhook tells a receiver of new accounts.
fn telling(address: &str) -> Faulty {
    let faulty = Faulty::new();
    let workspace = &faulty.workspace;
    workspace.install("webhook");
    let settings = format!(
        "[[subscription]]\nname = \"late\"\nurl = \"{address}/in\"\nkinds = [\"account\"]\nfields = [\"name\"]\n"
    );
    let file = workspace.beside("settings.toml");
    fs::write(&file, settings).unwrap();
    let file = file.display().to_string();
    let granted = format!("send:{address}");
    for args in [
        &["plugin", "settings", "webhook", &file][..],
        &["plugin", "grant", "webhook", &granted],
    ] {
        let ran = workspace.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    }
    faulty
}

#[test]
fn s2_a_message_is_not_sent_again_and_again_while_its_delivery_cannot_be_noted() {
    let (address, heard) = receiver(&[BUSY, TAKEN]);
    let faulty = telling(&address);
    let server = faulty.serve();
    assert_eq!(create(&server, "Told").status, 201);
    let wait = Duration::from_secs(40);
    assert!(heard.recv_timeout(wait).is_ok(), "it is tried at once");
    // From now on nothing can be stored, and what becomes of the next try is not known.
    faulty.shim.on("sync", 0);
    let _ = create(&server, "Lost");
    thread::sleep(Duration::from_secs(8));
    let again = heard.try_iter().count();
    assert!(again <= 2, "{again} times in eight seconds");
    drop(server);
    faulty.shim.off("sync");
    let _server = faulty.serve();
    assert!(heard.recv_timeout(wait).is_ok(), "it is not forgotten");
}

#[test]
fn s6_a_clock_that_is_put_right_leaves_nothing_waiting_for_years() {
    let (address, heard) = receiver(&[BUSY, TAKEN]);
    let faulty = telling(&address);
    faulty.shim.on("ahead", 0);
    let server = faulty.serve();
    assert_eq!(create(&server, "Early").status, 201);
    let wait = Duration::from_secs(40);
    assert!(heard.recv_timeout(wait).is_ok(), "it is tried at once");
    // Told to stop, it writes down first how the try went.
    server.stop();
    faulty.shim.off("ahead");
    let server = faulty.serve();
    assert!(
        heard.recv_timeout(wait).is_ok(),
        "it waits for the year the clock stood at"
    );
    drop(server);
}
