//! Uploads: files that somebody sent and has not confirmed yet. Held in memory, few, and not for long.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::refusal::Refusal;
use crate::secret::random;

/// How long a file is held.
pub const HELD_FOR: Duration = Duration::from_secs(15 * 60);

/// Most files held for an organisation: a newer one drives out the oldest.
const HELD_MAX: usize = 4;

/// The files held for one organisation.
#[derive(Default)]
pub struct Uploads(Mutex<VecDeque<Held>>);

struct Held {
    key: String,
    person: String,
    upload: Upload,
    since: Instant,
}

/// A file.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its name, as the browser gave it.
    pub file: String,
    /// Its bytes.
    pub bytes: Arc<Vec<u8>>,
}

impl Uploads {
    /// Holds a file for a person; the key is the way back to it.
    pub fn hold(&self, person: &str, upload: Upload) -> Result<String, Refusal> {
        let key = alnager_work::library::hex(&random::<16>()?);
        let mut held = self.held();
        while held.len() >= HELD_MAX {
            held.pop_front();
        }
        held.push_back(Held {
            key: key.clone(),
            person: person.to_owned(),
            upload,
            since: Instant::now(),
        });
        Ok(key)
    }

    /// A person's file; `None` where it is held no longer, or is somebody else's.
    pub fn get(&self, person: &str, key: &str) -> Option<Upload> {
        let held = self.held();
        let mut own = held.iter().filter(|held| held.person == person);
        own.find(|held| held.key == key)
            .map(|held| held.upload.clone())
    }

    /// Lets a file go.
    pub fn release(&self, key: &str) {
        self.held().retain(|held| held.key != key);
    }

    fn held(&self) -> std::sync::MutexGuard<'_, VecDeque<Held>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|held| held.since.elapsed() < HELD_FOR);
        held
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_is_its_owners_and_the_newest_few_are_held() {
        let uploads = Uploads::default();
        let file = |name: &str| Upload {
            file: name.to_owned(),
            bytes: Arc::new(Vec::new()),
        };
        let keys: Vec<String> = (0..HELD_MAX + 1)
            .map(|n| uploads.hold("a", file(&n.to_string())).unwrap())
            .collect();
        assert!(uploads.get("a", &keys[0]).is_none());
        assert_eq!(uploads.get("a", &keys[1]).unwrap().file, "1");
        assert!(uploads.get("b", &keys[1]).is_none());
        uploads.release(&keys[1]);
        assert!(uploads.get("a", &keys[1]).is_none());
    }
}
