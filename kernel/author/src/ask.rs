//! Asks a plugin what a case asks: the domain models, its reports and its panels.

use std::sync::Arc;

use kjerne_core::screens::ReportPage;
use kjerne_core::{Ask, Call, Reply};
use kjerne_host::screens::Report;
use kjerne_host::{AskError, Asked, Parameter};
use kjerne_model::{Reference, Value, parse_value};
use serde_json::{Value as Json, json};

use super::cases::{Question, Several, Texts};
use super::stage::Stage;
use kjerne_wire::{models, screens};
use kjerne_workspace::error::{Context as _, Error, Result};
use kjerne_workspace::limits::REPORT_PAGES;

/// What was answered, or why there was no answer.
pub type Answer = std::result::Result<Json, AskError>;

/// Asks one question.
pub fn answer(stage: &Stage<'_>, ask: &Ask, question: &Question) -> Result<Answer> {
    let call = Call {
        now: ask.now,
        actor: ask.actor.clone(),
        depth: 0,
        reader: Arc::new(stage.kernel.reader()?),
    };
    let about = question.about.as_ref().map(Several::list);
    let about = about.unwrap_or_default().into_iter();
    let about: Vec<Reference> = about
        .map(|alias| stage.record(alias).cloned())
        .collect::<Result<_>>()?;
    match question.function.as_str() {
        "report" => report(stage, &call, question),
        "panel" => panel(stage, &call, question, about.first()),
        _ => model(stage, &call, question, &about),
    }
}

fn model(
    stage: &Stage<'_>,
    call: &Call,
    question: &Question,
    about: &[Reference],
) -> Result<Answer> {
    let one = || {
        about
            .first()
            .with_context(|| format!("{} needs about", question.function))
    };
    let host = stage.host;
    Ok(match question.function.as_str() {
        "pipelines" => host.pipelines(call).map(|list| models::pipelines(&list)),
        "standing" => host
            .standing(call, one()?)
            .map(|standing| models::standing(&standing)),
        "stale" => host
            .stale(call, about)
            .map(|items| models::stale(&items).into()),
        "jobs" => host.jobs(call).map(|list| models::jobs(&list)),
        "assess" => host
            .assess(call, one()?)
            .map(|assessment| models::assessment(&assessment)),
        "triage" => host
            .triage(call, one()?)
            .map(|triage| models::triage(&triage)),
        "targets" => host
            .targets(call, one()?)
            .map(|list| models::targets(&list)),
        "score" => host
            .score(call, about)
            .map(|list| screens::scores(&list).into()),
        other => {
            return Err(Error::unreadable(format!(
                "there is no question {other:?}; there are pipelines, standing, stale, jobs, assess, triage, \
                 targets, score, report and panel"
            )));
        }
    })
}

/// All pages of a report, as one list of rows.
fn report(stage: &Stage<'_>, call: &Call, question: &Question) -> Result<Answer> {
    let report = named(&stage.package.manifest.reports, question, |one| &one.name)?;
    let given = arguments(stage, &report.name, &report.parameters, &question.arguments)?;
    let value = |parameter: &Parameter| {
        let found = given.iter().find(|(name, _)| *name == parameter.name);
        (
            parameter.name.clone(),
            found.and_then(|(_, value)| value.clone()),
        )
    };
    let all: Reply = report.parameters.iter().map(value).collect();
    let (mut rows, mut after) = (Vec::new(), None);
    for pages in 1..=REPORT_PAGES.value {
        let page = match next_page(stage, call, report, &all, after.as_deref()) {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            let columns: Vec<&str> = report.columns.iter().map(|one| one.name.as_str()).collect();
            let rows = screens::rows(&columns, &rows);
            return Ok(Ok(json!({ "rows": rows, "pages": pages })));
        }
    }
    let (name, most) = (&report.name, REPORT_PAGES.value);
    Err(Error::refused(format!(
        "report {name} does not end within {most} pages"
    )))
}

fn next_page(
    stage: &Stage<'_>,
    call: &Call,
    report: &Report,
    arguments: &Reply,
    after: Option<&str>,
) -> std::result::Result<ReportPage, AskError> {
    let asked = Asked {
        report: &report.name,
        arguments,
        after,
    };
    stage
        .host
        .report_page(&stage.package.manifest.id, call, asked)
}

fn panel(
    stage: &Stage<'_>,
    call: &Call,
    question: &Question,
    about: Option<&Reference>,
) -> Result<Answer> {
    let panel = named(&stage.package.manifest.panels, question, |one| &one.name)?;
    let stands = about.map_or(panel.today, |record| panel.kinds.contains(&record.kind));
    if !stands {
        return Err(Error::unreadable(format!(
            "the panel {} does not stand there: say about for one beside records, and none for one of the day",
            panel.name
        )));
    }
    let card = stage
        .host
        .card(&stage.package.manifest.id, call, &panel.name, about);
    Ok(card.map(|card| card.as_ref().map_or(Json::Null, screens::card)))
}

/// What the manifest says of the report or panel a question names.
fn named<'a, T>(all: &'a [T], question: &Question, name: fn(&T) -> &String) -> Result<&'a T> {
    let what = &question.function;
    let wanted = question.name.as_ref();
    let wanted = wanted.with_context(|| format!("{what} needs the name of one"))?;
    let found = all.iter().find(|one| name(one) == wanted);
    found.with_context(|| format!("the manifest has no {what} {wanted:?}"))
}

/// The arguments a case gives, by the types the manifest declares.
pub fn arguments(
    stage: &Stage<'_>,
    of: &str,
    parameters: &[Parameter],
    given: &Texts,
) -> Result<Reply> {
    let typed = |(name, value): (&String, &toml::Value)| {
        let parameter = parameters.iter().find(|one| one.name == *name);
        let parameter = parameter.with_context(|| format!("{of} has no parameter {name:?}"))?;
        let text = stage.text(Some(&parameter.field_type), value);
        let value: Option<Value> = match text.is_empty() {
            true => None,
            false => Some(parse_value(&parameter.field_type, &text)?),
        };
        Ok((name.clone(), value))
    };
    given.iter().map(typed).collect()
}
