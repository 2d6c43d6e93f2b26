//! The probability and forecast category of a stage, lowered by what is known of the customer.

use crate::pipeline::{Outcome, Stage};
use kjerne_sdk::settings::Section;

/// How the risks that the buying-process model wrote on the opportunity lower the forecast.
#[derive(Clone, Debug)]
pub struct Forecast {
    rework: Cut,
    no_decision: Cut,
    downgrade_from: i64,
    downgrade: Vec<(String, String)>,
}

/// Every point of risk above `from` takes `percent` hundredths of a percent off.
#[derive(Clone, Copy, Debug)]
struct Cut {
    from: i64,
    percent: i64,
}

impl Cut {
    /// How much it takes off, in hundredths of a percent.
    fn taken(self, risk: i64) -> i64 {
        (risk.clamp(0, 100) - self.from).max(0) * self.percent
    }
}

/// The two risks, as they stand on the opportunity; 0 when nobody assessed it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Risks {
    /// The chance that a finished buying job is opened again.
    pub rework: i64,
    /// The chance that the customer decides nothing.
    pub no_decision: i64,
}

impl Forecast {
    /// Reads the `[forecast]` table; without it nothing is lowered.
    pub fn read(section: Option<Section<'_>>) -> Self {
        let Some(section) = section else {
            return Self::none();
        };
        let number = |key, otherwise| section.number(key, 0..=100).unwrap_or(otherwise);
        let forecast = Self {
            rework: Cut {
                from: number("rework_from", 40),
                percent: number("rework_cut", 100),
            },
            no_decision: Cut {
                from: number("no_decision_from", 60),
                percent: number("no_decision_cut", 50),
            },
            downgrade_from: number("downgrade_from", 60),
            downgrade: section
                .pairs("downgrade")
                .into_iter()
                .filter_map(|(from, to)| Some((from, to.into_iter().next()?)))
                .collect(),
        };
        section.finish();
        forecast
    }

    fn none() -> Self {
        let nothing = Cut {
            from: 100,
            percent: 0,
        };
        Self {
            rework: nothing,
            no_decision: nothing,
            downgrade_from: 101,
            downgrade: Vec::new(),
        }
    }

    /// The probability in a stage, rounded to the nearest percent. A stage that is won or lost is
    /// certain.
    pub fn probability(&self, stage: &Stage, risks: Risks) -> i64 {
        let full = i64::from(stage.probability);
        if stage.outcome != Outcome::Open {
            return full;
        }
        let taken = self.rework.taken(risks.rework) + self.no_decision.taken(risks.no_decision);
        (full * (10_000 - taken).max(0) + 5_000) / 10_000
    }

    /// The forecast category in a stage: one step down when a risk is high.
    pub fn category<'a>(&'a self, stage: &'a Stage, risks: Risks) -> &'a str {
        let high = risks.rework.max(risks.no_decision) >= self.downgrade_from;
        let lower = self
            .downgrade
            .iter()
            .find(|(from, _)| *from == stage.forecast);
        match lower {
            Some((_, to)) if high && stage.outcome == Outcome::Open => to,
            _ => &stage.forecast,
        }
    }
}
