//! Ranked lists: skew, NDKL, exposure.
