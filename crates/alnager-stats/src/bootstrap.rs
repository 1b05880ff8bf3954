//! Resampled counts: how far any figure made from cells could have come out otherwise.
