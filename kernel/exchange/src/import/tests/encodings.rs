//! Files of single bytes that say nothing of their encoding.

use std::fmt::Write as _;

use super::Desk;

const MAP: &str = "[fields]\nexternal_id = 'k'\nname = 'x'";

/// Letters of other encodings than those that are read, with their bytes.
const DOS: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿";
const MAC: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü";

fn encoded(name: &str, text: &str) -> Vec<u8> {
    let byte = |letter: char| -> u8 {
        let within = |all: &str| all.chars().position(|one| one == letter);
        match (name, letter) {
            _ if letter.is_ascii() => letter as u8,
            ("dos", 'ß') => 0xE1,
            ("dos", 'Á') => 0xB5,
            ("dos", _) => 0x80 + within(DOS).unwrap() as u8,
            ("mac", 'ß') => 0xA7,
            ("mac", 'Æ') => 0xAE,
            ("mac", 'Ø') => 0xAF,
            ("mac", 'æ') => 0xBE,
            ("mac", 'ø') => 0xBF,
            ("mac", _) => 0x80 + within(MAC).unwrap() as u8,
            _ => {
                let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).unwrap();
                let letter = letter.to_string();
                encoding.encode(&letter).0[0]
            }
        }
    };
    text.chars().map(byte).collect()
}

/// The names that are stored of a file, or the error.
fn read(encoding: &str, names: &[&str]) -> Result<Vec<String>, String> {
    let mut file = "k,x\n".to_owned();
    for (number, name) in names.iter().enumerate() {
        writeln!(file, "{number},{name}").unwrap();
    }
    let desk = Desk::new();
    desk.try_import("account", MAP, &encoded(encoding, &file))?;
    let all = desk.all("account");
    let mut found: Vec<_> = all
        .iter()
        .map(|one| {
            (
                one.text("external_id").unwrap().parse::<u32>().unwrap(),
                one,
            )
        })
        .collect();
    found.sort_by_key(|(number, _)| *number);
    let name = |(_, one): &(u32, &kjerne_model::Record)| one.text("name").unwrap().to_owned();
    Ok(found.iter().map(name).collect())
}

#[test]
fn files_of_dos_and_of_older_macs_are_refused_and_not_read_as_others() {
    let sets: &[&[&str]] = &[
        &["Oslo", "Bodø", "Bergen", "Tromsø"],
        &["Oslo", "Bodø"],
        &["Kåre Bø", "Åse Bråten", "Øystein Sæther", "Bærum kommune"],
        &["Nesbrå", "Kvå", "Sæbø"],
        &["Nesbrå"],
        &["René", "André", "Zoé", "Chloé Noir"],
        &["Zoé"],
        &["José García", "Peñalver", "Muñoz", "Martínez"],
        &["Peñalver"],
        &["Straße"],
        &["Müller", "Köln", "Groß"],
        &["Köln"],
        &["Malmö", "Göteborg", "Örebro", "Åmål"],
        &["Malmö"],
        &["Rødovre", "Køge", "Næstved", "Ærø"],
        &["Jyväskylä", "Hämeenlinna", "Järvenpää"],
        &["GÖTEBORG", "MALMÖ"],
        &["Æbleskiver", "ÆRØ"],
        &["Ærlig"],
        &["Måløy", "Ålesund"],
        &["Nærøy", "forêt"],
        &["façade", "garçon", "Élodie"],
        &["Besançon"],
        &["Müller"],
        &["Jürgen", "Günther", "Käthe"],
        &["Öl"],
        &["Weiß"],
        &["López"],
        &["Málaga", "Cádiz"],
        &["León", "avión"],
        &["piñata", "Martínez"],
    ];
    for encoding in ["dos", "mac"] {
        for names in sets {
            let error = read(encoding, names).expect_err(&format!("{encoding} {names:?}"));
            assert!(
                error.contains("Say encoding"),
                "{encoding} {names:?}: {error}"
            );
        }
    }
}

#[test]
fn letters_of_dos_in_central_europe_are_refused() {
    // Łódź, Kraków, Wałęsa and Gdańsk in cp852.
    let file = b"k,x\n1,\x9d\xa2d\xab\n2,Krak\xa2w\n3,Wa\x88\xa9sa\n4,Gda\xe4sk\n";
    let error = Desk::new().try_import("account", MAP, file).unwrap_err();
    assert!(error.contains("Say encoding"), "{error}");
}

#[test]
fn texts_of_east_asia_are_told_from_letters_that_are_taken_for_them() {
    for (encoding, names, is_taken) in [
        (
            "shift_jis",
            &["株式会社テスト", "田中 太郎", "ABC商事"][..],
            true,
        ),
        ("gbk", &["北京市朝阳区", "上海有限公司", "深圳"], true),
        ("euc-kr", &["서울특별시", "부산광역시", "대한민국"], true),
        // Too little to say.
        ("shift_jis", &["田中"], false),
    ] {
        let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes()).unwrap();
        let rows: Vec<String> = names
            .iter()
            .map(|name| format!("{name},{name}\n"))
            .collect();
        let text = format!("k,x\n{}", rows.concat());
        let desk = Desk::new();
        let done = desk.try_import("account", MAP, &encoding.encode(&text).0);
        assert_eq!(done.is_ok(), is_taken, "{names:?}: {done:?}");
        for name in names.iter().filter(|_| is_taken) {
            desk.named("account", name);
        }
    }
    for (text, is_so) in [
        ("田中太郎田中太郎", true),
        ("田中太郎田中太", false),
        ("田中太郎田中太郎 M〕ler", true),
        ("田中太郎田中太郎 M〕ler J〉gen B〕o", false),
        ("M〕ler", false),
        ("", false),
    ] {
        assert_eq!(crate::import::places::is_east_asian(text), is_so, "{text}");
    }
}

#[test]
fn files_of_windows_are_read_with_their_signs() {
    for (encoding, names) in [
        ("windows-1252", &["Bodø", "Tromsø", "Bærum", "Åsgård"][..]),
        ("windows-1252", &["Bø", "Ås", "Å i Lofoten", "Øy"]),
        (
            "windows-1252",
            &["Zoé", "L’Été", "O’Brien", "Œuvre", "cœur"],
        ),
        (
            "windows-1252",
            &["“Nord” – Sør", "Fjord™", "Ærlig®", "5 €", "€ 7", "100 €/år"],
        ),
        (
            "windows-1252",
            &["„Köln“", "«à»", "»ö«", "Straße", "Groß", "Weiß", "Schön"],
        ),
        (
            "windows-1252",
            &["Peña", "¿Qué?", "¡Olé!", "Mª José", "1º", "Nº 7", "García"],
        ),
        (
            "windows-1252",
            &["25 °C", "30°C æ", "10 m²", "§ 5 ø", "½ å", "3 µm", "±5 é"],
        ),
        (
            "windows-1252",
            &["Dušan Müller", "Žiga Böhm", "Škoda für", "Söhne"],
        ),
        ("windows-1252", &["Straße Málaga", "Málaga", "Panamá"]),
        (
            "windows-1252",
            &[
                "O’Brien’s",
                "“Quoted” text",
                "wait… what",
                "1990–2000",
                "it’s",
            ],
        ),
        (
            "windows-1250",
            &["Michał Wałęsa", "Łódź", "Kraków", "Żółć", "Gdańsk"],
        ),
        (
            "windows-1250",
            &["Dvořák", "Škoda", "Černý", "Plzeň", "Žižkov", "Zdeněk"],
        ),
        (
            "windows-1251",
            &[
                "Москва",
                "Иванов Пётр",
                "ООО «Ромашка»",
                "Петров",
                "VIPклиент",
            ],
        ),
        ("windows-1253", &["Αθήνα", "Θεσσαλονίκη", "Εταιρεία ΑΕ"]),
        ("windows-1255", &["תל אביב", "ירושלים", "חברה בע\"מ"]),
        ("windows-1256", &["الرياض", "القاهرة", "شركة"]),
        ("ibm866", &["Москва", "Иванов Петр", "Сидоров", "Петров"]),
    ] {
        assert_eq!(
            read(encoding, names).as_deref(),
            Ok(&names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()[..]),
            "{encoding}"
        );
    }
}

#[test]
fn a_sign_at_the_edge_of_what_is_read_at_once_is_looked_at_as_any_other() {
    use crate::import::places::Places;
    for (text, is_odd) in [
        (&b"Bj\x9brn"[..], true),
        (b"Bod\x9b", true),
        (b"S\x91b\x9b", true),
        (b"B\xf8", false),
        (b"\xf8y B\xe6r", false),
        (b"a \x96 b", false),
    ] {
        for size in 1..=text.len() {
            let mut places = Places::new();
            text.chunks(size).for_each(|piece| places.feed(piece));
            let against = places.against(encoding_rs::WINDOWS_1252);
            assert_eq!(against > 0, is_odd, "{text:?} by {size}");
        }
    }
}

#[test]
fn what_may_be_of_western_europe_or_not_is_refused_where_few_letters_tell() {
    for (encoding, names) in [
        ("windows-1252", &["Bodø", "Tromsø"][..]),
        ("windows-1252", &["Bø"]),
        ("windows-1250", &["Dvořák"]),
    ] {
        let error = read(encoding, names).unwrap_err();
        assert!(error.contains("too few to say. Say encoding"), "{error}");
    }
}
