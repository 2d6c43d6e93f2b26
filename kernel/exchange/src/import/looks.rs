//! Knows files that are no CSV by how they begin, so that a wrong file is told as such and not as one with
//! strange columns.

use kjerne_model::trim;

/// How files of other forms begin, what they are, and what to do with them.
const BEGINNINGS: [(&[u8], &str, &str); 10] = [
    (
        b"PK\x03\x04",
        "a workbook of a spreadsheet program or another ZIP archive",
        SAVE,
    ),
    (
        b"\xD0\xCF\x11\xE0",
        "a workbook or document of an older office program",
        SAVE,
    ),
    (b"\x1F\x8B", "compressed with gzip", UNPACK),
    (b"BZh", "compressed with bzip2", UNPACK),
    (b"\xFD7zXZ", "compressed with xz", UNPACK),
    (b"7z\xBC\xAF", "a 7z archive", UNPACK),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd", UNPACK),
    (b"%PDF-", "a PDF document", SAVE),
    (b"PAR1", "a Parquet file", SAVE),
    (b"SQLite format 3", "a database", SAVE),
];

/// How texts of other forms begin, in small letters and behind blanks.
const TEXTS: [(&str, &str); 10] = [
    ("<!doctype", "a web page"),
    ("<html", "a web page"),
    ("<head", "a web page"),
    ("<body", "a web page"),
    ("<meta", "a web page"),
    ("<table", "a table of a web page"),
    ("<?xml", "an XML file"),
    ("<?mso-", "an XML file"),
    ("{\\rtf", "a document of a word processor"),
    ("begin:vc", "a file of cards or appointments"),
];

const SAVE: &str = "open it in its own program, save it there as CSV, and import that";
const UNPACK: &str = "unpack it, and import what is in it";

/// What a file is that is no CSV, and what to do; none for what may be one. `head` are its first bytes, and
/// `text` is what they say.
pub fn no_table(head: &[u8], text: &str) -> Option<String> {
    for (beginning, what, advice) in BEGINNINGS {
        if head.starts_with(beginning) {
            return Some(format!("is {what}, not CSV: {advice}"));
        }
    }
    let text = trim(text);
    let small: String = text.chars().take(20).collect::<String>().to_lowercase();
    for (beginning, what) in TEXTS {
        if small.starts_with(beginning) {
            return Some(format!("is {what}, not CSV: {SAVE}"));
        }
    }
    is_json(text).then(|| format!("is JSON, not CSV: {SAVE}"))
}

/// An object with a name, or a list of objects or lists. A column's name may begin with such a bracket, and
/// goes on otherwise.
fn is_json(text: &str) -> bool {
    let (object, list) = (text.strip_prefix('{'), text.strip_prefix('['));
    object.is_some_and(|rest| rest.trim_start().starts_with('"') && rest.contains("\":"))
        || object.is_some_and(|rest| rest.trim_start().starts_with('"') && rest.contains("\" :"))
        || list.is_some_and(|rest| rest.trim_start().starts_with(['{', '[']))
}
