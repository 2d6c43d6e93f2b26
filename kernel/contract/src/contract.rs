//! The contract's files, and a component held against them.

use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Resolve, SourceMap};

use crate::compare::{Difference, differences};

/// The version of `kjerne:crm` this kernel has.
pub const VERSION: &str = "0.2.0";

/// The contract's files: name and text.
pub const FILES: [(&str, &str); 7] = [
    (
        "imports.wit",
        include_str!("../../../wit/v0.2.0/imports.wit"),
    ),
    ("models.wit", include_str!("../../../wit/v0.2.0/models.wit")),
    ("roles.wit", include_str!("../../../wit/v0.2.0/roles.wit")),
    (
        "schedule.wit",
        include_str!("../../../wit/v0.2.0/schedule.wit"),
    ),
    (
        "screens.wit",
        include_str!("../../../wit/v0.2.0/screens.wit"),
    ),
    ("types.wit", include_str!("../../../wit/v0.2.0/types.wit")),
    ("worlds.wit", include_str!("../../../wit/v0.2.0/worlds.wit")),
];

/// Reads a contract of the given files.
///
/// # Errors
/// When they are no WIT, with the place.
pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Resolve, String> {
    let mut sources = SourceMap::new();
    for (name, text) in files {
        sources.push_str(name, text);
    }
    let group = sources
        .parse()
        .map_err(|(sources, error)| error.render(&sources))?;
    let mut resolve = Resolve::default();
    resolve
        .push_group(group)
        .map_err(|error| error.to_string())?;
    Ok(resolve)
}

/// The first place where a component does not fit the contract; none when it fits, or when it is no component
/// whose types can be read. The component has to be valid: its types are bounded then.
#[must_use]
pub fn first_difference(component: &[u8]) -> Option<Difference> {
    let DecodedWasm::Component(theirs, world) = decode(component).ok()? else {
        return None;
    };
    let ours = parse(FILES).ok()?;
    differences(&theirs, world, &ours).into_iter().next()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_here() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/v0.2.0");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        assert_eq!(names, FILES.map(|(name, _)| name));
    }

    #[test]
    fn what_is_no_component_has_no_difference() {
        assert_eq!(first_difference(b""), None);
        assert_eq!(first_difference(b"\0asm\x01\0\0\0"), None);
    }

    #[test]
    fn a_fault_in_a_contract_is_told_with_its_place() {
        let told = parse([(
            "a.wit",
            "package kjerne:crm@1.0.0;\ninterface x { f: func( }",
        )]);
        assert!(told.unwrap_err().contains("a.wit:2"));
    }
}
