//! The log's keys and forks.

use super::*;
use crate::log::NewFork;

/// A key of a log; the digit makes another one.
fn key(origin: &str, digit: u8) -> String {
    let key = alnager_journal::note::SigningKey::new(origin, &[digit; 32]).unwrap();
    key.verifying_key(alnager_journal::note::KeyKind::Ed25519)
        .to_string()
}

fn rotate(world: &mut World, old: u8, new: u8) -> String {
    let command = Command::RotateLogKey {
        old: key("o", old),
        new: key("o", new),
        reason: "yearly".to_owned(),
    };
    told(world, &command)
}

fn dropped(world: &mut World, digit: u8) -> String {
    let command = Command::DropLogKey {
        key: key("o", digit),
        reason: "a month has passed".to_owned(),
    };
    told(world, &command)
}

/// What a command enters, keys as `KEY1`.
fn told(world: &mut World, command: &Command) -> String {
    let mut text = world.entered("Olga", command);
    for digit in 1..5 {
        text = text.replace(&key("o", digit), &format!("KEY{digit}"));
    }
    text
}

#[test]
fn a_key_is_rotated_then_dropped_and_never_used_again() {
    let mut world = World::new();
    check(
        &dropped(&mut world, 1),
        expect![
            "`KEY1` was not replaced by another key, so it cannot be dropped; rotate the key first"
        ],
    );
    check(
        &rotate(&mut world, 1, 2),
        expect!["0 person.named, 1 key.rotated"],
    );
    check(
        &rotate(&mut world, 1, 3),
        expect!["`KEY1` was replaced before; there is nothing to decide"],
    );
    check(
        &rotate(&mut world, 2, 1),
        expect!["`KEY1` has signed this log before; rotate to a fresh key"],
    );
    check(
        &rotate(&mut world, 2, 2),
        expect!["`KEY2` has signed this log before; rotate to a fresh key"],
    );
    check(
        &dropped(&mut world, 2),
        expect![
            "`KEY2` was not replaced by another key, so it cannot be dropped; rotate the key first"
        ],
    );
    check(&dropped(&mut world, 1), expect!["2 key.dropped"]);
    check(
        &dropped(&mut world, 1),
        expect!["`KEY1` was dropped before; there is nothing to decide"],
    );
    let retired = &world.state.log.retired[&key("o", 1)];
    assert_eq!((retired.rotated_at, retired.dropped_at), (1, Some(2)));
    assert_eq!(retired.replaced_by, key("o", 2));
}

#[test]
fn a_key_signs_the_log_it_is_named_after() {
    let mut world = World::new();
    let command = Command::RotateLogKey {
        old: key("o", 1),
        new: key("p", 2),
        reason: "yearly".to_owned(),
    };
    let text = told(&mut world, &command).replace(&key("p", 2), "OTHER");
    check(
        &text,
        expect!["`OTHER` is not named after the log `o`; make a key with that name"],
    );
    let command = Command::RotateLogKey {
        old: key("o", 1),
        new: "no key".to_owned(),
        reason: "yearly".to_owned(),
    };
    check(
        &told(&mut world, &command),
        expect!["`no key` is not an Ed25519 log key; give it as a `vkey`: name+hash+base64"],
    );
}

#[test]
fn a_fork_says_what_is_shared_and_what_was_lost() {
    let mut world = World::new();
    let command = Command::ForkLog(Box::new(NewFork {
        origin: "o".to_owned(),
        size: 0,
        root: "r".to_owned(),
        checkpoint: "c".to_owned(),
        seen_size: 9,
        seen_root: "s".to_owned(),
        seen_checkpoint: "d".to_owned(),
        reason: "the backup of Monday was put back".to_owned(),
    }));
    check(
        &told(&mut world, &command),
        expect!["0 person.named, 1 log.forked"],
    );
    let fork = &world.state.log.forks[0];
    assert_eq!(
        (fork.origin.as_str(), fork.size, fork.seen_size, fork.at),
        ("o", 0, 9, 1)
    );
}
