//! Statutory clocks: from an event to two times, the strict one to plan on and the legal one that is the outer limit. The format
//! is `docs/formats/law-pack.md`; how each calendar counts is data, `docs/formats/calendar.md`.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _, Zoned};

use crate::book::Book;
use crate::calendar::{Almanac, Begin, Calendar, DayKind, End, Holidays, Source, Unit, Week, next};
use crate::fact::Facts;
use crate::pack::{Condition, Pack};
use crate::read::{Node, ReadError};
use crate::rule::Truth;

/// The largest figure a clock may set, in any unit.
const N_MAX: i64 = 10_000;

/// So many missing facts are named.
const N_FACTS_NAMED: usize = 6;

/// A statutory clock as a pack words it.
#[derive(Debug, Clone)]
pub struct Clock {
    /// The permanent id.
    pub id: String,
    /// Other ids it was known by.
    pub also_known_as: Vec<String>,
    /// Whom the report, notice or decision goes to.
    pub to: String,
    /// The event that starts it, in words.
    pub start: String,
    /// Which instant of the two that are given is that event.
    pub begins: Begins,
    /// How long it runs.
    pub limit: Limit,
    /// The calendar that counts it.
    pub calendar: String,
    /// Another clock whose end limits this one.
    pub cap: Option<Cap>,
    /// For whom the calendar's rule that moves an end off weekends and holidays does not hold.
    pub no_roll_over: Option<NoRollOver>,
    /// The pin-cite.
    pub cite: String,
    /// Whom it concerns.
    pub when: Option<Condition>,
    /// The kind of event it is for, in words.
    pub trigger: Option<String>,
    /// When it holds, each row one statement of that and of when it became known; without any, always.
    pub valid: Vec<Validity>,
    /// What is due besides.
    pub also: Option<String>,
    /// Whether a first report may be completed in phases.
    pub phased: bool,
    /// A remark for the reader.
    pub note: Option<String>,
    /// An exception in words.
    pub exception: Option<String>,
    /// What about it is not confirmed.
    pub unconfirmed: Option<String>,
    node: Node,
}

/// Which instant starts a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begins {
    /// The event.
    Event,
    /// Awareness, where it is given beside the event; otherwise the event.
    Awareness,
    /// The last day of the calendar year of the event.
    EndOfYear,
}

/// How long a clock runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// A figure.
    Counted {
        /// How many, 1 or more.
        n: i64,
        /// Of what.
        unit: Unit,
    },
    /// Words, such as "without undue delay".
    Words(String),
}

/// Another clock whose end limits this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cap {
    /// The other clock.
    pub clock: String,
    /// Where it says that the cap falls away once it has passed before this clock starts.
    pub unless_passed: Option<String>,
}

/// For whom an end does not move off weekends and holidays.
#[derive(Debug, Clone)]
pub struct NoRollOver {
    /// For these.
    pub when: Condition,
    /// Where it says so.
    pub cite: String,
}

/// One statement of when a clock holds, and when that became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    /// The first day of an event that starts it.
    pub from: Option<Date>,
    /// The first day of an event that no longer does.
    pub to: Option<Date>,
    /// The day this became known; without it always known.
    pub known: Option<Date>,
    /// The first day of knowledge on which this no longer counts.
    pub until_known: Option<Date>,
    /// Why it is not enforced, so that no clock is started.
    pub stayed: Option<String>,
    /// The day before which what it reports cannot exist, by our reading; it runs all the same.
    pub waiting_until: Option<Date>,
    /// Where that comes from.
    pub cite: String,
}

/// What starts a clock.
#[derive(Debug, Clone)]
pub struct Start {
    /// The event.
    pub event: Moment,
    /// Awareness of it, where that is another instant.
    pub aware: Option<Moment>,
}

/// An instant in the zone of the place where it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The instant.
    pub at: Zoned,
    /// What had to be settled about the wall time given: an hour that clocks skip, or show twice.
    pub settled: Option<String>,
}

/// What is asked about a clock.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// What starts it.
    pub start: &'a Start,
    /// What is known about the organisation and its system.
    pub facts: &'a Facts,
    /// Law published by this day counts.
    pub known: Date,
    /// The sets of holidays that count, united; nothing where none was named.
    pub holidays: Vec<&'a Holidays>,
}

/// The two times of a clock, as local wall times, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// Plan on this: no rule that moves an end is used. `None` where the clock does not run or nothing can be counted.
    pub strict: Option<DateTime>,
    /// The outer limit by the rules of the calendar. `None` where the clock does not run or holidays are not known.
    pub legal: Option<DateTime>,
    /// Each rule that made a difference, with its source; or why there is no time.
    pub why: Vec<String>,
}

impl Moment {
    /// The instant of a local wall time. Of an hour shown twice the first counts, which ends a period sooner; a time that clocks
    /// skip counts as if they had not yet been put forward. `None` at the rim of the calendar.
    pub fn local(wall: DateTime, zone: &TimeZone) -> Option<Self> {
        let ambiguous = zone.to_ambiguous_zoned(wall);
        let is_ambiguous = ambiguous.is_ambiguous();
        let at = ambiguous.compatible().ok()?;
        let settled = is_ambiguous.then(|| {
            if at.datetime() == wall {
                format!(
                    "{} is shown twice that night; the first is taken ({}), which ends sooner",
                    show(wall),
                    at.strftime("%:z")
                )
            } else {
                format!(
                    "clocks skip {} that night; it is taken as {}",
                    show(wall),
                    show(at.datetime())
                )
            }
        });
        Some(Moment { at, settled })
    }
}

impl Clock {
    /// Reads a `[[clock]]`.
    pub(crate) fn read(node: &Node) -> Result<Self, ReadError> {
        node.only(&[
            "id",
            "also_known_as",
            "to",
            "start",
            "begins",
            "n",
            "unit",
            "within",
            "calendar",
            "cap",
            "no_roll_over",
            "cite",
            "when",
            "trigger",
            "valid",
            "also",
            "phased",
            "note",
            "exception",
            "unconfirmed",
        ])?;
        let words = |key: &str| node.get(key)?.map(Node::words).transpose();
        let begins = match node.get("begins")? {
            None => Begins::Event,
            Some(begins) => match begins
                .one_of(["event", "awareness", "end_of_calendar_year"])?
                .as_str()
            {
                "event" => Begins::Event,
                "awareness" => Begins::Awareness,
                _ => Begins::EndOfYear,
            },
        };
        let also_known_as = node.get("also_known_as")?;
        Ok(Clock {
            id: node.need("id")?.words()?,
            also_known_as: also_known_as.map_or(Ok(Vec::new()), Node::texts)?,
            to: node.need("to")?.words()?,
            start: node.need("start")?.words()?,
            begins,
            limit: limit(node)?,
            calendar: node.need("calendar")?.words()?,
            cap: node.get("cap")?.map(cap).transpose()?,
            no_roll_over: node.get("no_roll_over")?.map(no_roll_over).transpose()?,
            cite: node.need("cite")?.words()?,
            when: node.get("when")?.map(Condition::read).transpose()?,
            trigger: words("trigger")?,
            valid: node.each("valid", validity)?,
            also: words("also")?,
            phased: node.get("phased")?.map_or(Ok(false), Node::bool)?,
            note: words("note")?,
            exception: words("exception")?,
            unconfirmed: words("unconfirmed")?,
            node: node.clone(),
        })
    }

    /// How long it runs, in words, by the days that its calendar counts: "4 working days".
    pub fn limit_in(&self, almanac: &Almanac) -> String {
        let calendar = almanac.calendars().get(&self.calendar);
        match &self.limit {
            Limit::Counted { n, unit }
                if calendar.is_some_and(|calendar| calendar.counts_working_days) =>
            {
                format!("{n} working {}", unit.word(*n))
            }
            limit @ (Limit::Counted { .. } | Limit::Words(_)) => limit.to_string(),
        }
    }

    /// A complaint about this clock, with the place it stands at.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> ReadError {
        self.node.wrong(problem)
    }

    /// The conditions it is written with.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Condition> {
        let relief = self.no_roll_over.as_ref().map(|relief| &relief.when);
        self.when.iter().chain(relief)
    }

    /// The statement of its validity that counts under a knowledge: the latest known; `None` where none was known.
    fn validity(&self, known: Date) -> Option<&Validity> {
        let rows = self.valid.iter().filter(|row| {
            row.known.is_none_or(|from| from <= known)
                && row.until_known.is_none_or(|until| known < until)
        });
        rows.max_by_key(|row| row.known)
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Limit::Counted { n, unit } => write!(f, "{n} {}", unit.word(*n)),
            Limit::Words(words) => write!(f, "{words}"),
        }
    }
}

fn limit(node: &Node) -> Result<Limit, ReadError> {
    match (node.get("n")?, node.get("within")?) {
        (Some(n), None) => {
            let number = n.integer()?;
            if !(1..=N_MAX).contains(&number) {
                return Err(n.wrong(format!("expected a number from 1 to {N_MAX}")));
            }
            Ok(Limit::Counted {
                n: number,
                unit: Unit::read(node.need("unit")?)?,
            })
        }
        (None, Some(words)) => Ok(Limit::Words(words.words()?)),
        _ => Err(node.wrong(
            "a clock needs `n` and `unit`, or, where the text sets no figure, `within` in words",
        )),
    }
}

fn cap(node: &Node) -> Result<Cap, ReadError> {
    node.only(&["clock", "unless_passed"])?;
    Ok(Cap {
        clock: node.need("clock")?.words()?,
        unless_passed: node.get("unless_passed")?.map(Node::words).transpose()?,
    })
}

fn no_roll_over(node: &Node) -> Result<NoRollOver, ReadError> {
    node.only(&["when", "cite"])?;
    Ok(NoRollOver {
        when: Condition::read(node.need("when")?)?,
        cite: node.need("cite")?.words()?,
    })
}

fn validity(node: &Node) -> Result<Validity, ReadError> {
    node.only(&[
        "from",
        "to",
        "known",
        "until_known",
        "stayed",
        "waiting_until",
        "cite",
    ])?;
    let date = |key: &str| node.get(key)?.map(Node::date).transpose();
    let row = Validity {
        from: date("from")?,
        to: date("to")?,
        known: date("known")?,
        until_known: date("until_known")?,
        stayed: node.get("stayed")?.map(Node::words).transpose()?,
        waiting_until: date("waiting_until")?,
        cite: node.need("cite")?.words()?,
    };
    for (first, last, field) in [
        (row.from, row.to, "from"),
        (row.known, row.until_known, "known"),
    ] {
        if let (Some(first), Some(last)) = (first, last)
            && last <= first
        {
            return Err(node.wrong(format!(
                "it begins on {first} and ends before; put the earlier date in `{field}`"
            )));
        }
    }
    Ok(row)
}

/// Runs a clock of a pack of the book.
///
/// Hours are elapsed time; days and months are dates of the place where the event is told. Fails only where a condition does not
/// bind, which [`Book::new`] has already refused.
pub fn run(
    book: &Book,
    almanac: &Almanac,
    pack: &Pack,
    clock: &Clock,
    question: &Question<'_>,
) -> Result<Deadline, ReadError> {
    let mut run = Run {
        book,
        almanac,
        pack,
        clock,
        question,
        why: Vec::new(),
    };
    let (strict, legal) = match run.times()? {
        Ok((strict, legal)) => (Some(strict), legal),
        Err(reason) => {
            run.why.insert(0, format!("no time: {reason}"));
            (None, None)
        }
    };
    // The outer limit never comes before the time to plan on.
    let strict = match (strict, &legal) {
        (Some(strict), Some(legal)) if strict > *legal => Some(legal.clone()),
        (strict, _) => strict,
    };
    run.say_twice(strict.iter().chain(&legal));
    run.say_words();
    Ok(Deadline {
        strict: strict.map(|at| whole(at.datetime())),
        legal: legal.map(|at| whole(at.datetime())),
        why: run.why,
    })
}

/// Why there is no time.
type Reason = String;

/// The strict time, and the legal one where it is known.
type Times = (Zoned, Option<Zoned>);

/// A clock on its way to two times.
struct Run<'a> {
    book: &'a Book,
    almanac: &'a Almanac,
    pack: &'a Pack,
    clock: &'a Clock,
    question: &'a Question<'a>,
    why: Vec<String>,
}

impl<'a> Run<'a> {
    fn times(&mut self) -> Result<Result<Times, Reason>, ReadError> {
        if let Err(reason) = self.holds() {
            return Ok(Err(reason));
        }
        if let Some(when) = &self.clock.when {
            let (truth, missing) = self.truth(when)?;
            match truth {
                Truth::True => {}
                Truth::False => {
                    return Ok(Err(format!(
                        "it concerns only those for whom `{}` holds, and the facts say it does not ({})",
                        when.text,
                        self.cited()
                    )));
                }
                Truth::Unknown => self.why.push(format!(
                    "taken as concerning you: `{}` is open, because these facts are not given: {}",
                    when.text,
                    missing.join(", ")
                )),
            }
        }
        let relief = match &self.clock.no_roll_over {
            Some(relief) => Some((relief, self.truth(&relief.when)?)),
            None => None,
        };
        let Some(calendar) = self.almanac.calendars().get(&self.clock.calendar) else {
            return Ok(Err("the calendars are not here".to_owned()));
        };
        Ok(self.count(calendar, relief))
    }

    fn count(
        &mut self,
        calendar: &'a Calendar,
        relief: Option<(&NoRollOver, (Truth, Vec<String>))>,
    ) -> Result<Times, Reason> {
        let Limit::Counted { n, unit } = self.clock.limit else {
            return Err(format!(
                "the text sets no figure but says \"{}\" ({}); act at once",
                self.clock.limit,
                self.cited()
            ));
        };
        let begin = self.begin()?;
        let (strict, legal) = match unit {
            Unit::Hour => {
                let (strict, legal) = self.hours(calendar, &begin, n)?;
                self.gives_way(&strict)?;
                (strict, legal)
            }
            Unit::Day if calendar.counts_working_days => {
                let (strict, legal) = self.working_days(calendar, &begin, n)?;
                (strict, Some(legal))
            }
            Unit::Day => self.days(calendar, &begin, n)?,
            Unit::Month => self.months(calendar, &begin, n)?,
        };
        let (strict, mut legal) = self.capped(&begin, strict, legal)?;
        if unit != Unit::Day
            && let Some(limit) = legal
        {
            legal = self.off_weekends(calendar, limit, relief)?;
        }
        for remark in &calendar.remarks {
            self.why.push(said(&remark.text, &remark.source));
        }
        if calendar.grade.as_deref() == Some("unconfirmed") {
            self.why.push(format!(
                "the calendar \"{}\" rests on secondary sources: plan on the strict time",
                calendar.title
            ));
        }
        Ok((strict, legal))
    }

    /// Whether the clock holds for an event of that day, under that knowledge.
    fn holds(&mut self) -> Result<(), Reason> {
        if self.clock.valid.is_empty() {
            return Ok(());
        }
        let known = self.question.known;
        let Some(row) = self.clock.validity(known) else {
            return Err(format!(
                "on {known} it was not published law ({})",
                self.cited()
            ));
        };
        let day = self.given().at.date();
        if let Some(from) = row.from
            && day < from
        {
            return Err(format!(
                "it holds from {from}, and the event is of {day} ({})",
                row.cite
            ));
        }
        if let Some(to) = row.to
            && day >= to
        {
            return Err(format!(
                "it ended on {to}, and the event is of {day} ({})",
                row.cite
            ));
        }
        if let Some(reason) = &row.stayed {
            return Err(format!(
                "it is stayed, start no clock: {reason} ({})",
                row.cite
            ));
        }
        if let Some(until) = row.waiting_until
            && day < until
        {
            self.why.push(format!(
                "what it reports cannot exist before {until}, by our reading ({}); for counsel, the times are given all the same",
                row.cite
            ));
        }
        Ok(())
    }

    /// The instant given that starts this clock.
    fn given(&self) -> &'a Moment {
        let start = self.question.start;
        match (self.clock.begins, &start.aware) {
            (Begins::Awareness, Some(aware)) => aware,
            (Begins::Awareness, None) | (Begins::Event | Begins::EndOfYear, _) => &start.event,
        }
    }

    /// Where the count starts: the instant given, or the last day of its year.
    fn begin(&mut self) -> Result<Zoned, Reason> {
        let given = self.given();
        self.why.extend(given.settled.clone());
        if self.clock.begins == Begins::Awareness && self.question.start.aware.is_some() {
            let at = show(given.at.datetime());
            self.why.push(format!(
                "it starts with awareness, at {at} ({})",
                self.cited()
            ));
        }
        if self.clock.begins != Begins::EndOfYear {
            return Ok(given.at.clone());
        }
        let last = given.at.date().last_of_year();
        self.why.push(format!(
            "counted from the end of the calendar year, {last} ({})",
            self.cited()
        ));
        local(last.to_datetime(given.at.time()), given.at.time_zone())
    }

    fn hours(
        &mut self,
        calendar: &Calendar,
        begin: &Zoned,
        n: i64,
    ) -> Result<(Zoned, Option<Zoned>), Reason> {
        let strict = later(begin, n.hours())?;
        let mut legal = strict.clone();
        if calendar.begin == Begin::NextHour {
            let counted = next_hour(begin)?;
            legal = later(&counted, n.hours())?;
            self.why.push(said(
                &format!(
                    "the hour of the event is not counted: {n} hours from {}",
                    show(counted.datetime())
                ),
                &calendar.begin_source,
            ));
        }
        if strict.offset() != begin.offset() {
            self.why.push(format!(
                "clocks change in between (from {} to {}): the hours are elapsed time",
                begin.strftime("%:z"),
                strict.strftime("%:z")
            ));
        }
        Ok((strict, Some(legal)))
    }

    /// Fails where the event given comes after this limit from awareness, and starts a clock that then holds alone.
    fn gives_way(&self, end: &Zoned) -> Result<(), Reason> {
        let start = self.question.start;
        if self.clock.begins != Begins::Awareness || start.aware.is_none() || start.event.at <= *end
        {
            return Ok(());
        }
        let mut clocks = self.book.packs().flat_map(|pack| &pack.clocks);
        let alone = clocks.find_map(|other| {
            let cap = other.cap.as_ref()?;
            let cite = cap.unless_passed.as_ref()?;
            let (_, capped_by) = self.book.clock(&cap.clock)?;
            (capped_by.id == self.clock.id).then_some((other, cite))
        });
        match alone {
            Some((other, cite)) => Err(format!(
                "{} from {} had passed at {}, before the event given: only `{}` holds, {} from {} ({cite})",
                self.clock.limit,
                self.clock.start,
                show(end.datetime()),
                other.id,
                other.limit,
                other.start
            )),
            None => Ok(()),
        }
    }

    /// Days of the calendar: the last day, moved where the calendar moves it.
    fn days(
        &mut self,
        calendar: &'a Calendar,
        begin: &Zoned,
        n: i64,
    ) -> Result<(Zoned, Option<Zoned>), Reason> {
        let first = begin.date();
        let last = first.checked_add(n.days()).map_err(|_| beyond())?;
        let strict = self.same_time(begin, last)?;
        self.why.push(said(
            &format!(
                "the day of the event is not counted: day {n} is {}",
                named(last)
            ),
            &calendar.begin_source,
        ));
        let last = match self.moved(calendar, first, last, n) {
            Ok(last) => last,
            Err(reason) => {
                self.why.push(format!("no legal time: {reason}"));
                return Ok((strict, None));
            }
        };
        let legal = self.end_of(calendar, last, begin.time_zone())?;
        Ok((strict, Some(legal)))
    }

    /// The last day after the rules that move it: the next working day, and at least so many working days.
    fn moved(
        &mut self,
        calendar: &'a Calendar,
        first: Date,
        last: Date,
        n: i64,
    ) -> Result<Date, Reason> {
        let Some(week) = self.week(calendar) else {
            return Ok(last);
        };
        let mut end = last;
        if let Some(rule) = &calendar.roll_over {
            let (moved, passed) = week.on_or_after(end)?;
            if moved != end {
                self.why.push(said(
                    &format!(
                        "{}: the period ends with {}",
                        passed.join(", "),
                        named(moved)
                    ),
                    &rule.source,
                ));
                end = moved;
            }
        }
        if let Some(rule) = calendar
            .working_days
            .as_ref()
            .filter(|rule| n >= rule.from_days)
        {
            // Only the last days matter: the search ends with the first that are enough.
            let mut found = Vec::new();
            let mut day = end;
            while day > first && (found.len() as i64) < rule.min {
                if week.kind(day)? == DayKind::Working {
                    found.push(day);
                }
                day = day.checked_sub(1.day()).map_err(|_| beyond())?;
            }
            found.reverse();
            let before = end;
            while (found.len() as i64) < rule.min {
                end = week.on_or_after(next(end)?)?.0;
                found.push(end);
            }
            if end != before {
                let days: Vec<String> = found.into_iter().map(named).collect();
                self.why.push(said(
                    &format!(
                        "the period must hold at least {} working days: {}",
                        rule.min,
                        days.join(" and ")
                    ),
                    &rule.source,
                ));
            }
        }
        Ok(end)
    }

    fn working_days(
        &mut self,
        calendar: &'a Calendar,
        begin: &Zoned,
        n: i64,
    ) -> Result<(Zoned, Zoned), Reason> {
        let (Some(week), Some(working)) = (self.week(calendar), &calendar.working) else {
            return Err("the calendar does not say what a working day is".to_owned());
        };
        if let Some(code) = &working.holidays
            && self.question.holidays.iter().any(|set| set.code != *code)
        {
            self.why.push(format!(
                "this calendar counts by the holidays of {code} alone"
            ));
        }
        let day = begin.date();
        if let DayKind::Off(reason) = week.kind(day)? {
            let (first, _) = week.on_or_after(day)?;
            self.why.push(said(
                &format!(
                    "{day} is {reason}: the count begins on, and includes, {}",
                    named(first)
                ),
                &calendar.begin_source,
            ));
        }
        let counted = nth_working_day(&week, day, n)?;
        let mut passed = Vec::new();
        let mut at = day;
        while at < counted {
            at = next(at)?;
            if let DayKind::Off(reason) = week.kind(at)?
                && !matches!(reason.as_str(), "Saturday" | "Sunday")
            {
                passed.push(format!("{at} is {reason}"));
            }
        }
        if !passed.is_empty() {
            self.why.push(said(&passed.join(", "), &working.source));
        }
        self.why.push(said(
            &format!("working day {n} after the event is {}", named(counted)),
            &calendar.begin_source,
        ));
        let legal = self.end_of(calendar, counted, begin.time_zone())?;
        let mut planned = counted;
        if let End::At(_, zone) = &calendar.end {
            let there = begin.with_time_zone(zone.clone()).date();
            if there != day {
                let other = nth_working_day(&week, there, n)?;
                planned = planned.min(other);
                self.why.push(format!(
                    "where the clock ends the event is of {there}; the strict time takes the earlier day"
                ));
            }
        }
        let strict = self.same_time(begin, planned)?;
        Ok((strict.min(legal.clone()), legal))
    }

    fn months(
        &mut self,
        calendar: &'a Calendar,
        begin: &Zoned,
        n: i64,
    ) -> Result<(Zoned, Option<Zoned>), Reason> {
        let first = begin.date();
        let last = first.checked_add(n.months()).map_err(|_| beyond())?;
        let source = &calendar.end_source;
        let text = if last.day() == first.day() {
            format!(
                "{n} {} later by date is {}",
                Unit::Month.word(n),
                named(last)
            )
        } else {
            format!(
                "that month has no day {}: its last day is {}",
                first.day(),
                named(last)
            )
        };
        self.why.push(said(&text, source));
        let strict = self.same_time(begin, last)?;
        let legal = self.end_of(calendar, last, begin.time_zone())?;
        Ok((strict, Some(legal)))
    }

    /// The end of the other clock, where that comes first.
    fn capped(
        &mut self,
        begin: &Zoned,
        strict: Zoned,
        legal: Option<Zoned>,
    ) -> Result<Times, Reason> {
        let Some(cap) = &self.clock.cap else {
            return Ok((strict, legal));
        };
        let Some((_, other)) = self.book.clock(&cap.clock) else {
            return Err(format!(
                "the clock `{}` that limits it is not here",
                cap.clock
            ));
        };
        let Some(aware) = &self.question.start.aware else {
            self.why.push(format!(
                "limited by {} ({}) from {}: give that time too, it may end sooner",
                other.limit, other.cite, other.start
            ));
            return Ok((strict, legal));
        };
        let Limit::Counted {
            n,
            unit: Unit::Hour,
        } = other.limit
        else {
            return Err(format!(
                "the clock `{}` that limits it is not in hours",
                cap.clock
            ));
        };
        self.why.extend(aware.settled.clone());
        if aware.at > *begin {
            self.why
                .push("awareness is given as later than the start: check the times".to_owned());
        }
        let end = later(&aware.at, n.hours())?;
        let wall = show(end.datetime());
        if let Some(cite) = &cap.unless_passed
            && *begin > end
        {
            self.why.push(format!(
                "{} from {} had passed at {wall}, before the start: only this limit holds ({cite})",
                other.limit, other.start
            ));
            return Ok((strict, legal));
        }
        if end < strict {
            self.why.push(format!(
                "{} from {} end sooner, at {wall} ({})",
                other.limit, other.start, other.cite
            ));
        } else {
            self.why.push(format!(
                "inside {} from {}, which end at {wall} ({})",
                other.limit, other.start, other.cite
            ));
        }
        Ok((strict.min(end.clone()), legal.map(|legal| legal.min(end))))
    }

    /// An end in hours or months on no working day, moved where the calendar moves it.
    fn off_weekends(
        &mut self,
        calendar: &'a Calendar,
        limit: Zoned,
        relief: Option<(&NoRollOver, (Truth, Vec<String>))>,
    ) -> Result<Option<Zoned>, Reason> {
        let (Some(rule), Some(week)) = (&calendar.roll_over, self.week(calendar)) else {
            return Ok(Some(limit));
        };
        let freed = relief
            .as_ref()
            .map(|(relief, (truth, _))| (*truth, *relief));
        if let Some((Truth::True, relief)) = freed {
            // Only a day off is worth a word; that holidays are not known does not matter here.
            if let Ok(DayKind::Off(reason)) = week.kind(limit.date()) {
                self.why.push(format!(
                    "{} is {reason}, and the end does not move, because `{}` holds ({})",
                    limit.date(),
                    relief.when.text,
                    relief.cite
                ));
            }
            return Ok(Some(limit));
        }
        let (day, passed) = match week.on_or_after(limit.date()) {
            Ok(found) => found,
            Err(reason) => {
                self.why.push(format!("no legal time: {reason}"));
                return Ok(None);
            }
        };
        if day == limit.date() {
            return Ok(Some(limit));
        }
        let moved = if rule.at_noon {
            local(day.at(12, 0, 0, 0), limit.time_zone())?
        } else {
            self.end_of(calendar, day, limit.time_zone())?
        };
        self.why.push(said(
            &format!(
                "{}: the limit moves to {}",
                passed.join(", "),
                show(moved.datetime())
            ),
            &rule.source,
        ));
        if let Some((relief, (Truth::Unknown, missing))) = relief {
            self.why.push(format!(
                "it does not move, and ends at {}, if `{}` holds ({}); not given: {}",
                show(limit.datetime()),
                relief.when.text,
                relief.cite,
                missing.join(", ")
            ));
        }
        Ok(Some(moved))
    }

    /// The time of day of the start, on the last day.
    fn same_time(&mut self, begin: &Zoned, last: Date) -> Result<Zoned, Reason> {
        let wall = last.to_datetime(begin.time());
        let moment = Moment::local(wall, begin.time_zone()).ok_or_else(beyond)?;
        if moment.at.datetime() != wall {
            self.why.extend(moment.settled);
        }
        Ok(moment.at)
    }

    /// The end of a last day.
    fn end_of(
        &mut self,
        calendar: &Calendar,
        last: Date,
        zone: &TimeZone,
    ) -> Result<Zoned, Reason> {
        let (end, there) = match &calendar.end {
            End::EndOfDay => (last.at(23, 59, 59, 0), zone),
            End::At(time, there) => (last.to_datetime(*time), there),
        };
        // Of an hour shown twice the later one is the end.
        let end = there
            .to_ambiguous_zoned(end)
            .later()
            .map_err(|_| beyond())?;
        let end = end.with_time_zone(zone.clone());
        self.why.push(said(
            &format!("the last day ends at {}", show(end.datetime())),
            &calendar.end_source,
        ));
        Ok(end)
    }

    /// The week by which the calendar counts, if it does.
    fn week(&self, calendar: &'a Calendar) -> Option<Week<'a>> {
        let working = calendar.working.as_ref()?;
        Some(Week::new(self.almanac, working, &self.question.holidays))
    }

    /// Whether a condition holds, and the facts that keep it open.
    fn truth(&self, condition: &Condition) -> Result<(Truth, Vec<String>), ReadError> {
        let rule = self.book.bind_condition(condition)?;
        let reader = self.book.reader(self.question.facts, self.question.known);
        let mut missing = BTreeSet::new();
        reader.missing(&rule, &mut missing);
        let kinds = self.book.vocabulary.kinds();
        let n_more = missing.len().saturating_sub(N_FACTS_NAMED);
        let named = missing.iter().take(N_FACTS_NAMED);
        let mut names: Vec<String> = named.map(|at| kinds[*at].name.clone()).collect();
        if n_more > 0 {
            names.push(format!("{n_more} more"));
        }
        Ok((reader.truth(&rule), names))
    }

    /// Says of each time that clocks show twice which one is meant.
    fn say_twice<'z>(&mut self, times: impl Iterator<Item = &'z Zoned>) {
        for at in times {
            let wall = at.datetime();
            let line = format!(
                "{} is shown twice that night; meant is {}",
                show(wall),
                at.strftime("%:z")
            );
            let ambiguous = at.time_zone().to_ambiguous_zoned(wall);
            if ambiguous.is_ambiguous() && !self.why.contains(&line) {
                self.why.push(line);
            }
        }
    }

    /// What the pack says in words, and what is not confirmed.
    fn say_words(&mut self) {
        let clock = self.clock;
        let cite = self.cited();
        match &clock.limit {
            Limit::Counted { .. } => self.why.push(format!(
                "{} to: {}, from: {} ({cite})",
                clock.limit_in(self.almanac),
                clock.to,
                clock.start
            )),
            Limit::Words(_) => {}
        }
        let phased = clock
            .phased
            .then_some("what is not known by then may follow in phases");
        let lines = [
            clock.trigger.as_ref().map(|text| format!("for: {text}")),
            clock.also.as_ref().map(|text| format!("besides: {text}")),
            clock
                .exception
                .as_ref()
                .map(|text| format!("exception: {text}")),
            phased.map(str::to_owned),
            clock.note.as_ref().map(|text| format!("note: {text}")),
            clock
                .unconfirmed
                .as_ref()
                .map(|text| format!("not confirmed: {text}")),
        ];
        self.why.extend(lines.into_iter().flatten());
        if self.pack.confidence == "unconfirmed" && clock.unconfirmed.is_none() {
            let line = format!(
                "not confirmed: the pack `{}` rests on secondary sources",
                self.pack.id
            );
            self.why.push(line);
        }
    }

    fn cited(&self) -> String {
        self.pack.cited(&self.clock.cite)
    }
}

/// The n-th working day after a day.
fn nth_working_day(week: &Week<'_>, day: Date, n: i64) -> Result<Date, Reason> {
    let mut day = day;
    for _ in 0..n {
        day = week.on_or_after(next(day)?)?.0;
    }
    Ok(day)
}

fn later(at: &Zoned, hours: Span) -> Result<Zoned, Reason> {
    at.checked_add(hours).map_err(|_| beyond())
}

/// The start of the next full hour by the local clock; after a full hour to the second, the one after.
fn next_hour(at: &Zoned) -> Result<Zoned, Reason> {
    let into = i64::from(at.minute()) * 60 + i64::from(at.second());
    let start = at
        .checked_sub(
            into.seconds()
                .nanoseconds(i64::from(at.subsec_nanosecond())),
        )
        .map_err(|_| beyond())?;
    later(&start, 1.hour())
}

fn local(wall: DateTime, zone: &TimeZone) -> Result<Zoned, Reason> {
    let at = zone.to_ambiguous_zoned(wall).compatible();
    at.map_err(|_| beyond())
}

fn beyond() -> Reason {
    "the end lies beyond the calendar".to_owned()
}

/// A wall time without fractions of a second.
fn whole(wall: DateTime) -> DateTime {
    let time = wall.time();
    wall.date().at(time.hour(), time.minute(), time.second(), 0)
}

/// A wall time as the interface writes it.
pub fn show(wall: DateTime) -> String {
    wall.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn named(day: Date) -> String {
    day.strftime("%A %Y-%m-%d").to_string()
}

/// A rule with its source.
fn said(text: &str, source: &Source) -> String {
    match (&source.cite, &source.unconfirmed) {
        (Some(cite), Some(doubt)) => format!("{text} ({cite}; not confirmed: {doubt})"),
        (Some(cite), None) => format!("{text} ({cite})"),
        (None, Some(doubt)) => format!("{text} (not confirmed: {doubt})"),
        (None, None) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
