//! What a filter says: conditions, what they look at and how.

use std::borrow::Cow;

use crate::kind::Field;
use crate::likeness::Likeness;
use crate::name::Name;
use crate::value::Value;

/// A condition on the records of one kind.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// True for every record: the empty filter.
    All,
    /// Both hold.
    And(Box<Filter>, Box<Filter>),
    /// One of them holds.
    Or(Box<Filter>, Box<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// A field compared with a value, which stands in the form its path compares. An empty field is
    /// equal to nothing but null, and is neither less nor greater than any value.
    Compare {
        /// What is compared.
        path: Path,
        /// How.
        operator: Operator,
        /// With what; none is `null`.
        value: Option<Value>,
    },
    /// A field equal to one of several values: `stage in ('won','lost')`.
    In {
        /// What is compared.
        path: Path,
        /// With what.
        values: Vec<Value>,
    },
    /// Text that contains, begins or ends with other text, without regard to case. Of an empty field
    /// that is neither true nor false, so its negation does not select it either.
    Text {
        /// What is looked in.
        path: Path,
        /// How.
        test: TextTest,
        /// What is looked for.
        text: String,
    },
}

/// What a condition looks at: a field, or a part of one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Path {
    /// A field whose values are compared as they stand.
    Field(Name),
    /// A field whose values are compared by another form than the one that is stored: an e-mail
    /// address without its case, a phone number by its digits.
    Like(Name, Likeness),
    /// A part of a field: `billing_address/city`, `amount/currency`, `amount/minor`.
    Part(Name, String),
    /// The record's own `id`, `version`, `created_at` or `updated_at`.
    Own(Own),
}

impl Path {
    /// The path of a whole field.
    #[must_use]
    pub fn of(field: &Field) -> Self {
        match field.likeness() {
            Likeness::Exact => Self::Field(field.name.clone()),
            likeness => Self::Like(field.name.clone(), likeness),
        }
    }

    /// The field this is the whole of.
    #[must_use]
    pub fn field(&self) -> Option<&Name> {
        match self {
            Self::Field(name) | Self::Like(name, _) => Some(name),
            Self::Part(..) | Self::Own(_) => None,
        }
    }

    /// The form by which a value at this path is compared.
    #[must_use]
    pub fn form<'a>(&self, value: &'a Value) -> Cow<'a, Value> {
        match self {
            Self::Like(_, likeness) => likeness.form(value),
            _ => Cow::Borrowed(value),
        }
    }
}

/// What every record has beside its fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Own {
    /// The record's id, compared as text.
    Id,
    /// The record's version.
    Version,
    /// When it was created.
    CreatedAt,
    /// When it was last changed.
    UpdatedAt,
}

/// How a field is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
}

/// How text is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextTest {
    /// `contains(field,'x')`
    Contains,
    /// `startswith(field,'x')`
    StartsWith,
    /// `endswith(field,'x')`
    EndsWith,
}
