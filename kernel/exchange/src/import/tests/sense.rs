//! Mappings that say what cannot come true.

use super::Desk;

const HEADER: &str = "id,n,t,d,e,c\n";

#[test]
fn what_a_mapping_says_in_vain_is_a_fault() {
    let name = "[fields]\nname = 'n'";
    let keyed = "[fields]\nname = 'n'\nexternal_id = 'id'";
    for (map, fault) in [
        // One mapping serves exports that have a column and those that have it no more.
        (format!("ignore = ['NOPE', 'e']\n{name}"), ""),
        (
            format!("date_formats = ['DD.MM.YYYY']\n{name}"),
            "reads no date",
        ),
        (format!("date_formats = ['']\n{name}"), "reads no date"),
        (
            format!("instant_formats = ['%H:%M']\n{name}"),
            "reads no date",
        ),
        (format!("instant_formats = ['%s']\n{name}"), ""),
        (
            format!("{name}\nindustry = {{ column = 'e', take = 'name' }}"),
            "take is for fields with a lookup",
        ),
        (
            format!("{name}\nindustry = {{ column = 'e', format = '%d.%m.%Y' }}"),
            "format is for dates",
        ),
        (
            format!("{name}\nindustry = {{ column = 'e', currency = 'NOK' }}"),
            "for amounts",
        ),
        (
            format!("{name}\nindustry = {{ column = 'e', currency_column = 'c' }}"),
            "for amounts",
        ),
        (
            format!(
                "{name}\ntier = {{ column = 't', values = {{ '*' = 'gold' }}, keep_unlisted = true }}"
            ),
            "keep_unlisted is for values",
        ),
        (
            format!("{name}\ntier = {{ column = 't', keep_unlisted = true }}"),
            "keep_unlisted is for values",
        ),
        (
            format!("repeated_keys = 'first'\n{name}"),
            "repeated_keys is about records",
        ),
        (
            format!("on_existing = 'skip'\n{name}"),
            "on_existing is about records",
        ),
        (
            format!("on_existing = 'skip'\nrepeated_keys = 'first'\n{keyed}"),
            "",
        ),
        (
            format!("{name}\nbilling_address = 'e'\n'billing_address.city' = 'c'"),
            "as a whole and as billing_address.city",
        ),
        (
            format!("{name}\naccount_type = {{ column = 't', values = {{ '1' = 'custmer' }} }}"),
            "\"custmer\" is never taken",
        ),
        (
            format!("{name}\naccount_type = {{ constant = 'custmer' }}"),
            "\"custmer\" is never taken",
        ),
        (
            format!("{name}\naccount_type = {{ constant = 'customer' }}"),
            "",
        ),
        (
            format!("{name}\ncustomer_since = {{ constant = 'soon' }}"),
            "\"soon\" is never taken",
        ),
        (
            format!("{name}\nannual_revenue = {{ constant = '5', currency_column = 'c' }}"),
            "",
        ),
        (
            format!("{name}\nemail = {{ constant = 'nowhere' }}"),
            "\"nowhere\" is never taken",
        ),
        (
            format!("{name}\nindustry = {{ column = 'e', when = {{ t = [] }} }}"),
            "when names no value",
        ),
        (format!("[skip]\nt = []\n{name}"), "skip names no value"),
    ] {
        let bound = Desk::new().try_import("account", &map, HEADER.as_bytes());
        match (&bound, fault) {
            (Ok(_), "") => {}
            (Err(error), fault) if !fault.is_empty() && error.contains(fault) => {}
            _ => panic!("{map}: {bound:?}"),
        }
    }
}

#[test]
fn a_zone_in_plain_text_is_read_or_a_fault() {
    let map = |form: &str, zone: &str| {
        format!("{zone}instant_formats = ['{form}']\n[fields]\nname = 'n'\nlast_activity_at = 'd'")
    };
    let oslo = "zone = 'Europe/Oslo'\n";
    for (form, zone, cell, expected) in [
        (
            "%Y-%m-%dT%H:%M:%SZ",
            oslo,
            "2026-02-01T08:00:00Z",
            "2026-02-01T08:00:00Z",
        ),
        (
            "%Y-%m-%d %H:%M UTC",
            oslo,
            "2026-02-01 08:00 UTC",
            "2026-02-01T08:00:00Z",
        ),
        (
            "%Y-%m-%d %H:%M (GMT)",
            oslo,
            "2026-02-01 08:00 (GMT)",
            "2026-02-01T08:00:00Z",
        ),
        (
            "%Y-%m-%d %H:%M+00:00",
            oslo,
            "2026-02-01 08:00+00:00",
            "2026-02-01T08:00:00Z",
        ),
        (
            "%a %b %d %H:%M:%S UTC %Y",
            oslo,
            "Sun Feb 01 08:00:00 UTC 2026",
            "2026-02-01T08:00:00Z",
        ),
        (
            "%d.%m.%Y %H:%M",
            oslo,
            "01.02.2026 08:00",
            "2026-02-01T07:00:00Z",
        ),
        (
            "%d.%m.%Y kl. %H:%M",
            oslo,
            "01.02.2026 kl. 08:00",
            "2026-02-01T07:00:00Z",
        ),
        (
            "%d.%m.%Y %H:%M CET",
            oslo,
            "01.02.2026 08:00 CET",
            "2026-02-01T07:00:00Z",
        ),
        (
            "%d.%m.%Y %H:%M CET",
            "",
            "01.02.2026 08:00 CET",
            "say zone as well",
        ),
        (
            "%Y-%m-%d %H:%M+01:00",
            oslo,
            "2026-02-01 08:00+01:00",
            "offset as plain text",
        ),
        (
            "%Y-%m-%d %H:%M GMT+1",
            oslo,
            "2026-02-01 08:00 GMT+1",
            "offset as plain text",
        ),
        (
            "%Y-%m-%d %H:%M %z",
            oslo,
            "2026-02-01 08:00 +0500",
            "2026-02-01T03:00:00Z",
        ),
    ] {
        let desk = Desk::new();
        let file = format!("n,d\nOne,{cell}\n");
        match desk.try_import("opportunity", &map(form, zone), file.as_bytes()) {
            Ok(_) => {
                let held = desk.named("opportunity", "One");
                let held = held.get("last_activity_at").map(ToString::to_string);
                assert_eq!(held.as_deref(), Some(expected), "{form}");
            }
            Err(error) => assert!(error.contains(expected), "{form}: {error}"),
        }
    }
}
