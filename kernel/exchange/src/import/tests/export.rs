//! An export that is imported again.

use super::Desk;
use crate::export::{ExportFormat, write};

fn export(desk: &Desk, kind: &str, filter: &str, format: ExportFormat) -> String {
    let mut out = Vec::new();
    write(&desk.kernel, kind, filter, format, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn desk() -> Desk {
    let desk = Desk::new();
    let map = "currency = 'NOK'\n[fields]\nexternal_id = 'id'\nname = 'n'\n\
               annual_revenue = 'r'\n\"billing_address.city\" = 'c'\ndescription = 'd'\n\
               parent = { column = 'p', lookup = 'account.external_id' }";
    let file =
        "id,n,r,c,d,p\n1,\"Nord, AS\",12.5,Oslo,\"two\nlines \"\"quoted\"\"\",2\n2,Sør,,,,\n";
    desk.import("account", map, file);
    desk
}

#[test]
fn an_export_imported_again_changes_nothing() {
    let desk = desk();
    let text = export(&desk, "account", "", ExportFormat::Csv);
    assert!(text.starts_with("id,name,org_number,"), "{text}");
    let report = desk.import("account", "", &text);
    assert_eq!((report.counts.unchanged, report.rejected), (2, 0));
    assert_eq!(report.unmapped, Vec::<String>::new());
}

#[test]
fn an_export_fills_an_empty_workspace_with_the_same_records() {
    let desk = desk();
    let text = export(&desk, "account", "", ExportFormat::Csv);
    let other = Desk::new();
    let report = other.import("account", "", &text);
    assert_eq!(
        (report.counts.created, report.rejected),
        (2, 0),
        "{}",
        other.rejects()
    );
    let fields = |desk: &Desk| -> Vec<_> {
        desk.all("account")
            .into_iter()
            .map(|record| (record.id, record.fields))
            .collect()
    };
    assert_eq!(fields(&desk), fields(&other));
}

#[test]
fn a_cell_emptied_in_an_export_empties_its_field() {
    let desk = desk();
    let text = export(&desk, "account", "", ExportFormat::Csv).replace("12.50 NOK", "");
    assert_eq!(desk.import("account", "", &text).counts.updated, 1);
    assert_eq!(
        desk.named("account", "Nord, AS").get("annual_revenue"),
        None
    );
}

#[test]
fn an_export_takes_a_filter_and_writes_json_lines() {
    let desk = desk();
    let lines = export(
        &desk,
        "account",
        "billing_address/city eq 'Oslo'",
        ExportFormat::JsonLines,
    );
    assert_eq!(lines.lines().count(), 1);
    let wrong = write(
        &desk.kernel,
        "account",
        "town eq 'x'",
        ExportFormat::Csv,
        &mut Vec::new(),
    );
    assert!(wrong.unwrap_err().to_string().contains("position 0"));
    let wrong = write(
        &desk.kernel,
        "galaxy",
        "",
        ExportFormat::Csv,
        &mut Vec::new(),
    );
    assert!(
        wrong
            .unwrap_err()
            .to_string()
            .contains("there are account,")
    );
}
