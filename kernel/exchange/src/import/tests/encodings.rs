//! Files that say nothing of their encoding: UTF-8 is known when it is met, and nothing else is guessed at.

use super::Desk;

const MAP: &str = "[fields]\nexternal_id = 'k'\nname = 'x'";

fn file(names: &[&[u8]]) -> Vec<u8> {
    let mut file = b"k,x\n".to_vec();
    for (number, name) in (0..).zip(names) {
        file.extend(format!("{number},").as_bytes());
        file.extend(*name);
        file.push(b'\n');
    }
    file
}

fn in_encoding(label: &str, names: &[&str]) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    let names: Vec<Vec<u8>> = names
        .iter()
        .map(|name| encoding.encode(name).0.into_owned())
        .collect();
    file(&names.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

#[test]
fn no_encoding_but_utf_8_is_taken_for_granted() {
    for (label, names) in [
        ("windows-1252", &["Oslo", "Bodø", "Tromsø"][..]),
        ("windows-1252", &["Müller", "Köln", "Groß"]),
        ("windows-1250", &["Győr", "Szűcs", "Füred"]),
        ("windows-1250", &["Praha", "Dvořák", "Plzeň"]),
        ("windows-1251", &["Москва", "Казань"]),
        ("iso-8859-15", &["Bodø", "Žižka"]),
        ("macintosh", &["Gdaƒsk", "Íñigo"]),
        ("shift_jis", &["株式会社テスト", "田中 太郎"]),
        ("gbk", &["北京市朝阳区"]),
        ("euc-kr", &["서울", "Oslo"]),
    ] {
        let bytes = in_encoding(label, names);
        let error = Desk::new().try_import("account", MAP, &bytes).unwrap_err();
        assert!(
            error.contains("say encoding ="),
            "{label} {names:?}: {error}"
        );
        // Said, it is read as it stands.
        let desk = Desk::new();
        let said = format!("encoding = '{label}'\n{MAP}");
        desk.try_import("account", &said, &bytes).unwrap();
        for name in names {
            desk.named("account", name);
        }
    }
    for names in [&["Oslo"][..], &["Bodø", "Győr", "Москва", "株式会社"]] {
        let desk = Desk::new();
        let bytes = file(&names.iter().map(|name| name.as_bytes()).collect::<Vec<_>>());
        desk.try_import("account", MAP, &bytes).unwrap();
        for name in names {
            desk.named("account", name);
        }
    }
}

#[test]
fn files_of_dos_and_older_macs_are_refused_with_a_word_of_them() {
    for (bytes, told) in [
        (&b"Bod\x9b"[..], "a word \"Bod"),
        (b"Nesbr\x86", "a word \"Nesbr"),
        (b"Jos\x82 Garc\xa1a", "a word \"Jos"),
        (b"M\x9fller", "a word \"M"),
        (
            b"K\xf8benhavn",
            "\"København\" in it. If that is right, say encoding = \"windows-1252\"",
        ),
    ] {
        let bytes = file(&[b"Oslo", bytes, b"Bergen"]);
        let error = Desk::new().try_import("account", MAP, &bytes).unwrap_err();
        assert!(error.contains(told), "{error}");
        assert!(error.contains("save the file as UTF-8"), "{error}");
    }
}

#[test]
fn letters_behind_escapes_are_not_taken_for_ascii() {
    let bytes = file(&[b"\x1b$BEl5~\x1b(B"]);
    let error = Desk::new().try_import("account", MAP, &bytes).unwrap_err();
    assert!(error.contains("escapes of ISO 2022"), "{error}");
    let desk = Desk::new();
    let said = format!("encoding = 'iso-2022-jp'\n{MAP}");
    desk.try_import("account", &said, &bytes).unwrap();
    desk.named("account", "東京");
}

#[test]
fn a_file_of_two_encodings_is_told_as_that() {
    let mut names = vec!["Bodø".as_bytes(); 3];
    names.push(b"Troms\xf8");
    names.push(b"R\xf8ros");
    let error = Desk::new()
        .try_import("account", MAP, &file(&names))
        .unwrap_err();
    assert!(error.contains("text in two encodings"), "{error}");
}
