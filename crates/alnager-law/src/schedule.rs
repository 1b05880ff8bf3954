//! When a requirement governs: the rows of its date groups, resolved once for every state of knowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::book::{Binder, Reader};
use crate::code::{Code, FactSet};
use crate::pack::{DateRow, Pack};
use crate::read::ReadError;
use crate::requirement::{Ruled, Standing};
use crate::rule::{Rule, Truth};

/// The date groups of a pack, ready to be asked. Which rows count depends on the day of knowledge alone, so it is worked out
/// when the book is bound, not for every system.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    schedules: Vec<Schedule>,
    by_groups: BTreeMap<Vec<String>, usize>,
    /// The schedule of each requirement.
    of: Vec<usize>,
    pub(crate) transitions: Vec<(Rule, Code)>,
    /// Whether some condition of a row, choice or transition rests on a derived fact that is not confirmed.
    pub(crate) rests_on_doubt: bool,
}

/// What may govern under each state of knowledge: from each day on, the candidates, the strongest first.
#[derive(Debug, Default)]
struct Schedule {
    states: Vec<(Date, Vec<Candidate>)>,
}

/// A row that governs if its conditions hold.
#[derive(Debug)]
struct Candidate {
    row: DateRow,
    cite: Arc<str>,
    conditions: Vec<(Rule, Code)>,
    /// The schedule of the group whose start wakes it.
    wakes: Option<usize>,
    /// The transitions that may take it out or move it.
    transitions: Vec<usize>,
}

/// One way the dates of a requirement may fall.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<'a> {
    /// The row it follows from; none where no row is known.
    pub(crate) row: Option<&'a DateRow>,
    /// The row's citation.
    pub(crate) cite: Option<&'a Arc<str>>,
    span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Span {
    Governs {
        from: Date,
        to: Option<Date>,
        wakes: Option<Date>,
    },
    Never(Ruled),
}

impl Timetable {
    /// Binds the rows, choices and transitions of a pack.
    pub(crate) fn bind(pack: &Pack, binder: &Binder<'_>) -> Result<Self, ReadError> {
        let mut table = Timetable::default();
        for transition in &pack.transitions {
            table.transitions.push(binder.bind(&transition.when)?);
        }
        for text in &pack.requirements {
            let at = table.schedule(pack, &text.applies, binder)?;
            table.of.push(at);
        }
        Ok(table)
    }

    /// Every rule it asks, for those who look for facts.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        let candidates = self
            .schedules
            .iter()
            .flat_map(|schedule| schedule.states.iter().flat_map(|(_, list)| list));
        candidates
            .flat_map(|candidate| candidate.conditions.iter().map(|(rule, _)| rule))
            .chain(self.transitions.iter().map(|(rule, _)| rule))
    }

    /// The schedule of a list of groups; the last group whose conditions hold wins.
    fn schedule(
        &mut self,
        pack: &Pack,
        groups: &[String],
        binder: &Binder<'_>,
    ) -> Result<usize, ReadError> {
        if let Some(at) = self.by_groups.get(groups) {
            return Ok(*at);
        }
        // Entered before it is filled: a group may sleep until another one.
        let at = self.schedules.len();
        self.schedules.push(Schedule::default());
        self.by_groups.insert(groups.to_vec(), at);
        let mut named = Vec::new();
        for group in groups {
            match pack.choose.get(group) {
                None => named.push((group, None, None)),
                Some(choices) => named.extend(
                    choices
                        .iter()
                        .map(|choice| (&choice.group, Some(group), choice.when.as_ref())),
                ),
            }
        }
        let rows_of = |group: &String| pack.applies.get(group).map_or(&[][..], Vec::as_slice);
        let days: BTreeSet<Date> = named
            .iter()
            .flat_map(|(group, _, _)| rows_of(group))
            .flat_map(|row| std::iter::once(row.known).chain(row.until_known))
            .collect();
        let mut states = Vec::new();
        for day in days {
            let mut candidates = Vec::new();
            for (group, alias, when) in &named {
                for row in rows_known(rows_of(group), day) {
                    let conditions = when.iter().copied().chain(row.when.as_ref());
                    let conditions = conditions
                        .map(|condition| binder.bind(condition))
                        .collect::<Result<_, _>>()?;
                    let wakes = match &row.dormant_until {
                        None => None,
                        Some(name) => {
                            Some(self.schedule(pack, std::slice::from_ref(name), binder)?)
                        }
                    };
                    let concerns =
                        |name: &String| name == *group || alias.is_some_and(|alias| alias == name);
                    let transitions = pack
                        .transitions
                        .iter()
                        .enumerate()
                        .filter(|(_, transition)| transition.groups.iter().any(concerns));
                    candidates.push(Candidate {
                        cite: Arc::from(row.cite.as_str()),
                        row: row.clone(),
                        conditions,
                        wakes,
                        transitions: transitions.map(|(at, _)| at).collect(),
                    });
                }
            }
            candidates.reverse();
            states.push((day, candidates));
        }
        self.schedules[at] = Schedule { states };
        Ok(at)
    }

    fn candidates(&self, at: usize, known: Date) -> &[Candidate] {
        let states = &self.schedules[at].states;
        let after = states.partition_point(|(day, _)| *day <= known);
        match after.checked_sub(1) {
            Some(last) => &states[last].1,
            None => &[],
        }
    }

    /// The schedule of the requirement at this place of the pack.
    pub(crate) fn schedule_of(&self, requirement: usize) -> usize {
        self.of[requirement]
    }

    /// The ways the dates of a schedule may fall, given the facts: the last row whose conditions hold wins; rows with unknown
    /// conditions stay possible.
    pub(crate) fn outcomes<'t>(
        &'t self,
        pack: &Pack,
        at: usize,
        reader: &Reader<'_>,
        known: Date,
    ) -> Vec<Outcome<'t>> {
        let mut outcomes = Vec::new();
        let mut decided = false;
        for candidate in self.candidates(at, known) {
            let truth = candidate.truth(reader);
            if truth == Truth::False {
                continue;
            }
            let days = candidate.wakes.map(|at| self.wakes(at, reader, known));
            for wakes in days.as_deref().unwrap_or(&[None]).iter().copied() {
                let span = Span::Governs {
                    from: candidate.row.from,
                    to: candidate.row.to,
                    wakes,
                };
                self.spans(pack, candidate, span, reader, &mut outcomes);
            }
            if truth == Truth::True {
                decided = true;
                break;
            }
        }
        if !decided {
            outcomes.push(Outcome {
                row: None,
                cite: None,
                span: Span::Never(Ruled::NotKnown),
            });
        }
        outcomes
    }

    /// Adds the facts that keep the dates of a schedule open.
    pub(crate) fn missing(
        &self,
        at: usize,
        reader: &Reader<'_>,
        known: Date,
        missing: &mut FactSet,
    ) {
        for candidate in self.candidates(at, known) {
            let truth = candidate.truth(reader);
            if truth == Truth::False {
                continue;
            }
            for (_, code) in &candidate.conditions {
                reader.missing_in(code, missing);
            }
            if let Some(wakes) = candidate.wakes {
                self.missing(wakes, reader, known, missing);
            }
            for transition in &candidate.transitions {
                let (_, code) = &self.transitions[*transition];
                reader.missing_in(code, missing);
                if reader.holds(code) == Truth::True {
                    break;
                }
            }
            if truth == Truth::True {
                return;
            }
        }
    }

    /// Every rule that dates the requirement at this place of the pack.
    pub(crate) fn rules_of(&self, requirement: usize) -> Vec<&Rule> {
        let (mut rules, mut seen) = (Vec::new(), BTreeSet::new());
        let mut open = vec![self.of[requirement]];
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            for (_, candidates) in &self.schedules[at].states {
                for candidate in candidates {
                    rules.extend(candidate.conditions.iter().map(|(rule, _)| rule));
                    let transitions = candidate.transitions.iter();
                    rules.extend(transitions.map(|at| &self.transitions[*at].0));
                    open.extend(candidate.wakes);
                }
            }
        }
        rules
    }

    /// Adds what is not confirmed about the derived facts that the dates of a schedule turn on: those without which they would be
    /// open.
    pub(crate) fn doubts(
        &self,
        at: usize,
        reader: &Reader<'_>,
        asker: usize,
        doubts: &mut Vec<String>,
    ) {
        if !self.rests_on_doubt {
            return;
        }
        let mut confirmed = |code: &Code| {
            let truth = reader.holds_confirmed(code, asker);
            if truth != reader.holds(code) {
                reader.doubts_in(code, asker, doubts);
            }
            truth
        };
        let mut wakers = Vec::new();
        for candidate in self.candidates(at, reader.known()) {
            let codes = candidate.conditions.iter().map(|(_, code)| code);
            let truth = codes.fold(Truth::True, |truth, code| truth.and(confirmed(code)));
            if truth == Truth::False {
                continue;
            }
            wakers.extend(candidate.wakes);
            for transition in &candidate.transitions {
                if confirmed(&self.transitions[*transition].1) == Truth::True {
                    break;
                }
            }
            if truth == Truth::True {
                break;
            }
        }
        for waker in wakers {
            self.doubts(waker, reader, asker, doubts);
        }
    }

    /// The days on which the trigger of a sleeping row, woken by this schedule, may first exist; a single `None` where it has none.
    fn wakes(&self, at: usize, reader: &Reader<'_>, known: Date) -> Vec<Option<Date>> {
        let mut days = Vec::new();
        for waker in self.candidates(at, known) {
            match waker.truth(reader) {
                Truth::False => {}
                Truth::Unknown => days.push(Some(waker.row.from)),
                Truth::True => {
                    days.push(Some(waker.row.from));
                    return days;
                }
            }
        }
        // No waker is certain: should none of them hold, the row does not sleep.
        days.push(None);
        days
    }

    /// What the transitions make of a span.
    fn spans<'t>(
        &'t self,
        pack: &Pack,
        candidate: &'t Candidate,
        span: Span,
        reader: &Reader<'_>,
        outcomes: &mut Vec<Outcome<'t>>,
    ) {
        let (row, cite) = (Some(&candidate.row), Some(&candidate.cite));
        for at in &candidate.transitions {
            let transition = &pack.transitions[*at];
            let truth = reader.holds(&self.transitions[*at].1);
            if truth == Truth::False {
                continue;
            }
            let span = match (transition.from, &span) {
                (Some(from), Span::Governs { to, .. }) => Span::Governs {
                    from,
                    to: *to,
                    wakes: None,
                },
                _ => Span::Never(Ruled::ByTransition(transition.cite.clone())),
            };
            outcomes.push(Outcome { row, cite, span });
            if truth == Truth::True {
                return;
            }
        }
        outcomes.push(Outcome { row, cite, span });
    }
}

/// The rows that count under this knowledge, in order; of rows with the same condition only the latest known.
pub(crate) fn rows_known(rows: &[DateRow], known: Date) -> Vec<&DateRow> {
    let counts =
        |row: &&DateRow| row.known <= known && row.until_known.is_none_or(|until| known < until);
    let mut current: Vec<&DateRow> = rows.iter().filter(counts).collect();
    current.sort_by_key(|row| row.known);
    let same = |one: &DateRow, other: &DateRow| {
        one.when.as_ref().map(|when| &when.text) == other.when.as_ref().map(|when| &when.text)
    };
    (0..current.len())
        .filter(|at| {
            !current[at + 1..]
                .iter()
                .any(|later| same(current[*at], later))
        })
        .map(|at| current[at])
        .collect()
}

impl Candidate {
    fn truth(&self, reader: &Reader<'_>) -> Truth {
        self.conditions
            .iter()
            .fold(Truth::True, |truth, (_, code)| {
                truth.and(reader.holds(code))
            })
    }
}

impl Outcome<'_> {
    /// How a requirement with these dates stands on a day.
    pub(crate) fn standing(&self, day: Date) -> Standing {
        match &self.span {
            Span::Never(ruled) => Standing::NotApplicable(ruled.clone()),
            Span::Governs { to: Some(to), .. } if day >= *to => Standing::Ended { on: *to },
            Span::Governs { from, wakes, .. } => {
                let begins = wakes.map_or(*from, |wakes| wakes.max(*from));
                if day >= begins {
                    Standing::InForce { from: begins }
                } else if day >= *from {
                    Standing::Waiting {
                        since: *from,
                        until: begins,
                    }
                } else {
                    Standing::Ahead { from: begins }
                }
            }
        }
    }

    /// The days on which something about it changes: its own date, the day its trigger can first exist, the day it ends.
    pub(crate) fn turns(&self) -> impl Iterator<Item = Date> {
        let span = match &self.span {
            Span::Governs { from, to, .. } => [Some(*from), self.begins(), *to],
            Span::Never(_) => [None; 3],
        };
        span.into_iter().flatten()
    }

    /// The first day it governs, where it does.
    pub(crate) fn begins(&self) -> Option<Date> {
        match &self.span {
            Span::Governs { from, wakes, .. } => {
                Some(wakes.map_or(*from, |wakes| wakes.max(*from)))
            }
            Span::Never(_) => None,
        }
    }
}
