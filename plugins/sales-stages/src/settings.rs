//! The settings as a whole, as the administrator wrote them.

use kjerne_sdk::settings::{self, Faults, Section};

use crate::approval::Approval;
use crate::forecast::Forecast;
use crate::pipeline::{Pipeline, Stage, twice};

/// What is asked for about opportunities that stand still.
#[derive(Clone, Copy, Debug)]
pub struct StandingStill {
    /// Days from the run until a task is due.
    pub due_in_days: i32,
    /// Tasks made in one run.
    pub most: usize,
}

impl StandingStill {
    /// Reads the `[standing_still]` table; without it no task is made.
    fn read(section: &Section<'_>) -> Self {
        let number = |key, range, otherwise| section.number(key, range).unwrap_or(otherwise);
        let read = Self {
            due_in_days: number("due_in_days", 0..=60, 2) as i32,
            most: number("most", 1..=200, 50) as usize,
        };
        section.finish();
        read
    }
}

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
    /// The weekly tasks for opportunities that stand still; none: no tasks.
    pub standing_still: Option<StandingStill>,
    /// Whose approval changes need.
    pub approval: Option<Approval>,
    /// The pipelines, in the order they are shown.
    pub pipelines: Vec<Pipeline>,
}

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every fault with its line.
    pub fn load() -> Result<Self, Faults> {
        settings::load().read(Self::read_root)
    }

    /// The stages of all pipelines.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.pipelines.iter().flat_map(|pipeline| &pipeline.stages)
    }

    /// Reads all of a document; an empty one means the default one.
    #[cfg(test)]
    pub fn read(text: &str) -> Result<Self, String> {
        let text = if text.is_empty() {
            include_str!("../settings.toml")
        } else {
            text
        };
        let read = kjerne_sdk::testing::settings(text)?.read(Self::read_root);
        read.map_err(|faults| faults.to_string())
    }

    fn read_root(root: &Section<'_>) -> Self {
        let sections = root.sections("pipeline");
        let names: Vec<_> = sections
            .iter()
            .map(|section| section.name("name"))
            .collect();
        if names.is_empty() {
            root.fault("there is no [[pipeline]]");
        }
        if let Some(name) = twice(names.iter()) {
            let last = names.iter().rposition(|one| one == name);
            let section = last.and_then(|place| sections.get(place)).unwrap_or(root);
            section.fault(format_args!("pipeline {name} is there twice"));
        }
        let default_pipeline = root.text("default_pipeline").or(names.first().cloned());
        let default_pipeline = default_pipeline.unwrap_or_default();
        if !names.contains(&default_pipeline) {
            root.fault_at(
                "default_pipeline",
                format_args!("default_pipeline {default_pipeline} is not a pipeline"),
            );
        }
        let read = |(section, name): (Section<'_>, String)| Pipeline::read(&section, name);
        let settings = Self {
            pipelines: sections.into_iter().zip(names).map(read).collect(),
            default_pipeline,
            history_actors: root
                .actors("history_actors")
                .unwrap_or_else(|| vec!["system:import".to_owned()]),
            own_forecast: root.flag("own_forecast", false),
            activity_is_movement: root.flag("activity_is_movement", true),
            forecast: Forecast::read(root.section("forecast")),
            standing_still: root
                .section("standing_still")
                .as_ref()
                .map(StandingStill::read),
            approval: Approval::read(root.section("approval")),
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
