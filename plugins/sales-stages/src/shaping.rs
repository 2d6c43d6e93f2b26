//! What follows from where an opportunity stands: the fields the plugin keeps by itself.

use crate::criterion::Deal;
use crate::forecast::Risks;
use crate::pipeline::{Outcome, Pipeline, Stage};
use crate::rules::{has_moved, stage_in};
use crate::settings::Settings;

/// What a field is set to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// This text.
    Text(String),
    /// This number.
    Integer(i64),
    /// The time of the commit.
    Now,
    /// The day of the commit.
    Today,
    /// Nothing.
    Empty,
}

/// One field and what it is set to.
pub type Edit = (&'static str, To);

/// One opportunity being created or updated.
pub struct Draft<'a> {
    /// The record before; none for a create.
    pub before: Option<&'a dyn Deal>,
    /// The record as it would be stored.
    pub after: &'a dyn Deal,
    /// Whether somebody brings it as it once was.
    pub history: bool,
}

/// What the plugin sets.
pub fn shape(settings: &Settings, draft: &Draft<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    let named = draft.after.text("pipeline");
    let Some(pipeline) = settings.pipeline(named.as_deref()) else {
        return edits;
    };
    if named.is_none() {
        edits.push(("pipeline", To::Text(pipeline.name.clone())));
    }
    let Some((stage, given)) = draft.stage(pipeline) else {
        return edits;
    };
    if !given {
        edits.push(("stage", To::Text(stage.name.clone())));
    }
    let moved = !given
        || draft
            .before
            .is_none_or(|before| has_moved(before, draft.after));
    if moved {
        edits.extend(draft.entered(settings, pipeline, stage));
    }
    edits.extend(draft.forecast(settings, pipeline, stage, moved));
    edits
}

impl Draft<'_> {
    /// The stage it will be in, and whether the change says so itself. The first of the pipeline
    /// stands in for none, and for one that the new pipeline does not have.
    fn stage<'a>(&self, pipeline: &'a Pipeline) -> Option<(&'a Stage, bool)> {
        let Some(name) = self.after.text("stage") else {
            return pipeline
                .stages
                .first()
                .filter(|_| self.before.is_none())
                .map(|stage| (stage, false));
        };
        if let Some(stage) = pipeline.stage(&name) {
            return Some((stage, true));
        }
        let other_pipeline = self.changed("pipeline") && !self.changed("stage");
        pipeline
            .stages
            .first()
            .filter(|_| other_pipeline && self.before.is_some())
            .map(|stage| (stage, false))
    }

    fn changed(&self, field: &str) -> bool {
        self.before.and_then(|before| before.text(field)) != self.after.text(field)
    }

    /// Whether the commit itself says what this field is, and may.
    fn brings(&self, field: &str) -> bool {
        self.history && self.after.text(field).is_some() && self.changed(field)
    }

    /// The dates and reasons that follow from having moved.
    fn entered(&self, settings: &Settings, pipeline: &Pipeline, stage: &Stage) -> Vec<Edit> {
        let mut edits = Vec::new();
        if !self.brings("stage_since") {
            edits.push(("stage_since", To::Now));
        }
        if self.before.is_none() && self.after.text("opened_at").is_none() {
            edits.push(("opened_at", To::Now));
        }
        let before = self
            .before
            .and_then(|before| stage_in(pipeline, settings, before));
        let same_end = before.is_some_and(|before| before.outcome == stage.outcome);
        if stage.outcome != Outcome::Open && !same_end && !self.brings("closed_on") {
            edits.push(("closed_on", To::Today));
        }
        let over = match stage.outcome {
            Outcome::Open => &["closed_on", "lost_reason", "lost_to"][..],
            Outcome::Won => &["lost_reason", "lost_to"],
            Outcome::Lost => &[],
        };
        let filled = over.iter().filter(|field| self.after.text(field).is_some());
        edits.extend(filled.map(|field| (*field, To::Empty)));
        edits
    }

    /// The probability and category, where they are not the seller's own.
    fn forecast(
        &self,
        settings: &Settings,
        pipeline: &Pipeline,
        stage: &Stage,
        moved: bool,
    ) -> Vec<Edit> {
        let risks = risks(self.after);
        let probability = settings.forecast.probability(stage, risks);
        let category = settings.forecast.category(stage, risks);
        let mut edits = Vec::new();
        if self.after.text("probability") != Some(probability.to_string())
            && self.follows(settings, pipeline, "probability", moved)
        {
            edits.push(("probability", To::Integer(probability)));
        }
        if self.after.text("forecast_category").as_deref() != Some(category)
            && self.follows(settings, pipeline, "forecast_category", moved)
        {
            edits.push(("forecast_category", To::Text(category.to_owned())));
        }
        edits
    }

    /// Whether a forecast field follows the stage. With `own_forecast`, what a seller wrote stays
    /// until the next move: it is his when it is not what the rule gave before.
    fn follows(&self, settings: &Settings, pipeline: &Pipeline, field: &str, moved: bool) -> bool {
        if !settings.own_forecast {
            return true;
        }
        if self.changed(field) && self.after.text(field).is_some() {
            return false;
        }
        let Some(before) = self.before.filter(|_| !moved) else {
            return true;
        };
        let Some(stage) = stage_in(pipeline, settings, before) else {
            return true;
        };
        let risks = risks(before);
        let given = match field {
            "probability" => settings.forecast.probability(stage, risks).to_string(),
            _ => settings.forecast.category(stage, risks).to_owned(),
        };
        before.text(field) == Some(given)
    }
}

/// What the buying-process model wrote on the record.
pub fn risks(deal: &dyn Deal) -> Risks {
    let number = |field| {
        deal.text(field)
            .and_then(|text| text.parse().ok())
            .unwrap_or(0)
    };
    Risks {
        rework: number("rework_risk"),
        no_decision: number("no_decision_risk"),
    }
}
