//! A desk on PostgreSQL, as a person uses it.

use std::path::PathBuf;
use std::process::Command;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::guide::words;
use crate::{Place, Ran, copy, examples, ran};

/// Where the tests find the server.
const VARIABLE: &str = "ALNAGER_TEST_POSTGRES";

/// The address that the guide shows.
const SHOWN: &str = "postgres://alnager@db.example.com/alnager";

/// Two databases of their own, dropped at the end.
struct Databases {
    address: String,
    name: String,
}

impl Databases {
    /// `None`, and a line that says so, where there is no server.
    fn find(test: &str) -> Option<Databases> {
        let Ok(address) = std::env::var(VARIABLE) else {
            let needed = format!("needs {VARIABLE}; `cargo xtask test` sets it");
            let must_run = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|all| all == "1");
            assert!(!must_run, "{test} {needed}");
            eprintln!("not run: {test} {needed}");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("")
            .rand_bytes(12)
            .tempdir()
            .unwrap();
        let random = folder.path().file_name().unwrap().to_str().unwrap();
        let databases = Databases {
            address,
            name: format!("alnager_test_{}", random.to_lowercase()),
        };
        for name in databases.names() {
            databases.admin(&format!("CREATE DATABASE {name}"));
        }
        Some(databases)
    }

    fn names(&self) -> [String; 2] {
        [self.name.clone(), format!("{}_keys", self.name)]
    }

    fn admin(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let options: PgConnectOptions = self.address.parse().unwrap();
            let mut connection = options.connect().await.unwrap();
            let done = sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await;
            done.unwrap();
        });
    }

    /// User, password, and `host:port`.
    fn parts(&self) -> (&str, &str, &str) {
        let rest = self.address.strip_prefix("postgres://").unwrap();
        let (user, rest) = rest.split_once('@').unwrap();
        let (user, password) = user.split_once(':').unwrap();
        let (server, _) = rest.split_once('/').unwrap();
        (user, password, server)
    }

    /// The address of the journal, without the password.
    fn url(&self) -> String {
        let (user, _, server) = self.parts();
        format!("postgres://{user}@{server}/{}", self.name)
    }

    /// A command with the password in its environment, where no list of processes shows it.
    fn command(&self, place: &Place, arguments: &[&str]) -> Command {
        let mut command = place.command(arguments);
        command.env("PGPASSWORD", self.parts().1);
        command
    }

    fn run(&self, place: &Place, arguments: &[&str]) -> Ran {
        self.checked(self.command(place, arguments))
    }

    /// Runs a command; nothing it says holds the password.
    fn checked(&self, mut command: Command) -> Ran {
        let ran = ran(command.output().unwrap());
        for said in [&ran.out, &ran.err] {
            assert!(!said.contains(self.parts().1), "{said}");
        }
        ran
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        // Nothing is left to say when the test has failed already.
        if !std::thread::panicking() {
            for name in self.names() {
                self.admin(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            }
        }
    }
}

#[test]
fn a_desk_on_postgresql_can_be_followed_word_for_word() {
    let test = "a_desk_on_postgresql_can_be_followed_word_for_word";
    let Some(databases) = Databases::find(test) else {
        return;
    };
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let file = examples().join("../docs/guide/desk-on-postgresql.md");
    let text = std::fs::read_to_string(file).unwrap();
    let mut n_commands = 0;
    for line in text.lines().filter(|line| line.starts_with("alnager ")) {
        let (command, code) = line.split_once("    # exit ").unwrap();
        let arguments = words(&command.replace(SHOWN, &databases.url()));
        let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
        let mut command = databases.command(&place, &arguments);
        command.env("ALNAGER_HOME", place.path("alnager-home"));
        let ran = databases.checked(command);
        assert_eq!(ran.code.to_string(), code, "{line}\n{}{}", ran.out, ran.err);
        n_commands += 1;
    }
    assert!(n_commands >= 4, "{n_commands}");
    let home = place.path("alnager-home");
    for name in ["kek", "log.key", "blobs"] {
        assert!(home.join(name).exists(), "{name}");
    }
}

#[test]
fn every_part_of_a_desk_on_postgresql_can_be_placed() {
    let test = "every_part_of_a_desk_on_postgresql_can_be_placed";
    let Some(databases) = Databases::find(test) else {
        return;
    };
    let other = Databases::find(test).unwrap();
    let place = Place::with("credit");
    let url = databases.url();
    let review = ["review", "system", "--known", "2026-11-23", "--desk", &url];
    let placed = |arguments: &[&str]| {
        let mut command = databases.command(&place, arguments);
        command
            .env("ALNAGER_KEYS", other.url())
            .env("ALNAGER_HOME", place.path("secrets"))
            .env("ALNAGER_BLOBS", place.path("large"));
        databases.checked(command)
    };
    let ran = placed(&review);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(place.path("secrets/kek").exists() && !place.path("secrets/blobs/00").exists());
    assert!(std::fs::read_dir(place.path("large")).unwrap().count() > 0);
    let ran = placed(&["desk", "verify", "--desk", &url]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("the desk is whole"), "{}", ran.out);

    // The keys are not where they are looked for without the settings.
    let mut without = databases.command(&place, &["desk", "verify", "--desk", &url]);
    without.env("ALNAGER_HOME", place.path("secrets"));
    let ran = databases.checked(without);
    assert_ne!(ran.code, 0, "{}{}", ran.out, ran.err);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("holds no keys of a desk"), "{said}");
}

#[test]
fn a_desk_on_postgresql_that_cannot_be_used_says_why_and_never_the_password() {
    let test = "a_desk_on_postgresql_that_cannot_be_used_says_why_and_never_the_password";
    let Some(databases) = Databases::find(test) else {
        return;
    };
    let place = Place::with("credit");
    let url = databases.url();
    let ran = databases.run(&place, &["task", "list", "--desk", &url]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("there is no desk"), "{}", ran.err);
    let ran = databases.run(&place, &["review", "system", "--desk", &url]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);

    // Another server, without the secrets.
    let mut second = databases.command(&place, &["desk", "verify", "--desk", &url]);
    let home: PathBuf = place.path("second");
    std::fs::create_dir(&home).unwrap();
    second.env("ALNAGER_HOME", &home);
    let ran = databases.checked(second);
    let said = format!("{}{}", ran.out, ran.err);
    assert_ne!(ran.code, 0, "{said}");
    assert!(said.contains("kek"), "{said}");

    // With the password in the address, which is not the right one.
    let (user, password, server) = databases.parts();
    let canary = "canary-of-the-password";
    let check = |address: String, what: &str| {
        let ran = place.run(&["desk", "verify", "--desk", &address]);
        let said = format!("{}{}", ran.out, ran.err);
        assert_ne!(ran.code, 0, "{said}");
        assert!(said.contains(what), "{said}");
        assert!(!said.contains(canary) && !said.contains(password), "{said}");
    };
    let name = &databases.name;
    check(
        format!("postgres://{user}:{canary}@{server}/{name}"),
        "may not",
    );
    check(
        format!("postgres://{user}:{canary}@127.0.0.1:1/{name}"),
        "does not answer",
    );
    check(
        format!("postgres://{user}:{canary}@{server}"),
        "names no database",
    );
    check(
        format!("postgres://{user}:{canary}@:x:/y"),
        "cannot be used",
    );
    check(
        format!("postgres://{user}:{password}@{server}/{name}_no?application_name={canary}"),
        "createdb",
    );
}
