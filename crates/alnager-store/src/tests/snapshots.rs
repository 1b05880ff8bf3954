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
        .run(desk.files.get_mut().journal.snapshot(desk.log.org))
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
