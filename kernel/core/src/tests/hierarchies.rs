//! Hierarchies: references upwards that never lead back to where they began.

use std::sync::{Arc, OnceLock, Weak};

use kjerne_model::{Code, Value};

use super::*;
use crate::{TablePlugin, limits};

/// Accounts 1 to 5: 2 under 1, 3 under 2, and two by themselves.
fn workspace() -> Arc<Kernel> {
    let kernel = kernel(TablePlugins::none());
    grow(&kernel);
    kernel
}

fn grow(kernel: &Kernel) {
    let above = |number: u8, parent: &str| {
        let mut pairs = vec![("name", "A")];
        if !parent.is_empty() {
            pairs.push(("parent", parent));
        }
        create("account", number, &pairs)
    };
    let changes = [
        (1, ""),
        (2, "account/1"),
        (3, "account/2"),
        (4, ""),
        (5, ""),
    ];
    accept(
        kernel,
        changes.map(|(number, parent)| above(number, parent)).into(),
    );
}

fn refused(kernel: &Kernel, changes: Vec<Change>) -> Vec<(Code, Option<usize>, String)> {
    let outcome = kernel.commit(commit(changes)).unwrap();
    let told = outcome.refusals().iter();
    told.map(|one| (one.code, one.change, one.message.clone()))
        .collect()
}

fn parent(number: u8, of: &str) -> Change {
    update("account", number, &[("parent", of)])
}

#[test]
fn nothing_is_above_itself() {
    let kernel = workspace();
    for (changes, place) in [
        (vec![parent(1, "account/1")], 0),
        (vec![parent(1, "account/2")], 0),
        (vec![parent(1, "account/3")], 0),
        (
            vec![create(
                "account",
                9,
                &[("name", "A"), ("parent", "account/9")],
            )],
            0,
        ),
        (vec![parent(5, "account/4"), parent(4, "account/5")], 0),
    ] {
        let told = refused(&kernel, changes);
        let (code, change, message) = &told[0];
        assert_eq!(
            (*code, *change),
            (Code::InvalidValue, Some(place)),
            "{told:?}"
        );
        assert!(
            message.contains("parent leads back to account/"),
            "{message}"
        );
    }
    // The same reference is right once the way back is cut in the same commit.
    accept(&kernel, vec![parent(2, ""), parent(1, "account/3")]);
    accept(
        &kernel,
        vec![parent(4, "account/3"), parent(5, "account/4")],
    );
    assert_eq!(
        held(&kernel, "account", 1, "parent"),
        format!("account/{}", id(3))
    );
    for (kind, field, name) in [("user", "manager", "name"), ("team", "parent", "name")] {
        let to = format!("{kind}/1");
        let told = refused(&kernel, vec![create(kind, 1, &[(name, "A"), (field, &to)])]);
        assert_eq!(told[0].0, Code::InvalidValue, "{kind}.{field}: {told:?}");
    }
}

#[test]
fn what_is_below_a_circle_is_told_so() {
    let kernel = workspace();
    let told = refused(
        &kernel,
        vec![
            parent(5, "account/4"),
            parent(4, "account/5"),
            create("account", 9, &[("name", "A"), ("parent", "account/4")]),
        ],
    );
    let of_last = told.iter().find(|(_, change, _)| *change == Some(2));
    assert!(
        of_last.unwrap().2.contains("which is above itself"),
        "{told:?}"
    );
}

#[test]
fn a_hierarchy_has_so_many_levels_and_no_more() {
    let kernel = kernel(TablePlugins::none());
    let most = u8::try_from(limits::HIERARCHY.value).unwrap();
    let mut chain = vec![create("account", 1, &[("name", "A")])];
    for number in 2..=most + 1 {
        let above = format!("account/{}", number - 1);
        chain.push(create(
            "account",
            number,
            &[("name", "A"), ("parent", &above)],
        ));
    }
    accept(&kernel, chain);
    let above = format!("account/{}", most + 1);
    let told = refused(
        &kernel,
        vec![create("account", 200, &[("name", "A"), ("parent", &above)])],
    );
    assert_eq!(told[0].0, Code::InvalidValue);
    assert!(told[0].2.contains("at most 64 are allowed"), "{told:?}");
}

/// While a commit sets 4 under 5, another sets 5 under 4.
#[test]
fn two_commits_cannot_close_a_circle_together() {
    let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
    let of_guard = Arc::clone(&back);
    let busy = TablePlugin::new("busy").guard(move |_, drafts| {
        let fields = |draft: &Draft<'_>| {
            draft
                .after
                .as_ref()
                .and_then(|all| all.get("tier").cloned())
        };
        let slow = drafts
            .iter()
            .any(|draft| fields(draft) == Some(Value::Text("slow".to_owned())));
        let kernel = of_guard.get().and_then(Weak::upgrade).unwrap();
        if slow && held(&kernel, "account", 5, "parent").is_empty() {
            accept(&kernel, vec![parent(5, "account/4")]);
        }
        Ok(Guarded::default())
    });
    let kernel = kernel(TablePlugins::none().with(busy));
    back.set(Arc::downgrade(&kernel)).unwrap();
    grow(&kernel);
    let slow = update("account", 4, &[("parent", "account/5"), ("tier", "slow")]);
    let told = refused(&kernel, vec![slow]);
    assert_eq!(told[0].0, Code::InvalidValue, "{told:?}");
    assert_eq!(held(&kernel, "account", 4, "parent"), "");
    assert_clean(&kernel);
}
