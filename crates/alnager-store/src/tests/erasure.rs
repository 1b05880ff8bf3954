//! Erasure: what is gone is gone from every byte; what is proven stays proven.

use alnager_office::decide::Refused;

use super::*;
use crate::Note;

/// What Tomasz signs in with.
const LOGIN: &str = "tomasz@harbour.example";

/// A person's bytes as they lay on disk.
struct Traces {
    name: &'static str,
    entry: u64,
    needles: Vec<(&'static str, Vec<u8>)>,
}

/// A desk with a snapshot, closed, and what of Tomasz is in it.
fn prepared(world: &World) -> (Traces, String) {
    let mut desk = world.desk(1);
    let with = world.context(PEOPLE[2]);
    world.run(desk.commit(id(), AT, &accept(), &with)).unwrap();
    world.run(desk.write_snapshot()).unwrap();
    let name = PEOPLE[1];
    let person = world.person(&desk, name);
    let entry = desk.state().person_entries[&person][0];
    let salt = world.run(desk.payload(entry)).unwrap().unwrap().salt;
    world.run(desk.close()).unwrap();
    drop(world.with_account(&person, LOGIN));
    let hex = person.replace('-', "");
    let text = |sql: String| -> &'static str { sql.leak() };
    let mut needles = vec![
        ("the name", name.as_bytes().to_vec()),
        (
            "the name in UTF-16",
            name.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ),
        (
            "the name in UTF-16, big-endian",
            name.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ),
        ("the salt", salt.to_vec()),
        ("the login", LOGIN.as_bytes().to_vec()),
    ];
    for (what, database, sql) in [
        (
            "the ciphertext",
            "journal.db",
            format!("SELECT sealed FROM payload WHERE seq = {entry}"),
        ),
        (
            "the nonce",
            "journal.db",
            format!("SELECT nonce FROM payload WHERE seq = {entry}"),
        ),
        (
            "the wrapped key",
            "keys.db",
            format!("SELECT sealed FROM data_key WHERE owner = x'{hex}'"),
        ),
        (
            "the key's nonce",
            "keys.db",
            format!("SELECT nonce FROM data_key WHERE owner = x'{hex}'"),
        ),
    ] {
        let found = world.bytes(database, text(sql));
        assert_eq!(found.len(), 1, "{what}");
        needles.push((what, found[0].clone()));
    }
    (
        Traces {
            name,
            entry,
            needles,
        },
        person,
    )
}

/// What of it is in the files of the desk.
fn found(world: &World, traces: &Traces) -> Vec<&'static str> {
    let files = tree_of(&world.dir())
        .into_iter()
        .filter(|path| path.is_file());
    let bytes: Vec<Vec<u8>> = files.map(|path| fs::read(path).unwrap()).collect();
    let is_there = |needle: &[u8]| {
        bytes
            .iter()
            .any(|file| file.windows(needle.len()).any(|some| some == needle))
    };
    let needles = traces.needles.iter();
    needles
        .filter(|(_, needle)| is_there(needle))
        .map(|(what, _)| *what)
        .collect()
}

#[test]
fn what_is_erased_is_in_no_byte_of_the_desk_and_every_proof_holds() {
    let world = World::new();
    let (traces, person) = prepared(&world);
    let before = [
        "the login",
        "the ciphertext",
        "the nonce",
        "the wrapped key",
        "the key's nonce",
    ];
    assert_eq!(found(&world, &traces), before);

    let mut desk = world.open().unwrap();
    assert!(desk.snapshot_size > 0);
    assert_eq!(
        desk.state().people[&person],
        traces.name,
        "names come back with a snapshot"
    );
    // A server has the accounts open, and has written to them.
    let accounts = world.run(crate::Accounts::open(&world.place())).unwrap();
    let saved = world.run(accounts.save_view(&person, "tasks", "late", LOGIN));
    saved.unwrap();
    let erasure = world.erase(&mut desk, traces.name, (id(), id())).unwrap();
    assert_eq!(world.run(accounts.of_person(&person)).unwrap(), None);
    assert_eq!((erasure.n_payloads, erasure.n_blobs), (1, 0));
    assert_eq!(erasure.person.to_string(), person);
    // While the desk is open too.
    assert_eq!(found(&world, &traces), [""; 0]);
    assert!(world.run(desk.payload(traces.entry)).unwrap().is_none());

    let (size, root) = (desk.size(), desk.checkpoint().checkpoint().root());
    let entry = world.run(desk.entry(traces.entry)).unwrap().unwrap();
    let proof = world
        .run(desk.inclusion_proof(traces.entry, size))
        .unwrap()
        .unwrap();
    let leaf = leaf_hash(&entry.to_bytes().unwrap());
    verify_inclusion(leaf, traces.entry, size, &proof, root).unwrap();
    let state = desk.state();
    assert!(!format!("{state:?}").contains(traces.name));
    world.run(desk.close()).unwrap();
    assert_eq!(found(&world, &traces), [""; 0]);

    // From the snapshot of before, and from the entries alone.
    let desk = world.open().unwrap();
    assert!(desk.snapshot_size > 0);
    assert_eq!(*desk.state(), *state);
    world.run(desk.close()).unwrap();
    world.sql("journal.db", "DELETE FROM snapshot");
    let desk = world.open().unwrap();
    assert_eq!((desk.snapshot_size, &*desk.state()), (0, &*state));
    drop(desk);
    let report = world.verify();
    assert_eq!(
        (report.contents.unwrap().erased, shown(&report)),
        (1, String::new())
    );
}

#[test]
fn a_legal_hold_blocks_an_erasure_until_it_is_released() {
    let world = World::new();
    let (traces, person) = prepared(&world);
    let mut desk = world.open().unwrap();
    let hold = |is_placed: bool| {
        let (person, reason) = (person.clone(), "a claim".to_owned());
        match is_placed {
            true => Command::PlaceHold { person, reason },
            false => Command::ReleaseHold { person, reason },
        }
    };
    world.commit(&mut desk, id(), &hold(true)).unwrap();
    let refused = world.erase(&mut desk, &person, (id(), id())).unwrap_err();
    assert!(
        matches!(&refused, CommitError::Refused(refused) if matches!(**refused, Refused::Held { .. })),
        "{refused:?}"
    );
    assert_eq!(desk.state().people[&person], traces.name);
    assert!(world.run(desk.payload(traces.entry)).unwrap().is_some());
    world.commit(&mut desk, id(), &hold(false)).unwrap();
    world.erase(&mut desk, &person, (id(), id())).unwrap();
    assert_eq!(found(&world, &traces), [""; 0]);
}

#[test]
fn an_unfinished_erasure_is_told_and_finished() {
    let world = World::new();
    let (traces, person) = prepared(&world);
    let mut desk = world.open().unwrap();
    let command = Command::ErasePerson {
        person: traces.name.to_owned(),
        basis: Basis::Objection,
        reason: "asked for".to_owned(),
    };
    let request = world.commit(&mut desk, id(), &command).unwrap();
    world.run(desk.close()).unwrap();
    let report = world.verify();
    let unfinished = Note::Unfinished {
        person: person.clone(),
        requested: request.first,
    };
    assert_eq!((report.is_sound(), report.notes), (true, vec![unfinished]));
    assert!(found(&world, &traces).contains(&"the ciphertext"));

    // By whoever comes next, under other keys.
    let mut desk = world.open().unwrap();
    let erasure = world.erase(&mut desk, &person, (id(), id())).unwrap();
    assert_eq!(erasure.requested, request.first);
    world.run(desk.close()).unwrap();
    assert_eq!(found(&world, &traces), [""; 0]);
    assert_eq!(shown(&world.verify()), "");
}

#[test]
fn an_older_journal_brings_nobody_back() {
    let world = World::new();
    let (traces, person) = prepared(&world);
    world.put_back(|desk| drop(world.erase(desk, &person, (id(), id())).unwrap()));
    assert!(found(&world, &traces).contains(&"the ciphertext"));

    // The ciphertext and a snapshot are there again, and the key is not.
    let mut desk = world.open().unwrap();
    assert!(desk.forked().is_some() && desk.snapshot_size > 0);
    assert!(!format!("{:?}", desk.state()).contains(traces.name));
    assert!(world.run(desk.payload(traces.entry)).unwrap().is_none());
    assert_eq!(
        world.run(desk.buried_people()).unwrap(),
        [person.parse::<Uuid>().unwrap()]
    );
    let state = desk.state();
    world.run(desk.close()).unwrap();
    world.sql("journal.db", "DELETE FROM snapshot");
    assert_eq!(*world.open().unwrap().state(), *state);
    let report = world.verify();
    assert_eq!(report.contents.unwrap().erased, 1);
    assert_eq!(report.problems.len(), 1, "{}", shown(&report));

    // It goes on, and the erasure is entered anew.
    let mut desk = world.open().unwrap();
    world.fork(&mut desk, id()).unwrap();
    world.erase(&mut desk, &person, (id(), id())).unwrap();
    assert!(world.run(desk.buried_people()).unwrap().is_empty());
    world.commit(&mut desk, id(), &world.evidence(5)).unwrap();
    world.run(desk.close()).unwrap();
    assert_eq!(found(&world, &traces), [""; 0]);
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

#[test]
fn a_second_handle_and_readers_meanwhile_see_an_erasure_whole() {
    let world = World::new();
    let (_, person) = prepared(&world);
    let mut two = world.open().unwrap();
    let mut one = world.open().unwrap();
    world.erase(&mut one, &person, (id(), id())).unwrap();
    let receipt = world.commit(&mut two, id(), &world.evidence(4)).unwrap();
    assert_eq!(receipt.first, one.size());
    world.run(one.catch_up()).unwrap();
    assert_eq!(*one.state(), *two.state());

    // Openings while people are named and erased, again and again.
    let rounds = if is_long() { 200 } else { 20 };
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (place, is_done) = (world.place(), &is_done);
            scope.spawn(move || {
                let here = World::new();
                while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                    here.run(Desk::open(&place)).unwrap();
                }
            });
        }
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for n in 0..rounds {
                let name = format!("Guest {n}");
                let with = world.context(&name);
                world
                    .run(one.commit(id(), AT, &world.evidence(50 + n), &with))
                    .unwrap();
                let hold = Command::PlaceHold {
                    person: PEOPLE[0].to_owned(),
                    reason: "so that the guest is named".to_owned(),
                };
                let release = Command::ReleaseHold {
                    person: PEOPLE[0].to_owned(),
                    reason: "done".to_owned(),
                };
                world.run(one.commit(id(), AT, &hold, &with)).unwrap();
                world.run(one.commit(id(), AT, &release, &with)).unwrap();
                let guest = world.person(&one, &name);
                // Another reader may hold the write-ahead file for a moment.
                let ids = (id(), id());
                while let Err(error) = world.erase(&mut one, &guest, ids) {
                    let is_read = matches!(error, CommitError::Store(StoreError::StillRead { .. }));
                    assert!(is_read, "{error:?}");
                }
            }
        }));
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        answer.unwrap();
    });
}
