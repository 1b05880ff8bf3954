//! Every statutory clock of the packs, run over weekends, holidays, nights when clocks change, leap days and year ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(
    clippy::disallowed_methods,
    reason = "the packs are read as they lie on disk, so that a new one is tested without building the program"
)]

use std::path::{Path, PathBuf};

use alnager_law::book::Book;
use alnager_law::calendar::Almanac;
use alnager_law::clock::{Deadline, Limit, Moment, Question, Start, run, show};
use alnager_law::fact::{Answer, Facts, Vocabulary};
use alnager_law::pack::{Pack, Register};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs")
}

fn text(name: &str) -> String {
    let path = packs().join(name);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// The names of the files in a folder of the packs.
fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(packs().join(folder)).expect("the folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

fn almanac() -> Almanac {
    let sets: Vec<(String, String)> = names("calendar/holidays")
        .into_iter()
        .map(|name| format!("calendar/holidays/{name}"))
        .map(|file| (text(&file), file))
        .map(|(text, file)| (file, text))
        .collect();
    let sets = sets
        .iter()
        .map(|(file, text)| (file.as_str(), text.as_str()));
    Almanac::parse("calendar/rules.toml", &text("calendar/rules.toml"), sets)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn book() -> Book {
    let vocabulary = Vocabulary::parse("facts.toml", &text("facts.toml")).expect("the facts");
    let register = |file: &str, table| Register::parse(file, &text(file), table).expect("it reads");
    let packs = names("law").into_iter().map(|name| {
        let file = format!("law/{name}/pack.toml");
        Pack::parse(&file, &text(&file)).unwrap_or_else(|error| panic!("{error}"))
    });
    let (evidence, controls) = (
        register("evidence.toml", "kind"),
        register("controls.toml", "control"),
    );
    Book::new(vocabulary, evidence, controls, packs.collect())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// One case a line: `clock | zone | holidays | start | given | strict | legal`. `given` holds facts, `aware=…` and `known=…`;
/// `-` is nothing, and in the times a time that must be null; `?` is a time the case does not speak of.
const CASES: &str = include_str!("clocks.txt");

struct Desk {
    book: Book,
    almanac: Almanac,
}

impl Desk {
    fn run(&self, line: &str) -> (Deadline, String, String) {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [id, zone, codes, start, given, strict, legal] = parts[..] else {
            panic!("{line}: seven parts are expected");
        };
        let zone = TimeZone::get(zone).expect("a zone");
        let moment = |text: &str| {
            let wall: DateTime = text
                .parse()
                .unwrap_or_else(|error| panic!("{line}: {error}"));
            Moment::local(wall, &zone).expect("a moment")
        };
        let mut facts = Facts::hypothetical(false);
        let mut aware = None;
        let mut known: Date = "2026-11-23".parse().expect("a day");
        for pair in given.split_whitespace().filter(|pair| *pair != "-") {
            match pair.split_once('=').expect("name=value") {
                ("aware", value) => aware = Some(moment(value)),
                ("known", value) => known = value.parse().expect("a day"),
                (name, value) => {
                    let at = self.book.vocabulary.position(name).expect("a fact");
                    let value = self.book.vocabulary.kinds()[at]
                        .parse(value)
                        .expect("an answer");
                    facts.set(at, Some(Answer::bare(value)));
                }
            }
        }
        let holidays = codes.split_whitespace().filter(|code| *code != "-");
        let holidays = holidays.map(|code| self.almanac.holidays(code).expect("holidays"));
        let (pack, clock) = self
            .book
            .clock(id)
            .unwrap_or_else(|| panic!("no clock {id}"));
        let start = Start {
            event: moment(start),
            aware,
        };
        let question = Question {
            start: &start,
            facts: &facts,
            known,
            holidays: holidays.collect(),
        };
        let deadline = run(&self.book, &self.almanac, pack, clock, &question).expect("it runs");
        (deadline, strict.to_owned(), legal.to_owned())
    }
}

#[test]
fn every_case_comes_out_right() {
    let desk = Desk {
        book: book(),
        almanac: almanac(),
    };
    desk.almanac
        .check(&desk.book)
        .unwrap_or_else(|error| panic!("{error}"));
    let (mut differences, mut n_cases) = (Vec::new(), 0);
    for line in CASES
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
    {
        let (deadline, strict, legal) = desk.run(line);
        n_cases += 1;
        for (what, want, seen) in [
            ("strict", strict, deadline.strict),
            ("legal", legal, deadline.legal),
        ] {
            let seen = seen.map_or("-".to_owned(), show);
            if want != "?" && want != seen {
                differences.push(format!("{line}\n  {what} is {seen}: {:#?}", deadline.why));
            }
        }
        assert!(!deadline.why.is_empty(), "{line}: nothing says why");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(n_cases > 60, "only {n_cases} cases");
}

#[test]
fn the_strict_time_never_comes_after_the_legal_one() {
    let desk = Desk {
        book: book(),
        almanac: almanac(),
    };
    let mut n_compared = 0;
    for pack in desk.book.packs() {
        for clock in &pack.clocks {
            // Every 37 hours through three years: all days of the week, hours, holidays and changes of the clocks.
            for step in 0..660_i64 {
                let zone = TimeZone::get("Europe/Berlin").expect("a zone");
                let first: DateTime = "2027-12-20T00:00:00".parse().expect("a time");
                let first = first.to_zoned(zone).expect("a time");
                let at = first
                    .checked_add(jiff::Span::new().hours(37 * step))
                    .expect("a time");
                let start = Start {
                    event: Moment { at, settled: None },
                    aware: None,
                };
                let question = Question {
                    start: &start,
                    facts: &Facts::hypothetical(false),
                    known: "2026-11-23".parse().expect("a day"),
                    holidays: desk.almanac.holidays("DE").into_iter().collect(),
                };
                let seen = run(&desk.book, &desk.almanac, pack, clock, &question).expect("it runs");
                let (Some(strict), Some(legal)) = (seen.strict, seen.legal) else {
                    let has_end =
                        matches!(clock.limit, Limit::Counted { .. }) && clock.valid.is_empty();
                    assert!(!has_end, "{} has no time: {:?}", clock.id, seen.why);
                    continue;
                };
                assert!(strict <= legal, "{}: {strict} after {legal}", clock.id);
                n_compared += 1;
            }
        }
    }
    assert!(n_compared > 15_000, "only {n_compared} were compared");
}

#[test]
fn holidays_lie_where_the_calendar_puts_them() {
    let almanac = almanac();
    for code in almanac.codes() {
        let Some(set) = almanac.holidays(code) else {
            assert!(almanac.is_without_holidays(code), "{code}");
            continue;
        };
        for year in 2024..=2030 {
            let of =
                |month: i8, day: i8| set.days.contains_key(&jiff::civil::date(year, month, day));
            // Common to all of them.
            assert!(of(1, 1) && of(12, 25), "{code} {year}");
            let n = set.days.keys().filter(|day| day.year() == year).count();
            assert!((8..=20).contains(&n), "{code} {year}: {n} days");
        }
    }
    let member_states =
        "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE";
    for code in member_states
        .split_whitespace()
        .chain(["UK", "UK-SCT", "UK-NIR", "US"])
    {
        assert!(almanac.holidays(code).is_some(), "no holidays of {code}");
    }
}
