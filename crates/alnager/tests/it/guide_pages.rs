//! Guides that lead through the pages of the desk: every command is run, and every step is done by somebody without script, by the words that
//! the guide and the pages have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::browse::Reader;
use crate::guide::words;
use crate::serve::Server;
use crate::{Place, Ran, copy, examples, ran};

/// How long a page may take to show what another process has entered.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody follows a guide.
struct Walk {
    place: Place,
    server: Option<Server>,
    people: BTreeMap<String, Reader>,
    who: String,
    /// The link that was made last.
    link: String,
    /// Words in capitals that stand for what was printed.
    printed: Vec<(String, String)>,
    n_commands: usize,
    n_steps: usize,
}

/// Follows a guide; gives how many commands and steps there were.
fn follow(guide: &str) -> (usize, usize) {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let file = examples().join(format!("../docs/guide/{guide}.md"));
    let text = std::fs::read_to_string(file).unwrap();
    for shown in text.split("\n```text ").skip(1) {
        let (name, rest) = shown.split_once('\n').unwrap();
        let (content, _) = rest.split_once("```").unwrap();
        place.write(name, content);
    }
    let mut walk = Walk {
        place,
        server: None,
        people: BTreeMap::new(),
        who: String::new(),
        link: String::new(),
        printed: Vec::new(),
        n_commands: 0,
        n_steps: 0,
    };
    for line in joined(&text) {
        if let Some(rest) = line.strip_prefix("As **") {
            rest.split("**").next().unwrap().clone_into(&mut walk.who);
        } else if let Some(step) = line.strip_prefix("- ") {
            walk.step(step);
            walk.n_steps += 1;
        } else if line.starts_with("alnager") {
            walk.command(&line);
            walk.n_commands += 1;
        }
    }
    (walk.n_commands, walk.n_steps)
}

/// The lines, a step that goes on in the next ones as one.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut().filter(|last| last.starts_with("- ")) {
            Some(last) if line.starts_with("  ") => {
                last.push(' ');
                last.push_str(line.trim());
            }
            Some(_) | None => lines.push(line.to_owned()),
        }
    }
    lines
}

impl Walk {
    fn reader(&mut self) -> &mut Reader {
        let server = self.server.as_ref().expect("no server was started");
        let new = || Reader::new(&server.address);
        self.people.entry(self.who.clone()).or_insert_with(new)
    }

    fn filled(&self, text: &str) -> String {
        let all = self.printed.iter();
        all.fold(text.to_owned(), |text, (word, value)| {
            text.replace(word, value)
        })
    }

    fn command(&mut self, line: &str) {
        let words = words(&self.filled(line.split("    # exit ").next().unwrap()));
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        match arguments[..] {
            ["alnager", "serve", "--desk", desk] => {
                let desk = self.place.path(desk);
                self.server = Some(Server::start(&["serve"], &desk, "127.0.0.1:0", 1));
            }
            ["alnager", "demo", "--desk", desk] => {
                self.server = Some(Server::demo(&self.place.path(desk)));
            }
            _ => {
                let code = line.split_once("    # exit ");
                let (_, code) = code.unwrap_or_else(|| panic!("no exit code: {line}"));
                let ran = self.run(&arguments);
                assert_eq!(ran.code.to_string(), code, "{line}\n{}{}", ran.out, ran.err);
                if arguments.starts_with(&["alnager", "desk", "key"]) {
                    let key = ran.out.trim().to_owned();
                    self.printed.push(("LOG_KEY".to_owned(), key));
                }
            }
        }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        match arguments[0] {
            "alnager" => self.place.run(&arguments[1..]),
            "alnager-verify" => {
                let mut command = Command::new(verifier());
                command.current_dir(self.place.path("."));
                ran(command.args(&arguments[1..]).output().unwrap())
            }
            other => panic!("the guide runs `{other}`"),
        }
    }

    /// Does what the first sentence of a step says; the rest of it is for the reader.
    fn step(&mut self, step: &str) {
        let quoted: Vec<&str> = step.split('"').skip(1).step_by(2).collect();
        let is = |start: &str| step.starts_with(start);
        match quoted[..] {
            [] if is("Open the printed link.") => {
                let path = self.server.as_ref().unwrap().paths[0].clone();
                self.reader().go(&path);
            }
            [] if is("Open the link that was made.") => {
                let path = self.link.clone();
                self.reader().go(&path);
            }
            [who, ..] if is("Open the link printed for ") => {
                let server = self.server.as_ref().unwrap();
                let at = server.lines.iter().position(|line| line.contains(who));
                let path = server.paths[at.unwrap()].clone();
                self.reader().go(&path);
            }
            [words, file, ..] if step.contains("\" and keep it as \"") => {
                let bytes = self.reader().take(words);
                self.place.write(file, bytes);
            }
            [words, ..] if is("Open ") => self.reader().open(words),
            [label, ..] if is("Write a day ahead into ") => {
                let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
                let day = today.date().saturating_add(jiff::Span::new().days(60));
                self.reader().write(&day.to_string(), label);
            }
            [text, label, ..] if is("Write ") => self.reader().write(text, label),
            [file, label, ..] if is("Choose the file ") => {
                let bytes = std::fs::read(self.place.path(file)).unwrap();
                let name = file.rsplit('/').next().unwrap();
                self.reader().attach(label, name, bytes);
            }
            [option, label, ..] if is("Choose ") && step.contains("\" for \"") => {
                self.reader().select(option, label);
            }
            [label, ..] if is("Choose ") => self.reader().choose(label),
            [words, ..] if is("Press ") => self.reader().press(words),
            [words, ..] if is("You read ") => self.reads(words),
            _ => panic!("nobody knows how to do this step: {step}"),
        }
        self.keep_link();
    }

    fn reads(&mut self, words: &str) {
        let began = Instant::now();
        // What the command line entered comes to the pages a moment later.
        while !self.reader().text().contains(words) && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(300));
            if !self.reader().again() {
                break;
            }
        }
        self.reader().reads(words);
    }

    fn keep_link(&mut self) {
        let text = self.reader().text();
        let made = text.split(' ').find(|word| word.contains("/welcome/"));
        if let Some(made) = made {
            made.clone_into(&mut self.link);
        }
    }
}

/// The small verifier. It is built with the workspace; where only this program was built, now.
fn verifier() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_BIN_EXE_alnager"));
    let verifier = beside.with_file_name(format!("alnager-verify{}", std::env::consts::EXE_SUFFIX));
    if !verifier.exists() {
        let cargo = std::env::var("CARGO").unwrap_or("cargo".to_owned());
        let profile = beside.parent().unwrap();
        let mut command = Command::new(cargo);
        command
            .args(["build", "-q", "-p", "alnager-journal"])
            .args(["--bin", "alnager-verify", "--target-dir"])
            .arg(profile.parent().unwrap())
            .current_dir(examples());
        if profile.ends_with("release") {
            command.arg("--release");
        }
        assert!(command.status().unwrap().success());
    }
    verifier
}

#[test]
fn the_first_week_can_be_followed_word_for_word() {
    let (n_commands, n_steps) = follow("first-week");
    assert!(n_commands == 3 && n_steps > 80, "{n_commands} {n_steps}");
}

#[test]
fn an_auditor_can_follow_the_guide_word_for_word() {
    let (n_commands, n_steps) = follow("auditor");
    assert!(n_commands >= 10 && n_steps > 15, "{n_commands} {n_steps}");
}
