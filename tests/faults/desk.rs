//! What the tests of this folder's files and values share: one file imported by one mapping, and what
//! came of it.

use std::fmt::Write as _;

use kjerne_tests::Workspace;
use serde_json::Value as Json;

/// What an import said, and which rows it did not take.
pub struct Imported {
    /// The exit code.
    pub code: i32,
    /// The report.
    pub report: Json,
    /// What was complained of.
    pub err: String,
    /// The rejects file.
    pub rejects: String,
}

/// Imports a file; an empty mapping is none.
pub fn import(workspace: &Workspace, kind: &str, map: &str, file: impl AsRef<[u8]>) -> Imported {
    import_so(workspace, kind, map, file, &[])
}

/// The same with further arguments.
pub fn import_so(
    workspace: &Workspace,
    kind: &str,
    map: &str,
    file: impl AsRef<[u8]>,
    more: &[&str],
) -> Imported {
    let [csv, toml, out] =
        ["file.csv", "map.toml", "rejects.csv"].map(|name| workspace.beside(name));
    std::fs::write(&csv, file).unwrap();
    std::fs::write(&toml, map).unwrap();
    let [csv, toml, rejects] = [&csv, &toml, &out].map(|path| path.display().to_string());
    let mut args = vec!["--output", "json", "import", &csv, "--as", kind];
    args.extend(["--rejects", &rejects]);
    if !map.is_empty() {
        args.extend(["--map", &toml]);
    }
    args.extend(more);
    let ran = workspace.run(&args);
    Imported {
        code: ran.code,
        report: serde_json::from_str(&ran.out).unwrap_or_default(),
        err: ran.err,
        rejects: std::fs::read_to_string(out).unwrap_or_default(),
    }
}

/// What the records of a kind hold in one field, by their names.
pub fn held(workspace: &Workspace, kind: &str, field: &str) -> Vec<(String, Json)> {
    let page = workspace.json(&["list", kind, "--top", "1000", "--order-by", "name"]);
    let records = page["records"].as_array().unwrap();
    records
        .iter()
        .map(|record| {
            let fields = &record["fields"];
            let name = fields["name"].as_str().unwrap().to_owned();
            (name, fields[field].clone())
        })
        .collect()
}

/// Imports each cell into one field of a record of its own: what the field then holds, null where the
/// row was rejected. `head` is the mapping above its fields.
pub fn read(kind: &str, field: &str, head: &str, cells: &[&str]) -> Vec<Json> {
    let workspace = Workspace::new();
    let mut file = "N,X\n".to_owned();
    for (row, cell) in cells.iter().enumerate() {
        let quoted = cell.replace('"', "\"\"");
        writeln!(file, "r{row:03},\"{quoted}\"").unwrap();
    }
    let map = format!("{head}\n[fields]\nname = \"N\"\n{field} = \"X\"\n");
    let imported = import(&workspace, kind, &map, file);
    assert!(matches!(imported.code, 0 | 3), "{}", imported.err);
    let found = held(&workspace, kind, field);
    let value = |row: usize| {
        let name = format!("r{row:03}");
        let found = found.iter().find(|(held, _)| *held == name);
        found.map_or(Json::Null, |(_, value)| value.clone())
    };
    (0..cells.len()).map(value).collect()
}

/// Demands what [`read`] finds of each cell: text as it is, amounts as `500.00 EUR`, and `-` where the
/// row is to be rejected.
pub fn reads(kind: &str, field: &str, head: &str, table: &[(&str, &str)]) {
    let cells: Vec<&str> = table.iter().map(|(cell, _)| *cell).collect();
    let found = read(kind, field, head, &cells);
    let found = found.iter().map(|value| match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Object(money) => ["amount", "currency"]
            .map(|part| money[part].as_str().unwrap_or_default())
            .join(" "),
        other => other.to_string(),
    });
    let found: Vec<(&str, String)> = cells.iter().copied().zip(found).collect();
    let wanted: Vec<(&str, String)> = table
        .iter()
        .map(|(cell, value)| (*cell, (*value).to_owned()))
        .collect();
    assert_eq!(found, wanted, "{head}");
}
