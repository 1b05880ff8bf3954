//! A bias audit counts when an independent auditor has signed it; a self-test never does.

use std::path::Path;

use crate::{Place, Ran, status};

/// The credit example, used for jobs in New York City as well, and reviewed once; an audit and a statement of independence beside it.
fn desk() -> Place {
    let place = Place::with("credit");
    let edits = [
        (
            r#"value = ["EU"]"#,
            r#"value = ["EU", "US", "US-NY", "US-NYC"]"#,
        ),
        (
            r#""creditor", "bank"]"#,
            r#""creditor", "bank", "employer"]"#,
        ),
        (
            r#"value = ["credit_scoring"]"#,
            r#"value = ["credit_scoring", "recruitment"]"#,
        ),
    ];
    for (old, new) in edits {
        place.edit(old, new);
    }
    let answers = [
        ("job_in_nyc", "true"),
        ("simplified_output", "true"),
        ("decision_role", "\"sole\""),
        ("assessed_at", "[\"hiring\"]"),
    ];
    for (fact, value) in answers {
        let answer = format!(
            "{fact} = {{ value = {value}, by = \"Ruth Ansorge\", on = 2026-10-05, basis = \"a test\" }}\n"
        );
        place.edit("[facts]\n", &format!("[facts]\n{answer}"));
    }
    place.write("audit.txt", "sex: 100 of 200, 90 of 200\n");
    place.write("statement.txt", "we have no part in it\n");
    let (_, review) = place.review(&[]);
    assert_eq!(status(&review, "NYC-871a1"), "gap");
    place
}

impl Place {
    /// Makes a key named `name` in `KEY.key`.
    fn key(&self, key: &str, name: &str) -> Ran {
        self.run(&["audit", "key", "--new", key, "--name", name])
    }

    /// Signs `audit.txt` of 20 November 2026; more arguments come last.
    fn sign(&self, document: &str, key: &str, name: &str, more: &[&str]) -> Ran {
        let words = [
            "audit",
            "sign",
            document,
            "--statement",
            "statement.txt",
            "--key",
            key,
            "--name",
            name,
        ];
        self.run(&[&words[..], more].concat())
    }

    /// Submits a document as Clara Osei.
    fn submit(&self, file: &str, kind: &str, requirement: &str, more: &[&str]) -> Ran {
        let words = [
            "evidence",
            "add",
            "credit",
            file,
            "--kind",
            kind,
            "--for",
            requirement,
            "--as",
            "Clara Osei",
        ];
        let days = ["--effective", "2026-11-20", "--expires", "2027-11-20"];
        self.run(&[&words[..], &days, more].concat())
    }

    fn audit(&self, file: &str, more: &[&str]) -> Ran {
        self.submit(file, "signed_bias_audit", "NYC-871a1", more)
    }

    fn accept(&self, evidence: &str, actor: &str) -> Ran {
        self.run(&[
            "evidence",
            "accept",
            evidence,
            "--reason",
            "read, key compared",
            "--as",
            actor,
        ])
    }
}

/// The id of evidence that was just submitted.
#[track_caller]
fn id(ran: &Ran) -> String {
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.split_whitespace().next().unwrap().to_owned()
}

#[track_caller]
fn refused(ran: &Ran, words: &str) {
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    let joined = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains(words), "{joined}");
}

const AUDITOR: [&str; 2] = ["--auditor", "Ida Independent"];
const ORIGIN: &str = "auditor.example/bias";

#[test]
fn an_audit_signed_by_an_independent_auditor_meets_the_requirement() {
    let place = desk();
    let made = place.key("ida.key", ORIGIN);
    assert_eq!(made.code, 0, "{}", made.err);
    let key = made.out.lines().next().unwrap();
    assert!(key.starts_with("auditor.example/bias+"), "{key}");
    refused(&place.key("ida.key", ORIGIN), "a key is never overwritten");
    is_for_its_owner_alone(&place.path("ida.key"));

    let signed = place.sign("audit.txt", "ida.key", ORIGIN, &["--on", "2026-11-20"]);
    assert_eq!(signed.code, 0, "{}", signed.err);
    assert!(signed.out.contains(key), "{}", signed.out);
    assert!(
        place
            .read("audit.txt.note")
            .starts_with("alnager audit signature v1\n")
    );

    let statement = id(&place.submit(
        "statement.txt",
        "independence_statement",
        "NYC-5-300-ia",
        &[],
    ));
    let submitted = place.audit(
        "audit.txt",
        &[&["--signature", "audit.txt.note"][..], &AUDITOR].concat(),
    );
    let audit = id(&submitted);
    assert!(submitted.out.contains(key), "{}", submitted.out);

    // Neither before the statement is accepted, nor by the auditor, nor by who builds the system.
    refused(
        &place.accept(&audit, "Vera Novak"),
        "is not accepted for `NYC-5-300-ia`",
    );
    assert_eq!(place.accept(&statement, "Vera Novak").code, 0);
    refused(
        &place.accept(&audit, "Ida Independent"),
        "the auditor cannot accept what they signed",
    );
    refused(
        &place.accept(&audit, "Tomas Beran"),
        "who builds `credit` cannot accept its audit",
    );
    let (_, review) = place.review(&[]);
    assert_eq!(status(&review, "NYC-871a1"), "gap");
    let accepted = place.accept(&audit, "Vera Novak");
    assert_eq!(accepted.code, 0, "{}", accepted.err);

    let (_, review) = place.review(&["--out", "sealed"]);
    assert_eq!(status(&review, "NYC-871a1"), "met");
    let verified = place.run(&["verify", "sealed/dossier.tar.zst"]);
    assert_eq!(verified.code, 0, "{}", verified.out);
    assert_eq!(place.run(&["desk", "verify"]).code, 0);
    let listed = place.run(&["evidence", "list"]).out;
    assert!(
        listed.contains(&format!("signed by Ida Independent with {key}")),
        "{listed}"
    );
    // A year later the audit is too old.
    let (_, later) = place.review(&["--at", "2027-11-20"]);
    assert_eq!(status(&later, "NYC-871a1"), "gap");
}

#[test]
fn what_no_independent_auditor_signed_is_refused() {
    let place = desk();
    assert_eq!(place.key("ida.key", ORIGIN).code, 0);
    assert_eq!(place.key("own.key", "bank.example/audits").code, 0);
    let sign = |document: &str, out: &str| {
        let more = ["--on", "2026-11-20", "--out", out];
        assert_eq!(place.sign(document, "ida.key", ORIGIN, &more).code, 0);
    };
    sign("audit.txt", "audit.note");
    let submit = |file: &str, note: &str| {
        place.audit(file, &[&["--signature", note][..], &AUDITOR].concat())
    };

    refused(
        &place.audit("audit.txt", &[]),
        "it carries no auditor's signature",
    );
    // The note of another document, and a document that was changed since.
    place.write("other.txt", "sex: 100 of 200, 99 of 200\n");
    refused(
        &submit("other.txt", "audit.note"),
        "the note was signed for another document",
    );
    // Another's key written into the note.
    let other = place.run(&["audit", "key", "--new", "x.key", "--name", ORIGIN]);
    let other = other.out.lines().next().unwrap();
    let note = place.read("audit.note");
    let own = note.lines().find_map(|line| line.strip_prefix("key "));
    place.write("forged.note", note.replace(own.unwrap(), other));
    refused(
        &submit("audit.txt", "forged.note"),
        "the note does not hold",
    );
    // Another day written into it.
    place.write("later.note", note.replace("2026-11-20", "2026-11-21"));
    refused(&submit("audit.txt", "later.note"), "does not fit the text");
    // Signed by who submits it.
    let own = ["--signature", "audit.note", "--auditor", "Clara Osei"];
    refused(&place.audit("audit.txt", &own), "is a self-test");
    // Signed by who builds it.
    let team = ["--signature", "audit.note", "--auditor", "Tomas Beran"];
    let audit = id(&place.audit("audit.txt", &team));
    refused(
        &place.accept(&audit, "Vera Novak"),
        "the auditor is on the team that builds `credit`",
    );
    // A signature where none is taken.
    let more = [&["--signature", "audit.note"][..], &AUDITOR].concat();
    refused(
        &place.submit(
            "statement.txt",
            "independence_statement",
            "NYC-5-300-ia",
            &more,
        ),
        "takes no auditor's signature",
    );
    // Nothing of it meets the requirement, and the key of another name signs nothing.
    assert_eq!(status(&place.review(&[]).1, "NYC-871a1"), "gap");
    refused(
        &place.sign("audit.txt", "own.key", ORIGIN, &[]),
        "is `bank.example/audits`, not `auditor.example/bias`",
    );
    refused(
        &place.sign("statement.txt", "ida.key", ORIGIN, &[]),
        "are the same document",
    );
    refused(
        &place.sign("audit.txt", "ida.key", ORIGIN, &["--on", "9999-01-01"]),
        "has not taken place yet",
    );
}

#[cfg(unix)]
#[track_caller]
fn is_for_its_owner_alone(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(unix))]
fn is_for_its_owner_alone(_: &Path) {}

#[test]
fn a_page_stops_saying_self_test_only_for_the_tables_that_were_signed() {
    let place = desk();
    assert_eq!(place.key("ida.key", ORIGIN).code, 0);
    let mut people = "sex,race,hired\n".to_owned();
    for row in 0..400 {
        let (sex, race) = (["Male", "Female"][row % 2], ["White", "Asian"][row / 2 % 2]);
        people.push_str(&format!("{sex},{race},{}\n", u8::from(row % 5 < 2)));
    }
    place.write("people.csv", &people);
    let audit = |more: &[&str]| {
        let words = [
            "audit",
            "fairness",
            "people.csv",
            "--decision",
            "hired",
            "--favorable",
            "1",
            "--profile",
            "ll144",
            "--sex",
            "sex",
            "--race",
            "race",
            "--tool",
            "Ranker",
        ];
        place.run(&[&words[..], more].concat())
    };
    // 0 pass, 1 fail, 3 inconclusive: the verdict of one's own policy is not what matters here.
    let made = |more: &[&str]| {
        let ran = audit(more);
        assert!([0, 1, 3].contains(&ran.code), "{}", ran.err);
        ran.out
    };
    let says_self_test = |folder: &str| {
        let pages = ["summary.html", "annex.html"];
        pages.map(|page| {
            place
                .read(&format!("{folder}/{page}"))
                .contains("self-test, not a bias audit")
        })
    };
    made(&["--out", "before"]);
    assert_eq!(says_self_test("before"), [true, true]);

    let sign = place.sign(
        "before/summary.json",
        "ida.key",
        ORIGIN,
        &["--on", "2026-11-20", "--out", "ida.note"],
    );
    assert_eq!(sign.code, 0, "{}", sign.err);
    let statement = id(&place.submit(
        "statement.txt",
        "independence_statement",
        "NYC-5-300-ia",
        &[],
    ));
    assert_eq!(place.accept(&statement, "Vera Novak").code, 0);
    let signature = [&["--signature", "ida.note"][..], &AUDITOR].concat();
    let signed = id(&place.audit("before/summary.json", &signature));
    // Signed and submitted is not sealed: somebody must accept it.
    let sealed = ["--system", "credit", "--at", "2026-11-25"];
    made(&[&sealed[..], &["--out", "waiting"]].concat());
    assert_eq!(says_self_test("waiting"), [true, true]);
    assert_eq!(place.accept(&signed, "Vera Novak").code, 0);

    let found = made(&[&sealed[..], &["--out", "after"]].concat());
    assert_eq!(says_self_test("after"), [false, false]);
    assert!(place.read("after/summary.html").contains("Ida Independent"));
    assert!(!found.contains("self-test"), "{}", found);
    // The bytes that were signed come out again.
    assert_eq!(
        place.read("before/summary.json"),
        place.read("after/summary.json")
    );

    // Other data, another tool, another day or another desk's system: a self-test again.
    place.write(
        "people.csv",
        people.replacen("Male,White,1", "Male,White,0", 1),
    );
    made(&[&sealed[..], &["--out", "changed"]].concat());
    assert_eq!(says_self_test("changed"), [true, true]);
    place.write("people.csv", &people);
    let later = ["--system", "credit", "--at", "2027-11-20", "--out", "later"];
    made(&later);
    assert_eq!(says_self_test("later"), [true, true]);
    refused(
        &audit(&["--system", "nobody"]),
        "`nobody` is not in the desk",
    );
}
