//! kill -9 at random moments: what was acknowledged is there, once, and the desk verifies.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alnager_office::decide::Command;
use alnager_office::people::Basis;
use alnager_store::{By, CommitError, Desk, Order, Place, Standing, StoreError, Writer};
use uuid::Uuid;

use super::{
    AT, commit, context, folder, hold, id, new_desk, number, person, run, standing, submission,
    tasks_for, verify,
};

/// Says that this process is a child, and which folder it works in.
const CHILD: &str = "ALNAGER_TEST_CHILD";
/// What it does besides appending.
const BESIDES: &str = "ALNAGER_TEST_BESIDES";
/// The number of its first submitter.
const FROM: &str = "ALNAGER_TEST_FROM";

const SUBMITTERS: usize = 8;
/// After so many kills there is a new desk.
const KILLS_PER_DESK: u64 = 5;
const DELAY_MS_MAX: u64 = 60;

/// What a child does until it is killed, when it is started by the test below.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else {
        return;
    };
    let (folder, standing) = (PathBuf::from(folder), standing());
    let place = Place::from(folder.join("desk"));
    let from = number(FROM).unwrap() as usize;
    let writer = run(Writer::open(&place)).unwrap();
    println!("\nready");
    std::thread::scope(|scope| {
        for number in from..from + SUBMITTERS {
            let (writer, folder, standing) = (writer.clone(), &folder, &standing);
            scope.spawn(move || append(&writer, folder, standing, number));
        }
        let besides = std::env::var(BESIDES).unwrap();
        loop {
            let done = run(act(&place, &standing, &besides));
            match done {
                // Another process is at it, or reads.
                Ok(())
                | Err(CommitError::Store(
                    StoreError::StillRead { .. } | StoreError::InUse { .. },
                )) => {}
                Err(error) => say(
                    &folder,
                    from,
                    &format!("failed {besides}: {error}: {error:?}"),
                ),
            }
        }
    });
}

/// Appends, and writes down what it asks for and what is acknowledged.
fn append(writer: &Writer, folder: &Path, standing: &Arc<Standing>, number: usize) {
    let person = person(number);
    let state = writer.state();
    let is_held = state.person(&person).map(|id| state.holds.contains_key(id));
    let mut places = !is_held.unwrap();
    loop {
        let id = id();
        say(folder, number, &format!("asked {id} {places}"));
        let command = hold(&person, places);
        match run(writer.submit(submission(standing, id, command))) {
            Ok(receipt) => say(
                folder,
                number,
                &format!("told {id} {} {}", receipt.first, receipt.end),
            ),
            Err(error) => say(folder, number, &format!("failed {id}: {error}: {error:?}")),
        }
        places = !places;
    }
}

/// Does one other thing with a handle of its own.
async fn act(place: &Place, standing: &Standing, besides: &str) -> Result<(), CommitError> {
    if besides == "nothing" {
        tokio::time::sleep(Duration::from_secs(1)).await;
        return Ok(());
    }
    let mut desk = Desk::open(place).await?;
    match besides {
        "kek" => desk.rotate_kek().await?,
        "rebuild" => drop(desk.rebuild(&|_, _| {}).await?),
        "erase" => {
            let name = format!("Somebody {}", id());
            let tasks = tasks_for(std::iter::once(name.clone()));
            commit(&mut desk, standing, id(), &tasks).await?;
            let state = desk.state();
            let unfinished = state
                .erased
                .iter()
                .find(|(_, erased)| erased.executed.is_none());
            let person = match unfinished {
                Some((id, _)) => id.clone(),
                None => state.person(&name).unwrap().to_owned(),
            };
            let command = Command::ErasePerson {
                person: person.clone(),
                basis: Basis::Objection,
                reason: "a test".to_owned(),
            };
            let with = context(standing);
            let (request, finish) = (id(), id());
            let order = Order {
                id: request,
                at: AT,
                command: &command,
                with: &with,
                expected: None,
            };
            let last = context(standing);
            let finish = By {
                id: finish,
                at: AT,
                with: &last,
            };
            desk.erase(&person, &order, &finish).await?;
        }
        other => panic!("{other}"),
    }
    Ok(())
}

fn log(folder: &Path, number: usize) -> PathBuf {
    folder.join(format!("log-{number}"))
}

/// One line, in one write, so that a kill leaves all of it or nothing.
fn say(folder: &Path, number: usize, line: &str) {
    let file = File::options()
        .create(true)
        .append(true)
        .open(log(folder, number));
    file.unwrap()
        .write_all(format!("{line}\n").as_bytes())
        .unwrap();
}

/// Starts a child and waits until it appends.
fn start(folder: &Path, besides: &str, from: usize) -> Child {
    let mut child = Process::new(std::env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture"])
        .env(CHILD, folder)
        .env(BESIDES, besides)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_ready = lines.any(|line| line.is_ok_and(|line| line == "ready"));
    assert!(is_ready, "the child could not open the desk");
    child
}

#[derive(Default)]
struct Tally {
    kills: u64,
    /// Kills that met a command whose answer was still out.
    on_the_way: u64,
    acknowledged: u64,
    /// Commands that were entered, and whose answer was lost with the process.
    entered_unheard: u64,
    never_entered: u64,
}

/// What the journal has of each command: the first entry and the one behind the last.
fn runs(desk: &Desk) -> BTreeMap<Uuid, (u64, u64)> {
    let mut runs: BTreeMap<Uuid, (u64, u64)> = BTreeMap::new();
    for (index, entry) in run(desk.entries(0, desk.size())).unwrap() {
        let found = runs.entry(entry.command).or_insert((index, index));
        assert_eq!(found.1, index, "command {} is there twice", entry.command);
        found.1 = index + 1;
    }
    runs
}

/// Holds what the children wrote down against the journal, and submits again what was not answered.
fn check(folder: &Path, place: &Place, standing: &Standing, n_writers: usize, tally: &mut Tally) {
    verify(place);
    let mut desk = run(Desk::open(place)).unwrap();
    let before = runs(&desk);
    let mut pending = Vec::new();
    for number in 0..n_writers {
        let text = fs::read_to_string(log(folder, number)).unwrap_or_default();
        let mut asked: BTreeMap<Uuid, bool> = BTreeMap::new();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["asked", id, places] => {
                    asked.insert(id.parse().unwrap(), places == "true");
                }
                ["told", id, first, end] => {
                    let id = id.parse().unwrap();
                    assert!(asked.remove(&id).is_some());
                    let run = (first.parse().unwrap(), end.parse().unwrap());
                    assert_eq!(
                        before.get(&id),
                        Some(&run),
                        "an acknowledged command is missing"
                    );
                    tally.acknowledged += 1;
                }
                _ => panic!("submitter {number}: {line}"),
            }
        }
        pending.extend(asked.into_iter().map(|(id, places)| (number, id, places)));
    }
    tally.on_the_way += u64::from(!pending.is_empty());
    for (number, id, places) in pending {
        let command = hold(&person(number), places);
        let receipt = run(commit(&mut desk, standing, id, &command)).unwrap();
        let was = before.get(&id);
        assert_eq!(receipt.already, was.is_some());
        assert!(was.is_none_or(|run| *run == (receipt.first, receipt.end)));
        match receipt.already {
            true => tally.entered_unheard += 1,
            false => tally.never_entered += 1,
        }
    }
    for number in 0..n_writers {
        let _ = fs::remove_file(log(folder, number));
    }
}

#[test]
fn two_hundred_kills_lose_nothing_and_double_nothing() {
    let n = number("ALNAGER_KILLS").unwrap_or(200);
    let started = Instant::now();
    let (standing, mut tally) = (standing(), Tally::default());
    let mut seed = number("ALNAGER_SEED").unwrap_or(7_214);
    println!("seed {seed}");
    let mut random = |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut desk_number = 0;
    while tally.kills < n {
        // Every third one on a real disk.
        let folder = folder(desk_number % 3 == 2);
        let n_writers = 2 * SUBMITTERS;
        let (place, desk) = new_desk(folder.path(), &standing, n_writers);
        run(desk.close()).unwrap();
        for nth in 0..KILLS_PER_DESK.min(n - tally.kills) {
            let besides = ["nothing", "nothing", "erase", "kek", "rebuild"][nth as usize % 5];
            let mut children = vec![start(folder.path(), besides, 0)];
            if random(4) == 0 {
                children.push(start(folder.path(), "nothing", SUBMITTERS));
            }
            std::thread::sleep(Duration::from_micros(random(DELAY_MS_MAX * 1_000)));
            for child in &mut children {
                child.kill().unwrap();
            }
            for mut child in children {
                assert_eq!(child.wait().unwrap().code(), None, "it ended by itself");
            }
            tally.kills += 1;
            check(folder.path(), &place, &standing, n_writers, &mut tally);
        }
        verify(&place);
        desk_number += 1;
    }
    let Tally {
        kills,
        on_the_way,
        acknowledged,
        entered_unheard,
        never_entered,
    } = tally;
    println!(
        "{kills} kills in {:.0} s, {on_the_way} of them with commands on the way: {acknowledged} commands were acknowledged, \
         {entered_unheard} entered unheard, {never_entered} not entered",
        started.elapsed().as_secs_f64()
    );
    assert!(on_the_way > kills / 2, "the kills fall beside the appends");
    assert!(kills < 200 || (entered_unheard > 0 && never_entered > 0));
}
