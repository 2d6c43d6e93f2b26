//! Signed files: whose key is believed, and which upgrade waits, with plugins that have nothing in them to
//! be run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use kjerne_host::Package;
use kjerne_host::signing::{PublicKey, SecretKey, key_pair, sign, succeed};
use kjerne_store::KeyStanding;

use super::Placed;
use super::installation::{Agreed, Arrival};
use super::review::Review;
use super::tests::{Case, complaint, plugin_with};
use crate::error::{Error, Result};
use crate::limits::PUBLISHER_KEYS;
use crate::plugin_registry::read_package;
use crate::publishers::{self, Offer};

/// Somebody who signs.
struct Hand {
    public: PublicKey,
    secret: SecretKey,
}

impl Hand {
    fn new() -> Self {
        let (public, file) = key_pair(None).unwrap();
        let secret = SecretKey::read(&file, None).unwrap();
        Self { public, secret }
    }

    fn sign(&self, bytes: &[u8]) -> String {
        sign(&self.secret, &Package::read(bytes).unwrap()).unwrap()
    }

    fn succeeded_by(&self, next: &Self) -> String {
        succeed(&self.secret, &next.public).unwrap()
    }
}

/// A version of a plugin by `acme`, that asks for these grants.
fn by_acme(version: &str, grants: &[&str]) -> Vec<u8> {
    by("acme", version, grants)
}

fn by(publisher: &str, version: &str, grants: &[&str]) -> Vec<u8> {
    let file = plugin_with(version, "Rules.", grants, "");
    let text = Package::read(&file).unwrap();
    // The name stands in front of everything that is a table.
    let manifest = format!("publisher = \"{publisher}\"\n{}", manifest_of(&text));
    Package::seal(&file, &manifest, "")
}

fn manifest_of(package: &Package) -> String {
    let bytes = String::from_utf8_lossy(package.bytes()).into_owned();
    let (_, rest) = bytes.split_once("kjerne:manifest").unwrap();
    let end = rest.find('\0').unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// Places what is offered, through every stage but those in which it is run.
fn offer(case: &Case, offer: &Offer<'_>) -> Result<Placed> {
    let key = publishers::verified(&*case.runtime.store.snapshot()?, offer)?;
    let arrival = Arrival::offered(read_package(offer.bytes)?, offer, key);
    case.acts().place(&arrival)
}

fn signed<'a>(bytes: &'a [u8], signature: &'a str) -> Offer<'a> {
    Offer {
        bytes,
        signature: Some(signature),
        ..Offer::default()
    }
}

/// Why an offer is refused.
fn refusal(case: &Case, with: &Offer<'_>) -> String {
    let told = complaint(offer(case, with), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(
        told.starts_with("refused at the stage signature: "),
        "{told}"
    );
    told
}

fn standing(case: &Case) -> Vec<KeyStanding> {
    let known = case.plugins().publishers().unwrap();
    known[0].keys.iter().map(|key| key.standing).collect()
}

#[test]
fn who_signs_first_pins_the_key_and_nobody_else_signs_in_that_name() {
    let (case, acme, other) = (Case::new(), Hand::new(), Hand::new());
    let one = by_acme("0.1.0", &[]);
    let placed = offer(&case, &signed(&one, &acme.sign(&one))).unwrap();
    assert!(placed.pinned.is_some(), "the first time");
    assert_eq!(placed.made.signer.unwrap().key, acme.public.text());
    let beside = case.file("0.1.0").with_extension("wasm.minisig");
    assert!(beside.exists(), "the signature is kept beside the file");
    let two = by_acme("0.2.0", &[]);
    let placed = offer(&case, &signed(&two, &acme.sign(&two))).unwrap();
    assert!(placed.pinned.is_none(), "the key is known");
    let three = by_acme("0.3.0", &[]);
    let told = refusal(&case, &signed(&three, &other.sign(&three)));
    assert!(told.contains("--succession FILE"), "{told}");
    assert!(told.contains(&acme.public.fingerprint()), "{told}");
    assert!(
        case.journal()
            .iter()
            .all(|act| act == "plugin.install acme.rule")
    );
    // A file of the plugin that was cut off by somebody is not taken for it.
    let told = refusal(&case, &signed(&three, &acme.sign(&two)));
    assert!(told.contains("does not belong to this file"), "{told}");
}

#[test]
fn an_unsigned_file_is_taken_when_that_is_said_and_stays_marked() {
    let (case, acme) = (Case::new(), Hand::new());
    let file = by_acme("0.1.0", &[]);
    let bare = Offer {
        bytes: &file,
        ..Offer::default()
    };
    let told = refusal(&case, &bare);
    assert!(told.contains("--unsigned"), "{told}");
    let placed = offer(&case, &Offer::unsigned(&file)).unwrap();
    assert_eq!(placed.made.signer, None);
    // A name in a manifest nobody signed is nobody's.
    assert!(case.plugins().publishers().unwrap().is_empty());
    let text = acme.sign(&file);
    let both = Offer {
        unsigned: true,
        ..signed(&file, &text)
    };
    let told = complaint(offer(&case, &both), |error| {
        matches!(error, Error::Unreadable(_))
    });
    assert!(told.contains("say one of the two"), "{told}");
}

#[test]
fn an_old_key_gives_its_place_to_the_one_it_signed() {
    let case = Case::new();
    let (old, new, other) = (Hand::new(), Hand::new(), Hand::new());
    let one = by_acme("0.1.0", &[]);
    offer(&case, &signed(&one, &old.sign(&one))).unwrap();
    let two = by_acme("0.2.0", &[]);
    let text = new.sign(&two);
    for (statement, told) in [
        (other.succeeded_by(&new), "does not hold"),
        (new.succeeded_by(&new), "does not hold"),
        (old.succeeded_by(&other), "is for the key"),
    ] {
        let with = Offer {
            succession: Some(&statement),
            ..signed(&two, &text)
        };
        let said = refusal(&case, &with);
        assert!(said.contains(told), "{said}");
    }
    let statement = old.succeeded_by(&new);
    let with = Offer {
        succession: Some(&statement),
        ..signed(&two, &text)
    };
    assert!(offer(&case, &with).unwrap().pinned.is_some());
    assert_eq!(
        standing(&case),
        [KeyStanding::Succeeded, KeyStanding::Trusted]
    );
    let three = by_acme("0.3.0", &[]);
    let told = refusal(&case, &signed(&three, &old.sign(&three)));
    assert!(told.contains("has been succeeded"), "{told}");
    // What the old key signed while it was pinned is gone back to.
    let bytes = case.plugins().earlier("acme.rule", None).unwrap();
    let back = case
        .acts()
        .place(&Arrival::kept(read_package(&bytes).unwrap()));
    assert_eq!(back.unwrap().row.version, "0.1.0");
}

#[test]
fn what_a_revoked_key_signed_is_marked_and_neither_installed_nor_switched_on() {
    let (case, acme) = (Case::new(), Hand::new());
    for version in ["0.1.0", "0.2.0"] {
        let file = by_acme(version, &[]);
        offer(&case, &signed(&file, &acme.sign(&file))).unwrap();
    }
    case.acts().distrust("acme").unwrap();
    let row = case.plugins().row("acme.rule").unwrap();
    let made = case.plugins().made(&row).unwrap();
    assert_eq!(made.standing, Some(KeyStanding::Revoked));
    let next = by_acme("0.3.0", &[]);
    let text = acme.sign(&next);
    assert!(refusal(&case, &signed(&next, &text)).contains("was revoked"));
    // Under another name the key is the same.
    let renamed = by("others", "0.3.0", &[]);
    assert!(refusal(&case, &signed(&renamed, &acme.sign(&renamed))).contains("was revoked"));
    let on = case.acts().switch_on("acme.rule", false, false);
    assert!(complaint(on, |error| matches!(error, Error::Refused(_))).contains("was revoked"));
    let bytes = case.plugins().earlier("acme.rule", None).unwrap();
    let back = case
        .acts()
        .place(&Arrival::kept(read_package(&bytes).unwrap()));
    assert!(complaint(back, |error| matches!(error, Error::Refused(_))).contains("was revoked"));
    // Another key is not believed because the first was revoked, until somebody says so.
    let other = Hand::new();
    let theirs = other.sign(&next);
    assert!(refusal(&case, &signed(&next, &theirs)).contains("were revoked here"));
    case.acts().trust("acme", &other.public.text()).unwrap();
    offer(&case, &signed(&next, &theirs)).unwrap();
    let told = complaint(case.acts().trust("acme", &acme.public.text()), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(told.contains("plugin distrust acme"), "{told}");
}

#[test]
fn a_publisher_has_so_many_keys() {
    let (case, mut last) = (Case::new(), Ok(()));
    for count in 1..=PUBLISHER_KEYS.value + 1 {
        assert!(last.is_ok(), "{count}");
        last = case
            .acts()
            .trust("acme", &Hand::new().public.text())
            .map(drop);
        if last.is_ok() {
            case.acts().distrust("acme").unwrap();
        }
    }
    let told = complaint(last, |error| matches!(error, Error::Refused(_)));
    assert!(told.contains(PUBLISHER_KEYS.name), "{told}");
}

/// Agrees to what waits, without running it.
fn accept(case: &Case, with: &Offer<'_>) -> Placed {
    let key = publishers::verified(&*case.runtime.store.snapshot().unwrap(), with).unwrap();
    let agreed = Agreed {
        items: &[],
        all_declared: false,
    };
    let arrival = Arrival::offered(read_package(with.bytes).unwrap(), with, key);
    case.acts().place(&arrival.agreed_to(agreed)).unwrap()
}

#[test]
fn an_upgrade_of_another_publisher_waits_and_what_is_accepted_takes_its_place() {
    let (case, acme, other) = (Case::new(), Hand::new(), Hand::new());
    let one = by_acme("0.1.0", &["read:account"]);
    offer(&case, &signed(&one, &acme.sign(&one))).unwrap();
    case.acts().grant("acme.rule", &[], &[], true).unwrap();
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let unsigned = by_acme("0.2.0", &["read:account"]);
    let waits = offer(&case, &Offer::unsigned(&unsigned))
        .unwrap()
        .waits
        .unwrap();
    assert!(
        waits.1[0].contains("unsigned, the one in use is signed by acme"),
        "{waits:?}"
    );
    let theirs = by("others", "0.3.0", &["read:account", "read:contact"]);
    let text = other.sign(&theirs);
    let with = signed(&theirs, &text);
    let waits = offer(&case, &with).unwrap().waits.unwrap();
    assert_eq!((waits.0.as_str(), waits.1.len()), ("0.3.0", 2), "{waits:?}");
    assert_eq!(
        case.plugins().publishers().unwrap().len(),
        1,
        "nothing is pinned by waiting"
    );
    let review = Review::of(case.plugins(), "acme.rule").unwrap();
    assert_eq!(
        review.package.manifest.version, "0.3.0",
        "the later of the two"
    );
    assert_eq!(review.difference.unwrap().grants.added.len(), 1);
    assert_eq!(case.versions().0, "0.1.0");
    let placed = accept(&case, &with);
    assert_eq!(placed.row.version, "0.3.0");
    assert_eq!(
        placed.row.grants,
        ["read:account", "read:contact"],
        "what it needs"
    );
    assert!(placed.pinned.is_some());
    assert!(
        case.plugins().waiting("acme.rule").is_err(),
        "it waits no more"
    );
}

#[test]
fn what_waits_is_refused_when_its_file_was_changed_and_forgotten_when_it_is_rejected() {
    let (case, acme) = (Case::new(), Hand::new());
    let one = by_acme("0.1.0", &[]);
    offer(&case, &signed(&one, &acme.sign(&one))).unwrap();
    let two = by_acme("0.2.0", &[]);
    offer(&case, &Offer::unsigned(&two)).unwrap();
    let waiting = case.file("0.2.0").with_extension("waiting");
    assert!(waiting.exists());
    std::fs::write(&waiting, by_acme("0.2.0", &["read:account"])).unwrap();
    let told = complaint(case.acts().accept("acme.rule", None, &[], false), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(told.contains("is not the file that waits"), "{told}");
    let other = case.acts().accept("acme.rule", Some("0.9.0"), &[], false);
    let told = complaint(other, |error| matches!(error, Error::Refused(_)));
    assert!(told.contains("is 0.2.0, not 0.9.0"), "{told}");
    case.acts().reject("acme.rule").unwrap();
    assert!(!waiting.exists());
    let none = complaint(case.acts().reject("acme.rule"), |error| {
        matches!(error, Error::NotFound(_))
    });
    assert!(none.contains("no version of acme.rule waits"), "{none}");
    let acts = case.journal();
    assert!(
        acts.contains(&"plugin.wait acme.rule".to_owned()),
        "{acts:?}"
    );
    assert!(
        acts.contains(&"plugin.reject acme.rule".to_owned()),
        "{acts:?}"
    );
}

#[test]
fn a_file_that_was_exchanged_in_the_workspace_is_not_gone_back_to() {
    let (case, acme) = (Case::new(), Hand::new());
    for version in ["0.1.0", "0.2.0"] {
        let file = by_acme(version, &[]);
        offer(&case, &signed(&file, &acme.sign(&file))).unwrap();
    }
    std::fs::write(case.file("0.1.0"), by_acme("0.1.0", &["read:account"])).unwrap();
    let bytes = case.plugins().earlier("acme.rule", None).unwrap();
    let back = case
        .acts()
        .place(&Arrival::kept(read_package(&bytes).unwrap()));
    let told = complaint(back, |error| matches!(error, Error::Refused(_)));
    assert!(told.contains("is not the one that was installed"), "{told}");
}

#[test]
fn a_file_known_as_signed_is_not_taken_as_unsigned_and_a_revocation_stands() {
    let (case, acme) = (Case::new(), Hand::new());
    let files = ["0.1.0", "0.2.0"].map(|version| by_acme(version, &[]));
    for file in &files {
        offer(&case, &signed(file, &acme.sign(file))).unwrap();
    }
    // In use and kept alike.
    for file in &files {
        let told = refusal(&case, &Offer::unsigned(file));
        assert!(told.contains("is known here as signed by acme"), "{told}");
    }
    case.acts().distrust("acme").unwrap();
    for file in &files {
        let told = refusal(&case, &Offer::unsigned(file));
        assert!(told.contains("whose key was revoked here"), "{told}");
    }
    let row = case.plugins().row("acme.rule").unwrap();
    let made = case.plugins().made(&row).unwrap();
    assert_eq!(made.standing, Some(KeyStanding::Revoked), "still marked");
}

#[test]
fn a_file_that_waits_as_signed_is_not_taken_as_unsigned() {
    let (case, acme) = (Case::new(), Hand::new());
    case.place(&plugin_with("0.1.0", "Rules.", &[], ""))
        .unwrap();
    let two = by_acme("0.2.0", &[]);
    let placed = offer(&case, &signed(&two, &acme.sign(&two))).unwrap();
    assert!(placed.waits.is_some(), "nobody had signed before");
    let told = refusal(&case, &Offer::unsigned(&two));
    assert!(told.contains("is known here as signed by acme"), "{told}");
}

#[test]
fn an_unsigned_version_over_a_signed_one_waits_although_it_was_in_use_before() {
    let (case, acme) = (Case::new(), Hand::new());
    let one = by_acme("0.1.0", &[]);
    offer(&case, &Offer::unsigned(&one)).unwrap();
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let two = by_acme("0.2.0", &[]);
    let text = acme.sign(&two);
    let with = signed(&two, &text);
    assert!(offer(&case, &with).unwrap().waits.is_some());
    accept(&case, &with);
    let waits = offer(&case, &Offer::unsigned(&one)).unwrap().waits.unwrap();
    assert!(
        waits.1[0].contains("unsigned, the one in use is signed by acme"),
        "{waits:?}"
    );
    let made = |case: &Case| {
        let row = case.plugins().row("acme.rule").unwrap();
        case.plugins().made(&row).unwrap().signer.is_some()
    };
    assert!(made(&case), "the signed one stays in use");
    // To go back is to say so.
    let bytes = case.plugins().earlier("acme.rule", None).unwrap();
    let back = Arrival::kept(read_package(&bytes).unwrap());
    assert_eq!(case.acts().place(&back).unwrap().row.version, "0.1.0");
}

#[test]
fn while_a_version_waits_no_other_file_of_its_number_comes() {
    let (case, acme, other) = (Case::new(), Hand::new(), Hand::new());
    case.place(&plugin_with("0.1.0", "Rules.", &[], ""))
        .unwrap();
    let two = by_acme("0.2.0", &[]);
    let text = acme.sign(&two);
    let with = signed(&two, &text);
    offer(&case, &with).unwrap();
    // The same again is no other one.
    offer(&case, &with).unwrap();
    let more = by_acme("0.2.0", &["read:account"]);
    let (theirs, of_more) = (other.sign(&two), acme.sign(&more));
    for offered in [
        Offer::unsigned(&more),
        signed(&more, &of_more),
        signed(&two, &theirs),
    ] {
        let told = complaint(offer(&case, &offered), |error| {
            matches!(error, Error::Refused(_))
        });
        assert!(told.contains("plugin reject acme.rule"), "{told}");
    }
    case.acts().reject("acme.rule").unwrap();
    offer(&case, &Offer::unsigned(&more)).unwrap();
    // What was looked at and rejected meanwhile is not accepted.
    let key = publishers::verified(&*case.runtime.store.snapshot().unwrap(), &with).unwrap();
    let arrival = Arrival::offered(read_package(&two).unwrap(), &with, key);
    let agreed = Agreed {
        items: &[],
        all_declared: false,
    };
    let late = case.acts().place(&arrival.agreed_to(agreed));
    let told = complaint(late, |error| matches!(error, Error::Refused(_)));
    assert!(told.contains("waits no more"), "{told}");
}

#[test]
fn a_key_revoked_for_one_publisher_is_not_trusted_for_another() {
    let (case, acme) = (Case::new(), Hand::new());
    let key = acme.public.text();
    case.acts().trust("acme", &key).unwrap();
    case.acts().distrust("acme").unwrap();
    let told = complaint(case.acts().trust("others", &key), |error| {
        matches!(error, Error::Refused(_))
    });
    assert!(told.contains("was revoked here for acme"), "{told}");
    // Whoever believes it again says so in the name it was revoked for.
    case.acts().trust("acme", &key).unwrap();
    assert_eq!(standing(&case), [KeyStanding::Trusted]);
}

#[test]
fn a_version_in_use_before_waits_when_a_grant_it_needs_is_no_longer_held() {
    let (case, acme) = (Case::new(), Hand::new());
    let (one, two) = (by_acme("0.1.0", &[]), by_acme("0.2.0", &["read:account"]));
    let texts = [acme.sign(&one), acme.sign(&two)];
    offer(&case, &signed(&one, &texts[0])).unwrap();
    case.acts().switch_on("acme.rule", false, false).unwrap();
    let with = signed(&two, &texts[1]);
    assert!(offer(&case, &with).unwrap().waits.is_some());
    accept(&case, &with);
    offer(&case, &signed(&one, &texts[0])).unwrap();
    let bytes = case.plugins().earlier("acme.rule", None).unwrap();
    let back = case
        .acts()
        .place(&Arrival::kept(read_package(&bytes).unwrap()));
    let told = complaint(back, |error| matches!(error, Error::Refused(_)));
    assert!(told.contains("install its file"), "{told}");
    let waits = offer(&case, &with).unwrap().waits.unwrap();
    assert_eq!(waits.1, ["the grant read:account"]);
    assert_eq!(accept(&case, &with).row.grants, ["read:account"]);
}
