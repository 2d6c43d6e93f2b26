//! Joins what the contract exports for people to see with the SDK's traits. Only [`plugin!`](crate::plugin)
//! uses it.

use crate::bindings::imports::kjerne::crm::types as raw;
use crate::bindings::{panel, report, scoring};
use crate::contract::{Card, Failure, Field, RecordRef, ReportPage, ScoredRecord};
use crate::fields::Fields;
use crate::glue::{Bridge, begin};
use crate::screen_roles::{Panel, Report, Scoring};

impl<T: Report> report::exports::kjerne::crm::report::Guest for Bridge<T> {
    fn rows(
        context: &raw::CallContext,
        report: String,
        arguments: Vec<Field>,
        after: Option<String>,
    ) -> Result<ReportPage, Failure> {
        let arguments = Fields::from(arguments);
        T::rows(&begin(context), &report, &arguments, after.as_deref())
    }
}

impl<T: Panel> panel::exports::kjerne::crm::panel::Guest for Bridge<T> {
    fn show(
        context: &raw::CallContext,
        panel: String,
        about: Option<RecordRef>,
    ) -> Result<Option<Card>, Failure> {
        T::show(&begin(context), &panel, about.as_ref())
    }
}

impl<T: Scoring> scoring::exports::kjerne::crm::scoring::Guest for Bridge<T> {
    fn score(
        context: &raw::CallContext,
        subjects: Vec<RecordRef>,
    ) -> Result<Vec<ScoredRecord>, Failure> {
        T::score(&begin(context), &subjects)
    }
}
