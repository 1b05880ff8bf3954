//! Scores of people as counts by distinct value: the empirical distribution every score metric follows from.
