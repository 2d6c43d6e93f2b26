//! Questions to the domain models on the command line.

use anyhow::Result;
use serde_json::{Value as Json, json};

use super::cells::{cell, cells, list, text, texts};
use crate::args::AskCommand;
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::{path, with_words};

pub(crate) fn ask(context: &Context, command: &AskCommand) -> Result<Exit> {
    let (place, report): (String, fn(&Json) -> Report) = match command {
        AskCommand::Standing { id } => (of("opportunity", id, "standing"), standing),
        AskCommand::Assess { id } => (of("opportunity", id, "assessment"), assessment),
        AskCommand::Targets { id } => (of("case", id, "targets"), targets),
        AskCommand::Triage { id } => (of("case", id, "triage"), triage),
        AskCommand::Stale => (path(&["stale"]), stale),
        AskCommand::Pipelines => (path(&["models", "sales-stages", "pipelines"]), pipelines),
        AskCommand::Jobs => (path(&["models", "buying-process", "jobs"]), jobs),
        AskCommand::Score { kind, id } => (of(kind, id, "score"), score),
        AskCommand::Scores {
            kind,
            filter,
            top,
            after,
        } => {
            let filter = (!filter.is_empty()).then(|| filter.clone());
            let words = [
                ("filter", filter),
                ("top", Some(top.to_string())),
                ("cursor", after.clone()),
            ];
            (with_words(path(&["scores", kind]), &words), scores)
        }
    };
    let answer = context.connect(Needs::Plugins)?.get(&place)?;
    context.print(&report(&answer))
}

fn of(kind: &str, id: &str, question: &str) -> String {
    path(&["records", kind, id, question])
}

fn percent(json: &Json) -> String {
    format!("{} %", cell(json))
}

fn standing(answer: &Json) -> Report {
    let about = format!(
        "{} / {}: {}, forecast as {}, {}",
        text(answer, "pipeline"),
        text(answer, "stage"),
        percent(&answer["probability"]),
        text(answer, "forecast_category"),
        text(answer, "outcome"),
    );
    let rows = list(&answer["moves"]).map(|one| {
        let obstacles = list(&one["obstacles"]).map(|obstacle| text(obstacle, "message"));
        let obstacles: Vec<&str> = obstacles.collect();
        let state = if obstacles.is_empty() {
            "open"
        } else {
            "not yet"
        };
        vec![
            text(one, "stage").to_owned(),
            state.to_owned(),
            obstacles.join("; "),
        ]
    });
    let columns = ["may go to", "", "what stands in the way"];
    Report::new(&columns, rows.collect(), answer.clone())
        .with_whole_cells()
        .with_note(about)
}

fn assessment(answer: &Json) -> Report {
    let rows = list(&answer["jobs"]).map(|job| {
        let missing = list(&job["missing"]).map(|one| {
            let who = cells(one, &["role", "stakeholder"]).join(" ");
            format!("{}: {}", who.trim(), text(one, "reason"))
        });
        vec![
            text(job, "job").to_owned(),
            text(job, "state").to_owned(),
            percent(&job["validation"]),
            percent(&job["consensus"]),
            cell(&job["reopened_times"]),
            missing.collect::<Vec<_>>().join("; "),
        ]
    });
    let mut lines = vec![format!(
        "progress {}, gap to our stage {}, risk of rework {}, of no decision {}",
        percent(&answer["progress"]),
        cell(&answer["gap"]),
        percent(&answer["rework_risk"]),
        percent(&answer["no_decision_risk"]),
    )];
    lines.extend(list(&answer["next_actions"]).map(|action| {
        let about = cells(action, &["stakeholder", "job"]).join(" ");
        let (what, why) = (text(action, "action"), text(action, "reason"));
        let told = [about.trim(), why]
            .into_iter()
            .filter(|text| !text.is_empty());
        format!("next: {what} ({})", told.collect::<Vec<_>>().join("; "))
    }));
    let columns = ["job", "state", "validated", "agreed", "reopened", "missing"];
    Report::new(&columns, rows.collect(), answer.clone())
        .with_whole_cells()
        .with_note(lines.join("\n"))
}

fn targets(answer: &Json) -> Report {
    let names = ["name", "due", "used_minutes", "allowed_minutes", "state"];
    let rows = list(&answer["targets"]).map(|target| cells(target, &names));
    let columns = ["target", "due", "used min", "allowed min", "state"];
    Report::new(&columns, rows.collect(), answer.clone())
}

fn triage(answer: &Json) -> Report {
    let names = ["rule", "priority", "queue", "owner"];
    let pairs = names.map(|name| (name, cell(&answer[name])));
    Report::of_pairs(&pairs, answer.clone())
}

fn stale(answer: &Json) -> Report {
    let names = ["opportunity", "stage", "days_in_stage", "limit_days"];
    let rows = list(&answer["stale"]).map(|item| cells(item, &names));
    let columns = ["opportunity", "stage", "days in stage", "limit"];
    let report = Report::new(&columns, rows.collect(), answer.clone());
    if answer["complete"] == true {
        return report;
    }
    report
        .with_note("there are more opportunities than were looked at; kjerne limits says how many")
}

fn pipelines(answer: &Json) -> Report {
    let rows = list(&answer["pipelines"]).flat_map(|pipeline| {
        list(&pipeline["stages"]).map(|stage| {
            vec![
                text(pipeline, "name").to_owned(),
                cell(&stage["position"]),
                text(stage, "name").to_owned(),
                percent(&stage["probability"]),
                text(stage, "forecast_category").to_owned(),
                cell(&stage["stale_after_days"]),
                texts(&stage["moves"]).join(" "),
            ]
        })
    });
    let columns = [
        "pipeline",
        "position",
        "stage",
        "probability",
        "forecast",
        "stale after days",
        "may go to",
    ];
    Report::new(&columns, rows.collect(), answer.clone()).with_whole_cells()
}

fn jobs(answer: &Json) -> Report {
    let rows = list(&answer["jobs"]).map(|job| {
        let within = texts(&job["within"]).join(" ");
        vec![
            text(job, "name").to_owned(),
            text(job, "label").to_owned(),
            within,
        ]
    });
    let json = json!({ "jobs": answer["jobs"] });
    Report::new(&["job", "label", "within"], rows.collect(), json)
}

/// One record's score: what it is made of, or why there is none.
fn score(answer: &Json) -> Report {
    let rows = list(&answer["parts"]).map(|part| cells(part, &["name", "weight", "reason"]));
    let about = match answer["abstained"].as_str() {
        Some(why) => format!("no score: {why}"),
        None => format!("score {} of 100", cell(&answer["score"])),
    };
    Report::new(&["part", "points", "why"], rows.collect(), answer.clone())
        .with_whole_cells()
        .with_numbers(1..2)
        .with_note(about)
}

fn scores(answer: &Json) -> Report {
    let rows = list(&answer["scores"]).map(|one| cells(one, &["subject", "score", "abstained"]));
    let columns = ["record", "score", "why there is none"];
    let report = Report::new(&columns, rows.collect(), answer.clone())
        .with_whole_cells()
        .with_numbers(1..2);
    match answer["next"].as_str() {
        Some(next) => report.with_note(format!("there are more: --after {next}")),
        None => report,
    }
}
