//! Writes a filter in the grammar it is read in.

use std::fmt;

use super::condition::{Filter, Operator, Own, Path, TextTest};
use crate::value::Value;

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 6] = [
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
    ];

    /// The operator's name: `eq`, `ne`, `lt`, ….
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
        }
    }

    /// The operator of that name, in letters of any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.name().eq_ignore_ascii_case(name))
    }
}

impl TextTest {
    /// The test's name: `contains`, `startswith` or `endswith`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
        }
    }
}

impl TextTest {
    /// The test of that name, in letters of any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Contains, Self::StartsWith, Self::EndsWith];
        all.into_iter()
            .find(|test| test.name().eq_ignore_ascii_case(name))
    }
}

impl Own {
    /// Its name: `id`, `version`, `created_at` or `updated_at`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Version => "version",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
        }
    }

    /// What every record has of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Id, Self::Version, Self::CreatedAt, Self::UpdatedAt];
        all.into_iter().find(|own| own.name() == name)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) | Self::Like(name, _) => write!(f, "{name}"),
            Self::Part(name, part) => write!(f, "{name}/{part}"),
            Self::Own(own) => f.write_str(own.name()),
        }
    }
}

/// What [`super::parse`] reads back as the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::And(a, b) => {
                group(f, a, matches!(**a, Self::Or(..)))?;
                f.write_str(" and ")?;
                group(f, b, matches!(**b, Self::Or(..) | Self::And(..)))
            }
            Self::Or(a, b) => {
                write!(f, "{a} or ")?;
                group(f, b, matches!(**b, Self::Or(..)))
            }
            Self::Not(inner) => {
                f.write_str("not ")?;
                group(
                    f,
                    inner,
                    !matches!(**inner, Self::Not(_) | Self::Text { .. }),
                )
            }
            Self::Compare {
                path,
                operator,
                value,
            } => {
                write!(f, "{path} {} ", operator.name())?;
                match value {
                    Some(value) => literal(f, value),
                    None => f.write_str("null"),
                }
            }
            Self::In { path, values } => {
                write!(f, "{path} in (")?;
                for (index, value) in values.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "," })?;
                    literal(f, value)?;
                }
                f.write_str(")")
            }
            Self::Text { path, test, text } => {
                write!(f, "{}({path},{})", test.name(), quoted(text))
            }
        }
    }
}

fn group(f: &mut fmt::Formatter<'_>, filter: &Filter, grouped: bool) -> fmt::Result {
    if grouped {
        write!(f, "({filter})")
    } else {
        write!(f, "{filter}")
    }
}

fn literal(f: &mut fmt::Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Integer(_)
        | Value::Decimal(_)
        | Value::Date(_)
        | Value::Instant(_)
        | Value::Flag(_)
        | Value::Reference(_) => write!(f, "{value}"),
        _ => f.write_str(&quoted(&value.to_string())),
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
