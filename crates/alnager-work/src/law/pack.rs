//! Law packs: checked, tested, signed, installed, pinned, and the keys trusted to sign them. Signing a pack touches no desk; the others take the law in use on the
//! desk as what the pack must fit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use alnager_audit::policy::Policy;
use alnager_journal::note::{NoteError, VerifyingKey};
use alnager_law::book::Book;
use alnager_law::cases::{self, Shown};
use alnager_law::check::{self, Checked, Finding, PackTexts, Severity, Surroundings};
use alnager_law::pack::{Condition, Pack};
use alnager_law::read::{self, nearest};
use alnager_office::decide::{Blob, Command, Context, decide};
use alnager_office::event::BookFile;
use alnager_office::packs::{KeptPack, NewPack, PACK_BLOB, PackVersion, Pin};
use alnager_office::state::State;
use alnager_store::{Desk, Receipt};

use crate::acting::{Acting, Flags, blob, instant, new_ids};
use crate::error::JobError;
use crate::files::read_bytes;
use crate::library::{self, Files, POLICY, Registers, pack_file, sha256};

mod folder;
mod key;
pub mod signed;

pub use key::{keygen, signing_key};

use folder::PackFolder;

/// What a pack's cases came to.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// The pack's id.
    pub pack: String,
    /// The case's id.
    pub case: String,
    /// What was compared, and how it differed.
    pub shown: Shown,
}

/// A pack in use, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The pack's id.
    pub id: String,
    /// The version in use.
    pub version: String,
    /// Its title; empty where the pack does not read.
    pub title: String,
    /// Where the version in use comes from.
    pub origin: PackOrigin,
    /// Whether it stays in use though newer versions come.
    pub is_pinned: bool,
    /// Versions at hand that are not in use.
    pub others: Vec<String>,
}

/// Where a pack comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackOrigin {
    /// Shipped with the program.
    Shipped,
    /// Installed from a file signed with this key.
    Installed {
        /// The key, as a `vkey`.
        key: String,
    },
    /// Kept on the desk by a pin; an earlier program shipped it.
    Kept,
}

/// What installing came to.
#[derive(Debug)]
pub struct Installed {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Where it was entered; `None` when it was in use already, so that nothing was entered.
    pub receipt: Option<Receipt>,
    /// The trusted key it is signed with, as a `vkey`.
    pub key: String,
    /// Warnings of the check.
    pub warnings: Vec<Finding>,
    /// Statements of its cases that were compared, all of them as expected.
    pub n_compared: usize,
}

/// What signing came to.
#[derive(Debug)]
pub struct Signed {
    /// The pack's id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// The key it is verified with, as a `vkey`.
    pub key: String,
}

/// Most problems of a refused pack that its message shows; `alnager law pack check` shows all.
const PROBLEMS_SHOWN: usize = 5;

/// Longest file of a signed pack, bytes.
const SIGNED_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Checks the packs in these folders as parts of the law in use; without folders, the packs in use.
pub fn check(flags: &Flags, folders: &[PathBuf]) -> Result<Checked, JobError> {
    let in_use = flags.files();
    if folders.is_empty() {
        return Ok(check_files(&in_use, &ids(&in_use), &[]));
    }
    let (files, folders) = overlaid(&in_use, folders)?;
    let ids: BTreeSet<String> = folders.iter().map(|folder| folder.id.clone()).collect();
    let earlier: Vec<Pack> = packs(&in_use)
        .into_iter()
        .filter(|pack| ids.contains(&pack.id))
        .collect();
    let mut checked = check_files(&files, &ids, &earlier);
    for finding in &mut checked.findings {
        for folder in &folders {
            let shown = format!("{}/", folder.path.display());
            let name = format!("{}/", folder.name);
            finding.file = finding.file.replace(&name, &shown);
            finding.what = finding.what.replace(&name, &shown);
        }
    }
    Ok(checked)
}

/// Runs the cases of the packs in these folders under the law in use with these packs in it; without folders, those of the packs
/// in use.
pub fn test(flags: &Flags, folders: &[PathBuf]) -> Result<Vec<CaseResult>, JobError> {
    let in_use = flags.files();
    if folders.is_empty() {
        return run_cases(&in_use, &ids(&in_use));
    }
    let (files, folders) = overlaid(&in_use, folders)?;
    let ids = folders.iter().map(|folder| folder.id.clone()).collect();
    if let Some(folder) = folders
        .iter()
        .find(|folder| !folder.files.contains_key("cases.toml"))
    {
        return Err(JobError::Input(format!(
            "`{}` has no cases.toml; write at least three cases a lawyer can read",
            folder.path.display()
        )));
    }
    run_cases(&files, &ids)
}

/// Signs the pack in a folder: the bytes of the file to hand on, and who signed what.
pub fn sign(folder: &Path, key: &Path) -> Result<(Vec<u8>, Signed), JobError> {
    let folder = PackFolder::read(folder)?;
    let pack = Pack::parse(&folder.shown("pack.toml"), &folder.files["pack.toml"])?;
    let key = signing_key(key)?;
    let contents = signed::Contents {
        id: pack.id.clone(),
        version: pack.version.clone(),
        known_as_of: pack.known_as_of,
        files: folder.files,
    };
    let bytes = signed::seal(&contents, &key)?;
    let signed = Signed {
        id: pack.id,
        version: pack.version,
        key: key.verifying_key(signed::KEY_KIND).to_string(),
    };
    Ok((bytes, signed))
}

/// Trusts a key to sign packs for this desk, which is made when there is none, or ends that. Gives the key as it was entered.
pub async fn trust(
    flags: &Flags,
    key: &str,
    is_trusted: bool,
    reason: &str,
) -> Result<(VerifyingKey, Receipt), JobError> {
    let key = verifying_key(key)?;
    let acting = writing(flags)?;
    let mut desk = acting.desk_or_new().await?;
    let command = Command::TrustKey {
        key: key.to_string(),
        is_trusted,
        reason: reason.to_owned(),
    };
    let with = acting.context(&desk, None)?;
    let receipt = acting.commit(&mut desk, &command, &with).await?;
    Ok((key, receipt))
}

/// The state of the desk as of `--recorded` or now, which holds the keys trusted to sign packs; an empty one where there is no desk.
pub async fn trusted(flags: &Flags) -> Result<State, JobError> {
    let acting = acting(flags)?;
    if !flags.has_desk().await? {
        return Ok(State::default());
    }
    let mut desk = acting.desk().await?;
    acting.state(&mut desk).await
}

/// Installs a signed pack on the desk. Nothing is entered unless it is signed with a key the desk trusts (`key`, where one is
/// named), every hash fits, the version is newer than the one in use, the pack checks without an error and its cases come out
/// as expected.
pub async fn install(flags: &Flags, file: &Path, key: Option<&str>) -> Result<Installed, JobError> {
    let named = key.map(verifying_key).transpose()?;
    let doing = "cannot be read; name a signed pack";
    let bytes = read_bytes(file, SIGNED_BYTES_MAX, doing)?;
    let acting = writing(flags)?;
    let mut desk = acting.desk_or_new().await?;
    let state = desk.state();
    let (contents, key) = opened(file, &bytes, named, &state)?;
    let folder = PackFolder::of_contents(file, contents)?;
    let shipped = library::shipped_files();
    let texts = folder.blob();
    let command = Command::InstallPack(Box::new(NewPack {
        id: folder.id.clone(),
        offered: PackVersion {
            version: folder.version.clone(),
            files: folder.stamps(),
        },
        known_as_of: folder.known_as_of,
        key: key.to_string(),
        shipped: shipped_version(&shipped, &folder.id),
        texts,
    }));
    let with = acting.context(&desk, None)?;
    let mut installed = Installed {
        id: folder.id.clone(),
        version: folder.version.clone(),
        receipt: None,
        key: key.to_string(),
        warnings: Vec::new(),
        n_compared: 0,
    };
    // Refused, or there already: said before the longer look at the pack itself.
    if decide(&state, &command, &with)?.is_empty() {
        return Ok(installed);
    }
    let in_use = desk_files(&desk, &state).await?;
    (installed.warnings, installed.n_compared) = fits(&in_use, &folder)?;
    installed.receipt = Some(commit(&acting, &mut desk, &command, &with, &state).await?);
    Ok(installed)
}

fn verifying_key(key: &str) -> Result<VerifyingKey, JobError> {
    let wrong = |why: &dyn std::fmt::Display| {
        JobError::Input(format!(
            "`{key}` is no key that packs are verified with: {why}"
        ))
    };
    let parsed = VerifyingKey::parse(key.trim()).map_err(|error| wrong(&error))?;
    if parsed.kind() == signed::KEY_KIND {
        Ok(parsed)
    } else {
        Err(wrong(&signed::SignedError::KeyKind))
    }
}

/// What a signed file holds, and the key that signed it: the one named, or else one that the desk trusts.
fn opened(
    file: &Path,
    bytes: &[u8],
    named: Option<VerifyingKey>,
    state: &State,
) -> Result<(signed::Contents, VerifyingKey), JobError> {
    let wrong =
        |what: &dyn std::fmt::Display| JobError::Input(format!("{}: {what}", file.display()));
    if let Some(key) = named {
        let contents = signed::open(bytes, &key).map_err(|error| wrong(&error))?;
        return Ok((contents, key));
    }
    for key in state.keys.keys() {
        let key = verifying_key(key)?;
        match signed::open(bytes, &key) {
            Ok(contents) => return Ok((contents, key)),
            Err(signed::SignedError::Signature(NoteError::NoKnownSignature)) => {}
            Err(error) => return Err(wrong(&error)),
        }
    }
    Err(wrong(
        &"it is not signed with a key that this desk trusts (`alnager law pack keys` lists them); get the publisher's key on another way than the pack, and trust it: `alnager law pack trust VKEY --reason WHY`",
    ))
}

/// Keeps a version of a pack in use: the one in use now, or another one at hand.
pub async fn pin(
    flags: &Flags,
    id: &str,
    version: Option<&str>,
    reason: &str,
) -> Result<(String, Receipt), JobError> {
    let acting = writing(flags)?;
    let mut desk = acting.desk_or_new().await?;
    let state = desk.state();
    let at_hand = at_hand(&desk, &state, id).await?;
    let known = || at_hand.iter().map(|(version, _)| version.as_str());
    let found = match version {
        None => at_hand.first(),
        Some(version) => at_hand.iter().find(|(known, _)| known == version),
    };
    let Some((version, files)) = found else {
        let problem = match version {
            Some(version) if !at_hand.is_empty() => format!(
                "there is no version {version} of `{id}` at hand; {}",
                nearest(version, known())
            ),
            _ => {
                let in_use = desk_files(&desk, &state).await?;
                let ids = ids(&in_use);
                format!(
                    "there is no pack `{id}`; {}",
                    nearest(id, ids.iter().map(String::as_str))
                )
            }
        };
        return Err(JobError::Input(problem));
    };
    let mut all = desk_files(&desk, &state).await?;
    put(&mut all, id, files.clone());
    library::of_files(&all).map_err(|error| {
        JobError::Input(format!(
            "version {version} of `{id}` does not fit the law in use: {error}; pin another version"
        ))
    })?;
    let command = Command::PinPack(Box::new(Pin {
        id: id.to_owned(),
        kept: PackVersion {
            version: version.clone(),
            files: stamps(files),
        },
        texts: texts_blob(files),
        reason: reason.to_owned(),
    }));
    let with = acting.context(&desk, None)?;
    let receipt = commit(&acting, &mut desk, &command, &with, &state).await?;
    Ok((version.clone(), receipt))
}

/// Lets newer versions of a pack in again.
pub async fn unpin(flags: &Flags, id: &str) -> Result<Receipt, JobError> {
    let acting = writing(flags)?;
    let mut desk = acting.desk().await?;
    let command = Command::UnpinPack {
        pack: id.to_owned(),
    };
    let with = acting.context(&desk, None)?;
    acting.commit(&mut desk, &command, &with).await
}

/// The packs in use, by id, with where they come from. Nothing is bound, so that a pack that does not fit is listed too.
pub async fn list(flags: &Flags) -> Result<Vec<Listed>, JobError> {
    let acting = acting(flags)?;
    let shipped = library::shipped_files();
    if !flags.has_desk().await? {
        let state = State::default();
        return Ok(listed(&shipped, &shipped, &state));
    }
    let mut desk = acting.desk().await?;
    let state = acting.state(&mut desk).await?;
    let in_use = desk_files(&desk, &state).await?;
    Ok(listed(&in_use, &shipped, &state))
}

/// Every file of the law in use on a desk, by name: the shipped files, with the packs that are installed or pinned in their place.
pub async fn desk_files(desk: &Desk, state: &State) -> Result<Files, JobError> {
    let mut files = library::shipped_files();
    for (id, pack) in &state.packs {
        let shipped = shipped_version(&files, id);
        let in_use = pack.in_use(shipped.as_ref().map(|shipped| shipped.version.as_str()));
        if let Some(kept) = in_use {
            put(&mut files, id, kept_files(desk, kept).await?);
        }
    }
    Ok(files)
}

/// Begins a job that looks after packs: it needs no law bound but the shipped one, so it can mend a desk whose packs do not fit.
fn acting(flags: &Flags) -> Result<Acting, JobError> {
    Acting::begin(&unbound(flags))
}

/// The same, for a job that enters something.
fn writing(flags: &Flags) -> Result<Acting, JobError> {
    Acting::to_enter(&unbound(flags))
}

fn unbound(flags: &Flags) -> Flags {
    Flags {
        law: None,
        ..flags.clone()
    }
}

/// Commits what was found to fit the law in use of this state, unless someone else entered something meanwhile.
async fn commit(
    acting: &Acting,
    desk: &mut Desk,
    command: &Command,
    with: &Context<'_>,
    state: &State,
) -> Result<Receipt, JobError> {
    let (id, at) = (new_ids(acting.now, 1)?[0], instant(acting.now));
    let entered = desk.commit_expecting(id, &at, command, with, state.size);
    Ok(entered.await?)
}

/// The ids of the packs among files.
fn ids(files: &Files) -> BTreeSet<String> {
    let names = files.keys().filter_map(|name| pack_file(name));
    names
        .filter_map(|(folder, _)| folder.rsplit('/').next())
        .map(str::to_owned)
        .collect()
}

/// The id of the pack a file belongs to.
fn id_of(name: &str) -> Option<&str> {
    pack_file(name)?.0.rsplit('/').next()
}

/// The packs among files that read, the policy's requirements among them.
fn packs(files: &Files) -> Vec<Pack> {
    let texts = files
        .iter()
        .filter(|(name, _)| pack_file(name).is_some_and(|(_, file)| file == "pack.toml"));
    let packs = texts.filter_map(|(name, text)| Pack::parse(name, text).ok());
    packs
        .chain(policy(files).map(|policy| policy.pack))
        .collect()
}

fn policy(files: &Files) -> Option<Policy> {
    Policy::parse(POLICY, files.get(POLICY)?).ok()
}

/// Checks those of the packs among files whose ids are given.
fn check_files(files: &Files, ids: &BTreeSet<String>, earlier: &[Pack]) -> Checked {
    let registers = match Registers::of(files) {
        Ok(registers) => registers,
        Err(error) => {
            return Checked {
                findings: vec![Finding::of(error)],
                coverage: Vec::new(),
            };
        }
    };
    let mut texts = Vec::new();
    for (name, pack) in files {
        let Some((folder, "pack.toml")) = pack_file(name) else {
            continue;
        };
        if id_of(name).is_some_and(|id| ids.contains(id)) {
            let cases = format!("{folder}/cases.toml");
            texts.push(PackTexts {
                file: name.clone(),
                pack: pack.clone(),
                cases: files.get(&cases).map(|text| (cases, text.clone())),
            });
        }
    }
    let others: Vec<Pack> = packs(files)
        .into_iter()
        .filter(|pack| !ids.contains(&pack.id))
        .collect();
    let tests = policy(files).map(|policy| policy.tests).unwrap_or_default();
    let outside: Vec<Condition> = tests.into_iter().map(|test| test.when).collect();
    check::check(
        &texts,
        &Surroundings {
            vocabulary: &registers.vocabulary,
            evidence: &registers.evidence,
            controls: &registers.controls,
            figures: &registers.figures.unwrap_or_default(),
            others: &others,
            outside: &outside,
            earlier,
        },
    )
}

/// Runs the cases of those packs among files whose ids are given.
fn run_cases(files: &Files, ids: &BTreeSet<String>) -> Result<Vec<CaseResult>, JobError> {
    let library = library::of_files(files)?;
    let mut results = Vec::new();
    for (name, text) in files {
        let Some((_, "cases.toml")) = pack_file(name) else {
            continue;
        };
        if let Some(id) = id_of(name).filter(|id| ids.contains(*id)) {
            results.extend(case_results(&library.book, id, name, text)?);
        }
    }
    Ok(results)
}

fn case_results(
    book: &Book,
    id: &str,
    name: &str,
    text: &str,
) -> Result<Vec<CaseResult>, JobError> {
    let cases = cases::parse(name, text, &book.vocabulary)?;
    let results = cases.iter().map(|case| CaseResult {
        pack: id.to_owned(),
        case: case.id.clone(),
        shown: cases::run(book, case),
    });
    Ok(results.collect())
}

/// Whether a pack says what the law is, so that it needs cases.
fn says_law(pack: &Pack) -> bool {
    !pack.requirements.is_empty() || is_overlay(pack)
}

/// Whether a pack changes the requirements of others.
fn is_overlay(pack: &Pack) -> bool {
    !(pack.exceptions.is_empty() && pack.rewordings.is_empty())
}

/// The differences that the cases of the other packs show only with the offered one among `files`: an overlay changes what others
/// say, so that it must leave their cases as they are.
fn spoils(in_use: &Files, files: &Files, id: &str) -> Result<Vec<String>, JobError> {
    let mut others = ids(in_use);
    others.remove(id);
    let differences = |files: &Files| -> Result<Vec<String>, JobError> {
        let results = run_cases(files, &others)?;
        let words = results.into_iter().flat_map(|result| {
            let pack = result.pack;
            let differences = result.shown.differences.into_iter();
            differences.map(move |words| format!("{pack} {words}"))
        });
        Ok(words.collect())
    };
    let with = differences(files)?;
    if with.is_empty() {
        return Ok(with);
    }
    let without: BTreeSet<String> = differences(in_use)?.into_iter().collect();
    let new = with.into_iter().filter(|words| !without.contains(words));
    Ok(new.collect())
}

/// Whether an offered pack fits the law in use: its warnings, and how many statements of its cases were compared.
fn fits(in_use: &Files, folder: &PackFolder) -> Result<(Vec<Finding>, usize), JobError> {
    let mut files = in_use.clone();
    put(&mut files, &folder.id, folder.named());
    let ids = BTreeSet::from([folder.id.clone()]);
    let earlier: Vec<Pack> = packs(in_use)
        .into_iter()
        .filter(|pack| pack.id == folder.id)
        .collect();
    let checked = check_files(&files, &ids, &earlier);
    let (errors, warnings): (Vec<Finding>, Vec<Finding>) = checked
        .findings
        .into_iter()
        .partition(|finding| finding.severity == Severity::Error);
    let refused = |problems: Vec<String>, what: &str| {
        let n = problems.len();
        let shown = problems.into_iter().take(PROBLEMS_SHOWN);
        let shown = shown.collect::<Vec<_>>().join("; ");
        let more = match n.saturating_sub(PROBLEMS_SHOWN) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        JobError::Input(format!(
            "nothing was installed: `{}` {what}: {shown}{more}",
            folder.id
        ))
    };
    if !errors.is_empty() {
        let words = errors.iter().map(|error| match error.line {
            0 => format!("{}: {}", error.file, error.what),
            line => format!("{}, line {line}: {}", error.file, error.what),
        });
        return Err(refused(words.collect(), "fails its check"));
    }
    let offered = Pack::parse(&folder.shown("pack.toml"), &folder.files["pack.toml"])?;
    let results = run_cases(&files, &ids)?;
    let n_compared = results.iter().map(|result| result.shown.n_compared).sum();
    if says_law(&offered) && n_compared == 0 {
        let what = match folder.files.contains_key("cases.toml") {
            true => "its cases.toml states nothing that could be compared",
            false => "it has no cases.toml",
        };
        let advice = "have it signed with cases that say what must follow from it, and why";
        return Err(refused(
            vec![format!("{what}; {advice}")],
            "cannot be tested",
        ));
    }
    let differences = results
        .iter()
        .flat_map(|result| result.shown.differences.clone());
    let differences: Vec<String> = differences.collect();
    if !differences.is_empty() {
        return Err(refused(differences, "differs from its cases"));
    }
    if is_overlay(&offered) || earlier.iter().any(is_overlay) {
        let spoiled = spoils(in_use, &files, &folder.id)?;
        if !spoiled.is_empty() {
            return Err(refused(
                spoiled,
                "changes how cases of other packs come out",
            ));
        }
    }
    Ok((warnings, n_compared))
}

/// The files in use with the packs in these folders in their place.
fn overlaid(in_use: &Files, folders: &[PathBuf]) -> Result<(Files, Vec<PackFolder>), JobError> {
    let mut files = in_use.clone();
    let mut read: Vec<PackFolder> = Vec::new();
    for path in folders {
        let folder = PackFolder::read(path)?;
        if let Some(other) = read.iter().find(|other| other.id == folder.id) {
            return Err(JobError::Input(format!(
                "`{}` and `{}` hold the same pack, `{}`; name one of them",
                other.path.display(),
                path.display(),
                folder.id
            )));
        }
        put(&mut files, &folder.id, folder.named());
        read.push(folder);
    }
    Ok((files, read))
}

/// Puts a pack's files in the place of those it has among `files`.
fn put(files: &mut Files, id: &str, new: Files) {
    files.retain(|name, _| id_of(name) != Some(id));
    files.extend(new);
}

/// The files of one pack.
fn of_pack(files: &Files, id: &str) -> Files {
    let own = files.iter().filter(|(name, _)| id_of(name) == Some(id));
    own.map(|(name, text)| (name.clone(), text.clone()))
        .collect()
}

fn stamps(files: &Files) -> Vec<BookFile> {
    let stamp = |(name, text): (&String, &String)| BookFile {
        name: name.clone(),
        sha256: sha256(text.as_bytes()),
    };
    files.iter().map(stamp).collect()
}

fn texts_blob(files: &Files) -> Blob {
    let object: serde_json::Map<String, serde_json::Value> = files
        .iter()
        .map(|(name, text)| (name.clone(), serde_json::Value::String(text.clone())))
        .collect();
    let bytes = serde_json::Value::Object(object).to_string().into_bytes();
    blob(PACK_BLOB, "application/json", bytes)
}

/// The version of a pack among files; `None` where there is none that reads.
fn shipped_version(files: &Files, id: &str) -> Option<PackVersion> {
    let own = of_pack(files, id);
    let (name, text) = own.iter().find(|(name, _)| name.ends_with("/pack.toml"))?;
    let pack = Pack::parse(name, text).ok()?;
    Some(PackVersion {
        version: pack.version,
        files: stamps(&own),
    })
}

/// The texts the journal holds of a pack.
async fn kept_files(desk: &Desk, kept: &KeptPack) -> Result<Files, JobError> {
    let damaged = || {
        JobError::Internal(format!(
            "the texts of the pack in entry {} cannot be read; run `alnager desk verify`",
            kept.at
        ))
    };
    let disclosed = desk.blob(kept.at, PACK_BLOB).await?.ok_or_else(damaged)?;
    let files: Files = serde_json::from_slice(&disclosed.bytes).map_err(|_| damaged())?;
    if stamps(&files) == kept.files {
        Ok(files)
    } else {
        Err(damaged())
    }
}

/// The versions of a pack at hand with their files, the one in use first.
async fn at_hand(desk: &Desk, state: &State, id: &str) -> Result<Vec<(String, Files)>, JobError> {
    let shipped_files = library::shipped_files();
    let shipped = shipped_version(&shipped_files, id);
    let pack = state.packs.get(id).cloned().unwrap_or_default();
    let in_use = pack.in_use(shipped.as_ref().map(|shipped| shipped.version.as_str()));
    let mut at_hand: BTreeMap<usize, (String, Files)> = BTreeMap::new();
    for (at, kept) in pack.installed.iter().chain(&pack.pinned).enumerate() {
        let place = if Some(kept) == in_use { 0 } else { at + 2 };
        at_hand.insert(place, (kept.version.clone(), kept_files(desk, kept).await?));
    }
    if let Some(shipped) = shipped {
        let place = if in_use.is_none() { 0 } else { 1 };
        at_hand.insert(place, (shipped.version, of_pack(&shipped_files, id)));
    }
    Ok(at_hand.into_values().collect())
}

fn listed(in_use: &Files, shipped: &Files, state: &State) -> Vec<Listed> {
    let mut listed = Vec::new();
    for id in ids(in_use) {
        let own = of_pack(in_use, &id);
        let Some((name, text)) = own.iter().find(|(name, _)| name.ends_with("/pack.toml")) else {
            continue;
        };
        let words = |key: &str| {
            let root = read::read(name, text).ok()?;
            root.get(key).ok().flatten()?.text().ok()
        };
        let shipped = shipped_version(shipped, &id);
        let pack = state.packs.get(&id).cloned().unwrap_or_default();
        let version = words("version").unwrap_or_default();
        let stamps = stamps(&own);
        let signed = pack.installed.iter().find(|kept| kept.files == stamps);
        let origin = match (signed.and_then(|kept| kept.key.clone()), &shipped) {
            (Some(key), _) => PackOrigin::Installed { key },
            (None, Some(shipped)) if shipped.files == stamps => PackOrigin::Shipped,
            (None, _) => PackOrigin::Kept,
        };
        let kept = pack.installed.iter().map(|kept| kept.version.clone());
        let mut others: Vec<String> = kept.chain(shipped.map(|shipped| shipped.version)).collect();
        others.retain(|other| *other != version);
        listed.push(Listed {
            title: words("title").unwrap_or_default(),
            is_pinned: pack.pinned.is_some(),
            id,
            version,
            origin,
            others,
        });
    }
    listed
}

impl PackFolder {
    fn stamps(&self) -> Vec<BookFile> {
        stamps(&self.named())
    }

    fn blob(&self) -> Blob {
        texts_blob(&self.named())
    }
}

#[cfg(test)]
mod tests;
