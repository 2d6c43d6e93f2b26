//! What a reaction wants done: every grant is checked at the operation.

use kjerne_model::{Change, Value};

use super::guests::{Bench, react_file};

/// Proposes a task without fields, and returns what the host answered.
const CREATE: &str = "
    (call $create (local.get $effects) (i32.const 16) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 1024))
    (i32.const 1024)";

/// Queues a message without headers, body or secret, and returns what the host answered.
const SEND: &str = "
    (call $send (local.get $effects) (i32.const 48) (i32.const 28) (i32.const 96) (i32.const 10)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 112) (i32.const 4)
      (i32.const 112) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))
    (i32.const 1024)";

/// Writes `task` = `subject` to its key space.
const KEEP: &str = "
    (call $state_set (i32.const 16) (i32.const 4) (i32.const 32) (i32.const 7) (i32.const 1024))
    (i32.const 1024)";

#[test]
fn what_was_not_granted_is_refused_at_the_operation() {
    let check = |body: &str, declared: &str, granted: &[&str], expected: Result<(), &str>| {
        let answer = Bench::new(&react_file(body, &[declared]), granted).react();
        let found = answer.map(|_| ()).map_err(|fault| fault.limit);
        assert_eq!(
            found,
            expected.map_err(str::to_owned),
            "{declared} with {granted:?}"
        );
    };
    let refused = Err("failed:not-granted");
    check(CREATE, "create:task", &["create:task"], Ok(()));
    check(CREATE, "create:task", &[], refused);
    check(
        CREATE,
        "create:account",
        &["create:account", "create:task"],
        refused,
    );
    let hooks = "send:https://hooks.example.com";
    check(SEND, "send:*", &[hooks], Ok(()));
    check(SEND, "send:*", &["send:*"], refused);
    check(
        SEND,
        "send:*",
        &["send:https://hooks.example.com:8443"],
        refused,
    );
    check(SEND, "send:https://other.example.com", &[hooks], refused);
    check(KEEP, "state", &["state"], Ok(()));
    check(KEEP, "state", &[], refused);
}

#[test]
fn what_is_wanted_is_handed_over() {
    let made = Bench::new(&react_file(CREATE, &["create:task"]), &["create:task"])
        .react()
        .unwrap();
    assert!(
        matches!(&made.changes[..], [Change::Create { kind, id: Some(_), .. }] if *kind == "task")
    );
    let hooks = ["send:https://hooks.example.com"];
    let sent = Bench::new(&react_file(SEND, &["send:*"]), &hooks)
        .react()
        .unwrap();
    assert_eq!(sent.messages[0].url, "https://hooks.example.com/in");
    assert_eq!(
        (
            sent.messages[0].content_type.as_str(),
            sent.messages[0].id.as_str()
        ),
        ("text/plain", "id-1")
    );
    let kept = Bench::new(&react_file(KEEP, &["state"]), &["state"])
        .react()
        .unwrap();
    assert_eq!(kept.state, [("task".to_owned(), Some(b"subject".to_vec()))]);
}

#[test]
fn a_key_space_has_its_quota() {
    let check = |key: u32, value: u32, expected: Option<&str>| {
        let body = format!(
            "(call $state_set (i32.const 2000000) (i32.const {key}) (i32.const 2000000)
               (i32.const {value}) (i32.const 1024)) (i32.const 1024)"
        );
        let answer = Bench::new(&react_file(&body, &["state"]), &["state"]).react();
        assert_eq!(answer.err().map(|fault| fault.limit).as_deref(), expected);
    };
    check(512, 64 << 10, None);
    check(513, 1, Some("failed:quota"));
    check(1, (64 << 10) + 1, Some("failed:quota"));
    // Many small ones: the room for what one call hands over ends first.
    let many = format!(
        "(loop $again
           (i32.store (i32.const 2000000) (local.get $i))
           (call $state_set (i32.const 2000000) (i32.const 3) (i32.const 2000000)
             (i32.const {}) (i32.const 1024))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const 100)))) (i32.const 1024)",
        60 << 10
    );
    let answer = Bench::new(&react_file(&many, &["state"]), &["state"]).react();
    assert_eq!(answer.unwrap_err().limit, "output");
}

#[test]
fn no_two_proposals_get_one_id() {
    let bench = Bench::new(&react_file(CREATE, &["create:task"]), &["create:task"]);
    let id = || match bench.react().unwrap().changes.remove(0) {
        Change::Create { id, .. } => id,
        _ => None,
    };
    assert_ne!(id(), id());
}

/// What is sent to others is not sent empty because a grant was taken back that its manifest calls
/// optional: the settings say that it is wanted.
#[test]
fn what_settings_name_is_read_or_told_to_be_lacking() {
    let check = |kind: Option<&str>, declared: &str, granted: &[&str], told: Option<&str>| {
        let guest = super::guests::react("(i32.const 1024)");
        let guest = super::guests::telling(&guest, &[("react", &[(kind, &[], None, false)])]);
        let component = super::guests::component("reacting", "0.2.0", &guest);
        let manifest = super::guests::manifest("react", &[declared])
            .replace("[roles.react]", "[roles.react]\n[roles.prepare]")
            .replace("reason =", "optional = true\nreason =");
        let file = crate::Package::seal(&component, &manifest, "");
        let bench = Bench::empty(super::guests::options());
        let plugin = super::guests::installed(&file, granted);
        bench.host.replace(vec![plugin]).unwrap();
        let fault = bench.react().err();
        let said = fault.as_ref().map(|fault| fault.limit.as_str());
        assert_eq!(said, told.map(|_| "not-granted"), "{kind:?} {declared}");
        let message = fault.map(|fault| fault.message).unwrap_or_default();
        assert!(message.contains(told.unwrap_or_default()), "{message}");
    };
    let account = Some("account");
    check(account, "read:account", &["read:account"], None);
    check(account, "read:account", &["read:account.name"], None);
    check(
        account,
        "read:account",
        &[],
        Some("it needs read:account and"),
    );
    check(account, "read:account.name", &[], Some("read:account.name"));
    // It never asked to read it, is about another kind, or about whatever it may read.
    check(account, "read:lead", &[], None);
    check(Some("lead"), "read:lead", &[], None);
    check(None, "read:account", &[], None);
}

#[test]
fn a_reaction_that_breaks_wants_nothing() {
    let body = format!("{CREATE} drop unreachable");
    let fault = Bench::new(&react_file(&body, &["create:task"]), &["create:task"])
        .react()
        .unwrap_err();
    assert_eq!(fault.limit, "trap");
}

#[test]
fn parts_of_an_address_cross_as_fields() {
    use crate::wit::v0_2_0::{Sight, change_out};
    use kjerne_core::Draft;
    use kjerne_model::{Address, Fields, RecordId};
    use kjerne_package::grants::{Grant, Grants};

    let address = |city: &str| {
        let address = Address {
            city: city.into(),
            country: "NO".into(),
            ..Address::default()
        };
        Fields::from([(
            super::guests::name("billing_address"),
            Value::Address(address),
        )])
    };
    let (kind, before, after) = (
        super::guests::name("account"),
        address("Oslo"),
        address("Bergen"),
    );
    let draft = Draft {
        change: 0,
        kind: &kind,
        id: RecordId::from_bytes([1; 16]),
        before: Some(&before),
        after: Some(&after),
    };
    let all = [Grant::parse("read:account.billing_address").unwrap()];
    let grants = Grants::effective(&all, &all);
    let sight = |grants| Sight {
        granted: Grants::readable(grants, "account"),
        asked: None,
    };
    let change = change_out(&draft, sight(&grants));
    let names: Vec<&str> = change
        .after
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(names, ["billing_address.city", "billing_address.country"]);
    assert_eq!(change.changed, ["billing_address.city"]);
    assert!(
        change_out(&draft, sight(&Grants::default()))
            .changed
            .is_empty()
    );
}
