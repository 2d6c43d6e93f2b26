//! What a plugin watches, as it tells the kernel once its settings are read.

use crate::change::Operation;
use crate::contract::{RoleWatches, Watch as Told};

/// What a plugin watches in its roles: less than its manifest says, and never more.
///
/// A role that is not named here watches what the manifest says. One that is named without any
/// [`Watch`] watches nothing, and is never called.
///
/// ```
/// use kjerne_sdk::prelude::*;
///
/// let deals = Watch::kind("opportunity").on(&[Operation::Create, Operation::Update]);
/// let watches = Watches::as_declared().guard([deals.fields(["stage", "amount"])]);
/// # assert_eq!(watches.told().len(), 1);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Watches(Vec<RoleWatches>);

/// What a plugin watches of a kind: everything, unless it is narrowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch(Told);

impl Watches {
    /// What the manifest says.
    #[must_use]
    pub fn as_declared() -> Self {
        Self::default()
    }

    /// What it watches as a shape.
    #[must_use]
    pub fn shape(self, watches: impl IntoIterator<Item = Watch>) -> Self {
        self.with("shape", watches)
    }

    /// What it watches as a guard.
    #[must_use]
    pub fn guard(self, watches: impl IntoIterator<Item = Watch>) -> Self {
        self.with("guard", watches)
    }

    /// What its reaction watches.
    #[must_use]
    pub fn react(self, watches: impl IntoIterator<Item = Watch>) -> Self {
        self.with("react", watches)
    }

    /// What it makes messages of, as an integration.
    #[must_use]
    pub fn integration(self, watches: impl IntoIterator<Item = Watch>) -> Self {
        self.with("integration", watches)
    }

    /// What the kernel is told.
    #[must_use]
    pub fn told(self) -> Vec<RoleWatches> {
        self.0
    }

    fn with(mut self, role: &str, watches: impl IntoIterator<Item = Watch>) -> Self {
        self.0.push(RoleWatches {
            role: role.to_owned(),
            watches: watches.into_iter().map(|watch| watch.0).collect(),
        });
        self
    }
}

impl Watch {
    /// A kind that the manifest watches in the role.
    #[must_use]
    pub fn kind(kind: impl Into<String>) -> Self {
        Self::of(Some(kind.into()))
    }

    /// Every kind that the manifest watches in the role.
    #[must_use]
    pub fn every_kind() -> Self {
        Self::of(None)
    }

    fn of(kind: Option<String>) -> Self {
        Self(Told {
            kind,
            operations: Vec::new(),
            fields: None,
            beside: false,
        })
    }

    /// Only what is done to a record in one of these ways. None of them leaves all.
    #[must_use]
    pub fn on(mut self, operations: &[Operation]) -> Self {
        self.0.operations = operations.iter().map(|one| one.name().to_owned()).collect();
        self
    }

    /// The fields it goes by: an update that changes none of them is not shown, and of a record no
    /// others are. The part of an address stands for the address.
    #[must_use]
    pub fn fields(mut self, fields: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let whole = |field: &str| field.split('.').next().unwrap_or_default().to_owned();
        let mut fields: Vec<String> = fields
            .into_iter()
            .map(|field| whole(field.as_ref()))
            .collect();
        fields.sort_unstable();
        fields.dedup();
        self.0.fields = Some(fields);
        self
    }

    /// Shown only beside another change of the same commit that is watched.
    #[must_use]
    pub fn beside(mut self) -> Self {
        self.0.beside = true;
        self
    }
}
