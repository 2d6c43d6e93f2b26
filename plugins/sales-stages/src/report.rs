//! The report `forecast`: what is expected by month and forecast category, for each currency by itself.

use std::collections::BTreeMap;

use kjerne_sdk::{
    Context, Date, Failure, Fields, Instant, Money, Record, ReportPage, cells, records,
};

use crate::deal::Held;
use crate::pipeline::Outcome;
use crate::rules::stage_in;
use crate::settings::Settings;

/// Opportunities read for one page, after which the month under way is the page's last.
const MOST_READ: usize = 2_000;
/// Months when nobody says how many, and the most.
const MONTHS: (i32, i32) = (12, 60);

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first day of the first month.
    pub from: Date,
    /// How many months.
    pub months: i32,
    /// Where to go on: 0 is what is overdue, then each month, then what has no date.
    pub step: i32,
}

impl Span {
    /// Reads the arguments, and the cursor of the page before. That one names the first month, since a month
    /// may begin between two pages.
    ///
    /// # Errors
    /// `bad-argument`.
    pub fn read(now: Instant, arguments: &Fields, after: Option<&str>) -> Result<Self, Failure> {
        let months = match arguments.integer("months").map(i32::try_from) {
            None => MONTHS.0,
            Some(Ok(months)) if (1..=MONTHS.1).contains(&months) => months,
            Some(_) => {
                let message = format!("months is a number from 1 to {}", MONTHS.1);
                return Err(Failure::new("bad-argument", message));
            }
        };
        let from = arguments.date("from").unwrap_or(now.date()).month_start();
        let begin = Self {
            from,
            months,
            step: 0,
        };
        let Some(after) = after else {
            return Ok(begin);
        };
        let place = after.split_once('/');
        let place = place.and_then(|(from, step)| Some((Date::parse(from)?, step.parse().ok()?)));
        let (from, step) = place.ok_or_else(|| {
            Failure::new(
                "bad-argument",
                "This is no place in the report; begin anew.",
            )
        })?;
        Ok(Self {
            from,
            step,
            ..begin
        })
    }

    /// What the rows of this step are called.
    fn label(self) -> String {
        match self.step {
            0 => "overdue".to_owned(),
            step if step <= self.months => self.from.plus_months(step - 1).month(),
            _ => "undated".to_owned(),
        }
    }

    /// The filters of this step: of what is open, and of what was closed in the month.
    fn filters(self) -> Vec<String> {
        let first = self.from.plus_months((self.step - 1).max(0));
        let end = first.plus_months(1);
        match self.step {
            0 => vec![format!("closed_on eq null and closing_date lt {first}")],
            step if step <= self.months => vec![
                format!("closed_on eq null and closing_date ge {first} and closing_date lt {end}"),
                format!("closed_on ge {first} and closed_on lt {end}"),
            ],
            _ => vec!["closed_on eq null and closing_date eq null".to_owned()],
        }
    }

    /// The step after this one.
    fn next(self) -> Option<Self> {
        let step = self.step + 1;
        (step <= self.months + 1).then_some(Self { step, ..self })
    }

    /// Where the next page begins.
    fn written(self) -> String {
        format!("{}/{}", self.from, self.step)
    }
}

/// What opportunities of one category and currency come to.
#[derive(Clone, Debug, Default)]
struct Sum {
    count: i64,
    minor: i64,
    weighted: i64,
    /// Whether it is more than an amount can hold.
    beyond: bool,
}

/// The rows of a page: whole months, until enough was read.
///
/// # Errors
/// `bad-argument`, or what the kernel says when a read fails.
pub fn forecast(
    settings: &Settings,
    context: &Context,
    arguments: &Fields,
    after: Option<&str>,
) -> Result<ReportPage, Failure> {
    let span = Span::read(context.now(), arguments, after)?;
    let pipeline = arguments.text("pipeline");
    if let Some(name) = pipeline.filter(|name| settings.pipeline(Some(*name)).is_none()) {
        let message = format!("There is no pipeline {name}.");
        return Err(Failure::new("bad-argument", message));
    }
    let (mut page, mut read, mut place) = (ReportPage::new(), 0, Some(span));
    while let Some(span) = place {
        if read >= MOST_READ {
            return Ok(page.next(span.written()));
        }
        let mut sums = BTreeMap::new();
        for filter in span.filters() {
            read += each(&filter, pipeline, |record| add(settings, record, &mut sums))?;
        }
        for ((category, currency), sum) in sums {
            if sum.beyond {
                let month = span.label();
                let message = format!(
                    "What is {category} in {month} comes to more {currency} than an amount can hold."
                );
                return Err(Failure::new("too-large", message));
            }
            let amount = |minor| (!currency.is_empty()).then(|| Money::new(minor, &currency));
            page.add(cells![
                span.label(),
                &category,
                (!currency.is_empty()).then_some(&currency),
                sum.count,
                amount(sum.minor),
                amount(sum.weighted)
            ]);
        }
        place = span.next();
    }
    Ok(page)
}

/// Shows every opportunity a filter finds, and tells how many there were.
fn each(
    filter: &str,
    pipeline: Option<&str>,
    mut show: impl FnMut(&Record),
) -> Result<usize, Failure> {
    let (mut count, mut after) = (0, None);
    loop {
        let mut query = records::query("opportunity").filter(filter).limit(200);
        if let Some(name) = pipeline {
            query = query.filter(format!("pipeline eq '{}'", name.replace('\'', "''")));
        }
        if let Some(cursor) = after {
            query = query.after(cursor);
        }
        let page = query.run()?;
        count += page.records.len();
        page.records.iter().for_each(&mut show);
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

/// Adds an opportunity that is open, or that was won.
fn add(settings: &Settings, record: &Record, sums: &mut BTreeMap<(String, String), Sum>) {
    let fields = &record.fields;
    let pipeline = settings.pipeline(fields.text("pipeline"));
    let deal = Held::alone(fields, Date::from_days(0));
    let stage = pipeline.and_then(|pipeline| stage_in(pipeline, settings, &deal));
    let outcome = stage.map_or(Outcome::Open, |stage| stage.outcome);
    let closed = !fields.is_empty("closed_on");
    if outcome == Outcome::Lost || (closed && outcome != Outcome::Won) {
        return;
    }
    let category = fields.text("forecast_category").unwrap_or("omitted");
    let amount = fields.money("amount");
    let currency = amount.map_or("", |amount| &amount.currency);
    let sum = sums
        .entry((category.to_owned(), currency.to_owned()))
        .or_default();
    sum.count += 1;
    if let Some(amount) = amount {
        let percent = fields.integer("probability").unwrap_or(0).clamp(0, 100);
        let weighted = amount.percent(u32::try_from(percent).unwrap_or(0)).minor;
        match (
            sum.minor.checked_add(amount.minor),
            sum.weighted.checked_add(weighted),
        ) {
            (Some(minor), Some(weighted)) => (sum.minor, sum.weighted) = (minor, weighted),
            _ => sum.beyond = true,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn now() -> Instant {
        Instant::parse("2026-11-21T09:00:00Z").unwrap()
    }

    #[test]
    fn a_span_goes_from_what_is_overdue_over_its_months_to_what_has_no_date() {
        let arguments = Fields::new().with("months", 3_i64);
        let mut place = Some(Span::read(now(), &arguments, None).unwrap());
        let mut labels = Vec::new();
        while let Some(span) = place {
            labels.push(span.label());
            place = span.next();
        }
        assert_eq!(
            labels,
            ["overdue", "2026-11", "2026-12", "2027-01", "undated"]
        );
    }

    #[test]
    fn the_first_month_stays_when_another_one_has_begun() {
        let begun = Span::read(now(), &Fields::new(), None).unwrap();
        let next = begun.next().unwrap().written();
        let later = Instant::parse("2026-12-01T00:00:00Z").unwrap();
        let span = Span::read(later, &Fields::new(), Some(&next)).unwrap();
        assert_eq!((span.label(), span.step), ("2026-11".to_owned(), 1));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for (months, after) in [
            (0, None),
            (61, None),
            (5, Some("x")),
            (5, Some("2026-01-01/x")),
        ] {
            let arguments = Fields::new().with("months", i64::from(months));
            let failure = Span::read(now(), &arguments, after).unwrap_err();
            assert_eq!(failure.code, "bad-argument");
        }
    }
}
