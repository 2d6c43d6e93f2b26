//! Tests of what the settings name and say, in a world that refuses what the kernel does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_sdk::testing::World;

use super::*;

/// The faults of settings, where the kernel refuses a filter on the kind that holds this.
fn told(text: &str, kind: &str, refused: &str) -> String {
    let settings = Settings::parse(text).expect("settings");
    let world = World::new().refuses(kind, refused, "the kernel says no");
    world
        .enter(|| check(&settings))
        .map_or_else(|faults| faults.to_string(), |()| String::new())
}

fn subscription(more: &str) -> String {
    format!("[[subscription]]\nname = 'a'\nurl = 'https://a.example'\nkinds = ['case']\n{more}")
}

fn rule(more: &str) -> String {
    format!("[[inbound]]\nname = 'a'\nsource = 'form'\nkind = 'lead'\n{more}")
}

#[test]
fn b3_a_condition_on_a_value_that_no_field_holds_is_refused() {
    for (more, refused) in [
        ("when = { status = 'opne' }", "status eq 'opne'"),
        ("unless = { status = 'opne' }", "status eq 'opne'"),
        ("when = { closing_date = 'soon' }", "closing_date eq 'soon'"),
        (
            "when = { 'billing_address.town' = '*' }",
            "billing_address/town eq null",
        ),
        ("changed = ['nosuch']", "nosuch eq null"),
    ] {
        let text = subscription(more);
        assert!(
            told(&text, "case", refused).contains("line 1: subscription 'a'"),
            "{more}"
        );
        assert_eq!(told(&text, "case", "something else"), "", "{more}");
    }
    assert!(told(&subscription("when = { version = '1' }"), "x", "x").contains("case.version"));
    // A value that one of the kinds has is one to wait for.
    let two = "when = { status = 'x' }".to_owned();
    let two = subscription(&two).replace("['case']", "['case', 'lead']");
    assert_eq!(told(&two, "lead", "status eq 'x'"), "");
}

#[test]
fn b4_a_rule_fills_in_what_its_fields_take() {
    for (more, kind, refused) in [
        ("now = ['name']", "lead", "name eq 2026-01-31T00:00:00Z"),
        (
            "fields = { at = { from = '/at', as = 'date' } }",
            "lead",
            "at eq 2026-01-31",
        ),
        ("fields = { name = '/n' }", "lead", "startswith(name,'x')"),
        (
            "fields = { n = { from = '/n', as = 'money' } }",
            "lead",
            "n/minor eq 1",
        ),
        (
            "fields = { n = { from = '/n', values = { a = 'b' } } }",
            "lead",
            "n eq 'b'",
        ),
        (
            "fields = { owner = { from = '/n', as = 'lookup', kind = 'account', by = 'name' } }",
            "lead",
            "owner eq account/",
        ),
        (
            "fields = { owner = { from = '/n', as = 'lookup', kind = 'account', by = 'nosuch' } }",
            "account",
            "(nosuch,",
        ),
        ("set = { at = '2026' }", "lead", "startswith(at,'x')"),
        ("set = { n = 1 }", "lead", "n eq 1"),
    ] {
        assert!(
            told(&rule(more), kind, refused).contains("rule 'a'"),
            "{more}"
        );
        assert_eq!(told(&rule(more), kind, "something else"), "", "{more}");
    }
    for own in ["id", "version", "created_at"] {
        let more = format!("fields = {{ {own} = '/x' }}");
        assert!(told(&rule(&more), "x", "x").contains("no field"), "{own}");
    }
}
