//! kill -9 at random moments: what was acknowledged is there, once, and the desk verifies.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::Place;
use crate::dossier::Random;

/// Reviews are started one after another and killed after a random time; whatever printed its receipt must be in the journal.
#[test]
fn a_hundred_kills_lose_nothing_and_double_nothing() {
    let place = Place::with("credit");
    let seed = 7_214;
    println!("seed {seed}");
    let mut random = Random(seed);
    let mut acknowledged: Vec<u64> = Vec::new();
    // How long a review takes here, so that kills fall all over it.
    let start = std::time::Instant::now();
    let (_, first) = place.review(&[]);
    let whole = start.elapsed();
    acknowledged.push(first["journal"]["size"].as_u64().unwrap());
    let mut n_killed = 0;
    for _ in 0..100 {
        let mut child = place
            .command(&[
                "review",
                "system",
                "--known",
                "2026-11-23",
                "--format",
                "json",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(
            whole
                .mul_f64(random.below(1_100) as f64 / 1_000.0)
                .max(Duration::from_millis(1)),
        );
        n_killed += u32::from(child.kill().is_ok() && child.wait().unwrap().code().is_none());
        let mut text = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        if let Ok(review) = serde_json::from_str::<Value>(&text) {
            acknowledged.push(review["journal"]["size"].as_u64().unwrap());
        }
    }
    let desk = place.run(&["desk", "verify", "--format", "json"]);
    assert_eq!(desk.code, 0, "{}{}", desk.out, desk.err);
    let desk: Value = serde_json::from_str(&desk.out).unwrap();
    let size = desk["size"].as_u64().unwrap();
    let mut once = acknowledged.clone();
    once.dedup();
    assert_eq!(once, acknowledged, "a receipt was given twice");
    assert!(
        acknowledged.iter().all(|end| *end <= size),
        "acknowledged entries are missing"
    );
    let (_, last) = place.review(&[]);
    // The declaration did not change: each review is one entry, and nothing else was added.
    assert_eq!(last["journal"]["size"].as_u64().unwrap(), size + 1);
    assert!(
        n_killed > 20,
        "only {n_killed} of 100 reviews were killed on the way"
    );
}

/// The first review of a new desk, killed: the desk is whole or not there.
#[test]
fn a_killed_first_review_leaves_a_whole_desk_or_none() {
    let mut random = Random(1_865);
    for _ in 0..12 {
        let place = Place::with("credit");
        let mut child = place
            .command(&["review", "system", "--known", "2026-11-23"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(random.below(400) as u64));
        let _ = child.kill();
        child.wait().unwrap();
        if place.path(".alnager").exists() {
            let desk = place.run(&["desk", "verify"]);
            assert_eq!(desk.code, 0, "{}{}", desk.out, desk.err);
        }
        let (_, review) = place.review(&[]);
        assert_eq!(review["verdict"], "undecided");
    }
}
