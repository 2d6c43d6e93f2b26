//! Whose approval changes need, as the administrator wrote it.

use kjerne_sdk::settings::Section;

use crate::bound;

/// Who is asked when the settings do not say.
const ROLE: &str = "sales-manager";

/// What is asked about, as the administrator wrote it.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The role of those who are asked.
    pub role: String,
    /// Amounts above this.
    pub amount_above: Option<String>,
    /// Moves over an open stage.
    pub skipped_stages: bool,
    /// Discounts of a quote's line above so many percent.
    pub discount_above: Option<i64>,
    /// The line of the settings it begins on.
    pub line: u32,
}

impl Approval {
    /// Reads the `[approval]` table; without it nobody is asked.
    pub fn read(section: Option<Section<'_>>) -> Option<Self> {
        let section = section?;
        let role = section.text("role").unwrap_or_else(|| ROLE.to_owned());
        let fits =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        if role.is_empty() || role.len() > 64 || !role.bytes().all(fits) {
            let message = "role must be small letters, digits, '-', '_' and '.', at most 64";
            section.fault_at("role", message);
        }
        let amount_above = section.scalar("amount_above");
        if amount_above
            .as_deref()
            .is_some_and(|text| !bound::is_amount(text))
        {
            let message = "amount_above must be an amount such as 100000 or \"100000 NOK\"";
            section.fault_at("amount_above", message);
        }
        let approval = Self {
            role,
            amount_above,
            skipped_stages: section.flag("skipped_stages", false),
            discount_above: section.number("discount_above", 0..=100),
            line: section.line(),
        };
        section.finish();
        Some(approval)
    }
}
