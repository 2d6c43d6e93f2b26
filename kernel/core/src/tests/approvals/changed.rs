//! What has changed between asking and approving: records, and who is in a role.

use super::*;

#[test]
fn whoever_comes_back_into_a_role_has_not_approved_in_it() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss,legal"));
    waiting(approve(&kernel, &waits, "liv"));
    let (role, actor) = ("legal".to_owned(), user("liv"));
    let again = Administered::Approver {
        role: role.clone(),
        actor: actor.clone(),
    };
    for row in [Administered::NoApprover { role, actor }, again] {
        let act = Act::new("approver.change", "legal");
        kernel
            .administer(&user("admin"), at(1), act, vec![row])
            .unwrap();
    }
    let open = waiting(approve(&kernel, &waits, "kari")).open;
    assert_eq!(open[0].role, "legal");
    accepted(approve(&kernel, &waits, "liv"));
}

#[test]
fn once_it_has_changed_each_who_approves_is_told_before() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss,legal"));
    accept(&kernel, vec![update("account", 1, &[("name", "Another")])]);
    assert!(waiting(approve(&kernel, &waits, "kari")).renewed);
    assert!(!waiting(approve(&kernel, &waits, "kari")).renewed);
    // Liv looked at what was asked for at first, and nobody told her.
    let told = waiting(approve(&kernel, &waits, "liv"));
    assert!(told.renewed);
    assert_eq!(told.open.len(), 1, "what Kari approved stays approved");
    accepted(approve(&kernel, &waits, "liv"));
}

#[test]
fn what_has_changed_since_it_was_shown_is_looked_at_anew_by_all() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss,legal"));
    waiting(approve(&kernel, &waits, "liv"));
    accept(&kernel, vec![update("account", 1, &[("name", "Another")])]);
    let renewed = waiting(approve(&kernel, &waits, "kari"));
    assert!(renewed.renewed);
    assert_eq!(
        renewed.open.len(),
        2,
        "what was approved before counts no longer"
    );
    let shown = row(&kernel, waits.id).unwrap().edits.remove(0);
    assert_eq!(shown.version, 3);
    let named = shown.before.unwrap()[&name("name")].to_string();
    assert_eq!(named, "Another");
    waiting(approve(&kernel, &waits, "kari"));
    assert!(waiting(approve(&kernel, &waits, "liv")).renewed);
    accepted(approve(&kernel, &waits, "liv"));
    assert_eq!(held(&kernel, "account", 1, "name"), "Another");
}
