//! A file that is imported again: rows that are stored are not made twice, and what is gone is not told as
//! there.

use super::{Desk, refusing};
use crate::export::{ExportFormat, write};

/// Created, unchanged, skipped and rejected.
fn import(desk: &Desk, map: &str, file: &str) -> (u64, u64, u64, u64) {
    let report = desk.import("account", map, file);
    let counts = &report.counts;
    let told = (counts.created, counts.unchanged, counts.skipped);
    (told.0, told.1, told.2, report.rejected)
}

fn delete(desk: &Desk, kind: &str) {
    use kjerne_model::{Actor, Change, Commit, Instant, Target};
    let changes = desk.all(kind).into_iter().map(|record| Change::Delete {
        target: Target {
            kind: record.kind,
            id: record.id,
            expected: None,
        },
    });
    let commit = Commit {
        changes: changes.collect(),
        actor: Actor::User("somebody".to_owned()),
        key: None,
        at: Instant::parse("2026-01-06T09:00:00Z").unwrap(),
        cause: None,
    };
    assert!(desk.kernel.commit(commit).unwrap().receipt().is_some());
}

#[test]
fn a_row_without_a_key_is_not_made_twice_when_the_mapping_is_mended() {
    let desk = Desk::new();
    let fields = "[fields]\nname = 'N'\ncustomer_since = 'D'";
    let file = "N,D\na,2026-01-01\nb,31.12.2025\n";
    assert_eq!(import(&desk, fields, file), (1, 0, 0, 1));
    let mended = format!("date_formats = ['%d.%m.%Y']\n{fields}");
    let mut options = desk.options("account", &mended, file.as_bytes());
    options.dry_run = true;
    let tried = desk.run(&options).unwrap();
    assert_eq!((tried.counts.created, tried.counts.unchanged), (1, 1));
    assert_eq!(import(&desk, &mended, file), (1, 1, 0, 0));
    assert_eq!(import(&desk, &mended, file), (0, 2, 0, 0));
    // Another mapping leaves what is stored as it is, and says so.
    let other = "[fields]\nname = 'N'\nsegment = { constant = 'x' }";
    let report = desk.import("account", other, file);
    assert_eq!((report.counts.created, report.counts.skipped), (0, 2));
    let notes = report.told.notes.join("\n");
    assert!(
        notes.contains("stored before") && notes.contains("line 2"),
        "{notes}"
    );
    assert_eq!(desk.all("account").len(), 2);
}

#[test]
fn a_row_that_a_plugin_refused_is_taken_alone_when_it_refuses_no_more() {
    let folder = Desk::with(refusing("b"));
    let file = "N\na\nb\nc\n";
    assert_eq!(import(&folder, "[fields]\nname = 'N'", file), (2, 0, 0, 1));
    let open = "[fields]\nname = { column = 'N', values = { b = 'B' }, keep_unlisted = true }";
    assert_eq!(import(&folder, open, file), (1, 2, 0, 0));
}

#[test]
fn what_is_gone_is_made_again_and_never_told_as_unchanged() {
    let desk = Desk::new();
    let map = "[fields]\nname = 'N'";
    assert_eq!(import(&desk, map, "N\na\nb\n"), (2, 0, 0, 0));
    delete(&desk, "account");
    assert_eq!(import(&desk, map, "N\na\nb\n"), (2, 0, 0, 0));
    assert_eq!(desk.all("account").len(), 2);
    // An own export restores, as often as it is needed.
    let mut export = Vec::new();
    write(&desk.kernel, "account", "", ExportFormat::Csv, &mut export).unwrap();
    let export = String::from_utf8(export).unwrap();
    for _ in 0..3 {
        delete(&desk, "account");
        assert_eq!(import(&desk, "", &export), (2, 0, 0, 0));
        assert_eq!(import(&desk, "", &export), (0, 2, 0, 0));
    }
    assert_eq!(desk.all("account").len(), 2);
}

#[test]
fn a_key_is_found_in_the_form_it_is_stored_in() {
    use kjerne_model::{Field, FieldType, Name, core_kinds};
    let types = [
        ("url", FieldType::Url, "www.example.org"),
        ("instant", FieldType::Instant, "2026-01-01 01:00"),
        ("money", FieldType::Money, "5.00"),
        ("integer", FieldType::Integer, "\"1,000\""),
        ("integer", FieldType::Integer, "1e3"),
        ("date", FieldType::Date, "31.12.2025"),
        ("decimal", FieldType::Decimal, "1.50"),
        ("email", FieldType::Email, "<Kari@Example.org>"),
        ("phone", FieldType::Phone, "+47 22 33 44 55"),
    ];
    for (what, field_type, cell) in types {
        let mut kind = core_kinds().remove(0);
        let model = kind.fields[0].clone();
        let field = |name: &str, field_type: &FieldType, unique| Field {
            name: Name::new(name).unwrap(),
            field_type: field_type.clone(),
            required: false,
            ignore_case: false,
            hierarchy: false,
            unique,
            ..model.clone()
        };
        kind.name = Name::new("thing").unwrap();
        let text = FieldType::Text { max_bytes: 100 };
        kind.fields = vec![field("k", &field_type, true), field("n", &text, false)];
        let desk = Desk::of(vec![kind], kjerne_core::TablePlugins::none());
        let map = "key = 'k'\nzone = 'Europe/Oslo'\ncurrency = 'NOK'\ndate_formats = ['%d.%m.%Y']\n\
                   [fields]\nk = 'K'\nn = 'N'";
        let first = desk.import("thing", map, &format!("K,N\n{cell},a\n"));
        assert_eq!(first.counts.created, 1, "{what}: {}", desk.rejects());
        let again = desk.import("thing", map, &format!("K,N\n{cell},a\n"));
        assert_eq!(again.counts.unchanged, 1, "{what}: {}", desk.rejects());
        let changed = desk.import("thing", map, &format!("K,N\n{cell},b\n"));
        assert_eq!(changed.counts.updated, 1, "{what}: {}", desk.rejects());
        let skip = format!("on_existing = 'skip'\n{map}");
        let skipped = desk.import("thing", &skip, &format!("K,N\n{cell},c\n"));
        assert_eq!(skipped.counts.skipped, 1, "{what}: {}", desk.rejects());
    }
}

#[test]
fn an_id_that_is_of_another_record_than_the_key_is_told_and_never_dropped() {
    let desk = Desk::new();
    let map = "key = 'external_id'\n[fields]\nexternal_id = 'k'\nid = 'i'\nname = 'n'";
    let id = |number: u32| format!("01a21fc8-6868-76be-beb8-{number:012}");
    let first = format!("k,i,n\na,{},A\nb,{},B\n", id(1), id(2));
    assert_eq!(import(&desk, map, &first), (2, 0, 0, 0));
    assert_eq!(import(&desk, map, &first), (0, 2, 0, 0));
    let no_key = "[fields]\nid = 'i'\nname = 'n'";
    for (map, rows, reason) in [
        // The id of a record with another key.
        (
            map,
            format!("c,{},C\n", id(1)),
            "is there already, and its key is another",
        ),
        // Key and id of two records, whatever else the row says.
        (
            map,
            format!("a,{},A\n", id(2)),
            "the record that its key leads to is account/",
        ),
        (
            map,
            format!("a,{},New\n", id(9)),
            "the record that its key leads to is account/",
        ),
        (no_key, format!("x,{},C\n", id(2)), "say key = \"\"id\"\""),
    ] {
        assert_eq!(
            import(&desk, map, &format!("k,i,n\n{rows}")),
            (0, 0, 0, 1),
            "{rows}"
        );
        let rejects = desk.rejects();
        assert!(rejects.contains(reason), "{rejects}");
        assert!(!rejects.contains("the row in line 2 is there"), "{rejects}");
    }
    // Two rows of one file.
    let twice = format!("k,i,n\nd,{},D\ne,{},E\n", id(5), id(5));
    assert_eq!(import(&desk, map, &twice), (1, 0, 0, 1));
    assert!(
        desk.rejects().contains("the row in line 2 has the same id"),
        "{}",
        desk.rejects()
    );
    assert_eq!(desk.named("account", "D").id.to_string(), id(5));
}
