//! Filters in the grammar of OData's `$filter`: `stage eq 'won' and amount/minor gt 100000`.
//!
//! [`parse`] checks a filter against the kind it is for, so that a wrong field or type is an error
//! with a position and never an empty answer; [`Filter::matches`] decides one record.

mod eval;
mod lex;
mod literal;
mod parse;
#[cfg(test)]
mod tests;
mod write;

use crate::{Name, Value};

pub use parse::{FilterError, parse, parse_path};

/// The longest filter, in bytes. People and programs write far shorter ones, and a filter is read
/// for every request.
pub const MAX_BYTES: usize = 16 * 1_024;
/// The deepest nesting of parentheses and `not`, so that a filter cannot exhaust the stack.
pub const MAX_DEPTH: usize = 64;
/// The most conditions in one filter, since each may be tried on every record.
pub const MAX_CONDITIONS: usize = 256;

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
    /// A field compared with a value. An empty field is equal to nothing but null, and is neither
    /// less nor greater than any value.
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
    /// Text that contains, begins or ends with other text, without regard to case.
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
    /// A field.
    Field(Name),
    /// A part of a field: `billing_address/city`, `amount/currency`, `amount/minor`.
    Part(Name, String),
    /// The record's own `id`, `version`, `created_at` or `updated_at`.
    Own(Own),
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
