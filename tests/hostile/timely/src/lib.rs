//! Makes a task of each run of its jobs, or fails as its settings say.

use kjerne_sdk::prelude::*;

struct Plugin;

impl Schedule for Plugin {
    fn run_job(context: &Context, run: &JobRun, effects: &Effects) -> Result<(), Failure> {
        let text = settings::text();
        if text.contains("panic") {
            panic!("as the settings say");
        }
        if text.contains(&format!("fail {}", run.job)) {
            return Err(Failure::new("as-told", "It failed as its settings say."));
        }
        if text.contains("rest") && run.job == "minutely" {
            return Ok(());
        }
        let runs = state::get("runs")?.and_then(|bytes| bytes.first().copied());
        let runs = runs.unwrap_or_default().saturating_add(1);
        state::set("runs", [runs])?;
        let (job, due, missed) = (&run.job, run.due, run.missed);
        let subject = format!(
            "{job} {due} missed {missed} by {} run {runs}",
            context.actor()
        );
        effects.create(
            "task",
            [("subject", subject.into()), ("status", "open".into())],
        )?;
        Ok(())
    }
}

kjerne_sdk::plugin!(Plugin: schedule);
