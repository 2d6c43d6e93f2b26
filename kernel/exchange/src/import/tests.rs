//! Import of small files into a kernel on the memory store.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod again;
mod bounds;
mod clashes;
mod encodings;
mod export;
mod links;
mod odd_files;
mod repeats;
mod report;
mod sense;
mod text;
mod values;
mod wrong_files;

use std::path::PathBuf;
use std::sync::Arc;

use kjerne_core::{Fault, Finding, Guarded, Kernel, TablePlugin, TablePlugins};
use kjerne_model::{
    Choice, Field, FieldType, Instant, Kind, Name, Record, Schema, Value, core_kinds,
};
use kjerne_store::{MemoryStore, journal, records};

use super::{Counts, ImportOptions, ImportReport, Mapping, run};

/// A workspace in memory and a folder for files.
struct Desk {
    kernel: Kernel,
    folder: tempfile::TempDir,
    imports: std::cell::Cell<u128>,
}

impl Desk {
    fn new() -> Self {
        Self::with(TablePlugins::none())
    }

    fn with(plugins: TablePlugins) -> Self {
        Self::of(core_kinds(), plugins)
    }

    /// With a kind of its own, whose choices are not easy to write in one text.
    fn with_kind() -> Self {
        let choices = |values: &[&str]| {
            let choice = |value: &&str| Choice {
                value: (*value).to_owned(),
                label: (*value).to_owned(),
            };
            values.iter().map(choice).collect()
        };
        let cover = choices(&["fire;theft", " water ", "plain", "fire", "water"]);
        let text = FieldType::Text { max_bytes: 100 };
        let fields = [
            ("external_id", text, true),
            ("cover", FieldType::Choices(cover), false),
            ("state", FieldType::Choice(choices(&[" a ", "b"])), false),
        ];
        let account = core_kinds()
            .into_iter()
            .find(|kind| kind.name == *"account");
        let mut kind = account.unwrap();
        let model = kind.fields[0].clone();
        kind.name = Name::new("policy").unwrap();
        let field = |(name, field_type, unique): (&str, FieldType, bool)| Field {
            name: Name::new(name).unwrap(),
            field_type,
            unique,
            required: false,
            ..model.clone()
        };
        kind.fields = fields.map(field).to_vec();
        Self::of(vec![kind], TablePlugins::none())
    }

    fn of(kinds: Vec<Kind>, plugins: TablePlugins) -> Self {
        let schema = Arc::new(Schema::new(kinds).unwrap());
        let store = Arc::new(MemoryStore::new());
        let kernel = Kernel::new(store, schema, Arc::new(plugins), 7).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            kernel,
            folder,
            imports: std::cell::Cell::new(0),
        }
    }

    fn options(&self, kind: &str, map: &str, file: &[u8]) -> ImportOptions {
        let path = self.folder.path().join("file.csv");
        std::fs::write(&path, file).unwrap();
        ImportOptions {
            file: path,
            name: "file.csv".to_owned(),
            kind: kind.to_owned(),
            mapping: (!map.is_empty()).then(|| Mapping::parse(map).unwrap()),
            dry_run: false,
            at: Instant::parse("2026-01-05T09:00:00Z").unwrap(),
            seed: self.imports.replace(self.imports.get() + 1),
        }
    }

    fn rejects_path(&self) -> PathBuf {
        self.folder.path().join("rejects.csv")
    }

    fn rejects(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.rejects_path()).unwrap()).into_owned()
    }

    fn try_import(&self, kind: &str, map: &str, file: &[u8]) -> Result<ImportReport, String> {
        self.run(&self.options(kind, map, file))
    }

    fn run(&self, options: &ImportOptions) -> Result<ImportReport, String> {
        let rejects = Box::new(std::fs::File::create(self.rejects_path()).unwrap());
        run(&self.kernel, options, Some(rejects), &|_| true).map_err(|error| error.to_string())
    }

    fn import(&self, kind: &str, map: &str, file: &str) -> ImportReport {
        self.try_import(kind, map, file.as_bytes()).unwrap()
    }

    fn all(&self, kind: &str) -> Vec<Record> {
        let mut all = Vec::new();
        let snapshot = self.kernel.store().snapshot().unwrap();
        records::scan(&*snapshot, kind, None, &mut |record| {
            all.push(record);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
        all
    }

    fn named(&self, kind: &str, name: &str) -> Record {
        let all = self.all(kind);
        all.into_iter()
            .find(|record| record.text("name") == Some(name))
            .expect(name)
    }

    fn entries(&self) -> u64 {
        journal::last(&*self.kernel.store().snapshot().unwrap()).unwrap()
    }
}

/// A plugin that refuses accounts with this name.
fn refusing(name: &'static str) -> TablePlugins {
    let guard = TablePlugin::new("fussy").guard(move |_, drafts| {
        let bad = |field: Option<&Value>| field.and_then(Value::as_text) == Some(name);
        let findings = drafts
            .iter()
            .filter(|draft| bad(draft.after.as_ref().and_then(|fields| fields.get("name"))))
            .map(|draft| Finding {
                force: kjerne_core::Force::Refuses,
                change: draft.change,
                field: Some("name".to_owned()),
                code: "bad-name".to_owned(),
                message: format!("{name} is not welcome"),
            })
            .collect();
        Ok(Guarded {
            findings,
            ..Guarded::default()
        })
    });
    TablePlugins::none().with(guard)
}

const ACCOUNTS: &str = r#"
    currency = "NOK"
    decimal_comma = true
    date_formats = ["%d.%m.%Y"]
    [fields]
    external_id = "Id"
    name = { template = "{First} {Last}" }
    annual_revenue = "Revenue"
    account_type = { column = "Type", values = { K = "customer", "*" = "other" } }
    customer_since = "Since"
    "billing_address.city" = "City"
    segment = { constant = "imported" }
"#;

#[test]
fn columns_templates_values_and_constants_become_fields() {
    let desk = Desk::new();
    let report = desk.import(
        "account",
        ACCOUNTS,
        "Id;First;Last;Revenue;Type;Since;City;Fax\r\n\
         1;Nord;Data AS;1.234,50;K;31.12.2025;\"Mo i\r\nRana\";99\r\n\
         2;;Sør;;X;;;\r\n",
    );
    assert_eq!(
        (report.counts.created, report.rejected, report.delimiter),
        (2, 0, ';')
    );
    assert_eq!(report.unmapped, ["Fax"]);
    let held: Vec<String> = desk
        .named("account", "Nord Data AS")
        .fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        held,
        [
            "account_type=customer",
            "annual_revenue=1234.50 NOK",
            "billing_address=||Mo i\r\nRana||",
            "customer_since=2025-12-31",
            "external_id=1",
            "name=Nord Data AS",
            "segment=imported",
        ]
    );
    assert_eq!(desk.named("account", "Sør").get("annual_revenue"), None);
}

#[test]
fn a_second_import_changes_nothing() {
    let desk = Desk::new();
    let file = "Id,First,Last,Revenue,Type,Since,City\n1,A,B,5,K,,Oslo\n2,C,D,,X,,\n";
    desk.import("account", ACCOUNTS, file);
    let (before, entries) = (desk.all("account"), desk.entries());
    let report = desk.import("account", ACCOUNTS, file);
    assert_eq!(
        report.counts,
        Counts {
            rows: 2,
            unchanged: 2,
            ..Counts::default()
        }
    );
    assert_eq!((desk.all("account"), desk.entries()), (before, entries));
}

#[test]
fn a_changed_row_changes_its_record_and_no_other() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nphone = 'p'";
    desk.import("account", map, "id,n,p\n1,One,111111\n2,Two,222222\n");
    let report = desk.import("account", map, "id,n,p\n1,Uno,\n2,Two,222222\n");
    assert_eq!((report.counts.updated, report.counts.unchanged), (1, 1));
    let one = desk.named("account", "Uno");
    assert_eq!(
        (one.version, one.text("phone")),
        (2, Some("111111")),
        "an empty cell says nothing"
    );
    let clearing = format!("empty_cells = 'clear'\n{map}");
    desk.import("account", &clearing, "id,n,p\n1,Uno,\n");
    assert_eq!(desk.named("account", "Uno").text("phone"), None);
}

#[test]
fn a_value_set_back_since_the_last_import_is_set_again() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    for name in ["One", "Uno", "One", "Uno"] {
        let report = desk.import("account", map, &format!("id,n\n1,{name}\n"));
        assert_eq!(report.counts.created + report.counts.updated, 1, "{name}");
        assert_eq!(desk.all("account")[0].text("name"), Some(name));
    }
}

#[test]
fn existing_records_are_skipped_or_told_as_the_mapping_says() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    desk.import("account", map, "id,n\n1,One\n");
    let skipping = format!("on_existing = 'skip'\n{map}");
    let report = desk.import("account", &skipping, "id,n\n1,Uno\n2,Two\n");
    assert_eq!((report.counts.skipped, report.counts.created), (1, 1));
    let telling = format!("on_existing = 'error'\n{map}");
    let report = desk.import("account", &telling, "id,n\n1,Uno\n3,Three\n");
    assert_eq!(
        (report.rejected, report.counts.created),
        (1, 1),
        "{}",
        desk.rejects()
    );
    assert!(
        desk.rejects().contains("the record is there already"),
        "{}",
        desk.rejects()
    );
    desk.named("account", "One");
}

#[test]
fn a_row_is_rejected_with_line_column_value_reason_and_itself() {
    let desk = Desk::new();
    let map = "currency = 'NOK'\n[fields]\nexternal_id = 'id'\nname = 'n'\n\
               annual_revenue = 'rev'\nemail = 'mail'\nemployees = 'emp'";
    let report = desk.import(
        "account",
        map,
        "id,n,rev,mail,emp\n\
         1,\"Good,\nAS\",1,a@example.org,5\n\
         2,Bad,lots,b@example.org,many\n\
         3,Worse,1,nowhere,5\n\
         4,Short\n\
         5,,1,,\n",
    );
    assert_eq!(
        (report.counts.rows, report.counts.created, report.rejected),
        (5, 1, 4)
    );
    let rejects = desk.rejects();
    let lines: Vec<&str> = rejects.lines().collect();
    assert_eq!(
        lines[0],
        "reject_line,reject_column,reject_value,reject_reason,id,n,rev,mail,emp"
    );
    for (start, contains, end) in [
        (
            "4,rev,lots,",
            "emp: expected a number such as 1,234.50",
            "2,Bad,lots,b@example.org,many",
        ),
        (
            "6,,,",
            "the row has 2 columns, and the header has 5",
            "4,Short",
        ),
        (
            "5,mail,nowhere,",
            "is not an e-mail address",
            "3,Worse,1,nowhere,5",
        ),
        ("7,n,,", "account needs name", "5,,1,,"),
    ] {
        let found = lines
            .iter()
            .any(|line| line.starts_with(start) && line.contains(contains) && line.ends_with(end));
        assert!(found, "{start} … {contains} … {end} is not in:\n{rejects}");
    }
}

#[test]
fn corrected_rejects_are_taken_with_the_same_mapping() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nemail = 'mail'";
    desk.import("account", map, "id,n,mail\n1,One,broken\n2,Two,\n");
    let corrected = desk
        .rejects()
        .replace(",1,One,broken", ",1,One,one@example.org");
    let report = desk.import("account", map, &corrected);
    assert_eq!((report.counts.created, report.rejected), (1, 0));
    assert_eq!(report.unmapped, Vec::<String>::new());
    // A reject of rejects is written once, with the columns it began with.
    desk.import(
        "account",
        map,
        &desk.rejects().replace('\n', "\n9,,,,3,Three,broken\n"),
    );
    let rejects = desk.rejects();
    assert_eq!(
        rejects.lines().collect::<Vec<_>>(),
        [
            "reject_line,reject_column,reject_value,reject_reason,id,n,mail",
            "2,mail,broken,email: broken is not an e-mail address,3,Three,broken",
        ]
    );
}

#[test]
fn a_row_a_plugin_refuses_costs_no_other_row() {
    let desk = Desk::with(refusing("Bad"));
    let rows: String = (0..1200)
        .map(|n| format!("{n},{}\n", if n % 400 == 7 { "Bad" } else { "Good" }))
        .collect();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    let report = desk.import("account", map, &format!("id,n\n{rows}"));
    assert_eq!((report.counts.created, report.rejected), (1197, 3));
    assert_eq!(report.counts.commits, 3);
    let rejects = desk.rejects();
    assert!(
        rejects.contains("9,n,Bad,Bad is not welcome (fussy: bad-name),7,Bad"),
        "{rejects}"
    );
}

#[test]
fn a_plugin_that_breaks_on_one_row_rejects_that_row_alone() {
    let broken = TablePlugin::new("fragile").guard(|_, drafts| {
        let name = |field: Option<&Value>| field.and_then(Value::as_text) == Some("Bomb");
        if drafts
            .iter()
            .any(|d| name(d.after.as_ref().and_then(|fields| fields.get("name"))))
        {
            let message = "plugin fragile broke its limit fuel of 1000".to_owned();
            return Err(Fault {
                plugin: "fragile".to_owned(),
                limit: "fuel".to_owned(),
                allowed: Some(1000),
                message,
            });
        }
        Ok(Guarded::default())
    });
    let desk = Desk::with(TablePlugins::none().with(broken));
    let rows: String = (0..300)
        .map(|n| format!("{n},{}\n", if n == 123 { "Bomb" } else { "Good" }))
        .collect();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    let report = desk.import("account", map, &format!("id,n\n{rows}"));
    assert_eq!((report.counts.created, report.rejected), (299, 1));
    assert!(
        report.first_rejects[0].reason.contains("limit fuel"),
        "{:?}",
        report.first_rejects
    );
}

/// A guard that was not asked for want of a place has said nothing about any row.
#[test]
fn rows_wait_for_a_guard_that_finds_no_place() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let full = TablePlugin::new("full").guard(move |_, _| {
        if asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
            return Err(Fault {
                plugin: "full".to_owned(),
                limit: Fault::BUSY.to_owned(),
                allowed: Some(4),
                message: "plugin full was not asked".to_owned(),
            });
        }
        Ok(Guarded::default())
    });
    let desk = Desk::with(TablePlugins::none().with(full));
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    let report = desk.import("account", map, "id,n\n1,A\n2,B\n");
    assert_eq!((report.counts.created, report.rejected), (2, 0));
    assert_eq!(desk.entries(), 1, "one commit as before");
}

#[test]
fn a_dry_run_asks_everybody_and_stores_nothing() {
    let desk = Desk::with(refusing("Bad"));
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'\nparent = { column = 'p', lookup = 'account.external_id' }";
    let mut options = desk.options(
        "account",
        map,
        b"id,n,p\n1,Good,\n2,Bad,\n3,Child,1\n4,Lost,9\n",
    );
    options.dry_run = true;
    let report = desk.run(&options).unwrap();
    assert_eq!((report.counts.created, report.rejected), (2, 2));
    assert_eq!((desk.all("account").len(), desk.entries()), (0, 0));
    assert!(desk.rejects().contains("not welcome") && desk.rejects().contains("no account has"));
}

#[test]
fn wrong_columns_are_an_error_before_anything_is_stored() {
    let desk = Desk::new();
    let error = desk
        .try_import("account", ACCOUNTS, b"Id,Name\n1,One\n")
        .unwrap_err();
    assert!(
        error.contains("no column \"First\"") && error.contains("; it has Id, Name"),
        "{error}"
    );
    let error = desk.try_import("account", "", b"").unwrap_err();
    assert!(error.contains("is empty"), "{error}");
    let error = desk
        .try_import("galaxy", "[fields]\nname = 'n'", b"n\n1\n")
        .unwrap_err();
    assert!(
        error.contains("no kind \"galaxy\"; there are account,"),
        "{error}"
    );
    assert_eq!(desk.entries(), 0);
}

#[test]
fn broken_text_and_huge_fields_reject_their_rows_with_line_and_column() {
    let desk = Desk::new();
    let map = "[fields]\nexternal_id = 'id'\nname = 'n'";
    let mut file = "id,n\n1,Bjørn æøå\n2,".as_bytes().to_vec();
    file.extend_from_slice(b"br\xE6k\n3,");
    file.extend(std::iter::repeat_n(b'x', 10_000_000));
    file.extend_from_slice("\n4,Åse\n".as_bytes());
    let report = desk.try_import("account", map, &file).unwrap();
    assert_eq!(
        (report.counts.created, report.rejected, report.encoding),
        (2, 2, "UTF-8")
    );
    let [broken, huge] = report.first_rejects.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((broken.line, broken.column.as_str()), (3, "n"));
    assert!(broken.reason.contains("broken at its byte 2"), "{broken:?}");
    assert_eq!((huge.line, huge.column.as_str()), (4, "n"));
    assert!(huge.reason.contains("10000000 bytes long"), "{huge:?}");
}

#[test]
fn a_latin_1_file_keeps_its_letters() {
    let desk = Desk::new();
    let file = "id,n\n1,Cr\u{e9}dito Inmobiliario\n2,Bj\u{f8}rnsons Caf\u{e9}\n";
    let bytes: Vec<u8> = file.chars().map(|letter| letter as u8).collect();
    let report = desk.try_import(
        "account",
        "encoding = 'latin1'\n[fields]\nname = 'n'\nexternal_id = 'id'",
        &bytes,
    );
    assert_eq!(report.unwrap().encoding, "windows-1252");
    desk.named("account", "Crédito Inmobiliario");
    desk.named("account", "Bjørnsons Café");
}

#[test]
fn rows_with_one_key_are_told_apart_and_rows_can_be_left_out() {
    let desk = Desk::new();
    let map = "[skip]\ndeleted = ['true']\n[fields]\nexternal_id = 'id'\nname = 'n'";
    let file = "id,n,deleted\nA,One,false\nA,Two,false\nB,Three,true\n,Four,false\n";
    for round in 0..2 {
        let report = desk.import("account", map, file);
        let Counts {
            created,
            unchanged,
            skipped,
            ..
        } = report.counts;
        assert_eq!(
            (created + unchanged, skipped, report.rejected),
            (1, 1, 2),
            "round {round}"
        );
    }
    assert!(desk.rejects().contains("same key"));
    assert!(
        desk.rejects()
            .contains("the key by which the record is found again is empty")
    );
}

#[test]
fn without_a_key_the_same_file_is_still_stored_once() {
    let desk = Desk::new();
    let map = "[fields]\nname = 'n'";
    desk.import("account", map, "n\nOne\nOne\n");
    let report = desk.import("account", map, "n\nOne\nOne\n");
    assert_eq!((report.counts.unchanged, desk.all("account").len()), (2, 2));
    desk.import("account", map, "n\nOne\nOne\nThree\n");
    assert_eq!(desk.all("account").len(), 5);
}
