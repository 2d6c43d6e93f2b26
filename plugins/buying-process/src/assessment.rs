//! The assessment as a whole, as far as it is known: progress, gap to our own stage, the two risks,
//! what to do.

use crate::jobs::{Gap, Standing, share};
use crate::settings::{Job, Settings};

/// How far the customer is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assessment {
    /// Each job.
    pub jobs: Vec<Standing>,
    /// How far the group is, in percent of its jobs.
    pub progress: i64,
    /// How far we are, in percent.
    pub ours: i64,
    /// We less they.
    pub gap: i64,
    /// The chance that a finished job is opened again.
    pub rework: i64,
    /// The chance that the group decides nothing.
    pub no_decision: i64,
    /// Whether a job is open again while we are far on.
    pub late: bool,
    /// How many people the group is expected to have.
    pub expected_people: i64,
    /// Whole days since something was heard.
    pub silent_days: i64,
    /// What to do, best first.
    pub actions: Vec<NextAction>,
}

/// Something worth doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NextAction {
    /// Whom it is about, when it is one person.
    pub person: Option<String>,
    /// The job it serves; empty when it serves all.
    pub job: String,
    /// What to do.
    pub action: String,
    /// Why.
    pub reason: String,
    /// Higher comes first.
    pub weight: i64,
}

impl Assessment {
    /// The jobs of their own that somebody has begun.
    pub fn begun<'a>(&'a self, settings: &'a Settings) -> impl Iterator<Item = &'a Standing> {
        let own = |(job, standing): (&Job, &'a Standing)| {
            (job.measures.is_none() && standing.is_begun()).then_some(standing)
        };
        settings.rules.jobs.iter().zip(&self.jobs).filter_map(own)
    }

    /// The mean validation and consensus of the jobs begun.
    pub fn ground(&self, settings: &Settings) -> (i64, i64) {
        let validation = share(self.begun(settings).map(|job| (1, job.validation)));
        let consensus = share(self.begun(settings).map(|job| (1, job.consensus)));
        (validation, consensus)
    }

    /// The roles nobody has in the jobs begun.
    pub fn empty_roles<'a>(&'a self, settings: &'a Settings) -> Vec<&'a str> {
        let missing = self.begun(settings).flat_map(|job| &job.missing);
        let mut roles: Vec<_> = missing
            .filter(|one| one.gap == Gap::Nobody)
            .map(|one| one.role.as_str())
            .collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}
