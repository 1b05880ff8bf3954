//! Desks of earlier releases: read forever.

use super::*;

const ROOT: &str = "lu0lchfIkx1oMTlc9kvMOCQNjfeSv6+23P5zW4thltY=";
const GOLDEN_PEOPLE: [&str; 4] = ["Ada Example", "Tomas Beran", "Clara Osei", "Vera Lind"];

/// The desk of release 0.1.0, unpacked as the world's desk.
fn unpack(world: &World) {
    let crate_dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let packed = fs::read(Path::new(&crate_dir).join("golden/desk-1.tar.zst")).unwrap();
    let tar = zstd::decode_all(packed.as_slice()).unwrap();
    tar::Archive::new(tar.as_slice())
        .unpack(world.folder.path())
        .unwrap();
}

fn format(world: &World, database: &str) -> i64 {
    let bytes = fs::read(world.dir().join(database)).unwrap();
    // The user version: https://www.sqlite.org/fileformat2.html
    i64::from(u32::from_be_bytes(bytes[60..64].try_into().unwrap()))
}

#[track_caller]
fn check_state(desk: &Desk) {
    let state = desk.state();
    assert_eq!(state.size, 25);
    assert_eq!(desk.checkpoint().checkpoint().root().to_base64(), ROOT);
    for name in GOLDEN_PEOPLE {
        assert!(state.person(name).is_some(), "{name}");
    }
    assert!(state.systems["credit"].review.is_some());
    let decisions: Vec<bool> = state
        .evidence
        .values()
        .flat_map(|evidence| {
            evidence
                .decisions
                .values()
                .map(|decision| decision.is_accepted)
        })
        .collect();
    assert!(decisions.contains(&true) && decisions.contains(&false));
    assert_eq!(state.tasks["T1"].opened.due.to_string(), "2026-12-20");
    assert!(
        state
            .counsel
            .frameworks
            .values()
            .any(|framework| framework.is_adopted)
    );
}

#[test]
fn the_desk_of_release_0_1_0_is_read_and_goes_on() {
    let world = World::new();
    unpack(&world);
    assert_eq!(
        (format(&world, "journal.db"), format(&world, "keys.db")),
        (1, 1)
    );
    let mut desk = world.open().unwrap();
    check_state(&desk);
    let task = Command::FinishTask {
        task: "T1".to_owned(),
        note: "done".to_owned(),
    };
    let with = world.context(GOLDEN_PEOPLE[0]);
    let receipt = world.run(desk.commit(id(), AT, &task, &with)).unwrap();
    assert_eq!((receipt.first, receipt.end), (25, 26));
    // Nothing of before has changed.
    let proof = world.run(desk.consistency_proof(25, 26)).unwrap().unwrap();
    let old = alnager_journal::merkle::Hash::from_base64(ROOT).unwrap();
    alnager_journal::merkle::verify_consistency(25, old, 26, receipt.root, &proof).unwrap();
    world.run(desk.close()).unwrap();
    assert_eq!(
        (format(&world, "journal.db"), format(&world, "keys.db")),
        (3, 3)
    );
    let report = world.verify();
    assert_eq!((shown(&report), report.size), (String::new(), 26));
}
