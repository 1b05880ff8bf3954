//! Snapshots: the state as bytes, so that a start need not fold the whole journal. A cache: whoever doubts one throws it away and folds.

use crate::state::State;

/// The number of the state's form. A change of what the state holds, or of what an event does to it, needs the next number: a snapshot of
/// another one is thrown away.
pub const STATE_FORMAT: u32 = 6;

/// What is wrong with a snapshot. The journal is whole all the same.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Another version of the program wrote it.
    #[error(
        "the snapshot has form {found}, and this version reads form {STATE_FORMAT}; fold the journal again"
    )]
    Format {
        /// The number it has.
        found: u32,
    },
    /// It is not what [`State::to_snapshot`] writes.
    #[error("the snapshot cannot be read; fold the journal again")]
    Unreadable,
}

impl State {
    /// The state as bytes: [`STATE_FORMAT`] in decimal, a newline, JSON. People's names are not in it; they are in the entries that
    /// [`State::person_entries`] lists.
    pub fn to_snapshot(&self) -> Vec<u8> {
        let mut bytes = format!("{STATE_FORMAT}\n").into_bytes();
        let written = serde_json::to_writer(&mut bytes, self);
        assert!(written.is_ok(), "a state's maps have texts as keys");
        bytes
    }

    /// The state that [`State::to_snapshot`] wrote. Nobody has a name in it until [`State::recall`] was given each event of
    /// [`State::person_entries`] that can be read, in the order of the entries.
    pub fn from_snapshot(bytes: &[u8]) -> Result<State, SnapshotError> {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (format, state) = bytes.split_at(end.ok_or(SnapshotError::Unreadable)?);
        let format = std::str::from_utf8(format).ok();
        let format = format.and_then(|format| format.parse().ok());
        let found: u32 = format.ok_or(SnapshotError::Unreadable)?;
        if found != STATE_FORMAT {
            return Err(SnapshotError::Format { found });
        }
        let state = serde_json::from_slice(state);
        let mut state: State = state.map_err(|_| SnapshotError::Unreadable)?;
        state.counsel.read_wordings();
        Ok(state)
    }
}

#[cfg(test)]
pub(crate) mod tests;
