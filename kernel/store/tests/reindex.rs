//! Fields that become indexed or unique, and cease to be, while records hold them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::ops::ControlFlow;

use common::{id, record, text};
use kjerne_model::{Field, Kind, Name, PersonalData, Record, Schema, Value};
use kjerne_store::reindex::{ReindexError, reindex};
use kjerne_store::{MemoryStore, RedbStore, Store, index, records, verify};

fn kinds(indexed: bool, unique: bool) -> Schema {
    let field = |name: &str| Field {
        name: Name::new(name).unwrap(),
        label: name.to_owned(),
        field_type: kjerne_model::FieldType::Text { max_bytes: 1_024 },
        required: false,
        unique: false,
        indexed: false,
        ignore_case: false,
        hierarchy: false,
        personal: PersonalData::None,
    };
    let label = Field {
        indexed,
        unique,
        ..field("label")
    };
    let kind = Kind {
        name: Name::new("thing").unwrap(),
        label: "Thing".to_owned(),
        fields: vec![field("code"), label],
    };
    Schema::new(vec![kind]).unwrap()
}

fn write(store: &dyn Store, schema: &Schema, number: u8, label: &str) {
    let after = record(number, &[("label", text(label))]);
    let kind = schema.kind("thing").unwrap();
    let done = store.write(
        &mut |write| match records::get(write, "thing", id(number))? {
            Some(before) => records::update(write, kind, &before, &after),
            None => records::insert(write, kind, &after),
        },
    );
    done.unwrap();
}

fn found(store: &dyn Store, label: &str) -> Vec<u8> {
    let (snapshot, mut found) = (store.snapshot().unwrap(), Vec::new());
    let value: Value = text(label);
    let visit = &mut |id: kjerne_model::RecordId| {
        found.push(id.as_bytes()[0]);
        ControlFlow::Continue(())
    };
    index::ids(&*snapshot, "thing", "label", &value, None, visit).unwrap();
    found
}

/// Index faults alone: these records were written without a journal.
fn index_faults(store: &dyn Store, schema: &Schema) -> Vec<String> {
    let report = verify(&*store.snapshot().unwrap(), schema).unwrap();
    let of_index = |fault: &String| fault.contains("index") || fault.contains("unique");
    report.faults.into_iter().filter(of_index).collect()
}

fn on_both(test: impl Fn(&dyn Store)) {
    test(&MemoryStore::new());
    let folder = tempfile::tempdir().unwrap();
    test(&RedbStore::create(folder.path().join("data")).unwrap());
}

#[test]
fn a_field_that_becomes_indexed_finds_the_records_that_hold_it() {
    on_both(|store| {
        let (plain, indexed) = (kinds(false, false), kinds(true, false));
        reindex(store, &plain).unwrap();
        (1..=3).for_each(|number| write(store, &plain, number, "same"));
        assert!(found(store, "same").is_empty());
        assert_eq!(reindex(store, &indexed).unwrap(), ["thing.label"]);
        assert_eq!(found(store, "same"), [1, 2, 3]);
        assert_eq!(index_faults(store, &indexed), [""; 0]);
        assert!(
            reindex(store, &indexed).unwrap().is_empty(),
            "once is enough"
        );
    });
}

#[test]
fn what_a_field_had_before_it_lost_its_index_is_not_found_when_it_has_one_again() {
    on_both(|store| {
        let (plain, indexed) = (kinds(false, false), kinds(true, false));
        reindex(store, &indexed).unwrap();
        write(store, &indexed, 1, "old");
        reindex(store, &plain).unwrap();
        write(store, &plain, 1, "new");
        reindex(store, &indexed).unwrap();
        assert_eq!(
            (found(store, "old"), found(store, "new")),
            (vec![], vec![1])
        );
        assert_eq!(index_faults(store, &indexed), [""; 0]);
    });
}

#[test]
fn a_field_cannot_become_unique_when_its_values_are_not() {
    on_both(|store| {
        let (plain, unique) = (kinds(false, false), kinds(false, true));
        reindex(store, &plain).unwrap();
        write(store, &plain, 1, "Same");
        write(store, &plain, 2, "Same");
        write(store, &plain, 3, "other");
        let error = reindex(store, &unique).unwrap_err();
        let ReindexError::Duplicate(told) = error else {
            panic!("{error}")
        };
        let both = [id(1), id(2)]
            .iter()
            .all(|id| told.contains(&id.to_string()));
        assert!(both && told.contains("thing.label"), "{told}");
        assert!(found(store, "other").is_empty(), "nothing is half done");
        write(store, &plain, 2, "mended");
        assert_eq!(reindex(store, &unique).unwrap(), ["thing.label"]);
        let snapshot = store.snapshot().unwrap();
        let label = unique.kind("thing").unwrap().field("label").unwrap();
        let holder = index::holder(&*snapshot, "thing", label, &text("mended"));
        assert_eq!(holder.unwrap(), Some(id(2)));
        assert_eq!(index_faults(store, &unique), [""; 0]);
    });
}

#[test]
fn more_records_than_are_dealt_with_at_a_time_are_all_entered() {
    on_both(|store| {
        let (plain, indexed) = (kinds(false, false), kinds(true, false));
        reindex(store, &plain).unwrap();
        let kind = plain.kind("thing").unwrap();
        let many = |number: u32| Record {
            id: kjerne_model::RecordId::from_bytes({
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&number.to_be_bytes());
                bytes
            }),
            ..record(1, &[("label", text("many"))])
        };
        let done = store.write(&mut |write| {
            (0..2_500).try_for_each(|number| records::insert(write, kind, &many(number)))
        });
        done.unwrap();
        for schema in [&indexed, &plain, &indexed] {
            reindex(store, schema).unwrap();
        }
        assert_eq!(found(store, "many").len(), 2_500);
        assert_eq!(index_faults(store, &indexed), [""; 0]);
    });
}

#[test]
fn a_field_whose_case_counts_no_longer_is_entered_anew() {
    on_both(|store| {
        let exact = kinds(true, false);
        let mut kind = Kind::clone(exact.kind("thing").unwrap());
        kind.fields[1].ignore_case = true;
        let folded = Schema::new(vec![kind]).unwrap();
        reindex(store, &exact).unwrap();
        write(store, &exact, 1, "MiXed");
        assert_eq!(reindex(store, &folded).unwrap(), ["thing.label"]);
        assert_eq!(index_faults(store, &folded), [""; 0]);
        assert!(
            reindex(store, &folded).unwrap().is_empty(),
            "once is enough"
        );
    });
}
