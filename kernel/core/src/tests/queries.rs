//! Queries: every plan gives what a full scan gives, and pages join up.

use std::sync::Arc;

use kjerne_model::filter::{self, Filter, Path};
use kjerne_model::{RecordId, Reference};
use kjerne_store::{Halt, StoreError};

use crate::limits::CURSOR_VALUE;
use crate::tests::{accept, create, create_new, delete, id, kernel, name, schema, update};
use crate::{Allowance, Kernel, TablePlugins, limits};
use kjerne_query::plan::{Plan, plan};
use kjerne_query::{Order, Place, Query, QueryError};

/// 60 opportunities in 4 stages, with closing dates of which some are the same and some missing.
fn workspace() -> Arc<Kernel> {
    let kernel = kernel(TablePlugins::none());
    accept(
        &kernel,
        vec![create("account", 200, &[("name", "Nordlys AS")])],
    );
    let changes = (0..60u8).map(|number| {
        let stage = ["new", "qualify", "proposal", "won"][usize::from(number) % 4];
        let title = format!("Deal {:02}", (u32::from(number) * 37) % 60);
        let closing = format!("2026-{:02}-01", 1 + u32::from(number) * 7 % 12);
        let amount = format!("{} NOK", i64::from(number) * 1_000 % 7_000);
        let mut pairs = vec![
            ("name", title.as_str()),
            ("stage", stage),
            ("amount", &amount),
        ];
        if number % 5 > 0 {
            pairs.push(("closing_date", &closing));
        }
        if number % 3 == 0 {
            pairs.push(("account", "account/200"));
        }
        create("opportunity", number, &pairs)
    });
    accept(&kernel, changes.collect());
    kernel
}

fn parsed(text: &str) -> Filter {
    filter::parse(text, schema().kind("opportunity").unwrap()).unwrap()
}

fn order(text: &str) -> Vec<Order> {
    let part = |part: &str| {
        let (field, way) = part.split_once(' ').unwrap_or((part, "asc"));
        Order {
            path: Path::Field(name(field)),
            descending: way == "desc",
        }
    };
    text.split(',')
        .filter(|text| !text.is_empty())
        .map(part)
        .collect()
}

fn query(filter: &str, by: &str, top: usize) -> Query {
    let filter = if filter.is_empty() {
        Filter::All
    } else {
        parsed(filter)
    };
    Query {
        filter,
        order: order(by),
        top,
        ..Query::all(name("opportunity"))
    }
}

/// All pages of a query, one after the other.
fn pages(kernel: &Kernel, mut query: Query) -> Vec<RecordId> {
    let mut ids = Vec::new();
    loop {
        let page = kernel.query(&query).unwrap();
        assert!(page.records.len() <= query.top);
        ids.extend(page.records.iter().map(|record| record.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return ids,
        }
    }
}

fn planned(query: &Query) -> String {
    let plan = plan(query, schema().kind("opportunity").unwrap());
    match plan {
        Plan::One(_) => "one".to_owned(),
        Plan::Equal { field, .. } => format!("equal {field}"),
        Plan::Ordered { field, .. } => format!("ordered {field}"),
        Plan::Within { field, .. } => format!("within {field}"),
        Plan::Scan => "scan".to_owned(),
    }
}

/// Filter, order, and the plan that is to be chosen.
const PLANS: &[(&str, &str, &str)] = &[
    ("", "", "scan"),
    ("id eq '00000000-0000-0000-0000-000000000007'", "", "one"),
    ("stage eq 'won'", "", "equal stage"),
    (
        "stage eq 'won' and name ne 'Deal 01'",
        "closing_date desc",
        "equal stage",
    ),
    ("stage eq 'won' or stage eq 'new'", "", "scan"),
    ("stage eq null", "", "scan"),
    ("", "name", "ordered name"),
    ("", "name desc", "ordered name"),
    ("stage ne 'won'", "name,closing_date desc", "ordered name"),
    ("", "closing_date", "scan"),
    ("", "closing_date desc,name", "scan"),
    (
        "closing_date ne null",
        "closing_date,stage desc",
        "ordered closing_date",
    ),
    (
        "closing_date ge 2026-04-01",
        "closing_date desc",
        "ordered closing_date",
    ),
    (
        "closing_date gt 2026-04-01 and closing_date lt 2026-09-01",
        "",
        "within closing_date",
    ),
    (
        "closing_date le 2026-04-01",
        "amount desc",
        "within closing_date",
    ),
    ("contains(name,'deal 1')", "stage desc,closing_date", "scan"),
];

#[test]
fn every_plan_gives_what_looking_at_every_record_gives() {
    let kernel = workspace();
    let every: Vec<_> = {
        let all = Query {
            top: 1_000,
            ..Query::all(name("opportunity"))
        };
        kernel.query(&all).unwrap().records
    };
    assert_eq!(every.len(), 60);
    for (filter, by, plan) in PLANS {
        let query = query(filter, by, 1_000);
        assert_eq!(planned(&query), *plan, "{filter:?} by {by:?}");
        let mut expected: Vec<_> = every
            .iter()
            .filter(|record| query.filter.matches(record))
            .map(|record| Place::of(record, &query.order))
            .collect();
        expected.sort_by(|a, b| a.compare(b, &query.order));
        let expected: Vec<_> = expected.into_iter().map(|place| place.id).collect();
        for top in [1, 7, 1_000] {
            let found = pages(
                &kernel,
                Query {
                    top,
                    ..query.clone()
                },
            );
            assert_eq!(found, expected, "{filter:?} by {by:?}, {top} at a time");
        }
    }
}

#[test]
fn an_empty_field_comes_before_every_value() {
    let kernel = workspace();
    let first = kernel
        .query(&query("", "closing_date", 1))
        .unwrap()
        .records
        .remove(0);
    assert!(first.get("closing_date").is_none());
    let last = kernel
        .query(&query("", "closing_date desc", 60))
        .unwrap()
        .records
        .pop()
        .unwrap();
    assert!(last.get("closing_date").is_none());
}

#[test]
fn a_cursor_stays_right_while_records_come_and_go() {
    for by in ["", "name", "closing_date desc,name", "amount"] {
        let kernel = workspace();
        let all = pages(&kernel, query("", by, 1_000));
        let first = kernel.query(&query("", by, 20)).unwrap();
        // One already read goes, one yet to come goes, the one the cursor stands on goes.
        for gone in [all[3], all[40], all[19]] {
            accept(&kernel, vec![delete("opportunity", gone.as_bytes()[15])]);
        }
        accept(
            &kernel,
            vec![create_new("account", &[("name", "Another kind")])],
        );
        let rest = pages(
            &kernel,
            Query {
                after: first.next,
                ..query("", by, 20)
            },
        );
        let expected: Vec<_> = all[20..]
            .iter()
            .copied()
            .filter(|id| *id != all[40])
            .collect();
        assert_eq!(rest, expected, "by {by:?}");
    }
}

#[test]
fn long_texts_that_begin_alike_are_ordered_and_paged_right() {
    let kernel = kernel(TablePlugins::none());
    let names: Vec<_> = (0..20u8)
        .map(|n| format!("{}{:02}", "x".repeat(300), (n * 7) % 20))
        .collect();
    let changes = names
        .iter()
        .zip(1..)
        .map(|(text, n)| create("account", n, &[("name", text)]));
    accept(&kernel, changes.collect());
    accept(
        &kernel,
        vec![create("account", 100, &[("name", &"x".repeat(256))])],
    );
    for by in ["name", "name desc"] {
        let all = Query {
            order: order(by),
            top: 3,
            ..Query::all(name("account"))
        };
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = kernel
                .query(&Query {
                    after,
                    ..all.clone()
                })
                .unwrap();
            found.extend(
                page.records
                    .iter()
                    .map(|record| record.text("name").unwrap().to_owned()),
            );
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let mut expected: Vec<_> = names.clone();
        expected.push("x".repeat(256));
        expected.sort();
        if by.ends_with("desc") {
            expected.reverse();
        }
        assert_eq!(found, expected, "{by}");
    }
}

/// Four accounts whose descriptions are long and begin alike.
fn described() -> Arc<Kernel> {
    let kernel = kernel(TablePlugins::none());
    let long = "å".repeat(20_000);
    let fields = |n: u8| format!("{long}{}", (n * 3) % 4);
    let changes = (0..4).map(|n| {
        let description = fields(n);
        create(
            "account",
            n + 1,
            &[("name", "A"), ("description", &description)],
        )
    });
    accept(&kernel, changes.collect());
    kernel
}

fn by_description(by: &str) -> Query {
    Query {
        order: order(by),
        top: 1,
        ..Query::all(name("account"))
    }
}

#[test]
fn a_cursor_is_short_however_long_the_value_it_stands_on() {
    for (by, expected) in [
        ("description", [1, 4, 3, 2]),
        ("description desc", [2, 3, 4, 1]),
        ("name,description desc", [2, 3, 4, 1]),
    ] {
        let kernel = described();
        let first = kernel.query(&by_description(by)).unwrap();
        let most = 100 + 2 * CURSOR_VALUE.count();
        assert!(first.next.unwrap().len() < most, "{by}");
        let found = pages(&kernel, by_description(by));
        let found: Vec<u8> = found.iter().map(|id| id.as_bytes()[15]).collect();
        assert_eq!(found, expected, "{by}");
    }
}

#[test]
fn a_cursor_whose_record_is_gone_leaves_no_other_out() {
    for (by, first, rest) in [
        ("description", 1, [4, 3, 2]),
        ("description desc", 2, [3, 4, 1]),
    ] {
        let kernel = described();
        let page = kernel.query(&by_description(by)).unwrap();
        accept(&kernel, vec![delete("account", first)]);
        let after = page.next;
        let query = Query {
            after,
            ..by_description(by)
        };
        let found = pages(&kernel, query);
        let found: Vec<u8> = found.iter().map(|id| id.as_bytes()[15]).collect();
        assert_eq!(found, rest, "{by}");
    }
}

#[test]
fn a_value_is_in_a_cursor_whole_up_to_the_number() {
    for (bytes, whole) in [
        (CURSOR_VALUE.count(), true),
        (CURSOR_VALUE.count() + 1, false),
    ] {
        let kernel = kernel(TablePlugins::none());
        let text = "x".repeat(bytes);
        let fields = [("name", "A"), ("description", text.as_str())];
        let changes = (1..3).map(|n| create("account", n, &fields));
        accept(&kernel, changes.collect());
        let next = kernel.query(&by_description("description")).unwrap().next;
        let value = next.unwrap();
        let value = value.rsplit('.').next().unwrap();
        assert_eq!(value.starts_with('t'), whole, "{bytes}: {value}");
    }
}

type Row = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);
/// Kind, fields of its records, and the field they are ordered by: one for each type of value.
const VALUES: &[Row] = &[
    ("account", &[("name", "Åse & Sønn.")], "name"),
    (
        "account",
        &[("name", "A"), ("employees", "-3")],
        "employees",
    ),
    (
        "account",
        &[("name", "A"), ("annual_revenue", "-12.50 NOK")],
        "annual_revenue",
    ),
    (
        "account",
        &[("name", "A"), ("customer_since", "2020-02-29")],
        "customer_since",
    ),
    (
        "account",
        &[
            ("name", "A"),
            ("billing_address", "Storgata 1|0155|Oslo||NO"),
        ],
        "billing_address",
    ),
    (
        "quote_line",
        &[("quantity", "-0.125"), ("quote", "quote/90")],
        "quantity",
    ),
    ("user", &[("name", "A"), ("active", "true")], "active"),
    (
        "contact",
        &[("name", "A"), ("account", "account/200")],
        "account",
    ),
    (
        "lead",
        &[("name", "A"), ("received_at", "2026-01-01T10:00:00.5Z")],
        "received_at",
    ),
];

#[test]
fn every_type_of_value_goes_through_a_cursor() {
    let kernel = kernel(TablePlugins::none());
    accept(
        &kernel,
        vec![
            create("account", 200, &[("name", "X")]),
            create("quote", 90, &[("name", "Q")]),
        ],
    );
    for (kind, pairs, by) in VALUES {
        accept(&kernel, (0..3).map(|_| create_new(kind, pairs)).collect());
        let all = Query {
            order: order(by),
            top: 1,
            ..Query::all(name(kind))
        };
        let whole = kernel
            .query(&Query {
                top: 1_000,
                ..all.clone()
            })
            .unwrap()
            .records;
        let whole: Vec<_> = whole.iter().map(|record| record.id).collect();
        assert_eq!(pages(&kernel, all), whole, "{kind} by {by}");
    }
}

#[test]
fn a_wrong_query_says_what_is_wrong() {
    let kernel = workspace();
    let cursor = kernel.query(&query("", "name", 1)).unwrap().next;
    let check = |query: Query, told: &str| match kernel.query(&query) {
        Err(QueryError::Wrong(what)) => assert!(what.contains(told), "{what}"),
        other => panic!("{other:?}"),
    };
    check(query("", "", 0), "1 to 1000");
    check(query("", "", limits::QUERY_TOP.count() + 1), "1 to 1000");
    check(
        Query {
            kind: name("ghost"),
            ..query("", "", 1)
        },
        "no kind ghost",
    );
    check(
        query("", "name,name,name,name,name,name,name,name,name", 1),
        "at most 8",
    );
    check(
        Query {
            after: cursor.clone(),
            ..query("", "name desc", 1)
        },
        "does not belong",
    );
    check(
        Query {
            after: Some("nonsense".to_owned()),
            ..query("", "", 1)
        },
        "does not belong",
    );
    let cut = cursor.map(|text| text[..text.len() - 1].to_owned());
    check(
        Query {
            after: cut,
            ..query("", "name", 1)
        },
        "does not belong",
    );
}

#[test]
fn related_records_come_by_id_up_to_the_limit() {
    let kernel = workspace();
    let reader = kernel.reader().unwrap();
    let account = Reference::new(name("account"), id(200));
    let related = |kind: &str, field: &str, limit| {
        let found = reader.related(&account, kind, field, limit);
        found.map(|records| {
            records
                .iter()
                .map(|record| record.id.as_bytes()[15])
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(related("opportunity", "account", 4).unwrap(), [0, 3, 6, 9]);
    assert_eq!(related("opportunity", "account", 1_000).unwrap().len(), 20);
    assert!(related("opportunity", "account", 0).unwrap().is_empty());
    assert!(
        related("opportunity", "stage", 4)
            .unwrap_err()
            .to_string()
            .contains("choice")
    );
    assert!(
        related("opportunity", "ghost", 4)
            .unwrap_err()
            .to_string()
            .contains("ghost")
    );
    assert!(related("ghost", "account", 4).is_err());
}

#[test]
fn history_tells_what_was_done_to_one_record() {
    let kernel = workspace();
    accept(
        &kernel,
        vec![
            update("opportunity", 1, &[("stage", "won")]),
            delete("opportunity", 2),
        ],
    );
    let entries = kernel.history("opportunity", id(1), 0, 10).unwrap();
    let versions: Vec<_> = entries.iter().map(|entry| entry.edits[0].version).collect();
    assert_eq!(versions, [1, 2]);
    assert!(entries.iter().all(|entry| entry.edits.len() == 1));
    assert_eq!(
        kernel
            .history("opportunity", id(1), entries[0].number, 10)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(kernel.history("opportunity", id(1), 0, 1).unwrap().len(), 1);
    assert!(
        kernel
            .history("opportunity", id(77), 0, 10)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_page_of_the_journal_has_a_limit_and_goes_on_after_its_last_number() {
    let kernel = kernel(TablePlugins::none());
    let most = limits::JOURNAL_PAGE.count();
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    for number in 1..=most {
        let employees = number.to_string();
        accept(
            &kernel,
            vec![update("account", 1, &[("employees", &employees)])],
        );
    }
    let first = kernel.journal(0, usize::MAX).unwrap();
    assert_eq!(first.len(), most);
    let rest = kernel.journal(first[most - 1].number, 10).unwrap();
    let rest: Vec<_> = rest.iter().map(|entry| entry.number).collect();
    assert_eq!(rest, [most as u64 + 1]);
    assert_eq!(kernel.last_entry().unwrap(), most as u64 + 1);
    let history = kernel.history("account", id(1), 0, usize::MAX).unwrap();
    assert_eq!(history.len(), most);
}

/// 100 accounts of 60 kB each, whose names stand in another order than their ids.
fn long_records() -> Arc<Kernel> {
    let kernel = kernel(TablePlugins::none());
    let text = "x".repeat(60_000);
    for number in 0..100u8 {
        let name = format!("Account {:03}", (u32::from(number) * 37) % 100);
        let pairs = [("name", name.as_str()), ("description", &text)];
        accept(&kernel, vec![create("account", number, &pairs)]);
    }
    kernel
}

#[test]
fn a_page_is_bounded_by_its_bytes_and_pages_still_join_up() {
    let kernel = long_records();
    for by in ["", "name", "name desc", "description", "created_at,name"] {
        let part = |part: &str| {
            let mut part = order(part).remove(0);
            if let Path::Field(name) = &part.path
                && name == "created_at"
            {
                part.path = Path::Own(filter::Own::CreatedAt);
            }
            part
        };
        let ask = Query {
            order: by
                .split(',')
                .filter(|one| !one.is_empty())
                .map(part)
                .collect(),
            top: limits::QUERY_TOP.count(),
            ..Query::all(name("account"))
        };
        let first = kernel.query(&ask).unwrap();
        let most = limits::QUERY_BYTES.count() / 60_000;
        assert!(
            (2..=most).contains(&first.records.len()),
            "{by}: {}",
            first.records.len()
        );
        assert!(first.next.is_some(), "{by}");
        let mut small = ask.clone();
        small.top = 7;
        let found = pages(&kernel, ask);
        assert_eq!(found.len(), 100, "{by}");
        assert_eq!(found, pages(&kernel, small), "{by}");
    }
}

#[test]
fn a_page_of_the_journal_is_bounded_by_its_bytes_and_shows_one_entry_at_least() {
    let kernel = long_records();
    let (mut after, mut seen) = (0, 0);
    while seen < 100 {
        let feed = kernel.reader().unwrap().journal(after, 1_000).unwrap();
        let bytes = feed.entries.len() * 60_000;
        assert!(!feed.entries.is_empty() && bytes <= limits::JOURNAL_BYTES.count() + 60_000);
        after = feed.entries.last().unwrap().number;
        seen += feed.entries.len();
        assert!(feed.full || seen == 100);
    }
    let changes = (0..100u8).map(|number| {
        create(
            "account",
            100 + number,
            &[("name", "A"), ("description", &"y".repeat(60_000))],
        )
    });
    let entry = accept(&kernel, changes.collect()).entry;
    let feed = kernel.reader().unwrap().journal(entry - 1, 1_000).unwrap();
    assert_eq!(
        feed.entries.len(),
        1,
        "an entry that is larger than a page is shown alone"
    );
}

#[test]
fn a_query_reads_no_more_rows_than_it_may_and_ends_when_it_is_told_to() {
    let kernel = workspace();
    let most = |value| {
        let rows = limits::Limit {
            value,
            ..limits::QUERY_ROWS
        };
        kernel
            .reader()
            .unwrap()
            .within(Arc::new(Allowance::new(Some(rows), || Ok(()))))
    };
    let all = query("contains(name, 'nothing')", "", 10);
    assert!(most(60).query(&all).unwrap().records.is_empty());
    let error = most(59).query(&all).unwrap_err();
    assert!(
        error.to_string().contains("59 rows") && error.to_string().contains("query-rows"),
        "{error}"
    );
    // What is found by an index costs what is found, and not what there is.
    let reference = filter::parse("stage eq 'won'", schema().kind("opportunity").unwrap()).unwrap();
    let found = most(2 * 15)
        .query(&Query {
            filter: reference,
            ..query("", "", 50)
        })
        .unwrap();
    assert_eq!(found.records.len(), 15);

    let told = Arc::new(Allowance::new(None, || Err(Halt::Unwanted)));
    let ended = kernel.reader().unwrap().within(told).query(&all);
    let halted = QueryError::Store(StoreError::Halted(Halt::Unwanted));
    assert_eq!(format!("{:?}", ended.unwrap_err()), format!("{halted:?}"));
}
