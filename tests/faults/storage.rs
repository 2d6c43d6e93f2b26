//! The data file and what can happen to it, and the program's life around it.
