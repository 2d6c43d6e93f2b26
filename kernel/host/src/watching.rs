//! What a plugin watches, where its settings decide that: a manifest may name a list of the settings
//! whose tables say which kinds they are about, so that a plugin without any is not run for nothing.

use std::collections::BTreeSet;

use kjerne_core::Role;
use kjerne_model::Name;

use crate::settings::Settings;
use crate::wit::v0_1_0::settings::Entry;
use crate::wit::v0_1_0::types::Value;
use kjerne_package::Package;

/// A kind that is none: a plugin that watches nothing watches it alone, and so is passed over by
/// every entry while its cursor moves on.
pub const NOTHING: &str = "no_kind";

/// The kinds that the tables of a list name under `kinds`; a table with `enabled = false` does not
/// count, and one that names none is about every kind, for which the set is empty.
pub fn watched(entries: &[Entry], list: &str) -> BTreeSet<Name> {
    let tables = tables(entries, list);
    if tables.iter().any(Vec::is_empty) {
        return BTreeSet::new();
    }
    let named = tables.into_iter().flatten();
    let mut kinds: BTreeSet<Name> = named.filter_map(|kind| Name::new(kind).ok()).collect();
    if kinds.is_empty() {
        kinds.extend(Name::new(NOTHING).ok());
    }
    kinds
}

/// The kinds that settings name in those lists of theirs that decide what is watched.
#[must_use]
pub fn named_kinds(package: &Package, settings: &str) -> Vec<String> {
    let Some(settings) = in_effect(package, settings) else {
        return Vec::new();
    };
    let lists = package.manifest.kinds_from.values();
    let tables = lists.flat_map(|list| tables(&settings.entries, list));
    tables.flatten().map(str::to_owned).collect()
}

/// The kinds that each table of a list names, without those that are switched off.
fn tables<'a>(entries: &'a [Entry], list: &str) -> Vec<Vec<&'a str>> {
    let mut found = Vec::new();
    for place in 0.. {
        let table = format!("{list}[{place}]");
        let Some(begin) = entries.iter().position(|entry| entry.path == table) else {
            break;
        };
        let inside = entries[begin + 1..]
            .iter()
            .map_while(|entry| Some((entry.path.strip_prefix(&table)?, &entry.value)));
        let rows: Vec<(&str, &Value)> = inside.collect();
        let is_off = |(path, value): &(&str, &Value)| {
            *path == ".enabled" && matches!(value, Value::Flag(false))
        };
        if rows.iter().any(is_off) {
            continue;
        }
        found.push(rows.iter().filter_map(kind).collect());
    }
    found
}

/// The settings a plugin has, or those it comes with where they are blank.
fn in_effect(package: &Package, settings: &str) -> Option<Settings> {
    let settings = Some(settings).filter(|text| !text.trim().is_empty());
    Settings::parse(settings.unwrap_or(&package.settings)).ok()
}

/// The roles in which a plugin with these settings, or those it comes with where they are blank,
/// watches nothing.
#[must_use]
pub fn idle_roles(package: &Package, settings: &str) -> Vec<Role> {
    let Some(settings) = in_effect(package, settings) else {
        return Vec::new();
    };
    let from = package.manifest.kinds_from.iter();
    let idle = from.filter(|(_, list)| watched(&settings.entries, list).contains(NOTHING));
    idle.map(|(role, _)| *role).collect()
}

/// A kind that a table names: one text, or one of a list.
fn kind<'a>((path, value): &(&'a str, &'a Value)) -> Option<&'a str> {
    let is_kind = *path == ".kinds" || path.starts_with(".kinds[");
    match value {
        Value::Text(text) if is_kind => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_settings_say_what_is_watched() {
        let one = "[[subscription]]\nkinds = ['account', 'case']\n";
        let off = "[[subscription]]\nenabled = false\nkinds = ['lead']\n";
        let every = "[[subscription]]\nname = 'a'\n";
        let none = "[[subscription]]\nkinds = []\n";
        for (text, expected) in [
            ("", vec![NOTHING]),
            (off, vec![NOTHING]),
            (&off.repeat(2), vec![NOTHING]),
            (one, vec!["account", "case"]),
            (&format!("{one}{off}"), vec!["account", "case"]),
            (
                &format!("{off}[[subscription]]\nkinds = 'task'\n"),
                vec!["task"],
            ),
            (every, vec![]),
            (none, vec![]),
            (&format!("{one}{every}"), vec![]),
            ("[[inbound]]\nkinds = ['account']\n", vec![NOTHING]),
            ("[[subscription]]\nkinds = ['Not A Kind']\n", vec![NOTHING]),
        ] {
            let settings = Settings::parse(text).unwrap();
            let found = watched(&settings.entries, "subscription");
            let found: Vec<&str> = found.iter().map(Name::as_str).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
