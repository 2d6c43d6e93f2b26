//! Commits that wait for approval, and advice, from the command line and over the network.

use std::fs;

use kjerne_core::{Outcome, limits as kernel};
use kjerne_host::limits;
use kjerne_model::Code;
use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

use crate::stage::{Stage, hostile};

const SETTINGS: &str = r#"
[approval]
amount_above = "1000000 NOK"

[[pipeline]]
name = "p"
lost_reasons = ["price"]
[[pipeline.stage]]
name = "a"
[[pipeline.stage]]
name = "lost"
outcome = "lost"
"#;

/// A workspace where amounts above a million need the approval of a sales manager.
fn workspace() -> Workspace {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let file = workspace.beside("settings.toml");
    fs::write(&file, SETTINGS).unwrap();
    let file = file.display().to_string();
    let set = workspace.run(&["plugin", "settings", "sales-stages", &file]);
    assert_eq!(set.code, 0, "{}", set.err);
    workspace
}

fn token(workspace: &Workspace, name: &str) -> String {
    let made = workspace.json(&["token", "add", name]);
    format!("Bearer {}", made["token"].as_str().unwrap())
}

/// A server and those who ask it, by their tokens.
struct Desk {
    server: Server,
    ola: String,
    kari: String,
}

impl Desk {
    fn send(&self, who: &str, method: &str, path: &str, body: Option<&Json>) -> (u16, Json) {
        self.server
            .send(method, path, &[("authorization", who)], body)
    }

    fn deal(&self, amount: &str) -> (u16, Json) {
        let amount = json!({"amount": amount, "currency": "NOK"});
        let body = json!({"fields": {"name": "Deal", "amount": amount}});
        self.send(&self.ola, "POST", "/v1/records/opportunity", Some(&body))
    }

    fn decide(&self, who: &str, id: &str, what: &str) -> (u16, Json) {
        let path = format!("/v1/approvals/{id}/{what}");
        self.send(who, "POST", &path, Some(&json!({})))
    }
}

fn desk(workspace: &Workspace) -> Desk {
    let (ola, kari) = (token(workspace, "ola"), token(workspace, "kari"));
    let server = workspace.serve();
    Desk { server, ola, kari }
}

#[test]
fn over_http_a_deal_waits_until_another_person_lets_it_through() {
    let workspace = workspace();
    let desk = desk(&workspace);
    assert_eq!(desk.deal("1000000").0, 201);
    let (status, answer) = desk.deal("1000001");
    assert_eq!(status, 202, "{answer}");
    let waits = &answer["waits"];
    assert_eq!(
        waits["open"],
        json!([{"role": "sales-manager", "approvers": []}])
    );
    assert_eq!(waits["asked"][0]["code"], "large-amount");
    let id = waits["id"].as_str().unwrap();
    let (status, problem) = desk.decide(&desk.kari, id, "approve");
    assert_eq!(status, 403, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("nobody is in this role")
    );

    // Only the owner says who may.
    let body = json!({"role": "sales-manager", "actor": "user:ola"});
    assert_eq!(
        desk.send(&desk.ola, "POST", "/v1/approvers", Some(&body)).0,
        403
    );
    for who in ["user:ola", "user:kari"] {
        let _ = workspace
            .run(&["approver", "add", "sales-manager", who])
            .ok();
    }
    assert_eq!(desk.decide(&desk.ola, id, "approve").0, 403);
    let (_, list) = desk.send(&desk.kari, "GET", "/v1/approvals", None);
    assert_eq!(list["approvals"][0]["id"], id);
    let (_, shown) = desk.send(&desk.kari, "GET", &format!("/v1/approvals/{id}"), None);
    assert_eq!(shown["edits"][0]["after"]["amount"]["amount"], "1000001.00");
    assert_eq!(
        (&shown["changed_since"], &shown["actor"]),
        (&json!(false), &json!("user:ola"))
    );

    let (status, stored) = desk.decide(&desk.kari, id, "approve");
    assert_eq!(status, 200, "{stored}");
    assert_eq!(stored["became"], "stored");
    let entry = stored["entry"].as_u64().unwrap();
    let place = format!("/v1/journal?after={}", entry - 1);
    let (_, journal) = desk.send(&desk.kari, "GET", &place, None);
    let told = &journal["entries"][0];
    assert_eq!(told["actor"], "user:ola");
    assert_eq!(told["act"]["operation"], "approval.approve");
    assert_eq!(
        told["act"]["details"]["approved_by"],
        "user:kari as sales-manager"
    );
    assert_eq!(told["edits"][0]["operation"], "create");
    assert_eq!(desk.decide(&desk.kari, id, "approve").0, 404);
    assert_eq!(desk.decide(&desk.kari, id, "wave").0, 404);
    assert_eq!(workspace.run(&["verify"]).code, 0);
}

#[test]
fn over_http_what_has_changed_since_is_looked_at_anew_and_a_key_finds_what_waits() {
    let workspace = workspace();
    let _ = workspace
        .run(&["approver", "add", "sales-manager", "user:kari"])
        .ok();
    let desk = desk(&workspace);
    let (_, deal) = desk.deal("1");
    let id = deal["id"].as_str().unwrap();
    let raise = || {
        let amount = json!({"amount": "2000000", "currency": "NOK"});
        let change = json!({"update": "opportunity", "id": id, "fields": {"amount": amount}});
        let body = json!({"changes": [change], "key": "raise"});
        desk.send(&desk.ola, "POST", "/v1/commits", Some(&body))
    };
    let (status, first) = raise();
    assert_eq!(status, 202);
    let (_, again) = raise();
    let pending = first["waits"]["id"].as_str().unwrap();
    assert_eq!(again["waits"]["id"], pending);
    assert_eq!(again["waits"]["replayed"], true);
    let body = json!({"fields": {"next_step": "Call"}});
    let path = format!("/v1/records/opportunity/{id}");
    assert_eq!(desk.send(&desk.kari, "PATCH", &path, Some(&body)).0, 200);
    let (_, shown) = desk.send(&desk.kari, "GET", &format!("/v1/approvals/{pending}"), None);
    assert_eq!(shown["changed_since"], true);
    let (status, problem) = desk.decide(&desk.kari, pending, "approve");
    assert_eq!(
        (status, &problem["type"]),
        (409, &json!("urn:kjerne:problem:changed-since"))
    );
    assert_eq!(desk.decide(&desk.kari, pending, "approve").0, 200);
    let (status, done) = raise();
    assert_eq!((status, &done["replayed"]), (200, &json!(true)));
    let (_, deal) = desk.send(&desk.ola, "GET", &path, None);
    assert_eq!(deal["fields"]["amount"]["amount"], "2000000.00");
    assert_eq!(deal["fields"]["next_step"], "Call");
}

#[test]
fn from_the_command_line_what_waits_has_an_exit_code_of_its_own() {
    let workspace = workspace();
    let large = [
        "create",
        "opportunity",
        "name=Large",
        "amount=2000000 NOK",
        "--actor",
        "ola",
    ];
    let dry = workspace.run(&[&large[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 8, "{}", dry.err);
    assert!(dry.out.contains("it would wait"), "{}", dry.out);
    assert_eq!(
        workspace.json(&["approval", "list"])["approvals"],
        json!([])
    );
    let waits = workspace.run(&large);
    assert_eq!(waits.code, 8, "{}", waits.err);
    assert!(
        waits.out.contains("approver add sales-manager user:NAME"),
        "{}",
        waits.out
    );
    let add = |who: &str| workspace.run(&["approver", "add", "sales-manager", who]);
    assert_eq!(add("user:kari").code, 0);
    for (who, code) in [
        ("user:kari", 3),
        ("plugin:sales-stages", 2),
        ("kari", 2),
        ("user:", 2),
    ] {
        assert_eq!(add(who).code, code, "{who}");
    }
    assert_eq!(
        workspace
            .run(&["approver", "add", "Sales", "user:per"])
            .code,
        2
    );
    let list = workspace.json(&["approval", "list"]);
    let id = list["approvals"][0]["id"].as_str().unwrap();
    let shown = workspace.run(&["approval", "show", id]).ok().out;
    for part in [
        "Large",
        "user:kari",
        "asked for by user:ola",
        "large-amount",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let answer = |what: &str, who: &str| workspace.run(&["approval", what, id, "--actor", who]);
    assert_eq!(answer("approve", "ola").code, 3);
    assert_eq!(answer("reject", "liv").code, 3);
    assert_eq!(answer("withdraw", "kari").code, 3);
    let approved = answer("approve", "kari");
    assert_eq!(approved.code, 0, "{}", approved.err);
    assert_eq!(answer("withdraw", "ola").code, 4);
    let journal = workspace.run(&["journal", "--limit", "1"]).ok().out;
    assert!(
        journal.contains("approval.approve") && journal.contains("create"),
        "{journal}"
    );

    let again = workspace.json(&["approval", "list"]);
    assert_eq!(again["approvals"], json!([]));
    assert_eq!(workspace.run(&large).code, 8);
    let list = workspace.json(&["approval", "list"]);
    let id = list["approvals"][0]["id"].as_str().unwrap();
    let why = [
        "approval", "reject", id, "--actor", "kari", "--why", "not now",
    ];
    let rejected = workspace.run(&why).ok().out;
    assert!(rejected.contains("rejected: journal entry"), "{rejected}");
    let entry = &workspace.json(&["journal", "--limit", "1"])["entries"][0];
    assert_eq!(entry["act"]["operation"], "approval.reject");
    assert_eq!(entry["act"]["details"]["why"], "not now");
    let gone = workspace.run(&["approver", "remove", "sales-manager", "user:kari"]);
    assert_eq!(gone.code, 0);
    assert_eq!(
        workspace.json(&["approver", "list"])["approvers"],
        json!([])
    );
    assert_eq!(workspace.run(&["verify"]).code, 0);
}

#[test]
fn advice_is_told_in_the_receipt_the_journal_and_the_report_of_an_import() {
    let workspace = workspace();
    let late = [
        "create",
        "opportunity",
        "name=Late",
        "closing_date=2020-01-31",
    ];
    let told = workspace.run(&late).ok().out;
    assert!(
        told.contains("[sales-stages: closing-date-passed]"),
        "{told}"
    );
    let receipt = workspace.json(&late);
    assert_eq!(receipt["advice"][0]["field"], "closing_date");
    let journal = workspace.run(&["journal", "--limit", "1"]).ok().out;
    assert!(journal.contains("advised"), "{journal}");
    let entry = &workspace.json(&["journal", "--limit", "1"])["entries"][0];
    let verdicts = entry["verdicts"].as_array().unwrap();
    let guard = verdicts.iter().find(|one| one["role"] == "guard").unwrap();
    assert_eq!(guard["advice"][0]["code"], "closing-date-passed");
}

/// What history is not: an import whose actor no settings name.
#[test]
fn an_import_rejects_the_rows_that_would_wait_and_counts_what_is_advised() {
    let workspace = workspace();
    let file = workspace.beside("settings.toml");
    fs::write(&file, format!("history_actors = []\n{SETTINGS}")).unwrap();
    let file = file.display().to_string();
    let _ = workspace
        .run(&["plugin", "settings", "sales-stages", &file])
        .ok();
    let rows = workspace.beside("deals.csv");
    let text = "name,amount,closing_date\nA,5 NOK,2020-01-31\nB,2000000 NOK,\nC,7 NOK,2020-02-01\n";
    fs::write(&rows, text).unwrap();
    let rows = rows.display().to_string();
    let import = ["import", &rows, "--as", "opportunity"];
    for dry in [&["--dry-run"][..], &[]] {
        let ran = workspace.run(&[&import[..], dry].concat());
        assert_eq!(ran.code, 3, "{}", ran.err);
        assert!(ran.out.contains("approval of sales-manager"), "{}", ran.out);
        assert!(
            ran.out.contains("advised for 2 rows, the first in line 2"),
            "{}",
            ran.out
        );
    }
    assert_eq!(
        workspace.json(&["list", "opportunity"])["records"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        workspace.json(&["approval", "list"])["approvals"],
        json!([])
    );
}

#[test]
fn what_a_guard_says_too_much_or_in_bad_faith_lets_nothing_pass() {
    let named = [("name", "Granholt AS")];
    let stage = |behaviour: &str| Stage::new(vec![hostile(behaviour)]);
    let outcome = stage("ask-nobody").create("account", 1, &named);
    let refusal = &outcome.refusals()[0];
    assert_eq!(
        (refusal.code, refusal.reason.as_deref()),
        (Code::Guard, Some("ask"))
    );
    assert!(refusal.message.contains("no name of a role"), "{refusal}");

    let outcome = stage("ask-flood").create("account", 1, &named);
    let refusal = &outcome.refusals()[0];
    let told = format!("more than {} approvals", limits::FINDINGS.value);
    assert!(refusal.message.contains(&told), "{refusal}");

    let Outcome::Accepted(receipt) = stage("advise-flood").create("account", 1, &named) else {
        panic!("advice refuses nothing")
    };
    assert_eq!(receipt.advice.len(), limits::ADVICE.count());
    let last = &receipt.advice.last().unwrap().message;
    assert!(last.contains("one of 2000 pieces of advice"), "{last}");
    // The refusal comes last of all, and is not lost.
    let outcome = stage("advise-then-refuse").create("account", 1, &named);
    assert_eq!(outcome.refusals()[0].reason.as_deref(), Some("after-all"));
    const { assert!(kernel::PENDING_COMMIT.value < limits::OUTPUT.value) };
}
