//! What people do with a workspace, from the first command to the answer, through CLI and HTTP.

use kjerne_tests::Workspace;
use serde_json::{Value as Json, json};

const ALL: [&str; 4] = ["sales-stages", "buying-process", "service-rules", "webhook"];

fn created(workspace: &Workspace, kind: &str, fields: &[&str]) -> String {
    let mut args = vec!["create", kind];
    args.extend_from_slice(fields);
    workspace.json(&args)["id"].as_str().unwrap().to_owned()
}

#[test]
fn records_are_created_read_changed_and_removed_from_the_command_line() {
    let workspace = Workspace::new();
    let id = created(&workspace, "account", &["name=Fjellrev AS", "tier=A"]);
    let read = workspace.json(&["get", "account", &id]);
    assert_eq!(read["fields"]["name"], "Fjellrev AS");
    assert_eq!(read["version"], 1);

    let _ = workspace
        .run(&["set", "account", &id, "tier=B", "industry=energy"])
        .ok();
    let read = workspace.json(&["get", "account", &id]);
    assert_eq!(
        (&read["fields"]["tier"], &read["version"]),
        (&json!("B"), &json!(2))
    );

    let found = workspace.json(&["list", "account", "--filter", "tier eq 'B'"]);
    assert_eq!(
        found
            .as_array()
            .or(found["records"].as_array())
            .unwrap()
            .len(),
        1
    );

    let _ = workspace.run(&["delete", "account", &id]).ok();
    assert_eq!(workspace.run(&["get", "account", &id]).code, 4);
    let journal = workspace.json(&["journal", "--record", &format!("account/{id}")]);
    let entries = journal
        .as_array()
        .or(journal["entries"].as_array())
        .unwrap();
    assert_eq!(entries.len(), 3, "the history outlives the record");
}

#[test]
fn a_filter_that_does_not_parse_names_the_position_and_what_was_expected() {
    let workspace = Workspace::new();
    let ran = workspace.run(&["list", "account", "--filter", "name eq"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("position 7"), "{}", ran.err);
    assert!(ran.err.contains("expected"), "{}", ran.err);
}

#[test]
fn the_server_refuses_to_listen_elsewhere_without_authentication() {
    let workspace = Workspace::new();
    let ran = workspace.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("token"), "{}", ran.err);
}

/// Every fault of a request is told in one problem document.
#[test]
fn a_refusal_over_http_is_a_problem_with_all_faults() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let body = json!({"fields": {"email": "nobody", "shoe_size": 44, "employees": "many"}});
    let (status, problem) = server.post("/v1/records/account", &body);
    assert_eq!(status, 422, "{problem}");
    let text = problem.to_string();
    for part in ["name", "email", "shoe_size", "employees"] {
        assert!(text.contains(part), "{part} is not told: {text}");
    }
}

#[test]
fn etag_and_if_match_stop_a_lost_update() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let (_, made) = server.post(
        "/v1/records/account",
        &json!({"fields": {"name": "Rimfrost AB"}}),
    );
    let path = format!("/v1/records/account/{}", made["id"].as_str().unwrap());
    let change = |tier: &str| json!({"fields": {"tier": tier}});
    let with = |version: &str, tier: &str| {
        server
            .send(
                "PATCH",
                &path,
                &[("if-match", version)],
                Some(&change(tier)),
            )
            .0
    };
    assert_eq!(with("\"1\"", "A"), 200);
    assert_eq!(with("\"1\"", "B"), 412, "somebody changed it in between");
    assert_eq!(with("\"2\"", "C"), 200);
    let (status, _) = server.send("GET", &path, &[("if-none-match", "\"3\"")], None);
    assert_eq!(status, 304);
}

#[test]
fn an_idempotency_key_makes_a_repeated_request_harmless() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let post = |name: &str| {
        let body = json!({"fields": {"name": name}});
        server.send(
            "POST",
            "/v1/records/account",
            &[("idempotency-key", "once")],
            Some(&body),
        )
    };
    let (first, one) = post("Isbre AS");
    let (second, two) = post("Isbre AS");
    assert_eq!((first, one["id"].clone()), (201, two["id"].clone()));
    assert!(second == 200 || second == 201, "{second}");
    assert_eq!(
        server.get("/v1/records/account").1["records"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        post("Another name").0,
        422,
        "the key belongs to the first request"
    );
}

#[test]
fn a_list_is_paged_with_a_cursor_that_survives_changes() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    for number in 0..25 {
        let body = json!({"fields": {"name": format!("Account {number:02}")}});
        assert_eq!(server.post("/v1/records/account", &body).0, 201);
    }
    let mut names: Vec<String> = Vec::new();
    let mut cursor = String::new();
    loop {
        let (status, page) = server.get(&format!(
            "/v1/records/account?sort=name%20desc&top=10{cursor}"
        ));
        assert_eq!(status, 200, "{page}");
        for record in page["records"].as_array().unwrap() {
            names.push(record["fields"]["name"].as_str().unwrap().to_owned());
        }
        // Something new sorts before everything seen; it must not push anything twice.
        let _ = server.post("/v1/records/account", &json!({"fields": {"name": "Zzz"}}));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let seen: Vec<&String> = names
        .iter()
        .filter(|name| name.starts_with("Account"))
        .collect();
    assert_eq!(seen.len(), 25);
    assert!(seen.windows(2).all(|pair| pair[0] > pair[1]), "{seen:?}");
}

#[test]
fn a_move_that_breaks_the_rules_is_refused_in_cli_and_http() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let id = created(&workspace, "opportunity", &["name=Fleet renewal"]);
    let read = workspace.json(&["get", "opportunity", &id]);
    assert_eq!(
        read["fields"]["stage"], "prospect",
        "the first stage is set: {read}"
    );
    let ran = workspace.run(&["set", "opportunity", &id, "stage=won"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("sales-stages"), "{}", ran.err);

    let server = workspace.serve();
    let (status, problem) = server.patch(
        &format!("/v1/records/opportunity/{id}"),
        &json!({"fields": {"stage": "won"}}),
    );
    assert_eq!(status, 422);
    assert!(
        problem["refusals"]
            .as_array()
            .unwrap()
            .iter()
            .any(|r| r["plugin"] == "sales-stages")
    );
}

#[test]
fn models_are_asked_by_interface() {
    let workspace = Workspace::with_plugins(&ALL);
    let opportunity = created(&workspace, "opportunity", &["name=Route planning"]);
    let received = "received_at=2026-03-02T09:00:00Z";
    let case = created(
        &workspace,
        "case",
        &["subject=Machine stopped", "status=new", received],
    );
    let server = workspace.serve();
    let paths = [
        "/v1/models/sales-stages/pipelines".to_owned(),
        format!("/v1/records/opportunity/{opportunity}/standing"),
        format!("/v1/records/opportunity/{opportunity}/assessment"),
        format!("/v1/records/case/{case}/targets"),
        format!("/v1/records/case/{case}/triage"),
    ];
    for path in paths {
        let (status, answer) = server.get(&path);
        assert_eq!(status, 200, "{path}: {answer}");
        assert!(!answer.is_null());
    }
}

#[test]
fn the_root_says_what_this_is_and_unknown_paths_are_problems() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    let (status, root) = server.get("/");
    assert_eq!(status, 200);
    assert!(root.to_string().contains("/v1/"), "{root}");
    let (status, problem) = server.get("/v1/nothing");
    assert_eq!((status, problem["status"].clone()), (404, Json::from(404)));
}
