#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use alnager_audit::policy::Policy;
use alnager_law::fact::Vocabulary;
use alnager_law::figure;
use alnager_law::pack::Register;
use alnager_law::requirement::AsOf;
use expect_test::{Expect, expect};
use uuid::Uuid;

use super::*;
use crate::assess::assess;
use crate::decide::{Blob, Command, Context, EvidenceRuling, OfferedEvidence, Review, decide};
use crate::declaration::{Declaration, DeclaredEvidence};
use crate::event::BookStamp;
use crate::gate::{Gate, ReportStamp, kinds_lacking};
use crate::state::Meta;

const FACTS: &str = "
schema = 'alnager.facts/1'
version = '1'
[fact.yes]
type = 'bool'
question = 'yes?'
serves = ['all']
[fact.open]
type = 'bool'
question = 'open?'
serves = ['all']
";
const EVIDENCE: &str = "
schema = 'alnager.evidence/1'
version = '1'
kind.notice = { title = 'Notice', what = 'w' }
kind.report = { title = 'Report', what = 'w' }
kind.procedure = { title = 'Procedure', what = 'w', reuse = 'same_phase' }
kind.receipt = { title = 'Receipt', what = 'w', reuse = 'same_pack' }
";
const CONTROLS: &str = "
schema = 'alnager.controls/1'
version = '1'
control.CC1 = { title = 'Tell people', evidence = ['notice'] }
control.CC2 = { title = 'Keep, and test', evidence = ['report'] }
";
const FIGURES: &str = "
schema = 'alnager.figures/1'
version = '1'
kind.advance_notice = { title = 'advance notice', stricter = 'longer' }
";
const POLICY: &str = "
schema = 'alnager.policy/1'
id = 'test'
version = '1'
title = 'Policy'
from = 2020-01-01
known = 2019-01-01
confidence_level = 0.95
min_group = 10
reference_min = 10
approved = { by = 'A', role = 'B', on = 2020-01-01 }
[[test]]
id = 'impact-ratio'
question = 'bias'
metric = 'impact_ratio'
low = '0.80'
high = '1.25'
what = 'w'
when = 'false'
source = 'yardstick'
cite = 'c'
";

/// A desk with a small book.
pub(crate) struct World {
    pub(crate) book: Book,
    pub(crate) state: State,
    policy: Policy,
    n_ids: u128,
}

/// The packs of `ID | phase | kinds | controls | more`, one requirement per line; what stands before the dash names the pack.
/// `more` holds `when=`, `applies=` and further fields as TOML, parted by `;`.
fn packs(lines: &str) -> Vec<Pack> {
    let mut packs: BTreeMap<&str, String> = BTreeMap::new();
    let list = |cell: &str| {
        let items = cell.split_whitespace();
        items.map(|item| format!("'{item}', ")).collect::<String>()
    };
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (pack, _) = cells[0].split_once('-').unwrap();
        let text = packs.entry(pack).or_insert_with(|| {
            let (kind, binding) = if pack == "ISO" { ("standard", false) } else { ("statute", true) };
            format!(
                "schema = 'alnager.pack/1'\nid = '{pack}'\nversion = '1'\ntitle = '{pack}'\nshort = '{pack}'\njurisdiction = 'X'\nkind = '{kind}'\nbinding = {binding}\ncitation = 'X'\nconfidence = 'A'\nstatus = {{ state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }}\napplies.now = [{{ from = 2020-01-01, known = 2019-01-01, cite = 'c' }}]\napplies.later = [{{ from = 2030-01-01, known = 2019-01-01, cite = 'c' }}]\n"
            )
        });
        let more = cells.get(4).copied().unwrap_or_default();
        let has = |field: &str| more.contains(field);
        *text += &format!(
            "[[requirement]]\nid = '{}'\nwhat = 'w'\nhow = 'h'\ncite = 'Art 1'\nphase = '{}'\nevidence = [{}]\ncontrols = [{}]\nrole = 'legal'\n",
            cells[0],
            cells[1],
            list(cells[2]),
            list(cells[3])
        );
        if !has("when=") {
            *text += "when = 'yes'\n";
        }
        if !has("applies=") {
            *text += "applies = ['now']\n";
        }
        *text += &more.replace(';', "\n");
        *text += "\n";
    }
    let packs = packs.iter();
    packs
        .map(|(id, text)| Pack::parse(id, text).unwrap())
        .collect()
}

impl World {
    /// With one system, `sys`, declared.
    pub(crate) fn new(lines: &str) -> Self {
        let book = Book::new(
            Vocabulary::parse("f", FACTS).unwrap(),
            Register::parse("e", EVIDENCE, "kind").unwrap(),
            Register::parse("c", CONTROLS, "control").unwrap(),
            packs(lines),
        );
        let kinds = figure::kinds("g", FIGURES).unwrap();
        let mut world = World {
            book: book.unwrap().with_figures(kinds).unwrap(),
            policy: Policy::parse("q", POLICY).unwrap(),
            state: State::default(),
            n_ids: 1,
        };
        world.declare("sys");
        world
    }

    pub(crate) fn act(&mut self, actor: &str, command: &Command) -> Result<(), Refused> {
        let ids = (0..20).map(|at| Uuid::from_u128(self.n_ids + at));
        let with = Context {
            book: &self.book,
            policy: &self.policy,
            stamp: BookStamp { files: Vec::new() },
            texts: Blob {
                name: "book.json".to_owned(),
                media: "application/json".to_owned(),
                bytes: Arc::default(),
            },
            organisation: Uuid::from_u128(9_999_999).to_string(),
            actor: actor.to_owned(),
            today: "2026-11-23".parse().unwrap(),
            ids: ids.collect(),
        };
        self.n_ids += 20;
        for one in decide(&self.state, command, &with)? {
            let meta = Meta {
                index: self.state.size,
                subjects: one.subjects,
                actor: one.actor,
            };
            self.state.apply(&one.event, &meta);
        }
        Ok(())
    }

    pub(crate) fn declare(&mut self, id: &str) {
        let text = format!(
            "schema = 'alnager.system/1'\nid = '{id}'\nname = 'S'\norganisation = 'O'\nowner = 'Rita'\nteam = ['Rita']\npurpose = 'p'\nstage = 'validation'\n[facts]\nyes = {{ value = true, by = 'Tom', on = 2026-01-01, basis = 'b' }}\n"
        );
        let declaration = Declaration::parse("s", &text, &self.book, &self.policy).unwrap();
        let review = Review {
            declaration,
            evidence: Vec::new(),
            measures: Vec::new(),
            when: when(),
            gate: Gate::Launch,
            warnings: Vec::new(),
            report: ReportStamp {
                form: "none".to_owned(),
                previous: None,
            },
            documents: Vec::new(),
        };
        self.act("Rita", &Command::Review(Box::new(review)))
            .unwrap();
    }

    /// Tom submits a document of a kind for requirements of a system; the same again is a new version.
    pub(crate) fn submit(&mut self, system: &str, kind: &str, requirements: &str) {
        let declared = DeclaredEvidence {
            file: format!("{kind}-{requirements}.md"),
            kind: kind.to_owned(),
            requirements: words(requirements),
            effective: "2026-01-01".parse().unwrap(),
            expires: None,
            submitted_by: "Tom".to_owned(),
            signature: None,
        };
        let offered = OfferedEvidence {
            declared,
            sha256: self.n_ids.to_string(),
            bytes: Arc::default(),
            note: None,
        };
        let system = system.to_owned();
        self.act("Tom", &Command::AddEvidence { system, offered })
            .unwrap();
    }

    /// Accepts or rejects, for all the evidence is offered for or for the requirements named; shows a refusal.
    pub(crate) fn rule(&mut self, actor: &str, accept: bool, evidence: &str, of: &str) -> String {
        let ruling = EvidenceRuling {
            evidence: evidence.to_owned(),
            requirements: words(of),
            reason: "read".to_owned(),
        };
        let command = if accept {
            Command::AcceptEvidence(ruling)
        } else {
            Command::RejectEvidence(ruling)
        };
        done(self.act(actor, &command))
    }

    fn offer(&mut self, actor: &str, evidence: &str, requirements: &str) -> String {
        let command = Command::OfferEvidence {
            evidence: evidence.to_owned(),
            requirements: words(requirements),
        };
        done(self.act(actor, &command))
    }

    pub(crate) fn assess(&self) -> Vec<Assessment> {
        let systems = self.state.systems.keys();
        let one = |id: &String| {
            let (book, policy) = (&self.book, &self.policy);
            let found = assess(
                &self.state,
                id,
                book,
                policy,
                Vec::new(),
                when(),
                Gate::Launch,
            );
            found.unwrap().unwrap()
        };
        systems.map(one).collect()
    }

    fn proposals(&self) -> String {
        let assessed = self.assess();
        let found = proposals(
            &self.state,
            &self.book,
            &assessed.iter().collect::<Vec<_>>(),
        );
        let lines = found.iter().map(|one| {
            let differs: Vec<String> = one.differs.iter().map(Difference::words).collect();
            let system = one.system.as_deref().unwrap_or("organisation");
            let (controls, differs) = (one.controls.join("+"), differs.join("; "));
            let (evidence, from, to) = (&one.evidence, &one.from, &one.to);
            format!("{evidence} {from} -> {to} of {system} through {controls} [{differs}]")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn statuses(&self) -> String {
        let assessed = self.assess();
        let judged = assessed[0].judged.iter();
        let words =
            judged.map(|one| format!("{} {}", one.requirement.text().id, one.status.word()));
        words.collect::<Vec<_>>().join(", ")
    }
}

fn when() -> AsOf {
    let day = "2026-11-23".parse().unwrap();
    AsOf {
        valid: day,
        known: day,
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn done(result: Result<(), Refused>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "done".to_owned())
}

/// One document of a kind, accepted for the first requirement of the book; shows what is proposed.
#[track_caller]
fn check(lines: &str, kind: &str, want: Expect) {
    let mut world = World::new(lines);
    let first = lines.split_whitespace().next().unwrap();
    world.submit("sys", kind, first);
    assert_eq!(world.proposals(), "", "before anything is accepted");
    assert_eq!(world.rule("Vera", true, "E1", ""), "done");
    want.assert_eq(&world.proposals());
}

const NOTICES: &str = "
    EU-26 | before_use | notice | CC1 | who = ['deployer']
    NY-871 | before_use | notice | CC1 | who = ['employer']; figures = [{ kind = 'advance_notice', at_least = '10 business days', cite = 'b1' }]
";

#[test]
fn a_proposal_says_through_what_and_what_must_be_looked_at() {
    check(
        NOTICES,
        "notice",
        expect![
            "E1 EU-26 -> NY-871 of sys through CC1 [advance notice: at least 10 business days, against no figure; who: employer, against deployer]"
        ],
    );
}

#[test]
fn what_shares_no_control_or_kind_or_does_not_concern_the_system_is_not_proposed() {
    check(
        "
        A-1 | before_use | notice report | CC1
        A-2 | before_use | notice | CC2
        A-3 | before_use | report | CC1
        A-4 | before_use | notice | CC1 | when='!yes'
        A-5 | before_use | notice | CC1 | when='open'
        A-6 | before_use | notice | CC1 | kind='risk'
        ISO-1 | before_use | notice | CC1
        A-7 | before_use | notice | CC1 | applies=['later']",
        "notice",
        expect!["E1 A-1 -> A-7 of sys through CC1 []"],
    );
}

#[test]
fn a_procedure_is_carried_over_only_within_its_time_of_life() {
    check(
        "
        A-1 | on_event | report | CC1
        A-2 | on_event | report | CC1
        A-3 | in_use | report | CC1
        A-4 | before_use | procedure | CC1",
        "procedure",
        expect!["E1 A-1 -> A-2 of sys through CC1 []"],
    );
    check(
        "
        A-1 | on_event | report | CC1
        A-3 | in_use | report | CC1",
        "report",
        expect!["E1 A-1 -> A-3 of sys through CC1 [when: in use, against on event]"],
    );
}

#[test]
fn what_was_given_to_one_authority_stays_in_its_pack() {
    check(
        "
        A-1 | before_use | receipt | CC1
        A-2 | before_use | receipt | CC1
        B-1 | before_use | receipt | CC1",
        "receipt",
        expect!["E1 A-1 -> A-2 of sys through CC1 []"],
    );
}

#[test]
fn duties_of_the_organisation_serve_each_other_and_no_system() {
    let lines = "
        A-1 | organisation | report | CC1
        A-2 | organisation | report | CC1
        A-3 | before_use | report | CC1";
    check(
        lines,
        "report",
        expect!["E1 A-1 -> A-2 of organisation through CC1 []"],
    );
    // Another system inherits the same duty: it is proposed once.
    let mut world = World::new(lines);
    world.declare("two");
    world.submit("two", "report", "A-1");
    world.rule("Vera", true, "E1", "");
    assert_eq!(
        world.proposals(),
        "E1 A-1 -> A-2 of organisation through CC1 []"
    );
}

#[test]
fn a_systems_evidence_is_not_proposed_for_another_system() {
    let mut world = World::new(NOTICES);
    world.declare("two");
    world.submit("sys", "notice", "EU-26");
    world.rule("Vera", true, "E1", "");
    assert_eq!(world.proposals().matches(" of sys ").count(), 1);
    assert_eq!(world.proposals().matches(" of two ").count(), 0);
}

#[test]
fn of_several_sources_the_one_that_differs_least_is_named() {
    let mut world = World::new(
        "
        A-1 | before_use | notice | CC1 CC2 | who = ['x']
        A-2 | before_use | notice | CC1
        A-3 | before_use | notice | CC1 CC2",
    );
    world.submit("sys", "notice", "A-1 A-2");
    world.rule("Vera", true, "E1", "");
    assert_eq!(world.proposals(), "E1 A-2 -> A-3 of sys through CC1 []");
}

#[test]
fn a_second_person_accepts_a_proposal_in_one_step() {
    let mut world = World::new(NOTICES);
    world.submit("sys", "notice", "EU-26");
    world.rule("Vera", true, "E1", "");
    let own = world.rule("Tom", true, "E1", "NY-871");
    assert!(own.contains("someone else must decide"), "{own}");
    assert_eq!(world.statuses(), "EU-26 met, NY-871 unknown");
    assert_eq!(world.rule("Vera", true, "E1", "NY-871"), "done");
    assert_eq!(world.statuses(), "EU-26 met, NY-871 met");
    assert_eq!(world.proposals(), "");
}

#[test]
fn a_rejected_proposal_is_recorded_leaves_no_gap_and_does_not_come_back() {
    let mut world = World::new(NOTICES);
    world.submit("sys", "notice", "EU-26");
    world.rule("Vera", true, "E1", "");
    assert_eq!(world.rule("Vera", false, "E1", "NY-871"), "done");
    assert!(!world.state.evidence["E1"].decisions["NY-871"].is_accepted);
    assert_eq!(world.statuses(), "EU-26 met, NY-871 unknown");
    assert_eq!(world.proposals(), "");
    // What a person offered and another one rejected is a gap.
    assert_eq!(world.offer("Tom", "E1", "NY-871"), "done");
    assert_eq!(world.statuses(), "EU-26 met, NY-871 gap");
}

#[test]
fn an_offer_awaits_a_decision_by_someone_else_than_the_submitter() {
    let mut world = World::new(
        "
        A-1 | before_use | notice | CC1
        A-2 | before_use | notice | CC2
        A-3 | before_use | report | CC1",
    );
    world.submit("sys", "notice", "A-1");
    // Any requirement that takes the kind, with a common control or without.
    assert_eq!(world.offer("Tom", "E1", "A-2"), "done");
    let evidence = &world.state.evidence["E1"];
    assert_eq!(evidence.requirements().collect::<Vec<_>>(), ["A-1", "A-2"]);
    let own = world.rule("Tom", true, "E1", "A-2");
    assert!(own.contains("someone else must decide"), "{own}");
    assert_eq!(world.rule("Vera", true, "E1", ""), "done");
    assert_eq!(world.statuses(), "A-1 met, A-2 met, A-3 unknown");
    for (requirements, want) in [
        (
            "A-2",
            expect!["`E1` is offered for `A-2` already; there is nothing to decide"],
        ),
        ("A-3", expect!["`A-3` asks for `report`, not for `notice`"]),
        (
            "A-9",
            expect!["there is no requirement `A-9` in the packs in use; did you mean `A-1`?"],
        ),
    ] {
        want.assert_eq(&world.offer("Tom", "E1", requirements));
    }
    expect!["the desk has no evidence `E7`; did you mean `E1`?"]
        .assert_eq(&world.offer("Tom", "E7", "A-2"));
}

#[test]
fn what_is_not_proposed_is_not_accepted_before_it_is_offered() {
    let mut world = World::new(
        "
        A-1 | before_use | notice | CC1
        A-2 | before_use | notice | CC2
        A-3 | before_use | report | CC1",
    );
    world.submit("sys", "notice", "A-1");
    world.rule("Vera", true, "E1", "");
    expect!["`E1` is not offered for `A-2`; offer it first (`alnager evidence offer E1 A-2`)"]
        .assert_eq(&world.rule("Vera", true, "E1", "A-2"));
    expect!["`E1` is not offered for `A-3`; did you mean `A-1`?"]
        .assert_eq(&world.rule("Vera", false, "E1", "A-3"));
}

#[test]
fn a_new_version_takes_the_offers_over_and_is_accepted_anew() {
    let mut world = World::new(NOTICES);
    world.submit("sys", "notice", "EU-26");
    world.rule("Vera", true, "E1", "");
    world.rule("Vera", true, "E1", "NY-871");
    world.submit("sys", "notice", "EU-26");
    assert_eq!(world.statuses(), "EU-26 unknown, NY-871 unknown");
    assert_eq!(world.rule("Vera", true, "E2", ""), "done");
    assert_eq!(world.statuses(), "EU-26 met, NY-871 met");
}

#[test]
fn evidence_of_one_system_serves_no_duty_of_the_organisation() {
    let lines = "
        A-1 | before_use | report | CC1
        A-2 | organisation | report | CC1";
    let mut world = World::new(lines);
    world.submit("sys", "report", "A-1");
    let want = expect![
        "`E1` was submitted for `sys` alone, and `A-2` is a duty of the organisation, which every system inherits; submit it for that duty (`alnager evidence add sys FILE --kind KIND --for A-2`)"
    ];
    want.assert_eq(&world.offer("Tom", "E1", "A-2"));
    want.assert_eq(&world.rule("Vera", true, "E1", "A-2"));
    world.submit("sys", "report", "A-1 A-2");
    assert_eq!(world.rule("Vera", true, "E2", ""), "done");
    assert_eq!(world.statuses(), "A-1 met, A-2 met");
}

#[test]
fn only_what_every_system_sees_serves_them_all() {
    let book = |phase: &str| World::new(&format!("A-1 | {phase} | report | CC1")).book;
    let one_system = |world: &World, at: usize| {
        let assessed = world.assess();
        assessed[at].judged[0].status
    };
    // Submitted for a system's own duty, which later becomes one of the organisation.
    let mut world = World::new("A-1 | before_use | report | CC1");
    world.declare("two");
    world.submit("sys", "report", "A-1");
    world.rule("Vera", true, "E1", "");
    world.book = book("organisation");
    assert_eq!(one_system(&world, 0), Status::Met);
    assert_eq!(one_system(&world, 1), Status::Unknown);
    // And the other way: whoever saw the first version sees the second.
    let mut world = World::new("A-1 | organisation | report | CC1");
    world.declare("two");
    world.submit("sys", "report", "A-1");
    world.rule("Vera", true, "E1", "");
    assert_eq!(one_system(&world, 1), Status::Met);
    world.book = book("before_use");
    world.submit("sys", "report", "A-1");
    assert!(world.state.evidence["E2"].is_shared);
}

#[test]
fn what_was_offered_later_is_not_lacking() {
    let mut world = World::new(NOTICES);
    let lacking = |world: &World| {
        let mut texts = world.book.packs().flat_map(|pack| &pack.requirements);
        let text = texts.find(|text| text.id == "NY-871").unwrap();
        kinds_lacking(text, &world.state, "sys", when().valid)
    };
    world.submit("sys", "notice", "EU-26");
    world.rule("Vera", true, "E1", "");
    assert_eq!(lacking(&world), ["notice"]);
    world.offer("Tom", "E1", "NY-871");
    assert_eq!(lacking(&world), ["notice"], "nobody has accepted it there");
    world.rule("Vera", true, "E1", "NY-871");
    assert!(lacking(&world).is_empty());
}
