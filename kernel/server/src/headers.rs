//! Headers, read in one way: one that is there and cannot be read is an error, and never the same as one
//! that is not there.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, header};
use axum::middleware::Next;
use kjerne_workspace::error::Error;

use crate::app::Answer;
use crate::limits::MATCH_TAGS;
use crate::problem::Problem;

/// The one value of a header; none when the header is absent.
///
/// # Errors
/// When it stands there twice, or holds anything but visible ASCII.
pub(crate) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::bad_request(format!(
            "{name} stands there twice; say it once"
        )));
    }
    first.to_str().map(Some).map_err(|_| not_ascii(name))
}

/// The lines of a header that is a list, as one text; none when the header is absent.
fn listed(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let lines = headers.get_all(name).iter();
    let lines: Vec<&str> = lines
        .map(|line| line.to_str().map_err(|_| not_ascii(name)))
        .collect::<Result<_, _>>()?;
    Ok((!lines.is_empty()).then(|| lines.join(",")))
}

fn not_ascii(name: &HeaderName) -> Problem {
    Problem::bad_request(format!(
        "{name} holds something else than visible ASCII characters"
    ))
}

/// The idempotency key the request came with.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let key = single(headers, &HeaderName::from_static("idempotency-key"))?;
    let Some(text) = key.map(str::trim) else {
        return Ok(None);
    };
    // The draft standard has the key in quotes; most clients send it bare.
    let key = match text.strip_prefix('"') {
        Some(inside) => unquoted(inside),
        None => (!text.contains('"')).then(|| text.to_owned()),
    };
    let wrong = || {
        let shown: String = text.chars().take(100).collect();
        let form = "expected a key, bare or in double quotes";
        Problem::bad_request(format!("Idempotency-Key: {form}, found {shown:?}"))
    };
    key.map(Some).ok_or_else(wrong)
}

/// A string as RFC 8941 writes it, behind its opening quote: to the closing one, with nothing behind it.
fn unquoted(text: &str) -> Option<String> {
    let (mut letters, mut key) = (text.chars(), String::new());
    loop {
        match letters.next()? {
            '"' => return letters.next().is_none().then_some(key),
            '\\' => key.push(
                letters
                    .next()
                    .filter(|letter| matches!(letter, '"' | '\\'))?,
            ),
            letter => key.push(letter),
        }
    }
}

/// The tags of a conditional header.
#[derive(PartialEq, Eq, Debug)]
enum Tags<'a> {
    /// `*`: whatever there is.
    Any,
    /// These: whether each is weak, and what stands between its quotes.
    These(Vec<(bool, &'a str)>),
}

/// Reads `*`, or tags as RFC 9110 writes them: `"3", W/"4"`.
fn tags(text: &str) -> Option<Tags<'_>> {
    if text.trim() == "*" {
        return Some(Tags::Any);
    }
    let (mut rest, mut tags) = (text.trim(), Vec::new());
    while !rest.is_empty() {
        let weak = rest.strip_prefix("W/");
        let (tag, behind) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        tags.push((weak.is_some(), tag));
        rest = behind.trim_start();
        if !rest.is_empty() {
            // A list may hold empty places.
            rest = rest.strip_prefix(',')?.trim_start_matches([',', ' ', '\t']);
        }
    }
    (!tags.is_empty()).then_some(Tags::These(tags))
}

/// What `If-Match` asks for.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Expected {
    /// Nothing.
    Nothing,
    /// A record, of any version.
    Any,
    /// One of these versions. None at all when only weak tags were named, which match nothing.
    Versions(Vec<u64>),
}

impl Expected {
    /// Reads the header.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        passed_over(
            headers,
            &[header::IF_NONE_MATCH, header::IF_UNMODIFIED_SINCE],
            "If-Match names the version a change is for",
        )?;
        Self::of_if_match(headers)
    }

    fn of_if_match(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(text) = listed(headers, &header::IF_MATCH)? else {
            return Ok(Self::Nothing);
        };
        let wrong = || {
            let shown: String = text.chars().take(100).collect();
            Problem::bad_request(format!(
                "If-Match: expected versions as in ETag, such as \"3\", found {shown:?}"
            ))
        };
        let these = match tags(&text).ok_or_else(wrong)? {
            Tags::Any => return Ok(Self::Any),
            Tags::These(these) => these,
        };
        if these.len() > MATCH_TAGS.count() {
            return Err(Problem::bad_request(format!(
                "If-Match names {} versions; at most {} are allowed (limit {})",
                these.len(),
                MATCH_TAGS.value,
                MATCH_TAGS.name
            )));
        }
        // A weak tag never matches where something is to be changed.
        let strong = these.iter().filter(|(weak, _)| !weak);
        let versions = strong.map(|(_, tag)| version(tag));
        versions
            .collect::<Option<_>>()
            .map(Self::Versions)
            .ok_or_else(wrong)
    }

    /// Whether a record of this version is what is asked for, where it is only looked at.
    ///
    /// # Errors
    /// When it is not, or the header cannot be read.
    pub(crate) fn look(headers: &HeaderMap, version: u64) -> Result<(), Problem> {
        match Self::of_if_match(headers)? {
            Self::Versions(versions) if !versions.contains(&version) => {
                Err(Problem::another_version(version))
            }
            _ => Ok(()),
        }
    }

    /// Whether there was a precondition at all.
    pub(crate) fn is_some(&self) -> bool {
        *self != Self::Nothing
    }
}

/// A version as `ETag` has it: digits alone.
fn version(tag: &str) -> Option<u64> {
    // Another text is another tag, be it of the same number.
    let number: Option<u64> = tag.parse().ok();
    number.filter(|number| number.to_string() == tag)
}

/// Whether `If-None-Match` names the tag of this version; weak and strong count the same when reading.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn has_tag(headers: &HeaderMap, version: u64) -> Result<bool, Problem> {
    let Some(text) = listed(headers, &header::IF_NONE_MATCH)? else {
        return Ok(false);
    };
    match tags(&text) {
        Some(Tags::Any) => Ok(true),
        Some(Tags::These(these)) => {
            let ours = version.to_string();
            Ok(these.iter().any(|(_, tag)| *tag == ours))
        }
        None => {
            Err(Error::unreadable("If-None-Match: expected tags as in ETag, such as \"3\"").into())
        }
    }
}

/// Refuses requests that name a condition, or a key under which to be done once, where nothing looks at it.
/// A single record is read and written under conditions; keys are for records, commits and plugins.
pub(crate) async fn conditions_where_they_are_looked_at(request: Request, next: Next) -> Answer {
    let (path, headers) = (request.uri().path(), request.headers());
    let looks = request.method().is_safe();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    if !matches!(parts[..], ["v1", "records", _, _]) {
        let both = [header::IF_MATCH, header::IF_UNMODIFIED_SINCE];
        passed_over(headers, &both, "conditions are for single records")?;
        let read = if looks {
            &[][..]
        } else {
            &[header::IF_NONE_MATCH]
        };
        passed_over(headers, read, "conditions are for single records")?;
    }
    let keyed = ["records", "commits", "actions", "integrations"];
    let is_keyed = parts.get(1).is_some_and(|part| keyed.contains(part));
    if !looks && !is_keyed {
        let key = [HeaderName::from_static("idempotency-key")];
        passed_over(headers, &key, "this would be done again each time")?;
    }
    Ok(next.run(request).await)
}

/// Says that a precondition does nothing here, rather than to let it pass for one that held.
///
/// # Errors
/// When there is one.
pub(crate) fn no_precondition(headers: &HeaderMap) -> Result<(), Problem> {
    passed_over(
        headers,
        &[
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::IF_UNMODIFIED_SINCE,
        ],
        "in a commit each change has its \"expected\" version",
    )
}

/// Refuses conditions that would be passed over: what was asked for is not done without them.
fn passed_over(headers: &HeaderMap, names: &[HeaderName], hint: &str) -> Result<(), Problem> {
    match names.iter().find(|name| headers.contains_key(*name)) {
        None => Ok(()),
        Some(name) => Err(Problem::bad_request(format!(
            "{name} does nothing here; {hint}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use axum::http::HeaderValue;

    fn with(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let value = |text: &&str| HeaderValue::from_bytes(text.as_bytes());
        let values = values.iter().filter_map(|text| value(text).ok());
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn if_match_takes_versions_and_refuses_what_it_cannot_read() {
        let versions = |these: &[u64]| Some(Expected::Versions(these.to_vec()));
        for (values, expected) in [
            (&["\"3\""][..], versions(&[3])),
            (&["*"], Some(Expected::Any)),
            (&[" \"9\" ,\"2\" "], versions(&[9, 2])),
            (&["\"9\",, \"2\","], versions(&[9, 2])),
            (&["\"9\"", "\"2\""], versions(&[9, 2])),
            (&["W/\"2\""], versions(&[])),
            (&["W/\"2\", \"3\""], versions(&[3])),
            (&["3"], None),
            (&["\"+3\""], None),
            (&["\"-3\""], None),
            (&["\" 3\""], None),
            (&["\"3"], None),
            (&["\"\""], None),
            (&[""], None),
            (&["*, \"3\""], None),
            (&["\"3\" \"4\""], None),
            (&["w/\"3\""], None),
            (&["\"99999999999999999999\""], None),
            (&["\"3å\""], None),
            (&["\u{a0}"], None),
        ] {
            let read = Expected::read(&with(&header::IF_MATCH, values));
            assert_eq!(read.ok(), expected, "{values:?}");
        }
        assert_eq!(
            Expected::read(&HeaderMap::new()).ok(),
            Some(Expected::Nothing)
        );
    }

    #[test]
    fn if_match_holds_where_something_is_looked_at_too() {
        for (value, held) in [
            ("\"3\"", Ok(())),
            ("*", Ok(())),
            ("\"2\", \"3\"", Ok(())),
            ("\"4\"", Err("412")),
            ("W/\"3\"", Err("412")),
            ("3", Err("400")),
        ] {
            let looked = Expected::look(&with(&header::IF_MATCH, &[value]), 3);
            let told = looked.map_err(|problem| problem.json().to_string());
            match (told, held) {
                (Ok(()), Ok(())) => {}
                (Err(told), Err(status)) => assert!(told.contains(status), "{value}: {told}"),
                (told, _) => panic!("{value}: {told:?}"),
            }
        }
        assert!(Expected::look(&HeaderMap::new(), 3).is_ok());
    }

    #[test]
    fn if_match_takes_so_many_tags_and_no_more() {
        for (count, taken) in [(MATCH_TAGS.count(), true), (MATCH_TAGS.count() + 1, false)] {
            let tags = vec!["\"7\""; count].join(", ");
            let read = Expected::read(&with(&header::IF_MATCH, &[&tags]));
            assert_eq!(read.is_ok(), taken, "{count}");
        }
    }

    #[test]
    fn a_version_is_its_number_as_it_is_told() {
        for (tag, expected) in [
            ("2", Some(2)),
            ("0", Some(0)),
            ("02", None),
            ("+2", None),
            ("", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(version(tag), expected, "{tag:?}");
        }
    }

    #[test]
    fn if_none_match_takes_a_list() {
        for (value, found) in [
            ("\"3\"", Some(true)),
            ("W/\"3\"", Some(true)),
            ("\"2\", \"3\"", Some(true)),
            ("*", Some(true)),
            ("\"4\"", Some(false)),
            ("\"abc\"", Some(false)),
            ("3", None),
            ("\"3ø\"", None),
        ] {
            let read = has_tag(&with(&header::IF_NONE_MATCH, &[value]), 3);
            assert_eq!(read.ok(), found, "{value}");
        }
        assert!(has_tag(&HeaderMap::new(), 3).is_ok_and(|found| !found));
    }

    #[test]
    fn a_key_is_one_and_readable_or_absent() {
        let name = HeaderName::from_static("idempotency-key");
        for (values, expected) in [
            (&[][..], Some(None)),
            (&["abc"], Some(Some("abc"))),
            (&["\"abc\""], Some(Some("abc"))),
            (&[" \"a b\" "], Some(Some("a b"))),
            (&[r#""a\"b\\c""#], Some(Some(r#"a"b\c"#))),
            (&["\"\""], Some(Some(""))),
            (&["\"abc"], None),
            (&["abc\""], None),
            (&["a\"b"], None),
            (&["\"a\"b\""], None),
            (&["\"a\";x=1"], None),
            (&[r#""a\b""#], None),
            (&[r#""a\"#], None),
            (&["\""], None),
            (&["nøkkel"], None),
            (&["a", "a"], None),
            (&["a\tb\u{7f}"], Some(None)),
        ] {
            let read = key(&with(&name, values));
            let read = read.ok();
            let read = read.as_ref().map(|key| key.as_deref());
            assert_eq!(read, expected, "{values:?}");
        }
    }

    #[tokio::test]
    async fn a_condition_that_nothing_looks_at_is_refused() {
        use axum::body::Body;
        use axum::routing::any;
        use axum::{Router, middleware::from_fn};
        use tower_service::Service as _;

        let router = Router::new().route("/{*all}", any(|| async {}));
        let router = router.layer(from_fn(conditions_where_they_are_looked_at));
        let one = "/v1/records/account/01980000-0000-7000-8000-000000000001";
        for (method, path, name, status) in [
            ("PATCH", one, "if-match", 200),
            ("GET", one, "if-none-match", 200),
            ("GET", "/v1/records/account", "if-match", 400),
            ("GET", "/v1/kinds", "if-unmodified-since", 400),
            ("GET", "/v1/kinds", "if-none-match", 200),
            ("POST", "/v1/records/account", "if-none-match", 400),
            ("POST", "/v1/import/account", "if-match", 400),
            ("DELETE", "/v1/tokens/x", "if-match", 400),
            ("PUT", "/v1/secrets/x", "if-none-match", 400),
            ("POST", "/v1/verify", "if-unmodified-since", 400),
            ("POST", "/v1/integrations/webhook/form", "if-match", 400),
            (
                "POST",
                "/v1/integrations/webhook/form",
                "idempotency-key",
                200,
            ),
            ("POST", "/v1/actions/acme.test/run", "idempotency-key", 200),
            ("POST", "/v1/commits", "idempotency-key", 200),
            ("POST", "/v1/records/account", "idempotency-key", 200),
            ("DELETE", one, "idempotency-key", 200),
            ("POST", "/v1/import/account", "idempotency-key", 400),
            ("POST", "/v1/tokens", "idempotency-key", 400),
            ("POST", "/v1/plugins", "idempotency-key", 400),
            ("GET", "/v1/kinds", "idempotency-key", 200),
            ("PUT", "/v1/secrets/x", "accept", 200),
        ] {
            let request = Request::builder().method(method).uri(path);
            let request = request.header(name, "x").body(Body::empty());
            let answer = router.clone().call(request.unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{method} {path} {name}");
        }
    }
}
