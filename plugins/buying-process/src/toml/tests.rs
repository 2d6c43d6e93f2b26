//! Documents that are read, and documents that are refused.
#![allow(clippy::unwrap_used)]
use super::*;

/// A value in a short form: texts in quotes, lists in brackets, tables in braces.
fn show(document: &Document<'_>, value: &Value<'_>) -> String {
    let all = |children, keyed: bool| {
        let one = |node: &Node<'_>| {
            let value = show(document, &node.value);
            if keyed {
                format!("{}:{value}", node.key)
            } else {
                value
            }
        };
        document
            .nodes(children)
            .map(one)
            .collect::<Vec<_>>()
            .join(" ")
    };
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Integer(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Other(word) => (*word).to_owned(),
        Value::List(items) => format!("[{}]", all(*items, false)),
        Value::Table(keys) => format!("{{{}}}", all(*keys, true)),
    }
}

#[test]
fn documents_are_read() {
    let check = |text: &str, expected: &str| {
        let found = parse(text).map(|document| show(&document, &Value::Table(document.root())));
        assert_eq!(
            found.as_deref(),
            Ok(format!("{{{expected}}}").as_str()),
            "{text}"
        );
    };
    check("", "");
    check("# only a comment", "");
    check(
        "a = 1 # one\r\nb = -2\nc = 1_000\nd = 0xff\n",
        "a:1 b:-2 c:1000 d:255",
    );
    check("a = true\nb = false", "a:true b:false");
    check(
        "a = \"x\"\nb = 'c:\\d'\n\"c d\" = \"\"",
        "a:\"x\" b:\"c:\\\\d\" c d:\"\"",
    );
    check("a = \"\\t\\\"\\u00e6\\\\\"", "a:\"\\t\\\"æ\\\\\"");
    check(
        "a = \"\"\"\none\ntwo \\\n   three\"\"\"\nb = '''x'y'''",
        "a:\"one\\ntwo three\" b:\"x'y\"",
    );
    check(
        "a = 2026-01-31\nb = 1.5\nc = 2026-01-31T08:00:00Z\nd = -inf",
        "a:2026-01-31 b:1.5 c:2026-01-31T08:00:00Z d:-inf",
    );
    check("a = [1, 2,\n 3, # three\n]\nb = []", "a:[1 2 3] b:[]");
    check(
        "a = { b = 1, c.d = [ { e = 2 } ] }",
        "a:{b:1 c:{d:[{e:2}]}}",
    );
    check("a.b = 1\na.c = 2", "a:{b:1 c:2}");
    check("[a]\nb = 1\n[a.c]\nd = 2\n[e]", "a:{b:1 c:{d:2}} e:{}");
    check(
        "[[p]]\nn = 1\n[[p.s]]\nm = 1\n[[p.s]]\nm = 2\n[[p]]\nn = 2\n[p.t]\nk = 3",
        "p:[{n:1 s:[{m:1} {m:2}]} {n:2 t:{k:3}}]",
    );
}

#[test]
fn what_is_not_toml_is_refused_with_its_place() {
    let check = |text: &str, at: usize, part: &str| {
        let fault = parse(text).unwrap_err();
        assert!(
            fault.at == at && fault.message.contains(part),
            "{text:?}: {fault:?}"
        );
    };
    check("a", 1, "expected =");
    check("a = ", 4, "expected a value");
    check("a = word", 4, "texts stand in quotes");
    check("a = 1 b = 2", 6, "end of the line");
    check("a = 1\na = 2", 6, "a is there twice");
    check("[a]\n[[a]]", 6, "a is there twice");
    check("a = 1\n[a]", 7, "a is there twice");
    check("a = \"x", 5, "no closing quote");
    check("a = \"x\ny\"", 5, "no closing quote");
    check("a = \"\\q\"", 6, "no escape");
    check("a = \"\\u00\"", 6, "no escape");
    check("a = [1 2]", 7, "expected , or ]");
    check("a = [1", 6, "expected , or ]");
    check("a = {b = 1", 10, "expected , or }");
    check("[a", 2, "expected ]");
    check(" = 1", 1, "expected a key");
    check("é = 1", 0, "expected a key");
    check(
        &format!("a = {}", "[".repeat(17)),
        20,
        "more than 16 levels",
    );
}
