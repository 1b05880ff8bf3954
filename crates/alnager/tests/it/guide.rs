//! Every command of the guide does what the guide says.

use std::fs::File;

use crate::witness::Serving;
use crate::{Place, copy, examples, ran};

#[test]
fn the_first_review_can_be_followed_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert!(follow("first-review", &place) > 10);
}

#[test]
fn the_interview_can_be_followed_word_for_word() {
    assert!(follow("interview", &Place::new()) > 6);
}

#[test]
fn a_change_of_law_can_be_followed_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let pack = examples().join("../packs/law/eu-ai-act");
    copy(&pack, &place.path("packs/law/eu-ai-act"));
    copy(&pack, &place.path("draft/eu-ai-act"));
    let text = place.read("draft/eu-ai-act/pack.toml");
    let text = text.replacen("from = 2027-12-02", "from = 2028-12-02", 1);
    place.write("draft/eu-ai-act/pack.toml", text);
    assert!(follow("change-of-law", &place) > 12);
}

#[test]
fn a_table_can_be_audited_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let models = examples().join("../crates/alnager-probe/tests/models");
    std::fs::copy(models.join("rows.csv"), place.path("applicants.csv")).unwrap();
    std::fs::copy(models.join("columns.onnx"), place.path("scorer.onnx")).unwrap();
    assert!(follow("audit-lab", &place) > 15);
}

#[test]
fn audits_over_time_and_alternatives_can_be_followed_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert_eq!(follow("over-time-and-alternatives", &place), 6);
}

#[test]
fn blind_spots_can_be_searched_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert_eq!(follow("blind-spots", &place), 6);
}

#[test]
fn a_signed_bias_audit_can_be_followed_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert!(follow("bias-audit", &place) > 8);
}

#[test]
fn a_desk_can_be_kept_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert!(follow("keep-a-desk", &place) > 20);
}

#[test]
fn the_log_can_be_held_from_outside_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert!(follow("hold-the-log-from-outside", &place) > 5);
}

#[test]
fn a_decision_log_can_be_kept_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert_eq!(follow("decision-logs", &place), 9);
}

#[test]
fn a_person_can_be_erased_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    assert_eq!(follow("erase-a-person", &place), 9);
}

/// Runs every command of a guide, with the files it shows (fenced as `text NAME`) at hand; gives how many there were.
#[track_caller]
fn follow(guide: &str, place: &Place) -> usize {
    let file = examples().join(format!("../docs/guide/{guide}.md"));
    let text = std::fs::read_to_string(file).unwrap();
    for shown in text.split("\n```text ").skip(1) {
        let (name, rest) = shown.split_once('\n').unwrap();
        let (content, _) = rest.split_once("```").unwrap();
        place.write(name, content);
    }
    let mut n_commands = 0;
    for line in text.lines() {
        // A variable of ours may stand before the command.
        let (variable, line) = match line.split_once(' ') {
            Some((variable, rest)) if variable.starts_with("ALNAGER_") => (Some(variable), rest),
            _ => (None, line),
        };
        if !line.starts_with("alnager ") {
            continue;
        }
        let (command, code) = line
            .split_once("    # exit ")
            .unwrap_or_else(|| panic!("no exit code: {line}"));
        let (command, input) = match command.split_once(" < ") {
            Some((command, input)) => (command, Some(input)),
            None => (command, None),
        };
        let arguments = words(command);
        let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
        let mut command = place.command(&arguments);
        if let Some((name, value)) = variable.and_then(|variable| variable.split_once('=')) {
            command.env(name, value);
        }
        if let Some(input) = input {
            command.stdin(File::open(place.path(input)).unwrap());
        }
        let ran = ran(command.output().unwrap());
        assert_eq!(ran.code.to_string(), code, "{line}\n{}{}", ran.out, ran.err);
        n_commands += 1;
    }
    n_commands
}

/// Splits a command at spaces outside quotes.
pub(crate) fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for char in command.chars() {
        match char {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            char => words.last_mut().unwrap().push(char),
        }
    }
    words
}

/// The fenced blocks that are headed with a file's name: `toml DIR/FILE`.
fn files(text: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(head)) => {
                let name = head.split_once(' ').map_or("", |(_, name)| name);
                open = Some((name.to_owned(), String::new()));
            }
            (Some(_), Some(_)) => files.extend(open.take().filter(|(name, _)| !name.is_empty())),
            (Some((_, body)), None) => body.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    files
}

#[test]
fn a_law_pack_can_be_written_word_for_word() {
    let place = Place::new();
    let guide = examples().join("../docs/guide/write-a-law-pack.md");
    let text = std::fs::read_to_string(guide).unwrap();
    // Cases are written after the first check, which warns that there are none.
    let (cases, rest): (Vec<_>, Vec<_>) = files(&text)
        .into_iter()
        .partition(|(name, _)| name.ends_with("/cases.toml"));
    for (name, body) in &rest {
        place.write(name, body);
    }
    let (mut outputs, mut key) = (Vec::new(), String::new());
    for line in text.lines().filter(|line| line.starts_with("alnager ")) {
        let (command, code) = line
            .split_once("    # exit ")
            .unwrap_or_else(|| panic!("no exit code: {line}"));
        let arguments = words(&command.replace("VKEY", &key));
        let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
        let ran = place.run(&arguments);
        assert_eq!(ran.code.to_string(), code, "{line}\n{}{}", ran.out, ran.err);
        if command.contains("keygen") {
            key = ran.out.lines().next().unwrap().to_owned();
        }
        if outputs.is_empty() {
            cases
                .iter()
                .for_each(|(name, body)| place.write(name, body));
        }
        outputs.push(ran.out);
    }
    let said = |at: usize, words: &str| {
        assert!(
            outputs[at].contains(words),
            "{words} is not in step {at}:\n{}",
            outputs[at]
        );
    };
    said(0, "there is no `cases.toml`");
    said(
        1,
        "4 cases mention 3 of 3 requirements\n0 errors, 0 warnings",
    );
    said(2, "4 cases of 1 pack, 9 statements, 0 cases differ");
    said(5, "is trusted to sign packs");
    said(6, "is installed, 9 statements of its cases held");
    said(
        7,
        "riverton-tenant-screening 2026.11.23 (Riverton automated tenant screening): installed, signed with riverton.example/packs",
    );
    said(8, "in use already");
    said(9, "riverton_owner_occupied]");
    said(10, "ahead, from 2027-07-01  RIV-3");
    said(11, "stays at version 2026.11.23");
    assert_eq!(outputs.len(), 13, "{outputs:?}");
}

#[test]
fn two_organisations_can_witness_each_other_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let guide = examples().join("../docs/guide/witness-each-other.md");
    let text = std::fs::read_to_string(guide).unwrap();
    // What is printed stands in the guide as a word in capitals; a witness listens at a free port instead of the one shown.
    let printed = [
        ("alnager desk key", "COMPANY_LOG"),
        ("alnager witness init auditor-witness", "AUDITOR_WITNESS"),
        ("alnager desk key --desk auditor-desk", "AUDITOR_LOG"),
        ("alnager witness init company-witness", "COMPANY_WITNESS"),
    ];
    let mut filled: Vec<(String, String)> = Vec::new();
    let (mut witnesses, mut n_commands) = (Vec::new(), 0);
    for line in text.lines().filter(|line| line.starts_with("alnager ")) {
        let (command, code) = line
            .split_once("    # exit ")
            .unwrap_or_else(|| panic!("no exit code: {line}"));
        let fill = |text: &str| {
            let all = filled.iter();
            all.fold(text.to_owned(), |text, (word, value)| {
                text.replace(word, value)
            })
        };
        for (name, body) in files(&text) {
            place.write(&name, fill(&body));
        }
        let arguments = words(&fill(command));
        let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
        n_commands += 1;
        if let ["witness", "serve", dir, "--listen", shown] = arguments[..] {
            let serving = Serving::start(&place, dir);
            filled.push((format!("http://{shown}"), serving.url.clone()));
            witnesses.push(serving);
            continue;
        }
        let ran = ran(place
            .command(&arguments)
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap());
        assert_eq!(ran.code.to_string(), code, "{line}\n{}{}", ran.out, ran.err);
        // The longest start that fits, so that the auditor's desk is not taken for the company's.
        let what = printed
            .iter()
            .filter(|(start, _)| command.starts_with(start));
        if let Some((_, word)) = what.max_by_key(|(start, _)| start.len()) {
            filled.push(((*word).to_owned(), ran.out.trim_end().to_owned()));
        }
    }
    assert_eq!((witnesses.len(), n_commands), (2, 23));
    for serving in witnesses {
        assert_eq!(serving.stop().0, Some(0));
    }
}

#[test]
fn what_the_guide_says_of_a_dead_condition_is_true() {
    let place = Place::new();
    let guide = examples().join("../docs/guide/write-a-law-pack.md");
    for (name, body) in files(&std::fs::read_to_string(guide).unwrap()) {
        let tried = "when = \"riverton_concerned && riverton_owner_occupied\"";
        place.write(
            &name,
            body.replacen("when = \"riverton_concerned\"", tried, 1),
        );
    }
    let ran = place.run(&["law", "pack", "check", "riverton-tenant-screening"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("the condition of `RIV-2` can never hold"),
        "{}",
        ran.out
    );
}
