//! People: names occur only here; everywhere else a person is an id.

use serde::{Deserialize, Serialize};

/// A person got a name. The only event that holds one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonNamed {
    /// The pseudonymous id.
    pub person: String,
    /// The name.
    pub name: String,
}
