//! The steps a plugin's file passes before it is installed, in their order. A refusal names the one at
//! which it was made, so that its author knows where to look.

use std::fmt;

use crate::error::PackageError;
use crate::limits;

/// One step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Stage {
    /// Its size, before anything of it is read.
    Size,
    /// Its signature, over the bytes as they came.
    Signature,
    /// What it consists of, counted.
    Structure,
    /// What it says about itself.
    Manifest,
    /// WebAssembly's own rules, with the features a plugin may use.
    Validation,
    /// Its roles, its imports, and their types.
    Contract,
    /// What an instance takes, against what the host has for one.
    Resources,
    /// Native code is made of it, in a process of its own.
    Compilation,
    /// One instance under the smallest budget; prepared, where it can be.
    SmokeRun,
    /// What it may do, against what it may do now.
    Review,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Signature => "signature",
            Self::Structure => "structure",
            Self::Manifest => "manifest",
            Self::Validation => "validation",
            Self::Contract => "contract",
            Self::Resources => "resources",
            Self::Compilation => "compilation",
            Self::SmokeRun => "smoke run",
            Self::Review => "review",
        })
    }
}

impl PackageError {
    /// The step at which a file is refused so.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::TooLarge { limit, .. } if *limit == limits::PACKAGE => Stage::Size,
            Self::TooLarge { limit, .. } if *limit == limits::VALIDATION => Stage::Validation,
            // What is no limit of the file is one of the compiler.
            Self::TooLarge { limit, .. } if !limits::ALL.contains(limit) => Stage::Compilation,
            Self::TooLarge { .. } | Self::NotWasm | Self::CoreModule => Stage::Structure,
            Self::Invalid(_) => Stage::Validation,
            Self::NoManifest | Self::BadManifest(_) => Stage::Manifest,
            Self::NotOurs
            | Self::WrongContract { .. }
            | Self::RoleNotExported(_)
            | Self::RoleNotDeclared(_)
            | Self::UnknownExport(_)
            | Self::UnknownImport(_) => Stage::Contract,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kjerne_core::limits::Limit;

    #[test]
    fn every_refusal_has_its_stage() {
        let large = |limit: Limit| PackageError::TooLarge { limit, found: None };
        let other = Limit {
            name: "compile-time",
            ..limits::PACKAGE
        };
        for (error, stage) in [
            (large(limits::PACKAGE), "size"),
            (large(limits::NESTING), "structure"),
            (large(limits::VALIDATION), "validation"),
            (large(other), "compilation"),
            (PackageError::NotWasm, "structure"),
            (PackageError::NoManifest, "manifest"),
            (PackageError::Invalid(String::new()), "validation"),
            (PackageError::NotOurs, "contract"),
        ] {
            assert_eq!(error.stage().to_string(), stage, "{error}");
        }
    }
}
