//! Linear regression with robust standard errors.
