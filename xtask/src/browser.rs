//! A browser for tests. `cargo xtask test` starts Chromium's driver and hands its address to every test as
//! `ALNAGER_TEST_BROWSER=http://127.0.0.1:<port>`; each test opens a browser of its own through it (W3C WebDriver).
//!
//! By hand: `cargo xtask browser` prints the address and keeps the driver until ctrl-c.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::keeper::{self, Keeper, free_port};
use crate::{cargo, output, run};

/// Where the tests find the driver.
pub(crate) const VARIABLE: &str = "ALNAGER_TEST_BROWSER";

/// Where pictures of the pages go; without it none is taken.
const PICTURES: &str = "ALNAGER_PICTURES";

/// `$1` the driver, `$2` its port, `$3` the folder for everything that it and its browsers write. Browsers that a broken test left behind
/// are found by that folder.
const KEEP: &str = r#"
TMPDIR="$3" "$1" --port="$2" --log-path="$3/log" >/dev/null 2>&1 &
driver=$!
read -r _
kill -KILL "$driver"
wait "$driver" 2>/dev/null
pkill -KILL -f "$3" 2>/dev/null
cd /
rm -rf "$3"
"#;

const START_S_MAX: u64 = 20;
const POLL: Duration = Duration::from_millis(20);

/// A running driver; dropped, it is stopped with its browsers, and its files are removed.
pub(crate) struct Browser {
    address: String,
    _keeper: Keeper,
}

impl Browser {
    /// Installs Chromium where that is possible, and starts its driver.
    pub(crate) fn start() -> Result<Browser> {
        let driver = driver()?;
        let folder = keeper::folder("browser")?;
        let port = free_port()?;
        let [driver, folder] = [&driver, &folder].map(|path| path.to_string_lossy().into_owned());
        let arguments = [driver.as_str(), &port.to_string(), &folder];
        let keeper = Keeper::start(KEEP, None, Path::new(&folder), &arguments)?;
        let end = Instant::now() + Duration::from_secs(START_S_MAX);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if Instant::now() > end {
                bail!("`{driver}` did not start");
            }
            std::thread::sleep(POLL);
        }
        Ok(Browser {
            address: format!("http://127.0.0.1:{port}"),
            _keeper: keeper,
        })
    }

    /// Its address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

/// `cargo xtask browser`: a driver until ctrl-c.
pub(crate) fn keep() -> Result<()> {
    let browser = Browser::start()?;
    println!("{VARIABLE}='{}'", browser.address());
    eprintln!("the browser's driver runs until ctrl-c");
    // Ctrl-c ends this process; the keeper does the rest.
    loop {
        std::thread::park();
    }
}

/// `cargo xtask pictures`: the pictures of the README and the guide, taken anew.
pub(crate) fn pictures(root: &Path) -> Result<()> {
    let browser = Browser::start()?;
    let mut command = cargo(root);
    command
        .args(["test", "--quiet", "-p", "alnager", "--test", "browser"])
        .args(["--", "pictures", "--nocapture"])
        .env(VARIABLE, browser.address())
        .env(PICTURES, root.join("docs/guide/images"));
    run(&mut command)
}

/// Path of the driver, which is installed when it is missing and may be.
fn driver() -> Result<PathBuf> {
    let installed = || {
        let found = output(Command::new("sh").args(["-c", "command -v chromedriver"]));
        found.ok().map(|path| PathBuf::from(path.trim()))
    };
    if let Some(driver) = installed() {
        return Ok(driver);
    }
    let is_root = output(Command::new("id").arg("-u"))?.trim() == "0";
    let has_apt = Command::new("apt-get").arg("--version").output().is_ok();
    if is_root && has_apt {
        eprintln!("installing Chromium with `apt-get install chromium chromium-driver`");
        for words in [&["update"][..], &["install", "chromium", "chromium-driver"]] {
            run(Command::new("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["-qq", "-y"])
                .args(words))?;
        }
    }
    installed().context(
        "there is no `chromedriver`; install Chromium with its driver, on Debian `apt-get install chromium chromium-driver`",
    )
}
