//! Writes names and words into the addresses of the HTTP interface.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but what every address may hold as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as a header may hold it.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// An address of these parts, each written so that nothing in it means anything else.
pub(crate) fn path(parts: &[&str]) -> String {
    // An empty part would make another address; this one is there for nobody and says what it is.
    let parts = parts
        .iter()
        .map(|part| if part.is_empty() { "''" } else { part });
    let written = parts.map(|part| {
        let safe = utf8_percent_encode(part, RESERVED);
        format!("/{safe}")
    });
    format!("/v1{}", written.collect::<String>())
}

/// The same with words behind it; those that say nothing are left out.
pub(crate) fn with_words(path: String, words: &[(&str, Option<String>)]) -> String {
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in words {
        if let Some(value) = value {
            text.append_pair(name, value);
        }
    }
    match text.finish() {
        empty if empty.is_empty() => path,
        text => format!("{path}?{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stays_in_its_place() {
        for (part, expected) in [
            ("account", "/v1/records/account"),
            ("a/b?c#d", "/v1/records/a%2Fb%3Fc%23d"),
            ("buying_job-1.x~", "/v1/records/buying_job-1.x~"),
            ("bl\u{e5}b\u{e6}r", "/v1/records/bl%C3%A5b%C3%A6r"),
        ] {
            assert_eq!(path(&["records", part]), expected);
        }
        let words = [
            ("filter", Some("name eq 'A&B'".to_owned())),
            ("top", None),
            ("sort", Some("name desc".to_owned())),
        ];
        assert_eq!(
            with_words("/x".to_owned(), &words),
            "/x?filter=name+eq+%27A%26B%27&sort=name+desc"
        );
    }
}
