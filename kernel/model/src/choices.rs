//! Several choices in one text, separated by `;`. A choice that would not come back from that, since
//! it holds a `;`, begins with a quote or has blanks at an end, stands in quotes, doubled within.

use kjerne_values::{trim, trim_start};

/// Writes choices in one text.
pub(crate) fn written(choices: &[String]) -> String {
    let one = |choice: &String| {
        let plain = !choice.is_empty()
            && !choice.contains(';')
            && !choice.starts_with('"')
            && trim(choice) == choice;
        if plain {
            choice.clone()
        } else {
            format!("\"{}\"", choice.replace('"', "\"\""))
        }
    };
    choices.iter().map(one).collect::<Vec<_>>().join(";")
}

/// Reads what [`written`] writes, and what people type: blanks round a choice do not count, nor do
/// places between separators that hold nothing.
pub(crate) fn read(text: &str) -> Vec<String> {
    let (mut choices, mut rest) = (Vec::new(), Some(text));
    while let Some(text) = rest {
        let (choice, behind) = quoted(text).unwrap_or_else(|| plain(text));
        if !choice.is_empty() {
            choices.push(choice);
        }
        rest = behind;
    }
    choices
}

/// The choice up to the next separator, and what stands behind that.
fn plain(text: &str) -> (String, Option<&str>) {
    match text.split_once(';') {
        Some((choice, behind)) => (trim(choice).to_owned(), Some(behind)),
        None => (trim(text).to_owned(), None),
    }
}

/// A choice in quotes; none when the text begins otherwise, or goes on after the closing quote.
fn quoted(text: &str) -> Option<(String, Option<&str>)> {
    let inside = trim_start(text).strip_prefix('"')?;
    let (mut choice, mut from) = (String::new(), 0);
    loop {
        let quote = from + inside[from..].find('"')?;
        choice.push_str(&inside[from..quote]);
        let behind = &inside[quote + 1..];
        if behind.starts_with('"') {
            choice.push('"');
            from = quote + 2;
            continue;
        }
        return match trim_start(behind) {
            "" => Some((choice, None)),
            next => next.strip_prefix(';').map(|next| (choice, Some(next))),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn choices_are_read_as_people_type_them() {
        for (text, expected) in [
            ("a;b", vec!["a", "b"]),
            (" a ; b ;", vec!["a", "b"]),
            (";", vec![]),
            ("", vec![]),
            ("\"a;b\";c", vec!["a;b", "c"]),
            ("\" a \" ; c", vec![" a ", "c"]),
            ("\"say \"\"x\"\"\"", vec!["say \"x\""]),
            ("5\" pipe;b", vec!["5\" pipe", "b"]),
            ("\"open;b", vec!["\"open", "b"]),
            ("\u{feff}a\u{200b};\u{2060}b", vec!["a", "b"]),
            ("\u{200b}\"a;\u{ad}\"\u{200b};b", vec!["a;\u{ad}", "b"]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_choices_come_back_from_their_text(
            choices in proptest::collection::vec("[a;\" \u{a0}\u{200b}æ]{1,6}", 0..5)
        ) {
            prop_assert_eq!(read(&written(&choices)), choices);
        }
    }
}
