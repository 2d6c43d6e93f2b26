//! What an import tells in the end.

use kjerne_core::{FieldSet, Shaped, TablePlugin, TablePlugins};
use kjerne_model::{Instant, Name, Value};

use crate::import::fault::Fault;
use crate::import::mapping::Mapping;
use crate::import::reasons::Reasons;
use crate::limits::{IMPORT_COLUMN_REASONS, IMPORT_REASONS};

use super::Desk;

#[test]
fn rejects_are_summed_up_by_column_and_reason() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'm'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let rows: String = (0..60)
        .map(|n| format!("{n},A,bad{n},\n{n}x,A,,none{n}\n"))
        .collect();
    let report = desk.import("account", map, &format!("id,n,m,p\n{rows}z,,,\n"));
    assert_eq!(report.rejected, 121);
    let told: Vec<_> = report
        .reasons
        .iter()
        .map(|one| (one.column.as_str(), one.rows, one.line, one.reason.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            ("m", 60, 2, "email: … is not an e-mail address"),
            (
                "p",
                60,
                3,
                "no account has external_id …, neither stored nor among the rows of this file"
            ),
            ("n", 1, 122, "account needs name"),
        ]
    );
}

#[test]
fn reasons_are_bounded_and_the_others_counted() {
    let most = IMPORT_REASONS.value;
    for (count, more) in [(most, 0), (most + 3, 3)] {
        let mut reasons = Reasons::default();
        for column in 0..count {
            reasons.add(1, &Fault::new(format!("c{column}"), "", "is wrong"));
        }
        assert_eq!((reasons.sorted().len() as u64, reasons.more), (most, more));
    }
    // One column has so many reasons, and takes no more of the room.
    let mut reasons = Reasons::default();
    let of_column = IMPORT_COLUMN_REASONS.count();
    for number in 0..3 * of_column {
        let letters = "x".repeat(number + 1);
        reasons.add(
            number as u64,
            &Fault::new("c", "", format!("is wrong by {letters}")),
        );
    }
    let told = reasons.sorted();
    assert_eq!((told.len(), reasons.more), (of_column + 1, 0));
    assert_eq!(told[0].rows, 2 * of_column as u64);
    assert!(
        told[0]
            .reason
            .starts_with("further reasons, such as: is wrong by xxx")
    );
}

/// What is told of 60 rows, each of which has a cell of its own that is refused.
fn one_reason(fields: &str, cell: impl Fn(usize) -> String) -> String {
    let desk = Desk::new();
    let map = format!("currency = 'NOK'\n[fields]\nexternal_id = 'k'\nname = 'k'\n{fields}");
    let taken: String = (0..60).map(|n| format!("t{n},u{n}@x.no\n")).collect();
    let users = "[fields]\nexternal_id = 'k'\nname = 'k'\nemail = 'x'";
    desk.import("user", users, &format!("k,x\n{taken}"));
    let kind = if fields.starts_with("email = 'x' #") {
        "user"
    } else {
        "account"
    };
    let rows: String = (0..60).map(|n| format!("k{n},{}\n", cell(n))).collect();
    let report = desk.import(kind, &map, &format!("k,x\n{rows}"));
    assert_eq!(report.rejected, 60, "{fields}");
    let told: Vec<_> = report
        .reasons
        .iter()
        .map(|one| one.reason.clone())
        .collect();
    assert_eq!(
        (told.len(), report.reasons[0].rows),
        (1, 60),
        "{fields}: {told:?}"
    );
    told[0].clone()
}

#[test]
fn rows_with_one_fault_are_told_in_one_line_whatever_they_hold() {
    let word = |n: usize| {
        let letter = |n: usize| char::from(b'a' + (n % 26) as u8);
        format!("{}{}z", letter(n), letter(n / 26))
    };
    for (fields, cell, reason) in [
        (
            "email = 'x' # taken",
            &(|n| format!("u{n}@x.no")) as &dyn Fn(usize) -> String,
            "email … is taken by",
        ),
        (
            "region = 'x'",
            &|n| "y".repeat(2_000 + n),
            "region is … bytes long; at most",
        ),
        (
            "email = 'x'",
            &|n| word(n),
            "email: … is not an e-mail address",
        ),
        (
            "email = 'x'",
            &|n| format!("{} {}", word(n), word(n + 7)),
            "is not an e-mail address",
        ),
        (
            "email = 'x'",
            &|n| format!("a{}\u{200b}@x.no", "b".repeat(n)),
            "not seen",
        ),
        ("employees = 'x'", &|n| word(n), "expected a"),
        ("employees = 'x'", &|n| format!("1-{n}"), "expected a"),
        ("annual_revenue = 'x'", &|n| format!("{n}.001"), "decimals"),
        (
            "annual_revenue = 'x'",
            &|n| format!("5 {}", word(n)),
            "is no currency",
        ),
        (
            "account_type = 'x'",
            &|n| word(n),
            "account_type takes one of",
        ),
        (
            "tier = { column = 'x', values = { a = 'gold' } }",
            &|n| word(n),
            "mapped values",
        ),
        (
            "parent = 'x'",
            &|n| format!("01a21fc8-6868-76be-beb8-{n:012}"),
            "refers to",
        ),
        ("parent = 'x'", &|n| word(n), "expected a record id"),
        (
            "industry = 'x'",
            &|n| format!("a{}", ",".repeat(n + 1)),
            "columns, and the header has 2",
        ),
        ("industry = 'x'", &|n| format!("\"a\"b{n}"), "closing quote"),
    ] {
        let told = one_reason(fields, cell);
        assert!(told.contains(reason), "{fields}: {told}");
    }
}

#[test]
fn all_faults_of_a_row_are_told_at_once() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'm'\nemployees = 'e'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let report = desk.import("account", map, "id,n,m,e,p\n1,,bad,many,7\n2,Two,bad,1,9\n");
    assert_eq!(report.rejected, 2);
    let reason = |line: u64| {
        let found = report.first_rejects.iter().find(|one| one.line == line);
        found.unwrap().reason.clone()
    };
    for part in [
        "e: expected a number",
        "p: no account has external_id \"7\"",
        "m: email: bad is",
        "n: account needs name",
    ] {
        assert!(reason(2).contains(part), "{part}: {}", reason(2));
    }
    for part in ["p: no account has external_id \"9\"", "m: email: bad is"] {
        assert!(reason(3).contains(part), "{part}: {}", reason(3));
    }
}

#[test]
fn a_row_with_a_bad_cell_waits_for_the_row_it_refers_to_before_it_is_judged() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemployees = 'e'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let report = desk.import("account", map, "id,n,e,p\n1,One,many,2\n2,Two,1,\n");
    assert_eq!((report.counts.created, report.rejected), (1, 1));
    assert_eq!(report.first_rejects[0].column, "e");
    assert!(
        !report.first_rejects[0].reason.contains("account"),
        "{report:?}"
    );
}

#[test]
fn what_stayed_empty_and_what_plugins_filled_in_is_told() {
    let at = Instant::parse("2026-01-05T09:00:00Z").unwrap();
    let shape = TablePlugin::new("keeper").shape(move |_, drafts| {
        let mut sets = Vec::new();
        for draft in drafts {
            let set = |field: &str, value| FieldSet {
                change: draft.change,
                field: Name::new(field).unwrap(),
                value: Some(value),
            };
            let empty = |field: &str| {
                draft
                    .after
                    .as_ref()
                    .is_some_and(|after| !after.contains_key(field))
            };
            if empty("opened_at") {
                sets.push(set("opened_at", Value::Instant(at)));
            }
            sets.push(set("probability", Value::Integer(5)));
            sets.push(set("forecast_category", Value::Text("pipeline".to_owned())));
        }
        Ok(Shaped {
            sets,
            ..Shaped::default()
        })
    });
    let desk = Desk::with(TablePlugins::none().with(shape));
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nopened_at = 'o'\nnext_step = 's'\nprobability = 'p'\n\
               lost_reason = { column = 's', when = { n = ['Nobody'] } }";
    let file = b"id,n,o,s,p\n1,One,,,5\n2,Two,2020-01-01,call,50\n3,Three,,,\n";
    let mut options = desk.options("opportunity", map, file);
    options.dry_run = true;
    let dry = desk.run(&options).unwrap();
    options.dry_run = false;
    let report = desk.run(&options).unwrap();
    assert_eq!(dry.told.filled, report.told.filled);
    let empty: Vec<_> = report
        .told
        .empty
        .iter()
        .map(|(field, rows)| (field.as_str(), *rows))
        .collect();
    assert_eq!(
        empty,
        [("next_step", 2), ("opened_at", 2), ("probability", 1)]
    );
    let filled: Vec<_> = report
        .told
        .filled
        .iter()
        .map(|(field, one)| (field.as_str(), one.rows, one.now, one.otherwise))
        .collect();
    assert_eq!(
        filled,
        [
            ("forecast_category", 3, 0, 0),
            ("opened_at", 2, 2, 0),
            ("probability", 1, 0, 1)
        ]
    );
}

/// An import of opportunities by a mapping file that comes with the program.
fn history(map: &str, rows: &[&[(&str, &str)]]) -> Desk {
    let desk = Desk::new();
    let mapping = Mapping::parse(map).unwrap();
    let mut columns = [mapping.columns(), mapping.ignore.clone()].concat();
    columns.sort();
    columns.dedup();
    let mut file = format!("{}\n", columns.join(","));
    for row in rows {
        let cell = |column: &String| {
            let found = row.iter().find(|(name, _)| name == column);
            found.map_or("", |(_, value)| value)
        };
        let cells: Vec<&str> = columns.iter().map(cell).collect();
        file.push_str(&format!("{}\n", cells.join(",")));
    }
    let report = desk.import("opportunity", map, &file);
    assert_eq!(report.rejected, 0, "{}", desk.rejects());
    assert_eq!(report.unmapped, Vec::<String>::new());
    desk
}

#[test]
fn the_maps_that_come_with_the_program_bring_the_dates_of_history() {
    let held = |desk: &Desk, key: &str| -> Vec<Option<String>> {
        let all = desk.all("opportunity");
        let one = all.iter().find(|one| one.text("external_id") == Some(key));
        let fields = ["opened_at", "stage_since", "closed_on"];
        let text = |field| one.unwrap().get(field).map(ToString::to_string);
        fields.map(text).to_vec()
    };
    let some = |texts: [&str; 2]| texts.map(|text| Some(text.to_owned()));
    let map = include_str!("../../../../../tests/import/maps/leadforge-opportunities.toml");
    let row = |id: &'static str, stage: &'static str| {
        [
            ("opportunity_id", id),
            ("created_at", "2024-01-15"),
            ("stage", stage),
        ]
    };
    let desk = history(map, &[&row("1", "negotiation"), &row("2", "closed_won")]);
    let begun = some(["2024-01-15T00:00:00Z"; 2]);
    assert_eq!(held(&desk, "1"), [&begun[..], &[None]].concat());
    let closed = Some("2024-01-15".to_owned());
    assert_eq!(held(&desk, "2"), [&begun[..], &[closed]].concat());

    let map = include_str!("../../../../../tests/import/maps/salesforce-opportunities.toml");
    let row = |id: &'static str, stage: &'static str| {
        [
            ("ID", id),
            ("ISDELETED", "false"),
            ("NAME", "Fictitious"),
            ("STAGENAME", stage),
            ("CLOSEDATE", "2005-12-12"),
            ("CREATEDDATE", "2004-06-15T20:47:07.000Z"),
            ("LASTMODIFIEDDATE", "2005-06-15T20:47:07.000Z"),
        ]
    };
    let desk = history(map, &[&row("1", "Prospecting"), &row("2", "Closed Lost")]);
    let begun = some(["2004-06-15T20:47:07Z", "2005-06-15T20:47:07Z"]);
    assert_eq!(held(&desk, "1"), [&begun[..], &[None]].concat());
    let closed = Some("2005-12-12".to_owned());
    assert_eq!(held(&desk, "2"), [&begun[..], &[closed]].concat());
}
