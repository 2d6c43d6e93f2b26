//! Storage that fails, as people meet it at the command line and over HTTP.

use std::fs;
use std::process::{Command, Stdio};

use kjerne_tests::{Workspace, binary};
use serde_json::json;

/// Flips one bit wherever the data file holds `text`; says how often that was.
fn damage(workspace: &Workspace, text: &[u8]) -> usize {
    let file = workspace.dir().join("data.redb");
    let mut bytes = fs::read(&file).unwrap();
    let windows = bytes.windows(text.len()).enumerate();
    let places: Vec<usize> = windows
        .filter(|(_, part)| *part == text)
        .map(|(at, _)| at)
        .collect();
    places.iter().for_each(|at| bytes[at + 3] ^= 1);
    fs::write(&file, bytes).unwrap();
    places.len()
}

#[test]
fn a_flipped_bit_is_damage_of_a_named_record_and_never_another_value() {
    let workspace = Workspace::new();
    let note = "A long note by which it is found again in the file.";
    let field = format!("description={note}");
    let made = workspace.json(&["create", "account", "name=Granholt AS", &field]);
    let id = made["id"].as_str().unwrap();
    assert!(damage(&workspace, note.as_bytes()) > 0);
    let out = workspace.beside("out.csv").display().to_string();
    let named = format!("record account/{id}");
    for args in [
        &["get", "account", id][..],
        &["list", "account"],
        &["export", "account", "--to", &out],
        &["verify"],
    ] {
        let ran = workspace.run(args);
        assert_eq!(ran.code, 6, "{args:?}: {}{}", ran.out, ran.err);
        let told = format!("{}{}", ran.out, ran.err);
        assert!(told.contains(&named), "{args:?}: {told}");
        assert!(!told.contains("panicked"), "{args:?}: {told}");
    }
    assert!(
        !workspace.beside("out.csv").exists(),
        "nothing is half written"
    );
}

#[test]
fn a_server_whose_data_file_is_gone_takes_no_writes_and_says_so() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let account = |name: &str| json!({ "fields": { "name": name } });
    assert_eq!(server.post("/v1/records/account", &account("One")).0, 201);
    let (status, health) = server.get("/v1/health");
    assert_eq!(
        (status, &health["status"], &health["writes"]),
        (200, &json!("ok"), &json!(true))
    );
    let data = workspace.dir().join("data.redb");
    let away = workspace.beside("away.redb");
    fs::rename(&data, &away).unwrap();
    let (status, problem) = server.post("/v1/records/account", &account("Two"));
    assert_eq!(status, 503, "{problem}");
    let told = problem["detail"].as_str().unwrap();
    assert!(told.contains("moved or removed"), "{told}");
    let (status, health) = server.get("/v1/health");
    assert_eq!((status, &health["status"]), (503, &json!("read-only")));
    let (_, page) = server.get("/v1/records/account");
    assert_eq!(page["records"].as_array().map(Vec::len), Some(1), "{page}");
    fs::rename(&away, &data).unwrap();
    assert_eq!(server.post("/v1/records/account", &account("Two")).0, 201);
}

#[test]
fn an_export_never_writes_over_the_workspace_nor_unasked_over_a_file() {
    let workspace = Workspace::new();
    let _ = workspace
        .run(&["create", "account", "name=Granholt AS"])
        .ok();
    for name in [
        "data.redb",
        "kinds.toml",
        "kjerne.toml",
        "secrets.toml",
        "new.csv",
    ] {
        let file = workspace.dir().join(name).display().to_string();
        let before = fs::read(&file).ok();
        for more in [&[][..], &["--force"]] {
            let args = [&["export", "account", "--to", &file][..], more].concat();
            let ran = workspace.run(&args);
            assert_eq!(ran.code, 2, "{name}: {}{}", ran.out, ran.err);
            assert!(ran.err.contains("lies in the workspace"), "{}", ran.err);
        }
        assert_eq!(fs::read(&file).ok(), before, "{name}");
    }
    let file = workspace.beside("out.csv");
    let to = file.display().to_string();
    let _ = workspace.run(&["export", "account", "--to", &to]).ok();
    let whole = fs::read(&file).unwrap();
    let again = workspace.run(&["export", "account", "--to", &to]);
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("--force"), "{}", again.err);
    // One that fails on the way leaves what was there.
    let wrong = workspace.run(&["export", "nothing", "--to", &to, "--force"]);
    assert_eq!(wrong.code, 4, "{}", wrong.err);
    assert_eq!(fs::read(&file).unwrap(), whole);
    let _ = workspace
        .run(&["export", "account", "--to", &to, "--force"])
        .ok();
    assert_eq!(fs::read(&file).unwrap(), whole);
    let rejects = workspace.dir().join("data.redb").display().to_string();
    let ran = workspace.run(&["import", &to, "--as", "account", "--rejects", &rejects]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn a_field_that_becomes_indexed_or_unique_finds_the_records_that_are_there() {
    let workspace = Workspace::new();
    let kinds = |marks: &str| {
        let text = format!(
            "[[extend]]\nkind = \"account\"\n[[extend.field]]\nname = \"code\"\ntype = \"text\"\n{marks}\n"
        );
        fs::write(workspace.dir().join("kinds.toml"), text).unwrap();
    };
    let found = |code: &str| {
        let filter = format!("code eq '{code}'");
        let page = workspace.json(&["list", "account", "--filter", &filter]);
        page["records"].as_array().map(Vec::len)
    };
    kinds("");
    let create =
        |code: &str| workspace.run(&["create", "account", "name=A", &format!("code={code}")]);
    let first = create("X").ok();
    assert!(first.err.is_empty(), "{}", first.err);
    let _ = create("X").ok();
    kinds("indexed = true");
    let told = workspace.run(&["list", "account"]).ok().err;
    assert!(told.contains("made anew for account.code"), "{told}");
    assert_eq!(found("X"), Some(2));
    kinds("unique = true");
    let refused = workspace.run(&["list", "account"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert!(
        refused.err.contains("account.code is to be unique"),
        "{}",
        refused.err
    );
    kinds("");
    assert_eq!(found("X"), Some(2));
    let page = workspace.json(&["list", "account"]);
    let id = page["records"][0]["id"].as_str().unwrap().to_owned();
    let _ = workspace.run(&["set", "account", &id, "code=Y"]).ok();
    kinds("unique = true");
    assert_eq!((found("X"), found("Y")), (Some(1), Some(1)));
    assert_eq!(create("Y").code, 3, "a duplicate is refused from now on");
    let _ = workspace.run(&["verify"]).ok();
}

/// A process may be allowed files of a certain size only; the system's own answer to a larger one is to
/// end it without a word.
#[cfg(unix)]
#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_reading_goes_on() {
    let workspace = Workspace::new();
    let _ = workspace
        .run(&["create", "account", "name=Granholt AS"])
        .ok();
    let size = fs::metadata(workspace.dir().join("data.redb"))
        .unwrap()
        .len();
    let limited = |args: &str| {
        let blocks = size.div_ceil(512);
        let script = format!(
            "ulimit -f {blocks}; exec {} -w {} {args}",
            binary().display(),
            workspace.dir().display()
        );
        let ran = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::null())
            .output();
        let ran = ran.unwrap();
        (
            ran.status.code(),
            String::from_utf8_lossy(&ran.stderr).into_owned(),
        )
    };
    let note = "long ".repeat(3_000);
    let told = (0..400)
        .map(|_| limited(&format!("create account name=A 'description={note}'")))
        .find(|(code, _)| *code != Some(0))
        .expect("the file reaches its limit");
    assert_eq!(told.0, Some(7), "{}", told.1);
    assert!(told.1.contains("ulimit -f"), "{}", told.1);
    let listed = limited("list account --top 3");
    assert_eq!(listed.0, Some(0), "{}", listed.1);
    let _ = workspace.run(&["verify"]).ok();
}
