//! The journal for outsiders: published as static files, proven entry by entry, checked without a desk.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::{self, Hash, Range};
use alnager_journal::note::VerifyingKey;
use alnager_journal::proof::Proof;
use alnager_journal::published::{self, Checked, File, PublishedError};
use alnager_journal::tile::{Tile, WIDTH_FULL, encode_bundle};
use alnager_journal::verify::Trust;
use alnager_journal::witness::latest;
use alnager_store::Desk;

use crate::acting::{Acting, Flags};
use crate::error::JobError;
use crate::files::{sync_folder, write_lasting};
use crate::verify::with_causes;

/// Longest file of a published log, in bytes: a full bundle of the longest entries the format can hold.
const FILE_BYTES_MAX: u64 = 256 * (2 + 65_535);

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The checkpoint that is published now.
    pub checkpoint: SignedCheckpoint,
    /// The key it is checked against.
    pub key: VerifyingKey,
    /// Entries that were published before.
    pub n_before: u64,
    /// Files written, the checkpoint among them.
    pub n_written: u64,
    /// Folders of partial files removed, because the full ones are there.
    pub n_removed: u64,
}

/// A proof that one entry is in the journal, and the entry.
#[derive(Debug)]
pub struct Proven {
    /// The proof, to be stored as `*.tlog-proof`.
    pub proof: Proof,
    /// The entry's bytes.
    pub entry: Vec<u8>,
}

/// A proof that an earlier journal is the beginning of a later one.
#[derive(Debug)]
pub struct Consistency {
    /// Number of entries of the earlier one.
    pub old: u64,
    /// Its root hash.
    pub old_root: Hash,
    /// The later one.
    pub checkpoint: SignedCheckpoint,
    /// The hashes (RFC 6962, 2.1.2).
    pub hashes: Vec<Hash>,
}

/// A published journal that holds together.
#[derive(Debug)]
pub struct Whole {
    /// What the journal's own check found.
    pub checked: Checked,
    /// Partial files of earlier sizes that are the beginning of the present ones.
    pub n_earlier: u64,
    /// Files in the folder that are none of this checkpoint's, by their paths in it.
    pub others: Vec<String>,
}

/// Why a published journal is refused.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A file of the checkpoint is wrong.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// A file of an earlier size says something else than the present one.
    #[error("`{path}` is not the beginning of `{wider}`; one of them was altered")]
    Earlier {
        /// The partial file.
        path: String,
        /// The file that took its place.
        wider: String,
    },
}

/// What outsiders are shown of a desk: the one place that asks the desk for entries, hashes and checkpoints.
struct Source {
    desk: Desk,
}

impl Source {
    async fn open(flags: &Flags) -> Result<Source, JobError> {
        let desk = Acting::begin(flags)?.desk().await?;
        Ok(Source { desk })
    }

    async fn checkpoint(&self, size: Option<u64>) -> Result<SignedCheckpoint, JobError> {
        checkpoint_of(&self.desk, size).await
    }

    /// The entries of a tile of level 0, as a bundle.
    async fn bundle(&self, tile: Tile) -> Result<Vec<u8>, JobError> {
        let first = tile.index() * u64::from(WIDTH_FULL);
        let entries = self.entries(first, first + u64::from(tile.width())).await?;
        encode_bundle(entries.iter().map(Vec::as_slice))
            .map_err(|error| JobError::Internal(error.to_string()))
    }

    async fn entries(&self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, JobError> {
        entries_of(&self.desk, from, to).await
    }

    async fn tile(&self, tile: Tile) -> Result<Vec<u8>, JobError> {
        self.desk.tile(tile).await?.ok_or_else(missing)
    }

    /// The root hashes of ranges that the journal has.
    async fn roots(&self, ranges: Vec<Range>) -> Result<Vec<Hash>, JobError> {
        Ok(self.desk.roots(&ranges).await?)
    }
}

fn missing() -> JobError {
    JobError::Internal(
        "the journal lacks a part of its own tree; run `alnager desk verify`".to_owned(),
    )
}

/// The checkpoint of a desk signed last, or the one that was signed over `size` entries, with what witnesses have signed under it.
pub async fn checkpoint_of(desk: &Desk, size: Option<u64>) -> Result<SignedCheckpoint, JobError> {
    let last = desk.checkpoint();
    let n_entries = last.checkpoint().size();
    let size = size.unwrap_or(n_entries);
    let signed = match size == n_entries {
        true => Some(last.clone()),
        false => desk.checkpoint_at(size).await?,
    };
    let signed = signed.ok_or_else(|| {
        JobError::Input(format!(
            "no checkpoint over {size} entries was signed; the journal's last one is over {n_entries}"
        ))
    })?;
    with_cosignatures(desk, signed).await
}

/// A checkpoint that the desk's log signed, with the latest cosignature of each witness that the desk has kept for it.
pub(crate) async fn with_cosignatures(
    desk: &Desk,
    signed: SignedCheckpoint,
) -> Result<SignedCheckpoint, JobError> {
    let lines = latest(desk.cosignatures(signed.checkpoint().size()).await?);
    match lines.is_empty() {
        true => Ok(signed),
        false => signed
            .with(lines)
            .map_err(|error| JobError::Internal(with_causes(&error))),
    }
}

/// The bytes of the entries from index `from` to below `to`, all of which the journal has.
async fn entries_of(desk: &Desk, from: u64, to: u64) -> Result<Vec<Vec<u8>>, JobError> {
    let entries = desk.entries(from, to).await?;
    if entries.len() as u64 != to - from {
        return Err(missing());
    }
    let bytes = entries.iter().map(|(_, entry)| entry.to_bytes());
    bytes
        .collect::<Result<_, _>>()
        .map_err(|error| JobError::Internal(with_causes(&error)))
}

/// The checkpoint signed last.
pub async fn checkpoint(flags: &Flags) -> Result<SignedCheckpoint, JobError> {
    Source::open(flags).await?.checkpoint(None).await
}

/// Proves that the entry is in the journal of the checkpoint over `size` entries, or of the last one.
pub async fn prove(flags: &Flags, index: u64, size: Option<u64>) -> Result<Proven, JobError> {
    prove_in(&Source::open(flags).await?.desk, index, size).await
}

/// Proves that the entry is in the journal of a desk, as [`prove`] does.
pub async fn prove_in(desk: &Desk, index: u64, size: Option<u64>) -> Result<Proven, JobError> {
    let checkpoint = checkpoint_of(desk, size).await?;
    let size = checkpoint.checkpoint().size();
    let path = merkle::inclusion_path(index, size).ok_or_else(|| {
        JobError::Input(format!(
            "there is no entry {index} among {size} entries; entries are counted from 0"
        ))
    })?;
    let proof = Proof {
        extra: None,
        index,
        hashes: desk.roots(&path).await?,
        checkpoint,
    };
    let entry = entries_of(desk, index, index + 1).await?.swap_remove(0);
    Ok(Proven { proof, entry })
}

/// Proves that the first `old` entries are the beginning of the journal of the checkpoint over `new` entries, or of the
/// last one.
pub async fn consistency(
    flags: &Flags,
    old: u64,
    new: Option<u64>,
) -> Result<Consistency, JobError> {
    let source = Source::open(flags).await?;
    let checkpoint = source.checkpoint(new).await?;
    let size = checkpoint.checkpoint().size();
    let path = merkle::consistency_path(old, size).ok_or_else(|| {
        JobError::Input(format!(
            "a journal of {old} entries is no beginning of one with {size}; name the smaller number first"
        ))
    })?;
    let mut old_root = source.roots(vec![Range::first(old)]).await?;
    Ok(Consistency {
        old,
        old_root: old_root.swap_remove(0),
        hashes: source.roots(path).await?,
        checkpoint,
    })
}

/// Writes the journal into a folder as static files that any web server can hand out, or what is new in it since the
/// last time. `progress` hears how many files are written, and of how many.
///
/// A folder with another log's checkpoint is refused, and so is one whose checkpoint is not a beginning of this
/// journal. The checkpoint appears last, when everything it promises is on the disk.
pub async fn publish(
    flags: &Flags,
    dir: &Path,
    progress: &dyn Fn(u64, u64),
) -> Result<Published, JobError> {
    let source = Source::open(flags).await?;
    let checkpoint = source.checkpoint(None).await?;
    let size = checkpoint.checkpoint().size();
    let n_before = published_before(&source, &checkpoint, dir).await?;
    let n_files = published::files(n_before, size).count() as u64;
    let mut folders = BTreeSet::from([dir.to_owned()]);
    let mut n_written = 0;
    for file in published::files(n_before, size) {
        let bytes = match file {
            File::Bundle(tile) => source.bundle(tile).await?,
            File::Tile(tile) => source.tile(tile).await?,
            File::Checkpoint => {
                sync_all(&folders)?;
                checkpoint.to_string().into_bytes()
            }
        };
        let path = dir.join(file.path());
        write_lasting(&path, &bytes)?;
        let above = path.ancestors().skip(1);
        let within = above.take_while(|folder| folder.starts_with(dir));
        folders.extend(within.map(Path::to_owned));
        n_written += 1;
        progress(n_written, n_files);
    }
    sync_all(&BTreeSet::from([dir.to_owned()]))?;
    let mut n_removed = 0;
    for folder in published::outgrown(n_before, size) {
        let path = dir.join(folder);
        match std::fs::remove_dir_all(&path) {
            Ok(()) => n_removed += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(file_error(&path, "cannot be removed", source)),
        }
    }
    Ok(Published {
        key: source.desk.verifier_key().clone(),
        checkpoint,
        n_before,
        n_written,
        n_removed,
    })
}

fn sync_all(folders: &BTreeSet<PathBuf>) -> Result<(), JobError> {
    folders.iter().try_for_each(|folder| {
        sync_folder(folder).map_err(|source| file_error(folder, "cannot be written", source))
    })
}

fn file_error(path: &Path, doing: &'static str, source: io::Error) -> JobError {
    JobError::File {
        path: path.to_owned(),
        doing,
        source,
        is_input: false,
    }
}

/// Number of entries that the folder's checkpoint already states; 0 where there is none.
async fn published_before(
    source: &Source,
    ours: &SignedCheckpoint,
    dir: &Path,
) -> Result<u64, JobError> {
    let shown = dir.display();
    let path = dir.join(File::Checkpoint.path());
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(source) => return Err(file_error(&path, "cannot be read", source)),
    };
    let theirs = SignedCheckpoint::parse(&bytes).map_err(|error| {
        JobError::Input(format!(
            "`{}` is no checkpoint ({}); publish into a folder of its own",
            path.display(),
            with_causes(&error)
        ))
    })?;
    let (ours, theirs) = (ours.checkpoint(), theirs.checkpoint());
    if ours.origin() != theirs.origin() {
        return Err(JobError::Input(format!(
            "`{shown}` holds another log, `{}`; publish into a folder of its own",
            theirs.origin()
        )));
    }
    let size = theirs.size();
    if size > ours.size() {
        return Err(JobError::Input(format!(
            "`{shown}` was published with {size} entries and the journal has {}; an older copy of the desk must be in use, and nothing was changed",
            ours.size()
        )));
    }
    if source.roots(vec![Range::first(size)]).await? != [theirs.root()] {
        return Err(JobError::Input(format!(
            "`{shown}` was published with other entries under the same name; keep it for the record and publish elsewhere"
        )));
    }
    Ok(size)
}

/// Checks a published journal whole; needs no desk. `progress` hears how many entries are checked, and of how many.
pub fn check(
    dir: &Path,
    trust: &Trust,
    progress: &dyn Fn(u64, u64),
) -> Result<Result<Whole, Broken>, JobError> {
    if !dir.is_dir() {
        return Err(JobError::Input(format!(
            "`{}` is no folder; name the one that `alnager journal publish` wrote, or a copy of it",
            dir.display()
        )));
    }
    let mut read = |path: &str| read_part(&dir.join(path));
    let checked = published::check(&mut read, trust, &mut |done, total| progress(done, total));
    let checked = match checked {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error.into())),
    };
    let size = checked.checkpoint.checkpoint().size();
    let (mut n_earlier, mut others) = (0, Vec::new());
    let mut paths = Vec::new();
    list(dir, &dir.join("tile"), &mut paths)?;
    for path in paths {
        let file = File::parse(&path);
        let wider = file.and_then(|file| file.grown(size));
        match (file, wider) {
            (Some(file), Some(wider)) if file == wider => {}
            (Some(file), Some(wider)) if file.width() < wider.width() => {
                let begins = read_part(&dir.join(&path))
                    .and_then(|early| Ok(read_part(&dir.join(wider.path()))?.starts_with(&early)));
                if begins != Ok(true) {
                    let wider = wider.path();
                    return Ok(Err(Broken::Earlier { path, wider }));
                }
                n_earlier += 1;
            }
            _ => others.push(path),
        }
    }
    Ok(Ok(Whole {
        checked,
        n_earlier,
        others,
    }))
}

fn read_part(path: &Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is no plain file".to_owned());
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, more than any file of a log",
            metadata.len()
        ));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// Every file in a folder, by its path from `dir` with `/` between folders, sorted.
fn list(dir: &Path, folder: &Path, paths: &mut Vec<String>) -> Result<(), JobError> {
    let error = |source| file_error(folder, "cannot be looked through", source);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(error(source)),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.push(entry.map_err(error)?.path());
    }
    found.sort();
    for path in found {
        if path.is_dir() {
            list(dir, &path, paths)?;
            continue;
        }
        let inner = path.strip_prefix(dir).unwrap_or(&path);
        let words = inner.iter().map(|word| word.to_string_lossy());
        paths.push(words.collect::<Vec<_>>().join("/"));
    }
    Ok(())
}
