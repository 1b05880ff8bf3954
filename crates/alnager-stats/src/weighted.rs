//! Rates of weighted rows, and how many rows they are worth.
