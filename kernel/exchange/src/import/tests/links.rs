//! Rows that refer to records, and to one another.

use kjerne_model::Reference;

use super::Desk;

const PARENTS: &str = "[fields]\nexternal_id = 'id'\nname = 'n'\n\
                       parent = { column = 'p', lookup = 'account.external_id' }";

fn parent_of(desk: &Desk, name: &str) -> Option<Reference> {
    desk.named("account", name)
        .get("parent")
        .and_then(|value| value.as_reference().cloned())
}

#[test]
fn a_row_may_refer_to_a_row_further_on() {
    let desk = Desk::new();
    let report = desk.import(
        "account",
        PARENTS,
        "id,n,p\n1,Child,2\n2,Parent,\n3,Orphan,9\n",
    );
    assert_eq!((report.counts.created, report.rejected), (2, 1));
    assert_eq!(
        parent_of(&desk, "Child"),
        Some(desk.named("account", "Parent").reference())
    );
    let reject = &report.first_rejects[0];
    assert_eq!(
        (reject.line, reject.column.as_str(), reject.value.as_str()),
        (4, "p", "9")
    );
    assert!(
        reject.reason.contains("neither stored nor among the rows"),
        "{reject:?}"
    );
}

#[test]
fn a_chain_over_several_batches_is_taken_whatever_its_order() {
    let desk = Desk::new();
    let count = 1_700;
    let rows: String = (0..count)
        .map(|n| {
            // A hierarchy has a limit of levels, so the file has a chain of 60 after the other.
            let parent = if n + 1 < count && (n + 1) % 60 != 0 {
                (n + 1).to_string()
            } else {
                String::new()
            };
            format!("{n},Company {n},{parent}\n")
        })
        .collect();
    let file = format!("id,n,p\n{rows}");
    let report = desk.import("account", PARENTS, &file);
    assert_eq!((report.counts.created, report.rejected), (1_700, 0));
    for (child, parent) in [(0, 1), (499, 500), (500, 501), (1_698, 1_699)] {
        let parent = desk.named("account", &format!("Company {parent}"));
        let found = parent_of(&desk, &format!("Company {child}"));
        assert_eq!(found, Some(parent.reference()), "{child}");
    }
    let entries = desk.entries();
    let report = desk.import("account", PARENTS, &file);
    assert_eq!((report.counts.unchanged, desk.entries()), (1_700, entries));
}

#[test]
fn a_child_of_a_rejected_row_is_rejected_and_taken_later() {
    let desk = Desk::new();
    let map = format!("{PARENTS}\nemail = 'e'");
    let file = "id,n,p,e\n1,Child,2,\n2,Parent,,nowhere\n";
    let report = desk.import("account", &map, file);
    assert_eq!((report.counts.created, report.rejected), (0, 2));
    let corrected = desk.rejects().replace("2,Parent,,nowhere", "2,Parent,,");
    let report = desk.import("account", &map, &corrected);
    assert_eq!((report.counts.created, report.rejected), (2, 0));
}

#[test]
fn records_of_other_kinds_are_found_by_any_indexed_field() {
    let desk = Desk::new();
    let accounts = "[fields]\nexternal_id = 'id'\nname = 'n'\nindustry = 'i'";
    desk.import(
        "account",
        accounts,
        "id,n,i\n1,Nord,media\n2,Twin,bank\n3,Twin,bank\n",
    );
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\n\
               account = { column = 'a', lookup = 'account.name' }\n\
               department = { column = 'a', lookup = 'account.name', take = 'industry' }";
    let report = desk.import(
        "contact",
        map,
        "id,n,a\n1,Kari,Nord\n2,Ola,Twin\n3,Per,Nowhere\n",
    );
    assert_eq!((report.counts.created, report.rejected), (1, 2));
    let kari = desk.named("contact", "Kari");
    assert_eq!(kari.text("department"), Some("media"));
    let nord = desk.named("account", "Nord").reference();
    assert_eq!(
        kari.get("account").and_then(|value| value.as_reference()),
        Some(&nord)
    );
    assert!(
        desk.rejects()
            .contains("more than one account has name \"\"Twin\"\"")
    );
    assert!(
        desk.rejects()
            .contains("no account has name \"\"Nowhere\"\"; import those records")
    );
}

const BY_NAME: &str = "[fields]\nexternal_id = 'id'\nname = 'n'\n\
                       parent = { column = 'p', lookup = 'account.name' }";

/// Imports in earnest and as a dry run into a workspace that holds `stored`.
fn both(stored: &str, file: &str) -> [(u64, u64, String); 2] {
    [false, true].map(|dry_run| {
        let desk = Desk::new();
        if !stored.is_empty() {
            desk.import(
                "account",
                "[fields]\nexternal_id = 'id'\nname = 'n'",
                stored,
            );
        }
        let mut options = desk.options("account", BY_NAME, file.as_bytes());
        options.dry_run = dry_run;
        let report = desk.run(&options).unwrap();
        (report.counts.created, report.rejected, desk.rejects())
    })
}

#[test]
fn a_lookup_means_the_same_in_the_batch_in_the_file_and_in_the_store() {
    let far: String = (0..700).map(|n| format!("x{n},X{n},\n")).collect();
    let several = "more than one account has name";
    for (stored, file, created, reason) in [
        // Two in the batch, whatever the order.
        (
            "",
            "id,n,p\n1,Twin,\n2,Twin,\n3,Child,Twin\n".to_owned(),
            2,
            several,
        ),
        (
            "",
            "id,n,p\n3,Child,Twin\n1,Twin,\n2,Twin,\n".to_owned(),
            2,
            several,
        ),
        // One in the batch, and one far behind or before it.
        (
            "",
            format!("id,n,p\n1,Twin,\n3,Child,Twin\n{far}2,Twin,\n"),
            702,
            several,
        ),
        (
            "",
            format!("id,n,p\n1,Twin,\n{far}2,Twin,\n3,Child,Twin\n"),
            702,
            several,
        ),
        // One stored, one in the batch or far behind.
        (
            "id,n\n9,Twin\n",
            "id,n,p\n1,Twin,\n3,Child,Twin\n".to_owned(),
            1,
            several,
        ),
        (
            "id,n\n9,Twin\n",
            format!("id,n,p\n3,Child,Twin\n{far}1,Twin,\n"),
            701,
            several,
        ),
        // Case counts in a text, in the file as in the store.
        (
            "",
            "id,n,p\n1,TWIN,\n3,Child,Twin\n".to_owned(),
            1,
            "no account has name",
        ),
        (
            "id,n\n9,TWIN\n",
            "id,n,p\n3,Child,Twin\n".to_owned(),
            0,
            "no account has name",
        ),
        // Never the row itself.
        (
            "",
            "id,n,p\n1,Self,Self\n".to_owned(),
            0,
            "no other account has name",
        ),
        (
            "id,n\n1,Self\n",
            "id,n,p\n1,Self,Self\n".to_owned(),
            0,
            "no other account has name",
        ),
    ] {
        for (found, rejected, rejects) in both(stored, &file) {
            assert_eq!((found, rejected), (created, 1), "{stored} {rejects}");
            assert!(rejects.contains(reason), "{stored}: {rejects}");
        }
    }
}

#[test]
fn a_lookup_that_only_one_record_answers_is_found() {
    let far: String = (0..700).map(|n| format!("x{n},X{n},\n")).collect();
    for (stored, file, created) in [
        // The stored record and the row are one.
        (
            "id,n\n1,Twin\n",
            "id,n,p\n1,Twin,\n3,Child,Twin\n".to_owned(),
            1,
        ),
        (
            "id,n\n1,Twin\n",
            format!("id,n,p\n3,Child,Twin\n{far}1,Twin,\n"),
            701,
        ),
        // A row that shares its name with the one record it refers to.
        ("", "id,n,p\n1,Twin,Twin\n2,Twin,\n".to_owned(), 2),
        ("id,n\n9,Twin\n", "id,n,p\n1,Twin,Twin\n".to_owned(), 1),
        // One key twice is one record; the second row is rejected for that.
        ("", format!("id,n,p\n3,Child,Twin\n{far}1,Twin,\n"), 702),
    ] {
        for (found, rejected, rejects) in both(stored, &file) {
            assert_eq!((found, rejected), (created, 0), "{stored} {rejects}");
        }
    }
}

#[test]
fn keys_that_differ_in_case_alone_are_two_records() {
    let map = "key = 'external_id'\n[fields]\nexternal_id = 'id'\nname = 'n'";
    let desk = Desk::new();
    let first = desk.import("account", map, "id,n\n001Fict0000AbCdE,One\n");
    let second = desk.import("account", map, "id,n\n001Fict0000aBcDe,Two\n");
    assert_eq!((first.counts.created, second.counts.created), (1, 1));
    let both = "id,n\n001Fict0000AbCdE,One\n001Fict0000aBcDe,Two\n001Fict0000ABCDE,Three\n";
    let third = desk.import("account", map, both);
    assert_eq!((third.counts.created, third.rejected), (1, 0));
    let key = |name: &str| {
        desk.named("account", name)
            .text("external_id")
            .map(str::to_owned)
    };
    assert_eq!(key("One").as_deref(), Some("001Fict0000AbCdE"));
    assert_eq!(key("Two").as_deref(), Some("001Fict0000aBcDe"));
}

#[test]
fn a_look_up_by_address_sees_no_case() {
    let desk = Desk::new();
    desk.import(
        "user",
        "[fields]\nname = 'n'\nemail = 'e'",
        "n,e\nKari,Kari@Example.test\n",
    );
    let map = "[fields]\nname = 'n'\nemail = 'e'\n\
               owner = { column = 'o', lookup = 'user.email' }";
    let people = "n,e,o\nBo,BO@Muller.example,kari@example.TEST\n";
    assert_eq!(desk.import("contact", map, people).rejected, 0);
    let deals = "[fields]\nname = 'n'\ncontact = { column = 'c', lookup = 'contact.email' }";
    let report = desk.import("opportunity", deals, "n,c\nDeal,bo@muller.example\n");
    assert_eq!(report.rejected, 0, "{:?}", report.first_rejects);
    let owner = desk
        .named("contact", "Bo")
        .get("owner")
        .and_then(|value| value.as_reference().cloned());
    assert_eq!(owner, Some(desk.named("user", "Kari").reference()));
}

#[test]
fn a_chain_of_any_length_is_taken_in_any_order() {
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\n\
               reports_to = { column = 'p', lookup = 'contact.external_id' }";
    // Ten chains of 200 rows, each row with the one before it in its chain, in an order that mixes all of them; and one
    // chain from its end on.
    let chains = |at: usize| {
        let number = at * 1_237 % 2_000;
        let (chain, row) = (number / 200, number % 200);
        let above = row.checked_sub(1).map(|row| format!("{chain}-{row}"));
        (format!("{chain}-{row}"), above)
    };
    let reversed = |at: usize| {
        let row = 1_999 - at;
        (
            row.to_string(),
            row.checked_sub(1).map(|row| row.to_string()),
        )
    };
    for rows in [
        &chains as &dyn Fn(usize) -> (String, Option<String>),
        &reversed,
    ] {
        let mut kinds = kjerne_model::core_kinds();
        for kind in &mut kinds {
            for field in &mut kind.fields {
                field.hierarchy = false;
                if kind.name == *"contact" && field.name == *"account" {
                    let contact = kind.name.clone();
                    field.name = kjerne_model::Name::new("reports_to").unwrap();
                    field.field_type = kjerne_model::FieldType::Reference(vec![contact]);
                    field.required = false;
                }
            }
        }
        let desk = Desk::of(kinds, kjerne_core::TablePlugins::none());
        let mut file = "id,n,p\n".to_owned();
        for at in 0..2_000 {
            let (id, above) = rows(at);
            file.push_str(&format!("{id},N,{}\n", above.unwrap_or_default()));
        }
        let report = desk.import("contact", map, &file);
        assert_eq!(
            (report.counts.created, report.rejected),
            (2_000, 0),
            "{:?}",
            report.first_rejects.first()
        );
        // Each row is taken in one of two passes, and so there are not many commits.
        assert!(report.counts.commits < 12, "{:?}", report.counts);
    }
}
