//! Numeric predictions by group: errors, bias, correlation.
