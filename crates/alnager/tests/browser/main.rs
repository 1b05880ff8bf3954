//! The desk in a real browser: every room's job by keyboard alone, wide and narrow, and once without script.
//!
//! `cargo xtask test` starts a driver; by hand: `cargo xtask browser`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod intake;
mod journal;
mod law;
mod pages;
mod pictures;
mod rooms;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// Where the driver is.
const DRIVER: &str = "ALNAGER_TEST_BROWSER";

/// Widths of a window, in pixels.
const WIDE: u32 = 1280;
const NARROW: u32 = 400;

const PATIENCE: Duration = Duration::from_secs(60);

/// The address of the driver; `None`, with a line that says so, where there is none and tests may be left out.
#[track_caller]
fn driver(test: &str) -> Option<String> {
    let found = std::env::var(DRIVER).ok();
    if found.is_none() {
        let all = std::env::var("ALNAGER_TEST_ALL").is_ok_and(|value| value == "1");
        assert!(!all, "{test} needs {DRIVER}, and no test may be left out");
        eprintln!("not run: {test} needs {DRIVER}; cargo xtask test sets it");
    }
    found
}

/// Runs a test that needs a browser.
fn with_browser<F: Future<Output = ()>>(test: &str, run: impl FnOnce(String) -> F) {
    let Some(driver) = driver(test) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(driver));
}

/// The demonstration in a process of its own; it ends with this value.
struct Demo {
    child: Child,
    /// `http://…`, without a path.
    address: String,
    /// Who, and the path that signs them in.
    links: Vec<(String, String)>,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Demo {
        let folder = tempfile::tempdir().unwrap();
        let (child, address, links) = serve(folder.path(), "127.0.0.1:0");
        Demo {
            child,
            address,
            links,
            folder,
        }
    }

    /// Kills the server and starts it again at the same address.
    fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let listen = self.address.trim_start_matches("http://").to_owned();
        let (child, address, links) = serve(self.folder.path(), &listen);
        assert_eq!(address, self.address);
        (self.child, self.links) = (child, links);
    }

    /// Where browsers put what is taken away.
    fn taken(&self) -> PathBuf {
        self.folder.path().join("taken")
    }

    fn link(&self, who: &str) -> String {
        let found = self.links.iter().find(|(known, _)| known.starts_with(who));
        format!("{}{}", self.address, found.unwrap().1)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

type Served = (Child, String, Vec<(String, String)>);

fn serve(folder: &Path, listen: &str) -> Served {
    let mut child = Command::new(env!("CARGO_BIN_EXE_alnager"))
        .args(["demo", "--listen", listen, "--desk"])
        .arg(folder.join("example-group"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut address, mut links) = (String::new(), Vec::new());
    // One line who, one line where.
    while links.len() < 8 {
        let who = lines.next().unwrap().unwrap();
        let link = lines.next().unwrap().unwrap();
        let (before, path) = link.trim().split_once("/example-group").unwrap();
        before.clone_into(&mut address);
        links.push((who, format!("/example-group{path}")));
    }
    // The rest of what it says must not fill the pipe.
    std::thread::spawn(move || lines.for_each(drop));
    (child, address, links)
}

/// How a browser shows pages.
struct Look {
    /// Pixels of its window.
    width: u32,
    has_script: bool,
    is_dark: bool,
}

/// A browser with one window, without a mouse.
struct Browser {
    client: Client,
    address: String,
}

impl Browser {
    /// Opens one and signs somebody of the demonstration in.
    async fn open(driver: &str, demo: &Demo, who: &str, width: u32) -> Browser {
        Browser::with(driver, demo, who, width, true).await
    }

    async fn with(driver: &str, demo: &Demo, who: &str, width: u32, has_script: bool) -> Browser {
        let look = Look {
            width,
            has_script,
            is_dark: false,
        };
        Browser::seen(driver, demo, who, look).await
    }

    async fn seen(driver: &str, demo: &Demo, who: &str, look: Look) -> Browser {
        let Look {
            width,
            has_script,
            is_dark,
        } = look;
        let script = if has_script { 1 } else { 2 };
        let scheme = if is_dark { 0 } else { 1 };
        let options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--force-prefers-reduced-motion", "--hide-scrollbars",
                format!("--blink-settings=preferredColorScheme={scheme}"),
            ],
            "mobileEmulation": {
                "deviceMetrics": {"width": width, "height": 900, "pixelRatio": 1.0, "mobile": false, "touch": false},
            },
            "prefs": {
                "profile.managed_default_content_settings.javascript": script,
                "download.default_directory": demo.taken(),
                "download.prompt_for_download": false,
            },
        });
        let mut wanted = serde_json::Map::new();
        wanted.insert("goog:chromeOptions".to_owned(), options);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(driver)
            .await
            .unwrap();
        let browser = Browser {
            client,
            address: demo.address.clone(),
        };
        browser.client.goto(&demo.link(who)).await.unwrap();
        browser.tab_to("button", "").await;
        browser.press(Key::Enter).await;
        browser.at("/example-group/today").await;
        browser
    }

    /// Opens a page of the organisation.
    async fn go(&self, path: &str) {
        let address = format!("{}/example-group{path}", self.address);
        self.client.goto(&address).await.unwrap();
    }

    /// Waits until the window is at an address that begins like this.
    #[track_caller]
    fn at(&self, path: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let began = Instant::now();
            loop {
                let url = self.client.current_url().await.unwrap();
                let found = url.as_str().trim_start_matches(&self.address).to_owned();
                if found.starts_with(path) {
                    return;
                }
                assert!(
                    began.elapsed() < PATIENCE,
                    "{place}: at {found}, not {path}: {}",
                    self.text().await
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until the page says something.
    #[track_caller]
    fn says(&self, words: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let began = Instant::now();
            loop {
                let text = self.text().await;
                if text.contains(words) {
                    return;
                }
                assert!(
                    began.elapsed() < PATIENCE,
                    "{place}: no `{words}` in: {text}"
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    async fn text(&self) -> String {
        match self.client.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Presses Tab until something that fits has the focus: `css`, and `words` in its text, label or name.
    #[track_caller]
    fn tab_to(&self, css: &str, words: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            for _ in 0..400 {
                self.press(Key::Tab).await;
                let focused = self.client.active_element().await.unwrap();
                let tag = focused.tag_name().await.unwrap();
                let matches = match css.split_once('#') {
                    Some((kind, id)) => {
                        let found = focused.attr("id").await.unwrap();
                        (kind.is_empty() || kind == tag) && found.as_deref() == Some(id)
                    }
                    None => css == tag,
                };
                if matches && (words.is_empty() || focused.text().await.unwrap().contains(words)) {
                    return;
                }
            }
            panic!(
                "{place}: the keyboard does not reach `{css}` with `{words}`: {}",
                self.text().await
            );
        }
    }

    /// Presses a key where the focus is.
    async fn press(&self, key: Key) {
        self.typed(&char::from(key).to_string()).await;
    }

    /// Types where the focus is, key by key.
    async fn typed(&self, text: &str) {
        let mut keys = KeyActions::new("keyboard".to_owned());
        for value in text.chars() {
            keys = keys
                .then(KeyAction::Down { value })
                .then(KeyAction::Up { value });
        }
        self.client.perform_actions(keys).await.unwrap();
    }

    /// Chooses a file where the focus is, as the dialog of the system would.
    async fn choose_file(&self, path: &str) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(path).await.unwrap();
    }

    /// Waits until a file with this name was taken away.
    #[track_caller]
    fn took(&self, file: PathBuf) -> impl Future<Output = PathBuf> {
        let place = std::panic::Location::caller();
        async move {
            let began = Instant::now();
            while !file.is_file() {
                assert!(
                    began.elapsed() < PATIENCE,
                    "{place}: no `{}`: {}",
                    file.display(),
                    self.text().await
                );
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            file
        }
    }

    /// Whether the page has such an element.
    async fn has(&self, css: &str) -> bool {
        self.client.find(Locator::Css(css)).await.is_ok()
    }

    /// What an outside checker finds wrong with the page, the serious alone: rule, and where.
    async fn faults(&self) -> Vec<String> {
        const AXE: &str = include_str!("axe/axe.min.js");
        self.client.execute(AXE, Vec::new()).await.unwrap();
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations), (error) => done(String(error)));";
        let found = self.client.execute_async(run, Vec::new()).await.unwrap();
        let violations = found.as_array().unwrap_or_else(|| panic!("{found}"));
        let is_serious = |violation: &&Value| {
            matches!(violation["impact"].as_str(), Some("serious" | "critical"))
        };
        let shown = |violation: &Value| {
            let nodes = violation["nodes"].as_array().unwrap();
            let places: Vec<String> = nodes
                .iter()
                .take(3)
                .map(|node| format!("{} {}", node["target"], node["failureSummary"]))
                .collect();
            format!("{}: {}", violation["id"], places.join("; "))
        };
        violations.iter().filter(is_serious).map(shown).collect()
    }

    /// How many pixels the page is wider than the window: one would have to scroll sideways.
    async fn overhang(&self) -> i64 {
        let script = "return document.documentElement.scrollWidth - window.innerWidth";
        let found = self.client.execute(script, Vec::new()).await.unwrap();
        found.as_i64().unwrap()
    }

    async fn close(self) {
        self.client.close().await.unwrap();
    }
}
