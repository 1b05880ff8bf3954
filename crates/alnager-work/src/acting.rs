//! Who acts, when, on which desk, under which law.

use std::sync::Arc;

use alnager_law::requirement::AsOf;
use alnager_office::decide::{Blob, Command, Context};
use alnager_office::declaration::Declaration;
use alnager_office::state::State;
use alnager_store::{Desk, Fresh, Place, Receipt};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::error::JobError;
use crate::law::pack;
use crate::library::{self, Files, Library};

/// What every job is told.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// Where the desk is.
    pub desk: Place,
    /// Who acts; without it the operating system's user.
    pub actor: Option<String>,
    /// The day judged.
    pub at: Option<Date>,
    /// Law published by this day counts.
    pub known: Option<Date>,
    /// The journal up to here: an entry's index or an instant.
    pub recorded: Option<Recorded>,
    /// The law in use on the desk: see [`Flags::at_desk`]. Without it the shipped law.
    pub law: Option<Arc<Files>>,
}

/// A point in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Up to and with this entry.
    Entry(u64),
    /// Up to and with this instant.
    Instant(Timestamp),
}

/// New ids at hand for one command, besides one for each person a declaration names: the actor's and the system's.
const N_IDS: usize = 4;

/// A person at work: the law in use, the hour, and the name.
pub struct Acting {
    /// The law and policy in use.
    pub library: Library,
    /// Who acts.
    pub actor: String,
    /// The instant the job began.
    pub now: Timestamp,
    flags: Flags,
}

impl std::str::FromStr for Recorded {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(index) = text.parse() {
            return Ok(Recorded::Entry(index));
        }
        let wrong = |_| {
            format!(
                "`{text}` is neither an entry's index nor an instant such as 2026-11-23T08:00:00Z"
            )
        };
        text.parse().map(Recorded::Instant).map_err(wrong)
    }
}

impl Flags {
    /// The same flags with the packs installed on the desk, as of `--recorded` or now. Where there is no desk the law is the
    /// shipped one.
    pub async fn at_desk(mut self) -> Result<Self, JobError> {
        if self.has_desk().await? {
            let mut desk = Desk::open(&self.desk).await?;
            let state = self.state(&mut desk).await?;
            if !state.packs.is_empty() {
                self.law = Some(Arc::new(pack::desk_files(&desk, &state).await?));
            }
        }
        Ok(self)
    }

    /// Whether there is a desk; without one there is no earlier record to ask for.
    pub async fn has_desk(&self) -> Result<bool, JobError> {
        let exists = Desk::exists(&self.desk).await;
        if self.recorded.is_some() && !exists {
            return Err(no_desk(&self.desk));
        }
        Ok(exists)
    }

    /// Every file of the law in use, with the cases that test it.
    pub fn files(&self) -> Arc<Files> {
        match &self.law {
            Some(files) => files.clone(),
            None => Arc::new(library::shipped_files()),
        }
    }

    /// The law in use, bound.
    fn library(&self) -> Result<Library, JobError> {
        let Some(files) = &self.law else {
            return Ok(library::shipped()?);
        };
        library::of_files(files).map_err(|error| {
            JobError::Input(format!(
                "a pack installed on this desk does not fit this program: {error}; install a newer version of it, or pin one that fits (`alnager law pack list` shows what there is)"
            ))
        })
    }

    /// The state as of `--recorded`, or now.
    async fn state(&self, desk: &mut Desk) -> Result<State, JobError> {
        let now = desk.state();
        let size = match self.recorded {
            None => return Ok(now.as_ref().clone()),
            // A command is one event of the record: what it entered is seen whole or not at all.
            Some(Recorded::Entry(index)) => end_of_command(desk, index).await?,
            Some(Recorded::Instant(at)) => size_by(desk, &instant(at)).await?,
        };
        let state = desk.state_at(size).await?;
        let state = state.ok_or_else(|| {
            JobError::Input(format!(
                "the journal has only {} entries; name an earlier one with --recorded",
                now.size
            ))
        })?;
        let mut state = state.as_ref().clone();
        state.forget_erased_since(&now);
        Ok(state)
    }
}

impl Acting {
    /// Begins a job: reads the clock, the law in use, and who acts.
    pub fn begin(flags: &Flags) -> Result<Self, JobError> {
        let actor = match &flags.actor {
            Some(name) => name.trim().to_owned(),
            None => system_user().ok_or_else(|| {
                JobError::Input(
                    "the operating system names no user; say who acts with --as NAME".to_owned(),
                )
            })?,
        };
        if actor.is_empty() || actor.len() > 200 {
            return Err(JobError::Input(
                "a person's name has 1 to 200 characters; give one with --as NAME".to_owned(),
            ));
        }
        Ok(Acting {
            library: flags.library()?,
            actor,
            now: Timestamp::now(),
            flags: flags.clone(),
        })
    }

    /// Begins a job that enters something, which no earlier record allows.
    pub fn to_enter(flags: &Flags) -> Result<Self, JobError> {
        if flags.recorded.is_some() {
            return Err(JobError::Input(
                "an earlier record cannot be changed; leave out --recorded".to_owned(),
            ));
        }
        Acting::begin(flags)
    }

    /// Today in a time zone; `None` is UTC.
    pub fn today(&self, zone: Option<&str>) -> Date {
        let zone = zone
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC);
        self.now.to_zoned(zone).date()
    }

    /// The two days of every question: `--at` or the given day or today, and `--known` or today.
    pub fn as_of(&self, day: Option<Date>, zone: Option<&str>) -> AsOf {
        let today = self.today(zone);
        AsOf {
            valid: self.flags.at.or(day).unwrap_or(today),
            known: self.flags.known.unwrap_or(today),
        }
    }

    /// The desk's folder.
    pub fn place(&self) -> &Place {
        &self.flags.desk
    }

    /// The desk, which must exist.
    pub async fn desk(&self) -> Result<Desk, JobError> {
        if !Desk::exists(self.place()).await {
            return Err(no_desk(self.place()));
        }
        Ok(Desk::open(self.place()).await?)
    }

    /// The desk, or a new one that appears whole with its first commit.
    pub async fn desk_or_new(&self) -> Result<Desk, JobError> {
        let organisation = new_ids(self.now, 1)?[0];
        let origin = format!("alnager.local/{organisation}");
        Ok(Desk::open_or_new(
            self.place(),
            Fresh {
                org: organisation,
                origin,
            },
        )
        .await?)
    }

    /// What the office needs to decide, with fresh ids.
    pub fn context(
        &self,
        desk: &Desk,
        declaration: Option<&Declaration>,
    ) -> Result<Context<'_>, JobError> {
        let mut n_people = 0;
        if let Some(declaration) = declaration {
            declaration.clone().people(&mut |_| n_people += 1);
        }
        Ok(Context {
            book: &self.library.book,
            policy: &self.library.policy,
            stamp: self.library.stamp.clone(),
            texts: self.library.texts.clone(),
            organisation: desk.org().to_string(),
            actor: self.actor.clone(),
            today: self.today(declaration.and_then(|declaration| declaration.time_zone.as_deref())),
            ids: new_ids(self.now, N_IDS + n_people)?,
        })
    }

    /// Commits a command under a fresh idempotency key.
    pub async fn commit(
        &self,
        desk: &mut Desk,
        command: &Command,
        with: &Context<'_>,
    ) -> Result<Receipt, JobError> {
        let id = new_ids(self.now, 1)?[0];
        Ok(desk.commit(id, &instant(self.now), command, with).await?)
    }

    /// The state as of `--recorded`, or now.
    pub async fn state(&self, desk: &mut Desk) -> Result<State, JobError> {
        self.flags.state(desk).await
    }

    /// Whether the job looks back at an earlier record.
    pub fn looks_back(&self) -> bool {
        self.flags.recorded.is_some()
    }
}

/// Entries read at once.
const READ: u64 = 1_024;

/// The size of the journal with the whole command that entry `index` belongs to; one more than `index` where there is no such entry.
async fn end_of_command(desk: &Desk, index: u64) -> Result<u64, JobError> {
    let mut end = index.saturating_add(1);
    let Some(first) = desk.entry(index).await? else {
        return Ok(end);
    };
    while end < desk.size() {
        let read = desk.entries(end, end.saturating_add(READ)).await?;
        let own = read
            .iter()
            .take_while(|(_, entry)| entry.command == first.command)
            .count();
        end += own as u64;
        if own < read.len() || read.is_empty() {
            break;
        }
    }
    Ok(end)
}

/// The size of the journal with the last entry that states this instant or an earlier one. Clocks may have been set back, so it is the last
/// such entry that counts; it is looked for from the newest on.
async fn size_by(desk: &Desk, until: &str) -> Result<u64, JobError> {
    let mut to = desk.size();
    while to > 0 {
        let from = to.saturating_sub(READ);
        let read = desk.entries(from, to).await?;
        // Entries carry their instant in a form that sorts as text.
        let found = read
            .iter()
            .rev()
            .find(|(_, entry)| entry.at.as_str() <= until);
        if let Some((index, _)) = found {
            return Ok(index + 1);
        }
        to = from;
    }
    Ok(0)
}

fn no_desk(place: &Place) -> JobError {
    JobError::Input(format!(
        "there is no desk at `{place}`; `alnager review DIR` makes one, or name another with --desk DIR"
    ))
}

/// An instant as entries write it: RFC 3339, UTC, six decimals.
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// Fresh ids (UUID version 7).
pub fn new_ids(now: Timestamp, n: usize) -> Result<Vec<Uuid>, JobError> {
    let mut random = vec![0_u8; n * 10];
    getrandom::fill(&mut random).map_err(|error| {
        JobError::Internal(format!("the system gives no random numbers: {error}"))
    })?;
    let millis = u64::try_from(now.as_millisecond())
        .map_err(|_| JobError::Internal("the clock stands before 1970; set it".to_owned()))?;
    let id = |bytes: &[u8]| {
        let mut ten = [0_u8; 10];
        ten.copy_from_slice(bytes);
        uuid::Builder::from_unix_timestamp_millis(millis, &ten).into_uuid()
    };
    Ok(random.chunks_exact(10).map(id).collect())
}

/// The account the program runs under, as the operating system names it (an environment variable would be whatever someone
/// set), or its number where it has no name, as in a container.
fn system_user() -> Option<String> {
    let name = whoami::username()
        .ok()
        .filter(|name| !name.trim().is_empty());
    name.or_else(user_number)
}

#[cfg(unix)]
fn user_number() -> Option<String> {
    // Not the owner of /proc/self: that is root, since the program keeps its memory to itself.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    Some(format!("user {}", uids.split_whitespace().next()?))
}

#[cfg(not(unix))]
fn user_number() -> Option<String> {
    None
}

/// Bytes named for an entry.
pub fn blob(name: &str, media: &str, bytes: Vec<u8>) -> Blob {
    Blob {
        name: name.to_owned(),
        media: media.to_owned(),
        bytes: std::sync::Arc::new(bytes),
    }
}
