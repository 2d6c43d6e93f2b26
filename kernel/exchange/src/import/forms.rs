//! How numbers, dates and amounts are written in a file.

use jiff::tz::TimeZone;
use kjerne_model::{Currency, Decimal};

use super::form::Form;

/// How numbers, dates and amounts are written.
#[derive(Clone, Debug)]
pub struct Forms {
    /// The zone of times that name none.
    pub zone: TimeZone,
    /// The currency of amounts that name none.
    pub currency: Option<Currency>,
    /// The column that names the currency.
    pub currency_column: Option<usize>,
    /// `1.234,50`.
    pub decimal_comma: bool,
    /// What stands between groups of digits.
    pub grouping: Grouping,
    /// How negative numbers are written.
    pub negative: Negative,
    /// What numbers are multiplied by.
    pub scale: Option<Decimal>,
    /// Forms of dates.
    pub dates: Vec<Form>,
    /// Forms of points in time.
    pub instants: Vec<Form>,
}

/// What stands between groups of three digits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Grouping {
    /// Any one of the usual marks: the comma or point that is not the decimal mark, a blank, an
    /// apostrophe.
    #[default]
    Usual,
    /// This mark alone.
    Only(char),
    /// Nothing: a number is written without.
    Absent,
}

/// How negative numbers are written, beside a minus in front.
#[derive(serde::Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Negative {
    /// In no other way.
    #[default]
    Minus,
    /// In brackets, as bookkeepers do: `(1,234.50)`.
    Brackets,
    /// With the minus behind: `1,234.50-`.
    Trailing,
}
