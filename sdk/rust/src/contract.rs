//! The contract's own types, by the names plugins know them by.

pub use crate::bindings::buying_process::exports::kjerne::crm::buying_process::{
    Assessment, JobAssessment, JobDescription, Missing, NextAction,
};
pub use crate::bindings::imports::kjerne::crm::types::{
    Decimal, Failure, Field, Money, OutboundMessage, RecordRef, Value,
};
pub use crate::bindings::integration::exports::kjerne::crm::integration::{Answer, InboundMessage};
pub use crate::bindings::prepare::exports::kjerne::crm::prepare::{
    RoleWatches, SettingsFault, Watch,
};
pub use crate::bindings::sales_stages::exports::kjerne::crm::sales_stages::{
    Move, Obstacle, Pipeline, Stage, StageStanding, StaleItem,
};
pub use crate::bindings::service_rules::exports::kjerne::crm::service_rules::{
    CaseTarget, TriageResult,
};

pub use crate::bindings::panel::exports::kjerne::crm::panel::{
    Card, CardAction, Chart, Column as TableColumn, Figure, Point, Series, Table,
};
pub use crate::bindings::report::exports::kjerne::crm::report::Page as ReportPage;
pub use crate::bindings::scoring::exports::kjerne::crm::scoring::{
    Rating, ScorePart, ScoredRecord, Verdict,
};
