//! Unique fields, filters and orders agree on which values are the same.

use kjerne_model::filter::{self, parse_path};
use kjerne_model::{Code, RecordId};

use super::*;
use crate::{Order, Query};

fn ask(kernel: &Kernel, kind: &str, filter: &str, order: &str, top: usize) -> Vec<RecordId> {
    let schema = schema();
    let described = schema.kind(kind).unwrap();
    let path = (!order.is_empty()).then(|| parse_path(order, described).unwrap());
    let order = path.map(|path| Order {
        path,
        descending: false,
    });
    let mut query = Query {
        filter: filter::parse(filter, described).unwrap(),
        order: order.into_iter().collect(),
        top,
        ..Query::all(name(kind))
    };
    let mut found = Vec::new();
    loop {
        let page = kernel.query(&query).unwrap();
        found.extend(page.records.iter().map(|record| record.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

#[test]
fn keys_of_other_systems_are_exact_everywhere() {
    let kernel = kernel(TablePlugins::none());
    let keyed = |number, key| create("account", number, &[("name", "A"), ("external_id", key)]);
    accept(
        &kernel,
        vec![keyed(1, "001Fict0000AbCdE"), keyed(2, "001Fict0000aBcDe")],
    );
    let find = |key: &str| {
        ask(
            &kernel,
            "account",
            &format!("external_id eq '{key}'"),
            "",
            10,
        )
    };
    assert_eq!(find("001Fict0000AbCdE"), [id(1)]);
    assert_eq!(find("001Fict0000aBcDe"), [id(2)]);
    assert!(find("001FICT0000ABCDE").is_empty());
    let again = kernel
        .commit(commit(vec![keyed(3, "001Fict0000aBcDe")]))
        .unwrap();
    assert_eq!(again.refusals()[0].code, Code::Duplicate);
    assert_clean(&kernel);
}

#[test]
fn an_address_is_found_whatever_its_case_by_the_index_and_without() {
    let kernel = kernel(TablePlugins::none());
    let person = |number, address| create("contact", number, &[("name", "B"), ("email", address)]);
    let firm = |number, address| create("account", number, &[("name", "F"), ("email", address)]);
    accept(
        &kernel,
        vec![
            person(1, "BO@Muller.example"),
            person(2, "bo@muller.example"),
            person(3, "Abe@muller.example"),
            person(4, "zoe@muller.example"),
            firm(1, "Post@Muller.example"),
        ],
    );
    // Indexed on contacts, not on accounts.
    for wanted in ["bo@muller.example", "Bo@MULLER.example"] {
        let found = ask(&kernel, "contact", &format!("email eq '{wanted}'"), "", 10);
        assert_eq!(found, [id(1), id(2)], "{wanted}");
    }
    assert_eq!(
        ask(&kernel, "account", "email eq 'post@muller.EXAMPLE'", "", 10),
        [id(1)]
    );
    let bounded = ask(&kernel, "contact", "email ge 'B' and email lt 'C'", "", 10);
    assert_eq!(bounded, [id(1), id(2)]);
    assert_eq!(
        held(&kernel, "contact", 1, "email"),
        "BO@Muller.example",
        "kept as written"
    );
    assert_clean(&kernel);
}

#[test]
fn pages_in_the_order_of_addresses_neither_repeat_nor_skip() {
    let kernel = kernel(TablePlugins::none());
    let addresses = [
        "Bo@x.example",
        "bO@x.example",
        "abe@x.example",
        "BO@x.example",
        "Cy@x.example",
    ];
    let changes = addresses
        .iter()
        .zip(1u8..)
        .map(|(address, number)| create("contact", number, &[("name", "B"), ("email", address)]));
    accept(&kernel, changes.collect());
    for top in 1..=5 {
        let found = ask(&kernel, "contact", "email ne null", "email", top);
        assert_eq!(found, [3, 1, 2, 4, 5].map(id), "pages of {top}");
    }
}

#[test]
fn a_record_is_found_and_ordered_by_what_every_record_has() {
    let kernel = kernel(TablePlugins::none());
    accept(
        &kernel,
        (1..=3)
            .map(|number| create("team", number, &[("name", &format!("T{number}"))]))
            .collect(),
    );
    accept(&kernel, vec![update("team", 2, &[("name", "t9")])]);
    assert_eq!(ask(&kernel, "team", "version eq 2", "", 10), [id(2)]);
    assert_eq!(
        ask(&kernel, "team", "version ge 1", "version", 2),
        [1, 3, 2].map(id)
    );
    assert_eq!(
        ask(
            &kernel,
            "team",
            "created_at eq 2026-01-05T09:00:00Z",
            "id",
            2
        )
        .len(),
        3
    );
    assert_eq!(
        ask(&kernel, "team", "name eq 'T9'", "", 2),
        [id(2)],
        "team names have no case"
    );
}
