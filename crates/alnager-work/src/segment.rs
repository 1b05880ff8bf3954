//! Decision logs: sealed in segments, listed, proven row by row, exported for audits, and held against their entries.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};

use alnager_journal::entry::Entry;
use alnager_journal::merkle::Hash;
use alnager_journal::proof::Proof;
use alnager_journal::segment::{
    OpenedRow, PROOF_LEN_MAX, ROW_LEN_MAX, ROWS, ROWS_MAX, Row, RowProof, SEGMENT_SEALED, Segment,
    SegmentError, VerifiedRow, row_bytes,
};
use alnager_journal::verify::Trust;
use alnager_law::read::nearest;
use alnager_office::decide::Command;
use alnager_office::event::Event;
use alnager_office::segment::{NewSegment, SegmentSealed, Span};
use alnager_office::state::State;
use alnager_probe::{ProbeError, Progress, Records, read_records, read_segment, write_segment};
use alnager_store::{Desk, Order, Place, Receipt};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::acting::{Acting, Flags, blob, instant};
use crate::error::JobError;
use crate::files::{read_bytes, refuse_existing, write_whole};
use crate::journal::checkpoint_of;
use crate::verify::{Inconsistent, with_causes};

/// The media type of the rows.
const MEDIA: &str = "application/vnd.apache.parquet";

/// A segment is cut where its texts come to this many bytes, so that no blob grows beyond what is handled in memory with ease.
const TEXT_BYTES_MAX: usize = 32 << 20;

/// Segments entered with one commit, and the bytes of their files at which a group is entered with fewer.
const GROUP_MAX: usize = 16;
const GROUP_BYTES_MAX: usize = 32 << 20;

/// Rows handed from the reader at a time.
const CHUNK_ROWS: usize = 1_000;

/// What puts the idempotency key of a segment apart from others.
const COMMAND: &[u8] = b"alnager/segment-command/v1\0";

/// A decision log to seal.
#[derive(Debug, Clone)]
pub struct Sealing {
    /// The file: CSV, JSON lines, Parquet or Arrow.
    pub file: PathBuf,
    /// The system that decided.
    pub system: String,
    /// The column that says when.
    pub time: Option<String>,
    /// Whether the file has grown since it was sealed: what is behind the rows sealed already is sealed.
    pub grown: bool,
}

/// What sealing a file came to.
#[derive(Debug)]
pub struct Sealed {
    /// The segments entered: entry and number of rows.
    pub entered: Vec<(u64, u64)>,
    /// Rows that were sealed before, and the entries they are in.
    pub n_rows_before: u64,
    /// Those entries.
    pub before: Vec<u64>,
    /// The receipt of the last segment entered; `None` when nothing was.
    pub receipt: Option<Receipt>,
    /// Who acted.
    pub actor: String,
}

/// A segment on record.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its entry.
    pub entry: u64,
    /// When it was entered.
    pub at: String,
    /// What it states.
    pub sealed: SegmentSealed,
}

/// Which row to prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The one at this place, from 0.
    Row(u64),
    /// The only one with this value in this column.
    Where {
        /// The column.
        column: String,
        /// The value.
        value: String,
    },
}

/// What holding the rows of a desk's segments against their entries came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Segments whose rows give what their entry states.
    pub n_segments: u64,
    /// Rows in them.
    pub n_rows: u64,
    /// What does not fit, in words.
    pub problems: Vec<String>,
}

/// Seals the rows of a file that are not sealed yet. Nothing is entered twice, however often it is run.
pub async fn seal(
    flags: &Flags,
    sealing: &Sealing,
    progress: &dyn Fn(Progress),
) -> Result<Sealed, JobError> {
    let acting = Acting::to_enter(flags)?;
    let desk = acting.desk().await?;
    refuse_unknown(&sealing.system, &desk.state())?;
    let listed = list_on(&desk, Some(&sealing.system)).await?;
    let mut sealer = Sealer {
        lengths: listed.iter().map(|one| one.sealed.n_rows).collect(),
        acting: &acting,
        desk,
        sealing,
        columns: Vec::new(),
        offset: 0,
        cut: Cut::default(),
        group: Vec::new(),
        done: Sealed {
            entered: Vec::new(),
            n_rows_before: 0,
            before: Vec::new(),
            receipt: None,
            actor: acting.actor.clone(),
        },
    };
    let read = read_aside(&sealing.file);
    for told in &read {
        match told {
            Told::Progress(done) => progress(done),
            Told::Rows(columns, rows) => {
                sealer.columns = columns;
                for row in rows {
                    sealer.take(row).await?;
                }
            }
            Told::End(ended) => {
                ended?;
                sealer.finish().await?;
                return Ok(sealer.done);
            }
        }
    }
    Err(JobError::Internal(
        "the reader of the file ended without a word".to_owned(),
    ))
}

/// What a reader in a thread of its own tells.
enum Told {
    Progress(Progress),
    /// The columns known by now, and rows with values for the first of them.
    Rows(Vec<String>, Vec<Vec<Option<String>>>),
    End(Result<(), ProbeError>),
}

/// Reads a file in a thread of its own, so that rows are read while others are sealed. It ends when nobody listens any more.
fn read_aside(file: &Path) -> Receiver<Told> {
    let (tell, told) = sync_channel(4);
    let file = file.to_owned();
    std::thread::spawn(move || {
        let mut rows = Vec::with_capacity(CHUNK_ROWS);
        let mut known: Vec<String> = Vec::new();
        let show = |progress| drop(tell.try_send(Told::Progress(progress)));
        let ended = read_records(&file, &show, &mut |columns, row| {
            if known.len() < columns.len() {
                known = columns.to_vec();
            }
            rows.push(row);
            let is_full = rows.len() == CHUNK_ROWS;
            !is_full
                || tell
                    .send(Told::Rows(known.clone(), std::mem::take(&mut rows)))
                    .is_ok()
        });
        // Whoever no longer listens has failed already.
        let rest = tell.send(Told::Rows(known, rows));
        drop(rest.and_then(|()| tell.send(Told::End(ended))));
    });
    told
}

/// Rows of a file in the making of a segment.
#[derive(Default)]
struct Cut {
    rows: Vec<Vec<Option<String>>>,
    n_bytes: usize,
    /// Over the rows so far.
    hash: Sha256,
    /// What it was where as many rows had come as a sealed segment of the system has.
    prefixes: Vec<(u64, Hash)>,
}

/// A segment ready to be entered.
struct Ready {
    id: Uuid,
    command: Command,
    n_rows: u64,
    n_bytes: usize,
}

/// Cuts rows into segments and enters those that are new.
struct Sealer<'a> {
    acting: &'a Acting,
    desk: Desk,
    sealing: &'a Sealing,
    /// Of how many rows the segments are that the system has.
    lengths: BTreeSet<u64>,
    columns: Vec<String>,
    /// Rows of the file before the cut.
    offset: u64,
    cut: Cut,
    group: Vec<Ready>,
    done: Sealed,
}

impl Sealer<'_> {
    async fn take(&mut self, row: Vec<Option<String>>) -> Result<(), JobError> {
        self.add(row)?;
        if self.cut.rows.len() == ROWS_MAX || self.cut.n_bytes >= TEXT_BYTES_MAX {
            self.close().await?;
        }
        Ok(())
    }

    /// Takes a row into the cut.
    fn add(&mut self, row: Vec<Option<String>>) -> Result<(), JobError> {
        let cells = self.columns.iter().cloned().zip(row.iter().cloned());
        // A member that is absent is no other than one that is null, whichever columns are known by now.
        let cells = cells.filter(|(_, value)| value.is_some()).collect();
        let bytes = row_bytes(&cells).map_err(|error| JobError::Internal(error.to_string()))?;
        if self.len_with_nulls(&row, bytes.len())? > ROW_LEN_MAX {
            return Err(self.long_row(self.cut.rows.len()));
        }
        let cut = &mut self.cut;
        cut.hash.update((bytes.len() as u64).to_be_bytes());
        cut.hash.update(&bytes);
        cut.n_bytes += bytes.len();
        cut.rows.push(row);
        let n = cut.rows.len() as u64;
        if self.lengths.contains(&n) {
            cut.prefixes
                .push((n, Hash(cut.hash.clone().finalize().into())));
        }
        Ok(())
    }

    /// How long a row is as it is sealed, with a null for every column it lacks; `len` is its length without them, bytes. Above the limit
    /// exactly when the row is.
    fn len_with_nulls(&self, row: &[Option<String>], len: usize) -> Result<usize, JobError> {
        // Quotes, colon, null and comma around a name of which every byte may be escaped. Few rows come near, and only they are spelled twice.
        let nulls = self.columns.iter().map(|column| 6 * column.len() + 8);
        let len_at_most = len + nulls.sum::<usize>();
        if len_at_most <= ROW_LEN_MAX {
            return Ok(len_at_most);
        }
        let values = row.iter().cloned().chain(std::iter::repeat(None));
        let full: Row = self.columns.iter().cloned().zip(values).collect();
        let bytes = row_bytes(&full).map_err(|error| JobError::Internal(error.to_string()))?;
        Ok(bytes.len())
    }

    /// What is said of a row of the cut that is too long.
    fn long_row(&self, at: usize) -> JobError {
        JobError::Input(format!(
            "{}: row {} has more than {ROW_LEN_MAX} bytes; leave long texts out of the log that is sealed",
            self.sealing.file.display(),
            self.n_row(at)
        ))
    }

    /// The number of a row of the cut in the file, from 1.
    fn n_row(&self, at: usize) -> u64 {
        self.offset + at as u64 + 1
    }

    async fn finish(&mut self) -> Result<(), JobError> {
        while !self.cut.rows.is_empty() {
            self.close().await?;
        }
        self.enter().await
    }

    /// Ends the cut: its rows are a new segment, or were sealed before; or the first of them were, and the others stay in the cut.
    async fn close(&mut self) -> Result<(), JobError> {
        let n_rows = self.cut.rows.len() as u64;
        let whole = Hash(self.cut.hash.clone().finalize().into());
        let mut ways = self.cut.prefixes.clone();
        ways.retain(|(n, _)| *n < n_rows);
        ways.push((n_rows, whole));
        let mut commands = Vec::with_capacity(ways.len());
        for (n, hash) in &ways {
            commands.push((self.command(*hash).await?, *n));
        }
        let ids: Vec<Uuid> = commands.iter().map(|(id, _)| *id).collect();
        let known = self.desk.entered(&ids).await?;
        let entry = |id: &Uuid| known.iter().find(|(known, _, _)| known == id);
        let mut found = commands.iter().rev();
        let found = found.find_map(|(id, n)| Some((*n, entry(id)?.2)));
        match (found, commands.last()) {
            (Some((n, entry)), _) if n == n_rows => self.pass(n, entry),
            (Some((n, entry)), _) if self.sealing.grown => {
                self.pass(n, entry);
                let rest = std::mem::take(&mut self.cut).rows;
                let at = usize::try_from(n).unwrap_or(rest.len());
                for row in rest.into_iter().skip(at) {
                    self.add(row)?;
                }
                return Ok(());
            }
            (Some((n, entry)), _) => {
                return Err(JobError::Input(format!(
                    "{}: rows {} to {} are sealed already, in entry {entry}, which ends before row {}; if the file has grown since, seal what is behind them with --grown",
                    self.sealing.file.display(),
                    self.n_row(0),
                    self.offset + n,
                    self.offset + n + 1
                )));
            }
            (None, Some((id, _))) => {
                let ready = self.ready(*id)?;
                self.group.push(ready);
                self.offset += n_rows;
            }
            (None, None) => {}
        }
        self.cut = Cut::default();
        let n_bytes: usize = self.group.iter().map(|ready| ready.n_bytes).sum();
        match self.group.len() >= GROUP_MAX || n_bytes >= GROUP_BYTES_MAX {
            true => self.enter().await,
            false => Ok(()),
        }
    }

    /// Goes past rows that were sealed before.
    fn pass(&mut self, n_rows: u64, entry: u64) {
        self.offset += n_rows;
        self.done.n_rows_before += n_rows;
        self.done.before.push(entry);
    }

    /// The idempotency key of a segment: it follows from the system, the place in the file, and the rows.
    async fn command(&mut self, rows: Hash) -> Result<Uuid, JobError> {
        let system = self.sealing.system.as_bytes();
        let asked = [
            COMMAND,
            system,
            &[0],
            &self.offset.to_be_bytes(),
            rows.0.as_slice(),
        ];
        Ok(self.desk.command_of(&asked.concat()).await?)
    }

    fn ready(&mut self, id: Uuid) -> Result<Ready, JobError> {
        let mut rows = std::mem::take(&mut self.cut.rows);
        for row in &mut rows {
            row.resize(self.columns.len(), None);
        }
        let time = match &self.sealing.time {
            Some(column) => Some(self.span(column, &rows)?),
            None => None,
        };
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| {
            JobError::Internal(format!("the system gives no random numbers: {error}"))
        })?;
        let segment = Segment {
            columns: self.columns.clone(),
            rows,
            secret,
        };
        let stated = segment.stated().map_err(|error| match error {
            // Columns that came up after a row make it longer.
            SegmentError::LongRow { index } => {
                self.long_row(usize::try_from(index).unwrap_or(usize::MAX))
            }
            error => JobError::Input(format!("{}: {error}", self.sealing.file.display())),
        })?;
        let records = Records {
            columns: segment.columns,
            rows: segment.rows,
        };
        let bytes = write_segment(&records, &Hash(secret).to_string())?;
        let n_bytes = bytes.len();
        let n_rows = stated.n_rows;
        let new = NewSegment {
            system: self.sealing.system.clone(),
            stated,
            time,
            rows: blob(ROWS, MEDIA, bytes),
        };
        Ok(Ready {
            id,
            n_rows,
            command: Command::SealSegment(Box::new(new)),
            n_bytes,
        })
    }

    /// From when to when rows happened.
    fn span(&self, column: &str, rows: &[Vec<Option<String>>]) -> Result<Span, JobError> {
        let file = self.sealing.file.display();
        span_of(&self.columns, rows, column).map_err(|why| match why {
            NoSpan::NoColumn => {
                let hint = nearest(column, self.columns.iter().map(String::as_str));
                JobError::Input(format!("--time: {file} has no column `{column}`; {hint}"))
            }
            NoSpan::NoInstant { at } => JobError::Input(format!(
                "--time: {file}, row {}, column `{column}`: no instant such as 2026-11-23T08:00:00Z stands there; name a column that has one in every row",
                self.n_row(at)
            )),
        })
    }

    /// Enters the segments that are ready, with one commit.
    async fn enter(&mut self) -> Result<(), JobError> {
        let group = std::mem::take(&mut self.group);
        if group.is_empty() {
            return Ok(());
        }
        let state = self.desk.state();
        let system = state.systems.get(&self.sealing.system);
        let with = self
            .acting
            .context(&self.desk, system.map(|system| &system.declaration))?;
        let at = instant(self.acting.now);
        let orders: Vec<Order<'_>> = group
            .iter()
            .map(|ready| Order {
                id: ready.id,
                at: &at,
                command: &ready.command,
                with: &with,
                expected: None,
            })
            .collect();
        let answers = self.desk.enter_all(&orders).await;
        for (answer, ready) in answers.into_iter().zip(&group) {
            let receipt = answer?;
            let entry = receipt.end.saturating_sub(1);
            if receipt.already {
                self.done.n_rows_before += ready.n_rows;
                self.done.before.push(entry);
                continue;
            }
            self.done.entered.push((entry, ready.n_rows));
            self.done.receipt = Some(receipt);
        }
        Ok(())
    }
}

/// Why a column does not say from when to when rows happened.
enum NoSpan {
    /// There is no such column.
    NoColumn,
    /// A row has no instant in it.
    NoInstant {
        /// Its place, from 0.
        at: usize,
    },
}

/// From when to when rows happened, by the instants in one of their columns.
fn span_of(columns: &[String], rows: &[Vec<Option<String>>], column: &str) -> Result<Span, NoSpan> {
    let place = columns.iter().position(|known| known == column);
    let place = place.ok_or(NoSpan::NoColumn)?;
    let mut span: Option<(Timestamp, Timestamp)> = None;
    for (at, values) in rows.iter().enumerate() {
        let text = values.get(place).and_then(Option::as_deref);
        let when = moment(text.unwrap_or_default()).ok_or(NoSpan::NoInstant { at })?;
        let (first, last) = span.unwrap_or((when, when));
        span = Some((first.min(when), last.max(when)));
    }
    let (first, last) = span.unwrap_or_default();
    Ok(Span {
        column: column.to_owned(),
        first,
        last,
    })
}

/// The instant a text names; without a zone it is UTC, and a day is its first instant.
fn moment(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let at: DateTime = text.parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The segments of a system, or of all, as far as the record goes; the first sealed first.
pub async fn list(flags: &Flags, system: Option<&str>) -> Result<Vec<Listed>, JobError> {
    let acting = Acting::begin(flags)?;
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    if let Some(system) = system {
        refuse_unknown(system, &state)?;
    }
    let mut listed = list_on(&desk, system).await?;
    listed.retain(|one| one.entry < state.size);
    Ok(listed)
}

/// Refuses a system that the desk does not have.
fn refuse_unknown(system: &str, state: &State) -> Result<(), JobError> {
    if state.systems.contains_key(system) {
        return Ok(());
    }
    let hint = nearest(system, state.systems.keys().map(String::as_str));
    Err(JobError::Input(format!(
        "the desk has no system `{system}`; {hint}"
    )))
}

async fn list_on(desk: &Desk, system: Option<&str>) -> Result<Vec<Listed>, JobError> {
    let state = desk.state();
    let mut listed = Vec::new();
    let known = state.segments.keys();
    for id in known.filter(|id| system.is_none_or(|system| system == id.as_str())) {
        let subject = state.systems.get(id).map(|known| known.subject.parse());
        let Some(Ok(subject)) = subject else {
            return Err(JobError::Internal(
                "the system has no subject id".to_owned(),
            ));
        };
        for (entry, stated) in desk.entries_about(subject).await? {
            if stated.kind == SEGMENT_SEALED {
                listed.push(stated_by(desk, entry, &stated).await?);
            }
        }
    }
    listed.sort_by_key(|one| one.entry);
    Ok(listed)
}

/// What the entry of a segment states.
async fn stated_by(desk: &Desk, index: u64, entry: &Entry) -> Result<Listed, JobError> {
    let payload = desk.payload(index).await?.ok_or_else(|| gone(index))?;
    match Event::from_payload(&entry.kind, &payload.bytes) {
        Ok(Event::SegmentSealed(sealed)) => Ok(Listed {
            entry: index,
            at: entry.at.clone(),
            sealed,
        }),
        Ok(_) | Err(_) => Err(JobError::Internal(format!(
            "entry {index} is no segment this version can read; use a newer one"
        ))),
    }
}

fn gone(index: u64) -> JobError {
    JobError::Input(format!(
        "what entry {index} sealed is no longer there; its proof in the log stays"
    ))
}

/// The entry of a segment, which must be one.
async fn segment_entry(desk: &Desk, index: u64) -> Result<Entry, JobError> {
    let entry = desk.entry(index).await?;
    match entry {
        Some(entry) if entry.kind == SEGMENT_SEALED => Ok(entry),
        Some(entry) => Err(JobError::Input(format!(
            "entry {index} is `{}`, and no segment; `alnager segment list` names those there are",
            entry.kind
        ))),
        None => Err(JobError::Input(format!(
            "the journal has no entry {index}; `alnager segment list` names the segments there are"
        ))),
    }
}

/// The file of a segment, as it was sealed.
async fn rows_file(desk: &Desk, index: u64) -> Result<Vec<u8>, JobError> {
    let file = desk.blob(index, ROWS).await?;
    Ok(file.ok_or_else(|| gone(index))?.bytes)
}

/// A segment out of its file.
pub(crate) fn segment_of(file: Vec<u8>) -> Result<Segment, JobError> {
    let (records, secret) = read_segment(file, ROWS_MAX)?;
    let secret = Hash::from_hex(&secret);
    let secret = secret.ok_or_else(|| {
        JobError::Input("the secret of the segment's file is not 32 bytes in hex".to_owned())
    })?;
    Ok(Segment {
        columns: records.columns,
        rows: records.rows,
        secret: secret.0,
    })
}

/// Proves one row of a segment at the latest checkpoint. What was made is verified before it is handed out.
pub async fn prove(flags: &Flags, index: u64, which: &Which) -> Result<RowProof, JobError> {
    let desk = Acting::begin(flags)?.desk().await?;
    let entry = segment_entry(&desk, index).await?;
    let payload = desk.payload(index).await?.ok_or_else(|| gone(index))?;
    let segment = segment_of(rows_file(&desk, index).await?)?;
    let opened = find(&segment, index, which)?;
    let checkpoint = checkpoint_of(&desk, None).await?;
    let hashes = desk
        .inclusion_proof(index, checkpoint.checkpoint().size())
        .await?;
    let hashes = hashes.ok_or_else(|| {
        JobError::Internal("the entry has no proof; run `alnager desk verify`".to_owned())
    })?;
    let proof = RowProof {
        opened,
        entry,
        payload: String::from_utf8(payload.bytes)
            .map_err(|_| JobError::Internal(format!("the payload of entry {index} is no text")))?,
        payload_salt: Hash(payload.salt),
        proof: Proof {
            extra: None,
            index,
            hashes,
            checkpoint,
        },
        log: desk.verifier_key().clone(),
    };
    match proof.verify(&Trust::Unstated) {
        Ok(_) => Ok(proof),
        Err(error) => Err(JobError::Internal(format!(
            "the rows of entry {index} are not those that it states ({}); run `alnager desk verify`",
            with_causes(&error)
        ))),
    }
}

/// The row of a system's log that alone has a value in a column: its segment's entry, and its place. Every segment is opened, so that a second
/// such row is seen; `progress` is told how many are done, and of how many.
pub async fn look_up(
    flags: &Flags,
    system: &str,
    (column, value): (&str, &str),
    progress: &dyn Fn(u64, u64),
) -> Result<(u64, u64), JobError> {
    let listed = list(flags, Some(system)).await?;
    let desk = Acting::begin(flags)?.desk().await?;
    let total = listed.len() as u64;
    let mut found = Vec::new();
    for (done, one) in listed.iter().enumerate() {
        progress(done as u64, total);
        if !one.sealed.columns.iter().any(|known| known == column) {
            continue;
        }
        let segment = segment_of(rows_file(&desk, one.entry).await?)?;
        found.extend(
            rows_with(&segment, column, value)
                .into_iter()
                .map(|row| (one.entry, row)),
        );
    }
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(JobError::Input(format!(
            "no row of the {total} segments of `{system}` has this value in `{column}`; check the spelling, or whether that log is sealed"
        ))),
        many => {
            let named: Vec<String> = many
                .iter()
                .take(20)
                .map(|(entry, row)| format!("{entry} --row {row}"))
                .collect();
            Err(JobError::Input(format!(
                "{} rows of `{system}` have this value in `{column}`; name one by its entry: {}{}",
                many.len(),
                named.join(", "),
                if many.len() > 20 { ", …" } else { "" }
            )))
        }
    }
}

/// The places of the rows with a value in a column.
fn rows_with(segment: &Segment, column: &str, value: &str) -> Vec<u64> {
    let Some(at) = segment.columns.iter().position(|known| known == column) else {
        return Vec::new();
    };
    let rows = segment.rows.iter().enumerate();
    let rows = rows.filter(|(_, row)| row.get(at).and_then(Option::as_deref) == Some(value));
    rows.map(|(row, _)| row as u64).collect()
}

/// The row that is meant.
fn find(segment: &Segment, index: u64, which: &Which) -> Result<OpenedRow, JobError> {
    let unfit = |error: SegmentError| JobError::Input(format!("entry {index}: {error}"));
    let (column, value) = match which {
        Which::Row(row) => return segment.open(*row).map_err(unfit),
        Which::Where { column, value } => (column, value),
    };
    if !segment.columns.contains(column) {
        let hint = nearest(column, segment.columns.iter().map(String::as_str));
        return Err(JobError::Input(format!(
            "entry {index} has no column `{column}`; {hint}"
        )));
    }
    let found = rows_with(segment, column, value);
    match found.as_slice() {
        [only] => segment.open(*only).map_err(unfit),
        [] => Err(JobError::Input(format!(
            "no row of entry {index} has this value in `{column}`; look in another segment, or check the spelling"
        ))),
        many => {
            let named: Vec<String> = many.iter().take(20).map(u64::to_string).collect();
            Err(JobError::Input(format!(
                "{} rows of entry {index} have this value in `{column}`; name one with --row: {}{}",
                many.len(),
                named.join(", "),
                if many.len() > 20 { ", …" } else { "" }
            )))
        }
    }
}

/// Verifies the proof of a row. Needs no desk, no network and no account. `None` when the file is no such proof.
pub fn verify(
    path: &Path,
    trust: &Trust,
) -> Result<Option<Result<VerifiedRow, Inconsistent>>, JobError> {
    if !path.is_file() {
        return Ok(None);
    }
    let mut first = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(1).read_to_end(&mut first));
    // What cannot be read is for whoever reads it as a dossier to tell.
    if opened.is_err() || !RowProof::may_be(&first) {
        return Ok(None);
    }
    let bytes = read_bytes(
        path,
        PROOF_LEN_MAX as u64,
        "cannot be read; name a dossier or the proof of a row",
    )?;
    let verified = RowProof::parse(&bytes).and_then(|proof| proof.verify(trust));
    Ok(Some(
        verified.map_err(|error| Inconsistent(with_causes(&error))),
    ))
}

/// Writes the file of a segment, as it was sealed.
pub async fn export(flags: &Flags, index: u64, out: &Path) -> Result<Listed, JobError> {
    refuse_existing(out)?;
    let desk = Acting::begin(flags)?.desk().await?;
    let entry = segment_entry(&desk, index).await?;
    let listed = stated_by(&desk, index, &entry).await?;
    write_whole(out, &rows_file(&desk, index).await?)?;
    Ok(listed)
}

/// Writes the files of a system's segments into a folder: those with a row from the first to the last day (UTC), or where no column says
/// when, those sealed then. `progress` is told how many are done, and of how many.
pub async fn export_all(
    flags: &Flags,
    system: &str,
    days: (Option<Date>, Option<Date>),
    folder: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<Vec<Listed>, JobError> {
    let mut listed = list(flags, Some(system)).await?;
    listed.retain(|one| is_within(&one.sealed, days));
    if listed.is_empty() {
        return Err(JobError::Input(format!(
            "`{system}` has no segment of these days; `alnager segment list --system {system}` names those there are"
        )));
    }
    let desk = Acting::begin(flags)?.desk().await?;
    std::fs::create_dir_all(folder).map_err(|source| JobError::File {
        path: folder.to_owned(),
        doing: "the folder cannot be made",
        source,
        is_input: true,
    })?;
    let file = |one: &Listed| folder.join(format!("segment-{:08}.parquet", one.entry));
    for one in &listed {
        refuse_existing(&file(one))?;
    }
    let total = listed.len() as u64;
    for (done, one) in listed.iter().enumerate() {
        progress(done as u64, total);
        write_whole(&file(one), &rows_file(&desk, one.entry).await?)?;
    }
    progress(total, total);
    Ok(listed)
}

/// Whether a segment has a row within days, both of which count.
fn is_within(sealed: &SegmentSealed, (from, to): (Option<Date>, Option<Date>)) -> bool {
    let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
    let (first, last) = match &sealed.time {
        Some(time) => (day(time.first), day(time.last)),
        None => (sealed.on, sealed.on),
    };
    from.is_none_or(|from| last >= from) && to.is_none_or(|to| first <= to)
}

/// Holds the rows of every segment of a desk against what its entry states. What is gone, or does not open, is for
/// [`Desk::verify`] to tell. `progress` is told how many are done, and of how many.
pub async fn check(place: &Place, progress: &dyn Fn(u64, u64)) -> Result<Checked, JobError> {
    let desk = Desk::open(place).await?;
    let mut checked = Checked::default();
    let listed = list_on(&desk, None).await?;
    let total = listed.len() as u64;
    for (done, one) in listed.iter().enumerate() {
        progress(done as u64, total);
        let Some(file) = desk.blob(one.entry, ROWS).await? else {
            continue;
        };
        match rows_fit(&one.sealed, file.bytes) {
            Ok(()) => {
                checked.n_segments += 1;
                checked.n_rows += one.sealed.n_rows;
            }
            Err(why) => checked.problems.push(format!(
                "the rows of entry {} are not those that it states: {why}",
                one.entry
            )),
        }
    }
    Ok(checked)
}

/// Whether the file of a segment gives the root, the columns, the number of rows and the time stated; else why not.
pub(crate) fn rows_fit(sealed: &SegmentSealed, file: Vec<u8>) -> Result<(), String> {
    let segment = segment_of(file).map_err(|error| with_causes(&error))?;
    let found = segment.stated().map_err(|error| with_causes(&error))?;
    let stated = sealed.stated();
    if found.n_rows != stated.n_rows {
        return Err(format!(
            "there are {}, and {} are stated",
            found.n_rows, stated.n_rows
        ));
    }
    if found != stated {
        return Err("their root or their columns are others".to_owned());
    }
    match &sealed.time {
        None => Ok(()),
        Some(time) => time_fits(&segment, time),
    }
}

/// Whether rows happened from when to when it is stated; else why not.
fn time_fits(segment: &Segment, time: &Span) -> Result<(), String> {
    match span_of(&segment.columns, &segment.rows, &time.column) {
        Ok(found) if found == *time => Ok(()),
        Ok(found) => Err(format!(
            "they happened from {} to {}, and from {} to {} is stated",
            found.first, found.last, time.first, time.last
        )),
        Err(NoSpan::NoColumn) => Err("none of their columns is the one that says when".to_owned()),
        Err(NoSpan::NoInstant { at }) => Err(format!(
            "row {at}, from 0, has no instant in the column that says when"
        )),
    }
}
