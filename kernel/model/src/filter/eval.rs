//! Decides whether a record meets a filter.

use std::borrow::Cow;
use std::cmp::Ordering;

use kjerne_values::{fold_case, is_blank};

use super::condition::{Filter, Operator, Own, Path, TextTest};
use crate::record::Record;
use crate::value::Value;

impl Filter {
    /// True when the record meets the condition.
    #[must_use]
    pub fn matches(&self, record: &Record) -> bool {
        self.decide(record) == Some(true)
    }

    /// Whether the condition holds; none when that cannot be said. As in OData a text function of
    /// an empty field is null, `not` leaves null as it is, and a record is selected by true alone.
    fn decide(&self, record: &Record) -> Option<bool> {
        match self {
            Self::All => Some(true),
            Self::And(a, b) => match (a.decide(record), b) {
                (Some(false), _) => Some(false),
                (Some(true), b) => b.decide(record),
                (None, b) => b.decide(record).filter(|held| !held),
            },
            Self::Or(a, b) => match (a.decide(record), b) {
                (Some(true), _) => Some(true),
                (Some(false), b) => b.decide(record),
                (None, b) => b.decide(record).filter(|held| *held),
            },
            Self::Not(inner) => inner.decide(record).map(|held| !held),
            Self::Compare {
                path,
                operator,
                value,
            } => Some(compare(
                path.look(record).as_deref(),
                *operator,
                value.as_ref(),
            )),
            Self::In { path, values } => {
                let held = path.look(record);
                let equal = |value| compare(held.as_deref(), Operator::Equal, Some(value));
                Some(values.iter().any(equal))
            }
            Self::Text { path, test, text } => {
                path.look(record).map(|held| test.holds(&held, text))
            }
        }
    }
}

fn compare(held: Option<&Value>, operator: Operator, value: Option<&Value>) -> bool {
    let order = match (held, value) {
        (None, None) => Some(Ordering::Equal),
        (Some(held), Some(value)) => held.compare(value),
        _ => None,
    };
    match operator {
        Operator::Equal => order == Some(Ordering::Equal),
        Operator::NotEqual => order != Some(Ordering::Equal),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

impl TextTest {
    fn holds(self, held: &Value, text: &str) -> bool {
        let text = fold_case(text);
        match held {
            Value::Text(held) => {
                let held = fold_case(held);
                match self {
                    Self::Contains => held.contains(&text),
                    Self::StartsWith => held.starts_with(&text),
                    Self::EndsWith => held.ends_with(&text),
                }
            }
            Value::Choices(chosen) => chosen.iter().any(|one| fold_case(one) == text),
            _ => false,
        }
    }
}

impl Path {
    /// What the record holds at this path, in the form it is compared by; none when that is empty.
    #[must_use]
    pub fn read(&self, record: &Record) -> Option<Value> {
        self.look(record).map(Cow::into_owned)
    }

    fn look<'a>(&self, record: &'a Record) -> Option<Cow<'a, Value>> {
        match self {
            Self::Field(name) => record.get(name).map(Cow::Borrowed),
            Self::Like(name, likeness) => record.get(name).map(|value| likeness.form(value)),
            Self::Part(name, part) => part_of(record.get(name)?, part).map(Cow::Owned),
            Self::Own(own) => Some(Cow::Owned(own.of(record))),
        }
    }
}

impl Own {
    fn of(self, record: &Record) -> Value {
        match self {
            Self::Id => Value::Text(record.id.to_string()),
            Self::Version => Value::Integer(i64::try_from(record.version).unwrap_or(i64::MAX)),
            Self::CreatedAt => Value::Instant(record.created_at),
            Self::UpdatedAt => Value::Instant(record.updated_at),
        }
    }
}

fn part_of(value: &Value, part: &str) -> Option<Value> {
    match (value, part) {
        (Value::Address(address), part) => {
            let text = address.part(part).filter(|text| !is_blank(text))?;
            Some(Value::Text(text.to_owned()))
        }
        (Value::Money(money), "minor") => Some(Value::Integer(money.minor)),
        (Value::Money(money), "currency") => Some(Value::Text(money.currency.to_string())),
        _ => None,
    }
}
