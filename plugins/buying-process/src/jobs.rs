//! The assessment of one job: who is concerned, how far they are, what is borne out, who agrees.

use crate::settings::{Job, Measured, Settings};
use crate::situation::{Person, Row, Situation, State};

/// How a job stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The job's name.
    pub job: String,
    /// Its state as a whole.
    pub state: State,
    /// How far it is, in percent.
    pub progress: i64,
    /// How much of what was said is borne out, in percent.
    pub validation: i64,
    /// How many agree, weighted by influence, in percent.
    pub consensus: i64,
    /// How often it was opened again.
    pub reopened: i64,
    /// Who is missing.
    pub missing: Vec<Missing>,
    /// The activities behind it.
    pub evidence: Vec<String>,
}

/// Somebody whose part is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The stakeholder; none when nobody has the role.
    pub person: Option<String>,
    /// The role.
    pub role: String,
    /// Why it counts as missing.
    pub reason: &'static str,
    /// Which kind of reason it is.
    pub gap: Gap,
}

/// What is missing of somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gap {
    /// Nobody has the role.
    Nobody,
    /// The person has no part in the job yet.
    Absent,
    /// The person does not agree, or has not said so.
    Consent,
}

impl Standing {
    /// Whether anything was said about the job.
    pub fn is_begun(&self) -> bool {
        self.state != State::NotStarted
    }
}

/// One voice in a job: a person, the group as one, or a role nobody has.
struct Voice<'a> {
    weight: i64,
    role: &'a str,
    person: Option<&'a Person>,
    row: Option<&'a Row>,
}

/// Assesses all jobs, in the order of the settings.
pub fn assess_jobs(settings: &Settings, situation: &Situation) -> Vec<Standing> {
    let hosts: Vec<_> = settings
        .rules
        .jobs
        .iter()
        .map(|job| assess_job(settings, situation, job))
        .collect();
    let finish = |(job, own): (&Job, &Standing)| match job.measures {
        Some(measured) => measure(settings, situation, (job, measured), own, &hosts),
        None => own.clone(),
    };
    settings.rules.jobs.iter().zip(&hosts).map(finish).collect()
}

fn assess_job(settings: &Settings, situation: &Situation, job: &Job) -> Standing {
    let voices = voices(settings, situation, job);
    let points = |row: Option<&Row>| row.map_or(0, |row| settings.progress.get(row.state.name()));
    let progress = share(voices.iter().map(|voice| (voice.weight, points(voice.row))));
    let said = voices
        .iter()
        .filter_map(|voice| Some((voice.weight, voice.row?)));
    let said = said.filter(|(_, row)| row.state != State::NotStarted);
    let rows = || situation.rows_of(&job.name);
    let mut evidence: Vec<_> = rows().filter_map(|row| row.evidence.clone()).collect();
    evidence.sort();
    evidence.dedup();
    Standing {
        job: job.name.clone(),
        state: state(settings, rows(), progress),
        progress,
        validation: share(said.map(|(weight, row)| (weight, proof(settings, row)))),
        consensus: share(
            voices
                .iter()
                .map(|voice| (voice.weight, consent(settings, voice))),
        ),
        reopened: rows().map(|row| row.reopened).sum(),
        missing: voices.iter().filter_map(missing).collect(),
        evidence,
    }
}

/// Everybody concerned with a job: those the settings expect, those who have a row, and an empty
/// chair for each role nobody has.
fn voices<'a>(settings: &'a Settings, situation: &'a Situation, job: &'a Job) -> Vec<Voice<'a>> {
    let row_of = |person: &Person| {
        situation
            .rows_of(&job.name)
            .find(|row| row.person.as_deref() == Some(&person.id))
    };
    let concerned = situation.people.iter().filter_map(|person| {
        let row = row_of(person);
        (row.is_some() || job.roles.contains(&person.role)).then(|| Voice {
            weight: weight(settings, person),
            role: &person.role,
            person: Some(person),
            row,
        })
    });
    let unknown = settings.influence.get("unknown");
    let as_one = situation
        .rows_of(&job.name)
        .filter(|row| {
            row.person
                .as_deref()
                .and_then(|id| situation.person(id))
                .is_none()
        })
        .map(|row| Voice {
            weight: unknown,
            role: "",
            person: None,
            row: Some(row),
        });
    let nobody = job
        .roles
        .iter()
        .filter(|role| !situation.has_role(role))
        .map(|role| Voice {
            weight: unknown,
            role,
            person: None,
            row: None,
        });
    concerned.chain(as_one).chain(nobody).collect()
}

/// The weight of a person's word.
pub fn weight(settings: &Settings, person: &Person) -> i64 {
    settings
        .influence
        .get(person.influence.as_deref().unwrap_or("unknown"))
}

fn state<'a>(settings: &Settings, rows: impl Iterator<Item = &'a Row>, progress: i64) -> State {
    let furthest = rows.map(|row| row.state).max().unwrap_or_default();
    match furthest {
        State::Reopened | State::NotStarted => furthest,
        _ if progress >= settings.done_from => State::Done,
        _ => State::Working,
    }
}

fn proof(settings: &Settings, row: &Row) -> i64 {
    let name = match (row.validated, row.evidence.is_some(), row.noted) {
        (true, true, _) | (true, _, true) => "validated",
        (false, true, _) => "activity",
        (true, false, false) | (false, false, true) => "note",
        (false, false, false) => return 0,
    };
    settings.evidence.get(name)
}

fn consent(settings: &Settings, voice: &Voice<'_>) -> i64 {
    match voice.row.and_then(|row| row.agrees) {
        Some(agrees) => i64::from(agrees) * 100,
        None => {
            let attitude = voice.person.and_then(|person| person.attitude.as_deref());
            attitude.map_or(0, |attitude| settings.attitude.get(attitude))
        }
    }
}

fn missing(voice: &Voice<'_>) -> Option<Missing> {
    let row = voice.row;
    let agrees = row.and_then(|row| row.agrees);
    let (reason, gap) = match (voice.person, row) {
        (None, None) => ("nobody in the group has this role", Gap::Nobody),
        (None, Some(_)) => return None,
        (Some(_), None) => ("has no part in it yet", Gap::Absent),
        (Some(_), Some(row)) if row.state == State::NotStarted => ("has not begun", Gap::Absent),
        (Some(_), Some(_)) if agrees == Some(true) => return None,
        (Some(_), Some(_)) if agrees == Some(false) => ("does not agree", Gap::Consent),
        (Some(person), Some(_)) if person.is_opposed() => ("is opposed", Gap::Consent),
        (Some(_), Some(_)) => ("has not agreed yet", Gap::Consent),
    };
    let person = voice.person.map(|person| person.id.clone());
    Some(Missing {
        person,
        role: voice.role.to_owned(),
        reason,
        gap,
    })
}

/// A job that happens within others is as far as what it measures there; where people have rows for
/// the job itself, half of its progress is theirs.
fn measure(
    settings: &Settings,
    situation: &Situation,
    (job, measured): (&Job, Measured),
    own: &Standing,
    hosts: &[Standing],
) -> Standing {
    let within = || hosts.iter().filter(|host| job.within.contains(&host.job));
    let validation = share(within().map(|host| (1, host.validation)));
    let consensus = share(within().map(|host| (1, host.consensus)));
    let begun = within().any(Standing::is_begun);
    let measured = match measured {
        _ if !begun => 0,
        Measured::Validation => validation,
        Measured::Consensus => consensus,
    };
    let has_rows = situation.rows_of(&job.name).next().is_some();
    let progress = if has_rows {
        i64::midpoint(own.progress, measured)
    } else {
        measured
    };
    let state = match own.state {
        State::Reopened => State::Reopened,
        _ if progress >= settings.done_from => State::Done,
        _ if progress > 0 || own.is_begun() => State::Working,
        _ => State::NotStarted,
    };
    Standing {
        state,
        progress,
        validation,
        consensus,
        ..own.clone()
    }
}

/// The weighted mean, in whole percent rounded to the nearest; 0 of nothing.
pub fn share(parts: impl Iterator<Item = (i64, i64)>) -> i64 {
    let (weights, points) = parts.fold((0, 0), |(weights, points), (weight, part)| {
        (weights + weight, points + weight * part)
    });
    if weights == 0 {
        0
    } else {
        (points + weights / 2) / weights
    }
}
