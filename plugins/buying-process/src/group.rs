//! Reads what is known of an opportunity's buying group.

use kjerne_sdk::{Failure, Fields, Instant, Record, RecordRef, records};

use crate::settings::Settings;
use crate::situation::{Person, Row, Situation, State};

/// The most records of a kind that are looked at.
const MOST: u32 = 200;

/// The stakeholders and buying jobs of an opportunity.
pub struct Group {
    people: Vec<Record>,
    rows: Vec<Record>,
}

impl Group {
    /// Reads the group of an opportunity.
    ///
    /// # Errors
    /// What the kernel says when a read fails.
    pub fn read(opportunity: &RecordRef) -> Result<Self, Failure> {
        let related = |kind| records::related(opportunity, kind, "opportunity", MOST);
        Ok(Self {
            people: related("stakeholder")?,
            rows: related("buying_job")?,
        })
    }

    /// Whether nobody has said anything about the customer's side.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.rows.is_empty()
    }

    /// When a job last changed or somebody was last met.
    fn heard(&self) -> Option<Instant> {
        let changes = self
            .rows
            .iter()
            .filter_map(|row| row.fields.instant("state_since"));
        let contacts = self
            .people
            .iter()
            .filter_map(|person| person.fields.date("last_contact"));
        changes.chain(contacts.map(Instant::at_midnight)).max()
    }
}

/// What is known of an opportunity with its group, as of now.
///
/// # Errors
/// What the kernel says when a read fails.
pub fn read_situation(
    settings: &Settings,
    opportunity: &Record,
    group: &Group,
    now: Instant,
) -> Result<Situation, Failure> {
    let fields = &opportunity.fields;
    let recent_days = settings.no_decision.get("silence_full_days");
    let heard = [
        fields.instant("last_activity_at"),
        last_activity(&opportunity.reference(), now, recent_days)?,
        group.heard(),
    ];
    let heard = heard
        .into_iter()
        .flatten()
        .filter(|heard| *heard <= now)
        .max();
    let begun = fields
        .instant("opened_at")
        .or(fields.instant("stage_since"));
    Ok(Situation {
        now: now.millis(),
        pipeline: fields.text("pipeline").map(str::to_owned),
        stage: fields.text("stage").map(str::to_owned),
        probability: fields.integer("probability"),
        employees: employees(fields)?,
        begun: begun.map(Instant::millis),
        heard: heard.map(Instant::millis),
        people: group.people.iter().map(person).collect(),
        rows: group.rows.iter().map(row).collect(),
    })
}

fn employees(fields: &Fields) -> Result<Option<i64>, Failure> {
    let Some(account) = fields.reference("account") else {
        return Ok(None);
    };
    Ok(records::get(account)?.and_then(|account| account.fields.integer("employees")))
}

/// When the last activity of the opportunity took place; those planned for later do not count. A
/// busy opportunity has more of them than one answer holds, so the recent ones are asked for first.
fn last_activity(
    opportunity: &RecordRef,
    now: Instant,
    recent_days: i64,
) -> Result<Option<Instant>, Failure> {
    let since = now.plus_days(-recent_days);
    let recent = format!(
        "opportunity eq '{}' and at ge {since} and at le {now}",
        opportunity.id
    );
    let recent = records::query("activity")
        .filter(recent)
        .limit(MOST)
        .run()?;
    let times = |found: &[Record]| {
        found
            .iter()
            .filter_map(|activity| activity.fields.instant("at"))
            .filter(|at| *at <= now)
            .max()
    };
    match times(&recent.records) {
        Some(at) => Ok(Some(at)),
        None => Ok(times(&records::related(
            opportunity,
            "activity",
            "opportunity",
            MOST,
        )?)),
    }
}

fn person(record: &Record) -> Person {
    let text = |name| record.fields.text(name).map(str::to_owned);
    Person {
        id: record.id.clone(),
        role: text("role").unwrap_or_default(),
        influence: text("influence"),
        attitude: text("attitude"),
    }
}

fn row(record: &Record) -> Row {
    let fields = &record.fields;
    Row {
        job: fields.text("job").unwrap_or_default().to_owned(),
        person: fields
            .reference("stakeholder")
            .map(|person| person.id.clone()),
        state: State::named(fields.text("state").unwrap_or_default()),
        validated: fields.flag("validated").unwrap_or(false),
        agrees: fields.flag("agrees"),
        evidence: fields
            .reference("evidence")
            .map(|activity| activity.id.clone()),
        noted: fields.text("evidence_note").is_some(),
        reopened: fields.integer("reopened_times").unwrap_or(0),
    }
}
