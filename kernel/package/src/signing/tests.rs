//! Signatures made and read, each way in which one is wrong, and how a key succeeds another.
#![allow(clippy::unwrap_used)]

use super::*;

const FILE: &[u8] = b"\0asm and what is behind it";

/// A pair of keys without a password.
fn keys() -> (PublicKey, SecretKey) {
    let (public, file) = key_pair(None).unwrap();
    (public, SecretKey::read(&file, None).unwrap())
}

fn signed(key: &SecretKey) -> String {
    let claims = Claims {
        plugin: Some("acme.x".to_owned()),
        version: Some("1.0.0".to_owned()),
        key: Some(key.public().unwrap().text()),
        ..Claims::default()
    };
    signature::sign_bytes(key, FILE, &claims).unwrap()
}

/// What is said of a signature, held against these bytes.
fn verdict(text: &str, key: &PublicKey, bytes: &[u8]) -> String {
    let read = Signature::parse(text).and_then(|read| read.verify(key, bytes));
    read.map_or_else(|error| error.to_string(), |()| "verified".to_owned())
}

/// The lines of a text, one of them exchanged.
fn with_line(text: &str, number: usize, line: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines[number] = line;
    lines.join("\n") + "\n"
}

/// The second line of a signature with other bytes for its algorithm.
fn with_algorithm(text: &str, algorithm: [u8; 2]) -> String {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut bytes = base64.decode(text.lines().nth(1).unwrap()).unwrap();
    bytes[..2].copy_from_slice(&algorithm);
    with_line(text, 1, &base64.encode(bytes))
}

#[test]
fn a_signature_is_verified_or_refused_by_its_own_sentence() {
    let (public, secret) = keys();
    let (other, _) = keys();
    let text = signed(&secret);
    let lines: Vec<&str> = text.lines().collect();
    let three = lines[..3].join("\n");
    let short = with_line(&text, 1, &lines[1][..40]);
    let comment = with_line(&text, 2, &lines[2].replace("1.0.0", "2.0.0"));
    let again = signed(&secret);
    let swapped = with_line(&text, 3, again.lines().nth(3).unwrap());
    let long = format!("{text}{}", "\n".repeat(5_000));
    let more = format!("{text}and more\n");
    for (what, text, key, bytes, told) in [
        ("as made", &text, &public, FILE, "verified"),
        (
            "another file",
            &text,
            &public,
            b"\0asn",
            "does not belong to this file",
        ),
        ("another key", &text, &other, FILE, "the key at hand is"),
        ("three lines", &three, &public, FILE, "cut off"),
        ("a short line", &short, &public, FILE, "cut off"),
        (
            "another comment",
            &comment,
            &public,
            FILE,
            "was changed after it was signed",
        ),
        (
            "another's comment",
            &swapped,
            &public,
            FILE,
            "trusted comment of the signature was changed",
        ),
        (
            "legacy",
            &with_algorithm(&text, *b"Ed"),
            &public,
            FILE,
            "in the old form",
        ),
        (
            "unknown",
            &with_algorithm(&text, *b"XX"),
            &public,
            FILE,
            "algorithm \"XX\"",
        ),
        ("too long", &long, &public, FILE, "limit signature"),
        ("five lines", &more, &public, FILE, "behind its four lines"),
        (
            "something else",
            &"a\nb\nc\nd\n".to_owned(),
            &public,
            FILE,
            "no untrusted comment",
        ),
    ] {
        let said = verdict(text, key, bytes);
        assert!(said.contains(told), "{what}: {said}");
    }
}

/// Made by minisign 0.11 with a key without a password, and nothing of ours.
const THEIR_KEY: &str = "RWQqqLsihnzkzeKbZ4x42oWv0LN4QmImCuZ/jaebRltz+jWKrFv23h3h";
const THEIR_SIGNATURE: &str = "\
    untrusted comment: signature from minisign secret key\n\
    RUQqqLsihnzkzZ564LP4gzsOJplCEHzaZzjdH0yKbFn0ZaxbEdWV6S3c/wIx20ncRBbKNE66Baq4sMMrsPSPu3jUn+qgstXMbQo=\n\
    trusted comment: timestamp:1795843637\tfile:f\thashed\n\
    Eat67umuZs821i7k0S7hdufRYGxdqdWPCMYubefDyXIF46iNw7+tcWy0+8e8RjzdTnje0qWTgrcQN9h5yqyYDg==\n";
const THEIR_FILE: &[u8] = b"signed by another tool\n";
/// The same by `minisign -Sl`, over the file itself.
const THEIR_LEGACY: &str = "\
    untrusted comment: signature from minisign secret key\n\
    RWQqqLsihnzkzcUO5l3eNKKElsSLUnUwXjqguPuEs6lpdTjef9XKUXjvB5N31XrW+At5g5hpgx1nXp8EhER+Lepo93eu5HW6ywM=\n\
    trusted comment: timestamp:1795843637\tfile:f\n\
    V9RjVRO8VDAibQwj2+WkoZ4CWAKgqdFYwG8I5d23wZ9PwaD8GnxChlKAu8DnhUjujokBSPFuHJ6wM/CXUBb3Bw==\n";

/// The secret key of that key, which was made for this test and signs nothing else.
const THEIR_SECRET: &str = "\
    untrusted comment: minisign encrypted secret key\n\
    RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAKqi7IoZ85M0/YPW1+/OOKsNHfXN6mumYtO+2XabyuGMJAEpvJ0lrROKbZ4x42oWv0LN4QmImCuZ/jaebRltz+jWKrFv23h3hAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

#[test]
fn a_key_another_tool_made_without_a_password_signs() {
    let secret = SecretKey::read(THEIR_SECRET, None).unwrap();
    let key = secret.public().unwrap();
    assert_eq!(key.text(), THEIR_KEY);
    assert_eq!(verdict(&signed(&secret), &key, FILE), "verified");
    // It has no checksum, and a damaged one signs nothing all the same.
    let damaged = THEIR_SECRET.replace("+/OOKsNH", "+/OOKsNA");
    assert_ne!(damaged, THEIR_SECRET);
    let damaged = SecretKey::read(&damaged, None).unwrap();
    let told = signature::sign_bytes(&damaged, FILE, &Claims::default()).unwrap_err();
    assert_eq!(told, SecretKeyError::Failed("signing"));
}

#[test]
fn what_another_tool_signed_is_taken() {
    let key = PublicKey::parse(THEIR_KEY).unwrap();
    assert_eq!(verdict(THEIR_SIGNATURE, &key, THEIR_FILE), "verified");
    let read = Signature::parse(THEIR_SIGNATURE).unwrap();
    assert_eq!(
        read.claims(),
        Claims::default(),
        "its comment claims nothing of ours"
    );
    let other = verdict(THEIR_SIGNATURE, &key, b"signed by another tool");
    assert!(other.contains("does not belong"), "{other}");
    let legacy = verdict(THEIR_LEGACY, &key, THEIR_FILE);
    assert!(legacy.contains("old form"), "{legacy}");
}

#[test]
fn a_trusted_comment_that_names_another_key_than_the_one_that_signed_is_refused() {
    let ((public, secret), (other, _)) = (keys(), keys());
    for said in [other.text(), "RWnone\u{1b}[2J".to_owned()] {
        let claims = Claims {
            key: Some(said),
            ..Claims::default()
        };
        let text = signature::sign_bytes(&secret, FILE, &claims).unwrap();
        let told = verdict(&text, &public, FILE);
        assert!(told.contains("names the key"), "{told}");
        assert!(told.contains(&public.text()), "{told}");
        assert!(!told.contains('\u{1b}'), "{told}");
    }
}

#[test]
fn a_public_key_is_read_from_its_line_and_its_file() {
    let (public, secret) = keys();
    assert_eq!(secret.public().unwrap(), public);
    for text in [
        public.text(),
        public.file(),
        format!("\n{}\r\n", public.text()),
    ] {
        assert_eq!(PublicKey::parse(&text).unwrap(), public, "{text:?}");
    }
    assert_eq!(public.fingerprint().split(' ').count(), 8);
    let long = "R".repeat(5_000);
    for text in [
        "",
        "RWQ",
        "untrusted comment: only",
        long.as_str(),
        &public.text()[1..],
    ] {
        assert!(PublicKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_secret_key_is_read_with_its_password_and_no_other() {
    let (_, file) = key_pair(Some("correct horse")).unwrap();
    assert!(SecretKey::has_password(&file).unwrap());
    let said = |password| SecretKey::read(&file, password).err();
    assert_eq!(said(Some("correct horse")), None);
    assert_eq!(said(Some("battery")), Some(SecretKeyError::WrongPassword));
    assert_eq!(said(None), Some(SecretKeyError::NeedsPassword));
    assert_eq!(said(Some("")), Some(SecretKeyError::NeedsPassword));
    let told = SecretKeyError::NeedsPassword.to_string();
    assert!(!told.contains("--no-password"), "{told}");
    let long = "x".repeat(1_025);
    assert_eq!(said(Some(&long)), Some(SecretKeyError::WrongPassword));
    assert!(key_pair(Some(&long)).is_err());
    assert!(key_pair(Some(&long[1..])).is_ok(), "as long as may be");
    let read = SecretKey::read("no key\nat all\n", None).err();
    assert_eq!(read, Some(SecretKeyError::Form));
}

#[test]
fn an_old_key_states_its_successor() {
    let ((old, secret), (new, other)) = (keys(), keys());
    let text = succeed(&secret, &new).unwrap();
    let statement = Succession::parse(&text).unwrap();
    assert_eq!(*statement.successor(), new);
    assert_eq!(statement.verify(&old), Ok(()));
    assert!(
        statement.verify(&new).is_err(),
        "the new key cannot state it of itself"
    );
    let named = text.replace(&new.text(), &old.text());
    let forged = Succession::parse(&named).unwrap();
    assert_eq!(forged.verify(&old), Err(SignatureError::OtherFile));
    assert!(
        Succession::parse(&signed(&other)).is_err(),
        "it names no successor"
    );
}
