//! Files of other systems: identity, dates, amounts, look-ups, shapes of files.
