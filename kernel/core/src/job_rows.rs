//! How far a job has come, as what is stored rests on it, and the names under which its runs are parked.

use kjerne_store::{JobRow, StoreError, jobs};

use kjerne_query::Reader;

/// How far a job had come when a run of it was decided on.
pub(crate) struct Kept {
    pub(crate) plugin: String,
    pub(crate) job: String,
    pub(crate) row: JobRow,
}

impl Kept {
    /// Whether it has come no further. The run's transaction depends on what is read here.
    pub(crate) fn holds(&self, reader: &Reader) -> Result<bool, StoreError> {
        let now = jobs::get(reader, &self.plugin, &self.job)?;
        Ok(now.as_ref() == Some(&self.row))
    }
}

/// The word in front of a job's name in the role under which a run of it is parked.
const PARKED: &str = "schedule:";

/// The role under which a run of a job is parked: one of each job at most.
#[must_use]
pub fn parked_role(job: &str) -> String {
    format!("{PARKED}{job}")
}

/// The job whose run is parked under a role.
#[must_use]
pub fn parked_job(role: &str) -> Option<&str> {
    role.strip_prefix(PARKED)
}
