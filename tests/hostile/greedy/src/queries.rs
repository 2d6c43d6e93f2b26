//! Queries built up over many calls: each call is small, what they come to is not.

use kjerne_sdk::bindings::imports::kjerne::crm::records::Query;

/// One query with thousands of conditions, given one by one.
pub fn many_filters() {
    let query = Query::new("account");
    for _ in 0..7_500 {
        query.filter("version gt 0");
    }
    drop(query.run());
}

/// Many queries that are kept, of kinds with long names.
pub fn long_kinds() {
    let kind = "x".repeat(8 << 20);
    let kept: Vec<Query> = (0..250).map(|_| Query::new(&kind)).collect();
    drop(kept);
}

/// Many conditions of eight million signs, none of which can be read.
pub fn long_filters() {
    let condition = "x".repeat(8_000_000);
    let query = Query::new("account");
    for _ in 0..100 {
        query.filter(&condition);
    }
    drop(query.run());
}

/// Walks through all accounts, again and again, for records there are none of.
pub fn many_rows() {
    for _ in 0..60 {
        let query = Query::new("account");
        query.filter("contains(name, 'no such account')");
        drop(query.run());
    }
}
