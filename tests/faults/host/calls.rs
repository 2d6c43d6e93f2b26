//! What one call of a plugin takes: by one call to the host or by thousands, and what it says.

use std::thread;
use std::time::Duration;

use kjerne_tests::Workspace;
use serde_json::json;

use super::{accounts, behave, greedy, limit_passed, peak_memory};

/// What a plugin took in a role, of one column of its costs.
fn cost(workspace: &Workspace, role: &str, of: &str) -> u64 {
    let costs = workspace.json(&["plugin", "cost"]);
    let rows = costs["costs"].as_array().unwrap().iter();
    rows.filter(|row| row["role"] == role)
        .filter_map(|row| row[of].as_u64())
        .sum()
}

#[test]
fn h1_a_query_built_up_of_thousands_of_conditions_is_refused_at_a_limit() {
    let workspace = greedy("filters");
    let server = workspace.serve();
    let (limit, _) = limit_passed(&server);
    assert!(limit.starts_with("query-"), "{limit}");
}

#[test]
fn h2_what_a_guest_makes_the_host_keep_is_metered() {
    for behaviour in ["kinds", "texts"] {
        let workspace = greedy(behaviour);
        let server = workspace.serve();
        let (limit, _) = limit_passed(&server);
        assert!(
            ["kept", "query-text"].contains(&limit.as_str()),
            "{behaviour}: {limit}"
        );
        let peak = peak_memory(&server);
        assert!(peak < 300, "{behaviour}: {peak} MiB");
    }
}

#[test]
fn h3_questions_end_at_the_rows_they_look_at() {
    let workspace = greedy("none");
    let server = workspace.serve();
    for _ in 0..4 {
        let (status, answer) = accounts(&server, 500);
        assert!(status < 300, "{answer}");
    }
    drop(server);
    behave(&workspace, "rows");
    let server = workspace.serve();
    assert_eq!(limit_passed(&server).0, "rows");
}

#[test]
fn h6_a_limit_has_one_name_and_one_number() {
    let workspace = Workspace::with_plugins(&["hostile-greedy"]);
    let limits = workspace.json(&["limits"]);
    let listed = |name: &str| {
        let mut all = limits.as_array().unwrap().iter();
        all.find(|limit| limit["name"] == name)
            .and_then(|limit| limit["value"].as_u64())
    };
    for behaviour in ["hand-over", "kinds", "texts", "filters"] {
        behave(&workspace, behaviour);
        let server = workspace.serve();
        let (name, told) = limit_passed(&server);
        let Some(number) = listed(&name) else {
            panic!("{behaviour}: {name:?} is in no list: {told}")
        };
        assert!(
            told.contains(&number.to_string()),
            "{behaviour}: {name} is {number}, and not {told}"
        );
    }
}

#[test]
fn h9_calls_that_take_long_leave_room_for_the_commits_of_others() {
    let workspace = greedy("none");
    workspace.install("hostile");
    let server = workspace.serve();
    thread::scope(|scope| {
        for _ in 0..48 {
            scope.spawn(|| server.post("/v1/actions/hostile-greedy/misbehave", &json!({})));
        }
        thread::sleep(Duration::from_secs(1));
        for round in 0..3 {
            let body =
                json!({"fields": {"name": "Kari Demo", "email": format!("k{round}@example.com")}});
            let (status, answer) = server.post("/v1/records/contact", &body);
            assert_eq!(status, 201, "beside long calls, round {round}: {answer}");
        }
    });
}

/// Whether a text acts on a screen, or turns what stands beside it.
fn acts(text: &str) -> bool {
    let turns = |sign| matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let control = |sign: char| sign.is_control() && sign != '\n';
    text.chars().any(|sign| control(sign) || turns(sign))
}

#[test]
fn h10_what_a_guard_says_reaches_no_screen_as_it_is() {
    let workspace = greedy("show");
    let ran = workspace.run(&["create", "account", "name=Granholt AS"]);
    assert_eq!(ran.code, 3, "the objection is not lost: {}", ran.err);
    assert!(!acts(&ran.err), "{:?}", ran.err);
    let server = workspace.serve();
    let (status, answer) = accounts(&server, 1);
    assert_eq!(status, 422, "{answer}");
    let refusal = &answer["refusals"][0];
    let said = ["message", "reason", "code", "field"].map(|name| refusal[name].to_string());
    assert!(
        said.iter().all(|text| !acts(&refusal_text(text))),
        "{said:?}"
    );
}

/// A text out of its JSON, where a control character is written as an escape.
fn refusal_text(written: &str) -> String {
    serde_json::from_str(written).unwrap_or_default()
}

#[test]
fn h10_a_sentence_of_megabytes_is_cut() {
    let workspace = greedy("show-much");
    let server = workspace.serve();
    let (status, answer) = accounts(&server, 1);
    assert_eq!(status, 422);
    let length = answer.to_string().len();
    assert!(length < 10_000, "an answer of {length} bytes");
    assert_eq!(answer["refusals"][0]["reason"], "much", "it is not lost");
}

#[test]
fn h13_a_call_that_works_and_stumbles_is_booked_with_what_it_used() {
    let workspace = greedy("stumble");
    let ran = workspace.run(&["create", "account", "name=Granholt AS"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let fuel = cost(&workspace, "guard", "fuel");
    assert!(fuel >= 1_000_000, "a million turns, booked as {fuel} fuel");
}

/// What taking the fields of one change over costs a guest in JavaScript, and a little judging.
#[test]
fn h14_a_commit_of_a_hundred_fits_a_guard_in_any_language() {
    let workspace = greedy("judge");
    let server = workspace.serve();
    let (status, answer) = accounts(&server, 100);
    assert!(status < 300, "{status}: {answer}");
    let fuel = cost(&workspace, "guard", "fuel");
    assert!(fuel > 100 * 300_000, "it was no light guard: {fuel}");
}

#[test]
fn h14_an_import_is_not_split_by_what_a_guard_costs() {
    let workspace = greedy("judge");
    let rows: String = (0..300).map(|row| format!("Svaberg {row} AS\n")).collect();
    let file = workspace.beside("accounts.csv");
    std::fs::write(&file, format!("name\n{rows}")).unwrap();
    let map = workspace.beside("accounts.toml");
    std::fs::write(&map, "kind = \"account\"\n[fields]\nname = \"name\"\n").unwrap();
    let (file, map) = (file.display().to_string(), map.display().to_string());
    let _ = workspace
        .run(&["import", "--as", "account", &file, "--map", &map])
        .ok();
    assert_eq!(cost(&workspace, "guard", "faults"), 0);
    assert_eq!(cost(&workspace, "guard", "calls"), 1, "one batch, one call");
}
