//! The records a case begins with. Nobody is asked about them, and yet they are such as could be there: a
//! case that begins with what no workspace holds shows nothing.

use std::collections::{BTreeMap, BTreeSet};

use kjerne_model::{Kind, Record, Reference, Value, check_fields};
use kjerne_store::{MemoryStore, Store, index};
use kjerne_workspace::error::{Error, Result};

/// The records given, as they are looked at one by one.
pub struct Given<'a> {
    there: &'a BTreeSet<Reference>,
    store: &'a MemoryStore,
    /// What is above a record by a field that makes a hierarchy, and what the case calls the record.
    above: BTreeMap<(Reference, String), (Reference, String)>,
}

impl<'a> Given<'a> {
    /// Those that are given, and the store that holds those looked at so far.
    pub fn new(there: &'a BTreeSet<Reference>, store: &'a MemoryStore) -> Self {
        Self {
            there,
            store,
            above: BTreeMap::new(),
        }
    }

    /// Looks at the next record, before it is stored.
    pub fn check(&mut self, alias: &str, kind: &Kind, record: &Record) -> Result<()> {
        let faults = check_fields(kind, &record.fields);
        let mut faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        for (name, value) in &record.fields {
            let field = kind.field(name);
            if let Value::Reference(to) = value {
                if !self.there.contains(to) {
                    faults.push(format!("{name} refers to {to}, which is not given"));
                }
                if field.is_some_and(|field| field.hierarchy) {
                    let own = (record.reference(), name.to_string());
                    self.above.insert(own, (to.clone(), alias.to_owned()));
                }
            }
            if let Some(field) = field.filter(|field| field.unique) {
                let snapshot = self.store.snapshot()?;
                if index::holder(&*snapshot, &kind.name, field, value)?.is_some() {
                    faults.push(format!("another {} has {name} {value} already", kind.name));
                }
            }
        }
        fail(alias, &faults)
    }

    /// Looks at all of them together: nothing stands above itself.
    pub fn check_circles(&self) -> Result<()> {
        for (first, field) in self.above.keys() {
            let (mut at, mut alias) = (first.clone(), "");
            for _ in 0..=self.above.len() {
                let Some((to, name)) = self.above.get(&(at, field.clone())) else {
                    break;
                };
                if alias.is_empty() {
                    alias = name;
                }
                if to == first {
                    return fail(alias, &[format!("{field} leads back to the record itself")]);
                }
                at = to.clone();
            }
        }
        Ok(())
    }
}

fn fail(alias: &str, faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults.join("; ");
    Err(Error::unreadable(format!("given {alias}: {faults}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use kjerne_model::{Instant, Name, RecordId, Schema, core_kinds};
    use kjerne_store::records;

    fn reference(kind: &str, number: u128) -> Reference {
        Reference::new(
            Name::new(kind).unwrap(),
            RecordId::v7(Instant::default(), number),
        )
    }

    /// A record: its kind, its number, its fields in the form of the command line.
    type Row<'a> = (&'a str, u128, &'a [(&'a str, &'a str)]);

    /// What is said of records given in this order.
    fn told(given: &[Row<'_>]) -> String {
        let schema = Schema::new(core_kinds()).unwrap();
        let there = given
            .iter()
            .map(|(kind, number, _)| reference(kind, *number));
        let (there, store) = (there.collect(), MemoryStore::new());
        let mut all = Given::new(&there, &store);
        for (place, (kind, number, fields)) in given.iter().enumerate() {
            let kind = schema.kind(kind).unwrap();
            let texts = fields
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            let texts: Vec<(String, String)> = texts.collect();
            let patch = kjerne_wire::patch_of_text(kind, &texts).unwrap();
            let fields = patch
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)));
            let record = Record {
                kind: kind.name.clone(),
                id: reference(&kind.name, *number).id,
                version: 1,
                created_at: Instant::default(),
                updated_at: Instant::default(),
                fields: fields.collect(),
            };
            if let Err(error) = all.check(&format!("r{place}"), kind, &record) {
                return error.to_string();
            }
            store
                .write(&mut |write| records::insert(write, kind, &record))
                .unwrap();
        }
        all.check_circles()
            .err()
            .map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn a_case_begins_with_what_could_be_there() {
        let account = |number: u128| reference("account", number).to_string();
        let (one, two, three) = (account(1), account(2), account(3));
        let named: &[(&str, &str)] = &[("name", "A")];
        let rows: [(&str, String); 9] = [
            (
                "",
                told(&[
                    ("account", 1, named),
                    ("account", 2, &[("name", "B"), ("parent", &one)]),
                ]),
            ),
            (
                "",
                told(&[
                    ("account", 1, &[("name", "A"), ("parent", &two)]),
                    ("account", 2, named),
                ]),
            ),
            ("given r0: account needs name", told(&[("account", 1, &[])])),
            (
                "which is not given",
                told(&[("account", 1, &[("name", "A"), ("parent", &two)])]),
            ),
            ("given r0: opportunity", told(&[("opportunity", 1, &[])])),
            (
                "given r1: another account has external_id X already",
                told(&[
                    ("account", 1, &[("name", "A"), ("external_id", "X")]),
                    ("account", 2, &[("name", "B"), ("external_id", "X")]),
                ]),
            ),
            (
                "given r0: parent leads back",
                told(&[("account", 1, &[("name", "A"), ("parent", &one)])]),
            ),
            (
                "parent leads back",
                told(&[
                    ("account", 1, &[("name", "A"), ("parent", &two)]),
                    ("account", 2, &[("name", "B"), ("parent", &three)]),
                    ("account", 3, &[("name", "C"), ("parent", &one)]),
                ]),
            ),
            (
                "parent leads back",
                told(&[
                    ("account", 1, &[("name", "A"), ("parent", &two)]),
                    ("account", 2, &[("name", "B"), ("parent", &three)]),
                    ("account", 3, &[("name", "C"), ("parent", &two)]),
                ]),
            ),
        ];
        for (expected, told) in rows {
            assert_eq!(expected.is_empty(), told.is_empty(), "{told}");
            assert!(told.contains(expected), "{expected:?} is not in {told:?}");
        }
    }
}
