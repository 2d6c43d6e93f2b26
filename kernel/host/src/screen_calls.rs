//! The calls behind what people are shown: pages of reports, cards of panels, scores. Whatever a plugin
//! answers is measured and held against its manifest here, and what does not fit is its fault.

use std::collections::BTreeSet;

use kjerne_core::screens::{Card, ReportPage, Row, ScorePart, Scored, Verdict};
use kjerne_core::{Call, Fault, Reply, Role};
use kjerne_model::{ParseError, Reference, Value};
use kjerne_package::Manifest;
use kjerne_package::screens::check_card;

use crate::active::Active;
use crate::call::{Ask, only};
use crate::call_state::Purpose;
use crate::code::found;
use crate::error::AskError;
use crate::host::Host;
use crate::meter::Passed;
use crate::wit::v0_2_0::{self as wit, RecordRef, reference_out};
use crate::wit::{answers, screens};
use crate::{fault, limits};

/// The most records in one question about scores.
pub const SCORE_PAGE: usize = limits::SCORE_PAGE.count();

/// What is asked of a report.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its name.
    pub report: &'a str,
    /// The arguments, checked against its parameters.
    pub arguments: &'a Reply,
    /// Where the page before ended, in the plugin's own words.
    pub after: Option<&'a str>,
}

/// Why an answer is not taken.
enum Wrong {
    Limit(Passed),
    Output(String),
}

impl From<ParseError> for Wrong {
    fn from(error: ParseError) -> Self {
        Self::Output(error.to_string())
    }
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Output(why)
    }
}

impl Host {
    /// A page of a plugin's report.
    ///
    /// # Errors
    /// When the plugin is not in use, has no answer, or answers what its manifest does not say.
    pub fn report_page(
        &self,
        plugin: &str,
        call: &Call,
        asked: Asked<'_>,
    ) -> Result<ReportPage, AskError> {
        let active = self.screening(plugin, Role::Report)?;
        let arguments = wit::arguments_out(asked.arguments);
        let mut ask = Ask::new(Role::Report, Purpose::Question, call);
        ask.bytes = wit::weight(&arguments);
        let page = self.answer(&active, ask, |store, instance| {
            let guest = found(&active.code.roles.report)?.load(&mut *store, instance)?;
            guest.call_rows(store, only(), asked.report, &arguments, asked.after)
        })?;
        taken(&active, Role::Report, || {
            let page = screens::report_page(page)?;
            check_page(&active.plugin.package.manifest, asked, &page)?;
            Ok(page)
        })
    }

    /// The card of a plugin's panel, about a record or the day; none when there is nothing to show.
    ///
    /// # Errors
    /// When the plugin is not in use, has no answer, or answers what its manifest does not say.
    pub fn card(
        &self,
        plugin: &str,
        call: &Call,
        panel: &str,
        about: Option<&Reference>,
    ) -> Result<Option<Card>, AskError> {
        let active = self.screening(plugin, Role::Panel)?;
        let about = about.map(reference_out);
        let ask = Ask::new(Role::Panel, Purpose::Question, call);
        let card = self.answer(&active, ask, |store, instance| {
            let guest = found(&active.code.roles.panel)?.load(&mut *store, instance)?;
            guest.call_show(store, only(), panel, about.as_ref())
        })?;
        taken(&active, Role::Panel, || {
            let Some(card) = card.map(screens::card).transpose()? else {
                return Ok(None);
            };
            let (items, bytes) = size(&card);
            within(items, limits::CARD_ITEMS)?;
            within(bytes, limits::CARD_BYTES)?;
            check_card(&card, &active.plugin.package.manifest.actions)?;
            Ok(Some(card))
        })
    }

    /// What the chances of records are (`scoring`), asked page by page; in the order of the subjects, each of
    /// which is there once.
    ///
    /// # Errors
    /// When nobody is bound, or whoever is has no answer.
    pub fn score(&self, call: &Call, subjects: &[Reference]) -> Result<Vec<Scored>, AskError> {
        let role = Role::Scoring;
        let active = self.bound_to(role).ok_or(AskError::NotBound(role))?;
        check_kinds(&active, subjects)?;
        let mut all = Vec::with_capacity(subjects.len());
        for page in subjects.chunks(SCORE_PAGE) {
            let out: Vec<RecordRef> = page.iter().map(reference_out).collect();
            let mut ask = Ask::new(role, Purpose::Question, call);
            ask.changes = page.len();
            let scored = self.answer(&active, ask, |store, instance| {
                let guest = found(&active.code.roles.scoring)?.load(&mut *store, instance)?;
                guest.call_score(store, only(), &out)
            })?;
            all.extend(taken(&active, role, || {
                in_order(page, answers::list(scored, screens::scored)?)
            })?);
        }
        Ok(all)
    }

    fn screening(&self, plugin: &str, role: Role) -> Result<std::sync::Arc<Active>, AskError> {
        self.serving_as(plugin, role)
            .ok_or_else(|| AskError::Fault(fault::absent(plugin, role)))
    }
}

/// Takes an answer, or tells and books what is wrong with it.
fn taken<T>(
    active: &Active,
    role: Role,
    take: impl FnOnce() -> Result<T, Wrong>,
) -> Result<T, AskError> {
    take().map_err(|wrong| {
        active.plugin.account.book_fault(role);
        let fault: Fault = match wrong {
            Wrong::Limit(passed) => fault::of_limit(active.id(), role, passed),
            Wrong::Output(why) => fault::bad_output(active.id(), role, &why),
        };
        AskError::Fault(fault)
    })
}

fn within(found: u64, limit: kjerne_core::limits::Limit) -> Result<(), Wrong> {
    if found <= limit.value {
        Ok(())
    } else {
        Err(Wrong::Limit(Passed::of(limit)))
    }
}

/// Holds a page against its limits and against the report as it is declared. A cursor that stays where it was
/// would go round for ever.
fn check_page(manifest: &Manifest, asked: Asked<'_>, page: &ReportPage) -> Result<(), Wrong> {
    within(page.rows.len() as u64, limits::REPORT_ROWS)?;
    within(
        rows_size(&page.rows).1 + reply_bytes(&page.more),
        limits::REPORT_BYTES,
    )?;
    if let Some(next) = page.next.as_deref() {
        within(next.len() as u64, limits::REPORT_CURSOR)?;
        if Some(next) == asked.after {
            let report = asked.report;
            return Err(
                format!("the next page of report {report} begins where this one began").into(),
            );
        }
    }
    let declared = manifest.reports.iter().find(|one| one.name == asked.report);
    let declared = declared.ok_or_else(|| format!("there is no report {}", asked.report))?;
    Ok(declared.check_rows(&page.rows)?)
}

/// The figures, rows, points and actions of a card, and the bytes of all its texts and values.
fn size(card: &Card) -> (u64, u64) {
    let (mut items, mut bytes) = (0, card.title.len() as u64 + reply_bytes(&card.more));
    let mut add = |more: (u64, u64)| {
        items += more.0;
        bytes += more.1;
    };
    for one in &card.figures {
        let texts = [&one.name, &one.label, &one.unit, &one.trend];
        add((1, texts_bytes(&texts) + maybe_bytes(one.value.as_ref())));
    }
    for table in &card.tables {
        add(rows_size(&table.rows));
        let columns = table.columns.iter();
        let columns = columns.map(|one| texts_bytes(&[&one.name, &one.label, &one.holds]));
        add((1, texts_bytes(&[&table.label]) + columns.sum::<u64>()));
    }
    for chart in &card.charts {
        add((1, texts_bytes(&[&chart.label, &chart.kind])));
        for series in &chart.series {
            let point =
                |(at, value): &(Value, _)| value_bytes(at) + maybe_bytes(Option::as_ref(value));
            let points: u64 = series.points.iter().map(point).sum();
            add((
                1 + series.points.len() as u64,
                texts_bytes(&[&series.label]) + points,
            ));
        }
    }
    for action in &card.actions {
        let arguments = reply_bytes(&action.arguments);
        add((1, texts_bytes(&[&action.action, &action.label]) + arguments));
    }
    (items, bytes)
}

fn rows_size(rows: &[Row]) -> (u64, u64) {
    let cells = rows.iter().flatten();
    (
        rows.len() as u64,
        cells.map(|cell| maybe_bytes(cell.as_ref())).sum(),
    )
}

fn texts_bytes(texts: &[&String]) -> u64 {
    texts.iter().map(|text| text.len() as u64).sum()
}

fn reply_bytes(reply: &Reply) -> u64 {
    let one =
        |(name, value): &(String, Option<Value>)| name.len() as u64 + maybe_bytes(value.as_ref());
    reply.iter().map(one).sum()
}

fn maybe_bytes(value: Option<&Value>) -> u64 {
    value.map_or(0, value_bytes)
}

/// About how many bytes a value is when it is shown.
fn value_bytes(value: &Value) -> u64 {
    match value {
        Value::Text(text) => text.len() as u64,
        Value::Choices(choices) => choices.iter().map(|one| one.len() as u64 + 1).sum(),
        Value::Reference(to) => to.kind.len() as u64 + 37,
        _ => 16,
    }
}

/// Refuses to ask about a record of a kind that the manifest does not name; without names, it scores all.
fn check_kinds(active: &Active, subjects: &[Reference]) -> Result<(), AskError> {
    let kinds = active.plugin.package.manifest.roles.get(&Role::Scoring);
    let scores = |kind| kinds.is_none_or(|kinds| kinds.is_empty() || kinds.contains(kind));
    let Some(other) = subjects.iter().find(|subject| !scores(&subject.kind)) else {
        return Ok(());
    };
    let known: Vec<&str> = kinds
        .into_iter()
        .flatten()
        .map(kjerne_model::Name::as_str)
        .collect();
    let (kind, known) = (&other.kind, known.join(", "));
    Err(AskError::Failed {
        plugin: active.id().to_owned(),
        code: "not-found".to_owned(),
        message: format!("it scores no {kind}; it scores {known}"),
    })
}

/// The answers in the order of the subjects. One that is missing, there twice or about something else makes the
/// whole page worthless: nobody could tell whose score is whose.
fn in_order(subjects: &[Reference], scored: Vec<Scored>) -> Result<Vec<Scored>, Wrong> {
    let mut left: std::collections::BTreeMap<Reference, Scored> = std::collections::BTreeMap::new();
    let asked: BTreeSet<&Reference> = subjects.iter().collect();
    for one in scored {
        check_score(&one)?;
        let subject = one.subject.clone();
        if !asked.contains(&subject) {
            return Err(format!("it scored {subject}, which nobody asked about").into());
        }
        if left.insert(subject.clone(), one).is_some() {
            return Err(format!("it scored {subject} twice").into());
        }
    }
    let find = |subject: &Reference| {
        let found = left.get(subject).cloned();
        found.ok_or_else(|| format!("it did not score {subject}, which it was asked about").into())
    };
    subjects.iter().map(find).collect()
}

fn check_score(scored: &Scored) -> Result<(), Wrong> {
    let subject = &scored.subject;
    let sentence = |text: &str| within(text.len() as u64, limits::SENTENCE);
    match &scored.verdict {
        Verdict::Abstained(reason) if reason.trim().is_empty() => {
            Err(format!("it abstained from {subject} without a reason").into())
        }
        Verdict::Abstained(reason) => sentence(reason),
        Verdict::Score { points, .. } if *points > 100 => {
            Err(format!("it scored {subject} with {points}; a score is 0 to 100").into())
        }
        Verdict::Score { parts, more, .. } => {
            within(parts.len() as u64, limits::SCORE_PARTS)?;
            within(reply_bytes(more), limits::SENTENCE)?;
            let mut parts = parts.iter();
            parts.try_for_each(|ScorePart { name, reason, .. }| {
                within(name.len() as u64, limits::RULE_NAME)?;
                sentence(reason)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kjerne_model::{Name, RecordId};

    fn subject(number: u128) -> Reference {
        Reference::new(
            Name::new("opportunity").unwrap(),
            RecordId::from_bytes(number.to_be_bytes()),
        )
    }

    fn scored(number: u128, points: u8, parts: usize) -> Scored {
        let part = ScorePart {
            name: "progress".to_owned(),
            weight: 1,
            reason: "far on".to_owned(),
        };
        let verdict = Verdict::Score {
            points,
            parts: vec![part; parts],
            more: Reply::new(),
        };
        Scored {
            subject: subject(number),
            verdict,
        }
    }

    fn abstained(reason: &str) -> Scored {
        Scored {
            subject: subject(1),
            verdict: Verdict::Abstained(reason.to_owned()),
        }
    }

    fn told(wrong: Wrong) -> String {
        match wrong {
            Wrong::Limit(passed) => passed.limit.to_owned(),
            Wrong::Output(why) => why,
        }
    }

    #[test]
    fn each_subject_is_answered_once_and_in_order() {
        let subjects = [subject(1), subject(2)];
        let both = vec![scored(2, 100, 0), scored(1, 0, 0)];
        let taken = in_order(&subjects, both).ok().unwrap();
        assert_eq!(
            [&taken[0].subject, &taken[1].subject],
            [&subject(1), &subject(2)]
        );
        for (answers, expected) in [
            (vec![scored(1, 5, 0)], "did not score"),
            (
                vec![scored(1, 5, 0), scored(1, 5, 0), scored(2, 5, 0)],
                "twice",
            ),
            (
                vec![scored(1, 5, 0), scored(2, 5, 0), scored(3, 5, 0)],
                "nobody asked",
            ),
            (vec![scored(1, 101, 0), scored(2, 5, 0)], "0 to 100"),
            (vec![abstained(" "), scored(2, 5, 0)], "without a reason"),
        ] {
            let told = told(in_order(&subjects, answers).err().unwrap());
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn a_score_is_taken_to_the_number_and_not_beyond() {
        let (most, sentence) = (limits::SCORE_PARTS.count(), limits::SENTENCE.count());
        let limit = |one: &Scored| check_score(one).err().map(told);
        assert_eq!(limit(&scored(1, 5, most)), None);
        assert_eq!(
            limit(&scored(1, 5, most + 1)).as_deref(),
            Some("score-parts")
        );
        assert_eq!(limit(&abstained(&"x".repeat(sentence))), None);
        let long = abstained(&"x".repeat(sentence + 1));
        assert_eq!(limit(&long).as_deref(), Some("sentence"));
    }

    fn manifest() -> Manifest {
        let text = r#"
            id = "r"
            version = "0.1.0"
            contract = "0.2.0"
            [roles.report]
            [[report]]
            name = "sums"
            columns = [{ name = "month", type = "text" }, { name = "count", type = "integer" }]
        "#;
        Manifest::parse(text).unwrap()
    }

    #[test]
    fn a_page_is_held_against_its_limits_and_its_columns() {
        let row = |text: &str| vec![Some(Value::Text(text.to_owned())), Some(Value::Integer(1))];
        let page = |rows: Vec<Row>, next: Option<&str>| ReportPage {
            rows,
            next: next.map(str::to_owned),
            more: Reply::new(),
        };
        let check = |page: &ReportPage, report, after| {
            let asked = Asked {
                report,
                arguments: &Reply::new(),
                after,
            };
            check_page(&manifest(), asked, page).err().map(told)
        };
        let most = limits::REPORT_ROWS.count();
        let bytes = limits::REPORT_BYTES.count();
        let cursor = "c".repeat(limits::REPORT_CURSOR.count());
        let whole = page(vec![row("a"); most], Some(&cursor));
        assert_eq!(check(&whole, "sums", None), None);
        assert_eq!(
            check(
                &page(vec![row(&"x".repeat(bytes - 16))], None),
                "sums",
                None
            ),
            None
        );
        for (page, report, after, expected) in [
            (
                page(vec![row("a"); most + 1], None),
                "sums",
                None,
                "report-rows",
            ),
            (
                page(vec![row(&"x".repeat(bytes - 15))], None),
                "sums",
                None,
                "report-bytes",
            ),
            (
                page(vec![], Some(&format!("{cursor}c"))),
                "sums",
                None,
                "report-cursor",
            ),
            (
                page(vec![], Some("5")),
                "sums",
                Some("5"),
                "begins where this one began",
            ),
            (
                page(vec![vec![None]], None),
                "sums",
                None,
                "row 1 of report sums has 1 cells, for 2 columns",
            ),
            (
                page(vec![row("a"), vec![None, Some(Value::Flag(true))]], None),
                "sums",
                None,
                "row 2 of report sums has flag in the column count, which holds integer",
            ),
            (page(vec![], None), "sum", None, "no report"),
        ] {
            let told = check(&page, report, after).unwrap();
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn a_card_is_counted_whole() {
        let text = |bytes: usize| Value::Text("x".repeat(bytes));
        let card = Card {
            title: "t".repeat(3),
            tables: vec![kjerne_core::screens::Table {
                label: "l".to_owned(),
                columns: Vec::new(),
                rows: vec![vec![Some(text(10)), None], vec![]],
            }],
            charts: vec![kjerne_core::screens::Chart {
                label: "c".to_owned(),
                kind: "bar".to_owned(),
                series: vec![kjerne_core::screens::Series {
                    label: "s".to_owned(),
                    points: vec![(text(5), Some(Value::Integer(1)))],
                }],
            }],
            ..Card::default()
        };
        // A table with two rows, and a chart with one series of one point.
        assert_eq!(size(&card), (6, 3 + 1 + 10 + 1 + 3 + 1 + 5 + 16));
    }
}
