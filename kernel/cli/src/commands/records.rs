//! Records and the journal on the command line.

use anyhow::Result;
use kjerne_core::Receipt;
use kjerne_model::{Change, Commit, Entry, Kind, Record, Reference, Target};
use serde_json::{Value as Json, json};

use crate::args::{CommitArgs, CreateArgs, DeleteArgs, JournalArgs, ListArgs, RecordArgs, SetArgs};
use crate::context::{Context, actor, finish};
use crate::exit::{Exit, not_found, usage};
use crate::output::{Format, Report};
use kjerne_wire as wire;
use kjerne_workspace::runtime::{Runtime, now};
use kjerne_workspace::{Error, queries};

/// Columns of a table nobody chose columns for.
const COLUMNS: usize = 6;

pub(crate) fn list(context: &Context, args: &ListArgs) -> Result<Exit> {
    let reading = context.reading()?;
    let kind = queries::kind(reading.kernel.schema(), &args.kind)?;
    queries::select(kind, &args.select)?;
    let words = queries::Words {
        filter: args.filter.clone(),
        order: args.order_by.clone(),
        top: Some(args.top),
        after: args.after.clone(),
    };
    let page = queries::page(&reading.kernel, &args.kind, &words)?;
    let columns = columns(kind, &page.records, &args.select, context.format);
    let only = Some(args.select.as_slice()).filter(|names| !names.is_empty());
    let mut report = rows(&columns, &page.records, wire::page(&page, only));
    if let Some(next) = &page.next {
        report = report.with_note(format!("there are more: --after {next}"));
    }
    context.print(&report)
}

/// The columns to show: the ones asked for, all of them in a sheet, the first that hold something in
/// a table.
fn columns(kind: &Kind, records: &[Record], select: &[String], format: Format) -> Vec<String> {
    if !select.is_empty() {
        return select.to_vec();
    }
    let holds = |name: &str| records.iter().any(|record| record.get(name).is_some());
    let names = kind.fields.iter().map(|field| field.name.as_str());
    match format {
        Format::Csv => names.map(str::to_owned).collect(),
        _ => names
            .filter(|name| holds(name))
            .take(COLUMNS)
            .map(str::to_owned)
            .collect(),
    }
}

fn rows(columns: &[String], records: &[Record], json: Json) -> Report {
    let cell = |record: &Record, name: &String| {
        record
            .get(name)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let rows = records.iter().map(|record| {
        let held = columns.iter().map(|name| cell(record, name));
        [record.id.to_string()].into_iter().chain(held).collect()
    });
    let rows = rows.collect();
    let columns = ["id".to_owned()]
        .into_iter()
        .chain(columns.iter().cloned())
        .collect();
    Report {
        columns,
        rows,
        json,
        ..Report::default()
    }
}

pub(crate) fn get(context: &Context, args: &RecordArgs) -> Result<Exit> {
    let reading = context.reading()?;
    let record = queries::record(&reading.kernel, &args.kind, &args.id)?;
    context.print(&one(&record))
}

fn one(record: &Record) -> Report {
    let own = [
        ("kind", record.kind.to_string()),
        ("id", record.id.to_string()),
        ("version", record.version.to_string()),
        ("created_at", record.created_at.to_string()),
        ("updated_at", record.updated_at.to_string()),
    ];
    let held = record
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_string()));
    let pairs: Vec<(&str, String)> = own.into_iter().chain(held).collect();
    Report::of_pairs(&pairs, wire::record(record, None))
}

pub(crate) fn create(context: &Context, args: &CreateArgs) -> Result<Exit> {
    let runtime = context.runtime()?;
    let kind = queries::kind(runtime.kernel.schema(), &args.kind)?;
    let fields = wire::fields_of_text(kind, &args.fields).map_err(Error::from)?;
    let change = Change::Create {
        kind: kind.name.clone(),
        id: None,
        fields,
    };
    commit(context, &runtime, change, &args.commit)
}

pub(crate) fn set(context: &Context, args: &SetArgs) -> Result<Exit> {
    let runtime = context.runtime()?;
    let kind = queries::kind(runtime.kernel.schema(), &args.kind)?;
    let patch = wire::patch_of_text(kind, &args.fields).map_err(Error::from)?;
    let change = Change::Update {
        target: target(kind, &args.id, args.expected)?,
        patch,
    };
    commit(context, &runtime, change, &args.commit)
}

pub(crate) fn delete(context: &Context, args: &DeleteArgs) -> Result<Exit> {
    let runtime = context.runtime()?;
    let kind = queries::kind(runtime.kernel.schema(), &args.kind)?;
    let change = Change::Delete {
        target: target(kind, &args.id, args.expected)?,
    };
    commit(context, &runtime, change, &args.commit)
}

fn target(kind: &Kind, id: &str, expected: Option<u64>) -> Result<Target> {
    Ok(Target {
        kind: kind.name.clone(),
        id: queries::id(id)?,
        expected,
    })
}

fn commit(context: &Context, runtime: &Runtime, change: Change, args: &CommitArgs) -> Result<Exit> {
    let commit = Commit {
        changes: vec![change],
        actor: actor(args.actor.as_deref()),
        key: args.key.clone(),
        at: now(),
        cause: None,
    };
    let done = runtime.commit(commit, args.dry_run);
    // A refused commit has cost something too, and the ledger says what.
    let receipt = match done {
        Ok(receipt) => receipt,
        Err(error) => {
            runtime.flush_costs()?;
            return Err(error.into());
        }
    };
    if !args.dry_run {
        finish(runtime)?;
    }
    context.print(&receipt_report(&receipt, args.dry_run))
}

fn receipt_report(receipt: &Receipt, dry_run: bool) -> Report {
    let mut json = wire::receipt(receipt);
    json["dry_run"] = Json::Bool(dry_run);
    // A commit of one change is about one record, which scripts want to go on with.
    if let [only] = receipt.edits.as_slice() {
        json["kind"] = Json::from(only.kind.as_str());
        json["id"] = Json::from(only.id.to_string());
        json["version"] = Json::from(only.version);
    }
    let rows = receipt.edits.iter().map(|edit| {
        vec![
            edit.kind.to_string(),
            edit.id.to_string(),
            edit.version.to_string(),
        ]
    });
    let note = match (dry_run, receipt.replayed, receipt.entry) {
        (true, ..) => "nothing was stored: this was a dry run".to_owned(),
        (_, true, _) => "done before, with the same key".to_owned(),
        (_, _, 0) => "nothing changed".to_owned(),
        (_, _, entry) => format!("journal entry {entry}"),
    };
    Report::new(&["kind", "id", "version"], rows.collect(), json).with_note(note)
}

pub(crate) fn journal(context: &Context, args: &JournalArgs) -> Result<Exit> {
    let reading = context.reading()?;
    let entries = match &args.record {
        None => reading.kernel.journal(args.after, args.top)?,
        Some(text) => {
            let record = Reference::parse(text).map_err(|error| usage(error.to_string()))?;
            queries::kind(reading.kernel.schema(), &record.kind)?;
            let found = reading
                .kernel
                .history(&record.kind, record.id, args.after, args.top)?;
            if found.is_empty() && args.after == 0 {
                return Err(not_found(format!("there was never a {record}")));
            }
            found
        }
    };
    let mut report = journal_report(&entries);
    if let Some(last) = entries.last().filter(|_| entries.len() == args.top) {
        report = report.with_note(format!("there may be more: --after {}", last.number));
    }
    context.print(&report)
}

fn journal_report(entries: &[Entry]) -> Report {
    let rows = entries.iter().flat_map(|entry| {
        entry.edits.iter().map(|edit| {
            let changed: Vec<String> = edit.changed().iter().map(ToString::to_string).collect();
            vec![
                entry.number.to_string(),
                entry.at.to_string(),
                entry.actor.to_string(),
                edit.operation().to_owned(),
                format!("{}/{}", edit.kind, edit.id),
                changed.join(" "),
            ]
        })
    });
    let json = json!({ "entries": entries.iter().map(wire::entry).collect::<Vec<_>>() });
    Report::new(
        &["entry", "at", "actor", "did", "record", "fields"],
        rows.collect(),
        json,
    )
}

pub(crate) fn kinds(context: &Context, kind: Option<&str>) -> Result<Exit> {
    let schema = context.workspace()?.schema()?;
    if let Some(name) = kind {
        return context.print(&fields(queries::kind(&schema, name)?));
    }
    let rows = schema.kinds().map(|kind| {
        vec![
            kind.name.to_string(),
            kind.label.clone(),
            kind.fields.len().to_string(),
        ]
    });
    let json = schema.kinds().map(|kind| wire::kind(kind)).collect();
    context.print(&Report::new(
        &["kind", "label", "fields"],
        rows.collect(),
        json,
    ))
}

fn fields(kind: &Kind) -> Report {
    let rows = kind.fields.iter().map(|field| {
        let marks = [
            (field.required, "required"),
            (field.unique, "unique"),
            (field.is_indexed() && !field.unique, "indexed"),
        ];
        let marks = marks.iter().filter(|(has, _)| *has).map(|(_, mark)| *mark);
        vec![
            field.name.to_string(),
            field.field_type.name().to_owned(),
            marks.collect::<Vec<_>>().join(" "),
            field.personal.name().to_owned(),
        ]
    });
    Report::new(
        &["field", "type", "marks", "personal"],
        rows.collect(),
        wire::kind(kind),
    )
}
