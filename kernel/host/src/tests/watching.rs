//! What a plugin says that it watches: taken where it narrows its manifest, refused where it does not.

use kjerne_core::Plugins as _;

use super::guests::{Bench, GUARD, Told, component, guard, installed, manifest, telling};
use crate::{LoadError, Package};

/// A guard that is prepared, whose manifest watches these kinds, and that says this.
fn load(bench: &Bench, kinds: &str, told: &[(&str, &[Told<'_>])]) -> Result<(), LoadError> {
    let text = telling(&guard(""), told);
    let component = component("prepared", "0.2.0", &text);
    let manifest = manifest("guard", &["read:account"]);
    let manifest = manifest.replace(
        "[roles.guard]",
        &format!("[roles.prepare]\n[roles.guard]\nkinds = [{kinds}]"),
    );
    let file = Package::seal(&component, &manifest, "");
    let plugin = installed(&file, &["read:account"]);
    bench.host.replace(vec![plugin])
}

#[test]
fn a_plugin_narrows_what_its_manifest_watches() {
    let bench = Bench::empty(super::guests::options());
    let update: Told<'_> = (Some("account"), &["update"], Some(&["name"]), false);
    let check = |kinds: &str, told: &[(&str, &[Told<'_>])], account: &str, contact: &str| {
        load(&bench, kinds, told).unwrap();
        let watches = bench.host.with_role(GUARD)[0].watches.clone();
        let said = |kind: &str| {
            watches.of(kind).map_or("no".to_owned(), |watch| {
                let (of, fields) = (watch.operations, watch.fields.as_ref());
                let fields = fields.map_or(0, std::collections::BTreeSet::len);
                let bits = [of.create, of.update, of.delete, watch.beside];
                let bits = bits.map(|bit| if bit { '1' } else { '0' });
                format!("{} {fields}", bits.iter().collect::<String>())
            })
        };
        assert_eq!(
            (said("account"), said("contact")),
            (account.into(), contact.into())
        );
    };
    let both = "\"account\", \"contact\"";
    // Nothing said about the role: the manifest holds.
    check("", &[], "1110 0", "1110 0");
    check(both, &[], "1110 0", "1110 0");
    check("\"account\"", &[], "1110 0", "no");
    // Said: no more than that.
    check("", &[("guard", &[update])], "0100 1", "no");
    check(both, &[("guard", &[update])], "0100 1", "no");
    check(both, &[("guard", &[])], "no", "no");
    let removals: Told<'_> = (None, &["delete"], None, false);
    check("", &[("guard", &[removals])], "0010 0", "0010 0");
    check(both, &[("guard", &[removals])], "0010 0", "0010 0");
    check("\"contact\"", &[("guard", &[removals])], "no", "0010 0");
    // Several of one kind are one, which shows what either shows, in whatever order.
    let phone: Told<'_> = (Some("account"), &["create"], Some(&["phone"]), true);
    check("", &[("guard", &[update, phone])], "1100 2", "no");
    check("", &[("guard", &[phone, phone])], "1001 1", "no");
    for several in [[removals, update], [update, removals]] {
        check("", &[("guard", &several)], "0110 0", "0010 0");
    }
}

#[test]
fn a_plugin_that_watches_what_there_is_not_is_told_so() {
    let bench = Bench::empty(super::guests::options());
    let check = |kinds: &str, told: &[(&str, &[Told<'_>])], expected: &str| {
        let error = load(&bench, kinds, told).unwrap_err();
        let LoadError::BadSettings(why) = &error else {
            panic!("{error}")
        };
        assert!(why.contains(expected), "{why}");
        assert!(bench.host.with_role(GUARD).is_empty());
    };
    let of = |kind| -> Told<'static> { (Some(kind), &[], None, false) };
    let (account, lead, none) = (of("account"), of("lead"), of("ghost"));
    check("", &[("guard", &[none])], "name the kind \"ghost\"");
    check(
        "\"lead\"",
        &[("guard", &[account])],
        "would watch the kind account",
    );
    check("", &[("guard", &[lead]), ("guard", &[])], "tells twice");
    check(
        "",
        &[("react", &[])],
        "as \"react\", a role it does not have",
    );
    check("", &[("prepare", &[])], "or that watches nothing");
    check("", &[("fly", &[])], "as \"fly\"");
    let field: Told<'_> = (Some("account"), &[], Some(&["colour"]), false);
    check(
        "",
        &[("guard", &[field])],
        "\"colour\", which account does not have",
    );
    let any: Told<'_> = (None, &[], Some(&["colour"]), false);
    check("", &[("guard", &[any])], "which any kind does not have");
    let part: Told<'_> = (Some("account"), &[], Some(&["billing_address.city"]), false);
    check("", &[("guard", &[part])], "\"billing_address.city\"");
    let read: Told<'_> = (Some("account"), &["read"], None, false);
    check(
        "",
        &[("guard", &[read])],
        "there are create, update and delete",
    );
}

#[test]
fn a_plugin_tells_so_many_watches_and_no_more() {
    let bench = Bench::empty(super::guests::options());
    let most = crate::limits::WATCHES.count();
    let update: Told<'_> = (Some("account"), &["update"], Some(&["name"]), false);
    let told = |count: usize| {
        let watches = vec![update; count];
        load(&bench, "", &[("guard", &watches)])
    };
    assert!(told(most).is_ok());
    let refused = told(most + 1).unwrap_err().to_string();
    assert!(refused.contains("limit watches"), "{refused}");
}

/// The guard gets no fields but those it goes by: it breaks when it is shown more than one.
#[test]
fn no_other_fields_are_handed_over() {
    let bench = Bench::empty(super::guests::options());
    // A change has its `after`, a list, behind kind, id, operation and `before`.
    let body = "(if (i32.gt_u (i32.load (i32.add (local.get $changes) (i32.const 36))) (i32.const 1)) (then unreachable))";
    let check = |fields: Option<&[&str]>, breaks: bool| {
        let told: &[Told<'_>] = &[(Some("account"), &[], fields, false)];
        let text = telling(&guard(body), &[("guard", told)]);
        let component = component("prepared", "0.2.0", &text);
        let manifest = manifest("guard", &["read:account"]);
        let file = Package::seal(&component, &format!("{manifest}\n[roles.prepare]\n"), "");
        let plugin = installed(&file, &["read:account"]);
        bench.host.replace(vec![plugin]).unwrap();
        assert_eq!(bench.ask(1).is_err(), breaks, "{fields:?}");
    };
    check(None, true);
    check(Some(&["name", "industry"]), true);
    check(Some(&["industry"]), false);
    check(Some(&[]), false);
}
