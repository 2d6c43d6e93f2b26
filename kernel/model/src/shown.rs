//! Text from outside as it may be shown: without characters that act on a screen instead of standing on it.
//!
//! Control characters move a terminal's cursor; marks of writing direction make a line read as another one than it
//! is; separators of lines begin a line where none is meant.

/// True for a character that acts on the screen it is shown on.
#[must_use]
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text without what acts on a screen: a space stands for each such character.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if acts(c) { ' ' } else { c })
        .collect()
}

/// The text's beginning of at most so many bytes, without what acts on a screen.
#[must_use]
pub fn beginning(text: &str, most: usize) -> String {
    plain(&text[..text.floor_char_boundary(most)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_screen_becomes_a_space() {
        let table = [
            (
                "plain text, with æøå and 漢字",
                "plain text, with æøå and 漢字",
            ),
            ("red \u{1b}[31m", "red  [31m"),
            ("two\r\nlines\u{2028}three", "two  lines three"),
            ("user\u{202e}txt.exe\u{2066}", "user txt.exe "),
            ("\u{feff}begins\u{200b}", " begins "),
            // Joins the parts of one picture, and the letters of some languages.
            ("👩\u{200d}💻", "👩\u{200d}💻"),
        ];
        for (text, expected) in table {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_beginning_ends_between_characters() {
        assert_eq!(beginning("blåbær", 4), "blå");
        assert_eq!(beginning("blåbær", 3), "bl");
        assert_eq!(beginning("blåbær", 100), "blåbær");
    }
}
