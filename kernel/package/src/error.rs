//! Why a plugin's file is not taken.

use std::fmt;

use kjerne_contract::Difference;
use kjerne_core::Role;
use kjerne_core::limits::Limit;

/// Why a plugin's file is not taken. Every message says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PackageError {
    /// The file is larger than allowed, or has more of something.
    TooLarge {
        /// The limit that was passed.
        limit: Limit,
        /// How much there is, where it was counted to the end.
        found: Option<u64>,
    },
    /// The file is not WebAssembly at all.
    NotWasm,
    /// The file is WebAssembly, but a core module, which has no contract.
    CoreModule,
    /// The file is damaged, or uses a WebAssembly feature that is turned off.
    Invalid(String),
    /// A component, but with none of the contract's interfaces.
    NotOurs,
    /// There is no manifest inside.
    NoManifest,
    /// The manifest cannot be read.
    BadManifest(String),
    /// It was built for another version of the contract.
    WrongContract {
        /// The version it was built for.
        found: String,
        /// The version this kernel has.
        known: &'static str,
        /// The first place where the two differ for this plugin, when its types could be read.
        difference: Option<Difference>,
    },
    /// The manifest declares a role the component does not export.
    RoleNotExported(Role),
    /// The component exports a role the manifest does not declare.
    RoleNotDeclared(Role),
    /// The component exports an interface of ours that is no role.
    UnknownExport(String),
    /// The component imports something that is not in the contract.
    UnknownImport(String),
}

fn wrong_contract(found: &str, known: &str, difference: Option<&Difference>) -> String {
    let difference = difference.map(|difference| format!("; the first difference: {difference}"));
    format!(
        "the plugin was built for kjerne:crm {found}, and this kernel has {known}; build it with the SDK for \
         {known}, or use a newer kjerne{}",
        difference.unwrap_or_default()
    )
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { limit, found } => {
                let Limit {
                    name, value, unit, ..
                } = limit;
                let found = found
                    .map(|found| format!(" with {found}"))
                    .unwrap_or_default();
                write!(
                    f,
                    "the plugin passes its limit {name} of {value} {unit}{found}; a plugin that any \
                     compiler makes stays far below"
                )
            }
            Self::NotWasm => f.write_str(
                "the file is not WebAssembly; give the .wasm file that `kjerne plugin build` wrote",
            ),
            Self::CoreModule => f.write_str(
                "the file is a core module, not a component; build it with `kjerne plugin build`",
            ),
            Self::Invalid(why) => write!(
                f,
                "the file is no component this host runs: {why}; build it again with \
                 `kjerne plugin build`"
            ),
            Self::NotOurs => f.write_str(
                "the component has no role of kjerne:crm (shape, guard, react, …); a plugin \
                 exports at least one",
            ),
            Self::NoManifest => f.write_str(
                "the component has no manifest inside; write kjerne.toml and build it with \
                 `kjerne plugin build`",
            ),
            Self::BadManifest(why) => write!(f, "the manifest cannot be read: {why}"),
            Self::WrongContract {
                found,
                known,
                difference,
            } => f.write_str(&wrong_contract(found, known, difference.as_ref())),
            Self::RoleNotExported(role) => write!(
                f,
                "the manifest declares the role {name}, but the component does not export it; \
                 remove [roles.{name}] or implement it",
                name = role.name()
            ),
            Self::RoleNotDeclared(role) => write!(
                f,
                "the component exports the role {name}, but the manifest does not declare it; add \
                 [roles.{name}] to kjerne.toml",
                name = role.name()
            ),
            Self::UnknownExport(name) => write!(
                f,
                "the component exports {name}, which is no role of this contract; remove it"
            ),
            Self::UnknownImport(name) => write!(
                f,
                "the component imports {name}, which no plugin is given; build it for \
                 wasm32-unknown-unknown with `kjerne plugin build`"
            ),
        }
    }
}

impl std::error::Error for PackageError {}
