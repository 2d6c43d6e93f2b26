//! Plugins and their administration: settings, grants, the service clock, webhooks.

use std::fs;
use std::time::{Duration, Instant};

use kjerne_tests::{Server, Workspace, plugin, root};
use serde_json::{Value as Json, json};

/// The settings a built-in plugin comes with, with some texts in place of others.
pub fn defaults(id: &str, changes: &[(&str, &str)]) -> String {
    let path = root().join("plugins").join(id).join("settings.toml");
    let mut text = fs::read_to_string(path).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{id} has no {from}");
        text = text.replacen(from, to, 1);
    }
    text
}

/// Sets a plugin's settings; answers with the exit code and what was complained of.
pub fn set(workspace: &Workspace, id: &str, text: &str) -> (i32, String) {
    let file = workspace.beside("settings.toml");
    fs::write(&file, text).unwrap();
    let ran = workspace.run(&["plugin", "settings", id, &file.display().to_string()]);
    (ran.code, ran.err)
}

/// Makes a record and answers with its id.
pub fn make(workspace: &Workspace, args: &[&str]) -> String {
    let made = workspace.json(&[&["create"], args].concat());
    made["id"].as_str().unwrap().to_owned()
}

/// The fields of a record.
pub fn fields(workspace: &Workspace, kind: &str, id: &str) -> Json {
    workspace.json(&["get", kind, id])["fields"].clone()
}

/// How many records of a kind there are.
fn count(server: &Server, kind: &str) -> usize {
    let page = server.get(&format!("/v1/records/{kind}?top=200")).1;
    page["records"].as_array().map_or(0, Vec::len)
}

/// Waits, within a generous time, until something is so.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < Duration::from_secs(60), "not so: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Hands a message over to the webhook plugin; answers with the status, and how many records it made.
fn hand_over(server: &Server, source: &str, message: &Json) -> (u16, Json) {
    let (status, answer) = server.post(&format!("/v1/integrations/webhook/{source}"), message);
    (status, answer["created"].clone())
}

#[test]
fn p2_two_rules_of_one_source_may_number_their_messages_alike() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let server = workspace.serve();
    let lead = json!({"submission_id": "17", "name": "Kari", "email": "kari@example.com"});
    let support = json!({"form": "support", "submission_id": "17", "subject": "Pump"});
    assert_eq!(hand_over(&server, "form", &support), (200, json!(1)));
    assert_eq!(hand_over(&server, "form", &lead), (200, json!(1)));
    assert_eq!((count(&server, "case"), count(&server, "lead")), (1, 1));
    assert_eq!(hand_over(&server, "form", &lead), (200, json!(0)), "again");
}

#[test]
fn p2_a_name_that_was_used_for_another_message_is_refused() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let server = workspace.serve();
    let lead =
        |name: &str| json!({"submission_id": "17", "name": name, "email": "kari@example.com"});
    assert_eq!(hand_over(&server, "form", &lead("Kari")).0, 200);
    assert_eq!(hand_over(&server, "form", &lead("Ola")).0, 400);
    assert_eq!(count(&server, "lead"), 1);
}

#[test]
fn p2_what_cannot_name_a_message_is_refused_and_not_passed_over() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let server = workspace.serve();
    for id in [json!([1]), json!({"n": 1}), json!(1.5), json!(true)] {
        let alarm = json!({"event_id": id, "severity": "alarm", "title": "Pump"});
        assert_eq!(hand_over(&server, "device", &alarm).0, 400, "{alarm}");
    }
    assert_eq!(count(&server, "case"), 0);
}

#[test]
fn p3_each_message_of_a_list_is_taken_once() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let server = workspace.serve();
    let alarm = |id: &str| json!({"event_id": id, "severity": "alarm", "title": "Pump"});
    let list = json!([alarm("a"), alarm("b")]);
    assert_eq!(hand_over(&server, "device", &list), (200, json!(2)));
    assert_eq!(hand_over(&server, "device", &list), (200, json!(0)));
    let longer = json!([alarm("b"), alarm("c"), alarm("c")]);
    assert_eq!(hand_over(&server, "device", &longer), (200, json!(1)));
    assert_eq!(count(&server, "case"), 3);
    let other = json!([alarm("d"), ["no", "message"]]);
    assert_eq!(hand_over(&server, "device", &other).0, 400);
    assert_eq!(count(&server, "case"), 3, "a list is taken whole");
}

#[test]
fn p5_an_activity_is_noted_on_its_opportunity() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let deal = make(&workspace, &["opportunity", "name=Fleet"]);
    let about = format!("about=opportunity/{deal}");
    let call = ["activity", "subject=Call", "channel=call"];
    let _ = make(
        &workspace,
        &[&call[..], &["at=2026-03-01T09:00:00Z", &about]].concat(),
    );
    let noted = || fields(&workspace, "opportunity", &deal)["last_activity_at"].clone();
    assert_eq!(noted(), "2026-03-01T09:00:00Z");
    let direct = format!("opportunity={deal}");
    let _ = make(
        &workspace,
        &[&call[..], &["at=2026-04-01T09:00:00Z", &direct]].concat(),
    );
    let _ = make(
        &workspace,
        &[&call[..], &["at=2026-02-01T09:00:00Z", &direct]].concat(),
    );
    assert_eq!(noted(), "2026-04-01T09:00:00Z", "the latest");
}

/// Each row: a plugin and what is put in place of what in its settings.
#[test]
fn p6_settings_with_a_fault_are_refused_when_they_are_set_and_those_before_stay() {
    let ids = ["sales-stages", "buying-process", "service-rules", "webhook"];
    let workspace = Workspace::with_plugins(&ids);
    let pairs = [
        ("sales-stages", "probability = 5\n", "probability = 500\n"),
        (
            "sales-stages",
            "required = [\"account\"]",
            "required = [\"acount\"]",
        ),
        ("service-rules", "Europe/Oslo", "Europe/Olso"),
        (
            "service-rules",
            "priority = \"low\"",
            "priority = \"lowest\"",
        ),
        (
            "service-rules",
            "calendar = \"always\"",
            "calendar = \"allways\"",
        ),
        ("service-rules", "\"2024-01-01\"", "\"2024-02-30\""),
        ("service-rules", "80% of resolution", "80% of resolutions"),
        ("webhook", "mode = \"change\"", "mode = \"changes\""),
        ("webhook", "as = \"lookup\"", "as = \"look-up\""),
        ("buying-process", "[influence]", "colour = 1\n[influence]"),
    ];
    for (id, from, to) in pairs {
        let before = workspace.run(&["plugin", "settings", id]).ok().out;
        let (code, told) = set(&workspace, id, &defaults(id, &[(from, to)]));
        assert_eq!(code, 2, "{id} {to}: {told}");
        let after = workspace.run(&["plugin", "settings", id]).ok().out;
        assert_eq!(before, after, "{id} {to}");
    }
}

/// Each row: what a subscription or rule says beside its name. A name that nothing has would be waited
/// for in silence.
#[test]
fn p6_names_that_nothing_has_and_addresses_that_are_none_are_refused() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let out = "[[subscription]]\nname = 'a'\nurl = 'https://erp.example.com/in'\n";
    let into = "[[inbound]]\nname = 'a'\nsource = 'form'\nkind = 'lead'\n";
    let subscription = |more: &str| format!("{out}{more}\n");
    let rule = |more: &str| format!("{into}{more}\n");
    let rows = [
        subscription("kinds = ['acount']"),
        subscription("kinds = ['account']\nfields = ['nam']"),
        subscription("kinds = ['account']\nchanged = ['nam']"),
        subscription("kinds = ['account']\nwhen = { nam = 'x' }"),
        subscription("operations = []"),
        subscription("exclude_actors = ['kari']"),
        subscription("headers = { 'bad name' = 'x' }"),
        out.replace("erp.example.com/in", ""),
        out.replace("erp.example.com", "erp.example.com:99999"),
        into.replace("lead", "leed"),
        into.replace("form", "forms"),
        rule("now = ['nosuch']"),
        rule("[inbound.fields]\nnme = '/n'"),
        rule(
            "[inbound.fields]\ncampaign = { from = '/c', as = 'lookup', kind = 'campaign', by = 'nam' }",
        ),
        into.repeat(2),
    ];
    for text in rows {
        let (code, told) = set(&workspace, "webhook", &text);
        assert_eq!(code, 2, "{text}: {told}");
    }
    let good = subscription("kinds = ['account', 'case']\nchanged = ['subject']");
    assert_eq!(
        set(&workspace, "webhook", &good),
        (0, String::new()),
        "one has it"
    );
}

#[test]
fn p7_a_plugin_is_not_switched_on_with_a_part_of_what_it_needs_to_see() {
    let workspace = Workspace::new();
    let file = plugin("sales-stages").display().to_string();
    let _ = workspace
        .run(&["plugin", "install", "--unsigned", &file])
        .ok();
    let grant = |item: &str| {
        let _ = workspace
            .run(&["plugin", "grant", "sales-stages", item])
            .ok();
    };
    let _ = workspace
        .run(&["plugin", "grant", "sales-stages", "--all-declared"])
        .ok();
    let _ = workspace
        .run(&["plugin", "revoke", "sales-stages", "read:opportunity"])
        .ok();
    grant("read:opportunity.stage");
    let ran = workspace.run(&["plugin", "enable", "sales-stages"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("read:opportunity"), "{}", ran.err);
    grant("read:opportunity");
    let _ = workspace.run(&["plugin", "enable", "sales-stages"]).ok();
}

/// It would take what it may not see for empty: ask for what is filled in, or let pass what is not.
#[test]
fn p7_a_plugin_that_loses_what_it_needs_to_see_is_not_asked_and_the_grant_is_named() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let account = make(&workspace, &["account", "name=Granholt AS"]);
    let account = format!("account={account}");
    let deal = make(&workspace, &["opportunity", "name=Fleet", &account]);
    let _ = workspace
        .run(&["plugin", "revoke", "sales-stages", "read:opportunity"])
        .ok();
    for field in ["stage", "pipeline"] {
        let item = format!("read:opportunity.{field}");
        let _ = workspace
            .run(&["plugin", "grant", "sales-stages", &item])
            .ok();
    }
    let moved = || workspace.run(&["set", "opportunity", &deal, "stage=qualify"]);
    let refused = moved();
    assert_eq!(refused.code, 3, "{}", refused.out);
    assert!(
        refused.err.contains("needs read:opportunity"),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("fill it in"), "{}", refused.err);
    let asked = workspace.run(&["ask", "standing", &deal]);
    assert!(
        asked.err.contains("needs read:opportunity"),
        "{}",
        asked.err
    );
    let _ = workspace
        .run(&["plugin", "grant", "sales-stages", "read:opportunity"])
        .ok();
    let _ = moved().ok();
}

/// Nobody listens where it is sent, so that what was queued stands in the outbox.
#[test]
fn p7_an_event_about_what_may_not_be_read_waits_for_the_grant() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let subscription = "[[subscription]]\nname = \"erp\"\nurl = \"http://127.0.0.1:9/in\"\nkinds = [\"account\"]\n";
    let (code, err) = set(&workspace, "webhook", subscription);
    assert_eq!(code, 0, "{err}");
    for args in [
        ["plugin", "grant", "webhook", "send:http://127.0.0.1:9"],
        ["plugin", "revoke", "webhook", "read:account"],
    ] {
        let _ = workspace.run(&args).ok();
    }
    let server = workspace.serve();
    let body = json!({"fields": {"name": "Example AS"}});
    assert_eq!(server.post("/v1/records/account", &body).0, 201);
    let queued = || workspace.json(&["plugin", "outbox"]).to_string();
    std::thread::sleep(Duration::from_secs(2));
    assert!(!queued().contains("127.0.0.1:9/in"), "{}", queued());
    let _ = workspace
        .run(&["plugin", "grant", "webhook", "read:account"])
        .ok();
    until("it is told", || queued().contains("127.0.0.1:9/in"));
}

#[test]
fn p8_a_plugin_without_what_it_sets_is_not_switched_on() {
    let workspace = Workspace::new();
    let file = plugin("sales-stages").display().to_string();
    let _ = workspace
        .run(&["plugin", "install", "--unsigned", &file])
        .ok();
    let _ = workspace
        .run(&["plugin", "grant", "sales-stages", "--all-declared"])
        .ok();
    for field in ["pipeline", "stage", "stage_since"] {
        let item = format!("set:opportunity.{field}");
        let _ = workspace
            .run(&["plugin", "revoke", "sales-stages", &item])
            .ok();
    }
    let ran = workspace.run(&["plugin", "enable", "sales-stages"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("set:opportunity.pipeline"), "{}", ran.err);
}

/// Two plugins that answer each other until the kernel stops them: each has an entry it gave up on.
fn with_parked() -> Workspace {
    let workspace = Workspace::with_plugins(&["hostile", "hostile-echo"]);
    assert_eq!(set(&workspace, "hostile", "behaviour = \"storm\"\n").0, 0);
    let _ = make(&workspace, &["task", "subject=Call back", "status=open"]);
    workspace
}

#[test]
fn p9_what_a_plugin_gave_up_on_is_told_counted_and_can_be_tried_again_or_forgotten() {
    let workspace = with_parked();
    let server = workspace.serve();
    let health = server.get("/v1/health");
    assert_eq!((health.0, &health.1["status"]), (200, &json!("attention")));
    let costs = workspace.json(&["plugin", "cost"]);
    let costs = costs["costs"].as_array().cloned().unwrap_or_default();
    let faults = costs.iter().map(|row| row["faults"].as_u64().unwrap());
    assert!(faults.sum::<u64>() >= 2, "{costs:?}");
    let parked = workspace.json(&["plugin", "parked"])["parked"].clone();
    let row = |place: usize| {
        let (id, entry) = (&parked[place]["plugin"], &parked[place]["entry"]);
        (id.as_str().unwrap().to_owned(), entry.to_string())
    };
    let ((one, entry), (two, other)) = (row(0), row(1));
    let logged = workspace.run(&["plugin", "logs", &one]).ok().out;
    assert!(logged.contains("is parked"), "{logged}");
    let again = workspace.run(&["plugin", "retry", &one, &entry]);
    assert_eq!(again.code, 3, "it fails as before: {}", again.err);
    let _ = workspace.run(&["plugin", "skip", &one, &entry]).ok();
    let _ = workspace.run(&["plugin", "skip", &two, &other]).ok();
    assert_eq!(server.get("/v1/health").1["status"], "ok");
}

#[test]
fn p10_grants_are_shown_and_given_by_what_they_are_about() {
    let workspace = Workspace::new();
    let file = plugin("service-rules").display().to_string();
    let _ = workspace
        .run(&["plugin", "install", "--unsigned", &file])
        .ok();
    let told = workspace
        .run(&["plugin", "inspect", "service-rules"])
        .ok()
        .out;
    let lines = |about: &str| {
        let about = |line: &&str| line.contains(about);
        told.lines().filter(about).collect::<Vec<_>>()
    };
    // Of the many items about a case there is one line, and not one each.
    assert!(lines("case").len() < 6, "{told}");
    assert!(
        lines("user")
            .iter()
            .any(|line| line.contains("Personal data")),
        "{told}"
    );
    let args = ["plugin", "grant", "service-rules", "--group", "account"];
    let granted = workspace.run(&args).ok().out;
    assert!(granted.contains("read:account.tier"), "{granted}");
    assert!(
        !granted.lines().next().unwrap().contains("read:user"),
        "{granted}"
    );
}

#[test]
fn p11_a_person_has_each_role_once_in_an_opportunity() {
    let workspace = Workspace::with_plugins(&["buying-process"]);
    let deal = format!(
        "opportunity={}",
        make(&workspace, &["opportunity", "name=Fleet"])
    );
    let kari = format!(
        "contact={}",
        make(&workspace, &["contact", "name=Kari Granholt"])
    );
    let _ = make(&workspace, &["stakeholder", &deal, &kari, "role=user"]);
    let again = workspace.run(&["create", "stakeholder", &deal, &kari, "role=user"]);
    assert_eq!(again.code, 3, "{}", again.out);
    let other = make(&workspace, &["stakeholder", &deal, &kari, "role=champion"]);
    let same = workspace.run(&["set", "stakeholder", &other, "role=user"]);
    assert_eq!(same.code, 3, "{}", same.out);
    let _ = make(&workspace, &["stakeholder", &deal, "role=user"]);
}

/// A plugin's file with another grant in its manifest, of as many letters so that the file stays whole.
fn with_grant(workspace: &Workspace, from: &str, to: &str) -> String {
    assert_eq!(from.len(), to.len());
    let mut file = fs::read(plugin("hostile-echo")).unwrap();
    let at = file
        .windows(from.len())
        .position(|part| part == from.as_bytes());
    let at = at.expect("the manifest declares it");
    file[at..at + from.len()].copy_from_slice(to.as_bytes());
    let changed = workspace.beside("changed.wasm");
    fs::write(&changed, file).unwrap();
    changed.display().to_string()
}

#[test]
fn p11_a_manifest_that_names_what_is_not_there_is_told_at_installation() {
    for (to, named) in [
        ("read:casee.subjec", "there is no kind casee"),
        ("read:task.subjecd", "task has no field subjecd"),
    ] {
        let workspace = Workspace::new();
        let file = with_grant(&workspace, "read:task.subject", to);
        let ran = workspace
            .run(&["plugin", "install", "--unsigned", &file])
            .ok();
        assert!(ran.out.contains(named), "{to}: {}", ran.out);
    }
}

#[test]
fn p11_what_is_not_there_cannot_be_granted() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    for item in ["read:account.nosuch", "read:opportunity.amont"] {
        let ran = workspace.run(&["plugin", "grant", "webhook", item]);
        assert_eq!(ran.code, 3, "{item}: {}", ran.out);
    }
}

/// The webhook plugin comes without a subscription that is switched on.
#[test]
fn p13_a_plugin_is_not_run_for_what_no_setting_asks_for() {
    let workspace = Workspace::with_plugins(&["webhook"]);
    let calls = || {
        let costs = workspace.json(&["plugin", "cost"]);
        let rows = costs["costs"].as_array().cloned().unwrap_or_default();
        let of = rows
            .iter()
            .filter(|row| row["plugin"] == "webhook" && row["role"] == "integration");
        of.map(|row| row["calls"].as_u64().unwrap()).sum::<u64>()
    };
    let before = calls();
    for name in ["name=A", "name=B", "name=C"] {
        let _ = make(&workspace, &["account", name]);
    }
    assert_eq!(calls(), before);
}
