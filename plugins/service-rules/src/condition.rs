//! Conditions of the rule tables, and the facts they look at.

use std::collections::BTreeMap;

/// What conditions can look at. Names beginning with `account_` and `product` are read from the
/// records the case points to.
pub const FACTS: [&str; 18] = [
    "category",
    "language",
    "sentiment",
    "tier",
    "channel",
    "status",
    "priority",
    "queue",
    "thread",
    "subject",
    "product",
    "product_family",
    "account_type",
    "account_tier",
    "account_segment",
    "account_industry",
    "account_region",
    "account_service_strategy",
];

/// What is known about a case, by name. A fact that is not there is empty; the product has several
/// names (its name, its SKU, its external id), any of which a condition may use.
pub type Facts = BTreeMap<&'static str, Vec<String>>;

/// Fact name → the values it may have; every fact named must fit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Condition(BTreeMap<String, Vec<String>>);

impl Condition {
    /// Checks the names, so that a misspelt one is not a rule that never fits.
    pub fn new(wanted: BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        if let Some(unknown) = wanted.keys().find(|name| !FACTS.contains(&name.as_str())) {
            return Err(format!(
                "'{unknown}' cannot be asked about; use one of {}",
                FACTS.join(", ")
            ));
        }
        if let Some((name, _)) = wanted.iter().find(|(_, values)| values.is_empty()) {
            return Err(format!(
                "{name} is one of nothing, which never is; name a value, \"\" for empty or \"*\" for any"
            ));
        }
        Ok(Self(wanted))
    }

    /// Whether all of it fits. An empty condition always does.
    pub fn fits(&self, facts: &Facts) -> bool {
        self.0
            .iter()
            .all(|(name, wanted)| fits_one(name, wanted, facts))
    }

    /// Whether any of it fits; an empty one never does.
    pub fn fits_partly(&self, facts: &Facts) -> bool {
        self.0
            .iter()
            .any(|(name, wanted)| fits_one(name, wanted, facts))
    }

    /// What it asks: the facts with the values they may have.
    pub fn wanted(&self) -> impl Iterator<Item = (&String, &Vec<String>)> {
        self.0.iter()
    }

    /// Whether it looks at a fact whose name begins like this.
    pub fn asks(&self, prefix: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(prefix))
    }
}

fn fits_one(name: &str, wanted: &[String], facts: &Facts) -> bool {
    let known = facts.get(name).map_or(&[][..], Vec::as_slice);
    let known = known.iter().filter(|value| !value.is_empty());
    wanted.iter().any(|wanted| match wanted.as_str() {
        "" => known.clone().next().is_none(),
        "*" => known.clone().next().is_some(),
        _ => known
            .clone()
            .any(|value| fits_value(name, &wanted.to_lowercase(), &value.to_lowercase())),
    })
}

/// Case does not matter. A subject fits by a word or phrase in it, a language also by its first
/// part, so that `en` fits `en-GB`.
fn fits_value(name: &str, wanted: &str, value: &str) -> bool {
    match name {
        "subject" => value.contains(wanted),
        "language" => {
            let rest = value.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
        }
        _ => value == wanted,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn condition(rows: &[(&str, &[&str])]) -> Condition {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let rows = rows
            .iter()
            .map(|(name, values)| ((*name).to_owned(), owned(values)));
        Condition::new(rows.collect()).unwrap()
    }

    #[track_caller]
    fn check(rows: &[(&str, &[&str])], expected: bool) {
        let facts = Facts::from([
            ("category", vec!["Outage".to_owned()]),
            ("language", vec!["en-GB".to_owned()]),
            ("subject", vec!["The pump STOPPED again".to_owned()]),
            ("product", vec!["Pump 200".to_owned(), "P-200".to_owned()]),
        ]);
        assert_eq!(condition(rows).fits(&facts), expected, "{rows:?}");
    }

    #[test]
    fn a_condition_fits_when_every_fact_has_one_of_its_values() {
        check(&[], true);
        check(&[("category", &["outage"])], true);
        check(&[("category", &["billing", "outage"])], true);
        check(&[("category", &["billing"])], false);
        check(
            &[("category", &["outage"]), ("sentiment", &["negative"])],
            false,
        );
        check(&[("category", &["outage"]), ("sentiment", &[""])], true);
        check(&[("category", &["*"])], true);
        check(&[("sentiment", &["*"])], false);
        check(&[("language", &["en"])], true);
        check(&[("language", &["e"])], false);
        check(&[("subject", &["stopped"])], true);
        check(&[("subject", &["started"])], false);
        check(&[("product", &["p-200"])], true);
        check(&[("product", &["P-300"])], false);
    }

    #[test]
    fn a_misspelt_fact_is_an_error_that_names_the_right_ones() {
        let wrong = BTreeMap::from([("catgory".to_owned(), vec![])]);
        let message = Condition::new(wrong).unwrap_err();
        assert!(
            message.contains("catgory") && message.contains("category"),
            "{message}"
        );
    }
}
