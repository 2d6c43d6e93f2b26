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

#[test]
fn cells_made_safe_for_spreadsheets_come_back_exactly() {
    let desk = Desk::new();
    let map = "keep_blanks = true\ncurrency = 'NOK'\n[fields]\nexternal_id = 'id'\nname = 'n'\n\
               description = 'd'\nemployees = 'e'\nannual_revenue = 'r'\nphone = 'p'";
    let file = "id,n,d,e,r,p\n1,=1+1,'=x,-5,-12.5,+47 22 33 44 55\n2,@me,''-x,1,1,\n\
                3,'plain,\ttab,1,1,\n4,＝x,'',1,1,\n5,-,'',1,1,\n";
    let report = desk.import("account", map, file);
    assert_eq!(report.counts.created, 5, "{}", desk.rejects());
    let text = export(&desk, "account", "", ExportFormat::SafeCsv);
    for cell in [
        ",'=1+1,",
        ",''=x,",
        ",-5,",
        ",'-12.50 NOK,",
        ",'+47 22 33 44 55,",
        ",'@me,",
        ",'''-x,",
        ",'plain,",
        ",'\ttab,",
        ",'-,",
    ] {
        assert!(text.contains(cell), "{cell} is not in {text}");
    }
    let report = desk.import("account", "", &text);
    assert_eq!((report.counts.unchanged, report.rejected), (5, 0));
    let other = Desk::new();
    let report = other.import("account", "", &text);
    assert_eq!(report.counts.created, 5, "{}", other.rejects());
    assert_eq!(report.unmapped, Vec::<String>::new());
    let fields = |desk: &Desk| -> Vec<_> {
        let all = desk.all("account").into_iter();
        all.map(|record| record.fields).collect()
    };
    assert_eq!(fields(&desk), fields(&other));
    // The same by a mapping that says so.
    let third = Desk::new();
    let map = "safe_for_spreadsheets = true\nkeep_blanks = true\n\
               [fields]\nname = 'name'\ndescription = 'description'";
    third.import("account", map, &text);
    let one = third.named("account", "=1+1");
    assert_eq!(one.text("description"), Some("'=x"));
}

#[test]
fn choices_with_separators_and_blanks_come_back_exactly() {
    let desk = Desk::with_kind();
    let map = "[fields]\nexternal_id = 'id'\ncover = 'c'\n\
               state = { column = 'c', values = { '*' = ' a ' } }";
    let file = "id,c\n1,\"\"\"fire;theft\"\";\"\" water \"\";plain\"\n";
    desk.import("policy", map, file);
    let held = desk.all("policy").remove(0).fields;
    assert_eq!(
        held["cover"].to_string(),
        "\" water \";\"fire;theft\";plain"
    );
    for format in [ExportFormat::Csv, ExportFormat::SafeCsv] {
        let text = export(&desk, "policy", "", format);
        let other = Desk::with_kind();
        let report = other.import("policy", "", &text);
        let told = (report.counts.created, report.rejected);
        assert_eq!(told, (1, 0), "{}", other.rejects());
        assert_eq!(other.all("policy")[0].fields, held);
    }
}
