//! What can go wrong with a plugin before it runs, with the host itself, and with a question.

use std::fmt;

use kjerne_core::{Fault, Role};
use kjerne_package::{Package, PackageError, Stage};

/// Why a plugin cannot be loaded. Every message says what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// Its file is not taken.
    Package(PackageError),
    /// Something the administrator set does not fit the plugin.
    BadGrant(String),
    /// Its settings cannot be handed to it.
    BadSettings(String),
    /// Two plugins of one set have the same id.
    Twice(String),
    /// An instance of it takes more than the host has for one.
    TooDemanding {
        /// The plugin.
        plugin: String,
        /// What it takes, and what there is.
        why: String,
    },
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

impl LoadError {
    /// A plugin that was compiled and does not fit, for the reason the runtime gives. Where its types are not the
    /// contract's, the first place that differs is told before: the runtime rarely says where.
    #[must_use]
    pub fn does_not_fit(package: &Package, why: String) -> Self {
        let plugin = package.manifest.id.clone();
        let why = match kjerne_contract::first_difference(package.bytes()) {
            Some(difference) => format!("{difference}; {why}"),
            None => why,
        };
        Self::DoesNotFit { plugin, why }
    }
}

fn unprepared(plugin: &str, why: &str) -> String {
    format!(
        "plugin {plugin} breaks while it is prepared with its settings: {why}; set others (kjerne plugin \
         settings {plugin} FILE), or switch it off (kjerne plugin disable {plugin})"
    )
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package(error) => error.fmt(f),
            Self::BadGrant(why) | Self::BadSettings(why) => f.write_str(why),
            Self::Twice(id) => write!(f, "plugin {id} is there twice; remove one"),
            Self::DoesNotFit { plugin, why } => write!(
                f,
                "plugin {plugin} does not fit this kernel: {why}; build it again with the SDK of \
                 this version"
            ),
            Self::TooDemanding { plugin, why } => write!(
                f,
                "plugin {plugin} takes more than a plugin has: {why}; build it with less"
            ),
            Self::Unprepared { plugin, why } => f.write_str(&unprepared(plugin, why)),
        }
    }
}

impl std::error::Error for LoadError {}

/// Why a file is not installed, and at which stage that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Misfit {
    /// The stage.
    pub stage: Stage,
    /// Why.
    pub error: LoadError,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Misfit {}

impl From<PackageError> for LoadError {
    fn from(error: PackageError) -> Self {
        Self::Package(error)
    }
}

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
