//! What the tests of the whole system share: the built `kjerne` binary, workspaces that vanish with
//! the test, and a server on a free port.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

/// The project's top folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

/// The binary under test: the one `KJERNE_BINARY` names, or the one beside the test's own. Naming an
/// earlier build, with its plugins in `KJERNE_PLUGINS`, shows which tests it fails.
///
/// # Panics
/// When it has not been built; `cargo verify` builds it first.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("KJERNE_BINARY") {
        return named.into();
    }
    let own = std::env::current_exe().unwrap_or_default();
    let found = own
        .ancestors()
        .map(|dir| dir.join("kjerne"))
        .find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "no kjerne binary beside {}; run `cargo build` first",
            own.display()
        )
    })
}

/// The folder of built plugins: the one `KJERNE_PLUGINS` names, beside the binary under test, or where
/// the project builds to.
fn plugins_folder() -> PathBuf {
    if let Some(named) = std::env::var_os("KJERNE_PLUGINS") {
        return named.into();
    }
    let own = std::env::current_exe().unwrap_or_default();
    let beside = own.ancestors().map(|dir| dir.join("plugins"));
    let here = |dir: &PathBuf| {
        let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
        items
            .map(|item| item.path())
            .any(|path| path.extension().is_some_and(|end| end == "wasm"))
    };
    beside
        .into_iter()
        .find(here)
        .unwrap_or_else(|| root().join("target/plugins"))
}

/// A built plugin, by its id: the newest version that was built.
///
/// # Panics
/// When it has not been built; `cargo verify` builds them first.
#[must_use]
pub fn plugin(id: &str) -> PathBuf {
    let folder = plugins_folder();
    let mut found: Vec<PathBuf> = std::fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|item| item.path())
        .filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.strip_prefix(id)
                .is_some_and(|rest| rest.starts_with("-0"))
                && name.ends_with(".wasm")
        })
        .collect();
    found.sort();
    found
        .pop()
        .unwrap_or_else(|| panic!("no {id} in {}; run `cargo xtask plugins`", folder.display()))
}

/// What a command did.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub err: String,
}

impl Ran {
    fn new(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its output, read as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}\nout: {}\nerr: {}", self.out, self.err))
    }

    /// Demands that it went well.
    ///
    /// # Panics
    /// When it did not.
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "out: {}\nerr: {}", self.out, self.err);
        self
    }
}

/// A workspace of one test.
pub struct Workspace {
    folder: tempfile::TempDir,
    below: String,
}

impl Workspace {
    /// A new, empty workspace.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self::in_folder("")
    }

    /// A new workspace in a folder below the test's own, such as `deep/down`.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn in_folder(below: &str) -> Self {
        #[expect(clippy::expect_used, reason = "a test without a folder cannot go on")]
        let folder = tempfile::tempdir().expect("a folder for the test");
        let below = below.to_owned();
        let workspace = Self { folder, below };
        let _ = workspace.run(&["init"]).ok();
        workspace
    }

    /// With these built-in plugins installed, granted what they declare, and enabled.
    #[must_use]
    pub fn with_plugins(ids: &[&str]) -> Self {
        let workspace = Self::new();
        for id in ids {
            workspace.install(id);
        }
        workspace
    }

    /// Installs one plugin, grants it everything it declares, and enables it.
    ///
    /// # Panics
    /// When one of that fails.
    pub fn install(&self, id: &str) {
        let file = plugin(id).display().to_string();
        let _ = self.run(&["plugin", "install", "--unsigned", &file]).ok();
        let _ = self.run(&["plugin", "grant", id, "--all-declared"]).ok();
        let _ = self.run(&["plugin", "enable", id]).ok();
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join(&self.below).join("ws")
    }

    /// A path in the test's folder, beside the workspace.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `kjerne -w WORKSPACE ARGS`.
    ///
    /// # Panics
    /// When the binary cannot be started.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> Ran {
        #[expect(clippy::expect_used, reason = "a test without the binary cannot go on")]
        let output = self.command(args).output().expect("kjerne starts");
        Ran::new(&output)
    }

    /// The same with `--output json`, read as JSON; it must go well.
    #[must_use]
    pub fn json(&self, args: &[&str]) -> Json {
        let mut all = vec!["--output", "json"];
        all.extend_from_slice(args);
        self.run(&all).ok().json()
    }

    /// The command, not yet started.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .arg("-w")
            .arg(self.dir())
            .args(args)
            .stdin(Stdio::null());
        command.env_remove("KJERNE_WORKSPACE");
        command
    }

    /// Starts a server on a free port and waits until it answers.
    ///
    /// # Panics
    /// When it does not answer within twenty seconds.
    #[must_use]
    pub fn serve(&self) -> Server {
        self.serve_on("127.0.0.1")
    }

    /// The same on another address; it is asked on loopback.
    ///
    /// # Panics
    /// When it does not answer within twenty seconds.
    #[must_use]
    pub fn serve_on(&self, address: &str) -> Server {
        let port = free_port();
        let listen = format!("{address}:{port}");
        #[expect(clippy::expect_used, reason = "a test without the server cannot go on")]
        let child = self
            .command(&["serve", "--listen", &listen])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("kjerne serve starts");
        let server = Server {
            child,
            base: format!("http://127.0.0.1:{port}"),
        };
        let until = Instant::now() + Duration::from_secs(20);
        while server.get("/v1/health").0 != 200 {
            assert!(Instant::now() < until, "the server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .unwrap_or_default()
}

/// A running server; it is killed when the test lets go of it.
pub struct Server {
    child: Child,
    base: String,
}

impl Server {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// GET: the status (0 when nothing answered) and the JSON body.
    #[must_use]
    pub fn get(&self, path: &str) -> (u16, Json) {
        self.send("GET", path, &[], None)
    }

    /// POST of a JSON body.
    #[must_use]
    pub fn post(&self, path: &str, body: &Json) -> (u16, Json) {
        self.send("POST", path, &[], Some(body))
    }

    /// PATCH of a JSON body.
    #[must_use]
    pub fn patch(&self, path: &str, body: &Json) -> (u16, Json) {
        self.send("PATCH", path, &[], Some(body))
    }

    /// Any request with headers.
    #[must_use]
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Json>,
    ) -> (u16, Json) {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(body.to_string())
                .ok()
                .and_then(|request| agent.run(request).ok()),
            None => request
                .body(())
                .ok()
                .and_then(|request| agent.run(request).ok()),
        };
        let Some(mut answer) = answer else {
            return (0, Json::Null);
        };
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (
            answer.status().as_u16(),
            serde_json::from_str(&text).unwrap_or(Json::String(text)),
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
