//! Faults for tests: a call of the storage fails before it happened, or happens and its answer is lost, or is torn.
//!
//! In the program itself there is nothing in it.

use crate::error::StoreError;

/// How a call goes wrong.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not happen.
    Refused,
    /// It happens, and nobody hears of it.
    AnswerLost,
    /// Half of it happens. Only a file that is being written can be torn; for anything else it is the same as refused.
    Torn,
}

#[cfg(test)]
#[derive(Debug, Default)]
struct Plan {
    /// Calls that still succeed before the fault.
    left: Option<u64>,
    fault: Option<Fault>,
    /// Every call after the fault fails too, as after a crash.
    is_down: bool,
    stays_down: bool,
    calls: u64,
    lose: bool,
}

/// The faults of one desk, shared by its databases and its blobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    #[cfg(test)]
    plan: std::sync::Arc<std::sync::Mutex<Plan>>,
}

#[cfg(not(test))]
#[expect(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "only tests have faults"
)]
impl Faults {
    /// To be called before a call of the storage.
    pub(crate) fn before(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// To be called after it.
    pub(crate) fn after(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether a file's writing is to stop half-way.
    pub(crate) fn tears(&self) -> bool {
        false
    }
}

impl Faults {
    /// A step that is no statement.
    pub(crate) fn step<T>(
        &self,
        step: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.before()?;
        let done = step()?;
        self.after()?;
        Ok(done)
    }

    /// Writes a file.
    pub(crate) fn write(
        &self,
        bytes: &[u8],
        write: impl Fn(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.tears() {
            let (half, _) = bytes.split_at(bytes.len() / 2);
            write(half)?;
        }
        self.step(|| write(bytes))
    }
}

#[cfg(test)]
impl Faults {
    /// From now on `calls` calls succeed and the next one goes wrong; with `stays_down`, so does every later one.
    pub(crate) fn plan(&self, calls: u64, fault: Fault, stays_down: bool) {
        *self.lock() = Plan {
            left: Some(calls),
            fault: Some(fault),
            stays_down,
            ..Plan::default()
        };
    }

    /// No further faults; the number of calls since the plan was made.
    pub(crate) fn clear(&self) -> u64 {
        std::mem::take(&mut *self.lock()).calls
    }

    /// Whether the planned fault has happened.
    pub(crate) fn has_struck(&self) -> bool {
        self.lock().left.is_none() && self.lock().fault.is_some()
    }

    pub(crate) fn before(&self) -> Result<(), StoreError> {
        let mut plan = self.lock();
        plan.calls += 1;
        if plan.is_down {
            return Err(fault());
        }
        match plan.left {
            None => Ok(()),
            Some(0) => {
                plan.left = None;
                plan.is_down = plan.stays_down;
                if plan.fault == Some(Fault::AnswerLost) {
                    plan.lose = true;
                    Ok(())
                } else {
                    Err(fault())
                }
            }
            Some(left) => {
                plan.left = Some(left - 1);
                Ok(())
            }
        }
    }

    pub(crate) fn after(&self) -> Result<(), StoreError> {
        match std::mem::take(&mut self.lock().lose) {
            true => Err(fault()),
            false => Ok(()),
        }
    }

    /// Whether the next call is the one that goes wrong, by being torn.
    pub(crate) fn tears(&self) -> bool {
        let plan = self.lock();
        plan.left == Some(0) && plan.fault == Some(Fault::Torn)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.plan
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
fn fault() -> StoreError {
    StoreError::Io {
        path: std::path::PathBuf::new(),
        source: std::io::Error::other("a fault of the test"),
    }
}
