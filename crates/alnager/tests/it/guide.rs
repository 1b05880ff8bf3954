//! Every command of the guide does what the guide says.

use crate::{Place, copy, examples};

#[test]
fn the_first_review_can_be_followed_word_for_word() {
    let place = Place::new();
    copy(&examples(), &place.path("examples"));
    let text = std::fs::read_to_string(examples().join("../docs/guide/first-review.md")).unwrap();
    let mut n_commands = 0;
    for line in text.lines().filter(|line| line.starts_with("alnager ")) {
        let (command, code) = line
            .split_once("    # exit ")
            .unwrap_or_else(|| panic!("no exit code: {line}"));
        let arguments = words(command);
        let ran = place.run(
            &arguments
                .iter()
                .skip(1)
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
        assert_eq!(ran.code.to_string(), code, "{line}\n{}{}", ran.out, ran.err);
        n_commands += 1;
    }
    assert!(n_commands > 10, "only {n_commands} commands were found");
}

/// Splits a command at spaces outside quotes.
fn words(command: &str) -> Vec<String> {
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
