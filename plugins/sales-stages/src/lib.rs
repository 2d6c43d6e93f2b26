//! Sales stages: pipelines with their stages, what they require, and what follows from them.

mod activity;
mod answers;
mod approval;
mod asking;
mod bound;
mod cards;
mod criterion;
mod deal;
mod forecast;
mod moving;
mod names;
mod pipeline;
mod report;
mod rules;
mod settings;
mod shaping;
mod standing_still;
#[cfg(test)]
mod tests;

use kjerne_sdk::prelude::*;
use kjerne_sdk::settings::Faults;

use crate::criterion::{Criterion, Deal};
use crate::deal::{Around, Held};
use crate::settings::Settings;
use crate::shaping::{Draft, To};

/// What a shape goes by: where the opportunity stands, and what its forecast follows.
const SHAPED: [&str; 6] = [
    "pipeline",
    "stage",
    "probability",
    "forecast_category",
    "rework_risk",
    "no_decision_risk",
];
/// What a shape sets, and leaves as it is where somebody set it.
const FOLLOWING: [&str; 5] = [
    "stage_since",
    "opened_at",
    "closed_on",
    "lost_reason",
    "lost_to",
];
/// What a guard goes by, beside fields that were emptied.
const JUDGED: [&str; 6] = [
    "pipeline",
    "stage",
    "lost_reason",
    "probability",
    "amount",
    "closing_date",
];
/// The kind whose discounts may need approval.
const QUOTE_LINE: &str = "quote_line";
/// The kinds of which criteria count what the same commit adds and removes.
const COUNTED: [&str; 2] = ["stakeholder", "quote"];

/// The plugin.
pub struct SalesStagesPlugin;

kjerne_sdk::plugin!(SalesStagesPlugin: prepare, shape, guard, react, action, sales_stages, schedule, report, panel);

static SETTINGS: Prepared<Settings> = Prepared::new(Settings::load);

impl Prepare for SalesStagesPlugin {
    fn prepare() -> Result<(), Faults> {
        SETTINGS.get().map_err(Clone::clone).and_then(names::check)
    }

    fn watches() -> Watches {
        let kept = [Operation::Create, Operation::Update];
        let opportunities = |fields: Vec<&str>| Watch::kind("opportunity").on(&kept).fields(fields);
        let criteria = || {
            let settings = SETTINGS.get().ok();
            let stages = settings.into_iter().flat_map(Settings::stages);
            stages.flat_map(|stage| stage.entry.iter().chain(&stage.exit))
        };
        let asked = criteria().flat_map(Criterion::fields);
        let judged = JUDGED.into_iter().chain(asked.map(String::as_str));
        let counted = criteria().flat_map(Criterion::selections);
        let counted = counted.filter(|one| COUNTED.contains(&one.kind.as_str()));
        let counted = counted.map(|one| Watch::kind(&one.kind).fields(one.fields()).beside());
        let discount = SETTINGS.get().ok().and_then(|all| all.approval.as_ref());
        let discount = discount.filter(|one| one.discount_above.is_some());
        let line = |_| {
            Watch::kind(QUOTE_LINE)
                .on(&kept)
                .fields(["discount_percent"])
        };
        let counted = counted.chain(discount.map(line));
        Watches::as_declared()
            .shape([opportunities([&SHAPED[..], &FOLLOWING].concat())])
            .guard(counted.chain([opportunities(judged.collect())]))
            .react([Watch::kind("activity")
                .on(&kept)
                .fields(["at", "opportunity", "about"])])
    }
}

impl Shape for SalesStagesPlugin {
    fn shape(context: &Context, changes: &[Change], edits: &Edits) {
        let concerned = |change: &&Change| is_kept(change, |field| SHAPED.contains(&field));
        let opportunities: Vec<_> = changes.iter().filter(concerned).collect();
        if opportunities.is_empty() {
            return;
        }
        // The guard refuses the commit when the settings are bad, and says why.
        let Ok(settings) = read_settings() else {
            return;
        };
        let history = settings.is_history(context.actor());
        for change in opportunities {
            shape_one(settings, context, change, edits, history);
        }
    }
}

fn shape_one(
    settings: &Settings,
    context: &Context,
    change: &Change,
    edits: &Edits,
    history: bool,
) {
    let today = context.now().date();
    let before = Held::alone(&change.before, today);
    let after = Held::alone(&change.after, today);
    let before = (change.operation == Operation::Update).then_some(&before as &dyn Deal);
    for (field, to) in shaping::shape(
        settings,
        &Draft {
            before,
            after: &after,
            history,
        },
    ) {
        match to {
            To::Text(text) => edits.set(change, field, text),
            To::Integer(number) => edits.set(change, field, number),
            To::Now => edits.set(change, field, context.now()),
            To::Today => edits.set(change, field, today),
            To::Empty => edits.clear(change, field),
        }
    }
}

impl Guard for SalesStagesPlugin {
    fn guard(context: &Context, changes: &[Change], findings: &Findings) {
        let concerned = |change: &&Change| {
            let is_judged = |field: &str| JUDGED.contains(&field) || change.after.is_empty(field);
            change.kind == QUOTE_LINE || is_kept(change, is_judged)
        };
        let concerned: Vec<_> = changes.iter().filter(concerned).collect();
        let Some(first) = concerned.first() else {
            return;
        };
        let settings = match read_settings() {
            Ok(settings) => settings,
            Err(failure) => return findings.refuse(*first, None, &failure.code, failure.message),
        };
        for change in concerned {
            if change.kind == QUOTE_LINE {
                let is_history = settings.is_history(context.actor());
                let approval = settings.approval.as_ref().filter(|_| !is_history);
                let asked = approval.and_then(|approval| asking::discount(approval, change));
                ask(settings, change, asked, findings);
            } else {
                guard_one(settings, context, change, changes, findings);
            }
        }
    }
}

/// Refuses what breaks a rule of an opportunity, asks approval of what needs it, and advises.
fn guard_one(
    settings: &Settings,
    context: &Context,
    change: &Change,
    changes: &[Change],
    findings: &Findings,
) {
    let history = settings.is_history(context.actor());
    let today = context.now().date();
    let stored = change.operation == Operation::Update;
    let around = Around::new(change.record(), stored, changes);
    let before = Held::alone(&change.before, today);
    let after = Held::new(&change.after, today, &around);
    let before = stored.then_some(&before as &dyn Deal);
    for found in rules::judge(settings, before, &after, history) {
        findings.refuse(change, found.field.as_deref(), &found.code, found.message);
    }
    // What is brought as it once was is nobody's to approve, and needs no advice.
    if history {
        return;
    }
    let asked = settings.approval.iter();
    let asked = asked.flat_map(|approval| asking::asked(settings, approval, before, &after));
    ask(settings, change, asked, findings);
    if let Some(late) = rules::late(settings, before, &after) {
        findings.advise(change, late.field.as_deref(), &late.code, late.message);
    }
}

/// Asks those whom the settings name.
fn ask(
    settings: &Settings,
    change: &Change,
    asked: impl IntoIterator<Item = Obstacle>,
    findings: &Findings,
) {
    let Some(approval) = &settings.approval else {
        return;
    };
    for one in asked {
        let field = one.field.as_deref();
        findings.ask_approval(change, &approval.role, field, &one.code, one.message);
    }
}

/// Whether the change makes an opportunity, or changes one in a field of a sort. What does neither
/// is passed over: most changes are of that kind.
fn is_kept(change: &Change, of_sort: impl Fn(&str) -> bool) -> bool {
    change.kind == "opportunity"
        && match change.operation {
            Operation::Create => true,
            Operation::Update => change.changed.iter().any(|field| of_sort(field)),
            Operation::Delete | Operation::Other(_) => false,
        }
}

impl React for SalesStagesPlugin {
    fn react(context: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        activity::react(context, entries, effects)
    }
}

impl SalesStages for SalesStagesPlugin {
    fn pipelines(_: &Context) -> Result<Vec<Pipeline>, Failure> {
        Ok(read_settings()?
            .pipelines
            .iter()
            .map(answers::pipeline)
            .collect())
    }

    fn standing(context: &Context, opportunity: &RecordRef) -> Result<StageStanding, Failure> {
        let settings = read_settings()?;
        let record = load(opportunity)?;
        let name = record.fields.text("pipeline");
        let pipeline = settings.pipeline(name).ok_or_else(|| {
            let name = name.unwrap_or_default();
            let message = format!("{opportunity} is in pipeline {name}, which the settings do not have: add it, or move the opportunity.");
            Failure::new("bad-settings", message)
        })?;
        Ok(answers::standing(
            settings,
            pipeline,
            &record,
            context.now(),
        ))
    }

    fn stale(context: &Context, opportunities: &[RecordRef]) -> Result<Vec<StaleItem>, Failure> {
        let settings = read_settings()?;
        let mut items = Vec::new();
        for opportunity in opportunities {
            let record = records::get(opportunity)?;
            items.extend(
                record.and_then(|record| answers::stale_item(settings, &record, context.now())),
            );
        }
        Ok(items)
    }
}

impl Action for SalesStagesPlugin {
    fn run(
        context: &Context,
        command: &str,
        arguments: &Fields,
        effects: &Effects,
    ) -> Result<Fields, Failure> {
        match (command, arguments.reference("opportunity")) {
            ("advance", Some(opportunity)) => {
                let record = load(opportunity)?;
                moving::advance(read_settings()?, &record, context.now(), effects)
            }
            ("advance", None) => Err(Failure::new("bad-argument", "Say which opportunity.")),
            _ => {
                let message = format!("There is no command {command}.");
                Err(Failure::new("unknown-command", message))
            }
        }
    }
}

impl Schedule for SalesStagesPlugin {
    fn run_job(context: &Context, run: &JobRun, effects: &Effects) -> Result<(), Failure> {
        match run.job.as_str() {
            standing_still::JOB => standing_still::run(read_settings()?, context, run, effects),
            other => Err(Failure::new(
                "unknown-job",
                format!("There is no job {other:?}."),
            )),
        }
    }
}

impl Report for SalesStagesPlugin {
    fn rows(
        context: &Context,
        report: &str,
        arguments: &Fields,
        after: Option<&str>,
    ) -> Result<ReportPage, Failure> {
        match report {
            "forecast" => report::forecast(read_settings()?, context, arguments, after),
            _ => {
                let message = format!("There is no report {report}.");
                Err(Failure::new("unknown-report", message))
            }
        }
    }
}

impl Panel for SalesStagesPlugin {
    fn show(
        context: &Context,
        panel: &str,
        about: Option<&RecordRef>,
    ) -> Result<Option<Card>, Failure> {
        match (panel, about) {
            ("stage", Some(opportunity)) => {
                let record = load(opportunity)?;
                Ok(cards::stage(read_settings()?, &record, context.now()))
            }
            ("stale", None) => cards::stale(read_settings()?, context.now()),
            _ => {
                let message = format!("There is no panel {panel}.");
                Err(Failure::new("unknown-panel", message))
            }
        }
    }
}

fn load(opportunity: &RecordRef) -> Result<Record, Failure> {
    let found = records::get(opportunity)?;
    found.ok_or_else(|| Failure::new("not-found", format!("There is no {opportunity}.")))
}

fn read_settings() -> Result<&'static Settings, Failure> {
    SETTINGS.get().map_err(|faults| {
        let message = format!(
            "The settings of sales-stages cannot be used: {faults}. Mend them with `kjerne plugin settings sales-stages`."
        );
        Failure::new("bad-settings", message)
    })
}
