//! What can go wrong with a plugin before it runs, with the host itself, and with a question.

use std::fmt;

use kjerne_core::limits::Limit;
use kjerne_core::{Fault, Role};

/// Why a plugin cannot be loaded. Every message says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
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
    },
    /// The manifest declares a role the component does not export.
    RoleNotExported(Role),
    /// The component exports a role the manifest does not declare.
    RoleNotDeclared(Role),
    /// The component exports an interface of ours that is no role.
    UnknownExport(String),
    /// The component imports something that is not in the contract.
    UnknownImport(String),
    /// Something the administrator set does not fit the plugin.
    BadGrant(String),
    /// Its settings cannot be handed to it.
    BadSettings(String),
    /// Two plugins of one set have the same id.
    Twice(String),
    /// It was compiled, but does not fit the contract's types, or needs more than the host has.
    DoesNotFit {
        /// The plugin.
        plugin: String,
        /// What does not fit.
        why: String,
    },
    /// It breaks while it is prepared.
    Unprepared {
        /// The plugin.
        plugin: String,
        /// How it breaks.
        why: String,
    },
}

const NOT_WASM: &str =
    "the file is not WebAssembly; give the .wasm file that `kjerne plugin build` wrote";

fn unprepared(plugin: &str, why: &str) -> String {
    format!(
        "plugin {plugin} breaks while it is prepared with its settings: {why}; set others (kjerne plugin \
         settings {plugin} FILE), or switch it off (kjerne plugin disable {plugin})"
    )
}

impl fmt::Display for LoadError {
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
            Self::NotWasm => f.write_str(NOT_WASM),
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
            Self::WrongContract { found, known } => write!(
                f,
                "the plugin was built for kjerne:crm {found}, and this kernel has {known}; build \
                 it with the SDK for {known}, or use a newer kjerne"
            ),
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
            Self::BadGrant(why) | Self::BadSettings(why) => f.write_str(why),
            Self::Twice(id) => write!(f, "plugin {id} is there twice; remove one"),
            Self::DoesNotFit { plugin, why } => write!(
                f,
                "plugin {plugin} does not fit this kernel: {why}; build it again with the SDK of \
                 this version"
            ),
            Self::Unprepared { plugin, why } => f.write_str(&unprepared(plugin, why)),
        }
    }
}

impl std::error::Error for LoadError {}

/// Why the host cannot start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HostError {
    /// The machine cannot run WebAssembly as configured.
    Engine(String),
    /// The directory for compiled plugins cannot be used.
    Cache(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(why) => write!(f, "plugins cannot be run on this machine: {why}"),
            Self::Cache(why) => write!(
                f,
                "the directory for compiled plugins cannot be used: {why}; make it writable, or \
                 remove it"
            ),
        }
    }
}

impl std::error::Error for HostError {}

/// Why a domain model gave no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AskError {
    /// No plugin is bound to the interface.
    NotBound(Role),
    /// The plugin broke.
    Fault(Fault),
    /// The plugin said it cannot answer.
    Failed {
        /// The plugin.
        plugin: String,
        /// Its code: `not-found`, `bad-settings`, or one of its own.
        code: String,
        /// Its sentence.
        message: String,
    },
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBound(role) => write!(
                f,
                "no plugin is bound to {name}; enable one that has the role {name}",
                name = role.name()
            ),
            Self::Fault(fault) => fault.fmt(f),
            Self::Failed {
                plugin,
                code,
                message,
            } => {
                write!(f, "plugin {plugin}: {message} ({code})")
            }
        }
    }
}

impl std::error::Error for AskError {}
