//! A desk on PostgreSQL: several servers, broken connections, notifications, moves and erasure.

mod nodes;
mod proxy;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alnager_journal::note::Signature;
use alnager_office::people::Basis;
use expect_test::expect;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, Row as _};
use uuid::Uuid;

use super::{
    AT, DOCUMENT, ORGANISATION, PEOPLE, World, check_tampered_in, document, enter_many, id, shown,
};
use crate::fault::Fault;
use crate::{
    By, Desk, Erasure, Fork, Fresh, Order, Place, Settings, Standing, StoreError, Submission,
    Writer,
};
use alnager_journal::merkle::Hash;
use alnager_office::decide::{Command, EvidenceRuling};

/// Where the tests find the server.
const VARIABLE: &str = "ALNAGER_TEST_POSTGRES";

/// The address of the tests' server. `None`, and a line that says so, where there is none.
pub(super) fn address(test: &str) -> Option<String> {
    if let Ok(address) = std::env::var(VARIABLE) {
        return Some(address);
    }
    let needed = format!("needs {VARIABLE}; `cargo xtask test` sets it");
    let must_run = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|all| all == "1");
    assert!(!must_run, "{test} {needed}");
    eprintln!("not run: {test} {needed}");
    None
}

/// Two databases of their own, dropped at the end.
pub(super) struct Databases {
    address: String,
    journal: String,
    keys: String,
}

impl Databases {
    pub(super) async fn make(address: &str) -> Databases {
        let suffix = Hash::of(id().as_bytes()).to_string();
        let journal = format!("alnager_test_{}", &suffix[..16]);
        let databases = Databases {
            address: address.to_owned(),
            keys: format!("{journal}_keys"),
            journal,
        };
        for name in [&databases.journal, &databases.keys] {
            databases.admin(&format!("CREATE DATABASE {name}")).await;
        }
        databases
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    fn url(&self, database: &str) -> String {
        let (server, _) = self.address.rsplit_once('/').unwrap();
        format!("{server}/{database}")
    }

    /// The desk in these databases.
    pub(super) fn place(&self, home: &Path) -> Place {
        self.place_through(&self.url(&self.journal), home)
    }

    /// The same, with the journal under another address.
    fn place_through(&self, journal: &str, home: &Path) -> Place {
        let settings = Settings {
            keys: Some(self.url(&self.keys)),
            home: Some(home.to_owned()),
            ..Settings::default()
        };
        Place::parse(journal, &settings).unwrap()
    }

    async fn connect(&self, database: &str) -> PgConnection {
        let options: PgConnectOptions = self.url(database).parse().unwrap();
        options.connect().await.unwrap()
    }

    async fn admin(&self, sql: &str) -> u64 {
        self.execute("postgres", sql).await
    }

    async fn execute(&self, database: &str, sql: &str) -> u64 {
        let mut connection = self.connect(database).await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await;
        let done = done.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
        done.rows_affected()
    }

    /// Changes a database behind the desk's back; the number of rows.
    pub(super) async fn change(&self, database: &str, sql: &str) -> u64 {
        let database = match database {
            "keys.db" => &self.keys,
            _ => &self.journal,
        };
        self.execute(database, sql).await
    }

    async fn bytes(&self, database: &str, sql: &str) -> Vec<Vec<u8>> {
        let mut connection = self.connect(database).await;
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    async fn text(&self, database: &str, sql: &str) -> String {
        let mut connection = self.connect(database).await;
        let row = sqlx::query(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        row.get(0)
    }

    async fn data_directory(&self) -> String {
        let sql = "SELECT setting FROM pg_settings WHERE name = 'data_directory'";
        self.text("postgres", sql).await
    }

    /// Ends every connection whose last statement is like this one.
    async fn end(&self, like: &str) -> u64 {
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname IN ('{}', '{}') AND pid <> pg_backend_pid() AND query LIKE '{like}'",
            self.journal, self.keys
        );
        self.admin(&sql).await
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        let drop = |name: &str| format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let Ok(options) = self.url("postgres").parse::<PgConnectOptions>() else {
                return;
            };
            let Ok(mut connection) = options.connect().await else {
                return;
            };
            for name in [&self.journal, &self.keys] {
                // The whole server is deleted when the tests are done.
                let _ = sqlx::raw_sql(AssertSqlSafe(drop(name)))
                    .execute(&mut connection)
                    .await;
            }
        });
    }
}

impl World {
    fn databases(&self) -> &Databases {
        self.databases.as_ref().unwrap()
    }

    /// Ada, who is in nothing else, accepts a document.
    fn accepted(&self, desk: &mut Desk) {
        self.accepted_by(desk, "E1", PEOPLE[2]);
    }

    fn accepted_by(&self, desk: &mut Desk, evidence: &str, person: &str) {
        let command = Command::AcceptEvidence(EvidenceRuling {
            evidence: evidence.to_owned(),
            requirements: Vec::new(),
            reason: "read".to_owned(),
        });
        self.run(desk.commit(id(), AT, &command, &self.context(person)))
            .unwrap();
    }

    async fn erased(&self, desk: &mut Desk, person: &str) -> Erasure {
        let command = Command::ErasePerson {
            person: person.to_owned(),
            basis: Basis::Objection,
            reason: "asked for".to_owned(),
        };
        let with = self.context(PEOPLE[0]);
        let finish_with = self.context(PEOPLE[0]);
        let request = Order {
            id: id(),
            at: AT,
            command: &command,
            with: &with,
            expected: None,
        };
        let finish = By {
            id: id(),
            at: AT,
            with: &finish_with,
        };
        desk.erase(person, &request, &finish).await.unwrap()
    }
}

fn submission(standing: &Arc<Standing>, id_: Uuid, command: Command) -> Submission {
    Submission {
        id: id_,
        at: AT.to_owned(),
        command,
        standing: Arc::clone(standing),
        actor: PEOPLE[0].to_owned(),
        today: "2026-11-23".parse().unwrap(),
        ids: (0..4).map(|_| id()).collect(),
        expected: None,
    }
}

#[test]
fn of_many_makers_at_once_one_makes_the_desk() {
    let Some(world) = World::on_server("of_many_makers_at_once_one_makes_the_desk") else {
        return;
    };
    let places: Vec<Place> = (0..4)
        .map(|n| {
            let home = world.folder.path().join(format!("home-{n}"));
            world.databases().place(&home)
        })
        .collect();
    let made = std::thread::scope(|scope| {
        let makers: Vec<_> = places
            .iter()
            .map(|place| {
                scope.spawn(move || {
                    let here = World::new();
                    let fresh = Fresh {
                        org: id(),
                        origin: super::ORIGIN.to_owned(),
                    };
                    let made = here.run(Desk::open_or_new(place, fresh));
                    made.map(|desk| desk.org())
                        .map_err(|error| error.to_string())
                })
            })
            .collect();
        makers
            .into_iter()
            .map(|maker| maker.join().unwrap())
            .collect::<Vec<_>>()
    });
    // The others have no secrets of their own, and are told.
    assert_eq!(
        made.iter().filter(|made| made.is_ok()).count(),
        1,
        "{made:?}"
    );
    for error in made.iter().filter_map(|made| made.as_ref().err()) {
        assert!(
            error.contains("`kek` is missing") || error.contains("holds no keys"),
            "{error}"
        );
    }
    // The secrets of one desk are not used for another.
    let of_the_maker = made.iter().position(Result::is_ok).unwrap();
    let other = world.another();
    let home = world.folder.path().join(format!("home-{of_the_maker}"));
    let place = other.databases().place(&home);
    let fresh = Fresh {
        org: id(),
        origin: super::ORIGIN.to_owned(),
    };
    let refused = other.run(Desk::open_or_new(&place, fresh)).map(drop);
    assert!(
        matches!(refused, Err(StoreError::HomeTaken { .. })),
        "{refused:?}"
    );
}

#[test]
fn an_answer_lost_at_any_step_is_found_again() {
    let Some(world) = World::on_server("an_answer_lost_at_any_step_is_found_again") else {
        return;
    };
    let mut desk = world.desk(0);
    let mut steps = 0;
    loop {
        let command = id();
        let before = desk.size();
        desk.faults.plan(steps, Fault::AnswerLost, false);
        let evidence = world.evidence(u32::try_from(steps).unwrap());
        let entered = world.commit(&mut desk, command, &evidence);
        let struck = desk.faults.has_struck();
        desk.faults.clear();
        let again = world.commit(&mut desk, command, &evidence).unwrap();
        assert_eq!(
            (again.first, again.end),
            (before, before + 1),
            "step {steps}"
        );
        assert!(entered.is_err() || again.already, "step {steps}");
        if !struck {
            break;
        }
        steps += 1;
    }
    assert!(steps >= 15, "{steps}");
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

#[test]
fn what_is_changed_through_sql_is_found() {
    let test = "what_is_changed_through_sql_is_found";
    let check =
        |database: &'static str, sql: &'static str, opens: bool, want: expect_test::Expect| {
            if let Some(world) = World::on_server(test) {
                check_tampered_in(&world, |world| world.sql(database, sql), opens, want);
            }
        };
    check(
        "journal.db",
        "UPDATE entry SET entry = convert_to(replace(convert_from(entry, 'UTF8'), '08:14:00', '08:14:01'), 'UTF8') WHERE seq = 2",
        false,
        expect![[r#"
            the `7` entries have the root `…`, and the head states `…` for `7`
            the checkpoint of `6` entries that was signed is not theirs: the entries have another root
            the checkpoint of `7` entries that was signed is not theirs: the entries have another root
            the guard has seen `7` signed entries that this journal does not have; an older or another journal was put in its place
        "#]],
    );
    check(
        "journal.db",
        "UPDATE payload SET sealed = set_byte(sealed, 5, get_byte(sealed, 5) # 1) WHERE seq = 2",
        false,
        expect![[r#"
            the payload of entry `2` is not what was sealed
        "#]],
    );
    check(
        "journal.db",
        "DELETE FROM payload WHERE seq = 2",
        false,
        expect![[r#"
            the payload of entry `2` is missing
        "#]],
    );
    check(
        "journal.db",
        "UPDATE head SET root = sha256(root)",
        false,
        expect![[r#"
            the `7` entries have the root `…`, and the head states `…` for `7`
            the head is not what was signed: its checkpoint states another origin, size or root
        "#]],
    );
    check(
        "keys.db",
        "UPDATE guard SET size = size + 1",
        false,
        expect![[r#"
            the guard is not what was signed: its checkpoint states another origin, size or root
            the guard has seen `8` signed entries that this journal does not have; an older or another journal was put in its place
        "#]],
    );
    check(
        "keys.db",
        "DELETE FROM guard",
        false,
        expect![[r#"
            `keys.db` has no guard for this journal
        "#]],
    );
    check(
        "journal.db",
        "UPDATE checkpoint SET note = replace(note, 'example', 'exampel') WHERE size = 6",
        true,
        expect![[r#"
            the checkpoint of `6` entries that was signed is not theirs: its checkpoint is not signed by the key in `log.key`
        "#]],
    );
    check(
        "journal.db",
        "DELETE FROM blob WHERE name = 'document'",
        true,
        expect![[r#"
            blob `document` of entry `6` is missing
            note: `1` files in `blobs` belong to no entry; a command that was interrupted left them, and they may be deleted
        "#]],
    );
}

#[test]
fn a_changed_tile_is_found() {
    let Some(world) = World::on_server("a_changed_tile_is_found") else {
        return;
    };
    let mut desk = world.desk(0);
    enter_many(&world, &mut desk, 0, 300);
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");
    world.sql(
        "journal.db",
        "UPDATE tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)",
    );
    let found = shown(&world.verify());
    assert!(found.contains("tile"), "{found}");
}

#[test]
fn two_servers_write_one_history() {
    const CLIENTS: u32 = 32;
    const EACH: u32 = 12;
    let Some(world) = World::on_server("two_servers_write_one_history") else {
        return;
    };
    world.closed(0);
    let standing = world.standing();
    let writers = [(), ()].map(|()| world.run(Writer::open(&world.place())).unwrap());
    let began = Instant::now();
    let mut acknowledged = world.run(async {
        let mut clients = tokio::task::JoinSet::new();
        for (node, writer) in (0..).zip(&writers) {
            for client in 0..CLIENTS {
                let base = (node * CLIENTS + client) * EACH;
                let commands: Vec<Command> =
                    (base..base + EACH).map(|n| world.evidence(n)).collect();
                let (writer, standing) = (writer.clone(), Arc::clone(&standing));
                clients.spawn(async move {
                    let mut acknowledged = Vec::new();
                    for command in commands {
                        let command_id = id();
                        let submission = submission(&standing, command_id, command);
                        let receipt = writer.submit(submission).await.unwrap();
                        assert!(!receipt.already);
                        assert!(
                            writer.state().size >= receipt.size,
                            "older than its own write"
                        );
                        acknowledged.push((receipt.first, command_id));
                    }
                    acknowledged
                });
            }
        }
        let mut all = Vec::new();
        while let Some(done) = clients.join_next().await {
            all.extend(done.unwrap());
        }
        all
    });
    let took = began.elapsed();

    // The same id at both at once is one entry.
    let command_id = id();
    let (one, two) = world.run(async {
        let copies = [0, 1].map(|_| submission(&standing, command_id, world.evidence(9_999)));
        let [one, two] = copies;
        tokio::join!(writers[0].submit(one), writers[1].submit(two))
    });
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.first, two.first);
    assert!(one.already != two.already);
    acknowledged.push((one.first, command_id));
    drop(writers);

    let desk = world.open().unwrap();
    nodes::check_history(&world, &desk, &acknowledged);
    assert_eq!(desk.size(), 6 + u64::from(2 * CLIENTS * EACH) + 1);
    assert_eq!(shown(&world.verify()), "");
    eprintln!(
        "{} entries by 2 servers with {CLIENTS} clients each in {took:?}",
        acknowledged.len()
    );
}

#[test]
fn an_older_journal_put_back_is_read_and_goes_on_as_a_fork() {
    let test = "an_older_journal_put_back_is_read_and_goes_on_as_a_fork";
    let Some(world) = World::on_server(test) else {
        return;
    };
    world.closed(1);
    let databases = world.databases();
    let name = &databases.journal;
    world.run(databases.admin(&format!("CREATE DATABASE {name}_old TEMPLATE {name}")));
    let mut desk = world.open().unwrap();
    world.commit(&mut desk, id(), &world.evidence(1)).unwrap();
    world.run(desk.close()).unwrap();
    world.run(databases.admin(&format!("DROP DATABASE {name} WITH (FORCE)")));
    world.run(databases.admin(&format!("ALTER DATABASE {name}_old RENAME TO {name}")));

    let mut desk = world.open().unwrap();
    assert_eq!(desk.size(), 7);
    assert!(
        desk.forked()
            .unwrap()
            .contains("an older copy seems to have been put back")
    );
    let refused = world
        .commit(&mut desk, id(), &world.evidence(2))
        .unwrap_err();
    assert!(
        matches!(
            refused,
            crate::CommitError::Store(StoreError::Forked { .. })
        ),
        "{refused:?}"
    );
    assert_eq!(desk.size(), 7);
    let with = world.context(PEOPLE[0]);
    let receipt = world
        .run(desk.fork(&Fork {
            by: By {
                id: id(),
                at: AT,
                with: &with,
            },
            origin: None,
            reason: "an old copy was put back",
        }))
        .unwrap();
    assert_eq!(receipt.origin, format!("{}/2", super::ORIGIN));
    world.commit(&mut desk, id(), &world.evidence(2)).unwrap();
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

#[test]
fn news_arrives_without_being_asked_for() {
    let Some(world) = World::on_server("news_arrives_without_being_asked_for") else {
        return;
    };
    let mut desk = world.desk(0);
    let node = world.run(Writer::open(&world.place())).unwrap();
    let mut arrive = |n: u32| {
        let size = world
            .commit(&mut desk, id(), &world.evidence(n))
            .unwrap()
            .size;
        let began = Instant::now();
        let state = world.run(async {
            tokio::time::timeout(Duration::from_secs(10), node.state_from(size)).await
        });
        assert!(state.expect("the news arrives").unwrap().size >= size);
        began.elapsed()
    };
    arrive(0);
    let mut delays: Vec<Duration> = (1..=20)
        .map(|n| {
            // The node waits for news again.
            std::thread::sleep(Duration::from_millis(20));
            arrive(n)
        })
        .collect();
    delays.sort();
    eprintln!(
        "news after {:?} (median), {:?} (longest)",
        delays[10], delays[19]
    );
    // By asking alone it would take a second on average.
    assert!(delays[10] < Duration::from_millis(500), "{delays:?}");
    assert!(delays[19] < Duration::from_secs(1), "{delays:?}");

    assert!(
        world.run(world.databases().end("LISTEN%")) > 0,
        "somebody listens"
    );
    std::thread::sleep(Duration::from_secs(1));
    arrive(21);
    let mut delays: Vec<Duration> = (22..=30)
        .map(|n| {
            std::thread::sleep(Duration::from_millis(20));
            arrive(n)
        })
        .collect();
    delays.sort();
    assert!(
        delays[4] < Duration::from_millis(500),
        "it listens again: {delays:?}"
    );

    // Every connection ends, and the node shows what is entered all the same.
    world.run(world.databases().end("%"));
    std::thread::sleep(Duration::from_millis(100));
    let mut desk = world.open().unwrap();
    let size = world
        .commit(&mut desk, id(), &world.evidence(31))
        .unwrap()
        .size;
    let state = world
        .run(async { tokio::time::timeout(Duration::from_secs(10), node.state_from(size)).await });
    assert!(state.is_ok(), "a node whose connections ended reads on");
}

#[test]
fn a_handle_whose_connections_ended_reads_and_writes_on() {
    let Some(world) = World::on_server("a_handle_whose_connections_ended_reads_and_writes_on")
    else {
        return;
    };
    let mut desk = world.desk(1);
    let end = || {
        assert!(world.run(world.databases().end("%")) > 0);
        std::thread::sleep(Duration::from_millis(50));
    };
    end();
    assert!(world.run(desk.entry(0)).unwrap().is_some());
    end();
    world.run(desk.catch_up()).unwrap();
    end();
    world.commit(&mut desk, id(), &world.evidence(1)).unwrap();
    end();
    assert!(world.run(desk.payload(1)).unwrap().is_some());
    assert_eq!(shown(&world.verify()), "");
}

fn check_moved(from: &World, to: &World) {
    let mut desk = from.desk(2);
    from.accepted(&mut desk);
    let person = from.run(from.erased(&mut desk, PEOPLE[2])).person;
    enter_many(from, &mut desk, 2, 300);
    let line = "— witness.example/w AAAAAAECAwQFBgcICQoLDA0ODw==";
    let cosignature = Signature::parse(line).unwrap();
    let size = desk.size();
    from.run(desk.add_cosignatures(size, vec![cosignature]))
        .unwrap();
    let (state, checkpoint) = (desk.state(), desk.checkpoint().to_string());
    // A handle that stays open may not write either.
    let mut copied_from = from.open().unwrap();
    from.run(desk.close()).unwrap();
    let copied = from
        .run(Desk::move_to(&from.place(), &to.place(), &|_, _| {}))
        .unwrap();
    assert_eq!(
        (copied.size, copied.root),
        (size, copied_from.checkpoint().checkpoint().root())
    );

    let refused = from
        .commit(&mut copied_from, id(), &from.evidence(900))
        .unwrap_err();
    assert!(
        matches!(refused, crate::CommitError::Store(StoreError::Moved)),
        "{refused:?}"
    );
    drop(copied_from);
    let source = from.open().unwrap();
    assert_eq!(*source.state(), *state);
    from.run(source.close()).unwrap();

    let mut desk = to.open().unwrap();
    assert_eq!(
        (desk.checkpoint().to_string(), desk.size()),
        (checkpoint, size)
    );
    assert_eq!(*desk.state(), *state);
    assert!(desk.state().erased.contains_key(&person.to_string()));
    let cosignatures = to.run(desk.cosignatures(size)).unwrap();
    assert_eq!(cosignatures.len(), 1);
    assert!(to.run(desk.checkpoint_at(6)).unwrap().is_some());
    let blob = to.run(desk.blob(6, "document")).unwrap().unwrap();
    assert_eq!(blob.bytes, *document(0));
    to.commit(&mut desk, id(), &to.evidence(900)).unwrap();
    to.run(desk.close()).unwrap();
    let report = to.verify();
    assert!(report.is_sound(), "{}", shown(&report));
    // Not a second time.
    let again = from.run(Desk::move_to(&from.place(), &to.place(), &|_, _| {}));
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
}

#[test]
fn a_desk_moves_to_postgresql_and_back() {
    let Some(server) = World::on_server("a_desk_moves_to_postgresql_and_back") else {
        return;
    };
    check_moved(&World::new(), &server);
    check_moved(&server.another(), &World::new());
    // The whole way.
    let (one, two, three) = (World::new(), server.another(), World::new());
    let desk = one.desk(3);
    let (state, root) = (desk.state(), desk.checkpoint().checkpoint().root());
    one.run(desk.close()).unwrap();
    for (from, to) in [(&one, &two), (&two, &three)] {
        let copied = from.run(Desk::move_to(&from.place(), &to.place(), &|_, _| {}));
        assert_eq!(copied.unwrap().root, root);
    }
    let desk = three.open().unwrap();
    assert_eq!(*desk.state(), *state);
    three.run(desk.close()).unwrap();
    assert_eq!(shown(&three.verify()), "");
}

#[test]
fn a_move_that_failed_is_simply_repeated() {
    let Some(to) = World::on_server("a_move_that_failed_is_simply_repeated") else {
        return;
    };
    let from = World::new();
    let mut desk = from.desk(2);
    from.accepted(&mut desk);
    enter_many(&from, &mut desk, 2, 300);
    from.run(desk.close()).unwrap();
    // A blob is away, which is seen when the keys are there already and part of the journal.
    let blobs = from.dir().join("blobs");
    let away = from.folder.path().join("away");
    fs::rename(&blobs, &away).unwrap();
    fs::create_dir(&blobs).unwrap();
    let failed = from.run(Desk::move_to(&from.place(), &to.place(), &|_, _| {}));
    assert!(
        matches!(failed, Err(StoreError::Damaged { .. })),
        "{failed:?}"
    );
    assert!(!to.run(Desk::exists(&to.place())));
    fs::remove_dir(&blobs).unwrap();
    fs::rename(&away, &blobs).unwrap();
    // Meanwhile the desk goes on where it is, and somebody is erased.
    let mut desk = from.open().unwrap();
    let person = from.run(from.erased(&mut desk, PEOPLE[2])).person;
    let state = desk.state();
    from.run(desk.close()).unwrap();
    let moved = from.run(Desk::move_to(&from.place(), &to.place(), &|_, _| {}));
    assert_eq!(moved.unwrap().size, state.size);
    // The first attempt has copied their key, and it is gone.
    let left = "DELETE FROM data_key WHERE owner IN (SELECT owner FROM tombstone)";
    assert_eq!(to.run(to.databases().change("keys.db", left)), 0);
    let mut desk = to.open().unwrap();
    assert_eq!(*desk.state(), *state);
    assert!(desk.state().erased.contains_key(&person.to_string()));
    to.commit(&mut desk, id(), &to.evidence(900)).unwrap();
    to.run(desk.close()).unwrap();
    assert_eq!(shown(&to.verify()), "");
}

#[test]
fn a_postgresql_desk_of_format_2_keeps_its_snapshot() {
    let Some(world) = World::on_server("a_postgresql_desk_of_format_2_keeps_its_snapshot") else {
        return;
    };
    let mut desk = world.desk(2);
    world.run(desk.write_snapshot()).unwrap();
    let (size, state) = (desk.size(), desk.state());
    world.run(desk.close()).unwrap();
    for (database, sql) in [
        ("journal.db", "CREATE TABLE older AS SELECT * FROM snapshot"),
        (
            "journal.db",
            "ALTER TABLE snapshot DROP CONSTRAINT snapshot_pkey",
        ),
        ("journal.db", "ALTER TABLE snapshot ADD PRIMARY KEY (org)"),
        ("journal.db", "UPDATE alnager_journal SET format = 2"),
        ("keys.db", "UPDATE alnager_keys SET format = 2"),
    ] {
        world.run(world.databases().change(database, sql));
    }
    let mut desk = world.open().unwrap();
    assert_eq!((desk.snapshot_size, &*desk.state()), (size, &*state));
    world.commit(&mut desk, id(), &world.evidence(900)).unwrap();
    world.run(desk.write_snapshot()).unwrap();
    let org = desk.log.org;
    let sizes = world.run(desk.files.get_mut().journal.snapshot_sizes(org));
    assert_eq!(sizes.unwrap().len(), 2);
    let then = world.run(desk.state_at(size)).unwrap().unwrap();
    assert_eq!(*then, *state);
    world.run(desk.close()).unwrap();
    assert_eq!(shown(&world.verify()), "");
}

/// Files below `dir` that hold `needle`.
fn holding(dir: &Path, needle: &[u8]) -> Vec<PathBuf> {
    super::tree_of(dir)
        .into_iter()
        .filter(|path| path.is_file())
        .filter(|path| {
            let bytes = fs::read(path).unwrap_or_default();
            bytes.windows(needle.len()).any(|window| window == needle)
        })
        .collect()
}

#[test]
fn what_is_erased_is_in_no_file_of_the_databases() {
    let test = "what_is_erased_is_in_no_file_of_the_databases";
    let Some(world) = World::on_server(test) else {
        return;
    };
    let databases = world.databases();
    let data = world.run(databases.data_directory());
    if fs::read_dir(&data).is_err() {
        eprintln!("not run: {test} may not look into the server's data directory");
        return;
    }
    let folders: Vec<PathBuf> = [&databases.journal, &databases.keys]
        .map(|name| {
            let sql = format!("SELECT oid::text FROM pg_database WHERE datname = '{name}'");
            Path::new(&data)
                .join("base")
                .join(world.run(databases.text("postgres", &sql)))
        })
        .into();
    let mut desk = world.desk(1);
    world.accepted(&mut desk);
    let person = desk.state().person(PEOPLE[2]).unwrap().to_owned();
    let owner: Uuid = person.parse().unwrap();
    let hex = owner.simple();
    let mine = format!("FROM data_key WHERE owner = decode('{hex}', 'hex')");
    let (journal, keys) = (&databases.journal, &databases.keys);
    let key = world
        .run(databases.bytes(keys, &format!("SELECT id {mine}")))
        .remove(0);
    let key: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let by_key = format!("FROM payload WHERE key = decode('{key}', 'hex')");
    let mut needles = Vec::new();
    for (database, what) in [
        (keys, format!("SELECT sealed {mine}")),
        (keys, format!("SELECT nonce {mine}")),
        (journal, format!("SELECT sealed {by_key}")),
        (journal, format!("SELECT nonce {by_key}")),
    ] {
        let found = world.run(databases.bytes(database, &what));
        assert!(!found.is_empty(), "{what}");
        needles.extend(found);
    }
    let login = "ada@harbour.example";
    let accounts = world.with_account(&person, login);
    needles.push(login.as_bytes().to_vec());
    let find = |needle: &[u8]| -> Vec<PathBuf> {
        folders
            .iter()
            .flat_map(|dir| holding(dir, needle))
            .collect()
    };
    world.run(databases.admin("CHECKPOINT"));
    for needle in &needles {
        assert!(!find(needle).is_empty(), "the search finds what is there");
    }
    world.run(world.erased(&mut desk, PEOPLE[2]));
    assert_eq!(world.run(accounts.all()).unwrap(), []);
    world.run(desk.write_snapshot()).unwrap();
    world.run(databases.admin("CHECKPOINT"));
    for (at, needle) in needles.iter().enumerate() {
        assert_eq!(
            find(needle),
            Vec::<PathBuf>::new(),
            "needle {at} of {}",
            needles.len()
        );
    }
    for words in PEOPLE.into_iter().chain([ORGANISATION, DOCUMENT]) {
        for word in words.split(' ').filter(|word| word.len() > 5) {
            assert_eq!(find(word.as_bytes()), Vec::<PathBuf>::new(), "{word}");
        }
    }
    world.run(desk.close()).unwrap();
    let report = world.verify();
    assert!(report.is_sound(), "{}", shown(&report));
}

#[test]
fn erasure_waits_for_those_who_may_still_read_what_is_erased() {
    let test = "erasure_waits_for_those_who_may_still_read_what_is_erased";
    let Some(world) = World::on_server(test) else {
        return;
    };
    let mut desk = world.desk(2);
    world.accepted(&mut desk);
    let databases = world.databases();
    // A reader that has looked at nothing that is erased, so that no lock of it is in the way; and a writer in another database.
    for (database, begin) in [
        (
            databases.journal.as_str(),
            "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT size FROM head;",
        ),
        ("postgres", "BEGIN; SELECT pg_current_xact_id();"),
    ] {
        world.run(async {
            let mut other = databases.connect(database).await;
            sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
            let ended = std::cell::Cell::new(false);
            let (was_ended, ()) = tokio::join!(
                async {
                    world.erased(&mut desk, PEOPLE[2]).await;
                    ended.get()
                },
                async {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    ended.set(true);
                    other.close().await.unwrap();
                }
            );
            assert!(
                was_ended,
                "{database}: it was done while its rows had to be kept"
            );
        });
        // She comes back, as someone new.
        world.accepted_by(&mut desk, "E2", PEOPLE[2]);
    }
}

#[test]
fn a_desk_on_postgresql_keeps_its_blobs_in_an_object_store() {
    let test = "a_desk_on_postgresql_keeps_its_blobs_in_an_object_store";
    let Some(world) = World::on_server(test) else {
        return;
    };
    let Ok(address) = std::env::var("ALNAGER_TEST_S3") else {
        let must_run = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|all| all == "1");
        let needed = "needs ALNAGER_TEST_S3; `cargo xtask test` sets it";
        assert!(!must_run, "{test} {needed}");
        eprintln!("not run: {test} {needed}");
        return;
    };
    // The desk reads credentials from its environment, so the work is done in a process that has them.
    let rest = address.strip_prefix("http://").unwrap();
    let (keys, rest) = rest.split_once('@').unwrap();
    let (access, secret) = keys.split_once(':').unwrap();
    let (host, bucket) = rest.split_once('/').unwrap();
    let databases = world.databases();
    let done = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::server::a_desk_with_its_blobs_elsewhere",
            "--nocapture",
        ])
        .env("AWS_ACCESS_KEY_ID", access)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env(nodes::JOURNAL, databases.url(&databases.journal))
        .env(nodes::KEYS, databases.url(&databases.keys))
        .env(nodes::HOME, world.dir())
        .env(
            BLOBS,
            format!("s3://{bucket}/{}?endpoint=http://{host}", databases.journal),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(said.contains("the desk is sound with 8 blobs"), "{said}");
    assert!(!world.dir().join("blobs").exists());
}

const BLOBS: &str = "ALNAGER_TEST_BLOBS";

/// A desk with blobs where [`BLOBS`] says; without it, nothing.
#[test]
fn a_desk_with_its_blobs_elsewhere() {
    let Ok(blobs) = std::env::var(BLOBS) else {
        return;
    };
    let (journal, settings) = nodes::place_of_this_process();
    let place = Place::parse(
        &journal,
        &Settings {
            blobs: Some(blobs),
            ..settings
        },
    )
    .unwrap();
    let world = World::new();
    let fresh = Fresh {
        org: id(),
        origin: super::ORIGIN.to_owned(),
    };
    let mut desk = world.run(Desk::open_or_new(&place, fresh)).unwrap();
    world.commit(&mut desk, id(), &world.review()).unwrap();
    enter_many(&world, &mut desk, 0, 5);
    world.run(desk.close()).unwrap();
    let desk = world.run(Desk::open(&place)).unwrap();
    let blob = world.run(desk.blob(8, "document")).unwrap().unwrap();
    assert_eq!(blob.bytes, *document(2));
    world.run(desk.close()).unwrap();
    let report = world.run(Desk::verify(&place)).unwrap();
    assert_eq!(shown(&report), "");
    println!(
        "the desk is sound with {} blobs",
        report.contents.unwrap().blobs
    );
}
