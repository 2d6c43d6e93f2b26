//! The calls of domain models: questions whoever is bound to the interface answers.

use kjerne_core::{Call, Role};
use kjerne_model::{ParseError, Reference};
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::active::Active;
use crate::call::{Ask, only};
use crate::call_state::{CallState, Purpose};
use crate::code::found;
use crate::error::AskError;
use crate::host::Host;
use crate::outputs::{rule_name, sentence};
use crate::wit::answers;
use crate::wit::v0_2_0::{Failure, RecordRef, reference_out};
use crate::{fault, limits};
use kjerne_core::models::{Assessment, CaseTarget, Job, Pipeline, StaleItem, Standing, Triage};

/// The most opportunities in one question about stale ones.
pub const STALE_PAGE: usize = limits::STALE_PAGE.count();

impl Host {
    /// All pipelines (`sales-stages`).
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn pipelines(&self, call: &Call) -> Result<Vec<Pipeline>, AskError> {
        self.question(
            Role::SalesStages,
            call,
            |active, store, instance| {
                let guest = found(&active.code.roles.sales_stages)?.load(&mut *store, instance)?;
                guest.call_pipelines(store, only())
            },
            |list| answers::list(list, answers::pipeline),
        )
    }

    /// Where an opportunity stands and where it may go (`sales-stages`).
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn standing(&self, call: &Call, opportunity: &Reference) -> Result<Standing, AskError> {
        let opportunity = reference_out(opportunity);
        self.question(
            Role::SalesStages,
            call,
            |active, store, instance| {
                let guest = found(&active.code.roles.sales_stages)?.load(&mut *store, instance)?;
                guest.call_standing(store, only(), &opportunity)
            },
            answers::standing,
        )
    }

    /// Which opportunities have stood still for too long (`sales-stages`), asked page by page.
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn stale(
        &self,
        call: &Call,
        opportunities: &[Reference],
    ) -> Result<Vec<StaleItem>, AskError> {
        let mut items = Vec::new();
        for page in opportunities.chunks(STALE_PAGE) {
            let page: Vec<RecordRef> = page.iter().map(reference_out).collect();
            items.extend(self.question(
                Role::SalesStages,
                call,
                |active, store, instance| {
                    let role = found(&active.code.roles.sales_stages)?;
                    role.load(&mut *store, instance)?
                        .call_stale(store, only(), &page)
                },
                |list| answers::list(list, answers::stale_item),
            )?);
        }
        Ok(items)
    }

    /// The jobs of the buying process (`buying-process`).
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn jobs(&self, call: &Call) -> Result<Vec<Job>, AskError> {
        self.question(
            Role::BuyingProcess,
            call,
            |active, store, instance| {
                let guest =
                    found(&active.code.roles.buying_process)?.load(&mut *store, instance)?;
                guest.call_jobs(store, only())
            },
            |list| answers::list(list, answers::job),
        )
    }

    /// How far the customer is with an opportunity (`buying-process`).
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn assess(&self, call: &Call, opportunity: &Reference) -> Result<Assessment, AskError> {
        let opportunity = reference_out(opportunity);
        self.question(
            Role::BuyingProcess,
            call,
            |active, store, instance| {
                let guest =
                    found(&active.code.roles.buying_process)?.load(&mut *store, instance)?;
                guest.call_assess(store, only(), &opportunity)
            },
            answers::assessment,
        )
    }

    /// What the rules would make of a case (`service-rules`).
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn triage(&self, call: &Call, case: &Reference) -> Result<Triage, AskError> {
        let case = reference_out(case);
        self.question(
            Role::ServiceRules,
            call,
            |active, store, instance| {
                let guest = found(&active.code.roles.service_rules)?.load(&mut *store, instance)?;
                guest.call_triage(store, only(), &case)
            },
            answers::triage,
        )
    }

    /// How a case stands against its targets (`service-rules`).
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn targets(&self, call: &Call, case: &Reference) -> Result<Vec<CaseTarget>, AskError> {
        let case = reference_out(case);
        self.question(
            Role::ServiceRules,
            call,
            |active, store, instance| {
                let guest = found(&active.code.roles.service_rules)?.load(&mut *store, instance)?;
                guest.call_targets(store, only(), &case)
            },
            |list| answers::list(list, answers::case_target),
        )
    }

    fn question<A, B>(
        &self,
        role: Role,
        call: &Call,
        ask: impl FnOnce(
            &Active,
            &mut Store<CallState>,
            &Instance,
        ) -> wasmtime::Result<Result<A, Failure>>,
        take: impl FnOnce(A) -> Result<B, ParseError>,
    ) -> Result<B, AskError> {
        let active = self.bound_to(role).ok_or(AskError::NotBound(role))?;
        let about = Ask::new(role, Purpose::Question, call);
        let answer = self.answer(&active, about, |store, instance| {
            ask(&active, store, instance)
        })?;
        take(answer).map_err(|error| AskError::Fault(fault::bad_output(active.id(), role, &error)))
    }

    /// Asks a plugin a question, and tells what it answered or why there is no answer.
    pub(crate) fn answer<A>(
        &self,
        active: &Active,
        ask: Ask<'_>,
        work: impl FnOnce(&mut Store<CallState>, &Instance) -> wasmtime::Result<Result<A, Failure>>,
    ) -> Result<A, AskError> {
        active.sees_enough(ask.role).map_err(AskError::Fault)?;
        let done = self
            .runtime
            .call(&active.plugin, &active.code, ask, work)
            .map_err(AskError::Fault)?;
        done.answer.map_err(|failure| AskError::Failed {
            plugin: active.id().to_owned(),
            code: rule_name(&failure.code),
            message: sentence(&failure.message),
        })
    }
}
