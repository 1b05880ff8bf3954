//! What a sample of this size could have found.
