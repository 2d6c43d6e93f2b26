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
        (
            format!("{name}\nindustry = {{ column = 'e', values = {{ ' a' = 'b', 'a' = 'c' }} }}"),
            "values names \"a\" twice",
        ),
        (
            format!("date_formats = ['%d/%m/%Y %Y']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("date_formats = ['%d/%d/%Y %m']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("date_formats = ['%d/%m/%Y %y']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("date_formats = ['%-d/%m/%Y %e']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("instant_formats = ['%F %d']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("instant_formats = ['%F %T %R']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("instant_formats = ['%F %H:%M %I']\n{name}"),
            "reads one thing twice",
        ),
        (
            format!("date_formats = ['%A %d. %B %Y', '%a %e %b %y']\n{name}"),
            "",
        ),
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
            "%d/%m/%Y kl. %H.%M Uhr",
            oslo,
            "01/02/2026 kl. 08.00 Uhr",
            "2026-02-01T07:00:00Z",
        ),
        (
            "%d-%m-20%y %H:%M",
            oslo,
            "01-02-2026 08:00",
            "2026-02-01T07:00:00Z",
        ),
        (
            "%d/%m/%Y %H:%M AEST",
            "zone = 'Australia/Brisbane'\n",
            "01/02/2026 08:00 AEST",
            "2026-01-31T22:00:00Z",
        ),
        (
            "%d/%m/%Y %_H:%M UTC",
            oslo,
            "01/02/2026 8:00 UTC",
            "2026-02-01T08:00:00Z",
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

#[test]
fn whatever_stands_plain_beside_a_time_and_may_be_a_zone_is_a_fault() {
    let fault = |form: &str, zone: &str| {
        let map = format!(
            "{zone}instant_formats = ['{form}']\n[fields]\nname = 'n'\nlast_activity_at = 'd'"
        );
        let done = Desk::new().try_import("opportunity", &map, b"n,d\n");
        done.err().unwrap_or_default()
    };
    let oslo = "zone = 'Europe/Oslo'\n";
    for hour in [
        "%H", "%0H", "%_H", "%2H", "%-k", "%k", "%_I", "%I", "%l", "%-H",
    ] {
        for offset in [
            "+05:00", " +05:00", " -0330", " UTC+5", "Z+1", " (GMT-8)", " UTC+5h",
        ] {
            let error = fault(&format!("%d/%m/%Y {hour}:%M{offset}"), oslo);
            assert!(
                error.contains("offset as plain text"),
                "{hour} {offset}: {error}"
            );
        }
    }
    for zone in [
        "AEST",
        "NZST",
        "SAST",
        "HST",
        "AKST",
        "KST",
        "SGT",
        "WIB",
        "PT",
        "CEST",
        "EST5EDT",
        "BRT",
        "America/New_York",
        "Europe/London",
        "Pacific Standard Time",
        "Oslo",
    ] {
        for form in ["%H:%M", "%R", "%T", "%_H:%M", "%I:%M %p"] {
            let error = fault(&format!("%d/%m/%Y {form} {zone}"), "");
            assert!(error.contains("say zone as well"), "{form} {zone}: {error}");
            assert_eq!(fault(&format!("%d/%m/%Y {form} {zone}"), oslo), "");
        }
    }
    assert!(fault("%d/%m/%Y %H:%M GMT Standard Time", oslo).contains("beside UTC"));
    assert!(fault("%d/%m/%Y %H:%M PM", oslo).contains("%p"));
    for harmless in [
        "T%H:%M",
        " kl. %H:%M",
        " at %H:%M",
        " %Hh%M",
        " um %H:%M Uhr",
        ", %H:%M:%S",
    ] {
        assert_eq!(fault(&format!("%Y-%m-%d{harmless}"), ""), "", "{harmless}");
    }
    assert_eq!(fault("Oslo, den %d.%m.%Y", ""), "");
}

/// A part that makes no time was dropped with the whole clock, and midnight stored.
#[test]
fn a_form_takes_all_it_names_or_is_a_fault() {
    for (form, fault) in [
        ("%F", ""),
        ("%F %H", ""),
        ("%F %H:%M", ""),
        ("%F %H:%M:%S%.f", ""),
        ("%F %H:%M:%S.%f", ""),
        ("%F %I:%M %p", ""),
        ("%Y %j", ""),
        ("%s", ""),
        ("%F %H:%M.%f", "make no time"),
        ("%F %H:%M%.f", "make no time"),
        ("%F %H.%f", "make no time"),
        ("%F %H:%S", "make no time"),
        ("%F %S", "and no hour"),
        ("%F %M", "and no hour"),
        ("%d/%m/%Y %M", "and no hour"),
        ("%F %p", "and no hour"),
        ("%d/%m/%Y %j", "reads one thing twice"),
        ("%j %d %Y", "reads one thing twice"),
        ("%s %F", "reads one thing twice"),
        ("%s %H:%M", "reads one thing twice"),
        ("%F %T %s", "reads one thing twice"),
        ("%C/%d/%m/%Y", "reads one thing twice"),
        ("%F %G", "reads one thing twice"),
        ("%F %V", "reads one thing twice"),
        ("%F %U", "reads one thing twice"),
    ] {
        let map = format!("instant_formats = ['{form}']\n[fields]\nsubject = 's'\nat = 'a'");
        let file = b"s,a\nCall,2026-11-21T08:30:00Z\n";
        let done = Desk::new().try_import("activity", &map, file);
        let told = done.err().unwrap_or_default();
        match fault {
            "" => assert!(told.is_empty(), "{form}: {told}"),
            fault => assert!(told.contains(fault), "{form}: {told}"),
        }
    }
}
