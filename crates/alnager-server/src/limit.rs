//! How often somebody may try: failures are counted for a while, by what they were about.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures until one must wait.
const FAILURES_MAX: u32 = 10;
/// How long failures count.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Most names remembered; beyond them all are forgotten.
const NAMES_MAX: usize = 100_000;

/// Failures by name: an account, or an address.
#[derive(Debug, Default)]
pub struct Limits {
    failures: Mutex<HashMap<String, (Instant, u32)>>,
}

impl Limits {
    /// How long the holder of a name must wait; `None` where they may try now.
    pub fn wait(&self, name: &str, now: Instant) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, n) = failures.get(name)?;
        let passed = now.saturating_duration_since(*since);
        (*n >= FAILURES_MAX && passed < WINDOW).then(|| WINDOW.saturating_sub(passed))
    }

    /// Counts a failure.
    pub fn fail(&self, name: &str, now: Instant) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= NAMES_MAX && !failures.contains_key(name) {
            failures.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
            if failures.len() >= NAMES_MAX {
                failures.clear();
            }
        }
        let entry = failures.entry(name.to_owned()).or_insert((now, 0));
        if now.saturating_duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }

    /// Forgets the failures of a name: whoever has it got in.
    pub fn forget(&self, name: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_make_wait_until_the_window_has_passed() {
        let limits = Limits::default();
        let start = Instant::now();
        for _ in 0..9 {
            limits.fail("mira", start);
        }
        assert_eq!(limits.wait("mira", start), None);
        limits.fail("mira", start);
        assert!(limits.wait("mira", start).is_some());
        assert_eq!(limits.wait("jon", start), None);
        assert_eq!(limits.wait("mira", start + WINDOW), None);
        limits.fail("mira", start + WINDOW);
        assert_eq!(limits.wait("mira", start + WINDOW), None);
        limits.forget("mira");
        assert_eq!(limits.wait("mira", start), None);
    }
}
