//! Random numbers from a seed, the same on every machine and in every version.
