//! Rows that clash with rows which are themselves not taken.

use super::Desk;

#[test]
fn a_row_is_not_rejected_for_a_value_of_a_rejected_one() {
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'e'\n\
               team = { column = 't', lookup = 'team.name' }";
    for (rows, created) in [
        ("a,A,x@x.no,none\nb,B,X@x.no,\n", 1),
        ("a,A,x@x.no,\nb,B,X@x.no,\n", 1),
        ("a,A,x@x.no,\nb,B,y@x.no,\n", 2),
    ] {
        let desk = Desk::new();
        let report = desk.import("user", map, &format!("id,n,e,t\n{rows}"));
        assert_eq!(report.counts.created, created, "{}", desk.rejects());
    }
    // The first of the two is refused by a plugin, which is asked only when nothing else is wrong.
    let guarded = "[fields]\nname = 'n'\nexternal_id = 'i'\nemail = 'e'";
    let desk = Desk::with(super::refusing("Bad"));
    let report = desk.import("user", guarded, "n,i,e\nBad,1,x@x.no\nGood,2,X@x.no\n");
    assert_eq!(report.counts.created, 1, "{}", desk.rejects());
}

#[test]
fn rows_that_are_not_stored_are_told_by_line_and_key() {
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'e'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let desk = Desk::new();
    let rows = "A,A,,B\nB,B,,A\nG,G,,A\nC,C,bad,\nD,D,,C\n";
    let report = desk.import("account", map, &format!("id,n,e,p\n{rows}"));
    assert_eq!((report.counts.created, report.rejected), (0, 5));
    let rejects = desk.rejects();
    assert!(!rejects.contains("account/0"), "{rejects}");
    for expected in [
        "parent leads back to the row in line 2 (external_id",
        "is above itself; mend that one first",
        "the row with external_id \"\"C\"\", in line 5, is not taken",
    ] {
        assert!(rejects.contains(expected), "{expected}: {rejects}");
    }
}
