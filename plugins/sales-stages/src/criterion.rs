//! The small language of criteria: what must be so before an opportunity enters or leaves a stage.

use std::cmp::Ordering;

use kjerne_sdk::Obstacle;

use crate::bound::is_bound;
use kjerne_sdk::settings::Section;

/// The opportunity under judgement and what is related to it.
pub trait Deal {
    /// The field's value as text; none when it is empty.
    fn text(&self, field: &str) -> Option<String>;
    /// Whether the field holds what the settings write.
    fn is(&self, field: &str, written: &str) -> bool {
        self.text(field).as_deref() == Some(written)
    }
    /// How the field's value compares with a bound from the settings; none when it is empty or
    /// cannot be compared (another currency, a text).
    fn compare(&self, field: &str, bound: &str) -> Option<Ordering>;
    /// How many records the selection has, counting what the commit under way adds and removes.
    fn count(&self, selection: &Selection) -> Result<usize, String>;
}

/// Records that point to the opportunity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Their kind.
    pub kind: String,
    /// The field they point with.
    pub by: String,
    /// Fields that must hold one of these values.
    pub fields: Vec<(String, Vec<String>)>,
}

impl Selection {
    /// The fields it goes by.
    pub fn fields(&self) -> impl Iterator<Item = &String> {
        let asked = self.fields.iter().map(|(field, _)| field);
        asked.chain([&self.by])
    }
}

/// One criterion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Criterion {
    /// It is only asked when all of these hold.
    pub when: Vec<Criterion>,
    /// What must be so.
    pub test: Test,
    /// The administrator's own code and sentence, instead of the built ones.
    pub code: Option<String>,
    /// See `code`.
    pub say: Option<String>,
}

/// What a criterion tests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Test {
    /// A field of the opportunity.
    Field(String, Check),
    /// How many related records there are.
    Count(Selection, Bounds),
    /// At least one of several criteria.
    Any(Vec<Criterion>),
}

/// What a field is checked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Check {
    /// It has a value, or has none.
    Present(bool),
    /// Its value is one of these.
    OneOf(Vec<String>),
    /// Its value is none of these; an empty field passes.
    NoneOf(Vec<String>),
    /// Its value is not below the bound.
    AtLeast(String),
    /// Its value is not above the bound.
    AtMost(String),
}

/// The number of records allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Not fewer than this.
    pub at_least: usize,
    /// Not more than this.
    pub at_most: Option<usize>,
}

/// An obstacle at a field.
pub fn obstacle_at(field: &str, code: impl Into<String>, message: String) -> Obstacle {
    Obstacle {
        field: Some(field.to_owned()),
        code: code.into(),
        message,
    }
}

impl Criterion {
    /// A field that must have a value.
    pub fn required(field: &str) -> Self {
        let test = Test::Field(field.to_owned(), Check::Present(true));
        Self {
            when: Vec::new(),
            test,
            code: None,
            say: None,
        }
    }

    /// Whether another criterion asks for the same, be it in other words.
    pub fn asks_the_same(&self, other: &Self) -> bool {
        self.test == other.test && self.when == other.when
    }

    /// What it tests, also in what it is made of.
    pub fn tests(&self) -> Vec<&Test> {
        let inner = match &self.test {
            Test::Any(criteria) => criteria.as_slice(),
            Test::Field(..) | Test::Count(..) => &[],
        };
        let inner = self.when.iter().chain(inner);
        inner.flat_map(Self::tests).chain([&self.test]).collect()
    }

    /// The fields of the opportunity it looks at.
    pub fn fields(&self) -> Vec<&String> {
        let all = self.tests().into_iter();
        all.filter_map(|test| match test {
            Test::Field(field, _) => Some(field),
            Test::Count(..) | Test::Any(_) => None,
        })
        .collect()
    }

    /// The records it counts.
    pub fn selections(&self) -> Vec<&Selection> {
        let all = self.tests().into_iter();
        all.filter_map(|test| match test {
            Test::Count(selection, _) => Some(selection),
            Test::Field(..) | Test::Any(_) => None,
        })
        .collect()
    }

    /// Reads one criterion of the settings.
    pub fn read(section: &Section<'_>) -> Self {
        let criterion = Self {
            when: section.sections("when").iter().map(Self::read).collect(),
            test: Test::read(section),
            code: section.text("code"),
            say: section.text("say"),
        };
        section.finish();
        criterion
    }

    /// What stands in the way, if anything does. `stage` is the label of the stage that asks.
    pub fn judge(&self, deal: &dyn Deal, stage: &str) -> Option<Obstacle> {
        if self
            .when
            .iter()
            .any(|condition| condition.judge(deal, stage).is_some())
        {
            return None;
        }
        let mut obstacle = self.test.judge(deal, stage)?;
        if obstacle.code != CANNOT_CHECK {
            obstacle.code = self.code.clone().unwrap_or(obstacle.code);
            obstacle.message = self.say.clone().unwrap_or(obstacle.message);
        }
        Some(obstacle)
    }

    /// The criterion as a phrase, `at least 1 quote with status sent`.
    pub fn phrase(&self) -> String {
        let test = self.test.phrase();
        if self.when.is_empty() {
            return test;
        }
        let when: Vec<_> = self.when.iter().map(Self::phrase).collect();
        format!("{test}, when {}", when.join(" and "))
    }
}

/// The code of a criterion that could not be looked into, which never counts as met.
const CANNOT_CHECK: &str = "cannot-check";

impl Test {
    fn read(section: &Section<'_>) -> Self {
        if section.has("any") {
            let criteria = section.sections("any");
            if criteria.is_empty() {
                section.fault_at("any", "any names no criterion");
            }
            return Self::Any(criteria.iter().map(Criterion::read).collect());
        }
        if let Some(kind) = section.text("related") {
            let by = section
                .text("by")
                .unwrap_or_else(|| "opportunity".to_owned());
            let selection = Selection {
                kind,
                by,
                fields: section.pairs("where"),
            };
            for (field, _) in selection.fields.iter().filter(|(_, one)| is_nothing(one)) {
                let what = format_args!("{field} is one of nothing, which no record is");
                section.fault_at("where", what);
            }
            return Self::Count(selection, Bounds::read(section));
        }
        if !section.has("field") {
            section.fault("a criterion needs field, related or any");
        }
        let field = section.text("field").unwrap_or_default();
        if is_own(&field) {
            section.fault_at("field", format_args!("{field} {OWN}"));
        }
        Self::Field(field, Check::read(section))
    }

    fn judge(&self, deal: &dyn Deal, stage: &str) -> Option<Obstacle> {
        match self {
            Self::Field(field, check) => check.judge(deal, field, stage),
            Self::Count(selection, bounds) => bounds.judge(deal, selection, stage),
            Self::Any(criteria) => judge_any(criteria, deal, stage),
        }
    }

    fn phrase(&self) -> String {
        match self {
            Self::Field(field, check) => check.phrase(field),
            Self::Count(selection, bounds) => bounds.phrase(selection),
            Self::Any(criteria) => criteria
                .iter()
                .map(Criterion::phrase)
                .collect::<Vec<_>>()
                .join(", or "),
        }
    }
}

/// Nothing when one criterion is met; else one obstacle that names them all.
fn judge_any(criteria: &[Criterion], deal: &dyn Deal, stage: &str) -> Option<Obstacle> {
    let obstacles: Option<Vec<_>> = criteria
        .iter()
        .map(|criterion| criterion.judge(deal, stage))
        .collect();
    let first = obstacles?.into_iter().next()?;
    let phrases: Vec<_> = criteria.iter().map(Criterion::phrase).collect();
    let message = format!("{stage} needs one of these: {}.", phrases.join("; "));
    Some(Obstacle { message, ..first })
}

impl Check {
    fn read(section: &Section<'_>) -> Self {
        let list = |key| section.texts(key).unwrap_or_default();
        if section.has("one_of") {
            let values = list("one_of");
            if is_nothing(&values) {
                section.fault_at("one_of", "one_of names nothing that a field may hold");
            }
            Self::OneOf(values)
        } else if section.has("none_of") {
            Self::NoneOf(list("none_of"))
        } else if let Some(value) = section.scalar("equals") {
            let values = vec![value];
            if is_nothing(&values) {
                section.fault_at("equals", "equals names nothing that a field may hold");
            }
            Self::OneOf(values)
        } else if let Some(bound) = bound(section, "at_least") {
            Self::AtLeast(bound)
        } else if let Some(bound) = bound(section, "at_most") {
            Self::AtMost(bound)
        } else {
            Self::Present(section.flag("present", true))
        }
    }

    fn judge(&self, deal: &dyn Deal, field: &str, stage: &str) -> Option<Obstacle> {
        let value = deal.text(field);
        let holds = |values: &[String]| values.iter().any(|one| deal.is(field, one));
        let met = match (self, value.as_ref()) {
            (Self::Present(wanted), value) => value.is_some() == *wanted,
            (Self::OneOf(values), Some(_)) => holds(values),
            (Self::NoneOf(values), Some(_)) => !holds(values),
            (Self::AtLeast(bound), _) => deal.compare(field, bound).is_some_and(Ordering::is_ge),
            (Self::AtMost(bound), _) => deal.compare(field, bound).is_some_and(Ordering::is_le),
            (Self::OneOf(_), None) => false,
            (Self::NoneOf(_), None) => true,
        };
        (!met).then(|| {
            let code = format!("{}-{}", self.code(), dashed(field));
            obstacle_at(field, code, self.message(field, value.as_deref(), stage))
        })
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Present(true) => "missing",
            Self::Present(false) => "unexpected",
            Self::OneOf(_) | Self::NoneOf(_) => "wrong",
            Self::AtLeast(_) => "low",
            Self::AtMost(_) => "high",
        }
    }

    fn message(&self, field: &str, value: Option<&str>, stage: &str) -> String {
        let named = spaced(field);
        match (self, value) {
            (Self::Present(true), _) => format!("{stage} needs {named}: fill it in."),
            (Self::Present(false), _) => format!("{stage} needs {named} to be empty: clear it."),
            (_, None) => format!(
                "{stage} needs {}, but it is empty: fill it in.",
                self.phrase(field)
            ),
            (_, Some(value)) => {
                format!(
                    "{stage} needs {}, but it is {value}: change it.",
                    self.phrase(field)
                )
            }
        }
    }

    fn phrase(&self, field: &str) -> String {
        let field = spaced(field);
        match self {
            Self::Present(true) => field,
            Self::Present(false) => format!("no {field}"),
            Self::OneOf(values) => format!("{field} to be {}", values.join(" or ")),
            Self::NoneOf(values) => format!("{field} not to be {}", values.join(" or ")),
            Self::AtLeast(bound) => format!("{field} to be at least {bound}"),
            Self::AtMost(bound) => format!("{field} to be at most {bound}"),
        }
    }
}

impl Bounds {
    fn read(section: &Section<'_>) -> Self {
        let number = |key| {
            section
                .number(key, 0..=200)
                .and_then(|number| usize::try_from(number).ok())
        };
        let at_most = number("at_most");
        let least = if at_most.is_some() { 0 } else { 1 };
        let at_least = number("at_least").unwrap_or(least);
        if at_most.is_some_and(|most| at_least > most) {
            section.fault_at("at_least", "at_least is more than at_most");
        }
        Self { at_least, at_most }
    }

    fn judge(self, deal: &dyn Deal, selection: &Selection, stage: &str) -> Option<Obstacle> {
        let phrase = self.phrase(selection);
        let found = match deal.count(selection) {
            Ok(found) => found,
            Err(why) => {
                let message =
                    format!("{stage} needs {phrase}, which could not be looked into: {why}.");
                return Some(Obstacle {
                    field: None,
                    code: CANNOT_CHECK.to_owned(),
                    message,
                });
            }
        };
        let (code, advice) = if found < self.at_least {
            ("too-few", "add what is missing")
        } else if self.at_most.is_some_and(|most| found > most) {
            ("too-many", "take away what is too much")
        } else {
            return None;
        };
        let code = format!("{code}-{}", dashed(&selection.kind));
        Some(Obstacle {
            field: None,
            code,
            message: format!("{stage} needs {phrase}, but has {found}: {advice}."),
        })
    }

    fn phrase(self, selection: &Selection) -> String {
        let number = match (self.at_least, self.at_most) {
            (0, Some(most)) => format!("at most {most}"),
            (least, Some(most)) => format!("{least} to {most}"),
            (least, None) => format!("at least {least}"),
        };
        let mut phrase = format!("{number} {}", spaced(&selection.kind));
        for (place, (field, values)) in selection.fields.iter().enumerate() {
            let joint = if place == 0 { "with" } else { "and" };
            phrase.push_str(&format!(
                " {joint} {} {}",
                spaced(field),
                values.join(" or ")
            ));
        }
        phrase
    }
}

/// What every record has beside its fields. A criterion looks at fields, and finds none of these filled.
const OWN_NAMES: [&str; 5] = ["id", "kind", "version", "created_at", "updated_at"];
const OWN: &str = "is no field that could be filled";

/// Whether a name is none of a field.
pub fn is_own(field: &str) -> bool {
    OWN_NAMES.contains(&field)
}

/// Whether no value is one of these.
fn is_nothing(values: &[String]) -> bool {
    values.iter().all(|value| value.trim().is_empty())
}

fn bound(section: &Section<'_>, key: &'static str) -> Option<String> {
    let bound = section.scalar(key)?;
    if !is_bound(&bound) {
        section.fault_at(key, format_args!(
            "{key} must be a number, an amount such as \"1000 NOK\" in a currency of ISO 4217, a date or today+30"
        ));
    }
    Some(bound)
}

/// `closing_date` as people say it.
pub fn spaced(name: &str) -> String {
    name.replace(['_', '.'], " ")
}

/// `closing_date` as codes are written.
fn dashed(name: &str) -> String {
    name.replace(['_', '.'], "-")
}
