//! Bayesian improved surname geocoding: race and ethnicity by proxy.
