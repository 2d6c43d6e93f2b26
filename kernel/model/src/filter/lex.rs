//! Cuts a filter into words, quoted text and marks, each with its position.

use super::error::FilterError;

/// One piece of a filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A name, path, keyword, number, date, id: everything written without quotes.
    Word(String),
    /// Quoted text, its quotes taken off.
    Text(String),
    /// `(`, `)` or `,`.
    Mark(char),
    /// The end of the filter.
    End,
}

impl Token {
    /// How an error names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(word) => cut(word),
            Self::Text(text) => format!("the text '{}'", cut(text)),
            Self::Mark(mark) => format!("'{mark}'"),
            Self::End => "the end of the filter".to_owned(),
        }
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Cuts the whole filter; the last token is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, FilterError> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let start = at;
        match letters[at] {
            mark @ ('(' | ')' | ',') => {
                at += 1;
                tokens.push((start, Token::Mark(mark)));
            }
            '\'' => {
                let (quoted, after) = quoted(&letters, start)?;
                at = after;
                tokens.push((start, Token::Text(quoted)));
            }
            blank if blank.is_whitespace() => at += 1,
            letter if in_word(letter) => {
                let word: String = letters[at..].iter().take_while(|c| in_word(**c)).collect();
                at += word.chars().count();
                tokens.push((start, Token::Word(word)));
            }
            other => {
                return Err(FilterError {
                    position: start,
                    expected: "a field, a value, 'text in single quotes' or a parenthesis".into(),
                    found: format!("{other:?}"),
                });
            }
        }
    }
    tokens.push((letters.len(), Token::End));
    Ok(tokens)
}

fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_/:.+-".contains(letter)
}

/// Reads quoted text from its opening quote on; a quote within it is written twice.
fn quoted(letters: &[char], start: usize) -> Result<(String, usize), FilterError> {
    let mut text = String::new();
    let mut at = start + 1;
    while let Some(&letter) = letters.get(at) {
        at += 1;
        if letter != '\'' {
            text.push(letter);
        } else if letters.get(at) == Some(&'\'') {
            text.push('\'');
            at += 1;
        } else {
            return Ok((text, at));
        }
    }
    Err(FilterError {
        position: letters.len(),
        expected: format!("a closing ' for the text opened at position {start}"),
        found: Token::End.shown(),
    })
}
