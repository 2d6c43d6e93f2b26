//! Keys sort as what they stand for, and no key is mistaken for another.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cmp::Ordering;

use kjerne_model::{Address, Date, Instant, Value};
use proptest::prelude::*;

use super::{INDEXED_BYTES, Key, indexed, is_exact, split_text, unique};
use crate::codec::tests::{decimals, ids, money, names, references, values};

/// Numbers, times and texts close enough together to be equal or neighbours now and then.
fn close_values() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3i64..3).prop_map(Value::Integer),
        (-30i64..30, 0u8..3).prop_map(|(digits, scale)| {
            Value::Decimal(kjerne_model::Decimal::new(digits, scale).unwrap())
        }),
        (-3i32..3).prop_map(|days| Value::Date(Date::from_days(days))),
        (-3i64..3).prop_map(|days| Value::Instant(Instant::from_millis(days * 86_400_000))),
        "[a\u{0}\u{1}ø]{0,3}".prop_map(Value::Text),
        money().prop_map(Value::Money),
        decimals().prop_map(Value::Decimal),
        references().prop_map(Value::Reference),
        any::<bool>().prop_map(Value::Flag),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn index_bytes_sort_as_values_compare(a in close_values(), b in close_values()) {
        if let Some(order) = a.compare(&b) {
            prop_assert_eq!(indexed(&a).unwrap().cmp(&indexed(&b).unwrap()), order);
        }
    }

    #[test]
    fn long_texts_never_sort_the_wrong_way(a in "(?s).{0,400}", b in "(?s).{0,400}") {
        let of = |text: &str| indexed(&Value::Text(text.to_owned())).unwrap();
        let order = of(&a).cmp(&of(&b));
        prop_assert!(order == a.cmp(&b) || order == Ordering::Equal);
    }

    #[test]
    fn no_value_begins_another(a in values(), b in values()) {
        let (Some(a), Some(b)) = (indexed(&a), indexed(&b)) else { return Ok(()) };
        prop_assert!(a == b || !b.starts_with(&a));
    }

    #[test]
    fn a_text_part_is_read_back(text in "(?s).*", kind in names(), id in ids()) {
        let key = Key::new().text(&text).text(&kind).id(id);
        let (found, rest) = split_text(key.bytes()).unwrap();
        prop_assert_eq!(&found, &text);
        prop_assert_eq!(super::split_record(rest).unwrap(), (kind, id));
    }

    #[test]
    fn any_key_is_split_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = (split_text(&bytes), super::split_record(&bytes));
        let _ = (super::trailing_id(&bytes), super::trailing_number(&bytes));
    }

    #[test]
    fn the_end_of_a_prefix_lies_behind_all_its_keys(
        prefix in prop::collection::vec(200u8..=255, 0..5),
        rest in prop::collection::vec(any::<u8>(), 0..5),
    ) {
        let key = Key::new().raw(&prefix);
        let longer = key.clone().raw(&rest);
        if let Some(end) = key.end() {
            prop_assert!(longer.bytes() < end.as_slice());
            prop_assert!(!end.starts_with(&prefix));
        } else {
            prop_assert!(prefix.iter().all(|byte| *byte == 255));
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn unique_values_are_the_same_when_they_are_equal_and_no_other_time() {
    let same = |a: &str, b: &str| unique(&text(a)) == unique(&text(b));
    assert!(same("a", "a"));
    assert!(!same("001Fict0000AbCdE", "001Fict0000aBcDe"));
    assert!(!same("a", "å"));
    let choices = |all: &[&str]| {
        unique(&Value::choices(
            all.iter().map(|one| (*one).to_owned()).collect(),
        ))
    };
    assert_ne!(choices(&["a", "b"]), choices(&["a;b"]));
    let address = |street: &str, city: &str| {
        let (street, city) = (street.to_owned(), city.to_owned());
        unique(&Value::Address(Address {
            street,
            city,
            ..Address::default()
        }))
    };
    assert_ne!(address("a||b", ""), address("a", "b"));
    let long = "x".repeat(INDEXED_BYTES + 1);
    assert!(
        !same(&format!("{long}1"), &format!("{long}2")),
        "long values are kept in full"
    );
}

#[test]
fn a_long_text_says_that_its_key_is_not_exact() {
    assert!(is_exact(&Value::Text("x".repeat(INDEXED_BYTES))));
    assert!(!is_exact(&Value::Text("x".repeat(INDEXED_BYTES + 1))));
    assert!(!is_exact(&Value::Choices(vec!["a".to_owned()])));
}
