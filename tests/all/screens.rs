//! What plugins show people: reports, panels and scores that do not fit are told with plugin, role and what is
//! wrong; and what others ask for is not lost by it.

use std::sync::Arc;

use kjerne_core::{Call, Role};
use kjerne_host::{AskError, Asked, limits};
use kjerne_model::{Actor, Name, Reference, Value};
use kjerne_tests::Workspace;
use serde_json::{Value as Json, json};

use crate::stage::{Stage, at, built, host, installed, record};

const ID: &str = "hostile-screens";

/// The plugin that does this, in the real host.
fn stage(host: &Arc<kjerne_host::Host>, behaviour: &str) -> Stage {
    let settings = format!("behaviour = \"{behaviour}\"");
    Stage::on(Arc::clone(host), vec![installed(&built(ID), &settings, 1)])
}

fn call(stage: &Stage) -> Call {
    Call {
        now: at(0),
        actor: Actor::User("kari".to_owned()),
        depth: 0,
        reader: Arc::new(stage.kernel.reader().unwrap()),
    }
}

fn account(number: u64) -> Reference {
    Reference::new(Name::new("account").unwrap(), record(number))
}

fn ask_report(
    stage: &Stage,
    after: Option<&str>,
) -> Result<kjerne_core::screens::ReportPage, AskError> {
    let asked = Asked {
        report: "sums",
        arguments: &vec![("region".to_owned(), None)],
        after,
    };
    stage.host.report_page(ID, &call(stage), asked)
}

/// The limit and the sentence of a fault, which names the plugin and the role and stands in the ledger.
fn fault<T: std::fmt::Debug>(
    stage: &Stage,
    role: Role,
    answer: Result<T, AskError>,
) -> (String, String) {
    let Err(AskError::Fault(fault)) = answer else {
        panic!("no fault: {answer:?}")
    };
    for part in [ID, role.name()] {
        assert!(fault.message.contains(part), "{part}: {}", fault.message);
    }
    let costs = stage.host.ledger();
    let faults: u64 = costs
        .iter()
        .filter(|cost| cost.role == role)
        .map(|cost| cost.spent.faults)
        .sum();
    assert_eq!(
        faults,
        1,
        "the ledger of {}: {}",
        role.name(),
        fault.message
    );
    (fault.limit, fault.message)
}

#[test]
fn promise_7_a_report_that_does_not_fit_is_told_and_its_page_not_shown() {
    let host = host(true);
    let fuel = limits::FUEL_QUESTION.value.to_string();
    for (behaviour, limit, told) in [
        (
            "short-row",
            "bad-output",
            "row 2 of report sums has 1 cells, for 2 columns",
        ),
        ("long-row", "bad-output", "has 3 cells, for 2 columns"),
        (
            "wrong-cell",
            "bad-output",
            "has text in the column count, which holds integer",
        ),
        ("no-value", "bad-output", "area"),
        ("many-rows", "report-rows", "1000 rows"),
        ("long-rows", "report-bytes", "1048576 bytes"),
        ("huge", "handover", ""),
        ("long-cursor", "report-cursor", "512 bytes"),
        ("loop", "fuel-question", &fuel),
        ("panic", "panic", "as the settings say"),
    ] {
        let stage = stage(&host, behaviour);
        let answer = ask_report(&stage, None);
        let (found, message) = fault(&stage, Role::Report, answer);
        assert_eq!(found, limit, "{behaviour}: {message}");
        assert!(message.contains(told), "{behaviour}: {message}");
    }
    let stays = stage(&host, "same-cursor");
    assert!(ask_report(&stays, None).is_ok());
    let (_, message) = fault(&stays, Role::Report, ask_report(&stays, Some("here")));
    assert!(message.contains("begins where this one began"), "{message}");
}

#[test]
fn promise_7_a_card_that_does_not_fit_is_told_and_not_shown() {
    let host = host(true);
    let fuel = limits::FUEL_PANEL.value.to_string();
    for (behaviour, limit, told) in [
        ("many-items", "card-items", "500 items"),
        ("long-text", "card-bytes", "131072 bytes"),
        ("huge", "handover", ""),
        (
            "wrong-cell",
            "bad-output",
            "has text in the column a, which holds integer",
        ),
        ("short-row", "bad-output", "0 cells, for 1 columns"),
        ("unknown-type", "bad-output", "\"area\""),
        ("wrong-point", "bad-output", "which is no number"),
        (
            "undeclared",
            "bad-output",
            "the action \"unknown\", which the manifest does not have",
        ),
        ("unknown-argument", "bad-output", "no such parameter"),
        (
            "wrong-argument",
            "bad-output",
            "a reference to contact; it holds reference:account",
        ),
        ("loop", "fuel-panel", &fuel),
    ] {
        let stage = stage(&host, behaviour);
        let card = stage
            .host
            .card(ID, &call(&stage), "beside", Some(&account(1)));
        let (found, message) = fault(&stage, Role::Panel, card);
        assert_eq!(found, limit, "{behaviour}: {message}");
        assert!(message.contains(told), "{behaviour}: {message}");
    }
    for (behaviour, figures) in [
        ("most-items", Some(500)),
        ("none", Some(1)),
        ("nothing", None),
    ] {
        let stage = stage(&host, behaviour);
        let card = stage
            .host
            .card(ID, &call(&stage), "beside", Some(&account(1)));
        assert_eq!(
            card.unwrap().map(|card| card.figures.len()),
            figures,
            "{behaviour}"
        );
    }
}

#[test]
fn promise_7_scores_that_do_not_fit_are_told_and_none_of_them_taken() {
    let host = host(true);
    let subjects: Vec<Reference> = (1..=3).map(account).collect();
    for (behaviour, limit, told) in [
        ("missing", "bad-output", "it did not score account/"),
        ("twice", "bad-output", "twice"),
        ("stranger", "bad-output", "which nobody asked about"),
        ("too-good", "bad-output", "with 101"),
        ("silent", "bad-output", "without a reason"),
        ("loop", "fuel-question", ""),
    ] {
        let stage = stage(&host, behaviour);
        let scored = stage.host.score(&call(&stage), &subjects);
        let (found, message) = fault(&stage, Role::Scoring, scored);
        assert_eq!(found, limit, "{behaviour}: {message}");
        assert!(message.contains(told), "{behaviour}: {message}");
    }
    let stage = stage(&host, "none");
    let scored = stage.host.score(&call(&stage), &subjects).unwrap();
    let in_order: Vec<Reference> = scored.into_iter().map(|one| one.subject).collect();
    assert_eq!(
        in_order, subjects,
        "in the order asked, whatever the plugin's"
    );
    // More than one question holds are asked in several.
    let many: Vec<Reference> = (1..=401).map(account).collect();
    stage.used();
    assert_eq!(stage.host.score(&call(&stage), &many).unwrap().len(), 401);
    assert_eq!(stage.used().len(), 3);
}

/// What is shown is read by grants alone, and nothing is kept or proposed on the way.
#[test]
fn promise_8_what_is_shown_is_read_by_grants_and_writes_nothing() {
    let host = host(true);
    for (behaviour, code) in [
        ("read", "not-granted"),
        ("filter", "not-granted"),
        ("keep", "not-now"),
        ("fail", "as-told"),
    ] {
        let stage = stage(&host, behaviour);
        let call = call(&stage);
        let one = [account(1)];
        let answers = [
            ask_report(&stage, None).err(),
            stage.host.card(ID, &call, "day", None).err(),
            stage.host.score(&call, &one).err(),
        ];
        for answer in answers {
            let told =
                matches!(&answer, Some(AskError::Failed { code: found, .. }) if found == code);
            assert!(told, "{behaviour}: {answer:?}");
        }
        assert!(stage.journal().is_empty());
    }
    let stage = stage(&host, "none");
    let page = ask_report(&stage, None).unwrap();
    assert_eq!(
        page.rows[0][0],
        Some(Value::Text("user:kari anywhere".to_owned()))
    );
    // A plugin that lost what it needs is not asked at all.
    let mut bare = installed(&built(ID), "", 1);
    bare.grants.clear();
    let bare = Stage::on(Arc::clone(&host), vec![bare]);
    let Err(AskError::Fault(fault)) = ask_report(&bare, None) else {
        panic!("it was asked")
    };
    assert_eq!(fault.limit, "not-granted");
}

fn with(behaviour: &str, others: &[&str]) -> Workspace {
    let workspace = Workspace::with_plugins(others);
    workspace.install(ID);
    set(&workspace, behaviour);
    workspace
}

fn set(workspace: &Workspace, behaviour: &str) {
    let file = workspace.beside("settings.toml");
    std::fs::write(&file, format!("behaviour = \"{behaviour}\"\n")).unwrap();
    let _ = workspace
        .run(&["plugin", "settings", ID, file.to_str().unwrap()])
        .ok();
}

#[test]
fn a_cursor_goes_with_its_report_arguments_and_settings_and_cannot_be_written_by_others() {
    let workspace = with("none", &[]);
    let server = workspace.serve();
    let sums = format!("/v1/reports/{ID}/sums");
    let (status, page) = server.get(&sums);
    assert_eq!(status, 200, "{page}");
    assert_eq!(
        page["columns"][1],
        json!({ "name": "count", "label": "count", "type": "integer" })
    );
    assert_eq!(
        page["rows"],
        json!([{ "account": format!("{} anywhere", actor(&page)), "count": 0 }])
    );
    let cursor = page["next"].as_str().unwrap().to_owned();
    let (status, next) = server.get(&format!("{sums}?cursor={cursor}"));
    assert_eq!(
        (status, &next["rows"][0]["count"], &next["moved"]),
        (200, &json!(1), &json!(false))
    );

    let forged = format!("{}A", &cursor[..cursor.len() - 1]);
    for place in [
        format!("/v1/reports/{ID}/others?cursor={cursor}"),
        format!("{sums}?region=north&cursor={cursor}"),
        format!("{sums}?cursor=1"),
        format!("{sums}?cursor="),
        format!("{sums}?cursor={forged}AA"),
    ] {
        let (status, problem) = server.get(&place);
        assert_eq!(status, 400, "{place}: {problem}");
        assert!(
            problem
                .to_string()
                .contains("ask again from the first page"),
            "{problem}"
        );
    }

    // What was committed meanwhile is told.
    let made = server.post(
        "/v1/records/account",
        &json!({ "fields": { "name": "Granholt AS" } }),
    );
    assert_eq!(made.0, 201, "{}", made.1);
    let (_, next) = server.get(&format!("{sums}?cursor={cursor}"));
    assert_eq!(next["moved"], true, "{next}");
    assert!(next["journal"].as_u64() > page["journal"].as_u64());

    set(&workspace, "none # other settings");
    let (status, problem) = server.get(&format!("{sums}?cursor={cursor}"));
    assert_eq!(status, 400, "{problem}");
}

/// Who asked, as the first row tells it.
fn actor(page: &Json) -> String {
    let cell = page["rows"][0]["account"].as_str().unwrap_or_default();
    cell.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn what_a_report_is_asked_for_is_checked_before_it_is_asked() {
    let workspace = with("none", &[]);
    let server = workspace.serve();
    for (place, status, told) in [
        (
            format!("/v1/reports/{ID}/nosuch"),
            404,
            "it has: sums, others",
        ),
        ("/v1/reports/nosuch/sums".to_owned(), 404, "nosuch"),
        (
            format!("/v1/reports/{ID}/sums?colour=red"),
            422,
            "it takes: region",
        ),
        (
            format!("/v1/reports/{ID}/sums?region=a&region=b"),
            400,
            "twice",
        ),
        (
            "/v1/panels/account/01980000-0000-7000-8000-000000000009".to_owned(),
            404,
            "there is no account",
        ),
        ("/v1/scores/nosuch".to_owned(), 404, "nosuch"),
    ] {
        let (found, problem) = server.get(&place);
        assert!(problem.to_string().contains(told), "{place}: {problem}");
        assert_eq!(found, status, "{place}: {problem}");
    }
    let (_, all) = server.get("/v1/reports");
    let names: Vec<&str> = all["reports"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["pipeline", "service-levels", "sums", "others"]);
}

#[test]
fn pages_that_never_end_come_to_an_end_and_all_pages_of_others_are_printed_as_one() {
    let workspace = with("none", &[]);
    let all = workspace.json(&["report", "run", ID, "sums", "region=north"]);
    let counts: Vec<i64> = all["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["count"].as_i64())
        .collect();
    assert_eq!(counts, [0, 1, 2], "{all}");
    let sheet = workspace
        .run(&["report", "run", ID, "sums", "--output", "csv"])
        .ok();
    assert!(sheet.out.starts_with("account,count\n"), "{}", sheet.out);
    assert_eq!(sheet.out.lines().count(), 4);
    set(&workspace, "endless");
    let ran = workspace.run(&["report", "run", ID, "sums"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.err.contains("1000 pages") && ran.err.contains("report-pages"),
        "{}",
        ran.err
    );
}

#[test]
fn a_panel_that_fails_stands_beside_those_of_others() {
    let workspace = with("panic", &["sales-stages", "buying-process"]);
    let deal = workspace.json(&["create", "opportunity", "name=Big", "stage=prospect"]);
    let deal = deal["id"].as_str().unwrap().to_owned();
    let account = workspace.json(&["create", "account", "name=Granholt AS"]);
    let server = workspace.serve();
    let (status, panels) = server.get(&format!("/v1/panels/opportunity/{deal}"));
    assert_eq!(status, 200, "{panels}");
    let shown = panels["panels"].as_array().unwrap();
    assert_eq!(shown[0]["plugin"], "sales-stages");
    assert_eq!(shown[0]["card"]["figures"][0]["value"], "Prospect");
    assert_eq!(panels["complete"], true);

    let id = account["id"].as_str().unwrap();
    let (status, panels) = server.get(&format!("/v1/panels/account/{id}"));
    assert_eq!(status, 200, "{panels}");
    let failed = &panels["panels"][0];
    assert_eq!(
        (&failed["plugin"], &failed["card"]),
        (&json!(ID), &Json::Null)
    );
    assert!(
        failed["fault"]["detail"]
            .as_str()
            .unwrap()
            .contains("panicked"),
        "{failed}"
    );
    let (status, today) = server.get("/v1/panels/today");
    assert_eq!(status, 200, "{today}");
    assert!(today.to_string().contains("panicked"), "{today}");
    let told = workspace.run(&["panel", "opportunity", &deal]).ok();
    assert!(told.out.contains("New business: Prospect"), "{}", told.out);
    assert!(
        workspace
            .run(&["panel", "today"])
            .ok()
            .out
            .contains("panicked")
    );
}

#[test]
fn the_bound_scoring_answers_a_record_and_a_page_of_them() {
    let workspace = Workspace::with_plugins(&["sales-stages", "buying-process"]);
    let deal = workspace.json(&["create", "opportunity", "name=Big", "stage=prospect"]);
    let deal = deal["id"].as_str().unwrap().to_owned();
    let _ = workspace
        .run(&[
            "create",
            "stakeholder",
            &format!("opportunity=opportunity/{deal}"),
            "role=champion",
            "attitude=champion",
        ])
        .ok();
    let _ = workspace
        .run(&["create", "opportunity", "name=Bare", "stage=prospect"])
        .ok();
    let one = workspace.json(&["ask", "score", "opportunity", &deal]);
    let parts = one["parts"].as_array().unwrap();
    let sum: i64 = parts
        .iter()
        .filter_map(|part| part["weight"].as_i64())
        .sum();
    assert_eq!(one["score"].as_i64(), Some(sum.clamp(0, 100)), "{one}");
    assert!(
        parts.len() > 1 && parts.iter().all(|part| part["reason"] != ""),
        "{one}"
    );
    let page = workspace.json(&["ask", "scores", "opportunity", "--top", "1"]);
    assert_eq!(page["scores"].as_array().unwrap().len(), 1, "{page}");
    let cursor = page["next"].as_str().unwrap();
    let rest = workspace.json(&["ask", "scores", "opportunity", "--after", cursor]);
    assert!(
        rest["scores"][0]["abstained"]
            .as_str()
            .unwrap()
            .contains("who takes part"),
        "{rest}"
    );
    let account = workspace.json(&["create", "account", "name=Granholt AS"]);
    let ran = workspace.run(&["ask", "score", "account", account["id"].as_str().unwrap()]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(
        ran.err.contains("scores no account; it scores opportunity"),
        "{}",
        ran.err
    );
}
