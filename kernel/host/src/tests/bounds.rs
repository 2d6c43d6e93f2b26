//! The bounds of what a guest consists of, and of one answer to it: each is kept to its number and
//! not beyond.

use kjerne_core::limits::Limit;
use kjerne_core::{Call, Role};
use kjerne_model::{Actor, Address, Change, Commit, Value};
use wasmtime::component::{Component, Linker, Resource};
use wasmtime::{Engine, Store};

use super::guests::{Bench, account, guard_file, name, now, plugin, react_file};
use crate::call::Ask;
use crate::call_state::{CallState, Purpose, Shown};
use crate::engine::engine;
use crate::limits::{self, Budget};
use crate::meter::Meter;
use crate::stop::Stop;
use crate::wit::v0_2_0::{Field, RecordRef, records, state, time, types};
use kjerne_store::plugin_state;

/// A component of so many instances of one module.
fn instances(count: usize, module: &str) -> String {
    let instance = "(core instance (instantiate $m))".repeat(count);
    format!("(component (core module $m {module}) {instance})")
}

/// A component of one module that consists of so many of these.
fn module(count: usize, part: &str) -> String {
    format!("(component (core module {}))", part.repeat(count))
}

/// Compiles a component written in text.
fn compile(engine: &Engine, text: &str) -> wasmtime::Result<Component> {
    Component::new(engine, wat::parse_str(text).unwrap())
}

#[test]
fn a_component_may_consist_of_so_many_parts() {
    let engine = engine(1).unwrap();
    let fits = |text: String| compile(&engine, &text).is_ok();
    let check = |limit: Limit, component: &dyn Fn(usize) -> String| {
        let most = limit.count();
        assert!(fits(component(most)), "{}", limit.name);
        assert!(!fits(component(most + 1)), "one more of {}", limit.name);
    };
    let (memory, table) = ("(memory 1)", "(table 1 funcref)");
    check(limits::INSTANCES, &|count| instances(count, ""));
    check(limits::MEMORIES, &|count| instances(count, memory));
    check(limits::COMPONENT_TABLES, &|count| instances(count, table));
    check(limits::MODULE_MEMORIES, &|count| module(count, memory));
    check(limits::MODULE_TABLES, &|count| module(count, table));
}

#[test]
fn an_instance_is_kept_in_so_many_bytes() {
    let engine = engine(1).unwrap();
    // The runtime keeps a global in 16 bytes, and something of its own before the first.
    let globals = limits::INSTANCE_SIZE.count() / 16;
    let fits = |count| compile(&engine, &module(count, "(global i32 i32.const 0)")).is_ok();
    assert!(fits(globals - 1_000));
    assert!(!fits(globals));
}

#[test]
fn a_slot_has_room_for_so_many_instances() {
    let engine = engine(1).unwrap();
    let comes_up = |count| {
        let component = compile(&engine, &instances(count, "")).unwrap();
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1_000);
        store.set_fuel(1_000_000).unwrap();
        Linker::new(&engine)
            .instantiate(&mut store, &component)
            .is_ok()
    };
    let most = limits::POOL_INSTANCES.count();
    assert!(comes_up(most));
    assert!(!comes_up(most + 1));
}

/// Where the machine has no room for a pool, the meter keeps to the same numbers.
#[test]
fn the_meter_counts_what_a_call_consists_of() {
    let engine = Engine::default();
    let comes_up = |count, module: &str| {
        let component = compile(&engine, &instances(count, module)).unwrap();
        let meter = Meter::start(Budget::of(Role::Guard, 0, 0), 0);
        let mut store = Store::new(&engine, meter);
        store.limiter(|meter| meter);
        Linker::new(&engine)
            .instantiate(&mut store, &component)
            .is_ok()
    };
    for (limit, module) in [
        (limits::INSTANCES, ""),
        (limits::MEMORIES, "(memory 1)"),
        (limits::TABLES, "(table 1 funcref)"),
    ] {
        let most = limit.count();
        assert!(comes_up(most, module), "{}", limit.name);
        assert!(!comes_up(most + 1, module), "one more of {}", limit.name);
    }
}

/// An entry is one call and is not parted: what it is worth in messages grows with what it holds.
#[test]
fn b5_an_outbound_call_may_tell_of_all_it_is_shown() {
    let shown = 500 * 4_300_u64;
    let meter = |role: Role, changes: usize, bytes: u64| {
        let budget = Budget::of(role, changes, 0).given(role, changes, bytes);
        Meter::start(budget, bytes)
    };
    let tells = |mut meter: Meter, times: u64| (0..times).all(|_| meter.message(shown).is_ok());
    assert!(tells(meter(Role::Integration, 500, shown), 10));
    assert!(!tells(meter(Role::React, 500, shown), 2), "no other call");
    assert!(!tells(meter(Role::Integration, 0, shown), 2), "no answer");
    let most = kjerne_core::limits::OUTBOX_BYTES.value;
    assert!(!tells(meter(Role::Integration, 1, most), most / shown + 1));
    // Small records with long headers: each change has its own.
    let each = 64 << 10;
    let of_headers = |changes: usize, times: u64| {
        let mut meter = meter(Role::Integration, changes, 0);
        (0..times).all(|_| meter.message(each).is_ok())
    };
    assert!(of_headers(500, 500));
    assert!(
        !of_headers(500, 500 + 4 * 16 + 1),
        "beyond the room of any call"
    );
    // What becomes records is one commit all the same.
    let mut proposes = meter(Role::Integration, 500, shown);
    assert!(proposes.output(shown).is_ok());
    assert_eq!(proposes.output(shown).unwrap_err().limit, "output");
}

/// The state of a call of the bench's plugin, as the host's functions see it.
pub fn under_way(bench: &Bench, role: Role, purpose: Purpose, call: &Call) -> Store<CallState> {
    let active = bench.host.find(&plugin(), role).unwrap();
    bench
        .host
        .runtime
        .store(&active.plugin, Ask::new(role, purpose, call))
}

pub fn add_accounts(bench: &Bench, count: usize) {
    let change = || Change::Create {
        kind: name("account"),
        id: None,
        fields: account(),
    };
    let commit = Commit {
        changes: (0..count).map(|_| change()).collect(),
        actor: Actor::User("kari".into()),
        key: None,
        at: now(),
        cause: None,
    };
    assert!(bench.kernel.commit(commit).unwrap().receipt().is_some());
}

#[test]
fn an_answer_has_so_many_records_when_the_plugin_does_not_say() {
    let bench = Bench::new(&guard_file("", &["read:account"]), &["read:account"]);
    let most = limits::ANSWER_DEFAULT.count();
    let answered = || {
        let call = bench.call();
        let mut store = under_way(&bench, Role::Guard, Purpose::Verdict, &call);
        let state = store.data_mut();
        let query = records::HostQuery::new(state, "account".into()).unwrap();
        let (records, next) = records::HostQuery::run(state, query).ok().unwrap();
        (records.len(), next.is_some())
    };
    // There is one already.
    add_accounts(&bench, most - 1);
    assert_eq!(answered(), (most, false));
    add_accounts(&bench, 1);
    assert_eq!(answered(), (most, true));
}

#[test]
fn an_answer_has_so_many_keys_of_the_plugins_space() {
    let bench = Bench::new(&react_file("(i32.const 1024)", &["state"]), &["state"]);
    let call = bench.call();
    let mut store = under_way(&bench, Role::React, Purpose::Work, &call);
    let state = store.data_mut();
    let most = limits::STATE_KEYS.count();
    let listed = |state: &mut CallState| {
        let keys = state::Host::keys(state, String::new(), None, u32::MAX);
        keys.ok().unwrap().len()
    };
    let keep = |state: &mut CallState, number: usize| {
        assert!(state::Host::set(state, format!("key-{number}"), vec![1]).is_ok());
    };
    (0..most).for_each(|number| keep(state, number));
    assert_eq!(listed(state), most);
    keep(state, most);
    assert_eq!(listed(state), most);
}

#[test]
fn the_offsets_of_a_zone_are_told_for_so_long_a_time() {
    let bench = Bench::guard("");
    let call = bench.call();
    let mut store = under_way(&bench, Role::Guard, Purpose::Verdict, &call);
    let (start, most) = (now().millis(), limits::ZONE_RANGE.value as i64 * 86_400_000);
    let mut told = |end| time::Host::offsets(store.data_mut(), "Europe/Oslo".into(), start, end);
    assert!(told(start + most).is_ok());
    let refused = told(start + most + 1).err();
    assert!(matches!(refused, Some(Stop::Failure { code, .. }) if code == "bad-range"));
}

fn text(text: &str) -> Option<types::Value> {
    Some(types::Value::Text(text.to_owned()))
}

/// A shape that sets a part of an address again and again keeps the address once: what a plugin hands
/// over is counted by what it gives, and a copy of the whole for each part would not be.
#[test]
fn of_all_that_a_shape_sets_a_field_to_the_last_is_kept() {
    let granted = ["set:account.billing_address", "set:account.name"];
    let bench = Bench::new(&guard_file("", &granted), &granted);
    let call = bench.call();
    let mut store = under_way(&bench, Role::Guard, Purpose::Verdict, &call);
    let state = store.data_mut();
    state.shown = vec![Shown::of(&bench.drafts(1)[0], Role::Shape)];
    let mut set = |field: &str, value| {
        let edits = Resource::new_borrow(0);
        assert!(types::HostEdits::set(state, edits, 0, field.into(), value).is_ok());
    };
    set("billing_address.street", text(&"s".repeat(4_000)));
    (0..1_000).for_each(|_| set("billing_address.city", text("Bergen")));
    set("name", text("One"));
    set("name", text("Two"));
    set("billing_address.street", None);
    let sets = store.into_data().into_sets();
    let told: Vec<String> = sets
        .into_iter()
        .map(|set| format!("{}={}", set.field, set.value.unwrap()))
        .collect();
    assert_eq!(told, ["billing_address=||Bergen||", "name=Two"]);
}

/// A proposal about one part keeps the whole address, and the whole is counted.
#[test]
fn the_address_behind_a_part_counts_as_handed_over() {
    let granted = ["read:account", "update:account"];
    let bench = Bench::new(&react_file("(i32.const 1024)", &granted), &granted);
    let street = "s".repeat(1_000);
    let address = Value::Address(Address {
        street: street.clone(),
        ..Address::default()
    });
    let mut fields = account();
    fields.insert(name("billing_address"), address);
    let change = Change::Create {
        kind: name("account"),
        id: None,
        fields,
    };
    let commit = Commit {
        changes: vec![change],
        actor: Actor::User("kari".into()),
        key: None,
        at: now(),
        cause: None,
    };
    let outcome = bench.kernel.commit(commit).unwrap();
    let id = outcome.receipt().unwrap().edits[0].id;
    let call = bench.call();
    let mut store = under_way(&bench, Role::React, Purpose::Work, &call);
    let state = store.data_mut();
    let update = |state: &mut CallState| {
        let target = RecordRef {
            kind: "account".into(),
            id: id.to_string(),
        };
        let city = Field {
            name: "billing_address.city".into(),
            value: text("Oslo"),
        };
        types::HostEffects::update(state, Resource::new_borrow(0), target, None, vec![city])
    };
    let times = limits::OUTPUT.count() / street.len();
    let done = (0..times).take_while(|_| update(state).is_ok()).count();
    assert!((times / 2..times).contains(&done), "{done} of {times}");
    assert_eq!(
        state.meter.passed.map(|passed| passed.limit),
        Some("output")
    );
}

#[test]
fn the_key_of_proposals_has_so_many_bytes() {
    let bench = Bench::new(&react_file("(i32.const 1024)", &["state"]), &["state"]);
    let call = bench.call();
    let mut store = under_way(&bench, Role::React, Purpose::Work, &call);
    let state = store.data_mut();
    let most = limits::PROPOSAL_KEY.count();
    let mut named = |bytes| {
        let effects = Resource::new_borrow(0);
        types::HostEffects::key(state, effects, "k".repeat(bytes)).is_ok()
    };
    assert!(named(most));
    assert!(!named(most + 1));
    let passed = state
        .meter
        .passed
        .map(|passed| (passed.limit, passed.allowed));
    assert_eq!(passed, Some(("key", most as u64)));
}

#[test]
fn a_scan_has_so_many_keys_and_bytes_and_says_where_to_go_on() {
    let bench = Bench::new(&react_file("(i32.const 1024)", &["state"]), &["state"]);
    let id = plugin().id;
    let big = vec![7; limits::STATE_VALUE.count()];
    let kept = |write: &mut dyn kjerne_store::Write| {
        for number in 0..1_500 {
            plugin_state::put(write, &id, &format!("small/{number:04}"), b"x")?;
        }
        (0..6).try_for_each(|number| plugin_state::put(write, &id, &format!("big/{number}"), &big))
    };
    bench
        .kernel
        .store()
        .write(&mut |write| kept(write))
        .unwrap();
    let call = bench.call();
    let mut store = under_way(&bench, Role::React, Purpose::Work, &call);
    let state = store.data_mut();
    let scan = |state: &mut CallState, prefix: &str, after: Option<&str>, limit: u32| {
        let found = state::Host::scan(state, prefix.into(), after.map(str::to_owned), limit);
        let (rows, next) = found.ok().unwrap();
        let keys: Vec<String> = rows.into_iter().map(|(key, _)| key).collect();
        (keys.len(), keys.first().cloned(), next)
    };
    let key = |text: &str| Some(text.to_owned());
    for (prefix, after, limit, expected) in [
        (
            "small/",
            None,
            u32::MAX,
            (1_000, key("small/0000"), key("small/0999")),
        ),
        (
            "small/",
            Some("small/0999"),
            u32::MAX,
            (500, key("small/1000"), None),
        ),
        ("small/", Some("small/1499"), 5, (0, None, None)),
        ("small/", None, 0, (1, key("small/0000"), key("small/0000"))),
        ("small/000", None, 10, (10, key("small/0000"), None)),
        // Three of these and their keys are 256 KiB less one; the fourth goes beyond.
        ("big/", None, 10, (3, key("big/0"), key("big/2"))),
        ("big/", Some("big/2"), 10, (3, key("big/3"), None)),
        ("none/", None, 10, (0, None, None)),
    ] {
        assert_eq!(
            scan(state, prefix, after, limit),
            expected,
            "{prefix} {after:?} {limit}"
        );
    }
    // What the call has written and removed counts.
    assert!(state::Host::remove(state, "small/0000".into()).is_ok());
    assert!(state::Host::set(state, "small/0000a".into(), vec![1]).is_ok());
    assert_eq!(
        scan(state, "small/", None, 1),
        (1, key("small/0000a"), key("small/0000a"))
    );
    // One value that is larger than the rest of a page is told alone.
    assert_eq!(
        scan(state, "big/", Some("big/4"), 10),
        (1, key("big/5"), None)
    );
}

#[test]
fn a_value_is_set_where_what_was_expected_is_kept_and_else_left_as_it_is() {
    let bench = Bench::new(&react_file("(i32.const 1024)", &["state"]), &["state"]);
    let call = bench.call();
    let mut store = under_way(&bench, Role::React, Purpose::Work, &call);
    let state = store.data_mut();
    let text = |text: &str| Some(text.as_bytes().to_vec());
    for (expected, value, told, kept) in [
        (text("a"), text("b"), false, None),
        (None, None, true, None),
        (None, text("a"), true, text("a")),
        (None, text("b"), false, text("a")),
        (text("b"), None, false, text("a")),
        (text("a"), text("b"), true, text("b")),
        (text("b"), None, true, None),
    ] {
        let set = state::Host::compare_and_set(state, "key".into(), expected.clone(), value);
        assert_eq!(set.ok(), Some(told), "{expected:?}");
        assert_eq!(state::Host::get(state, "key".into()).ok().unwrap(), kept);
    }
    for (key, bytes) in [
        (limits::STATE_KEY.count() + 1, 0),
        (1, limits::STATE_VALUE.count() + 1),
    ] {
        let set = state::Host::compare_and_set(state, "k".repeat(key), None, Some(vec![0; bytes]));
        assert!(set.is_err(), "{key} {bytes}");
    }
    let mut store = under_way(&bench, Role::React, Purpose::Question, &call);
    let state = store.data_mut();
    assert!(state::Host::scan(state, String::new(), None, 1).is_ok());
    let set = state::Host::compare_and_set(state, "key".into(), None, None);
    assert!(set.is_err(), "a question writes nothing");
    let mut store = under_way(&bench, Role::React, Purpose::Verdict, &call);
    assert!(state::Host::scan(store.data_mut(), String::new(), None, 1).is_err());
}
