//! The fields of a record, and the fields a plugin proposes.

use crate::contract::{Decimal, Field, Money, RecordRef, Value};
use crate::time::{Date, Instant};

/// Named values. Read from a record, a change or a command's arguments; or built up to propose one.
///
/// A name that is not there was not granted, or, in a proposal, is left as it is. A name without a
/// value is an empty field, or, in a proposal, one to be cleared.
///
/// ```
/// use kjerne_sdk::{Date, Fields};
///
/// let task = Fields::new()
///     .with("subject", "Call back")
///     .with("due", Date::from_ymd(2026, 3, 2).unwrap())
///     .cleared("note");
/// assert_eq!(task.text("subject"), Some("Call back"));
/// assert!(task.is_empty("note"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// No fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same fields and this one.
    #[must_use]
    pub fn with(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with_option(name, Some(value))
    }

    /// The same fields and this one, with a value or empty.
    #[must_use]
    pub fn with_option(mut self, name: impl Into<String>, value: Option<impl Into<Value>>) -> Self {
        self.set(name, value);
        self
    }

    /// The same fields, with this one empty.
    #[must_use]
    pub fn cleared(self, name: impl Into<String>) -> Self {
        self.with_option(name, None::<Value>)
    }

    /// Sets a field, or empties it.
    pub fn set(&mut self, name: impl Into<String>, value: Option<impl Into<Value>>) {
        let (name, value) = (name.into(), value.map(Into::into));
        match self.0.iter_mut().find(|field| field.name == name) {
            Some(field) => field.value = value,
            None => self.0.push(Field { name, value }),
        }
    }

    /// The field's value, when it is there and not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|field| field.name == name)?
            .value
            .as_ref()
    }

    /// Whether the field has no value.
    #[must_use]
    pub fn is_empty(&self, name: &str) -> bool {
        self.get(name).is_none()
    }

    /// Whether the field is named at all, be it empty.
    #[must_use]
    pub fn names(&self, name: &str) -> bool {
        self.0.iter().any(|field| field.name == name)
    }

    /// The field's text, when it holds text (or e-mail, phone, url, one choice).
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_text()
    }

    /// The field's whole number.
    #[must_use]
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.as_integer()
    }

    /// The field's number, when it holds a decimal or a whole number.
    #[must_use]
    pub fn decimal(&self, name: &str) -> Option<Decimal> {
        self.get(name)?.as_decimal()
    }

    /// The field's amount.
    #[must_use]
    pub fn money(&self, name: &str) -> Option<&Money> {
        self.get(name)?.as_money()
    }

    /// The field's date.
    #[must_use]
    pub fn date(&self, name: &str) -> Option<Date> {
        self.get(name)?.as_date()
    }

    /// The field's instant.
    #[must_use]
    pub fn instant(&self, name: &str) -> Option<Instant> {
        self.get(name)?.as_instant()
    }

    /// The field's flag.
    #[must_use]
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_flag()
    }

    /// The field's choices; none when it holds no set of choices or is empty.
    #[must_use]
    pub fn choices(&self, name: &str) -> &[String] {
        self.get(name)
            .and_then(Value::as_choices)
            .unwrap_or_default()
    }

    /// The record the field points to.
    #[must_use]
    pub fn reference(&self, name: &str) -> Option<&RecordRef> {
        self.get(name)?.as_reference()
    }

    /// Every field with its value, in the order they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&Value>)> {
        self.0
            .iter()
            .map(|field| (field.name.as_str(), field.value.as_ref()))
    }
}

impl<N: Into<String>, const COUNT: usize> From<[(N, Value); COUNT]> for Fields {
    fn from(fields: [(N, Value); COUNT]) -> Self {
        fields
            .into_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect()
    }
}

impl<N: Into<String>> FromIterator<(N, Option<Value>)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, Option<Value>)>>(fields: I) -> Self {
        let mut all = Self::new();
        for (name, value) in fields {
            all.set(name, value);
        }
        all
    }
}

impl From<Vec<Field>> for Fields {
    fn from(fields: Vec<Field>) -> Self {
        Self(fields)
    }
}

impl From<Fields> for Vec<Field> {
    fn from(fields: Fields) -> Self {
        fields.0
    }
}
