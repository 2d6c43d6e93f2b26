//! Figures of a whole workspace: the pipeline, our stages against the customer's jobs, service levels.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use kjerne_core::Reader;
use kjerne_model::{Instant, Record, Value};
use kjerne_store::{StoreError, records};

use kjerne_workspace::limits::REPORT_SCAN;

/// The figures of one stage.
#[derive(Default, Debug, Clone)]
pub struct StageFigures {
    /// Opportunities in it.
    pub count: usize,
    /// Their value in minor units, by currency.
    pub value: BTreeMap<String, i128>,
    /// Their value times their probability, in minor units, by currency.
    pub weighted: BTreeMap<String, i128>,
    /// Sum of the customers' progress, in percent, over those assessed.
    pub progress: i128,
    /// Sum of the gaps between our stage and the customers' jobs, in points.
    pub gap: i128,
    /// How many have an assessment.
    pub assessed: usize,
    /// How many of them have a high chance that nothing is decided.
    pub at_risk: usize,
}

/// How many targets of one sort were met, missed, or are still running.
#[derive(Default, Debug, Clone, Copy)]
pub struct Targets {
    /// Met.
    pub met: usize,
    /// Missed.
    pub missed: usize,
    /// Not decided yet.
    pub running: usize,
}

/// All figures that come from the records.
#[derive(Default, Debug, Clone)]
pub struct Figures {
    /// Records, by kind.
    pub records: BTreeMap<String, usize>,
    /// Open opportunities and closed ones, by stage.
    pub stages: BTreeMap<String, StageFigures>,
    /// First-response targets, by priority.
    pub first_response: BTreeMap<String, Targets>,
    /// Resolution targets, by priority.
    pub resolution: BTreeMap<String, Targets>,
    /// Escalation steps done.
    pub escalations: i64,
    /// Whether there were more records than a report reads.
    pub cut: bool,
}

/// A chance of no decision from which an opportunity is counted as at risk, in percent.
const AT_RISK: i64 = 60;

/// Reads the records of these kinds once and adds up, as of a time; of each kind up to a limit.
///
/// # Errors
/// When the store cannot be read.
pub fn figures(reader: &Reader, kinds: &[&str], now: Instant) -> Result<Figures, StoreError> {
    let mut figures = Figures::default();
    for kind in kinds {
        let mut count = 0;
        records::scan(reader, kind, None, &mut |record| {
            if count == REPORT_SCAN.count() {
                figures.cut = true;
                return ControlFlow::Break(());
            }
            count += 1;
            match *kind {
                "opportunity" => figures.add_opportunity(&record),
                "case" => figures.add_case(&record, now),
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        figures.records.insert((*kind).to_owned(), count);
    }
    Ok(figures)
}

impl StageFigures {
    /// The mean over the opportunities that have an assessment; none when none has.
    #[must_use]
    pub fn mean(&self, sum: i128) -> Option<i64> {
        (self.assessed > 0).then(|| (sum / self.assessed as i128) as i64)
    }
}

impl Figures {
    fn add_opportunity(&mut self, record: &Record) {
        let stage = record.text("stage").unwrap_or("none").to_owned();
        let figures = self.stages.entry(stage).or_default();
        figures.count += 1;
        if let Some(Value::Money(amount)) = record.get("amount") {
            let currency = amount.currency.code().to_owned();
            let probability = integer(record, "probability").unwrap_or(0);
            *figures.value.entry(currency.clone()).or_default() += i128::from(amount.minor);
            let weighted = i128::from(amount.minor) * i128::from(probability) / 100;
            *figures.weighted.entry(currency).or_default() += weighted;
        }
        if let Some(progress) = integer(record, "buying_progress") {
            figures.assessed += 1;
            figures.progress += i128::from(progress);
            figures.gap += i128::from(integer(record, "buying_gap").unwrap_or(0));
            let risk = integer(record, "no_decision_risk").unwrap_or(0);
            figures.at_risk += usize::from(risk >= AT_RISK);
        }
    }

    fn add_case(&mut self, record: &Record, now: Instant) {
        let priority = record.text("priority").unwrap_or("none").to_owned();
        let first = self.first_response.entry(priority.clone()).or_default();
        first.add(record, "first_response_met", "first_response_due", now);
        let resolution = self.resolution.entry(priority).or_default();
        resolution.add(record, "resolution_met", "resolution_due", now);
        let level = integer(record, "escalation_level").unwrap_or(0);
        self.escalations = self.escalations.saturating_add(level);
    }
}

impl Targets {
    fn add(&mut self, record: &Record, met: &str, due: &str, now: Instant) {
        match (record.get(met), record.get(due)) {
            (Some(Value::Flag(true)), _) => self.met += 1,
            (Some(Value::Flag(false)), _) => self.missed += 1,
            (_, Some(Value::Instant(due))) if *due < now => self.missed += 1,
            _ => self.running += 1,
        }
    }
}

fn integer(record: &Record, field: &str) -> Option<i64> {
    match record.get(field) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}
