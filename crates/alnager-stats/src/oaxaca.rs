//! A gap between two groups, split into what their characteristics explain and what they do not.
