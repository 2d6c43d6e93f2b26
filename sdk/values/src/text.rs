//! Text: what counts as none, and what counts as the same.

use alloc::string::String;

/// True for text in which there is nothing to read: no letters at all, or nothing but blanks of any
/// width, line ends, control characters and marks that have no shape.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        // What Unicode lets a program pass over when it has no sign for it, and three that look empty.
        || matches!(
            letter,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// True for a character without a shape that no language needs within a word: what comes along unseen when
/// text is copied from a page, and marks of writing direction. Not the joiners of Persian, Hindi and pictures.
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
    )
}

/// Text without the blanks at its ends, those without a width too.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(takes_no_place)
}

/// Text without the blanks at its beginning.
#[must_use]
pub fn trim_start(text: &str) -> &str {
    text.trim_start_matches(takes_no_place)
}

fn takes_no_place(letter: char) -> bool {
    letter.is_whitespace() || is_unseen(letter)
}

/// Text without its case, letter by letter, so that a text that begins or contains another still
/// does afterwards: the Greek sigma at a word's end is the one within.
#[must_use]
pub fn fold_case(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower
        .map(|letter| if letter == 'ς' { 'σ' } else { letter })
        .collect()
}
