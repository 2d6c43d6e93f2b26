//! What switching a plugin on, and another version of it, mean for its jobs.

use kjerne_core::Administered;
use kjerne_host::Manifest;

use super::Administration;
use crate::error::Result;

impl Administration<'_> {
    /// A job counts from when its plugin is first switched on with it; what another version had, and this one has
    /// not, is forgotten.
    pub(super) fn jobs(&self, manifest: &Manifest) -> Result<Vec<Administered>> {
        let ended = self.runtime.ended_jobs(manifest)?.into_iter();
        let ended = ended.map(|job| Administered::JobEnds {
            plugin: manifest.id.clone(),
            job,
        });
        let begun = manifest.jobs.iter().map(|job| Administered::JobBegins {
            plugin: manifest.id.clone(),
            job: job.name.clone(),
            at: self.at,
        });
        Ok(ended.chain(begun).collect())
    }
}
