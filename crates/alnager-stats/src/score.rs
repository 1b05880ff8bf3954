//! How a score treats two groups: distance, ranking quality, calibration.
