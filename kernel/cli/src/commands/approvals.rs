//! Commits that wait for approval on the command line, and who may approve.

use anyhow::Result;
use axum::body::Body;
use axum::http::Method;
use serde_json::{Value as Json, json};

use super::cells::{cell, list as members, text};
use crate::args::{ApprovalCommand, ApproverCommand, Pending};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::path;

pub(crate) fn approval(context: &Context, command: &ApprovalCommand) -> Result<Exit> {
    match command {
        ApprovalCommand::List => list(context),
        ApprovalCommand::Show { id } => show(context, id),
        ApprovalCommand::Approve { which, role } => {
            let body = role
                .as_ref()
                .map_or(json!({}), |role| json!({ "role": role }));
            decide(context, which, "approve", &body)
        }
        ApprovalCommand::Reject { which, why } => {
            let body = why.as_ref().map_or(json!({}), |why| json!({ "why": why }));
            decide(context, which, "reject", &body)
        }
        ApprovalCommand::Withdraw { which } => decide(context, which, "withdraw", &json!({})),
    }
}

pub(crate) fn approver(context: &Context, command: &ApproverCommand) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    match command {
        ApproverCommand::Add { role, actor } => {
            let body = json!({ "role": role, "actor": actor });
            connection.give(Method::POST, "/v1/approvers", &body)?;
            context.print(&Report::of_note(
                format!("{actor} may approve as {role}"),
                body,
            ))
        }
        ApproverCommand::List => {
            let answer = connection.get("/v1/approvers")?;
            let row = |one: &Json| vec![cell(&one["role"]), cell(&one["actor"])];
            let rows = members(&answer["approvers"]).map(row).collect();
            context.print(&Report::new(&["role", "actor"], rows, answer))
        }
        ApproverCommand::Remove { role, actor } => {
            let place = path(&["approvers", role, actor]);
            connection.send(Method::DELETE, &place, &[], Body::empty())?;
            let body = json!({ "role": role, "actor": actor });
            let note = format!("{actor} may approve as {role} no longer");
            context.print(&Report::of_note(note, body))
        }
    }
}

/// Tells of a commit that waits, and how it goes on.
pub(crate) fn waits(context: &Context, answer: &Json, dry_run: bool) -> Result<Exit> {
    let waiting = &answer["waits"];
    let row = |asked: &Json| {
        let of = ["role", "message", "plugin", "code"].map(|name| cell(&asked[name]));
        [vec![cell(&waiting["id"])], of.to_vec()].concat()
    };
    let rows = members(&waiting["asked"]).map(row).collect();
    let mut lines: Vec<String> = members(&waiting["open"]).map(who).collect();
    lines.push(match (dry_run, waiting["id"].as_str()) {
        (false, Some(id)) => format!(
            "it waits for approval until {}: kjerne approval show {id}",
            text(waiting, "expires_at")
        ),
        _ => "it would wait for approval; nothing was stored: this was a dry run".to_owned(),
    });
    let columns = ["waits", "asked", "why", "plugin", "rule"];
    let report = Report::new(&columns, rows, answer.clone()).with_whole_cells();
    context.print(&report.with_note(lines.join("\n")))?;
    Ok(Exit::Waits)
}

/// A line for each piece of advice.
pub(crate) fn advice(receipt: &Json) -> Vec<String> {
    let told = members(&receipt["advice"]).map(|one| {
        let (plugin, code) = (text(one, "plugin"), text(one, "code"));
        format!("note: {} [{plugin}: {code}]", text(one, "message"))
    });
    told.collect()
}

fn reason(asked: &Json) -> String {
    let (plugin, code) = (text(asked, "plugin"), text(asked, "code"));
    let (role, message) = (text(asked, "role"), text(asked, "message"));
    format!("{role} is asked: {message} [{plugin}: {code}]")
}

fn who(open: &Json) -> String {
    let role = text(open, "role");
    let names: Vec<String> = members(&open["approvers"]).map(cell).collect();
    match names.is_empty() {
        true => format!(
            "nobody who could approve is in the role {role}: kjerne approver add {role} user:NAME"
        ),
        false => format!("as {role} may approve: {}", names.join(", ")),
    }
}

fn list(context: &Context) -> Result<Exit> {
    let answer = context.connect(Needs::Data)?.get("/v1/approvals")?;
    let row = |one: &Json| {
        let open = members(&one["open"]).map(|open| text(open, "role"));
        let asked = members(&one["asked"]).map(|asked| text(asked, "message"));
        let records = members(&one["edits"]);
        let records = records.map(|edit| format!("{}/{}", text(edit, "kind"), text(edit, "id")));
        vec![
            text(one, "id").to_owned(),
            text(one, "asked_at").to_owned(),
            text(one, "actor").to_owned(),
            open.collect::<Vec<_>>().join(" "),
            records.collect::<Vec<_>>().join(" "),
            asked.collect::<Vec<_>>().join(" "),
        ]
    };
    let rows = members(&answer["approvals"]).map(row).collect();
    let columns = ["id", "asked_at", "actor", "waits for", "records", "why"];
    context.print(&Report::new(&columns, rows, answer))
}

fn show(context: &Context, id: &str) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let shown = connection.get(&path(&["approvals", id]))?;
    let rows = members(&shown["edits"]).flat_map(edit_rows).collect();
    let mut lines: Vec<String> = members(&shown["asked"]).map(reason).collect();
    lines.extend(members(&shown["open"]).map(who));
    let approvals = members(&shown["approvals"]);
    lines.extend(
        approvals.map(|one| format!("approved by {} as {}", text(one, "by"), text(one, "role"))),
    );
    let by = match shown["behind"].as_str() {
        Some(behind) => format!("{} for {behind}", text(&shown, "actor")),
        None => text(&shown, "actor").to_owned(),
    };
    let (from, until) = (text(&shown, "asked_at"), text(&shown, "expires_at"));
    lines.push(format!("asked for by {by} on {from}; waits until {until}"));
    if shown["changed_since"] == true {
        lines.push(
            "its records have changed since: the first to approve is shown it anew".to_owned(),
        );
    }
    if let Some(error) = shown["error"].as_str() {
        lines.push(format!("approved last, it was refused: {error}"));
    }
    let columns = ["record", "did", "field", "before", "after"];
    let report = Report::new(&columns, rows, shown.clone()).with_whole_cells();
    context.print(&report.with_note(lines.join("\n")))
}

/// A line for each field that would be another.
fn edit_rows(edit: &Json) -> Vec<Vec<String>> {
    let record = format!("{}/{}", text(edit, "kind"), text(edit, "id"));
    let line = |field: &str| {
        vec![
            record.clone(),
            text(edit, "operation").to_owned(),
            field.to_owned(),
            cell(&edit["before"][field]),
            cell(&edit["after"][field]),
        ]
    };
    let changed = members(&edit["changed"]).filter_map(Json::as_str);
    changed.map(line).collect()
}

fn decide(context: &Context, which: &Pending, what: &str, body: &Json) -> Result<Exit> {
    // What is approved takes the path of every change, past every plugin.
    let needs = if what == "approve" {
        Needs::Plugins
    } else {
        Needs::Data
    };
    let mut connection = context.connect_as(which.actor.as_deref(), needs)?;
    let place = path(&["approvals", &which.id, what]);
    let answer = connection.give(Method::POST, &place, body)?;
    if what == "approve" {
        connection.finish()?;
    }
    if !answer["waits"].is_null() {
        return waits(context, &answer, false);
    }
    let (became, entry) = (text(&answer, "became"), cell(&answer["entry"]));
    let done = format!("{became}: journal entry {entry}");
    let note = [vec![done], advice(&answer["commit"])].concat().join("\n");
    let row = vec![which.id.clone(), became.to_owned(), entry];
    let columns = ["id", "became", "entry"];
    context.print(&Report::new(&columns, vec![row], answer.clone()).with_note(note))
}
