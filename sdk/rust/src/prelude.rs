//! What nearly every plugin needs: `use kjerne_sdk::prelude::*;`.

pub use crate::change::{Change, Context, Edit, Entry, Operation, Record};
pub use crate::contract::{
    Answer, Assessment, CaseTarget, Decimal, Failure, InboundMessage, JobAssessment,
    JobDescription, Missing, Money, Move, NextAction, Obstacle, OutboundMessage, Pipeline,
    RecordRef, Stage, StageStanding, StaleItem, TriageResult, Value,
};
pub use crate::effects::Effects;
pub use crate::fields::Fields;
pub use crate::prepared::Prepared;
pub use crate::roles::{
    Action, BuyingProcess, Guard, Integration, JobRun, Prepare, React, SalesStages, Schedule,
    ServiceRules, Shape,
};
pub use crate::shaping::{Edits, Findings};
pub use crate::time::{Date, Instant};
pub use crate::watches::{Watch, Watches};
pub use crate::zone::{Local, Zone};
pub use crate::{log, records, settings, state};

pub use crate::contract::{
    Card, Chart, Figure, Rating, ReportPage, ScorePart, ScoredRecord, Table, Verdict,
};
pub use crate::screen_roles::{Panel, Report, Scoring};
