//! The cost ledger brought together: by role, kind, day or version of each plugin.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use kjerne_model::Date;
use kjerne_store::costs::CostRow;

/// What is told apart beside plugin and version of the runtime, whose fuel cannot be compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// The day, the plugin's version and the role.
    Day,
    /// The role.
    Role,
    /// The kind of what the plugin was shown.
    Kind,
    /// The plugin's version.
    Version,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Day, Self::Role, Self::Kind, Self::Version];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Role => "role",
            Self::Kind => "kind",
            Self::Version => "version",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.name() == name)
    }

    /// A row without what is not told apart.
    fn of(self, row: CostRow) -> CostRow {
        let day = self == Self::Day;
        let only = |wanted: bool, text: String| if wanted { text } else { String::new() };
        CostRow {
            day: if day { row.day } else { Date::from_days(0) },
            month: day && row.month,
            version: only(day || self == Self::Version, row.version),
            role: only(day || self == Self::Role, row.role),
            kind: only(self == Self::Kind, row.kind),
            ..row
        }
    }
}

/// The sums of rows, in the order of what is told apart.
#[must_use]
pub fn together(rows: impl IntoIterator<Item = CostRow>, by: By) -> Vec<CostRow> {
    let mut sums: BTreeMap<Apart, CostRow> = BTreeMap::new();
    for row in rows {
        let row = by.of(row);
        match sums.entry(apart(&row)) {
            Entry::Occupied(mut sum) => sum.get_mut().spent.add(&row.spent),
            Entry::Vacant(free) => drop(free.insert(row)),
        }
    }
    sums.into_values().collect()
}

/// What a row is about.
type Apart = (Date, bool, [String; 5]);

fn apart(row: &CostRow) -> Apart {
    let names = [
        &row.plugin,
        &row.version,
        &row.runtime,
        &row.role,
        &row.kind,
    ];
    (row.day, row.month, names.map(String::clone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kjerne_store::costs::Spent;

    fn row(day: i32, version: &str, runtime: &str, role: &str, kind: &str) -> CostRow {
        let [plugin, version, runtime, role, kind] =
            ["p", version, runtime, role, kind].map(str::to_owned);
        CostRow {
            day: Date::from_days(day),
            month: false,
            plugin,
            version,
            runtime,
            role,
            kind,
            spent: Spent::call(1),
        }
    }

    /// Whatever is told apart, the calls come to the same; and two runtimes are never one row.
    #[test]
    fn costs_are_brought_together_by_what_is_asked_for() {
        let rows = [
            row(1, "1", "48", "guard", "account"),
            row(1, "1", "48", "guard", "case"),
            row(2, "2", "48", "shape", "case"),
            row(2, "2", "49", "shape", "case"),
        ];
        for (by, expected) in [
            (By::Day, &[2, 1, 1][..]),
            (By::Role, &[2, 1, 1]),
            (By::Kind, &[1, 2, 1]),
            (By::Version, &[2, 1, 1]),
        ] {
            let calls: Vec<u64> = together(rows.clone(), by)
                .iter()
                .map(|row| row.spent.calls)
                .collect();
            assert_eq!(calls, expected, "{by:?}");
            assert_eq!(By::read(by.name()), Some(by));
        }
        assert_eq!(By::read("fuel"), None);
    }
}
