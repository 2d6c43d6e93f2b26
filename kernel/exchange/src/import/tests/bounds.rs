//! What a file or a mapping may hold does not decide how much memory, disk or time an import takes.

use crate::import::convert::{Taken, convert};
use crate::import::fault::Fault;
use crate::import::mapping::Mapping;
use crate::import::plan::Plan;
use crate::import::rows::{Row, Rows};
use crate::import::spool::Spool;
use crate::limits::{IMPORT_NAMES, IMPORT_TEMPLATE};

use super::Desk;

/// The first row of a file as a draft.
fn draft(map: &str, file: &str) -> Taken {
    let desk = Desk::new();
    let (mut rows, mut row) = (Rows::new(file.as_bytes(), b','), Row::default());
    rows.read(&mut row).unwrap();
    let header: Vec<String> = row
        .fields()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let mapping = Mapping::parse(map).unwrap();
    let plan = Plan::bind(&mapping, "account", &header, desk.kernel.schema()).unwrap();
    rows.read(&mut row).unwrap();
    convert(&plan, &row)
}

#[test]
fn a_template_is_given_up_where_its_text_is_longer_than_any_field() {
    let most = IMPORT_TEMPLATE.count();
    for (letters, times, is_taken) in [
        (most, 1, true),
        (most + 1, 1, false),
        (most / 4, 4, true),
        (most / 4 + 1, 4, false),
        (100_000, 20_000, false),
    ] {
        let map = format!(
            "[fields]\nname = 'n'\ndescription = {{ template = '{}' }}",
            "{n}".repeat(times)
        );
        let Taken::Draft(draft) = draft(&map, &format!("n\n{}\n", "x".repeat(letters))) else {
            panic!("{letters} {times}")
        };
        assert_eq!(draft.faults.is_empty(), is_taken, "{letters} {times}");
        if let [fault] = draft.faults.as_slice() {
            assert_eq!(fault.column, "description");
            assert!(fault.reason.contains("import-template"), "{fault:?}");
            assert!(fault.bytes() < 1_000, "{fault:?}");
        }
        assert!(draft.bytes() <= letters + letters + most + 1_000);
    }
}

#[test]
fn a_draft_counts_by_what_it_holds_and_not_by_what_its_row_has() {
    let map = "[fields]\nname = 'n'\ndescription = { template = '{n}{n}{n}{n}' }\n\
               'billing_address.city' = 'n'\nparent = { column = 'n', lookup = 'account.external_id' }";
    let Taken::Draft(draft) = draft(map, &format!("n\n{}\n", "x".repeat(1_000))) else {
        panic!()
    };
    // The row itself, the name, the template, the city and what is looked up.
    assert!((8_000..8_200).contains(&draft.bytes()), "{}", draft.bytes());
}

#[test]
fn a_batch_ends_where_its_drafts_are_full_and_not_its_rows() {
    let map = format!(
        "[fields]\nexternal_id = 'k'\nname = 'k'\ndescription = {{ template = '{}' }}",
        "{n}".repeat(60)
    );
    let rows: String = (0..200)
        .map(|n| format!("{n},{}\n", "x".repeat(1_000)))
        .collect();
    let report = Desk::new().import("account", &map, &format!("k,n\n{rows}"));
    assert_eq!((report.counts.created, report.rejected), (200, 0));
    // 200 rows of 60 KB each, in batches of up to 4 MiB.
    assert_eq!(report.counts.commits, 3);
}

#[test]
fn a_fault_repeats_no_more_than_a_line_of_what_it_is_about() {
    let listed: String = (0..9_000).map(|n| format!("v{n} = 'gold'\n")).collect();
    let map = format!(
        "[fields]\nexternal_id = 'id'\nname = 'n'\ntier = {{ column = 't', values = {{ {} }} }}",
        listed.trim_end().replace('\n', ", ")
    );
    let desk = Desk::new();
    let rows: String = (0..100).map(|n| format!("{n},A,other\n")).collect();
    let report = desk.import("account", &map, &format!("id,n,t\n{rows}"));
    assert_eq!(report.rejected, 100);
    let rejects = desk.rejects();
    assert!(rejects.len() < 100 * 1_000, "{}", rejects.len());
    let more = format!("and {} more", 9_000 - IMPORT_NAMES.count());
    assert!(rejects.contains(&more), "{}", &rejects[..1_000]);
    for letters in [10, 1_999, 2_000, 2_001, 5_000_000] {
        let fault = Fault::new("c", &"ø".repeat(letters), "ø".repeat(letters));
        assert!(fault.bytes() < 2_500, "{letters}");
        assert_eq!(fault.reason.ends_with('…'), letters > 1_000, "{letters}");
    }
}

#[test]
fn rows_put_aside_lie_in_a_file_that_nobody_else_can_open() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.csv");
    let listed = || std::fs::read_dir(folder.path()).unwrap().count();
    let mut spool = Spool::beside(&file);
    assert!(spool.another().open().unwrap().is_none());
    let written = ["1,a,\"b\nc\"\n", ",,\n", "\"\",\u{feff}æ, x\n", "only\n"].concat();
    let (mut rows, mut row, mut all) =
        (Rows::new(written.as_bytes(), b','), Row::default(), vec![]);
    while rows.read(&mut row).unwrap() {
        spool.add(&row).unwrap();
        all.push(row.clone());
    }
    assert_eq!(listed(), 0);
    let mut back = spool.open().unwrap().unwrap();
    for expected in all {
        assert!(back.read(&mut row).unwrap());
        let fields = |row: &Row| row.fields().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!((row.line, fields(&row)), (expected.line, fields(&expected)));
    }
    assert!(!back.read(&mut row).unwrap());
    // Where the file's own folder is not there or cannot be written, the folder for temporary files is taken.
    let mut elsewhere = Spool::beside(&folder.path().join("none/file.csv"));
    elsewhere.add(&row).unwrap();
    assert!(elsewhere.open().unwrap().is_some());
}
