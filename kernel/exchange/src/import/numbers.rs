//! Reads numbers as people and other systems write them.
//!
//! What is not a number beyond doubt is refused: digits that something else than a thousands mark
//! separates are two numbers, and never glued together.

use kjerne_model::{Decimal, shifted, trim};

use super::forms::{Forms, Grouping, Negative};

/// The exponents that are read; with others the number would not fit anyway.
const EXPONENTS: std::ops::RangeInclusive<i32> = -18..=18;

/// Reads a number, and multiplies it by the scale of its field.
pub fn read_decimal(text: &str, forms: &Forms) -> Result<Decimal, String> {
    let plain = read_plain(text, forms)?;
    let number = Decimal::parse(&plain).map_err(|error| error.to_string())?;
    match forms.scale {
        None => Ok(number),
        Some(scale) => product(number, scale)
            .ok_or_else(|| format!("{number} times {scale} has more digits than can be kept")),
    }
}

/// Reads a number of any length, as digits with a point and nothing else.
pub fn read_plain(text: &str, forms: &Forms) -> Result<String, String> {
    plain_number(text, forms).ok_or_else(|| {
        let form = if forms.decimal_comma {
            "1.234,50"
        } else {
            "1,234.50"
        };
        if is_too_long(text, forms) {
            return format!("{} has more than 18 digits", trim(text));
        }
        format!("expected a number such as {form}")
    })
}

/// True for a number like any other, but for an exponent that no number that is kept has.
fn is_too_long(text: &str, forms: &Forms) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let digits = exponent.trim_end().trim_start_matches(['-', '+']);
    !digits.is_empty()
        && digits.len() <= 9
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && plain_number(mantissa, forms).is_some()
}

/// The exact product of two numbers; none when it has more digits than can be kept.
pub fn product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let mut coefficient = i128::from(a.coefficient()) * i128::from(b.coefficient());
    let mut scale = a.scale() + b.scale();
    while scale > 0 && coefficient % 10 == 0 {
        coefficient /= 10;
        scale -= 1;
    }
    Decimal::new(i64::try_from(coefficient).ok()?, scale).filter(|number| number.is_written())
}

/// A number with a point and nothing else; none for what is none.
fn plain_number(text: &str, forms: &Forms) -> Option<String> {
    let (is_negative, text) = signed(trim(text), forms.negative)?;
    let (mantissa, exponent) = match text.split_once(['E', 'e']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (text, 0),
    };
    let point = if forms.decimal_comma { ',' } else { '.' };
    let (whole, part) = match mantissa.split_once(point) {
        Some((whole, part)) if !part.is_empty() => (whole, part),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    let whole = match whole {
        "" if !part.is_empty() => "0".to_owned(),
        whole => ungrouped(whole, forms)?,
    };
    if !part.bytes().all(|byte| byte.is_ascii_digit()) || !EXPONENTS.contains(&exponent) {
        return None;
    }
    let sign = if is_negative { "-" } else { "" };
    Some(format!("{sign}{}", shifted(&whole, part, exponent)?))
}

/// Takes the sign off; true when the number is below zero.
fn signed(text: &str, negative: Negative) -> Option<(bool, &str)> {
    let minus = ['-', '\u{2212}'];
    let other = match negative {
        Negative::Minus => None,
        Negative::Brackets => text.strip_prefix('(').and_then(|t| t.strip_suffix(')')),
        Negative::Trailing => text.strip_suffix(minus),
    };
    if let Some(rest) = other {
        return Some((true, rest.trim()));
    }
    match (text.strip_prefix(minus), text.strip_prefix('+')) {
        (Some(rest), _) => Some((true, rest.trim_start_matches(is_blank))),
        (None, Some(rest)) => Some((false, rest)),
        (None, None) => Some((false, text)),
    }
}

/// Blanks that are set between digits; a tab or a line break is none.
fn is_blank(mark: char) -> bool {
    matches!(mark, ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

/// All signs that are one mark to people become one.
fn mark(sign: char) -> char {
    match sign {
        sign if is_blank(sign) => ' ',
        '\u{2019}' => '\'',
        sign => sign,
    }
}

/// `1,234,567` without its marks; none when they do not stand between groups of three, or are not
/// those the mapping says.
fn ungrouped(whole: &str, forms: &Forms) -> Option<String> {
    let whole: String = whole.chars().map(mark).collect();
    let Some(between) = whole.chars().find(|sign| !sign.is_ascii_digit()) else {
        return (!whole.is_empty()).then_some(whole);
    };
    let other_mark = if forms.decimal_comma { '.' } else { ',' };
    let allowed = match forms.grouping {
        Grouping::Usual => between == other_mark || matches!(between, ' ' | '\''),
        Grouping::Only(only) => between == mark(only),
        Grouping::Absent => false,
    };
    let mut groups = whole.split(between);
    let are_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let first = groups.next()?;
    // Nobody begins a group with 0: `0,500` is a half where the comma is the decimal mark.
    let fits = allowed
        && (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && are_digits(first)
        && groups.all(|group| group.len() == 3 && are_digits(group));
    fits.then(|| whole.replace(between, ""))
}
