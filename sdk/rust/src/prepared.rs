//! What a plugin makes of its settings once, and every call finds there.

#[cfg(target_family = "wasm")]
use std::sync::OnceLock;

use crate::settings::Faults;

/// Something made of the settings, in a `static` of the plugin.
///
/// With [`Prepare`](crate::Prepare) it is made when the plugin is switched on or its settings are set,
/// and each call finds it in its memory. Without, the first use in a call makes it.
///
/// ```
/// use kjerne_sdk::prelude::*;
/// # use kjerne_sdk::testing::World;
///
/// static AT_MOST: Prepared<i64> = Prepared::new(|| {
///     settings::load().read(|root| {
///         let most = root.number("at_most", 1..=100).unwrap_or(10);
///         root.finish();
///         most
///     })
/// });
///
/// struct Plugin;
///
/// impl Prepare for Plugin {
///     fn prepare() -> Result<(), settings::Faults> {
///         AT_MOST.prepare()
///     }
/// }
/// # World::default().enter(|| assert_eq!(AT_MOST.get(), Ok(&10)));
/// ```
pub struct Prepared<T: 'static> {
    make: fn() -> Result<T, Faults>,
    #[cfg(target_family = "wasm")]
    made: OnceLock<Result<T, Faults>>,
}

impl<T> Prepared<T> {
    /// Something that `make` makes of the settings. It may ask for nothing but settings, zones and
    /// whether a query could be asked: whatever else it found would be old when a call uses it.
    #[must_use]
    pub const fn new(make: fn() -> Result<T, Faults>) -> Self {
        Self {
            make,
            #[cfg(target_family = "wasm")]
            made: OnceLock::new(),
        }
    }

    /// What was made.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    #[cfg(target_family = "wasm")]
    pub fn get(&'static self) -> Result<&'static T, &'static Faults> {
        self.made.get_or_init(self.make).as_ref()
    }

    /// What was made. In a native test it is made anew each time, since each has settings of its own.
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    #[cfg(not(target_family = "wasm"))]
    pub fn get(&'static self) -> Result<&'static T, &'static Faults> {
        let made: &'static Result<T, Faults> = Box::leak(Box::new((self.make)()));
        made.as_ref()
    }

    /// Makes it, for [`Prepare::prepare`](crate::Prepare::prepare).
    ///
    /// # Errors
    /// Everything that is wrong with the settings.
    pub fn prepare(&'static self) -> Result<(), Faults> {
        self.get().map(drop).map_err(Clone::clone)
    }
}
