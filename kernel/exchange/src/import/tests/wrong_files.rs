//! Files that are no CSV, or none of this mapping: told as such, in few words.

use crate::limits::{IMPORT_COLUMN_NAME, IMPORT_FAULTS, IMPORT_NAMES, IMPORT_UNUSED};

use super::Desk;

const MAP: &str = "[fields]\nname = 'n'";

#[test]
fn a_file_that_is_no_csv_is_told_as_what_it_is() {
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    for (file, what) in [
        (b"PK\x03\x04\x14\0\0\0".to_vec(), "a workbook"),
        (
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(),
            "an older office program",
        ),
        (b"\x1F\x8B\x08\0".to_vec(), "gzip"),
        (b"%PDF-1.7\n".to_vec(), "a PDF document"),
        (b" \n<!DOCTYPE html>\n<html>".to_vec(), "a web page"),
        (
            b"<TABLE border=1><tr><td>n".to_vec(),
            "a table of a web page",
        ),
        (b"\xEF\xBB\xBF<?xml version='1.0'?>".to_vec(), "an XML file"),
        (wide("\u{feff}<html><body>"), "a web page"),
        (b"[{\"n\": 1}]".to_vec(), "JSON"),
        (b"{\n \"n\": 1}\n".to_vec(), "JSON"),
    ] {
        for map in [MAP, ""] {
            let error = Desk::new().try_import("account", map, &file).unwrap_err();
            let told = error.contains(what) && error.contains("not CSV") && error.len() < 300;
            assert!(told, "{what}: {error}");
        }
    }
    for (file, column) in [
        ("[n],b\nOne,1\n", "[n]"),
        ("{n},b\nOne,1\n", "{n}"),
        ("<n>\nOne\n", "<n>"),
    ] {
        let map = format!("[fields]\nname = '{column}'");
        assert_eq!(
            Desk::new().import("account", &map, file).counts.created,
            1,
            "{file}"
        );
    }
}

#[test]
fn what_a_mapping_lacks_is_told_in_few_words_whatever_the_file_is() {
    let columns: Vec<String> = (0..300).map(|n| format!("c{n} = ['x']")).collect();
    let map = format!("[skip]\n{}\n{MAP}", columns.join("\n"));
    let header: Vec<String> = (0..4_000)
        .map(|n| format!("{n}{}", "x".repeat(1_000)))
        .collect();
    let file = format!("{}\n", header.join(","));
    let error = Desk::new()
        .try_import("account", &map, file.as_bytes())
        .unwrap_err();
    assert!(error.len() < 20_000, "{}", error.len());
    assert_eq!(error.matches("it has 0xxx").count(), 1, "{error}");
    let names = format!("and {} more", 4_000 - IMPORT_NAMES.value);
    let faults = format!("and {} more", 301 - IMPORT_FAULTS.value);
    assert!(
        error.contains(&names) && error.ends_with(&faults),
        "{error}"
    );
    assert!(!error.contains("maps no field"), "{error}");
}

#[test]
fn a_column_name_has_so_many_bytes_and_unused_ones_are_counted() {
    let most = IMPORT_COLUMN_NAME.count();
    for (bytes, is_taken) in [(most, true), (most + 1, false)] {
        let file = format!("n,{}\nOne,\n", "x".repeat(bytes));
        let taken = Desk::new().try_import("account", MAP, file.as_bytes());
        assert_eq!(taken.is_ok(), is_taken, "{bytes}");
        match taken {
            Ok(report) => assert!(report.unmapped[0].len() < 100),
            Err(error) => assert!(
                error.contains("import-column-name") && error.len() < 400,
                "{error}"
            ),
        }
    }
    for (columns, told) in [
        (IMPORT_UNUSED.count(), false),
        (IMPORT_UNUSED.count() + 1, true),
    ] {
        let names: Vec<String> = (0..columns).map(|n| format!("c{n}")).collect();
        let file = format!("n,{}\n", names.join(","));
        let unused = Desk::new().import("account", MAP, &file).unmapped;
        assert_eq!(unused.iter().any(|name| name == "and 1 more"), told);
    }
}

#[test]
fn a_line_of_names_that_cannot_be_read_is_an_error() {
    for (file, what) in [
        ("n,\"a\"b\nOne,1\n", "closing quote"),
        ("n,\"a\nOne,1\n", "not closed"),
    ] {
        let error = Desk::new()
            .try_import("account", MAP, file.as_bytes())
            .unwrap_err();
        assert!(error.contains(what) && error.contains("line 1"), "{error}");
    }
}

#[test]
fn a_row_of_delimiters_is_none() {
    let map = "[fields]\nname = 'n'\nemployees = 'e'\nsegment = { constant = 'x' }";
    for (rows, counts) in [
        ("a;1\n;\n;\n;\n", (1, 1, 0)),
        ("a;1\n \u{a0};\t\n\"\";\"\"\n;;;;\nb;2\n", (2, 2, 0)),
        ("a;1\n;0\n", (2, 1, 1)),
    ] {
        let desk = Desk::new();
        let report = desk.import("account", map, &format!("n;e\n{rows}"));
        let found = (report.counts.rows, report.counts.created, report.rejected);
        assert_eq!(found, counts, "{rows:?}: {}", desk.rejects());
        let is_told = report
            .told
            .notes
            .iter()
            .any(|note| note.contains("hold nothing"));
        assert_eq!(is_told, counts.2 == 0, "{rows:?}: {:?}", report.told.notes);
    }
}

#[test]
fn an_encoding_that_something_speaks_against_is_refused() {
    let map = |encoding: &str| match encoding {
        "" => MAP.to_owned(),
        name => format!("encoding = '{name}'\n{MAP}"),
    };
    let western = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    let utf16be: Vec<u8> = "\u{feff}n\nBjørn\n"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    let mixed = [western("n\nBj\u{f8}rn \u{e6}\n"), "Søren Å\n".into()].concat();
    for (encoding, file, expected) in [
        (
            "windows-1252",
            "\u{feff}n\nSønn\n".into(),
            Err("byte order mark of UTF-8"),
        ),
        (
            "windows-1252",
            utf16be.clone(),
            Err("byte order mark of UTF-16BE"),
        ),
        (
            "utf-16le",
            utf16be.clone(),
            Err("byte order mark of UTF-16BE"),
        ),
        ("utf-16", utf16be.clone(), Ok("Bjørn")),
        ("utf-8", "\u{feff}n\nSønn\n".into(), Ok("Sønn")),
        (
            "",
            b"n\nBj\xbfrn H\xbfyer\nS\xbfren \xaere P\x8cl\n".to_vec(),
            Err("say encoding ="),
        ),
        (
            "windows-1252",
            western("n\nO\u{2019}Brien \u{2013} \u{201e}B\u{201d}\n"),
            Ok("O\u{2019}Brien \u{2013} \u{201e}B\u{201d}"),
        ),
        // DOS has its letters where windows-1252 has none.
        (
            "",
            b"n\nBj\x9brn \x8frlig\nGr\x9bnn\n".to_vec(),
            Err("say encoding ="),
        ),
        (
            "windows-1252",
            b"n\nBj\x9brn \x8frlig\nOla\n".to_vec(),
            Ok("Ola"),
        ),
        ("", mixed, Err("two encodings")),
        (
            "windows-1252",
            western("n\nBj\u{f8}rn \u{c5}se\n"),
            Ok("Bjørn Åse"),
        ),
    ] {
        let desk = Desk::new();
        let done = desk.try_import("account", &map(encoding), &file);
        let all = desk.all("account");
        let names: Vec<_> = all.iter().filter_map(|one| one.text("name")).collect();
        match expected {
            Ok(name) => assert_eq!(names, [name], "{encoding}: {done:?}"),
            Err(why) => {
                let error = done.unwrap_err();
                assert!(
                    error.contains(why) && names.is_empty(),
                    "{encoding}: {error}"
                );
            }
        }
    }
}

#[test]
fn rejects_are_known_behind_a_first_line_for_excel_and_in_utf_16() {
    let map = format!("encoding = 'windows-1252'\ndelimiter = '|'\n{MAP}");
    let text = "reject_line;reject_column;reject_value;reject_reason;n\n2;n;;;Bjørn\n";
    let wide = format!("\u{feff}{}", text.replace(';', "\t"));
    let wide: Vec<u8> = wide.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for file in [format!("sep=;\r\n{text}").into_bytes(), wide] {
        let desk = Desk::new();
        let report = desk.try_import("account", &map, &file).unwrap();
        assert_eq!(report.counts.created, 1);
        desk.named("account", "Bjørn");
    }
}

#[test]
fn the_columns_of_files_are_no_names_of_fields() {
    use kjerne_model::{Name, Schema, core_kinds};
    let own = crate::import::reject::COLUMNS
        .iter()
        .chain([&crate::spreadsheet::SAFE_COLUMN]);
    for name in own {
        let mut kinds = core_kinds();
        kinds[0].fields[0].name = Name::new(name).unwrap();
        let error = Schema::new(kinds).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_mapping_that_is_no_file_is_told_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("map");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for (path, reason) in [
        (pipe.as_path(), "is no regular file"),
        (std::path::Path::new("/dev/null"), "is no regular file"),
        (folder.path(), "is a folder"),
        (&folder.path().join("none"), "there is no file"),
    ] {
        let error = crate::import::Mapping::text(path).unwrap_err().to_string();
        assert!(format!("{error:#}").contains(reason), "{error}");
    }
}
