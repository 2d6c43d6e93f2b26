//! Records and the journal on the command line.

use std::collections::BTreeMap;

use anyhow::Result;
use axum::http::Method;
use kjerne_model::{Instant, RecordId};
use kjerne_workspace::runtime::now;
use serde_json::{Map, Value as Json, json};

use super::cells::{cell, cells, list as members, text};
use super::{approvals, references};
use crate::args::{
    CommitArgs, CreateArgs, DeleteArgs, JournalArgs, ListArgs, RecordArgs, SetArgs, Since,
};
use crate::connection::{Connection, Needs};
use crate::context::Context;
use crate::exit::{Exit, not_found, usage};
use crate::output::{Format, Report};
use crate::path::{path, with_words};

/// Columns of a table nobody chose columns for.
const COLUMNS: usize = 6;

/// What every record has beside its fields.
const OWN: [&str; 5] = ["kind", "id", "version", "created_at", "updated_at"];

pub(crate) fn list(context: &Context, args: &ListArgs) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let words = [
        ("filter", some(&args.filter)),
        ("sort", some(&args.order_by)),
        ("top", Some(args.top.to_string())),
        ("cursor", args.after.clone()),
        (
            "select",
            (!args.select.is_empty()).then(|| args.select.join(",")),
        ),
    ];
    let page = connection.get(&with_words(path(&["records", &args.kind]), &words))?;
    let kind = connection.get(&path(&["kinds", &args.kind]))?;
    let records: Vec<&Json> = members(&page["records"]).collect();
    let columns = columns(&kind, &records, &args.select, context.format);
    let mut report = match context.format {
        Format::Table => table(&mut connection, &kind, &records, &columns)?,
        _ => sheet(&records, &columns),
    };
    if let Some(next) = page["next"].as_str() {
        report = report.with_note(format!("there are more: --after {next}"));
    }
    report.json = page;
    context.print(&report)
}

/// The records, each column as it is.
fn sheet(records: &[&Json], columns: &[String]) -> Report {
    let row = |record: &&Json| columns.iter().map(|name| held(record, name)).collect();
    Report {
        columns: columns.to_vec(),
        rows: records.iter().map(row).collect(),
        ..Report::default()
    }
}

fn held(record: &Json, name: &str) -> String {
    match OWN.contains(&name) {
        true => cell(&record[name]),
        false => cell(&record["fields"][name]),
    }
}

/// The records for people: behind each column of references, what they are called.
fn table(
    connection: &mut Connection,
    kind: &Json,
    records: &[&Json],
    columns: &[String],
) -> Result<Report> {
    let fields = members(&kind["fields"]).filter(|field| text(field, "type") == "reference");
    let references: Vec<&str> = fields.map(|field| text(field, "name")).collect();
    let refers = |name: &String| references.contains(&name.as_str());
    let shown = || columns.iter().filter(|name| refers(name));
    let held_there = records
        .iter()
        .flat_map(|record| shown().map(|name| text(&record["fields"], name)));
    let names = references::names(connection, held_there)?;
    let has_names = |name: &String| {
        let is_named = |record: &&Json| names.contains_key(text(&record["fields"], name));
        refers(name) && records.iter().any(is_named)
    };
    let mut report = Report::default();
    for name in columns {
        report.columns.push(name.clone());
        report
            .columns
            .extend(has_names(name).then(|| format!("{name} name")));
    }
    let row = |record: &&Json| {
        let mut row = Vec::new();
        for name in columns {
            let value = held(record, name);
            let called = names.get(&value).cloned().unwrap_or_default();
            row.push(value);
            row.extend(has_names(name).then_some(called));
        }
        row
    };
    report.rows = records.iter().map(row).collect();
    Ok(report)
}

/// The columns to show: the ones asked for, all of them in a sheet, the first that hold something in
/// a table. The id stands in front of them, unless it was given a place of its own.
fn columns(kind: &Json, records: &[&Json], select: &[String], format: Format) -> Vec<String> {
    let id = || std::iter::once("id".to_owned());
    if !select.is_empty() {
        let asked = || select.iter().map(|name| name.trim().to_owned());
        return match asked().any(|name| name == "id") {
            true => asked().collect(),
            false => id().chain(asked()).collect(),
        };
    }
    let holds = |name: &str| {
        records
            .iter()
            .any(|record| !record["fields"][name].is_null())
    };
    let names = members(&kind["fields"]).map(|field| text(field, "name").to_owned());
    match format {
        Format::Csv => id().chain(names).collect(),
        _ => id()
            .chain(names.filter(|name| holds(name)).take(COLUMNS))
            .collect(),
    }
}

pub(crate) fn get(context: &Context, args: &RecordArgs) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let record = connection.get(&path(&["records", &args.kind, &args.id]))?;
    let names = match context.format {
        Format::Table => names_of(&mut connection, &record)?,
        _ => BTreeMap::new(),
    };
    let mut pairs: Vec<(String, String)> = OWN
        .map(|name| (name.to_owned(), cell(&record[name])))
        .to_vec();
    for (name, value) in record["fields"].as_object().into_iter().flatten() {
        let value = cell(value);
        let called = names.get(&value).cloned();
        pairs.push((name.clone(), value));
        pairs.extend(called.map(|called| (format!("{name} name"), called)));
    }
    let pairs: Vec<(&str, String)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    context.print(&Report::of_pairs(&pairs, record.clone()).with_whole_cells())
}

/// What the records are called that a record refers to.
fn names_of(connection: &mut Connection, record: &Json) -> Result<BTreeMap<String, String>> {
    let kind = connection.get(&path(&["kinds", text(record, "kind")]))?;
    let fields = members(&kind["fields"]).filter(|field| text(field, "type") == "reference");
    let held = fields.map(|field| text(&record["fields"], text(field, "name")));
    references::names(connection, held)
}

pub(crate) fn create(context: &Context, args: &CreateArgs) -> Result<Exit> {
    let mut connection = context.connect_as(args.commit.actor.as_deref(), Needs::Plugins)?;
    let fields = fields(&mut connection, &args.kind, &args.fields)?;
    let change = json!({ "create": args.kind, "fields": fields });
    commit(context, connection, &change, &args.commit)
}

pub(crate) fn set(context: &Context, args: &SetArgs) -> Result<Exit> {
    let mut connection = context.connect_as(args.commit.actor.as_deref(), Needs::Plugins)?;
    let mut change = json!({
        "update": args.kind,
        "id": id(&args.id)?,
        "fields": fields(&mut connection, &args.kind, &args.fields)?,
    });
    expect(&mut change, args.expected);
    commit(context, connection, &change, &args.commit)
}

pub(crate) fn delete(context: &Context, args: &DeleteArgs) -> Result<Exit> {
    let connection = context.connect_as(args.commit.actor.as_deref(), Needs::Plugins)?;
    let mut change = json!({ "delete": args.kind, "id": id(&args.id)? });
    expect(&mut change, args.expected);
    commit(context, connection, &change, &args.commit)
}

/// An id as it was typed. One that cannot be read is a slip of the hand and no refusal of the change.
fn id(typed: &str) -> Result<&str> {
    match RecordId::parse(typed) {
        Ok(_) => Ok(typed),
        Err(error) => Err(usage(error.to_string())),
    }
}

/// Has a change wait for a version, when one was told.
fn expect(change: &mut Json, version: Option<u64>) {
    if let Some(version) = version {
        change["expected"] = version.into();
    }
}

/// What was typed, as text; a blank value clears the field, and a record may be named by its name.
fn fields(connection: &mut Connection, kind: &str, typed: &[(String, String)]) -> Result<Json> {
    let mut fields = Map::new();
    for (name, text) in typed {
        let value = match kjerne_model::is_blank(text) {
            true => Json::Null,
            false => Json::String(text.clone()),
        };
        if fields.insert(name.clone(), value).is_some() {
            return Err(usage(format!("{name} is given twice; which one is meant?")));
        }
    }
    references::resolve(connection, kind, &mut fields)?;
    Ok(Json::Object(fields))
}

fn commit(
    context: &Context,
    mut connection: Connection,
    change: &Json,
    args: &CommitArgs,
) -> Result<Exit> {
    let body = json!({ "changes": [change], "dry_run": args.dry_run, "key": args.key });
    let costs = args.costs.then(|| "true".to_owned());
    let place = with_words(path(&["commits"]), &[("costs", costs)]);
    let receipt = connection.give(Method::POST, &place, &body)?;
    if !args.dry_run {
        connection.finish()?;
    }
    if !receipt["waits"].is_null() {
        return approvals::waits(context, &receipt, args.dry_run);
    }
    context.print(&receipt_report(receipt, args.dry_run))
}

fn receipt_report(mut receipt: Json, dry_run: bool) -> Report {
    let edits: Vec<Json> = members(&receipt["edits"]).cloned().collect();
    // A commit of one change is about one record, which scripts want to go on with.
    if let [only] = edits.as_slice() {
        for name in ["kind", "id", "version"] {
            receipt[name] = only[name].clone();
        }
    }
    let names = ["kind", "id", "version"];
    let rows = edits.iter().map(|edit| cells(edit, &names)).collect();
    let replayed = receipt["replayed"] == true;
    let note = match (dry_run, replayed, receipt["entry"].as_u64()) {
        (true, ..) => "nothing was stored: this was a dry run".to_owned(),
        (_, true, _) => "done before, with the same key".to_owned(),
        (_, _, None | Some(0)) => "nothing changed".to_owned(),
        (_, _, Some(entry)) => format!("journal entry {entry}"),
    };
    let note = [
        vec![note],
        overridden(&receipt),
        approvals::advice(&receipt),
        super::costs::of_commit(&receipt),
    ]
    .concat()
    .join("\n");
    Report::new(&names, rows, receipt).with_note(note)
}

/// A line for each field that a plugin set to something else than was asked for.
fn overridden(receipt: &Json) -> Vec<String> {
    let told = members(&receipt["overridden"]).map(|one| {
        let (field, plugin) = (text(one, "field"), text(one, "plugin"));
        match &one["value"] {
            Json::Null => format!("plugin {plugin} emptied {field}"),
            value => format!("plugin {plugin} set {field} to {}", cell(value)),
        }
    });
    told.collect()
}

pub(crate) fn journal(context: &Context, args: &JournalArgs) -> Result<Exit> {
    let mut connection = context.connect(Needs::Data)?;
    let place = match &args.record {
        None => path(&["journal"]),
        Some(record) => {
            let (kind, id) = record
                .split_once('/')
                .ok_or_else(|| usage(format!("{record:?} is no record; write it as account/ID")))?;
            path(&["records", kind, id, "history"])
        }
    };
    let since = args.since.map(|since| match since {
        Since::At(time) => time,
        // Further back than there are dates to write is from the beginning.
        Since::Ago(millis) => now().plus_millis(-millis).max(Instant::default()),
    });
    let order = if args.oldest_first {
        "oldest"
    } else {
        "newest"
    };
    let words = [
        ("after", args.after.map(|number| number.to_string())),
        ("before", args.before.map(|number| number.to_string())),
        ("since", since.map(|time| time.to_string())),
        ("order", Some(order.to_owned())),
        ("limit", Some(args.top.to_string())),
    ];
    let answer = connection.get(&with_words(place, &words))?;
    let entries: Vec<&Json> = members(&answer["entries"]).collect();
    let rows = entries.iter().flat_map(|entry| journal_rows(entry));
    let columns = ["entry", "at", "actor", "did", "what", "changed"];
    let json = json!({ "entries": entries });
    let mut report = Report::new(&columns, rows.collect(), json);
    // A page may have fewer entries than asked for and not be the last one.
    let more = match answer["last"].as_u64() {
        Some(last) => answer["next"].as_u64().is_some_and(|next| next < last),
        None => !answer["next"].is_null(),
    };
    if let Some(last) = entries.last().filter(|_| more) {
        let number = cell(&last["number"]);
        let go_on = if args.oldest_first {
            "--oldest-first --after"
        } else {
            "--before"
        };
        report = report.with_note(format!("there may be more: {go_on} {number}"));
    }
    context.print(&report)
}

/// A line for each record an entry changed, for each piece of advice, and for the act that it is or that
/// let it through.
fn journal_rows(entry: &Json) -> Vec<Vec<String>> {
    let line = |did: &str, what: String, changed: String| {
        let mut row = cells(entry, &["number", "at", "actor"]);
        row.extend([did.to_owned(), what, changed]);
        row
    };
    let edits = members(&entry["edits"]).map(|edit| {
        let record = format!("{}/{}", text(edit, "kind"), text(edit, "id"));
        let changed = cell(&edit["changed"]).replace(';', " ");
        line(text(edit, "operation"), record, changed)
    });
    let act = Some(&entry["act"]).filter(|act| !act.is_null()).map(|act| {
        let details = act["details"].as_object().into_iter().flatten();
        let told: Vec<String> = details
            .map(|(name, value)| format!("{name}={}", cell(value)))
            .collect();
        line(
            text(act, "operation"),
            text(act, "subject").to_owned(),
            told.join(" "),
        )
    });
    let verdicts = members(&entry["verdicts"]);
    let advice = verdicts.flat_map(|verdict| members(&verdict["advice"]));
    let advice = advice.map(|one| {
        let rule = format!("{}: {}", text(one, "plugin"), text(one, "code"));
        line("advised", rule, text(one, "message").to_owned())
    });
    edits.chain(advice).chain(act).collect()
}

pub(crate) fn kinds(context: &Context, kind: Option<&str>) -> Result<Exit> {
    // The kinds stand in files, which are read beside a running server too.
    let schema = context.workspace()?.schema()?;
    let Some(name) = kind else {
        let rows = schema.kinds().map(|kind| {
            vec![
                kind.name.to_string(),
                kind.label.clone(),
                kind.fields.len().to_string(),
            ]
        });
        let json = schema.kinds().map(|kind| kjerne_wire::kind(kind)).collect();
        let columns = ["kind", "label", "fields"];
        return context.print(&Report::new(&columns, rows.collect(), json));
    };
    let found = schema.kind(name).ok_or_else(|| {
        let known: Vec<&str> = schema.kinds().map(|kind| kind.name.as_str()).collect();
        not_found(format!(
            "there is no kind {name:?}; there are: {}",
            known.join(", ")
        ))
    })?;
    let json = kjerne_wire::kind(found);
    let rows = members(&json["fields"]).map(field_row).collect();
    let columns = ["field", "type", "marks", "personal", "values"];
    context.print(&Report::new(&columns, rows, json.clone()).with_whole_cells())
}

fn field_row(field: &Json) -> Vec<String> {
    let (is_unique, is_indexed) = (field["unique"] == true, field["indexed"] == true);
    let marks = [
        (field["required"] == true, "required"),
        (is_unique, "unique"),
        (field["ignore_case"] == true, "ignores case"),
        (field["hierarchy"] == true, "hierarchy"),
        (is_indexed && !is_unique, "indexed"),
    ];
    let marks = marks.iter().filter(|(has, _)| *has).map(|(_, mark)| *mark);
    let choices = members(&field["choices"]).map(|choice| text(choice, "value").to_owned());
    let kinds = members(&field["kinds"]).map(cell);
    vec![
        text(field, "name").to_owned(),
        text(field, "type").to_owned(),
        marks.collect::<Vec<_>>().join(" "),
        text(field, "personal").to_owned(),
        choices.chain(kinds).collect::<Vec<_>>().join(" "),
    ]
}
