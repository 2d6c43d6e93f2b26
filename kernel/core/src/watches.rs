//! What a plugin watches in a role: the changes it is asked about, and the fields it is shown of them.

use std::collections::{BTreeMap, BTreeSet};

use kjerne_model::{Edit, Fields, Name};

/// The kinds a plugin watches in a role, and what of each. Nothing by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Watches {
    kinds: BTreeMap<Name, Watch>,
    /// What it watches of the kinds that are not named.
    every: Option<Watch>,
}

/// What a plugin watches of a kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watch {
    /// What is done to a record.
    pub operations: Operations,
    /// The fields it goes by: an update that changes none of them is none of its business, and it is
    /// shown no others. None means all.
    pub fields: Option<BTreeSet<Name>>,
    /// Whether it wants them beside other changes only, of what it watches in the same commit.
    pub beside: bool,
}

/// What can be done to a record, as far as it is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operations {
    /// It is made.
    pub create: bool,
    /// Some of its fields change.
    pub update: bool,
    /// It is removed.
    pub delete: bool,
}

impl Operations {
    /// Whatever is done.
    pub const ALL: Self = Self {
        create: true,
        update: true,
        delete: true,
    };
}

impl Watch {
    /// Everything.
    pub const ALL: Self = Self {
        operations: Operations::ALL,
        fields: None,
        beside: false,
    };

    /// Whether a change is watched; none stands for no record.
    fn meets(&self, before: Option<&Fields>, after: Option<&Fields>) -> bool {
        match (before, after) {
            (None, _) => self.operations.create,
            (Some(_), None) => self.operations.delete,
            (Some(before), Some(after)) => {
                let differs = |field: &Name| before.get(field) != after.get(field);
                let fields = self.fields.as_ref();
                self.operations.update && fields.is_none_or(|fields| fields.iter().any(differs))
            }
        }
    }

    /// Both, as far as one watch can say so: what one of them shows is shown whichever was met.
    fn joined(one: Option<&Self>, other: &Self) -> Self {
        let Some(one) = one else {
            return other.clone();
        };
        let (these, those) = (one.operations, other.operations);
        let operations = Operations {
            create: these.create || those.create,
            update: these.update || those.update,
            delete: these.delete || those.delete,
        };
        let fields = one.fields.as_ref().zip(other.fields.as_ref());
        Self {
            operations,
            fields: fields.map(|(these, those)| these | those),
            beside: one.beside && other.beside,
        }
    }
}

impl Watches {
    /// Every kind in whole.
    #[must_use]
    pub fn every_kind() -> Self {
        let every = Some(Watch::ALL);
        Self {
            every,
            ..Self::default()
        }
    }

    /// Kinds in whole, as a manifest names them: none means every kind.
    #[must_use]
    pub fn of_kinds(kinds: impl IntoIterator<Item = Name>) -> Self {
        let mut watches = Self::default();
        for kind in kinds {
            watches.add(Some(kind), &Watch::ALL);
        }
        if watches.is_nothing() {
            return Self::every_kind();
        }
        watches
    }

    /// Watches more of a kind, or of every kind.
    pub fn add(&mut self, kind: Option<Name>, watch: &Watch) {
        if let Some(kind) = kind {
            let joined = Watch::joined(self.of(&kind), watch);
            self.kinds.insert(kind, joined);
            return;
        }
        for of_kind in self.kinds.values_mut() {
            *of_kind = Watch::joined(Some(of_kind), watch);
        }
        self.every = Some(Watch::joined(self.every.as_ref(), watch));
    }

    /// Whether nothing at all is watched.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.kinds.is_empty() && self.every.is_none()
    }

    /// What is watched of a kind.
    #[must_use]
    pub fn of(&self, kind: &str) -> Option<&Watch> {
        self.kinds.get(kind).or(self.every.as_ref())
    }

    /// The kinds that are named.
    pub fn named(&self) -> impl Iterator<Item = &Name> {
        self.kinds.keys()
    }

    /// Those of the changes of a commit that are watched: none, unless one of them is watched for itself.
    /// `seen` tells the kind, and the fields before and after.
    pub fn among<T>(
        &self,
        changes: impl Iterator<Item = T>,
        seen: impl Fn(&T) -> (&Name, Option<&Fields>, Option<&Fields>),
    ) -> Vec<T> {
        let mut is_asked = false;
        let is_watched = |change: &T| {
            let (kind, before, after) = seen(change);
            let watch = self.of(kind).filter(|watch| watch.meets(before, after));
            is_asked |= watch.is_some_and(|watch| !watch.beside);
            watch.is_some()
        };
        let watched: Vec<T> = changes.filter(is_watched).collect();
        if is_asked { watched } else { Vec::new() }
    }

    /// Those of the changes of a stored commit that are watched.
    pub fn among_edits<T: std::borrow::Borrow<Edit>>(
        &self,
        edits: impl IntoIterator<Item = T>,
    ) -> Vec<T> {
        self.among(edits.into_iter(), |edit| {
            let edit: &Edit = edit.borrow();
            (&edit.kind, edit.before.as_ref(), edit.after.as_ref())
        })
    }
}
