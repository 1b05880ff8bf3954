//! Statutory clocks: when something must be reported, for an event told by a person.

use alnager_law::book::Book;
use alnager_law::calendar::{Almanac, Holidays};
use alnager_law::clock::{Clock, Deadline, Moment, Question, Start, run};
use alnager_law::fact::{Answer, Facts};
use alnager_law::pack::Pack;
use alnager_law::read::nearest;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::acting::{Acting, Flags};
use crate::error::JobError;

/// What a person asks about a clock, as they wrote it.
#[derive(Debug, Clone, Default)]
pub struct ClockQuestion {
    /// The clock's id.
    pub clock: String,
    /// The event that starts it: a local wall time, or an instant with its offset.
    pub start: String,
    /// The time zone of the place.
    pub zone: String,
    /// The codes of the places whose holidays count.
    pub holidays: Vec<String>,
    /// Awareness, where it is another instant.
    pub aware: Option<String>,
    /// Facts as `name=value`.
    pub facts: Vec<String>,
}

/// A clock that ran, or why it does not.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The clock.
    pub clock: Listed,
    /// The time zone of the two times.
    pub zone: String,
    /// The two times, and why.
    pub deadline: Deadline,
}

/// A clock of the packs in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// The pack it belongs to.
    pub regime: String,
    /// Whom the report goes to.
    pub to: String,
    /// What starts it, in words.
    pub start: String,
    /// How long it runs, in words.
    pub limit: String,
    /// The calendar that counts it.
    pub calendar: String,
    /// The citation.
    pub cite: String,
}

/// All clocks of the packs in use, by pack.
pub fn list(flags: &Flags) -> Result<Vec<Listed>, JobError> {
    let acting = Acting::begin(flags)?;
    let (book, almanac) = (&acting.library.book, &acting.library.almanac);
    let clocks = book
        .packs()
        .flat_map(|pack| pack.clocks.iter().map(move |clock| (pack, clock)));
    Ok(clocks
        .map(|(pack, clock)| listed(almanac, pack, clock))
        .collect())
}

/// Runs a clock. Nothing is read from or written to a desk.
pub fn clock(flags: &Flags, asked: &ClockQuestion) -> Result<Ran, JobError> {
    let acting = Acting::begin(flags)?;
    let (book, almanac) = (&acting.library.book, &acting.library.almanac);
    let (pack, clock) = find(book, &asked.clock)?;
    let zone = zone(&asked.zone)?;
    let aware = asked.aware.as_ref();
    let start = Start {
        event: moment("--start", &asked.start, &zone)?,
        aware: aware
            .map(|text| moment("--aware", text, &zone))
            .transpose()?,
    };
    let facts = facts(book, &asked.facts)?;
    let (holidays, unlisted) = holidays(almanac, &asked.holidays)?;
    let question = Question {
        start: &start,
        facts: &facts,
        known: acting.as_of(None, None).known,
        holidays,
    };
    let mut deadline = run(book, almanac, pack, clock, &question)?;
    for code in unlisted {
        deadline.why.push(format!(
            "no holidays of {code} are here, and none was counted"
        ));
    }
    Ok(Ran {
        clock: listed(almanac, pack, clock),
        zone: asked.zone.clone(),
        deadline,
    })
}

fn listed(almanac: &Almanac, pack: &Pack, clock: &Clock) -> Listed {
    Listed {
        id: clock.id.clone(),
        regime: pack.id.clone(),
        to: clock.to.clone(),
        start: clock.start.clone(),
        limit: clock.limit_in(almanac),
        calendar: clock.calendar.clone(),
        cite: pack.cited(&clock.cite),
    }
}

fn find<'b>(book: &'b Book, id: &str) -> Result<(&'b Pack, &'b Clock), JobError> {
    book.clock(id).ok_or_else(|| {
        let ids = book.packs().flat_map(|pack| &pack.clocks);
        let hint = nearest(id, ids.map(|clock| clock.id.as_str()));
        JobError::Input(format!(
            "there is no clock `{id}` (`alnager law clock --list` lists them all); {hint}"
        ))
    })
}

fn zone(name: &str) -> Result<TimeZone, JobError> {
    TimeZone::get(name).map_err(|_| {
        let names: Vec<String> = jiff::tz::db()
            .available()
            .map(|name| name.as_str().to_owned())
            .collect();
        // Places are written with their last part: `Berlin` means `Europe/Berlin`.
        let ends = |other: &&String| {
            let place = other.rsplit('/').next().unwrap_or_default();
            place.eq_ignore_ascii_case(&name.replace(' ', "_"))
        };
        let hint = match names.iter().find(ends) {
            Some(other) => format!("did you mean `{other}`?"),
            None => nearest(name, names.iter().map(String::as_str)),
        };
        JobError::Input(format!("there is no time zone `{name}`; {hint}"))
    })
}

fn moment(flag: &str, text: &str, zone: &TimeZone) -> Result<Moment, JobError> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(Moment {
            at: instant.to_zoned(zone.clone()),
            settled: None,
        });
    }
    let wall: Option<DateTime> = text.parse().ok().filter(|_| text.contains(':'));
    let moment = wall.and_then(|wall| Moment::local(wall, zone));
    moment.ok_or_else(|| {
        JobError::Input(format!(
            "`{flag} {text}` is not a time; write the local day and hour, such as 2026-11-20T16:20:00"
        ))
    })
}

fn facts(book: &Book, given: &[String]) -> Result<Facts, JobError> {
    let mut facts = Facts::hypothetical(false);
    for pair in given {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            JobError::Input(format!(
                "`--fact {pair}` has no value; write `--fact NAME=VALUE`, such as --fact credit_institution=true"
            ))
        })?;
        let position = book.vocabulary.position(name).ok_or_else(|| {
            let hint = nearest(name, book.vocabulary.names());
            JobError::Input(format!("there is no fact `{name}`; {hint}"))
        })?;
        let kind = &book.vocabulary.kinds()[position];
        let value = kind.parse(value).ok_or_else(|| {
            JobError::Input(format!(
                "`{name}` cannot be answered `{value}`; it asks: {}",
                kind.question
            ))
        })?;
        if facts.answer(position).is_some() {
            return Err(JobError::Input(format!(
                "the fact `{name}` is given twice; give it once"
            )));
        }
        facts.set(position, Some(Answer::bare(value)));
    }
    Ok(facts)
}

/// The sets of holidays named, and the codes named that have none.
fn holidays<'a>(
    almanac: &'a Almanac,
    codes: &[String],
) -> Result<(Vec<&'a Holidays>, Vec<String>), JobError> {
    let (mut sets, mut unlisted) = (Vec::new(), Vec::new());
    for code in codes {
        let upper = code.to_uppercase();
        if let Some(set) = almanac.holidays(&upper) {
            sets.push(set);
        } else if almanac.is_without_holidays(&upper) {
            unlisted.push(upper);
        } else {
            let hint = nearest(code, almanac.codes());
            return Err(JobError::Input(format!(
                "there are no holidays `{code}`; {hint}"
            )));
        }
    }
    Ok((sets, unlisted))
}

#[cfg(test)]
mod tests;
