//! Where a plugin's types, or those of another version of the contract, differ from the contract's.
//!
//! Types are closed: one that is there on both sides has to be the same, part by part and in order. Of an interface
//! that plugins import, the kernel may have more than a plugin knows; of one they export, it may not, since an
//! older plugin cannot answer a function it has never heard of.

use std::collections::BTreeMap;
use std::fmt;

use wit_parser::{
    Interface, InterfaceId, Resolve, TypeDef, TypeDefKind, TypeOwner, WorldId, WorldItem,
};

use crate::shape;

/// One place where two sides differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Where: `records.get`, `types.change`, `guard`.
    pub place: String,
    /// What the plugin, or the older version, has there; none when it has nothing.
    pub theirs: Option<String>,
    /// What the contract has there; none when it has nothing.
    pub ours: Option<String>,
}

impl Difference {
    fn new(place: String, theirs: Option<String>, ours: Option<String>) -> Self {
        Self {
            place,
            theirs,
            ours,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, .. } = self;
        match (&self.theirs, &self.ours) {
            (Some(theirs), Some(ours)) => {
                write!(f, "{place} is `{theirs}` there and `{ours}` here")
            }
            (Some(theirs), None) => write!(f, "{place} is `{theirs}` there and is not here"),
            (None, Some(ours)) => write!(f, "{place} is `{ours}` here and is not there"),
            (None, None) => f.write_str(place),
        }
    }
}

/// Where `theirs` differs from `ours` in what its world imports and exports, in the order of the world.
#[must_use]
pub fn differences(theirs: &Resolve, world: WorldId, ours: &Resolve) -> Vec<Difference> {
    let world = &theirs.worlds[world];
    let known = interfaces(ours);
    let mut found = Vec::new();
    for (items, exported) in [(&world.imports, false), (&world.exports, true)] {
        for item in items.values() {
            let WorldItem::Interface { id, .. } = item else {
                continue;
            };
            let Some((name, interface)) = ours_by_name(theirs, *id) else {
                continue;
            };
            match known.get(name) {
                Some(own) => compare(
                    &Sides { theirs, ours },
                    interface,
                    own,
                    exported,
                    &mut found,
                ),
                None => found.push(Difference::new(
                    name.to_owned(),
                    Some("interface".to_owned()),
                    None,
                )),
            }
        }
    }
    found
}

/// Where a newer version of the contract does more than grow: what plugins for the older one have, and would not
/// find the same.
#[must_use]
pub fn growth(older: &Resolve, newer: &Resolve) -> Vec<Difference> {
    let mut found = Vec::new();
    let worlds: BTreeMap<&str, _> = newer
        .worlds
        .iter()
        .map(|(id, world)| (world.name.as_str(), id))
        .collect();
    for (id, world) in &older.worlds {
        let Some(other) = worlds.get(world.name.as_str()) else {
            let place = world.name.clone();
            found.push(Difference::new(place, Some("world".to_owned()), None));
            continue;
        };
        found.extend(differences(older, id, newer));
        let sides = [true, false]
            .map(|exported| (names(older, id, exported), names(newer, *other, exported)));
        let [(had, has), (took, takes)] = sides;
        let interface = || Some("interface".to_owned());
        let more = has.iter().filter(|name| !had.contains(name));
        found.extend(more.map(|name| {
            Difference::new(format!("{} exports {name}", world.name), None, interface())
        }));
        let less = took.iter().filter(|name| !takes.contains(name));
        found.extend(less.map(|name| {
            Difference::new(format!("{} imports {name}", world.name), interface(), None)
        }));
    }
    found.dedup();
    found
}

/// The interfaces a world exports, or imports.
fn names(resolve: &Resolve, world: WorldId, exported: bool) -> Vec<&str> {
    let world = &resolve.worlds[world];
    let items = if exported {
        &world.exports
    } else {
        &world.imports
    };
    let name = |item| match item {
        &WorldItem::Interface { id, .. } => resolve.interfaces[id].name.as_deref(),
        _ => None,
    };
    items.values().filter_map(name).collect()
}

/// The interfaces of a contract by name.
fn interfaces(resolve: &Resolve) -> BTreeMap<&str, &Interface> {
    let all = resolve.interfaces.iter();
    all.filter_map(|(id, _)| ours_by_name(resolve, id))
        .collect()
}

/// An interface of `kjerne:crm`, with its name.
fn ours_by_name(resolve: &Resolve, id: InterfaceId) -> Option<(&str, &Interface)> {
    let interface = &resolve.interfaces[id];
    let package = &resolve.packages[interface.package?].name;
    let ours = package.namespace == "kjerne" && package.name == "crm";
    let name = interface.name.as_deref()?;
    ours.then_some((name, interface))
}

struct Sides<'a> {
    theirs: &'a Resolve,
    ours: &'a Resolve,
}

/// Compares one interface: first its types, then its functions.
fn compare(
    sides: &Sides<'_>,
    theirs: &Interface,
    ours: &Interface,
    exported: bool,
    found: &mut Vec<Difference>,
) {
    let interface = ours.name.as_deref().unwrap_or_default();
    for (name, id) in &theirs.types {
        let definition = &sides.theirs.types[*id];
        if is_lent(sides.theirs, definition) {
            continue;
        }
        let place = format!("{interface}.{name}");
        match ours.types.get(name) {
            Some(own) => found.extend(types(sides, &place, definition, &sides.ours.types[*own])),
            None => found.push(Difference::new(
                place,
                Some(shape::word(definition).to_owned()),
                None,
            )),
        }
    }
    for (name, function) in &theirs.functions {
        let there = shape::function(sides.theirs, function);
        let here = ours.functions.get(name);
        let here = here.map(|own| shape::function(sides.ours, own));
        if here.as_ref() != Some(&there) {
            found.push(Difference::new(
                format!("{interface}.{name}"),
                Some(there),
                here,
            ));
        }
    }
    if exported {
        let unknown = ours
            .functions
            .iter()
            .filter(|(name, _)| !theirs.functions.contains_key(*name));
        found.extend(unknown.map(|(name, own)| {
            let here = shape::function(sides.ours, own);
            Difference::new(format!("{interface}.{name}"), None, Some(here))
        }));
    }
}

/// Whether a type is another's under a name of this interface (`use types.{…}`); it is compared where it is from.
fn is_lent(resolve: &Resolve, definition: &TypeDef) -> bool {
    match &definition.kind {
        TypeDefKind::Type(wit_parser::Type::Id(other)) => {
            let from = resolve.types[*other].owner;
            matches!(from, TypeOwner::Interface(_)) && from != definition.owner
        }
        _ => false,
    }
}

/// The first difference of two types of one name: of two records, the first field that is not the same.
fn types(sides: &Sides<'_>, place: &str, theirs: &TypeDef, ours: &TypeDef) -> Option<Difference> {
    let (there, here) = (&theirs.kind, &ours.kind);
    let whole = (
        shape::made_of(sides.theirs, there),
        shape::made_of(sides.ours, here),
    );
    if whole.0 == whole.1 {
        return None;
    }
    let parts = (
        shape::parts(sides.theirs, there),
        shape::parts(sides.ours, here),
    );
    if there.as_str() != here.as_str() || parts.0.is_empty() {
        return Some(Difference::new(
            place.to_owned(),
            Some(whole.0),
            Some(whole.1),
        ));
    }
    let most = parts.0.len().max(parts.1.len());
    let first = (0..most).find(|part| parts.0.get(*part) != parts.1.get(*part))?;
    let place = format!("part {} of the {} {place}", first + 1, here.as_str());
    Some(Difference::new(
        place,
        parts.0.get(first).cloned(),
        parts.1.get(first).cloned(),
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::contract::{FILES, parse};

    /// The contract with one text of it in the place of another, as the version after it.
    fn changed(from: &str, to: &str) -> Resolve {
        let all: String = FILES.map(|(_, text)| text).concat();
        assert!(all.contains(from), "the contract does not say {from:?}");
        let files = FILES
            .map(|(name, text)| (name, text.replacen(from, to, 1).replace("@0.2.0", "@0.2.1")));
        parse(files.iter().map(|(name, text)| (*name, text.as_str()))).unwrap()
    }

    fn grown(from: &str, to: &str) -> Vec<String> {
        let older = parse(FILES).unwrap();
        let found = growth(&older, &changed(from, to));
        let mut told: Vec<String> = found.iter().map(ToString::to_string).collect();
        told.dedup();
        told
    }

    #[test]
    fn what_only_grows_differs_nowhere() {
        for (from, to) in [
            (
                "interface log {",
                "interface log {\n  other: func(level: string);",
            ),
            (
                "    key: func(key: string);",
                "    key: func(key: string);\n    lock: func();",
            ),
            (
                "interface log {",
                "interface tongues { list-all: func() -> list<string>; }\ninterface log {",
            ),
            (
                "interface log {",
                "interface log {\n  record line { text: string }",
            ),
            (
                "world guard-plugin {",
                "world tongue-plugin { include imports; export log; }\nworld guard-plugin {",
            ),
            (
                "  import time;",
                "  import time;\n  import tongues;\n}\ninterface tongues { one: func(); }\nworld unused {",
            ),
            ("/// Reading records.", "/// Reading of records."),
        ] {
            assert_eq!(grown(from, to), Vec::<String>::new(), "{to}");
        }
    }

    /// Every kind of change that breaks a plugin, and how it is told.
    const BREAKING: &[(&str, &str, &str)] = &[
        // A record: a field more, less, of another type, name or place.
        (
            "    depth: u32,\n",
            "",
            "part 4 of the record types.journal-entry is `depth: u32` there and `edits: list<journal-edit>` here",
        ),
        (
            "    edits: list<journal-edit>,",
            "    edits: list<journal-edit>,\n    more: list<field>,",
            "part 6 of the record types.journal-entry is `more: list<field>` here and is not there",
        ),
        (
            "    scale: u8,",
            "    scale: u16,",
            "part 2 of the record types.decimal is `scale: u8` there and `scale: u16` here",
        ),
        (
            "    minor: s64,",
            "    minor-units: s64,",
            "part 1 of the record types.money is `minor: s64` there and `minor-units: s64` here",
        ),
        // A variant: an arm more, an arm of another type.
        (
            "    flag(bool),",
            "    flag(bool),\n    ratio(f64),",
            "part 8 of the variant types.value is `choices(list<string>)` there and `ratio(f64)` here",
        ),
        (
            "    integer(s64),",
            "    integer(s32),",
            "part 2 of the variant types.value is `integer(s64)` there and `integer(s32)` here",
        ),
        // A function of an import: gone, renamed, another parameter, its name, its result.
        (
            "  text: func() -> string;",
            "",
            "settings.text is `func() -> string` there and is not here",
        ),
        (
            "  now: func() -> s64;\n\n",
            "  at: func() -> s64;\n\n",
            "time.now is `func() -> s64` there and is not here",
        ),
        (
            "write: func(level: string, message: string)",
            "write: func(level: u8, message: string)",
            "log.write is `func(level: string, message: string)` there and `func(level: u8, message: string)` here",
        ),
        (
            "write: func(level: string, message: string)",
            "write: func(severity: string, message: string)",
            "log.write is `func(level: string, message: string)` there and `func(severity: string, message: string)` here",
        ),
        (
            "  revision: func() -> u64;",
            "  revision: func() -> s64;",
            "settings.revision is `func() -> u64` there and `func() -> s64` here",
        ),
        // A method or constructor of a resource.
        (
            "    depth: func() -> u32;",
            "",
            "types.[method]call-context.depth is `func() -> u32` there and is not here",
        ),
        (
            "    constructor(kind: string);",
            "    constructor(kind: string, limit: u32);",
            "records.[constructor]query is `func(kind: string)` there and `func(kind: string, limit: u32)` here",
        ),
        // A role: a function more, one that owns what it was lent, a role gone, a world with a second role.
        (
            "  watches: func() -> list<role-watches>;",
            "  watches: func() -> list<role-watches>;\n  more: func();",
            "prepare.more is `func()` here and is not there",
        ),
        (
            "  guard: func(context: borrow<call-context>,",
            "  guard: func(context: call-context,",
            "guard.guard is `func(context: borrow<call-context>, changes: list<change>, findings: borrow<findings>)` there and `func(context: own<call-context>, changes: list<change>, findings: borrow<findings>)` here",
        ),
        (
            "  export guard;",
            "  export guard;\n  export prepare;",
            "guard-plugin exports prepare is `interface` here and is not there",
        ),
        (
            "world react-plugin {",
            "world reacts-plugin {",
            "react-plugin is `world` there and is not here",
        ),
        (
            "  import state;\n",
            "",
            "guard-plugin imports state is `interface` there and is not here",
        ),
    ];

    #[test]
    fn every_change_that_breaks_a_plugin_is_found_and_told() {
        for (from, to, told) in BREAKING {
            let found = grown(from, to);
            assert!(found.iter().any(|one| one == told), "{to:?}: {found:#?}");
        }
    }

    #[test]
    fn a_type_that_is_gone_is_told() {
        let older = changed(
            "interface log {",
            "interface log {\n  record line { text: string }",
        );
        let found = growth(&older, &parse(FILES).unwrap());
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            told.iter()
                .all(|one| one == "log.line is `record` there and is not here"),
            "{told:?}"
        );
        assert!(!told.is_empty());
    }

    #[test]
    fn the_contract_does_not_differ_from_itself() {
        let one = parse(FILES).unwrap();
        assert_eq!(growth(&one, &one), Vec::new());
    }
}
