//! `--recorded`: every command reads the record as it was, or says that it does not.

use crate::Place;

#[track_caller]
fn refused(place: &Place, arguments: &[&str], why: &str) {
    let ran = place.run(&[arguments, &["--recorded", "3"]].concat());
    assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.out, ran.err);
    assert!(ran.err.contains(why), "{arguments:?}: {}", ran.err);
}

#[test]
fn what_enters_something_refuses_an_earlier_record() {
    let place = Place::with("credit");
    place.review(&[]);
    let changed = [
        "fact confirm s f --basis b",
        "evidence add s system/system.toml --kind k --for R",
        "evidence offer E1 R",
        "evidence accept E1 --reason r",
        "evidence reject E1 --reason r",
        "law adopt p --reason r",
        "law drop p --reason r",
        "law reading adopt R --text t",
        "law confirm R --reason r",
        "law watch",
        "law signal settle S1 --reason r",
        "law impact shipped desk --open-tasks",
        "law pack trust example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k --reason r",
        "law pack pin gdpr --reason r",
        "law pack unpin gdpr",
        "task open --what w --why w --due 2998-01-01",
        "task done T1 --note n",
        "erase p --basis other --reason r",
        "hold place p --reason r",
        "hold release p --reason r",
    ];
    for line in changed {
        let arguments: Vec<&str> = line.split(' ').collect();
        refused(&place, &arguments, "leave out --recorded");
    }
}

#[test]
fn what_asks_nothing_of_the_record_says_so() {
    let place = Place::with("credit");
    place.review(&[]);
    let apart = [
        "verify no.dossier",
        "desk verify",
        "desk key",
        "audit key --new k --name n",
        "audit check-summary s.json",
        "law diff a b",
        "law stamp a --text t",
        "law pack keygen --out k",
        "law pack sign a --key k --out o",
    ];
    for line in apart {
        let arguments: Vec<&str> = line.split(' ').collect();
        refused(&place, &arguments, "asks nothing of the desk's record");
    }
}

#[test]
fn without_a_desk_there_is_no_earlier_record() {
    let place = Place::with("credit");
    for line in [
        "review system",
        "why GDPR-22 --system system",
        "evidence list",
        "evidence proposals",
        "law calendar",
        "law map",
        "law coverage",
        "law signals",
        "law reading list",
        "law pack list",
        "law pack keys",
        "law pack check",
        "task list",
        "people list",
        "hold list",
        "new other",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        refused(&place, &arguments, "there is no desk at");
    }
}

#[test]
fn lists_show_the_record_as_it_was() {
    let place = Place::with("credit");
    place.review(&[]);
    let opened = place.run(&[
        "task",
        "open",
        "--what",
        "w",
        "--why",
        "w",
        "--due",
        "2998-01-01",
    ]);
    assert_eq!(opened.code, 0, "{}", opened.err);
    let accepted = place.run(&[
        "evidence",
        "accept",
        "E10",
        "--reason",
        "r",
        "--as",
        "Vera Novak",
    ]);
    assert_eq!(accepted.code, 0, "{}", accepted.err);
    for (list, now) in [
        ("task list", "T1"),
        ("evidence list", "accepted by Vera Novak"),
    ] {
        let arguments: Vec<&str> = list.split(' ').collect();
        let earlier = place.run(&[&arguments[..], &["--recorded", "0"]].concat());
        assert_eq!(earlier.code, 0, "{}", earlier.err);
        assert!(!earlier.out.contains(now), "{}", earlier.out);
        let present = place.run(&arguments);
        assert!(present.out.contains(now), "{}{}", present.out, present.err);
    }
}
