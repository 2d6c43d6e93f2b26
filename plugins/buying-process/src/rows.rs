//! The rules of a single buying job: what follows from a change of its state, and what is refused.

use crate::settings::{Proof, Rules};
use crate::situation::State;

/// A buying job as far as these rules look at it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Its own id.
    pub id: String,
    /// The opportunity's id.
    pub opportunity: String,
    /// The job's name.
    pub job: String,
    /// The stakeholder's id.
    pub stakeholder: Option<String>,
    /// The state.
    pub state: State,
    /// `validated`.
    pub validated: Option<bool>,
    /// `agrees`.
    pub agrees: Option<bool>,
    /// Whether an activity is named.
    pub evidence: bool,
    /// Whether there is a note.
    pub note: bool,
    /// `state_since`.
    pub since: Option<i64>,
    /// `reopened_times`.
    pub reopened: Option<i64>,
}

/// What a field is set to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// This state.
    State(State),
    /// This number.
    Integer(i64),
    /// This instant.
    Instant(i64),
    /// Nothing.
    Empty,
}

/// One field and what it is set to.
pub type Edit = (&'static str, To);

/// What follows from a change.
pub fn shape(before: Option<&Entry>, after: &Entry, history: bool, now: i64) -> Vec<Edit> {
    let mut edits = match before {
        None => created(after, history, now),
        Some(before) if !history && is_reopening(before, after) => reopened(before, after, now),
        Some(before) => kept(before, after, history, now),
    };
    let current = |field: &str| match field {
        "state" => Some(To::State(after.state)),
        "state_since" => after.since.map(To::Instant),
        "reopened_times" => after.reopened.map(To::Integer),
        _ => None,
    };
    edits.retain(|(field, to)| current(field) != Some(*to));
    edits
}

/// Whether a job that was done is not done any more.
fn is_reopening(before: &Entry, after: &Entry) -> bool {
    before.state == State::Done && after.state != State::Done
}

fn created(after: &Entry, history: bool, now: i64) -> Vec<Edit> {
    let first = i64::from(after.state == State::Reopened);
    let times = after.reopened.filter(|_| history).unwrap_or(first);
    let since = after.since.filter(|_| history).unwrap_or(now);
    vec![
        ("state_since", To::Instant(since)),
        ("reopened_times", To::Integer(times)),
    ]
}

/// A finished job that is not finished any more: the event the forecast listens to. What was
/// agreed and validated is taken back, unless this change says it anew.
fn reopened(before: &Entry, after: &Entry, now: i64) -> Vec<Edit> {
    let mut edits = vec![
        ("state", To::State(State::Reopened)),
        ("state_since", To::Instant(now)),
        (
            "reopened_times",
            To::Integer(before.reopened.unwrap_or(0) + 1),
        ),
    ];
    let stands = |was: Option<bool>, is: Option<bool>| was == Some(true) && is == Some(true);
    if stands(before.validated, after.validated) {
        edits.push(("validated", To::Empty));
    }
    if stands(before.agrees, after.agrees) {
        edits.push(("agrees", To::Empty));
    }
    edits
}

/// The counter and the date are the plugin's own; only history says otherwise.
fn kept(before: &Entry, after: &Entry, history: bool, now: i64) -> Vec<Edit> {
    if history {
        return Vec::new();
    }
    let since = if before.state == after.state {
        before.since
    } else {
        Some(now)
    };
    let times = before.reopened.map_or(To::Empty, To::Integer);
    let mut edits = Vec::new();
    if after.since != since {
        edits.push(("state_since", since.map_or(To::Empty, To::Instant)));
    }
    if after.reopened != before.reopened {
        edits.push(("reopened_times", times));
    }
    edits
}

/// Something to refuse.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where to look.
    pub field: &'static str,
    /// The rule's name.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a buying job is judged against.
pub trait Surroundings {
    /// The opportunity of a stakeholder; none when it cannot be seen.
    fn opportunity_of(&self, stakeholder: &str) -> Option<String>;
    /// Whether the opportunity has another entry for this job and stakeholder.
    fn has_twin(&self, entry: &Entry) -> bool;
}

/// All faults of a change.
pub fn judge(
    rules: &Rules,
    before: Option<&Entry>,
    after: &Entry,
    history: bool,
    around: &dyn Surroundings,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let renamed = before.is_none_or(|before| before.job != after.job);
    if renamed && rules.job(&after.job).is_none() {
        faults.push(unknown_job(rules, &after.job));
    }
    if !history {
        faults.extend(unproven(rules, before, after));
        faults.extend(begun_anew(before, after));
    }
    let key = |entry: &Entry| {
        (
            entry.opportunity.clone(),
            entry.job.clone(),
            entry.stakeholder.clone(),
        )
    };
    if before.is_none_or(|before| key(before) != key(after)) {
        faults.extend(elsewhere(after, around));
        faults.extend(around.has_twin(after).then(|| twin(rules, after)));
    }
    faults
}

fn unknown_job(rules: &Rules, job: &str) -> Fault {
    let names: Vec<_> = rules.jobs.iter().map(|job| job.name.as_str()).collect();
    let message = format!("There is no buying job {job}: use {}.", names.join(", "));
    Fault {
        field: "job",
        code: "unknown-job",
        message,
    }
}

/// Asked when the job becomes done, and when its proof is taken away afterwards.
fn unproven(rules: &Rules, before: Option<&Entry>, after: &Entry) -> Option<Fault> {
    let proven = |entry: &Entry| match rules.done_needs {
        Proof::Nothing => true,
        Proof::Activity => entry.evidence,
        Proof::Note => entry.evidence || entry.note,
    };
    let was_proven = before.is_none_or(|before| before.state != State::Done || proven(before));
    if after.state != State::Done || proven(after) || !was_proven {
        return None;
    }
    let wanted = match rules.done_needs {
        Proof::Activity => "name the activity that shows it as evidence",
        _ => "name the activity that shows it as evidence, or write an evidence note",
    };
    let message = format!("A finished job needs something that shows it: {wanted}.");
    Some(Fault {
        field: "evidence",
        code: "missing-evidence",
        message,
    })
}

fn begun_anew(before: Option<&Entry>, after: &Entry) -> Option<Fault> {
    let reopened = before.is_some_and(|before| before.state == State::Reopened);
    (reopened && after.state == State::NotStarted).then(|| Fault {
        field: "state",
        code: "reopened-not-unstarted",
        message: "A job that was opened again cannot be one that nobody began: set it to working or done.".to_owned(),
    })
}

fn elsewhere(after: &Entry, around: &dyn Surroundings) -> Option<Fault> {
    let home = around.opportunity_of(after.stakeholder.as_deref()?)?;
    (home != after.opportunity).then(|| Fault {
        field: "stakeholder",
        code: "stakeholder-elsewhere",
        message: "The stakeholder belongs to another opportunity: choose one of this opportunity, or add the person to it first.".to_owned(),
    })
}

fn twin(rules: &Rules, after: &Entry) -> Fault {
    let job = rules
        .job(&after.job)
        .map_or_else(|| after.job.clone(), crate::settings::Job::phrase);
    let message =
        format!("There is already an entry for {job} and this stakeholder: change that one.");
    Fault {
        field: "stakeholder",
        code: "duplicate-buying-job",
        message,
    }
}

/// A person who has the role in the opportunity already.
pub fn double() -> Fault {
    Fault {
        field: "contact",
        code: "duplicate-stakeholder",
        message: "This person has this role in the opportunity already: change that stakeholder, or give this one another role.".to_owned(),
    }
}

/// A role that the settings do not know.
pub fn judge_role(rules: &Rules, role: &str) -> Option<Fault> {
    if rules.roles.is_empty() || rules.knows_role(role) {
        return None;
    }
    let names: Vec<_> = rules.roles.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!(
        "There is no role {role} in a buying group: use {}.",
        names.join(", ")
    );
    Some(Fault {
        field: "role",
        code: "unknown-role",
        message,
    })
}
