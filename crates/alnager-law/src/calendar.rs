//! Calendars: how statutory periods are counted, and the public holidays they count by. The format is `docs/formats/calendar.md`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::book::Book;
use crate::clock::Limit;
use crate::read::{self, Node, ReadError, nearest};

/// The calendars and the sets of public holidays in use. Without any, as in a dossier older than they are, no clock runs.
#[derive(Debug, Clone, Default)]
pub struct Almanac {
    calendars: BTreeMap<String, Calendar>,
    holidays: BTreeMap<String, Holidays>,
    /// Other codes of a set, such as `GB` for `UK`.
    also: BTreeMap<String, String>,
    without_holidays: BTreeSet<String>,
}

/// Where a rule comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The provision; nothing where the rule is the plain meaning of the words.
    pub cite: Option<String>,
    /// What about it is not confirmed.
    pub unconfirmed: Option<String>,
}

/// How a statutory period is counted.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// The permanent id, by which clocks name it.
    pub id: String,
    /// The title.
    pub title: String,
    /// The units it counts; none where the text sets no figure.
    pub units: Vec<Unit>,
    /// Whether a period in days counts working days only.
    pub counts_working_days: bool,
    /// Where the count begins.
    pub begin: Begin,
    /// Where that comes from.
    pub begin_source: Source,
    /// When the last day of a period in days or months ends.
    pub end: End,
    /// Where that comes from.
    pub end_source: Source,
    /// What a working day is; nothing where none matters.
    pub working: Option<Working>,
    /// Where the end moves to when it falls on no working day.
    pub roll_over: Option<RollOver>,
    /// How many working days a period must hold.
    pub working_days: Option<WorkingDays>,
    /// What is said with every answer.
    pub remarks: Vec<Remark>,
    /// How well its rules are known; nothing where they are the plain meaning of the words.
    pub grade: Option<String>,
}

/// What a period is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Hours elapsed.
    Hour,
    /// Days of the calendar the clock names.
    Day,
    /// Months by date.
    Month,
}

/// Where a count begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At the instant of the event; months from its day.
    Event,
    /// With the next full hour by the local clock.
    NextHour,
    /// The day after the event is day 1.
    NextDay,
    /// The first working day after the day of the event is day 1.
    NextWorkingDay,
}

/// When the last day of a period ends.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With its last second, local time.
    EndOfDay,
    /// At an hour of a given zone.
    At(Time, TimeZone),
}

/// What a working day is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Working {
    /// The days of the week that are none.
    pub except: Vec<Weekday>,
    /// The set of holidays always used; nothing where the one who asks names it.
    pub holidays: Option<String>,
    /// Where that comes from.
    pub source: Source,
}

/// Where an end that falls on no working day moves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollOver {
    /// At noon, or else with the end, of the next working day.
    pub at_noon: bool,
    /// Where that comes from.
    pub source: Source,
}

/// How many working days a period must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkingDays {
    /// At least so many.
    pub min: i64,
    /// In periods of so many days or more.
    pub from_days: i64,
    /// Where that comes from.
    pub source: Source,
}

/// What is said with every answer of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The remark.
    pub text: String,
    /// Where it comes from.
    pub source: Source,
}

/// The public holidays of a country or a part of it, over some years.
#[derive(Debug, Clone)]
pub struct Holidays {
    /// The code by which they are named.
    pub code: String,
    /// The title.
    pub title: String,
    /// The first day they are known for.
    pub first: Date,
    /// The last day they are known for.
    pub last: Date,
    /// The act that sets them.
    pub source: String,
    /// What about the set is not confirmed.
    pub unconfirmed: Option<String>,
    /// The days with their names.
    pub days: BTreeMap<Date, String>,
    /// Days that are not confirmed, with what about them is not.
    pub unconfirmed_days: BTreeMap<Date, String>,
}

impl Unit {
    /// The unit for a number of it.
    pub fn word(self, n: i64) -> &'static str {
        match (self, n) {
            (Unit::Hour, 1) => "hour",
            (Unit::Hour, _) => "hours",
            (Unit::Day, 1) => "day",
            (Unit::Day, _) => "days",
            (Unit::Month, 1) => "month",
            (Unit::Month, _) => "months",
        }
    }

    pub(crate) fn read(node: &Node) -> Result<Self, ReadError> {
        Ok(match node.one_of(["hour", "day", "month"])?.as_str() {
            "hour" => Unit::Hour,
            "day" => Unit::Day,
            _ => Unit::Month,
        })
    }
}

impl Almanac {
    /// Reads `packs/calendar/rules.toml`, and the sets of holidays beside it as pairs of file name and text.
    pub fn parse<'t>(
        rules_file: &str,
        rules: &str,
        holidays: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Self, ReadError> {
        let root = read::read(rules_file, rules)?;
        root.only(&["schema", "version", "without_holidays", "calendar"])?;
        root.need("schema")?.one_of(["alnager.calendar/1"])?;
        let mut almanac = Almanac::default();
        for node in root
            .get("without_holidays")?
            .map_or(Ok(&[][..]), Node::list)?
        {
            almanac.without_holidays.insert(node.words()?);
        }
        for field in root.need("calendar")?.table()? {
            let calendar = calendar(&field.key, &field.node)?;
            almanac.calendars.insert(field.key.clone(), calendar);
        }
        for (file, text) in holidays {
            almanac.add_holidays(file, text)?;
        }
        for field in root.need("calendar")?.table()? {
            let fixed = almanac.calendars[&field.key].working.as_ref();
            if let Some(code) = fixed.and_then(|working| working.holidays.as_ref())
                && !almanac.holidays.contains_key(code)
            {
                let hint = nearest(code, almanac.holidays.keys().map(String::as_str));
                let problem = format!("there are no holidays `{code}`; {hint}");
                return Err(field.node.wrong(problem));
            }
        }
        Ok(almanac)
    }

    fn add_holidays(&mut self, file: &str, text: &str) -> Result<(), ReadError> {
        let root = read::read(file, text)?;
        let (set, also) = holidays(&root)?;
        for code in also.into_iter().chain([set.code.clone()]) {
            if self.also.insert(code.clone(), set.code.clone()).is_some() {
                return Err(root.wrong(format!("the code `{code}` is already used by another set")));
            }
        }
        self.holidays.insert(set.code.clone(), set);
        Ok(())
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.calendars.is_empty()
    }

    /// The calendars by id.
    pub fn calendars(&self) -> &BTreeMap<String, Calendar> {
        &self.calendars
    }

    /// A set of holidays by one of its codes.
    pub fn holidays(&self, code: &str) -> Option<&Holidays> {
        self.holidays.get(self.also.get(code)?)
    }

    /// Whether a code may be named though it has no set of holidays.
    pub fn is_without_holidays(&self, code: &str) -> bool {
        self.without_holidays.contains(code)
    }

    /// Every code that may be named, sorted.
    pub fn codes(&self) -> BTreeSet<&str> {
        let without = self.without_holidays.iter();
        self.also
            .keys()
            .chain(without)
            .map(String::as_str)
            .collect()
    }

    /// Fails where a clock of the book names a calendar that is not here or does not count its unit, or a cap that is not in hours.
    pub fn check(&self, book: &Book) -> Result<(), ReadError> {
        for pack in book.packs() {
            for clock in &pack.clocks {
                let Some(calendar) = self.calendars.get(&clock.calendar) else {
                    let hint = nearest(&clock.calendar, self.calendars.keys().map(String::as_str));
                    let problem = format!("there is no calendar `{}`; {hint}", clock.calendar);
                    return Err(clock.wrong(problem));
                };
                if let Limit::Counted { unit, .. } = clock.limit
                    && !calendar.units.contains(&unit)
                {
                    return Err(clock.wrong(format!(
                        "the calendar `{}` does not count {}; name another",
                        calendar.id,
                        unit.word(2)
                    )));
                }
                // The end of a cap is counted from awareness, hour by hour.
                if let Some(cap) = &clock.cap
                    && let Some((_, other)) = book.clock(&cap.clock)
                    && !matches!(
                        other.limit,
                        Limit::Counted {
                            unit: Unit::Hour,
                            ..
                        }
                    )
                {
                    return Err(clock.wrong(format!(
                        "the clock `{}` that limits it is not in hours; name one that is",
                        cap.clock
                    )));
                }
            }
        }
        Ok(())
    }
}

impl Holidays {
    /// Whether the set is known for a day.
    pub fn covers(&self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

fn source(node: &Node) -> Result<Source, ReadError> {
    let words = |key: &str| node.get(key)?.map(Node::words).transpose();
    Ok(Source {
        cite: words("cite")?,
        unconfirmed: words("unconfirmed")?,
    })
}

fn calendar(id: &str, node: &Node) -> Result<Calendar, ReadError> {
    node.only(&[
        "title",
        "units",
        "counts",
        "grade",
        "start",
        "end",
        "working",
        "roll_over",
        "working_days",
        "remark",
    ])?;
    let counts_working_days = match node.get("counts")? {
        Some(counts) => counts.one_of(["days", "working_days"])? == "working_days",
        None => false,
    };
    let begin_node = node.need("start")?;
    begin_node.only(&["at", "cite", "unconfirmed"])?;
    let begins = ["event", "next_hour", "next_day", "next_working_day"];
    let begin = match begin_node.need("at")?.one_of(begins)?.as_str() {
        "event" => Begin::Event,
        "next_hour" => Begin::NextHour,
        "next_day" => Begin::NextDay,
        _ => Begin::NextWorkingDay,
    };
    let (end, end_source) = match node.get("end")? {
        Some(node) => (end(node)?, source(node)?),
        None => (End::EndOfDay, Source::default()),
    };
    let calendar = Calendar {
        id: id.to_owned(),
        title: node.need("title")?.words()?,
        units: node.each("units", Unit::read)?,
        counts_working_days,
        begin,
        begin_source: source(begin_node)?,
        end,
        end_source,
        working: node.get("working")?.map(working).transpose()?,
        roll_over: node.get("roll_over")?.map(roll_over).transpose()?,
        working_days: node.get("working_days")?.map(working_days).transpose()?,
        remarks: node.each("remark", remark)?,
        grade: match node.get("grade")? {
            Some(grade) => Some(grade.one_of(["A", "B+", "B", "unconfirmed"])?),
            None => None,
        },
    };
    fits_together(&calendar, node)?;
    Ok(calendar)
}

/// Fails where parts of a calendar contradict each other.
fn fits_together(calendar: &Calendar, node: &Node) -> Result<(), ReadError> {
    let counts_working_days = calendar.counts_working_days;
    let needs_working = counts_working_days
        || calendar.begin == Begin::NextWorkingDay
        || calendar.roll_over.is_some()
        || calendar.working_days.is_some();
    if needs_working && calendar.working.is_none() {
        return Err(node.wrong("it counts working days, so `working` must say what they are"));
    }
    // Day 1 is the first working day after the event exactly where working days are counted.
    if counts_working_days != (calendar.begin == Begin::NextWorkingDay) {
        return Err(node.wrong(
            "`counts = \"working_days\"` and `start.at = \"next_working_day\"` belong together",
        ));
    }
    let begins_with = |unit: Unit| match unit {
        Unit::Hour => matches!(calendar.begin, Begin::Event | Begin::NextHour),
        Unit::Day => matches!(calendar.begin, Begin::NextDay | Begin::NextWorkingDay),
        Unit::Month => matches!(calendar.begin, Begin::Event),
    };
    match calendar.units.iter().find(|unit| !begins_with(**unit)) {
        Some(unit) => Err(node.wrong(format!(
            "periods in {} do not begin at this `start.at`; hours begin at `event` or `next_hour`, \
             days at `next_day` or `next_working_day`, months at `event`",
            unit.word(2)
        ))),
        None => Ok(()),
    }
}

fn end(node: &Node) -> Result<End, ReadError> {
    node.only(&["at", "time", "zone", "cite", "unconfirmed"])?;
    if node.need("at")?.one_of(["end_of_day", "time_of_day"])? == "end_of_day" {
        return Ok(End::EndOfDay);
    }
    let (time, zone) = (node.need("time")?, node.need("zone")?);
    let at = time.text()?.parse();
    let at = at.map_err(|_| time.wrong("expected a time of day such as \"17:30\""))?;
    let zone_name = zone.text()?;
    let zone = TimeZone::get(&zone_name)
        .map_err(|_| zone.wrong(format!("there is no time zone `{zone_name}`")))?;
    Ok(End::At(at, zone))
}

fn working(node: &Node) -> Result<Working, ReadError> {
    node.only(&["except", "holidays", "cite", "unconfirmed"])?;
    let holidays = node.need("holidays")?.words()?;
    Ok(Working {
        except: node.each("except", weekday)?,
        holidays: (holidays != "named").then_some(holidays),
        source: source(node)?,
    })
}

fn weekday(node: &Node) -> Result<Weekday, ReadError> {
    let names = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let name = node.one_of(names)?;
    let days = Weekday::Monday.cycle_forward();
    let day = names.iter().zip(days).find(|(other, _)| **other == name);
    Ok(day.map_or(Weekday::Sunday, |(_, day)| day))
}

fn roll_over(node: &Node) -> Result<RollOver, ReadError> {
    node.only(&["to", "cite", "unconfirmed"])?;
    let to = node.need("to")?;
    let to = to.one_of(["next_working_day", "noon_of_next_working_day"])?;
    Ok(RollOver {
        at_noon: to == "noon_of_next_working_day",
        source: source(node)?,
    })
}

fn working_days(node: &Node) -> Result<WorkingDays, ReadError> {
    node.only(&["min", "from_days", "cite", "unconfirmed"])?;
    let small = |key: &str| {
        let field = node.need(key)?;
        let number = field.integer()?;
        if (1..=30).contains(&number) {
            Ok(number)
        } else {
            Err(field.wrong("expected a number of days from 1 to 30"))
        }
    };
    Ok(WorkingDays {
        min: small("min")?,
        from_days: small("from_days")?,
        source: source(node)?,
    })
}

fn remark(node: &Node) -> Result<Remark, ReadError> {
    node.only(&["text", "cite", "unconfirmed"])?;
    Ok(Remark {
        text: node.need("text")?.words()?,
        source: source(node)?,
    })
}

fn holidays(root: &Node) -> Result<(Holidays, Vec<String>), ReadError> {
    root.only(&[
        "schema",
        "version",
        "code",
        "also",
        "title",
        "first",
        "last",
        "source",
        "cross_check",
        "left_out",
        "unconfirmed",
        "days",
        "unconfirmed_days",
    ])?;
    root.need("schema")?.one_of(["alnager.holidays/1"])?;
    let mut set = Holidays {
        code: root.need("code")?.words()?,
        title: root.need("title")?.words()?,
        first: root.need("first")?.date()?,
        last: root.need("last")?.date()?,
        source: root.need("source")?.words()?,
        unconfirmed: root.get("unconfirmed")?.map(Node::words).transpose()?,
        days: dated(root.need("days")?)?,
        unconfirmed_days: root
            .get("unconfirmed_days")?
            .map_or(Ok(BTreeMap::new()), dated)?,
    };
    if let Some(day) = set.days.keys().find(|day| !set.covers(**day)) {
        return Err(root.wrong(format!(
            "{day} lies outside `first` to `last`, the days this set is known for"
        )));
    }
    if let Some(year) = (set.first.year()..=set.last.year())
        .find(|year| !set.days.keys().any(|day| day.year() == *year))
    {
        return Err(root.wrong(format!(
            "no holiday is listed in {year}; list them, or move `first` or `last`"
        )));
    }
    let days = std::mem::take(&mut set.unconfirmed_days);
    if let Some(day) = days.keys().find(|day| !set.days.contains_key(day)) {
        return Err(root.wrong(format!(
            "`unconfirmed_days` names {day}, which is not in `days`"
        )));
    }
    set.unconfirmed_days = days;
    let also = root.get("also")?.map_or(Ok(Vec::new()), Node::texts)?;
    Ok((set, also))
}

/// A table from days to words.
fn dated(node: &Node) -> Result<BTreeMap<Date, String>, ReadError> {
    let mut days = BTreeMap::new();
    for field in node.table()? {
        let day: Date = field.key.parse().map_err(|_| {
            let problem = format!("`{}` is not a day such as 2026-12-25", field.key);
            field.node.wrong(problem)
        })?;
        days.insert(day, field.node.words()?);
    }
    Ok(days)
}

/// What kind of day it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DayKind {
    /// A working day.
    Working,
    /// No working day, for this reason.
    Off(String),
}

/// Working days by one calendar and the sets of holidays that count for it.
pub(crate) struct Week<'a> {
    working: &'a Working,
    sets: Vec<&'a Holidays>,
}

impl<'a> Week<'a> {
    /// The sets named count, or the one that the calendar fixes.
    pub(crate) fn new(almanac: &'a Almanac, working: &'a Working, named: &[&'a Holidays]) -> Self {
        let sets = match &working.holidays {
            Some(code) => almanac.holidays(code).into_iter().collect(),
            None => named.to_vec(),
        };
        Week { working, sets }
    }

    /// What kind of day it is; an error says why nobody knows.
    pub(crate) fn kind(&self, day: Date) -> Result<DayKind, String> {
        if self.working.except.contains(&day.weekday()) {
            return Ok(DayKind::Off(day.strftime("%A").to_string()));
        }
        if self.sets.is_empty() {
            return Err(format!(
                "whether {day} is a public holiday is not known: name the place whose holidays count"
            ));
        }
        for set in &self.sets {
            if let Some(name) = set.days.get(&day) {
                let doubt = set.unconfirmed_days.get(&day).or(set.unconfirmed.as_ref());
                let doubt =
                    doubt.map_or(String::new(), |doubt| format!(", not confirmed: {doubt}"));
                return Ok(DayKind::Off(format!("{name} ({}{doubt})", set.title)));
            }
        }
        match self.sets.iter().find(|set| !set.covers(day)) {
            Some(set) => Err(format!(
                "whether {day} is a public holiday is not known: the holidays of {} are here from {} to {}",
                set.title, set.first, set.last
            )),
            None => Ok(DayKind::Working),
        }
    }

    /// The first working day on or after a day, with why each day before it was none.
    pub(crate) fn on_or_after(&self, day: Date) -> Result<(Date, Vec<String>), String> {
        let (mut day, mut passed) = (day, Vec::new());
        loop {
            match self.kind(day)? {
                DayKind::Working => return Ok((day, passed)),
                DayKind::Off(reason) => passed.push(format!("{day} is {reason}")),
            }
            day = next(day)?;
        }
    }
}

/// The day after.
pub(crate) fn next(day: Date) -> Result<Date, String> {
    day.checked_add(1.day())
        .map_err(|_| "the end lies beyond the calendar".to_owned())
}

#[cfg(test)]
mod tests;
