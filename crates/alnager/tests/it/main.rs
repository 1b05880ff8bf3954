//! The binary as a person uses it: a real process, a temporary folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod asked;
mod audit_kinds;
mod audit_over_time;
mod audit_profiles;
mod audit_sources;
mod browse;
mod ci;
mod clock;
mod crash;
mod crosswalk;
mod desk;
mod dossier;
mod fairness;
mod fuzz;
mod guide;
mod guide_pages;
mod impact;
mod interview;
mod journal;
mod opinion;
mod pack;
mod people;
mod pitfalls;
mod postgres;
mod recorded;
mod review;
mod schemathesis;
mod segment;
mod serve;
mod signature;
mod spots;
mod task;
mod text;
mod vendor;
mod watch;
mod witness;
mod wrong_input;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A folder of its own for one test, with a copy of an example and a desk beside it.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// What a command printed and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Place {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With a copy of an example named `system`.
    pub(crate) fn with(example: &str) -> Self {
        let place = Place::new();
        copy(&examples().join(example), &place.path("system"));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Changes the declaration: every occurrence of `old`, which must be there.
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let text = self.read("system/system.toml");
        assert!(text.contains(old), "`{old}` is not in the declaration");
        self.write("system/system.toml", text.replace(old, new));
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alnager"));
        command
            .current_dir(self.folder.path())
            .args(arguments)
            .env_remove("COLUMNS")
            .env_remove("NO_COLOR");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// Reviews `system` as JSON; gives exit code and document.
    pub(crate) fn review(&self, arguments: &[&str]) -> (i32, Value) {
        let all = [
            &[
                "review",
                "system",
                "--known",
                "2026-11-23",
                "--format",
                "json",
            ],
            arguments,
        ]
        .concat();
        let ran = self.run(&all);
        assert!(
            [0, 1, 3].contains(&ran.code),
            "exit {}: {}{}",
            ran.code,
            ran.out,
            ran.err
        );
        (ran.code, serde_json::from_str(&ran.out).unwrap())
    }
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn examples() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../examples")
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The status of a requirement in a review's JSON; empty where it is not listed.
pub(crate) fn status<'v>(review: &'v Value, id: &str) -> &'v str {
    let found = review["requirements"]
        .as_array()
        .unwrap()
        .iter()
        .find(|requirement| requirement["id"] == id);
    found
        .and_then(|requirement| requirement["status"].as_str())
        .unwrap_or_default()
}
