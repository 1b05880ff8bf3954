//! Secrets: sealed, rotated, changed under others' hands, and never in a message.

use std::error::Error;

use super::*;
use crate::secret::Unlock;

const PASSPHRASE: &str = "canary phrase of the officer";
const KEY: [u8; 32] = *b"canary-key-canary-key-canary-key";

impl World {
    fn open_with(&self, unlock: &Unlock) -> Result<Desk, StoreError> {
        self.run(Desk::open(&self.place().unlocked(unlock.clone())))
    }

    /// A new desk, its secrets sealed from the first moment.
    fn sealed(&self, unlock: &Unlock) -> Desk {
        let fresh = Fresh {
            org: id(),
            origin: ORIGIN.to_owned(),
        };
        let place = self.place().unlocked(unlock.clone());
        let mut desk = self.run(Desk::open_or_new(&place, fresh)).unwrap();
        self.commit(&mut desk, id(), &self.review()).unwrap();
        desk
    }
}

fn ruled_by_someone_new(
    world: &World,
    desk: &mut Desk,
    name: &str,
) -> Result<Receipt, CommitError> {
    let hold = Command::PlaceHold {
        person: PEOPLE[0].to_owned(),
        reason: "a claim".to_owned(),
    };
    world.run(desk.commit(id(), AT, &hold, &world.context(name)))
}

#[test]
fn a_sealed_desk_opens_with_what_sealed_it_alone() {
    let passphrase = Unlock::Passphrase(PASSPHRASE.to_owned());
    for (unlock, wrong) in [
        (passphrase.clone(), Unlock::Passphrase("another".to_owned())),
        (Unlock::Key(KEY), Unlock::Key([8; 32])),
    ] {
        let world = World::new();
        let mut desk = world.sealed(&unlock);
        world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
        let state = desk.state();
        world.run(desk.close()).unwrap();
        for refused in [Unlock::Open, wrong] {
            let refused = world.open_with(&refused).unwrap_err();
            assert!(matches!(refused, StoreError::Locked { .. }), "{refused:?}");
        }
        let mut desk = world.open_with(&unlock).unwrap();
        assert_eq!(*desk.state(), *state);
        world.run(desk.rotate_kek()).unwrap();
        // Laid open, and sealed in the other way.
        world.run(desk.seal_secrets(Unlock::Open)).unwrap();
        world.run(desk.close()).unwrap();
        assert_eq!(*world.open().unwrap().state(), *state);
        let mut desk = world.open().unwrap();
        world.run(desk.seal_secrets(Unlock::Key([4; 32]))).unwrap();
        world.commit(&mut desk, id(), &world.evidence(1)).unwrap();
        world.run(desk.close()).unwrap();
        assert!(matches!(
            world.open_with(&unlock),
            Err(StoreError::Locked { .. })
        ));
        let place = world.place().unlocked(Unlock::Key([4; 32]));
        assert_eq!(shown(&world.run(Desk::verify(&place)).unwrap()), "");
    }
}

#[test]
fn an_old_key_encryption_key_opens_nothing_after_a_rotation() {
    let world = World::new();
    let mut desk = world.desk(1);
    let old = fs::read(world.dir().join("kek")).unwrap();
    let wrapped = world.bytes("keys.db", "SELECT sealed FROM data_key");
    world.run(desk.rotate_kek()).unwrap();
    // What was wrapped under it is in no file, also while the desk is open.
    for path in tree_of(&world.dir())
        .into_iter()
        .filter(|path| path.is_file())
    {
        let bytes = fs::read(&path).unwrap();
        for needle in wrapped.iter().chain([&old]) {
            assert!(
                !bytes.windows(needle.len()).any(|some| some == needle),
                "{}",
                path.display()
            );
        }
    }
    world.commit(&mut desk, id(), &world.evidence(5)).unwrap();
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");
    fs::write(world.dir().join("kek"), old).unwrap();
    let refused = world.open().unwrap_err();
    assert!(matches!(refused, StoreError::Damaged { .. }), "{refused:?}");
}

#[test]
fn checkpoints_carry_both_signatures_until_the_old_key_is_dropped() {
    let world = World::new();
    let mut desk = world.desk(1);
    let old = desk.verifier_key().clone();
    let signatures = |desk: &Desk| desk.checkpoint().note().signatures().len();
    let signs = |desk: &Desk, key: &alnager_journal::note::VerifyingKey| {
        desk.checkpoint()
            .note()
            .verify(std::slice::from_ref(key))
            .is_ok()
    };
    world.rotate_log_key(&mut desk, id()).unwrap();
    let new = desk.verifier_key().clone();
    assert_ne!(old.to_bytes(), new.to_bytes());
    assert!(
        signs(&desk, &old),
        "the old key signs what names the new one"
    );
    world.commit(&mut desk, id(), &world.evidence(1)).unwrap();
    assert!(signatures(&desk) == 2 && signs(&desk, &old) && signs(&desk, &new));
    let refused = world.rotate_log_key(&mut desk, id());
    assert!(
        matches!(refused, Err(CommitError::Store(StoreError::TwoKeys))),
        "{refused:?}"
    );
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");

    let mut desk = world.open().unwrap();
    world.drop_log_key(&mut desk, id()).unwrap();
    world.commit(&mut desk, id(), &world.evidence(2)).unwrap();
    assert!(signatures(&desk) == 1 && signs(&desk, &new) && !signs(&desk, &old));
    let refused = world.drop_log_key(&mut desk, id());
    assert!(
        matches!(refused, Err(CommitError::Store(StoreError::OneKey))),
        "{refused:?}"
    );
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert_eq!(shown(&report), "");
    assert_eq!(report.checkpoints, 6, "all that were ever signed");
}

#[test]
fn a_handle_learns_of_secrets_that_another_one_has_changed() {
    let world = World::new();
    let (mut one, mut two) = (world.desk(1), world.open().unwrap());
    // A key made by a handle that knows the old one only, and one that it has to read.
    world.run(one.rotate_kek()).unwrap();
    ruled_by_someone_new(&world, &mut two, "Nora Quist").unwrap();
    world.run(one.catch_up()).unwrap();
    world.run(one.rotate_kek()).unwrap();
    let release = Command::ReleaseHold {
        person: PEOPLE[0].to_owned(),
        reason: "settled".to_owned(),
    };
    world
        .run(one.commit(id(), AT, &release, &world.context("Ivo Brandt")))
        .unwrap();
    world.run(two.catch_up()).unwrap();
    assert_eq!(*one.state(), *two.state());
    world.run(two.rotate_kek()).unwrap();
    world.run(one.rotate_kek()).unwrap();

    // The log's key: replaced, dropped, and the other handle signs as it should.
    world.rotate_log_key(&mut one, id()).unwrap();
    world.commit(&mut two, id(), &world.evidence(20)).unwrap();
    assert_eq!(two.checkpoint().note().signatures().len(), 2);
    world.drop_log_key(&mut one, id()).unwrap();
    world.commit(&mut two, id(), &world.evidence(21)).unwrap();
    assert_eq!(two.checkpoint().note().signatures().len(), 1);
    world.run(one.catch_up()).unwrap();
    assert_eq!(*one.state(), *two.state());

    // Sealed meanwhile: whoever has no key is told so where it needs one.
    world.run(one.seal_secrets(Unlock::Key(KEY))).unwrap();
    world.run(one.rotate_kek()).unwrap();
    let refused = ruled_by_someone_new(&world, &mut two, "Lena Falk").unwrap_err();
    assert!(
        matches!(refused, CommitError::Store(StoreError::Locked { .. })),
        "{refused:?}"
    );
    drop((one, two));
    let place = world.place().unlocked(Unlock::Key(KEY));
    assert_eq!(shown(&world.run(Desk::verify(&place)).unwrap()), "");
}

#[test]
fn secrets_change_while_others_open_and_write() {
    let world = World::new();
    let mut desk = world.desk(1);
    let rounds = if is_long() { 100 } else { 10 };
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let n_written = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        let (place, is_done, n_written) = (world.place(), &is_done, &n_written);
        scope.spawn(move || {
            let here = World::new();
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                let mut other = here.run(Desk::open(&place)).unwrap();
                let n = n_written.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                // Someone new each time, so that a data key is made.
                let with = here.context(&format!("Guest {n}"));
                let framework = Command::PlaceHold {
                    person: PEOPLE[usize::from(n % 2 == 1)].to_owned(),
                    reason: "a claim".to_owned(),
                };
                let release = Command::ReleaseHold {
                    person: PEOPLE[usize::from(n % 2 == 1)].to_owned(),
                    reason: "settled".to_owned(),
                };
                here.run(other.commit(id(), AT, &framework, &with)).unwrap();
                here.run(other.commit(id(), AT, &release, &with)).unwrap();
            }
        });
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..rounds {
                while let Err(error) = world.run(desk.rotate_kek()) {
                    // Another reader may hold the write-ahead file for a moment.
                    assert!(matches!(error, StoreError::StillRead { .. }), "{error:?}");
                }
                world.rotate_log_key(&mut desk, id()).unwrap();
                world.drop_log_key(&mut desk, id()).unwrap();
            }
        }));
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        answer.unwrap();
    });
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert_eq!(shown(&report), "");
    let desk = world.open().unwrap();
    assert_eq!(desk.state().log.retired.len(), rounds);
    assert!(n_written.into_inner() > 0);
}

/// All that an error says: to a user, to a developer, and what caused it.
fn told(error: &dyn Error) -> String {
    let mut told = format!("{error}\n{error:?}\n");
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push_str(&format!("{error}\n{error:?}\n"));
        cause = error.source();
    }
    told
}

#[test]
fn no_error_and_no_debug_form_holds_a_secret_or_a_name() {
    let world = World::new();
    let unlock = Unlock::Passphrase(PASSPHRASE.to_owned());
    let mut desk = world.sealed(&unlock);
    world.commit(&mut desk, id(), &world.evidence(0)).unwrap();
    let mut canaries: Vec<Vec<u8>> = PEOPLE[..2]
        .iter()
        .flat_map(|name| name.split(' '))
        .chain([ORGANISATION, PASSPHRASE, DOCUMENT])
        .map(|text| text.as_bytes().to_vec())
        .collect();
    let (kek, seed) = (*desk.secrets.kek(), *desk.secrets.seed());
    for secret in [kek, seed, KEY] {
        use base64::Engine as _;
        canaries.push(secret.to_vec());
        canaries.push(
            format!("{:?}", &secret[..4])
                .trim_matches(['[', ']'])
                .as_bytes()
                .to_vec(),
        );
        canaries.push(
            base64::engine::general_purpose::STANDARD
                .encode(secret)
                .into_bytes(),
        );
        canaries.push(
            secret[..8]
                .iter()
                .flat_map(|byte| format!("{byte:02x}").into_bytes())
                .collect(),
        );
    }
    let mut texts = vec![format!(
        "{desk:?} {unlock:?} {:?} {:?}",
        Unlock::Key(KEY),
        desk.place
    )];
    let mut n_errors = 0;
    let mut tell = |error: &dyn Error| {
        n_errors += 1;
        told(error)
    };

    // A fault at every step of a command.
    for step in 0..40 {
        desk.faults.plan(step, Fault::AnswerLost, true);
        // What the office refuses it tells whoever asked, in that person's words.
        if let Err(CommitError::Store(error)) = ruled_by_someone_new(&world, &mut desk, PEOPLE[2]) {
            texts.push(tell(&error));
        }
        desk.faults.clear();
        world.run(desk.catch_up()).unwrap();
    }
    world.run(desk.close()).unwrap();
    // Other keys than its own.
    for wrong in [
        Unlock::Open,
        Unlock::Key(KEY),
        Unlock::Passphrase("canary".to_owned()),
    ] {
        texts.push(tell(&world.open_with(&wrong).unwrap_err()));
    }
    let mut desk = world.open_with(&unlock).unwrap();
    world.run(desk.seal_secrets(Unlock::Key(KEY))).unwrap();
    world.run(desk.close()).unwrap();
    let unlock = Unlock::Key(KEY);
    let place = world.place().unlocked(unlock.clone());

    // Every table and file damaged in turn.
    let whole = world.folder.path().join("whole");
    copy_dir(&world.dir(), &whole);
    let mut try_all = |tamper: &dyn Fn(&World)| {
        fs::remove_dir_all(world.dir()).unwrap();
        copy_dir(&whole, &world.dir());
        tamper(&world);
        match world.open_with(&unlock) {
            Err(error) => texts.push(tell(&error)),
            Ok(mut desk) => {
                for index in 0..desk.size() {
                    for name in ["document", "report.html", "book.json"] {
                        if let Err(error) = world.run(desk.blob(index, name)) {
                            texts.push(tell(&error));
                        }
                    }
                }
                if let Err(error) = world.commit(&mut desk, id(), &world.evidence(9)) {
                    texts.push(tell(&error));
                }
            }
        }
        match world.run(Desk::verify(&place)) {
            Err(error) => texts.push(tell(&error)),
            Ok(report) => texts.extend(report.problems.iter().map(|problem| tell(problem))),
        }
    };
    for (database, sql) in [
        (
            "journal.db",
            "UPDATE entry SET entry = x'7b7d' WHERE seq = 2",
        ),
        ("journal.db", "UPDATE payload SET sealed = x'00'"),
        ("journal.db", "UPDATE payload SET nonce = randomblob(24)"),
        ("journal.db", "DELETE FROM payload WHERE seq = 2"),
        ("journal.db", "UPDATE head SET checkpoint = 'x'"),
        ("journal.db", "UPDATE head SET root = randomblob(32)"),
        ("journal.db", "UPDATE head SET origin = 'a b'"),
        ("journal.db", "DELETE FROM head"),
        ("journal.db", "DELETE FROM blob"),
        (
            "journal.db",
            "DROP TABLE payload; UPDATE head SET size = size",
        ),
        ("keys.db", "UPDATE data_key SET sealed = randomblob(48)"),
        ("keys.db", "UPDATE guard SET checkpoint = 'x'"),
        ("keys.db", "UPDATE guard SET size = 99"),
        ("keys.db", "DELETE FROM guard"),
        (
            "keys.db",
            "DROP TABLE data_key; UPDATE guard SET size = size",
        ),
    ] {
        try_all(&|world| world.sql(database, sql));
    }
    for file in ["journal.db", "keys.db", "kek", "log.key"] {
        try_all(&|world| fs::remove_file(world.dir().join(file)).unwrap());
        try_all(&|world| fs::write(world.dir().join(file), KEY).unwrap());
        try_all(&|world| {
            let mut bytes = fs::read(world.dir().join(file)).unwrap();
            bytes.truncate(bytes.len() / 2);
            fs::write(world.dir().join(file), bytes).unwrap();
        });
    }
    try_all(&|world| fs::remove_dir_all(world.dir().join("blobs")).unwrap());
    assert!(n_errors > 60, "{n_errors} errors were provoked");
    for text in texts {
        for canary in &canaries {
            let is_there = text
                .as_bytes()
                .windows(canary.len())
                .any(|some| some == canary);
            assert!(
                !is_there,
                "`{}` in: {text}",
                String::from_utf8_lossy(canary)
            );
        }
    }
}
