//! What people see of the customer's side: the panel beside an opportunity.

use kjerne_sdk::{Card, Chart, Figure, RecordRef, Table, cells};

use crate::assessment::Assessment;
use crate::settings::Settings;

/// Next best actions that stand on the card.
const MOST_ACTIONS: usize = 3;

/// The card of an opportunity: how far the group is, what it means, and what to do.
pub fn card(settings: &Settings, assessment: &Assessment) -> Card {
    let percent = |name, label, number: i64| Figure::new(name, label, number).unit("percent");
    let risk = |name, label, number: i64| {
        let trend = if number >= 60 { "bad" } else { "" };
        percent(name, label, number).trend(trend)
    };
    let ahead = if assessment.gap >= settings.actions.get("ahead_from") {
        "warning"
    } else {
        ""
    };
    let gap = Figure::new("gap", "We are ahead by", assessment.gap);
    let label = |name: &str| {
        let job = settings.rules.job(name);
        job.map_or_else(|| name.to_owned(), |job| job.label.clone())
    };
    let jobs = assessment.jobs.iter().map(|job| {
        cells![
            label(&job.job),
            job.state.name(),
            job.progress,
            job.validation,
            job.consensus
        ]
    });
    let table = Table::new("Buying jobs")
        .column("job", "Job", "text")
        .column("state", "State", "choice")
        .column("progress", "Done, %", "integer")
        .column("validation", "Borne out, %", "integer")
        .column("consensus", "Agreed, %", "integer")
        .rows(jobs);
    let points = assessment
        .jobs
        .iter()
        .map(|job| (label(&job.job), job.progress));
    Card::new("The customer's buying process")
        .figure(percent("progress", "Progress", assessment.progress))
        .figure(gap.unit("points").trend(ahead))
        .figure(risk("rework", "Risk of rework", assessment.rework))
        .figure(risk(
            "no_decision",
            "Risk of no decision",
            assessment.no_decision,
        ))
        .table(table)
        .table(next_actions(assessment))
        .chart(Chart::new("bar", "How far each job is").series("Percent", points))
}

fn next_actions(assessment: &Assessment) -> Table {
    let rows = assessment.actions.iter().take(MOST_ACTIONS).map(|one| {
        let person = one
            .person
            .as_ref()
            .map(|id| RecordRef::new("stakeholder", id));
        cells![&one.action, &one.reason, person]
    });
    Table::new("What to do next")
        .column("action", "Action", "text")
        .column("reason", "Why", "text")
        .column("stakeholder", "Stakeholder", "reference:stakeholder")
        .rows(rows)
}
