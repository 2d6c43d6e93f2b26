//! The data file and what can happen to it, and the program's life around it.

#[cfg(target_os = "linux")]
mod disk;
#[cfg(target_os = "linux")]
mod shim;

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use kjerne_tests::{Server, Workspace, binary};
use serde_json::{Value as Json, json};

/// Creates an account, and says how that was answered.
fn create(server: &Server, name: &str, key: &str) -> (u16, Json) {
    let body = json!({"fields": {"name": name, "external_id": name}});
    server.send(
        "POST",
        "/v1/records/account",
        &[("idempotency-key", key)],
        Some(&body),
    )
}

/// So many accounts, forty in a commit, each with a text of its own.
fn filled(workspace: &Workspace, commits: usize) {
    let server = workspace.serve();
    for commit in 0..commits {
        let one = |number: usize| {
            let name = format!("Account {commit}-{number}");
            let text = format!("What is known of {commit}-{number}. ").repeat(12);
            json!({"create": "account", "fields": {"name": name, "description": text}})
        };
        let changes: Vec<Json> = (0..40).map(one).collect();
        let (status, answer) = server.post("/v1/commits", &json!({"changes": changes}));
        assert_eq!(status, 200, "{answer}");
    }
    server.kill();
    let _ = workspace.run(&["list", "account", "--top", "1"]).ok();
}

type Act = fn(&Path, &Path);

fn removed(data: &Path, _: &Path) {
    fs::remove_file(data).unwrap();
}

fn all_removed(data: &Path, _: &Path) {
    fs::remove_dir_all(data.parent().unwrap()).unwrap();
}

fn moved(data: &Path, beside: &Path) {
    fs::rename(data, beside).unwrap();
}

fn replaced(data: &Path, beside: &Path) {
    fs::copy(data, beside).unwrap();
    fs::rename(beside, data).unwrap();
}

fn emptied(data: &Path, _: &Path) {
    fs::write(data, "").unwrap();
}

fn cut(data: &Path, _: &Path) {
    let file = fs::File::options().write(true).open(data).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
}

/// As `cp backup.redb data.redb` does.
fn laid_over(data: &Path, _: &Path) {
    let mut bytes = fs::read(data).unwrap();
    bytes.extend_from_slice(&[0; 65_536]);
    fs::write(data, bytes).unwrap();
}

#[test]
fn s1_what_is_written_to_a_file_that_is_gone_is_not_acknowledged() {
    let acts: [(&str, Act); 7] = [
        ("removed", removed),
        ("removed with its folder", all_removed),
        ("moved", moved),
        ("replaced", replaced),
        ("emptied", emptied),
        ("cut short", cut),
        ("laid over", laid_over),
    ];
    for (what, act) in acts {
        let workspace = Workspace::new();
        let server = workspace.serve();
        assert_eq!(create(&server, "One", "1").0, 201);
        act(
            &workspace.dir().join("data.redb"),
            &workspace.beside("beside.redb"),
        );
        let (status, answer) = create(&server, "Two", "2");
        assert_eq!(status, 503, "{what}: {answer}");
        let (status, health) = server.get("/v1/health");
        assert_eq!(
            (status, &health["status"]),
            (503, &json!("read-only")),
            "{what}"
        );
    }
}

#[cfg(unix)]
#[test]
fn s3_a_limit_on_files_is_an_error_and_no_sudden_end() {
    let workspace = Workspace::new();
    let made = workspace.run(&["create", "account", "name=Granholt AS"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let size = fs::metadata(workspace.dir().join("data.redb"))
        .unwrap()
        .len();
    let limited = |args: &str| {
        let (binary, dir, blocks) = (binary(), workspace.dir(), size.div_ceil(512));
        let script = format!(
            "ulimit -f {blocks}; exec {} -w {} {args}",
            binary.display(),
            dir.display()
        );
        let ran = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        (
            ran.status.code(),
            String::from_utf8_lossy(&ran.stderr).into_owned(),
        )
    };
    let note = "long ".repeat(3_000);
    let failed = (0..400)
        .map(|_| limited(&format!("create account name=A 'description={note}'")))
        .find(|(code, _)| *code != Some(0));
    let (code, told) = failed.expect("the file reaches its limit");
    assert_eq!(code, Some(7), "{told}");
    assert!(told.contains("ulimit -f"), "{told}");
    for args in ["list account --top 3", "export account"] {
        let (code, told) = limited(args);
        assert_eq!(code, Some(0), "{args}: {told}");
    }
}

#[test]
fn s5_an_export_never_writes_over_what_is_there() {
    let (workspace, other) = (Workspace::new(), Workspace::new());
    for workspace in [&workspace, &other] {
        let made = workspace.run(&["create", "account", "name=Granholt AS"]);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    let own = [
        "data.redb",
        "kinds.toml",
        "kjerne.toml",
        "secrets.toml",
        "new.csv",
    ];
    let own = own
        .iter()
        .flat_map(|name| [workspace.dir().join(name), other.dir().join(name)]);
    let mine = workspace.beside("accounts.csv");
    fs::write(&mine, "Name\nAnother system's\n").unwrap();
    for file in own.chain([mine.clone()]) {
        let before = fs::read(&file).ok();
        let ran = workspace.run(&["export", "account", "--to", &file.display().to_string()]);
        // What opening it leaves in the data file is no matter here.
        let kept = fs::read(&file)
            .ok()
            .map(|bytes| bytes.starts_with(b"redb") || Some(&bytes) == before.as_ref());
        assert_eq!(
            kept,
            before.as_ref().map(|_| true),
            "{}: {}",
            file.display(),
            ran.err
        );
        assert_eq!(ran.code, 2, "{}: {}", file.display(), ran.err);
    }
    let found = workspace.json(&["list", "account"]);
    assert_eq!(found["records"].as_array().map(Vec::len), Some(1));
}

#[test]
fn s5_rejects_are_not_written_over_somebody_elses_file() {
    let (workspace, other) = (Workspace::new(), Workspace::new());
    let (input, mine) = (
        workspace.beside("in.csv"),
        workspace.beside("customers.csv"),
    );
    fs::write(&input, "name,employees\nGranholt AS,many\n").unwrap();
    fs::write(&mine, "Name\nAnother system's\n").unwrap();
    let import = |rejects: &Path| {
        let (input, rejects) = (input.display().to_string(), rejects.display().to_string());
        workspace.run(&["import", &input, "--as", "account", "--rejects", &rejects])
    };
    for file in [
        mine,
        workspace.dir().join("kinds.toml"),
        other.dir().join("kjerne.toml"),
    ] {
        let before = fs::read(&file).unwrap();
        let ran = import(&file);
        assert_eq!(fs::read(&file).unwrap(), before, "{}", file.display());
        assert_eq!(ran.code, 2, "{}: {}", file.display(), ran.err);
    }
    let rejects = workspace.beside("rejects.csv");
    for _ in 0..2 {
        assert_eq!(import(&rejects).code, 3, "its own are written anew");
    }
}

/// Flips one bit at a time in a copy of a filled data file, and hands each to a check. Places are taken by
/// turns from the whole file and from what holds data.
fn flip(workspace: &Workspace, flips: u64, mut check: impl FnMut(usize)) {
    let file = workspace.dir().join("data.redb");
    let whole = fs::read(&file).unwrap();
    let held: Vec<usize> = (0..whole.len())
        .step_by(512)
        .filter(|at| whole[*at..].iter().take(512).any(|b| *b != 0))
        .collect();
    let mut state = 7_380_u64;
    let mut below = |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    for number in 0..flips {
        let at = if number % 2 == 0 {
            below(whole.len())
        } else {
            held[below(held.len())] + below(512)
        };
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << below(8);
        fs::write(&file, bytes).unwrap();
        check(at);
    }
    fs::write(&file, whole).unwrap();
}

fn times() -> u64 {
    let told = std::env::var("KJERNE_SOAK").ok();
    told.and_then(|times| times.parse().ok()).unwrap_or(1)
}

#[test]
fn s7_a_flipped_bit_is_told_and_never_another_value() {
    let workspace = Workspace::new();
    filled(&workspace, 4);
    let right = workspace.run(&["export", "account"]).ok().out;
    let lines: Vec<&str> = right.lines().collect();
    let mut tally = BTreeMap::<&str, u64>::new();
    flip(&workspace, 150 * times(), |at| {
        let ran = workspace.run(&["export", "account"]);
        assert!(
            ran.code == 0 || ran.code == 6,
            "byte {at}: exit {}: {}",
            ran.code,
            ran.err
        );
        let read: Vec<&str> = ran.out.lines().collect();
        let found = match ran.code {
            6 => "told",
            _ if ran.out == right => "harmless",
            // A page that led to others is damaged: what can be read is right, and verify knows.
            _ if read.iter().all(|line| lines.contains(line)) => {
                assert_eq!(workspace.run(&["verify"]).code, 6, "byte {at}");
                "rows lost, told by verify"
            }
            _ => panic!("byte {at}: other values with exit 0"),
        };
        *tally.entry(found).or_default() += 1;
    });
    println!(
        "{} bits flipped: {tally:?}; changed silently: 0",
        150 * times()
    );
    assert!(tally["told"] > 0, "{tally:?}");
}

#[test]
fn s4_a_damaged_page_is_told_without_a_panic() {
    let workspace = Workspace::new();
    filled(&workspace, 2);
    let file = workspace.dir().join("data.redb");
    let whole = fs::read(&file).unwrap();
    let held = (4_096..whole.len()).step_by(4_096);
    let held = held.filter(|page| whole[*page..*page + 8].iter().any(|byte| *byte != 0));
    let mut told = 0;
    // What kind of page it is, and how many entries it has.
    for at in held.flat_map(|page| [page, page + 2, page + 3]).take(150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(&file, bytes).unwrap();
        let ran = workspace.run(&["export", "account"]);
        assert!(!ran.err.contains("panicked"), "byte {at}: {}", ran.err);
        assert!(
            ran.code == 0 || ran.code == 6,
            "byte {at}: {}: {}",
            ran.code,
            ran.err
        );
        told += i32::from(ran.code == 6);
    }
    assert!(told > 0);
}

#[test]
fn s7_a_damaged_record_is_named_wherever_it_is_read() {
    let workspace = Workspace::new();
    let note = "A long note by which it is found again in the file.";
    let made = workspace.json(&[
        "create",
        "account",
        "name=Granholt AS",
        &format!("description={note}"),
    ]);
    let id = made["id"].as_str().unwrap();
    let file = workspace.dir().join("data.redb");
    let mut bytes = fs::read(&file).unwrap();
    let windows = bytes.windows(note.len()).enumerate();
    let places: Vec<usize> = windows
        .filter(|(_, part)| *part == note.as_bytes())
        .map(|(at, _)| at)
        .collect();
    places.iter().for_each(|at| bytes[at + 3] ^= 1);
    fs::write(&file, bytes).unwrap();
    let named = format!("account/{id}");
    let to = workspace.beside("out.csv").display().to_string();
    damaged(&workspace, &named, &to);
    let server = workspace.serve();
    damaged(&workspace, &named, &to);
    let (status, told) = server.get(&format!("/v1/records/account/{id}"));
    assert_eq!(
        (status, &told["type"]),
        (500, &json!("urn:kjerne:problem:damaged"))
    );
}

/// Demands that every command says which record is damaged, and leaves no file behind.
fn damaged(workspace: &Workspace, named: &str, to: &str) {
    let id = named.split('/').next_back().unwrap_or_default();
    for args in [
        &["get", "account", id][..],
        &["list", "account"],
        &["export", "account", "--to", to],
        &["export", "account"],
        &["set", "account", id, "name=B"],
    ] {
        let ran = workspace.run(args);
        assert_eq!(ran.code, 6, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(named), "{args:?}: {}", ran.err);
    }
    assert!(!Path::new(to).exists(), "half an export");
}

/// Has four clients make accounts until the server is killed, and says which were acknowledged.
fn killed(workspace: &Workspace, round: u64) -> Vec<String> {
    let server = workspace.serve();
    let client = |client: u64| {
        let mut acknowledged = Vec::new();
        for number in 0.. {
            let name = format!("K{round}-{client}-{number}");
            match create(&server, &name, &name).0 {
                201 => acknowledged.push(name),
                _ => break,
            }
        }
        acknowledged
    };
    std::thread::scope(|scope| {
        let client = &client;
        let clients: Vec<_> = (0..4).map(|one| scope.spawn(move || client(one))).collect();
        let moment = Duration::from_millis(40 + round * 37 % 211);
        std::thread::sleep(moment);
        let pid = server.pid().to_string();
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid])
            .status();
        assert!(killed.unwrap().success());
        let done = clients.into_iter().flat_map(|one| one.join().unwrap());
        done.collect()
    })
}

#[test]
fn what_was_acknowledged_outlives_a_server_that_is_killed() {
    let workspace = Workspace::new();
    let (kills, mut acknowledged) = (6 * times(), Vec::new());
    for round in 0..kills {
        acknowledged.extend(killed(&workspace, round));
        if round % 10 == 0 {
            let verified = workspace.run(&["verify"]);
            assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
        }
    }
    let page = workspace.run(&["export", "account"]).ok().out;
    let there: HashSet<&str> = page
        .lines()
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|name| !there.contains(name.as_str()))
        .collect();
    println!(
        "{kills} kills, {} commits acknowledged, {} lost",
        acknowledged.len(),
        lost.len()
    );
    assert!(lost.is_empty(), "{lost:?}");
    assert!(!acknowledged.is_empty());
    assert_eq!(workspace.run(&["verify"]).code, 0);
}
