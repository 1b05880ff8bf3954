//! Reweighing: the weights that make group and label independent.
