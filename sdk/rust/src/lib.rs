//! Write a Kjerne plugin in Rust.
//!
#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

// The bindings name the SDK by its outside name, so that the same paths hold here and in a plugin.
extern crate self as kjerne_sdk;

#[doc(hidden)]
pub mod bindings;
mod cells;
mod change;
mod contract;
mod decimal;
mod effects;
mod failure;
mod fields;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod glue;
mod host;
pub mod known;
pub mod log;
mod money;
mod plugin;
pub mod prelude;
mod prepared;
mod query;
pub mod records;
mod reference;
mod roles;
#[cfg(target_family = "wasm")]
mod screen_glue;
mod screen_roles;
mod screens;
pub mod settings;
mod shaping;
pub mod state;
#[cfg(not(target_family = "wasm"))]
pub mod testing;
mod time;
mod value;
mod watches;
mod zone;

#[doc(hidden)]
pub use wit_bindgen;

pub use change::{Change, Context, Edit, Entry, Operation, Record};
pub use contract::{
    Answer, Assessment, CaseTarget, Decimal, Failure, Field, InboundMessage, JobAssessment,
    JobDescription, Missing, Money, Move, NextAction, Obstacle, OutboundMessage, Pipeline,
    RecordRef, Stage, StageStanding, StaleItem, TriageResult, Value,
};
pub use contract::{
    Card, CardAction, Chart, Figure, Point, Rating, ReportPage, ScorePart, ScoredRecord, Series,
    Table, TableColumn, Verdict,
};
pub use effects::{EffectHandle, Effects};
pub use fields::Fields;
pub use kjerne_values::{header, trim, without_exponent};
pub use prepared::Prepared;
pub use roles::{
    Action, BuyingProcess, Guard, Integration, JobRun, Prepare, React, SalesStages, Schedule,
    ServiceRules, Shape,
};
pub use screen_roles::{Panel, Report, Scoring};
pub use screens::{Cell, Row};
pub use shaping::{EditHandle, Edits, FindingHandle, Findings, Position};
pub use time::{Date, Instant};
pub use watches::{Watch, Watches};
pub use zone::{Local, Period, Zone};
