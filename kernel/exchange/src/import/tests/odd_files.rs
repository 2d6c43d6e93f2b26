//! Files that are no plain table: told, rejected, or read by a setting; never silently taken wrong.

use crate::limits::{IMPORT_HEADER_ROWS, IMPORT_NOTES};

use super::Desk;

const MAP: &str = "[fields]\nexternal_id = 'id'\nname = 'n'\nemployees = 'e'";

#[test]
fn text_behind_a_closing_quote_rejects_its_row_with_line_and_column() {
    let desk = Desk::new();
    let report = desk.import(
        "account",
        MAP,
        "id,n,e\n1,\"A\"B,1\n2,\"C\" ,2\n3,\"D\nE\"F,3\n4,\"G\"\"H\",4\n",
    );
    assert_eq!((report.counts.created, report.rejected), (2, 2));
    let [first, second] = report.first_rejects.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (first.line, first.column.as_str(), first.value.as_str()),
        (2, "n", "\"A\"B")
    );
    assert!(
        second.reason.contains("line 5: the field goes on"),
        "{second:?}"
    );
    desk.named("account", "C");
    desk.named("account", "G\"H");
}

#[test]
fn blanks_before_a_quote_are_none_of_the_field() {
    let desk = Desk::new();
    let rows = "1, \"Hansen, AS\", 2\n2,\t\"Berg\" ,3\n3, \"\"Q\"\",4\n4, \"A\" B,5\n";
    let report = desk.import("account", MAP, &format!("id, \"n\", e\n{rows}"));
    assert_eq!((report.counts.created, report.rejected), (2, 2));
    desk.named("account", "Hansen, AS");
    desk.named("account", "Berg");
    assert!(
        desk.rejects().contains("closing quote"),
        "{}",
        desk.rejects()
    );
}

#[test]
fn a_header_that_comes_again_is_rejected() {
    let desk = Desk::new();
    let report = desk.import("account", MAP, "id,n,e\n1,A,1\nid, n,e\n2,B,2\n");
    assert_eq!((report.counts.created, report.rejected), (2, 1));
    assert!(report.first_rejects[0].reason.contains("header once more"));
}

#[test]
fn a_second_table_and_a_second_line_of_names_are_told() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nindustry = 'e'";
    let rows = |from: u32| {
        (from..from + 5)
            .map(|n| format!("{n},A,{n}\n"))
            .collect::<String>()
    };
    let file = format!(
        "id,n,e\nno,words,kroner\n{}\nkey,name,sum\n{}",
        rows(1),
        rows(9)
    );
    let report = desk.import("account", map, &file);
    let notes = report.told.notes.join("\n");
    assert!(
        notes.contains("line 2 looks like another header"),
        "{notes}"
    );
    assert!(
        notes.contains("line 9 looks like another header"),
        "{notes}"
    );
    let file = format!("id,n,e\n{}\n\n{}", rows(1), rows(9));
    let report = desk.import("account", map, &file);
    assert_eq!(
        report.told.notes,
        ["line 9 follows a blank line; is it the beginning of another table?"]
    );
    let report = desk.import("account", map, &format!("id,n,e\n{}", rows(1)));
    assert_eq!(report.told.notes, Vec::<String>::new());
}

#[test]
fn notes_are_bounded_and_the_others_counted() {
    let desk = Desk::new();
    let most = IMPORT_NOTES.value;
    for (count, notes, more) in [(most, most, 0), (most + 3, most, 3)] {
        let rows: String = (0..count).map(|n| format!("\n{n},A,1\n")).collect();
        let told = desk
            .import("account", MAP, &format!("id,n,e\n0x,B,2\n{rows}"))
            .told;
        assert_eq!((told.notes.len() as u64, told.more_notes), (notes, more));
    }
}

#[test]
fn a_header_of_several_rows_and_titles_above_it_are_read_by_settings() {
    let desk = Desk::new();
    let map = "rows_before_header = 1\nheader_rows = 2\ncurrency = 'NOK'\n\
               [fields]\nexternal_id = 'Id'\nname = 'Name'\nannual_revenue = 'Revenue in NOK'";
    let report = desk.import(
        "account",
        map,
        "Our accounts\nId,Name,Revenue\n,,in NOK\n1,A,5\n2,B,6\n",
    );
    assert_eq!((report.counts.created, report.told.notes.len()), (2, 0));
    let most = IMPORT_HEADER_ROWS.value;
    for (rows, is_taken) in [(0, false), (1, true), (most + 1, false)] {
        let map = format!("header_rows = {rows}\n[fields]\nname = 'n'");
        let taken = desk.try_import("account", &map, b"n\nOne\n");
        assert_eq!(taken.is_ok(), is_taken, "{rows}: {taken:?}");
    }
    let map = format!("rows_before_header = {}\n[fields]\nname = 'n'", most + 1);
    let error = desk.try_import("account", &map, b"n\nOne\n").unwrap_err();
    assert!(error.contains("import-header-rows"), "{error}");
    let rows = "x\n".repeat(most as usize);
    let map = format!("rows_before_header = {most}\n[fields]\nname = 'n'");
    assert_eq!(
        desk.import("account", &map, &format!("{rows}n\nOne\n"))
            .counts
            .created,
        1
    );
}

#[test]
fn backslash_escapes_are_read_when_told_and_never_silently_kept() {
    let escaped = "id,n,e\n1,\"say \\\"x\\\", he\",1\n2,a\\,b,2\n3,\"C:\\\\dir\\new\",3\n";
    let desk = Desk::new();
    let map = format!("escape = '\\'\n{MAP}");
    let report = desk.import("account", &map, escaped);
    assert_eq!(
        (report.counts.created, report.rejected),
        (3, 0),
        "{}",
        desk.rejects()
    );
    for name in ["say \"x\", he", "a,b", "C:\\dir\\new"] {
        desk.named("account", name);
    }
    let desk = Desk::new();
    let report = desk.import("account", MAP, escaped);
    assert_eq!((report.counts.created, report.rejected), (1, 2));
    // A row that fits all the same is told.
    let report = Desk::new().import("account", MAP, "id,n,e\n1,\"ends with \\\",1\n2,B,2\n");
    assert_eq!(report.counts.created, 2);
    assert!(report.told.notes[0].contains("line 2 has a backslash before a quote"));
}

#[test]
fn other_quotes_are_read_when_told() {
    let desk = Desk::new();
    let map = format!("quote = \"'\"\n{MAP}");
    desk.import("account", &map, "id,n,e\n1,'A, ''B''',1\n");
    desk.named("account", "A, 'B'");
    for wrong in [
        "quote = ','",
        "quote = 'xx'",
        "escape = '\"'",
        "delimiter = 'ø'",
    ] {
        let map = format!("{wrong}\n{MAP}");
        assert!(
            desk.try_import("account", &map, b"id,n,e\n1,A,1\n")
                .is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn rejects_of_a_file_in_another_form_are_taken_with_the_same_mapping() {
    let desk = Desk::new();
    let map = "encoding = 'windows-1252'\ndelimiter = ';'\nquote = \"'\"\nheader_rows = 2\n\
               [fields]\nexternal_id = 'id no'\nname = 'n'\nemail = 'e'";
    let file = "id;n;e\nno;;\n1;'Bj\u{f8}rn; AS';broken\n";
    let bytes: Vec<u8> = file.chars().map(|letter| letter as u8).collect();
    assert_eq!(desk.try_import("account", map, &bytes).unwrap().rejected, 1);
    let corrected = desk
        .rejects()
        .replace(",broken", ",ok@example.org")
        .replacen("ok@example.org", "broken", 1);
    let report = desk.import("account", map, &corrected);
    assert_eq!(
        (report.counts.created, report.rejected),
        (1, 0),
        "{corrected}\n{}",
        desk.rejects()
    );
    desk.named("account", "Bjørn; AS");
}
