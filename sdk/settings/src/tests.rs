//! What documents unfold to.
#![allow(clippy::unwrap_used)]

use super::*;

fn shown(text: &str) -> Vec<String> {
    let one = |entry: Entry| format!("{} {} {:?}", entry.line, entry.path, entry.value);
    parse(text).unwrap().into_iter().map(one).collect()
}

#[test]
fn everything_stands_in_the_order_of_the_document_with_its_line() {
    let text = "b = 'x'\na = 2\n[[pipeline]]\nname = 'p'\n[[pipeline.stage]]\nmoves = ['q',\n 'r']\n[[pipeline]]\n[when]\n\"/form\" = {}\nc.d = []\n";
    assert_eq!(
        shown(text),
        [
            "1 b Text(\"x\")",
            "2 a Integer(2)",
            "3 pipeline List",
            "3 pipeline[0] Table",
            "4 pipeline[0].name Text(\"p\")",
            "5 pipeline[0].stage List",
            "5 pipeline[0].stage[0] Table",
            "6 pipeline[0].stage[0].moves List",
            "6 pipeline[0].stage[0].moves[0] Text(\"q\")",
            "7 pipeline[0].stage[0].moves[1] Text(\"r\")",
            "8 pipeline[1] Table",
            "9 when Table",
            "10 when.\"/form\" Table",
            "11 when.c Table",
            "11 when.c.d List",
        ]
    );
}

#[test]
fn what_stands_in_a_table_follows_it_even_when_it_is_written_later() {
    let text = "[a]\nx = 1\n[b]\n[a.c]\ny = true\n";
    assert_eq!(
        shown(text),
        [
            "1 a Table",
            "2 a.x Integer(1)",
            "4 a.c Table",
            "5 a.c.y Flag(true)",
            "3 b Table",
        ]
    );
}

#[test]
fn numbers_and_times_are_exact() {
    let check = |text: &str, expected: Value| {
        let entries = parse(&format!("x = {text}")).unwrap();
        assert_eq!(entries[0].value, expected, "{text}");
    };
    let decimal = |coefficient, scale| Value::Decimal { coefficient, scale };
    check("0.5", decimal(5, 1));
    check("-12.50", decimal(-1_250, 2));
    check("-0.25", decimal(-25, 2));
    check("0x_ff".replace('_', "").as_str(), Value::Integer(255));
    check("1970-01-01", Value::Date(0));
    check("2000-02-29", Value::Date(11_016));
    check("2026-03-01", Value::Date(20_513));
    check("1970-01-01T00:00:00Z", Value::Instant(0));
    check("1970-01-01T02:00:00.25+02:00", Value::Instant(250));
}

#[test]
fn what_cannot_be_an_entry_is_refused_with_its_place() {
    let check = |text: &str, line: u32, column: u32, named: &str| {
        let fault = parse(text).unwrap_err();
        assert_eq!((fault.line, fault.column), (line, column), "{fault}");
        assert!(fault.message.contains(named), "{fault}");
    };
    check("a = 1\nb = [\n", 2, 6, "unclosed");
    check("a = 1\n  b = 1e5", 2, 3, "no number that can be kept");
    check("a = [1, inf]", 1, 9, "no number");
    check("a = 99999999999999999999", 1, 1, "too large");
    check("a = 07:30:00", 1, 1, "neither a date nor");
    check("a = 2026-05-17T08:00:00", 1, 1, "neither a date nor");
    check("'a\"b' = 1", 1, 1, "quotation mark");
}

#[test]
fn a_small_document_cannot_unfold_to_gigabytes() {
    let items = "1,".repeat(60_000);
    let text = format!("{} = [{items}]", "k".repeat(60_000));
    assert!(parse(&text).unwrap_err().message.contains("unfold"));
}
