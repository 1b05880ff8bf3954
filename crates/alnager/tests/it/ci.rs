//! A review and the gate against a server, as a pipeline uses them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::guide::words;
use crate::serve::Server;
use crate::{Place, Ran, copy, examples, ran};

/// A server with the demonstration, a system to review, and somebody's token.
struct Pipeline {
    place: Place,
    server: Server,
    token: String,
}

pub(crate) const OFFICER: usize = 0;
const ENGINEER: usize = 3;
const BOARD: usize = 7;

impl Pipeline {
    fn new(person: usize, scopes: &str) -> Pipeline {
        let place = Place::with("credit");
        let server = Server::demo(&place.path("example-group"));
        let token = token(&server, person, scopes);
        Pipeline {
            place,
            server,
            token,
        }
    }

    fn desk(&self) -> String {
        format!("http://{}/example-group", self.server.address)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        command
            .args(["--desk", &self.desk()])
            .env("ALNAGER_TOKEN", &self.token);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }
}

pub(crate) fn token(server: &Server, person: usize, scopes: &str) -> String {
    let mut client = server.enter_as(person);
    let form = client.token("/example-group/account");
    let fields = [
        ("form", form.as_str()),
        ("name", "pipeline"),
        ("scopes", scopes),
        ("days", "30"),
    ];
    let page = client.post("/example-group/account/tokens", &fields).body;
    let start = page.find("<code>").unwrap() + 6;
    page[start..start + page[start..].find('<').unwrap()].to_owned()
}

fn repository() -> PathBuf {
    examples().join("..").canonicalize().unwrap()
}

/// Whoever builds the system has it measured here and sealed there, and gets what a desk of their own would say.
#[test]
fn a_server_seals_what_was_measured_here() {
    let pipeline = Pipeline::new(ENGINEER, "read review");
    let text = pipeline.run(&[
        "review",
        "system",
        "--junit",
        "alnager.xml",
        "--out",
        "first",
    ]);
    assert_eq!(text.code, 3, "{}{}", text.out, text.err);
    assert!(text.out.starts_with("● UNDECIDED"), "{}", text.out);
    assert!(text.out.contains("dossier  none: "), "{}", text.out);
    assert!(
        text.out.contains("receipt  sealed as entry "),
        "{}",
        text.out
    );
    let report = pipeline.place.read("first/report.html");
    assert!(report.contains("Consumer credit scorecard"));
    let junit = pipeline.place.read("alnager.xml");
    assert!(junit.contains("<testcase classname=\"credit.gate\" name=\"launch gate\">"));
    assert!(junit.contains("<error message="));

    let again = pipeline.run(&["review", "system", "--format", "json"]);
    let there: Value = serde_json::from_str(&again.out).unwrap();
    let (code, here) = pipeline.place.review(&[]);
    assert_eq!((again.code, code), (3, 3));
    for part in [
        "verdict",
        "results",
        "audits",
        "figures",
        "tests",
        "judged_on",
    ] {
        assert_eq!(there[part], here[part], "{part}");
    }
    assert!(there["journal"]["size"].as_u64() > here["journal"]["size"].as_u64());
    let report = there["report"].as_str().unwrap();
    assert!(pipeline.place.path(report).is_file(), "{report}");

    let gate = pipeline.run(&["gate", "credit", "--format", "json"]);
    let gate: Value = serde_json::from_str(&gate.out).unwrap();
    assert_eq!(gate["review"]["results"], there["results"]);
    assert_eq!(gate["launch"]["may_be_live"], false);
}

/// Who may take dossiers gets one, which an outsider checks against the data.
#[test]
fn a_review_at_a_server_leaves_a_dossier_that_verifies() {
    let pipeline = Pipeline::new(OFFICER, "read review prove");
    let done = pipeline.run(&["review", "system", "--out", "out"]);
    assert_eq!(done.code, 3, "{}{}", done.out, done.err);
    let dossier = ["verify", "out/dossier.tar.zst", "--data", "system/data.csv"];
    let verified = pipeline.place.run(&dossier);
    assert_eq!(verified.code, 0, "{}{}", verified.out, verified.err);
    assert!(
        verified
            .out
            .contains("count tables counted again from the rows: "),
        "{}",
        verified.out
    );
}

#[test]
fn what_a_server_refuses_is_said_and_nothing_is_sealed() {
    let pipeline = Pipeline::new(ENGINEER, "read");
    let check = |command: &mut Command, code: i32, want: &str| {
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(want), "{}", ran.err);
        assert!(!ran.err.contains(&pipeline.token), "{}", ran.err);
    };
    let review = || pipeline.command(&["review", "system"]);
    // The scope, the token, who acts, what is looked at.
    check(&mut review(), 2, "the server refuses: ");
    let unknown = &mut review();
    check(
        unknown.env("ALNAGER_TOKEN", "alt_unknown"),
        2,
        "does not know this token",
    );
    check(
        review().env_remove("ALNAGER_TOKEN"),
        2,
        "make a token with the scopes `read` and `review`",
    );
    check(
        review().args(["--as", "Ines Marchetti"]),
        2,
        "leave out --as",
    );
    check(
        review().args(["--recorded", "3"]),
        2,
        "leave out --recorded",
    );
    let mut why = pipeline.command(&["why", "EUAIA-9", "--system", "credit"]);
    check(&mut why, 2, "works on the desk itself");
    let mut gate = pipeline.command(&["gate", "nobody-knows"]);
    check(&mut gate, 2, "there is nothing here");
    let mut local = pipeline
        .place
        .command(&["gate", "credit", "--token", "alt_1"]);
    check(&mut local, 2, "--token is for a server");
    assert!(!pipeline.place.path("reviews").exists());

    let board = token(&pipeline.server, BOARD, "read");
    check(
        review().env("ALNAGER_TOKEN", board),
        2,
        "the server refuses",
    );

    // A declaration that the server cannot read, before anything is measured.
    let officer = token(&pipeline.server, OFFICER, "read review");
    pipeline.place.edit("is_generative = {", "no_such_fact = {");
    let mut wrong = review();
    wrong.env("ALNAGER_TOKEN", &officer);
    check(&mut wrong, 2, "no_such_fact");
}

/// A server that is not there is no verdict.
#[test]
fn without_an_answer_the_exit_code_is_none_of_a_verdict() {
    let place = Place::with("credit");
    let mut command = place.command(&["gate", "credit", "--desk", "http://127.0.0.1:9/group"]);
    let done = ran(command.env("ALNAGER_TOKEN", "alt_1").output().unwrap());
    assert_eq!(done.code, 4, "{}", done.err);
    assert!(done.err.contains("does not answer"), "{}", done.err);
}

#[test]
fn a_pipeline_can_be_set_up_word_for_word() {
    let pipeline = Pipeline::new(ENGINEER, "read review");
    let guide = std::fs::read_to_string(repository().join("docs/guide/ci.md")).unwrap();
    let guide = guide.replace("$DESK", &pipeline.desk());
    let mut n_commands = 0;
    for block in guide.split("\n```sh\n").skip(1) {
        for line in block.split("\n```").next().unwrap().lines() {
            let (line, code) = line.split_once("    # exit ").unwrap_or((line, "0"));
            let mut command = match line.starts_with("alnager ") {
                true => {
                    let words = words(line);
                    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
                    pipeline.place.command(&words)
                }
                false if has("curl") => {
                    let mut shell = Command::new("sh");
                    shell
                        .args(["-c", line])
                        .current_dir(pipeline.place.path("."));
                    shell
                }
                false => continue,
            };
            let done = ran(command
                .env("ALNAGER_TOKEN", &pipeline.token)
                .output()
                .unwrap());
            assert_eq!(
                done.code.to_string(),
                code,
                "{line}\n{}{}",
                done.out,
                done.err
            );
            n_commands += 1;
        }
    }
    assert!(n_commands >= 4);
    assert!(pipeline.place.path("alnager.xml").is_file());
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// The step that both pipelines call, with this program in the path.
#[test]
fn the_step_of_a_pipeline_fails_with_the_exit_code_and_leaves_its_files() {
    let pipeline = Pipeline::new(OFFICER, "read review prove");
    let program = Path::new(env!("CARGO_BIN_EXE_alnager"));
    let path = format!(
        "{}:{}",
        program.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let step = |command: &str, system: &str| {
        let mut step = Command::new("bash");
        step.arg(repository().join("ci/run.sh"))
            .current_dir(pipeline.place.path("."))
            .env("PATH", &path)
            .env("ALNAGER_DESK", pipeline.desk())
            .env("ALNAGER_TOKEN", &pipeline.token)
            .env("ALNAGER_SYSTEM", system)
            .env("ALNAGER_COMMAND", command)
            .env("GITHUB_STEP_SUMMARY", pipeline.place.path("summary.md"))
            .env("GITHUB_OUTPUT", pipeline.place.path("output.txt"));
        ran(step.output().unwrap())
    };
    let done = step("review", "system");
    assert_eq!(done.code, 3, "{}{}", done.out, done.err);
    assert_eq!(pipeline.place.read("output.txt"), "verdict=undecided\n");
    assert!(pipeline.place.read("summary.md").contains("● UNDECIDED"));
    for file in [
        "alnager.xml",
        "alnager.txt",
        "review/report.html",
        "review/dossier.tar.zst",
    ] {
        assert!(
            pipeline.place.path("alnager").join(file).is_file(),
            "{file}"
        );
    }
    assert_eq!(step("gate", "credit").code, 3);
    assert_eq!(step("approved", "credit").code, 3);
    let wrong = step("deploy", "credit");
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("review, gate or approved"),
        "{}",
        wrong.err
    );
}

/// Every input of the action reaches the step, and every variable of the step is set by both pipelines.
#[test]
fn the_pipelines_hand_on_what_the_step_reads() {
    let read = |name: &str| std::fs::read_to_string(repository().join("ci").join(name)).unwrap();
    let (step, action, gitlab) = (
        read("run.sh"),
        read("github/action.yml"),
        read("gitlab.yml"),
    );
    let mut n_inputs = 0;
    let (inputs, rest) = action.split_once("\noutputs:").unwrap();
    let (_, inputs) = inputs.split_once("\ninputs:\n").unwrap();
    for line in inputs.lines() {
        let Some(name) = line
            .strip_prefix("  ")
            .and_then(|rest| rest.strip_suffix(':'))
        else {
            continue;
        };
        if name.starts_with(' ') {
            continue;
        }
        let variable = format!("ALNAGER_{}", name.to_uppercase());
        let handed = format!("{variable}: ${{{{ inputs.{name} }}}}");
        assert!(rest.contains(&handed), "{handed}");
        assert!(step.contains(&variable), "{variable}");
        assert!(gitlab.contains(&variable), "{variable}");
        n_inputs += 1;
    }
    assert_eq!(n_inputs, 6);
    assert!(rest.contains("/../run.sh") && gitlab.contains("ci/run.sh"));
    let syntax = Command::new("bash")
        .arg("-n")
        .arg(repository().join("ci/run.sh"))
        .status();
    assert!(syntax.unwrap().success());
}

/// On a desk of this machine the gate says the same as the review before it, and writes the same cases.
#[test]
fn the_gate_of_a_desk_says_what_the_review_found() {
    let place = Place::new();
    copy(&examples().join("credit"), &place.path("system"));
    let reviewed = place.run(&["review", "system", "--junit", "review.xml"]);
    let gate = place.run(&["gate", "credit", "--junit", "gate.xml"]);
    assert_eq!(reviewed.code, 3, "{}", reviewed.err);
    assert_eq!(gate.code, 3, "{}", gate.err);
    assert_eq!(place.read("review.xml"), place.read("gate.xml"));
    let (found, _) = reviewed.out.split_once("report   ").unwrap();
    assert_eq!(
        gate.out,
        format!("{found}launch   not decided: may not be live\n")
    );
    let tests = place.run(&["gate", "credit", "--gate", "tests"]);
    assert!(tests.out.contains("measurements alone"), "{}", tests.out);
    assert_eq!(place.run(&["gate", "credit", "--approved"]).code, 3);
    let unknown = place.run(&["gate", "other"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("review it first"), "{}", unknown.err);
}
