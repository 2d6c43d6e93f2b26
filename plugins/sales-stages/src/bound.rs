//! Compares what a field holds with a bound from the settings, exactly.

use std::cmp::Ordering;

use kjerne_sdk::{Date, Decimal, Money, Value};

/// How a value compares with a bound: `100000` (also for money, in whole units of whatever
/// currency), `100000.50 NOK`, `2026-12-31`, `today`, `today+30`, `today-7`. None when the two
/// cannot be compared.
pub fn compare(value: &Value, bound: &str, today: Date) -> Option<Ordering> {
    if let Some(number) = value.as_decimal() {
        return Some(number.cmp(&Decimal::parse(bound)?));
    }
    if let Some(money) = value.as_money() {
        let (number, currency) = bound.split_once(' ').unwrap_or((bound, &money.currency));
        (currency == money.currency).then_some(())?;
        return Some(money.major().cmp(&Decimal::parse(number)?));
    }
    let day = value
        .as_date()
        .or_else(|| value.as_instant().map(kjerne_sdk::Instant::date))?;
    Some(day.cmp(&day_bound(bound, today)?))
}

/// Whether a text can be a bound at all.
pub fn is_bound(text: &str) -> bool {
    is_amount(text) || day_bound(text, Date::from_days(0)).is_some()
}

/// Whether a text can be a bound of an amount.
pub fn is_amount(text: &str) -> bool {
    let (number, currency) = match text.split_once(' ') {
        Some((number, currency)) => (number, Some(currency)),
        None => (text, None),
    };
    let is_known = |code| Money::from_major(Decimal::from(0), code).is_some();
    Decimal::parse(number).is_some() && currency.is_none_or(is_known)
}

fn day_bound(text: &str, today: Date) -> Option<Date> {
    let Some(offset) = text.strip_prefix("today") else {
        return Date::parse(text);
    };
    let offset: i32 = if offset.is_empty() {
        0
    } else {
        offset.parse().ok()?
    };
    today.days().checked_add(offset).map(Date::from_days)
}
