//! What changed between two versions of packs.

use std::path::Path;

use alnager_law::change::{Change, book_changes};
use alnager_law::pack::Pack;

use crate::error::JobError;
use crate::law::version::packs;
use crate::library::sha256;

/// What changed, and between which packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackDiff {
    /// The packs before, each as its id and version.
    pub old: Vec<(String, String)>,
    /// The packs after.
    pub new: Vec<(String, String)>,
    /// The changes, in the order of the new packs.
    pub operations: Vec<Operation>,
}

/// A change with the hashes of both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The change.
    pub change: Change,
    /// SHA-256 of the text before, hexadecimal.
    pub before_sha256: Option<String>,
    /// SHA-256 of the text after, hexadecimal.
    pub after_sha256: Option<String>,
}

/// Compares packs: each path is a `pack.toml`, a folder with one, a folder of such folders, or a whole `packs/` folder. Nothing
/// is asked of a desk.
pub fn diff_packs(old: &Path, new: &Path) -> Result<PackDiff, JobError> {
    let (old, new) = (packs(old)?, packs(new)?);
    let hash = |text: &Option<String>| text.as_ref().map(|text| sha256(text.as_bytes()));
    let operations = book_changes(&old, &new)
        .into_iter()
        .map(|change| Operation {
            before_sha256: hash(&change.before),
            after_sha256: hash(&change.after),
            change,
        });
    let named = |packs: &[Pack]| {
        let named = packs
            .iter()
            .map(|pack| (pack.id.clone(), pack.version.clone()));
        named.collect()
    };
    Ok(PackDiff {
        old: named(&old),
        new: named(&new),
        operations: operations.collect(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    #[test]
    fn anyone_can_check_the_hash_of_a_side() {
        let folder = tempfile::tempdir().unwrap();
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/law/eu-ai-act");
        let text = std::fs::read_to_string(packs.join("pack.toml")).unwrap();
        let edited = text.replacen("cite = \"Art 9\"", "cite = \"Art 9(1)\"", 1);
        assert_ne!(text, edited);
        let file = folder.path().join("pack.toml");
        std::fs::write(&file, edited).unwrap();
        let found = diff_packs(&packs, &file).unwrap();
        let [operation] = found.operations.as_slice() else {
            panic!("{:?}", found.operations);
        };
        assert_eq!(operation.change.label, "EUAIA-9");
        for (text, hash) in [
            (&operation.change.before, &operation.before_sha256),
            (&operation.change.after, &operation.after_sha256),
        ] {
            let text = text.as_ref().unwrap();
            assert_eq!(hash.as_ref(), Some(&sha256(text.as_bytes())));
        }
    }
}
