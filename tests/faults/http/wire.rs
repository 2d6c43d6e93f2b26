//! HTTP as bytes: requests as they stand, and what comes back for them.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kjerne_tests::{Server, Workspace, binary};
use serde_json::Value as Json;

/// An answer; status 0 when none came.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(300)]);
        write!(f, "{}: {body}", self.status)
    }
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Demands a problem document.
    pub(crate) fn is_problem(&self, what: &str) {
        let head = self.head.to_ascii_lowercase();
        assert!(
            head.contains("content-type: application/problem+json"),
            "{what}: {head}\n{self:?}"
        );
        let told: Json = serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{what}: {error}: {self:?}"));
        assert_eq!(told["status"], self.status, "{what}: {told}");
        for name in ["type", "title", "detail"] {
            let text = told[name].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "{what} has no {name}: {told}");
        }
    }
}

pub(crate) fn connect(server: &Server) -> TcpStream {
    open(server.base().trim_start_matches("http://")).unwrap()
}

fn open(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    Ok(stream)
}

/// Sends a request as it stands and reads to the end of the connection.
pub(crate) fn raw(server: &Server, request: &[u8]) -> Reply {
    let mut stream = connect(server);
    // What is refused need not be read to its end.
    let _ = stream.write_all(request);
    answer(&mut stream)
}

/// What comes until the connection ends.
pub(crate) fn answer(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let body = end.map_or_else(Vec::new, |end| bytes[end + 4..].to_vec());
    let head = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Reply {
        status: status.unwrap_or(0),
        head,
        body,
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let host = "host: localhost\r\nconnection: close\r\ncontent-type: application/json";
    format!("{method} {path} HTTP/1.1\r\n{host}\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
        .into_bytes()
}

pub(crate) fn post(headers: &str, body: &str) -> Vec<u8> {
    request("POST", "/v1/records/account", headers, body)
}

pub(crate) fn listed(words: &str) -> Vec<u8> {
    request("GET", &format!("/v1/records/account?{words}"), "", "")
}

/// Asks a server to stop, and says whether it did in time.
pub(crate) fn stopped(server: &Server, within: Duration) -> bool {
    let pid = server.pid().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.unwrap().success());
    let (begun, stat) = (Instant::now(), format!("/proc/{pid}/stat"));
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        if begun.elapsed() > within {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

/// A server begun by a shell that does something first, such as to take rights away.
pub(crate) struct Spawned {
    child: Child,
    address: String,
}

pub(crate) fn spawn(workspace: &Workspace, before: &str) -> Spawned {
    spawn_until(workspace, before, 200)
}

/// The same, until its health has this status.
pub(crate) fn spawn_until(workspace: &Workspace, before: &str, status: u16) -> Spawned {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let (binary, dir) = (binary(), workspace.dir());
    let script = format!(
        "{before}; exec {} -w {} serve --listen {address}",
        binary.display(),
        dir.display()
    );
    let child = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Spawned { child, address };
    let until = Instant::now() + Duration::from_secs(20);
    while server.get("/v1/health").status != status {
        assert!(Instant::now() < until, "the server does not answer");
        std::thread::sleep(Duration::from_millis(10));
    }
    server
}

impl Spawned {
    pub(crate) fn connect(&self) -> io::Result<TcpStream> {
        open(&self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask(&request("GET", path, "", ""))
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        self.ask(&request("POST", path, headers, body))
    }

    fn ask(&self, request: &[u8]) -> Reply {
        let asked = self.connect().and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(20)))?;
            stream.write_all(request)?;
            Ok(answer(&mut stream))
        });
        asked.unwrap_or(Reply {
            status: 0,
            head: String::new(),
            body: Vec::new(),
        })
    }
}

impl Spawned {
    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.unwrap().success());
        let _ = self.child.wait();
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
