//! A plugin's file as bytes: sections one after the other, so that a test can put a file together that
//! no tool would make.

use kjerne_tests::{Ran, Workspace, plugin};

/// A built plugin's bytes.
pub fn built(id: &str) -> Vec<u8> {
    std::fs::read(plugin(id)).unwrap()
}

/// A length: seven bits a byte, the lowest first.
pub fn length(mut left: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while left >= 0x80 {
        bytes.push((left as u8 & 0x7f) | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
    bytes
}

/// A section of a file: what it is, its length, what is in it.
pub fn section(what: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![what];
    bytes.extend(length(content.len()));
    bytes.extend(content);
    bytes
}

/// A section of our own, by its name.
pub fn named(name: &str, content: &[u8]) -> Vec<u8> {
    let mut all = length(name.len());
    all.extend(name.as_bytes());
    all.extend(content);
    section(0, &all)
}

fn read_length(bytes: &[u8]) -> (usize, usize) {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return (value, place + 1);
        }
    }
    panic!("a length has no end")
}

/// The sections of a file: what each is, and where it begins and ends.
pub fn sections(bytes: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 8;
    while at < bytes.len() {
        let (content, head) = read_length(&bytes[at + 1..]);
        let end = at + 1 + head + content;
        found.push((bytes[at], at, end));
        at = end;
    }
    found
}

/// The manifest of a built plugin.
pub fn manifest(bytes: &[u8]) -> String {
    let mark = b"kjerne:manifest";
    let of = sections(bytes).into_iter().find_map(|(what, from, to)| {
        let section = &bytes[from..to];
        let at = section.windows(mark.len()).position(|part| part == mark)?;
        (what == 0 && at < 8).then(|| section[at + mark.len()..].to_vec())
    });
    String::from_utf8(of.unwrap()).unwrap()
}

/// A built plugin's program with another manifest.
pub fn sealed(bytes: &[u8], manifest: &str) -> Vec<u8> {
    let mut made = bytes[..8].to_vec();
    for (what, from, to) in sections(bytes) {
        let section = &bytes[from..to];
        let ours = what == 0
            && section[..section.len().min(12)]
                .windows(7)
                .any(|p| p == b"kjerne:");
        if !ours {
            made.extend(section);
        }
    }
    made.extend(named("kjerne:manifest", manifest.as_bytes()));
    made
}

/// Installs a file of these bytes.
pub fn install(workspace: &Workspace, bytes: &[u8]) -> Ran {
    let file = workspace.beside("made.wasm");
    std::fs::write(&file, bytes).unwrap();
    workspace.run(&[
        "plugin",
        "install",
        "--unsigned",
        &file.display().to_string(),
    ])
}
