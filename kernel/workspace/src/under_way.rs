//! Which jobs are running: a job runs once at a time.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// The jobs that are running, by plugin and name.
#[derive(Default)]
pub(crate) struct UnderWay(Mutex<BTreeSet<(String, String)>>);

/// A job is running, for as long as this is there.
pub(crate) struct Turn<'a> {
    jobs: &'a UnderWay,
    job: (String, String),
}

impl UnderWay {
    /// Has a job run; none when it does already.
    pub(crate) fn begin(&self, plugin: &str, job: &str) -> Option<Turn<'_>> {
        let job = (plugin.to_owned(), job.to_owned());
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = running.insert(job.clone());
        begun.then(|| Turn { jobs: self, job })
    }

    /// Whether it is running.
    pub(crate) fn has(&self, plugin: &str, job: &str) -> bool {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.contains(&(plugin.to_owned(), job.to_owned()))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut running = self.jobs.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(&self.job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_runs_once_at_a_time() {
        let jobs = UnderWay::default();
        let turn = jobs.begin("a", "daily");
        assert!(turn.is_some() && jobs.has("a", "daily"));
        assert!(jobs.begin("a", "daily").is_none());
        assert!(jobs.begin("a", "other").is_some() && jobs.begin("b", "daily").is_some());
        drop(turn);
        assert!(!jobs.has("a", "daily") && jobs.begin("a", "daily").is_some());
    }
}
