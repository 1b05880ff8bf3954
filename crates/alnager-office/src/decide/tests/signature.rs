//! An audit counts when an independent auditor has signed it, and nobody who is audited can supply the signature.

use alnager_journal::note::{Note, SigningKey};

use super::*;
use crate::declaration::{DeclaredEvidence, DeclaredSignature};
use crate::signature::{KEY_KIND, Stated};

const SIGNED: &str = "
schema = 'alnager.evidence/1'
version = '1'
[kind.dpia]
title = 'Impact assessment'
what = 'w'
[kind.procedure]
title = 'Procedure'
what = 'w'
[kind.independence_statement]
title = 'Independence statement'
what = 'w'
[kind.signed_bias_audit]
title = 'Signed audit'
what = 'w'
signed_by = 'independent_auditor'
reuse = 'same_pack'
";
const LAW: &str = "
schema = 'alnager.pack/1'
id = 'x'
version = '1'
title = 'X'
short = 'X'
jurisdiction = 'X'
kind = 'statute'
binding = true
citation = 'X'
confidence = 'A'
status = { state = 'in_force', as_of = 2026-01-01, known_as_of = 2026-01-01 }
[[applies.now]]
from = 2020-01-01
known = 2019-01-01
cite = 'c'
[[requirement]]
id = 'X-audit'
what = 'Have it audited'
how = 'Find an auditor.'
cite = 'Art 1'
when = 'decides'
applies = ['now']
phase = 'before_use'
evidence = ['signed_bias_audit']
role = 'officer'
figures = [{ kind = 'audit_interval', at_most = '1 year', cite = 'Art 1' }]
[[requirement]]
id = 'X-independent'
what = 'By someone independent'
how = 'Ask for a statement.'
cite = 'Art 2'
when = 'decides'
applies = ['now']
phase = 'before_use'
evidence = ['independence_statement']
role = 'officer'
";

/// SHA-256 of the statement and of the audit.
const STATEMENT: u8 = 0xcd;
const AUDIT: u8 = 0xab;

/// What is submitted with an audit; the defaults are right.
#[derive(Clone, Copy)]
struct Audit {
    document: u8,
    signed: u8,
    statement: u8,
    auditor: &'static str,
    submitter: &'static str,
    on: &'static str,
    effective: &'static str,
    expires: Option<&'static str>,
    is_signed: bool,
}

const RIGHT: Audit = Audit {
    document: AUDIT,
    signed: AUDIT,
    statement: STATEMENT,
    auditor: "Ida Independent",
    submitter: "Tom",
    on: "2026-11-20",
    effective: "2026-11-20",
    expires: Some("2027-11-20"),
    is_signed: true,
};

fn hash(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}

fn note(audit: &Audit) -> String {
    let key = SigningKey::new("auditor.example/bias", &[7; 32]).unwrap();
    let text = Stated {
        document: hash(audit.signed),
        statement: hash(audit.statement),
        on: audit.on.parse().unwrap(),
        key: key.verifying_key(KEY_KIND),
    }
    .to_text();
    let signature = key.sign(&text);
    Note::new(text, vec![signature]).unwrap().to_string()
}

impl World {
    /// A system of Rita and Tom under a law that asks for an audit, and the auditor's statement accepted.
    fn audited() -> Self {
        let mut world = World::new();
        world.book = Book::new(
            Vocabulary::parse("f", FACTS).unwrap(),
            Register::parse("e", SIGNED, "kind").unwrap(),
            Register::default(),
            vec![Pack::parse("p", LAW).unwrap()],
        )
        .unwrap();
        world.review("decides=true", "", "2026-11-23");
        world
    }

    fn submit(&mut self, kind: &str, requirement: &str, audit: &Audit) -> Result<(), Refused> {
        let is_audit = kind == "signed_bias_audit" && audit.is_signed;
        let offered = OfferedEvidence {
            declared: DeclaredEvidence {
                file: format!("{kind}.pdf"),
                kind: kind.to_owned(),
                requirements: vec![requirement.to_owned()],
                effective: audit.effective.parse().unwrap(),
                expires: audit.expires.map(|day| day.parse().unwrap()),
                submitted_by: audit.submitter.to_owned(),
                signature: is_audit.then(|| DeclaredSignature {
                    file: "audit.note".to_owned(),
                    auditor: audit.auditor.to_owned(),
                }),
            },
            sha256: hash(if is_audit || kind == "signed_bias_audit" {
                audit.document
            } else {
                STATEMENT
            }),
            bytes: Arc::default(),
            note: is_audit.then(|| note(audit)),
        };
        let system = "sys".to_owned();
        self.act(audit.submitter, &Command::AddEvidence { system, offered })
            .map(drop)
    }

    fn state_independence(&mut self) {
        self.submit("independence_statement", "X-independent", &RIGHT)
            .unwrap();
        self.rule("Vera", "E1", true).unwrap();
    }

    /// The status of the audit's requirement and why.
    fn audit_fares(&self, on: &str) -> String {
        let when = AsOf {
            valid: on.parse().unwrap(),
            known: "2026-11-23".parse().unwrap(),
        };
        let found = assess(
            &self.state,
            "sys",
            &self.book,
            &self.policy,
            Vec::new(),
            when,
            Gate::Launch,
        );
        let found = found.unwrap().unwrap();
        let mut judged = found.judged.iter();
        let judged = judged
            .find(|judged| judged.requirement.text().id == "X-audit")
            .unwrap();
        let key = note(&RIGHT);
        let key = key.lines().nth(4).unwrap().trim_start_matches("key ");
        let why = judged.why.replace(key, "KEY");
        format!("{}: {why}", judged.status.word())
    }
}

#[test]
fn a_signed_audit_counts_once_someone_outside_accepts_it() {
    let mut world = World::audited();
    check(
        &world.audit_fares("2026-11-23"),
        expect![
            "gap: Signed audit: no bias audit signed by an independent auditor is sealed; what was measured here is a self-test"
        ],
    );
    world.state_independence();
    world
        .submit("signed_bias_audit", "X-audit", &RIGHT)
        .unwrap();
    check(
        &world.audit_fares("2026-11-23"),
        expect![
            "gap: Signed audit: no bias audit signed by an independent auditor is sealed; what was measured here is a self-test; E2 awaits a decision"
        ],
    );
    world.rule("Vera", "E2", true).unwrap();
    check(
        &world.audit_fares("2026-11-23"),
        expect!["met: Signed audit: E2 accepted, signed with KEY"],
    );
    // A year later it is too old, and before it took place there was none.
    check(
        &world.audit_fares("2027-11-20"),
        expect![
            "gap: Signed audit: no bias audit signed by an independent auditor is sealed; what was measured here is a self-test; E2 has expired"
        ],
    );
    check(
        &world.audit_fares("2026-11-19"),
        expect![
            "gap: Signed audit: no bias audit signed by an independent auditor is sealed; what was measured here is a self-test; E2 takes effect later"
        ],
    );
    // The auditor's name is a person's, and no other entry holds it.
    let id = world.state.person("Ida Independent").unwrap().to_owned();
    let evidence = &world.state.evidence["E2"];
    let signature = evidence.submitted.signature.as_ref().unwrap();
    assert_eq!(signature.auditor, id);
    let payload = Event::EvidenceSubmitted(evidence.submitted.clone())
        .to_payload()
        .unwrap();
    assert!(!String::from_utf8(payload).unwrap().contains("Ida"));
}

#[test]
fn what_is_not_signed_reads_as_it_did_before_there_were_signatures() {
    let mut world = World::audited();
    world
        .submit("independence_statement", "X-independent", &RIGHT)
        .unwrap();
    let submitted = &world.state.evidence["E1"].submitted;
    let payload = Event::EvidenceSubmitted(submitted.clone())
        .to_payload()
        .unwrap();
    let text = String::from_utf8(payload.clone()).unwrap();
    assert!(!text.contains("signature"), "{text}");
    let again = Event::from_payload("evidence.submitted", &payload).unwrap();
    assert_eq!(again, Event::EvidenceSubmitted(submitted.clone()));
}

#[test]
fn a_signature_that_does_not_hold_is_not_submitted() {
    let refused = |audit: Audit, want: Expect| {
        let mut world = World::audited();
        let error = world.submit("signed_bias_audit", "X-audit", &audit);
        check(&error.unwrap_err().to_string(), want);
    };
    refused(
        Audit {
            is_signed: false,
            ..RIGHT
        },
        expect![
            "`signed_bias_audit.pdf` cannot be submitted: it carries no auditor's signature; the auditor makes one with `alnager audit sign`, and it is submitted with --signature NOTE --auditor NAME"
        ],
    );
    refused(
        Audit {
            document: 0x11,
            ..RIGHT
        },
        expect![
            "`signed_bias_audit.pdf` cannot be submitted: the note was signed for another document (SHA-256 `abababababababababababababababababababababababababababababababab`; this one has `1111111111111111111111111111111111111111111111111111111111111111`); submit the document as it was signed, or have this one signed"
        ],
    );
    refused(
        Audit {
            submitter: "Ida Independent",
            ..RIGHT
        },
        expect![
            "`signed_bias_audit.pdf` cannot be submitted: the auditor submits it, and an audit signed by whoever submits it is a self-test; have someone of the organisation submit it"
        ],
    );
    // Spacing and capitals make no other person.
    refused(
        Audit {
            submitter: "ida  independent",
            ..RIGHT
        },
        expect![
            "`signed_bias_audit.pdf` cannot be submitted: the auditor submits it, and an audit signed by whoever submits it is a self-test; have someone of the organisation submit it"
        ],
    );
}

#[test]
fn a_signature_on_what_needs_none_is_not_submitted() {
    let mut world = World::audited();
    let unsigned = SIGNED.replace("signed_by = 'independent_auditor'", "");
    world.book = Book::new(
        Vocabulary::parse("f", FACTS).unwrap(),
        Register::parse("e", &unsigned, "kind").unwrap(),
        Register::default(),
        vec![Pack::parse("p", LAW).unwrap()],
    )
    .unwrap();
    let error = world.submit("signed_bias_audit", "X-audit", &RIGHT);
    check(
        &error.unwrap_err().to_string(),
        expect![
            "`signed_bias_audit.pdf` cannot be submitted: evidence of this kind takes no auditor's signature; submit it without one"
        ],
    );
}

#[test]
fn acceptance_needs_an_independent_auditor_and_an_audit_in_date() {
    let refused = |audit: Audit, actor: &str, want: Expect| {
        let mut world = World::audited();
        world.state_independence();
        world
            .submit("signed_bias_audit", "X-audit", &audit)
            .unwrap();
        let error = world.rule(actor, "E2", true).unwrap_err();
        check(&error.to_string(), want);
    };
    refused(
        RIGHT,
        "Tom",
        expect![
            "`E2` was submitted by the same person; someone else must decide on it (act as another person with --as NAME)"
        ],
    );
    refused(
        RIGHT,
        "Ida Independent",
        expect![
            "`E2` cannot be accepted: the auditor cannot accept what they signed; have someone of the organisation accept it (--as NAME)"
        ],
    );
    refused(
        RIGHT,
        "Rita",
        expect![
            "`E2` cannot be accepted: who builds `sys` cannot accept its audit; have someone outside the team do it"
        ],
    );
    refused(
        Audit {
            auditor: "Rita",
            ..RIGHT
        },
        "Vera",
        expect![
            "`E2` cannot be accepted: the auditor is on the team that builds `sys`, so this is a self-test; have an independent auditor do it"
        ],
    );
    refused(
        Audit {
            statement: 0x22,
            ..RIGHT
        },
        "Vera",
        expect![
            "`E2` cannot be accepted: the independence statement it names (SHA-256 `2222222222222222222222222222222222222222222222222222222222222222`) is not accepted for `X-independent`; submit that very document as `independence_statement` and have it accepted first"
        ],
    );
    refused(
        Audit {
            expires: Some("2027-11-21"),
            ..RIGHT
        },
        "Vera",
        expect![
            "`E2` cannot be accepted: an audit of 2026-11-20 counts for 1 year (Art 1), so it must expire by 2027-11-20; submit it with --expires 2027-11-20 or an earlier day"
        ],
    );
    refused(
        Audit {
            expires: None,
            ..RIGHT
        },
        "Vera",
        expect![
            "`E2` cannot be accepted: an audit of 2026-11-20 counts for 1 year (Art 1), so it must expire by 2027-11-20; submit it with --expires 2027-11-20 or an earlier day"
        ],
    );
    refused(
        Audit {
            effective: "2026-11-19",
            ..RIGHT
        },
        "Vera",
        expect![
            "`E2` cannot be accepted: it counts from 2026-11-19, before the audit of 2026-11-20; submit it with --effective 2026-11-20 or a later day"
        ],
    );
    refused(
        Audit {
            on: "2026-11-24",
            effective: "2026-11-24",
            ..RIGHT
        },
        "Vera",
        expect!["`E2` cannot be accepted: its audit is dated 2026-11-24, a day that has not come"],
    );
}

#[test]
fn who_builds_another_system_of_the_desk_is_not_independent() {
    let mut world = World::audited();
    world.state_independence();
    world
        .submit("signed_bias_audit", "X-audit", &RIGHT)
        .unwrap();
    let other = world.command("other", "decides=true", "", "2026-11-23");
    let Command::Review(mut other) = other else {
        panic!("a review")
    };
    other.declaration.team = vec!["Ida Independent".to_owned()];
    world.act("Rita", &Command::Review(other)).unwrap();
    let error = world.rule("Vera", "E2", true).unwrap_err();
    check(
        &error.to_string(),
        expect![
            "`E2` cannot be accepted: the auditor is on the team that builds `other`, so this is a self-test; have an independent auditor do it"
        ],
    );
}

#[test]
fn what_makes_an_audit_count_may_fall_away() {
    // The statement was rejected after all.
    let mut world = World::audited();
    world.state_independence();
    world
        .submit("signed_bias_audit", "X-audit", &RIGHT)
        .unwrap();
    world.rule("Vera", "E2", true).unwrap();
    world.rule("Vera", "E1", false).unwrap();
    check(
        &world.audit_fares("2026-11-23"),
        expect![
            "gap: Signed audit: no bias audit signed by an independent auditor is sealed; what was measured here is a self-test; E2 does not count: the independence statement it names (SHA-256 `cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd`) is not accepted for `X-independent`; submit that very document as `independence_statement` and have it accepted first"
        ],
    );

    // The auditor joined the team.
    let mut world = World::audited();
    world.state_independence();
    world
        .submit("signed_bias_audit", "X-audit", &RIGHT)
        .unwrap();
    world.rule("Vera", "E2", true).unwrap();
    let again = world.command("sys", "decides=true", "", "2026-11-23");
    let Command::Review(mut again) = again else {
        panic!("a review")
    };
    again.declaration.team.push("Ida Independent".to_owned());
    world.act("Rita", &Command::Review(again)).unwrap();
    check(
        &world.audit_fares("2026-11-23"),
        expect![
            "gap: Signed audit: no bias audit signed by an independent auditor is sealed; what was measured here is a self-test; E2 does not count: the auditor is on the team that builds `sys`, so this is a self-test; have an independent auditor do it"
        ],
    );
}

#[test]
fn a_declaration_names_the_note_and_the_auditor_of_a_kind_that_needs_them() {
    let world = World::audited();
    let read = |more: &str| {
        let text = format!(
            "schema = 'alnager.system/1'\nid = 'sys'\nname = 'S'\norganisation = 'O'\nowner = 'Rita'\npurpose = 'p'\nstage = 'validation'\n{more}"
        );
        let read = Declaration::parse("system.toml", &text, &world.book, &world.policy);
        match read {
            Ok(mut declaration) => {
                let mut people = Vec::new();
                declaration.people(&mut |name| people.push(name.clone()));
                people.join(", ")
            }
            Err(error) => error.to_string(),
        }
    };
    let audit = evidence("signed_bias_audit", "X-audit", "2027-01-01");
    check(
        &read(&audit),
        expect![
            "system.toml, line 10, field `evidence[0].kind`: a `signed_bias_audit` counts only when an independent auditor has signed it; name the note in `signature` and the auditor in `auditor`"
        ],
    );
    let signed = format!("{audit}signature = 'audit.note'\nauditor = 'Ida Independent'\n");
    check(&read(&signed), expect!["Rita, Rita, Tom, Ida Independent"]);
    let statement = evidence("independence_statement", "X-independent", "2027-01-01");
    let signed = format!("{statement}signature = 'audit.note'\nauditor = 'Ida Independent'\n");
    check(
        &read(&signed),
        expect![
            "system.toml, line 10, field `evidence[0].kind`: a `independence_statement` takes no auditor's signature; leave out `signature` and `auditor`"
        ],
    );
}
