//! The words demo names are put together from. Companies and people made of them are fictitious;
//! every address ends in `.example`, which no one can register.

use super::random::Random;

const COMPANY_FIRST: [&str; 30] = [
    "Fjellrev",
    "Nordlys",
    "Tindved",
    "Havblikk",
    "Skogkant",
    "Elvebakk",
    "Bjørkeli",
    "Steinrøys",
    "Vindauge",
    "Multebær",
    "Lyngmo",
    "Sølvpil",
    "Rimfrost",
    "Kveldssol",
    "Myrull",
    "Åsgløtt",
    "Tyttebær",
    "Blåfjell",
    "Vårkjenn",
    "Granholt",
    "Storelg",
    "Ørretløp",
    "Isbre",
    "Furumo",
    "Svaberg",
    "Tåkeheim",
    "Kråkebolle",
    "Rypelyng",
    "Hvitveis",
    "Seterstul",
];
const COMPANY_SECOND: [&str; 14] = [
    "Logistikk",
    "Energi",
    "Sjømat",
    "Verft",
    "Bygg",
    "Helse",
    "Data",
    "Finans",
    "Trevare",
    "Transport",
    "Mekaniske",
    "Handel",
    "Akvatech",
    "Media",
];
/// Legal forms with the country each belongs to, its currency and a place with its postal code.
pub const COUNTRIES: [(&str, &str, &str, &str); 4] = [
    ("AS", "NO", "NOK", "Oslo"),
    ("AB", "SE", "SEK", "Göteborg"),
    ("A/S", "DK", "DKK", "Århus"),
    ("Oy", "FI", "EUR", "Tampere"),
];
const FIRST: [&str; 28] = [
    "Aslaug",
    "Birk",
    "Dagny",
    "Eilert",
    "Frøydis",
    "Gaute",
    "Hedvig",
    "Idar",
    "Jorunn",
    "Kåre",
    "Liv",
    "Magnhild",
    "Njål",
    "Oddrun",
    "Pernille",
    "Ragna",
    "Sindre",
    "Torbjørg",
    "Une",
    "Vebjørn",
    "Ylva",
    "Åshild",
    "Ørjan",
    "Sølvi",
    "Märta",
    "Søren",
    "Aino",
    "Väinö",
];
const LAST: [&str; 24] = [
    "Demosen",
    "Prøvestad",
    "Eksempelrud",
    "Fiktivdal",
    "Testmoen",
    "Påfunnvik",
    "Dikterud",
    "Skinnebø",
    "Liksomhaug",
    "Luftslott",
    "Eventyrli",
    "Sagnheim",
    "Trollvik",
    "Huldrebakk",
    "Nissestad",
    "Draugsund",
    "Valemon",
    "Askelada",
    "Tusselien",
    "Perspill",
    "Kvitebjørnås",
    "Soria",
    "Gullhår",
    "Reveenka",
];

/// A company: its name, the host of its addresses and its place in [`COUNTRIES`].
pub fn company(random: &mut Random, number: usize) -> (String, String, usize) {
    let country = random.weighted(&[(0, 60), (1, 20), (2, 12), (3, 8)]);
    let first = COMPANY_FIRST[number % COMPANY_FIRST.len()];
    let second = COMPANY_SECOND[(number / COMPANY_FIRST.len() + number) % COMPANY_SECOND.len()];
    let name = format!("{first} {second} {}", COUNTRIES[country].0);
    let host = format!("{}-{}-{number}.example", ascii(first), ascii(second));
    (name, host, country)
}

/// A person: first and last name.
pub fn person(random: &mut Random) -> (&'static str, &'static str) {
    (random.pick(&FIRST), random.pick(&LAST))
}

/// The letters of a name that an address takes.
pub fn ascii(text: &str) -> String {
    let plain = |letter: char| match letter {
        'æ' | 'ä' | 'å' => 'a',
        'ø' | 'ö' => 'o',
        other => other,
    };
    text.to_lowercase()
        .chars()
        .map(plain)
        .filter(char::is_ascii_alphanumeric)
        .collect()
}
