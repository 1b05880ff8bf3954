//! How unequally a benefit is spread: Theil, generalized entropy, and what lies between groups.
