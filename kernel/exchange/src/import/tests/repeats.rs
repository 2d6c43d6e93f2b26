//! Rows of one file that have one key.

use super::Desk;

const MAP: &str = "[fields]\nexternal_id = 'id'\nname = 'n'\nindustry = 'i'";
const FILE: &str = "id,n,i\n1,One,a\n2,Two,b\n1,One,a\n1,Uno,c\n";

fn import(mode: &str) -> (Desk, (u64, u64, u64), Option<String>) {
    let desk = Desk::new();
    let map = format!("repeated_keys = '{mode}'\n{MAP}");
    let report = desk.import("account", &map, FILE);
    let told = (
        report.counts.created,
        report.counts.repeated,
        report.rejected,
    );
    assert_eq!(report.counts.skipped, report.counts.repeated);
    let entries = desk.entries();
    let again = desk.import("account", &map, FILE);
    assert_eq!(
        (again.counts.unchanged, desk.entries()),
        (2, entries),
        "{mode}"
    );
    let all = desk.all("account");
    let one = all
        .iter()
        .find(|record| record.text("external_id") == Some("1"));
    let name = one
        .and_then(|record| record.text("name"))
        .map(str::to_owned);
    (desk, told, name)
}

#[test]
fn the_first_the_last_or_those_that_say_the_same_count() {
    for (mode, told, name) in [
        ("reject", (2, 0, 2), "One"),
        ("first", (2, 2, 0), "One"),
        ("last", (2, 2, 0), "Uno"),
        ("same", (2, 1, 1), "One"),
    ] {
        let (desk, found, held) = import(mode);
        assert_eq!(
            (found, held.as_deref()),
            (told, Some(name)),
            "{mode}: {}",
            desk.rejects()
        );
    }
}

#[test]
fn the_last_good_row_counts_also_in_another_batch_and_when_an_earlier_one_waits() {
    let desk = Desk::new();
    let map = "repeated_keys = 'last'\n[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'e'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let between: String = (0..700).map(|n| format!("x{n},X,,\n")).collect();
    let file = format!("id,n,e,p\n1,First,,2\n{between}1,Last,,2\n1,Broken,a@@b,2\n2,Parent,,\n");
    let report = desk.import("account", map, &file);
    assert_eq!(
        (report.counts.created, report.counts.repeated),
        (702, 1),
        "{}",
        desk.rejects()
    );
    desk.named("account", "Last");
}

/// Which row of a key counts: the first or the last of those whose own cells are good. It counts whatever
/// becomes of it afterwards.
#[test]
fn one_row_of_a_key_counts_and_none_stands_in_for_it() {
    const MAP: &str = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'e'\nemployees = 'c'\n\
                       parent = { column = 'p', lookup = 'account.external_id' }";
    for (mode, rows, told, names) in [
        // A cell that is not taken, or cannot be read, is told, and its row counts for nothing.
        ("first", "1,A,a@@b,,\n1,B,,,\n1,C,,,", (1, 1, 1), vec!["B"]),
        ("first", "1,A,,x,\n1,B,,,\n1,C,,,", (1, 1, 1), vec!["B"]),
        ("last", "1,A,,,\n1,B,,,\n1,C,a@@b,,", (1, 1, 1), vec!["B"]),
        ("last", "1,A,,,\n1,B,,,\n1,C,,x,", (1, 1, 1), vec!["B"]),
        ("last", "1,A,a@@b,,\n1,B,,,\n1,C,,,", (1, 1, 1), vec!["C"]),
        ("same", "1,A,a@@b,,\n1,B,,,\n1,B,,,", (1, 1, 1), vec!["B"]),
        ("reject", "1,A,a@@b,,\n1,B,,,\n1,C,,,", (1, 0, 2), vec!["B"]),
        // A row that counts and is rejected for what others hold is not replaced by one before or behind it.
        ("last", "1,A,,,\n1,B,,,none\n2,D,,,", (1, 1, 1), vec!["D"]),
        ("first", "1,A,,,none\n1,B,,,\n2,D,,,", (1, 1, 1), vec!["D"]),
    ] {
        let desk = Desk::new();
        let map = format!("repeated_keys = '{mode}'\n{MAP}");
        let report = desk.import("account", &map, &format!("id,n,e,c,p\n{rows}\n"));
        let counts = &report.counts;
        let found = (counts.created, counts.repeated, report.rejected);
        assert_eq!(found, told, "{mode} {rows}: {}", desk.rejects());
        let all = desk.all("account");
        let held: Vec<_> = all.iter().filter_map(|one| one.text("name")).collect();
        assert_eq!(held, names, "{mode} {rows}");
    }
}

#[test]
fn a_look_up_finds_the_row_that_counts() {
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\n\
               parent = { column = 'p', lookup = 'account.name' }";
    for (mode, parent, created) in [("last", "New", 2), ("last", "Old", 1), ("first", "Old", 2)] {
        let desk = Desk::new();
        let map = format!("repeated_keys = '{mode}'\n{map}");
        let file = format!("id,n,p\n2,Child,{parent}\n1,Old,\n1,New,\n");
        let report = desk.import("account", &map, &file);
        assert_eq!(
            report.counts.created,
            created,
            "{mode} {parent}: {}",
            desk.rejects()
        );
    }
}
