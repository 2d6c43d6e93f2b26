//! The shape of files, our own exports among them: quotes, headers, tables below tables, choices that
//! hold separators, and cells that a spreadsheet would take for formulas.

use kjerne_tests::Workspace;
use serde_json::{Value as Json, json};

use crate::desk::{held, import, reads};

const KINDS: &str = r#"
[[kind]]
name = "policy"

[[kind.field]]
name = "name"
type = "text"

[[kind.field]]
name = "cover"
type = "choices"
choices = ["fire;theft", "water", " air ", "\"quoted\"", "a,b", "=1", "-"]

[[kind.field]]
name = "state"
type = "choice"
choices = ["a;b", " c ", "\"d", "=e"]

[[kind.field]]
name = "note"
type = "text"

[[kind.field]]
name = "premium"
type = "money"
"#;

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    std::fs::write(workspace.dir().join("kinds.toml"), KINDS).unwrap();
    workspace
}

/// A workspace with one policy for each of these, named by its place.
fn policies(all: &[Json]) -> Workspace {
    let workspace = workspace();
    let server = workspace.serve();
    for (row, fields) in all.iter().enumerate() {
        let mut fields = fields.clone();
        fields["name"] = json!(format!("p{row:03}"));
        let (status, told) = server.post("/v1/records/policy", &json!({ "fields": fields }));
        assert_eq!(status, 201, "{told}");
    }
    drop(server);
    workspace
}

/// The fields of all policies, by their ids.
fn fields(workspace: &Workspace) -> Vec<(Json, Json)> {
    let page = workspace.json(&["list", "policy", "--top", "1000"]);
    let records = page["records"].as_array().unwrap();
    let of = |record: &Json| (record["id"].clone(), record["fields"].clone());
    records.iter().map(of).collect()
}

/// Exports with further arguments and imports that into another workspace: the file, and what came
/// of it.
fn through(from: &Workspace, more: &[&str]) -> (String, Workspace) {
    let mut args = vec!["--output", "csv", "export", "policy"];
    args.extend(more);
    let text = from.run(&args).ok().out;
    let other = workspace();
    let imported = import(&other, "policy", "", &text);
    assert_eq!(imported.code, 0, "{} {}", imported.err, imported.rejects);
    (text, other)
}

#[test]
fn i15_choices_that_hold_separators_and_blanks_come_back_the_same() {
    let all = [
        json!({"cover": ["fire;theft", "water"]}),
        json!({"cover": [" air "]}),
        json!({"cover": ["\"quoted\"", "a,b"]}),
        json!({"state": "a;b"}),
        json!({"state": " c "}),
        json!({"state": "\"d"}),
    ];
    let workspace = policies(&all);
    let (_, other) = through(&workspace, &[]);
    assert_eq!(fields(&workspace), fields(&other));
    // A filter takes them in the same form.
    for (cover, count) in [
        ("\"fire;theft\";water", 1),
        ("water;\"fire;theft\"", 1),
        ("\" air \"", 1),
    ] {
        let filter = format!("cover eq '{cover}'");
        let page = workspace.json(&["list", "policy", "--filter", &filter]);
        assert_eq!(
            page["records"].as_array().map(Vec::len),
            Some(count),
            "{filter}"
        );
    }
}

#[test]
fn i16_a_field_that_goes_on_after_its_closing_quote_is_rejected_with_its_place() {
    for (cell, name) in [
        ("\"A\"B", None),
        ("\"A\" B", None),
        ("\"A\"\"\"B\"", None),
        ("\"A\nB\"C", None),
        ("\"A\" ", Some("A")),
        ("A\"B", Some("A\"B")),
        ("\"\"\"A\"\"\"", Some("\"A\"")),
    ] {
        let workspace = Workspace::new();
        let file = format!("Name,X\n{cell},1\nZ,2\n");
        let imported = import(&workspace, "account", "[fields]\nname = \"Name\"\n", file);
        let mut wanted = vec!["Z"];
        wanted.extend(name);
        wanted.sort_unstable();
        let found = held(&workspace, "account", "id");
        let found: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(found, wanted, "{cell}");
        if name.is_none() {
            let first = &imported.report["first_rejects"][0];
            assert_eq!(
                (&first["line"], &first["column"]),
                (&json!(2), &json!("Name")),
                "{cell}"
            );
        }
    }
}

#[test]
fn i17_what_is_no_web_address_is_rejected() {
    let refused = [
        "0..0",
        "-$1.00",
        "1.00",
        "10.000,00",
        "2026.01.01",
        "n/a.",
        "kari@example.com",
    ];
    let mut table: Vec<(&str, &str)> = refused.map(|cell| (cell, "-")).to_vec();
    table.push(("www.example.org", "https://www.example.org"));
    reads("account", "website", "", &table);
    let workspace = Workspace::new();
    for address in [
        "https://0..0",
        "http://1.00",
        "http://a..b",
        "http://999.1.1.1",
    ] {
        let website = format!("website={address}");
        let ran = workspace.run(&["create", "account", "name=A", &website]);
        assert_eq!(ran.code, 3, "{address}");
    }
}

#[test]
fn i15_rows_of_an_export_that_were_rejected_are_corrected_and_imported_as_it_was() {
    let workspace = policies(&[json!({"note": "=1"}), json!({"note": "fine"})]);
    let export = workspace
        .run(&["--output", "csv", "export", "policy"])
        .ok()
        .out;
    let damaged = export.replace(",=1,,", ",=1,lots,");
    let other = self::workspace();
    let imported = import(&other, "policy", "", damaged);
    assert_eq!(imported.report["rejected"], 1, "{}", imported.rejects);
    let corrected = imported.rejects.replace(",=1,lots,", ",=1,,");
    let imported = import(&other, "policy", "", corrected);
    assert_eq!(imported.code, 0, "{} {}", imported.err, imported.rejects);
    assert_eq!(fields(&workspace), fields(&other));
}

/// A file of accounts by these rows: what the report notes, and how many rows were rejected.
fn noted(map: &str, rows: &str) -> (String, Json) {
    let workspace = Workspace::new();
    let map =
        format!("{map}\n[fields]\nname = \"Name\"\nexternal_id = \"Id\"\nemployees = \"Staff\"\n");
    let imported = import(&workspace, "account", &map, rows);
    assert!(matches!(imported.code, 0 | 3), "{rows}: {}", imported.err);
    (
        imported.report["notes"].to_string(),
        imported.report["rejected"].clone(),
    )
}

#[test]
fn c4_a_second_header_a_second_table_and_backslashes_are_told_rejected_or_read() {
    // The header once more was a record of its own where no column has numbers.
    let workspace = Workspace::new();
    let again = "Id,Name\n1,Acme\nId,Name\n2,Berg\n";
    let map = "[fields]\nname = \"Name\"\nexternal_id = \"Id\"\n";
    let imported = import(&workspace, "account", map, again);
    assert_eq!(
        (imported.code, &imported.report["rejected"]),
        (3, &json!(1))
    );
    let head = "Id,Name,Staff\n";
    // A header of two rows, and one further down.
    let (told, rejected) = noted("", &format!("{head},,count\n1,Acme,5\n2,Berg,6\n"));
    assert!(told.contains("line 2 looks like another header"), "{told}");
    assert_eq!(rejected, 1);
    let second = format!("{head}1,Acme,5\n2,Berg,6\n\nKey,Label,Size\n3,C,7\n");
    let (told, rejected) = noted("", &second);
    assert!(told.contains("line 5 looks like another header"), "{told}");
    assert_eq!(rejected, 1);
    // Escapes by backslash.
    let (told, _) = noted("", &format!("{head}1,\"C:\\\",5\n"));
    assert!(told.contains("backslash"), "{told}");
    let escaped = format!("{head}1,\"A \\\"B\\\"\",5\n");
    assert_eq!(noted("", &escaped).1, 1);
    assert_eq!(noted("escape = '\\'", &escaped).1, 0);
    // What the mapping says of titles above the header.
    let titled = format!("Our customers,,\n{head}1,Acme,5\n");
    assert_eq!(noted("rows_before_header = 1", &titled).1, 0);
}

/// Texts that a spreadsheet takes for formulas, and their neighbours.
const FORMULAS: [&str; 24] = [
    "=1+1", "+1", "-1", "@x", "'=1", "''=1", "'", "'a", "\t=1", "\r=1", "\n=1", "＝1", "＋1",
    "－1", "＠1", "-", "=", "-1.5", "+47 22", "=\"x\"", "-1,5", "--1", "'-5", "x\r\ny",
];

/// The cells of a CSV text, as a spreadsheet takes them.
fn cells(text: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match (sign, is_quoted) {
            ('"', true) if signs.peek() == Some(&'"') => {
                signs.next();
                cells.last_mut().unwrap().push('"');
            }
            ('"', _) => is_quoted = !is_quoted,
            (',' | '\n', false) => cells.push(String::new()),
            (other, _) => cells.last_mut().unwrap().push(other),
        }
    }
    cells
}

#[test]
fn c5_an_export_that_is_safe_for_spreadsheets_comes_back_the_same() {
    let mut all: Vec<Json> = FORMULAS
        .iter()
        .map(|text| json!({ "note": text }))
        .collect();
    all.push(json!({"cover": ["=1", "-"]}));
    all.push(json!({"state": "=e"}));
    all.push(json!({"premium": "-5.50 NOK"}));
    let workspace = policies(&all);
    let (safe, other) = through(&workspace, &["--safe-for-spreadsheets"]);
    assert_eq!(fields(&workspace), fields(&other));
    // Into the workspace it came from, nothing changes either.
    let again = import(&workspace, "policy", "", &safe);
    assert_eq!(again.report["unchanged"], all.len(), "{}", again.report);
    let cells = cells(&safe);
    let formulas: Vec<&String> = cells
        .iter()
        .filter(|cell| cell.starts_with(['=', '@', '＝', '＠', '\t', '\r', '\n']))
        .collect();
    assert_eq!(formulas, Vec::<&String>::new());
    // A mapping says that the file is such a one.
    let other = self::workspace();
    let map = "safe_for_spreadsheets = true\nkeep_blanks = true\n[fields]\nname = \"name\"\nnote = \"note\"\n";
    let imported = import(&other, "policy", map, &safe);
    assert_eq!(imported.code, 0, "{}", imported.rejects);
    assert_eq!(
        held(&other, "policy", "note"),
        held(&workspace, "policy", "note")
    );
    // What the mapping compares is what the guard is taken off from.
    let compared = Workspace::new();
    let map = "safe_for_spreadsheets = true\nempty = [\"-\"]\n[skip]\nS = [\"=x\"]\n[fields]\n\
               name = \"N\"\nsegment = \"S\"\n";
    let file = "N,S\na,'-\nb,'=x\nc,''-\n";
    let imported = import(&compared, "account", map, file);
    assert_eq!(imported.report["skipped"], 1, "{}", imported.report);
    let segments = held(&compared, "account", "segment");
    let segments: Vec<&Json> = segments.iter().map(|(_, segment)| segment).collect();
    assert_eq!(segments, [&Json::Null, &json!("'-")]);
    // Without the flag the cells are what the records hold.
    let (plain, _) = through(&workspace, &[]);
    assert!(plain.contains(",=1+1,"), "{plain}");
}
