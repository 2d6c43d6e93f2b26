//! Reads a filter.
//!
//! ```text
//! any      = all *( "or" all )
//! all      = one *( "and" one )
//! one      = "not" one | "(" any ")" | test "(" path "," text ")" | condition
//! condition = path ( "eq" / "ne" / "lt" / "le" / "gt" / "ge" ) literal | path "in" "(" literals ")"
//! ```

use super::condition::{Filter, Operator, Own, Path, TextTest};
use super::error::FilterError;
use super::lex::{Token, tokens};
use super::literal::Target;
use crate::kind::{FieldType, Kind};
use crate::name::Name;
use crate::value::{Address, Value};

/// The longest filter, in bytes. People and programs write far shorter ones, and a filter is read
/// for every request.
pub const MAX_BYTES: usize = 16 * 1_024;
/// The deepest nesting of parentheses and `not`, so that a filter cannot exhaust the stack.
pub const MAX_DEPTH: usize = 64;
/// The most conditions in one filter, since each may be tried on every record.
pub const MAX_CONDITIONS: usize = 256;

/// Reads a filter for records of this kind. Blank text is the filter that holds for all of them.
///
/// # Errors
/// When it does not parse, names a field the kind does not have, compares a field with a value
/// of another type, or passes one of the limits of this module.
pub fn parse(text: &str, kind: &Kind) -> Result<Filter, FilterError> {
    if text.len() > MAX_BYTES {
        return Err(FilterError {
            position: 0,
            expected: format!("a filter of at most {MAX_BYTES} bytes"),
            found: format!("{} bytes", text.len()),
        });
    }
    if text.trim().is_empty() {
        return Ok(Filter::All);
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        conditions: 0,
        kind,
    };
    let filter = parser.any()?;
    match parser.peek() {
        Token::End => Ok(filter),
        _ => Err(parser.expected("'and', 'or' or the end of the filter")),
    }
}

/// Reads a path alone, as an ordering has it: `closing_date`, `amount/minor`, `created_at`.
///
/// # Errors
/// When the kind has no such field or part.
pub fn parse_path(text: &str, kind: &Kind) -> Result<Path, FilterError> {
    path(text, kind)
        .map(|(path, _)| path)
        .ok_or_else(|| FilterError {
            position: 0,
            expected: expected_path(text, kind),
            found: Token::Word(text.to_owned()).shown(),
        })
}

struct Parser<'a> {
    tokens: Vec<(usize, Token)>,
    at: usize,
    depth: usize,
    conditions: usize,
    kind: &'a Kind,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at].1
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if token != Token::End {
            self.at += 1;
        }
        token
    }

    /// Takes the next token if it is this word, in letters of any case, as OData 4.01 has it.
    fn take_word(&mut self, word: &str) -> bool {
        let taken = matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(taken);
        taken
    }

    fn take_mark(&mut self, mark: char) -> Result<(), FilterError> {
        if *self.peek() != Token::Mark(mark) {
            return Err(self.expected(&format!("'{mark}'")));
        }
        self.at += 1;
        Ok(())
    }

    /// An error about the next token.
    fn expected(&self, what: &str) -> FilterError {
        let (position, token) = &self.tokens[self.at];
        FilterError {
            position: *position,
            expected: what.to_owned(),
            found: token.shown(),
        }
    }

    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.all()?;
        while self.take_word("or") {
            filter = Filter::Or(Box::new(filter), Box::new(self.all()?));
        }
        Ok(filter)
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut filter = self.one()?;
        while self.take_word("and") {
            filter = Filter::And(Box::new(filter), Box::new(self.one()?));
        }
        Ok(filter)
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        if self.take_word("not") {
            let inner = self.deeper(Self::one)?;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if *self.peek() == Token::Mark('(') {
            self.at += 1;
            let inner = self.deeper(Self::any)?;
            self.take_mark(')')?;
            return Ok(inner);
        }
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(self.expected(&format!("at most {MAX_CONDITIONS} conditions in a filter")));
        }
        match self.text_test() {
            Some(test) => self.text_condition(test),
            None => self.condition(),
        }
    }

    fn deeper(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Filter, FilterError>,
    ) -> Result<Filter, FilterError> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected(&format!("at most {MAX_DEPTH} levels of nesting")));
        }
        self.depth += 1;
        let filter = read(self);
        self.depth -= 1;
        filter
    }

    /// The text test that begins here; a name is one only before a parenthesis, so that a field
    /// may be called `contains`.
    fn text_test(&self) -> Option<TextTest> {
        let Token::Word(word) = self.peek() else {
            return None;
        };
        let test = TextTest::from_name(word)?;
        let after = self.tokens.get(self.at + 1).map(|(_, token)| token);
        (after == Some(&Token::Mark('('))).then_some(test)
    }

    fn text_condition(&mut self, test: TextTest) -> Result<Filter, FilterError> {
        self.at += 1;
        self.take_mark('(')?;
        let start = self.at;
        let (path, target) = self.path()?;
        let chosen = matches!(target, Target::Choices(_)) && test == TextTest::Contains;
        if !target.is_text() && !chosen {
            self.at = start;
            return Err(self.expected("a field that holds text"));
        }
        self.take_mark(',')?;
        let Token::Text(text) = self.peek().clone() else {
            return Err(self.expected("text in single quotes"));
        };
        if !target.may_contain(&text) {
            return Err(self.expected(&target.expected()));
        }
        // What is looked for is a part of what was written, not of the form that is compared.
        let path = path.field().cloned().map_or(path, Path::Field);
        self.at += 1;
        self.take_mark(')')?;
        Ok(Filter::Text { path, test, text })
    }

    fn condition(&mut self) -> Result<Filter, FilterError> {
        let (path, target) = self.path()?;
        if self.take_word("in") {
            return self.members(path, &target);
        }
        let operator = self.operator(&target)?;
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        if equality && self.take_word("null") {
            return Ok(Filter::Compare {
                path,
                operator,
                value: None,
            });
        }
        let value = Some(self.value(&path, &target)?);
        Ok(Filter::Compare {
            path,
            operator,
            value,
        })
    }

    fn path(&mut self) -> Result<(Path, Target), FilterError> {
        let Token::Word(word) = self.peek() else {
            return Err(self.expected(&format!("a field of {}, 'not' or '('", self.kind.name)));
        };
        let found =
            path(word, self.kind).ok_or_else(|| self.expected(&expected_path(word, self.kind)))?;
        self.at += 1;
        Ok(found)
    }

    fn operator(&mut self, target: &Target) -> Result<Operator, FilterError> {
        let expected = if target.is_ordered() {
            "eq, ne, lt, le, gt, ge or in"
        } else {
            "eq, ne or in (this field has no order)"
        };
        let operator = match self.peek() {
            Token::Word(word) => Operator::from_name(word),
            _ => None,
        };
        let fits = |operator: &Operator| {
            target.is_ordered() || matches!(operator, Operator::Equal | Operator::NotEqual)
        };
        let operator = operator
            .filter(fits)
            .ok_or_else(|| self.expected(expected))?;
        self.at += 1;
        Ok(operator)
    }

    /// Reads a literal, in the form the path compares.
    fn value(&mut self, path: &Path, target: &Target) -> Result<Value, FilterError> {
        let value = target
            .read(self.peek())
            .ok_or_else(|| self.expected(&target.expected_for(self.peek())))?;
        let form = path.form(&value).into_owned();
        // Nothing that is stored there has an empty form.
        if form == Value::Text(String::new()) && form != value {
            return Err(self.expected("a phone number such as '+47 22 33 44 55'"));
        }
        self.next();
        Ok(form)
    }

    /// The members of an `in`. A null among them is what an empty field is equal to.
    fn members(&mut self, path: Path, target: &Target) -> Result<Filter, FilterError> {
        self.take_mark('(')?;
        let (mut values, mut or_empty) = (Vec::new(), false);
        loop {
            match self.take_word("null") {
                true => or_empty = true,
                false => values.push(self.value(&path, target)?),
            }
            match self.peek() {
                Token::Mark(',') => self.at += 1,
                Token::Mark(')') => break,
                _ => return Err(self.expected("',' or ')'")),
            }
        }
        self.at += 1;
        let empty = Filter::Compare {
            path: path.clone(),
            operator: Operator::Equal,
            value: None,
        };
        let listed = Filter::In { path, values };
        Ok(
            match (
                or_empty,
                matches!(&listed, Filter::In { values, .. } if values.is_empty()),
            ) {
                (false, _) => listed,
                (true, true) => empty,
                (true, false) => Filter::Or(Box::new(listed), Box::new(empty)),
            },
        )
    }
}

/// Finds a path in a kind, and its type.
fn path(text: &str, kind: &Kind) -> Option<(Path, Target)> {
    let path = match (Own::from_name(text), text.split_once('/')) {
        (Some(own), _) => Path::Own(own),
        (None, Some((field, part))) => Path::Part(Name::new(field).ok()?, part.to_owned()),
        (None, None) => Path::of(kind.field(text)?),
    };
    let target = Target::of(&path, kind)?;
    Some((path, target))
}

/// What would have been right instead of a path the kind does not have.
fn expected_path(text: &str, kind: &Kind) -> String {
    let (field, _) = text.split_once('/').unwrap_or((text, ""));
    match kind.field(field).map(|field| &field.field_type) {
        Some(FieldType::Address) => {
            format!("{field}/{}", Address::PARTS.join(&format!(", {field}/")))
        }
        Some(FieldType::Money) => format!("{field}, {field}/minor or {field}/currency"),
        Some(_) => format!("{field}, which has no parts"),
        None => {
            let names: Vec<&str> = kind
                .fields
                .iter()
                .map(|field| field.name.as_str())
                .collect();
            format!(
                "a field of {} ({}, id, version, created_at, updated_at)",
                kind.name,
                names.join(", ")
            )
        }
    }
}
