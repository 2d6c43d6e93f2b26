//! What plugins cost and may use, as an administrator sees it and sets it.

use kjerne_tests::Workspace;
use serde_json::{Value as Json, json};

use crate::hostile::workspace_with;

fn rows(answer: &Json) -> Vec<Json> {
    answer["costs"].as_array().unwrap().clone()
}

#[test]
fn the_ledger_is_told_by_what_is_asked_for_and_comes_to_the_same() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let create = ["create", "opportunity", "name=Fleet renewal"];
    let made = workspace.json(&[&create[..], &["--costs"]].concat());
    let costs = made["costs"].as_array().unwrap();
    assert!(!costs.is_empty(), "{made}");
    for cost in costs {
        assert_eq!(
            (&cost["plugin"], &cost["calls"]),
            (&json!("sales-stages"), &json!(1))
        );
        assert!(cost["fuel"].as_u64().unwrap() > 0 && cost["micros"].is_u64());
    }
    let shown = workspace
        .run(&[&create[..], &["--costs"]].concat())
        .ok()
        .out;
    assert!(
        shown.contains("plugin sales-stages cost as guard: fuel "),
        "{shown}"
    );
    let without = workspace.json(&create);
    assert_eq!(without["costs"], Json::Null);

    let by = |by: &str| rows(&workspace.json(&["plugin", "cost", "--by", by]));
    let sum = |rows: &[Json], name: &str| -> u64 {
        rows.iter().map(|row| row[name].as_u64().unwrap()).sum()
    };
    let days = by("day");
    for what in ["role", "kind", "version"] {
        let rows = by(what);
        for name in ["calls", "fuel", "micros", "rows", "host_calls", "faults"] {
            assert_eq!(sum(&rows, name), sum(&days, name), "{what} {name}");
        }
        assert!(
            rows.iter().all(|row| row["runtime"].is_string()),
            "{rows:?}"
        );
    }
    assert!(by("kind").iter().any(|row| row["kind"] == "opportunity"));
    let p99 = days
        .iter()
        .all(|row| row["micros_p50"].as_u64() <= row["micros_p99"].as_u64());
    assert!(p99, "{days:?}");
    assert_eq!(
        rows(&workspace.json(&["plugin", "cost", "--since", "2999-01-01"])),
        [] as [Json; 0]
    );
    let wrong = workspace.run(&["plugin", "cost", "--since", "yesterday"]);
    assert!(
        wrong.code != 0 && wrong.err.contains("since"),
        "{}",
        wrong.err
    );
}

#[test]
fn what_plugins_cost_now_is_told_of_the_server() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let server = workspace.serve();
    let body = json!({ "fields": { "name": "Fleet renewal" } });
    assert_eq!(server.post("/v1/records/opportunity", &body).0, 201);
    let now = workspace.json(&["plugin", "top", "--once"]);
    assert_eq!(now["seconds"], 60);
    let guards = rows(&now).into_iter().filter(|row| row["role"] == "guard");
    assert_eq!(
        guards
            .map(|row| row["calls"].as_u64().unwrap())
            .sum::<u64>(),
        1
    );
    assert_eq!(
        rows(&workspace.json(&["plugin", "top", "nobody", "--once"])),
        [] as [Json; 0]
    );
}

/// Set beside a running server, a limit holds for the next call; taken back it is the usual one.
#[test]
fn a_limit_that_is_set_holds_from_the_next_call_on() {
    let workspace = workspace_with("none");
    let server = workspace.serve();
    let create = || {
        server.post(
            "/v1/records/account",
            &json!({ "fields": { "name": "Granholt AS" } }),
        )
    };
    assert_eq!(create().0, 201);
    let set = |text: &str| workspace.run(&["plugin", "limits", "hostile", "--set", text]);
    let shown = workspace.json(&["plugin", "limits", "hostile"]);
    let of = |shown: &Json, name: &str| {
        let mut all = shown["limits"].as_array().unwrap().iter();
        all.find(|row| row["name"] == name).cloned().unwrap()
    };
    let usual = of(&shown, "fuel.guard");
    assert_eq!(
        (&usual["holds"], &usual["set"]),
        (&usual["usual"], &Json::Null)
    );
    let _ = set("fuel.guard=1000").ok();
    let shown = workspace.json(&["plugin", "limits", "hostile"]);
    assert_eq!(of(&shown, "fuel.guard")["holds"], 1_000);
    let beyond = set("fuel.guard=999999999999");
    assert!(
        beyond.code != 0 && beyond.err.contains("own bound"),
        "{}",
        beyond.err
    );
    let _ = set("fuel.guard=usual").ok();
    assert_eq!(create().0, 201);
    let acts = workspace.json(&["journal"]).to_string();
    assert!(
        acts.contains("plugin.limits") && acts.contains("fuel.guard"),
        "{acts}"
    );
}

/// A shape or guard that breaks in a row is set aside, which everybody is told, and asked again when it is resumed.
#[test]
fn promise_7_a_plugin_that_breaks_in_a_row_is_set_aside_until_it_is_resumed() {
    let workspace = workspace_with("panic-on-name");
    let server = workspace.serve();
    let create = |name: &str| {
        server.post(
            "/v1/records/account",
            &json!({ "fields": { "name": name } }),
        )
    };
    let told = |name: &str| create(name).1["refusals"][0]["reason"].clone();
    // Those of one millisecond count once.
    let broken = (0..99).take_while(|_| told("trap") != "set-aside").count();
    assert!((5..99).contains(&broken), "{broken}");
    assert_eq!(told("Granholt AS"), "set-aside");
    let health = server.get("/v1/health").1;
    assert_eq!(
        (&health["status"], &health["set_aside"]),
        (&json!("attention"), &json!(1))
    );
    let list = workspace.run(&["plugin", "list"]).ok().out;
    assert!(list.contains("set aside until"), "{list}");
    let _ = workspace.run(&["plugin", "resume", "hostile"]).ok();
    assert_eq!(create("Granholt AS").0, 201);
}
