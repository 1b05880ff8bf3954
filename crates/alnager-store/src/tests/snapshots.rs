//! Snapshots: used where they fit, thrown away where anything about them is in doubt.

use super::*;

/// So many that a tile is full.
const FULL: u32 = 260;

/// Enters so many documents in one group.
fn grow(world: &World, desk: &mut Desk, documents: std::ops::Range<u32>) {
    let with = world.context(PEOPLE[0]);
    let commands: Vec<Command> = documents.map(|n| world.evidence(n)).collect();
    let orders: Vec<Order<'_>> = commands
        .iter()
        .map(|command| order(id(), command, &with))
        .collect();
    for answer in world.run(desk.enter_all(&orders)) {
        answer.unwrap();
    }
}

/// A desk with a snapshot before its last entries, and so many documents before that.
fn prepared(world: &World, documents: u32) -> (u64, Arc<alnager_office::state::State>) {
    let mut desk = world.desk(1);
    grow(world, &mut desk, 1000..1000 + documents);
    world.run(desk.write_snapshot()).unwrap();
    let size = desk.size();
    grow(world, &mut desk, 2000..2010);
    let state = desk.state();
    world.run(desk.close()).unwrap();
    (size, state)
}

/// The state of a desk that opens, and from which snapshot it began.
fn opened(world: &World) -> (u64, Arc<alnager_office::state::State>) {
    let desk = world.open().unwrap();
    (desk.snapshot_size, desk.state())
}

#[test]
fn a_desk_opens_from_its_snapshot_with_names_and_without_one_in_it() {
    let world = World::new();
    let (size, state) = prepared(&world, FULL);
    let mut desk = world.open().unwrap();
    assert_eq!((desk.snapshot_size, &*desk.state()), (size, &*state));
    assert_eq!(desk.state().person(PEOPLE[1]), state.person(PEOPLE[1]));
    assert!(desk.state().person(PEOPLE[1]).is_some());

    // What is sealed in the row names nobody.
    let row = world
        .run(
            desk.files
                .get_mut()
                .journal
                .snapshot(desk.log.org, u64::MAX),
        )
        .unwrap()
        .unwrap();
    let what = crate::seal::What::Snapshot {
        size: row.size,
        root: row.root,
    };
    let bytes = desk
        .ring
        .open(row.key, what, Uuid::nil(), &row.sealed)
        .unwrap()
        .bytes;
    let text = String::from_utf8(bytes).unwrap();
    for name in PEOPLE.iter().flat_map(|name| name.split(' ')) {
        assert!(!text.contains(name), "{name}");
    }

    for before in [size - 1, size, size + 1, 3, 256, 257] {
        let at = world.run(desk.state_at(before)).unwrap().unwrap();
        assert_eq!(at.size, before);
    }
    world.run(desk.close()).unwrap();
    world.sql("journal.db", "DELETE FROM snapshot");
    assert_eq!(opened(&world), (0, state));
}

#[test]
fn a_state_of_an_earlier_size_is_what_it_was() {
    let world = World::new();
    let mut desk = world.desk(0);
    let mut then = vec![desk.state()];
    for n in 0..4 {
        world.commit(&mut desk, id(), &world.evidence(n)).unwrap();
        if n == 1 {
            world.run(desk.write_snapshot()).unwrap();
        }
        then.push(desk.state());
    }
    world.run(desk.close()).unwrap();
    let mut desk = world.open().unwrap();
    assert!(desk.snapshot_size > 0);
    for state in then {
        assert_eq!(
            world.run(desk.state_at(state.size)).unwrap().unwrap(),
            state
        );
    }
}

#[test]
fn a_snapshot_is_written_after_4096_entries_and_not_before() {
    let world = World::new();
    let mut desk = world.desk(0);
    grow(&world, &mut desk, 0..2048);
    assert!(!world.run(desk.keep_snapshot()).unwrap());
    grow(&world, &mut desk, 2048..4090);
    assert_eq!(desk.size(), 4096);
    assert!(world.run(desk.keep_snapshot()).unwrap());
    grow(&world, &mut desk, 4090..4100);
    assert!(!world.run(desk.keep_snapshot()).unwrap());
    let state = desk.state();
    world.run(desk.close()).unwrap();
    assert_eq!(opened(&world), (4096, state));
    assert_eq!(shown(&world.verify()), "");
}

/// The snapshot after it was changed: whether it is thrown away, and what `verify` says of it.
#[track_caller]
fn check(sql: &str, documents: u32, is_used: bool, want: &str) {
    let world = World::new();
    let (size, state) = prepared(&world, documents);
    world.sql("journal.db", sql);
    let report = world.verify();
    assert_eq!(
        shown(&report),
        want.replace("SIZE", &size.to_string()),
        "{sql}"
    );
    let (used, opened) = opened(&world);
    assert_eq!(
        (used, &*opened),
        (if is_used { size } else { 0 }, &*state),
        "{sql}"
    );
    // Whatever it was, it is mended.
    let mut desk = world.open().unwrap();
    world.run(desk.rebuild(&|_, _| {})).unwrap();
    world.commit(&mut desk, id(), &world.evidence(999)).unwrap();
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "", "{sql}");
}

#[test]
fn a_changed_snapshot_is_thrown_away() {
    for sql in [
        "UPDATE snapshot SET sealed = zeroblob(length(sealed))",
        "UPDATE snapshot SET nonce = randomblob(24)",
        "UPDATE snapshot SET size = size - 1",
        "UPDATE snapshot SET root = randomblob(32)",
        "UPDATE snapshot SET format = format + 1",
        "UPDATE snapshot SET size = 100000",
    ] {
        check(sql, 3, false, "");
    }
}

#[test]
fn a_changed_tile_is_told_and_the_desk_opens() {
    let tile = "`tile/0/000` is not what the entries give; `alnager journal rebuild` makes the tiles anew\n";
    check("UPDATE tile SET hashes = zeroblob(8192)", FULL, true, tile);
    check("UPDATE tile SET root = randomblob(32)", FULL, false, tile);
    let gone = format!(
        "{tile}there are `0` full tiles, and the entries give `1`; `alnager journal rebuild` makes them anew\n"
    );
    check("DELETE FROM tile", FULL, false, &gone);
}

#[test]
fn a_snapshot_ahead_of_the_head_is_not_used_and_is_told() {
    let world = World::new();
    let desk = world.desk(1);
    let older = desk.state();
    world.run(desk.close()).unwrap();
    // The journal of before with the snapshot of after.
    let path = world.folder.path().join("older.db");
    fs::copy(world.dir().join("journal.db"), &path).unwrap();
    let mut desk = world.open().unwrap();
    world.commit(&mut desk, id(), &world.evidence(9)).unwrap();
    world.run(desk.write_snapshot()).unwrap();
    let ahead = desk.size();
    world.run(desk.close()).unwrap();
    let later = world.folder.path().join("later.db");
    fs::rename(world.dir().join("journal.db"), &later).unwrap();
    fs::rename(&path, world.dir().join("journal.db")).unwrap();
    world.sql(
        "journal.db",
        &format!(
            "ATTACH '{}' AS later; INSERT INTO snapshot SELECT * FROM later.snapshot",
            later.display()
        ),
    );
    assert_eq!(opened(&world), (0, older));
    let told = shown(&world.verify());
    assert!(
        told.contains(&format!(
            "the snapshot at entry `{ahead}` is not what the entries add up to"
        )),
        "{told}"
    );
}

#[test]
fn a_damaged_tile_behind_an_older_guard_is_no_fork() {
    let world = World::new();
    let mut desk = world.desk(1);
    grow(&world, &mut desk, 100..500);
    world.run(desk.close()).unwrap();
    let older = fs::read(world.dir().join("keys.db")).unwrap();
    let mut desk = world.open().unwrap();
    grow(&world, &mut desk, 500..800);
    let state = desk.state();
    world.run(desk.close()).unwrap();
    fs::write(world.dir().join("keys.db"), older).unwrap();
    world.sql("journal.db", "UPDATE tile SET hashes = zeroblob(8192)");
    let mut desk = world.open().unwrap();
    assert_eq!((desk.forked(), &*desk.state()), (None, &*state));
    world.commit(&mut desk, id(), &world.evidence(900)).unwrap();
    world.run(desk.rebuild(&|_, _| {})).unwrap();
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");
}

/// The sizes of the snapshots that are kept.
fn kept(world: &World) -> Vec<u64> {
    let mut desk = world.open().unwrap();
    let org = desk.log.org;
    let sizes = world.run(desk.files.get_mut().journal.snapshot_sizes(org));
    sizes.unwrap().into_iter().map(|(size, _)| size).collect()
}

#[test]
fn every_earlier_state_is_the_same_from_snapshots_and_from_the_first_entry() {
    let world = World::new();
    let mut desk = world.desk(1);
    let mut then = vec![desk.state()];
    let mut sizes = Vec::new();
    // A desk so small keeps its oldest and its newest snapshot only; for this test they all are.
    for n in 0..40 {
        world.commit(&mut desk, id(), &world.evidence(n)).unwrap();
        then.push(desk.state());
        if [3, 9, 20, 21, 33].contains(&n) {
            world.run(desk.write_snapshot()).unwrap();
            sizes.push(desk.size());
            let newest = "
                CREATE TABLE IF NOT EXISTS aside (org, size, root, format, key, nonce, sealed);
                INSERT INTO aside SELECT * FROM snapshot WHERE size = (SELECT max(size) FROM snapshot)";
            world.sql("journal.db", newest);
        }
    }
    world.run(desk.close()).unwrap();
    assert_eq!(kept(&world), [sizes[0], sizes[4]]);
    world.sql(
        "journal.db",
        "DELETE FROM snapshot; INSERT INTO snapshot SELECT * FROM aside",
    );
    assert_eq!(kept(&world), sizes);

    for is_erased in [false, true] {
        let mut desk = world.open().unwrap();
        if is_erased {
            world.erase(&mut desk, PEOPLE[1], (id(), id())).unwrap();
        }
        let all: Vec<u64> = (1..=desk.size()).collect();
        let from_snapshots = states(&world, &mut desk, &all);
        world.run(desk.close()).unwrap();
        assert_eq!(shown(&world.verify()), "");
        world.sql("journal.db", "DELETE FROM snapshot");
        let mut desk = world.open().unwrap();
        let from_first = states(&world, &mut desk, &all);
        assert!(from_snapshots == from_first);
        for state in &then {
            let found = from_first
                .iter()
                .find(|found| found.size == state.size)
                .unwrap();
            assert!(is_erased || *found == **state);
            assert_eq!(found.person(PEOPLE[1]).is_none(), is_erased);
        }
        world.run(desk.close()).unwrap();
        world.sql("journal.db", "INSERT INTO snapshot SELECT * FROM aside");
    }
}

fn states(world: &World, desk: &mut Desk, sizes: &[u64]) -> Vec<alnager_office::state::State> {
    let mut states = Vec::new();
    for size in sizes {
        let state = world.run(desk.state_at(*size)).unwrap().unwrap();
        states.push((*state).clone());
    }
    states
}

#[test]
fn a_damaged_snapshot_is_passed_over_and_the_one_before_is_taken() {
    let world = World::new();
    let mut desk = world.desk(1);
    world.run(desk.write_snapshot()).unwrap();
    let first = desk.size();
    grow(&world, &mut desk, 0..20);
    world.run(desk.write_snapshot()).unwrap();
    let second = desk.size();
    grow(&world, &mut desk, 20..30);
    let state = desk.state();
    world.run(desk.close()).unwrap();
    assert_eq!(kept(&world), [first, second]);
    world.sql(
        "journal.db",
        &format!("UPDATE snapshot SET nonce = randomblob(24) WHERE size = {second}"),
    );
    assert_eq!(opened(&world), (first, state));
    let mut desk = world.open().unwrap();
    let at = world.run(desk.state_at(second + 1)).unwrap().unwrap();
    assert_eq!(at.size, second + 1);
}

#[test]
fn snapshots_stay_few_and_near_to_every_entry() {
    let mut sizes: Vec<u64> = Vec::new();
    for n in 1..=1_000 {
        sizes.push(n * 4_096);
        let gone = crate::snapshot::superfluous(&sizes);
        sizes.retain(|size| !gone.contains(size));
        let newest = n * 4_096;
        assert_eq!(sizes.last(), Some(&newest));
        assert!(sizes.len() <= 20, "{} of {n}", sizes.len());
        for pair in sizes.windows(2) {
            let gap = pair[1] - pair[0];
            assert!(
                gap <= ((newest - pair[0]) / 2).max(4_096),
                "{pair:?} of {newest}"
            );
        }
    }
    assert!(crate::snapshot::superfluous(&[]).is_empty());
    assert!(crate::snapshot::superfluous(&[7]).is_empty());
}

#[test]
fn a_desk_of_format_2_keeps_its_snapshot_when_it_is_brought_up_to_date() {
    let world = World::new();
    let (size, state) = prepared(&world, 3);
    let columns = "org, size, root, format, key, nonce, sealed";
    let older = format!(
        "CREATE TABLE older (org BLOB NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, format INTEGER NOT NULL,
             key BLOB NOT NULL, nonce BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;
         INSERT INTO older ({columns}) SELECT {columns} FROM snapshot;
         DROP TABLE snapshot;
         ALTER TABLE older RENAME TO snapshot;
         PRAGMA user_version = 2"
    );
    world.sql("journal.db", &older);
    let older = "PRAGMA user_version = 2; UPDATE guard SET size = size";
    world.sql("keys.db", older);
    assert_eq!(opened(&world), (size, state));
    let mut desk = world.open().unwrap();
    grow(&world, &mut desk, 3000..3010);
    world.run(desk.write_snapshot()).unwrap();
    let newer = desk.size();
    world.run(desk.close()).unwrap();
    assert_eq!(kept(&world), [size, newer]);
    assert_eq!(shown(&world.verify()), "");
}
