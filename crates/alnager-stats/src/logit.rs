//! Logistic regression by Newton's method.
