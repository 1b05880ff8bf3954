//! A throw-away S3-compatible server for tests. `cargo xtask test` starts one and hands its address to every test as
//! `ALNAGER_TEST_S3=http://<access key>:<secret key>@127.0.0.1:<port>/alnager-test`; the last part is a bucket that exists. Each
//! test puts its objects under a random prefix of its own.
//!
//! By hand: `cargo xtask s3` prints the address and keeps the server until ctrl-c.
//!
//! The server is `s3s-fs`, one program that keeps objects as files, pages its lists, and checks signatures and checksums.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::keeper::{self, Keeper, free_port, random};
use crate::{cargo, run, target_directory};

/// Where the tests find the server.
pub(crate) const VARIABLE: &str = "ALNAGER_TEST_S3";

const PROGRAM: &str = "s3s-fs";
const VERSION: &str = "0.14.1";
const BUCKET: &str = "alnager-test";

/// `$1` program, `$2` port, `$3` access key, `$4` secret key, `$5` files, `$6` the whole folder. The server inherits that
/// SIGTERM is ignored, so it is killed.
const KEEP: &str = r#"
"$1" --host 127.0.0.1 --port "$2" --access-key "$3" --secret-key "$4" "$5" >"$6/log" 2>&1 &
server=$!
read -r _
kill -KILL "$server"
wait "$server" 2>/dev/null
cd /
rm -rf "$6"
"#;

const START_S_MAX: u64 = 20;
const POLL: Duration = Duration::from_millis(20);

/// A running server; dropped, it is stopped and its files are removed.
pub(crate) struct ObjectStore {
    address: String,
    _keeper: Keeper,
}

impl ObjectStore {
    /// Builds the server where it is missing and starts it.
    pub(crate) fn start(root: &Path) -> Result<ObjectStore> {
        let program = program(root)?;
        let folder = keeper::folder("s3")?;
        let files = folder.join("files");
        std::fs::create_dir_all(files.join(BUCKET)).context("cannot make the test bucket")?;

        let (port, key, secret) = (free_port()?, random()?, random()?);
        let port_text = port.to_string();
        let [program, files, folder_text] =
            [&program, &files, &folder].map(|path| path.to_string_lossy().into_owned());
        let arguments = [&program, &port_text, &key, &secret, &files, &folder_text];
        let keeper = Keeper::start(KEEP, None, &folder, &arguments.map(String::as_str))?;
        await_server(port, &folder)?;
        Ok(ObjectStore {
            address: format!("http://{key}:{secret}@127.0.0.1:{port}/{BUCKET}"),
            _keeper: keeper,
        })
    }

    /// The address of its bucket, with both keys.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

/// `cargo xtask s3`: a server until ctrl-c.
pub(crate) fn keep(root: &Path) -> Result<()> {
    let server = ObjectStore::start(root)?;
    println!("{VARIABLE}='{}'", server.address());
    eprintln!("the S3 server runs until ctrl-c; its objects are then deleted");
    // Ctrl-c ends this process; the keeper does the rest.
    loop {
        std::thread::park();
    }
}

fn await_server(port: u16, folder: &Path) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(START_S_MAX);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > end {
            let said = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("`{PROGRAM}` did not start; it said: {}", said.trim());
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Path of the server's program, which is built at first use and kept in the target folder.
fn program(root: &Path) -> Result<PathBuf> {
    let place = target_directory(root)?.join(format!("{PROGRAM}-{VERSION}"));
    let program = place.join("bin").join(PROGRAM);
    if !program.is_file() {
        let mut install = cargo(root);
        install
            .args(["install", PROGRAM, "--version", &format!("={VERSION}")])
            .args(["--features", "binary", "--locked", "--debug", "--quiet"])
            .arg("--root")
            .arg(&place);
        run(&mut install).with_context(|| {
            format!(
                "the S3 server for tests cannot be built; install it with `cargo install {PROGRAM} --version ={VERSION} \
                 --features binary --locked --root {}`",
                place.display()
            )
        })?;
    }
    Ok(program)
}
