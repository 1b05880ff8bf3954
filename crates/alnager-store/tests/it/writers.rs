//! Eight writers at once: nothing is lost, nothing is there twice, and each writer's entries are in its order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use alnager_store::{Desk, Place, Standing, Writer};
use uuid::Uuid;

use super::{
    commit, folder, hold, id, new_desk, number, person, run, standing, submission, verify,
};

const WRITERS: usize = 8;

/// A command and its entries, first to below last.
type Written = (Uuid, u64, u64);

/// Lets every writer write, and looks at what is there then.
fn check(
    n: usize,
    write: impl Fn(&Place, usize, &Arc<Standing>) -> Vec<Written> + Sync,
    place: &Place,
    standing: &Arc<Standing>,
) {
    let before = run(Desk::open(place)).unwrap().size();
    let start = Instant::now();
    let written: Vec<Vec<Written>> = std::thread::scope(|scope| {
        let write = &write;
        let threads: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write(place, writer, standing)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let elapsed = start.elapsed();
    println!(
        "{WRITERS} writers, {n} appends each: {:.1} s, {:.0} a second",
        elapsed.as_secs_f64(),
        (WRITERS * n) as f64 / elapsed.as_secs_f64()
    );

    let report = verify(place);
    assert_eq!(report.size, before + (WRITERS * n) as u64);
    let desk = run(Desk::open(place)).unwrap();
    let entries = run(desk.entries(before, report.size)).unwrap();
    let mut found: BTreeMap<Uuid, u64> = BTreeMap::new();
    for (index, entry) in entries {
        let twice = found.insert(entry.command, index);
        assert_eq!(twice, None, "a command is there twice");
    }
    for of_one in &written {
        assert_eq!(of_one.len(), n);
        for (command, first, end) in of_one {
            assert_eq!(found.remove(command), Some(*first));
            assert_eq!(*end, first + 1);
        }
        assert!(
            of_one.windows(2).all(|two| two[0].1 < two[1].1),
            "out of order"
        );
    }
    assert_eq!(found, BTreeMap::new(), "nobody wrote these");
}

#[test]
fn eight_submitters_of_one_writer_lose_nothing() {
    let n: usize = if number("ALNAGER_LONG").is_some() {
        10_000
    } else {
        1_000
    };
    let (folder, standing) = (folder(false), standing());
    let (place, desk) = new_desk(folder.path(), &standing, WRITERS);
    let writer = Writer::start(desk).unwrap();
    let write = |_: &Place, number: usize, standing: &Arc<Standing>| -> Vec<Written> {
        let person = person(number);
        let one = |nth: usize| {
            let id = id();
            let command = hold(&person, nth.is_multiple_of(2));
            let receipt = run(writer.submit(submission(standing, id, command))).unwrap();
            assert!(!receipt.already);
            // What is acknowledged can be seen.
            assert!(writer.state().size >= receipt.end);
            (id, receipt.first, receipt.end)
        };
        (0..n).map(one).collect()
    };
    check(n, write, &place, &standing);
}

#[test]
fn eight_handles_of_one_desk_lose_nothing() {
    let n: usize = if number("ALNAGER_LONG").is_some() {
        1_000
    } else {
        100
    };
    let (folder, standing) = (folder(false), standing());
    let (place, desk) = new_desk(folder.path(), &standing, WRITERS);
    run(desk.close()).unwrap();
    let write = |place: &Place, number: usize, standing: &Arc<Standing>| -> Vec<Written> {
        let person = person(number);
        run(async {
            let mut desk = Desk::open(place).await.unwrap();
            let mut written = Vec::new();
            for nth in 0..n {
                let (id, command) = (id(), hold(&person, nth.is_multiple_of(2)));
                let receipt = commit(&mut desk, standing, id, &command).await.unwrap();
                assert!(!receipt.already);
                written.push((id, receipt.first, receipt.end));
            }
            written
        })
    };
    check(n, write, &place, &standing);
}
