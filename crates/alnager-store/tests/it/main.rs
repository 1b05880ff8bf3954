//! The desk among processes and threads that write at once, die, or find no space.
//!
//! Commands here are legal holds on a person, placed and released in turn: one entry each, whatever the journal's length.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod full;
mod kill;
mod writers;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use alnager_audit::policy::Policy;
use alnager_law::book::Book;
use alnager_law::fact::Vocabulary;
use alnager_law::pack::Register;
use alnager_law::requirement::AsOf;
use alnager_office::decide::{Blob, Command, Context, Review};
use alnager_office::declaration::Declaration;
use alnager_office::event::BookStamp;
use alnager_office::gate::{Gate, ReportStamp};
use alnager_office::task::{NewTask, Why};
use alnager_store::{CommitError, Desk, Fresh, Place, Receipt, Standing, Submission};
use tempfile::TempDir;
use uuid::Uuid;

const AT: &str = "2026-11-23T08:14:00.000000Z";

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.decides]
type = 'bool'
question = 'Does it decide?'
serves = ['all']
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
const SYSTEM: &str = "
schema = 'alnager.system/1'
id = 'sys'
name = 'S'
organisation = 'Harbour Credit Union'
owner = 'Rita Vandermeer'
purpose = 'p'
stage = 'validation'
[facts]
decides = { value = true, by = 'Rita Vandermeer', on = 2026-01-01, basis = 'b' }
";

/// The law and policy of these tests.
fn standing() -> Arc<Standing> {
    let vocabulary = Vocabulary::parse("f", FACTS).unwrap();
    Arc::new(Standing {
        book: Book::new(
            vocabulary,
            Register::default(),
            Register::default(),
            Vec::new(),
        )
        .unwrap(),
        policy: Policy::parse("q", POLICY).unwrap(),
        stamp: BookStamp { files: Vec::new() },
        texts: Blob {
            name: "book.json".to_owned(),
            media: "application/json".to_owned(),
            bytes: Arc::new(b"{}".to_vec()),
        },
    })
}

fn id() -> Uuid {
    let mut random = [0; 10];
    getrandom::fill(&mut random).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    uuid::Builder::from_unix_timestamp_millis(now.as_millis() as u64, &random).into_uuid()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn context<'a>(standing: &'a Standing) -> Context<'a> {
    Context {
        book: &standing.book,
        policy: &standing.policy,
        stamp: standing.stamp.clone(),
        texts: standing.texts.clone(),
        organisation: String::new(),
        actor: "Ada Lindqvist".to_owned(),
        today: "2026-11-23".parse().unwrap(),
        ids: (0..40).map(|_| id()).collect(),
    }
}

fn submission(standing: &Arc<Standing>, id: Uuid, command: Command) -> Submission {
    Submission {
        id,
        at: AT.to_owned(),
        command,
        standing: Arc::clone(standing),
        actor: "Ada Lindqvist".to_owned(),
        today: "2026-11-23".parse().unwrap(),
        ids: (0..4).map(|_| self::id()).collect(),
        expected: None,
    }
}

async fn commit(
    desk: &mut Desk,
    standing: &Standing,
    id: Uuid,
    command: &Command,
) -> Result<Receipt, CommitError> {
    desk.commit(id, AT, command, &context(standing)).await
}

/// Names this many people, writers of tests.
fn tasks_for(people: impl Iterator<Item = String>) -> Command {
    let task = |owner: String| NewTask {
        what: format!("the task of {owner}"),
        why: Why::Reason("a test".to_owned()),
        system: None,
        requirement: None,
        owner,
        due: "2027-01-31".parse().unwrap(),
    };
    Command::OpenTasks(people.map(task).collect())
}

fn person(writer: usize) -> String {
    format!("Writer Number{writer}")
}

/// Places a hold, or releases it.
fn hold(person: &str, places: bool) -> Command {
    let (person, reason) = (person.to_owned(), "a test".to_owned());
    match places {
        true => Command::PlaceHold { person, reason },
        false => Command::ReleaseHold { person, reason },
    }
}

/// A folder for a desk: in memory where there is such a disk, or on a real one.
fn folder(on_disk: bool) -> TempDir {
    match on_disk {
        true => tempfile::tempdir().unwrap(),
        false => tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap(),
    }
}

/// A desk with one review, in which these many writers are known.
fn new_desk(folder: &std::path::Path, standing: &Standing, n_writers: usize) -> (Place, Desk) {
    let place = Place::from(PathBuf::from(folder).join("desk"));
    let day = "2026-11-23".parse().unwrap();
    let declaration = Declaration::parse("system.toml", SYSTEM, &standing.book, &standing.policy);
    let review = Command::Review(Box::new(Review {
        declaration: declaration.unwrap(),
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
    }));
    let fresh = Fresh {
        org: id(),
        origin: "example.org/alnager".to_owned(),
    };
    let desk = run(async {
        let mut desk = Desk::open_or_new(&place, fresh).await.unwrap();
        commit(&mut desk, standing, id(), &review).await.unwrap();
        let tasks = tasks_for((0..n_writers).map(person));
        commit(&mut desk, standing, id(), &tasks).await.unwrap();
        desk
    });
    (place, desk)
}

/// The desk holds together, every byte of it.
#[track_caller]
fn verify(place: &Place) -> alnager_store::DeskReport {
    let report = run(Desk::verify(place)).unwrap();
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, Vec::<String>::new());
    report
}

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
