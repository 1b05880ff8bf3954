//! Decisions with more than two classes.
