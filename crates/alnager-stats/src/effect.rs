//! Average marginal effects of a fitted logistic regression.
