//! Checking packs: everything about the text of a pack that a machine can find wrong, all of it at once.
//!
//! A pack that checks without errors reads and binds, names only what exists, has its dates in order, has no branch that cannot be
//! reached, and defines no fact that another pack defines. Whether it says what the law says is for its cases and a lawyer.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::cases;
use crate::fact::Vocabulary;
use crate::figure::FigureKind;
use crate::pack::{Condition, Pack, PackKind, Register, RequirementKind, RequirementText};
use crate::read::{self, Node, ReadError, nearest};
use crate::rule::{Atom, Rule};

mod bound;
mod names;
mod reach;
mod sketch;
mod space;

use bound::{Bound, Conditions, DerivedFacts, Used, When};
use names::{Names, Place, error_at};
use sketch::{At, Sketch};

/// The texts of one pack's folder.
#[derive(Debug, Clone)]
pub struct PackTexts {
    /// The name of `pack.toml` as findings show it.
    pub file: String,
    /// The text of `pack.toml`.
    pub pack: String,
    /// Name and text of `cases.toml`, where there is one.
    pub cases: Option<(String, String)>,
}

/// What packs are held against.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The facts, with those the packs bring along.
    pub vocabulary: &'a Vocabulary,
    /// The kinds of evidence.
    pub evidence: &'a Register,
    /// The common controls.
    pub controls: &'a Register,
    /// The kinds of figures.
    pub figures: &'a BTreeMap<String, FigureKind>,
    /// The other packs in use, the policy among them.
    pub others: &'a [Pack],
    /// Conditions outside the packs, such as those of the policy's tests.
    pub outside: &'a [Condition],
    /// The versions in use of the packs that are checked.
    pub earlier: &'a [Pack],
}

/// What checking found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The findings by file and line.
    pub findings: Vec<Finding>,
    /// What the cases of each pack cover.
    pub coverage: Vec<Coverage>,
}

/// Something about a pack that should be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line, counted from 1; 0 for the whole file.
    pub line: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub what: String,
    /// What to do.
    pub advice: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pack cannot be used, or cannot mean what it says.
    Error,
    /// The pack can be used; a careful author would change it.
    Warning,
}

/// What the cases of a pack cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The pack's id.
    pub pack: String,
    /// Its requirements.
    pub n_requirements: usize,
    /// Those that a case expects something of.
    pub n_mentioned: usize,
    /// Its cases.
    pub n_cases: usize,
}

type Findings = Vec<Finding>;

/// Fewer cases than this show too little: in force, not applicable, ahead.
const CASES_MIN: usize = 3;

impl Severity {
    /// The word used on the screen and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

impl Finding {
    /// A complaint of the reader as a finding. Its last clause says what to do.
    pub fn of(error: ReadError) -> Finding {
        let (problem, advice) = match error.problem.rsplit_once("; ") {
            Some((problem, advice)) => (problem.to_owned(), advice.to_owned()),
            None => (error.problem, "correct it".to_owned()),
        };
        let what = if error.field.is_empty() {
            problem
        } else {
            format!("`{}`: {problem}", error.field)
        };
        Finding {
            file: error.file,
            line: error.line,
            severity: Severity::Error,
            what,
            advice,
        }
    }
}

impl Checked {
    /// How many findings are errors.
    pub fn n_errors(&self) -> usize {
        let is_error = |finding: &&Finding| finding.severity == Severity::Error;
        self.findings.iter().filter(is_error).count()
    }
}

/// Checks packs together: they may refer to one another and to the others in use.
pub fn check(texts: &[PackTexts], with: &Surroundings<'_>) -> Checked {
    let mut findings = Findings::new();
    let mut read: Vec<(Sketch, &PackTexts)> = Vec::new();
    for text in texts {
        if let Some(sketch) = Sketch::read(&text.file, &text.pack, &mut findings) {
            read.push((sketch, text));
        }
    }
    let names = Names::gather(read.iter().map(|(sketch, _)| sketch), with, &mut findings);
    let bound: Vec<Bound> = read
        .iter()
        .map(|(sketch, _)| Bound::of(sketch, with.vocabulary, &names, &mut findings))
        .collect();
    let derived = DerivedFacts::of(&read, &bound, &names, with, &mut findings);
    let used = Used::by(&bound, &names, with);
    let mut coverage = Vec::new();
    for ((sketch, text), bound) in read.iter().zip(&bound) {
        let mut check = Check {
            sketch,
            bound,
            names: &names,
            with,
            findings: &mut findings,
        };
        check.header();
        check.dates();
        check.names();
        check.ids();
        check.duties();
        // A part that does not read may be what uses the others.
        if sketch.is_whole {
            check.unused(&used);
        }
        check.guards(&derived);
        reach::check(&mut check, &derived);
        coverage.extend(check.cases(text.cases.as_ref()));
    }
    findings.sort();
    findings.dedup();
    Checked { findings, coverage }
}

/// The checks of one pack.
struct Check<'c> {
    sketch: &'c Sketch,
    bound: &'c Bound,
    names: &'c Names,
    with: &'c Surroundings<'c>,
    findings: &'c mut Findings,
}

impl<'c> Check<'c> {
    fn find(&mut self, severity: Severity, line: usize, what: String, advice: impl Into<String>) {
        self.findings.push(Finding {
            file: self.sketch.file.clone(),
            line,
            severity,
            what,
            advice: advice.into(),
        });
    }

    fn error(&mut self, line: usize, what: String, advice: impl Into<String>) {
        self.find(Severity::Error, line, what, advice);
    }

    fn warn(&mut self, line: usize, what: String, advice: impl Into<String>) {
        self.find(Severity::Warning, line, what, advice);
    }

    /// What the pack says of itself, held against itself.
    fn header(&mut self) {
        let sketch = self.sketch;
        let text = |path: &[&str]| sketch.field(path).and_then(|node| node.text().ok());
        let line = |path: &[&str]| sketch.field(path).map_or(0, Node::line);
        let parent = sketch.file.rsplit('/').nth(1).unwrap_or_default();
        if !parent.is_empty() && !sketch.id.is_empty() && parent != sketch.id {
            let what = format!("the id is `{}` and the folder `{parent}`", sketch.id);
            self.warn(line(&["id"]), what, "name the folder as the pack");
        }
        if let Some(version) = text(&["version"])
            && !version.split('.').all(|part| part.parse::<u64>().is_ok())
        {
            let what = format!(
                "the version `{version}` is not made of numbers and dots, so that later ones cannot be told"
            );
            self.error(line(&["version"]), what, "write it as 2026.11.23");
        }
        if text(&["confidence"]).as_deref() == Some("A") {
            self.graded_a();
        }
        let binds = sketch.field(&["binding"]).and_then(|node| node.bool().ok());
        let (binding, cannot) = match sketch.kind {
            Some(PackKind::Bill) => ("a bill", true),
            Some(PackKind::Guidance) => ("guidance", true),
            Some(PackKind::Standard) => ("a standard", true),
            Some(PackKind::Framework) => ("a framework", true),
            Some(
                PackKind::Statute | PackKind::Regulation | PackKind::LocalLaw | PackKind::Policy,
            )
            | None => ("", false),
        };
        if binds == Some(true) && cannot {
            let what = format!("{binding} does not bind by itself");
            self.warn(
                line(&["binding"]),
                what,
                "write `binding = false`, or correct `kind`",
            );
        }
    }

    /// Grade A says that the primary text was read.
    fn graded_a(&mut self) {
        let line = self.sketch.field(&["confidence"]).map_or(0, Node::line);
        let grade = |node: &Node| {
            node.get("grade")
                .ok()
                .flatten()
                .and_then(|node| node.text().ok())
        };
        let sources = self.sketch.list("source");
        if !sources
            .iter()
            .any(|source| grade(source).as_deref() == Some("A"))
        {
            self.error(
                line,
                "the pack is graded A, and no source of grade A is listed".to_owned(),
                "list the primary text under [[source]], or lower the grade",
            );
        }
        let texts = &self.sketch.requirements;
        if !texts.is_empty() && texts.iter().all(|text| text.it.unconfirmed.is_some()) {
            self.error(
                line,
                "the pack is graded A, and no requirement in it is confirmed".to_owned(),
                "write `confidence = \"unconfirmed\"`",
            );
        }
    }

    /// Dates stand in order, and nothing was known after the day up to which the law was read.
    fn dates(&mut self) {
        let sketch = self.sketch;
        let date = |path: &[&str]| sketch.field(path).and_then(|node| node.date().ok());
        let line = |path: &[&str]| sketch.field(path).map_or(0, Node::line);
        let read = date(&["status", "known_as_of"]);
        if let (Some(read), Some(as_of)) = (read, date(&["status", "as_of"]))
            && read > as_of
        {
            let what =
                format!("the law was read up to {read}, after the day of the status, {as_of}");
            self.error(
                line(&["status", "known_as_of"]),
                what,
                "correct one of the two days",
            );
        }
        let late = |known: Date| read.filter(|read| known > *read);
        for row in sketch.groups.iter().flat_map(|group| &group.items) {
            if let Some(read) = late(row.it.known) {
                let what = format!(
                    "known on {}, and the law was read only up to {read}",
                    row.it.known
                );
                self.error(
                    row.line,
                    what,
                    "correct `known`, or `known_as_of` in [status]",
                );
            }
        }
        for state in &sketch.enforcement {
            if let Some(read) = late(state.it.known) {
                let what = format!(
                    "known on {}, and the law was read only up to {read}",
                    state.it.known
                );
                self.error(
                    state.line,
                    what,
                    "correct `known`, or `known_as_of` in [status]",
                );
            }
            if let (Some(from), Some(until)) = (state.it.from, state.it.until)
                && until <= from
            {
                let what = format!("it holds from {from} but ends {until}");
                self.error(state.line, what, "put the earlier date in `from`");
            }
        }
        let mut last = None;
        for event in sketch.list("timeline") {
            let day = event
                .get("date")
                .ok()
                .flatten()
                .and_then(|node| node.date().ok());
            if day.is_some() && day < last {
                let what = "the timeline goes back in time here".to_owned();
                self.warn(event.line(), what, "put the events in order");
            }
            last = day.max(last);
        }
    }

    /// Whatever is named exists.
    fn names(&mut self) {
        self.groups();
        for text in &self.sketch.requirements {
            self.names_of(text);
        }
        self.overlays();
        self.caps();
    }

    /// Date groups that are named exist.
    fn groups(&mut self) {
        let sketch = self.sketch;
        let groups = sketch.groups.iter().map(|group| group.name.as_str());
        let groups: BTreeSet<&str> = groups
            .chain(sketch.choose.iter().map(|alias| alias.name.as_str()))
            .collect();
        let mut named: Vec<(usize, &str)> = Vec::new();
        for text in &sketch.requirements {
            named.extend(
                text.it
                    .applies
                    .iter()
                    .map(|group| (text.line, group.as_str())),
            );
        }
        for state in &sketch.enforcement {
            named.extend(
                state
                    .it
                    .groups
                    .iter()
                    .map(|group| (state.line, group.as_str())),
            );
        }
        for transition in &sketch.transitions {
            let groups = transition.it.groups.iter();
            named.extend(groups.map(|group| (transition.line, group.as_str())));
        }
        for row in sketch.groups.iter().flat_map(|group| &group.items) {
            named.extend(
                row.it
                    .dormant_until
                    .as_deref()
                    .map(|group| (row.line, group)),
            );
        }
        for choice in sketch.choose.iter().flat_map(|alias| &alias.items) {
            named.push((choice.line, &choice.it.group));
        }
        for (line, group) in named {
            if !groups.contains(group) {
                let what = format!("there is no date group `{group}`");
                self.error(line, what, nearest(group, groups.iter().copied()));
            }
        }
    }

    /// What an overlay changes exists.
    fn overlays(&mut self) {
        let (sketch, names, with) = (self.sketch, self.names, self.with);
        let ids = || names.ids.keys().map(String::as_str);
        for exception in &sketch.exceptions {
            let to = exception.it.to.as_str();
            if !names.ids.contains_key(to) && !names.derived.contains_key(to) {
                let derived = names.derived.keys().map(String::as_str);
                let what = format!("an exception is added to `{to}`, which no pack defines");
                self.error(exception.line, what, nearest(to, ids().chain(derived)));
            }
        }
        for rewording in &sketch.rewordings {
            let (line, it) = (rewording.line, &rewording.it);
            let id = it.requirement.as_str();
            if !names.ids.contains_key(id) {
                let what = format!("`{id}` is reworded, and no pack has it");
                self.error(line, what, nearest(id, ids()));
            }
            let evidence = it.evidence.as_deref().map(texts).unwrap_or_default();
            let controls = it.controls.as_deref().map(texts).unwrap_or_default();
            let kinds = with.evidence.items.keys();
            self.listed(line, id, "kind of evidence", evidence, kinds);
            self.listed(line, id, "control", controls, with.controls.items.keys());
        }
    }

    /// The clocks that limit others exist.
    fn caps(&mut self) {
        let (sketch, names) = (self.sketch, self.names);
        for clock in &sketch.clocks {
            let cap = clock.it.cap.as_ref();
            if let Some(cap) = cap.filter(|cap| !names.clocks.contains_key(&cap.clock)) {
                let what = format!(
                    "`{}` is limited by the clock `{}`, which does not exist",
                    clock.it.id, cap.clock
                );
                let known = names.clocks.keys().map(String::as_str);
                self.error(clock.line, what, nearest(&cap.clock, known));
            }
        }
    }

    /// The names a requirement takes from lists.
    fn names_of(&mut self, text: &At<RequirementText>) {
        let with = self.with;
        let id = &text.it.id;
        let figures = text.it.figures.iter().map(|figure| figure.kind.as_str());
        self.listed(
            text.line,
            id,
            "kind of evidence",
            texts(&text.it.evidence),
            with.evidence.items.keys(),
        );
        self.listed(
            text.line,
            id,
            "control",
            texts(&text.it.controls),
            with.controls.items.keys(),
        );
        self.listed(
            text.line,
            id,
            "kind of figure",
            figures.collect(),
            with.figures.keys(),
        );
        let penalty = text.it.penalty.as_deref().into_iter().collect();
        let penalties = self.sketch.penalties.iter().map(|penalty| &penalty.name);
        self.listed(text.line, id, "penalty", penalty, penalties);
        self.listed(
            text.line,
            id,
            "clock",
            texts(&text.it.clocks),
            self.names.clocks.keys(),
        );
        for conflict in &text.it.conflicts {
            if !self.names.ids.contains_key(&conflict.with) {
                let known = self.names.ids.keys().map(String::as_str);
                let what = format!(
                    "`{id}` conflicts with `{}`, which does not exist",
                    conflict.with
                );
                self.error(text.line, what, nearest(&conflict.with, known));
            }
        }
    }

    /// Each name is in the list it is taken from.
    fn listed<'k>(
        &mut self,
        line: usize,
        id: &str,
        what: &str,
        names: Vec<&str>,
        known: impl Iterator<Item = &'k String> + Clone,
    ) {
        for name in names {
            if !known.clone().any(|known| known == name) {
                let what = format!("`{id}` names the {what} `{name}`, which does not exist");
                self.error(line, what, nearest(name, known.clone().map(String::as_str)));
            }
        }
    }

    /// Ids are permanent: held against the version in use.
    fn ids(&mut self) {
        let sketch = self.sketch;
        let Some(earlier) = self.with.earlier.iter().find(|pack| pack.id == sketch.id) else {
            return;
        };
        let now: BTreeSet<&str> = sketch
            .requirements
            .iter()
            .map(|text| text.it.id.as_str())
            .collect();
        let before: BTreeSet<&str> = earlier
            .requirements
            .iter()
            .map(|text| text.id.as_str())
            .collect();
        let replaced = sketch
            .requirements
            .iter()
            .flat_map(|text| &text.it.replaces);
        let replaced: BTreeSet<&str> = replaced.map(String::as_str).collect();
        let gone: Vec<&str> = before
            .difference(&now)
            .copied()
            .filter(|id| !replaced.contains(id))
            .collect();
        for id in &gone {
            self.error(
                0,
                format!("`{id}` of version {} is gone", earlier.version),
                "ids are permanent: end it with `to` on its date group, or name it in `replaces` of what took its place",
            );
        }
        for text in &sketch.requirements {
            let is_new = !before.contains(text.it.id.as_str());
            if is_new && text.it.replaces.is_empty() && !gone.is_empty() {
                let what = format!(
                    "`{}` is new, replaces nothing, and others are gone",
                    text.it.id
                );
                self.warn(
                    text.line,
                    what,
                    "name in `replaces` the id whose place it takes",
                );
            }
            for id in &text.it.replaces {
                if is_new && !before.contains(id.as_str()) {
                    let what = format!(
                        "`{}` replaces `{id}`, which version {} does not have",
                        text.it.id, earlier.version
                    );
                    self.warn(text.line, what, nearest(id, before.iter().copied()));
                }
            }
        }
    }

    /// What every requirement must carry.
    fn duties(&mut self) {
        for text in &self.sketch.requirements {
            let it = &text.it;
            if it.applies.is_empty() {
                let what = format!("`{}` names no date group, so it never governs", it.id);
                self.error(text.line, what, "name one in `applies`");
            }
            let asks = match it.kind {
                RequirementKind::Duty
                | RequirementKind::Prohibition
                | RequirementKind::Condition => true,
                RequirementKind::SafeHarbour | RequirementKind::Risk | RequirementKind::Gap => {
                    false
                }
            };
            if asks && it.controls.is_empty() {
                let what = format!("`{}` names no control", it.id);
                self.warn(
                    text.line,
                    what,
                    "name the common control that serves it in `controls`",
                );
            }
            let screened = it.evidence.iter().any(|kind| kind == "screening_record");
            if it.kind == RequirementKind::Prohibition && !screened {
                let what = format!("the prohibition `{}` is not shown by a screening", it.id);
                self.warn(text.line, what, "add `screening_record` to `evidence`");
            }
        }
        let sketch = self.sketch;
        let is_empty = sketch.is_whole
            && sketch.requirements.is_empty()
            && sketch.exceptions.is_empty()
            && sketch.rewordings.is_empty()
            && sketch.clocks.is_empty();
        // A bill imposes nothing; what it would ask may still be open.
        if is_empty && sketch.kind != Some(PackKind::Bill) {
            let what = "the pack has no requirement".to_owned();
            self.warn(0, what, "add [[requirement]] tables");
        }
    }

    /// What nothing reads.
    fn unused(&mut self, used: &Used) {
        let sketch = self.sketch;
        let mut groups: BTreeSet<&str> = BTreeSet::new();
        groups.extend(
            sketch
                .requirements
                .iter()
                .flat_map(|text| texts(&text.it.applies)),
        );
        groups.extend(
            sketch
                .choose
                .iter()
                .flat_map(|alias| &alias.items)
                .map(|choice| choice.it.group.as_str()),
        );
        let rows = sketch.groups.iter().flat_map(|group| &group.items);
        groups.extend(rows.filter_map(|row| row.it.dormant_until.as_deref()));
        let all = sketch.groups.iter().map(|group| (group.line, &group.name));
        for (line, name) in all.chain(sketch.choose.iter().map(|alias| (alias.line, &alias.name))) {
            if !groups.contains(name.as_str()) {
                let what = format!("nothing uses the date group `{name}`");
                self.warn(
                    line,
                    what,
                    "name it in `applies` of a requirement, or remove it",
                );
            }
        }
        let penalties: BTreeSet<&str> = sketch
            .requirements
            .iter()
            .filter_map(|text| text.it.penalty.as_deref())
            .collect();
        for penalty in &sketch.penalties {
            if !penalties.contains(penalty.name.as_str()) {
                let what = format!("nothing uses the penalty `{}`", penalty.name);
                self.warn(
                    penalty.line,
                    what,
                    "name it in `penalty` of a requirement, or remove it",
                );
            }
        }
        for derive in &sketch.derives {
            let at = self.names.derived.get(&derive.it.fact);
            if at.is_some_and(|at| !used.0.contains(at)) {
                let what = format!("nothing reads the derived fact `{}`", derive.it.fact);
                self.warn(derive.line, what, "use it in a condition, or remove it");
            }
        }
        self.served();
    }

    /// The facts it reads say so in `serves`.
    fn served(&mut self) {
        let sketch = self.sketch;
        let mut read: BTreeSet<usize> = BTreeSet::new();
        for rule in self.bound.rules() {
            rule.leaves(&mut |leaf| {
                if let Rule::Atom(Atom { fact, .. }) = leaf {
                    read.insert(*fact);
                }
            });
        }
        for fact in read {
            let kind = &self.with.vocabulary.kinds()[fact];
            if !sketch.id.is_empty()
                && !kind
                    .serves
                    .iter()
                    .any(|pack| pack == "all" || *pack == sketch.id)
            {
                let what = format!(
                    "the pack reads the fact `{}`, whose list of packs it serves does not name it",
                    kind.name
                );
                let advice = format!("add `{}` to `serves` of the fact", sketch.id);
                self.warn(0, what, advice);
            }
        }
    }

    /// An exception takes a duty away: some answer in it must need a confirmation from outside the team.
    fn guards(&mut self, derived: &DerivedFacts) {
        let vocabulary = self.with.vocabulary;
        let requirements = self.sketch.requirements.iter().map(|text| &text.it.unless);
        let derives = self.sketch.derives.iter().map(|derive| &derive.it.unless);
        let both = self.bound.requirements.iter().chain(&self.bound.derives);
        let mut bare: Vec<(usize, String)> = Vec::new();
        for (texts, conditions) in requirements.chain(derives).zip(both) {
            for (text, rule) in texts.iter().zip(&conditions.unless) {
                let Some(rule) = rule else {
                    continue;
                };
                let facts = derived.facts_of(rule);
                let guarded = |fact: &usize| !vocabulary.kinds()[*fact].guarded.is_empty();
                if !facts.iter().any(guarded) {
                    bare.push((text.line(), text.text.clone()));
                }
            }
        }
        for (line, text) in bare {
            let what = format!("the exception `{text}` rests on no answer that needs confirmation");
            self.warn(line, what, "give a fact in it `guarded` and `guard_cite`");
        }
        // What frees a duty of another pack frees it only on an answer someone outside the team has confirmed.
        let added = self.sketch.exceptions.iter().zip(&self.bound.exceptions);
        let mut free: Vec<(usize, String)> = Vec::new();
        for (exception, rule) in added {
            let facts = rule.iter().flat_map(|rule| derived.facts_of(rule));
            if !facts
                .into_iter()
                .any(|fact| !vocabulary.kinds()[fact].guarded.is_empty())
            {
                free.push((exception.line, exception.it.to.clone()));
            }
        }
        for (line, to) in free {
            let what =
                format!("the exception added to `{to}` rests on no answer that needs confirmation");
            self.error(line, what, "give a fact in it `guarded` and `guard_cite`");
        }
    }

    /// Its cases read, and mention every requirement.
    fn cases(&mut self, cases: Option<&(String, String)>) -> Option<Coverage> {
        let sketch = self.sketch;
        if sketch.requirements.is_empty() {
            return None;
        }
        let mut coverage = Coverage {
            pack: sketch.id.clone(),
            n_requirements: sketch.requirements.len(),
            n_mentioned: 0,
            n_cases: 0,
        };
        let Some((file, text)) = cases else {
            let what = "there is no `cases.toml` beside the pack".to_owned();
            let advice =
                "write at least three cases a lawyer can read, and run `alnager law pack test`";
            self.warn(0, what, advice);
            return Some(coverage);
        };
        let (found, findings) = read_cases(file, text, self.with.vocabulary);
        self.findings.extend(findings);
        let ids = sketch.requirements.iter().map(|text| text.it.id.as_str());
        let ids: BTreeSet<&str> = ids.collect();
        let mentioned = self.mentioned(file, &found, &ids);
        let mut warn = |what: String, advice: String| {
            self.findings.push(Finding {
                file: file.clone(),
                line: 0,
                severity: Severity::Warning,
                what,
                advice,
            });
        };
        if found.len() < CASES_MIN {
            let advice = "write at least three: in force, not applicable, ahead";
            warn(
                format!("{} cases show too little", found.len()),
                advice.to_owned(),
            );
        }
        let missing: Vec<&str> = ids.difference(&mentioned).copied().collect();
        if !missing.is_empty() {
            let (n_mentioned, n) = (mentioned.len(), ids.len());
            warn(
                format!("cases mention {n_mentioned} of {n} requirements"),
                format!("add a case for `{}`", missing.join("`, `")),
            );
        }
        coverage.n_mentioned = mentioned.len();
        coverage.n_cases = found.len();
        Some(coverage)
    }

    /// The requirements of this pack that cases expect something of; what no pack has is an error.
    fn mentioned<'i>(
        &mut self,
        file: &str,
        cases: &[(usize, cases::Case)],
        ids: &BTreeSet<&'i str>,
    ) -> BTreeSet<&'i str> {
        let mut mentioned = BTreeSet::new();
        for (line, case) in cases {
            let expect = &case.expect;
            let expected = expect.in_force.iter().chain(&expect.not_applicable);
            for id in expected.chain(expect.upcoming.keys()) {
                match ids.get(id.as_str()) {
                    Some(id) => drop(mentioned.insert(*id)),
                    None if self.names.ids.contains_key(id) => {}
                    // It may stand in a part that does not read.
                    None if !self.sketch.is_whole => {}
                    None => {
                        let place = Place {
                            file: file.to_owned(),
                            line: *line,
                        };
                        let name = &case.id;
                        let what = format!(
                            "case `{name}` expects something of `{id}`, which does not exist"
                        );
                        let advice = nearest(id, ids.iter().copied());
                        self.findings.push(error_at(&place, what, &advice));
                    }
                }
            }
        }
        mentioned
    }
}

/// The cases that read, with their lines, and a finding for each that does not, or that says too little of itself.
fn read_cases(
    file: &str,
    text: &str,
    vocabulary: &Vocabulary,
) -> (Vec<(usize, cases::Case)>, Findings) {
    let mut findings = Findings::new();
    let mut found: Vec<(usize, cases::Case)> = Vec::new();
    let root = match read::read(file, text).and_then(|root| {
        cases::parse(file, text, vocabulary)
            .map(drop)
            .or_else(|error| {
                // Errors inside a case are found again below, all of them.
                if error.field.starts_with("case[") {
                    Ok(())
                } else {
                    Err(error)
                }
            })?;
        Ok(root)
    }) {
        Ok(root) => root,
        Err(error) => return (found, vec![Finding::of(error)]),
    };
    let list = root.get("case").ok().flatten();
    for node in list.and_then(|list| list.list().ok()).unwrap_or_default() {
        let case = match cases::case(node, vocabulary) {
            Ok(case) => case,
            Err(error) => {
                findings.push(Finding::of(error));
                continue;
            }
        };
        let place = Place {
            file: file.to_owned(),
            line: node.line(),
        };
        if found.iter().any(|(_, earlier)| earlier.id == case.id) {
            let what = format!("the case `{}` stands here a second time", case.id);
            findings.push(error_at(&place, what, "give it an id of its own"));
        }
        for key in ["why", "source"] {
            if !matches!(node.get(key), Ok(Some(_))) {
                let what = format!("case `{}` has no `{key}`", case.id);
                let advice = "say what a lawyer would check it against";
                findings.push(Finding {
                    severity: Severity::Warning,
                    ..error_at(&place, what, advice)
                });
            }
        }
        found.push((node.line(), case));
    }
    (found, findings)
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

#[cfg(test)]
mod tests;
