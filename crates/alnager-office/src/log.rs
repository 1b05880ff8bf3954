//! The log itself: keys that no longer sign it, and forks after which it went on under another origin.

use alnager_journal::note::{KeyKind, VerifyingKey};
use imbl::{OrdMap, Vector};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::counsel::need_reason;
use crate::decide::{Draft, Refused};
use crate::event::Event;
use crate::state::{Meta, State};

/// Another key signs the log from now on; the old one signs beside it until it is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRotated {
    /// The old key, as a `vkey`.
    pub old: String,
    /// The new key, as a `vkey`.
    pub new: String,
    /// Who rotated it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// A key signs no further checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDropped {
    /// The key, as a `vkey`.
    pub key: String,
    /// Who dropped it.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// The log went on under a new origin, because its guard had seen more than it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogForked {
    /// The old origin, which never signs again.
    pub origin: String,
    /// The number of entries that both share.
    pub size: u64,
    /// The root over them, base64.
    pub root: String,
    /// The last good checkpoint: the whole note of that size and root.
    pub checkpoint: String,
    /// The size that the guard had seen.
    pub seen_size: u64,
    /// The root that it had seen, base64.
    pub seen_root: String,
    /// The checkpoint that it had seen, the whole note.
    pub seen_checkpoint: String,
    /// Who decided.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
}

/// A fork to be entered: what the store knows of it. See [`LogForked`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFork {
    /// The old origin.
    pub origin: String,
    /// The number of entries that both share.
    pub size: u64,
    /// The root over them, base64.
    pub root: String,
    /// The last good checkpoint, the whole note.
    pub checkpoint: String,
    /// The size that the guard had seen.
    pub seen_size: u64,
    /// The root that it had seen, base64.
    pub seen_root: String,
    /// The checkpoint that it had seen, the whole note.
    pub seen_checkpoint: String,
    /// Why.
    pub reason: String,
}

/// What the journal says of its own log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OwnLog {
    /// Keys that were replaced, by their `vkey`.
    pub retired: OrdMap<String, RetiredKey>,
    /// Forks, the oldest first.
    pub forks: Vector<Fork>,
}

/// A key that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiredKey {
    /// The key in its place, as a `vkey`.
    pub replaced_by: String,
    /// The entry that says so.
    pub rotated_at: u64,
    /// The entry after which it signs no more.
    pub dropped_at: Option<u64>,
}

/// A fork as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The old origin.
    pub origin: String,
    /// The number of entries that both share.
    pub size: u64,
    /// The size that the guard had seen.
    pub seen_size: u64,
    /// The root that it had seen, base64.
    pub seen_root: String,
    /// When.
    pub on: Date,
    /// Why.
    pub reason: String,
    /// The entry that says so.
    pub at: u64,
}

impl State {
    pub(crate) fn rotate(&mut self, rotated: &KeyRotated, meta: &Meta) {
        let key = RetiredKey {
            replaced_by: rotated.new.clone(),
            rotated_at: meta.index,
            dropped_at: None,
        };
        self.log.retired.insert(rotated.old.clone(), key);
    }

    /// Takes the end of a key; that of an unknown one changes nothing.
    pub(crate) fn drop_key(&mut self, dropped: &KeyDropped, meta: &Meta) {
        if let Some(key) = self.log.retired.get_mut(&dropped.key) {
            key.dropped_at.get_or_insert(meta.index);
        }
    }

    pub(crate) fn fork(&mut self, forked: &LogForked, meta: &Meta) {
        let fork = Fork {
            origin: forked.origin.clone(),
            size: forked.size,
            seen_size: forked.seen_size,
            seen_root: forked.seen_root.clone(),
            on: forked.on,
            reason: forked.reason.clone(),
            at: meta.index,
        };
        self.log.forks.push_back(fork);
    }
}

impl Draft<'_> {
    /// Says that another key signs from now on.
    pub(crate) fn rotate_key(&mut self, old: &str, new: &str, reason: &str) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let (was, is) = (log_key(old)?, log_key(new)?);
        if was.name() != is.name() {
            return Err(Refused::OtherLog {
                key: new.to_owned(),
                origin: was.name().to_owned(),
            });
        }
        if old == new || self.state.log.retired.contains_key(new) {
            return Err(Refused::UsedKey {
                key: new.to_owned(),
            });
        }
        if self.state.log.retired.contains_key(old) {
            return Err(Refused::AlreadyDecided {
                what: format!("`{old}` was replaced before"),
            });
        }
        let rotated = KeyRotated {
            old: old.to_owned(),
            new: new.to_owned(),
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_organisation(Event::KeyRotated(rotated));
        Ok(())
    }

    /// Says that a replaced key signs no more.
    pub(crate) fn drop_log_key(&mut self, key: &str, reason: &str) -> Result<(), Refused> {
        need_reason(reason, "--reason")?;
        let known = self.state.log.retired.get(key);
        let Some(known) = known else {
            return Err(Refused::KeyInUse {
                key: key.to_owned(),
            });
        };
        if known.dropped_at.is_some() {
            return Err(Refused::AlreadyDecided {
                what: format!("`{key}` was dropped before"),
            });
        }
        let dropped = KeyDropped {
            key: key.to_owned(),
            by: self.acting(),
            on: self.with.today,
            reason: reason.to_owned(),
        };
        self.push_organisation(Event::KeyDropped(dropped));
        Ok(())
    }

    /// Pins the last good checkpoint of the old origin, and what its guard had seen.
    pub(crate) fn fork_log(&mut self, new: &NewFork) -> Result<(), Refused> {
        need_reason(&new.reason, "--reason")?;
        let forked = LogForked {
            origin: new.origin.clone(),
            size: new.size,
            root: new.root.clone(),
            checkpoint: new.checkpoint.clone(),
            seen_size: new.seen_size,
            seen_root: new.seen_root.clone(),
            seen_checkpoint: new.seen_checkpoint.clone(),
            by: self.acting(),
            on: self.with.today,
            reason: new.reason.clone(),
        };
        self.push_organisation(Event::LogForked(Box::new(forked)));
        Ok(())
    }
}

/// A key that can sign a log.
fn log_key(text: &str) -> Result<VerifyingKey, Refused> {
    let key = VerifyingKey::parse(text).ok();
    let key = key.filter(|key| key.kind() == KeyKind::Ed25519);
    key.ok_or_else(|| Refused::NoLogKey {
        key: text.to_owned(),
    })
}
