//! Pipelines and stages, as the administrator wrote them.

use kjerne_sdk::settings::{self, Section};

use crate::criterion::Criterion;
use crate::forecast::Forecast;

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The pipeline of an opportunity that names none.
    pub default_pipeline: String,
    /// Who may bring opportunities as they once were, without meeting criteria.
    pub history_actors: Vec<String>,
    /// Whether a seller's own probability and forecast category stay until the next move.
    pub own_forecast: bool,
    /// Whether an activity counts as movement when stale opportunities are looked for.
    pub activity_is_movement: bool,
    /// How the customer's side lowers the forecast.
    pub forecast: Forecast,
    /// The pipelines, in the order they are shown.
    pub pipelines: Vec<Pipeline>,
}

/// One pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Its name in records.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Its stages in order.
    pub stages: Vec<Stage>,
    /// Why an opportunity may be lost; empty: any reason, also none.
    pub lost_reasons: Vec<String>,
}

/// One stage.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name in records.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Its place in the pipeline, from 1.
    pub position: u32,
    /// The chance to win, in percent.
    pub probability: u8,
    /// The forecast category.
    pub forecast: String,
    /// Whether the opportunity is open, won or lost here.
    pub outcome: Outcome,
    /// Days without movement after which it is stale.
    pub stale_after_days: Option<u32>,
    /// Fields that must have a value from here on.
    pub required: Vec<String>,
    /// What must be so to enter.
    pub entry: Vec<Criterion>,
    /// What must be so to go on.
    pub exit: Vec<Criterion>,
    /// Where one may go from here; none: anywhere in the pipeline.
    pub moves: Option<Vec<String>>,
}

/// What a stage says about the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Not decided.
    Open,
    /// We got it.
    Won,
    /// We did not, or nobody did.
    Lost,
}

impl Outcome {
    const NAMES: [&'static str; 3] = ["open", "won", "lost"];

    /// The outcome's name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    fn read(section: &Section<'_>) -> Self {
        match section.one_of("outcome", &Self::NAMES) {
            "won" => Self::Won,
            "lost" => Self::Lost,
            _ => Self::Open,
        }
    }
}

impl Settings {
    /// Reads the settings with the pipelines that are `wanted` and the default one. Of the others
    /// it takes the names only, which is most of the work of a commit saved.
    ///
    /// # Errors
    /// Every fault with its line, in one text.
    pub fn load(wanted: impl Fn(&str) -> bool) -> Result<Self, String> {
        settings::load().read(|root| Self::read_root(root, wanted))
    }

    /// Reads all of a document; an empty one means the default one.
    #[cfg(test)]
    pub fn read(text: &str) -> Result<Self, String> {
        let text = if text.is_empty() {
            include_str!("../settings.toml")
        } else {
            text
        };
        kjerne_sdk::testing::settings(text)?.read(|root| Self::read_root(root, |_| true))
    }

    fn read_root(root: &Section<'_>, wanted: impl Fn(&str) -> bool) -> Self {
        let sections = root.sections("pipeline");
        let names: Vec<_> = sections
            .iter()
            .map(|section| section.needed_text("name"))
            .collect();
        if names.is_empty() {
            root.fault("there is no [[pipeline]]");
        }
        if let Some(name) = twice(names.iter()) {
            root.fault(format_args!("pipeline {name} is there twice"));
        }
        let default_pipeline = root.text("default_pipeline").or(names.first().cloned());
        let default_pipeline = default_pipeline.unwrap_or_default();
        if !names.contains(&default_pipeline) {
            root.fault(format_args!(
                "default_pipeline {default_pipeline} is not a pipeline"
            ));
        }
        let read = |(section, name): (Section<'_>, String)| {
            let whole = name == default_pipeline || wanted(&name);
            if whole {
                Pipeline::read(&section, name)
            } else {
                Pipeline::named(name)
            }
        };
        let settings = Self {
            pipelines: sections.into_iter().zip(names).map(read).collect(),
            default_pipeline,
            history_actors: root
                .texts("history_actors")
                .unwrap_or_else(|| vec!["system:import".to_owned()]),
            own_forecast: root.flag("own_forecast", false),
            activity_is_movement: root.flag("activity_is_movement", true),
            forecast: Forecast::read(root.section("forecast")),
        };
        root.finish();
        settings
    }

    /// The pipeline with this name; the default one for no name.
    pub fn pipeline(&self, name: Option<&str>) -> Option<&Pipeline> {
        let name = name.unwrap_or(&self.default_pipeline);
        self.pipelines.iter().find(|pipeline| pipeline.name == name)
    }

    /// Whether this actor brings history.
    pub fn is_history(&self, actor: &str) -> bool {
        self.history_actors.iter().any(|name| name == actor)
    }
}

impl Pipeline {
    /// A pipeline of which only the name matters.
    fn named(name: String) -> Self {
        Self {
            label: name.clone(),
            name,
            stages: Vec::new(),
            lost_reasons: Vec::new(),
        }
    }

    fn read(section: &Section<'_>, name: String) -> Self {
        let stages = (1..).zip(section.sections("stage"));
        let pipeline = Self {
            label: section.text("label").unwrap_or_else(|| label(&name)),
            lost_reasons: section.texts("lost_reasons").unwrap_or_default(),
            name,
            stages: stages
                .map(|(place, stage)| Stage::read(place, &stage))
                .collect(),
        };
        pipeline.check(section);
        section.finish();
        pipeline
    }

    fn check(&self, section: &Section<'_>) {
        if self
            .stages
            .first()
            .is_none_or(|stage| stage.outcome != Outcome::Open)
        {
            section.fault(format_args!(
                "pipeline {} must begin with an open stage",
                self.name
            ));
        }
        if let Some(name) = twice(self.stages.iter().map(|stage| &stage.name)) {
            section.fault(format_args!(
                "stage {name} is in pipeline {} twice",
                self.name
            ));
        }
        for stage in &self.stages {
            let strange = stage
                .moves
                .iter()
                .flatten()
                .find(|name| self.stage(name).is_none());
            if let Some(name) = strange {
                section.fault(format_args!(
                    "moves of stage {} name {name}, which is no stage of pipeline {}",
                    stage.name, self.name
                ));
            }
        }
    }

    /// The stage with this name.
    pub fn stage(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// Where one may go from a stage; from nowhere, to every stage.
    pub fn moves(&self, from: Option<&Stage>) -> Vec<&Stage> {
        let allowed = |to: &&Stage| match from {
            Some(from) => from.allows(to),
            None => true,
        };
        self.stages.iter().filter(allowed).collect()
    }
}

impl Stage {
    fn read(position: u32, section: &Section<'_>) -> Self {
        let name = section.needed_text("name");
        let outcome = Outcome::read(section);
        let (probability, forecast) = match outcome {
            Outcome::Open => (0, "pipeline"),
            Outcome::Won => (100, "won"),
            Outcome::Lost => (0, "lost"),
        };
        let criteria = |key| {
            section
                .sections(key)
                .into_iter()
                .map(|one| Criterion::read(&one))
        };
        let required = section.texts("required").unwrap_or_default();
        let needed = required.iter().map(|field| Criterion::required(field));
        let stage = Self {
            label: section.text("label").unwrap_or_else(|| label(&name)),
            name,
            position,
            probability: section
                .number("probability", 0..=100)
                .map_or(probability, small),
            forecast: section
                .text("forecast")
                .unwrap_or_else(|| forecast.to_owned()),
            outcome,
            stale_after_days: section.number("stale_after_days", 1..=3_650).map(small),
            entry: needed.chain(criteria("entry")).collect(),
            exit: criteria("exit").collect(),
            required,
            moves: section.texts("moves"),
        };
        section.finish();
        stage
    }

    /// Whether one may go from here to another stage.
    pub fn allows(&self, to: &Self) -> bool {
        match &self.moves {
            Some(moves) => moves.contains(&to.name),
            None => to.name != self.name,
        }
    }
}

/// A number whose range was checked when it was read.
fn small<T: TryFrom<i64> + Default>(number: i64) -> T {
    T::try_from(number).unwrap_or_default()
}

/// The first name that occurs twice.
fn twice<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// `problem_solving` is shown as `Problem solving`.
fn label(name: &str) -> String {
    let spaced = name.replace(['_', '-'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
