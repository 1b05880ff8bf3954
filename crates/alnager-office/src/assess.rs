//! Assessment: map → plan → judge → gate over what was declared and measured. The review seals it; the verifier repeats it.

use std::collections::{BTreeMap, BTreeSet};

use alnager_audit::figures;
use alnager_audit::judge::{self, Outcome, TestResult};
use alnager_audit::measures::Measures;
use alnager_audit::plan::{self, Plan, PlannedTest};
use alnager_audit::policy::{Policy, PolicyTest};
use alnager_law::book::Book;
use alnager_law::conflict::ConflictPair;
use alnager_law::pack::Penalty;
use alnager_law::read::ReadError;
use alnager_law::requirement::{self, AsOf, Requirement, Standing};
use alnager_law::rule::Truth;

use crate::declaration::Declaration;
use crate::event::BookStamp;
use crate::gate::{
    Blocker, Gate, GateInput, Judged, ReportStamp, RequirementClaim, ResultClaim, Status,
    SystemReviewed, TestOutcome, Verdict, fare, test_outcomes, verdict,
};
use crate::state::State;
use crate::system::System;

/// Everything a review found, before it is sealed.
#[derive(Debug, Clone)]
pub struct Assessment {
    /// The declaration reviewed, people as ids.
    pub declaration: Declaration,
    /// What the gate looked at.
    pub gate: Gate,
    /// The day judged and the day of knowledge.
    pub when: AsOf,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether neither law nor policy asked for anything.
    pub nothing_required: bool,
    /// How every requirement fared, in the order of the packs.
    pub judged: Vec<Judged>,
    /// The plan.
    pub plan: Plan,
    /// Every test result.
    pub results: Vec<TestResult>,
    /// The outcomes by test and attribute.
    pub outcomes: Vec<TestOutcome>,
    /// The measures the figures follow from.
    pub measures: Vec<Measures>,
    /// Answers a later declaration proposes in place of confirmed ones.
    pub proposals: Vec<Proposal>,
}

/// An answer a later declaration proposes in place of a confirmed one, which stands until someone outside the team confirms
/// the new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The fact.
    pub fact: String,
    /// The confirmed answer, in its text form.
    pub stands: String,
    /// The proposed answer, in its text form.
    pub proposed: String,
}

/// Numbers of requirements by how they fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Binding and in force.
    pub in_force: usize,
    /// Of those, met.
    pub met: usize,
    /// Of those, gaps.
    pub gap: usize,
    /// Of those, unknown.
    pub unknown: usize,
    /// Binding, and may apply now or later once a fact is settled.
    pub may_apply: usize,
    /// Binding, from a later day.
    pub ahead: usize,
    /// Binding, waiting for their trigger.
    pub waiting: usize,
    /// Voluntary, adopted and in force.
    pub voluntary: usize,
}

/// Plans what to measure for a system of the state.
///
/// Returns `None` when the state has no such system; an error when a policy test's condition does not bind.
pub fn plan_for(
    state: &State,
    system: &str,
    book: &Book,
    policy: &Policy,
    when: AsOf,
) -> Result<Option<Plan>, ReadError> {
    let Some(system) = state.systems.get(system) else {
        return Ok(None);
    };
    let facts = system.law_facts(book, &state.counsel);
    let requirements = requirement::requirements(book, &facts, when);
    let policy = system.declaration.policy(policy);
    let reader = book.reader(&facts, when.known);
    let mut asked = BTreeMap::new();
    for test in &policy.tests {
        let rule = book.bind_condition(&test.when)?;
        let mut missing = BTreeSet::new();
        reader.missing(&rule, &mut missing);
        let names = missing
            .iter()
            .map(|at| book.vocabulary.kinds()[*at].name.clone());
        let answer = match when.valid >= policy.from && when.known >= policy.known {
            true => (reader.truth(&rule), names.collect()),
            false => (Truth::False, Vec::new()),
        };
        asked.insert(test.id.clone(), answer);
    }
    let measured_by = |kind: &str| {
        book.evidence
            .items
            .get(kind)
            .and_then(|item| item.measured_by.clone())
    };
    let asked = |test: &PolicyTest| {
        let unasked = (Truth::False, Vec::new());
        asked.get(&test.id).cloned().unwrap_or(unasked)
    };
    Ok(Some(plan::plan(
        &requirements,
        &system.declaration.audits,
        &policy,
        &asked,
        &measured_by,
    )))
}

/// Assesses a system of the state on what was measured. `None` when the state has no such system.
pub fn assess(
    state: &State,
    system: &str,
    book: &Book,
    policy: &Policy,
    measures: Vec<Measures>,
    when: AsOf,
    gate: Gate,
) -> Result<Option<Assessment>, ReadError> {
    let Some(plan) = plan_for(state, system, book, policy, when)? else {
        return Ok(None);
    };
    let Some(known) = state.systems.get(system) else {
        return Ok(None);
    };
    let results = judge::judge(&plan, &measures);
    let requirements =
        requirement::requirements(book, &known.law_facts(book, &state.counsel), when);
    let outcomes = test_outcomes(&plan, &results);
    let input = GateInput {
        state,
        declaration: &known.declaration,
        book,
        policy,
        outcomes: &outcomes,
        when,
    };
    let judged = fare(requirements, &input);
    let (verdict, nothing_required) = verdict(gate, &judged, &outcomes);
    Ok(Some(Assessment {
        declaration: known.declaration.clone(),
        gate,
        when,
        verdict,
        nothing_required,
        judged,
        plan,
        results,
        outcomes,
        measures,
        proposals: proposals(known),
    }))
}

fn proposals(system: &System) -> Vec<Proposal> {
    let proposed = system.facts.iter().filter_map(|(name, fact)| {
        fact.proposal
            .as_ref()
            .map(|proposal| (name, fact, proposal))
    });
    proposed
        .map(|(name, fact, proposal)| Proposal {
            fact: name.clone(),
            stands: fact.answer.value.clone(),
            proposed: proposal.value.clone(),
        })
        .collect()
}

impl Assessment {
    /// The claims this assessment makes.
    pub fn claims(
        &self,
        book: BookStamp,
        warnings: &[String],
        report: &ReportStamp,
    ) -> SystemReviewed {
        let mut methods: Vec<String> = self
            .results
            .iter()
            .map(|result| result.method.to_owned())
            .collect();
        methods.extend([
            "fisher-two-sided/1".to_owned(),
            "holm/1".to_owned(),
            "wilson/1".to_owned(),
            "law/1".to_owned(),
            "gate/1".to_owned(),
        ]);
        methods.sort();
        methods.dedup();
        methods.retain(|method| method != "none");
        SystemReviewed {
            system: self.declaration.id.clone(),
            gate: self.gate,
            judged_on: self.when.valid,
            known: self.when.known,
            verdict: self.verdict,
            nothing_required: self.nothing_required,
            book,
            requirements: self
                .judged
                .iter()
                .map(|judged| RequirementClaim {
                    id: judged.requirement.text().id.clone(),
                    pack: judged.requirement.pack().id.clone(),
                    status: judged.status,
                    from: judged.from(),
                    owner: judged.owner.clone(),
                })
                .collect(),
            results: self.results.iter().map(ResultClaim::of).collect(),
            data: self
                .measures
                .iter()
                .map(|measures| measures.data.clone())
                .collect(),
            methods,
            warnings: warnings.to_vec(),
            report: report.clone(),
        }
    }

    /// Numbers of requirements by how they fare.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for judged in &self.judged {
            if !judged.binds {
                counts.voluntary += usize::from(matches!(
                    judged.status,
                    Status::Met | Status::Gap | Status::Unknown
                ));
                continue;
            }
            if matches!(judged.requirement.standing, Standing::Unknown { .. }) {
                counts.may_apply += usize::from(judged.status != Status::Noted);
                continue;
            }
            match judged.status {
                Status::Met => counts.met += 1,
                Status::Gap => counts.gap += 1,
                Status::Unknown => counts.unknown += 1,
                Status::Ahead => counts.ahead += 1,
                Status::Waiting => counts.waiting += 1,
                Status::Ended | Status::NotApplicable | Status::Noted => {}
            }
        }
        counts.in_force = counts.met + counts.gap + counts.unknown;
        counts
    }

    /// The requirements known to concern the system that ask for something: in force, from a later day, or waiting.
    pub fn asked(&self) -> impl Iterator<Item = &Requirement> {
        let asked = self.judged.iter().filter(|judged| judged.asks());
        asked.map(|judged| &judged.requirement)
    }

    /// The duties of the system that pull against each other, for counsel. They change no verdict.
    pub fn conflicts(&self) -> Vec<&ConflictPair> {
        let pairs = self.judged.iter().flat_map(|judged| {
            // Both sides hold the pair; the first one shows it.
            let is_first = |pair: &&ConflictPair| pair.one == judged.requirement.text().id;
            judged.conflicts.iter().filter(is_first)
        });
        pairs.collect()
    }

    /// The next day on which a binding requirement begins.
    pub fn next_day(&self) -> Option<jiff::civil::Date> {
        let later = self
            .judged
            .iter()
            .filter(|judged| matches!(judged.status, Status::Ahead | Status::Waiting));
        let certain =
            |judged: &&Judged| !matches!(judged.requirement.standing, Standing::Unknown { .. });
        later
            .filter(|judged| judged.binds)
            .filter(certain)
            .filter_map(Judged::from)
            .filter(|from| *from > self.when.valid)
            .min()
    }

    /// The requirements that stand in the way whatever was measured: those that no measurement is evidence for.
    pub fn unmeasured<'a>(&'a self, book: &'a Book) -> impl Iterator<Item = &'a str> {
        let is_measured = |kind: &String| {
            let item = book.evidence.items.get(kind);
            item.is_some_and(|item| item.measured_by.is_some())
        };
        let blocking = self
            .judged
            .iter()
            .filter(|judged| judged.counts() && judged.status.blocks());
        let texts = blocking.map(|judged| judged.requirement.text());
        texts
            .filter(move |text| !text.evidence.iter().any(is_measured))
            .map(|text| text.id.as_str())
    }

    /// Everything that stands in the way: what holds first, then what is undecided.
    pub fn blockers(&self) -> Vec<Blocker> {
        let mut blockers = Vec::new();
        blockers.extend(
            self.outcomes
                .iter()
                .filter_map(|outcome| self.test_blocker(outcome)),
        );
        if self.gate == Gate::Launch {
            for judged in self
                .judged
                .iter()
                .filter(|judged| judged.counts() && judged.status.blocks())
            {
                let text = judged.requirement.text();
                blockers.push(Blocker {
                    id: text.id.clone(),
                    what: format!("{} ({})", text.what, judged.why),
                    citation: cited(judged),
                    owner: judged.owner.clone(),
                    next: judged.next.clone(),
                    holds: judged.status == Status::Gap,
                });
            }
        }
        blockers.sort_by_key(|blocker| !blocker.holds);
        blockers
    }

    /// The judged result of a test on an attribute that is furthest from passing; of equals the first.
    pub fn furthest<'a>(&'a self, of: &'a TestOutcome) -> Option<&'a TestResult> {
        let worst = of.worst.as_ref()?;
        let same = self.results.iter().filter(|result| {
            result.test == of.test && result.audit == of.audit && result.attribute == of.attribute
        });
        let counted = same.filter(|result| result.is_judged && result.outcome == worst.outcome);
        let ranked = counted
            .rev()
            .filter_map(|result| Some((result, result.beyond()?)));
        let furthest = ranked.max_by(|one, other| one.1.total_cmp(&other.1));
        Some(furthest.map_or(worst, |(result, _)| result))
    }

    /// What stands in the way of a test's outcome; `None` where it passes or does not count.
    pub fn test_blocker(&self, outcome: &TestOutcome) -> Option<Blocker> {
        let counts = self.gate == Gate::Tests || outcome.required != Truth::False;
        (counts && outcome.outcome != Outcome::Pass).then(|| self.blocker_of(outcome))
    }

    fn blocker_of(&self, outcome: &TestOutcome) -> Blocker {
        let planned = self
            .plan
            .tests
            .iter()
            .find(|planned| planned.test.id == outcome.test);
        let what = planned.map_or(outcome.test.clone(), |planned| {
            planned.test.what.trim_end_matches('.').to_owned()
        });
        let place = if outcome.attribute.is_empty() {
            String::new()
        } else {
            format!(" by {}", outcome.attribute)
        };
        Blocker {
            id: outcome.test.clone(),
            what: format!("{what}{place}: {}", outcome.outcome.word()),
            citation: planned.map_or(String::new(), |planned| {
                format!(
                    "{}: {}",
                    planned.test.limit.source.word(),
                    planned.test.limit.cite
                )
            }),
            owner: self
                .declaration
                .owner_of(&outcome.test, "engineer")
                .to_owned(),
            next: self.next_for_test(outcome, planned),
            holds: outcome.outcome == Outcome::Fail,
        }
    }

    /// What to do about a test that did not pass.
    fn next_for_test(&self, outcome: &TestOutcome, planned: Option<&PlannedTest>) -> String {
        let audit = self
            .plan
            .audits
            .iter()
            .find(|audit| audit.name == outcome.audit);
        let unlabelled = audit.is_some_and(|audit| audit.label.is_none())
            && planned.is_some_and(|planned| planned.test.metric.needs_label());
        let compares = planned.is_some_and(|planned| planned.test.metric.compares_groups());
        let open = planned.filter(|planned| planned.required == Truth::Unknown);
        let next = match (outcome.outcome, &outcome.worst) {
            _ if outcome.is_what_if => {
                "name the lawful basis and the necessity record for counting this attribute (`[audit.attribute.special_category]`); without them its figures are no evidence"
            }
            (Outcome::Fail, _) if compares => {
                "narrow the gap (threshold, features, data), then review again"
            }
            (Outcome::Fail, _) => "improve the model, its threshold or its data, then review again",
            (Outcome::Inconclusive, None) => {
                "measure on more people: no group reaches the policy's size"
            }
            (Outcome::Inconclusive, Some(worst)) if worst.value.is_none() => {
                "the figure is undefined (nobody was favoured in the reference group, or nobody is in it); look at the data and the threshold"
            }
            (Outcome::Inconclusive, Some(_)) => {
                "measure on more people, so that the interval no longer crosses the limit"
            }
            _ if audit.is_none() => match open {
                Some(planned) => {
                    let facts = planned.open_facts.join("`, `");
                    return format!(
                        "settle whether the policy asks for it: answer `{facts}`, or have it confirmed"
                    );
                }
                None => "declare an audit of this system on representative data",
            },
            _ if unlabelled => "add the observed outcome (`label`) to the audit",
            _ => "measure data that hold at least two groups of this attribute",
        };
        next.to_owned()
    }

    /// The highest fine that a requirement known to be in force may cost, one not met before one that is: by share of turnover,
    /// then by amount. What a text leaves to damages is no fine.
    pub fn highest_fine(&self) -> Option<(&Judged, &Penalty)> {
        let size = |penalty: &Penalty| {
            let (share, amount) = (penalty.turnover_percent, penalty.amount);
            (share.unwrap_or(0), amount.unwrap_or(0))
        };
        let pick = |open: bool| {
            let counted = self.judged.iter().filter(|judged| {
                judged.counts() && judged.is_in_force() && judged.status.blocks() == open
            });
            // The first of equals, in the order of the packs.
            counted
                .filter_map(|judged| Some((judged, judged.requirement.penalty()?)))
                .filter(|(_, penalty)| size(penalty) > (0, 0))
                .rev()
                .max_by_key(|(_, penalty)| size(penalty))
        };
        pick(true).or_else(|| pick(false))
    }

    /// The figures of every audit, in the shape of the reference tables, with the audit's name.
    pub fn figures(&self) -> Vec<(String, serde_json::Value)> {
        let z = judge::z(&self.plan);
        let audits = self.plan.audits.iter().zip(&self.measures);
        audits
            .map(|(audit, measures)| {
                (
                    audit.name.clone(),
                    figures::figures(audit, measures, self.plan.reference_min, z),
                )
            })
            .collect()
    }
}

/// The instrument and the pin-cite of a requirement.
pub fn cited(judged: &Judged) -> String {
    judged
        .requirement
        .pack()
        .cited(&judged.requirement.text().cite)
}
