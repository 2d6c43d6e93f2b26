//! Values, filters and records, by whatever way they come in.
