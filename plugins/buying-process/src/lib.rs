//! The buying process: how far the customer is with an opportunity, who is missing, what to do next.

mod actions;
mod answers;
mod assess;
mod assessment;
mod group;
mod jobs;
mod neighbours;
mod reaction;
mod rows;
mod scoring;
mod screens;
mod settings;
mod situation;
#[cfg(test)]
mod tests;

use kjerne_sdk::prelude::*;
use kjerne_sdk::settings::Faults;

use crate::assessment::Assessment as Assessed;
use crate::neighbours::{Neighbours, entry};
use crate::rows::To;
use crate::settings::{Rules, Settings};

/// The fields that say who has which role in which opportunity.
const SEAT: [&str; 3] = ["role", "contact", "opportunity"];

/// The plugin.
pub struct BuyingProcessPlugin;

kjerne_sdk::plugin!(BuyingProcessPlugin: prepare, shape, guard, react, buying_process, panel, scoring);

static SETTINGS: Prepared<Settings> = Prepared::new(Settings::load);

impl Prepare for BuyingProcessPlugin {
    fn prepare() -> Result<(), Faults> {
        SETTINGS.prepare()
    }

    fn watches() -> Watches {
        let kept = [Operation::Create, Operation::Update];
        let judged = reaction::RELEVANT.into_iter().chain(["assessed_at"]);
        Watches::as_declared()
            .shape([Watch::kind("buying_job").on(&kept)])
            .guard([
                Watch::kind("buying_job"),
                Watch::kind("stakeholder").fields(SEAT),
            ])
            .react([
                Watch::kind("buying_job"),
                Watch::kind("stakeholder"),
                Watch::kind("activity").fields(["opportunity", "at"]),
                Watch::kind("opportunity").on(&kept).fields(judged),
            ])
    }
}

impl Shape for BuyingProcessPlugin {
    fn shape(context: &Context, changes: &[Change], edits: &Edits) {
        if !changes.iter().any(|change| is_kept(change, "buying_job")) {
            return;
        }
        // The guard refuses the commit when the settings are bad, and says why.
        let Ok(rules) = read_rules() else {
            return;
        };
        let history = rules.is_history(context.actor());
        for change in changes
            .iter()
            .filter(|change| is_kept(change, "buying_job"))
        {
            let after = entry(&change.id, &change.after);
            let before = before(change);
            for (field, to) in rows::shape(before.as_ref(), &after, history, context.now().millis())
            {
                match to {
                    To::State(state) => edits.set(change, field, state.name()),
                    To::Integer(number) => edits.set(change, field, number),
                    To::Instant(millis) => edits.set(change, field, Instant::from_millis(millis)),
                    To::Empty => edits.clear(change, field),
                }
            }
        }
    }
}

/// The buying job before an update.
fn before(change: &Change) -> Option<rows::Entry> {
    (change.operation == Operation::Update).then(|| entry(&change.id, &change.before))
}

/// Whether the change leaves a record of this kind.
fn is_kept(change: &Change, kind: &str) -> bool {
    change.kind == kind && matches!(change.operation, Operation::Create | Operation::Update)
}

/// Whether the change gives a stakeholder a role.
fn names_role(change: &Change) -> bool {
    is_kept(change, "stakeholder") && change.changed("role")
}

/// Whether the change says who has which role in which opportunity.
fn takes_seat(change: &Change) -> bool {
    is_kept(change, "stakeholder") && SEAT.iter().any(|field| change.changed(field))
}

impl Guard for BuyingProcessPlugin {
    fn guard(context: &Context, changes: &[Change], findings: &Findings) {
        let concerned = |change: &&Change| is_kept(change, "buying_job") || takes_seat(change);
        let Some(first) = changes.iter().find(concerned) else {
            return;
        };
        let rules = match read_rules() {
            Ok(rules) => rules,
            Err(failure) => return findings.refuse(first, None, &failure.code, failure.message),
        };
        let history = rules.is_history(context.actor());
        let neighbours = Neighbours::new(changes);
        for change in changes {
            for fault in judge(rules, change, history, &neighbours) {
                findings.refuse(change, Some(fault.field), fault.code, fault.message);
            }
        }
        if let Some(failure) = neighbours.failure() {
            let message = format!(
                "The neighbours of this change could not be looked into: {}.",
                failure.message
            );
            findings.refuse(first, None, "cannot-check", message);
        }
    }
}

fn judge(
    rules: &Rules,
    change: &Change,
    history: bool,
    neighbours: &Neighbours<'_>,
) -> Vec<rows::Fault> {
    if is_kept(change, "buying_job") {
        let after = entry(&change.id, &change.after);
        return rows::judge(rules, before(change).as_ref(), &after, history, neighbours);
    }
    let role = change.after.text("role").filter(|_| names_role(change));
    let unknown = role.and_then(|role| rows::judge_role(rules, role));
    let double = takes_seat(change) && neighbours.has_double(change);
    let double = double.then(rows::double);
    unknown.into_iter().chain(double).collect()
}

impl React for BuyingProcessPlugin {
    fn react(context: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        reaction::react(read_settings()?, context, entries, effects)
    }
}

impl BuyingProcess for BuyingProcessPlugin {
    fn jobs(_: &Context) -> Result<Vec<JobDescription>, Failure> {
        Ok(read_rules()?.jobs.iter().map(answers::job).collect())
    }

    fn assess(context: &Context, opportunity: &RecordRef) -> Result<Assessment, Failure> {
        let settings = read_settings()?;
        let record = load(opportunity)?;
        let group = group::Group::read(opportunity)?;
        let situation = group::read_situation(settings, &record, &group, context.now())?;
        Ok(answers::assessment(
            opportunity,
            &situation,
            &assess::assess(settings, &situation),
        ))
    }
}

impl Panel for BuyingProcessPlugin {
    fn show(
        context: &Context,
        panel: &str,
        about: Option<&RecordRef>,
    ) -> Result<Option<Card>, Failure> {
        let ("buyers", Some(opportunity)) = (panel, about) else {
            let message = format!("There is no panel {panel}.");
            return Err(Failure::new("unknown-panel", message));
        };
        let settings = read_settings()?;
        let assessed = assess_open(settings, &load(opportunity)?, context.now())?;
        Ok(assessed
            .ok()
            .map(|assessed| screens::card(settings, &assessed)))
    }
}

impl Scoring for BuyingProcessPlugin {
    fn score(context: &Context, subjects: &[RecordRef]) -> Result<Vec<ScoredRecord>, Failure> {
        let settings = read_settings()?;
        let one = |subject: &RecordRef| {
            let Some(record) = records::get(subject)? else {
                return Ok(ScoredRecord::abstained(
                    subject,
                    "There is no such opportunity.",
                ));
            };
            Ok(match assess_open(settings, &record, context.now())? {
                Ok(assessed) => ScoredRecord::rated(subject, scoring::rating(settings, &assessed)),
                Err(why) => ScoredRecord::abstained(subject, why),
            })
        };
        subjects.iter().map(one).collect()
    }
}

/// The assessment of an open opportunity whose group somebody has described, or why there is none.
fn assess_open(
    settings: &Settings,
    opportunity: &Record,
    now: Instant,
) -> Result<Result<Assessed, &'static str>, Failure> {
    if !opportunity.fields.is_empty("closed_on") {
        return Ok(Err("The opportunity is closed."));
    }
    let group = group::Group::read(&opportunity.reference())?;
    if group.is_empty() && !settings.assess_without_group {
        return Ok(Err("Nobody has said who takes part in the decision."));
    }
    let situation = group::read_situation(settings, opportunity, &group, now)?;
    Ok(Ok(assess::assess(settings, &situation)))
}

fn load(opportunity: &RecordRef) -> Result<Record, Failure> {
    let found = records::get(opportunity)?;
    found.ok_or_else(|| Failure::new("not-found", format!("There is no {opportunity}.")))
}

fn read_settings() -> Result<&'static Settings, Failure> {
    SETTINGS.get().map_err(|faults| {
        let message = format!(
            "The settings of buying-process cannot be used: {faults}. Mend them with `kjerne plugin settings buying-process`."
        );
        Failure::new("bad-settings", message)
    })
}

fn read_rules() -> Result<&'static Rules, Failure> {
    Ok(&read_settings()?.rules)
}
