//! Joins what the contract exports with the SDK's traits. Only [`plugin!`](crate::plugin) uses it.

use std::marker::PhantomData;

use crate::bindings::imports::kjerne::crm::types as raw;
use crate::bindings::{
    action, buying_process, guard, integration, prepare, react, sales_stages, schedule,
    service_rules, shape,
};
use crate::change::{Change, Context, Entry};
use crate::contract::{
    Answer, Assessment, CaseTarget, Failure, Field, InboundMessage, JobDescription, Pipeline,
    RecordRef, RoleWatches, SettingsFault, StageStanding, StaleItem, TriageResult,
};
use crate::fields::Fields;
use crate::host;
use crate::roles::{
    Action, BuyingProcess, Guard, Integration, JobRun, Prepare, React, SalesStages, Schedule,
    ServiceRules, Shape,
};
use crate::time::Instant;

/// Implements the exports of the contract for a plugin type.
pub struct Bridge<T>(PhantomData<T>);

pub(crate) fn begin(context: &raw::CallContext) -> Context {
    host::report_panics();
    Context::new(
        Instant::from_millis(context.now()),
        context.actor(),
        context.depth(),
    )
}

fn all_changes(changes: Vec<raw::Change>) -> Vec<Change> {
    let typed = |(index, change): (u32, raw::Change)| Change {
        index,
        kind: change.kind,
        id: change.id,
        operation: change.operation.into(),
        before: change.before.into(),
        after: change.after.into(),
        changed: change.changed,
    };
    (0..).zip(changes).map(typed).collect()
}

fn all_entries(entries: Vec<raw::JournalEntry>) -> Vec<Entry> {
    entries.into_iter().map(Entry::from).collect()
}

impl<T: Prepare> prepare::exports::kjerne::crm::prepare::Guest for Bridge<T> {
    fn prepare() -> Result<(), Vec<SettingsFault>> {
        host::report_panics();
        let prepared = T::prepare().map_err(Into::into);
        crate::known::forget();
        prepared
    }

    fn watches() -> Vec<RoleWatches> {
        host::report_panics();
        T::watches().told()
    }
}

impl<T: Shape> shape::exports::kjerne::crm::shape::Guest for Bridge<T> {
    fn shape(context: &raw::CallContext, changes: Vec<raw::Change>, edits: &raw::Edits) {
        T::shape(&begin(context), &all_changes(changes), edits);
    }
}

impl<T: Guard> guard::exports::kjerne::crm::guard::Guest for Bridge<T> {
    fn guard(context: &raw::CallContext, changes: Vec<raw::Change>, findings: &raw::Findings) {
        T::guard(&begin(context), &all_changes(changes), findings);
    }
}

impl<T: React> react::exports::kjerne::crm::react::Guest for Bridge<T> {
    fn react(
        context: &raw::CallContext,
        entries: Vec<raw::JournalEntry>,
        effects: &raw::Effects,
    ) -> Result<(), Failure> {
        T::react(&begin(context), &all_entries(entries), effects)
    }
}

impl<T: Action> action::exports::kjerne::crm::action::Guest for Bridge<T> {
    fn run(
        context: &raw::CallContext,
        command: String,
        arguments: Vec<Field>,
        effects: &raw::Effects,
    ) -> Result<Vec<Field>, Failure> {
        T::run(&begin(context), &command, &Fields::from(arguments), effects).map(Into::into)
    }
}

impl<T: SalesStages> sales_stages::exports::kjerne::crm::sales_stages::Guest for Bridge<T> {
    fn pipelines(context: &raw::CallContext) -> Result<Vec<Pipeline>, Failure> {
        T::pipelines(&begin(context))
    }

    fn standing(
        context: &raw::CallContext,
        opportunity: RecordRef,
    ) -> Result<StageStanding, Failure> {
        T::standing(&begin(context), &opportunity)
    }

    fn stale(
        context: &raw::CallContext,
        opportunities: Vec<RecordRef>,
    ) -> Result<Vec<StaleItem>, Failure> {
        T::stale(&begin(context), &opportunities)
    }
}

impl<T: BuyingProcess> buying_process::exports::kjerne::crm::buying_process::Guest for Bridge<T> {
    fn jobs(context: &raw::CallContext) -> Result<Vec<JobDescription>, Failure> {
        T::jobs(&begin(context))
    }

    fn assess(context: &raw::CallContext, opportunity: RecordRef) -> Result<Assessment, Failure> {
        T::assess(&begin(context), &opportunity)
    }
}

impl<T: ServiceRules> service_rules::exports::kjerne::crm::service_rules::Guest for Bridge<T> {
    fn triage(context: &raw::CallContext, case: RecordRef) -> Result<TriageResult, Failure> {
        T::triage(&begin(context), &case)
    }

    fn targets(context: &raw::CallContext, case: RecordRef) -> Result<Vec<CaseTarget>, Failure> {
        T::targets(&begin(context), &case)
    }

    fn escalate(
        context: &raw::CallContext,
        case: RecordRef,
        effects: &raw::Effects,
    ) -> Result<(), Failure> {
        T::escalate(&begin(context), &case, effects)
    }
}

impl<T: Schedule> schedule::exports::kjerne::crm::schedule::Guest for Bridge<T> {
    fn run_job(
        context: &raw::CallContext,
        job: String,
        due: i64,
        missed: u64,
        effects: &raw::Effects,
    ) -> Result<(), Failure> {
        let due = Instant::from_millis(due);
        T::run_job(&begin(context), &JobRun { job, due, missed }, effects)
    }
}

impl<T: Integration> integration::exports::kjerne::crm::integration::Guest for Bridge<T> {
    fn outbound(
        context: &raw::CallContext,
        entries: Vec<raw::JournalEntry>,
        effects: &raw::Effects,
    ) -> Result<(), Failure> {
        T::outbound(&begin(context), &all_entries(entries), effects)
    }

    fn answered(
        context: &raw::CallContext,
        answer: Answer,
        effects: &raw::Effects,
    ) -> Result<(), Failure> {
        T::answered(&begin(context), &answer, effects)
    }

    fn inbound(
        context: &raw::CallContext,
        message: InboundMessage,
        effects: &raw::Effects,
    ) -> Result<Vec<Field>, Failure> {
        T::inbound(&begin(context), &message, effects).map(Into::into)
    }
}
