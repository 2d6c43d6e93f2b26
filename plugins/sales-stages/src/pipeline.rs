//! Pipelines and stages, as the administrator wrote them.

use kjerne_sdk::settings::Section;

use crate::criterion::{Criterion, is_own};

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
    /// The line of the settings it begins on.
    pub line: u32,
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

impl Pipeline {
    /// Reads a table of the settings.
    pub fn read(section: &Section<'_>, name: String) -> Self {
        let stages = (1..).zip(section.sections("stage"));
        let pipeline = Self {
            label: section.text("label").unwrap_or_else(|| label(&name)),
            lost_reasons: section.names("lost_reasons").unwrap_or_default(),
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
        let name = section.name("name");
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
        for field in required.iter().filter(|field| is_own(field)) {
            let message = format_args!("a stage cannot require {field}, which is no field");
            section.fault_at("required", message);
        }
        let needed = required.iter().map(|field| Criterion::required(field));
        let stage = Self {
            label: section.text("label").unwrap_or_else(|| label(&name)),
            name,
            line: section.line(),
            position,
            probability: section
                .number("probability", 0..=100)
                .map_or(probability, small),
            forecast: if section.has("forecast") {
                section.name("forecast")
            } else {
                forecast.to_owned()
            },
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
pub fn twice<'a>(names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
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
