#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod server;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use alnager_audit::policy::Policy;
use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::{Hash, leaf_hash, verify_inclusion};
use alnager_law::book::Book;
use alnager_law::fact::Vocabulary;
use alnager_law::pack::{Pack, Register};
use alnager_law::requirement::AsOf;
use alnager_office::decide::{Blob, Command, Context, EvidenceRuling, OfferedEvidence, Review};
use alnager_office::declaration::Declaration;
use alnager_office::event::BookStamp;
use alnager_office::gate::{Gate, ReportStamp};
use alnager_office::opinion::{Conclusion, NewAuditOpinion};
use alnager_office::people::Basis;
use alnager_office::role::Role;
use expect_test::{Expect, expect};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tempfile::TempDir;
use uuid::Uuid;

use crate::entropy::Entropy;
use crate::fault::Fault;
use crate::{
    By, CommitError, Desk, DeskReport, Erasure, Fork, Fresh, Order, Place, Receipt, StoreError,
};

mod copies;
mod erasure;
mod faults;
mod flips;
mod golden;
mod groups;
mod secrets;
mod simulation;
mod snapshots;

use server::Databases;

const ORIGIN: &str = "example.org/alnager";
const AT: &str = "2026-11-23T08:14:00.000000Z";
const UNIX_MS: u64 = 1_795_421_640_000;

/// Names and words that must be nowhere on disk in plain text.
const ORGANISATION: &str = "Harbour Credit Union";
const PEOPLE: [&str; 3] = ["Rita Vandermeer", "Tomasz Okonkwo", "Ada Lindqvist"];
const DOCUMENT: &str = "the committee met on a rainy morning";

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.decides]
type = 'bool'
question = 'Does it decide?'
serves = ['all']
";
const EVIDENCE: &str = "
schema = 'alnager.evidence/1'
version = '1'
[kind.minutes]
title = 'Minutes'
what = 'w'
";
const PACK: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
[[applies.now]]
from = 2020-01-01
known = 2019-01-01
cite = 'c'
[[requirement]]
id = 'X-before'
what = 'Assess'
how = 'Write it down.'
cite = 'Art 1'
when = 'decides'
applies = ['now']
phase = 'before_use'
evidence = ['minutes']
role = 'privacy'
";
const POLICY: &str = "
schema = 'alnager.policy/1'
id = 'test'
version = '1'
title = 'Policy'
from = 2020-01-01
known = 2019-01-01
confidence_level = 0.95
min_group = 10
reference_min = 10
approved = { by = 'A', role = 'B', on = 2020-01-01 }
[[test]]
id = 'impact-ratio'
question = 'bias'
metric = 'impact_ratio'
low = '0.80'
high = '1.25'
what = 'w'
when = 'false'
source = 'yardstick'
cite = 'c'
";

/// Each test twice: in a folder, and on PostgreSQL.
macro_rules! everywhere {
    ($($test:ident),+ $(,)?) => {
        mod in_a_folder {
            $(#[test]
            fn $test() {
                super::$test(&super::World::new());
            })+
        }

        mod on_postgresql {
            $(#[test]
            fn $test() {
                if let Some(world) = super::World::on_server(stringify!($test)) {
                    super::$test(&world);
                }
            })+
        }
    };
}

everywhere! {
    a_reopened_desk_says_the_same,
    what_was_entered_can_be_read_and_proven,
    of_two_new_desks_the_slower_goes_into_the_faster,
    the_same_command_twice_is_one,
    a_command_that_enters_nothing_has_a_receipt_too,
    a_command_decided_on_an_older_journal_is_refused,
    a_second_handle_catches_up,
    a_twin_holds_what_is_read_once_and_goes_its_own_way,
    many_writers_lose_nothing_and_double_nothing,
    a_fault_at_any_step_leaves_all_or_nothing,
    an_instant_in_another_form_is_refused,
    a_group_is_answered_one_by_one,
    a_snapshot_gives_the_same_state,
    tiles_are_rebuilt_from_the_entries,
}

mod accounts;

/// A place to make desks in, a folder or two databases, with a little law and policy.
struct World {
    book: Book,
    policy: Policy,
    folder: TempDir,
    runtime: tokio::runtime::Runtime,
    databases: Option<Databases>,
}

impl World {
    fn new() -> World {
        let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
        let evidence = Register::parse("e", EVIDENCE, "kind").unwrap();
        let pack = Pack::parse("p", PACK).unwrap();
        World {
            book: Book::new(vocabulary, evidence, Register::default(), vec![pack]).unwrap(),
            policy: Policy::parse("q", POLICY).unwrap(),
            // In memory where there is such a disk: what is asked here does not depend on how long a disk takes.
            folder: tempfile::tempdir_in("/dev/shm")
                .or_else(|_| tempfile::tempdir())
                .unwrap(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            databases: None,
        }
    }

    /// On the PostgreSQL server of the tests. `None`, and a line that says so, where there is none.
    fn on_server(test: &str) -> Option<World> {
        let address = server::address(test)?;
        Some(World::on(&address))
    }

    fn on(address: &str) -> World {
        let mut world = World::new();
        world.databases = Some(world.run(Databases::make(address)));
        world
    }

    /// A fresh one of the same kind.
    fn another(&self) -> World {
        match &self.databases {
            None => World::new(),
            Some(databases) => World::on(databases.address()),
        }
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("desk")
    }

    fn place(&self) -> Place {
        match &self.databases {
            None => Place::from(self.dir()),
            Some(databases) => databases.place(&self.dir()),
        }
    }

    fn exists(&self) -> bool {
        self.run(Desk::exists(&self.place()))
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn open(&self) -> Result<Desk, StoreError> {
        self.run(Desk::open(&self.place()))
    }

    fn new_desk(&self) -> Desk {
        let fresh = Fresh {
            org: id(),
            origin: ORIGIN.to_owned(),
        };
        self.run(Desk::open_or_new(&self.place(), fresh)).unwrap()
    }

    /// A desk with one review, and evidence `documents` after it.
    fn desk(&self, documents: u32) -> Desk {
        let mut desk = self.new_desk();
        self.commit(&mut desk, id(), &self.review()).unwrap();
        for n in 0..documents {
            self.commit(&mut desk, id(), &self.evidence(n)).unwrap();
        }
        desk
    }

    /// The same, closed.
    fn closed(&self, documents: u32) {
        let desk = self.desk(documents);
        self.run(desk.close()).unwrap();
    }

    fn context(&self, actor: &str) -> Context<'_> {
        let texts = Blob {
            name: "book.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::new(b"{}".to_vec()),
        };
        Context {
            book: &self.book,
            policy: &self.policy,
            stamp: BookStamp { files: Vec::new() },
            texts,
            organisation: String::new(),
            actor: actor.to_owned(),
            today: "2026-11-23".parse().unwrap(),
            ids: (0..20).map(|_| id()).collect(),
        }
    }

    fn commit(
        &self,
        desk: &mut Desk,
        command_id: Uuid,
        command: &Command,
    ) -> Result<Receipt, CommitError> {
        self.run(desk.commit(command_id, AT, command, &self.context(PEOPLE[0])))
    }

    fn declaration(&self) -> Declaration {
        let [rita, tomasz, _] = PEOPLE;
        let text = format!(
            "schema = 'alnager.system/1'\nid = 'sys'\nname = 'S'\norganisation = '{ORGANISATION}'\nowner = '{rita}'\n\
             purpose = 'p'\nstage = 'validation'\n\
             [facts]\ndecides = {{ value = true, by = '{rita}', on = 2026-01-01, basis = 'b' }}\n\
             [[evidence]]\nfile = 'minutes.md'\nkind = 'minutes'\nrequirements = ['X-before']\neffective = 2026-01-01\n\
             submitted_by = '{tomasz}'\n"
        );
        Declaration::parse("system.toml", &text, &self.book, &self.policy).unwrap()
    }

    fn review(&self) -> Command {
        let declaration = self.declaration();
        let day = "2026-11-23".parse().unwrap();
        Command::Review(Box::new(Review {
            declaration,
            evidence: Vec::new(),
            measures: Vec::new(),
            when: AsOf {
                valid: day,
                known: day,
            },
            gate: Gate::Launch,
            warnings: Vec::new(),
            report: ReportStamp {
                form: "none".to_owned(),
                previous: None,
            },
            documents: vec![Blob {
                name: "report.html".to_owned(),
                media: "text/html".to_owned(),
                bytes: Arc::default(),
            }],
        }))
    }

    /// Submits a document, another one for each `n`.
    fn evidence(&self, n: u32) -> Command {
        let mut declared = self.declaration().evidence.remove(0);
        declared.file = format!("minutes-{n}.md");
        let offered = OfferedEvidence {
            declared,
            sha256: format!("{n:064x}"),
            bytes: document(n),
            note: None,
        };
        Command::AddEvidence {
            system: "sys".to_owned(),
            offered,
        }
    }

    /// Changes a database of the closed desk behind its back.
    fn sql(&self, database: &str, sql: &str) {
        if let Some(databases) = &self.databases {
            assert!(
                self.run(databases.change(database, sql)) > 0,
                "`{sql}` changes nothing"
            );
            return;
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(self.dir().join(database))
            .foreign_keys(false);
        self.run(async {
            let mut connection = options.connect().await.unwrap();
            let done = sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
            assert!(done.rows_affected() > 0, "`{sql}` changes nothing");
            connection.close().await.unwrap();
        });
    }

    /// The bytes that a statement finds in a database of the closed desk.
    fn bytes(&self, database: &str, sql: &'static str) -> Vec<Vec<u8>> {
        use sqlx::Row as _;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.dir().join(database));
        self.run(async {
            let mut connection = options.connect().await.unwrap();
            let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            rows.iter().map(|row| row.get(0)).collect()
        })
    }

    /// Puts the journal that is there back in its place after `further` has written to it.
    fn put_back(&self, further: impl FnOnce(&mut Desk)) {
        let older = fs::read(self.dir().join("journal.db")).unwrap();
        let mut desk = self.open().unwrap();
        further(&mut desk);
        self.run(desk.close()).unwrap();
        fs::write(self.dir().join("journal.db"), older).unwrap();
    }

    /// The id of a person.
    fn person(&self, desk: &Desk, name: &str) -> String {
        desk.state().person(name).unwrap().to_owned()
    }

    fn fork(&self, desk: &mut Desk, id: Uuid) -> Result<Receipt, CommitError> {
        let with = self.context(PEOPLE[0]);
        self.run(desk.fork(&Fork {
            by: by(id, &with),
            origin: None,
            reason: "a backup was put back",
        }))
    }

    /// Erases a person, under these idempotency keys.
    fn erase(
        &self,
        desk: &mut Desk,
        person: &str,
        ids: (Uuid, Uuid),
    ) -> Result<Erasure, CommitError> {
        let with = self.context(PEOPLE[0]);
        let command = Command::ErasePerson {
            person: person.to_owned(),
            basis: Basis::ConsentWithdrawn,
            reason: "asked for".to_owned(),
        };
        let request = order(ids.0, &command, &with);
        self.run(desk.erase(person, &request, &by(ids.1, &with)))
    }

    fn rotate_log_key(&self, desk: &mut Desk, id: Uuid) -> Result<Receipt, CommitError> {
        let with = self.context(PEOPLE[0]);
        self.run(desk.rotate_log_key(&by(id, &with), "yearly"))
    }

    fn drop_log_key(&self, desk: &mut Desk, id: Uuid) -> Result<Receipt, CommitError> {
        let with = self.context(PEOPLE[0]);
        self.run(desk.drop_log_key(&by(id, &with), "all have the new one"))
    }

    fn verify(&self) -> DeskReport {
        self.run(Desk::verify(&self.place())).unwrap()
    }

    fn files(&self) -> BTreeSet<String> {
        fs::read_dir(self.folder.path())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// The file of the largest blob, which is the document of the evidence.
    fn a_blob(&self) -> PathBuf {
        let files = tree_of(&self.dir().join("blobs"))
            .into_iter()
            .filter(|path| path.is_file());
        files
            .max_by_key(|path| fs::metadata(path).unwrap().len())
            .unwrap()
    }
}

/// Whether the long run was asked for: everything instead of a sample.
fn is_long() -> bool {
    std::env::var_os("ALNAGER_LONG").is_some_and(|value| value == "1")
}

/// Accepts the first evidence.
fn accept() -> Command {
    Command::AcceptEvidence(EvidenceRuling {
        evidence: "E1".to_owned(),
        requirements: Vec::new(),
        reason: "read".to_owned(),
    })
}

fn order<'a>(id: Uuid, command: &'a Command, with: &'a Context<'a>) -> Order<'a> {
    Order {
        id,
        at: AT,
        command,
        with,
        expected: None,
    }
}

fn by<'a>(id: Uuid, with: &'a Context<'a>) -> By<'a> {
    By { id, at: AT, with }
}

/// Copies a folder with all that is in it.
fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let copy = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy_dir(&path, &copy),
            false => drop(fs::copy(&path, &copy).unwrap()),
        }
    }
}

fn id() -> Uuid {
    Entropy::system().id(UNIX_MS).unwrap()
}

fn document(n: u32) -> Arc<Vec<u8>> {
    Arc::new(format!("{DOCUMENT}, {n}").into_bytes())
}

fn tree_of(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.to_owned()];
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(tree_of(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Problems and notes of a desk, one a line.
fn shown(report: &DeskReport) -> String {
    let problems = report.problems.iter().map(|problem| format!("{problem}\n"));
    problems
        .chain(report.notes.iter().map(|note| format!("note: {note}\n")))
        .collect()
}

fn a_reopened_desk_says_the_same(world: &World) {
    let desk = world.desk(2);
    let (state, root, checkpoint) = (
        desk.state(),
        desk.checkpoint().checkpoint().root(),
        desk.checkpoint().to_string(),
    );
    world.run(desk.close()).unwrap();

    let mut desk = world.open().unwrap();
    assert_eq!(*desk.state(), *state);
    assert_eq!(
        (
            desk.checkpoint().checkpoint().root(),
            desk.checkpoint().to_string()
        ),
        (root, checkpoint)
    );
    assert_eq!(state.evidence.len(), 2);
    assert_eq!(
        world.run(desk.state_at(state.size)).unwrap().unwrap(),
        state
    );
    assert_eq!(
        world
            .run(desk.state_at(state.size - 1))
            .unwrap()
            .unwrap()
            .evidence
            .len(),
        1
    );
    assert!(world.run(desk.state_at(state.size + 1)).unwrap().is_none());

    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
    assert_eq!(
        (report.size, report.root, report.contents.unwrap().payloads),
        (state.size, root, state.size)
    );
    // The book, the report, the figures, and a document for each piece of evidence.
    assert_eq!(
        (report.contents.unwrap().blobs, report.notes),
        (5, Vec::new())
    );
}

fn what_was_entered_can_be_read_and_proven(world: &World) {
    let desk = world.desk(1);
    let system = desk.state().systems["sys"].subject.parse().unwrap();
    let about = world.run(desk.entries_about(system)).unwrap();
    let kinds: Vec<_> = about.iter().map(|(_, entry)| entry.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["system.declared", "system.reviewed", "evidence.submitted"]
    );

    let (index, entry) = about.last().unwrap();
    assert_eq!(world.run(desk.entry(*index)).unwrap().as_ref(), Some(entry));
    let blob = world.run(desk.blob(*index, "document")).unwrap().unwrap();
    assert_eq!(blob.bytes, *document(0));
    assert_eq!(
        alnager_journal::entry::commit(&blob.salt, &blob.bytes),
        entry.blobs[0].commit
    );
    let payload = world.run(desk.payload(*index)).unwrap().unwrap();
    assert_eq!(
        alnager_journal::entry::commit(&payload.salt, &payload.bytes),
        entry.commit
    );
    assert_ne!(payload.salt, blob.salt);

    let checkpoint = desk.checkpoint().checkpoint();
    let proof = world
        .run(desk.inclusion_proof(*index, checkpoint.size()))
        .unwrap()
        .unwrap();
    verify_inclusion(
        leaf_hash(&entry.to_bytes().unwrap()),
        *index,
        checkpoint.size(),
        &proof,
        checkpoint.root(),
    )
    .unwrap();
    desk.checkpoint()
        .note()
        .verify(std::slice::from_ref(desk.verifier_key()))
        .unwrap();

    assert!(world.run(desk.entry(99)).unwrap().is_none());
    assert!(world.run(desk.payload(99)).unwrap().is_none());
    assert!(world.run(desk.blob(*index, "other")).unwrap().is_none());
    assert!(world.run(desk.entries_about(id())).unwrap().is_empty());
}

#[test]
fn the_entries_about_a_subject_are_those_that_name_it_however_far_apart() {
    let world = World::new();
    let mut desk = world.desk(1);
    // Documents are about the system; what lies between them is about people.
    for n_between in [0, 1, 15, 16, 17, 40, 0] {
        let first = 100 * (n_between + 1) + u32::try_from(desk.size()).unwrap() * 10_000;
        enter_many(&world, &mut desk, first, first + 10);
        for n in 0..n_between {
            let hold = Command::PlaceHold {
                person: PEOPLE[0].to_owned(),
                reason: format!("{n}"),
            };
            let release = Command::ReleaseHold {
                person: PEOPLE[0].to_owned(),
                reason: "r".to_owned(),
            };
            world.commit(&mut desk, id(), &hold).unwrap();
            world.commit(&mut desk, id(), &release).unwrap();
        }
    }
    let all = world.run(desk.entries(0, desk.size())).unwrap();
    let state = desk.state();
    for subject in state.heads.keys() {
        let subject: Uuid = subject.parse().unwrap();
        let about = all
            .iter()
            .filter(|(_, entry)| entry.about(subject).is_some());
        let want: Vec<_> = about.cloned().collect();
        assert_eq!(world.run(desk.entries_about(subject)).unwrap(), want);
    }
    // The same proofs, one by one and at once.
    let size = desk.size() - 3;
    let indexes: Vec<u64> = (0..size).step_by(7).collect();
    let at_once = world
        .run(desk.inclusion_proofs(&indexes, size))
        .unwrap()
        .unwrap();
    for (index, proof) in indexes.iter().zip(at_once) {
        assert_eq!(
            world.run(desk.inclusion_proof(*index, size)).unwrap(),
            Some(proof)
        );
    }
    let beyond = world.run(desk.inclusion_proofs(&[0, size], size));
    assert!(beyond.unwrap().is_none());
}

#[test]
fn a_new_desk_appears_whole_or_not_at_all() {
    let world = World::new();
    let mut desk = world.new_desk();
    assert!(!world.exists());
    assert_eq!(world.files().len(), 1);
    // A refused command makes no desk.
    let refused = world.commit(&mut desk, id(), &world.evidence(0));
    assert!(matches!(refused, Err(CommitError::Refused(_))));
    assert!(!world.exists());
    drop(desk);
    assert_eq!(world.files(), BTreeSet::new());

    let mut desk = world.new_desk();
    world.commit(&mut desk, id(), &world.review()).unwrap();
    assert!(world.exists());
    assert_eq!(world.files(), BTreeSet::from(["desk".to_owned()]));
    // It goes on from its new place.
    world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
    assert!(world.verify().is_sound());
}

#[test]
fn what_a_killed_maker_left_is_swept_and_what_a_living_one_makes_is_not() {
    let world = World::new();
    let living = world.new_desk();
    let left = world.folder.path().join("desk.new-0123456789abcdef");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("kek"), "half").unwrap();
    let other = world.folder.path().join("desk.new-house");
    fs::create_dir(&other).unwrap();

    let second = world.new_desk();
    assert!(!left.exists() && other.exists());
    drop((living, second));
    assert_eq!(world.files(), BTreeSet::from(["desk.new-house".to_owned()]));
}

fn of_two_new_desks_the_slower_goes_into_the_faster(world: &World) {
    let (mut one, mut two) = (world.new_desk(), world.new_desk());
    let first = world.commit(&mut one, id(), &world.review()).unwrap();
    let second = world.commit(&mut two, id(), &world.review()).unwrap();
    assert_eq!(second.first, first.size);
    assert_eq!(one.org(), two.org());
    world.run(one.catch_up()).unwrap();
    assert_eq!(*one.state(), *two.state());
    assert_eq!(world.files(), BTreeSet::from(["desk".to_owned()]));
    assert!(world.verify().is_sound());
}

fn the_same_command_twice_is_one(world: &World) {
    let mut desk = world.desk(0);
    let command = id();
    let receipt = world
        .commit(&mut desk, command, &world.evidence(0))
        .unwrap();
    assert!(!receipt.already);
    assert_eq!((receipt.origin.as_str(), receipt.at.as_str()), (ORIGIN, AT));
    let signed = SignedCheckpoint::parse(receipt.checkpoint.as_bytes()).unwrap();
    assert_eq!(
        (signed.checkpoint().size(), signed.checkpoint().root()),
        (receipt.size, receipt.root)
    );

    world.commit(&mut desk, id(), &world.evidence(1)).unwrap();
    let again = world
        .commit(&mut desk, command, &world.evidence(0))
        .unwrap();
    assert_eq!(
        again,
        Receipt {
            already: true,
            ..receipt
        }
    );
    // In another process too, and whatever the command says by then.
    let again = world
        .commit(&mut world.open().unwrap(), command, &world.evidence(2))
        .unwrap();
    assert!(again.already);
    assert_eq!(desk.state().evidence.len(), 2);
}

fn a_command_that_enters_nothing_has_a_receipt_too(world: &World) {
    let mut desk = world.desk(1);
    let size = desk.state().size;
    let receipt = world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
    assert_eq!(
        (receipt.first, receipt.size, receipt.already),
        (size, size, false)
    );
    assert_eq!(receipt.checkpoint, desk.checkpoint().to_string());
}

fn a_command_decided_on_an_older_journal_is_refused(world: &World) {
    let mut desk = world.desk(1);
    let size = desk.state().size;
    let mut expecting = |expected, command| {
        world.run(desk.commit_expecting(
            command,
            AT,
            &world.evidence(7),
            &world.context(PEOPLE[0]),
            expected,
        ))
    };
    let command = id();
    match expecting(size - 1, command) {
        Err(CommitError::Conflict { expected, found }) => {
            assert_eq!((expected, found), (size - 1, size))
        }
        other => panic!("{other:?}"),
    }
    assert!(!expecting(size, command).unwrap().already);
    assert!(expecting(size, command).unwrap().already);
}

fn a_second_handle_catches_up(world: &World) {
    let mut one = world.desk(0);
    let mut two = world.open().unwrap();
    // A new person, whose key the other handle has never seen.
    let ruling = |evidence: &str| EvidenceRuling {
        evidence: evidence.to_owned(),
        requirements: Vec::new(),
        reason: "read".to_owned(),
    };
    world.commit(&mut one, id(), &world.evidence(0)).unwrap();
    let accept = Command::AcceptEvidence(ruling("E1"));
    world
        .run(one.commit(id(), AT, &accept, &world.context(PEOPLE[2])))
        .unwrap();
    let receipt = world.commit(&mut two, id(), &world.evidence(1)).unwrap();
    assert_eq!(receipt.first, one.state().size);
    assert_eq!(two.state().evidence.len(), 2);
    assert!(two.state().person(PEOPLE[2]).is_some());
    world.run(one.catch_up()).unwrap();
    assert_eq!(*one.state(), *two.state());
}

fn a_twin_holds_what_is_read_once_and_goes_its_own_way(world: &World) {
    let mut one = world.desk(3);
    let mut two = world.run(one.twin()).unwrap();
    assert!(Arc::ptr_eq(&one.state(), &two.state()));
    for index in 0..two.size() {
        let (ours, theirs) = (world.run(one.payload(index)), world.run(two.payload(index)));
        let theirs = theirs.unwrap().map(|payload| payload.bytes);
        assert!(theirs.is_some(), "entry {index}");
        assert_eq!(theirs, ours.unwrap().map(|payload| payload.bytes));
    }
    world.commit(&mut two, id(), &world.evidence(3)).unwrap();
    assert_eq!(two.state().evidence.len(), 4);
    assert_eq!(one.state().evidence.len(), 3);
    one.share(&two.state());
    assert_eq!(one.state().evidence.len(), 3, "it has not read as far");
    world.run(one.catch_up()).unwrap();
    assert!(!Arc::ptr_eq(&one.state(), &two.state()));
    one.share(&two.state());
    assert!(Arc::ptr_eq(&one.state(), &two.state()));
    world.commit(&mut one, id(), &world.evidence(4)).unwrap();
    drop(one);
    world.run(two.catch_up()).unwrap();
    assert_eq!(*two.state(), *world.open().unwrap().state());
}

fn many_writers_lose_nothing_and_double_nothing(world: &World) {
    const WRITERS: u32 = 4;
    const EACH: u32 = 50;
    world.closed(0);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let place = world.place();
            scope.spawn(move || {
                let here = World::new();
                let mut desk = here.run(Desk::open(&place)).unwrap();
                for n in 0..EACH {
                    let command = id();
                    let receipt = here
                        .commit(&mut desk, command, &here.evidence(writer * EACH + n))
                        .unwrap();
                    assert!(!receipt.already);
                    assert_eq!(
                        here.commit(&mut desk, command, &here.evidence(0))
                            .unwrap()
                            .first,
                        receipt.first
                    );
                }
            });
        }
    });
    let desk = world.open().unwrap();
    let files: BTreeSet<_> = desk
        .state()
        .evidence
        .values()
        .map(|evidence| evidence.submitted.file.clone())
        .collect();
    assert_eq!(files.len(), (WRITERS * EACH) as usize);
    assert_eq!(desk.state().evidence.len(), files.len());
    let report = world.verify();
    assert_eq!(shown(&report), "");
}

fn a_fault_at_any_step_leaves_all_or_nothing(world: &World) {
    let mut steps = 0;
    loop {
        let world = world.another();
        let mut desk = world.desk(1);
        let before = desk.state();
        let command = id();
        // Someone new, so that a key is made as well.
        let accept = Command::AcceptEvidence(EvidenceRuling {
            evidence: "E1".to_owned(),
            requirements: Vec::new(),
            reason: "read".to_owned(),
        });
        desk.faults.plan(steps, Fault::Refused, false);
        let entered = world.run(desk.commit(command, AT, &accept, &world.context(PEOPLE[2])));
        let published = desk.state();
        drop(desk);

        let mut desk = world.open().unwrap();
        let after = desk.state();
        match &entered {
            Ok(_) => assert_eq!(after.size, before.size + 2, "step {steps}"),
            Err(_) => assert!(
                after.size == before.size || after.size == before.size + 2,
                "step {steps}"
            ),
        }
        assert_eq!(
            *published, *after,
            "step {steps}: what was published is what is durable"
        );
        let report = world.verify();
        assert!(report.is_sound(), "step {steps}: {}", shown(&report));
        assert_eq!(
            report.notes,
            Vec::new(),
            "step {steps}: the guard was moved on"
        );

        // The same command again enters it once.
        let again = world
            .run(desk.commit(command, AT, &accept, &world.context(PEOPLE[2])))
            .unwrap();
        assert_eq!(again.already, after.size > before.size, "step {steps}");
        assert_eq!(desk.state().size, before.size + 2, "step {steps}");
        assert!(world.verify().is_sound());
        if entered.is_ok() {
            break;
        }
        steps += 1;
    }
    assert!(steps >= 8, "a commit has that many steps");
}

#[test]
fn a_fault_at_any_step_of_the_first_commit_leaves_a_desk_or_none() {
    for steps in 0..60 {
        let world = World::new();
        let mut desk = world.new_desk();
        desk.faults.plan(steps, Fault::Refused, false);
        let entered = world.commit(&mut desk, id(), &world.review());
        drop(desk);
        if world.exists() {
            // Entered, whatever became of the answer.
            assert!(world.verify().is_sound(), "step {steps}");
        } else {
            assert!(entered.is_err(), "step {steps}");
            assert_eq!(world.files(), BTreeSet::new(), "step {steps}");
        }
        if entered.is_ok() {
            return;
        }
    }
    panic!("the first commit never succeeds");
}

#[test]
fn a_full_disk_leaves_the_desk_as_it_was() {
    let world = World::new();
    let mut desk = world.desk(0);
    let before = desk.state();
    world.run(desk.journal_pragma("PRAGMA max_page_count = 1"));
    let mut n = 0;
    let failed = loop {
        match world.commit(&mut desk, id(), &world.evidence(n)) {
            Ok(_) => n += 1,
            Err(CommitError::Store(error)) => break error,
            Err(other) => panic!("{other}"),
        }
    };
    assert!(matches!(failed, StoreError::DiskFull { .. }), "{failed:?}");
    assert_eq!(desk.state().size, before.size + u64::from(n));
    // There is space again, and the same handle goes on.
    world.run(desk.journal_pragma("PRAGMA max_page_count = 1000000"));
    world.commit(&mut desk, id(), &world.evidence(n)).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

#[test]
fn a_desk_that_cannot_be_written_says_so() {
    let world = World::new();
    let mut desk = world.desk(0);
    world.run(desk.journal_pragma("PRAGMA query_only = ON"));
    let failed = world
        .commit(&mut desk, id(), &world.evidence(0))
        .unwrap_err();
    assert!(
        matches!(failed, CommitError::Store(StoreError::ReadOnly { .. })),
        "{failed:?}"
    );
}

/// What `Desk::verify` finds after something was changed behind the desk's back; and that it does not open, if so.
#[track_caller]
fn check_tampered(tamper: impl FnOnce(&World), opens: bool, want: Expect) {
    check_tampered_in(&World::new(), tamper, opens, want);
}

#[track_caller]
fn check_tampered_in(world: &World, tamper: impl FnOnce(&World), opens: bool, want: Expect) {
    world.closed(1);
    tamper(world);
    let found = match world.run(Desk::verify(&world.place())) {
        Ok(report) => shown(&report),
        Err(error) => format!("error: {error}"),
    };
    let found = found.replace(&world.folder.path().display().to_string(), "DIR");
    // Hashes and ids differ from run to run.
    let mut masked = String::new();
    for word in found.split_inclusive(|c: char| !c.is_ascii_hexdigit() && c != '-') {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_hexdigit());
        masked.push_str(&if bare.len() >= 32 {
            word.replace(bare, "…")
        } else {
            word.to_owned()
        });
    }
    want.assert_eq(&masked);
    assert_eq!(world.open().is_ok(), opens);
}

#[test]
fn a_changed_entry_is_found() {
    check_tampered(
        |world| {
            world.sql("journal.db", "UPDATE entry SET entry = CAST(replace(entry, '08:14:00', '08:14:01') AS BLOB) WHERE seq = 2")
        },
        false,
        expect![[r#"
            the `7` entries have the root `…`, and the head states `…` for `7`
            the checkpoint of `6` entries that was signed is not theirs: the entries have another root
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
        "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE entry SET entry = x'7b7d' WHERE seq = 2",
            )
        },
        false,
        expect![[r#"
            entry `2` is no entry
            the `7` entries have the root `…`, and the head states `…` for `7`
            the checkpoint of `6` entries that was signed is not theirs: the entries have another root
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
        "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE entry SET id = randomblob(16) WHERE seq = 2",
            )
        },
        false,
        expect![[r#"
        the row of entry `2` names another id than the entry itself
    "#]],
    );
    check_tampered(
        |world| world.sql("journal.db", "DELETE FROM entry WHERE seq = 2"),
        false,
        expect![[r#"
            entry `2` is missing
            the `6` entries have the root `…`, and the head states `…` for `7`
            the checkpoint of `6` entries that was signed is not theirs: the entries have another root
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
        "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE entry SET seq = seq + 90 WHERE seq = 6",
            )
        },
        false,
        expect![[r#"
            entry `6` is missing
            `journal.db` has `1` rows that belong to no entry below its head
            the `6` entries have the root `…`, and the head states `…` for `7`
            the payloads add up to a state of `6` entries, not `7`
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
            note: `1` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted
        "#]],
    );
    check_tampered(
        |world| {
            world.sql("journal.db", "UPDATE entry SET seq = 99 WHERE seq = 2; UPDATE entry SET seq = 2 WHERE seq = 3; UPDATE entry SET seq = 3 WHERE seq = 99");
        },
        false,
        expect![[r#"
            the payload of entry `2` is not what was sealed
            the payload of entry `3` is not what was sealed
            the `7` entries have the root `…`, and the head states `…` for `7`
            the checkpoint of `6` entries that was signed is not theirs: the entries have another root
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
        "#]],
    );
}

#[test]
fn a_changed_payload_is_found() {
    let flip = "UPDATE payload SET sealed = CAST(substr(sealed, 1, 5) || iif(substr(sealed, 6, 1) = x'00', x'01', x'00') || substr(sealed, 7) AS BLOB) WHERE seq = 2";
    check_tampered(
        |world| world.sql("journal.db", flip),
        false,
        expect![[r#"
        the payload of entry `2` is not what was sealed
    "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE payload SET nonce = randomblob(24) WHERE seq = 2",
            )
        },
        false,
        expect![[r#"
        the payload of entry `2` is not what was sealed
    "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE payload SET key = randomblob(16) WHERE seq = 2",
            )
        },
        false,
        expect![[r#"
        the payload of entry `2` is not what was sealed
    "#]],
    );
    check_tampered(
        |world| world.sql("journal.db", "DELETE FROM payload WHERE seq = 2"),
        false,
        expect![[r#"
        the payload of entry `2` is missing
    "#]],
    );
    // A payload in another entry's place opens under no circumstances.
    let swap = "UPDATE payload SET (key, nonce, sealed) = (SELECT key, nonce, sealed FROM payload WHERE seq = 0) WHERE seq = 1";
    check_tampered(
        |world| world.sql("journal.db", swap),
        false,
        expect![[r#"
        the payload of entry `1` is not what was sealed
    "#]],
    );
}

#[test]
fn a_changed_blob_is_found() {
    check_tampered(
        |world| {
            let path = world.a_blob();
            let mut bytes = fs::read(&path).unwrap();
            bytes[3] ^= 1;
            fs::write(path, bytes).unwrap();
        },
        true,
        expect![[r#"
            blob `document` of entry `6` is not what was sealed
        "#]],
    );
    check_tampered(
        |world| fs::remove_file(world.a_blob()).unwrap(),
        true,
        expect![[r#"
        blob `document` of entry `6` is missing
    "#]],
    );
    check_tampered(
        |world| world.sql("journal.db", "DELETE FROM blob WHERE name = 'document'"),
        true,
        expect![[r#"
        blob `document` of entry `6` is missing
        note: `1` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted
    "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE blob SET name = 'other' WHERE name = 'document'",
            )
        },
        true,
        expect![[r#"
        blob `document` of entry `6` is missing
        there is a blob `other` of entry `6` that the entry does not state
    "#]],
    );
}

#[test]
fn a_changed_head_is_found() {
    check_tampered(
        |world| world.sql("journal.db", "UPDATE head SET size = size - 1"),
        false,
        expect![[r#"
            `journal.db` has `3` rows that belong to no entry below its head
            the `6` entries have the root `…`, and the head states `…` for `6`
            the head is not what was signed: its checkpoint states another origin, size or root
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
            note: `1` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted
        "#]],
    );
    check_tampered(
        |world| world.sql("journal.db", "UPDATE head SET root = randomblob(32)"),
        false,
        expect![[r#"
        the `7` entries have the root `…`, and the head states `…` for `7`
        the head is not what was signed: its checkpoint states another origin, size or root
    "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "journal.db",
                "UPDATE head SET checkpoint = replace(checkpoint, 'example', 'exampel')",
            )
        },
        false,
        expect![[r#"
        the head is not what was signed: its checkpoint is not signed by the key in `log.key`
    "#]],
    );
    check_tampered(
        |world| world.sql("journal.db", "UPDATE head SET origin = 'example.org/other'"),
        false,
        expect![[r#"
            the head is not what was signed: its checkpoint is not signed by the key in `log.key`
            the checkpoint of `6` entries that was signed is not theirs: its checkpoint is not signed by the key in `log.key`
            the checkpoint of `7` entries that was signed is not theirs: its checkpoint is not signed by the key in `log.key`
        "#]],
    );
    check_tampered(
        |world| world.sql("journal.db", "DELETE FROM head"),
        false,
        expect![
            "error: the desk is damaged: it has no head; see what `alnager desk verify` still finds sound, or put a backup in its place"
        ],
    );
}

#[test]
fn a_changed_guard_is_found() {
    check_tampered(
        |world| world.sql("keys.db", "UPDATE guard SET root = randomblob(32)"),
        false,
        expect![[r#"
        the guard is not what was signed: its checkpoint states another origin, size or root
        the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
    "#]],
    );
    check_tampered(
        |world| world.sql("keys.db", "UPDATE guard SET size = size + 1"),
        false,
        expect![[r#"
        the guard is not what was signed: its checkpoint states another origin, size or root
        the guard has seen `8` signed entries that this journal does not have; an older or another journal was put in its place
    "#]],
    );
    check_tampered(
        |world| {
            world.sql(
                "keys.db",
                "UPDATE guard SET checkpoint = replace(checkpoint, 'example', 'exampel')",
            )
        },
        false,
        expect![[r#"
        the guard is not what was signed: its checkpoint is not signed by the key in `log.key`
    "#]],
    );
    check_tampered(
        |world| world.sql("keys.db", "DELETE FROM guard"),
        false,
        expect![[r#"
        `keys.db` has no guard for this journal
    "#]],
    );
}

#[test]
fn changed_keys_are_found() {
    check_tampered(
        |world| {
            world.sql(
                "keys.db",
                "UPDATE data_key SET nonce = randomblob(24) WHERE rowid = 1",
            )
        },
        false,
        expect![[r#"
            data key `…` does not open under `kek`
            the payload of entry `0` is not what was sealed
            the payload of entry `1` is not what was sealed
            the payload of entry `4` is not what was sealed
            the payload of entry `5` is not what was sealed
            the payload of entry `6` is not what was sealed
        "#]],
    );
    check_tampered(
        |world| world.sql("keys.db", "DELETE FROM data_key WHERE rowid = 2"),
        false,
        expect![[r#"
        the payload of entry `2` is not what was sealed
    "#]],
    );
    check_tampered(
        |world| fs::write(world.dir().join("log.key"), [7; 32]).unwrap(),
        false,
        expect![[r#"
            the head is not what was signed: its checkpoint is not signed by the key in `log.key`
            the checkpoint of `6` entries that was signed is not theirs: its checkpoint is not signed by the key in `log.key`
            the checkpoint of `7` entries that was signed is not theirs: its checkpoint is not signed by the key in `log.key`
            the guard is not what was signed: its checkpoint is not signed by the key in `log.key`
        "#]],
    );
    check_tampered(
        |world| fs::write(world.dir().join("kek"), [7; 31]).unwrap(),
        false,
        expect![
            "error: the desk is damaged: `kek` has `31` bytes, not 32; see what `alnager desk verify` still finds sound, or put a backup in its place"
        ],
    );
    check_tampered(
        |world| fs::remove_file(world.dir().join("kek")).unwrap(),
        false,
        expect![
            "error: the desk is damaged: `kek` is missing; see what `alnager desk verify` still finds sound, or put a backup in its place"
        ],
    );
}

#[test]
fn leftovers_of_an_interrupted_command_are_noted() {
    check_tampered(
        |world| fs::write(world.dir().join("blobs/unfinished-1"), "half").unwrap(),
        true,
        expect![[r#"
        note: `1` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted
    "#]],
    );
}

#[test]
fn an_older_journal_in_its_place_is_read_and_not_written() {
    let world = World::new();
    let desk = world.desk(0);
    world.run(desk.close()).unwrap();
    let older = fs::read(world.dir().join("journal.db")).unwrap();
    let mut desk = world.open().unwrap();
    world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
    world.run(desk.close()).unwrap();
    fs::write(world.dir().join("journal.db"), older).unwrap();

    let mut desk = world.open().unwrap();
    assert!(
        desk.forked()
            .unwrap()
            .contains("an older copy seems to have been put back")
    );
    assert_eq!(desk.size(), 6);
    let before = fs::read(world.dir().join("journal.db")).unwrap();
    let refused = world
        .commit(&mut desk, id(), &world.evidence(1))
        .unwrap_err();
    assert!(
        matches!(refused, CommitError::Store(StoreError::Forked { .. })),
        "{refused:?}"
    );
    world.run(desk.close()).unwrap();
    assert_eq!(fs::read(world.dir().join("journal.db")).unwrap(), before);
    expect![[r#"
        the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
        note: `1` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted
    "#]].assert_eq(&shown(&world.verify()));
}

#[test]
fn an_older_guard_is_moved_on() {
    let world = World::new();
    world.closed(0);
    let older = fs::read(world.dir().join("keys.db")).unwrap();
    let mut desk = world.open().unwrap();
    world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
    world.run(desk.close()).unwrap();
    // The evidence names nobody new, so the older keys are all the keys.
    fs::write(world.dir().join("keys.db"), older).unwrap();
    expect![[r#"
        note: the guard is at `6` of `7` entries; a command was interrupted, and the next one moves it on
    "#]].assert_eq(&shown(&world.verify()));
    drop(world.open().unwrap());
    assert_eq!(shown(&world.verify()), "");
}

#[test]
fn no_changed_byte_of_a_database_goes_unnoticed_or_makes_it_panic() {
    // A fixed walk over the files, by a prime, so that all parts of a page are met.
    const STRIDE: usize = 409;
    let world = World::new();
    world.closed(1);
    let sound = world.verify();
    let summary = |report: &DeskReport| {
        (
            report.size,
            report.root,
            report.contents.unwrap().payloads,
            report.contents.unwrap().blobs,
            report.checkpoint.clone(),
        )
    };
    let (mut found, mut tried) = (0, 0);
    for file in ["journal.db", "keys.db"] {
        let path = world.dir().join(file);
        let whole = fs::read(&path).unwrap();
        for at in (0..whole.len()).step_by(STRIDE) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            fs::write(&path, &bytes).unwrap();
            tried += 1;
            match world.run(Desk::verify(&world.place())) {
                Ok(report) if report.is_sound() => {
                    assert_eq!(summary(&report), summary(&sound), "byte {at} of {file}")
                }
                Ok(_) | Err(_) => found += 1,
            }
        }
        fs::write(&path, &whole).unwrap();
    }
    assert!(
        found > 0 && tried > found,
        "{found} of {tried}: pages have room that means nothing"
    );
    assert!(world.verify().is_sound());
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_look_into_a_desk() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.closed(1);
    for path in tree_of(&world.dir()) {
        let metadata = fs::metadata(&path).unwrap();
        let want = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(
            metadata.permissions().mode() & 0o777,
            want,
            "{}",
            path.display()
        );
    }
    fs::set_permissions(world.dir().join("kek"), fs::Permissions::from_mode(0o640)).unwrap();
    expect![[r#"
        note: `kek` can be read by others; `chmod 600` it
    "#]]
    .assert_eq(&shown(&world.verify()));
}

#[test]
fn names_and_documents_are_nowhere_in_plain_text() {
    let world = World::new();
    let mut desk = world.desk(1);
    let accept = Command::AcceptEvidence(EvidenceRuling {
        evidence: "E1".to_owned(),
        requirements: Vec::new(),
        reason: "read".to_owned(),
    });
    world
        .run(desk.commit(id(), AT, &accept, &world.context(PEOPLE[2])))
        .unwrap();
    let people: BTreeSet<String> = desk.state().people.values().cloned().collect();
    assert_eq!(people, PEOPLE.map(str::to_owned).into());
    world.run(desk.close()).unwrap();

    let contains = |bytes: &[u8], word: &str| {
        bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes())
    };
    let mut seen_origin = false;
    for path in tree_of(&world.dir())
        .into_iter()
        .filter(|path| path.is_file())
    {
        let bytes = fs::read(&path).unwrap();
        seen_origin |= contains(&bytes, ORIGIN);
        for secret in PEOPLE
            .into_iter()
            .chain([ORGANISATION, DOCUMENT, "minutes-0.md"])
        {
            let words: Vec<&str> = secret.split(' ').filter(|word| word.len() > 5).collect();
            for word in words {
                assert!(!contains(&bytes, word), "`{word}` in {}", path.display());
            }
        }
    }
    assert!(seen_origin, "the search finds what is there");
}

/// The error of opening whatever `prepare` made of the desk.
#[track_caller]
fn check_open(prepare: impl FnOnce(&World), want: Expect) {
    let world = World::new();
    prepare(&world);
    let error = world.open().map(drop).unwrap_err().to_string();
    want.assert_eq(&error.replace(&world.folder.path().display().to_string(), "DIR"));
}

#[test]
fn a_desk_that_cannot_be_opened_says_why_and_what_to_do() {
    check_open(
        |_| {},
        expect![
            "there is no desk in `DIR/desk`; the first review makes one, or name another with --desk DIR"
        ],
    );
    check_open(
        |world| fs::create_dir(world.dir()).unwrap(),
        expect![
            "there is no desk in `DIR/desk`; the first review makes one, or name another with --desk DIR"
        ],
    );
    check_open(
        |world| fs::write(world.dir(), "text").unwrap(),
        expect!["`DIR/desk` is no desk: it is not a folder; name another with --desk DIR"],
    );
    check_open(
        |world| {
            fs::create_dir(world.dir()).unwrap();
            fs::write(world.dir().join("notes.txt"), "mine").unwrap();
        },
        expect![
            "`DIR/desk` is no desk: it holds files but no `journal.db`; name another with --desk DIR"
        ],
    );
    let with = |file: &'static str, bytes: &'static [u8]| {
        move |world: &World| {
            world.closed(0);
            fs::write(world.dir().join(file), bytes).unwrap();
        }
    };
    check_open(
        with("journal.db", b"this is no database, whatever its name says"),
        expect![
            "the desk is damaged: `DIR/desk/journal.db` is no SQLite database; see what `alnager desk verify` still finds sound, or put a backup in its place"
        ],
    );
    check_open(
        with("keys.db", b""),
        expect![
            "the desk is damaged: `keys.db` is empty; see what `alnager desk verify` still finds sound, or put a backup in its place"
        ],
    );
    let changed = |database: &'static str, sql: &'static str| {
        move |world: &World| {
            world.closed(0);
            world.run(async {
                let path = world.dir().join(database);
                let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .connect()
                    .await
                    .unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            });
        }
    };
    check_open(
        changed("journal.db", "PRAGMA user_version = 99"),
        expect![
            "`DIR/desk/journal.db` has format `99`, and this version reads `3`; use a newer version of alnager"
        ],
    );
    check_open(
        changed("keys.db", "PRAGMA application_id = 1"),
        expect![
            "`DIR/desk/keys.db` is no desk: it is a database of another program; name another with --desk DIR"
        ],
    );
    check_open(
        |world| {
            world.closed(0);
            fs::remove_file(world.dir().join("keys.db")).unwrap();
        },
        expect![
            "the desk is damaged: `keys.db` is missing; see what `alnager desk verify` still finds sound, or put a backup in its place"
        ],
    );
}

#[test]
fn a_new_desk_is_made_only_from_sound_parts() {
    let world = World::new();
    let make = |dir: PathBuf, org: Uuid, origin: &str| {
        let made = world.run(Desk::open_or_new(
            &Place::from(dir.as_path()),
            Fresh {
                org,
                origin: origin.to_owned(),
            },
        ));
        made.map(drop)
            .unwrap_err()
            .to_string()
            .replace(&world.folder.path().display().to_string(), "DIR")
    };
    expect!["an organisation's id must be a UUID of version 7"].assert_eq(&make(
        world.dir(),
        Uuid::nil(),
        ORIGIN,
    ));
    expect!["`two words` cannot name a log; use a name like `example.org/alnager`"]
        .assert_eq(&make(world.dir(), id(), "two words"));
    expect!["there is no folder `DIR/no` to make a desk in; create it first, or name another desk with --desk DIR"].assert_eq(&make(world.folder.path().join("no/desk"), id(), ORIGIN));
    assert_eq!(world.files(), BTreeSet::new());
}

fn an_instant_in_another_form_is_refused(world: &World) {
    let mut desk = world.desk(0);
    let size = desk.state().size;
    for at in [
        "2026-11-23",
        "2026-11-23T08:14:00Z",
        "2026-11-23T08:14:00.000000+01:00",
        "yesterday",
    ] {
        let refused = world
            .run(desk.commit(id(), at, &world.evidence(0), &world.context(PEOPLE[0])))
            .unwrap_err();
        assert!(
            matches!(
                refused,
                CommitError::Store(StoreError::Instant { .. } | StoreError::Entry { .. })
            ),
            "{at}: {refused:?}"
        );
    }
    assert_eq!(desk.state().size, size);
}

fn a_group_is_answered_one_by_one(world: &World) {
    let mut desk = world.desk(0);
    let with = world.context(PEOPLE[0]);
    let (one, two) = (id(), id());
    let size = desk.size();
    let commands = [world.evidence(0), world.evidence(1), world.evidence(2)];
    let order = |id, command, expected| Order {
        id,
        at: AT,
        command,
        with: &with,
        expected,
    };
    let answers = world.run(desk.enter_all(&[
        order(one, &commands[0], None),
        order(one, &commands[0], None),
        order(id(), &commands[1], Some(size)),
        order(two, &commands[2], Some(size + 1)),
    ]));
    let [first, again, refused, last] = <[_; 4]>::try_from(answers).unwrap();
    let (first, again, last) = (first.unwrap(), again.unwrap(), last.unwrap());
    assert_eq!(
        (first.first, first.end, first.already),
        (size, size + 1, false)
    );
    assert_eq!(
        (again.first, again.end, again.already),
        (size, size + 1, true)
    );
    assert!(
        matches!(refused, Err(CommitError::Conflict { .. })),
        "{refused:?}"
    );
    assert_eq!((last.first, last.end), (size + 1, size + 2));
    // One checkpoint for all.
    assert_eq!(
        (first.size, &first.checkpoint),
        (last.size, &last.checkpoint)
    );
    assert_eq!(shown(&world.verify()), "");
}

fn a_snapshot_gives_the_same_state(world: &World) {
    let mut desk = world.desk(3);
    world.run(desk.write_snapshot()).unwrap();
    world.commit(&mut desk, id(), &world.evidence(3)).unwrap();
    let state = desk.state();
    world.run(desk.close()).unwrap();
    let desk = world.open().unwrap();
    assert_eq!(desk.snapshot_size, state.size - 1);
    assert_eq!(*desk.state(), *state);
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");
}

/// Enters evidence `from..to` as one group.
fn enter_many(world: &World, desk: &mut Desk, from: u32, to: u32) {
    let with = world.context(PEOPLE[0]);
    let commands: Vec<Command> = (from..to).map(|n| world.evidence(n)).collect();
    let orders: Vec<Order<'_>> = commands
        .iter()
        .map(|command| Order {
            id: id(),
            at: AT,
            command,
            with: &with,
            expected: None,
        })
        .collect();
    for answer in world.run(desk.enter_all(&orders)) {
        assert!(!answer.unwrap().already);
    }
}

fn tiles_are_rebuilt_from_the_entries(world: &World) {
    let mut desk = world.desk(0);
    enter_many(world, &mut desk, 0, 600);
    let (size, root) = (desk.size(), desk.checkpoint().checkpoint().root());
    let proof = world.run(desk.inclusion_proof(3, size)).unwrap();
    world.sql("journal.db", "DELETE FROM tile");
    let lost = world.run(desk.inclusion_proof(3, size));
    assert!(matches!(lost, Err(StoreError::Damaged { .. })), "{lost:?}");
    world.run(desk.rebuild(&|_, _| {})).unwrap();
    assert_eq!(world.run(desk.inclusion_proof(3, size)).unwrap(), proof);
    assert_eq!(world.run(desk.root_at(size)).unwrap(), Some(root));
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");
}

#[test]
fn an_opinion_on_a_state_that_the_journal_never_signed_is_found() {
    for is_own in [true, false] {
        let world = World::new();
        let mut desk = world.desk(2);
        for (person, role) in [
            (PEOPLE[0], Role::Administrator),
            ("Ida Auditor", Role::Auditor),
        ] {
            let command = Command::GrantRoles {
                person: person.to_owned(),
                roles: vec![role],
                reason: "r".to_owned(),
            };
            world.commit(&mut desk, id(), &command).unwrap();
        }
        let signed = desk.checkpoint().checkpoint();
        let root = match is_own {
            true => signed.root(),
            false => Hash::of(b"another journal"),
        };
        let opinion = NewAuditOpinion {
            system: "sys".to_owned(),
            conclusion: Conclusion::Unmodified,
            basis: "b".to_owned(),
            size: signed.size(),
            root,
            note: None,
        };
        let command = Command::GiveOpinion(Box::new(opinion));
        let with = world.context("Ida Auditor");
        world.run(desk.commit(id(), AT, &command, &with)).unwrap();
        world.run(desk.close()).unwrap();
        let told = shown(&world.verify());
        let want = "with another root than a checkpoint of this journal states";
        assert_eq!(told.contains(want), !is_own, "{told}");
        assert_eq!(told.lines().count(), usize::from(!is_own), "{told}");
    }
}
