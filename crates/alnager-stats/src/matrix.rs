//! Least squares by Householder reflections, and the small dense matrices it needs.
